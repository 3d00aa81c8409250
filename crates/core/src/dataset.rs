//! Datasets: shipped lists of values with a meaning, and what a team adds to them or takes away.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A list of domains of e-mail addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dataset {
    Disposable,
    Common,
    Relay,
    Reserved,
}

/// The domains of the `mailchecker` list, sorted: its own check goes through all 56,000 of them
/// one by one, a hundred times slower.
static DISPOSABLE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut domains = mailchecker::blacklist();
    domains.sort_unstable();
    domains
});
/// The list of the package email-providers, without throwaway services; made by
/// `scripts/detection/domains.py`.
static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../data/common.txt").lines().collect());
/// As Cargo.lock has it.
const DISPOSABLE_VERSION: &str = "6.0.21";

/// Services of Apple, Mozilla, DuckDuckGo, Proton, Fastmail and the like.
const RELAYS: [&str; 11] = [
    "addy.io",
    "aleeas.com",
    "duck.com",
    "mozmail.com",
    "passinbox.com",
    "passmail.net",
    "privaterelay.appleid.com",
    "relay.firefox.com",
    "simplelogin.com",
    "slmail.me",
    "users.noreply.github.com",
];

const RESERVED: [&str; 7] =
    ["example", "example.com", "example.net", "example.org", "invalid", "localhost", "test"];

impl Dataset {
    pub const ALL: [Self; 4] = [Self::Disposable, Self::Common, Self::Relay, Self::Reserved];

    /// Its name in URLs.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Disposable => "disposable-email-domains",
            Self::Common => "common-email-domains",
            Self::Relay => "relay-email-domains",
            Self::Reserved => "reserved-email-domains",
        }
    }

    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dataset| dataset.slug() == slug)
    }

    /// What stands in it, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Disposable => "Domains of throwaway mail services.",
            Self::Common => "Domains of common providers: none of them is taken for a throwaway service.",
            Self::Relay => {
                "Domains of services that hand a message on to a mailbox they do not show. They stand for a \
                 real account, and are not throwaway."
            }
            Self::Reserved => "Domains at which nobody receives mail.",
        }
    }

    /// Where the shipped part comes from.
    pub fn source(self) -> &'static str {
        match self {
            Self::Disposable => "the package mailchecker",
            Self::Common => "the package email-providers",
            Self::Relay => "kept by hand from the services' own documentation",
            Self::Reserved => "RFC 2606 and RFC 6761",
        }
    }

    /// The version of the shipped part: that of its package, or the day it was written.
    pub fn version(self) -> &'static str {
        match self {
            Self::Disposable => DISPOSABLE_VERSION,
            Self::Common => "2.26.0",
            Self::Relay | Self::Reserved => "2026-11-23",
        }
    }

    /// The shipped part, sorted.
    pub fn shipped(self) -> &'static [&'static str] {
        match self {
            Self::Disposable => &DISPOSABLE,
            Self::Common => &COMMON,
            Self::Relay => &RELAYS,
            Self::Reserved => &RESERVED,
        }
    }
}

/// A domain as datasets hold it; `None` for what is no domain.
pub fn domain(text: &str) -> Option<String> {
    const DOMAIN_MAX_BYTES: usize = 253;
    let text = text.trim().trim_start_matches('@').to_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|char| char.is_alphanumeric() || char == '-')
    };
    (text.len() <= DOMAIN_MAX_BYTES && text.split('.').all(is_label)).then_some(text)
}

/// The datasets as a team has them.
#[derive(Clone, Debug, Default)]
pub struct Datasets {
    /// What the team says of a value: whether it is in.
    own: HashMap<(Dataset, String), bool>,
}

impl Datasets {
    /// Adds a value, or, with `included` false, takes it away.
    pub fn insert(&mut self, dataset: Dataset, value: String, included: bool) {
        self.own.insert((dataset, value), included);
    }

    /// Whether a domain in lower case is in a dataset, or under one that is. What the team says of the
    /// nearest one wins.
    pub fn contain(&self, dataset: Dataset, domain: &str) -> bool {
        let parents = domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]);
        let said = std::iter::once(domain).chain(parents).find_map(|domain| {
            let own = if self.own.is_empty() { None } else { self.own.get(&(dataset, domain.to_owned())) };
            own.copied().or_else(|| dataset.shipped().binary_search(&domain).is_ok().then_some(true))
        });
        said.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_adds_to_what_is_shipped_and_takes_away() {
        let mut datasets = Datasets::default();
        datasets.insert(Dataset::Disposable, "bin.example.org".into(), true);
        datasets.insert(Dataset::Disposable, "mailinator.com".into(), false);
        datasets.insert(Dataset::Disposable, "bad.mailinator.com".into(), true);
        let cases = [
            ("bin.example.org", true),
            ("deep.bin.example.org", true),
            ("example.org", false),
            ("mailinator.com", false),
            ("sub.mailinator.com", false),
            ("sub.bad.mailinator.com", true),
            ("yopmail.com", true),
            ("gmail.com", false),
            ("", false),
        ];
        for (domain, expected) in cases {
            assert_eq!(datasets.contain(Dataset::Disposable, domain), expected, "{domain}");
        }
        assert!(Datasets::default().contain(Dataset::Disposable, "mailinator.com"));
        assert!(!datasets.contain(Dataset::Relay, "bin.example.org"));
    }

    #[test]
    fn what_is_shipped_is_sorted_and_made_of_domains() {
        for dataset in Dataset::ALL {
            assert!(dataset.shipped().is_sorted(), "{dataset:?}");
            for value in dataset.shipped() {
                assert_eq!(domain(value).as_deref(), Some(*value), "{dataset:?}");
            }
            assert_eq!(Dataset::parse(dataset.slug()), Some(dataset));
        }
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"mailchecker\"\nversion = \"{DISPOSABLE_VERSION}\"");
        assert!(lock.contains(&entry), "the version of mailchecker in Cargo.lock is another");
    }

    #[test]
    fn reads_domains() {
        let cases = [
            (" @Mail.Example.COM ", Some("mail.example.com")),
            ("müller.de", Some("müller.de")),
            ("", None),
            ("a..b", None),
            ("-a.b", None),
            ("a b.c", None),
        ];
        for (text, expected) in cases {
            assert_eq!(domain(text).as_deref(), expected, "{text:?}");
        }
    }
}
