//! What lowered scores when a person looked at an identity, and whether something new does.

use serde::{Deserialize, Serialize};

use crate::score::{Observation, logit};

/// By how much, in log-odds, what lowered a score must have grown to be new evidence. It moves a score by five
/// points of 100 at most (100 × σ′(0) × 0.2), so that a count that grows by one brings nothing back.
const STRONGER_LOG_ODDS: f64 = 0.2;

/// The observations that lowered scores, by their analyzers, and by how much each did, in log-odds: below 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence(Vec<(String, f64)>);

impl Evidence {
    /// Of these observations.
    pub fn of<'o>(observations: impl Iterator<Item = &'o Observation>) -> Self {
        Self(lowering(observations).map(|(id, push)| (id.to_owned(), push)).collect())
    }

    /// Whether it has all that lowers scores in these observations, and nothing of it has grown.
    pub fn covers<'o>(&self, observations: impl Iterator<Item = &'o Observation>) -> bool {
        lowering(observations).all(|(id, push)| {
            let known = self.0.iter().find(|(known, _)| known == id);
            known.is_some_and(|(_, then)| push > then - STRONGER_LOG_ODDS)
        })
    }
}

fn lowering<'o>(observations: impl Iterator<Item = &'o Observation>) -> impl Iterator<Item = (&'o str, f64)> {
    observations.filter_map(|one| {
        let push = one.weight * one.confidence * logit(one.value);
        (push < 0.0).then_some((one.id.as_str(), push))
    })
}
