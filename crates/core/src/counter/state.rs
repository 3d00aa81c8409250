//! What is kept of one key: the newest buckets of each of the team's counters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sketch::{Sketch, distinct};
use super::{Addition, Counter, Counters, Function};
use crate::time::Timestamp;

/// Parts of a window.
pub const BUCKETS_OF_WINDOW: i64 = 24;
/// Buckets of one counter that are kept, the newest: two windows, so that what comes late still counts.
pub const BUCKETS_MAX: usize = 48;
/// Counters of one key, those of before that a later write drops among them.
const PARTS_MAX: usize = 100;
/// Changes with the bytes.
const FORMAT_VERSION: u8 = 1;
/// Of a number that is summed up: larger ones count as this.
const SUMMAND_MAX: f64 = 1e15;
/// Sums are kept in this part of one: whole numbers come to the same in any order.
const PARTS_OF_ONE: f64 = 1e6;

/// What happened in a bucket. Two of a kind make one, in any order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    Count(u64),
    /// In millionths.
    Sum(i128),
    Min(f64),
    Max(f64),
    Distinct(Sketch),
}

impl Content {
    /// A sum of finite numbers, each to a millionth.
    pub(super) fn sum(numbers: impl Iterator<Item = f64>) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it is far less than an i128 holds")]
        let parts =
            numbers.map(|number| (number.clamp(-SUMMAND_MAX, SUMMAND_MAX) * PARTS_OF_ONE).round() as i128);
        Self::Sum(parts.fold(0, i128::saturating_add))
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Count(one), Self::Count(other)) => *one = one.saturating_add(*other),
            (Self::Sum(one), Self::Sum(other)) => *one = one.saturating_add(*other),
            (Self::Min(one), Self::Min(other)) if other.total_cmp(one).is_lt() => *one = *other,
            (Self::Max(one), Self::Max(other)) if other.total_cmp(one).is_gt() => *one = *other,
            (Self::Distinct(one), Self::Distinct(other)) => one.merge(other),
            // Of one revision of a counter all are of one kind.
            _ => {}
        }
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::Count(_) | Self::Sum(_) => true,
            Self::Min(number) | Self::Max(number) => number.is_finite(),
            Self::Distinct(sketch) => sketch.is_sound(),
        }
    }
}

/// The buckets of one counter, by their numbers.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    width_ms: i64,
    buckets: BTreeMap<i64, Content>,
}

impl Part {
    fn add(&mut self, bucket: i64, content: &Content) {
        match self.buckets.get_mut(&bucket) {
            Some(there) => there.merge(content),
            None => _ = self.buckets.insert(bucket, content.clone()),
        }
        // What made room once would make room again, whenever it comes: no order matters here either.
        while self.buckets.len() > BUCKETS_MAX {
            self.buckets.pop_first();
        }
    }

    /// When nothing of it is in a window any more.
    fn expires_at(&self) -> Timestamp {
        let last = self.buckets.last_key_value().map_or(i64::MIN, |(last, _)| *last);
        let end = last.saturating_add(BUCKETS_OF_WINDOW).saturating_mul(self.width_ms);
        Timestamp::from_millis(end)
    }
}

/// All that is kept of one key: for each counter, by id and revision, its buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State(BTreeMap<(i64, i64), Part>);

impl State {
    /// Counts one more event.
    pub fn add(&mut self, addition: &Addition) {
        let part = || Part { width_ms: addition.width_ms, buckets: BTreeMap::new() };
        self.0.entry(addition.counter).or_insert_with(part).add(addition.bucket, &addition.content);
    }

    /// Adds what another state has counted.
    pub fn merge(&mut self, other: &Self) {
        for (counter, from) in &other.0 {
            let part = || Part { width_ms: from.width_ms, buckets: BTreeMap::new() };
            let part = self.0.entry(*counter).or_insert_with(part);
            // The newest first, so that what makes room is not even copied.
            for (bucket, content) in from.buckets.iter().rev() {
                part.add(*bucket, content);
            }
        }
    }

