//! What the command line says.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::population::Amount;
use crate::scenario::{dashboard, lists, memory, size, steady};

/// Measures a dregs server as its customers see it, everything on this machine.
#[derive(Debug, Parser)]
#[command(name = "dregs-bench")]
pub struct Arguments {
    /// What to measure, in this order.
    #[arg(default_value = "all")]
    pub scenarios: Vec<Scenario>,
    /// The server's executable [default: `dregs` next to this one].
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// A PostgreSQL server on which databases may be made and dropped, as postgres://user@host/database.
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// About a minute for everything: to see that it works, not how fast.
    #[arg(long)]
    pub quick: bool,
    /// Events of e2e, mix, disk, size and lists, identities of scale, and waiting deliveries of memory.
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,
    /// How long ack, steady, isolation and idle measure each of their figures.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Events a second of steady and isolation.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Connections that post events one by one.
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub connections: usize,
    /// Identities that may wait for their webhook in e2e.
    #[arg(long, value_name = "N", default_value_t = 1_024)]
    pub outstanding: usize,
    /// Another seed, other events.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Writes the table as Markdown, too.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Where the databases of the runs are, until their run ends.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub folder: PathBuf,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Everything below.
    All,
    /// What the machine gives without the server. Every run starts with it.
    Ceilings,
    /// Events acknowledged, one by one and in batches.
    Ack,
    /// Events carried to a verified webhook, at most.
    E2e,
    /// The same of events as applications have them, on three channels.
    Mix,
    /// The time from an event to its webhook in a steady stream.
    Steady,
    /// e2e on PostgreSQL.
    E2ePostgres,
    /// mix on PostgreSQL.
    MixPostgres,
    /// steady on PostgreSQL.
    SteadyPostgres,
    /// The time from an event to an answer that waits for the decision, in a steady stream.
    Decisions,
    /// decisions on PostgreSQL.
    DecisionsPostgres,
    /// Others beside somebody who has a tenth of all traffic.
    Hot,
    /// hot on PostgreSQL.
    HotPostgres,
    /// What an event costs on one, two and three nodes of one PostgreSQL.
    Nodes,
    /// A healthy channel beside 50 that never answer.
    Isolation,
    /// Bytes that an event writes to the disk.
    Disk,
    /// The processor time of a server to which nothing happens.
    Idle,
    /// How evenly the rows of many identities fill the shards; nothing is stored.
    Shards,
    /// The server's memory, empty and with deliveries waiting.
    Memory,
    /// The database of many events.
    Size,
    /// The figures on a large database.
    Scale,
    /// Every list, filtered and sorted, on a large database.
    Lists,
    /// lists on PostgreSQL.
    ListsPostgres,
    /// The dashboard's first page on a large database, in Chromium.
    Dashboard,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    pub ceiling_seconds: u64,
    pub ack_seconds: u64,
    pub e2e_events: u64,
    pub steady_seconds: u64,
    pub steady_rate: u64,
    /// Of each node.
    pub nodes_rate: u64,
    pub isolation_seconds: u64,
    pub isolation_rate: u64,
    pub disk_events: u64,
    pub idle_seconds: u64,
    pub shards_identities: u64,
    pub memory_identities: u64,
    pub size_events: u64,
    pub scale_identities: u64,
    pub lists: Amount,
    pub dashboard: Amount,
    /// A scenario that takes longer is ended.
    pub scenario_seconds_max: u64,
}

/// What the targets are for, in about a quarter of an hour.
const FULL: Amounts = Amounts {
    ceiling_seconds: 3,
    ack_seconds: 8,
    e2e_events: 60_000,
    steady_seconds: 30,
    steady_rate: steady::RATE_PER_SECOND,
    nodes_rate: 250,
    isolation_seconds: 25,
    isolation_rate: 100,
    disk_events: 3_000,
    idle_seconds: 20,
    shards_identities: 10_000_000,
    memory_identities: 100_000,
    size_events: size::TARGET_EVENTS,
    scale_identities: 1_000_000,
    lists: lists::TARGET,
    dashboard: dashboard::TARGET,
    scenario_seconds_max: 1_800,
};

/// Everything once, in about a minute.
const QUICK: Amounts = Amounts {
    ceiling_seconds: 1,
    ack_seconds: 1,
    e2e_events: 5_000,
    steady_seconds: 4,
    isolation_seconds: 4,
    disk_events: 500,
    idle_seconds: 2,
    shards_identities: 100_000,
    memory_identities: 2_000,
    size_events: 10_000,
    scale_identities: 10_000,
    lists: Amount { identities: 2_000, events: 20_000, deliveries: 10_000 },
    dashboard: Amount { identities: 2_000, events: 20_000, deliveries: 10_000 },
    scenario_seconds_max: 120,
    ..FULL
};

