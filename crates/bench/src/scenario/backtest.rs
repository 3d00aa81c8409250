//! A steady stream beside back-tests of a rule about events, over a large past.

use serde_json::json;

use crate::clock;
use crate::error::Result;
use crate::population::{self, Amount, Place};
use crate::report::{Report, Row, Target, Unit, progress};
use crate::rig::{Rig, Setting, Store, call};
use crate::scenario::lists::model;
use crate::scenario::steady::{self, Stream};

/// What the target is for.
pub const TARGET: Amount = Amount { identities: 1_000_000, events: 1_000_000, deliveries: 1_000 };
/// Beside a back-test, ingest may be so many times slower.
const SLOWER_TARGET: Target = Target::Most(1.5);

/// Sends the same stream twice to one server with a large past: alone, and while rules are tried on it.
pub async fn run(
    setting: &Setting,
    store: Store<'_>,
    (amount, stream): (Amount, Stream),
    report: &mut Report,
) -> Result<()> {
    let scenario = match store {
        Store::Sqlite => "backtest",
        Store::Postgres(_) => "backtest-postgres",
    };
    let rig = Rig::start(setting, store, &[]).await?;
    model(&rig).await?;
    progress("backtest: filling the store");
    let rig = rig.refilled(setting, async |place: Place| population::fill(place, amount).await).await?;
    let alone = steady::measure(&rig, setting, stream).await?;

    let conditions = json!([
        {"type": "EVENT_IS", "events": ["SIGNUP"]},
        {"type": "FACT_GT", "fact": "event.data.total", "value": 10},
        {"type": "SCORE_LT", "category": "ANY", "threshold": 90},
    ]);
    let rule = json!({ "conditions": conditions }).to_string();
    let (mut took, begun) = (Vec::new(), clock::now());
    let again = async {
        loop {
            let begun = clock::now();
            call(rig.address(), "POST", "/api/escalation-rules/actions/backtest", &rule).await?;
            took.push((clock::now() - begun).as_secs_f64());
        }
    };
    // It goes on until the stream has ended.
    let beside = tokio::select! {
        ended = again => return ended,
        beside = steady::measure(&rig, setting, stream) => beside?,
    };
    let row = |what: &str, value, unit| Row::new(scenario, what, value, unit);
    let last = took.last().copied().unwrap_or((clock::now() - begun).as_secs_f64());
    let what =
        if took.is_empty() { "a back-test had not ended after" } else { "a back-test, beside the stream" };
    report.add(row(what, last * 1_000.0, Unit::Milliseconds));
    for (name, alone, beside) in [("p50", alone.p50, beside.p50), ("p99", alone.p99, beside.p99)] {
        report.add(row(&format!("steady, {name}"), alone, Unit::Milliseconds));
        report.add(row(&format!("steady beside back-tests, {name}"), beside, Unit::Milliseconds));
        let slower = row(&format!("slower beside them, {name}"), beside / alone, Unit::Times);
        report.add(if name == "p99" && amount == TARGET { slower.target(SLOWER_TARGET) } else { slower });
    }
    Ok(())
}
