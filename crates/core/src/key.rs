//! Keys: what identities may have in common, such as a device or an address, by which one may turn out to be
//! another.

use std::hash::Hasher;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use crate::device::Part;
use crate::shard;

/// Other identities looked at for one key, the newest; counting them stops there, too. Of weak keys fewer
/// are looked at: see [`KeyKind::others_max`].
pub const OTHERS_MAX: usize = 100;

/// What kind of thing two identities can have in common. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    Device = 1,
    Ip = 2,
    Session = 3,
    /// Kept of deleted identities only: the living are found by [`Self::Mailbox`].
    Email = 4,
    /// The /24 of an IPv4 address, the /48 of an IPv6 address.
    Network = 5,
    /// The letters of the mailbox name, at one domain or at any large provider.
    Mailbox = 6,
    /// How the name sounds.
    Name = 7,
    /// The digits of the phone number.
    Phone = 8,
    /// The date of birth.
    Birth = 9,
    /// Parts of the address.
    Home = 10,
    /// Its first steps and their rhythm.
    Journey = 11,
    /// A promotion or referral code.
    Code = 12,
    /// A device that is the same in all but what it draws.
    ButDrawing = 13,
    /// In all but sound and fonts.
    ButSound = 14,
    /// In all but its screen.
    ButScreen = 15,
    /// In all but its processor, memory and graphics card.
    ButMachine = 16,
    /// The program that sends events. It links nobody, and is looked at among a team's identities only: see
    /// [`crate::common`].
    Agent = 17,
}

impl KeyKind {
    pub const ALL: [Self; 17] = [
        Self::Device,
        Self::Ip,
        Self::Session,
        Self::Email,
        Self::Network,
        Self::Mailbox,
        Self::Name,
        Self::Phone,
        Self::Birth,
        Self::Home,
        Self::Journey,
        Self::Code,
        Self::ButDrawing,
        Self::ButSound,
        Self::ButScreen,
        Self::ButMachine,
        Self::Agent,
    ];

    /// The kind of devices that are the same in all but this part.
    pub const fn all_but(part: Part) -> Self {
        match part {
            Part::Drawing => Self::ButDrawing,
            Part::Sound => Self::ButSound,
            Part::Screen => Self::ButScreen,
            Part::Machine => Self::ButMachine,
        }
    }

    /// The part of a device that may differ.
    pub fn but(self) -> Option<Part> {
        Part::ALL.into_iter().find(|part| Self::all_but(*part) == self)
    }

    /// Other identities looked at for one key of this kind, the newest: as many as the analyzers of bursts
    /// need for devices and addresses, as few as say that something is common for the rest.
    pub const fn others_max(self) -> usize {
        match self {
            Self::Device | Self::Ip => OTHERS_MAX,
            Self::Network | Self::Code => 40,
            Self::ButDrawing | Self::ButSound | Self::ButScreen | Self::ButMachine => 20,
            Self::Session
            | Self::Email
            | Self::Mailbox
            | Self::Name
            | Self::Phone
            | Self::Birth
            | Self::Home
            | Self::Journey => 10,
            Self::Agent => 0,
        }
    }

    /// Whether it matters who the others are, and not only when they came.
    pub const fn names_others(self) -> bool {
        !matches!(self, Self::Network)
    }

    /// Whether few people can have the same one at a time, unless it stands for none.
    pub const fn is_in_one_hand(self) -> bool {
        matches!(
            self,
            Self::Device
                | Self::Session
                | Self::ButDrawing
                | Self::ButSound
                | Self::ButScreen
                | Self::ButMachine
        )
    }

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "DEVICE",
            Self::Ip => "IP",
            Self::Session => "SESSION",
            Self::Email => "EMAIL",
            Self::Network => "NETWORK",
            Self::Mailbox => "MAILBOX",
            Self::Name => "NAME",
            Self::Phone => "PHONE",
            Self::Birth => "DATE_OF_BIRTH",
            Self::Home => "ADDRESS",
            Self::Journey => "FIRST_STEPS",
            Self::Code => "CODE",
            Self::ButDrawing | Self::ButSound | Self::ButScreen | Self::ButMachine => "NEAR_DEVICE",
            Self::Agent => "AGENT",
        }
    }

    /// The kind with this number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i64 == code)
    }
}

/// One thing an identity can share with others, such as the device `a1b2…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    pub kind: KeyKind,
    /// The normalised value: a fingerprint, an address (IPv6 cut to its /64), a session.
    pub value: String,
}

