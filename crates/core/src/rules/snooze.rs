//! Escalation rules that a person has put off for one identity.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A rule that opens no escalation of an identity before a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snooze {
    pub rule: i64,
    /// The rule's, for people.
    pub name: String,
    pub until: Timestamp,
    pub at: Timestamp,
    /// Who snoozed it, as the audit log calls them.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Snooze {
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.until
    }
}
