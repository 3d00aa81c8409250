//! What is on one list, kept small: a million entries in 16 MB, and a change of one copies some kilobytes.
//!
//! Of a value its hash of 64 bits is kept, by SipHash with the secret of the installation, which nobody outside can aim
//! at. That a value is taken for another one on a list of a million has a chance of 1 in 18 million million (n / 2^64);
//! that two entries of such a list have one hash, of 1 in 37 million (n² / 2^65).

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::value::{ListType, network};
use crate::key::KeyHasher;
use crate::time::Timestamp;

/// Entries in one bucket, on average, at most: what is copied when one of them changes.
const BUCKET_ENTRIES: usize = 1_024;
/// Of an entry that has no end.
const NEVER: i64 = i64::MAX;

/// An entry that is put in, with another end than before or not, or taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// As [`ListType::value`] spells it.
    pub value: String,
    /// False for one that is taken out.
    pub is_in: bool,
    pub ends_at: Option<Timestamp>,
}

/// A list. A clone shares the entries.
#[derive(Clone, Debug)]
pub struct List {
    pub name: String,
    pub list_type: ListType,
    pub trusted: bool,
    /// By the first bits of the hash; each sorted. Their number is a power of two.
    buckets: Vec<Arc<[Slot]>>,
    len: usize,
    /// The lengths of prefixes among networks, of IPv4 and IPv6: a bit for each, from 1 on. Those of entries that are
    /// gone stay.
    lengths: [u128; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    hash: u64,
    /// In milliseconds; from then on the entry counts no more.
    ends_at: i64,
}

impl List {
    /// With nothing on it.
    pub fn new(name: String, list_type: ListType, trusted: bool) -> Self {
        Self { name, list_type, trusted, buckets: vec![Arc::from([])], len: 0, lengths: [0, 0] }
    }

    /// Entries, with those whose end has passed.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts entries in and takes them out. Of several with one value the last counts.
    pub fn apply(&mut self, hasher: &KeyHasher, changes: impl Iterator<Item = Change>) {
        let mut slots = Vec::new();
        for change in changes {
            if let Some(net) = network(&change.value).filter(|_| self.list_type == ListType::Network) {
                self.lengths[usize::from(net.addr().is_ipv6())] |= bit(net.prefix_len());
            }
            let ends_at = change.ends_at.map_or(NEVER, Timestamp::as_millis);
            slots.push((hasher.listed(&change.value), change.is_in.then_some(ends_at)));
        }
        // Stable, so that of one value the last stays the last.
        slots.sort_by_key(|(hash, _)| *hash);
        self.make_room(self.len + slots.len());
        let mut rest = &slots[..];
        while let Some((hash, _)) = rest.first() {
            let place = self.place(*hash);
            let (here, others) = rest.split_at(rest.partition_point(|(hash, _)| self.place(*hash) == place));
            let before = self.buckets[place].len();
            self.buckets[place] = merged(&self.buckets[place], here);
            self.len = self.len + self.buckets[place].len() - before;
            rest = others;
        }
    }

    /// The entry that a value falls under at the moment `now`, as it is spelled on the list.
    pub fn find(&self, hasher: &KeyHasher, value: &str, now: Timestamp) -> Option<String> {
        let is_on = |value: &String| self.is_on(hasher.listed(value), now);
        match self.list_type {
            _ if self.is_empty() => None,
            ListType::EmailDomain => {
                let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
                let domain = ListType::EmailDomain.value(domain)?;
                let parents = domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]);
                std::iter::once(domain.as_str()).chain(parents).map(str::to_owned).find(is_on)
            }
            ListType::Network => {
                let net = network(value.trim())?;
                let lengths = self.lengths[usize::from(net.addr().is_ipv6())];
                let wider = (1..=net.prefix_len()).rev().filter(|length| lengths & bit(*length) != 0);
                wider.filter_map(|length| around(net.addr(), length)).find(is_on)
            }
            other => other.value(value).filter(is_on),
        }
    }

    fn is_on(&self, hash: u64, now: Timestamp) -> bool {
        let bucket = &self.buckets[self.place(hash)];
        let found = bucket.binary_search_by_key(&hash, |slot| slot.hash);
        found.is_ok_and(|at| bucket[at].ends_at > now.as_millis())
    }

    fn place(&self, hash: u64) -> usize {
        // The first bits; a shift by all 64 would be none.
        hash.checked_shr(64 - self.buckets.len().trailing_zeros()).unwrap_or(0) as usize
    }

    /// Spreads the entries over more buckets where there will be so many.
    fn make_room(&mut self, entries: usize) {
        let wanted = entries.div_ceil(BUCKET_ENTRIES).next_power_of_two();
        if wanted <= self.buckets.len() {
            return;
        }
        let before = std::mem::take(&mut self.buckets);
        self.buckets = vec![Arc::from([]); wanted];
        let mut spread: Vec<Vec<Slot>> = vec![Vec::new(); wanted];
        for slot in before.iter().flat_map(|bucket| bucket.iter()) {
            spread[self.place(slot.hash)].push(*slot);
        }
        self.buckets = spread.into_iter().map(Arc::from).collect();
    }
}

