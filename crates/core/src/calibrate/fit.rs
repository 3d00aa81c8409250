//! What is fitted to the earlier part: the weights, and how likely somebody is bad.
//!
//! Weights have slope × factor in the place of a factor each, so that the problem is convex, and the slope, which no
//! penalty holds, is what a weight is drawn to:
//!
//! ```text
//! offset − slope × Σ (evidence of those kept) − Σ own × (evidence of each other)      own = slope × factor
//! penalty: ridge / 2 × Σ (own − slope)²
//! ```
//!
//! where evidence has the weights in force. With a strong penalty every `own` is the slope, which is Platt scaling of
//! the weights in force: the comparison's other side.

use super::examples::{Row, split};
use super::measure::{mean_log_loss, predict};
use super::newton::{Line, Problem};
use super::report::{Counts, Probability};
use super::{RIDGES, SEEN_MIN};
use crate::score::WEIGHT_MAX;

/// Where evidence counts for less than this part of itself as a whole, factors say nothing.
const SLOPE_MIN: f64 = 1e-6;

/// Columns before those of analyzers: the offset's and the slope's.
const SHARED_COLUMNS: usize = 2;

/// Places of the analyzers whose weights may change: those that count and said something often enough.
pub(super) fn free(earlier: &[Row], in_force: &[f64]) -> Vec<usize> {
    let said = said(earlier, in_force.len());
    (0..in_force.len()).filter(|place| in_force[*place] > 0.0 && said[*place] >= SEEN_MIN).collect()
}

/// Of how many examples each analyzer said something.
pub(super) fn said(rows: &[Row], analyzers: usize) -> Vec<usize> {
    let mut said = vec![0; analyzers];
    for (place, _) in rows.iter().flat_map(|row| &row.evidence) {
        said[*place] += 1;
    }
    said
}

/// Weights, each with its standard error, where it is free and not 0.
pub(super) struct Fitted {
    pub weights: Vec<f64>,
    pub errors: Vec<Option<f64>>,
}

impl Fitted {
    /// Fits the weights of those who are `free`.
    pub fn of(earlier: &[Row], in_force: &[f64], free: &[usize], ridge: f64) -> Self {
        let problem = problem(earlier, in_force, free, ridge);
        let theta = problem.solve();
        let (mut weights, mut errors) = (in_force.to_vec(), vec![None; in_force.len()]);
        let slope = theta[1];
        if slope < SLOPE_MIN {
            return Self { weights, errors };
        }
        let covariance = problem.covariance(&theta);
        for (k, place) in free.iter().enumerate() {
            let (own, k) = (theta[k + SHARED_COLUMNS], k + SHARED_COLUMNS);
            let factor = own / slope;
            weights[*place] = (in_force[*place] * factor).min(WEIGHT_MAX);
            if own > 0.0 {
                // Of a ratio, by the delta method.
                let (both, of_slope) = (covariance[k][k], factor * factor * covariance[1][1]);
                let variance = (both - 2.0 * factor * covariance[k][1] + of_slope).max(0.0);
                errors[*place] = Some(in_force[*place] / slope * variance.sqrt());
            }
        }
        Self { weights, errors }
    }
}

/// The strength with the least log-loss on the later part of the earlier part, measured as weights are; of equal ones the
/// strongest, and the strongest, too, where a part has nobody bad or nobody good.
pub(super) fn choose_ridge(earlier: &[Row], in_force: &[f64], free: &[usize]) -> f64 {
    let (before, after) = earlier.split_at(split(earlier));
    let mut best = (RIDGES[RIDGES.len() - 1], f64::INFINITY);
    if [before, after].into_iter().map(Counts::of).any(|counts| counts.bad == 0 || counts.good == 0) {
        return best.0;
    }
    for ridge in RIDGES.into_iter().rev() {
        let weights = Fitted::of(before, in_force, free, ridge).weights;
        let loss = mean_log_loss(&predict(after, &weights, platt(after, &weights)));
        if loss < best.1 {
            best = (ridge, loss);
        }
    }
    best.0
}

/// The offset and the slope that make evidence with these weights a probability. The slope is never negative.
pub(super) fn platt(rows: &[Row], weights: &[f64]) -> Probability {
    let theta = problem(rows, weights, &[], 0.0).solve();
    Probability { offset: theta[0], slope: theta[1] }
}

/// The regression on these rows; the first column is the offset's, the second the slope's with all that is not free.
pub(super) fn problem(rows: &[Row], in_force: &[f64], free: &[usize], ridge: f64) -> Problem {
    // Targets just inside 0 and 1 keep what separates the classes finite (Platt 1999, section 2.2).
    let Counts { bad, good } = Counts::of(rows);
    let (of_bad, of_good) = ((bad as f64 + 1.0) / (bad as f64 + 2.0), 1.0 / (good as f64 + 2.0));
    let mut column = vec![1; in_force.len()];
    for (k, place) in free.iter().enumerate() {
        column[*place] = k + SHARED_COLUMNS;
    }
    let line = |row: &Row| {
        let mut features = vec![(0, 1.0), (1, 0.0)];
        for (place, evidence) in &row.evidence {
            let moved = -in_force[*place] * evidence;
            if column[*place] == 1 {
                features[1].1 += moved;
            } else {
                features.push((column[*place], moved));
            }
        }
        Line { target: if row.is_bad { of_bad } else { of_good }, weight: row.weight, features }
    };
    Problem { lines: rows.iter().map(line).collect(), columns: free.len() + SHARED_COLUMNS, ridge }
}
