//! Behavior: whether somebody else has come into the account: a new device in a new place that changes what
//! guards it, or a journey nobody can make.
//!
//! Limits: compares with the owner's own past, which an account younger than a day has not; the owner's own known
//! device clears a new place, and so does a thief who has that device.

use crate::key::network_value;
use crate::mapping::CanonicalType;
use crate::place::Place;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::acts::of_types;
use crate::score::features::networks::hides_place;
use crate::score::phrase::{counted, duration};
use crate::snapshot::Snapshot;
use crate::state::{RecentEvent, Trace};
use crate::time::{DAY_MS, HOUR_MS, Timestamp};

/// A taken account is the worst that can happen to its owner. Accounts younger than a day have no habits that
/// could be broken.
const WEIGHT: f64 = 1.5;
const CONFIDENCE: f64 = 0.8;

/// What guards an account, or is worth taking it for.
const SENSITIVE: [CanonicalType; 7] = [
    CanonicalType::PasswordChange,
    CanonicalType::PasswordReset,
    CanonicalType::EmailChange,
    CanonicalType::PhoneChange,
    CanonicalType::MfaChange,
    CanonicalType::PaymentMethodAdded,
    CanonicalType::ApiKeyCreated,
];
/// Younger accounts have no habits that could be broken.
const ACCOUNT_MIN_AGE_MS: i64 = DAY_MS;
/// A device or a network is new for so long.
const NEW_MS: i64 = HOUR_MS;
/// Who has had so many devices (addresses, places), and one for every second day at least, changes them by
/// habit, as privacy browsers and VPNs do: a new one is no sign.
const HABIT_MIN: usize = 4;
/// Failed sign-ins in the hour before that are more than a slip.
const FAILED_MIN: usize = 3;
/// Faster than any airliner between two places (Concorde flew 2,180 km/h, today's fly 900) ...
const SPEED_MAX_KM_H: f64 = 1_000.0;
/// ... and further than addresses are off: databases place an address within about this.
const DISTANCE_MIN_KM: f64 = 500.0;

/// How suspicious a sensitive act is with so many of the signs: a new device, a new network, a new country,
/// failed sign-ins before it, an impossible journey. People buy phones and travel: one or two say little.
const VALUE_BY_SIGNS: [f64; 6] = [0.65, 0.5, 0.3, 0.12, 0.05, 0.03];
/// An impossible journey alone: a VPN that is switched on looks the same.
const VALUE_OF_JOURNEY: f64 = 0.4;

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.takeover",
    label: "Account takeover",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let began_at = snapshot.state.first_event_at()?;
    let journey = journey(snapshot);
    let acts = of_types(snapshot, &SENSITIVE);
    let judged = acts
        .iter()
        .filter(|(act, _)| act.at.millis_since(began_at) >= ACCOUNT_MIN_AGE_MS)
        .map(|(act, meaning)| (signs(snapshot, act, journey.as_ref()), meaning))
        .max_by_key(|(signs, _)| signs.words.len());
    let finding = match (judged, &journey) {
        (Some((Signs { words, failed }, meaning)), _) if !words.is_empty() => {
            let act = meaning.name().to_lowercase().replace('_', " ");
            let explanation = format!(
                "{} {act} came with {}; an owner's usually comes from a known device or place.",
                if act.starts_with(['a', 'e']) { "An" } else { "A" },
                words.join(", ")
            );
            let value = VALUE_BY_SIGNS[words.len().min(VALUE_BY_SIGNS.len() - 1)];
            let finding = Finding::new(value, CONFIDENCE, explanation);
            finding.with("signs", words.len()).with("failedSignIns", failed)
        }
        (_, Some(journey)) => {
            let explanation = format!("It went {}; nobody travels that fast.", journey.words());
            Finding::new(VALUE_OF_JOURNEY, CONFIDENCE, explanation)
        }
        _ => return None,
    };
    Some(match journey {
        Some(Journey { kilometres, millis }) => {
            finding.with("kilometres", kilometres.round()).with("journeyMillis", millis)
        }
        None => finding,
    })
}

/// What about an act is not the owner's habit.
struct Signs {
    words: Vec<String>,
    /// Failed sign-ins before it.
    failed: usize,
}

