//! Behavior: whether accounts that have more in common redeem one promotion or referral code: one person
//! who refers themself, or takes the bonus of newcomers again and again.
//!
//! Limits: needs a code in the events and something else in common; at one address alone it counts at most as one
//! other account.

use std::collections::BTreeSet;

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::alike::{Alike, alike};
use crate::score::features::company::Company;
use crate::score::features::guest::{GUEST, has_moved_on};
use crate::score::features::hand::{AtOnce, hand};
use crate::score::phrase::counted;
use crate::snapshot::{OtherIdentity, Own, SharedKey, Snapshot};

/// A code alone says nothing, since it is made to be passed on; with a device in common it is telling.
const WEIGHT: f64 = 1.2;
const CONFIDENCE: f64 = 0.8;

/// What accounts on one code have in common, how much one such account counts, and in words. At one address
/// colleagues and families pass codes on.
const TIES: [(KeyKind, f64, &str); 5] = [
    (KeyKind::Device, 1.0, "a device"),
    (KeyKind::Session, 1.0, "a session"),
    (KeyKind::Mailbox, 0.7, "a mailbox"),
    (KeyKind::Journey, 0.5, "their first steps"),
    (KeyKind::Ip, 0.1, "an address"),
];
/// Accounts with nothing but an address in common count for so much together, at most.
const BY_ADDRESS_MAX: f64 = 1.0;
/// Colleagues, or those who have one model of a device, for so much: a code for all of them is what it is for.
const OF_COLLEAGUES: f64 = 0.5;

/// A couple may refer each other.
const VALUE_BY_STRENGTH: [(f64, f64); 4] = [(0.5, 0.5), (1.0, 0.42), (3.0, 0.15), (8.0, 0.04)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.code-ring",
    label: "Promotion and referral codes",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let own = snapshot.own();
    let on_code: BTreeSet<&str> =
        snapshot.shared(KeyKind::Code).flat_map(|shared| &shared.others).map(id).collect();
    let at_addresses: BTreeSet<&str> =
        snapshot.shared(KeyKind::Ip).flat_map(|shared| &shared.others).map(id).collect();
    let is_tie = |kind: KeyKind, other: &OtherIdentity| match kind {
        KeyKind::Mailbox => alike(snapshot, own, other).is_some_and(Alike::is_plain),
        // Who is led step by step in one room.
        KeyKind::Journey => !at_addresses.contains(id(other)),
        _ => true,
    };
    let (mut tied, mut strength, mut words) = (BTreeSet::new(), 0.0, Vec::new());
    for (kind, counts, word) in TIES {
        for shared in snapshot.shared(kind) {
            let new = shared
                .others
                .iter()
                .filter(|other| on_code.contains(id(other)) && is_tie(kind, other) && tied.insert(id(other)));
            let new: Vec<_> = new.collect();
            strength += match kind {
                KeyKind::Device | KeyKind::Session => in_one_hand(snapshot, own, shared, &new),
                KeyKind::Ip => (new.len() as f64 * counts).min(BY_ADDRESS_MAX),
                _ => new.len() as f64 * counts,
            };
            if !new.is_empty() && words.last() != Some(&word) {
                words.push(word);
            }
        }
    }
    let value = interpolate(&VALUE_BY_STRENGTH, strength);
    if value >= 0.5 {
        return None;
    }
    let explanation = format!(
        "{} used the same promotion or referral code and had {} in common with this one; codes are meant for \
         different people.",
        counted(tied.len() as u64, "other account"),
        words.join(" or ")
    );
    Some(Finding::new(value, CONFIDENCE, explanation).with("otherAccounts", tied.len()))
}

fn id(other: &OtherIdentity) -> &str {
    &other.id
}

/// For how many accounts of one person those stand who share a device or a session and the code.
fn in_one_hand(snapshot: &Snapshot, own: &Own, shared: &SharedKey, others: &[&OtherIdentity]) -> f64 {
    if others.is_empty() {
        return 0.0;
    }
    if hand(snapshot, own, shared, shared.since).at_once == AtOnce::Yes {
        return OF_COLLEAGUES;
    }
    let company = Company::of(own, others.iter().copied());
    let strangers = Company { colleagues: 0, ..company }.strength();
    let strength = strangers + if company.colleagues > 0 { OF_COLLEAGUES } else { 0.0 };
    if has_moved_on(snapshot, shared) { strength * GUEST } else { strength }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::score::fixture::{Identity, said};
    use crate::time::DAY_MS;

    fn with(kind: KeyKind, others: u32) -> Option<(f64, String)> {
        let ada = Identity::default().shares(KeyKind::Code, "welcome10", 40, "other");
        said(ada.shares(kind, "k", others, "other").observe(ANALYZER))
    }

    #[test]
    fn a_code_is_a_ring_where_a_device_is_shared_as_well() {
        let words = "3 other accounts used the same promotion or referral code and had a device in common with this one; \
                     codes are meant for different people.";
        assert_eq!(with(KeyKind::Device, 3), Some((0.15, words.to_owned())));
        assert_eq!(with(KeyKind::Device, 0), None, "a code for everybody");
        assert_eq!(with(KeyKind::Ip, 5), None, "a family");
        assert_eq!(with(KeyKind::Ip, 40).map(|(value, _)| value), Some(0.42), "an office");
    }

    #[test]
    fn guests_of_one_device_may_have_one_code() {
        let at = |device: &'static str| move |event: &mut Event| event.fingerprint = Some(device.to_owned());
        let guest = Identity::default().event("a", 0, at("desk")).event("b", 2 * DAY_MS, at("own"));
        let guest = guest.shares(KeyKind::Code, "welcome10", 40, "other");
        let served = |guest: Identity| guest.shares(KeyKind::Device, "desk", 3, "other").observe(ANALYZER);
        assert!(served(guest).is_some_and(|found| found.value > 0.4));
        let stayed = Identity::default().event("a", 0, at("desk")).event("b", 2 * DAY_MS, at("desk"));
        let stayed = stayed.shares(KeyKind::Code, "welcome10", 40, "other");
        assert!(served(stayed).is_some_and(|found| found.value <= 0.15));
    }
}
