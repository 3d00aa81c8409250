//! What others notice of somebody who has a tenth of all traffic: one identity, or all who come from one address.

use crate::error::Result;
use crate::latency::Percentiles;
use crate::ledger::Ledger;
use crate::load::{self, Feed, Who};
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::steady::Stream;

/// Of so many events one is of what is hot.
const ONE_IN: u64 = 10;
/// The latency of the others may be so many times their usual, at the median and at the 95th percentile.
const SLOWER_MOST: f64 = 1.5;

/// Who is hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hot {
    Identity,
    Address,
}

/// Sends the same streams on new stores: once in which the tenth part is like the others, and once for each that is hot.
pub async fn run(setting: &Setting, store: Store<'_>, stream: Stream, report: &mut Report) -> Result<()> {
    let scenario = if store == Store::Sqlite { "hot" } else { "hot-postgres" };
    let usual = measure(setting, store, stream, None).await?;
    let rate = stream.rate;
    let mut add = |what: String, value| report.add(Row::new(scenario, what, value, Unit::Milliseconds));
    add(format!("nobody is hot at {rate}/s, p50"), usual.p50);
    add(format!("nobody is hot at {rate}/s, p95"), usual.p95);
    for (hot, name) in [(Hot::Identity, "identity"), (Hot::Address, "address")] {
        let beside = measure(setting, store, stream, Some(hot)).await?;
        let figures = [("p50", usual.p50, beside.p50), ("p95", usual.p95, beside.p95)];
        for (percentile, usual, beside) in figures {
            let what = format!("slower beside one {name} with a tenth of all events, {percentile}");
            let row = Row::new(scenario, what, beside / usual, Unit::Times);
            report.add(row.target(Target::Most(SLOWER_MOST)));
        }
    }
    Ok(())
}

/// How long the others take.
async fn measure(
    setting: &Setting,
    store: Store<'_>,
    stream: Stream,
    hot: Option<Hot>,
) -> Result<Percentiles> {
    let rig = Rig::start(setting, store, &[]).await?;
    let hot_rate = (stream.rate / ONE_IN).max(1);
    let rate = (stream.rate - hot_rate).max(1);
    let others = rig.ledger.extend(rate * stream.seconds);
    let tenth = rig.ledger.extend(hot_rate * stream.seconds);
    let distinct = Feed::distinct(setting.generator, tenth.clone());
    let tenth = match hot {
        None => distinct,
        Some(Hot::Identity) => Feed { identities: 1, who: Who::InTurn, ..distinct },
        Some(Hot::Address) => Feed { generator: setting.generator.at_one_address(), ..distinct },
    };
    let feed = Feed::distinct(setting.generator, others.clone());
    // What becomes of the tenth part is nobody's business here.
    let unread = Ledger::default();
    tokio::try_join!(
        load::open(rig.address(), feed, rate, &rig.ledger),
        load::open(rig.address(), tenth, hot_rate, &unread),
    )?;
    rig.ledger.wait_for_first(others.clone()).await?;
    Ok(rig.ledger.latencies(others).percentiles())
}
