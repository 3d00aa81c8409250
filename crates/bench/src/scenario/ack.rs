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
const SINGLE_TARGET: f64 = 8_000.0;
const BATCH_TARGET: f64 = 30_000.0;
/// Connections that post batches: one answer stands for many events, so few keep the server busy.
const BATCH_CONNECTIONS: usize = 8;

/// One way to post.
struct Shape {
    what: &'static str,
    batch: u64,
    identities: u64,
}

const SHAPES: [Shape; 5] = [
    Shape { what: "one by one, 2,000 identities", batch: 1, identities: FEW_IDENTITIES },
    Shape { what: "one by one, distinct identities", batch: 1, identities: u64::MAX },
    Shape { what: "batches of 100, 2,000 identities", batch: 100, identities: FEW_IDENTITIES },
    Shape { what: "batches of 400, 2,000 identities", batch: BATCH_EVENTS, identities: FEW_IDENTITIES },
    Shape { what: "batches of 400, distinct identities", batch: BATCH_EVENTS, identities: u64::MAX },
];

/// Posts for `time` in each shape.
pub async fn run(setting: &Setting, ceilings: &Ceilings, time: Duration, report: &mut Report) -> Result<()> {
    for shape in SHAPES {
        let bare = Bare::start(setting, Store::Sqlite, &[]).await?;
        let single = shape.batch == 1;
        let feed = Feed {
            generator: setting.generator,
            number: 0,
            first: 0,
            identities: shape.identities,
            events: u64::MAX,
        };
        let how = Closed {
            connections: if single { setting.connections } else { BATCH_CONNECTIONS },
            batch: shape.batch,
            time_max: Some(time),
            outstanding_max: None,
        };
        let sent = load::closed(bare.server.address(), feed, how, None).await?;
        let (target, ceiling) = match single {
            true => (SINGLE_TARGET, ceilings.ack()),
            false => (BATCH_TARGET, ceilings.ack_batches()),
        };
        report.add(
            Row::new(SCENARIO, shape.what, sent.rate(), Unit::EventsPerSecond)
                .target(Target::Least(target))
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
