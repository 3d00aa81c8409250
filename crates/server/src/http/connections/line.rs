//! One connection: what it waits for, and since when.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limit::Limit;

/// How long a connection is kept open after an answer, for the next request: as long as nginx keeps one.
pub const IDLE_MAX_SECONDS: u64 = 75;
/// How long a request's head may take from its first byte, and the first request to begin.
pub const HEAD_MAX_SECONDS: u64 = 10;
/// How long a client may take none of an answer.
pub const UNREAD_MAX_SECONDS: u64 = 30;

/// A connection.
pub struct Line {
    /// Whose share it takes; nobody's where its address stands for many.
    pub network: Option<IpAddr>,
    state: Mutex<State>,
    end: Notify,
}

struct State {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// Whether bytes have come since the last request was taken.
    is_fresh: bool,
    /// Since when the client has taken nothing of what is to be written.
    unread_since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing of the first request has come.
    New,
    /// Nothing of the next request has come.
    Idle,
    /// A request's head is coming.
    Head,
    /// A request's body is coming, and what answers it waits for that.
    Body,
    /// A request is being answered.
    Answer,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Its bytes have just been read.
    Fresh,
    /// It had been read together with one before it.
    Pipelined,
}

impl Arrival {
    pub fn is_pipelined(self) -> bool {
        self == Self::Pipelined
    }
}

impl Line {
    pub fn new(network: Option<IpAddr>, now: Instant) -> Self {
        let state = State { phase: Phase::New, since: now, is_fresh: false, unread_since: None };
        Self { network, state: Mutex::new(state), end: Notify::new() }
    }

    /// Bytes have come.
    pub fn received(&self, now: Instant) {
        let mut state = self.state();
        state.is_fresh = true;
        if matches!(state.phase, Phase::New | Phase::Idle) {
            (state.phase, state.since) = (Phase::Head, now);
        }
    }

    /// A request's head is complete.
    pub fn take_request(&self, now: Instant) -> Arrival {
        let mut state = self.state();
        (state.phase, state.since) = (Phase::Answer, now);
        if std::mem::take(&mut state.is_fresh) { Arrival::Fresh } else { Arrival::Pipelined }
    }

    /// The body of the request, which began to come at `since`, is waited for.
    pub fn await_body(&self, since: Instant) {
        let mut state = self.state();
        if state.phase == Phase::Answer {
            (state.phase, state.since) = (Phase::Body, since);
        }
    }

    /// The body of the request is no longer waited for.
    pub fn go_on(&self, now: Instant) {
        let mut state = self.state();
        if state.phase == Phase::Body {
            (state.phase, state.since) = (Phase::Answer, now);
        }
    }

    /// The request is answered.
    pub fn answered(&self, now: Instant) {
        let mut state = self.state();
        (state.phase, state.since) = (Phase::Idle, now);
    }

    /// The client takes none of what is to be written, or again some.
    pub fn written(&self, is_blocked: bool, now: Instant) {
        let mut state = self.state();
        state.unread_since = is_blocked.then(|| state.unread_since.unwrap_or(now));
    }

    /// Since when it has waited for its client; `None` while a request is being answered.
    pub fn waits_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.phase != Phase::Answer).then_some(state.since)
    }

    /// The limit at which the server waits no longer, if it does not. Bodies have a deadline of their own, at which they
    /// are answered.
    pub fn overdue(&self, now: Instant) -> Option<Limit> {
        let state = self.state();
        let after =
            |since: Instant, seconds| now.saturating_duration_since(since) >= Duration::from_secs(seconds);
        match state.phase {
            _ if state.unread_since.is_some_and(|since| after(since, UNREAD_MAX_SECONDS)) => {
                Some(Limit::UnreadTime)
            }
            Phase::New | Phase::Head if after(state.since, HEAD_MAX_SECONDS) => Some(Limit::HeadTime),
            Phase::Idle if after(state.since, IDLE_MAX_SECONDS) => Some(Limit::IdleTime),
            _ => None,
        }
    }

    /// Closes the connection.
    pub fn end(&self) {
        self.end.notify_one();
    }

    /// Resolves when the connection is to be closed.
    pub async fn end_called(&self) {
        self.end.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_thing_that_is_waited_for_has_its_time() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let line = Line::new(None, begun);
        assert_eq!(
            (line.overdue(at(9)), line.overdue(at(10))),
            (None, Some(Limit::HeadTime)),
            "a request that never comes"
        );
        line.received(at(8));
        assert_eq!(
            (line.overdue(at(17)), line.overdue(at(18))),
            (None, Some(Limit::HeadTime)),
            "one that comes slowly"
        );
        line.received(at(17));
        assert_eq!(line.overdue(at(18)), Some(Limit::HeadTime), "a byte now and then does not help");
        assert_eq!(line.take_request(at(18)), Arrival::Fresh);
        assert_eq!(
            (line.overdue(at(500)), line.waits_since()),
            (None, None),
            "what is answered has its own limits"
        );
        line.await_body(at(18));
        assert_eq!(line.waits_since(), Some(at(18)));
        line.go_on(at(19));
        line.written(true, at(20));
        line.written(true, at(40));
        assert_eq!((line.overdue(at(49)), line.overdue(at(50))), (None, Some(Limit::UnreadTime)));
        line.written(false, at(49));
        assert_eq!(line.overdue(at(50)), None);
        line.answered(at(50));
        assert_eq!((line.overdue(at(124)), line.overdue(at(125))), (None, Some(Limit::IdleTime)));
        line.go_on(at(60));
        assert_eq!(line.waits_since(), Some(at(50)), "a body that is dropped late changes nothing");
        assert_eq!(line.take_request(at(60)), Arrival::Pipelined);
    }
}
