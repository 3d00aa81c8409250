//! What an event costs on one, two and three nodes of one PostgreSQL.
//!
//! All share the processors of this machine, so that more nodes carry no more here. What is measured is what an event costs
//! the nodes and the database, and whether that grows with the nodes: if it does not, so many machines carry so many times
//! as much, until the database's processors are used up.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::error::Result;
use crate::latency::{Latencies, Percentiles};
use crate::load::{self, Feed};
use crate::report::{Report, Row, Unit};
use crate::rig::{Rig, Setting, Store};
use crate::scenario::steady::Stream;
use crate::server::database_processor;

const SCENARIO: &str = "nodes";
const NODES_MAX: usize = 3;
/// For which the fitted law is told.
const TOLD_FOR: [f64; 2] = [4.0, 16.0];
/// Nodes seal by one key.
const MASTER_KEY: (&str, &str) =
    ("DREGS_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

/// In one row each: what so many events a day take, if they come at the cost measured on the most nodes, and their peak is so
/// many times their mean. A processor is planned to be busy for this part of the time, so that a peak does not queue.
const SIZED_FOR_EVENTS_A_DAY: [f64; 3] = [1e6, 1e8, 1e10];
const PEAK: f64 = 5.0;
const BUSY: f64 = 0.6;
const DAY_SECONDS: f64 = 86_400.0;

/// What one number of nodes took, for an event.
#[derive(Clone, Copy)]
struct Measured {
    node_ms: f64,
    database_ms: f64,
    kept_bytes: f64,
    latency: Percentiles,
}

/// Sends each node a stream of its own.
pub async fn run(setting: &Setting, url: &str, stream: Stream, report: &mut Report) -> Result<()> {
    let mut all = Vec::new();
    for count in 1..=NODES_MAX {
        let measured = measure(setting, url, count, stream).await?;
        let Measured { node_ms, database_ms, latency, .. } = measured;
        let nodes = if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
        let mut add = |what: String, value| report.add(Row::new(SCENARIO, what, value, Unit::Milliseconds));
        add(format!("{nodes} at {}/s each, processor time of the nodes an event", stream.rate), node_ms);
        add(format!("{nodes}, processor time of PostgreSQL an event"), database_ms);
        add(format!("{nodes}, event sent to webhook received, p50"), latency.p50);
        add(format!("{nodes}, event sent to webhook received, p99"), latency.p99);
        all.push(measured);
    }
    let costs: Vec<_> = all.iter().map(|measured| measured.node_ms + measured.database_ms).collect();
    let law = Law::fit(&costs);
    for (name, value) in [("contention (sigma)", law.contention), ("coherence (kappa)", law.coherence)] {
        report.add(Row::new(
            SCENARIO,
            format!("universal scalability law, {name}"),
            value * 100.0,
            Unit::Percent,
        ));
    }
    for nodes in TOLD_FOR {
        let what = format!("{nodes} nodes carry as much as one, by that law, times");
        report.add(Row::new(SCENARIO, what, law.speedup(nodes), Unit::Times));
    }
    if let Some(measured) = all.last() {
        size(measured, report);
    }
    Ok(())
}

/// What so many events a day take.
fn size(measured: &Measured, report: &mut Report) {
    let row = |what: String, value, unit| Row::new("sizing", what, value, unit);
    report.add(row(
        "kept in PostgreSQL, an event of a new identity".into(),
        measured.kept_bytes,
        Unit::Bytes,
    ));
    for events in SIZED_FOR_EVENTS_A_DAY {
        let mean = events / DAY_SECONDS;
        let cores = |milliseconds: f64| mean * PEAK * milliseconds / 1_000.0 / BUSY;
        let day = format!("10^{} events a day", events.log10());
        report.add(row(format!("{day}, at the peak"), mean * PEAK, Unit::EventsPerSecond));
        report.add(row(format!("{day}, processors of the nodes"), cores(measured.node_ms), Unit::Processors));
        report.add(row(
            format!("{day}, processors of PostgreSQL"),
            cores(measured.database_ms),
            Unit::Processors,
        ));
        report.add(row(format!("{day}, disk for 30 days"), events * 30.0 * measured.kept_bytes, Unit::Bytes));
    }
}

async fn measure(setting: &Setting, url: &str, count: usize, stream: Stream) -> Result<Measured> {
    let rig = Rig::start(setting, Store::Postgres(url), &[MASTER_KEY]).await?;
    let mut others = Vec::new();
    for _ in 1..count {
        others.push(rig.bare.beside(setting, &[MASTER_KEY]).await?);
    }
    let servers = || std::iter::once(&rig.bare.server).chain(others.iter().map(|(server, _)| server));
    let processor = || -> Result<(Duration, Duration)> {
        let nodes = servers().map(|server| Ok(server.usage()?.processor)).sum::<Result<Duration>>()?;
        Ok((nodes, database_processor(url)?))
    };
    let events = stream.rate * stream.seconds;
    let ranges: Vec<_> = servers().map(|_| rig.ledger.extend(events)).collect();
    let (before, bytes_before) = (processor()?, rig.bare.database_bytes()?);
    let mut loaders = JoinSet::new();
    for (server, range) in servers().zip(&ranges) {
        let (address, ledger) = (server.address(), rig.ledger.clone());
        let feed = Feed::distinct(setting.generator, range.clone());
        loaders.spawn(async move { load::open(address, feed, stream.rate, &ledger).await });
    }
    while let Some(sent) = loaders.join_next().await {
        load::flatten(sent)?;
    }
    let mut latencies = Latencies::default();
    for range in ranges {
        rig.ledger.wait_for_first(range.clone()).await?;
        latencies.merge(rig.ledger.latencies(range));
    }
    let after = processor()?;
    let kept = rig.bare.database_bytes()? - bytes_before;
    let all = (events * count as u64) as f64;
    let an_event = |before: Duration, after: Duration| (after - before).as_secs_f64() * 1_000.0 / all;
    Ok(Measured {
        node_ms: an_event(before.0, after.0),
        database_ms: an_event(before.1, after.1),
        kept_bytes: kept as f64 / all,
        latency: latencies.percentiles(),
    })
}

/// The universal scalability law (Gunther 2007): N nodes carry N / (1 + σ (N - 1) + κ N (N - 1)) times as much as one.
struct Law {
    contention: f64,
    coherence: f64,
}

impl Law {
    /// Fitted to what an event costs on 1, 2, 3 … nodes, by least squares: where it costs c times as much as on one, N nodes
    /// carry N / c times as much. Neither term is below zero.
    fn fit(costs: &[f64]) -> Self {
        let Some(first) = costs.first() else { return Self { contention: 0.0, coherence: 0.0 } };
        // excess = σ (N - 1) + κ N (N - 1)
        let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (index, cost) in costs.iter().enumerate().skip(1) {
            let (a, excess) = (index as f64, cost / first - 1.0);
            let b = a * (a + 1.0);
            (aa, ab, bb) = (aa + a * a, ab + a * b, bb + b * b);
            (ay, by) = (ay + a * excess, by + b * excess);
        }
        let determinant = aa * bb - ab * ab;
        let (contention, coherence) = if determinant > f64::EPSILON {
            ((ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant)
        } else {
            (0.0, 0.0)
        };
        let alone = |y: f64, x: f64| if x > 0.0 { (y / x).max(0.0) } else { 0.0 };
        match (contention >= 0.0, coherence >= 0.0) {
            (true, true) => Self { contention, coherence },
            (false, _) => Self { contention: 0.0, coherence: alone(by, bb) },
            (true, false) => Self { contention: alone(ay, aa), coherence: 0.0 },
        }
    }

    fn speedup(&self, nodes: f64) -> f64 {
        nodes / (1.0 + self.contention * (nodes - 1.0) + self.coherence * nodes * (nodes - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(costs: &[f64]) -> (f64, f64) {
        let law = Law::fit(costs);
        ((law.contention * 1_000.0).round() / 1_000.0, (law.coherence * 1_000.0).round() / 1_000.0)
    }

    #[test]
    fn the_law_is_found_again_in_costs_that_follow_it() {
        let costs = |sigma: f64, kappa: f64| {
            (1..=3)
                .map(f64::from)
                .map(|n| 0.7 * (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0)))
                .collect::<Vec<_>>()
        };
        assert_eq!(fitted(&costs(0.05, 0.01)), (0.05, 0.01));
        assert_eq!(fitted(&costs(0.0, 0.0)), (0.0, 0.0));
        assert_eq!(fitted(&[1.0, 0.9, 0.8]), (0.0, 0.0), "nothing is better than linear");
        assert_eq!(fitted(&[1.0]), (0.0, 0.0));
        assert_eq!(Law { contention: 0.1, coherence: 0.0 }.speedup(1.0), 1.0);
        assert!((Law { contention: 0.1, coherence: 0.0 }.speedup(11.0) - 5.5).abs() < 1e-9);
    }
}
