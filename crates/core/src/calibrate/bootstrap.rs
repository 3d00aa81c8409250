//! How far a difference may be from the one there is: resampling (Efron and Tibshirani, "An Introduction to the
//! Bootstrap", 1993, chapter 13), with the bad and the good drawn each among themselves, so that no resample has none
//! of them.

use super::measure::{Figures, Prediction, Ranked};
use super::report::{Compared, Estimate};

/// Of a 95% interval by percentiles, the book asks for 1,000 and more.
const RESAMPLES: usize = 1_000;

/// Numbers that look random, the same for the same seed (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`; even to one part in 2⁶⁴ by `end`.
    pub const fn below(&mut self, end: usize) -> usize {
        ((self.next() as u128 * end as u128) >> 64) as usize
    }
}

/// Each figure of the weights in force and of the new ones, on the same examples.
pub(super) struct Comparison {
    pub log_loss: Compared,
    pub brier: Compared,
    pub auc: Compared,
    pub recall: Compared,
}

/// Compares what the weights in force and the new ones say of the same examples, in the same order.
pub(super) fn compare([before, after]: &[Vec<Prediction>; 2], random: &mut SplitMix64) -> Comparison {
    let (bad, good): (Vec<_>, Vec<_>) = (0..before.len()).partition(|n| before[*n].is_bad);
    let (before, after) = (Ranked::of(before), Ranked::of(after));
    let once = vec![1; before.places.len()];
    let measured = (before.figures(&once), after.figures(&once));
    let mut resampled = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let (mut of_before, mut of_after) = (vec![0; once.len()], vec![0; once.len()]);
        for class in [&bad, &good] {
            for _ in 0..class.len() {
                let drawn = class[random.below(class.len())];
                of_before[before.places[drawn]] += 1;
                of_after[after.places[drawn]] += 1;
            }
        }
        resampled.push((before.figures(&of_before), after.figures(&of_after)));
    }
    // Of a loss, less is more.
    let compared = |of: fn(&Figures) -> f64, sign: f64| {
        let gain = |both: &(Figures, Figures)| sign * (of(&both.1) - of(&both.0));
        let mut gains: Vec<_> = resampled.iter().map(gain).collect();
        gains.sort_by(f64::total_cmp);
        let [low, high] = [RESAMPLES / 40 - 1, RESAMPLES - RESAMPLES / 40].map(|n| gains[n]);
        let gain = Estimate { value: gain(&measured), low, high };
        Compared { before: of(&measured.0), after: of(&measured.1), gain }
    };
    Comparison {
        log_loss: compared(|figures| figures.log_loss, -1.0),
        brier: compared(|figures| figures.brier, -1.0),
        auc: compared(|figures| figures.auc, 1.0),
        recall: compared(|figures| figures.recall, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of seed 1234567, as the reference implementation prints them.
    #[test]
    fn the_published_numbers() {
        let mut random = SplitMix64::new(1_234_567);
        let drawn = [(); 5].map(|()| random.next());
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(drawn, published);
    }

    #[test]
    fn draws_are_below_the_end_and_reach_all_of_it() {
        let mut random = SplitMix64::new(1);
        let mut drawn = [0; 10];
        (0..10_000).for_each(|_| drawn[random.below(10)] += 1);
        assert!(drawn.iter().all(|times| (850..1_150).contains(times)), "{drawn:?}");
    }

    /// The share of n that was a half is known to ± 1.96 × √(¼ ÷ n).
    #[test]
    fn an_interval_is_as_wide_as_it_should_be() {
        let seen = |log_odds: f64| {
            let of = |n: usize| Prediction {
                is_bad: n.is_multiple_of(2),
                weight: 1.0,
                against: 0.0,
                // Of the bad every other one is said to be nearly sure, which gains ln 2.
                log_odds: if n.is_multiple_of(4) { log_odds } else { 0.0 },
                probability: 0.5,
            };
            (0..800).map(of).collect::<Vec<_>>()
        };
        let gain = compare(&[seen(0.0), seen(40.0)], &mut SplitMix64::new(3)).log_loss.gain;
        let each = 2.0_f64.ln();
        assert!((gain.value - each / 4.0).abs() < 1e-9, "{gain:?}");
        // A half of the 400 bad gain, and no good one: half of the examples are drawn from a fair coin.
        let half = 1.96 * (0.25_f64 / 400.0).sqrt() * each / 2.0;
        assert!((gain.high - gain.low - 2.0 * half).abs() < 0.2 * half, "{gain:?} {half}");
        let same = compare(&[seen(0.0), seen(0.0)], &mut SplitMix64::new(3)).log_loss.gain;
        assert_eq!(same, Estimate { value: 0.0, low: 0.0, high: 0.0 });
    }
}
