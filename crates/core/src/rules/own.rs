//! Which values of an identity are its own: a list on which any other stands accuses whoever has it as well.

use std::fmt;
use std::net::IpAddr;

use crate::common::Common;
use crate::dataset::{Dataset, Datasets};
use crate::identity::Profile;
use crate::key::{KeyKind, LinkKey, ip_value};
use crate::link::{MANY_HANDS_MIN_OTHERS, profile_keys};
use crate::list::{ListType, Listed, Lists, Trusted, asn_of};
use crate::person::{EmailParts, folded_email};
use crate::score::OFFICE_MIN_OTHERS;
use crate::state::{IdentityState, Seen};
use crate::time::Timestamp;

/// An identity, and what its team knows of what its users share.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub id: &'a str,
    pub state: &'a IdentityState,
    pub profile: &'a Profile,
    pub trusted: &'a Trusted,
    pub lists: &'a Lists,
    pub common: &'a Common,
    pub datasets: &'a Datasets,
    pub now: Timestamp,
}

/// A value that an identity shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownValue {
    /// As lists of its type spell it.
    pub text: String,
    /// By which others who have it are found, if by any.
    pub key: Option<LinkKey>,
    /// Why it is not its own, if it is not.
    pub not_own: Option<NotOwn>,
}

/// Why a value is nobody's own. As text it is a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOwn {
    /// The value is on a trusted list.
    Trusted(Listed),
    /// Somebody has it who is on one.
    WithTrusted(Listed),
    /// Most of the team's users have it.
    Common,
    /// A device that people have disregarded.
    Disregarded,
    /// An address inside some network.
    Private,
    /// What many give in place of an e-mail address, or of a phone number.
    Placeholder(ListType),
    Tor,
    Servers,
    /// A domain at which anybody gets a mailbox.
    MailProvider,
    /// So many others have this address.
    Office(usize),
    /// So many others have this device.
    ManyHands(usize),
}

impl NotOwn {
    /// Why a value that so many others have is nobody's own, if it is not.
    pub fn by_many(list_type: ListType, others: usize) -> Option<Self> {
        match list_type {
            ListType::Ip if others >= OFFICE_MIN_OTHERS => Some(Self::Office(others)),
            ListType::Device if others >= MANY_HANDS_MIN_OTHERS => Some(Self::ManyHands(others)),
            _ => None,
        }
    }
}

impl fmt::Display for NotOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted(Listed { value, list }) => write!(f, "{value} is on the trusted list \"{list}\"."),
            Self::WithTrusted(Listed { value, list }) => {
                write!(f, "{value} has it, who is on the trusted list \"{list}\".")
            }
            Self::Common => f.write_str("Most of your users have it: it is taken for your own."),
            Self::Disregarded => f.write_str("The device is disregarded."),
            Self::Private => f.write_str("The address is inside some network, and nobody's own."),
            Self::Placeholder(list_type) => {
                let noun = if *list_type == ListType::Email { "e-mail address" } else { "phone number" };
                write!(f, "It stands for no {noun}: many give it in place of their own.")
            }
            Self::Tor => f.write_str("It is an exit of Tor: strangers share it."),
            Self::Servers => f.write_str("It is in a network of servers, as VPNs are: strangers share it."),
            Self::MailProvider => f.write_str("Anybody gets a mailbox there."),
            Self::Office(others) => write!(f, "{others} others have it, as in an office or a network."),
            Self::ManyHands(others) => {
                write!(f, "{others} others have it, as in a school or an internet café.")
            }
        }
    }
}

