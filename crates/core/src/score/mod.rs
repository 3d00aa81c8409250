//! Scores: analyzers look at a snapshot and state observations; the observations of a category
//! make its score.
//!
//! # How a score is made, to be redone by hand
//!
//! Evidence adds up in log-odds. Every category starts at [`PRIOR`], 70 of 100. Each observation
//! of the category moves it by
//!
//! ```text
//! weight × confidence × logit(value)      logit(p) = ln(p / (1 − p))
//! ```
//!
//! where `value` is first brought into [`VALUE_MIN`]`..=`[`VALUE_MAX`]. A value of 0.5 moves
//! nothing, since logit(0.5) = 0. The score is
//!
//! ```text
//! round(100 × sigmoid(logit(0.70) + all of these))      sigmoid(x) = 1 / (1 + e^−x)
//! ```
//!
//! An example: logit(0.70) is 0.847. One observation of value 0.1 (logit −2.197), confidence 0.8
//! and weight 1.5 moves it by −2.637 to −1.790; sigmoid(−1.790) is 0.143, the score is 14.
//!
//! Values, confidences and weights are rounded to three decimals before they count, so that what
//! is stored is exactly what counted. A category none of whose analyzers found anything to look
//! at has no score; with little evidence, confidences are low and it stays near 70.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::snapshot::Snapshot;

mod authenticity;
mod behavior;
mod features;
mod humanity;
mod uniqueness;
mod weights;

pub use authenticity::email::is_throwaway_like;
use authenticity::name::letters_cost as name_letters_cost;
pub use authenticity::name::{is_made_up as is_made_up_name, looks_made_up as looks_made_up_name};
pub use features::company::Own;
pub use features::hand::may_be_many;
pub(crate) use features::moments::is_automatic;
pub(crate) use uniqueness::similar_profile::SAME_NAME_MIN_LIKENESS;

pub use weights::Weights;

#[cfg(test)]
mod fixture;

/// Where every category starts. Most users of most applications are honest; at 0.70 an identity
/// of which nothing is known is neither trusted nor caught by the usual thresholds (below 50).
pub const PRIOR: f64 = 0.70;
/// Values below count as this, so that no single observation is beyond appeal: logit −3.89.
pub const VALUE_MIN: f64 = 0.02;
/// Values above count as this.
pub const VALUE_MAX: f64 = 0.98;

/// Every analyzer, in the order of their observations.
pub const ANALYZERS: &[Analyzer] = &[
    humanity::user_agent::ANALYZER,
    humanity::device::ANALYZER,
    humanity::interaction::ANALYZER,
    humanity::timing::ANALYZER,
    humanity::round_the_clock::ANALYZER,
    humanity::network::ANALYZER,
    authenticity::email::ANALYZER,
    authenticity::name::ANALYZER,
    authenticity::agreement::ANALYZER,
    uniqueness::shared_device::ANALYZER,
    uniqueness::shared_session::ANALYZER,
    uniqueness::shared_ip::ANALYZER,
    uniqueness::similar_email::ANALYZER,
    uniqueness::similar_profile::ANALYZER,
    uniqueness::similar_behavior::ANALYZER,
    uniqueness::same_email::ANALYZER,
    behavior::sign_up_burst::ANALYZER,
    behavior::pace::ANALYZER,
    behavior::code_ring::ANALYZER,
    behavior::repetition::ANALYZER,
    behavior::takeover::ANALYZER,
    behavior::failed_sign_ins::ANALYZER,
    behavior::failed_payments::ANALYZER,
    behavior::outreach::ANALYZER,
    behavior::dormancy::ANALYZER,
];

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
    fn new(value: f64, confidence: f64, explanation: impl Into<String>) -> Self {
        Self { value, confidence, explanation: explanation.into(), metadata: Map::new() }
    }

    #[must_use]
    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }
}

/// Looks at an identity with every analyzer and makes its scores.
pub fn analyze(snapshot: &Snapshot, weights: &Weights) -> Analysis {
    let observe = |analyzer: &Analyzer| {
        let finding = (analyzer.observe)(snapshot)?;
        Some(Observation {
            category: analyzer.category,
            id: analyzer.id.to_owned(),
            label: analyzer.label.to_owned(),
            explanation: finding.explanation,
            value: thousandths(finding.value),
            confidence: thousandths(finding.confidence),
            weight: thousandths(weights.of(analyzer)),
            metadata: finding.metadata,
        })
    };
    let observations: Vec<_> = ANALYZERS.iter().filter_map(observe).collect();
    let score = |category| aggregate(category, &observations);
    let scores = Scores {
        humanity: score(Category::Humanity),
        authenticity: score(Category::Authenticity),
        uniqueness: score(Category::Uniqueness),
        behavior: score(Category::Behavior),
    };
    Analysis { scores, observations }
}

