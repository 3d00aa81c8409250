//! How often each statement ran and how many rows it changed or found. Nothing is counted until somebody begins to:
//! the ledger of the tests does.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// By the text of the statement, as the store has it.
pub type Counts = BTreeMap<String, Count>;

/// What was counted of one statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Times it was run.
    pub runs: u64,
    /// Rows it changed, or found.
    pub rows: u64,
}

/// What stands in place of a text for the bytes that SQLite has written to its log: a run is a commit.
pub const LOG_BYTES: &str = "bytes of the log";

/// What stands in place of a text for what PostgreSQL was asked and waited for: a run is a round trip.
pub const ROUND_TRIP: &str = "round trip";

static COUNTS: OnceLock<Mutex<Counts>> = OnceLock::new();

/// Counts from now on, in this process.
pub fn begin() {
    COUNTS.get_or_init(Mutex::default);
}

/// What was counted since the last time, or the beginning.
pub fn take() -> Counts {
    COUNTS
        .get()
        .map(|counts| std::mem::take(&mut *counts.lock().unwrap_or_else(PoisonError::into_inner)))
        .unwrap_or_default()
}

pub(super) fn add(sql: &str, runs: usize, rows: u64) {
    let Some(counts) = COUNTS.get() else { return };
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let count = match counts.get_mut(sql) {
        Some(count) => count,
        None => counts.entry(sql.to_owned()).or_default(),
    };
    count.runs += runs as u64;
    count.rows += rows;
}
