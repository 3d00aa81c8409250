//! What an analyzer is, and what it says. What it sees is a [`Snapshot`].

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
    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Humanity => "HUMANITY",
            Self::Authenticity => "AUTHENTICITY",
            Self::Uniqueness => "UNIQUENESS",
            Self::Behavior => "BEHAVIOR",
        }
    }

    /// Its name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Humanity => "Humanity",
            Self::Authenticity => "Authenticity",
            Self::Uniqueness => "Uniqueness",
            Self::Behavior => "Behavior",
        }
    }

    pub const ALL: [Self; 4] = [Self::Humanity, Self::Authenticity, Self::Uniqueness, Self::Behavior];

    /// Itself as the only one of a list.
    pub const fn alone(self) -> &'static [Self] {
        match self {
            Self::Humanity => &[Self::Humanity],
            Self::Authenticity => &[Self::Authenticity],
            Self::Uniqueness => &[Self::Uniqueness],
            Self::Behavior => &[Self::Behavior],
        }
    }
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

/// Four scores from 0 (worst) to 100 (best); a category without evidence of any kind has none. Written with
/// all four, `null` for none; read also where one is left out, as older versions stored them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scores {
    pub humanity: Option<u8>,
    pub authenticity: Option<u8>,
    pub uniqueness: Option<u8>,
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

/// Something that can be observed about an identity.
#[derive(Clone, Copy, Debug)]
pub struct Analyzer {
    /// Stable, such as `humanity.user-agent`.
    pub id: &'static str,
    /// For people.
    pub label: &'static str,
    pub category: Category,
    /// How heavily its observations count beside those of others; 1.0 is usual, and 0.0 is in shadow: seen,
    /// and not counted.
    pub weight: f64,
    /// Looks; `None` when there is nothing to look at.
    pub observe: fn(&Snapshot) -> Option<Finding>,
}

/// What an analyzer found, before it is an [`Observation`].
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// 0.0 suspicious, 0.5 says nothing, 1.0 legitimate.
    pub value: f64,
    /// 0.0 to 1.0.
    pub confidence: f64,
    /// The fact, the number and what it is compared with, in plain words.
    pub explanation: String,
    /// The numbers behind the explanation.
    pub metadata: Map<String, Value>,
}

impl Finding {
    pub fn new(value: f64, confidence: f64, explanation: impl Into<String>) -> Self {
        Self { value, confidence, explanation: explanation.into(), metadata: Map::new() }
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }
}
