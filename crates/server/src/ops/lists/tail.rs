//! The end of a table that rows are only ever added to, as far as it has been read.

use std::collections::HashMap;

use dregs_core::time::{MINUTE_MS, Timestamp};

/// A row whose number was skipped may still be under way on another node, for this long.
const GAP_MS: i64 = MINUTE_MS;

/// How far a table has been read.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    /// The row up to which everything has been read, but for the gaps.
    pub seen: i64,
    /// Numbers before it that were not there, and since when they are missed.
    gaps: HashMap<i64, Timestamp>,
}

impl Tail {
    /// The end of a table whose last row is this one.
    pub fn at(last: i64) -> Self {
        Self { seen: last, gaps: HashMap::new() }
    }

    /// The numbers that are missed.
    pub fn gaps(&self) -> Vec<i64> {
        self.gaps.keys().copied().collect()
    }

    /// Takes note of rows that were read, those after the end in order.
    pub fn note(&mut self, ids: impl IntoIterator<Item = i64>, now: Timestamp) {
        for id in ids {
            self.gaps.remove(&id);
            self.gaps.extend((self.seen + 1..id).map(|skipped| (skipped, now)));
            self.seen = self.seen.max(id);
        }
        self.gaps.retain(|_, since| now.millis_since(*since) < GAP_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_missed_until_it_comes_or_a_minute_has_passed() {
        let at = Timestamp::from_millis;
        let missed = |tail: &Tail| {
            let mut gaps = tail.gaps();
            gaps.sort_unstable();
            (tail.seen, gaps)
        };
        let mut tail = Tail::at(10);
        tail.note([11, 14], at(0));
        assert_eq!(missed(&tail), (14, vec![12, 13]));
        tail.note([13, 16], at(1));
        assert_eq!(missed(&tail), (16, vec![12, 15]));
        tail.note([], at(GAP_MS));
        assert_eq!(missed(&tail), (16, vec![15]));
    }
}
