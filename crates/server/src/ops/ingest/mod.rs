//! Ingest: events of concurrent requests are stored in one commit, and answered after it.

mod batch;
pub mod common;
mod identity;
pub mod names;
pub mod refold;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use dregs_core::event::{Event, FieldError};
use dregs_core::link::KeyHasher;
use tokio::sync::{mpsc, oneshot};

use crate::clock::{Clock, unix_nanos};
use crate::failpoint::{self, Failpoint};
use crate::limit::{self, Limit};
use crate::ops::access::usage::Usage;
use crate::ops::decide::awaited::{Awaited, Waiter};
use crate::ops::directories::Directories;
use crate::ops::handoff::Evaluations;
use crate::store::{Result, Store, StoreError, codec, events};
use crate::trace::{Context, Kind, Span, Traces};

/// Events stored in one commit. More would let the first of them wait without saving much.
const COMMIT_MAX_EVENTS: usize = 512;
/// Requests that wait for a commit; beyond it, callers wait for a place.
pub const QUEUE_MAX_REQUESTS: usize = 4_096;

/// An event ready to be stored: what could be done outside the transaction is done.
pub struct Prepared {
    event: Event,
    packed_id: Vec<u8>,
    detail: Vec<u8>,
    /// The commit that stores it, where that is traced.
    trace: Option<Context>,
    /// Whether somebody waits for the cycle that sees it.
    is_awaited: bool,
}

impl Prepared {
    /// # Errors
    /// [`StoreError::Broken`] when the event is larger than a stored detail may be.
    pub fn new(event: Event) -> Result<Self> {
        let detail = events::detail(&event)?;
        Ok(Self { packed_id: codec::pack_id(&event.id), detail, event, trace: None, is_awaited: false })
    }

    /// Whether it is about an identity.
    pub const fn has_identity(&self) -> bool {
        self.event.identity.is_some()
    }
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored; or it had been before, and this is what the first one was answered.
    Stored { id: String, fingerprint: Option<String> },
    /// It does not go together with what is stored already.
    Refused(Vec<FieldError>),
}

/// The events of one request.
struct Request {
    team_id: i64,
    events: Vec<Prepared>,
    trace: Option<Traced>,
}

/// A traced request, and the storing of its events.
#[derive(Clone, Copy)]
struct Traced {
    request: Context,
    commit: Context,
}

/// A request and whoever waits for its outcome.
pub struct Submission {
    team_id: i64,
    events: Vec<Prepared>,
    trace: Option<Traced>,
    answer: oneshot::Sender<std::result::Result<Stored, Arc<StoreError>>>,
}

/// What became of the events of a request.
struct Stored {
    outcomes: Vec<Outcome>,
    /// Of a request with one event, if it is new and somebody waits.
    waiter: Option<Waiter>,
}

/// The way into ingest.
pub struct Queue(mpsc::Sender<Submission>);

