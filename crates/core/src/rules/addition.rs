//! What rules put on lists of the team's, and what of an identity may be put there: never what is anybody's.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Condition, Rules};
use crate::common::Common;
use crate::dataset::{Dataset, Datasets};
use crate::fact::Fact;
use crate::identity::Profile;
use crate::key::{KeyKind, ip_value};
use crate::link::current_keys;
use crate::list::{ListType, Lists, Trusted, asn_of};
use crate::person::{EmailParts, folded_email};
use crate::state::{IdentityState, Seen};

/// Lists to which one rule adds.
pub const ADDITIONS_MAX: usize = 10;
/// Values that one decision puts on lists, all of its rules together.
pub const ADDED_VALUES_MAX: usize = 20;

/// What a rule puts on a list when it gives its badge or opens its escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addition {
    /// The slug of the list.
    pub list: String,
    /// Which values of the identity: those of this type, which is the list's.
    pub what: ListType,
    /// From then on, in seconds, the entries count no more; without it they have no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<u64>,
}

impl Addition {
    /// What a rule can put on a list. Networks, systems and countries are everybody's, and a text is nobody's.
    pub const WHAT: [ListType; 6] = [
        ListType::Device,
        ListType::Ip,
        ListType::Email,
        ListType::EmailDomain,
        ListType::Phone,
        ListType::Identity,
    ];

    /// What is wrong with it beside these lists, if anything: which parameter, and why.
    pub fn flaw(&self, lists: &Lists) -> Option<(&'static str, String)> {
        if !Self::WHAT.contains(&self.what) {
            return Some(("what", "must be DEVICE, IP, EMAIL, EMAIL_DOMAIN, PHONE or IDENTITY".to_owned()));
        }
        let slug = &self.list;
        match lists.get(slug) {
            None => Some(("list", format!("there is no list `{slug}`"))),
            Some(list) if list.trusted => {
                Some(("list", format!("the list `{slug}` is trusted: a rule cannot add to it")))
            }
            Some(list) if list.list_type != self.what => {
                let (what, has) = (self.what.name(), list.list_type.name());
                Some(("what", format!("must be {has}, the type of the list `{slug}`, not {what}")))
            }
            Some(_) => None,
        }
    }
}

/// Somebody of whom rules put something on lists.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub id: &'a str,
    pub state: &'a IdentityState,
    pub profile: &'a Profile,
    pub common: &'a Common,
    pub trusted: &'a Trusted,
    pub datasets: &'a Datasets,
}

impl Shown<'_> {
    /// The values of this type that are the identity's alone as far as analyzers can tell, the newest first, as lists spell
    /// them. None of what is common in the team, on a trusted list, or a device that is `left_out`; of nobody who is
    /// trusted; no domain at which anybody gets a mailbox, and no exit of Tor or of a network of servers.
    pub fn own_values(&self, what: ListType, left_out: impl Fn(&str) -> bool) -> Vec<String> {
        if self.trusted.is_identity() {
            return Vec::new();
        }
        let common = self.trusted.and_common(self.common);
        let keys = current_keys(self.state, self.profile, &common, left_out);
        let has = |kind, value: &str| keys.iter().any(|key| key.kind == kind && key.value == value);
        let has_any = |kind| keys.iter().any(|key| key.kind == kind);
        let email = self.profile.email.as_deref().filter(|_| has_any(KeyKind::Mailbox));
        let texts: Vec<String> = match what {
            ListType::Device => {
                let devices = newest(self.state.devices()).map(|(_, device)| device);
                devices.filter(|device| has(KeyKind::Device, device)).cloned().collect()
            }
            ListType::Ip => {
                let is_own = |(place, ip): &(usize, &IpAddr)| {
                    ip_value(**ip).is_some_and(|value| has(KeyKind::Ip, &value))
                        && !self.is_of_strangers(**ip, asn_of(self.state, *place))
                };
                let own = newest(self.state.addresses()).filter(is_own);
                own.map(|(_, ip)| ip.to_canonical().to_string()).collect()
            }
            ListType::Email => email.map(str::to_owned).into_iter().collect(),
            ListType::EmailDomain => email.and_then(|email| self.own_domain(email)).into_iter().collect(),
            ListType::Phone => {
                let phone = self.profile.phone.iter().filter(|_| has_any(KeyKind::Phone));
                phone.cloned().collect()
            }
            ListType::Identity => vec![self.id.to_owned()],
            ListType::Network | ListType::Asn | ListType::Country | ListType::Text => Vec::new(),
        };
        let mut values: Vec<String> = Vec::new();
        for value in texts.iter().filter_map(|text| what.value(text)) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// Whether an address is an exit of Tor or in a network of servers, as VPNs are.
    fn is_of_strangers(&self, ip: IpAddr, asn: Option<u32>) -> bool {
        let is_in = |dataset| self.datasets.network(dataset, ip, asn).is_some();
        is_in(Dataset::Tor) || is_in(Dataset::Hosting)
    }

    fn own_domain(&self, email: &str) -> Option<String> {
        let folded = folded_email(email);
        let parts = EmailParts::of(&folded)?;
        let is_everybodys = parts.is_free()
            || psl::domain_str(parts.domain).is_none()
            || [Dataset::Common, Dataset::Relay].iter().any(|of| self.datasets.contain(*of, parts.domain));
        (!is_everybodys).then(|| parts.domain.to_owned())
    }
}

