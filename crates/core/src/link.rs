//! Links: the keys by which one identity may turn out to be another.

use std::hash::Hasher;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use crate::event::Event;
use crate::identity::Profile;
use crate::state::{IdentityState, Seen};

/// What kind of thing two identities can have in common. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    Device = 1,
    Ip = 2,
    Session = 3,
    Email = 4,
}

impl KeyKind {
    /// The kind stored as `code`.
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Device, Self::Ip, Self::Session, Self::Email].into_iter().find(|kind| *kind as i64 == code)
    }
}

/// One thing an identity can share with others, such as the device `a1b2…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    pub kind: KeyKind,
    /// The normalised value: a fingerprint, an address (IPv6 cut to its /64), a session, an
    /// e-mail address without tags and dots that its provider ignores.
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

    /// SipHash-2-4 of the kind and the value.
    pub fn hash(&self, key: &LinkKey) -> i64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(key.kind as u8);
        hasher.write(key.value.as_bytes());
        hasher.finish().cast_signed()
    }
}

/// The keys by which this event ties its identity to others: the event's device, address and
/// session, and the e-mail address of the profile. Sorted, each once.
pub fn keys(event: &Event, profile: &Profile) -> Vec<LinkKey> {
    let device = event.fingerprint.clone().map(|value| LinkKey { kind: KeyKind::Device, value });
    let ip = event.ip.and_then(ip_value).map(|value| LinkKey { kind: KeyKind::Ip, value });
    let session = event.session.clone().map(|value| LinkKey { kind: KeyKind::Session, value });
    let email = profile.email.as_deref().and_then(email_value);
    let email = email.map(|value| LinkKey { kind: KeyKind::Email, value });
    let mut keys: Vec<_> = [device, ip, session, email].into_iter().flatten().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Devices and addresses of an identity that count now: the most recent ones.
pub const CURRENT_KEYS_MAX: usize = 4;

/// The keys an identity shares with others now: its most recent devices and addresses, and its
/// e-mail address. Sorted, each once.
pub fn current_keys(state: &IdentityState, profile: &Profile) -> Vec<LinkKey> {
    let devices =
        newest(state.devices()).map(|value| LinkKey { kind: KeyKind::Device, value: value.clone() });
    let addresses = newest(state.addresses()).filter_map(|ip| ip_value(*ip));
    let addresses = addresses.map(|value| LinkKey { kind: KeyKind::Ip, value });
    let email = profile.email.as_deref().and_then(email_value);
    let email = email.map(|value| LinkKey { kind: KeyKind::Email, value });
    let mut keys: Vec<_> = devices.chain(addresses).chain(email).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The values seen last.
fn newest<T>(seen: &[Seen<T>]) -> impl Iterator<Item = &T> {
    let mut by_time: Vec<_> = seen.iter().collect();
    by_time.sort_by_key(|seen| std::cmp::Reverse(seen.last_at));
    by_time.into_iter().take(CURRENT_KEYS_MAX).map(|seen| &seen.value)
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

/// An e-mail address without what its provider ignores: case, a `+tag`, and for Gmail the dots.
/// `None` when it is no address. Mailboxes are case-insensitive at every large provider, though
/// RFC 5321 would allow otherwise.
pub fn email_value(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let (mailbox, domain) = email.split_once('@')?;
    let mailbox = match mailbox.split_once('+') {
        Some((before, _)) if !before.is_empty() => before,
        _ => mailbox,
    };
    let (mailbox, domain) = match domain {
        "gmail.com" | "googlemail.com" => (mailbox.replace('.', ""), "gmail.com"),
        _ => (mailbox.to_owned(), domain),
    };
    let is_address = !mailbox.is_empty() && !domain.is_empty() && !domain.contains('@');
    is_address.then(|| format!("{mailbox}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Origin, read};
    use crate::time::Timestamp;

    fn key(kind: KeyKind, value: &str) -> LinkKey {
        LinkKey { kind, value: value.to_owned() }
    }

    #[test]
    fn keys_are_what_others_can_share() {
        let body = br#"{"type":"t","id":"e","identity":{"id":"u"},"device":{"fingerprint":"f"},
            "ip":"2001:db8:1:2:3::4","session":"s"}"#;
        let now = Timestamp::from_millis(0);
        let mut event = read(body, &Origin::Backend, now, &mut || unreachable!()).unwrap().event;
        let profile = Profile { email: Some("Ada.L+x@Gmail.com".to_owned()), ..Profile::default() };
        let expected = [
            key(KeyKind::Device, "f"),
            key(KeyKind::Ip, "2001:db8:1:2::/64"),
            key(KeyKind::Session, "s"),
            key(KeyKind::Email, "adal@gmail.com"),
        ];
        assert_eq!(keys(&event, &profile), expected);
        (event.fingerprint, event.ip, event.session) = (None, "10.0.0.1".parse().ok(), None);
        assert_eq!(keys(&event, &Profile::default()), []);
    }

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

    #[test]
    fn one_mailbox_has_one_spelling() {
        let cases = [
            ("Ada@Example.COM", Some("ada@example.com")),
            ("ada.l+news@example.com", Some("ada.l@example.com")),
            ("a.d.a+x+y@googlemail.com", Some("ada@gmail.com")),
            ("+tag@example.com", Some("+tag@example.com")),
            (" ada@example.com ", Some("ada@example.com")),
            ("...@gmail.com", None),
            ("ada", None),
            ("@example.com", None),
            ("ada@", None),
            ("a@b@c", None),
        ];
        for (email, expected) in cases {
            assert_eq!(email_value(email).as_deref(), expected, "{email}");
        }
    }

    #[test]
    fn codes_name_their_kind() {
        for kind in [KeyKind::Device, KeyKind::Ip, KeyKind::Session, KeyKind::Email] {
            assert_eq!(KeyKind::from_code(kind as i64), Some(kind));
        }
        assert_eq!(KeyKind::from_code(0), None);
    }
}
