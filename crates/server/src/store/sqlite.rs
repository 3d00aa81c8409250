//! SQLite: one thread writes, a few read, one keeps the log small.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::engine::{Engine, Left, ReadJob, RunFailed, WriteJob};
use super::error::{StoreError, is_failed_sync};
use super::files::Files;
use super::health::Health;
use super::log::{self, Checkpointer, Log, Upkeep};
use super::tx::Tx;
use super::words;
use crate::clock::monotonic;
use crate::limit::{self, Limit};

/// Write jobs committed together: enough to share a flush among all that wait for it, few enough
/// that the first of them does not wait long.
const GROUP_MAX_JOBS: usize = 64;
/// What a commit writes of a change to a row or an index entry, however small, in bytes. Most are small and far from
/// one another: with SQLite's usual 4,096 an event of a new identity writes 88 KB and 3,300 a second are carried to
/// their webhooks, with this 35 KB and 3,700, with 512, over which most rows run, 26 KB and 3,100.
const PAGE_BYTES: i64 = 1_024;
const CACHE_KIB: i32 = 64 * 1024;
const READER_CACHE_KIB: i32 = 16 * 1024;
const READERS: usize = 2;
const STATEMENTS_MAX: usize = 256;
/// How long a transaction that only reads may take, which is then ended: it keeps a reader from everybody else, and the
/// log from being emptied. What people ask for takes milliseconds, and what is long is read page by page. What is written
/// is bounded by what was sent.
pub const READ_MAX: Duration = Duration::from_secs(30);
/// Between two looks at how long a read has taken, in steps of SQLite's virtual machine: some of them a millisecond.
const READ_LOOK_STEPS: i32 = 10_000;
/// How long the writer waits where another process writes to the file.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the database file, creating it where it is missing, and starts its threads.
pub fn open(
    path: &Path,
    migrate: impl FnOnce(&mut Tx) -> Result<(), StoreError>,
) -> Result<Engine, StoreError> {
    words::check_file(path)?;
    start(path, migrate).map_err(|error| words::of_file(path, error))
}

fn start(path: &Path, migrate: impl FnOnce(&mut Tx) -> Result<(), StoreError>) -> Result<Engine, StoreError> {
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_CREATE, CACHE_KIB)?;
    // Of a file that is there, nothing changes.
    writer.pragma_update(None, "page_size", PAGE_BYTES)?;
    // With a log as safe as `full`. Before there is one, the journal by which the file is made is gone for good: one that
    // came back after a power cut would undo the file under its log.
    writer.pragma_update(None, "synchronous", "extra")?;
    writer.pragma_update(None, "journal_mode", "wal")?;
    log::take_in(&writer)?;
    // What is deleted, or written anew elsewhere, must not stay readable in the file: in pages that are in
    // use; to have those that nothing uses overwritten as well, each time, would cost a quarter of the
    // events a second. `store/erasure.rs` does it when somebody is forgotten.
    writer.pragma_update(None, "secure_delete", "fast")?;
    writer.execute_batch("begin immediate")?;
    migrate(&mut Tx::Sqlite(&writer))?;
    writer.execute_batch("commit")?;

    let health = Arc::new(Health::default());
    let page_bytes = writer.query_row("pragma page_size", [], |row| row.get::<_, u32>(0))?;
    let log = Arc::new(Log::new(path, page_bytes.into(), READERS));
    let reader = || connect(path, OpenFlags::empty(), READER_CACHE_KIB);
    let (checkpointer, wake, woken) = Checkpointer::new(Arc::clone(&log), Arc::clone(&health), reader()?)?;
    let mut threads = vec![spawn("store-checkpoint", move || checkpointer.run(&woken))?];
    let (writes, write_queue) = unbounded();
    let (reads, read_queue) = unbounded();
    let upkeep = Upkeep::new(Arc::clone(&log), wake.clone(), &mut writer)?;
    let files = Files::of(path);
    #[cfg(unix)]
    files.close_to_others();
    let writer = Writer { connection: writer, upkeep, files, health: Arc::clone(&health) };
    threads.push(spawn("store-writer", move || writer.run(&write_queue))?);
    for index in 0..READERS {
        let connection = reader()?;
        connection.pragma_update(None, "query_only", true)?;
        let reader = Reader::new(connection, READ_MAX)?;
        let (log, health, queue) = (Arc::clone(&log), Arc::clone(&health), read_queue.clone());
        threads.push(spawn(&format!("store-reader-{index}"), move || {
            while let Ok(job) = queue.recv() {
                let _reading = log.read(index);
                reader.read(job, &health);
            }
            Some(reader.connection)
        })?);
    }
    Ok(Engine::new(writes, reads, threads, health).with_log(log, wake))
}

fn connect(path: &Path, create: OpenFlags, cache_kib: i32) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // A statement must not be planned anew whenever other values are bound, for a partial index might fit
    // them: planning takes longer than most statements.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

