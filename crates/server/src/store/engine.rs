//! The queues between the code and the threads of an engine, and the jobs that travel in them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::health::Health;
use super::log::{Ask, Log};
use super::tx::Tx;

/// What a thread of an engine leaves when it ends. Of two SQLite connections that close at once each sees the other,
/// and neither takes the log into the database.
pub type Left = Option<rusqlite::Connection>;

/// A running engine: what the threads of either database listen to.
pub struct Engine {
    queues: Option<Queues>,
    threads: Vec<JoinHandle<Left>>,
    pub health: Arc<Health>,
    /// The log of a SQLite database.
    pub log: Option<Arc<Log>>,
}

struct Queues {
    writes: Sender<Box<dyn WriteJob>>,
    reads: Sender<Box<dyn ReadJob>>,
    log: Option<Sender<Ask>>,
}

impl Engine {
    pub fn new(
        writes: Sender<Box<dyn WriteJob>>,
        reads: Sender<Box<dyn ReadJob>>,
        threads: Vec<JoinHandle<Left>>,
        health: Arc<Health>,
    ) -> Self {
        Self { queues: Some(Queues { writes, reads, log: None }), threads, health, log: None }
    }

    /// With a log beside the database, and where to ask for work on it.
    pub fn with_log(mut self, log: Arc<Log>, asks: Sender<Ask>) -> Self {
        self.log = Some(log);
        if let Some(queues) = &mut self.queues {
            queues.log = Some(asks);
        }
        self
    }

    pub fn send_write(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        let queues = self.queues.as_ref().ok_or_else(StoreError::closed)?;
        queues.writes.send(job).map_err(|_| StoreError::closed())
    }

    pub fn send_read(&self, job: Box<dyn ReadJob>) -> Result<(), StoreError> {
        let queues = self.queues.as_ref().ok_or_else(StoreError::closed)?;
        queues.reads.send(job).map_err(|_| StoreError::closed())
    }

    /// Where to ask for work on the log, if there is one.
    pub fn log_asks(&self) -> Option<Sender<Ask>> {
        self.queues.as_ref()?.log.clone()
    }

    pub fn waiting_writes(&self) -> usize {
        self.queues.as_ref().map_or(0, |queues| queues.writes.len())
    }
}

impl Drop for Engine {
    /// Ends the threads after what is queued is done, then closes what they leave, one by one.
    fn drop(&mut self) {
        drop(self.queues.take());
        // A thread that panicked has nothing left to finish.
        let left: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        drop(left);
    }
}

/// A transaction that changes rows. It is answered only after the commit.
pub trait WriteJob: Send {
    /// Whether it is to be run at all; from then on it is not given up any more.
    fn begin(&self) -> bool;
    /// Runs the closure; on an error the engine undoes what it did. May be called again after
    /// [`StoreError::Retry`].
    fn run(&mut self, tx: &mut Tx) -> Result<(), RunFailed>;
    /// Answers whoever waits, with the closure's result if the commit went well.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A transaction that only reads.
pub trait ReadJob: Send {
    /// Whether it is to be run at all; from then on it is not given up any more.
    fn begin(&self) -> bool;
    fn run(self: Box<Self>, tx: Result<Tx, StoreError>) -> Result<(), RunFailed>;
}

/// The closure failed. The error itself stays in the job.
pub struct RunFailed {
    /// Whether running it again may help.
    pub retry: bool,
    /// Why, where that is the database's fault.
    pub outage: Option<String>,
}

impl RunFailed {
    fn of(error: &StoreError) -> Self {
        let outage = matches!(error, StoreError::Unavailable(_)).then(|| error.to_string());
        Self { retry: matches!(error, StoreError::Retry), outage }
    }
}

/// Who has a job that waits: the engine, which runs it, or whoever asked, who does not wait any longer.
/// The first to take it has it.
#[derive(Clone, Default)]
pub struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// Whether the caller is the first.
    pub fn take(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}

pub struct Write<F, R> {
    closure: F,
    result: Option<Result<R, StoreError>>,
    answer: oneshot::Sender<Result<R, StoreError>>,
    ticket: Ticket,
}

impl<F, R> Write<F, R> {
    pub fn new(closure: F, answer: oneshot::Sender<Result<R, StoreError>>, ticket: Ticket) -> Self {
        Self { closure, result: None, answer, ticket }
    }
}

impl<F, R> WriteJob for Write<F, R>
where
    F: FnMut(&mut Tx) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn begin(&self) -> bool {
        self.ticket.take()
    }

    fn run(&mut self, tx: &mut Tx) -> Result<(), RunFailed> {
        let result = unwind_safe(|| (self.closure)(tx));
        let outcome = result.as_ref().map(|_| ()).map_err(RunFailed::of);
        self.result = Some(result);
        outcome
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Broken("the transaction did not run".into())),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may have gone away; the rows are stored all the same.
        let _ = self.answer.send(result);
    }
}

pub struct Read<F, R> {
    closure: F,
    answer: oneshot::Sender<Result<R, StoreError>>,
    ticket: Ticket,
}

impl<F, R> Read<F, R> {
    pub fn new(closure: F, answer: oneshot::Sender<Result<R, StoreError>>, ticket: Ticket) -> Self {
        Self { closure, answer, ticket }
    }
}

impl<F, R> ReadJob for Read<F, R>
where
    F: FnOnce(&mut Tx) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn begin(&self) -> bool {
        self.ticket.take()
    }

    fn run(self: Box<Self>, tx: Result<Tx, StoreError>) -> Result<(), RunFailed> {
        let closure = self.closure;
        let result = tx.and_then(|mut tx| unwind_safe(|| closure(&mut tx)));
        let outcome = result.as_ref().map(|_| ()).map_err(RunFailed::of);
        let _ = self.answer.send(result);
        outcome
    }
}

/// A panic in one transaction must not end the thread that serves all of them.
fn unwind_safe<R>(run: impl FnOnce() -> Result<R, StoreError>) -> Result<R, StoreError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(StoreError::Broken("a transaction panicked".into())))
}
