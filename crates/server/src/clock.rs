//! The only reader of clocks.
#![expect(clippy::disallowed_methods, reason = "this is where time comes from")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dregs_core::time::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Where the server takes the time from.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_millis()))
    }

    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// No transaction takes longer.
const RECENT: Duration = Duration::from_secs(60);

/// Notices when a clock is put back.
#[derive(Debug, Default)]
pub struct Steps(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    last: Option<(Timestamp, Instant)>,
    back_millis: i64,
    settled_at: Option<Instant>,
}

impl Steps {
    /// By how many milliseconds the clock, which shows `now`, was put back; again and again until that is [`Self::settled`].
    pub fn back(&self, now: Timestamp) -> Option<i64> {
        let read_at = monotonic();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, at)) = seen.last.replace((now, read_at))
            && now < last
        {
            let passed = i64::try_from(read_at.duration_since(at).as_millis()).unwrap_or_default();
            seen.back_millis += last.millis_since(now) + passed;
        }
        (seen.back_millis > 0).then_some(seen.back_millis)
    }

    /// What follows from a step of so many milliseconds is done.
    pub fn settled(&self, millis: i64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.back_millis -= millis;
        seen.settled_at = Some(monotonic());
    }

    /// Whether what was settled last may still be joined by transactions that read the clock before.
    pub fn are_recent(&self) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.settled_at.is_some_and(|at| at.elapsed() < RECENT)
    }
}

/// For durations: unlike the time of day it never jumps.
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Since this machine was started, the time in which it slept included.
pub fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// Processor time of the calling thread so far.
pub fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The time of day in nanoseconds since 1970: for spans, which are shorter than what a [`Timestamp`] can tell.
pub fn unix_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
