//! Counters in memory: what they would say, for a back-test.

use std::collections::HashMap;

use super::{Counter, Counters, State, additions};
use crate::fact::Subject;
use crate::key::KeyHasher;

/// The states of every key.
pub struct Tally {
    hasher: KeyHasher,
    states: HashMap<i64, State>,
}

impl Tally {
    pub fn new(hasher: KeyHasher) -> Self {
        Self { hasher, states: HashMap::new() }
    }

    /// Counts an event.
    pub fn fold(&mut self, counters: &Counters, subject: &Subject) {
        for addition in additions(counters.iter(), subject, &self.hasher) {
            self.states.entry(addition.key).or_default().add(&addition);
        }
    }

    /// What a counter says of an event, at its time: see [`Counter::value`].
    pub fn value(&self, counter: &Counter, subject: &Subject) -> Option<f64> {
        counter.value(subject, &self.hasher, |key| self.states.get(&key))
    }
}
