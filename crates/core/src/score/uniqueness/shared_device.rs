//! Uniqueness: how many other accounts use the same devices.
//!
//! Limits: a device is what `dregs.js` or your backend says it is; a family, a desk and a ring look alike in
//! their first minutes, and names, a domain of their own or use from elsewhere later set them apart; one person
//! with two devices is not seen.

use std::collections::HashSet;

use crate::curve::interpolate;
use crate::device::Part;
use crate::key::{KeyKind, OTHERS_MAX};
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::company::KNOWN_MAX;
use crate::score::features::crowd::{Crowd, TOGETHER_MS};
use crate::score::features::guest::{GUEST, has_moved_on};
use crate::score::features::hand::{AtOnce, Hand, hand};
use crate::score::features::networks::hides_place;
use crate::score::features::trust::abstention;
use crate::score::phrase::{counted, within};
use crate::snapshot::{OtherIdentity, Own, Relation, SharedKey, Snapshot};
use crate::time::HOUR_MS;

/// The strongest sign of many accounts in one hand: a device is in few hands, so it counts twice
/// the usual. Two accounts of strangers made on a device within an hour score about 62, three 49, four 45,
/// five 9.
const WEIGHT: f64 = 2.0;

/// Fingerprints of the same model can coincide, so no finding is certain.
const CONFIDENCE: f64 = 0.9;
/// Nobody else on the device so far; they may still come.
const ALONE: (f64, f64) = (0.7, 0.6);

/// Accounts that stand for as many made within an hour of one's own, and what that is worth: couples
/// and families share a device, so the first others cost little; chosen for the scores above.
const VALUE_BY_STRENGTH: [(f64, f64); 8] =
    [(0.0, 0.5), (1.0, 0.45), (2.0, 0.38), (3.0, 0.36), (4.0, 0.15), (6.0, 0.08), (10.0, 0.03), (20.0, 0.02)];

/// The same on a device that differs in one part. Somebody else's piece of the same model takes no more than
/// what one gains by being alone on a device; a ring that adds noise to what it draws stands out.
const NEAR_BY_STRENGTH: [(f64, f64); 5] = [(0.0, 0.7), (1.0, 0.5), (2.0, 0.4), (4.0, 0.25), (10.0, 0.1)];
const NEAR_CONFIDENCE: f64 = 0.6;

/// What an account made at another time counts for, by the hours between: a device changes hands, and
/// is lent.
const STRENGTH_BY_HOURS: [(f64, f64); 4] = [(1.0, 0.8), (24.0, 0.7), (168.0, 0.5), (720.0, 0.3)];
/// The part of that which is left for an account that has come from the same address, as a household's
/// do.
const SAME_ADDRESS: f64 = 0.35;
/// The same for one of another day that was never seen where this one was, as the owners of one model are not; and
/// where this one comes out of a VPN, and may be anywhere. On one day a ring changes its addresses.
const ELSEWHERE: f64 = 0.35;
const ANYWHERE: f64 = 0.5;
/// The part of it that is left for the account that had the device first.
const FIRST: f64 = 0.7;
/// With so many accounts made apart from one another half of that is left, and soon nothing: a
/// fingerprint that so many share is that of a common model.
const COMMON_OTHERS: f64 = 8.0;
/// Of more, next to nothing is left, whoever they are.
const RELATED_MAX: usize = 20;

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.shared-device",
    label: "Shared device",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let remembered =
        snapshot.state.devices().iter().filter(|seen| !snapshot.common.has_device(&seen.value)).count();
    // More than are remembered, where there were as many.
    let devices = snapshot.state.device_count() - (snapshot.state.devices().len() - remembered) as u32;
    let own = snapshot.own();
    let places = Places::of(snapshot);
    let judged = |shared: SharedKey| {
        let hand = hand(snapshot, own, &shared, shared.since);
        let [unknown, known] = strength_apart(own, &shared, &hand.crowd, &places);
        let has_moved_on = has_moved_on(snapshot, &shared);
        let strength = hand.strength + unknown + known.min((KNOWN_MAX - hand.known_strength).max(0.0));
        let strength = strength * if has_moved_on { GUEST } else { 1.0 };
        let is_near = shared.key.kind.but().is_some();
        let (values, confidence): (&[_], _) =
            if is_near { (&NEAR_BY_STRENGTH, NEAR_CONFIDENCE) } else { (&VALUE_BY_STRENGTH, CONFIDENCE) };
        let value = interpolate(values, strength);
        let finding = Finding::new(value, confidence, explain(&shared, &hand, has_moved_on))
            .with("otherAccounts", shared.others.len())
            .with("accountsTogether", hand.crowd.together + 1)
            .with("withinMillis", hand.crowd.together_span_ms);
        finding.with("strength", (strength * 1_000.0).round() / 1_000.0)
    };
    let found = snapshot.shared(KeyKind::Device).cloned().chain(near(snapshot)).map(judged);
    let found = found.min_by(|one, other| one.value.total_cmp(&other.value));
    found.or_else(|| abstention(snapshot, &[KeyKind::Device])).or_else(|| {
        let (value, confidence) = ALONE;
        (remembered > 0).then(|| {
            let told = counted(devices.into(), "device");
            Finding::new(value, confidence, format!("No other account was seen on its {told}."))
                .with("otherAccounts", 0)
                .with("devices", devices)
        })
    })
}

