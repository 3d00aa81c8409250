//! The queues between the code and the threads of an engine, and the jobs that travel in them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::tx::Tx;

/// A running engine: what the threads of either database listen to.
pub struct Engine {
    queues: Option<Queues>,
    threads: Vec<JoinHandle<()>>,
}

struct Queues {
    writes: Sender<Box<dyn WriteJob>>,
    reads: Sender<Box<dyn ReadJob>>,
}

impl Engine {
    pub fn new(
        writes: Sender<Box<dyn WriteJob>>,
        reads: Sender<Box<dyn ReadJob>>,
        threads: Vec<JoinHandle<()>>,
    ) -> Self {
        Self { queues: Some(Queues { writes, reads }), threads }
    }

    pub fn send_write(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        let queues = self.queues.as_ref().ok_or_else(StoreError::closed)?;
        queues.writes.send(job).map_err(|_| StoreError::closed())
    }

    pub fn send_read(&self, job: Box<dyn ReadJob>) -> Result<(), StoreError> {
        let queues = self.queues.as_ref().ok_or_else(StoreError::closed)?;
        queues.reads.send(job).map_err(|_| StoreError::closed())
    }

    pub fn waiting_writes(&self) -> usize {
        self.queues.as_ref().map_or(0, |queues| queues.writes.len())
    }
}

impl Drop for Engine {
    /// Ends the threads after what is queued is done.
    fn drop(&mut self) {
        drop(self.queues.take());
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// A transaction that changes rows. It is answered only after the commit.
pub trait WriteJob: Send {
    /// Runs the closure; on an error the engine undoes what it did. May be called again after
    /// [`StoreError::Retry`].
    fn run(&mut self, tx: &mut Tx) -> Result<(), RunFailed>;
    /// Answers whoever waits, with the closure's result if the commit went well.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A transaction that only reads.
pub trait ReadJob: Send {
    fn run(self: Box<Self>, tx: Result<Tx, StoreError>);
}

/// The closure failed, and whether running it again may help. The error itself stays in the job.
pub struct RunFailed {
    pub retry: bool,
}

pub struct Write<F, R> {
    closure: F,
    result: Option<Result<R, StoreError>>,
    answer: oneshot::Sender<Result<R, StoreError>>,
}

impl<F, R> Write<F, R> {
    pub fn new(closure: F, answer: oneshot::Sender<Result<R, StoreError>>) -> Self {
        Self { closure, result: None, answer }
    }
}

impl<F, R> WriteJob for Write<F, R>
where
    F: FnMut(&mut Tx) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn run(&mut self, tx: &mut Tx) -> Result<(), RunFailed> {
        let result = unwind_safe(|| (self.closure)(tx));
        let outcome = match &result {
            Ok(_) => Ok(()),
            Err(error) => Err(RunFailed { retry: matches!(error, StoreError::Retry) }),
        };
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
}

impl<F, R> Read<F, R> {
    pub fn new(closure: F, answer: oneshot::Sender<Result<R, StoreError>>) -> Self {
        Self { closure, answer }
    }
}

impl<F, R> ReadJob for Read<F, R>
where
    F: FnOnce(&mut Tx) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn run(self: Box<Self>, tx: Result<Tx, StoreError>) {
        let closure = self.closure;
        let result = tx.and_then(|mut tx| unwind_safe(|| closure(&mut tx)));
        let _ = self.answer.send(result);
    }
}

/// A panic in one transaction must not end the thread that serves all of them.
fn unwind_safe<R>(run: impl FnOnce() -> Result<R, StoreError>) -> Result<R, StoreError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(StoreError::Broken("a transaction panicked".into())))
}
