//! What is to be scored, in memory, by the time it is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use dregs_core::time::Timestamp;

use crate::ops::handoff::Due;

/// Identities to score together.
pub struct Batch {
    pub identity_ids: Vec<i64>,
    /// How many places in the handoff they hold.
    pub places: usize,
}

/// Identities by due time.
#[derive(Default)]
pub struct Schedule(BinaryHeap<Reverse<Due>>);

impl Schedule {
    pub fn push(&mut self, due: Due) {
        self.0.push(Reverse(due));
    }

    /// Takes up to `limit` identities that are due at `now`.
    pub fn take_due(&mut self, now: Timestamp, limit: usize) -> Batch {
        let mut identity_ids = Vec::new();
        while identity_ids.len() < limit
            && let Some(Reverse(due)) = self.0.peek()
            && due.at <= now
        {
            identity_ids.push(due.identity_id);
            self.0.pop();
        }
        let places = identity_ids.len();
        identity_ids.sort_unstable();
        identity_ids.dedup();
        Batch { identity_ids, places }
    }

    /// Everybody who is planned, due or not.
    pub fn into_identity_ids(self) -> Vec<i64> {
        self.0.into_iter().map(|Reverse(due)| due.identity_id).collect()
    }

    /// How long until something is due; `None` when nothing is planned.
    pub fn next_in(&self, now: Timestamp) -> Option<Duration> {
        let Reverse(due) = self.0.peek()?;
        let millis = due.at.millis_since(now).max(0);
        Some(Duration::from_millis(millis.unsigned_abs()))
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.identity_ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_is_due_earliest_first_and_once() {
        let at = |millis| Timestamp::from_millis(millis);
        let mut schedule = Schedule::default();
        for (millis, identity_id) in [(30, 3), (10, 1), (20, 2), (20, 2)] {
            schedule.push(Due { at: at(millis), identity_id });
        }
        let batch = schedule.take_due(at(20), 8);
        assert_eq!((batch.identity_ids, batch.places), (vec![1, 2], 3));
        assert!(schedule.take_due(at(29), 8).is_empty());
        assert_eq!(schedule.next_in(at(20)), Some(Duration::from_millis(10)));
    }
}
