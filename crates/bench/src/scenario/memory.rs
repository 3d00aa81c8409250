//! The memory of a server with an empty store, and what deliveries that wait add to it.

use std::time::Duration;

use serde_json::json;

use crate::error::{Error, Result};
use crate::load::{self, Closed, Feed};
use crate::report::{Report, Row, Target, Unit, progress};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::ceilings::BATCH_EVENTS;
use crate::server::free_address;

const SCENARIO: &str = "memory";
/// Channels whose deliveries wait: each identity has one delivery on each of them.
pub const WAITING_CHANNELS: u64 = 10;
/// Deliveries the target for growth is for.
const TARGET_DELIVERIES: u64 = 1_000_000;
const EMPTY_TARGET_BYTES: f64 = 100e6;
const GROWTH_TARGET_BYTES: f64 = 50e6;
const CONNECTIONS: usize = 4;
/// A server is measured when it has been left alone for so long.
const SETTLE: Duration = Duration::from_secs(2);
/// A delivery that has failed stays waiting for longer than the scenario takes.
const RETRY_SCHEDULE: (&str, &str) = ("DREGS_RETRY_SCHEDULE", "7200,7200,7200");

/// Measures the memory of an empty server; then after `identities` were scored with one channel that
/// works; then after as many others with ten channels beside it whose deliveries cannot be made. The
/// growth is between the last two, when caches are as full as they get.
///
/// The ten refuse connections and take one delivery a second, so that nearly all deliveries have yet to be
/// tried, and none is given up.
pub async fn run(setting: &Setting, identities: u64, report: &mut Report) -> Result<()> {
    let rig = Rig::start(setting, Store::Sqlite, &[RETRY_SCHEDULE]).await?;
    tokio::time::sleep(SETTLE).await;
    let empty = rig.bare.server.memory()?;
    report.add(
        Row::new(SCENARIO, "resident, empty store", empty.resident as f64, Unit::Bytes)
            .target(Target::Most(EMPTY_TARGET_BYTES)),
    );
    report.add(Row::new(
        SCENARIO,
        "resident at its peak, empty store",
        empty.resident_peak as f64,
        Unit::Bytes,
    ));

    progress("memory: filling the caches");
    fill(&rig, setting, identities).await?;
    let before = rig.bare.server.memory()?;
    report.add(Row::new(
        SCENARIO,
        format!("resident, {identities} identities delivered"),
        before.resident as f64,
        Unit::Bytes,
    ));

    progress("memory: filling the queues");
    let nobody = free_address()?;
    for number in 1..=WAITING_CHANNELS {
        let config = json!({"ratePerSecond": 1, "maxConcurrency": 1});
        rig.bare.add_channel(&format!("waiting-{number}"), nobody, &config).await?;
    }
    fill(&rig, setting, identities).await?;
    let after = rig.bare.server.memory()?;
    let waiting = rig.bare.waiting().await?;
    let planned = identities * WAITING_CHANNELS;
    if waiting < planned {
        return Err(Error::Protocol(format!("{waiting} deliveries wait instead of {planned}")));
    }
    let growth = after.resident.saturating_sub(before.resident);
    let row =
        Row::new(SCENARIO, format!("added by {waiting} waiting deliveries"), growth as f64, Unit::Bytes);
    report.add(match planned {
        ..TARGET_DELIVERIES => row,
        _ => row.target(Target::Most(GROWTH_TARGET_BYTES)),
    });
    report.add(Row::new(SCENARIO, "resident at its peak", after.resident_peak as f64, Unit::Bytes));
    Ok(())
}

/// Has so many new identities scored and delivered to the sink.
async fn fill(rig: &Rig, setting: &Setting, identities: u64) -> Result<()> {
    let range = rig.ledger.extend(identities);
    let feed = Feed::distinct(setting.generator, range.clone());
    let how = Closed { connections: CONNECTIONS, batch: BATCH_EVENTS, time_max: None, outstanding_max: None };
    load::closed(rig.address(), feed, how, Some(rig.ledger.clone())).await?;
    rig.ledger.wait_for_first(range).await?;
    tokio::time::sleep(SETTLE).await;
    Ok(())
}
