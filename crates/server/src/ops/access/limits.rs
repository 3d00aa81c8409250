//! Limits on how much may be asked in a time: token buckets in memory, one for each credential and
//! address, each node with its own.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use dregs_core::time::{SECOND_MS, Timestamp};

use crate::limit::{self, Limit};

/// A bucket holds this many seconds' worth, so that a burst after a quiet time is no offence.
const BURST_SECONDS: u64 = 2;
/// Buckets and counts kept; when there are more, those that have nothing to say are dropped.
const KEPT_MAX: usize = 100_000;

/// How long to wait, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub seconds: u64,
}

impl Wait {
    /// At least a second, so that nobody tries again at once.
    pub fn of_millis(millis: u64) -> Self {
        Self { seconds: millis.div_ceil(SECOND_MS.unsigned_abs()).max(1) }
    }
}

/// The address that limits count by: a household or a server has a whole network of IPv6 addresses, the first
/// 64 bits (RFC 6177), and can send from any of them.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Who is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    Credential(i64),
    /// An MCP token.
    McpToken(i64),
    /// A client that acts for somebody.
    McpClient(i64),
    Address(IpAddr),
    /// An address that asks for files.
    Files(IpAddr),
    /// One that asks for metrics.
    Metrics(IpAddr),
    /// One that asks whether the server is ready.
    Probes(IpAddr),
}

impl Limited {
    pub fn address(address: IpAddr) -> Self {
        Self::Address(network(address))
    }

    pub fn files(address: IpAddr) -> Self {
        Self::Files(network(address))
    }

    pub fn metrics(address: IpAddr) -> Self {
        Self::Metrics(network(address))
    }

    pub fn probes(address: IpAddr) -> Self {
        Self::Probes(network(address))
    }
}

/// Files that an address may have for each request that it may make: a page of the dashboard has about twenty, and costs
/// little.
pub const FILES_PER_REQUEST: u64 = 5;

/// Requests with an MCP token, or of a connected client, in a second: more than an agent makes that thinks in between, with several at once.
pub const MCP_REQUESTS_PER_SECOND: u64 = 50;

/// What something costs.
#[derive(Clone, Copy)]
pub struct Cost {
    pub units: u64,
    /// What has been paid of the same request already.
    pub paid: u64,
}

impl Cost {
    pub fn of(units: u64) -> Self {
        Self { units, paid: 0 }
    }
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
    pub fn take(&self, who: Limited, per_second: u64, cost: Cost, now: Timestamp) -> Result<(), Wait> {
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
        let (units, paid) = (thousandths(cost.units), thousandths(cost.paid));
        let whole = units.saturating_add(paid).min(full);
        if whole <= bucket.tokens.saturating_add(paid) {
            bucket.tokens = bucket.tokens.saturating_sub(units);
            return Ok(());
        }
        // What has been paid is gone: reading it was work.
        let missing = whole - bucket.tokens;
        let (kind, limit) = match who {
            Limited::Credential(_) => ("credential", Limit::CredentialRate),
            Limited::McpToken(_) | Limited::McpClient(_) => ("mcp_token", Limit::McpRate),
            Limited::Address(_) => ("address", Limit::AddressRate),
            Limited::Files(_) => ("files", Limit::FilesRate),
            Limited::Metrics(_) => ("metrics", Limit::MetricsRate),
            Limited::Probes(_) => ("probes", Limit::ProbesRate),
        };
        limit::reached(limit);
        metrics::counter!("dregs_rate_limited_total", "kind" => kind).increment(1);
        Err(Wait::of_millis(missing.unsigned_abs().div_ceil(rate.unsigned_abs())))
    }
}

/// Of each body, this much is kept without being counted: it is bounded by the number of connections.
const UNCOUNTED_MAX_BYTES: usize = 16 * 1024;
/// Bodies of backends and of people that are being read at once.
pub const OF_KNOWN_MAX_MIB: usize = 256;
/// Bodies of browsers that are being read at once.
pub const OF_ANYBODY_MAX_MIB: usize = 64;
/// Of them, of one address.
pub const OF_ADDRESS_MAX_MIB: usize = 4;
const MIB: usize = 1024 * 1024;

/// The memory that bodies take while they are read.
#[derive(Default)]
pub struct Bodies(Arc<Mutex<Buffered>>);

