//! What spoke against an identity when a person looked at it, and whether something new does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::score::{ANALYZERS, Observation, logit};

/// By how much, in log-odds, a score must be lower by an observation than it was for it to be new evidence. It moves a
/// score by five points of 100 at most (100 × σ′(0) × 0.2), so that a count that grows by one brings nothing back.
const STRONGER_LOG_ODDS: f64 = 0.2;

/// The observations that spoke against an identity, by their analyzers, and how much each did so before its weight, in
/// log-odds: below 0. Those in shadow are among them. So weights that change are nothing new about a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Evidence(BTreeMap<String, f64>);

/// As it is written, and as it was before: with the weights.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Evidence(BTreeMap<String, f64>),
    Weighted(Vec<(String, f64)>),
}

impl From<Written> for Evidence {
    fn from(written: Written) -> Self {
        match written {
            Written::Evidence(against) => Self(against),
            Written::Weighted(pushes) => {
                let against = |(id, push): (String, f64)| {
                    let weight = ANALYZERS.iter().find(|analyzer| analyzer.id == id)?.weight;
                    (weight > 0.0).then(|| (id, push / weight))
                };
                Self(pushes.into_iter().filter_map(against).collect())
            }
        }
    }
}

impl Evidence {
    /// Of these observations.
    pub fn of<'o>(observations: impl Iterator<Item = &'o Observation>) -> Self {
        let against = observations.map(|one| (one.id.clone(), against(one)));
        Self(against.filter(|(_, against)| *against < 0.0).collect())
    }

    /// Whether it has all that lowers scores in these observations, and none of them lowers a score by more than it would
    /// have done then, with the weights of now.
    pub fn covers<'o>(&self, mut observations: impl Iterator<Item = &'o Observation>) -> bool {
        observations.all(|one| {
            let now = against(one);
            let lowers = one.weight > 0.0 && now < 0.0;
            let is_known = |then: &f64| one.weight * (now - then) > -STRONGER_LOG_ODDS;
            !lowers || self.0.get(&one.id).is_some_and(is_known)
        })
    }
}

/// How much it speaks for an identity, below 0 against it, whatever it weighs.
fn against(one: &Observation) -> f64 {
    one.confidence * logit(one.value)
}