/// In the order of a run: the short ones first.
const EVERY: [Scenario; 22] = [
    Scenario::Ack,
    Scenario::E2e,
    Scenario::Mix,
    Scenario::Steady,
    Scenario::E2ePostgres,
    Scenario::MixPostgres,
    Scenario::SteadyPostgres,
    Scenario::Decisions,
    Scenario::DecisionsPostgres,
    Scenario::Hot,
    Scenario::HotPostgres,
    Scenario::Nodes,
    Scenario::Isolation,
    Scenario::Disk,
    Scenario::Idle,
    Scenario::Shards,
    Scenario::Memory,
    Scenario::Size,
    Scenario::Scale,
    Scenario::Lists,
    Scenario::ListsPostgres,
    Scenario::Dashboard,
];

impl Arguments {
    /// What is to be measured. Without a PostgreSQL, `all` leaves out what needs one.
    pub fn scenarios(&self) -> Vec<Scenario> {
        let possible = |scenario: &Scenario| self.postgres.is_some() || !scenario.needs_postgres();
        let expand = |&scenario: &Scenario| match scenario {
            Scenario::All => EVERY.into_iter().filter(possible).collect(),
            one => vec![one],
        };
        self.scenarios.iter().flat_map(expand).collect()
    }

    /// How much of it.
    pub fn amounts(&self) -> Amounts {
        let usual = if self.quick { QUICK } else { FULL };
        let seconds = |usual| self.seconds.unwrap_or(usual).max(1);
        let events = |usual| self.events.unwrap_or(usual).max(1);
        Amounts {
            ack_seconds: seconds(usual.ack_seconds),
            e2e_events: events(usual.e2e_events),
            steady_seconds: seconds(usual.steady_seconds),
            steady_rate: self.rate.unwrap_or(usual.steady_rate),
            isolation_seconds: seconds(usual.isolation_seconds),
            isolation_rate: self.rate.unwrap_or(usual.isolation_rate),
            nodes_rate: self.rate.unwrap_or(usual.nodes_rate),
            disk_events: events(usual.disk_events),
            idle_seconds: seconds(usual.idle_seconds),
            shards_identities: events(usual.shards_identities),
            memory_identities: self
                .events
                .map_or(usual.memory_identities, |deliveries| deliveries.div_ceil(memory::WAITING_CHANNELS)),
            size_events: events(usual.size_events),
            scale_identities: events(usual.scale_identities),
            lists: self.events.map_or(usual.lists, |events| Amount {
                identities: events.div_ceil(10),
                events,
                deliveries: events.div_ceil(2),
            }),
            ..usual
        }
    }
}

impl Scenario {
    fn needs_postgres(self) -> bool {
        matches!(
            self,
            Self::E2ePostgres
                | Self::MixPostgres
                | Self::SteadyPostgres
                | Self::DecisionsPostgres
                | Self::HotPostgres
                | Self::Nodes
                | Self::ListsPostgres
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Arguments {
        Arguments::parse_from(arguments.split(' '))
    }

    #[test]
    fn all_needs_a_postgres_for_what_runs_on_it() {
        assert_eq!(parse("dregs-bench --postgres postgres://x").scenarios(), EVERY);
        assert_eq!(parse("dregs-bench all").scenarios().len(), EVERY.len() - 7);
        assert_eq!(parse("dregs-bench steady e2e").scenarios(), [Scenario::Steady, Scenario::E2e]);
    }

    #[test]
    fn amounts_are_the_usual_ones_unless_given() {
        assert_eq!(parse("dregs-bench").amounts(), FULL);
        assert_eq!(parse("dregs-bench --quick").amounts(), QUICK);
        assert_eq!(
            parse("dregs-bench --quick --events 100 --seconds 7 --rate 50").amounts(),
            Amounts {
                ack_seconds: 7,
                steady_seconds: 7,
                isolation_seconds: 7,
                idle_seconds: 7,
                steady_rate: 50,
                isolation_rate: 50,
                nodes_rate: 50,
                e2e_events: 100,
                disk_events: 100,
                size_events: 100,
                scale_identities: 100,
                shards_identities: 100,
                memory_identities: 10,
                lists: Amount { identities: 10, events: 100, deliveries: 50 },
                ..QUICK
            }
        );
    }
}
