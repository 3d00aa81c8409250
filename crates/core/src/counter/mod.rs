//! Counters: how often, how many different, how much, over events that meet conditions, in a window of time, for each
//! value of a fact: "distinct users per device in 1 hour".
//!
//! A counter goes by the times of events and not by when they came. What is counted is kept in buckets, each a 24th of the
//! window, so a value is of the window to a 24th of it. All that a bucket holds comes to the same in whatever order events
//! arrive, and parts of the past that were counted apart make the whole.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::fact::{Fact, Subject, Value};
use crate::key::KeyHasher;
use crate::rules::Condition;
use crate::time::{SECOND_MS, Timestamp};

mod catalogue;
mod sketch;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod words;

pub use catalogue::{CATALOGUE, Template};
use sketch::Sketch;
pub use sketch::{EXACT_MAX, STANDARD_ERROR};
use state::Content;
pub use state::{BUCKETS_MAX, BUCKETS_OF_WINDOW, State};
pub use tally::Tally;
pub use words::window_words;

/// The shortest window.
pub const WINDOW_MIN_SECONDS: u64 = 60;
/// The longest: 30 days.
pub const WINDOW_MAX_SECONDS: u64 = 30 * 24 * 3_600;
/// Conditions of one counter.
pub const CONDITIONS_MAX: usize = 20;
/// Values of the fact it counts by, of one event: more are left out.
pub const KEYS_OF_EVENT_MAX: usize = 4;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// Events.
    Count,
    /// Different values of a fact, case apart: exact up to [`EXACT_MAX`] in a bucket, then an estimate whose standard
    /// error is [`STANDARD_ERROR`].
    Distinct(Fact),
    /// The sum of a fact's numbers, each to a millionth and at most 10^15.
    Sum(Fact),
    /// The least of a fact's numbers.
    Min(Fact),
    /// The greatest of a fact's numbers.
    Max(Fact),
}

impl Function {
    pub const NAMES: [&'static str; 5] = ["COUNT", "DISTINCT", "SUM", "MIN", "MAX"];

    /// The function of this name; `None` where there is none, or where it asks for a fact and there is none, or has one
    /// and does not ask for it.
    pub fn parse(name: &str, of: Option<Fact>) -> Option<Self> {
        Some(match (name, of) {
            ("COUNT", None) => Self::Count,
            ("DISTINCT", Some(of)) => Self::Distinct(of),
            ("SUM", Some(of)) => Self::Sum(of),
            ("MIN", Some(of)) => Self::Min(of),
            ("MAX", Some(of)) => Self::Max(of),
            _ => return None,
        })
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Distinct(_) => "DISTINCT",
            Self::Sum(_) => "SUM",
            Self::Min(_) => "MIN",
            Self::Max(_) => "MAX",
        }
    }

    /// The fact it is of.
    pub const fn of(&self) -> Option<&Fact> {
        match self {
            Self::Count => None,
            Self::Distinct(of) | Self::Sum(of) | Self::Min(of) | Self::Max(of) => Some(of),
        }
    }
}

/// A counter of a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    pub id: i64,
    /// Another number after each change of what it counts: it counts anew.
    pub revision: i64,
    /// By which rules name it; it stays when the name changes.
    pub slug: String,
    pub name: String,
    pub function: Function,
    /// It counts apart for each value of this: see [`is_key`].
    pub per: Fact,
    /// All of which an event must meet; each is of the event alone.
    pub conditions: Vec<Condition>,
    /// From [`WINDOW_MIN_SECONDS`] to [`WINDOW_MAX_SECONDS`].
    pub window_seconds: u64,
    /// Events received before this are counted by whoever builds its past, those from then on as they are stored.
    pub counts_from: Timestamp,
    /// Whether its past has been built. Before, what it says is too little, and no condition about it holds.
    pub is_ready: bool,
}

/// Whether counters may count by a fact: it stands for somebody or something.
pub const fn is_key(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Identity
            | Fact::Device
            | Fact::Ip
            | Fact::Network
            | Fact::Asn
            | Fact::Country
            | Fact::Email
            | Fact::EmailDomain
            | Fact::Phone
            | Fact::Session
            | Fact::Group(_)
            | Fact::EventData(_)
            | Fact::IdentityData(_)
    )
}

impl Counter {
    /// Milliseconds of a bucket.
    pub fn width_ms(&self) -> i64 {
        let window_ms = i64::try_from(self.window_seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_MS);
        (window_ms.saturating_add(BUCKETS_OF_WINDOW - 1) / BUCKETS_OF_WINDOW).max(1)
    }

    /// The number of the bucket that a time is in.
    pub fn bucket(&self, at: Timestamp) -> i64 {
        at.as_millis().div_euclid(self.width_ms())
    }

    /// Events before this cannot be in a window that ends at `at`.
    pub fn begins_at(&self, at: Timestamp) -> Timestamp {
        at.plus_millis(-self.width_ms().saturating_mul(BUCKETS_OF_WINDOW))
    }

