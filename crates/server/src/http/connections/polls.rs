//! How long the thread that answers is taken at a time. Everybody waits while one future is polled, so that the
//! longest poll is what a client may have to wait for somebody else.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use metrics::Histogram;

use crate::clock::thread_time;

/// In nanoseconds, since [`longest`] was last asked.
static LONGEST: AtomicU64 = AtomicU64::new(0);

/// A future of which each poll is timed, in processor time, which says the same on a busy machine.
pub struct Timed<F> {
    future: Pin<Box<F>>,
    seconds: Histogram,
}

impl<F> Timed<F> {
    pub fn new(future: F) -> Self {
        Self { future: Box::pin(future), seconds: metrics::histogram!("dregs_poll_seconds") }
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let begun = thread_time();
        let polled = self.future.as_mut().poll(cx);
        let taken = thread_time().saturating_sub(begun);
        self.seconds.record(taken);
        LONGEST.fetch_max(u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        polled
    }
}

/// The longest poll since this was last asked.
pub fn longest() -> Duration {
    Duration::from_nanos(LONGEST.swap(0, Ordering::Relaxed))
}
