//! What of an identity is on trusted lists: it says nothing of who else has it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{ListType, Lists};
use crate::common::Common;
use crate::identity::Profile;
use crate::key::{KeyKind, LinkKey, ip_value, network_value};
use crate::link::{device_keys, profile_keys};
use crate::person;
use crate::state::IdentityState;
use crate::time::Timestamp;

/// The value of a key of an address, if it has one.
type ValueOf = fn(IpAddr) -> Option<String>;

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As it is spelled on the list.
    pub value: String,
    /// The name of the list.
    pub list: String,
}

/// The keys of one identity that are on trusted lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// Where the identity itself is on one.
    identity: Option<Listed>,
    keys: BTreeMap<LinkKey, Listed>,
}

impl Trusted {
    /// With nothing that is trusted.
    pub const NONE: &'static Self = &Self { identity: None, keys: BTreeMap::new() };

    /// What of an identity is on trusted lists at the moment `now`.
    pub fn of(lists: &Lists, (id, state, profile): (&str, &IdentityState, &Profile), now: Timestamp) -> Self {
        if !lists.has_trusted() {
            return Self::default();
        }
        let find = |list_type, value: &str| lists.trusted(list_type, value, now);
        let mut keys = BTreeMap::new();
        for seen in state.devices() {
            if let Some(listed) = find(ListType::Device, &seen.value) {
                keys.extend(device_keys(state, &seen.value).map(|key| (key, listed.clone())));
            }
        }
        let address = |ip: IpAddr, place: usize| {
            let text = ip.to_canonical().to_string();
            let by_system = || find(ListType::Asn, &asn_of(state, place)?.to_string());
            find(ListType::Ip, &text).or_else(|| find(ListType::Network, &text)).or_else(by_system)
        };
        let addresses: Vec<_> = state.addresses().iter().enumerate().collect();
        let addresses: Vec<_> =
            addresses.into_iter().map(|(place, seen)| (seen.value, address(seen.value, place))).collect();
        let values: [(KeyKind, ValueOf); 2] = [(KeyKind::Ip, ip_value), (KeyKind::Network, network_value)];
        for (kind, value_of) in values {
            for (ip, listed) in &addresses {
                let (Some(value), Some(listed)) = (value_of(*ip), listed) else { continue };
                // Of a network from other addresses of which it comes as well, those still say something.
                let is_same = |other: &IpAddr| value_of(*other).as_ref() == Some(&value);
                if addresses.iter().all(|(other, listed)| listed.is_some() || !is_same(other)) {
                    keys.insert(LinkKey { kind, value }, listed.clone());
                }
            }
        }
        let email = profile.email.as_deref().and_then(|email| {
            find(ListType::Email, email).or_else(|| find(ListType::EmailDomain, email)).map(|it| (email, it))
        });
        if let Some((email, listed)) = email {
            let own = profile_keys(profile).filter(|key| key.kind == KeyKind::Mailbox);
            let deleted = person::mailbox(email).map(|value| LinkKey { kind: KeyKind::Email, value });
            keys.extend(own.chain(deleted).map(|key| (key, listed.clone())));
        }
        if let Some(listed) = profile.phone.as_deref().and_then(|phone| find(ListType::Phone, phone)) {
            let own = profile_keys(profile).filter(|key| key.kind == KeyKind::Phone);
            keys.extend(own.map(|key| (key, listed.clone())));
        }
        Self { identity: find(ListType::Identity, id), keys }
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.identity.is_none() && self.keys.is_empty()
    }

    /// Whether who else has this key says nothing of the identity.
    pub fn has(&self, key: &LinkKey) -> bool {
        self.identity.is_some() || self.keys.contains_key(key)
    }

    /// By which entry who else has this key says nothing of the identity.
    pub fn by(&self, key: &LinkKey) -> Option<&Listed> {
        self.identity.as_ref().or_else(|| self.keys.get(key))
    }

    /// The entry of the identity itself, if it has one.
    pub fn identity(&self) -> Option<&Listed> {
        self.identity.as_ref()
    }

