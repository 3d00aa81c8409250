//! Logistic regression with a penalty and a bound: projected Newton's method (D. Bertsekas, "Projected Newton
//! Methods for Optimization Problems with Simple Constraints", SIAM Journal on Control and Optimization 20 (1982),
//! 221–246).

use super::cholesky::{cholesky, solve_by};

/// It ends after so many steps at most; ten are usual.
const STEPS_MAX: usize = 100;
/// It has arrived where no slope of the mean loss is steeper than this.
pub(super) const TOLERANCE: f64 = 1e-8;
/// A step is halved at most so often, and must gain this part of what its slope promises (Armijo's rule).
const HALVINGS_MAX: usize = 40;
const ARMIJO: f64 = 1e-4;
/// Added to the curvature, so that a column that is always 0 has one.
const CURVATURE_MIN: f64 = 1e-12;

/// A row: what is to be said, how heavily it counts, and its features that are not 0.
#[derive(Debug)]
pub(super) struct Line {
    /// 0 to 1.
    pub target: f64,
    pub weight: f64,
    pub features: Vec<(usize, f64)>,
}

/// Find the least of
///
/// ```text
/// Σ weight × log-loss(target, sigmoid(θ · features)) / Σ weight  +  ridge / 2n × Σ (θ[k] − θ[1])²    k from 2
/// ```
///
/// where every θ but the first is at least 0. It is convex.
#[derive(Debug)]
pub(super) struct Problem {
    pub lines: Vec<Line>,
    pub columns: usize,
    pub ridge: f64,
}

impl Problem {
    /// Where the least is.
    pub fn solve(&self) -> Vec<f64> {
        let mut theta = vec![1.0; self.columns];
        theta[0] = 0.0;
        let mut value = self.value(&theta);
        for _ in 0..STEPS_MAX {
            let (gradient, curvature) = self.slopes(&theta);
            if violation(&theta, &gradient) < TOLERANCE {
                break;
            }
            let held = |k: usize| k > 0 && theta[k] <= 0.0 && gradient[k] > 0.0;
            let moving: Vec<_> = (0..self.columns).filter(|k| !held(*k)).collect();
            let Some(root) = cholesky(&curvature, &moving) else { break };
            let wanted: Vec<_> = moving.iter().map(|k| -gradient[*k]).collect();
            let step = solve_by(&root, &wanted);
            let Some((next, lower)) = self.line_search(&theta, value, &gradient, &moving, &step) else {
                break;
            };
            (theta, value) = (next, lower);
        }
        theta
    }

    fn line_search(
        &self,
        theta: &[f64],
        value: f64,
        gradient: &[f64],
        moving: &[usize],
        step: &[f64],
    ) -> Option<(Vec<f64>, f64)> {
        let mut part = 1.0;
        for _ in 0..HALVINGS_MAX {
            let mut next = theta.to_vec();
            for (k, step) in moving.iter().zip(step) {
                next[*k] += part * step;
                if *k > 0 {
                    next[*k] = next[*k].max(0.0);
                }
            }
            let promised: f64 = (0..theta.len()).map(|k| gradient[k] * (next[k] - theta[k])).sum();
            let lower = self.value(&next);
            if lower <= value + ARMIJO * promised && lower < value {
                return Some((next, lower));
            }
            part /= 2.0;
        }
        None
    }

    fn total(&self) -> f64 {
        self.lines.iter().map(|line| line.weight).sum()
    }

    fn ridge_each(&self) -> f64 {
        self.ridge / self.lines.len() as f64
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let loss = |line: &Line| line.weight * log_loss(line.target, product(theta, &line.features));
        let loss: f64 = self.lines.iter().map(loss).sum();
        let away: f64 = theta.iter().skip(2).map(|own| (own - theta[1]).powi(2)).sum();
        loss / self.total() + self.ridge_each() / 2.0 * away
    }

    /// The gradient, and the curvature as a matrix, row by row.
    pub fn slopes(&self, theta: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let total = self.total();
        let mut gradient = vec![0.0; self.columns];
        let mut curvature = vec![vec![0.0; self.columns]; self.columns];
        for line in &self.lines {
            let said = sigmoid(product(theta, &line.features));
            let weight = line.weight / total;
            let (miss, bend) = (weight * (said - line.target), weight * said * (1.0 - said));
            for (k, x) in &line.features {
                gradient[*k] += miss * x;
                for (l, y) in &line.features {
                    curvature[*k][*l] += bend * x * y;
                }
            }
        }
        for (k, row) in curvature.iter_mut().enumerate() {
            row[k] += CURVATURE_MIN;
        }
        let ridge = self.ridge_each();
        for k in 2..self.columns {
            gradient[k] += ridge * (theta[k] - theta[1]);
            gradient[1] -= ridge * (theta[k] - theta[1]);
            curvature[k][k] += ridge;
            curvature[1][1] += ridge;
            curvature[k][1] -= ridge;
            curvature[1][k] -= ridge;
        }
        (gradient, curvature)
    }

    /// The covariance of θ from one sample of lines to the next, where it is not held at its bound; 0 with what is.
    /// It is H⁻¹ × M × H⁻¹, where H is the curvature and M the sum of the squares of each line's slope (H. White,
    /// Econometrica 50 (1982), 1–25), which holds with sampling weights and a penalty, too.
    pub fn covariance(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let (_, curvature) = self.slopes(theta);
        let moving: Vec<_> = (0..self.columns).filter(|k| *k == 0 || theta[*k] > 0.0).collect();
        let mut covariance = vec![vec![0.0; self.columns]; self.columns];
        let Some(root) = cholesky(&curvature, &moving) else { return covariance };
        let total = self.total();
        for line in &self.lines {
            let miss = line.weight / total * (sigmoid(product(theta, &line.features)) - line.target);
            let mut slope = vec![0.0; self.columns];
            line.features.iter().for_each(|(k, x)| slope[*k] += miss * x);
            let slope: Vec<_> = moving.iter().map(|k| slope[*k]).collect();
            let moved = solve_by(&root, &slope);
            for (k, one) in moving.iter().zip(&moved) {
                for (l, other) in moving.iter().zip(&moved) {
                    covariance[*k][*l] += one * other;
                }
            }
        }
        covariance
    }
}

