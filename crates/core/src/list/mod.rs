//! Lists of a team's own: values of one type, for which rules ask and by which a team says whom it trusts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::identity::Profile;
use crate::key::KeyHasher;
use crate::state::IdentityState;
use crate::time::Timestamp;

mod entries;
mod shown;
mod trusted;
mod value;

pub use entries::{Change, List};
pub use shown::shown;
pub use trusted::{Listed, Trusted, asn_of};
pub use value::{ListType, VALUE_MAX_BYTES};

/// The lists of one team. A clone shares what they hold.
#[derive(Clone, Debug)]
pub struct Lists {
    hasher: KeyHasher,
    by_slug: BTreeMap<String, Arc<List>>,
}

impl Lists {
    /// With no list in them. Values are hashed with the secret of the installation.
    pub const fn new(hasher: KeyHasher) -> Self {
        Self { hasher, by_slug: BTreeMap::new() }
    }

    /// Puts a list in the place of the one with this slug, if there is one.
    pub fn put(&mut self, slug: String, list: Arc<List>) {
        self.by_slug.insert(slug, list);
    }

    /// The list with this slug.
    pub fn get(&self, slug: &str) -> Option<&List> {
        self.by_slug.get(slug).map(Arc::as_ref)
    }

    /// Whether a value is on the list with this slug at the moment `now`, in whatever spelling of it. What cannot be a
    /// value of the list's type is on none, nor is anything on a list that does not exist. Of a list of domains it is
    /// asked with a domain or with a whole e-mail address, and what is under a domain is on the list with it; of a
    /// list of networks, with an address or a network within one.
    pub fn has(&self, list_slug: &str, value: &str, now: Timestamp) -> bool {
        self.get(list_slug).is_some_and(|list| list.find(&self.hasher, value, now).is_some())
    }

    /// What of an identity is on which list at the moment `now`, by the lists' slugs: an entry, as the list spells it, and
    /// what the identity shows that falls under it. Nothing of texts, which nobody shows by themselves.
    pub fn entries_of(
        &self,
        (id, state, profile): (&str, &IdentityState, &Profile),
        now: Timestamp,
    ) -> BTreeMap<&str, BTreeMap<String, Vec<String>>> {
        let mut found: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for (slug, list) in &self.by_slug {
            for value in shown(list.list_type, id, state, profile) {
                let Some(entry) = list.find(&self.hasher, &value, now) else { continue };
                found.entry(slug.as_str()).or_default().entry(entry).or_default().push(value);
            }
        }
        found
    }

    /// Whether there is a trusted list.
    pub fn has_trusted(&self) -> bool {
        self.by_slug.values().any(|list| list.trusted)
    }

    /// The entry of a trusted list of this type that a value falls under at the moment `now`; of several lists, the
    /// first by slug.
    pub fn trusted(&self, list_type: ListType, value: &str, now: Timestamp) -> Option<Listed> {
        let lists = self.by_slug.values().filter(|list| list.trusted && list.list_type == list_type);
        let found = lists.filter_map(|list| Some((list.find(&self.hasher, value, now)?, list.name.clone())));
        found.map(|(value, list)| Listed { value, list }).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn lists(list_type: ListType, values: &[(&str, Option<i64>)]) -> Lists {
        let hasher = KeyHasher::new([7; 16]);
        let mut list = List::new("Ours".to_owned(), list_type, false);
        let changes = values.iter().map(|(value, ends_in_ms)| Change {
            value: list_type.value(value).unwrap(),
            is_in: true,
            ends_at: ends_in_ms.map(|ms| NOW.plus_millis(ms)),
        });
        list.apply(&hasher, changes);
        let mut lists = Lists::new(hasher);
        lists.put("ours".to_owned(), Arc::new(list));
        lists
    }

    fn check(list_type: ListType, on_list: &str, asked: &[(&str, bool)]) {
        let lists = lists(list_type, &[(on_list, None)]);
        for (value, expected) in asked {
            assert_eq!(lists.has("ours", value, NOW), *expected, "{value} on a list with {on_list}");
        }
    }

    #[test]
    fn a_value_is_found_in_whatever_spelling() {
        check(
            ListType::Email,
            "Ada@Müller.example",
            &[
                ("ada@xn--mller-kva.example", true),
                (" ADA@MÜLLER.example ", true),
                ("ada@example.com", false),
            ],
        );
        check(
            ListType::Phone,
            "+49 (30) 123-4567",
            &[("0049 30 1234567", true), ("+49301234567", true), ("301234567", false)],
        );
        check(ListType::Text, " Straße  der\tEinheit ", &[("STRASSE der einheit", false)]);
        check(ListType::Text, " Weg  der\tEinheit ", &[("WEG DER EINHEIT", true), ("Weg", false)]);
        check(ListType::Country, "de", &[("DE", true), ("De ", true), ("FR", false), ("DEU", false)]);
        check(ListType::Asn, "as64496", &[("AS64496", true), ("64496", true), ("AS6449", false)]);
        check(ListType::Identity, "u-1", &[("u-1", true), ("U-1", false)]);
        check(ListType::Device, "AbC", &[("AbC", true), ("abc", false)]);
    }

    #[test]
    fn a_domain_stands_for_all_under_it_and_for_every_address_there() {
        check(
            ListType::EmailDomain,
            "@Partner.Example.",
            &[
                ("partner.example", true),
                ("ada@partner.example", true),
                ("ada@mail.eu.partner.example", true),
                ("ada@notpartner.example", false),
                ("ada@example", false),
                ("partner.example.evil.test", false),
                ("partner.example@evil.test", false),
                ("", false),
                ("@", false),
            ],
        );
    }

    #[test]
    fn a_network_has_every_address_in_it() {
        check(
            ListType::Network,
            "203.0.113.77/24",
            &[
                ("203.0.113.0", true),
                ("203.0.113.255", true),
                ("::ffff:203.0.113.9", true),
                ("203.0.113.128/25", true),
                ("203.0.112.0/23", false),
                ("203.0.114.0", false),
                ("2001:db8::1", false),
                ("203.0.113", false),
            ],
        );
        check(ListType::Network, "2001:db8:1::/48", &[("2001:db8:1:2::3", true), ("2001:db8:2::", false)]);
        check(ListType::Ip, "2001:DB8::0:1", &[("2001:db8::1", true), ("2001:db8::2", false)]);
    }

    #[test]
    fn an_entry_counts_until_its_end() {
        let lists = lists(ListType::Ip, &[("203.0.113.7", Some(1)), ("203.0.113.8", None)]);
        assert!(lists.has("ours", "203.0.113.7", NOW) && lists.has("ours", "203.0.113.8", NOW));
        let then = NOW.plus_millis(1);
        assert!(!lists.has("ours", "203.0.113.7", then) && lists.has("ours", "203.0.113.8", then));
        assert!(!lists.has("others", "203.0.113.8", NOW), "there is no such list");
    }
}
