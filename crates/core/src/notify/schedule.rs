//! When a failed delivery is tried again.
//!
//! The rule: the next attempt is due the schedule's delay after the failure, plus an extra. The
//! extra is what `Retry-After` asks beyond the delay, plus a jitter of at most 5% of the delay;
//! together at most one hour. So a receiver can ask for more time, never for less, and deliveries
//! that failed together do not come back together.

use std::fmt;

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// The most retries a schedule may name.
pub const RETRIES_MAX: usize = 20;
/// The longest delay a schedule may name: a week.
pub const RETRY_DELAY_MAX_SECONDS: u64 = 7 * 86_400;
/// The most that jitter and `Retry-After` together add to a delay.
pub const RETRY_EXTRA_MAX_MS: i64 = HOUR_MS;
/// The most jitter adds, as a part of the delay.
pub const RETRY_JITTER_MAX_PERCENT: i64 = 5;

/// The seed document: retries 30, 60 and 120 seconds after the failure before each.
const DEFAULT_DELAYS_MS: [i64; 3] = [30 * SECOND_MS, MINUTE_MS, 2 * MINUTE_MS];

/// The example schedule of Standard Webhooks 1.0.0 ("Deliverability and reliability"): after the
/// first attempt nine more, over 75 hours and 35 minutes.
const STANDARD_DELAYS_MS: [i64; 9] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    DAY_MS,
];

const STANDARD: &str = "standard";

/// The delays before each retry, one for every failure that is followed by another attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    delays_ms: Box<[i64]>,
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self { delays_ms: DEFAULT_DELAYS_MS.into() }
    }
}

impl RetrySchedule {
    /// Reads whole seconds separated by commas, `30,60,120`, or the preset `standard`. The error
    /// is a sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == STANDARD {
            return Ok(Self { delays_ms: STANDARD_DELAYS_MS.into() });
        }
        let delays_ms = text.split(',').map(parse_delay).collect::<Result<Box<[i64]>, String>>()?;
        if delays_ms.len() > RETRIES_MAX {
            return Err(format!("names {} retries; at most {RETRIES_MAX} are possible", delays_ms.len()));
        }
        Ok(Self { delays_ms })
    }

    /// How often a delivery is tried at most, the first attempt included.
    pub fn attempts_max(&self) -> usize {
        self.delays_ms.len() + 1
    }

    /// From the first failure to the last attempt, in milliseconds: all delays together.
    pub fn length_ms(&self) -> i64 {
        self.delays_ms.iter().sum()
    }

    /// Whether an attempt after `failures` failures that is made `late_ms` after it was due is one of the schedule: it
    /// may be late by the delay before it (before the first, by that before the first retry), so that the whole takes
    /// twice its length at most. A later one was held back by something else.
    pub fn is_in_time(&self, failures: u32, late_ms: i64) -> bool {
        let index = usize::try_from(failures).unwrap_or(usize::MAX).saturating_sub(1);
        self.delays_ms.get(index).is_some_and(|delay_ms| late_ms <= *delay_ms)
    }

    /// When to try again after the `failures`-th failure (from 1) at `failed_at`; `None` when that
    /// was the last attempt. `retry_after_seconds` is what the receiver asked for. The same
    /// `jitter_seed` and `failures` always give the same jitter: the delivery's id is a good seed.
    pub fn next_attempt_at(
        &self,
        failures: u32,
        failed_at: Timestamp,
        retry_after_seconds: Option<u64>,
        jitter_seed: u64,
    ) -> Option<Timestamp> {
        let index = usize::try_from(failures).ok()?.checked_sub(1)?;
        let delay_ms = *self.delays_ms.get(index)?;
        let asked_ms = i64::try_from(retry_after_seconds.unwrap_or(0)).unwrap_or(i64::MAX);
        let asked_extra_ms = asked_ms.saturating_mul(SECOND_MS).saturating_sub(delay_ms).max(0);
        let jitter_ms = jitter_ms(delay_ms, jitter_seed.wrapping_add(u64::from(failures)));
        let extra_ms = asked_extra_ms.saturating_add(jitter_ms).min(RETRY_EXTRA_MAX_MS);
        Some(failed_at.plus_millis(delay_ms + extra_ms))
    }
}

impl fmt::Display for RetrySchedule {
    /// As [`RetrySchedule::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, delay_ms) in self.delays_ms.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", delay_ms / SECOND_MS)?;
        }
        Ok(())
    }
}

fn parse_delay(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let refused = || {
        format!(
            "{text:?} is not a delay: give whole seconds from 1 to {RETRY_DELAY_MAX_SECONDS}, separated by \
             commas (30,60,120), or the word {STANDARD}"
        )
    };
    let seconds = text.parse::<u64>().map_err(|_| refused())?;
    if !(1..=RETRY_DELAY_MAX_SECONDS).contains(&seconds) {
        return Err(refused());
    }
    i64::try_from(seconds).map(|seconds| seconds * SECOND_MS).map_err(|_| refused())
}

/// From 0 to 5% of the delay, evenly spread over seeds.
fn jitter_ms(delay_ms: i64, seed: u64) -> i64 {
    let steps = delay_ms * RETRY_JITTER_MAX_PERCENT / 100 + 1;
    let spread = i64::try_from(mix(seed) >> 1).unwrap_or(0);
    spread.rem_euclid(steps)
}

