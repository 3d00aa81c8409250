//! The one place of this crate that reads the clock, and a timer that is exact.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures: this is its clock.rs")]

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// The monotonic time now.
pub fn now() -> Instant {
    Instant::now()
}

/// Wakes a task at a given time, to some microseconds.
///
/// The timers of tokio wake on whole milliseconds, which is as much as the latency that is measured.
pub struct Pacer {
    timer: AsyncFd<OwnedFd>,
}

impl Pacer {
    /// A timer of its own for the runtime this is called on.
    #[expect(
        deprecated,
        reason = "what replaces AsyncFd::new is unsafe code; its one condition, that the descriptor stays open \
                  and the same, holds: it is owned and never handed out mutably"
    )]
    pub fn new() -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK.union(TimerfdFlags::CLOEXEC))?;
        Ok(Self { timer: AsyncFd::new(timer)? })
    }

    /// Returns at `due`, or at once when it has passed.
    pub async fn wait_until(&mut self, due: Instant) -> io::Result<()> {
        let left = due.saturating_duration_since(now());
        if left.is_zero() {
            return Ok(());
        }
        let once = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(left) };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.timer.readable().await?;
            let mut expirations = [0_u8; 8];
            let read = ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?));
            match read {
                Ok(outcome) => return outcome.map(|_| ()),
                Err(_would_block) => continue,
            }
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() }
}
