//! SQLite: one thread writes, a few read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, OpenFlags};

use super::engine::{Engine, ReadJob, WriteJob};
use super::error::StoreError;
use super::tally;
use super::tx::Tx;
use crate::clock::monotonic;

/// Write jobs committed together: enough to share a flush among all that wait for it, few enough
/// that the first of them does not wait long.
const GROUP_MAX_JOBS: usize = 64;
/// Pages of log after which the checkpoint thread starts moving them into the database: 4 MiB, which
/// a disk takes in about 10 ms, during which commits may have to wait.
const CHECKPOINT_PAGES: i32 = 1_000;
/// The least time between two checkpoints: under load each moves more, and pages that changed
/// several times are moved once.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
/// Pages of log at which the writer itself does the rest, so that the log stays bounded: 128 MiB.
const CHECKPOINT_FORCED_PAGES: i32 = 32_000;
const CACHE_KIB: i32 = 64 * 1024;
const READER_CACHE_KIB: i32 = 16 * 1024;
const READERS: usize = 2;
const STATEMENTS_MAX: usize = 256;

/// Opens the database file, creating it where it is missing, and starts its threads.
pub fn open(
    path: &Path,
    migrate: impl FnOnce(&mut Tx) -> Result<(), StoreError>,
) -> Result<Engine, StoreError> {
    let writer = connect(path, CACHE_KIB)?;
    writer.pragma_update(None, "journal_mode", "wal")?;
    writer.pragma_update(None, "synchronous", "full")?;
    // What is deleted, or written anew elsewhere, must not stay readable in the file: in pages that are in
    // use; to have those that nothing uses overwritten as well, each time, would cost a quarter of the
    // events a second. `store/erasure.rs` does it when somebody is forgotten.
    writer.pragma_update(None, "secure_delete", "fast")?;
    writer.execute_batch("begin immediate")?;
    migrate(&mut Tx::Sqlite(&writer))?;
    writer.execute_batch("commit")?;

    let (writes, write_queue) = unbounded();
    let (reads, read_queue) = unbounded();
    let mut threads = vec![start_writer(writer, write_queue, path)?];
    for index in 0..READERS {
        let reader = connect(path, READER_CACHE_KIB)?;
        reader.pragma_update(None, "query_only", true)?;
        threads.push(start_reader(index, reader, read_queue.clone())?);
    }
    Ok(Engine::new(writes, reads, threads))
}

/// Moves the whole log into the database and empties its file, so that nothing deleted stays in it. A
/// reader that is at work may keep some of it until the next time.
pub fn empty_log(path: &Path) -> Result<(), StoreError> {
    let connection = connect(path, READER_CACHE_KIB)?;
    Ok(connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?)
}

fn connect(path: &Path, cache_kib: i32) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // A statement must not be planned anew whenever other values are bound, for a partial index might fit
    // them: planning takes longer than most statements.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

fn start_writer(
    mut connection: Connection,
    queue: Receiver<Box<dyn WriteJob>>,
    path: &Path,
) -> Result<JoinHandle<()>, StoreError> {
    let checkpointer = Checkpointer::start(connect(path, READER_CACHE_KIB)?)?;
    let mut begun = monotonic();
    let mut before = 0;
    connection.wal_hook(Some(move |log: &mut Wal, pages: i32| {
        // The log is written again from its beginning once it is empty.
        let written = if pages > before { pages - before } else { pages };
        before = pages;
        tally::add(tally::LOG_PAGES, 1, written.unsigned_abs().into());
        // A reader in the way is no failure of the commit: a later commit tries again.
        if checkpointer.is_done.swap(false, Ordering::Relaxed) {
            // What came meanwhile is little. With it the log is empty, and is written again from its
            // beginning, where the file need not grow: growing it takes the file system's journal.
            let _ = log.checkpoint_v2(CheckpointMode::PASSIVE);
        } else if pages >= CHECKPOINT_FORCED_PAGES {
            let _ = log.checkpoint_v2(CheckpointMode::RESTART);
        } else if pages >= CHECKPOINT_PAGES && begun.elapsed() >= CHECKPOINT_EVERY {
            begun = monotonic();
            // Full means that it is at it already.
            let _ = checkpointer.wake.try_send(());
        }
        Ok(())
    }))?;
    spawn("store-writer", move || {
        while let Ok(first) = queue.recv() {
            let mut group = vec![first];
            group.extend(queue.try_iter().take(GROUP_MAX_JOBS - 1));
            commit_group(&connection, group);
        }
    })
}

/// Runs each job in a savepoint of one transaction, commits, then answers them all.
fn commit_group(connection: &Connection, mut group: Vec<Box<dyn WriteJob>>) {
    let committed = run_group(connection, &mut group);
    if committed.is_err() {
        // A failed commit leaves the transaction open.
        let _ = connection.execute_batch("rollback");
    }
    for job in group {
        job.finish(committed.as_ref().map_err(|error| StoreError::Unavailable(error.to_string())).copied());
    }
}

fn run_group(connection: &Connection, group: &mut [Box<dyn WriteJob>]) -> Result<(), StoreError> {
    let batch = |sql: &str| -> Result<(), StoreError> {
        connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    };
    let alone = group.len() == 1;
    batch("begin immediate")?;
    for job in group {
        if !alone {
            batch("savepoint job")?;
        }
        let failed = job.run(&mut Tx::Sqlite(connection)).is_err();
        match (alone, failed) {
            (true, true) => return batch("rollback"),
            (true, false) => {}
            (false, true) => {
                batch("rollback to job")?;
                batch("release job")?;
            }
            (false, false) => batch("release job")?,
        }
    }
    batch("commit")
}

/// Checkpoints beside the writer, so that no commit waits for the pages of earlier ones. Its thread
/// ends when it is dropped.
struct Checkpointer {
    wake: Sender<()>,
    is_done: Arc<AtomicBool>,
}

impl Checkpointer {
    fn start(connection: Connection) -> Result<Self, StoreError> {
        let (wake, woken) = crossbeam_channel::bounded(1);
        let is_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&is_done);
        spawn("store-checkpoint", move || {
            while woken.recv().is_ok() {
                match connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())) {
                    Ok(()) => done.store(true, Ordering::Relaxed),
                    Err(error) => tracing::warn!(%error, "the write-ahead log could not be checkpointed"),
                }
            }
        })?;
        Ok(Self { wake, is_done })
    }
}

fn start_reader(
    index: usize,
    connection: Connection,
    queue: Receiver<Box<dyn ReadJob>>,
) -> Result<JoinHandle<()>, StoreError> {
    spawn(&format!("store-reader-{index}"), move || {
        while let Ok(job) = queue.recv() {
            // One snapshot for all the statements of a job.
            let begun = connection.execute_batch("begin");
            job.run(begun.map_err(StoreError::from).map(|()| Tx::Sqlite(&connection)));
            let _ = connection.execute_batch("rollback");
        }
    })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}
