//! When a channel whose endpoint fails is left alone, and when it is given up.
//!
//! After [`FAILURES_TO_OPEN`] failures in a row, or where the endpoint names a time to wait, the breaker is
//! open: nothing is sent. When its pause is over one attempt is made, the probe; a success closes the
//! breaker, a failure doubles the pause. What waits meanwhile uses up none of its retries, unless the probe
//! comes when a retry is due anyway. Nothing waits forever: [`Breaker::given_up`] says what has waited too long.

use serde::{Deserialize, Serialize};

use crate::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// One delivery with the default schedule fails four times for good: that is no sign yet that the endpoint
/// is sick for all.
pub const FAILURES_TO_OPEN: u32 = 5;
/// The first pause and the longest: what comes back within a minute is found soon, and what is gone for a
/// day is asked 288 times.
pub const PAUSE_MIN_MS: i64 = 5 * SECOND_MS;
pub const PAUSE_MAX_MS: i64 = 5 * MINUTE_MS;
/// As for retries, the most an endpoint can ask for.
pub const RETRY_AFTER_MAX_MS: i64 = HOUR_MS;
/// A channel is neither warned of nor disabled before so many failures in a row, however long they took.
pub const FAILURES_TO_WARN: u32 = 10;
/// Parts of the time to being disabled at which somebody is told, in percent.
pub const WARNINGS_PERCENT: [u8; 3] = [50, 80, 100];

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Success,
    /// With what the endpoint asks to wait, in milliseconds.
    Failure(Option<i64>),
}

/// What is remembered of a channel's failures: nothing while it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// In a row.
    pub failures: u32,
    /// When the first of them ended.
    pub failing_since: Option<Timestamp>,
    /// Nothing is sent before; from then on one probe at a time.
    pub open_until: Option<Timestamp>,
    /// Pauses since the last success.
    pub pauses: u32,
    /// The highest of [`WARNINGS_PERCENT`] that somebody has been told of.
    pub warned_percent: u8,
}

/// What a channel may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    Everything,
    /// One attempt, to see.
    Probe,
    /// Nothing before then.
    NothingUntil(Timestamp),
}

impl Breaker {
    /// What may be sent at `now`.
    pub fn allowance(&self, now: Timestamp) -> Allowance {
        match self.open_until {
            None => Allowance::Everything,
            Some(until) if until <= now => Allowance::Probe,
            Some(until) => Allowance::NothingUntil(until),
        }
    }

    /// After an attempt that ended at `now`.
    #[must_use]
    pub fn after(mut self, ended: Ended, now: Timestamp) -> Self {
        let Ended::Failure(retry_after_ms) = ended else { return Self::default() };
        self.failures = self.failures.saturating_add(1);
        self.failing_since = self.failing_since.or(Some(now));
        // Those that were under way when it opened say nothing new.
        let is_open = self.open_until.is_some_and(|until| until > now);
        let opens = !is_open && self.failures >= FAILURES_TO_OPEN;
        if opens {
            let pause = PAUSE_MIN_MS << self.pauses.min(10);
            self.open_until = Some(now.plus_millis(pause.min(PAUSE_MAX_MS)));
            self.pauses = self.pauses.saturating_add(1);
        }
        if let Some(wait) = retry_after_ms {
            let until = now.plus_millis(wait.clamp(0, RETRY_AFTER_MAX_MS));
            self.open_until = self.open_until.max(Some(until));
        }
        self
    }

    /// What waits since then, or longer, is given up: it has waited for `patience_ms` while the channel did
    /// nothing but fail. `None` while nothing is: before a channel has failed for so long, and where the next
    /// attempt may be made, so that after a stop of the server the endpoint is asked first.
    pub fn given_up(&self, patience_ms: i64, now: Timestamp) -> Option<Timestamp> {
        let is_open = self.open_until.is_some_and(|until| until > now);
        let has_failed_for = now.millis_since(self.failing_since?);
        (is_open && has_failed_for >= patience_ms).then(|| now.plus_millis(-patience_ms))
    }

    /// How much of the time to being disabled has passed, from 0 to 100; 0 where that never happens.
    pub fn percent(&self, disable_after_ms: Option<i64>, now: Timestamp) -> u8 {
        let Some((since, after)) = self.failing_since.zip(disable_after_ms) else { return 0 };
        if self.failures < FAILURES_TO_WARN || after <= 0 {
            return 0;
        }
        u8::try_from((now.millis_since(since) * 100 / after).clamp(0, 100)).unwrap_or(100)
    }