/// The one thread that writes.
struct Writer {
    connection: Connection,
    upkeep: Upkeep,
    files: Files,
    health: Arc<Health>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Box<dyn WriteJob>>) -> Left {
        while let Ok(first) = queue.recv() {
            let mut group = vec![first];
            group.extend(queue.try_iter().take(GROUP_MAX_JOBS - 1));
            group.retain(|job| job.begin());
            if group.is_empty() {
                continue;
            }
            self.commit_group(group);
            if let Err(error) = self.upkeep.after_commit(&self.connection)
                && is_failed_sync(&error)
            {
                self.health.end(error.to_string());
            }
        }
        Some(self.connection)
    }

    fn check_not_ended(&self) -> Result<(), StoreError> {
        let ended = self.health.ended();
        ended.map_or(Ok(()), |reason| Err(StoreError::Unavailable(reason.to_owned())))
    }

    /// Runs each job in a savepoint of one transaction, commits, then answers them all.
    fn commit_group(&self, mut group: Vec<Box<dyn WriteJob>>) {
        let commits = self.upkeep.commits();
        // Before, so that nothing is written where nobody finds it; and after, so that nothing is acknowledged
        // that was.
        let committed = self
            .check_not_ended()
            .and_then(|()| self.files.check())
            .and_then(|()| run_group(&self.connection, &mut group))
            .and_then(|outage| self.files.check().map(|()| outage));
        match &committed {
            // One that wrote nothing says nothing: on a full disk it goes well, too.
            Ok(None) if self.upkeep.commits() == commits => {}
            Ok(None) => self.health.writes.succeeded(),
            Ok(Some(outage)) => self.health.writes.failed(outage),
            Err(error) => {
                // A failed commit leaves the transaction open.
                let _ = self.connection.execute_batch("rollback");
                self.health.writes.failed(&error.to_string());
                if let StoreError::Unsynced(reason) = error {
                    self.health.end(reason.clone());
                }
            }
        }
        for job in group {
            job.finish(committed.as_ref().map(|_| ()).map_err(StoreError::again));
        }
    }
}

/// Runs each job in a savepoint of one transaction and commits. The answer is why one of them failed, where
/// that was the database's fault.
fn run_group(connection: &Connection, group: &mut [Box<dyn WriteJob>]) -> Result<Option<String>, StoreError> {
    let batch = |sql: &str| -> Result<(), StoreError> {
        connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    };
    let alone = group.len() == 1;
    let mut outage = None;
    batch("begin immediate").map_err(|error| match error {
        StoreError::Retry => {
            StoreError::Unavailable("another process has the database file locked for writing".into())
        }
        error => error,
    })?;
    for job in group {
        if !alone {
            batch("savepoint job")?;
        }
        let run = job.run(&mut Tx::Sqlite(connection));
        let failed = run.is_err();
        outage = run.err().and_then(|failed| failed.outage).or(outage);
        match (alone, failed) {
            (true, true) => {
                batch("rollback")?;
                return Ok(outage);
            }
            (true, false) => {}
            (false, true) => {
                batch("rollback to job")?;
                batch("release job")?;
            }
            (false, false) => batch("release job")?,
        }
    }
    batch("commit")?;
    Ok(outage)
}

/// A connection that only reads, and no longer than it may.
struct Reader {
    connection: Connection,
    max: Duration,
    deadline: Arc<Mutex<Option<Instant>>>,
}

impl Reader {
    fn new(mut connection: Connection, max: Duration) -> Result<Self, StoreError> {
        let deadline = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&deadline);
        let is_over = move || due(&seen).is_some_and(|deadline| monotonic() >= deadline);
        connection.progress_handler(READ_LOOK_STEPS, Some(is_over))?;
        Ok(Self { connection, max, deadline })
    }

    fn read(&self, job: Box<dyn ReadJob>, health: &Health) {
        if !job.begin() {
            return;
        }
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(monotonic() + self.max);
        // One snapshot for all the statements of a job.
        let begun = self.connection.execute_batch("begin");
        let run = job.run(begun.map_err(StoreError::from).map(|()| Tx::Sqlite(&self.connection)));
        let deadline = self.deadline.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = self.connection.execute_batch("rollback");
        match run {
            Ok(()) => health.reads.succeeded(),
            Err(RunFailed { outage: Some(_), .. }) if deadline.is_some_and(|at| monotonic() >= at) => {
                limit::reached(Limit::DatabaseRead);
            }
            Err(failed) => drop(failed.outage.map(|outage| health.reads.failed(&outage))),
        }
    }
}

fn due(deadline: &Mutex<Option<Instant>>) -> Option<Instant> {
    *deadline.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(name: &str, run: impl FnOnce() -> Left + Send + 'static) -> Result<JoinHandle<Left>, StoreError> {
    thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::engine::{Read, Ticket};
    use super::*;

    /// Counts for as long as it is let.
    const ENDLESS: &str =
        "with recursive n (x) as (select 1 union all select x + 1 from n) select count(*) from n";

    #[test]
    fn a_read_that_takes_too_long_is_ended_and_the_next_goes_well() {
        let connection = Connection::open_in_memory().expect("a database");
        let reader = Reader::new(connection, Duration::from_millis(100)).expect("a reader");
        let health = Health::default();
        let read = |sql: &'static str| {
            let (answer, mut answered) = oneshot::channel();
            let query = move |tx: &mut Tx| tx.get(sql, &[], |row| row.get::<i64>(0));
            reader.read(Box::new(Read::new(query, answer, Ticket::default())), &health);
            answered.try_recv().expect("an answer")
        };
        let (ended, reached) = limit::watched(|| read(ENDLESS));
        assert!(matches!(ended, Err(StoreError::Unavailable(_))));
        assert_eq!(reached, [Limit::DatabaseRead]);
        assert!(!health.reads.is_failing(), "the database is well");
        assert!(matches!(read("select 7"), Ok(7)));
    }
}
