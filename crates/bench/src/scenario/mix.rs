//! Events as applications have them, carried as fast as they go to the webhooks of three channels: a few people act
//! most of the time, and one event in twenty is of somebody new.

use std::time::Duration;

use serde_json::json;

use crate::error::Result;
use crate::load::{self, Closed, Feed, Who};
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::ceilings::Ceilings;
use crate::sink::Sink;

/// The least, and the aim.
const TARGET: Target = Target::LeastAndAim(8_000.0, 12_000.0);
/// People that the server knows before.
const KNOWN: u64 = 10_000;
/// Events a request while they are made known.
const BATCH: u64 = 100;
/// Channels beside the rig's own.
const MORE_CHANNELS: [&str; 2] = ["second", "third"];
/// When no webhook has come for so long, none comes any more: an identity is scored at most once a second.
const QUIET: Duration = Duration::from_secs(2);

/// Carries so many events.
pub async fn run(
    setting: &Setting,
    ceilings: &Ceilings,
    store: Store<'_>,
    events: u64,
    report: &mut Report,
) -> Result<()> {
    let scenario = match store {
        Store::Sqlite => "mix",
        Store::Postgres(_) => "mix-postgres",
    };
    let rig = Rig::start(setting, store, &[]).await?;
    let mut sinks = Vec::new();
    for name in MORE_CHANNELS {
        let sink = Sink::start(rig.ledger.clone()).await?;
        sink.trust(rig.bare.add_channel(name, sink.address(), &json!({})).await?);
        sinks.push(sink);
    }
    let how = Closed { connections: setting.connections, batch: 1, time_max: None, outstanding_max: None };
    let known = rig.ledger.extend(KNOWN);
    let feed = Feed::distinct(setting.generator, known.clone());
    load::closed(rig.address(), feed, Closed { batch: BATCH, ..how }, Some(rig.ledger.clone())).await?;
    rig.ledger.wait_for_last(known.clone(), QUIET).await?;

    let before = rig.ledger.tally();
    let new = rig.ledger.extend(Who::newcomers(events));
    let feed = Feed { number: new.start, identities: KNOWN, events, who: Who::AsInLife, ..feed };
    let sent = load::closed(rig.address(), feed, how, Some(rig.ledger.clone())).await?;
    let last = rig.ledger.wait_for_last(known.start..new.end, QUIET).await?;
    let webhooks = rig.ledger.tally().verified - before.verified;
    report.add(
        Row::new(
            scenario,
            "to the last verified webhook",
            events as f64 / (last - sent.start).as_secs_f64(),
            Unit::EventsPerSecond,
        )
        .target(TARGET)
        .ceiling(Some(ceilings.e2e())),
    );
    report.add(Row::new(scenario, "acknowledged meanwhile", sent.rate(), Unit::EventsPerSecond));
    report.add(Row::new(scenario, "webhooks an event", webhooks as f64 / events as f64, Unit::Times));
    Ok(())
}
