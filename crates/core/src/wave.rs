//! Waves: many of those who wait for a decision, with one thing in common by which they are looked at, and decided on,
//! together. Who is in one is accused of nothing by that.

use std::collections::{BTreeMap, BinaryHeap};

use crate::common::Common;
use crate::identity::Profile;
use crate::key::{KeyKind, LinkKey};
use crate::link::current_keys;
use crate::person::EmailParts;
use crate::state::IdentityState;

/// Fewer are looked at one by one: two may share a thing by chance, three are a ring.
pub const WAVE_MIN: usize = 3;
/// Of what many who have nothing to do with one another share, such as a network.
const WEAK_WAVE_MIN: usize = 5;
/// The domain of an e-mail address, as the API calls it.
const EMAIL_DOMAIN: &str = "EMAIL_DOMAIN";

/// What a wave has in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shared {
    Key(LinkKey),
    /// What somebody has registered, and whoever gives out mailboxes to anybody has not: `example.co.uk`.
    EmailDomain(String),
}

impl Shared {
    /// What an identity may have in common with others, each once. What is common among the team's identities is left out.
    pub fn of(state: &IdentityState, profile: &Profile, common: &Common) -> Vec<Self> {
        let keys = current_keys(state, profile, common, |_| false);
        let mut shared: Vec<_> =
            keys.into_iter().filter(|key| !common.contains(key)).map(Self::Key).collect();
        let email = profile.email.as_deref().map(str::to_lowercase);
        let parts = email.as_deref().and_then(EmailParts::of).filter(|parts| !parts.is_free());
        shared.extend(parts.map(|parts| Self::EmailDomain(parts.registered().to_owned())));
        shared
    }

    /// The name that the API shows.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(key) => key.kind.name(),
            Self::EmailDomain(_) => EMAIL_DOMAIN,
        }
    }

    pub fn value(&self) -> &str {
        match self {
            Self::Key(key) => &key.value,
            Self::EmailDomain(domain) => domain,
        }
    }

    /// Whether people can read the value: others are digests.
    pub const fn is_readable(&self) -> bool {
        match self {
            Self::EmailDomain(_) => true,
            Self::Key(key) => !matches!(
                key.kind,
                KeyKind::Name
                    | KeyKind::Home
                    | KeyKind::Journey
                    | KeyKind::ButDrawing
                    | KeyKind::ButSound
                    | KeyKind::ButScreen
                    | KeyKind::ButMachine
            ),
        }
    }

    /// The names of all kinds, for those who ask for none of them.
    pub fn kinds() -> String {
        let kinds = KeyKind::ALL.into_iter().filter(|kind| is_asked_for(*kind)).map(KeyKind::name);
        let mut names: Vec<_> = kinds.chain([EMAIL_DOMAIN]).collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    /// By which it is asked for: its kind and its value, such as `IP:203.0.113.7`.
    pub fn text(&self) -> String {
        format!("{}:{}", self.kind(), self.value())
    }

    /// From [`Self::text`]; several where kinds are called the same, none where no kind is called so.
    pub fn parse(text: &str) -> Vec<Self> {
        let Some((name, value)) = text.split_once(':').filter(|(_, value)| !value.is_empty()) else {
            return Vec::new();
        };
        if name == EMAIL_DOMAIN {
            return vec![Self::EmailDomain(value.to_lowercase())];
        }
        let kinds = KeyKind::ALL.into_iter().filter(|kind| kind.name() == name && is_asked_for(*kind));
        kinds.map(|kind| Self::Key(LinkKey { kind, value: value.to_owned() })).collect()
    }

    /// Whether strangers share it as well.
    const fn is_weak(&self) -> bool {
        match self {
            Self::EmailDomain(_) => true,
            Self::Key(key) => {
                matches!(key.kind, KeyKind::Ip | KeyKind::Network | KeyKind::Name | KeyKind::Birth)
            }
        }
    }
}

/// Agents link nobody, and whole addresses are kept of the deleted alone.
const fn is_asked_for(kind: KeyKind) -> bool {
    !matches!(kind, KeyKind::Agent | KeyKind::Email)
}

