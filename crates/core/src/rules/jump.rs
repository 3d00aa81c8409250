//! Whether a rule matches far more often than its own past lets expect.

use crate::wilson::wilson;

/// Below this nothing is told: a few more are no wave, whatever was before.
const COUNT_MIN: u64 = 10;
/// So many times as often is told. Traffic of one day or another differs by less.
const TIMES_MIN: f64 = 3.0;

/// How often a rule matched in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub count: u64,
    /// Events of the team in it.
    pub events: u64,
    /// How long it was.
    pub hours: u32,
}

/// A rule that matches far more often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    pub count: u64,
    /// How often was to be expected, by the past, for as many events.
    pub expected: f64,
}

/// Compares a day with the weeks before it, by events, so that more traffic alone is no jump; a day of fewer events than
/// others counts as one of them, since rules match by time alone, too. It is a jump where, with 95% confidence, the
/// rule matched at least three times as often.
///
/// Given how often it did in both times together, the part of the later one has a binomial distribution, whose share is
/// known where the rate is three times that of before (the conditional test of two Poisson rates: Przyborowski and
/// Wilenski, Biometrika 31 (1940), 313–323). The share that was counted must be above that by its whole interval.
pub fn jump(late: Taken, before: Taken) -> Option<Jump> {
    if late.count < COUNT_MIN || before.events == 0 || before.hours == 0 {
        return None;
    }
    let by_time = f64::from(late.hours) / f64::from(before.hours);
    let times = (late.events as f64 / before.events as f64).max(by_time);
    let share = TIMES_MIN * times / (TIMES_MIN * times + 1.0);
    let (low, _) = wilson(late.count, late.count + before.count);
    (low > share).then_some(Jump { count: late.count, expected: before.count as f64 * times })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day, and the 27 before it.
    fn jumped(late: (u64, u64), before: (u64, u64)) -> Option<Jump> {
        let of = |(count, events), hours| Taken { count, events, hours };
        jump(of(late, 24), of(before, 27 * 24))
    }

    #[test]
    fn what_takes_hold_far_more_often_is_a_jump() {
        let found = jumped((48, 1_000), (87, 27_000)).unwrap();
        assert!((found.expected - 3.2).abs() < 0.03 && found.count == 48, "{found:?}");
        assert_eq!(
            jumped((10, 1_000), (0, 27_000)),
            Some(Jump { count: 10, expected: 0.0 }),
            "for the first time"
        );
    }

    #[test]
    fn more_traffic_or_a_busy_day_or_a_few_are_none() {
        assert_eq!(jumped((480, 100_000), (130, 27_000)), None, "the same share of ten times the events");
        assert_eq!(jumped((10, 1_000), (87, 27_000)), None, "three times as often, which may be chance");
        assert_eq!(jumped((9, 1_000), (0, 27_000)), None, "too few");
        assert_eq!(jumped((50, 1_000), (0, 0)), None, "there is no past");
        assert_eq!(jumped((50, 0), (1_400, 27_000)), None, "a day without events, as often as on others");
    }

    #[test]
    fn a_rate_that_stays_is_called_a_jump_in_less_than_one_of_a_hundred_thousand_days() {
        // Poisson of 30 a day on either side: by its mean and deviation, far into the tail (six deviations).
        let (mean, deviation) = (30.0_f64, 30.0_f64.sqrt());
        let highest = (mean + 6.0 * deviation) as u64;
        assert_eq!(jumped((highest, 1_000), (27 * 30, 27_000)), None);
    }
}
