//! What a healthy channel notices of 50 others whose endpoints accept and never answer.

use serde_json::json;

use crate::error::Result;
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::steady::{self, Stream};
use crate::sink::BlackHole;

const SCENARIO: &str = "isolation";
const HUNG_CHANNELS: u32 = 50;
/// A healthy channel's latency may be so many times its usual: at the median, and at the 95th percentile.
const SLOWER_TARGETS: [f64; 2] = [1.5, 1.7];
/// And it is aimed at.
const SLOWER_AIM: f64 = 1.2;

/// Sends the same stream twice to one server: without and with the channels that hang.
pub async fn run(setting: &Setting, stream: Stream, report: &mut Report) -> Result<()> {
    let rig = Rig::start(setting, Store::Sqlite, &[]).await?;
    let alone = steady::measure(&rig, setting, stream).await?;
    let hole = BlackHole::start().await?;
    for number in 1..=HUNG_CHANNELS {
        rig.bare.add_channel(&format!("hung-{number}"), hole.address(), &json!({})).await?;
    }
    let beside = steady::measure(&rig, setting, stream).await?;
    let figures = [("p50", alone.p50, beside.p50), ("p95", alone.p95, beside.p95)];
    for ((name, alone, beside), target) in figures.into_iter().zip(SLOWER_TARGETS) {
        let rate = stream.rate;
        let row = |what: String, value, unit| Row::new(SCENARIO, what, value, unit);
        report.add(row(format!("healthy channel alone at {rate}/s, {name}"), alone, Unit::Milliseconds));
        report.add(row(format!("the same beside 50 that hang, {name}"), beside, Unit::Milliseconds));
        report.add(
            row(format!("slower beside them, {name}"), beside / alone, Unit::Times)
                .target(Target::MostAndAim(target, SLOWER_AIM)),
        );
    }
    Ok(())
}