/// Turns keys into 64-bit numbers for the index, with a secret of this installation, so that the
/// numbers say nothing to anybody else.
#[derive(Clone, Copy, Debug)]
pub struct KeyHasher([u8; 16]);

impl KeyHasher {
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// The hash of a session's key.
    pub fn session(&self, session: &str) -> i64 {
        self.hash_parts(KeyKind::Session, session)
    }

    /// SipHash-2-4 of the kind and the value.
    pub fn hash(&self, key: &LinkKey) -> i64 {
        self.hash_parts(key.kind, &key.value)
    }

    /// The shard of what a team calls by these words: an identity by its id, a device by its fingerprint, a group by its
    /// type and its id.
    pub fn shard(&self, team_id: i64, words: &[&str]) -> i64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        // No kind of key has this number.
        hasher.write_u8(u8::MAX);
        hasher.write_i64(team_id);
        for word in words {
            hasher.write(word.as_bytes());
            // No text has this byte.
            hasher.write_u8(u8::MAX);
        }
        shard::of(hasher.finish().cast_signed())
    }

    /// The key of what a counter counts by: the fact's name, and a value of it in lower case.
    pub fn counter_key(&self, per: &str, value: &str) -> i64 {
        // No kind of key has this number.
        self.words(u8::MAX - 1, &[per, value]).cast_signed()
    }

    /// A value that a counter of different values has seen, in lower case.
    pub fn counted(&self, value: &str) -> u64 {
        self.words(u8::MAX - 2, &[value])
    }

    /// The hash of a value of one of a team's lists.
    pub fn listed(&self, value: &str) -> u64 {
        self.words(u8::MAX - 3, &[value])
    }

    fn words(&self, kind: u8, words: &[&str]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(kind);
        for word in words {
            hasher.write(word.as_bytes());
            // No text has this byte.
            hasher.write_u8(u8::MAX);
        }
        hasher.finish()
    }

    fn hash_parts(&self, kind: KeyKind, value: &str) -> i64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(kind as u8);
        hasher.write(value.as_bytes());
        hasher.finish().cast_signed()
    }
}

/// The network of an end user: an IPv4 address, or the /64 of an IPv6 address, which is what one
/// household gets and within which a device changes its address at will. `None` for addresses
/// that are no evidence.
///
/// Loopback, private, link-local and carrier-grade NAT addresses are no evidence: they name a
/// place inside some network, most often a proxy in front of the application, and would tie
/// everybody behind it together.
pub fn ip_value(ip: IpAddr) -> Option<String> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            let is_inside = ip.is_loopback() || ip.is_private() || ip.is_link_local() || is_shared;
            let is_nobody = first == 0 || ip.is_multicast() || ip.is_broadcast();
            (!is_inside && !is_nobody).then(|| ip.to_string())
        }
        IpAddr::V6(ip) => {
            let is_inside = ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local();
            if is_inside || ip.is_unspecified() || ip.is_multicast() {
                return None;
            }
            let [a, b, c, d, ..] = ip.segments();
            Some(format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
        }
    }
}

/// The network around an address: what one provider gives to one customer with several of them, or
/// to a few dozen households.
pub fn network_value(ip: IpAddr) -> Option<String> {
    ip_value(ip)?;
    Some(match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    })
}

/// The keys of an address: its own, and that of the network around it.
pub fn address_keys(ip: IpAddr) -> impl Iterator<Item = LinkKey> {
    let own = ip_value(ip).map(|value| LinkKey { kind: KeyKind::Ip, value });
    own.into_iter().chain(network_value(ip).map(|value| LinkKey { kind: KeyKind::Network, value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_networks_are_no_evidence() {
        let cases = [
            ("203.0.113.7", Some("203.0.113.7")),
            ("::ffff:203.0.113.7", Some("203.0.113.7")),
            ("2001:db8::1", Some("2001:db8::/64")),
            ("100.128.0.1", Some("100.128.0.1")),
            ("127.0.0.1", None),
            ("10.1.2.3", None),
            ("172.16.0.1", None),
            ("192.168.1.1", None),
            ("169.254.1.1", None),
            ("100.64.0.1", None),
            ("0.0.0.0", None),
            ("224.0.0.1", None),
            ("255.255.255.255", None),
            ("::1", None),
            ("::", None),
            ("fe80::1", None),
            ("fd00::1", None),
            ("ff02::1", None),
            ("::ffff:10.0.0.1", None),
        ];
        for (ip, expected) in cases {
            assert_eq!(ip_value(ip.parse().unwrap()).as_deref(), expected, "{ip}");
        }
    }
}
