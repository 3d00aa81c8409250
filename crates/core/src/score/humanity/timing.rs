//! Humanity: whether its events have the rhythm of a person.
//!
//! Limits: needs five gaps under half an hour between acts of a person; events of a backend, all at one moment or
//! without anything of a person, have no rhythm and are left out.

use crate::curve::interpolate;
use crate::score::aggregate::thousandths;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::moments::{gaps_ms, moments};
use crate::score::phrase::{counted, duration};
use crate::snapshot::Snapshot;
use crate::time::MINUTE_MS;

/// As telling as an average analyzer: a clockwork can be disguised with a little randomness.
const WEIGHT: f64 = 1.0;

/// Fewer gaps than this show no rhythm.
const GAPS_MIN: usize = 5;
/// Longer gaps lie between visits; their regularity is that of a person's days, or of a schedule
/// of the application.
const GAP_MAX_MS: f64 = (30 * MINUTE_MS) as f64;
/// With this many gaps the confidence is half of what it can become.
const GAPS_HALF: f64 = 5.0;
const CONFIDENCE_MAX: f64 = 0.95;

/// Coefficient of variation (standard deviation by mean) of the gaps, and its value. Acts at
/// random times have 1; people, who pause and hurry, more; a clockwork 0. Software that jitters
/// its sleep by up to half of it has 0.3.
const VALUE_BY_VARIATION: [(f64, f64); 5] = [(0.05, 0.03), (0.2, 0.2), (0.4, 0.5), (0.8, 0.7), (1.2, 0.75)];

/// Who has a page read out to them moves on when it ends: at mean gaps of this length and more, in
/// milliseconds, an evenness counts for a third, and only a clockwork stands out.
const LISTENING_MS: [(f64, f64); 2] = [(8_000.0, 1.0), (16_000.0, 3.0)];

/// Of so many gaps and more, the longest part is left out where the others are a clockwork's: it sleeps now and then.
/// Not where it ticks slowly: a page may, which plays or saves by itself while somebody is there.
const PAUSES_MIN_GAPS: usize = 20;
const PAUSES_ONE_IN: usize = 10;
const CLOCKWORK_MAX: f64 = 0.2;

/// Median gap in milliseconds, and its value: two deliberate acts of a person take at least half a
/// second (choosing and reaching a target, by Fitts' and Hick's laws), and mostly seconds.
const VALUE_BY_MEDIAN_MS: [(f64, f64); 4] = [(50.0, 0.02), (150.0, 0.1), (400.0, 0.4), (800.0, 1.0)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "humanity.timing",
    label: "Rhythm of events",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let mut gaps = gaps_ms(&moments(snapshot));
    gaps.retain(|gap| *gap <= GAP_MAX_MS);
    if gaps.len() < GAPS_MIN {
        return None;
    }
    gaps.sort_unstable_by(f64::total_cmp);
    let median = gaps[gaps.len() / 2];
    let count = gaps.len() as f64;
    let even = even_gaps(&gaps);
    let Spread { mean, variation } = Spread::of(even);

    let by_variation = interpolate(&VALUE_BY_VARIATION, variation * interpolate(&LISTENING_MS, mean));
    let by_speed = interpolate(&VALUE_BY_MEDIAN_MS, median);
    let times = counted(gaps.len() as u64, "gap");
    let explanation = if by_speed < by_variation {
        format!(
            "Half of {times} between its events, within its latest visits, are shorter than {}; people need about a second from one act to \
             the next.",
            duration(median)
        )
    } else {
        let which = if even.len() < gaps.len() {
            format!("{} of {times}", even.len())
        } else {
            format!("The {times}")
        };
        format!(
            "{which} between its events, within its latest visits, last {} on average and vary by {:.0}% of that; people vary by 80% and \
             more, a timer hardly at all.",
            duration(mean),
            variation * 100.0
        )
    };
    let confidence = CONFIDENCE_MAX * count / (count + GAPS_HALF);
    let finding = Finding::new(by_speed.min(by_variation), confidence, explanation);
    Some(
        finding
            .with("gaps", gaps.len())
            .with("evenGaps", even.len())
            .with("medianMillis", thousandths(median))
            .with("meanMillis", thousandths(mean))
            .with("variation", thousandths(variation)),
    )
}

