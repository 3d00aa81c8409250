//! Whether the database takes writes and answers reads, as far as transactions have shown, and what the log
//! says of it: one line when it begins, one a while as long as it lasts, one when it is over.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::clock::monotonic;

/// Between two lines about the same outage; whatever fails meanwhile is counted in the next one.
const REPEAT: Duration = Duration::from_secs(30);

/// What the transactions of a store came to.
pub struct Health {
    pub writes: Track,
    pub reads: Track,
    /// Why nothing is written any more until the next start.
    ended: OnceLock<String>,
    has_ended: Notify,
}

impl Health {
    /// Nothing is written any more until the next start.
    pub fn end(&self, reason: String) {
        if self.ended.set(reason).is_ok() {
            self.has_ended.notify_waiters();
        }
    }

    /// Why nothing is written any more, if that is so.
    pub fn ended(&self) -> Option<&str> {
        self.ended.get().map(String::as_str)
    }

    /// Resolves when nothing is written any more, with why.
    pub async fn end_of_writes(&self) -> String {
        loop {
            // Before the look: it is told of what comes from now on.
            let told = self.has_ended.notified();
            if let Some(reason) = self.ended() {
                return reason.to_owned();
            }
            told.await;
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            writes: Track::new("the database cannot be written to"),
            reads: Track::new("the database cannot be read"),
            ended: OnceLock::new(),
            has_ended: Notify::new(),
        }
    }
}

/// What the transactions of one kind came to.
pub struct Track {
    complaint: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failing_since: Option<Instant>,
    /// Of which no line has told yet.
    failures: u64,
    told_at: Option<Instant>,
    last_success: Option<Instant>,
}

impl Track {
    fn new(complaint: &'static str) -> Self {
        Self { complaint, state: Mutex::default() }
    }

    /// Notes a transaction that went well.
    pub fn succeeded(&self) {
        let now = monotonic();
        let mut state = self.state();
        state.last_success = Some(now);
        let Some(since) = state.failing_since.take() else { return };
        // Where it comes and goes, the end of the first time is told and then nothing for a while.
        if state.told_at.is_some_and(|told| told >= since) {
            let failures = std::mem::take(&mut state.failures);
            let seconds = now.duration_since(since).as_secs();
            tracing::warn!(after_seconds = seconds, failures, "{}: over", self.complaint);
        }
    }

    /// Notes one that failed because of the database and not because of what was asked.
    pub fn failed(&self, error: &str) {
        let now = monotonic();
        let mut state = self.state();
        let since = *state.failing_since.get_or_insert(now);
        state.failures += 1;
        if state.told_at.is_none_or(|told| now.duration_since(told) >= REPEAT) {
            state.told_at = Some(now);
            let failures = std::mem::take(&mut state.failures);
            let seconds = now.duration_since(since).as_secs();
            tracing::error!(since_seconds = seconds, failures, error, "{}", self.complaint);
        }
    }

    pub fn is_failing(&self) -> bool {
        self.state().failing_since.is_some()
    }

    /// Whether the last transaction went well, and ended no longer than `age` ago.
    pub fn succeeded_within(&self, age: Duration) -> bool {
        let state = self.state();
        let is_recent = state.last_success.is_some_and(|at| monotonic().duration_since(at) <= age);
        is_recent && state.failing_since.is_none()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
