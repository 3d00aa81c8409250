//! Badges that a person has taken off an identity, and what brings them back.

use serde::{Deserialize, Serialize};

use super::{Evidence, Rules, categories};
use crate::badge;
use crate::score::Observation;
use crate::time::Timestamp;

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
    /// What lowered the scores it goes by.
    pub evidence: Evidence,
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
        let evidence = Evidence::of(behind(slug, observations, rules));
        let (slug, name, by) = (slug.to_owned(), name.to_owned(), by.to_owned());
        Self { revision: revision(&slug, rules), slug, name, at, by, reason, evidence }
    }

    /// Whether it still holds: its rule asks for what it asked for then, and nothing new speaks for the badge.
    /// Without a cycle there are no observations.
    pub fn holds(&self, observations: Option<&[Observation]>, rules: &Rules) -> bool {
        self.revision == revision(&self.slug, rules)
            && observations
                .is_none_or(|observations| self.evidence.covers(behind(&self.slug, observations, rules)))
    }
}

/// 0 where no rule gives it.
fn revision(slug: &str, rules: &Rules) -> i64 {
    rules.badges.iter().find(|rule| rule.slug == slug).map_or(0, |rule| rule.revision)
}

/// What speaks for the badge with this slug: the observations of the categories its rule goes by, or that of its
/// analyzer.
fn behind<'o>(
    slug: &str,
    observations: &'o [Observation],
    rules: &Rules,
) -> impl Iterator<Item = &'o Observation> + use<'o> {
    let rule = rules.badges.iter().find(|rule| rule.slug == slug);
    let categories: Vec<_> = rule.map(|rule| categories(&rule.conditions).collect()).unwrap_or_default();
    let analyzer = badge::analyzer_of(slug);
    observations
        .iter()
        .filter(move |one| categories.contains(&one.category) || analyzer == Some(one.id.as_str()))
}
