//! Latencies, kept one by one: percentiles are exact.

use std::time::Duration;

/// Measured times, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    micros: Vec<u64>,
}

/// What is told of many measured times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latencies {
    /// Adds one measured time, to the microsecond.
    pub fn add(&mut self, time: Duration) {
        self.micros.push(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds all that `other` measured.
    pub fn merge(&mut self, other: Self) {
        self.micros.extend(other.micros);
    }

    /// How many times were measured.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// The percentiles by nearest rank: the smallest time that so many per cent do not exceed. All zero
    /// when nothing was measured.
    pub fn percentiles(mut self) -> Percentiles {
        self.micros.sort_unstable();
        let at = |percent: usize| {
            let rank = (self.micros.len() * percent).div_ceil(100).max(1);
            self.micros.get(rank - 1).map_or(0.0, |&micros| micros as f64 / 1_000.0)
        };
        Percentiles { p50: at(50), p95: at(95), p99: at(99), max: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(micros: impl IntoIterator<Item = u64>, expected: Percentiles) {
        let mut latencies = Latencies::default();
        for one in micros {
            latencies.add(Duration::from_micros(one));
        }
        assert_eq!(latencies.percentiles(), expected);
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        check([], Percentiles::default());
        check([1_500], Percentiles { p50: 1.5, p95: 1.5, p99: 1.5, max: 1.5 });
        check([3_000, 1_000], Percentiles { p50: 1.0, p95: 3.0, p99: 3.0, max: 3.0 });
        check(
            (1..=1_000).rev().map(|n| n * 1_000),
            Percentiles { p50: 500.0, p95: 950.0, p99: 990.0, max: 1_000.0 },
        );
    }
}