impl Owner<'_> {
    /// The values of this type that the identity shows, the newest first. Networks, systems and countries are
    /// everybody's, and a text is nobody's: of those there are none. Who else has a value is for the caller to
    /// find out: see [`NotOwn::by_many`].
    pub fn values(&self, list_type: ListType, is_disregarded: impl Fn(&LinkKey) -> bool) -> Vec<ShownValue> {
        match list_type {
            ListType::Device => {
                let device = |device: &String| {
                    let key = LinkKey { kind: KeyKind::Device, value: device.clone() };
                    let not_own = self.of_key(list_type, device, &key);
                    let not_own = not_own.or_else(|| is_disregarded(&key).then_some(NotOwn::Disregarded));
                    value(list_type, device, Some(key), not_own)
                };
                newest(self.state.devices()).filter_map(|(_, fingerprint)| device(fingerprint)).collect()
            }
            ListType::Ip => {
                let address = |(place, ip): (usize, &IpAddr)| self.address(place, ip.to_canonical());
                newest(self.state.addresses()).filter_map(address).collect()
            }
            ListType::Email => self.detail(list_type, self.profile.email.as_deref(), KeyKind::Mailbox),
            ListType::Phone => self.detail(list_type, self.profile.phone.as_deref(), KeyKind::Phone),
            ListType::EmailDomain => {
                let emails = self.values(ListType::Email, is_disregarded).into_iter();
                emails.filter_map(|email| self.domain(email)).collect()
            }
            ListType::Identity => {
                let not_own = self.trusted.identity().cloned().map(NotOwn::Trusted);
                value(list_type, self.id, None, not_own).into_iter().collect()
            }
            ListType::Network | ListType::Asn | ListType::Country | ListType::Text => Vec::new(),
        }
    }

    /// Why who has this key is not alone with it, by what is trusted and what is common.
    fn of_key(&self, list_type: ListType, text: &str, key: &LinkKey) -> Option<NotOwn> {
        if let Some(identity) = self.trusted.identity() {
            return Some(NotOwn::WithTrusted(identity.clone()));
        }
        // Others may have the key who do not have the value: a network of theirs, or another spelling.
        let listed = || {
            let types = match list_type {
                ListType::Ip => &[ListType::Ip, ListType::Network][..],
                ListType::Email => &[ListType::Email, ListType::EmailDomain],
                _ => &[],
            };
            types.iter().find_map(|list_type| self.lists.trusted(*list_type, text, self.now))
        };
        let trusted = self.trusted.by(key).cloned().or_else(listed).map(NotOwn::Trusted);
        trusted.or_else(|| self.common.contains(key).then_some(NotOwn::Common))
    }

    fn address(&self, place: usize, ip: IpAddr) -> Option<ShownValue> {
        let text = ip.to_string();
        let Some(key) = ip_value(ip).map(|value| LinkKey { kind: KeyKind::Ip, value }) else {
            return value(ListType::Ip, &text, None, Some(NotOwn::Private));
        };
        let asn = asn_of(self.state, place);
        let is_in = |dataset| self.datasets.network(dataset, ip, asn).is_some();
        let not_own = self.of_key(ListType::Ip, &text, &key);
        let not_own = not_own
            .or_else(|| self.common.has_address(ip).then_some(NotOwn::Common))
            .or_else(|| is_in(Dataset::Tor).then_some(NotOwn::Tor))
            .or_else(|| is_in(Dataset::Hosting).then_some(NotOwn::Servers));
        value(ListType::Ip, &text, Some(key), not_own)
    }

    fn detail(&self, list_type: ListType, text: Option<&str>, kind: KeyKind) -> Vec<ShownValue> {
        let Some(text) = text else { return Vec::new() };
        let key = profile_keys(self.profile).find(|key| key.kind == kind);
        let not_own = match &key {
            Some(key) => self.of_key(list_type, text, key),
            None => Some(NotOwn::Placeholder(list_type)),
        };
        value(list_type, text, key, not_own).into_iter().collect()
    }

    /// The domain of an e-mail address.
    fn domain(&self, email: ShownValue) -> Option<ShownValue> {
        let folded = folded_email(&email.text);
        let parts = EmailParts::of(&folded)?;
        let is_everybodys = parts.is_free()
            || psl::domain_str(parts.domain).is_none()
            || [Dataset::Common, Dataset::Relay].iter().any(|of| self.datasets.contain(*of, parts.domain));
        let not_own = email.not_own.or_else(|| is_everybodys.then_some(NotOwn::MailProvider));
        value(ListType::EmailDomain, parts.domain, None, not_own)
    }
}

fn value(
    list_type: ListType,
    text: &str,
    key: Option<LinkKey>,
    not_own: Option<NotOwn>,
) -> Option<ShownValue> {
    Some(ShownValue { text: list_type.value(text)?, key, not_own })
}

