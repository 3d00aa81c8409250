//! Links: which keys an identity has, who is scored again because of them, and what they say in words.

use std::net::IpAddr;

use crate::common::Common;
use crate::device::{Makeup, Part};
use crate::event::{Event, codes, is_nobodys_email, is_nobodys_name, is_nobodys_phone};
use crate::identity::Profile;
use crate::person::{self, Record};
use crate::state::{FirstHour, IdentityState, Seen};
use crate::time::Timestamp;

mod rescored;
mod shown;

pub use crate::key::{KeyHasher, KeyKind, LinkKey, OTHERS_MAX, address_keys, ip_value, network_value};
pub use rescored::{NEWS_KINDS, rescored};
pub use shown::{LinkType, MANY_HANDS_MIN_OTHERS, Shared, ShownLink, show};

/// What a deleted identity is called, of whom nothing is kept but keyed hashes.
pub const DELETED_NAME: &str = "a deleted identity";

/// The keys by which this event ties its identity to others and which `state`, from before it,
/// does not have yet.
pub fn new_keys(event: &Event, state: &IdentityState) -> Vec<LinkKey> {
    let device = event.fingerprint.as_ref().filter(|print| !is_known(state.devices(), print));
    let device = device.map(|value| LinkKey { kind: KeyKind::Device, value: value.clone() });
    let near = new_makeup(event, state).into_iter().flat_map(near_keys);
    let ip = event.persons_ip().filter(|ip| !is_known(state.addresses(), ip));
    let network = ip.and_then(network_value).map(|value| LinkKey { kind: KeyKind::Network, value });
    let ip = ip.and_then(ip_value).map(|value| LinkKey { kind: KeyKind::Ip, value });
    let session = event.session.as_ref().filter(|session| !state.knows_session(session));
    let session = session.map(|value| LinkKey { kind: KeyKind::Session, value: value.clone() });
    let codes = codes(&event.data).filter(|code| !is_known(state.codes(), code));
    let codes = codes.map(|value| LinkKey { kind: KeyKind::Code, value });
    let journey = state.journey_after(event).map(journey_key);
    device
        .into_iter()
        .chain(near)
        .chain(ip)
        .chain(network)
        .chain(session)
        .chain(codes)
        .chain(journey)
        .collect()
}

/// What the device of this event is made of, where `state`, from before it, does not know that yet.
fn new_makeup(event: &Event, state: &IdentityState) -> Option<Makeup> {
    let fingerprint = event.fingerprint.as_deref()?;
    let components = event.components.as_ref()?;
    if state.makeup(fingerprint).is_some() { None } else { Makeup::of(components) }
}

/// The keys by which a device is found that has changed in one part.
fn near_keys(makeup: Makeup) -> impl Iterator<Item = LinkKey> {
    Part::ALL
        .into_iter()
        .map(move |part| LinkKey { kind: KeyKind::all_but(part), value: makeup.all_but(part) })
}

/// The keys of one of an identity's devices: its own, then those of devices near to it. Whoever leaves out a
/// device leaves out all of them.
pub fn device_keys(state: &IdentityState, fingerprint: &str) -> impl Iterator<Item = LinkKey> + use<> {
    let own = LinkKey { kind: KeyKind::Device, value: fingerprint.to_owned() };
    std::iter::once(own).chain(state.makeup(fingerprint).into_iter().flat_map(near_keys))
}

/// Digits of a phone number that are compared: the last ones, since what stands before them is the
/// country, which one writes and another leaves out.
const PHONE_DIGITS: usize = 9;

/// The keys by which what an identity says of itself ties it to others.
pub fn profile_keys(profile: &Profile) -> impl Iterator<Item = LinkKey> {
    let email = profile.email.as_deref().filter(|email| !is_nobodys_email(email));
    let mailbox = email.and_then(person::mailbox_key);
    let name = profile.name.as_deref().filter(|name| !is_nobodys_name(name)).and_then(person::name_sounds);
    let phone = profile.phone.as_deref().and_then(|phone| {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let kept = digits.len().checked_sub(PHONE_DIGITS)?;
        (!is_nobodys_phone(&digits)).then(|| digits[kept..].to_owned())
    });
    let record = profile.record();
    let birth = record.as_ref().and_then(Record::birth_key).map(str::to_owned);
    let homes = record.iter().flat_map(Record::home_keys).collect::<Vec<_>>();
    let single = [
        (KeyKind::Mailbox, mailbox),
        (KeyKind::Name, name),
        (KeyKind::Phone, phone),
        (KeyKind::Birth, birth),
    ];
    let single = single.into_iter().filter_map(|(kind, value)| Some(LinkKey { kind, value: value? }));
    single.chain(homes.into_iter().map(|value| LinkKey { kind: KeyKind::Home, value }))
}

