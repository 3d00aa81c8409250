//! Labels: what people have decided of an identity, and what follows from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::{Condition, Evidence, Happened, categories};
use crate::badge::{self, Badge, BadgeType, CONFIRMED_BAD};
use crate::label::{LabelKind, Outcome, Source, Verdict};
use crate::score::{ANALYZERS, Category, Observation};
use crate::time::Timestamp;

/// The label of an identity that counts: the newest that was not withdrawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    pub id: i64,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub source: Source,
    pub at: Timestamp,
    /// Who gave it, as the audit log calls them.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of those who are good: the categories in which nothing new was found since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Category>,
    /// Of those who are good: what lowered their scores then.
    #[serde(default)]
    pub evidence: Evidence,
}

impl Label {
    /// Settles, of who is good, all that was observed at the cycle that was looked at.
    #[must_use]
    pub fn settling(self, observations: &[Observation]) -> Self {
        if self.verdict.outcome == Outcome::Bad {
            return self;
        }
        Self { settled: Category::ALL.to_vec(), evidence: Evidence::of(observations.iter()), ..self }
    }

    /// Opens the categories again in which something new, or something stronger, was observed.
    pub fn look_at(&mut self, observations: &[Observation]) {
        let evidence = &self.evidence;
        self.settled
            .retain(|category| evidence.covers(observations.iter().filter(|one| one.category == *category)));
    }

    /// Whether a person has decided already what these conditions ask.
    pub(super) fn settles(&self, conditions: &[Condition]) -> bool {
        let mut asked = categories(conditions).peekable();
        asked.peek().is_some() && asked.all(|category| self.settled.contains(&category))
    }

    /// Whether a rule with these conditions says nothing more of the identity: a person has decided what they ask, or of who
    /// is labeled good, the event that meets them was before.
    pub fn holds_off(&self, conditions: &[Condition], event: Option<&Happened>) -> bool {
        let is_before = |event: &Happened| self.verdict.outcome == Outcome::Good && !event.is_after(self.at);
        self.settles(conditions) || event.is_some_and(is_before)
    }

    /// The same of what an analyzer's badge says.
    pub(super) fn settles_badge(&self, badge: &Badge) -> bool {
        let analyzer = badge::analyzer_of(&badge.slug);
        let analyzer = ANALYZERS.iter().find(|known| Some(known.id) == analyzer);
        analyzer.is_some_and(|analyzer| self.settled.contains(&analyzer.category))
    }

    /// The badge of who is bad.
    pub(super) fn badge(&self) -> Option<Badge> {
        (self.verdict.outcome == Outcome::Bad).then(|| Badge {
            slug: CONFIRMED_BAD.to_owned(),
            name: "Confirmed bad".to_owned(),
            badge_type: BadgeType::Bad,
            explanation: self.words(),
            metadata: Map::from_iter([
                ("label".to_owned(), json!(self.id)),
                ("kind".to_owned(), json!(self.verdict.kind)),
                ("source".to_owned(), json!(self.source)),
            ]),
        })
    }

    /// Why, in words that the person can be told.
    fn words(&self) -> String {
        let kind = self.verdict.kind.map_or("bad", LabelKind::words);
        let (source, at) = (self.source.words(), self.at.to_minute());
        let reason = self.reason.as_ref().map(|reason| format!(": “{reason}”")).unwrap_or_default();
        format!("Confirmed as {kind} by {source}, {at}{reason}.")
    }
}
