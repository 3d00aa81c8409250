//! PostgreSQL: a small pool of connections, each with a thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use super::engine::{Engine, Left, ReadJob, RunFailed, WriteJob};
use super::error::StoreError;
use super::health::Health;
use super::pg_address::Address;
use super::pg_client::{Connection, Patience, Silences};
use super::tx::Tx;
use super::words;
use crate::clock::monotonic;

const WRITERS: usize = 4;
const READERS: usize = 3;
/// Times a transaction is run again because another was faster.
const TRIES_MAX: usize = 10;
/// After a connection that could not be had, what waits is told so without another try, for this long.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// Migrations of several nodes that start together wait for each other on this lock.
const MIGRATION_LOCK: i64 = 0x64_7265_6773;

/// Connects, migrates and starts the pool.
pub fn open(
    url: &str,
    migrate: impl FnOnce(&mut Tx) -> Result<(), StoreError>,
) -> Result<Engine, StoreError> {
    let address = Address::parse(url).map_err(StoreError::Refused)?;
    let mut first = Connection::open(&address, Patience::Endless)?;
    first.batch(&format!("begin; select pg_advisory_xact_lock({MIGRATION_LOCK})"))?;
    migrate(&mut Tx::Postgres(&mut first)).map_err(words::of_migrating)?;
    first.batch("commit").map_err(words::of_migrating)?;
    drop(first);

    let health = Arc::new(Health::default());
    let (writes, write_queue) = unbounded();
    let (reads, read_queue) = unbounded();
    let silences = Silences::default();
    let mut threads = Vec::new();
    for index in 0..WRITERS {
        let (health, silences) = (Arc::clone(&health), silences.clone());
        let lane = Lane { address: address.clone(), health, silences, serve: write };
        threads.push(lane.start(format!("store-writer-{index}"), write_queue.clone())?);
    }
    for index in 0..READERS {
        let (health, silences) = (Arc::clone(&health), silences.clone());
        let lane = Lane { address: address.clone(), health, silences, serve: read };
        threads.push(lane.start(format!("store-reader-{index}"), read_queue.clone())?);
    }
    Ok(Engine::new(writes, reads, threads, health))
}

fn write(connection: Result<&mut Connection, StoreError>, mut job: Box<dyn WriteJob>, health: &Health) {
    if !job.begin() {
        return;
    }
    let committed = connection.and_then(|connection| {
        let committed = transact(connection, job.as_mut());
        if connection.take_written() && matches!(committed, Ok(None)) {
            health.writes.succeeded();
        }
        committed
    });
    match &committed {
        // One that wrote nothing says nothing.
        Ok(None) => {}
        Ok(Some(outage)) => health.writes.failed(outage),
        Err(error) => health.writes.failed(&error.to_string()),
    }
    job.finish(committed.map(drop));
}

/// Runs `job` in a transaction of its own, again where another transaction was faster. The answer is why it failed,
/// where that was the database's fault.
fn transact(connection: &mut Connection, job: &mut dyn WriteJob) -> Result<Option<String>, StoreError> {
    for tries in 0..TRIES_MAX {
        connection.is_again = tries > 0;
        connection.begin("begin");
        match job.run(&mut Tx::Postgres(connection)) {
            Ok(()) => match connection.commit() {
                Err(StoreError::Retry) => {}
                Err(StoreError::Unavailable(reason)) => return Err(StoreError::InDoubt(reason)),
                committed => return committed.map(|()| None),
            },
            Err(RunFailed { retry: true, .. }) => connection.roll_back()?,
            // Nothing more can be said on it.
            Err(RunFailed { outage, .. }) if connection.is_closed() => return Ok(outage),
            Err(RunFailed { outage, .. }) => return connection.roll_back().map(|()| outage),
        }
    }
    Err(StoreError::Unavailable(format!("{TRIES_MAX} tries were overtaken by other transactions")))
}

fn read(connection: Result<&mut Connection, StoreError>, job: Box<dyn ReadJob>, health: &Health) {
    if !job.begin() {
        return;
    }
    let run = match connection {
        Ok(connection) => {
            connection.begin("begin transaction isolation level repeatable read read only");
            let run = job.run(Ok(Tx::Postgres(&mut *connection)));
            // A connection that cannot roll back is closed, and replaced for the next job.
            let _ = connection.roll_back();
            run
        }
        Err(error) => job.run(Err(error)),
    };
    match run {
        Ok(()) => health.reads.succeeded(),
        Err(failed) => drop(failed.outage.map(|outage| health.reads.failed(&outage))),
    }
}

/// A thread of the pool.
struct Lane<Job> {
    address: Address,
    health: Arc<Health>,
    silences: Silences,
    serve: fn(Result<&mut Connection, StoreError>, Job, &Health),
}

impl<Job: Send + 'static> Lane<Job> {
    /// The name of a host is looked up on a thread that the runtime begins, and it panics where the system gives none.
    fn open(&self) -> Result<Connection, StoreError> {
        let open = || Connection::open(&self.address, Patience::Limited(self.silences.clone()));
        catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
            Err(StoreError::Unavailable(
                "the client of PostgreSQL panicked, as it does where it gets no thread".into(),
            ))
        })
    }

    /// Serves `queue` on a connection of its own, opened again when it breaks.
    fn start(self, name: String, queue: Receiver<Job>) -> Result<JoinHandle<Left>, StoreError> {
        let run = move || {
            let mut connection: Option<Connection> = None;
            let mut refused: Option<(Instant, StoreError)> = None;
            let mut known_silences = 0;
            while let Ok(job) = queue.recv() {
                let silences = self.silences.count();
                if std::mem::replace(&mut known_silences, silences) != silences {
                    connection = None;
                }
                if connection.as_mut().is_none_or(Connection::is_closed) {
                    connection = None;
                    let is_due = refused.as_ref().is_none_or(|(at, _)| at.elapsed() >= RECONNECT_PAUSE);
                    if is_due {
                        match self.open() {
                            Ok(opened) => {
                                (connection, refused) = (Some(opened), None);
                            }
                            Err(error) => refused = Some((monotonic(), error)),
                        }
                    }
                }
                let served = match (&mut connection, &refused) {
                    (Some(connection), _) => Ok(connection),
                    (None, Some((_, error))) => Err(error.again()),
                    (None, None) => Err(StoreError::closed()),
                };
                (self.serve)(served, job, &self.health);
            }
            None
        };
        thread::Builder::new()
            .name(name)
            .spawn(run)
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