    /// Drops what counters of before have left. One that is newer than those in `counters` stays: another server has
    /// told of it, and not this one yet.
    pub fn retain(&mut self, counters: &Counters) {
        let newest = counters.iter().map(|counter| counter.id).max().unwrap_or(0);
        let known = |id: i64| counters.iter().find(|counter| counter.id == id);
        self.0
            .retain(|(id, revision), _| known(*id).map_or(*id > newest, |known| *revision >= known.revision));
        while self.0.len() > PARTS_MAX {
            self.0.pop_first();
        }
    }

    /// When nothing of it is in a window any more.
    pub fn expires_at(&self) -> Timestamp {
        self.0.values().map(Part::expires_at).max().unwrap_or_default()
    }

    /// What `counter` says at `at`: over the window that ends with the bucket of that time. `None` for the least or the
    /// greatest of nothing.
    pub fn value(&self, counter: &Counter, at: Timestamp) -> Option<f64> {
        let last = counter.bucket(at);
        let first = last.saturating_sub(BUCKETS_OF_WINDOW - 1);
        let part = self.0.get(&(counter.id, counter.revision));
        let contents =
            || part.into_iter().flat_map(|part| part.buckets.range(first..=last)).map(|(_, one)| one);
        match counter.function {
            Function::Count => {
                let counts = contents().map(|one| if let Content::Count(count) = one { *count } else { 0 });
                #[expect(clippy::cast_precision_loss, reason = "exact up to 9 quadrillion")]
                Some(counts.fold(0, u64::saturating_add) as f64)
            }
            Function::Sum(_) => {
                let sums = contents().map(|one| if let Content::Sum(sum) = one { *sum } else { 0 });
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "of a number this large the last digits say nothing"
                )]
                Some(sums.fold(0, i128::saturating_add) as f64 / PARTS_OF_ONE)
            }
            Function::Min(_) => {
                let least =
                    contents().filter_map(|one| if let Content::Min(one) = one { Some(*one) } else { None });
                least.min_by(f64::total_cmp)
            }
            Function::Max(_) => {
                let most =
                    contents().filter_map(|one| if let Content::Max(one) = one { Some(*one) } else { None });
                most.max_by(f64::total_cmp)
            }
            Function::Distinct(_) => Some(distinct(
                contents()
                    .filter_map(|one| if let Content::Distinct(seen) = one { Some(seen) } else { None }),
            )),
        }
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        let wire = |(counter, part): (&(i64, i64), &Part)| {
            let mut before = 0;
            let bucket = |(number, content): (&i64, &Content)| {
                let distance = number.wrapping_sub(before);
                before = *number;
                (distance, content.clone())
            };
            (*counter, part.width_ms, part.buckets.iter().map(bucket).collect())
        };
        let parts: Vec<Wire> = self.0.iter().map(wire).collect();
        // Only what cannot be written fails, and all of this can.
        postcard::to_extend(&parts, vec![FORMAT_VERSION]).unwrap_or_default()
    }

    /// What [`Self::encode`] wrote; `None` for bytes that it does not write.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first()?;
        if *version != FORMAT_VERSION {
            return None;
        }
        let (parts, rest) = postcard::take_from_bytes::<Vec<Wire>>(bytes).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let mut state = Self::default();
        for (counter, width_ms, wire) in parts {
            let (mut number, mut buckets) = (0_i64, BTreeMap::new());
            for (distance, content) in wire {
                number = number.wrapping_add(distance);
                if !content.is_sound() || buckets.insert(number, content).is_some() {
                    return None;
                }
            }
            let is_sound = (1..=BUCKETS_MAX).contains(&buckets.len()) && width_ms > 0;
            if !is_sound || state.0.insert(counter, Part { width_ms, buckets }).is_some() {
                return None;
            }
        }
        Some(state)
    }
}

/// Counter and revision; the width of its buckets; these, each by its distance from the one before.
type Wire = ((i64, i64), i64, Vec<(i64, Content)>);
