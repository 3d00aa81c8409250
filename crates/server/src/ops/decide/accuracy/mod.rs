//! How often rules, badges and analyzers were right, by what people have decided since.

mod record;

use std::collections::{BTreeMap, HashSet};

use dregs_core::calibrate::EXAMPLES_MAX;
use dregs_core::label::Outcome;
use dregs_core::score::logit;

use crate::store::labels::{self, FoundObservation, Judged};
use crate::store::{Result, Tx};

pub use record::{LOOKED_AT_MAX, Overlap, Record, Subject, WEEKS, Week, record};

/// An observation speaks against somebody from so much on, in log-odds: about two points of a score.
const AGAINST_MIN: f64 = 0.1;

/// How often something matched somebody, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of those labelled, the bad.
    pub right: u64,
    /// And the good.
    pub wrong: u64,
    pub unlabelled: u64,
}

impl Tally {
    /// How many identities it matched.
    pub const fn took_hold(self) -> u64 {
        self.right + self.wrong + self.unlabelled
    }

    /// What speaks for an identity is right about the good.
    #[must_use]
    pub const fn of_a_good_badge(self) -> Self {
        Self { right: self.wrong, wrong: self.right, ..self }
    }

    pub(super) const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Good => self.wrong += 1,
            Outcome::Bad => self.right += 1,
        }
    }
}

/// What is known of a team's rules, badges and analyzers, by rule, by slug and by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Identities with a label that counts.
    pub good: u64,
    pub bad: u64,
    pub rules: BTreeMap<i64, Tally>,
    pub badges: BTreeMap<String, Tally>,
    /// Of those labelled alone: what was observed of others is not counted.
    pub analyzers: BTreeMap<String, Tally>,
}

/// Reads it from the newest labels of a team, at most [`EXAMPLES_MAX`], and from who has none.
///
/// # Errors
/// Those of the store.
pub fn read(tx: &mut Tx, team_id: i64) -> Result<Accuracy> {
    let mut accuracy = Accuracy::default();
    for Judged { verdict, found, .. } in newest(tx, team_id)? {
        match verdict.outcome {
            Outcome::Good => accuracy.good += 1,
            Outcome::Bad => accuracy.bad += 1,
        }
        let outcome = verdict.outcome;
        found.rules.into_iter().for_each(|rule| accuracy.rules.entry(rule).or_default().count(outcome));
        found.badges.into_iter().for_each(|badge| accuracy.badges.entry(badge).or_default().count(outcome));
        let against = found.observations.into_iter().filter(speaks_against);
        against.for_each(|one| accuracy.analyzers.entry(one.id).or_default().count(outcome));
    }
    for (rule, count) in labels::unlabelled_by_rule(tx, team_id)? {
        accuracy.rules.entry(rule).or_default().unlabelled = count.unsigned_abs();
    }
    for (badge, count) in labels::unlabelled_by_badge(tx, team_id)? {
        accuracy.badges.entry(badge).or_default().unlabelled = count.unsigned_abs();
    }
    Ok(accuracy)
}

/// The label of each identity that counts, of the newest labels of a team.
///
/// # Errors
/// Those of the store.
pub fn newest(tx: &mut Tx, team_id: i64) -> Result<Vec<Judged>> {
    let mut judged = labels::judged(tx, team_id, i64::try_from(EXAMPLES_MAX).unwrap_or(i64::MAX))?;
    // In the order of the labels where two were decided at one moment.
    judged.sort_by_key(|one| std::cmp::Reverse(one.decided_at));
    let mut seen = HashSet::new();
    judged.retain(|one| seen.insert(one.identity_id));
    Ok(judged)
}

fn speaks_against(one: &FoundObservation) -> bool {
    one.weight * one.confidence * logit(one.value) <= -AGAINST_MIN
}
