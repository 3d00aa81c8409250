//! All connections, and who of them gives way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::Instant;

use super::line::Line;
use crate::limit::{self, Limit};
use crate::ops::access::limits::network;

/// Connections at once, where the process may have as many files open. An idle one takes about 10 KiB.
pub const CONNECTIONS_MAX: usize = 8_192;
/// One address, or one network of IPv6 addresses, may have one of so many parts of them: the machines of a customer
/// behind one address fit, and three more such addresses find room.
pub const ADDRESS_PART: usize = 4;
/// Connections that give way together, so that under a flood not each newcomer has all of them looked through.
const GIVE_WAY: usize = 16;
/// Who has waited for less than this does not give way: a request may be on its way.
const GIVE_WAY_AFTER: Duration = Duration::from_millis(250);

/// The connections there are.
pub struct Lines {
    max: usize,
    /// Their addresses stand for many clients, so they have no share of their own.
    proxies: Vec<IpNet>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    lines: HashMap<u64, Arc<Line>>,
    of_network: HashMap<IpAddr, usize>,
    next_id: u64,
}

/// Keeps the place of a connection until it is dropped.
pub struct Place {
    line: Arc<Line>,
    id: u64,
    lines: Weak<Lines>,
}

impl std::ops::Deref for Place {
    type Target = Arc<Line>;

    fn deref(&self) -> &Arc<Line> {
        &self.line
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(lines) = self.lines.upgrade() {
            lines.known().forget(self.id);
        }
    }
}

impl Lines {
    pub fn new(max: usize, proxies: Vec<IpNet>) -> Self {
        Self { max, proxies, known: Mutex::default() }
    }

    /// A place for a connection from `address`. Where there is none, those that have waited longest for their client
    /// give way; `None` where nobody waits.
    pub fn admit(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Place> {
        let address = address.to_canonical();
        let stands_for_many =
            address.is_loopback() || self.proxies.iter().any(|proxy| proxy.contains(&address));
        let network = (!stands_for_many).then(|| network(address));
        let mut known = self.known();
        let of_network = network.and_then(|network| known.of_network.get(&network).copied()).unwrap_or(0);
        let of_address_max = (self.max / ADDRESS_PART).max(1);
        let (is_of_network_full, is_full) = (of_network >= of_address_max, known.lines.len() >= self.max);
        if is_of_network_full || is_full {
            limit::reached(if is_full { Limit::Connections } else { Limit::ConnectionsOfAddress });
        }
        let is_admitted = (!is_of_network_full || known.give_way(now, network))
            && (known.lines.len() < self.max || known.give_way(now, None));
        if !is_admitted {
            metrics::counter!("dregs_http_connections_closed_total", "reason" => "full").increment(1);
            return None;
        }
        let line = Arc::new(Line::new(network, now));
        let id = known.add(Arc::clone(&line));
        Some(Place { line, id, lines: Arc::downgrade(self) })
    }

    /// Has some give way, for the operating system has nothing left for others.
    pub fn make_room(&self, now: Instant) {
        self.known().give_way(now, None);
    }

    /// Ends those that have kept the server waiting for too long.
    pub fn end_overdue(&self, now: Instant) {
        let mut known = self.known();
        metrics::gauge!("dregs_http_connections").set(known.lines.len() as f64);
        let overdue = known.lines.iter().filter_map(|(id, line)| Some((*id, line.overdue(now)?)));
        for (id, limit) in overdue.collect::<Vec<_>>() {
            limit::reached(limit);
            let reason = match limit {
                Limit::UnreadTime => "unread",
                Limit::HeadTime => "head",
                _ => "idle",
            };
            known.end(id, reason);
        }
    }

    /// Ends all that wait for their client.
    pub fn end_waiting(&self) {
        let mut known = self.known();
        let waiting = known.lines.iter().filter(|(_, line)| line.waits_since().is_some());
        for id in waiting.map(|(id, _)| *id).collect::<Vec<_>>() {
            known.end(id, "stopping");
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, line: Arc<Line>) -> u64 {
        if let Some(network) = line.network {
            *self.of_network.entry(network).or_default() += 1;
        }
        self.next_id += 1;
        self.lines.insert(self.next_id, line);
        self.next_id
    }

    fn forget(&mut self, id: u64) -> Option<Arc<Line>> {
        let line = self.lines.remove(&id)?;
        if let Some(network) = line.network
            && let Some(count) = self.of_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                self.of_network.remove(&network);
            }
        }
        Some(line)
    }

