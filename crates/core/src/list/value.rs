//! What can be on a list, by its type, and in which spelling it is kept and compared.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::dataset::ascii_domain;
use crate::event;
use crate::identity::PROFILE_VALUE_MAX_BYTES;
use crate::place::Country;

/// A longer value is none: as much as is kept of what an identity says of itself.
pub const VALUE_MAX_BYTES: usize = PROFILE_VALUE_MAX_BYTES;
/// Digits of a telephone number with its country: ITU-T E.164 allows 15; the shortest in use have 7 or so.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 4..=15;
/// Country codes assigned by ISO 3166-1, and `XK`, which is used for Kosovo.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
    MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// What the values of a list are. The names are stored, and shown by the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ListType {
    Email,
    /// A domain of e-mail addresses, and those under it.
    EmailDomain,
    Ip,
    Network,
    /// The number of an autonomous system.
    Asn,
    Country,
    /// A fingerprint.
    Device,
    /// An identity's id, as the application has it.
    Identity,
    Phone,
    /// Anything else.
    Text,
}

impl ListType {
    pub const ALL: [Self; 10] = [
        Self::Email,
        Self::EmailDomain,
        Self::Ip,
        Self::Network,
        Self::Asn,
        Self::Country,
        Self::Device,
        Self::Identity,
        Self::Phone,
        Self::Text,
    ];

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::EmailDomain => "EMAIL_DOMAIN",
            Self::Ip => "IP",
            Self::Network => "NETWORK",
            Self::Asn => "ASN",
            Self::Country => "COUNTRY",
            Self::Device => "DEVICE",
            Self::Identity => "IDENTITY",
            Self::Phone => "PHONE",
            Self::Text => "TEXT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list_type| list_type.name() == name)
    }

    /// Whether what people share can be of this type, so that a list of it can be trusted: a country and a text are no
    /// evidence of sharing.
    pub const fn can_be_trusted(self) -> bool {
        !matches!(self, Self::Country | Self::Text)
    }

    /// What a value must be, after "must be".
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::EmailDomain => "a domain such as example.com",
            Self::Ip => "an IP address",
            Self::Network => "a network such as 198.51.100.0/24, no wider than /8, or than /12 of IPv6",
            Self::Asn => "an autonomous system such as AS64496",
            Self::Country => "a country by its two letters of ISO 3166, such as DE",
            Self::Device => "a fingerprint of a device, of at most 320 bytes",
            Self::Identity => "the id of an identity, of at most 320 bytes",
            Self::Phone => "a telephone number of 4 to 15 digits",
            Self::Text => "a text of at most 320 bytes",
        }
    }

    /// A value in the one spelling in which lists hold it; `None` for what is no value of this type.
    pub fn value(self, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() || text.len() > VALUE_MAX_BYTES || text.chars().any(is_refused) {
            return None;
        }
        let value = match self {
            Self::Email => email(text)?,
            Self::EmailDomain => {
                let domain = text.strip_prefix("*.").or_else(|| text.strip_prefix('@')).unwrap_or(text);
                ascii_domain(domain.strip_suffix('.').unwrap_or(domain))?
            }
            Self::Ip => address(text)?.to_string(),
            Self::Network => network(text).filter(is_narrow)?.to_string(),
            Self::Asn => {
                let digits = text.strip_prefix(['A', 'a']).and_then(|rest| rest.strip_prefix(['S', 's']));
                let digits = digits.unwrap_or(text).trim_start();
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                let number: u32 = digits.parse().ok().filter(|number| is_number && *number > 0)?;
                format!("AS{number}")
            }
            Self::Country => {
                let country = Country::parse(text)?;
                COUNTRIES.split_whitespace().find(|code| *code == country.code())?.to_owned()
            }
            Self::Phone => phone(text)?,
            Self::Text => text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
            Self::Device | Self::Identity => text.to_owned(),
        };
        // Some letters are longer in lower case.
        (value.len() <= VALUE_MAX_BYTES).then_some(value)
    }
}

/// Signs that are no part of a value, and that a database or a table could not hold.
fn is_refused(sign: char) -> bool {
    sign.is_control() && !sign.is_whitespace() || sign == '\0'
}

/// In lower case, with its domain as the domain name system spells it.
fn email(text: &str) -> Option<String> {
    let (mailbox, domain) = text.rsplit_once('@')?;
    let is_mailbox = !mailbox.is_empty() && !mailbox.chars().any(|sign| sign.is_whitespace() || sign == '@');
    let domain = ascii_domain(domain).filter(|_| is_mailbox)?;
    Some(format!("{}@{domain}", mailbox.to_lowercase()))
}

/// An address, as events have it; a network of one is one.
fn address(text: &str) -> Option<IpAddr> {
    let ip = event::address(text);
    let alone = || text.parse::<IpNet>().ok().filter(|net| net.prefix_len() == net.max_prefix_len());
    Some(ip.or_else(|| alone().map(|net| net.addr()))?.to_canonical())
}

/// A network without the bits of an address in it. Of IPv4 it has the spelling of IPv4.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok().or_else(|| event::address(text).map(IpNet::from))?;
    let of_v4 = match (net.addr().to_canonical(), net.addr()) {
        (IpAddr::V4(ip), IpAddr::V6(_)) => {
            net.prefix_len().checked_sub(96).and_then(|bits| Ipv4Net::new(ip, bits).ok())
        }
        _ => None,
    };
    let net = of_v4.map_or(net, IpNet::V4).trunc();
    (net.prefix_len() > 0).then_some(net)
}

