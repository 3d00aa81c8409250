//! Whether the figures hold on a large database: the same measurements on one server before and after it
//! has taken in many identities.

use crate::error::Result;
use crate::latency::Percentiles;
use crate::load::{self, Closed, Feed};
use crate::report::{Report, Row, Target, Unit, progress};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::ceilings::BATCH_EVENTS;
use crate::scenario::e2e;
use crate::scenario::steady::{self, Stream};

const SCENARIO: &str = "scale";
/// A figure may be so many times worse than on an empty database.
const WORSE_TARGET: f64 = 1.5;
/// And it is aimed at.
const WORSE_AIM: f64 = 1.2;
/// Identities the target is for.
const TARGET_IDENTITIES: u64 = 1_000_000;
const CONNECTIONS: usize = 4;

/// What is measured twice.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub e2e_events: u64,
    pub stream: Stream,
}

/// Measures, has so many identities scored and delivered, and measures again.
pub async fn run(setting: &Setting, identities: u64, measured: Measured, report: &mut Report) -> Result<()> {
    let rig = Rig::start(setting, Store::Sqlite, &[]).await?;
    progress("scale: measuring on the empty database");
    let (small_rate, small) = figures(&rig, setting, measured).await?;

    progress("scale: filling the database");
    let range = rig.ledger.extend(identities);
    let how = Closed { connections: CONNECTIONS, batch: BATCH_EVENTS, time_max: None, outstanding_max: None };
    let feed = Feed::distinct(setting.generator, range.clone());
    let sent = load::closed(rig.address(), feed, how, Some(rig.ledger.clone())).await?;
    let last = rig.ledger.wait_for_first(range).await?;
    let filling = identities as f64 / (last - sent.start).as_secs_f64();
    report.add(Row::new(
        SCENARIO,
        format!("filling {identities} identities, each to its webhook"),
        filling,
        Unit::EventsPerSecond,
    ));

    progress("scale: measuring on the full database");
    let (large_rate, large) = figures(&rig, setting, measured).await?;
    let row = |what: &str, value, unit| Row::new(SCENARIO, what, value, unit);
    let worse = |what: &str, ratio| {
        let row = row(what, ratio, Unit::Times);
        if identities < TARGET_IDENTITIES {
            row
        } else {
            row.target(Target::MostAndAim(WORSE_TARGET, WORSE_AIM))
        }
    };
    report.add(row("end to end, empty database", small_rate, Unit::EventsPerSecond));
    report.add(row("end to end, full database", large_rate, Unit::EventsPerSecond));
    report.add(worse("end to end, slower by", small_rate / large_rate));
    for (name, small, large) in [("p50", small.p50, large.p50), ("p99", small.p99, large.p99)] {
        report.add(row(&format!("steady, empty database, {name}"), small, Unit::Milliseconds));
        report.add(row(&format!("steady, full database, {name}"), large, Unit::Milliseconds));
        report.add(worse(&format!("steady, slower by, {name}"), large / small));
    }
    Ok(())
}

async fn figures(rig: &Rig, setting: &Setting, measured: Measured) -> Result<(f64, Percentiles)> {
    let latency = steady::measure(rig, setting, measured.stream).await?;
    let outcome = e2e::measure(rig, setting, measured.e2e_events).await?;
    Ok((outcome.rate, latency))
}
