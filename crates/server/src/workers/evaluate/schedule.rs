//! What is to be scored, in memory, by the time it is due.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::time::Duration;

use dregs_core::time::Timestamp;

use crate::store::claims::Due;

/// Identities to score together.
pub struct Batch {
    pub identity_ids: Vec<i64>,
    /// How many places in the handoff they hold.
    pub places: usize,
}

/// Identities by due time.
pub struct Schedule {
    heap: BinaryHeap<Reverse<Due>>,
    /// Nothing is planned further ahead, unless the clock was put back meanwhile.
    ahead_max_ms: i64,
    /// Those that are being scored.
    under_way: HashSet<i64>,
    /// Those of them that are due again already. Two cycles of one identity at once would undo each other.
    held: Vec<Due>,
}

impl Schedule {
    pub fn new(ahead_max_ms: i64) -> Self {
        Self { heap: BinaryHeap::new(), ahead_max_ms, under_way: HashSet::new(), held: Vec::new() }
    }

    pub fn push(&mut self, due: Due) {
        self.heap.push(Reverse(due));
    }

    /// Takes up to `limit` identities that are due at `now`, and that nobody scores: until [`Self::finished`].
    pub fn take_due(&mut self, now: Timestamp, limit: usize) -> Batch {
        let mut identity_ids = Vec::new();
        while identity_ids.len() < limit
            && let Some(Reverse(due)) = self.heap.peek()
            && self.is_due(due, now)
        {
            let due = *due;
            self.heap.pop();
            if self.under_way.contains(&due.identity_id) {
                self.held.push(due);
            } else {
                identity_ids.push(due.identity_id);
            }
        }
        let places = identity_ids.len();
        identity_ids.sort_unstable();
        identity_ids.dedup();
        self.under_way.extend(&identity_ids);
        Batch { identity_ids, places }
    }

    fn is_due(&self, due: &Due, now: Timestamp) -> bool {
        due.at <= now || due.at.millis_since(now) > self.ahead_max_ms
    }

    /// Says that those of a batch are scored.
    pub fn finished(&mut self, identity_ids: &[i64]) {
        for id in identity_ids {
            self.under_way.remove(id);
        }
        let under_way = &self.under_way;
        self.heap.extend(self.held.extract_if(.., |due| !under_way.contains(&due.identity_id)).map(Reverse));
    }

    /// Says that some batch has ended, of which nobody knows whom it was about.
    pub fn lost(&mut self) {
        self.under_way.clear();
        self.finished(&[]);
    }

    /// All that is left.
    pub fn into_rest(self) -> Vec<Due> {
        self.heap.into_iter().map(|Reverse(due)| due).chain(self.held).collect()
    }

    /// How long until something is due; `None` when nothing is planned.
    pub fn next_in(&self, now: Timestamp) -> Option<Duration> {
        let Reverse(due) = self.heap.peek()?;
        let millis = if self.is_due(due, now) { 0 } else { due.at.millis_since(now) };
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
        let mut schedule = Schedule::new(1_000);
        for (millis, identity_id) in [(30, 3), (10, 1), (20, 2), (20, 2)] {
            schedule.push(Due { at: at(millis), identity_id });
        }
        let batch = schedule.take_due(at(20), 8);
        assert_eq!((batch.identity_ids, batch.places), (vec![1, 2], 3));
        assert!(schedule.take_due(at(29), 8).is_empty());
        assert_eq!(schedule.next_in(at(20)), Some(Duration::from_millis(10)));
        // Who is being scored is not scored twice at once.
        schedule.push(Due { at: at(21), identity_id: 2 });
        assert!(schedule.take_due(at(29), 8).is_empty());
        schedule.finished(&[1, 2]);
        assert_eq!(schedule.take_due(at(29), 8).identity_ids, [2]);
        schedule.push(Due { at: at(21), identity_id: 2 });
        assert!(schedule.take_due(at(29), 8).is_empty());
        schedule.lost();
        assert_eq!(schedule.take_due(at(29), 8).identity_ids, [2]);
        // The clock was put back.
        assert_eq!(schedule.next_in(at(-971)), Some(Duration::ZERO));
        assert_eq!(schedule.take_due(at(-971), 8).identity_ids, [3]);
    }
}