/// The key of those who began alike.
pub fn journey_key(digest: u64) -> LinkKey {
    LinkKey { kind: KeyKind::Journey, value: format!("{digest:016x}") }
}

fn is_known<T: PartialEq>(seen: &[Seen<T>], value: &T) -> bool {
    seen.iter().any(|seen| seen.value == *value)
}

/// Devices and addresses of an identity that count now: the most recent ones.
pub const CURRENT_KEYS_MAX: usize = 4;

/// The keys an identity may share with others now: its most recent devices, those that are not `left_out`,
/// addresses and networks, and those of its profile; what is common among the team's identities links nobody. Of one
/// who has a device, networks that are common come with them: see [`crate::snapshot::Snapshot::common_networks`].
/// Sorted, each once.
pub fn current_keys(
    state: &IdentityState,
    profile: &Profile,
    common: &Common,
    left_out: impl Fn(&str) -> bool,
) -> Vec<LinkKey> {
    let devices = newest(state.devices(), |fingerprint| !common.has_device(fingerprint));
    let devices = devices.filter(|fingerprint| !left_out(fingerprint));
    let devices = devices.flat_map(|fingerprint| device_keys(state, fingerprint));
    let addresses = newest(state.addresses(), |ip| !common.has_address(*ip)).flat_map(|ip| address_keys(*ip));
    let session = state.session().map(|value| LinkKey { kind: KeyKind::Session, value: value.to_owned() });
    let codes =
        newest(state.codes(), |_| true).map(|value| LinkKey { kind: KeyKind::Code, value: value.clone() });
    let journey = state.journey().map(journey_key);
    let of_state = devices.chain(addresses).chain(session).chain(codes).chain(journey);
    let mut keys: Vec<_> = of_state.chain(profile_keys(profile)).collect();
    keys.retain(|key| !common.contains(key));
    if state.device_count() > 0 {
        let networks = newest(state.addresses(), |_| true).filter_map(|ip| network_value(*ip));
        let networks = networks.map(|value| LinkKey { kind: KeyKind::Network, value });
        keys.extend(networks.filter(|key| common.contains(key)));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether an identity has shown a value, as far as that is remembered.
pub fn has_shown(state: &IdentityState, profile: &Profile, key: &LinkKey) -> bool {
    let mut common = Common::default();
    common.insert(key.clone());
    match key.kind {
        KeyKind::Agent => state.user_agents().iter().any(|seen| common.has_agent(&seen.value)),
        KeyKind::Ip | KeyKind::Network => state.addresses().iter().any(|seen| common.has_address(seen.value)),
        _ => current_keys(state, profile, &Common::default(), |_| false).contains(key),
    }
}

/// The values seen last, of those that count.
fn newest<T>(seen: &[Seen<T>], counts: impl Fn(&T) -> bool) -> impl Iterator<Item = &T> {
    let mut by_time: Vec<_> = seen.iter().filter(|seen| counts(&seen.value)).collect();
    by_time.sort_by_key(|seen| std::cmp::Reverse(seen.last_at));
    by_time.into_iter().take(CURRENT_KEYS_MAX).map(|seen| &seen.value)
}

/// When the identity was first seen with one of its own keys.
pub fn held_since(state: &IdentityState, key: &LinkKey) -> Option<Timestamp> {
    let of_addresses = |value: fn(IpAddr) -> Option<String>| {
        let same = state.addresses().iter().filter(|seen| value(seen.value).as_ref() == Some(&key.value));
        same.map(|seen| seen.first_at).min()
    };
    match key.kind {
        KeyKind::Device => {
            state.devices().iter().find(|seen| seen.value == key.value).map(|seen| seen.first_at)
        }
        KeyKind::ButDrawing | KeyKind::ButSound | KeyKind::ButScreen | KeyKind::ButMachine => {
            let has = |seen: &&Seen<String>| device_keys(state, &seen.value).any(|own| own == *key);
            state.devices().iter().filter(has).map(|seen| seen.first_at).min()
        }
        KeyKind::Code => state.codes().iter().find(|seen| seen.value == key.value).map(|seen| seen.first_at),
        KeyKind::Ip => of_addresses(ip_value),
        KeyKind::Network => of_addresses(network_value),
        _ => state.first_event_at(),
    }
}

/// What happened in the identity's first hour with one of its own keys, where that is of a device.
pub fn first_hour(state: &IdentityState, key: &LinkKey) -> Option<FirstHour> {
    let is_device = key.kind == KeyKind::Device || key.kind.but().is_some();
    let mut devices = state.devices().iter().filter(|_| is_device);
    let device = devices.find(|seen| device_keys(state, &seen.value).any(|own| own == *key))?;
    state.first_hour(&device.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Origin, read};
    use crate::time::Timestamp;

    fn key(kind: KeyKind, value: &str) -> LinkKey {
        LinkKey { kind, value: value.to_owned() }
    }

    fn event(body: &[u8]) -> Event {
        read(
            body,
            &Origin::UNSEEN_BACKEND,
            Timestamp::from_millis(0),
            crate::event::Limits::default(),
            &mut || unreachable!(),
        )
        .unwrap()
        .event
    }

    #[test]
    fn keys_are_what_others_can_share_and_new_once() {
        let first = event(
            br#"{"type":"t","id":"e","identity":{"id":"u"},"device":{"fingerprint":"f"},
                "ip":"2001:db8:1:2:3::4"}"#,
        );
        let inside = event(br#"{"type":"t","id":"e","identity":{"id":"u"},"ip":"10.0.0.1"}"#);
        let expected = [
            key(KeyKind::Device, "f"),
            key(KeyKind::Ip, "2001:db8:1:2::/64"),
            key(KeyKind::Network, "2001:db8:1::/48"),
        ];
        let mut state = IdentityState::default();
        assert_eq!(new_keys(&first, &state), expected);
        state.fold(&first);
        state.fold(&inside);
        assert_eq!((new_keys(&first, &state), new_keys(&inside, &state)), (vec![], vec![]));
        let profile = Profile {
            email: Some("Ada.B7@example.com".to_owned()),
            name: Some("Ada Byron".to_owned()),
            phone: Some("+49 (0)30 1234567".to_owned()),
            ..Profile::default()
        };
        let of_profile =
            [key(KeyKind::Mailbox, "adab"), key(KeyKind::Name, "a3b65"), key(KeyKind::Phone, "301234567")];
        assert_eq!(
            current_keys(&state, &profile, &Common::default(), |_| false),
            [&expected[..], &of_profile].concat()
        );
        assert_eq!(
            current_keys(&state, &profile, &Common::default(), |print| print == "f")[0],
            expected[1],
            "without the device"
        );
        for key in &expected {
            assert_eq!(held_since(&state, key), Some(first.timestamp), "{key:?}");
        }
        let mut common = Common::default();
        expected[1..].iter().for_each(|key| common.insert(key.clone()));
        let left = current_keys(&state, &Profile::default(), &common, |_| false);
        assert_eq!(left, [expected[0].clone(), expected[2].clone()], "the network, of one with a device");
    }

    #[test]
    fn a_device_that_changes_in_one_part_is_found_by_the_others() {
        let told = |id: u32, canvas: &str, audio: u32| {
            let components = format!(
                r#"{{"canvas":"{canvas}","audio":{audio},"screenResolution":"[1920,1080]","deviceMemory":8}}"#
            );
            let body = format!(
                r#"{{"type":"t","id":"{id}","identity":{{"id":"u"}},"device":{{"components":{components}}}}}"#
            );
            event(body.as_bytes())
        };
        let (before, after, other) = (told(1, "c", 1), told(2, "d", 1), told(3, "d", 2));
        let mut state = IdentityState::default();
        let of = |event: &Event, state: &IdentityState| {
            let keys = new_keys(event, state);
            assert_eq!(keys.first().map(|key| key.kind), Some(KeyKind::Device));
            keys
        };
        let (own, changed, another) = (of(&before, &state), of(&after, &state), of(&other, &state));
        let same = |keys: &[LinkKey]| -> Vec<_> {
            own.iter().filter(|key| keys.contains(key)).map(|key| key.kind).collect()
        };
        assert_eq!((own.len(), same(&changed), same(&another)), (5, vec![KeyKind::ButDrawing], vec![]));
        state.fold(&before);
        assert_eq!(new_keys(&before, &state), [], "nothing for a known device");
        assert_eq!(current_keys(&state, &Profile::default(), &Common::default(), |_| false), own);
        for key in &own {
            assert_eq!(held_since(&state, key), Some(before.timestamp), "{key:?}");
        }
        // The application's backend may be the first to tell of the device.
        let fingerprint = before.fingerprint.clone();
        let mut stated = IdentityState::default();
        stated.fold(&Event { components: None, fingerprint, ..before.clone() });
        assert_eq!(new_keys(&before, &stated), own[1..]);
    }
}
