//! What is remembered of an identity between two decisions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dismissal, Label, Opening, Snooze};
use crate::agent::KnownAgent;
use crate::badge::Badge;
use crate::score::Scores;
use crate::time::Timestamp;

/// Which kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    Badge,
    Escalation,
}

/// A rule whose conditions hold, or that is in force: its badge is carried, its escalation open or closed
/// by a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub kind: Kind,
    pub rule: i64,
    /// Of the rule when it was looked at.
    pub revision: i64,
    /// Whether its conditions hold, ages apart.
    pub holds: bool,
    /// Since when that is so.
    pub since: Timestamp,
    pub in_force: bool,
}

/// What the events of an identity say to a channel that asks about events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The number of what was asked: see [`crate::notify::filter::ChannelFilter::question`].
    pub question: i64,
    pub holds: bool,
}

/// How an identity stands after a decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub badges: Vec<Badge>,
    /// At most one for each rule.
    pub rules: Vec<Held>,
    /// Badges that are not given, though their rules hold.
    pub dismissed: Vec<Dismissal>,
    /// At most one for each rule.
    pub snoozed: Vec<Snooze>,
    /// What people have decided of it.
    pub label: Option<Label>,
    /// The agent of an AI service that was seen last.
    pub agent: Option<KnownAgent>,
    /// The last scores that each channel was told of which wants to hear of changes alone.
    pub told: BTreeMap<i64, Scores>,
    /// What its events say to each channel that asks about events.
    pub heard: BTreeMap<i64, Heard>,
    /// The row of the newest event that rules were asked about; 0 before the first.
    pub asked: i64,
    /// What will open escalations by rules that ask about events and whose time has not come: the event is not asked about
    /// again then. At most one for each rule.
    pub waiting: Vec<Opening>,
}

/// A standing as it is written: rules as rows of numbers, since a thousand of them are read and written with
/// each cycle.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    badges: Vec<Badge>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<Row>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dismissed: Vec<Dismissal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    snoozed: Vec<Snooze>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<KnownAgent>,
    /// Channel, and its scores by category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<(i64, [Option<u8>; 4])>,
    /// Channel, question, and whether it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    heard: Vec<(i64, i64, bool)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    asked: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Opening>,
    /// What versions before rows wrote.
    #[serde(default, skip_serializing)]
    rules: Vec<Held>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(row: &i64) -> bool {
    *row == 0
}

/// Kind, rule, revision, 1 where it holds and 2 where it is in force, and since when in milliseconds.
type Row = (u8, i64, i64, u8, i64);

impl From<&Held> for Row {
    fn from(held: &Held) -> Self {
        let flags = u8::from(held.holds) | u8::from(held.in_force) << 1;
        let is_of_escalations = u8::from(held.kind == Kind::Escalation);
        (is_of_escalations, held.rule, held.revision, flags, held.since.as_millis())
    }
}

impl From<Row> for Held {
    fn from((kind, rule, revision, flags, since): Row) -> Self {
        Self {
            kind: if kind == 0 { Kind::Badge } else { Kind::Escalation },
            rule,
            revision,
            holds: flags & 1 != 0,
            since: Timestamp::from_millis(since),
            in_force: flags & 2 != 0,
        }
    }
}

impl Standing {
    /// From what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// When it did not write that.
    pub fn decode(text: Option<&str>) -> Result<Self, serde_json::Error> {
        let Some(text) = text else { return Ok(Self::default()) };
        let Written { badges, held, dismissed, snoozed, label, agent, told, heard, asked, waiting, rules } =
            serde_json::from_str(text)?;
        let rules = rules.into_iter().chain(held.into_iter().map(Held::from)).collect();
        let told = told.into_iter().map(|(channel, [humanity, authenticity, uniqueness, behavior])| {
            (channel, Scores { humanity, authenticity, uniqueness, behavior })
        });
        let told = told.collect();
        let heard = heard.into_iter();
        let heard = heard.map(|(channel, question, holds)| (channel, Heard { question, holds })).collect();
        Ok(Self { badges, rules, dismissed, snoozed, label, agent, told, heard, asked, waiting })
    }

    /// JSON; `None` where there is nothing to remember.
    ///
    /// # Errors
    /// Never in practice: what was read as JSON can be written as it.
    pub fn encode(&self) -> Result<Option<String>, serde_json::Error> {
        if *self == Self::default() {
            return Ok(None);
        }
        let held = self.rules.iter().map(Row::from).collect();
        let Self { badges, dismissed, snoozed, label, agent, asked, waiting, .. } = self.clone();
        let told = self.told.iter().map(|(channel, scores)| {
            let Scores { humanity, authenticity, uniqueness, behavior } = *scores;
            (*channel, [humanity, authenticity, uniqueness, behavior])
        });
        let told = told.collect();
        let heard =
            self.heard.iter().map(|(channel, heard)| (*channel, heard.question, heard.holds)).collect();
        let rules = Vec::new();
        let written =
            Written { badges, held, dismissed, snoozed, label, agent, told, heard, asked, waiting, rules };
        serde_json::to_string(&written).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(kind: Kind, holds: bool, in_force: bool) -> Held {
        Held { kind, rule: 7, revision: 3, holds, since: Timestamp::from_millis(1_795_426_200_007), in_force }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let rules = vec![
            held(Kind::Badge, true, true),
            held(Kind::Badge, true, false),
            held(Kind::Escalation, false, true),
        ];
        let heard = BTreeMap::from([(5, Heard { question: -9, holds: true })]);
        let standing = Standing { rules, heard, ..Standing::default() };
        let text = standing.encode().unwrap().unwrap();
        let expected = r#"{"held":[[0,7,3,3,1795426200007],[0,7,3,1,1795426200007],[1,7,3,2,1795426200007]],"heard":[[5,-9,true]]}"#;
        assert_eq!(text, expected);
        assert_eq!(Standing::decode(Some(&text)).unwrap(), standing);
        assert_eq!(Standing::default().encode().unwrap(), None);
    }

    #[test]
    fn what_earlier_versions_wrote_is_read() {
        let text = r#"{"rules":[{"kind":"Escalation","rule":7,"revision":3,"holds":true,
            "since":"2026-11-23T09:30:00.007Z","inForce":false}]}"#;
        let expected = Standing { rules: vec![held(Kind::Escalation, true, false)], ..Standing::default() };
        assert_eq!(Standing::decode(Some(text)).unwrap(), expected);
    }
}