fn signs(snapshot: &Snapshot, act: &RecentEvent, journey: Option<&Journey>) -> Signs {
    let state = snapshot.state;
    let is_new = |first_at: Timestamp| act.at.millis_since(first_at) <= NEW_MS;
    let is_habit = |seen: usize| seen >= HABIT_MIN && 2 * seen >= state.days() as usize;
    // Who comes out of a VPN by habit is in another network and country each time.
    let is_exit = |address| hides_place(snapshot, address);
    let knew_exits =
        || state.addresses().iter().enumerate().any(|(place, seen)| !is_new(seen.first_at) && is_exit(place));
    let is_masked = act.address.is_some_and(|address| is_exit(address) && knew_exits());
    let mut signs = Vec::new();
    let device = act.device.and_then(|place| state.devices().get(place));
    let knew_devices = state.devices().iter().any(|seen| !is_new(seen.first_at));
    if knew_devices
        && !is_habit(state.device_count() as usize)
        && device.is_some_and(|seen| is_new(seen.first_at))
    {
        signs.push("a new device".to_owned());
    }
    // Whoever has the owner's own device along is the owner, wherever that is.
    let is_owners = device.is_some_and(|seen| !is_new(seen.first_at));
    let address = act.address.filter(|_| !is_masked && !is_owners);
    if let Some(network) = address.and_then(|place| network_value(state.addresses().get(place)?.value)) {
        let same =
            state.addresses().iter().filter(|seen| network_value(seen.value).as_ref() == Some(&network));
        let knew_addresses = state.addresses().iter().any(|seen| !is_new(seen.first_at));
        if knew_addresses
            && !is_habit(state.addresses().len())
            && same.map(|seen| seen.first_at).min().is_some_and(is_new)
        {
            signs.push("a new network".to_owned());
        }
    }
    let place = act.place.filter(|_| !is_masked && !is_owners);
    if let Some(country) = place.and_then(|place| state.places().get(place)?.value.country) {
        let seen_in = |seen: &&crate::state::Seen<crate::place::Place>| seen.value.country == Some(country);
        let first_at = state.places().iter().filter(seen_in).map(|seen| seen.first_at).min();
        let knew_others = state.places().iter().any(|seen| !seen_in(&seen));
        if knew_others && !is_habit(state.places().len()) && first_at.is_some_and(is_new) {
            signs.push(format!("a new country ({})", country.code()));
        }
    }
    let failed = of_types(snapshot, &[CanonicalType::LoginFailed])
        .iter()
        .filter(|(failed, _)| (0..=NEW_MS).contains(&act.at.millis_since(failed.at)))
        .count();
    if failed >= FAILED_MIN {
        signs.push(format!("{} before it", counted(failed as u64, "failed sign-in")));
    }
    if let Some(journey) = journey {
        signs.push(format!("a journey of {}", journey.words()));
    }
    Signs { words: signs, failed }
}

/// From one place to another, faster than anybody travels.
struct Journey {
    kilometres: f64,
    millis: i64,
}

impl Journey {
    fn words(&self) -> String {
        let (kilometres, millis) = (self.kilometres, self.millis);
        if millis < 1_000 {
            return format!("{kilometres:.0} km at once");
        }
        format!("{kilometres:.0} km in {}", duration(millis as f64))
    }
}

/// The longest there is. What a backend sends may carry its own address: stops with a device or session, and those
/// without, are two journeys. Where a VPN ends nobody is.
fn journey(snapshot: &Snapshot) -> Option<Journey> {
    let places = snapshot.state.places();
    let is_of_client = |event: &RecentEvent| {
        event.traces.iter().flatten().any(|trace| matches!(trace, Trace::Device(_) | Trace::Session(_)))
    };
    let stop = |event: RecentEvent| {
        Some((is_of_client(&event), event.at, places.get(event.place?)?.value, event.address))
    };
    let mut stops: Vec<_> = snapshot.state.recent().filter_map(stop).collect();
    stops.sort_by_key(|(of_client, at, ..)| (*of_client, *at));
    let longest = |stops: &[Stop]| {
        let journeys = stops.windows(2).filter_map(impossible);
        journeys.max_by(|one, other| one.kilometres.total_cmp(&other.kilometres))
    };
    longest(&stops)?;
    // Few come so far, and only then it matters.
    stops.retain(|(.., address)| !address.is_some_and(|address| hides_place(snapshot, address)));
    longest(&stops)
}

/// Whether it is of a browser or an app, when, where, and the place of its address among the identity's.
type Stop = (bool, Timestamp, Place, Option<usize>);