    /// The times that are in the window of `at`: it ends with the bucket of that time.
    pub fn window(&self, at: Timestamp) -> Range<Timestamp> {
        let (width, last) = (self.width_ms(), self.bucket(at));
        let begin = |bucket: i64| Timestamp::from_millis(bucket.saturating_mul(width));
        begin(last.saturating_sub(BUCKETS_OF_WINDOW - 1))..begin(last.saturating_add(1))
    }

    /// Whether it counts an event.
    pub fn counts(&self, subject: &Subject) -> bool {
        subject.event.is_some() && self.conditions.iter().all(|condition| condition.holds_of(subject))
    }

    /// What it says of an event, at its time, itself included where that has been counted; of several keys the greatest.
    /// `find` gives the state of a key. `None` where the event has no value of what it counts by, and for the least or
    /// the greatest of nothing.
    pub fn value<'s>(
        &self,
        subject: &Subject,
        hasher: &KeyHasher,
        find: impl Fn(i64) -> Option<&'s State>,
    ) -> Option<f64> {
        let at = subject.event?.timestamp;
        let nothing = State::default();
        let keys = keys(&self.per, subject, hasher).into_iter();
        keys.filter_map(|key| find(key).unwrap_or(&nothing).value(self, at)).max_by(f64::total_cmp)
    }

    /// What an event adds in its bucket; `None` where it has no value of what is counted.
    fn content(&self, subject: &Subject, hasher: &KeyHasher) -> Option<Content> {
        let numbers = |of: &Fact| {
            let values = subject.values(of).into_iter();
            values.filter_map(|value| value.number()).collect::<Vec<_>>()
        };
        match &self.function {
            Function::Count => Some(Content::Count(1)),
            Function::Distinct(of) => {
                let folded = subject.values(of).into_iter().map(|value| value.folded());
                let hashes: Vec<_> =
                    folded.filter(|text| !text.is_empty()).map(|text| hasher.counted(&text)).collect();
                (!hashes.is_empty()).then(|| Content::Distinct(Sketch::of(hashes)))
            }
            Function::Sum(of) => {
                let numbers = numbers(of);
                (!numbers.is_empty()).then(|| Content::sum(numbers.into_iter()))
            }
            Function::Min(of) => numbers(of).into_iter().min_by(f64::total_cmp).map(Content::Min),
            Function::Max(of) => numbers(of).into_iter().max_by(f64::total_cmp).map(Content::Max),
        }
    }
}

/// The counters of a team.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters(Vec<Counter>);

impl Counters {
    pub const fn new(counters: Vec<Counter>) -> Self {
        Self(counters)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Counter> {
        self.0.iter()
    }

    /// The one with this slug.
    pub fn find(&self, slug: &str) -> Option<&Counter> {
        self.0.iter().find(|counter| counter.slug == slug)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What an event adds to the state of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    /// Hashed: see [`KeyHasher::counter_key`].
    pub key: i64,
    /// Id and revision.
    counter: (i64, i64),
    width_ms: i64,
    bucket: i64,
    content: Content,
}

/// All that an event adds for some of the counters of its team.
pub fn additions<'c>(
    counters: impl Iterator<Item = &'c Counter>,
    subject: &Subject,
    hasher: &KeyHasher,
) -> Vec<Addition> {
    let Some(event) = subject.event else { return Vec::new() };
    let mut keys_of = BTreeMap::new();
    let mut additions = Vec::new();
    for counter in counters.filter(|counter| counter.counts(subject)) {
        let keys = keys_of.entry(&counter.per).or_insert_with(|| keys(&counter.per, subject, hasher));
        let Some(content) = counter.content(subject, hasher).filter(|_| !keys.is_empty()) else { continue };
        let (id, width_ms, bucket) =
            ((counter.id, counter.revision), counter.width_ms(), counter.bucket(event.timestamp));
        let of_key =
            |key: &i64| Addition { key: *key, counter: id, width_ms, bucket, content: content.clone() };
        additions.extend(keys.iter().map(of_key));
    }
    additions
}

/// The hashed keys of an event, each once.
pub fn keys(per: &Fact, subject: &Subject, hasher: &KeyHasher) -> Vec<i64> {
    keyed(per, subject, hasher).into_iter().map(|(key, _)| key).collect()
}

/// The same, each with the value that it is of, as the event has it.
pub fn keyed(per: &Fact, subject: &Subject, hasher: &KeyHasher) -> Vec<(i64, Value)> {
    let name = per.to_string();
    let mut keys: Vec<(i64, Value)> = Vec::new();
    for value in subject.values(per) {
        let folded = value.folded();
        let key = hasher.counter_key(&name, &folded);
        let is_new = keys.iter().all(|(known, _)| *known != key);
        if !folded.is_empty() && is_new && keys.len() < KEYS_OF_EVENT_MAX {
            keys.push((key, value));
        }
    }
    keys
}