/// What was seen last comes first, each with its place.
fn newest<T>(seen: &[Seen<T>]) -> impl Iterator<Item = (usize, &T)> {
    let mut by_time: Vec<_> = seen.iter().enumerate().collect();
    by_time.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.last_at));
    by_time.into_iter().map(|(place, seen)| (place, &seen.value))
}

impl Rules {
    /// Whether what rules have put on lists may be why these conditions hold: they ask for a badge, or for a list to which
    /// one of the rules adds. A rule with such conditions does not put in again what has ended, or rules could keep each
    /// other going for ever.
    pub fn may_follow_from_lists(&self, conditions: &[Condition]) -> bool {
        let adds_to = |slug: &str| self.additions().any(|addition| addition.list == slug);
        let mut all = conditions.iter().flat_map(Condition::walk);
        all.any(|one| {
            one.badge().is_some() || one.fact() == Some(&Fact::Badge) || one.list().is_some_and(adds_to)
        })
    }

    /// What all of them add.
    fn additions(&self) -> impl Iterator<Item = &Addition> {
        let of_badges = self.badges.iter().flat_map(|rule| &rule.adds_to_lists);
        of_badges.chain(self.escalations.iter().flat_map(|rule| &rule.adds_to_lists))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Limits, Origin, read};
    use crate::key::{KeyHasher, LinkKey};
    use crate::list::{Change, List};
    use crate::time::Timestamp;

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
        let datasets = Datasets::default();
        let shown = Shown {
            id: "u",
            state: &state,
            profile: &profile,
            common,
            trusted: &trusted,
            datasets: &datasets,
        };
        shown.own_values(what, |device| device == "disregarded")
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
        for what in ListType::ALL.into_iter().filter(|what| !Addition::WHAT.contains(what)) {
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
    fn a_list_must_be_there_fit_and_not_be_trusted() {
        let lists = |trusted| lists(ListType::Device, "x", trusted);
        let flaw = |list: &str, what, trusted| {
            let addition = Addition { list: list.to_owned(), what, for_seconds: None };
            addition.flaw(&lists(trusted)).map(|(parameter, _)| parameter)
        };
        assert_eq!(flaw("ours", ListType::Device, false), None);
        assert_eq!(flaw("ours", ListType::Device, true), Some("list"));
        assert_eq!(flaw("gone", ListType::Device, false), Some("list"));
        assert_eq!(flaw("ours", ListType::Ip, false), Some("what"));
        assert_eq!(flaw("ours", ListType::Country, false), Some("what"));
    }
}
