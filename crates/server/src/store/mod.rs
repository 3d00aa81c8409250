//! The store: rows in SQLite or PostgreSQL, behind plain functions over a transaction.
//!
//! `store.write(|tx| …)` runs its closure once, on a thread of the engine, and answers after the
//! commit; `store.read(|tx| …)` runs one on a reader. Everything that happens to a table is a
//! function in the file of that name, with its SQL; that text is one for both engines.

mod engine;
mod error;
mod migrations;
mod postgres;
pub mod sql;
mod sqlite;
mod tx;

pub mod analyses;
pub mod attempts;
pub mod audit_log;
pub mod badges;
pub mod changes;
pub mod channel_health;
pub mod channels;
pub mod claims;
pub mod codec;
pub mod common;
pub mod credentials;
pub mod datasets;
pub mod deliveries;
pub mod devices;
pub mod erasure;
pub mod escalations;
pub mod event_lists;
pub mod events;
pub mod groups;
pub mod identities;
pub mod links;
pub mod live;
pub mod mappings;
pub mod mcp_tokens;
pub mod names;
pub mod notifications;
pub mod reviews;
pub mod rosters;
pub mod rules;
pub mod settings;
pub mod teams;
pub mod usage;
pub mod users;
pub mod views;
pub mod waiting;

use std::path::PathBuf;

use dregs_core::time::Timestamp;
use tokio::sync::oneshot;

pub use error::StoreError;
pub use migrations::{Migration, pending};
pub use tx::{Row, Tx, Value};

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
}

impl Store {
    /// Opens the store and brings its tables up to date. Blocks; meant for start-up.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file or the server cannot be reached.
    pub fn open(location: &Location, now: Timestamp) -> Result<Self> {
        let migrate = |tx: &mut Tx| migrations::apply(tx, now);
        let engine = match location {
            Location::File(path) => sqlite::open(path, migrate)?,
            Location::Postgres(url) => postgres::open(url, migrate)?,
        };
        Ok(Self { engine, location: location.clone() })
    }

    /// The migrations that opening the store would apply. Blocks; changes no row.
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

    /// Runs `closure` in a transaction and answers after its commit. On PostgreSQL it may run
    /// more than once, so it must not consume what it captured.
    pub async fn write<R: Send + 'static>(
        &self,
        closure: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (answer, answered) = oneshot::channel();
        self.engine.send_write(Box::new(engine::Write::new(closure, answer)))?;
        answered.await.map_err(|_| StoreError::closed())?
    }

    /// Runs `closure` on one consistent view of the rows.
    pub async fn read<R: Send + 'static>(
        &self,
        closure: impl FnOnce(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (answer, answered) = oneshot::channel();
        self.engine.send_read(Box::new(engine::Read::new(closure, answer)))?;
        answered.await.map_err(|_| StoreError::closed())?
    }

    /// Has nothing of what was deleted stay in a log beside the rows. PostgreSQL sees to it by itself,
    /// when it vacuums its tables and recycles its log.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn empty_log(&self) -> Result<()> {
        let Location::File(path) = self.location.clone() else { return Ok(()) };
        let emptied = tokio::task::spawn_blocking(move || sqlite::empty_log(&path)).await;
        emptied.map_err(|error| StoreError::Unavailable(error.to_string()))?
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
