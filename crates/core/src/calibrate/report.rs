//! What a calibration says.

use std::fmt;

use serde::{Serialize, Serializer};

use super::examples::Row;
use super::fit::Fitted;
use super::newton::sigmoid;
use super::{SEEN_MIN, fit};
use crate::score::{ANALYZERS, Weights};
use crate::time::Timestamp;

/// What comes of a calibration.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// No new weights, and what was measured if anything was.
    Refused(Refusal, Option<Report>),
    /// The new weights are better on the later part.
    Proposed(Report),
}

/// Why there is no proposal.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("{have} labeled bad {part}; it takes {need}")]
    TooFewBad { part: Part, have: usize, need: usize },
    #[error("{have} labeled good {part}; it takes {need}")]
    TooFewGood { part: Part, have: usize, need: usize },
    /// Both are missing.
    #[error("{bad} labeled bad and {good} labeled good {part}; it takes {bad_need} and {good_need}")]
    TooFew { part: Part, bad: usize, bad_need: usize, good: usize, good_need: usize },
    #[error("no analyzer whose weight is above 0 said something of {SEEN_MIN} of the examples to fit to")]
    NothingSeen,
    #[error(
        "on the later part the log-loss falls by {} (95% from {} to {}), which is no sure gain",
        Rounded(.0.value), Rounded(.0.low), Rounded(.0.high)
    )]
    NoGain(Estimate),
}

/// To five decimals, and without a sign where that is 0.
struct Rounded(f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.5}", (self.0 * 1e5).round() / 1e5 + 0.0)
    }
}

/// Of the examples, by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    All,
    /// To fit to.
    Earlier,
    /// To measure on.
    Later,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "in all",
            Self::Earlier => "in the earlier part, which weights are fitted to",
            Self::Later => "in the later part, which weights are measured on",
        })
    }
}

/// What was fitted and how it compares on the later part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub earlier: Counts,
    pub later: Counts,
    /// Examples beyond the newest [`super::EXAMPLES_MAX`], and those without a weight.
    pub left_out: usize,
    /// The last moment of the earlier part.
    pub split_at: Timestamp,
    /// The strength of the penalty that was chosen, of [`super::RIDGES`].
    pub ridge: f64,
    /// Those in force with what has changed, to three decimals. Proposed only by [`Outcome::Proposed`].
    #[serde(serialize_with = "text")]
    pub weights: Weights,
    /// Each analyzer, in the order of [`ANALYZERS`].
    pub analyzers: Vec<Calibrated>,
    /// In nats for each example, each with the offset and the slope that fit the later part best. This decides.
    pub log_loss: Compared,
    /// With the same offsets and slopes.
    pub brier: Compared,
    pub auc: Compared,
    /// The part of the bad that is found where at most 1% of the good are taken for bad.
    pub recall: Compared,
    /// What makes evidence with the weights in force a probability, fitted to the earlier part.
    pub before: Probability,
    /// And with the new ones.
    pub after: Probability,
    /// The log-loss of what these two predict of the later part: it tells of drift as much as of weights.
    pub forecast: Compared,
    /// Of the same predictions, by deciles of what is predicted, ascending.
    pub reliability_before: Vec<Bin>,
    pub reliability_after: Vec<Bin>,
}

/// As a setting has them.
fn text<S: Serializer>(weights: &Weights, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(weights)
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub bad: usize,
    pub good: usize,
}

impl Counts {
    pub(super) fn of(rows: &[Row]) -> Self {
        let bad = rows.iter().filter(|row| row.is_bad).count();
        Self { bad, good: rows.len() - bad }
    }
}

/// From evidence to a probability, beside the score: P(bad) = sigmoid(offset − slope × evidence). Evidence is the sum
/// of weight × confidence × logit(value) over the observations of all categories.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probability {
    /// The log-odds of being bad where nothing speaks for or against it: how rare the bad are.
    pub offset: f64,
    /// What evidence counts of what it says; 1 where it is neither over- nor understated. Never negative.
    pub slope: f64,
}

impl Probability {
    /// How likely somebody with this evidence is bad, 0 to 1.
    pub fn of(self, evidence: f64) -> f64 {
        sigmoid(self.log_odds(evidence))
    }

    pub(super) fn log_odds(self, evidence: f64) -> f64 {
        self.offset - self.slope * evidence
    }
}

/// A number with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// A figure on the later part: with the weights in force, and with the new ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    pub before: f64,
    pub after: f64,
    /// By how much the new ones are better: above 0 is better, whatever the figure.
    pub gain: Estimate,
}

/// A tenth of the later part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bin {
    /// The mean probability of being bad.
    pub predicted: f64,
    /// The part that is bad, and its 95% interval ([`crate::wilson`]).
    pub observed: f64,
    pub low: f64,
    pub high: f64,
    pub count: usize,
}

/// An analyzer's part, on the examples that weights are fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calibrated {
    /// Such as `humanity.user-agent`.
    pub id: &'static str,
    pub before: f64,
    /// An analyzer that is given 0 runs in shadow, and stays there until somebody gives it a weight.
    pub after: f64,
    /// Of the new weight: how far it varies from one sample of labels to the next; `None` where it is kept, or 0.
    pub standard_error: Option<f64>,
    /// Why its weight is as before, if it was not fitted.
    pub kept: Option<Kept>,
    /// In how many examples it found something to look at.
    pub seen: usize,
    /// Those whom it speaks against; right of the bad.
    pub against: Tally,
    /// Those whom it speaks for; right of the good.
    pub in_favour: Tally,
}

/// Why a weight was not fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kept {
    /// Its weight is 0: it runs in shadow.
    Shadow,
    /// It says something of fewer than [`super::SEEN_MIN`] examples.
    Rare,
}

/// How often an analyzer is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    pub right: u64,
    pub of: u64,
}

impl Tally {
    fn count(&mut self, is_right: bool) {
        self.right += u64::from(is_right);
        self.of += 1;
    }
}

/// What becomes of each analyzer.
pub(super) fn analyzers(earlier: &[Row], before: &[f64], after: &[f64], fitted: &Fitted) -> Vec<Calibrated> {
    let said = fit::said(earlier, before.len());
    let kept = |place: usize| match (before[place] > 0.0, said[place] >= SEEN_MIN) {
        (false, _) => Some(Kept::Shadow),
        (true, false) => Some(Kept::Rare),
        (true, true) => None,
    };
    let mut analyzers: Vec<_> = ANALYZERS
        .iter()
        .enumerate()
        .map(|(place, analyzer)| Calibrated {
            id: analyzer.id,
            before: before[place],
            after: after[place],
            standard_error: fitted.errors[place],
            kept: kept(place),
            seen: 0,
            against: Tally::default(),
            in_favour: Tally::default(),
        })
        .collect();
    for row in earlier {
        row.seen.iter().for_each(|place| analyzers[*place].seen += 1);
        for (place, evidence) in &row.evidence {
            let own = &mut analyzers[*place];
            if *evidence < 0.0 {
                own.against.count(row.is_bad);
            } else {
                own.in_favour.count(!row.is_bad);
            }
        }
    }
    analyzers
}
