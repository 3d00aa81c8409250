//! A steady stream on distinct identities: the time from the moment an event is due to its verified
//! webhook.

use crate::error::Result;
use crate::latency::Percentiles;
use crate::load::{self, Feed};
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::ceilings::Ceilings;

/// At the median: the most, and the aim.
const P50_TARGET: Target = Target::MostAndAim(1.5, 1.2);
const P99_TARGET: Target = Target::MostAndAim(8.0, 5.0);
const POSTGRES_P50_TARGET: Target = Target::Most(4.0);
const POSTGRES_P99_TARGET: Target = Target::Most(15.0);
/// The rate the targets are for.
pub const RATE_PER_SECOND: u64 = 500;

/// A stream of `rate` events a second.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    pub rate: u64,
    pub seconds: u64,
}

/// Sends a stream to a server on an empty store.
pub async fn run(
    setting: &Setting,
    ceilings: &Ceilings,
    store: Store<'_>,
    stream: Stream,
    report: &mut Report,
) -> Result<()> {
    let (scenario, targets) = match store {
        Store::Sqlite => ("steady", [Some(P50_TARGET), None, Some(P99_TARGET), None]),
        Store::Postgres(_) => {
            ("steady-postgres", [Some(POSTGRES_P50_TARGET), None, Some(POSTGRES_P99_TARGET), None])
        }
    };
    let rig = Rig::start(setting, store, &[]).await?;
    let latency = measure(&rig, setting, stream).await?;
    let figures = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99), ("max", latency.max)];
    for ((name, value), target) in figures.into_iter().zip(targets) {
        let what = format!("event sent to webhook received at {}/s, {name}", stream.rate);
        // The targets are for one rate.
        let target = target.filter(|_| stream.rate == RATE_PER_SECOND);
        let row = Row::new(scenario, what, value, Unit::Milliseconds).ceiling(Some(ceilings.latency()));
        report.add(Row { target, ..row });
    }
    Ok(())
}

/// Sends a stream, about identities that the server does not know yet.
pub async fn measure(rig: &Rig, setting: &Setting, stream: Stream) -> Result<Percentiles> {
    let range = rig.ledger.extend(stream.rate * stream.seconds);
    let feed = Feed::distinct(setting.generator, range.clone());
    load::open(rig.address(), feed, stream.rate, &rig.ledger).await?;
    rig.ledger.wait_for_first(range.clone()).await?;
    Ok(rig.ledger.latencies(range).percentiles())
}
