//! A steady stream whose answers wait for the decision, beside the same stream without: the time from the moment an event is
//! due to its answer.

use crate::error::Result;
use crate::load::{self, Feed};
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::ceilings::Ceilings;
use crate::scenario::steady::{RATE_PER_SECOND, Stream};

/// With the cycle, which the answer waits for.
const P99_TARGET: Target = Target::Most(15.0);
const WAITING: &str = "/api/events?wait=200";

/// Sends both streams to a server on an empty store.
pub async fn run(
    setting: &Setting,
    ceilings: &Ceilings,
    store: Store<'_>,
    stream: Stream,
    report: &mut Report,
) -> Result<()> {
    let scenario = match store {
        Store::Sqlite => "decisions",
        Store::Postgres(_) => "decisions-postgres",
    };
    let rig = Rig::start(setting, store, &[]).await?;
    for (path, what) in
        [(load::EVENTS, "event sent to answer"), (WAITING, "event sent to answer with decision")]
    {
        let range = rig.ledger.extend(stream.rate * stream.seconds);
        let feed = Feed::distinct(setting.generator, range.clone());
        let sent = load::open_at(rig.address(), path, feed, stream.rate, &rig.ledger).await?;
        rig.ledger.wait_for_first(range).await?;
        let is_waiting = path == WAITING;
        if is_waiting {
            let pending = sent.pending as f64 * 100.0 / sent.events.max(1) as f64;
            report.add(Row::new(scenario, "decisions that were pending", pending, Unit::Percent));
        }
        let answers = sent.answers.percentiles();
        for (name, value) in [("p50", answers.p50), ("p99", answers.p99), ("max", answers.max)] {
            let row =
                Row::new(scenario, format!("{what} at {}/s, {name}", stream.rate), value, Unit::Milliseconds);
            // The target is for one rate.
            let target =
                (is_waiting && name == "p99" && stream.rate == RATE_PER_SECOND).then_some(P99_TARGET);
            report.add(Row { target, ..row.ceiling(Some(ceilings.latency())) });
        }
    }
    Ok(())
}
