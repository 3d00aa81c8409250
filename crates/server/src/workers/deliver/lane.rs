//! A channel's own queue, its concurrency and its rate, and what of it goes out at once.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use dregs_core::notify::breaker::Allowance;
use tokio::time::Instant;

use crate::channels::email::DIGEST_MAX;
use crate::ops::deliver::endpoints::Endpoint;
use crate::ops::handoff::Outgoing;

#[derive(Default)]
pub struct Lane {
    pub queue: VecDeque<Outgoing>,
    in_flight: usize,
    /// Deliveries in the queue or under way.
    held: HashSet<i64>,
    /// When the rate allows the next attempt.
    next_at: Option<Instant>,
    /// When the attempts of the last minute began, where too many are gathered.
    begun: VecDeque<Instant>,
    /// When the queue was last empty, or what is in it last taken anew.
    filled_at: Option<Instant>,
}

/// What a lane does next.
pub enum Next {
    /// One delivery, or several at once.
    Attempt(Vec<Outgoing>),
    /// The same, to see whether the channel works again.
    Probe(Vec<Outgoing>),
    /// Nothing before this.
    At(Instant),
    /// What waits goes back to the store, for so long.
    Return(Duration),
    Nothing,
}

/// How many deliveries a lane takes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    For(usize),
    /// None before this.
    At(Instant),
    None,
}

impl Lane {
    /// How many to claim. A channel that is left alone takes none, and one for a probe. One that leaves out
    /// what newer ones replace takes only what it can begin at once: what waits here can no longer be replaced.
    pub fn room(&self, endpoint: &Endpoint, allowance: Allowance, now: Instant) -> Room {
        match allowance {
            Allowance::NothingUntil(_) => return Room::None,
            Allowance::Probe => return Room::For(1),
            Allowance::Everything => {}
        }
        let sender = &endpoint.sender;
        if !sender.coalesces() {
            return Room::For(usize::MAX);
        }
        let busy = self.in_flight + self.queue.len();
        let mut most = (sender.max_concurrency() as usize).saturating_sub(busy);
        if let Some(rate) = sender.rate_per_second() {
            if let Some(at) = self.next_at.filter(|at| *at > now) {
                return Room::At(at);
            }
            most = most.min(1 + rate as usize / BATCHES_PER_SECOND);
        }
        if most == 0 { Room::None } else { Room::For(most) }
    }

    /// Queues a delivery, unless it is here already. Answers whether it is queued.
    pub fn push(&mut self, outgoing: Outgoing) -> bool {
        if self.queue.is_empty() {
            self.filled_at = Some(Instant::now());
        }
        let is_new = self.held.insert(outgoing.delivery_id);
        match (is_new, outgoing.watcher.is_some()) {
            (true, true) => self.queue.push_front(outgoing),
            (true, false) => self.queue.push_back(outgoing),
            (false, _) => {}
        }
        is_new
    }

    /// Notes that an attempt is over.
    pub fn finished(&mut self, delivery_ids: &[i64]) {
        for id in delivery_ids {
            self.held.remove(id);
        }
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// What to do now with what is queued. A disabled channel sends tests only, and so does one that is left
    /// alone.
    pub fn next(&mut self, endpoint: &Endpoint, allowance: Allowance, now: Instant) -> Next {
        let Some(first) = self.queue.front() else { return Next::Nothing };
        if first.watcher.is_some() {
            return self.take(1).map_or(Next::Nothing, Next::Attempt);
        }
        let is_old = self.filled_at.is_some_and(|at| now - at > QUEUED_MAX);
        if is_old || !endpoint.enabled || matches!(allowance, Allowance::NothingUntil(_)) {
            return Next::Return(Duration::ZERO);
        }
        let most = if allowance == Allowance::Probe { 1 } else { endpoint.sender.max_concurrency() };
        if self.in_flight >= most as usize {
            return Next::Nothing;
        }
        let mut count = 1;
        if let Some(limit) = endpoint.sender.gathers_beyond() {
            self.begun.retain(|at| *at + MINUTE > now);
            let left = (limit as usize).saturating_sub(self.begun.len());
            if let (0, Some(first)) = (left, self.begun.front()) {
                return Next::Return(*first + MINUTE - now);
            }
            self.begun.push_back(now);
            count = if self.queue.len() > left { DIGEST_MAX } else { 1 };
        }
        if let Some(rate) = endpoint.sender.rate_per_second() {
            if let Some(at) = self.next_at.filter(|at| *at > now) {
                return Next::At(at);
            }
            // From the planned instant, not from now: lateness of one does not slow the others.
            let planned = self.next_at.map_or(now, |at| at.max(now - SLACK));
            self.next_at = Some(planned + Duration::from_secs(1) / rate);
        }
        let make = if allowance == Allowance::Probe { Next::Probe } else { Next::Attempt };
        self.take(count).map_or(Next::Nothing, make)
    }

    fn take(&mut self, count: usize) -> Option<Vec<Outgoing>> {
        let taken: Vec<_> = self.queue.drain(..self.queue.len().min(count)).collect();
        self.in_flight += usize::from(!taken.is_empty());
        (!taken.is_empty()).then_some(taken)
    }

    /// Empties the queue; the answer is the deliveries in it.
    pub fn give_up(&mut self) -> Vec<i64> {
        let ids: Vec<_> = self.queue.drain(..).map(|outgoing| outgoing.delivery_id).collect();
        for id in &ids {
            self.held.remove(id);
        }
        ids
    }
}

/// How long deliveries may wait here. With the longest deadline after it, a lease is not over: nobody else
/// takes what this lane still sends.
const QUEUED_MAX: Duration = Duration::from_secs(45);
/// How often a second a channel that leaves out what newer ones replace, and has a rate, claims at most.
const BATCHES_PER_SECOND: usize = 20;
/// How far a lane may fall behind its rate and still catch up.
const SLACK: Duration = Duration::from_millis(50);
const MINUTE: Duration = Duration::from_secs(60);