/// How long gaps last, and how much they differ.
struct Spread {
    mean: f64,
    /// Standard deviation by mean.
    variation: f64,
}

impl Spread {
    fn of(gaps: &[f64]) -> Self {
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        Self { mean, variation: variance.sqrt() / mean }
    }
}

/// Of gaps in the order of their length: all, or those that show a clockwork between its pauses.
fn even_gaps(gaps: &[f64]) -> &[f64] {
    let pauses = if gaps.len() < PAUSES_MIN_GAPS { 0 } else { gaps.len() / PAUSES_ONE_IN };
    let shorter = &gaps[..gaps.len() - pauses];
    let is_clockwork = |spread: Spread| spread.variation <= CLOCKWORK_MAX;
    let of_shorter = Spread::of(shorter);
    let may_be_pages = of_shorter.mean >= LISTENING_MS[0].0;
    if !may_be_pages && !is_clockwork(Spread::of(gaps)) && is_clockwork(of_shorter) { shorter } else { gaps }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn at(times_ms: impl IntoIterator<Item = i64>) -> Option<(f64, String)> {
        said(Identity::default().events("a", times_ms).observe(ANALYZER))
    }

    fn every(gap_ms: i64) -> impl Iterator<Item = i64> {
        (0..21).map(move |n| n * gap_ms)
    }

    #[test]
    fn too_few_gaps_have_no_rhythm() {
        assert_eq!(at([0, 1_000, 2_000, 3_000, 4_000]), None);
        assert_eq!(at([0; 20]), None, "one moment");
        assert_eq!(at(every(3_600_000)), None, "longer than a visit");
    }

    #[test]
    fn a_clockwork_is_no_person() {
        let words = "The 20 gaps between its events, within its latest visits, last 10.0 s on average and vary by 0% of that; people vary by \
                     80% and more, a timer hardly at all.";
        assert_eq!(at(every(10_000)), Some((0.03, words.to_owned())));
    }

    #[test]
    fn a_clockwork_that_sleeps_now_and_then_is_one() {
        let sleeping = |every: i64, millis: i64| {
            (0..50).scan(0, move |at, n| {
                *at += if n % every == every - 1 { millis } else { 1_000 };
                Some(*at)
            })
        };
        let words = "45 of 49 gaps between its events, within its latest visits, last 1.0 s on average and vary by 0% of that; people vary by 80% \
                     and more, a timer hardly at all.";
        for (every, millis) in [(50, 75_000), (25, 600_000), (15, 9_000)] {
            assert_eq!(at(sleeping(every, millis)), Some((0.03, words.to_owned())), "{every}");
        }
        let page = (0..50).map(|n| n * 10_000 + n / 20 * 300_000);
        assert!(at(page).is_some_and(|(value, _)| value > 0.5), "a player is stopped now and then");
        assert!(at(sleeping(4, 9_000)).is_some_and(|(value, _)| value > 0.5), "a quarter are no exceptions");
    }

    #[test]
    fn nobody_acts_ten_times_a_second() {
        let words = "Half of 20 gaps between its events, within its latest visits, are shorter than 90 ms; people need about a second from \
                     one act to the next.";
        let uneven = (0..21).scan(0, |at, n| {
            *at += if n % 3 == 0 { 700 } else { 90 };
            Some(*at)
        });
        assert_eq!(at(uneven), Some((0.052, words.to_owned())));
    }

    #[test]
    fn people_hurry_and_pause() {
        let words = "The 8 gaps between its events, within its latest visits, last 17.5 s on average and vary by 138% of that; people vary \
                     by 80% and more, a timer hardly at all.";
        let times = [0, 3_000, 4_500, 20_000, 22_000, 95_000, 100_000, 101_000, 140_000];
        assert_eq!(at(times), Some((0.75, words.to_owned())));
    }

    #[test]
    fn more_events_make_it_surer() {
        let confidence = |count| {
            let identity = Identity::default().events("a", (0..count).map(|n| n * 10_000));
            identity.observe(ANALYZER).map(|finding| finding.confidence)
        };
        assert_eq!(confidence(6), Some(0.475));
        assert_eq!(confidence(46), Some(0.855));
    }
}