/// By how much the conditions of Karush, Kuhn and Tucker are missed: no slope where θ is free, none downwards where
/// it is at its bound.
pub(super) fn violation(theta: &[f64], gradient: &[f64]) -> f64 {
    let missed = theta
        .iter()
        .zip(gradient)
        .enumerate()
        .map(|(k, (theta, slope))| if k > 0 && *theta <= 0.0 { (-slope).max(0.0) } else { slope.abs() });
    missed.fold(0.0, f64::max)
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// −target × ln(p) − (1 − target) × ln(1 − p), in nats, where p = sigmoid(x); exact where p is next to 0 or 1.
pub(super) fn log_loss(target: f64, x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p() - target * x
}

fn product(theta: &[f64], features: &[(usize, f64)]) -> f64 {
    features.iter().map(|(k, x)| theta[*k] * x).sum()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn problems() -> impl Strategy<Value = (Problem, Vec<f64>)> {
        let line = |columns| (any::<bool>(), 0.1..5.0, vec(-3.0..3.0, columns));
        (3_usize..8).prop_flat_map(move |columns| {
            let ridges = prop::sample::select(super::super::RIDGES.to_vec());
            (vec(line(columns), 20..120), ridges, vec(0.0..3.0, columns)).prop_map(
                move |(lines, ridge, elsewhere)| {
                    let lines = lines.into_iter().map(|(is_bad, weight, mut features)| {
                        features[0] = 1.0;
                        let target = if is_bad { 0.95 } else { 0.02 };
                        Line { target, weight, features: features.into_iter().enumerate().collect() }
                    });
                    (Problem { lines: lines.collect(), columns, ridge }, elsewhere)
                },
            )
        })
    }

    proptest! {
        #[test]
        fn where_it_arrives_nothing_is_lower((problem, elsewhere) in problems()) {
            let theta = problem.solve();
            let (gradient, _) = problem.slopes(&theta);
            prop_assert!(theta.iter().skip(1).all(|own| *own >= 0.0), "{theta:?}");
            prop_assert!(violation(&theta, &gradient) < 1e-6, "{theta:?} {gradient:?}");
            prop_assert!(problem.value(&theta) <= problem.value(&elsewhere));
        }

        #[test]
        fn slopes_are_those_of_the_value((problem, theta) in problems()) {
            const STEP: f64 = 1e-5;
            let (gradient, curvature) = problem.slopes(&theta);
            for k in 0..theta.len() {
                let [below, above] = [-STEP, STEP].map(|step| {
                    let mut moved = theta.clone();
                    moved[k] += step;
                    moved
                });
                let slope = (problem.value(&above) - problem.value(&below)) / (2.0 * STEP);
                prop_assert!((slope - gradient[k]).abs() < 1e-6, "{k}: {slope} {gradient:?}");
                let (low, high) = (problem.slopes(&below).0, problem.slopes(&above).0);
                for l in 0..theta.len() {
                    let bend = (high[l] - low[l]) / (2.0 * STEP);
                    prop_assert!((bend - curvature[k][l]).abs() < 1e-6, "{k} {l}: {bend}");
                }
            }
        }
    }

    #[test]
    fn a_loss_is_exact_at_the_ends() {
        assert!((log_loss(1.0, 0.0) - 2.0_f64.ln()).abs() < 1e-12);
        assert!((log_loss(0.0, 0.0) - 2.0_f64.ln()).abs() < 1e-12);
        assert!((log_loss(1.0, -800.0) - 800.0).abs() < 1e-9);
        assert!(log_loss(0.0, -800.0).abs() < 1e-12);
        assert!((log_loss(0.0, 800.0) - 800.0).abs() < 1e-9);
        assert!(log_loss(1.0, 800.0).abs() < 1e-12);
    }

    /// Of a share p of n, the logit is known to ± 1 / √(n p (1 − p)).
    #[test]
    fn the_error_of_an_offset_is_that_of_a_share() {
        let line = |n: usize| Line {
            target: if n.is_multiple_of(5) { 1.0 } else { 0.0 },
            weight: 3.0,
            features: vec![(0, 1.0), (1, 0.0)],
        };
        let problem = Problem { lines: (0..400).map(line).collect(), columns: 2, ridge: 0.0 };
        let theta = problem.solve();
        assert!((theta[0] - 0.25_f64.ln()).abs() < 1e-6, "{theta:?}");
        let wanted = 1.0 / (400.0 * 0.2 * 0.8);
        assert!((problem.covariance(&theta)[0][0] / wanted - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_separates_the_classes_is_finite_and_what_is_never_there_is_drawn() {
        let line = |n: usize| Line {
            target: if n < 5 { 0.9 } else { 0.05 },
            weight: 1.0,
            features: vec![(0, 1.0), (1, if n < 5 { 1.0 } else { -1.0 })],
        };
        let problem = Problem { lines: (0..20).map(line).collect(), columns: 3, ridge: 1.0 };
        let theta = problem.solve();
        let wanted = (0.9_f64 / 0.1).ln();
        assert!((theta[0] + theta[1] - wanted).abs() < 1e-5, "{theta:?}");
        assert!((theta[2] - theta[1]).abs() < 1e-5, "{theta:?}");
    }
}