const fn bit(length: u8) -> u128 {
    1 << (length.saturating_sub(1) % 128)
}

fn around(ip: IpAddr, length: u8) -> Option<String> {
    IpNet::new(ip, length).ok().map(|net| net.trunc().to_string())
}

/// What is left of a bucket and its changes, both in the order of their hashes.
fn merged(bucket: &[Slot], changes: &[(u64, Option<i64>)]) -> Arc<[Slot]> {
    let mut slots = Vec::with_capacity(bucket.len() + changes.len());
    let mut old = bucket.iter().copied().peekable();
    for of_value in changes.chunk_by(|one, other| one.0 == other.0) {
        let Some((hash, ends_at)) = of_value.last().copied() else { continue };
        while let Some(slot) = old.next_if(|slot| slot.hash < hash) {
            slots.push(slot);
        }
        old.next_if(|slot| slot.hash == hash);
        slots.extend(ends_at.map(|ends_at| Slot { hash, ends_at }));
    }
    slots.extend(old);
    Arc::from(slots)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const HASHER: KeyHasher = KeyHasher::new([3; 16]);

    fn change(value: u32, is_in: bool, ends_at: Option<i64>) -> Change {
        Change { value: format!("v{value}"), is_in, ends_at: ends_at.map(Timestamp::from_millis) }
    }

    #[test]
    fn a_million_entries_take_sixteen_megabytes_and_a_change_is_small() {
        let mut list = List::new("L".to_owned(), ListType::Text, false);
        list.apply(&HASHER, (0..1_000_000).map(|n| change(n, true, None)));
        let bytes: usize = list.buckets.iter().map(|bucket| size_of_val(&bucket[..]) + 16 + 16).sum();
        assert!(list.len() == 1_000_000 && bytes < 17_000_000, "{} entries in {bytes} bytes", list.len());
        let before = list.clone();
        list.apply(&HASHER, [change(1_000_000, true, None)].into_iter());
        let pairs = before.buckets.iter().zip(&list.buckets);
        assert_eq!(pairs.filter(|(one, other)| !Arc::ptr_eq(one, other)).count(), 1, "one bucket is copied");
        let longest = list.buckets.iter().map(|bucket| bucket.len()).max();
        assert!(longest < Some(2 * BUCKET_ENTRIES), "{longest:?}");
        let now = Timestamp::from_millis(0);
        let found = |n: u32| list.find(&HASHER, &format!("V{n}"), now).is_some();
        assert!((0..=1_000_000).step_by(997).all(found) && !(1_000_001..1_100_000).any(found));
    }

    proptest! {
        #[test]
        fn a_list_is_what_was_put_in_and_not_taken_out(
            batches in prop::collection::vec(
                prop::collection::vec((0_u32..60, any::<bool>(), prop::option::of(0_i64..10)), 0..40), 0..12,
            ),
            now in 0_i64..10,
        ) {
            let mut list = List::new("L".to_owned(), ListType::Text, false);
            let mut model = BTreeMap::new();
            for batch in batches {
                for (value, is_in, ends_at) in &batch {
                    if *is_in { model.insert(*value, *ends_at) } else { model.remove(value) };
                }
                list.apply(&HASHER, batch.into_iter().map(|(value, is_in, end)| change(value, is_in, end)));
            }
            prop_assert_eq!(list.len(), model.len());
            for value in 0..60 {
                let expected = model.get(&value).is_some_and(|end| end.is_none_or(|end| end > now));
                let now = Timestamp::from_millis(now);
                prop_assert_eq!(list.find(&HASHER, &format!("v{value}"), now).is_some(), expected);
            }
        }
    }
}
