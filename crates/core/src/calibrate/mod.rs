//! Weights from evidence: labelled examples say how heavily each analyzer should count.
//!
//! # The model
//!
//! A score adds up in log-odds ([`crate::score`]), so fitting its weights is a logistic regression. Of each
//! example there are the observations that were stored when it was looked at. Its evidence is
//!
//! ```text
//! evidence = Σ weight × confidence × logit(value)           over the observations of all categories
//! P(bad)   = sigmoid(offset − slope × evidence)
//! ```
//!
//! **One regression for all categories.** A label BAD says that somebody is bad, most often without a kind, and a
//! kind tells no more of the other three categories: a script may have a genuine address. GOOD says that nothing
//! is wrong in any of them. So what labels are about is the sum over all categories, and each analyzer's weight is
//! fitted beside all others: two that see the same thing share its weight. Kinds are not used.
//!
//! **Only weights change a score.** The offset says how rare the bad are among those labelled, by their sampling
//! weights. It stays out of the score, as does the slope: a score starts at [`crate::score::PRIOR`] and is redone by
//! hand from its observations, as before.
//!
//! **The scale of the weights is kept.** A slope below 1 means that evidence is overstated as a whole. It is told
//! in the report and not divided into the weights, because the thresholds of badges and rules are in units of the
//! scores, and because the scale is what labels tell least of: whom people label depends on the score. Fitted is each
//! analyzer's factor, how much more or less it should count than in force, beside the others: on average it is near 1.
//!
//! **Drawn towards the weights in force.** The penalty is `ridge / 2 × Σ (slope × factor − slope)²`, beside the sum
//! of the log-losses (`fit.rs`). Where the slope is 1, `ridge` is 1 ÷ the variance of the factors as they are believed
//! to be before any label is seen. It is chosen from [`RIDGES`] by the log-loss on the later part of the earlier part.
//! With a strong penalty the proposal is the weights in force. No weight is negative.
//!
//! # The comparison
//!
//! Examples are split by time, [`EARLIER`] to fit and the rest to measure. What is proposed is what was measured:
//! weights are rounded first, and not fitted again to all examples. There is no proposal unless the gain in log-loss on
//! the later part is above 0 in the whole of its 95% interval.
//!
//! **Each with its own offset and slope.** To measure them, the evidence with the weights in force and the evidence with
//! the new ones each get the offset and the slope that fit the later part best (Platt scaling: J. Platt, "Probabilistic
//! Outputs for Support Vector Machines", 1999): two numbers each, on the same examples, so neither has an advantage.
//! Without them any new weights would win by what no weight is for. With those of the earlier part they still might:
//! where fraud becomes rarer, whichever predicts less of it wins. On samples of a shop's accounts, of which fraud is
//! mostly early, about half of all calibrations found such a gain, with the same AUC before and after; see
//! `docs/detection.md`. The log-loss with the offset and the slope of the earlier part is told as `forecast`, and so is
//! its reliability curve: it is what a prediction would have been worth.
//!
//! # What it does not know
//!
//! The interval takes examples as independent. Accounts of one ring are not: where a few rings make most of the bad, it
//! is too narrow. And weights are fitted to the fraud that is labelled: without duplicates among the bad, analyzers of
//! duplicates lose weight wherever they accuse the good. So people decide about a proposal, with
//! [`Report::analyzers`] before them.

mod bootstrap;
mod cholesky;
mod examples;
mod fit;
mod measure;
mod newton;
mod report;

#[cfg(test)]
mod tests;

pub use report::{
    Bin, Calibrated, Compared, Counts, Estimate, Kept, Outcome, Part, Probability, Refusal, Report, Tally,
};

use crate::score::{ANALYZERS, Weights, thousandths};
use crate::time::Timestamp;

use bootstrap::SplitMix64;
use examples::Examples;
use fit::Fitted;

/// Of more examples, the newest are used. Enough for three-decimal weights, and bounds memory and time.
pub const EXAMPLES_MAX: usize = 20_000;
/// The part of all examples, by time, that weights are fitted to. The usual 70 to 30.
pub const EARLIER: f64 = 0.7;
/// Bad examples below which nothing is proposed: the rule of ten events for each parameter that moves (Peduzzi et al.,
/// Journal of Clinical Epidemiology 49 (1996), 1373–1379), for five analyzers. The penalty holds the others.
pub const BAD_MIN: usize = 50;
/// Good examples below which nothing is proposed: at 1% false positives there are two of them.
pub const GOOD_MIN: usize = 200;
/// In the earlier part, at least so many: half of what is needed in all.
pub const EARLIER_BAD_MIN: usize = 25;
pub const EARLIER_GOOD_MIN: usize = 100;
/// In the later part, at least so many: two thirds of what an even spread gives of the least. A good validation has 100
/// bad (Collins, Ogundimu and Altman, Statistics in Medicine 35 (2016), 214–226); with fewer the interval is wide.
pub const LATER_BAD_MIN: usize = 10;
pub const LATER_GOOD_MIN: usize = 40;
/// An analyzer that says something of fewer examples of the earlier part keeps its weight: of 20, the share that is
/// right is known to ± 0.2 at best ([`crate::wilson::wilson`]).
pub const SEEN_MIN: usize = 20;
/// In nats for each example: the lower end of a gain's interval must be above it. What is less is the rounding of sums.
pub const GAIN_MIN: f64 = 1e-6;
/// The strengths of the penalty to choose from: a factor is believed to be 1 ± 1, ½, ¼, ⅛ and 1⁄16.
pub const RIDGES: [f64; 5] = [1.0, 4.0, 16.0, 64.0, 256.0];