/// What was seen last comes first, each with its place.
fn newest<T>(seen: &[Seen<T>]) -> impl Iterator<Item = (usize, &T)> {
    let mut by_time: Vec<_> = seen.iter().enumerate().collect();
    by_time.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.last_at));
    by_time.into_iter().map(|(place, seen)| (place, &seen.value))
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

    /// Of somebody with two devices, a public and a private address, and this e-mail address.
    fn values(what: ListType, email: &str, common: &Common, lists: &Lists) -> Vec<String> {
        let mut state = IdentityState::default();
        for (n, (device, ip)) in [("old", "203.0.113.7"), ("new", "10.0.0.7")].into_iter().enumerate() {
            let at = NOW.plus_millis(n as i64 * 1_000);
            let body = format!(
                r#"{{"type":"t","id":"e{n}","timestamp":"{at}","identity":{{"id":"u"}},
                    "device":{{"fingerprint":"{device}"}},"ip":"{ip}"}}"#
            );
            let read =
                read(body.as_bytes(), &Origin::UNSEEN_BACKEND, at, Limits::default(), &mut || unreachable!());
            state.fold(&read.unwrap().event);
        }
        let profile = Profile {
            email: Some(email.to_owned()),
            phone: Some("0049 30 1234567".to_owned()),
            ..Profile::default()
        };
        let trusted = Trusted::of(lists, ("u", &state, &profile), NOW);
        let owner = Owner {
            id: "u",
            state: &state,
            profile: &profile,
            trusted: &trusted,
            lists,
            common,
            datasets: &Datasets::default(),
            now: NOW,
        };
        let own = owner.values(what, |key| key.value == "disregarded").into_iter();
        own.filter(|value| value.not_own.is_none()).map(|value| value.text).collect()
    }

    #[test]
    fn values_are_the_identitys_own_and_the_newest_first() {
        let (common, lists) = (Common::default(), lists(ListType::Text, "x", false));
        let check = |what, expected: &[&str]| {
            assert_eq!(values(what, "Ada@Firma.example", &common, &lists), expected, "{}", what.name());
        };
        check(ListType::Device, &["new", "old"]);
        check(ListType::Ip, &["203.0.113.7"]);
        check(ListType::Email, &["ada@firma.example"]);
        check(ListType::EmailDomain, &["firma.example"]);
        check(ListType::Phone, &["+49301234567"]);
        check(ListType::Identity, &["u"]);
        for what in [ListType::Network, ListType::Asn, ListType::Country, ListType::Text] {
            check(what, &[]);
        }
    }

    #[test]
    fn what_is_anybodys_is_not_among_them() {
        let nothing = Common::default();
        let plain = lists(ListType::Text, "x", false);
        for free in
            ["ada@gmail.com", "ada@outlook.com", "ada@posteo.de", "ada@privaterelay.appleid.com", "ada@co.uk"]
        {
            assert_eq!(
                values(ListType::EmailDomain, free, &nothing, &plain),
                <[&str; 0]>::default(),
                "{free}"
            );
        }
        let mut common = Common::default();
        for (kind, value) in [(KeyKind::Device, "new"), (KeyKind::Ip, "203.0.113.7")] {
            common.insert(LinkKey { kind, value: value.to_owned() });
        }
        assert_eq!(values(ListType::Device, "ada@firma.example", &common, &plain), ["old"]);
        assert_eq!(values(ListType::Ip, "ada@firma.example", &common, &plain), <[&str; 0]>::default());
        for (trusted, value, what, expected) in [
            (ListType::Device, "old", ListType::Device, vec!["new"]),
            (ListType::Network, "203.0.113.0/24", ListType::Ip, vec![]),
            (ListType::EmailDomain, "firma.example", ListType::Email, vec![]),
            (ListType::EmailDomain, "firma.example", ListType::EmailDomain, vec![]),
            (ListType::Phone, "+49301234567", ListType::Phone, vec![]),
            (ListType::Identity, "u", ListType::Identity, vec![]),
            (ListType::Identity, "u", ListType::Device, vec![]),
        ] {
            let lists = lists(trusted, value, true);
            assert_eq!(values(what, "ada@firma.example", &nothing, &lists), expected, "{value}");
        }
    }

    #[test]
    fn many_others_make_an_address_and_a_device_nobodys_own() {
        let words = |list_type, others| NotOwn::by_many(list_type, others).map(|why| why.to_string());
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(words(ListType::Ip, 9), None);
        assert_eq!(words(ListType::Ip, 10), said("10 others have it, as in an office or a network."));
        assert_eq!(words(ListType::Device, 10), None);
        let school = "11 others have it, as in a school or an internet café.";
        assert_eq!(words(ListType::Device, 11), said(school));
        assert_eq!(words(ListType::Email, 50), None);
    }
}