fn impossible(pair: &[Stop]) -> Option<Journey> {
    let [(of_client, from_at, from, _), (to_client, to_at, to, _)] = pair else { return None };
    let kilometres = from.distance_km(to)?;
    let millis = to_at.millis_since(*from_at);
    let hours = millis as f64 / HOUR_MS as f64;
    (of_client == to_client && kilometres >= DISTANCE_MIN_KM && kilometres > hours * SPEED_MAX_KM_H)
        .then_some(Journey { kilometres, millis })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::place::{Country, Place};
    use crate::score::fixture::{Identity, said};

    fn at(
        device: &'static str,
        ip: &'static str,
        place: Option<(&'static str, i16, i16)>,
    ) -> impl Fn(&mut Event) {
        move |event| {
            event.fingerprint = Some(device.to_owned());
            event.ip = ip.parse().ok();
            event.place = place.map(|(country, lat, lon)| Place {
                country: Country::parse(country),
                position: Some((lat, lon)),
                ..Place::default()
            });
        }
    }

    const BERLIN: Option<(&str, i16, i16)> = Some(("DE", 5_252, 1_340));
    const LAGOS: Option<(&str, i16, i16)> = Some(("NG", 645, 340));

    fn at_home() -> Identity {
        let home = at("laptop", "203.0.113.7", BERLIN);
        [0, 20, 40]
            .into_iter()
            .fold(Identity::default(), |identity, hour| identity.event("login", hour * HOUR_MS, &home))
    }

    #[test]
    fn a_change_at_home_is_the_owners() {
        let identity = at_home().event("password changed", 41 * HOUR_MS, at("laptop", "203.0.113.7", BERLIN));
        assert_eq!(said(identity.observe(ANALYZER)), None);
    }

    #[test]
    fn a_new_phone_says_little_and_a_stranger_much() {
        let phone = at_home().event("password changed", 41 * HOUR_MS, at("phone", "203.0.113.9", BERLIN));
        let words = "A password change came with a new device; an owner's usually comes from a known device or place.";
        assert_eq!(said(phone.observe(ANALYZER)), Some((0.5, words.to_owned())));

        let thief = at("other", "198.51.100.1", LAGOS);
        let stolen = (0..4)
            .fold(at_home(), |identity, n| identity.event("login failed", 60 * HOUR_MS + n * 1_000, &thief))
            .event("email changed", 60 * HOUR_MS + 90_000, &thief);
        let words = "An email change came with a new device, a new network, a new country (NG), 4 failed sign-ins before \
                     it; an owner's usually comes from a known device or place.";
        assert_eq!(said(stolen.observe(ANALYZER)), Some((0.05, words.to_owned())));
    }

    #[test]
    fn who_travels_with_their_own_device_is_the_owner() {
        let abroad = at("laptop", "198.51.100.1", LAGOS);
        let changed = at_home().event("password changed", 60 * HOUR_MS, &abroad);
        assert_eq!(said(changed.observe(ANALYZER)), None);
        let unknown = at_home().event("password changed", 60 * HOUR_MS, |event| {
            abroad(event);
            event.fingerprint = None;
        });
        let words = "A password change came with a new network, a new country (NG); an owner's usually comes from a known \
                     device or place.";
        assert_eq!(said(unknown.observe(ANALYZER)), Some((0.3, words.to_owned())));
    }

    #[test]
    fn nobody_is_in_two_places_at_once() {
        let jump = at_home().event("login", 41 * HOUR_MS, at("laptop", "198.51.100.1", LAGOS));
        let words = "It went 5211 km in 60.0 min; nobody travels that fast.";
        assert_eq!(said(jump.observe(ANALYZER)).map(|(value, _)| value), Some(0.4));
        let both = at_home().event("login", 40 * HOUR_MS, at("laptop", "198.51.100.1", LAGOS));
        let said_of_both = said(both.observe(ANALYZER)).map(|(_, said)| said);
        assert_eq!(said_of_both.as_deref(), Some("It went 5204 km at once; nobody travels that fast."));
        let flight = at_home().event("login", 50 * HOUR_MS, at("laptop", "198.51.100.1", LAGOS));
        assert_eq!(said(flight.observe(ANALYZER)), None, "{words}");
    }

    #[test]
    fn who_is_behind_a_vpn_has_no_place() {
        const EXITS: [&str; 2] = ["185.220.101.4", "185.220.102.8"];
        let masked = Identity::default().event("login", 0, at("laptop", EXITS[0], BERLIN));
        let changed = masked.event("password changed", 41 * HOUR_MS, at("other", EXITS[1], LAGOS));
        assert_eq!(said(changed.observe(ANALYZER)).map(|(value, _)| value), Some(0.5), "a new device alone");
        let switched_on = at_home().event("page view", 41 * HOUR_MS, at("laptop", EXITS[0], LAGOS));
        assert_eq!(said(switched_on.observe(ANALYZER)), None);
        let thief = at_home().event("password changed", 41 * HOUR_MS, at("other", EXITS[0], LAGOS));
        assert_eq!(
            said(thief.observe(ANALYZER)).map(|(value, _)| value),
            Some(0.12),
            "an owner at home knew none"
        );
    }

    #[test]
    fn a_young_account_has_no_habits() {
        let identity = Identity::default().event("login", 0, at("laptop", "203.0.113.7", None)).event(
            "password changed",
            2 * HOUR_MS,
            at("phone", "198.51.100.1", None),
        );
        assert_eq!(said(identity.observe(ANALYZER)), None);
    }

    #[test]
    fn the_place_of_a_backend_is_no_stop_of_its_user() {
        let from = |ip, place| {
            move |event: &mut Event| (event.ip, event.place, event.session) = (Some(ip), Some(place), None)
        };
        let place = |country, lat, lon| Place {
            country: Country::parse(country),
            position: Some((lat, lon)),
            ..Place::default()
        };
        let backend = from("203.0.113.9".parse().unwrap(), place("US", 3_900, -7_700));
        let browser = at("own", "198.51.100.7", Some(("DE", 5_252, 1_341)));
        let signed_up = Identity::default().event("signup", 0, backend).event("page_view", 1_000, &browser);
        assert_eq!(said(signed_up.observe(ANALYZER)), None);
        let moved = signed_up.event("page_view", 60_000, at("own", "192.0.2.7", Some(("JP", 3_569, 13_969))));
        assert!(moved.observe(ANALYZER).is_some(), "its own two places are");
    }
}
