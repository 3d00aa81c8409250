//! Finding identities by what they are not listed by: addresses on the network, phone numbers, postal addresses and
//! dates of birth. These are found by the keys that link identities, which the store has as keyed hashes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dregs_core::identity::Profile;
use dregs_core::link::{self, KeyHasher, KeyKind, LinkKey};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

use crate::ops::lists::spelling::{self, folded, readings};
use crate::ops::long_reads::LongReads;
use crate::ops::team::mappings::Directory;
use crate::store::links::{self, HashedKey};
use crate::store::{Result, StoreError, Tx, identities};

/// Holders of a key that are looked at.
const HOLDERS_MAX: i64 = 10_000;
/// Holders of a key by which different people are found, too, so that what each says of itself is read.
const COMPARED_MAX: i64 = 500;
/// Digits of the shortest phone number that is looked for.
const PHONE_DIGITS_MIN: usize = 9;

/// What an identity was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    Ip,
    Network,
    Phone,
    Address,
    DateOfBirth,
}

impl Detail {
    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ip => "IP",
            Self::Network => "NETWORK",
            Self::Phone => "PHONE",
            Self::Address => "ADDRESS",
            Self::DateOfBirth => "DATE_OF_BIRTH",
        }
    }
}

/// Row ids of the identities that have a detail which somebody has typed as a whole, and which detail it is.
///
/// # Errors
/// Those of the store.
pub async fn by_details(
    long_reads: &LongReads,
    mappings: &Directory,
    hasher: KeyHasher,
    team_id: i64,
    term: &str,
) -> Result<BTreeMap<i64, Detail>> {
    let sought: BTreeMap<_, _> = readings(term)
        .iter()
        .flat_map(|reading| {
            let typed = words(reading);
            sought(reading).into_iter().map(move |key| (key, typed.clone()))
        })
        .collect();
    if sought.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mappings = mappings.current();
    long_reads
        .read(move |tx| {
            let mut found = BTreeMap::new();
            for ((detail, key), typed) in sought {
                let hashed = HashedKey::new(&hasher, team_id, &key);
                let is_of_many = matches!(detail, Detail::Address | Detail::DateOfBirth);
                let limit = if is_of_many { COMPARED_MAX } else { HOLDERS_MAX };
                let mut ids = links::holders_after(tx, hashed, 0, limit)?;
                if is_of_many {
                    ids = said(tx, &ids, detail, &typed, |data| {
                        Profile::from_data(data, mappings.of(team_id))
                    })?;
                }
                for id in ids {
                    found.entry(id).or_insert(detail);
                }
            }
            Ok(found)
        })
        .await
}

/// Those of `ids` who say all of what was typed.
fn said(
    tx: &mut Tx,
    ids: &[i64],
    detail: Detail,
    typed: &[String],
    profile: impl Fn(&Map<String, Value>) -> Profile,
) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    for identity in identities::load(tx, ids)? {
        let data =
            serde_json::from_str(&identity.data).map_err(|error| StoreError::Broken(error.to_string()))?;
        let profile = profile(&data);
        let text = if detail == Detail::Address { profile.address } else { profile.date_of_birth };
        let own = words(&text.unwrap_or_default());
        if typed.iter().all(|word| own.contains(word)) {
            found.push(identity.row_id);
        }
    }
    Ok(found)
}

/// The words and numbers of a text, folded.
fn words(text: &str) -> Vec<String> {
    let folded = folded(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The keys by which what was typed may be found.
fn sought(term: &str) -> Vec<(Detail, LinkKey)> {
    let term = spelling::unquoted(term);
    let mut keys = Vec::new();
    let mut put = |detail, kind, value: Option<String>| {
        keys.extend(value.map(|value| (detail, LinkKey { kind, value })));
    };
    if let Some(ip) = spelling::ip(term) {
        put(Detail::Ip, KeyKind::Ip, link::ip_value(ip));
        return keys;
    }
    if let Some((ip, length)) = term.split_once('/')
        && let (Ok(ip), Ok(length)) = (ip.parse::<IpAddr>(), length.parse::<u8>())
    {
        // As networks and addresses are kept: no other lengths are.
        let is_address = length == if ip.is_ipv4() { 32 } else { 64 };
        put(Detail::Ip, KeyKind::Ip, link::ip_value(ip).filter(|_| is_address));
        let is_kept = length == if ip.is_ipv4() { 24 } else { 48 };
        put(Detail::Network, KeyKind::Network, link::network_value(ip).filter(|_| is_kept));
        return keys;
    }
    // An address may be stored as either.
    let (composed, apart): (String, String) = (term.nfc().collect(), term.nfd().collect());
    keys.extend(of_profile(&composed));
    keys.extend(of_profile(&apart).into_iter().filter(|_| apart != composed));
    keys
}

/// The keys of a phone number, a date of birth or a postal address.
fn of_profile(term: &str) -> Vec<(Detail, LinkKey)> {
    let digits = term.chars().filter(char::is_ascii_digit).count();
    let letters = term.chars().filter(|c| c.is_alphabetic()).count();
    let text = || Some(term.to_owned());
    let is_phone = letters == 0 && digits >= PHONE_DIGITS_MIN && !term.contains(['@', '_']);
    let is_date = letters == 0 && digits == 8 && term.contains(['-', '.', '/']);
    let profile = Profile {
        phone: text().filter(|_| is_phone),
        date_of_birth: text().filter(|_| is_date),
        address: text().filter(|_| letters > 0 && digits > 0 && term.contains(char::is_whitespace)),
        ..Profile::default()
    };
    let keys = link::profile_keys(&profile).filter_map(|key| {
        let detail = match key.kind {
            KeyKind::Phone => Detail::Phone,
            KeyKind::Home => Detail::Address,
            KeyKind::Birth => Detail::DateOfBirth,
            _ => return None,
        };
        Some((detail, key))
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_looked_for_as_what_it_is() {
        let kinds = |term| sought(term).into_iter().map(|(detail, _)| detail.name()).collect::<Vec<_>>();
        let cases: [(&str, &[&str]); 20] = [
            ("203.0.113.7", &["IP"]),
            (" 203.0.113.7 ", &["IP"]),
            ("2001:db8::1", &["IP"]),
            ("[2001:db8::1]", &["IP"]),
            ("10.0.0.1", &[]),
            ("203.0.113.0/24", &["NETWORK"]),
            ("203.0.113.0/16", &[]),
            ("+49 (0)30 1234567", &["PHONE"]),
            ("030/1234567", &["PHONE"]),
            ("12345", &[]),
            ("Byron Ada", &[]),
            ("Hauptstr. 5, 10115 Berlin", &["ADDRESS", "ADDRESS"]),
            ("1990-12-31", &["DATE_OF_BIRTH"]),
            ("user_123456789", &[]),
            ("203.0.113.7:443", &["IP"]),
            ("[2001:db8::1]:443", &["IP"]),
            ("(203.0.113.77),", &["IP"]),
            ("2001:db8:0:1::/64", &["IP"]),
            ("203.0.113.7/32", &["IP"]),
            ("Mu\u{308}llerweg 5", &["ADDRESS", "ADDRESS"]),
        ];
        for (term, expected) in cases {
            assert_eq!(kinds(term), expected, "{term}");
        }
    }

    #[test]
    fn a_phone_number_is_found_however_it_is_written() {
        let key = |term: &str| sought(term).into_iter().map(|(_, key)| key).next();
        assert!(key("+49 (0)30 1234567").is_some());
        assert_eq!(key("+49 (0)30 1234567"), key("0049-30-123 45 67"));
    }
}
