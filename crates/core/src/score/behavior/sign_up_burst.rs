//! Behavior: whether it came in a burst of accounts on one device, address or network, or with variants
//! of one e-mail address.
//!
//! Limits: counts who came together, not why: a lesson or a conference is a burst too, and so the bounds for an
//! address are far above them; who comes slowly, each from elsewhere, is not seen.

use std::collections::HashSet;

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::alike::{Alike, alike};
use crate::score::features::crowd::{Crowd, crowd, crowd_of};
use crate::score::features::hand::{AtOnce, hand, is_unautomated};
use crate::score::features::trust::abstention;
use crate::score::phrase::{counted, within};
use crate::snapshot::{Own, Snapshot};
use crate::time::Timestamp;

/// Bursts of sign-ups are the plainest trace of scripts that make accounts.
const WEIGHT: f64 = 1.4;
const CONFIDENCE: f64 = 0.9;

/// By accounts beyond the usual that came within an hour of this one, what that is worth. Four on one device may
/// be flatmates; of families and colleagues each counts for less.
const ON_DEVICE: [(f64, f64); 6] =
    [(1.0, 0.5), (2.0, 0.36), (3.0, 0.3), (4.0, 0.16), (7.0, 0.1), (15.0, 0.03)];
/// What it is worth at least while those on one device may still turn out to be a class: too much for the badge of
/// bombing.
const UNNAMED: f64 = 0.14;
/// A class, a conference, an office that is brought on board come to one address within an hour, by the dozen.
const AT_ADDRESS: [(f64, f64); 6] =
    [(12.0, 0.5), (36.0, 0.4), (50.0, 0.25), (70.0, 0.12), (90.0, 0.05), (100.0, 0.04)];
