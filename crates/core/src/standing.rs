//! What is remembered of an identity between two cycles beside its scores: the badges it carries.

use serde::{Deserialize, Serialize};

use crate::badge::Badge;

/// How an identity stands after a cycle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
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
