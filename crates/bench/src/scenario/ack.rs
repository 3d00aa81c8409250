//! Events durably acknowledged, with no channel to tell about them: one by one and in batches, about a
//! few identities that come back and about one more with each event.

use std::time::Duration;

use crate::error::Result;
use crate::load::{self, Closed, Feed};
use crate::report::{Report, Row, Target, Unit};
use crate::rig::{Bare, Setting, Store};
use crate::scenario::ceilings::{BATCH_EVENTS, Ceilings};

const SCENARIO: &str = "ack";
/// How many identities the events are about when they come back.
const FEW_IDENTITIES: u64 = 2_000;
/// Connections that post batches: one answer stands for many events, so few keep the server busy.
const BATCH_CONNECTIONS: usize = 8;

/// One way to post.
struct Shape {
    what: &'static str,
    batch: u64,
    identities: u64,
    /// The least events a second, and the aim.
    target: Target,
}

impl Shape {
    const fn new(what: &'static str, batch: u64, identities: u64, least: f64, aim: f64) -> Self {
        Self { what, batch, identities, target: Target::LeastAndAim(least, aim) }
    }
}

const SHAPES: [Shape; 5] = [
    Shape::new("one by one, 2,000 identities", 1, FEW_IDENTITIES, 20_000.0, 25_000.0),
    Shape::new("one by one, distinct identities", 1, u64::MAX, 8_000.0, 12_000.0),
    Shape::new("batches of 100, 2,000 identities", 100, FEW_IDENTITIES, 30_000.0, 45_000.0),
    Shape::new("batches of 400, 2,000 identities", BATCH_EVENTS, FEW_IDENTITIES, 30_000.0, 45_000.0),
    Shape::new("batches of 400, distinct identities", BATCH_EVENTS, u64::MAX, 15_000.0, 20_000.0),
];

/// Posts for `time` in each shape.
pub async fn run(setting: &Setting, ceilings: &Ceilings, time: Duration, report: &mut Report) -> Result<()> {
    for shape in SHAPES {
        let bare = Bare::start(setting, Store::Sqlite, &[]).await?;
        let single = shape.batch == 1;
        let feed = Feed { identities: shape.identities, ..Feed::distinct(setting.generator, 0..u64::MAX) };
        let how = Closed {
            connections: if single { setting.connections } else { BATCH_CONNECTIONS },
            batch: shape.batch,
            time_max: Some(time),
            outstanding_max: None,
        };
        let sent = load::closed(bare.server.address(), feed, how, None).await?;
        let ceiling = if single { ceilings.ack() } else { ceilings.ack_batches() };
        report.add(
            Row::new(SCENARIO, shape.what, sent.rate(), Unit::EventsPerSecond)
                .target(shape.target)
                .ceiling(Some(ceiling)),
        );
        if single {
            let answers = sent.answers.percentiles();
            for (name, value) in [("p50", answers.p50), ("p99", answers.p99)] {
                report.add(Row::new(SCENARIO, format!("{}, {name}", shape.what), value, Unit::Milliseconds));
            }
        }
    }
    Ok(())
}
