//! What is remembered of an identity between two decisions.

use serde::{Deserialize, Serialize};

use crate::badge::Badge;
use crate::time::Timestamp;

/// Which kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    Badge,
    Escalation,
}

/// A rule whose conditions hold, or that is in force: its badge is carried, its escalation open or closed
/// by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// How an identity stands after a decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
    /// At most one for each rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Held>,
}

impl Standing {
    /// From what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// When it did not write that.
    pub fn decode(text: Option<&str>) -> Result<Self, serde_json::Error> {
        text.map_or_else(|| Ok(Self::default()), serde_json::from_str)
    }

    /// JSON; `None` where there is nothing to remember.
    ///
    /// # Errors
    /// Never in practice: what was read as JSON can be written as it.
    pub fn encode(&self) -> Result<Option<String>, serde_json::Error> {
        if *self == Self::default() { Ok(None) } else { serde_json::to_string(self).map(Some) }
    }
}
