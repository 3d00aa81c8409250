//! Badges that a person has taken off an identity, and what brings them back.

use serde::{Deserialize, Serialize};

use super::{Condition, Rules, Which};
use crate::badge;
use crate::score::{Category, Observation, logit};
use crate::time::Timestamp;

/// By how much, in log-odds, what lowered a score must have grown to be new evidence. It moves a score by five
/// points of 100 at most (100 × σ′(0) × 0.2), so that a count that grows by one brings nothing back.
const STRONGER_LOG_ODDS: f64 = 0.2;

/// A badge that stays off for as long as nothing new speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dismissal {
    /// Of the badge.
    pub slug: String,
    /// For people.
    pub name: String,
    pub at: Timestamp,
    /// Who dismissed it, as the audit log calls them.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of the rule that gives it, when it was dismissed; 0 for an analyzer's.
    pub revision: i64,
    /// Observations that lowered the scores it goes by, and by how much, in log-odds.
    pub evidence: Vec<(String, f64)>,
}

impl Dismissal {
    /// Dismisses a badge of an identity that was scored by these observations.
    pub fn new(
        slug: &str,
        name: &str,
        (at, by, reason): (Timestamp, &str, Option<String>),
        observations: &[Observation],
        rules: &Rules,
    ) -> Self {
        let evidence = evidence(slug, observations, rules).map(|(id, push)| (id.to_owned(), push)).collect();
        let (slug, name, by) = (slug.to_owned(), name.to_owned(), by.to_owned());
        Self { revision: revision(&slug, rules), slug, name, at, by, reason, evidence }
    }

    /// Whether it still holds: its rule asks for what it asked for then, and nothing new speaks for the badge.
    /// Without a cycle there are no observations.
    pub fn holds(&self, observations: Option<&[Observation]>, rules: &Rules) -> bool {
        let is_known = |id: &str, push: f64| {
            let known = self.evidence.iter().find(|(known, _)| known == id);
            known.is_some_and(|(_, then)| push > then - STRONGER_LOG_ODDS)
        };
        self.revision == revision(&self.slug, rules)
            && observations.is_none_or(|observations| {
                evidence(&self.slug, observations, rules).all(|(id, push)| is_known(id, push))
            })
    }
}

/// 0 where no rule gives it.
fn revision(slug: &str, rules: &Rules) -> i64 {
    rules.badges.iter().find(|rule| rule.slug == slug).map_or(0, |rule| rule.revision)
}

/// What speaks for the badge with this slug: the observations that lower the scores its rule goes by, or that of
/// its analyzer.
fn evidence<'o>(
    slug: &str,
    observations: &'o [Observation],
    rules: &Rules,
) -> impl Iterator<Item = (&'o str, f64)> + use<'o> {
    let rule = rules.badges.iter().find(|rule| rule.slug == slug);
    let categories: Vec<_> =
        rule.iter().flat_map(|rule| rule.conditions.iter().flat_map(categories)).collect();
    let analyzer = badge::analyzer_of(slug);
    observations.iter().filter_map(move |one| {
        let push = one.weight * one.confidence * logit(one.value);
        let speaks = categories.contains(&one.category) || analyzer == Some(one.id.as_str());
        (speaks && push < 0.0).then_some((one.id.as_str(), push))
    })
}

fn categories(condition: &Condition) -> Vec<Category> {
    let which = match condition {
        Condition::ScoreLt { category, .. }
        | Condition::ScoreLte { category, .. }
        | Condition::ScoreGt { category, .. }
        | Condition::ScoreGte { category, .. } => *category,
        _ => return Vec::new(),
    };
    match which {
        Which::Humanity => vec![Category::Humanity],
        Which::Authenticity => vec![Category::Authenticity],
        Which::Uniqueness => vec![Category::Uniqueness],
        Which::Behavior => vec![Category::Behavior],
        Which::Any => Category::ALL.to_vec(),
    }
}