    fn end(&mut self, id: u64, reason: &'static str) {
        if let Some(line) = self.forget(id) {
            metrics::counter!("dregs_http_connections_closed_total", "reason" => reason).increment(1);
            line.end();
        }
    }

    /// Ends those that have waited longest, of one network or of all; `false` where nobody has waited for long.
    fn give_way(&mut self, now: Instant, network: Option<IpAddr>) -> bool {
        let is_meant = |line: &Line| network.is_none() || line.network == network;
        let has_waited = |line: &Line| {
            line.waits_since().filter(|since| now.saturating_duration_since(*since) >= GIVE_WAY_AFTER)
        };
        let mut waiting: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, line)| is_meant(line))
            .filter_map(|(id, line)| Some((has_waited(line)?, *id)))
            .collect();
        if waiting.len() > GIVE_WAY {
            waiting.select_nth_unstable(GIVE_WAY);
            waiting.truncate(GIVE_WAY);
        }
        waiting.iter().for_each(|(_, id)| self.end(*id, "gave_way"));
        !waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ADDRESS: usize = 50;

    fn lines(max: usize) -> Arc<Lines> {
        Arc::new(Lines::new(max, vec!["10.0.0.0/8".parse().expect("a network")]))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn count(lines: &Lines) -> usize {
        lines.known().lines.len()
    }

    #[tokio::test]
    async fn an_address_has_a_share_and_a_network_of_ipv6_addresses_is_one() {
        let (lines, now) = (lines(4 * OF_ADDRESS), Instant::now());
        let of_many = |n: usize| format!("2001:db8:0:1::{n:x}");
        let places: Vec<_> =
            (0..OF_ADDRESS).map(|n| lines.admit(ip(&of_many(n)), now).expect("a place")).collect();
        let (refused, reached) = limit::watched(|| lines.admit(ip("2001:db8:0:1::ffff"), now).is_none());
        assert!(refused, "they have only just come");
        assert_eq!(reached, [Limit::ConnectionsOfAddress]);
        for other in ["2001:db8:0:2::1", "192.0.2.1", "::ffff:192.0.2.1"] {
            assert!(lines.admit(ip(other), now).is_some(), "{other}");
        }
        for place in &places {
            place.take_request(now);
        }
        let later = now + GIVE_WAY_AFTER;
        assert!(
            lines.admit(ip("2001:db8:0:1::ffff"), later).is_none(),
            "what is being answered does not give way"
        );
        places[7].answered(now);
        assert!(lines.admit(ip("2001:db8:0:1::ffff"), later).is_some(), "one that waits does");
        drop(places);
        assert_eq!((count(&lines), lines.known().of_network.len()), (0, 0));
    }

    #[tokio::test]
    async fn addresses_that_stand_for_many_have_no_share_of_their_own() {
        for address in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3"] {
            let (lines, now) = (lines(4 * OF_ADDRESS), Instant::now());
            let places: Vec<_> = (0..=OF_ADDRESS).map(|_| lines.admit(ip(address), now)).collect();
            assert!(places.iter().all(Option::is_some), "{address}");
        }
    }

    #[tokio::test]
    async fn those_who_have_waited_longest_give_way() {
        let (lines, begun) = (lines(40), Instant::now());
        let at = |millis| begun + Duration::from_millis(millis);
        let places: Vec<_> = (0..40).map(|n| lines.admit(ip("127.0.0.1"), at(n)).expect("a place")).collect();
        places[0].take_request(at(50));
        let (admitted, reached) = limit::watched(|| lines.admit(ip("192.0.2.1"), at(1_000)).is_some());
        assert_eq!((admitted, &reached[..]), (true, &[Limit::Connections][..]));
        let stayed: Vec<_> = places
            .iter()
            .enumerate()
            .filter(|(_, place)| lines.known().lines.contains_key(&place.id))
            .map(|(n, _)| n)
            .collect();
        let expected: Vec<_> = [0].into_iter().chain(1 + GIVE_WAY..40).collect();
        assert_eq!(stayed, expected, "all but the sixteen oldest, and the one that is being answered");
    }
}