fn ids<'a>(snapshot: &'a Snapshot, kind: KeyKind) -> impl Iterator<Item = &'a str> {
    snapshot.shared(kind).flat_map(|shared| &shared.others).map(|other| other.id.as_str())
}

/// Those on devices that are the same but for one part and not the very same, where they are few: as many as are
/// looked at have a common model.
fn near(snapshot: &Snapshot) -> impl Iterator<Item = SharedKey> {
    let on_the_same: HashSet<&str> = ids(snapshot, KeyKind::Device).collect();
    let kinds = Part::ALL.into_iter().map(KeyKind::all_but);
    let few = |shared: &&SharedKey| shared.others.len() < shared.key.kind.others_max();
    kinds.flat_map(|kind| snapshot.shared(kind)).filter(few).filter_map(move |shared| {
        let others = shared.others.iter().filter(|other| !on_the_same.contains(other.id.as_str()));
        let others: Vec<_> = others.cloned().collect();
        (!others.is_empty()).then(|| SharedKey { others, ..shared.clone() })
    })
}

/// Where others have been seen, as against this identity.
struct Places<'s> {
    at_its_addresses: HashSet<&'s str>,
    in_its_networks: HashSet<&'s str>,
    /// Whether some of its own addresses tell where somebody is.
    has_place: bool,
}

impl<'s> Places<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        Self {
            at_its_addresses: ids(snapshot, KeyKind::Ip).collect(),
            in_its_networks: ids(snapshot, KeyKind::Network).collect(),
            has_place: (0..snapshot.state.addresses().len()).any(|place| !hides_place(snapshot, place)),
        }
    }

    fn part(&self, other: &OtherIdentity, hours: f64) -> f64 {
        if self.at_its_addresses.contains(other.id.as_str()) {
            SAME_ADDRESS
        } else if hours < 24.0 || self.in_its_networks.contains(other.id.as_str()) {
            1.0
        } else if self.has_place {
            ELSEWHERE
        } else {
            ANYWHERE
        }
    }
}

/// For how many accounts made within an hour of its own those stand who came to a device at other times: those of
/// whom nothing else is known, and family and colleagues.
fn strength_apart(own: &Own, shared: &SharedKey, crowd: &Crowd, places: &Places) -> [f64; 2] {
    let common = 1.0 / (1.0 + (crowd.apart as f64 / COMMON_OTHERS).powi(3));
    let apart = shared.others.iter().map(|other| (other, other.first_seen_at.millis_since(shared.since)));
    let mut strengths = [0.0, 0.0];
    for (other, later_ms) in apart.filter(|(_, later_ms)| later_ms.abs() > TOGETHER_MS) {
        let relation = if crowd.apart <= RELATED_MAX { own.relation(other) } else { Relation::Unknown };
        let hours = later_ms.unsigned_abs() as f64 / HOUR_MS as f64;
        let first = if later_ms > 0 { FIRST } else { 1.0 };
        let part = places.part(other, hours).min(relation.part());
        strengths[usize::from(relation != Relation::Unknown)] +=
            interpolate(&STRENGTH_BY_HOURS, hours) * part * first * common;
    }
    strengths
}

