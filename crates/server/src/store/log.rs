//! The write-ahead log of SQLite, and how it is kept small without any commit waiting for a reader.
//!
//! A checkpoint moves pages from the log into the database, up to the oldest transaction that still reads
//! older ones. Once all of it has been moved and nobody reads from the log, the next commit writes it from
//! its beginning again. A checkpoint thread does the moving beside the writer, and never waits for anybody:
//! where a reader is in the way, the log grows until that reader has ended, and log and metrics say so.
//! The server's own readers are held back for a moment when the log has become large, since readers that
//! overlap one another would keep it from ever being empty.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;

use super::engine::Left;
use super::error::{StoreError, is_failed_sync};
use super::files;
use super::health::Health;
use super::tally;
use crate::clock::monotonic;

/// The log after which the checkpoint thread starts moving it into the database, in bytes: a disk takes that in
/// about 10 ms.
const CHECKPOINT_BYTES: u64 = 1024 * 1024;
/// The least time between two checkpoints: under load each moves more, and pages that changed
/// several times are moved once.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
/// The log from which on it is large, in bytes, and it is said what keeps it from being emptied.
const LARGE_BYTES: u64 = 64 * 1024 * 1024;
/// The size of the log's file that is kept when the log begins anew, in bytes: a file that is there need not
/// be made longer, which would take the file system's journal.
const KEPT_BYTES: i64 = 64 * 1024 * 1024;
/// How long the log may not be emptied before it is said although the log is small.
const BLOCKED_LONG: Duration = Duration::from_secs(60);
/// Checkpoints made one after the other until what came meanwhile is little. Beyond, the disk is slower than
/// what is written, and the writer itself moves the rest.
const ROUNDS_MAX: usize = 6;
/// How long the server's own readers are held back, at most, and how often.
const HOLD_MAX: Duration = Duration::from_millis(250);
const HOLD_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked whether a reader that was in the way has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two lines about a log that cannot be emptied.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Tries to empty the log for good, and the time between them.
const EMPTY_TRIES: u32 = 40;
const EMPTY_PAUSE: Duration = Duration::from_millis(50);

/// The state of a log, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// The size of its file.
    pub bytes: u64,
    /// How long a reader has kept it from being emptied.
    pub blocked: Option<Duration>,
    /// How long the oldest transaction of this server's readers has lasted.
    pub oldest_read: Option<Duration>,
}

/// What the writer, the readers and the checkpoint thread know of the log.
pub struct Log {
    path: PathBuf,
    /// Pages in the log after the last commit, and the bytes of each.
    pages: AtomicU64,
    page_bytes: u64,
    /// Commits that wrote something.
    commits: AtomicU64,
    /// The writer is to move what little is left.
    is_rest_wanted: AtomicBool,
    /// The writer is to empty the log, if that can be had without waiting.
    is_empty_wanted: AtomicBool,
    blocked_since: Mutex<Option<Instant>>,
    readers: Readers,
}

impl Log {
    /// The log of the database at `path`, whose pages have `page_bytes`, and which `readers` threads read.
    pub fn new(path: &Path, page_bytes: u64, readers: usize) -> Self {
        Self {
            path: files::log_of(path),
            pages: AtomicU64::new(0),
            page_bytes,
            commits: AtomicU64::new(0),
            is_rest_wanted: AtomicBool::new(false),
            is_empty_wanted: AtomicBool::new(false),
            blocked_since: Mutex::default(),
            readers: Readers::new(readers),
        }
    }

    pub fn state(&self) -> LogState {
        let now = monotonic();
        LogState {
            bytes: self.bytes(),
            blocked: self.blocked().map(|since| now.duration_since(since)),
            oldest_read: self.readers.oldest().map(|since| now.duration_since(since)),
        }
    }