/// The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): neighboring seeds,
/// such as ids counted up, come out unrelated.
const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_attempt_is_in_time_within_the_delay_before_it() {
        let schedule = RetrySchedule::default();
        assert_eq!(schedule.length_ms(), 210_000);
        let cases = [
            (0, 30_000, true),
            (0, 30_001, false),
            (1, 30_000, true),
            (2, 60_001, false),
            (3, 120_000, true),
        ];
        for (failures, late_ms, expected) in cases {
            assert_eq!(schedule.is_in_time(failures, late_ms), expected, "{failures} {late_ms}");
        }
        assert!(!schedule.is_in_time(4, 0));
    }

    #[test]
    fn schedules_are_read_as_they_are_written() {
        let cases = [
            ("30,60,120", Ok("30,60,120")),
            (" 5 , 604800 ", Ok("5,604800")),
            ("standard", Ok("5,300,1800,7200,18000,36000,50400,72000,86400")),
        ];
        for (text, expected) in cases {
            let read = RetrySchedule::parse(text).map(|schedule| schedule.to_string());
            assert_eq!(
                read.as_deref(),
                expected.as_ref().map(|text: &&str| *text).map_err(|e: &String| e),
                "{text}"
            );
        }
        assert_eq!(RetrySchedule::parse("30,60,120"), Ok(RetrySchedule::default()));
        assert_eq!(RetrySchedule::parse("standard").map(|schedule| schedule.attempts_max()), Ok(10));
    }

    #[test]
    fn a_refused_schedule_names_the_part_that_is_wrong() {
        for (text, part) in [("", "\"\""), ("30,,60", "\"\""), ("30,1m", "\"1m\""), ("0", "\"0\"")] {
            let error = RetrySchedule::parse(text).unwrap_err();
            assert!(error.starts_with(part), "{text:?}: {error}");
        }
        for text in ["604801", "-5", "1.5", "30;60", "18446744073709551616"] {
            assert!(RetrySchedule::parse(text).is_err(), "{text:?}");
        }
        let most = vec!["1"; RETRIES_MAX];
        assert!(RetrySchedule::parse(&most.join(",")).is_ok());
        assert_eq!(
            RetrySchedule::parse(&[most.join(","), "1".to_owned()].join(",")),
            Err("names 21 retries; at most 20 are possible".to_owned())
        );
    }

    const FAILED_AT: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    /// The waits in seconds after each failure, rounded down, with what the receiver asks for.
    fn waits(schedule: &str, retry_after_seconds: Option<u64>) -> Vec<Option<i64>> {
        let schedule = RetrySchedule::parse(schedule).unwrap();
        let next = |failures| schedule.next_attempt_at(failures, FAILED_AT, retry_after_seconds, 7);
        (0..=4).map(|failures| next(failures).map(|at| at.millis_since(FAILED_AT) / SECOND_MS)).collect()
    }

    #[test]
    fn each_failure_waits_its_delay_and_the_last_is_final() {
        let minutes = "600,1200,2400";
        assert_eq!(waits(minutes, None), [None, Some(608), Some(1206), Some(2448), None]);
        // Less than the delay changes nothing, more is granted, and never more than an hour more.
        assert_eq!(waits(minutes, Some(60)), waits(minutes, None));
        assert_eq!(waits(minutes, Some(1300)), [None, Some(1308), Some(1306), Some(2448), None]);
        assert_eq!(waits(minutes, Some(u64::MAX)), [None, Some(4200), Some(4800), Some(6000), None]);
    }

    proptest! {
        #[test]
        fn an_attempt_is_never_early_and_never_more_than_an_hour_late(
            delay_seconds in 1..=RETRY_DELAY_MAX_SECONDS,
            retry_after_seconds in proptest::option::of(any::<u64>()),
            seed in any::<u64>(),
        ) {
            let schedule = RetrySchedule::parse(&delay_seconds.to_string()).unwrap();
            let at = schedule.next_attempt_at(1, FAILED_AT, retry_after_seconds, seed).unwrap();
            let extra_ms = at.millis_since(FAILED_AT) - i64::try_from(delay_seconds).unwrap() * SECOND_MS;
            prop_assert!((0..=RETRY_EXTRA_MAX_MS).contains(&extra_ms), "extra of {extra_ms} ms");
            prop_assert_eq!(Some(at), schedule.next_attempt_at(1, FAILED_AT, retry_after_seconds, seed));
            if retry_after_seconds.is_none() {
                prop_assert!(extra_ms * 100 <= i64::try_from(delay_seconds).unwrap() * SECOND_MS * 5);
            }
        }
    }

    #[test]
    fn deliveries_that_fail_together_spread_out() {
        let schedule = RetrySchedule::default();
        let extra = |seed| {
            let at = schedule.next_attempt_at(1, FAILED_AT, None, seed)?;
            Some(at.millis_since(FAILED_AT) - 30 * SECOND_MS)
        };
        let extras: Vec<i64> = (0..1_000).filter_map(extra).collect();
        let mean = extras.iter().sum::<i64>() / 1_000;
        assert!((700..=800).contains(&mean), "a mean of {mean} ms of at most 1500");
        assert!(extras.iter().any(|extra| *extra < 50) && extras.iter().any(|extra| *extra > 1_450));
    }
}
