//! Limits on how much may be asked in a time: token buckets in memory, one for each credential and
//! address, each node with its own.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use dregs_core::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// A bucket holds this many seconds' worth, so that a burst after a quiet time is no offence.
const BURST_SECONDS: u64 = 2;
/// Buckets and counts kept; when there are more, those that have nothing to say are dropped.
const KEPT_MAX: usize = 100_000;
/// In which failed sign-ins are counted.
const SIGN_IN_WINDOW_MS: i64 = 15 * MINUTE_MS;

/// How long to wait, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub seconds: u64,
}

impl Wait {
    /// At least a second, so that nobody tries again at once.
    fn of_millis(millis: u64) -> Self {
        Self { seconds: millis.div_ceil(SECOND_MS.unsigned_abs()).max(1) }
    }
}

/// Who is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    Credential(i64),
    Address(IpAddr),
}

struct Bucket {
    /// In thousandths; below zero after a request larger than the bucket.
    tokens: i64,
    at: Timestamp,
}

/// The buckets.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<Limited, Bucket>>);

impl Rates {
    /// Takes `cost` from a bucket that fills with `per_second`; 0 means that there is no limit.
    ///
    /// # Errors
    /// How long until there is enough.
    pub fn take(&self, who: Limited, per_second: u64, cost: u64, now: Timestamp) -> Result<(), Wait> {
        if per_second == 0 {
            return Ok(());
        }
        let thousandths = |number: u64| i64::try_from(number.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let rate = i64::try_from(per_second).unwrap_or(i64::MAX);
        let full = thousandths(per_second * BURST_SECONDS);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT_MAX && !buckets.contains_key(&who) {
            // One that nobody has used for as long as it takes to fill is as good as a new one.
            let window = (BURST_SECONDS * 1_000).cast_signed();
            buckets.retain(|_, bucket| now.millis_since(bucket.at) < window);
        }
        let bucket = buckets.entry(who).or_insert(Bucket { tokens: full, at: now });
        let passed = now.millis_since(bucket.at).max(0);
        bucket.tokens = full.min(bucket.tokens.saturating_add(passed.saturating_mul(rate)));
        bucket.at = now;
        // A request larger than the bucket is let through when that is full, and then paid off.
        let cost = thousandths(cost);
        let missing = cost.min(full) - bucket.tokens;
        if missing <= 0 {
            bucket.tokens -= cost;
            return Ok(());
        }
        let kind = match who {
            Limited::Credential(_) => "credential",
            Limited::Address(_) => "address",
        };
        metrics::counter!("dregs_rate_limited_total", "kind" => kind).increment(1);
        Err(Wait::of_millis(missing.unsigned_abs().div_ceil(rate.unsigned_abs())))
    }
}

/// Failed sign-ins, by account and by address.
#[derive(Default)]
pub struct SignIns(Mutex<HashMap<Attempted, Failures>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Attempted {
    Account(String),
    Address(IpAddr),
}

struct Failures {
    count: u64,
    since: Timestamp,
}

/// How many failures are too many; 0 means any number.
#[derive(Clone, Copy)]
pub struct SignInLimits {
    pub per_account: u64,
    pub per_address: u64,
}

impl SignIns {
    /// Whether one may try now.
    ///
    /// # Errors
    /// How long until one may.
    pub fn check(
        &self,
        email: &str,
        address: Option<IpAddr>,
        limits: SignInLimits,
        now: Timestamp,
    ) -> Result<(), Wait> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (attempted, limit) in attempted(email, address, limits) {
            let Some(found) = failures.get(&attempted) else { continue };
            let left = SIGN_IN_WINDOW_MS - now.millis_since(found.since);
            if limit > 0 && found.count >= limit && left > 0 {
                metrics::counter!("dregs_login_throttled_total").increment(1);
                return Err(Wait::of_millis(left.unsigned_abs()));
            }
        }
        Ok(())
    }

    /// Notes how a try ended: a failure is counted, a success forgets those of the account.
    pub fn note(
        &self,
        email: &str,
        address: Option<IpAddr>,
        limits: SignInLimits,
        succeeded: bool,
        now: Timestamp,
    ) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            failures.remove(&Attempted::Account(email.to_owned()));
            return;
        }
        if failures.len() >= KEPT_MAX {
            failures.retain(|_, failures| now.millis_since(failures.since) < SIGN_IN_WINDOW_MS);
        }
        for (attempted, _) in attempted(email, address, limits) {
            let entry = failures.entry(attempted).or_insert(Failures { count: 0, since: now });
            if now.millis_since(entry.since) >= SIGN_IN_WINDOW_MS {
                *entry = Failures { count: 0, since: now };
            }
            entry.count += 1;
        }
    }
}

fn attempted(
    email: &str,
    address: Option<IpAddr>,
    limits: SignInLimits,
) -> impl Iterator<Item = (Attempted, u64)> {
    let address = address.map(|address| (Attempted::Address(address), limits.per_address));
    [(Attempted::Account(email.to_owned()), limits.per_account)].into_iter().chain(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Limited = Limited::Credential(1);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_bucket_holds_two_seconds_and_fills_with_time() {
        let rates = Rates::default();
        let wait = |seconds| Err(Wait { seconds });
        let cases = [
            // (who, cost, at, answer), with ten a second
            (ADA, 20, 0, Ok(())),
            (ADA, 1, 0, wait(1)),
            (Limited::Credential(2), 1, 0, Ok(())),
            (ADA, 1, 99, wait(1)),
            (ADA, 1, 100, Ok(())),
            (ADA, 20, 1_000, wait(2)),
            (ADA, 50, 9_000, Ok(())),
            // Thirty are still to be paid off.
            (ADA, 1, 9_000, wait(4)),
            (ADA, 1, 12_100, Ok(())),
        ];
        for (who, cost, time, expected) in cases {
            assert_eq!(rates.take(who, 10, cost, at(time)), expected, "{cost} at {time}");
        }
        assert_eq!(rates.take(ADA, 0, u64::MAX, at(0)), Ok(()));
    }

    #[test]
    fn failed_sign_ins_are_counted_by_account_and_by_address() {
        let limits = SignInLimits { per_account: 2, per_address: 3 };
        let (sign_ins, home) = (SignIns::default(), "192.0.2.1".parse().ok());
        let fail = |email: &str, time| sign_ins.note(email, home, limits, false, at(time));
        let check = |email: &str, address, time| sign_ins.check(email, address, limits, at(time));
        fail("ada", 0);
        sign_ins.note("ada", home, limits, true, at(1));
        fail("ada", 2);
        assert_eq!(check("ada", home, 3), Ok(()));
        fail("ada", 3);
        // Her account has two, her address three.
        assert_eq!(check("ada", None, 4), Err(Wait { seconds: 900 }));
        assert_eq!(check("bob", home, 4), Err(Wait { seconds: 900 }));
        assert_eq!(check("bob", None, 4), Ok(()));
        assert_eq!(check("ada", home, SIGN_IN_WINDOW_MS + 2), Ok(()));
    }
}
