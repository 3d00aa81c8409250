//! The store: rows in SQLite or PostgreSQL, behind plain functions over a transaction.
//!
//! `store.write(|tx| …)` runs its closure once, on a thread of the engine, and answers after the
//! commit; `store.read(|tx| …)` runs one on a reader. Everything that happens to a table is a
//! function in the file of that name, with its SQL; that text is one for both engines.

mod engine;
mod error;
mod files;
mod health;
mod log;
mod migrations;
mod pg_address;
mod pg_client;
mod pg_defaults;
mod pg_tls;
mod postgres;
mod spread;
pub mod sql;
mod sqlite;
mod tx;
pub mod weights;
mod words;

pub mod analyses;
pub mod attempts;
pub mod audit_log;
pub mod backup;
pub mod badges;
pub mod bounds;
pub mod bulk_changes;
pub mod changes;
pub mod channel_activity;
pub mod channel_health;
pub mod channels;
pub mod claims;
pub mod codec;
pub mod common;
pub mod counter_states;
pub mod counters;
pub mod credentials;
pub mod datasets;
pub mod decisions;
pub mod deliveries;
mod delivery_lists;
pub mod devices;
pub mod draws;
pub mod erasure;
pub mod escalation_history;
pub mod escalations;
pub mod event_lists;
pub mod events;
pub mod groups;
pub mod identities;
pub mod labels;
pub mod links;
pub mod list_sources;
pub mod lists;
pub mod live;
pub mod mappings;
pub mod marks;
pub mod mcp_tokens;
pub mod members;
pub mod names;
pub mod nodes;
pub mod notifications;
pub mod oauth_clients;
pub mod oauth_codes;
pub mod oauth_connections;
pub mod oidc_subjects;
pub mod passkeys;
pub mod password_passes;
pub mod retention;
pub mod reviews;
pub mod rosters;
pub mod rule_rates;
pub mod rule_versions;
pub mod rules;
pub mod second_factors;
pub mod sessions;
pub mod settings;
pub mod sign_ins;
pub mod tally;
pub mod team_deletion;
pub mod teams;
pub mod usage;
pub mod users;
pub mod versions;
pub mod views;
pub mod waiting;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dregs_core::time::Timestamp;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

use crate::clock::monotonic;
use crate::limit::{self, Limit};
use engine::Ticket;
pub use error::StoreError;
pub(crate) use error::log_failure;
pub use log::LogState;
pub use migrations::{MIGRATIONS, Migration, pending};
pub use pg_address::{Address, masked as masked_address};
pub use pg_client::{ANSWER_MAX, CONNECT_MAX, STATEMENT_MAX_MS};
pub use pg_defaults::complete as complete_address;
pub use spread::TABLES as SPREAD_TABLES;
pub use sqlite::{BUSY_TIMEOUT, READ_MAX};
pub use tx::{Row, Tx, Value};

/// How long a transaction may wait for its turn; and how long while the database fails anyway.
pub const TURN_MAX: Duration = Duration::from_secs(10);
pub const TURN_MAX_FAILING: Duration = Duration::from_secs(1);
/// A commit and a read this long ago say that the next will go well; and a look that failed, that the next will fail.
const READY_FRESH: Duration = Duration::from_secs(1);
/// Bytes written to see whether the database takes any; many once it has refused some, so that the little room
/// left on a full disk is not taken for more.
const PROBE_BYTES: usize = 16;
const PROBE_BYTES_FAILING: usize = 64 * 1024;

pub type Result<T> = std::result::Result<T, StoreError>;

/// Where the rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    File(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

/// The store, shared by everything that reads or writes.
pub struct Store {
    engine: engine::Engine,
    location: Location,
    /// One look at a time whether it is ready: since when it is known not to be, and why.
    probing: Mutex<Option<(Instant, StoreError)>>,
}

impl Store {
    /// Opens the store and brings its tables up to date. Blocks; meant for start-up.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file or the server cannot be reached.
    pub fn open(location: &Location, now: Timestamp) -> Result<Self> {
        let migrate = |tx: &mut Tx| {
            migrations::apply(tx, now)?;
            if tx.is_spread() { spread::keep_spread(tx) } else { Ok(()) }
        };
        let engine = match location {
            Location::File(path) => sqlite::open(path, migrate)?,
            Location::Postgres(url) => postgres::open(url, migrate)?,
        };
        Ok(Self { engine, location: location.clone(), probing: Mutex::default() })
    }

