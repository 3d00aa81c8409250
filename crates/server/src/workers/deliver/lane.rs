//! A channel's own queue, its concurrency and its rate.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::ops::channels::Endpoint;
use crate::ops::handoff::Outgoing;

#[derive(Default)]
pub struct Lane {
    pub queue: VecDeque<Outgoing>,
    in_flight: usize,
    /// Deliveries in the queue or under way.
    held: HashSet<i64>,
    /// When the rate allows the next attempt.
    next_at: Option<Instant>,
}

/// What a lane does next.
pub enum Next {
    Attempt(Box<Outgoing>),
    /// Nothing before this.
    At(Instant),
    Nothing,
}

impl Lane {
    /// Queues a delivery, unless it is here already: a row whose lease ran out while it waited here
    /// is claimed anew, which renews its lease, and is still to be sent once. Answers whether it is
    /// queued.
    pub fn push(&mut self, outgoing: Outgoing) -> bool {
        let is_new = self.held.insert(outgoing.delivery_id);
        if is_new {
            self.queue.push_back(outgoing);
        }
        is_new
    }

    /// Notes that an attempt is over.
    pub fn finished(&mut self, delivery_id: i64) {
        self.held.remove(&delivery_id);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The next delivery, if the channel may have one more under way now. A disabled channel
    /// sends tests only.
    pub fn next(&mut self, endpoint: &Endpoint, now: Instant) -> Next {
        if self.in_flight >= endpoint.webhook.max_concurrency as usize {
            return Next::Nothing;
        }
        let position = if endpoint.enabled { 0 } else { self.first_watched() };
        if position >= self.queue.len() {
            return Next::Nothing;
        }
        if let Some(rate) = endpoint.webhook.rate_per_second {
            if let Some(at) = self.next_at.filter(|at| *at > now) {
                return Next::At(at);
            }
            // From the planned instant, not from now: lateness of one does not slow the others.
            let planned = self.next_at.map_or(now, |at| at.max(now - SLACK));
            self.next_at = Some(planned + Duration::from_secs(1) / rate);
        }
        self.in_flight += 1;
        match self.queue.remove(position) {
            Some(outgoing) => Next::Attempt(Box::new(outgoing)),
            None => Next::Nothing,
        }
    }

    fn first_watched(&self) -> usize {
        self.queue.iter().position(|outgoing| outgoing.watcher.is_some()).unwrap_or(self.queue.len())
    }
}

/// How far a lane may fall behind its rate and still catch up.
const SLACK: Duration = Duration::from_millis(50);