/// An observation that was stored of somebody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed<'a> {
    /// The analyzer's id; one that there is no more counts for nothing.
    pub analyzer: &'a str,
    /// 0.0 suspicious, 0.5 says nothing, 1.0 legitimate.
    pub value: f64,
    /// 0.0 to 1.0.
    pub confidence: f64,
}

/// Somebody of whom it is known whether they are bad. One for each identity, by its newest label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example<'a> {
    /// When the label was given. Of labels that were imported together, when what they speak of was observed.
    pub at: Timestamp,
    pub is_bad: bool,
    /// How many in the population it stands for: 1.0 for everybody, unless the labelled were picked by a rule that is
    /// known. An example with none, less, or what is no number is left out.
    pub weight: f64,
    /// What was stored when it was looked at, of all categories.
    pub observations: &'a [Observed<'a>],
}

/// Proposes weights from labelled examples, or says why not: a [`Refusal`].
///
/// `examples` may be in any order; of those given at one moment none is split from the others. Weights of 0 `in_force`
/// stay 0. The same arguments give the same outcome, and `seed` changes nothing but the resamples behind the
/// intervals. Of 10,000 examples it takes less than a second in a release build.
pub fn calibrate(examples: &[Example<'_>], in_force: &Weights, seed: u64) -> Outcome {
    let examples = Examples::of(examples, EXAMPLES_MAX);
    if let Some(refusal) = too_few(&examples) {
        return Outcome::Refused(refusal, None);
    }
    let (earlier, later) = (examples.earlier(), examples.later());
    let before = ANALYZERS.iter().map(|analyzer| thousandths(in_force.of(analyzer))).collect::<Vec<_>>();
    let free = fit::free(earlier, &before);
    if free.is_empty() {
        return Outcome::Refused(Refusal::NothingSeen, None);
    }
    let ridge = fit::choose_ridge(earlier, &before, &free);
    let fitted = Fitted::of(earlier, &before, &free, ridge);
    let after: Vec<_> = fitted.weights.iter().map(|weight| thousandths(*weight)).collect();

    // Of the earlier part, for what would have been predicted, and of the later one, to measure the weights alone.
    let [old, new] = [&before, &after].map(|weights| fit::platt(earlier, weights));
    let forecasts = [(&before, old), (&after, new)].map(|(weights, by)| measure::predict(later, weights, by));
    let fair = [&before, &after].map(|weights| measure::predict(later, weights, fit::platt(later, weights)));
    let compared = bootstrap::compare(&fair, &mut SplitMix64::new(seed));
    let report = Report {
        earlier: Counts::of(earlier),
        later: Counts::of(later),
        left_out: examples.left_out,
        split_at: earlier.last().map(|row| row.at).unwrap_or_default(),
        ridge,
        weights: weights(in_force, &before, &after),
        analyzers: report::analyzers(earlier, &before, &after, &fitted),
        log_loss: compared.log_loss,
        brier: compared.brier,
        auc: compared.auc,
        recall: compared.recall,
        before: old,
        after: new,
        forecast: bootstrap::compare(&forecasts, &mut SplitMix64::new(seed)).log_loss,
        reliability_before: measure::reliability(&forecasts[0]),
        reliability_after: measure::reliability(&forecasts[1]),
    };
    if report.log_loss.gain.low > GAIN_MIN {
        Outcome::Proposed(report)
    } else {
        Outcome::Refused(Refusal::NoGain(report.log_loss.gain), Some(report))
    }
}

/// The first part of which too few are labeled.
fn too_few(examples: &Examples) -> Option<Refusal> {
    let parts = [
        (Part::All, &examples.rows[..], BAD_MIN, GOOD_MIN),
        (Part::Earlier, examples.earlier(), EARLIER_BAD_MIN, EARLIER_GOOD_MIN),
        (Part::Later, examples.later(), LATER_BAD_MIN, LATER_GOOD_MIN),
    ];
    parts.into_iter().find_map(|(part, rows, bad_min, good_min)| {
        let Counts { bad, good } = Counts::of(rows);
        if bad < bad_min && good < good_min {
            return Some(Refusal::TooFew { part, bad, bad_need: bad_min, good, good_need: good_min });
        }
        if bad < bad_min {
            return Some(Refusal::TooFewBad { part, have: bad, need: bad_min });
        }
        (good < good_min).then_some(Refusal::TooFewGood { part, have: good, need: good_min })
    })
}

/// Those in force, with what has changed.
fn weights(in_force: &Weights, before: &[f64], after: &[f64]) -> Weights {
    let mut weights = in_force.clone();
    for (analyzer, (before, after)) in ANALYZERS.iter().zip(before.iter().zip(after)) {
        if before != after {
            weights.set(analyzer, *after);
        }
    }
    weights
}