    /// Whether the identity itself is trusted: nothing that it shares says anything of it.
    pub fn is_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// The keys, beside what is common, as what links nobody.
    pub fn and_common<'c>(&self, common: &'c Common) -> Cow<'c, Common> {
        if self.keys.is_empty() {
            return Cow::Borrowed(common);
        }
        let mut both = common.clone();
        self.keys.keys().for_each(|key| both.insert(key.clone()));
        Cow::Owned(both)
    }

    /// By which entry the identity, or one of its keys of these kinds, is trusted.
    pub fn among(&self, kinds: &[KeyKind]) -> Option<&Listed> {
        let of_keys = || self.keys.iter().find(|(key, _)| kinds.contains(&key.kind));
        self.identity.as_ref().or_else(|| of_keys().map(|(_, listed)| listed))
    }
}

/// The autonomous system of an address, by its place among the identity's: that of its newest event.
pub fn asn_of(state: &IdentityState, address: usize) -> Option<u32> {
    let here = state.recent().filter(|event| event.address == Some(address) && event.place.is_some());
    state.places().get(here.max_by_key(|event| event.at)?.place?)?.value.asn
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Limits, Origin, read};
    use crate::key::KeyHasher;
    use crate::list::{Change, List};

    const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn lists(list_type: ListType, value: &str, trusted: bool) -> Lists {
        let hasher = KeyHasher::new([7; 16]);
        let mut list = List::new("Ours".to_owned(), list_type, trusted);
        let value = list_type.value(value).unwrap();
        list.apply(&hasher, std::iter::once(Change { value, is_in: true, ends_at: None }));
        let mut lists = Lists::new(hasher);
        lists.put("ours".to_owned(), Arc::new(list));
        lists
    }

    /// The keys of somebody at two addresses of one network, with a device, that are on this list.
    fn keys(list_type: ListType, value: &str, trusted: bool) -> Vec<(KeyKind, String)> {
        let mut state = IdentityState::default();
        for (n, ip) in ["203.0.113.7", "203.0.113.8"].into_iter().enumerate() {
            let body = format!(
                r#"{{"type":"t","id":"e{n}","identity":{{"id":"u"}},"device":{{"fingerprint":"f"}},"ip":"{ip}"}}"#
            );
            let told = read(
                body.as_bytes(),
                &Origin::UNSEEN_BACKEND,
                NOW,
                Limits::default(),
                &mut || unreachable!(),
            );
            state.fold(&told.unwrap().event);
        }
        let profile = Profile {
            email: Some("Ada.Byron@mail.partner.example".to_owned()),
            phone: Some("0049 30 1234567".to_owned()),
            ..Profile::default()
        };
        let found = Trusted::of(&lists(list_type, value, trusted), ("u", &state, &profile), NOW);
        assert_eq!(found.is_empty(), found.among(&KeyKind::ALL).is_none());
        assert_eq!(found.is_identity(), list_type == ListType::Identity && trusted);
        found.keys.into_keys().map(|key| (key.kind, key.value)).collect()
    }

    #[test]
    fn what_is_trusted_are_the_keys_and_of_a_network_all_addresses_there() {
        let key = |kind, value: &str| (kind, value.to_owned());
        let (one, other) = (key(KeyKind::Ip, "203.0.113.7"), key(KeyKind::Ip, "203.0.113.8"));
        let network = key(KeyKind::Network, "203.0.113.0/24");
        assert_eq!(
            keys(ListType::Ip, "203.0.113.7", true),
            std::slice::from_ref(&one),
            "its neighbor is not"
        );
        assert_eq!(keys(ListType::Network, "203.0.113.0/29", true), std::slice::from_ref(&one));
        assert_eq!(keys(ListType::Network, "203.0.112.0/20", true), [one, other, network]);
        assert_eq!(keys(ListType::Network, "203.0.112.0/20", false), []);
        assert_eq!(keys(ListType::Device, "f", true), [key(KeyKind::Device, "f")]);
        assert_eq!(keys(ListType::Phone, "+49 30 1234567", true), [key(KeyKind::Phone, "301234567")]);
        let mailbox = key(KeyKind::Mailbox, "adabyron@partner.example");
        let deleted = key(KeyKind::Email, "ada.byron@mail.partner.example");
        assert_eq!(keys(ListType::EmailDomain, "partner.example", true), [deleted, mailbox]);
        assert_eq!(keys(ListType::Identity, "u", true), []);
        assert_eq!(keys(ListType::Country, "DE", true), []);
    }
}