    /// The migrations that opening the store would apply. Blocks; changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file or the server cannot be reached.
    pub fn unapplied(location: &Location) -> Result<Vec<&'static Migration>> {
        let mut unapplied = Vec::new();
        let look = |tx: &mut Tx| {
            unapplied = pending(tx)?;
            Ok(())
        };
        match location {
            Location::File(path) => drop(sqlite::open(path, look)?),
            Location::Postgres(url) => drop(postgres::open(url, look)?),
        }
        Ok(unapplied)
    }

    /// Brings the tables of a PostgreSQL up to date and spreads them over the nodes of the Citus cluster whose coordinator
    /// it is; `false` where they are spread already. Blocks; no server may run meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is no Citus.
    pub fn spread_over_citus(url: &str, now: Timestamp) -> Result<bool> {
        let mut is_new = false;
        let spread = |tx: &mut Tx| {
            migrations::apply(tx, now)?;
            is_new = spread::over_citus(tx)?;
            Ok(())
        };
        postgres::open(url, spread).map(|_| is_new)
    }

    /// Runs `closure` in a transaction and answers after its commit. On PostgreSQL it may run
    /// more than once, so it must not consume what it captured.
    pub async fn write<R: Send + 'static>(
        &self,
        closure: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket::default();
        self.engine.send_write(Box::new(engine::Write::new(closure, answer, ticket.clone())))?;
        self.wait(answered, &ticket, &self.engine.health.writes).await
    }

    /// Runs `closure` on one consistent view of the rows.
    pub async fn read<R: Send + 'static>(
        &self,
        closure: impl FnOnce(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket::default();
        self.engine.send_read(Box::new(engine::Read::new(closure, answer, ticket.clone())))?;
        self.wait(answered, &ticket, &self.engine.health.reads).await
    }

    /// Waits for the answer of a job, but not for ever for its turn: whoever waits for a database that does
    /// not answer is told so.
    async fn wait<R>(
        &self,
        mut answered: oneshot::Receiver<Result<R>>,
        ticket: &Ticket,
        health: &health::Track,
    ) -> Result<R> {
        let mut waited = Duration::ZERO;
        loop {
            match timeout(TURN_MAX_FAILING, &mut answered).await {
                Ok(answer) => return answer.map_err(|_| StoreError::closed())?,
                Err(_) => waited += TURN_MAX_FAILING,
            }
            let patience = if health.is_failing() { TURN_MAX_FAILING } else { TURN_MAX };
            if waited >= patience && ticket.take() {
                limit::reached(Limit::DatabaseTurn);
                let error = format!("a transaction waited {} s for its turn", waited.as_secs());
                health.failed(&error);
                return Err(StoreError::Unavailable(error));
            }
        }
    }

    /// Has nothing of what was deleted stay in a log beside the rows. PostgreSQL sees to it by itself,
    /// when it vacuums its tables and recycles its log. What a reader keeps goes when that reader has ended.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn empty_log(&self) -> Result<()> {
        let Some(asks) = self.engine.log_asks() else { return Ok(()) };
        let emptied = tokio::task::spawn_blocking(move || {
            let (answer, answered) = crossbeam_channel::bounded(1);
            asks.send(log::Ask::Empty(answer)).map_err(|_| StoreError::closed())?;
            answered.recv().map_err(|_| StoreError::closed())?
        });
        emptied.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Finds out whether the database answers and takes writes, by asking it unless that is known from a moment ago.
    ///
    /// # Errors
    /// What the database said.
    pub async fn check_ready(&self) -> Result<()> {
        if self.is_known_ready() {
            return Ok(());
        }
        let mut refused = self.probing.lock().await;
        if self.is_known_ready() {
            return Ok(());
        }
        if let Some((at, error)) = &*refused
            && monotonic().duration_since(*at) <= READY_FRESH
        {
            return Err(error.again());
        }
        let probed = self.probe().await;
        *refused = probed.as_ref().err().map(|error| (monotonic(), error.again()));
        probed
    }

    fn is_known_ready(&self) -> bool {
        let health = &self.engine.health;
        health.reads.succeeded_within(READY_FRESH) && health.writes.succeeded_within(READY_FRESH)
    }

    async fn probe(&self) -> Result<()> {
        self.read(ping).await?;
        let is_failing = self.engine.health.writes.is_failing();
        let size = if is_failing { PROBE_BYTES_FAILING } else { PROBE_BYTES };
        // Other bytes each time, which compress to nothing less: SQLite writes no page that stays the same.
        let mut probe = vec![0; size];
        rand::fill(&mut probe);
        self.write(move |tx| settings::put(tx, PROBE, &probe)).await
    }

    /// Resolves when nothing can be written any more until the next start, with why: what the disk has of what was
    /// written is not known any more, and the next start makes it whole.
    pub async fn end_of_writes(&self) -> String {
        self.engine.health.end_of_writes().await
    }

    /// The state of the log beside the database, where there is one.
    pub fn log_state(&self) -> Option<LogState> {
        self.engine.log.as_ref().map(|log| log.state())
    }

    /// Whether the last transactions failed because of the database.
    pub fn is_failing(&self) -> bool {
        self.engine.health.writes.is_failing() || self.engine.health.reads.is_failing()
    }

    /// Where the rows are.
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Transactions waiting for a writer.
    pub fn waiting_writes(&self) -> usize {
        self.engine.waiting_writes()
    }
}

/// The setting that is written to see whether the database takes writes.
const PROBE: &str = "write_probe";

/// The size of the database, without its log.
pub fn database_bytes(tx: &mut Tx) -> Result<i64> {
    let bytes = tx.dialect(
        "select page_count * page_size from pragma_page_count(), pragma_page_size()",
        "select pg_database_size(current_database())",
    );
    tx.get(bytes, &[], |row| row.get(0))
}

/// Asks the database for nothing, to see whether it answers.
pub fn ping(tx: &mut Tx) -> Result<()> {
    tx.get("select 1", &[], |row| row.get::<i32>(0)).map(drop)
}
