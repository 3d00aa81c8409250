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

mod aggregate;
mod authenticity;
mod behavior;
mod contract;
mod features;
mod humanity;
pub(crate) mod phrase;
mod registry;
mod uniqueness;
mod weights;

#[cfg(test)]
mod fixture;

pub(crate) use aggregate::thousandths;
pub use aggregate::{PRIOR, VALUE_MAX, VALUE_MIN, aggregate, logit};
pub use authenticity::name::{is_made_up as is_made_up_name, looks_made_up as looks_made_up_name};
pub use contract::{Analysis, Analyzer, Category, Finding, Observation, Scores};
pub use features::hand::may_be_many;
pub use registry::ANALYZERS;
pub use uniqueness::shared_ip::OFFICE_MIN_OTHERS;
pub(crate) use weights::WEIGHT_MAX;
pub use weights::Weights;

use crate::snapshot::Snapshot;

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
    Analysis { scores: scores(&observations), observations }
}

/// The scores that these observations would make with other weights; one of an analyzer that is no more keeps its own.
pub fn reweighed(observations: &[Observation], weights: &Weights) -> Scores {
    let reweighed = |one: &Observation| {
        let analyzer = ANALYZERS.iter().find(|analyzer| analyzer.id == one.id);
        let weight = analyzer.map_or(one.weight, |analyzer| thousandths(weights.of(analyzer)));
        Observation { weight, ..one.clone() }
    };
    scores(&observations.iter().map(reweighed).collect::<Vec<_>>())
}

fn scores(observations: &[Observation]) -> Scores {
    let score = |category| aggregate(category, observations);
    Scores {
        humanity: score(Category::Humanity),
        authenticity: score(Category::Authenticity),
        uniqueness: score(Category::Uniqueness),
        behavior: score(Category::Behavior),
    }
}