impl Queue {
    /// The queue, and the end where a [`Writer`] listens.
    pub fn new() -> (Self, mpsc::Receiver<Submission>) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX_REQUESTS);
        (Self(sender), receiver)
    }

    /// Stores events of a team; answers after the commit, one outcome an event, in order. `trace` is their request, where
    /// that is traced.
    ///
    /// # Errors
    /// When nothing of it could be stored.
    pub async fn submit(
        &self,
        team_id: i64,
        events: Vec<Prepared>,
        trace: Option<Context>,
    ) -> std::result::Result<Vec<Outcome>, Arc<StoreError>> {
        self.store(team_id, events, trace).await.map(|stored| stored.outcomes)
    }

    /// The same of one event, with what waits for the cycle that sees it: `None` where the event is not new, is about no
    /// identity, or nobody can wait.
    ///
    /// # Errors
    /// Those of [`Self::submit`].
    pub async fn submit_awaited(
        &self,
        team_id: i64,
        mut event: Prepared,
        trace: Option<Context>,
    ) -> std::result::Result<(Option<Outcome>, Option<Waiter>), Arc<StoreError>> {
        event.is_awaited = true;
        let Stored { mut outcomes, waiter } = self.store(team_id, vec![event], trace).await?;
        Ok((outcomes.pop(), waiter))
    }

    async fn store(
        &self,
        team_id: i64,
        mut events: Vec<Prepared>,
        trace: Option<Context>,
    ) -> std::result::Result<Stored, Arc<StoreError>> {
        let trace = trace.map(|request| Traced { request, commit: request.child() });
        if let Some(Traced { commit, .. }) = trace {
            events.iter_mut().for_each(|event| event.trace = Some(commit));
        }
        let closed = || Arc::new(StoreError::Unavailable("the server is stopping".into()));
        let (answer, answered) = oneshot::channel();
        if self.0.capacity() == 0 {
            limit::reached(Limit::IngestQueue);
        }
        self.0.send(Submission { team_id, events, trace, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

/// Stores what is submitted, and hands on whom it concerns.
pub struct Writer {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub hasher: KeyHasher,
    pub kept: Arc<Directories>,
    pub evaluations: Arc<Evaluations>,
    pub awaited: Arc<Awaited>,
    pub usage: Arc<Usage>,
    pub traces: Traces,
}

impl Writer {
    /// Stores what is submitted, as much at a time as there is, until every sender is gone.
    pub async fn run(self, mut queue: mpsc::Receiver<Submission>) {
        let mut next = None;
        loop {
            let mut submissions = Vec::from_iter(match next.take() {
                Some(submission) => Some(submission),
                None => queue.recv().await,
            });
            if submissions.is_empty() {
                return;
            }
            let mut count = submissions[0].events.len();
            while let Ok(submission) = queue.try_recv() {
                count += submission.events.len();
                if count > COMMIT_MAX_EVENTS {
                    next = Some(submission);
                    break;
                }
                submissions.push(submission);
            }
            self.commit(submissions).await;
        }
    }

    /// Stores the submissions in one transaction and answers them. If that fails, each in one of its
    /// own, so that no request fails for the sake of another.
    async fn commit(&self, submissions: Vec<Submission>) {
        let (requests, answers): (Vec<_>, Vec<_>) = submissions
            .into_iter()
            .map(|s| (Request { team_id: s.team_id, events: s.events, trace: s.trace }, s.answer))
            .unzip();
        let requests = Arc::new(requests);
        let began_at = if requests.iter().any(|request| request.trace.is_some()) { unix_nanos() } else { 0 };
        let told = |request, error: Option<&StoreError>| self.trace(request, began_at, error);
        // A caller that went away has nothing to be told.
        match self.write(&requests, 0..answers.len()).await {
            Ok(stored) => {
                for ((request, answer), stored) in requests.iter().zip(answers).zip(stored) {
                    told(request, None);
                    let _ = answer.send(Ok(stored));
                }
            }
            Err(StoreError::Broken(_) | StoreError::Conflict | StoreError::Retry) if answers.len() > 1 => {
                for (index, answer) in answers.into_iter().enumerate() {
                    let written = self.write(&requests, index..index + 1).await;
                    told(&requests[index], written.as_ref().err());
                    let stored = written.and_then(|mut stored| {
                        stored.pop().ok_or_else(|| StoreError::Broken("a request has no outcome".into()))
                    });
                    let _ = answer.send(stored.map_err(Arc::new));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for (request, answer) in requests.iter().zip(answers) {
                    told(request, Some(&error));
                    let _ = answer.send(Err(Arc::clone(&error)));
                }
            }
        }
    }

    /// Tells of the commit of a traced request.
    fn trace(&self, request: &Request, began_at: u64, error: Option<&StoreError>) {
        let Some(Traced { request: parent, commit }) = request.trace else { return };
        self.traces.record(|| {
            let span = Span::new("ingest", Kind::Internal, commit, Some(parent), began_at);
            span.int("dregs.events", request.events.len()).failed(error.map(ToString::to_string))
        });
    }

    /// Stores some of the requests in one transaction and hands on what is to be scored. Answers each of them, in order.
    async fn write(&self, requests: &Arc<Vec<Request>>, range: Range<usize>) -> Result<Vec<Stored>> {
        let count = requests[range.clone()].iter().map(|request| request.events.len()).sum();
        let granted = self.evaluations.reserve(count);
        let context = batch::Context {
            hasher: self.hasher,
            now: self.clock.now(),
            min_cycle_ms: self.evaluations.min_cycle_ms,
            granted,
            names: Arc::clone(&self.kept.names),
            mappings: self.kept.mappings.current(),
            common: self.kept.common.current(),
            datasets: self.kept.datasets.current(),
            counters: self.kept.counters.current(),
        };
        let (shared, wanted) = (Arc::clone(requests), range.clone());
        let now = context.now;
        let stored =
            self.store.write(move |tx| batch::Batch::of(&shared[wanted.clone()]).store(tx, &context)).await;
        failpoint::reach(Failpoint::IngestCommitted);
        let stored = stored.inspect_err(|error| {
            self.evaluations.note_failed(now, error);
            self.evaluations.release(granted);
        })?;
        // Before anybody is scored: what nobody waits for yet is told to nobody.
        let mut waiters: HashMap<_, _> = stored
            .awaited
            .iter()
            .filter_map(|event| Some((event.index, self.awaited.join(event.identity_id, event.event_count)?)))
            .collect();
        // Before anybody is scored by it.
        self.kept.common.take((&stored.shown, &stored.numbers), self.clock.now());
        self.evaluations.release(granted - stored.handed_on.len());
        for due in stored.handed_on {
            self.evaluations.send(due);
        }
        if stored.spilled {
            self.evaluations.spill();
        }
        self.kept.names.learn(stored.new_names);
        stored.counts.iter().for_each(|(team_id, events)| self.usage.add(*team_id, *events));
        metrics::counter!("dregs_events_ingested_total").increment(stored.new_events as u64);
        let (mut outcomes, mut first) = (stored.outcomes.into_iter(), 0);
        let answers = requests[range].iter().map(|request| {
            let count = request.events.len();
            let waiter = waiters.remove(&first);
            first += count;
            Stored { outcomes: outcomes.by_ref().take(count).collect(), waiter }
        });
        Ok(answers.collect())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn who_finds_no_place_waits_for_one_and_is_counted() {
        let (queue, mut inbox) = Queue::new();
        let submit = || limit::watched(|| queue.submit(1, Vec::new(), None).now_or_never().is_none());
        for _ in 0..QUEUE_MAX_REQUESTS {
            assert_eq!(submit(), (true, vec![]));
        }
        assert_eq!(submit(), (true, vec![Limit::IngestQueue]));
        // Whoever gave up waiting has left nothing.
        assert_eq!(std::iter::from_fn(|| inbox.try_recv().ok()).count(), QUEUE_MAX_REQUESTS);
        assert_eq!(submit(), (true, vec![]));
    }
}