#[derive(Default)]
struct Buffered {
    of_known: usize,
    of_anybody: usize,
    of_address: HashMap<IpAddr, usize>,
}

/// There is no room for more, by this limit.
#[derive(Debug, PartialEq, Eq)]
pub struct Full(pub Limit);

/// What is kept of one body, until it is dropped.
pub struct Held {
    buffered: Arc<Mutex<Buffered>>,
    account: Account,
    bytes: usize,
}

#[derive(Clone, Copy)]
enum Account {
    Known,
    Anybody(IpAddr),
}

impl Bodies {
    /// For a body of somebody who is known.
    pub fn of_known(&self) -> Held {
        Held { buffered: Arc::clone(&self.0), account: Account::Known, bytes: 0 }
    }

    /// For a body from an address; those of nobody knows where share one.
    pub fn of_anybody(&self, address: Option<IpAddr>) -> Held {
        let address = network(address.unwrap_or(Ipv6Addr::UNSPECIFIED.into()));
        Held { buffered: Arc::clone(&self.0), account: Account::Anybody(address), bytes: 0 }
    }
}

impl Held {
    /// Counts `bytes` as kept in all.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn grow_to(&mut self, bytes: usize) -> std::result::Result<(), Full> {
        let counted = bytes.saturating_sub(UNCOUNTED_MAX_BYTES);
        if counted <= self.bytes {
            return Ok(());
        }
        let more = counted - self.bytes;
        let mut buffered = self.buffered.lock().unwrap_or_else(PoisonError::into_inner);
        match self.account {
            Account::Known => {
                if buffered.of_known + more > OF_KNOWN_MAX_MIB * MIB {
                    return Err(Full(Limit::BodyMemory));
                }
                buffered.of_known += more;
            }
            Account::Anybody(address) => {
                let of_address = buffered.of_address.get(&address).copied().unwrap_or(0);
                if of_address + more > OF_ADDRESS_MAX_MIB * MIB {
                    return Err(Full(Limit::BodyMemoryOfAddress));
                }
                if buffered.of_anybody + more > OF_ANYBODY_MAX_MIB * MIB {
                    return Err(Full(Limit::BodyMemoryOfAnybody));
                }
                buffered.of_anybody += more;
                *buffered.of_address.entry(address).or_default() += more;
            }
        }
        drop(buffered);
        self.bytes = counted;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut buffered = self.buffered.lock().unwrap_or_else(PoisonError::into_inner);
        match self.account {
            Account::Known => buffered.of_known -= self.bytes,
            Account::Anybody(address) => {
                buffered.of_anybody -= self.bytes;
                if let Some(of_address) = buffered.of_address.get_mut(&address) {
                    *of_address -= self.bytes;
                    if *of_address == 0 {
                        buffered.of_address.remove(&address);
                    }
                }
            }
        }
    }
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
            assert_eq!(rates.take(who, 10, Cost::of(cost), at(time)), expected, "{cost} at {time}");
        }
        assert_eq!(rates.take(ADA, 0, Cost::of(u64::MAX), at(0)), Ok(()));
    }

    #[test]
    fn bodies_have_room_in_all_and_by_address_and_give_it_back() {
        let bodies = Bodies::default();
        let held = |address: &str, mib: usize| {
            let mut held = bodies.of_anybody(address.parse().ok());
            held.grow_to(mib * MIB + UNCOUNTED_MAX_BYTES).map(|()| held)
        };
        let mut kept = vec![held("2001:db8::1", 3).expect("room")];
        let refused = |address, mib| held(address, mib).err();
        assert_eq!(refused("2001:db8::2", 2), Some(Full(Limit::BodyMemoryOfAddress)), "of the same network");
        kept.extend((0..15).map(|n| held(&format!("192.0.2.{n}"), 4).expect("room")));
        assert_eq!(refused("198.51.100.1", 2), Some(Full(Limit::BodyMemoryOfAnybody)), "64 MiB in all");
        assert!(bodies.of_known().grow_to(16 * MIB).is_ok(), "backends have their own");
        assert!(bodies.of_anybody(None).grow_to(UNCOUNTED_MAX_BYTES).is_ok(), "little is always taken");
        kept.clear();
        assert!(held("2001:db8::2", 4).is_ok());
        let buffered = bodies.0.lock().expect("a lock");
        assert_eq!((buffered.of_known, buffered.of_anybody, buffered.of_address.len()), (0, 0, 0));
    }
}