    /// Begins a transaction of reader `index`, which lasts until the answer is dropped.
    pub fn read(&self, index: usize) -> Reading<'_> {
        self.readers.begin(index)
    }

    /// What is in it; its file is as long as it was once.
    fn filled_bytes(&self) -> u64 {
        self.pages.load(Ordering::Relaxed) * self.page_bytes
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    fn blocked(&self) -> Option<Instant> {
        *self.blocked_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_blocked(&self, since: Option<Instant>) {
        *self.blocked_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// The writer's side: what it does for its log after each commit has been answered.
pub struct Upkeep {
    log: Arc<Log>,
    wake: Sender<Ask>,
    woken_at: Instant,
}

impl Upkeep {
    /// Has `connection`, the writer's, count its pages, and no commit make a checkpoint of its own.
    pub fn new(log: Arc<Log>, wake: Sender<Ask>, connection: &mut Connection) -> Result<Self, StoreError> {
        connection.pragma_update(None, "journal_size_limit", KEPT_BYTES)?;
        let counter = Arc::clone(&log);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            let pages = u64::try_from(pages).unwrap_or_default();
            let before = counter.pages.swap(pages, Ordering::Relaxed);
            // The log is written again from its beginning once it is empty.
            let added = if pages > before { pages - before } else { pages };
            tally::add(tally::LOG_BYTES, 1, added * counter.page_bytes);
            counter.commits.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { log, wake, woken_at: monotonic() })
    }

    /// Commits so far that wrote something.
    pub fn commits(&self) -> u64 {
        self.log.commits.load(Ordering::Relaxed)
    }

    /// Outside a transaction, between two commits. Waits for no reader.
    ///
    /// # Errors
    /// Those of SQLite, of which only a failed sync matters: otherwise it is tried again.
    pub fn after_commit(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.log.is_empty_wanted.swap(false, Ordering::Relaxed) {
            // Somebody else in the way is no failure: it is tried again.
            without_waiting(connection, truncate)?;
        } else if self.log.is_rest_wanted.swap(false, Ordering::Relaxed) {
            // What came since the checkpoint thread was at it. With it the log is empty, and is written
            // again from its beginning.
            passive(connection)?;
        } else if self.log.filled_bytes() >= CHECKPOINT_BYTES && self.woken_at.elapsed() >= CHECKPOINT_EVERY {
            self.woken_at = monotonic();
            // Full means that it is at it already.
            let _ = self.wake.try_send(Ask::Checkpoint);
        }
        Ok(())
    }
}

/// What the checkpoint thread is asked for.
pub enum Ask {
    Checkpoint,
    /// To leave nothing in the log; answered when that is done, or could not be.
    Empty(Sender<Result<(), StoreError>>),
}

/// How much of the log a checkpoint has moved, in pages.
#[derive(Clone, Copy)]
struct Moved {
    of: u64,
    pages: u64,
}

impl Moved {
    fn is_all(self) -> bool {
        self.pages >= self.of
    }
}

/// The checkpoint thread, which ends when nobody is left who could ask.
pub struct Checkpointer {
    log: Arc<Log>,
    health: Arc<Health>,
    connection: Connection,
    /// The log's file is to be cut to nothing, and somebody was in the way.
    owes_room: bool,
    held_at: Option<Instant>,
    told_at: Option<Instant>,
}

impl Checkpointer {
    /// On a connection of its own, which waits for nobody.
    pub fn new(
        log: Arc<Log>,
        health: Arc<Health>,
        connection: Connection,
    ) -> Result<(Self, Sender<Ask>, Receiver<Ask>), StoreError> {
        connection.busy_timeout(Duration::ZERO)?;
        let (wake, woken) = bounded(1);
        Ok((Self { log, health, connection, owes_room: false, held_at: None, told_at: None }, wake, woken))
    }

    pub fn run(mut self, woken: &Receiver<Ask>) -> Left {
        loop {
            let has_more = self.owes_room || self.log.blocked().is_some();
            let asked = match has_more {
                true => woken.recv_timeout(LOOK_EVERY),
                false => woken.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match asked {
                Ok(Ask::Checkpoint) | Err(RecvTimeoutError::Timeout) => self.checkpoint(),
                Ok(Ask::Empty(answer)) => drop(answer.send(self.empty())),
                Err(RecvTimeoutError::Disconnected) => return Some(self.connection),
            }
        }
    }

    /// Moves all that can be moved, and notes what could not.
    fn checkpoint(&mut self) {
        let mut moved = self.rounds();
        if moved.is_some_and(|moved| !moved.is_all()) && self.is_worth_a_hold() {
            moved = self.hold_readers();
        }
        match moved {
            Some(moved) if moved.is_all() => {
                self.unblocked();
                self.owes_room = self.owes_room && !truncate(&self.connection).unwrap_or(false);
            }
            Some(_) => self.blocked(),
            // What went wrong has been said.
            None => {}
        }
    }

    /// Checkpoints until little is left, which the writer then moves. `None` when one failed, or another is
    /// under way.
    fn rounds(&self) -> Option<Moved> {
        let mut moved = self.once()?;
        for _ in 1..ROUNDS_MAX {
            let left = self.log.filled_bytes().saturating_sub(moved.pages * self.log.page_bytes);
            if !moved.is_all() || left < CHECKPOINT_BYTES {
                break;
            }
            moved = self.once()?;
        }
        if moved.is_all() {
            self.log.is_rest_wanted.store(true, Ordering::Relaxed);
        }
        Some(moved)
    }

    fn once(&self) -> Option<Moved> {
        passive(&self.connection).unwrap_or_else(|error| {
            // On a full disk that happens again and again; the commits that fail for it are told of.
            tracing::debug!(%error, "the write-ahead log could not be checkpointed");
            if is_failed_sync(&error) {
                self.health.end(error.to_string());
            }
            None
        })
    }

    fn is_worth_a_hold(&self) -> bool {
        let is_large = self.log.filled_bytes() >= LARGE_BYTES;
        let is_long = self.log.blocked().is_some_and(|since| since.elapsed() >= BLOCKED_LONG);
        (is_large || is_long) && self.held_at.is_none_or(|at| at.elapsed() >= HOLD_EVERY)
    }

    /// Lets no reader of this server begin for a moment, so that the log can be emptied when those that are
    /// under way have ended.
    fn hold_readers(&mut self) -> Option<Moved> {
        let begun = monotonic();
        self.held_at = Some(begun);
        let _held = self.log.readers.hold(begun + HOLD_MAX);
        let moved = self.rounds();
        // Until the writer has moved the rest, if it writes at all.
        while self.log.is_rest_wanted.load(Ordering::Relaxed) && begun.elapsed() < HOLD_MAX {
            std::thread::sleep(Duration::from_millis(1));
        }
        moved
    }

    fn unblocked(&mut self) {
        let Some(since) = self.log.blocked() else { return };
        self.log.set_blocked(None);
        if self.told_at.take().is_some() {
            let seconds = since.elapsed().as_secs();
            tracing::warn!(after_seconds = seconds, "the write-ahead log could be emptied again");
        }
        // Nothing may be written for a while, and the disk space is wanted back.
        self.owes_room |= self.log.bytes() > KEPT_BYTES.unsigned_abs();
    }

    fn blocked(&mut self) {
        let since = self.log.blocked().unwrap_or_else(monotonic);
        self.log.set_blocked(Some(since));
        let bytes = self.log.bytes();
        let is_worth_a_line = self.log.filled_bytes() >= LARGE_BYTES || since.elapsed() >= BLOCKED_LONG;
        if !is_worth_a_line || self.told_at.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            return;
        }
        self.told_at = Some(monotonic());
        let own = self.log.readers.oldest().filter(|read| *read <= since);
        let what = match own {
            Some(_) => "a query of this server has been running since then",
            None => {
                "another process holds a read transaction on the database file (a backup, a copy, an open \
                 sqlite3): let it end; to back up while the server runs, use `sqlite3 dregs.db \".backup FILE\"` \
                 or `vacuum into`"
            }
        };
        tracing::warn!(
            since_seconds = since.elapsed().as_secs(),
            log_mib = bytes / (1024 * 1024),
            "the write-ahead log cannot be emptied and grows: {what}"
        );
    }

    /// Moves everything and cuts the log's file to nothing. The writer is never kept waiting for a reader: what
    /// cannot be had at once is tried again for two seconds, and then once a second beside everything else.
    fn empty(&mut self) -> Result<(), StoreError> {
        for _ in 0..EMPTY_TRIES {
            let held = self.log.readers.hold(monotonic() + EMPTY_PAUSE);
            passive(&self.connection)?;
            if truncate(&self.connection)? {
                return Ok(());
            }
            // Where the writer is busy, it can do so itself between two commits.
            self.log.is_empty_wanted.store(true, Ordering::Relaxed);
            std::thread::sleep(EMPTY_PAUSE);
            drop(held);
            if self.log.bytes() == 0 {
                return Ok(());
            }
        }
        self.log.is_empty_wanted.store(false, Ordering::Relaxed);
        self.owes_room = true;
        tracing::warn!(
            "a reader keeps what was deleted in the write-ahead log; it goes when that reader has ended"
        );
        Ok(())
    }
}

/// Takes all of the log that is found at a start into the database, unless others have it open. Where the disk has failed to
/// sync, the system may show pages of the log that the disk does not have and is not going to get: whatever followed them
/// there would be lost with them.
pub fn take_in(connection: &Connection) -> rusqlite::Result<()> {
    without_waiting(connection, truncate).map(drop)
}

/// `None` when another checkpoint is under way.
fn passive(connection: &Connection) -> rusqlite::Result<Option<Moved>> {
    connection.query_row("pragma wal_checkpoint(passive)", [], |row| {
        let count = |index| row.get::<_, i64>(index).map(|count| u64::try_from(count).unwrap_or_default());
        let is_busy = row.get::<_, i64>(0)? != 0;
        let moved = Moved { of: count(1)?, pages: count(2)? };
        Ok((!is_busy).then_some(moved))
    })
}

/// Whether the log's file is empty now.
fn truncate(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("pragma wal_checkpoint(truncate)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Runs `ask` on a connection that otherwise waits for locks.
fn without_waiting<T>(
    connection: &Connection,
    ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.busy_timeout(Duration::ZERO)?;
    let asked = ask(connection);
    connection.busy_timeout(super::sqlite::BUSY_TIMEOUT)?;
    asked
}

/// The server's own readers: since when each is at it, and whether they are held back.
struct Readers {
    state: Mutex<ReadersState>,
    changed: Condvar,
}

struct ReadersState {
    since: Vec<Option<Instant>>,
    held_until: Option<Instant>,
}

impl Readers {
    fn new(count: usize) -> Self {
        let state = ReadersState { since: vec![None; count], held_until: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn oldest(&self) -> Option<Instant> {
        self.lock().since.iter().flatten().min().copied()
    }

    fn begin(&self, index: usize) -> Reading<'_> {
        let mut state = self.lock();
        while let Some(left) = state.held_until.and_then(|until| until.checked_duration_since(monotonic())) {
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(since) = state.since.get_mut(index) {
            *since = Some(monotonic());
        }
        Reading { readers: self, index }
    }

    /// Lets nobody begin until the answer is dropped or `until` has come, and waits for those under way, as
    /// long.
    fn hold(&self, until: Instant) -> Held<'_> {
        let mut state = self.lock();
        state.held_until = Some(until);
        while state.since.iter().any(Option::is_some)
            && let Some(left) = until.checked_duration_since(monotonic()).filter(|left| !left.is_zero())
        {
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Held(self)
    }

    fn lock(&self) -> MutexGuard<'_, ReadersState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction of a reader.
pub struct Reading<'r> {
    readers: &'r Readers,
    index: usize,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Some(since) = self.readers.lock().since.get_mut(self.index) {
            *since = None;
        }
        self.readers.changed.notify_all();
    }
}

struct Held<'r>(&'r Readers);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.lock().held_until = None;
        self.0.changed.notify_all();
    }
}