const MOVED_ON_WORDS: &str = "it has had a device of its own since";

fn explain(shared: &SharedKey, hand: &Hand, has_moved_on: bool) -> String {
    let others = shared.others.len();
    let crowd = hand.crowd;
    let but = shared.key.kind.but();
    let more = if others >= OTHERS_MAX { " or more" } else { "" };
    let accounts = counted(others as u64, "other account");
    if crowd.excess >= 1.0 {
        let together = counted(crowd.together as u64 + 1, "account");
        let device = if but.is_some() { "nearly the same device" } else { "this device" };
        let meaning = match (hand.company.words(), but) {
            _ if has_moved_on => MOVED_ON_WORDS,
            _ if hand.at_once == AtOnce::Yes => {
                "they were active at the same time, as those with one model of a device are"
            }
            (Some(words), _) => words,
            (None, Some(part)) => part.words(),
            (None, None) => "a device usually belongs to one person",
        };
        return format!("{together} appeared on {device} {}; {meaning}.", within(crowd.together_span_ms));
    }
    let meaning = if has_moved_on {
        MOVED_ON_WORDS
    } else if let Some(part) = but {
        part.words()
    } else if crowd.apart as f64 > COMMON_OTHERS {
        "they came one by one, as the owners of a common model do"
    } else {
        "a device usually belongs to one person or one household"
    };
    let device = if but.is_some() { "nearly the same device" } else { "the same device" };
    format!("{accounts}{more} used {device}; {meaning}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::LinkKey;
    use crate::score::fixture::{Identity, said};
    use crate::score::{Scores, Weights, analyze};
    use crate::time::DAY_MS;

    fn on_a_device() -> Identity {
        Identity::default().event("a", 0, |event| event.fingerprint = Some("f".to_owned()))
    }

    fn uniqueness(identity: &Identity) -> Option<u8> {
        analyze(&identity.snapshot(), &Weights::default()).scores.uniqueness
    }

    #[test]
    fn abstains_without_devices() {
        assert_eq!(Identity::default().event("a", 0, |_| ()).observe(ANALYZER), None);
    }

    #[test]
    fn alone_on_a_device_is_unique() {
        let words = "No other account was seen on its 1 device.";
        assert_eq!(said(on_a_device().observe(ANALYZER)), Some((0.7, words.to_owned())));
    }

    #[test]
    fn says_how_many_were_made_in_which_time() {
        let ring = on_a_device().shares_at(KeyKind::Device, "f", [-30, -20, -10, 10]);
        let words = "5 accounts appeared on this device within 40.0 min; a device usually belongs to one \
                     person.";
        assert_eq!(said(ring.observe(ANALYZER)), Some((0.15, words.to_owned())));
    }

    #[test]
    fn the_more_at_once_the_less_unique() {
        let cases = [(1, 62), (2, 49), (3, 45), (4, 9), (50, 0)];
        for (others, expected) in cases {
            let ring = on_a_device().shares_at(KeyKind::Device, "f", (0..others).map(|n| n % 60));
            assert_eq!(uniqueness(&ring), Some(expected), "{others}");
        }
    }

    #[test]
    fn a_household_on_one_tablet_is_hardly_less_unique() {
        let days = |n: i64| n * 24 * 60;
        let family = on_a_device()
            .event("b", 0, |event| event.ip = "203.0.113.7".parse().ok())
            .shares_at(KeyKind::Device, "f", [days(-9), days(-3), days(4)])
            .shares_at(KeyKind::Ip, "203.0.113.7", [days(-9), days(-3), days(4)]);
        assert!(uniqueness(&family) >= Some(60));
    }

    #[test]
    fn a_common_model_is_no_sign() {
        let owners = on_a_device().shares_at(KeyKind::Device, "f", (-50..50).map(|n| n * 300 + 90));
        assert!(uniqueness(&owners) >= Some(60));
        let words = "100 other accounts or more used the same device; they came one by one, as the owners of a \
                     common model do.";
        assert_eq!(said(owners.observe(ANALYZER)).map(|(_, words)| words), Some(words.to_owned()));
        let ring = on_a_device().shares_at(
            KeyKind::Device,
            "f",
            (-50..44).map(|n| n * 300 + 90).chain([1, 2, 3, 4, 5, 6]),
        );
        assert!(uniqueness(&ring) < Some(40), "a ring among them is");
    }

    #[test]
    fn strangers_with_one_model_are_not_one_person() {
        let days = |n: i64| n * 24 * 60;
        let others = || [-9, -7, -4, -2, 3, 6].map(days);
        let here = || on_a_device().event("b", 0, |event| event.ip = "203.0.113.7".parse().ok());
        let elsewhere = here().shares_at(KeyKind::Device, "f", others());
        assert!(uniqueness(&elsewhere) >= Some(60), "never seen at one place");
        let near =
            here().shares_at(KeyKind::Device, "f", others()).shares_at(KeyKind::Network, "n", others());
        assert!(uniqueness(&near) < Some(60), "in its network, at other addresses");
    }

    #[test]
    fn in_a_crowd_some_have_one_model_by_chance() {
        let at_a_conference = |on_device: i64| {
            let identity = on_a_device().shares_at(KeyKind::Device, "f", 0..on_device);
            // Others than those: the fixture numbers them from 0.
            let crowd = on_device..on_device + 90;
            identity.shares_at(KeyKind::Ip, "203.0.113.7", (0..on_device).chain(crowd.map(|n| n % 60)))
        };
        assert!(uniqueness(&at_a_conference(2)) >= Some(60));
        assert!(uniqueness(&at_a_conference(9)) < Some(40), "nine are not");
        let in_a_class = |on_device: i64, class: i64| {
            let identity = on_a_device().shares_at(KeyKind::Device, "f", 0..on_device);
            let class = (on_device..on_device + class).map(|n| n % 60);
            uniqueness(&identity.shares_at(KeyKind::Ip, "203.0.113.7", (0..on_device).chain(class)))
        };
        assert!(in_a_class(2, 25) >= Some(60), "two others in a class");
        assert!(in_a_class(2, 8) < Some(60), "in a household");
        assert!(in_a_class(4, 25) < Some(40), "four are a ring");
        // Of many only the newest are looked at, and these may have come later.
        let long_ago = |every_seconds: i64| {
            let identity = on_a_device().shares_at(KeyKind::Device, "f", [-12, 13]);
            identity.shares_at(KeyKind::Ip, "203.0.113.7", (2..102).map(|n| 240 + n * every_seconds / 60))
        };
        assert!(uniqueness(&long_ago(12)) >= Some(60), "at a conference");
        assert!(uniqueness(&long_ago(120)) < Some(60), "at a carrier's address");
    }

    #[test]
    fn how_busy_a_network_of_the_teams_own_is_tells_how_many_have_one_model() {
        let of_team = |is_common: bool, on_device: &[i64], minutes: [i64; 40]| {
            let identity = on_a_device().shares_at(KeyKind::Device, "f", on_device.iter().copied());
            let mut identity = identity.shares_at(KeyKind::Network, "n", minutes);
            // Others than those in the network.
            identity.shared[0].others.iter_mut().for_each(|other| other.id.insert(0, 'd'));
            if is_common {
                identity.common.insert(LinkKey { kind: KeyKind::Network, value: "n".to_owned() });
            }
            uniqueness(&identity)
        };
        let phones = [-20, -10, 20];
        let every = |seconds: i64| std::array::from_fn(|n| n as i64 * seconds / 60);
        assert!(of_team(true, &phones, every(12)) >= Some(60), "at a conference");
        assert!(of_team(true, &phones, every(300)) < Some(60), "in a quiet team");
        assert!(of_team(false, &phones, every(12)) < Some(60), "elsewhere");
        let wave: Vec<_> = (0..35).collect();
        assert!(of_team(true, &wave, [0; 40]) < Some(40), "so many are no chance");
    }

    #[test]
    fn who_has_had_a_device_of_their_own_since_was_a_guest() {
        let guest = on_a_device().shares_at(KeyKind::Device, "f", [-40, -20, 20]);
        let before = uniqueness(&guest);
        let own = |event: &mut crate::event::Event| event.fingerprint = Some("own".to_owned());
        let moved = guest.event("b", 2 * DAY_MS, own);
        assert!(before < Some(50) && uniqueness(&moved) >= Some(60), "{before:?} {:?}", uniqueness(&moved));
        let words =
            "4 accounts appeared on this device within 60.0 min; it has had a device of its own since.";
        assert_eq!(said(moved.observe(ANALYZER)).map(|(_, words)| words), Some(words.to_owned()));
        let ring = on_a_device().shares_at(KeyKind::Device, "f", [-40, -20, 20]).event("b", 2 * DAY_MS, own);
        let ring = ring.shares_at(KeyKind::Device, "own", [-40, -20, 20]);
        assert!(uniqueness(&ring) < Some(50), "the other one is not its own");
    }

    #[test]
    fn a_ring_that_changes_what_it_draws_is_seen_and_a_stranger_with_the_same_model_costs_little() {
        let near = |minutes: Vec<i64>| on_a_device().shares_at(KeyKind::ButDrawing, "n", minutes);
        let ring = near(vec![-30, -20, -10, 10]);
        let words = "5 accounts appeared on nearly the same device within 40.0 min; graphics card, processor, memory, \
                     screen, sound and fonts are the same, what it draws differs.";
        assert_eq!(said(ring.observe(ANALYZER)), Some((0.25, words.to_owned())));
        assert!(uniqueness(&ring) < Some(50));
        let stranger = near(vec![-9 * 24 * 60]);
        let words = "1 other account used nearly the same device; graphics card, processor, memory, screen, sound and \
                     fonts are the same, what it draws differs.";
        assert_eq!(said(stranger.observe(ANALYZER)).map(|(_, words)| words), Some(words.to_owned()));
        assert!(uniqueness(&stranger) >= Some(70));
    }

    #[test]
    fn nearly_the_same_device_says_nothing_where_it_is_common_or_the_very_same() {
        let common = on_a_device().shares_at(KeyKind::ButScreen, "n", 0..20);
        let alone = on_a_device().observe(ANALYZER);
        assert_eq!(common.observe(ANALYZER), alone);
        let same = on_a_device().shares_at(KeyKind::Device, "f", [-30, -20]);
        let both = on_a_device().shares_at(KeyKind::Device, "f", [-30, -20]).shares_at(
            KeyKind::ButScreen,
            "n",
            [-30, -20],
        );
        assert_eq!(both.observe(ANALYZER), same.observe(ANALYZER));
        let more = on_a_device().shares_at(KeyKind::Device, "f", [-30, -20]).shares_at(
            KeyKind::ButScreen,
            "n",
            [-30, -20, -10, 10, 20],
        );
        let words = "4 accounts appeared on nearly the same device within 30.0 min;";
        assert!(said(more.observe(ANALYZER)).is_some_and(|(_, said)| said.starts_with(words)));
    }

    #[test]
    fn unknown_devices_leave_the_score_open() {
        let scores =
            analyze(&Identity::default().event("a", 0, |_| ()).snapshot(), &Weights::default()).scores;
        assert_eq!(scores, Scores { humanity: None, ..scores });
    }
}