/// The same for somebody with an ordinary device that none of them uses: each of a crowd has one, and of a
/// script's accounts each that has one is counted there. A network's table is no stricter: a building, and a provider's
/// customers, have several addresses.
const AT_ADDRESS_WITH_DEVICE: [(f64, f64); 3] = [(40.0, 0.5), (70.0, 0.42), (100.0, 0.35)];
const OF_MAILBOX: [(f64, f64); 4] = [(1.0, 0.5), (3.0, 0.25), (8.0, 0.08), (20.0, 0.03)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.sign-up-burst",
    label: "Burst of sign-ups",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

/// Those who came together with this one on a key.
struct Burst {
    value: f64,
    crowd: Crowd,
    words: &'static str,
    usual: &'static str,
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let signed_up_at = snapshot.state.first_event_at()?;
    let own = snapshot.own();
    let bursts = on_devices(snapshot, own, signed_up_at).chain(at_addresses(snapshot, signed_up_at));
    let bursts =
        bursts.chain(in_networks(snapshot, signed_up_at)).chain(of_mailbox(snapshot, own, signed_up_at));
    let burst = bursts.min_by(|one, other| one.value.total_cmp(&other.value));
    let Some(burst) = burst.filter(|burst| burst.value < 0.5) else {
        return abstention(snapshot, &[KeyKind::Device, KeyKind::Ip, KeyKind::Mailbox]);
    };
    let accounts = burst.crowd.together + 1;
    let explanation = format!(
        "{} appeared {} {}, this one among them; {}.",
        counted(accounts as u64, "account"),
        burst.words,
        within(burst.crowd.together_span_ms),
        burst.usual
    );
    let finding = Finding::new(burst.value, CONFIDENCE, explanation);
    Some(finding.with("accounts", accounts).with("withinMillis", burst.crowd.together_span_ms))
}

fn on_devices(snapshot: &Snapshot, own: &Own, signed_up_at: Timestamp) -> impl Iterator<Item = Burst> {
    snapshot.shared(KeyKind::Device).map(move |shared| {
        let hand = hand(snapshot, own, shared, signed_up_at);
        let value = interpolate(&ON_DEVICE, hand.strength);
        let value = if hand.at_once == AtOnce::Open { value.max(UNNAMED) } else { value };
        Burst { value, crowd: hand.crowd, words: "on one device", usual: "a device usually sees one" }
    })
}

/// Whoever is on its devices as well is counted there.
fn at_addresses(snapshot: &Snapshot, signed_up_at: Timestamp) -> impl Iterator<Item = Burst> {
    let on_devices = ids(snapshot, &[KeyKind::Device]);
    let table: &[_] = if has_device(snapshot) { &AT_ADDRESS_WITH_DEVICE } else { &AT_ADDRESS };
    snapshot.shared(KeyKind::Ip).map(move |shared| {
        let others = shared.others.iter().filter(|other| !on_devices.contains(other.id.as_str()));
        let crowd = crowd_of(others.map(|other| other.first_seen_at), signed_up_at);
        let usual = "an address usually sees a few in a month";
        Burst { value: interpolate(table, crowd.excess), crowd, words: "at one address", usual }
    })
}

/// Whoever is at its addresses as well is counted there.
fn in_networks(snapshot: &Snapshot, signed_up_at: Timestamp) -> impl Iterator<Item = Burst> {
    let nearer = ids(snapshot, &[KeyKind::Device, KeyKind::Ip]);
    let table: &[_] = if has_device(snapshot) { &AT_ADDRESS_WITH_DEVICE } else { &AT_ADDRESS };
    snapshot.shared(KeyKind::Network).map(move |shared| {
        let others = shared.others.iter().filter(|other| !nearer.contains(other.id.as_str()));
        let crowd = crowd_of(others.map(|other| other.first_seen_at), signed_up_at);
        let (words, usual) = ("at several addresses of one network", "a network usually sees a few in a day");
        Burst { value: interpolate(table, crowd.excess), crowd, words, usual }
    })
}

/// Only those whose addresses cannot be alike by chance.
fn of_mailbox(snapshot: &Snapshot, own: &Own, signed_up_at: Timestamp) -> Option<Burst> {
    let shared = snapshot.shared(KeyKind::Mailbox).next()?;
    let alike = shared.others.iter().filter_map(|other| {
        let alike = alike(snapshot, own, other).filter(|alike| alike.is_plain())?;
        Some((alike, other.first_seen_at))
    });
    let alike: Vec<_> = alike.collect();
    let together = crowd_of(alike.iter().map(|(_, at)| *at), signed_up_at);
    // Where many have such a name, some come at the same time.
    let excess = together.excess.min(crowd(shared, signed_up_at).excess);
    let words = match alike.iter().map(|(alike, _)| alike).max()? {
        Alike::Identical => "with one e-mail address",
        Alike::Spelling => "with one mailbox, written in several ways",
        Alike::Variant => "with e-mail addresses at one domain that differ in digits, signs or tags only",
        _ => "with nearly the same e-mail address",
    };
    Some(Burst { value: interpolate(&OF_MAILBOX, excess), crowd: together, words, usual: "people have one" })
}

/// Whether it has a device, and nothing says that a program uses it.
fn has_device(snapshot: &Snapshot) -> bool {
    snapshot.state.device_count() > 0 && is_unautomated(snapshot)
}

fn ids<'s>(snapshot: &'s Snapshot, kinds: &[KeyKind]) -> HashSet<&'s str> {
    let shared = kinds.iter().flat_map(|kind| snapshot.shared(*kind));
    shared.flat_map(|shared| &shared.others).map(|other| other.id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    fn with(kind: KeyKind, minutes: impl IntoIterator<Item = i64>) -> Option<(f64, String)> {
        said(Identity::default().events("signup", [0]).shares_at(kind, "k", minutes).observe(ANALYZER))
    }

    #[test]
    fn says_how_many_came_at_once() {
        let words = "5 accounts appeared on one device within 40.0 min, this one among them; a device usually sees one.";
        assert_eq!(with(KeyKind::Device, [-20, -10, 10, 20]), Some((0.16, words.to_owned())));
        let words = "37 accounts appeared at one address within 36.0 min, this one among them; an address usually sees \
                     a few in a month.";
        assert_eq!(with(KeyKind::Ip, 1..=36), Some((0.4, words.to_owned())));
        let words = "37 accounts appeared at several addresses of one network at once, this one among them; a network \
                     usually sees a few in a day.";
        assert_eq!(with(KeyKind::Network, [0; 36]), Some((0.4, words.to_owned())));
    }

    #[test]
    fn offices_families_and_carriers_are_no_burst() {
        assert_eq!(with(KeyKind::Ip, (-25..25).map(|n| n * 10 + 5)), None, "50 in a day");
        assert_eq!(with(KeyKind::Ip, (-50..50).map(|n| n * 2 + 1)), None, "a carrier's address");
        assert_eq!(with(KeyKind::Device, [-10]), None, "a couple");
        assert_eq!(with(KeyKind::Device, [-9_000, -5_000, -100]), None, "a family");
    }

    /// The lowest value of those with, or without, a device of their own, of whom so many are at one address
    /// within ten minutes.
    #[test]
    fn a_class_with_devices_of_their_own_is_no_burst_and_a_script_without_is() {
        let at = |others: i64, change: fn(&mut crate::event::Event)| {
            let identity = Identity::default().event("signup", 0, change);
            let identity = identity.shares_at(KeyKind::Ip, "k", (0..others).map(|n| n % 10));
            identity.observe(ANALYZER).map(|finding| finding.value)
        };
        let own = |event: &mut crate::event::Event| event.fingerprint = Some("own".to_owned());
        let script = |event: &mut crate::event::Event| {
            event.fingerprint = Some("own".to_owned());
            event.user_agent = Some("python-requests/2.32.5".to_owned());
        };
        for others in [13, 27, 35, 39] {
            assert_eq!(at(others, own), None, "{others} with devices");
            assert!(at(others, |_| ()).is_none_or(|value| value > 0.35), "{others} without");
        }
        assert!(at(100, own).is_some_and(|value| value > 0.3), "a lecture");
        for change in [(|_| ()) as fn(&mut _), script] {
            assert!(at(100, change).is_some_and(|value| value <= 0.04));
        }
    }

    #[test]
    fn a_network_is_no_stricter_than_an_address() {
        let value = |found: Option<(f64, String)>| found.map_or(0.5, |(value, _)| value);
        for others in 1..=40 {
            let minutes = || (0..others).map(|n| n % 10);
            let [address, network] = [KeyKind::Ip, KeyKind::Network].map(|kind| value(with(kind, minutes())));
            assert!(network >= address, "{others}: {network}, {address}");
        }
    }

    #[test]
    fn a_network_counts_those_at_other_addresses() {
        let minutes = || (0..39).map(|n| n % 10);
        let here = Identity::default().events("signup", [0]).shares_at(KeyKind::Ip, "k", minutes());
        assert_eq!(
            here.shares_at(KeyKind::Network, "n", minutes())
                .observe(ANALYZER)
                .map(|found| found.metadata["accounts"].clone()),
            Some(40.into())
        );
        let one = Identity::default().events("signup", [0]).shares_at(KeyKind::Ip, "k", 0..12);
        assert_eq!(
            one.shares_at(KeyKind::Network, "n", 0..22).observe(ANALYZER),
            None,
            "ten of them elsewhere"
        );
    }

    #[test]
    fn variants_of_an_address_are_a_burst_and_namesakes_are_none() {
        let of = |own: &str, others: &[&str]| {
            let profile = Profile { email: Some(own.to_owned()), ..Profile::default() };
            let others = (1..).zip(others).map(|(minute, email)| (7 * minute, "", *email));
            let identity = Identity { profile, ..Identity::default() }.events("signup", [0]);
            said(identity.shares_with(KeyKind::Mailbox, "k", others).observe(ANALYZER))
        };
        let said = |words: &str| {
            Some((
                0.25,
                format!(
                    "4 accounts appeared with {words} within 21.0 min, this one among them; people have one."
                ),
            ))
        };
        let cases = [
            (
                "promo1@web.de",
                ["promo2@web.de", "promo3@web.de", "promo4@web.de"],
                said("e-mail addresses at one domain that differ in digits, signs or tags only"),
            ),
            (
                "ada+1@gmail.com",
                ["a.d.a@gmail.com", "ada@gmail.com", "ad.a+2@gmail.com"],
                said("one mailbox, written in several ways"),
            ),
            ("ada@web.de", ["ada@web.de"; 3], said("one e-mail address")),
            (
                "promo1@web.de",
                ["promo1@gmx.de", "promo1@yahoo.com", "promo1@gmail.com"],
                said("nearly the same e-mail address"),
            ),
            ("info@firm-a.de", ["info@firm-b.de", "info@firm-c.de", "info@firm-d.de"], None),
            ("office1@firm-a.de", ["office2@firm-a.de", "office3@firm-a.de", "office4@firm-a.de"], None),
            ("anna@gmail.com", ["anna@web.de", "anna@gmx.de", "anna@yahoo.com"], None),
            ("anna84@gmail.com", ["anna85@gmail.com", "anna86@gmail.com", "anna.87@gmail.com"], None),
            (
                "promo1@gmail.com",
                ["promo2@gmail.com", "promo3@gmail.com", "promo4@gmail.com"],
                said("e-mail addresses at one domain that differ in digits, signs or tags only"),
            ),
            ("filiale1@firm-a.de", ["filiale2@firm-a.de", "filiale3@firm-a.de", "filiale4@firm-a.de"], None),
            ("no-reply@gmail.com", ["no-reply@gmx.de", "no-reply@yahoo.com", "no-reply@aol.com"], None),
            ("peter@kanzlei-a.de", ["peter@kanzlei-b.de", "peter@praxis-c.de", "peter@firm-d.de"], None),
        ];
        for (own, others, expected) in cases {
            assert_eq!(of(own, &others), expected, "{own}");
        }
    }
}