/// Those who share one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    pub shared: Shared,
    /// Their places among those who were asked about, in order.
    pub members: Vec<usize>,
}

/// The waves among identities, of each of whom is given what they may share: by what few strangers share first, and then
/// the largest, each as long as enough of its members are in no earlier one.
pub fn waves(identities: &[Vec<Shared>]) -> Vec<Wave> {
    let mut holders: BTreeMap<&Shared, Vec<usize>> = BTreeMap::new();
    for (place, shared) in identities.iter().enumerate() {
        for one in shared {
            holders.entry(one).or_default().push(place);
        }
    }
    let mut is_in_one = vec![false; identities.len()];
    let mut waves = Vec::new();
    for (is_weak, min) in [(false, WAVE_MIN), (true, WEAK_WAVE_MIN)] {
        let of_strength =
            holders.iter().filter(|(shared, members)| shared.is_weak() == is_weak && members.len() >= min);
        // The largest first, and of those what comes first in the order of kinds.
        let mut queue: BinaryHeap<_> =
            of_strength.map(|(shared, members)| (members.len(), std::cmp::Reverse(*shared))).collect();
        while let Some((count, std::cmp::Reverse(shared))) = queue.pop() {
            let Some(members) = holders.get(shared) else { continue };
            let left = members.iter().filter(|place| !is_in_one[**place]).count();
            if left < min {
                continue;
            }
            if left < count {
                queue.push((left, std::cmp::Reverse(shared)));
                continue;
            }
            for place in members {
                is_in_one[*place] = true;
            }
            waves.push(Wave { shared: shared.clone(), members: members.clone() });
        }
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: KeyKind, value: &str) -> Shared {
        Shared::Key(LinkKey { kind, value: value.to_owned() })
    }

    fn found(identities: &[Vec<Shared>]) -> Vec<(String, usize)> {
        waves(identities).into_iter().map(|wave| (wave.shared.text(), wave.members.len())).collect()
    }

    #[test]
    fn a_ring_within_a_wave_is_one_of_its_own_and_those_who_share_nothing_are_in_none() {
        let network = || key(KeyKind::Network, "203.0.113.0/24");
        let mut identities: Vec<_> = (0..20).map(|_| vec![network()]).collect();
        for ring in &mut identities[..4] {
            ring.push(key(KeyKind::Device, "d1"));
        }
        identities.extend((0..4).map(|n| vec![key(KeyKind::Network, &format!("198.51.100.{n}/24"))]));
        identities.extend((0..2).map(|_| vec![key(KeyKind::Device, "of two")]));
        identities.extend((0..4).map(|_| vec![Shared::EmailDomain("of four.example".to_owned())]));
        let expected = [("DEVICE:d1".to_owned(), 4), ("NETWORK:203.0.113.0/24".to_owned(), 20)];
        assert_eq!(found(&identities), expected);
    }

    #[test]
    fn what_an_earlier_wave_has_is_not_told_again() {
        let both = || vec![key(KeyKind::Device, "d1"), key(KeyKind::Session, "s1")];
        assert_eq!(found(&[both(), both(), both()]), [("DEVICE:d1".to_owned(), 3)]);
        // Of those who are left of a larger one, enough are none of the other.
        let mut identities: Vec<_> = (0..6).map(|_| both()).collect();
        identities.extend((0..3).map(|_| vec![key(KeyKind::Session, "s1")]));
        assert_eq!(found(&identities), [("SESSION:s1".to_owned(), 9)]);
    }

    #[test]
    fn what_is_asked_for_is_what_was_told() {
        for text in ["IP:2001:db8::/64", "EMAIL_DOMAIN:example.com", "DEVICE:a:b"] {
            let parsed: Vec<_> = Shared::parse(text).iter().map(Shared::text).collect();
            assert_eq!(parsed, [text]);
        }
        assert_eq!(Shared::parse("NEAR_DEVICE:1f").len(), 4);
        for text in ["", "IP", "IP:", "AGENT:curl", "COLOR:red", "ip:203.0.113.7"] {
            assert!(Shared::parse(text).is_empty(), "{text}");
        }
    }
}
