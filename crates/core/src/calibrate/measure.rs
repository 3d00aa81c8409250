//! How well predictions fit what is known.

use super::examples::Row;
use super::newton::log_loss;
use super::report::{Bin, Probability};
use crate::wilson::of_share;

/// Of a reliability curve.
const BINS: usize = 10;
/// The part of the good that may be taken for bad where recall is measured.
const FALSE_POSITIVES: f64 = 0.01;

/// What is said of an example, and what it is.
#[derive(Clone, Copy)]
pub(super) struct Prediction {
    pub is_bad: bool,
    pub weight: f64,
    /// What speaks against it, in log-odds: by this examples are ranked.
    pub against: f64,
    /// The logit of the probability that it is bad.
    pub log_odds: f64,
    pub probability: f64,
}

impl Prediction {
    pub fn log_loss(&self) -> f64 {
        log_loss(f64::from(u8::from(self.is_bad)), self.log_odds)
    }

    pub fn squared_error(&self) -> f64 {
        (self.probability - f64::from(u8::from(self.is_bad))).powi(2)
    }
}

/// What these weights say of each.
pub(super) fn predict(rows: &[Row], weights: &[f64], probability: Probability) -> Vec<Prediction> {
    let of = |row: &Row| {
        let evidence = row.sum(weights);
        Prediction {
            is_bad: row.is_bad,
            weight: row.weight,
            against: -evidence,
            log_odds: probability.log_odds(evidence),
            probability: probability.of(evidence),
        }
    };
    rows.iter().map(of).collect()
}

/// In nats for each example.
pub(super) fn mean_log_loss(predictions: &[Prediction]) -> f64 {
    let loss: f64 = predictions.iter().map(|seen| seen.weight * seen.log_loss()).sum();
    loss / predictions.iter().map(|seen| seen.weight).sum::<f64>()
}

/// What is measured of predictions.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub log_loss: f64,
    pub brier: f64,
    pub auc: f64,
    pub recall: f64,
}

/// Predictions with what does not change from resample to resample.
pub(super) struct Ranked {
    /// Whether bad, weight, log-loss, squared error; in descending order of what speaks against them.
    rows: Vec<(bool, f64, f64, f64)>,
    /// Place in `rows` of each prediction.
    pub places: Vec<usize>,
    /// Ends of groups of equal rank.
    ends: Vec<usize>,
}

impl Ranked {
    pub fn of(predictions: &[Prediction]) -> Self {
        let mut order: Vec<_> = (0..predictions.len()).collect();
        order.sort_by(|one, other| predictions[*other].against.total_cmp(&predictions[*one].against));
        let mut places = vec![0; order.len()];
        for (place, n) in order.iter().enumerate() {
            places[*n] = place;
        }
        let mut ends = Vec::new();
        for equal in order.chunk_by(|one, other| predictions[*one].against == predictions[*other].against) {
            ends.push(ends.last().copied().unwrap_or(0) + equal.len());
        }
        let row = |n: &usize| {
            let seen = predictions[*n];
            (seen.is_bad, seen.weight, seen.log_loss(), seen.squared_error())
        };
        Self { rows: order.iter().map(row).collect(), places, ends }
    }

    /// The figures where each row is there so many times.
    pub fn figures(&self, times: &[u32]) -> Figures {
        let (mut loss, mut squares, mut bad, mut good) = (0.0, 0.0, 0.0, 0.0);
        for ((is_bad, weight, own_loss, square), times) in self.rows.iter().zip(times) {
            let weight = weight * f64::from(*times);
            loss += weight * own_loss;
            squares += weight * square;
            *if *is_bad { &mut bad } else { &mut good } += weight;
        }
        let (auc, recall) = self.ranks(times, bad, good);
        Figures { log_loss: loss / (bad + good), brier: squares / (bad + good), auc, recall }
    }

    /// The probability that one of the bad ranks before one of the good, equals counting half; and the part of the
    /// bad that ranks before all but [`FALSE_POSITIVES`] of the good.
    fn ranks(&self, times: &[u32], bad: f64, good: f64) -> (f64, f64) {
        let (mut area, mut found, mut taken, mut recall, mut begin) = (0.0, 0.0, 0.0, 0.0, 0);
        for end in &self.ends {
            let (mut own_bad, mut own_good) = (0.0, 0.0);
            for ((is_bad, weight, ..), times) in self.rows[begin..*end].iter().zip(&times[begin..*end]) {
                *if *is_bad { &mut own_bad } else { &mut own_good } += weight * f64::from(*times);
            }
            area += own_good * (found + own_bad / 2.0);
            (found, taken, begin) = (found + own_bad, taken + own_good, *end);
            if taken <= FALSE_POSITIVES * good {
                recall = found / bad;
            }
        }
        (area / (bad * good), recall)
    }
}

