//! Events on distinct identities, carried as fast as they go all the way to a verified webhook.

use std::time::Duration;

use crate::error::Result;
use crate::latency::Percentiles;
use crate::load::{self, Closed, Feed};
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::ceilings::Ceilings;

/// On SQLite: the least, and the aim.
const SQLITE_TARGET: Target = Target::LeastAndAim(5_000.0, 6_500.0);
/// On PostgreSQL: the least, and the aim.
const POSTGRES_TARGET: Target = Target::LeastAndAim(3_000.0, 4_500.0);
/// No event is sent later than this after the first, however few they are.
const SENDING_MAX: Duration = Duration::from_secs(60);

/// How it went.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Events a second, from the first sent to the last webhook verified.
    pub rate: f64,
    /// From sending an event to its webhook, while as many are outstanding as may be.
    pub latency: Percentiles,
    /// Verified webhooks beyond the first of each identity.
    pub repeats: u64,
}

/// Carries so many events on an empty store.
pub async fn run(
    setting: &Setting,
    ceilings: &Ceilings,
    store: Store<'_>,
    events: u64,
    report: &mut Report,
) -> Result<()> {
    let (scenario, target) = match store {
        Store::Sqlite => ("e2e", SQLITE_TARGET),
        Store::Postgres(_) => ("e2e-postgres", POSTGRES_TARGET),
    };
    let rig = Rig::start(setting, store, &[]).await?;
    let outcome = measure(&rig, setting, events).await?;
    report.add(
        Row::new(scenario, "distinct identities to a verified webhook", outcome.rate, Unit::EventsPerSecond)
            .target(target)
            .ceiling(Some(ceilings.e2e())),
    );
    let latency = outcome.latency;
    report.add(Row::new(scenario, "p50 at that rate", latency.p50, Unit::Milliseconds));
    report.add(Row::new(scenario, "p99 at that rate", latency.p99, Unit::Milliseconds));
    report.add(Row::new(scenario, "webhooks beyond one an identity", outcome.repeats as f64, Unit::Rows));
    Ok(())
}

/// Carries so many events, about identities that the server does not know yet.
pub async fn measure(rig: &Rig, setting: &Setting, events: u64) -> Result<Outcome> {
    let before = rig.ledger.tally();
    let mut range = rig.ledger.extend(events);
    let how = Closed {
        connections: setting.connections,
        batch: 1,
        time_max: Some(SENDING_MAX),
        outstanding_max: Some(setting.outstanding_max),
    };
    let feed = Feed::distinct(setting.generator, range.clone());
    let sent = load::closed(rig.address(), feed, how, Some(rig.ledger.clone())).await?;
    // All of them, unless time ran out.
    range.end = range.start + sent.events;
    let last = rig.ledger.wait_for_first(range.clone()).await?;
    let after = rig.ledger.tally();
    Ok(Outcome {
        rate: sent.events as f64 / (last - sent.start).as_secs_f64(),
        latency: rig.ledger.latencies(range).percentiles(),
        repeats: (after.verified - before.verified) - (after.identities - before.identities),
    })
}
