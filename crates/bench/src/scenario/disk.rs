//! What an event writes to the disk, with the cycle and the webhook that follow from it, when few are under way at once.

use crate::error::Result;
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::e2e;

const SCENARIO: &str = "disk";
const CONNECTIONS: usize = 8;
/// The most, and the aim is half of it.
const WRITTEN_TARGET_BYTES: f64 = 24.0 * 1_024.0;

/// Carries so many events of new identities.
pub async fn run(setting: &Setting, events: u64, report: &mut Report) -> Result<()> {
    let setting = Setting { connections: CONNECTIONS, outstanding_max: CONNECTIONS, ..setting.clone() };
    let rig = Rig::start(&setting, Store::Sqlite, &[]).await?;
    let before = rig.bare.server.usage()?;
    let outcome = e2e::measure(&rig, &setting, events).await?;
    let used = rig.bare.server.usage()?.since(before);
    let an_event = |value: f64| value / events as f64;
    report.add(
        Row::new(
            SCENARIO,
            "written, an event of a new identity",
            an_event(used.written_bytes as f64),
            Unit::Bytes,
        )
        .target(Target::Most(WRITTEN_TARGET_BYTES)),
    );
    let milliseconds = used.processor.as_secs_f64() * 1_000.0;
    report.add(Row::new(
        SCENARIO,
        "processor time of the server, the same",
        an_event(milliseconds),
        Unit::Milliseconds,
    ));
    report.add(Row::new(SCENARIO, "end to end with 8 connections", outcome.rate, Unit::EventsPerSecond));
    Ok(())
}
