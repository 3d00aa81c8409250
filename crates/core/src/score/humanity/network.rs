//! Humanity: whether it comes from networks in which servers stand, or out of Tor.
//!
//! Limits: knows networks, not people, and is only as good as its dated lists, which count for less as they age;
//! people behind a VPN and whole companies come from there too.

use crate::dataset::Dataset;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::networks::asn_of;
use crate::score::phrase::counted;
use crate::snapshot::Snapshot;

/// Weak on purpose: people behind a VPN come from there as well, and so do whole companies.
const WEIGHT: f64 = 0.6;
const HOSTING: (f64, f64) = (0.35, 0.5);
const TOR: (f64, f64) = (0.35, 0.6);
/// Networks that are a smaller part of all lose at most this much of their confidence.
const SHARE_MIN: f64 = 0.5;

pub const ANALYZER: Analyzer = Analyzer {
    id: "humanity.network",
    label: "Kind of network",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let state = snapshot.state;
    let (mut tor, mut hosting, mut all, mut company) = (0, 0, 0, None);
    for (place, seen) in state.addresses().iter().enumerate() {
        let asn = asn_of(snapshot, place);
        let find = |dataset| snapshot.datasets.network(dataset, seen.value, asn);
        all += u64::from(seen.count);
        if find(Dataset::Tor).is_some() {
            tor += u64::from(seen.count);
        } else if let Some(found) = find(Dataset::Hosting) {
            hosting += u64::from(seen.count);
            company = company.or(Some(found));
        }
    }
    let (count, dataset, (value, confidence), what) = match (tor, company) {
        (1.., _) => {
            (tor, Dataset::Tor, TOR, "exits of the Tor network, where many hide for good reasons".to_owned())
        }
        (0, Some(company)) => {
            let what = format!("networks in which servers stand ({company}); people behind a VPN do, too");
            (hosting, Dataset::Hosting, HOSTING, what)
        }
        (0, None) => return None,
    };
    let share = (count as f64 / all as f64).max(SHARE_MIN);
    let confidence = confidence * share * dataset.freshness(snapshot.now);
    let explanation = format!("{count} of {} with an address came from {what}.", counted(all, "event"));
    Some(Finding::new(value, confidence, explanation).with("events", count).with("allEvents", all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::score::fixture::{Identity, said};

    fn from(ips: &[&str], asn: Option<u32>) -> Option<(f64, String)> {
        let identity = ips.iter().fold(Identity::default(), |identity, ip| {
            identity.event("login", 0, |event| {
                event.ip = ip.parse().ok();
                event.place = asn.map(|asn| Place { asn: Some(asn), ..Place::default() });
            })
        });
        said(identity.observe(ANALYZER))
    }

    #[test]
    fn servers_and_tor_are_told_and_say_little() {
        assert_eq!(from(&["203.0.113.7"], None), None);
        let words = "1 of 2 events with an address came from networks in which servers stand (Hetzner); people behind a \
                     VPN do, too.";
        assert_eq!(from(&["203.0.113.7", "5.9.1.2"], None), Some((0.35, words.to_owned())));
        let words = "1 of 1 event with an address came from networks in which servers stand (OVH); people behind a VPN \
                     do, too.";
        assert_eq!(from(&["203.0.113.7"], Some(16_276)), Some((0.35, words.to_owned())));
        let words = "1 of 1 event with an address came from exits of the Tor network, where many hide for good reasons.";
        assert_eq!(from(&["185.220.101.4"], None), Some((0.35, words.to_owned())));
    }
}