/// As many examples in each bin, by what is predicted of them: deciles of risk (Hosmer and Lemeshow, Communications in
/// Statistics A9 (1980), 1043–1069). Bins of equal width would have nearly everybody in the first, since the bad are
/// rare. Where weights differ, the interval is of as many equal ones as say as much (Kish, "Survey Sampling", 1965).
pub(super) fn reliability(predictions: &[Prediction]) -> Vec<Bin> {
    let mut sorted = predictions.to_vec();
    sorted.sort_by(|one, other| one.log_odds.total_cmp(&other.log_odds));
    let bin = |n: usize| {
        let own = &sorted[sorted.len() * n / BINS..sorted.len() * (n + 1) / BINS];
        let sum = |of: fn(&Prediction) -> f64| own.iter().map(of).sum::<f64>();
        let all = sum(|seen| seen.weight);
        if own.is_empty() {
            return None;
        }
        let observed = sum(|seen| if seen.is_bad { seen.weight } else { 0.0 }) / all;
        let (low, high) = of_share(observed, all * all / sum(|seen| seen.weight * seen.weight));
        let predicted = sum(|seen| seen.weight * seen.probability) / all;
        Some(Bin { predicted, observed, low, high, count: own.len() })
    };
    (0..BINS).filter_map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::calibrate::newton::sigmoid;

    /// What speaks against each, and whether they are bad.
    fn predictions(of: &[(f64, bool)]) -> Vec<Prediction> {
        let prediction = |(against, is_bad): &(f64, bool)| Prediction {
            is_bad: *is_bad,
            weight: 1.0,
            against: *against,
            log_odds: *against,
            probability: sigmoid(*against),
        };
        of.iter().map(prediction).collect()
    }

    fn figures(of: &[(f64, bool)], times: &[u32]) -> Figures {
        let ranked = Ranked::of(&predictions(of));
        let mut by_place = vec![0; times.len()];
        ranked.places.iter().zip(times).for_each(|(place, times)| by_place[*place] = *times);
        ranked.figures(&by_place)
    }

    #[test]
    fn ranks_tell_classes_apart() {
        let cases: [(&[(f64, bool)], f64); 4] = [
            (&[(1.0, false), (2.0, true)], 1.0),
            (&[(2.0, false), (1.0, true)], 0.0),
            (&[(1.0, false), (1.0, true)], 0.5),
            (&[(1.0, false), (3.0, false), (2.0, true), (4.0, true)], 0.75),
        ];
        for (of, auc) in cases {
            assert!((figures(of, &vec![1; of.len()]).auc - auc).abs() < 1e-12, "{of:?}");
        }
    }

    #[test]
    fn recall_is_of_those_who_rank_before_all_but_one_in_a_hundred() {
        let others = (0..100).map(|n| (f64::from(n), false));
        let of: Vec<_> = others.chain([(97.5, true), (98.5, true), (120.0, true)]).collect();
        assert!((figures(&of, &[1; 103]).recall - 2.0 / 3.0).abs() < 1e-12);
        let tied: Vec<_> = (0..150).map(|_| (1.0, false)).chain([(1.0, true)]).collect();
        assert!(figures(&tied, &[1; 151]).recall.abs() < 1e-12, "nobody ranks before those of equal rank");
    }

    #[test]
    fn losses_are_means() {
        let figures = figures(&[(0.0, true), (0.0, false), (3.0_f64.ln(), true)], &[1, 1, 1]);
        let third = (2.0 * 2.0_f64.ln() + (4.0_f64 / 3.0).ln()) / 3.0;
        assert!((figures.log_loss - third).abs() < 1e-12);
        assert!((figures.brier - (0.25 + 0.25 + 0.0625) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn who_is_drawn_twice_counts_twice() {
        let of = [(1.0, false), (3.0, false), (2.0, true), (4.0, true)];
        let doubled: Vec<_> = of.into_iter().chain([(3.0, false), (2.0, true)]).collect();
        let (twice, each) = (figures(&of, &[1, 2, 2, 1]), figures(&doubled, &[1; 6]));
        assert!((twice.auc - each.auc).abs() < 1e-12 && (twice.auc - 5.0 / 9.0).abs() < 1e-12);
        assert!((twice.log_loss - each.log_loss).abs() < 1e-12);
        assert!((twice.brier - each.brier).abs() < 1e-12);
    }

    #[test]
    fn bins_count_by_weight() {
        let mut of = predictions(&[(0.0, true), (0.0, false)].repeat(50));
        let even = reliability(&of);
        assert_eq!(even.len(), 10);
        for bin in even {
            assert_eq!((bin.count, bin.predicted, bin.observed), (10, 0.5, 0.5));
            assert_eq!((bin.low, bin.high), crate::wilson::wilson(5, 10));
        }
        of.iter_mut().filter(|seen| !seen.is_bad).for_each(|seen| seen.weight = 3.0);
        let heavy = reliability(&of);
        assert!((heavy[0].observed - 0.25).abs() < 1e-12);
        // (5 + 15)² / (5 + 45) = 8
        assert_eq!((heavy[0].low, heavy[0].high), of_share(0.25, 8.0));
        assert_eq!(reliability(&of[..3]).len(), 3, "nobody is in no bin");
    }
}