/// The score of `category` from these observations, 0 to 100, by the formula in this module's
/// documentation; `None` when none of them is of that category and counts.
pub fn aggregate(category: Category, observations: &[Observation]) -> Option<u8> {
    let counts = |own: &&Observation| own.category == category && own.weight > 0.0;
    let mut own = observations.iter().filter(counts).peekable();
    own.peek()?;
    let moved: f64 = own.map(|own| own.weight * own.confidence * logit(own.value)).sum();
    let score = (100.0 * sigmoid(logit(PRIOR) + moved)).round();
    // Between 0 and 100 by construction; the cast would bring anything else into range.
    Some(score as u8)
}

/// How far evidence of this value moves a score, before weight and confidence: 0 at 0.5.
pub(crate) fn logit(value: f64) -> f64 {
    let value = value.clamp(VALUE_MIN, VALUE_MAX);
    (value / (1.0 - value)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn thousandths(x: f64) -> f64 {
    (x * 1_000.0).round() / 1_000.0
}

/// The height at `x` of the line through `points`, which are sorted by their first number; level
/// before the first and after the last.
pub(crate) fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|(at, _)| *at <= x);
    match (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (Some((_, y)), None) | (None, Some((_, y))) => *y,
        (None, None) => 0.5,
    }
}

/// "1 event", "2 events".
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Gaps shorter than a second in milliseconds, others in seconds, minutes or hours.
fn duration(millis: f64) -> String {
    match millis / 1_000.0 {
        seconds if seconds < 1.0 => format!("{millis:.0} ms"),
        seconds if seconds < 90.0 => format!("{seconds:.1} s"),
        seconds if seconds < 5_400.0 => format!("{:.1} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3_600.0),
    }
}

/// "within 20.0 min", or "at once" where that is nothing.
fn within(millis: i64) -> String {
    if millis < 1_000 { "at once".to_owned() } else { format!("within {}", duration(millis as f64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(category: Category, value: f64, confidence: f64, weight: f64) -> Observation {
        Observation {
            category,
            id: "x".to_owned(),
            label: "X".to_owned(),
            explanation: String::new(),
            value,
            confidence,
            weight,
            metadata: Map::new(),
        }
    }

    #[test]
    fn evidence_adds_in_log_odds() {
        /// Value, confidence, weight.
        type Evidence = &'static [(f64, f64, f64)];
        let cases: [(Evidence, Option<u8>); 8] = [
            (&[], None),
            (&[(0.5, 1.0, 1.0)], Some(70)),
            (&[(0.1, 0.0, 1.0)], Some(70)),
            (&[(0.1, 0.8, 1.5)], Some(14)),
            (&[(0.9, 0.8, 1.5)], Some(97)),
            (&[(0.1, 0.8, 1.5), (0.9, 0.8, 1.5)], Some(70)),
            (&[(0.0, 1.0, 1.0)], Some(5)),
            (&[(1.0, 1.0, 10.0)], Some(100)),
        ];
        for (evidence, expected) in cases {
            let mut observations: Vec<_> =
                evidence.iter().map(|(v, c, w)| observation(Category::Humanity, *v, *c, *w)).collect();
            observations.push(observation(Category::Behavior, 0.0, 1.0, 5.0));
            assert_eq!(aggregate(Category::Humanity, &observations), expected, "{evidence:?}");
        }
    }

    #[test]
    fn ids_are_unique_and_say_their_category() {
        let mut ids: Vec<_> = ANALYZERS.iter().map(|analyzer| analyzer.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ANALYZERS.len());
        for analyzer in ANALYZERS {
            let category = format!("{:?}.", analyzer.category).to_lowercase();
            assert!(analyzer.id.starts_with(&category), "{}", analyzer.id);
        }
    }

    #[test]
    fn lines_are_level_outside_their_points() {
        let points = [(1.0, 0.5), (3.0, 0.1)];
        for (x, y) in [(0.0, 0.5), (1.0, 0.5), (2.0, 0.3), (3.0, 0.1), (9.0, 0.1)] {
            assert!((interpolate(&points, x) - y).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn durations_read_well() {
        let cases = [(40.0, "40 ms"), (1_500.0, "1.5 s"), (120_000.0, "2.0 min"), (7_200_000.0, "2.0 h")];
        for (millis, text) in cases {
            assert_eq!(duration(millis), text);
        }
    }
}