    /// The highest of [`WARNINGS_PERCENT`] that has been reached and not been told.
    pub fn warning(&self, disable_after_ms: Option<i64>, now: Timestamp) -> Option<u8> {
        let percent = self.percent(disable_after_ms, now);
        let reached = WARNINGS_PERCENT.into_iter().rev().find(|level| percent >= *level)?;
        (reached > self.warned_percent).then_some(reached)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);
    const FAILURE: Ended = Ended::Failure(None);

    fn at(seconds: i64) -> Timestamp {
        START.plus_millis(seconds * SECOND_MS)
    }

    fn failed(times: u32, second: i64) -> Breaker {
        (0..times).fold(Breaker::default(), |breaker, _| breaker.after(FAILURE, at(second)))
    }

    #[test]
    fn it_opens_at_the_fifth_failure_and_closes_with_a_success() {
        assert_eq!(failed(4, 0).allowance(at(0)), Allowance::Everything);
        let open = failed(5, 0);
        assert_eq!(open.allowance(at(4)), Allowance::NothingUntil(at(5)));
        assert_eq!(open.allowance(at(5)), Allowance::Probe);
        // Others that were under way do not make the pause longer.
        assert_eq!(open.after(FAILURE, at(1)).allowance(at(5)), Allowance::Probe);
        assert_eq!(open.after(Ended::Success, at(5)), Breaker::default());
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_five_minutes() {
        let (mut breaker, mut now) = (failed(5, 0), 0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let Allowance::NothingUntil(until) = breaker.allowance(at(now)) else { panic!("{breaker:?}") };
            pauses.push(until.millis_since(at(now)) / SECOND_MS);
            now = until.millis_since(START) / SECOND_MS;
            breaker = breaker.after(FAILURE, until);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn an_endpoint_can_ask_for_a_pause_at_its_first_failure_and_for_an_hour_at_most() {
        let asked = Breaker::default().after(Ended::Failure(Some(30 * SECOND_MS)), at(0));
        assert_eq!(asked.allowance(at(0)), Allowance::NothingUntil(at(30)));
        let asked = Breaker::default().after(Ended::Failure(Some(i64::MAX)), at(0));
        assert_eq!(asked.allowance(at(0)), Allowance::NothingUntil(at(3_600)));
    }

    #[test]
    fn what_waits_is_given_up_while_it_is_open_and_has_failed_for_long_enough() {
        const PATIENCE_MS: i64 = 60 * SECOND_MS;
        assert_eq!(failed(5, 0).given_up(PATIENCE_MS, at(4)), None);
        // Its pause is over: the endpoint is asked first.
        assert_eq!(failed(5, 0).given_up(PATIENCE_MS, at(60)), None);
        let open = failed(5, 0).after(FAILURE, at(59));
        assert_eq!(open.given_up(PATIENCE_MS, at(59)), None);
        assert_eq!(open.given_up(PATIENCE_MS, at(60)), Some(at(0)));
        assert_eq!(open.given_up(PATIENCE_MS, at(65)), Some(at(5)));
        assert_eq!(failed(4, 0).given_up(PATIENCE_MS, at(90)), None);
        assert_eq!(open.after(Ended::Success, at(61)).given_up(PATIENCE_MS, at(61)), None);
    }

    #[test]
    fn warnings_come_at_half_and_at_four_fifths_of_the_way_once_each_and_never_after_few_failures() {
        let day = Some(24 * HOUR_MS);
        let mut breaker = failed(10, 0);
        let warnings = [0, 43_199, 43_200, 50_000, 69_120, 86_399, 86_400].map(|second| {
            let warning = breaker.warning(day, at(second));
            breaker.warned_percent = warning.unwrap_or(breaker.warned_percent);
            warning
        });
        assert_eq!(warnings, [None, None, Some(50), None, Some(80), None, Some(100)]);
        assert_eq!(failed(9, 0).warning(day, at(1_000_000)), None);
        assert_eq!(failed(100, 0).warning(None, at(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn it_is_never_closed_for_good_and_forgets_all_with_a_success(
            steps in proptest::collection::vec((proptest::option::of(0..10_000_000i64), 0..400i64), 1..60),
        ) {
            let (mut breaker, mut now) = (Breaker::default(), START);
            for (retry_after_ms, seconds) in steps {
                now = now.plus_millis(seconds * SECOND_MS);
                breaker = breaker.after(Ended::Failure(retry_after_ms), now);
                let until = breaker.open_until.unwrap_or(now);
                prop_assert!(until.millis_since(now) <= RETRY_AFTER_MAX_MS);
                prop_assert_eq!(breaker.after(Ended::Success, now), Breaker::default());
            }
        }
    }
}
