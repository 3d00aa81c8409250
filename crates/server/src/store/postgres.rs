//! PostgreSQL: a small pool of connections, each with a thread and the synchronous client.

use std::collections::HashMap;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use postgres::types::Type;
use postgres::{Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::engine::{Engine, ReadJob, RunFailed, WriteJob};
use super::error::StoreError;
use super::tally;
use super::tx::Tx;

const WRITERS: usize = 4;
const READERS: usize = 3;
/// Times a transaction is run again because another was faster.
const TRIES_MAX: usize = 10;
/// Prepared statements a connection keeps; multi-row statements have one per row count.
const STATEMENTS_MAX: usize = 1_000;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Migrations of several nodes that start together wait for each other on this lock.
const MIGRATION_LOCK: i64 = 0x64_7265_6773;

/// A connection and the statements prepared on it.
pub struct Connection {
    pub(super) client: Client,
    statements: HashMap<String, Statement>,
}

impl Connection {
    fn open(config: &Config) -> Result<Self, StoreError> {
        let tls = rustls::ClientConfig::builder()
            .with_root_certificates(crate::tls::root_store(None).map_err(StoreError::Unavailable)?)
            .with_no_client_auth();
        let client = config.connect(MakeRustlsConnect::new(tls))?;
        Ok(Self { client, statements: HashMap::new() })
    }

    /// The statement for `sql`, prepared at most once.
    pub(super) fn prepare(&mut self, sql: &str, types: &[Type]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        let statement = self.client.prepare_typed(sql, types)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        tally::add(sql, 1, 0);
        Ok(self.client.batch_execute(sql)?)
    }

    /// Runs `job` in a transaction of its own, again where another transaction was faster.
    fn transact(&mut self, job: &mut dyn WriteJob) -> Result<(), StoreError> {
        for _ in 0..TRIES_MAX {
            self.batch("begin")?;
            match job.run(&mut Tx::Postgres(self)) {
                Ok(()) => match self.batch("commit") {
                    Err(StoreError::Retry) => {}
                    committed => return committed,
                },
                Err(RunFailed { retry: true }) => self.batch("rollback")?,
                Err(RunFailed { retry: false }) => return self.batch("rollback"),
            }
        }
        Err(StoreError::Unavailable(format!("{TRIES_MAX} tries were overtaken by other transactions")))
    }
}

/// Connects, migrates and starts the pool.
pub fn open(
    url: &str,
    migrate: impl FnOnce(&mut Tx) -> Result<(), StoreError>,
) -> Result<Engine, StoreError> {
    let mut config: Config =
        url.parse().map_err(|_| StoreError::Unavailable("the database URL cannot be read".into()))?;
    config.connect_timeout(CONNECT_TIMEOUT).application_name("dregs");

    let mut first = Connection::open(&config)?;
    first.batch(&format!("begin; select pg_advisory_xact_lock({MIGRATION_LOCK})"))?;
    migrate(&mut Tx::Postgres(&mut first))?;
    first.batch("commit")?;

    let (writes, write_queue) = unbounded();
    let (reads, read_queue) = unbounded();
    let mut threads = Vec::new();
    for index in 0..WRITERS {
        threads.push(start(format!("store-writer-{index}"), config.clone(), write_queue.clone(), write)?);
    }
    for index in 0..READERS {
        threads.push(start(format!("store-reader-{index}"), config.clone(), read_queue.clone(), read)?);
    }
    Ok(Engine::new(writes, reads, threads))
}

fn write(connection: Result<&mut Connection, StoreError>, mut job: Box<dyn WriteJob>) {
    let committed = connection.and_then(|connection| connection.transact(job.as_mut()));
    job.finish(committed);
}

fn read(connection: Result<&mut Connection, StoreError>, job: Box<dyn ReadJob>) {
    let begun = connection.and_then(|connection| {
        connection.batch("begin transaction isolation level repeatable read read only")?;
        Ok(connection)
    });
    match begun {
        Ok(connection) => {
            job.run(Ok(Tx::Postgres(&mut *connection)));
            // A connection that cannot roll back is closed, and replaced for the next job.
            let _ = connection.batch("rollback");
        }
        Err(error) => job.run(Err(error)),
    }
}

/// A thread that serves `queue` on a connection of its own, opened again when it breaks.
fn start<Job: Send + 'static>(
    name: String,
    config: Config,
    queue: Receiver<Job>,
    serve: fn(Result<&mut Connection, StoreError>, Job),
) -> Result<JoinHandle<()>, StoreError> {
    let run = move || {
        let mut connection: Option<Connection> = None;
        while let Ok(job) = queue.recv() {
            if connection.as_ref().is_none_or(|connection| connection.client.is_closed()) {
                connection = match Connection::open(&config) {
                    Ok(opened) => Some(opened),
                    Err(error) => {
                        serve(Err(error), job);
                        continue;
                    }
                };
            }
            match &mut connection {
                Some(connection) => serve(Ok(connection), job),
                None => serve(Err(StoreError::Unavailable("no connection".into())), job),
            }
        }
    };
    thread::Builder::new().name(name).spawn(run).map_err(|error| StoreError::Unavailable(error.to_string()))
}
