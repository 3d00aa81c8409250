//! Origins whose pages were refused: a browser tells nobody but its own console, so the server tells the team.
//!
//! Whoever can reach the server can name origins. So the list is short and in memory, and one address brings in a few
//! origins at most.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use dregs_core::time::{DAY_MS, Timestamp};

use crate::ops::team::credentials::is_origin;

/// Origins that are remembered: more than a team has pages.
const ORIGINS_MAX: usize = 100;
/// Origins that are remembered of those that one address brought in.
const PER_ADDRESS_MAX: usize = 5;
/// An origin that was not seen for so long is forgotten.
const KEPT_MS: i64 = 7 * DAY_MS;
/// What browsers call pages without an origin of their own: sandboxed frames and local files.
pub const OPAQUE: &str = "null";

/// A page's origin that may not send events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedOrigin {
    pub origin: String,
    /// Whose key it used; `None` where the browser asked before it sent one.
    pub credential_id: Option<i64>,
    /// Requests.
    pub count: u64,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
}

struct Known {
    refused: RefusedOrigin,
    /// Who brought it in; of IPv6 the network of a household.
    by: Option<IpAddr>,
}

/// What was refused since the server started, by this node.
#[derive(Default)]
pub struct RefusedOrigins(Mutex<HashMap<(String, Option<i64>), Known>>);

impl RefusedOrigins {
    /// Notes a request of a page; what is no origin is left out.
    pub fn note(&self, origin: &str, credential_id: Option<i64>, address: Option<IpAddr>, now: Timestamp) {
        if origin == "*" || (origin != OPAQUE && !is_origin(origin)) {
            return;
        }
        let origin = origin.to_ascii_lowercase();
        let key = (origin, credential_id);
        let by = address.map(household);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { refused, .. }) = known.get_mut(&key) {
            refused.count = refused.count.saturating_add(1);
            refused.last_seen_at = now;
            return;
        }
        known.retain(|_, known| now.millis_since(known.refused.last_seen_at) < KEPT_MS);
        make_room(&mut known, by);
        tracing::info!(origin = key.0, "a page of this origin may not send events: no credential allows it");
        let refused = RefusedOrigin {
            origin: key.0.clone(),
            credential_id,
            count: 1,
            first_seen_at: now,
            last_seen_at: now,
        };
        known.insert(key, Known { refused, by });
    }

    /// What is remembered, the last seen first.
    pub fn list(&self, now: Timestamp) -> Vec<RefusedOrigin> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = known.values().map(|known| known.refused.clone()).collect();
        all.retain(|refused| now.millis_since(refused.last_seen_at) < KEPT_MS);
        all.sort_by(|a, b| (b.last_seen_at, &a.origin).cmp(&(a.last_seen_at, &b.origin)));
        all
    }
}

/// Forgets one where there is no room for another: of the same address, if that has brought in enough; else the one
/// that was seen least.
fn make_room(known: &mut HashMap<(String, Option<i64>), Known>, by: Option<IpAddr>) {
    let of_same = |known: &&Known| known.by == by;
    let is_greedy = known.values().filter(of_same).count() >= PER_ADDRESS_MAX;
    if !is_greedy && known.len() < ORIGINS_MAX {
        return;
    }
    let candidates = known.iter().filter(|(_, known)| !is_greedy || of_same(known));
    let least = candidates.min_by_key(|(_, known)| (known.refused.count, known.refused.last_seen_at));
    if let Some(key) = least.map(|(key, _)| key.clone()) {
        known.remove(&key);
    }
}

/// The network of whoever has an address: the address itself, or the 64 bits before those that its owner chooses.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn origins(refused: &RefusedOrigins, now: Timestamp) -> Vec<String> {
        refused.list(now).into_iter().map(|one| one.origin).collect()
    }

    #[test]
    fn an_origin_is_counted_and_forgotten_after_a_week() {
        let (refused, address) = (RefusedOrigins::default(), "203.0.113.7".parse().ok());
        refused.note("https://Shop.example", None, address, at(1));
        refused.note("https://shop.example", None, None, at(2));
        refused.note("https://shop.example", Some(7), address, at(3));
        let one = |credential_id, count, first, last| RefusedOrigin {
            origin: "https://shop.example".into(),
            credential_id,
            count,
            first_seen_at: at(first),
            last_seen_at: at(last),
        };
        assert_eq!(refused.list(at(4)), [one(Some(7), 1, 3, 3), one(None, 2, 1, 2)]);
        assert_eq!(refused.list(at(2).plus_millis(KEPT_MS)), [one(Some(7), 1, 3, 3)]);
    }

    #[test]
    fn what_no_browser_sends_is_left_out() {
        let refused = RefusedOrigins::default();
        let long = format!("https://{}.example", "a".repeat(300));
        for text in [
            "",
            "*",
            "shop.example",
            "https://shop.example/path",
            "javascript:alert(1)",
            &long,
            "https://a b",
        ] {
            refused.note(text, None, None, at(1));
        }
        assert_eq!(refused.list(at(1)), []);
        refused.note("null", None, None, at(1));
        assert_eq!(origins(&refused, at(1)), ["null"]);
    }

    #[test]
    fn one_address_cannot_fill_the_list_and_many_cannot_drive_out_what_is_seen_often() {
        let refused = RefusedOrigins::default();
        for n in 0..3 {
            refused.note("https://shop.example", None, "198.51.100.1".parse().ok(), at(n));
        }
        for n in 0..10_000 {
            // All of one household.
            let address = format!("2001:db8:0:1::{:x}", n % 60_000).parse().ok();
            refused.note(&format!("https://x{n}.example"), None, address, at(10));
        }
        assert_eq!(refused.list(at(10)).len(), 1 + PER_ADDRESS_MAX);
        for n in 0..10_000_u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            refused.note(&format!("https://y{n}.example"), None, Some(address), at(20));
        }
        let left = origins(&refused, at(20));
        assert_eq!(left.len(), ORIGINS_MAX);
        assert!(left.contains(&"https://shop.example".to_owned()));
    }
}