/// Whether a network is no wider than one that IANA hands out: a /8 of IPv4, a /12 of IPv6, or those for private use
/// (RFC 4193, RFC 4291). A wider one is a slip of the hand.
fn is_narrow(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() >= 8,
        IpNet::V6(net) => {
            let ip = net.addr();
            net.prefix_len() >= 12
                || net.prefix_len() >= 7 && ip.is_unique_local()
                || net.prefix_len() >= 10 && ip.is_unicast_link_local()
        }
    }
}

/// With a `+` where its country is given, by `+` or `00`, and digits. The `(0)` that some write after the country is
/// no part of it.
fn phone(text: &str) -> Option<String> {
    let is_sign = |sign: char| sign.is_whitespace() || "()-./\u{2010}\u{2011}\u{2013}".contains(sign);
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let (is_full, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => text.strip_prefix("00").map_or((false, text), |rest| (true, rest)),
    };
    let rest = if is_full { rest.replacen("(0)", "", 1) } else { rest.to_owned() };
    let digits: String = rest.chars().filter(|sign| !is_sign(*sign)).collect();
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && PHONE_DIGITS.contains(&digits.len());
    is_number.then(|| if is_full { format!("+{digits}") } else { digits })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(list_type: ListType, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            assert_eq!(list_type.value(text).as_deref(), *expected, "{} {text:?}", list_type.name());
        }
    }

    #[test]
    fn each_type_has_one_spelling() {
        use ListType::*;
        check(
            Email,
            &[
                (" Ada.B@Example.COM ", Some("ada.b@example.com")),
                ("ada@müller.de", Some("ada@xn--mller-kva.de")),
                ("ada", None),
                ("@example.com", None),
                ("a b@example.com", None),
                ("ada@", None),
                ("ada@exa mple.com", None),
            ],
        );
        check(
            EmailDomain,
            &[
                ("*.Example.com", Some("example.com")),
                ("@example.com.", Some("example.com")),
                ("bücher.example", Some("xn--bcher-kva.example")),
                ("ada@example.com", None),
                ("exa mple.com", None),
                ("-a.com", None),
            ],
        );
        check(
            Ip,
            &[
                ("203.0.113.7", Some("203.0.113.7")),
                ("203.0.113.7/32", Some("203.0.113.7")),
                ("::ffff:203.0.113.7", Some("203.0.113.7")),
                ("203.0.113.7:443", Some("203.0.113.7")),
                ("[2001:db8::1]:443", Some("2001:db8::1")),
                ("2001:0DB8::0001", Some("2001:db8::1")),
                ("203.0.113.0/24", None),
                ("203.0.113.07", None),
                ("fe80::1%eth0", Some("fe80::1")),
                ("1", None),
            ],
        );
        check(
            Network,
            &[
                ("203.0.113.77/24", Some("203.0.113.0/24")),
                ("203.0.113.77", Some("203.0.113.77/32")),
                ("::ffff:203.0.113.77/120", Some("203.0.113.0/24")),
                ("2001:db8:1:2::/47", Some("2001:db8::/47")),
                ("0.0.0.0/0", None),
                ("10.0.0.0/8", Some("10.0.0.0/8")),
                ("64.0.0.0/7", None),
                ("::/0", None),
                ("2a00::/12", Some("2a00::/12")),
                ("2000::/11", None),
                ("fc00::/7", Some("fc00::/7")),
                ("fe80::/10", Some("fe80::/10")),
                ("fc00::/6", None),
                ("::/0", None),
                ("::ffff:0:0/96", None),
                ("203.0.113.0/33", None),
                ("203.0.113.0/-1", None),
            ],
        );
        check(
            Asn,
            &[
                ("64496", Some("AS64496")),
                ("as64496", Some("AS64496")),
                ("AS 64496", Some("AS64496")),
                ("AS4294967295", Some("AS4294967295")),
                ("AS4294967296", None),
                ("AS0", None),
                ("AS+1", None),
                ("AS", None),
            ],
        );
        check(Country, &[("de", Some("DE")), (" Xk", Some("XK")), ("ZZ", None), ("UK", None), ("DEU", None)]);
        check(
            Phone,
            &[
                ("+49 (0)30 123-4567", Some("+49301234567")),
                ("0049 30 1234567", Some("+49301234567")),
                ("tel:+1-202-555-0123", Some("+12025550123")),
                ("030/1234567", Some("0301234567")),
                ("123", None),
                ("+1234567890123456", None),
                ("+49 30 CALL", None),
                ("++49301234567", None),
            ],
        );
        check(Text, &[("  Two\n words ", Some("two words")), ("\u{7}", None), ("a\0b", None), ("   ", None)]);
        check(Device, &[(" AbC ", Some("AbC")), ("", None)]);
        let long = "x".repeat(VALUE_MAX_BYTES + 1);
        check(Identity, &[("user 1", Some("user 1")), (&long, None)]);
    }

    #[test]
    fn names_are_read_back() {
        for list_type in ListType::ALL {
            assert_eq!(ListType::parse(list_type.name()), Some(list_type));
            assert_eq!(serde_json::json!(list_type), list_type.name());
        }
    }

    proptest! {
        #[test]
        fn a_kept_value_is_its_own_spelling(
            text in prop_oneof![
                any::<String>(),
                "[0-9a-fA-F:./+() -]{0,24}",
                "[A-Za-zÄÖÜß@.-]{0,24}",
                "(AS)?[0-9]{1,11}",
            ],
            place in 0..ListType::ALL.len(),
        ) {
            let list_type = ListType::ALL[place];
            if let Some(value) = list_type.value(&text) {
                prop_assert!(value.len() <= VALUE_MAX_BYTES && !value.contains('\0'));
                prop_assert_eq!(list_type.value(&value), Some(value));
            }
        }
    }
}
