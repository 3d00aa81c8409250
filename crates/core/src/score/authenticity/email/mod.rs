//! Authenticity: whether its e-mail address is one that a person reads.
//!
//! Limits: knows the domain and the looks of the mailbox, and does not ask whether it exists or is read; a new
//! disposable domain that looks like any other passes.

use std::net::IpAddr;

use crate::dataset::{self, Dataset, Datasets, is_disposable_like};
use crate::letters::is_random;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::snapshot::Snapshot;

mod look_alike;

/// A little more than usual: nearly everybody gives an address, and a disposable one is a choice.
const WEIGHT: f64 = 1.2;

/// RFC 5321, 4.5.3.1: octets of a mailbox name, and of a whole address in a path.
const MAILBOX_MAX_BYTES: usize = 64;
const ADDRESS_MAX_BYTES: usize = 254;

pub const ANALYZER: Analyzer = Analyzer {
    id: "authenticity.email",
    label: "E-mail address",
    category: Category::Authenticity,
    weight: WEIGHT,
    observe,
};

/// Mailbox names typed to get past a form.
const PLACEHOLDERS: [&str; 12] = [
    "test", "tests", "testing", "asdf", "asdfasdf", "qwerty", "qwertz", "abc", "foobar", "none", "noone",
    "nobody",
];
/// Providers of Japanese telephones, which have given out mailbox names with dots at the end and side by side.
const LAX: [&str; 9] = [
    "au.com",
    "disney.ne.jp",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "i.softbank.jp",
    "softbank.ne.jp",
    "vodafone.ne.jp",
    "willcom.com",
    "ymobile.ne.jp",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Invalid,
    Nowhere,
    Disposable,
    Placeholder,
    Random,
    LookAlike,
    DisposableLike,
    Unusual,
    Tagged,
    Reserved,
    Relay,
    Ordinary,
}

impl Kind {
    fn of(address: &str, datasets: &Datasets) -> Self {
        let Some((mailbox, domain)) = address.rsplit_once('@') else { return Self::Invalid };
        if is_network_address(domain) && spelling(mailbox, datasets, "").is_some() {
            return Self::Unusual;
        }
        let Some(domain) = dataset::ascii_domain(domain) else { return Self::Invalid };
        let Some(spelling) = spelling(mailbox, datasets, &domain) else { return Self::Invalid };
        if address.len() > ADDRESS_MAX_BYTES {
            return Self::Invalid;
        }
        if datasets.contain(Dataset::Reserved, &domain) {
            return if domain.contains('.') { Self::Reserved } else { Self::Invalid };
        }
        if datasets.contain(Dataset::Relay, &domain) {
            return Self::Relay;
        }
        let (unicode, _) = idna::domain_to_unicode(&domain);
        if !is_known_top(&domain) && !is_known_top(&unicode) {
            return if domain.contains('.') { Self::Nowhere } else { Self::Invalid };
        }
        let is_common = datasets.contain(Dataset::Common, &domain);
        // First, since disposable services hold such domains, and people slip.
        let is_look_alike = !is_common && look_alike::imitated(&domain, &unicode).is_some();
        let is_ordinary = is_common || is_look_alike;
        // What the team says itself stands above all lists.
        if datasets.is_own(Dataset::Disposable, &domain)
            || datasets.contain(Dataset::Disposable, &domain) && !is_ordinary
        {
            return Self::Disposable;
        }
        let mailbox = mailbox.to_lowercase();
        let (mailbox, tag) =
            mailbox.split_once('+').map_or((&*mailbox, None), |(before, tag)| (before, Some(tag)));
        match mailbox {
            _ if PLACEHOLDERS.contains(&mailbox.trim_end_matches(|char: char| char.is_ascii_digit())) => {
                Self::Placeholder
            }
            _ if is_random(mailbox) => Self::Random,
            _ if is_look_alike => Self::LookAlike,
            _ if !is_common && is_disposable_like(&domain) == Some(true) => Self::DisposableLike,
            _ if spelling == Spelling::Unusual || !domain.contains('.') => Self::Unusual,
            _ if tag.is_some() => Self::Tagged,
            _ => Self::Ordinary,
        }
    }

    /// Value, confidence and words.
    fn meaning(self) -> (f64, f64, &'static str) {
        match self {
            Self::Invalid => (0.1, 0.8, "is not a valid e-mail address"),
            Self::Nowhere => (0.15, 0.7, "is under a top-level domain that does not exist"),
            Self::Disposable => (0.04, 0.95, "is that of a disposable e-mail service"),
            Self::Placeholder => (0.2, 0.7, "looks typed only to get past a form"),
            Self::Random => (0.25, 0.6, "looks like random letters and digits"),
            Self::DisposableLike => (
                0.1,
                0.7,
                "is under a domain that resembles those of disposable e-mail services, as at most 1 in 250 others do",
            ),
            Self::LookAlike => (
                0.25,
                0.6,
                "is under a domain that looks like that of a large provider and is not; it may be a slip of the hand",
            ),
            Self::Unusual => (0.5, 0.5, "is written as few are, and can receive e-mail all the same"),
            Self::Tagged => {
                (0.6, 0.5, "has a tag after a +, of which its owner can make as many as they like")
            }
            Self::Reserved => (
                0.3,
                0.6,
                "is under a domain for private networks, documentation or tests; no e-mail from outside arrives there",
            ),
            Self::Relay => (0.6, 0.5, "hides the mailbox behind a relay that stands for a real account"),
            Self::Ordinary => (0.75, 0.7, "looks like one that a person reads"),
        }
    }
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let address = snapshot.profile.email.as_deref()?;
    let kind = Kind::of(address, snapshot.datasets);
    let (value, confidence, words) = kind.meaning();
    let freshness = if kind == Kind::Disposable { Dataset::Disposable.freshness(snapshot.now) } else { 1.0 };
    // The domain says why, and the address itself stays out of what is logged and sent on. What is no address has none.
    let domain = address.rsplit_once('@').filter(|_| kind != Kind::Invalid);
    let domain = domain.map(|(_, domain)| domain.to_lowercase());
    let subject = match &domain {
        Some(domain) => format!("The e-mail address at {domain}"),
        None => "The e-mail address".to_owned(),
    };
    let finding = Finding::new(value, confidence * freshness, format!("{subject} {words}."));
    Some(match domain {
        Some(domain) => finding.with("domain", domain),
        None => finding,
    })
}

/// Whether a domain is one of the top level, or below one that exists.
fn is_known_top(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Whether what stands for a domain is the address of a server (RFC 5321, 4.1.3).
fn is_network_address(domain: &str) -> bool {
    let literal = domain.strip_prefix('[').and_then(|literal| literal.strip_suffix(']'));
    literal.is_some_and(|literal| literal.trim_start_matches("IPv6:").parse::<IpAddr>().is_ok())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Plain,
    /// Between quotation marks, or dotted as RFC 5321 does not allow and some servers do.
    Unusual,
}

/// How a mailbox name is written; `None` where no mail can arrive.
fn spelling(mailbox: &str, datasets: &Datasets, domain: &str) -> Option<Spelling> {
    if !(1..=MAILBOX_MAX_BYTES).contains(&mailbox.len()) {
        return None;
    }
    if let Some(quoted) = mailbox.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return is_quoted_well(quoted).then_some(Spelling::Unusual);
    }
    // Letters of any script: RFC 6531.
    let is_allowed = |char: char| match char {
        _ if char.is_ascii() => char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(char),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        _ => !char.is_whitespace() && !char.is_control(),
    };
    if !mailbox.chars().all(is_allowed) || mailbox.starts_with('.') {
        return None;
    }
    if !mailbox.ends_with('.') && !mailbox.contains("..") {
        return Some(Spelling::Plain);
    }
    let is_lax = LAX
        .iter()
        .any(|lax| domain.strip_suffix(lax).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    (is_lax || !datasets.contain(Dataset::Common, domain)).then_some(Spelling::Unusual)
}

/// Whether what stands between quotation marks may (RFC 5321, 4.1.2): others only after a backslash.
fn is_quoted_well(quoted: &str) -> bool {
    let mut is_escaped = false;
    let is_well = !quoted.trim().is_empty()
        && quoted.chars().all(|char| {
            let is_allowed = !char.is_control() && (is_escaped || char != '"');
            is_escaped = !is_escaped && char == '\\';
            is_allowed
        });
    is_well && !is_escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    fn check(cases: &[(&str, Kind)]) {
        for (address, kind) in cases {
            assert_eq!(Kind::of(address, &Datasets::default()), *kind, "{address}");
        }
    }

    #[test]
    fn tells_addresses_apart() {
        check(&[
            ("ada.lovelace@gmail.com", Kind::Ordinary),
            ("ada+shop@lovelace.co.uk", Kind::Tagged),
            ("ada@outlo0k.com", Kind::LookAlike),
            ("jrschmidt@web.de", Kind::Ordinary),
            ("krzysztof.brzeczyszczykiewicz@wp.pl", Kind::Ordinary),
            ("j.smith1984@outlook.com", Kind::Ordinary),
            ("x@mailinator.com", Kind::Disposable),
            ("ada@sub.mailinator.com", Kind::Disposable),
            ("ADA@MAILINATOR.COM", Kind::Disposable),
            ("ada@mail4.uk", Kind::Disposable),
            ("ada@pe.hu", Kind::Disposable),
            ("ada@zarkbin.store", Kind::Disposable),
            ("ada@feedspot.com", Kind::Ordinary),
            ("abc123@privaterelay.appleid.com", Kind::Relay),
            ("x7f3k2@mozmail.com", Kind::Relay),
            ("x@simplelogin.co", Kind::Relay),
            ("x@anonaddy.com", Kind::Relay),
            ("x@ada.anonaddy.me", Kind::Relay),
            ("ada@duck.com", Kind::Relay),
            ("ada@example.com", Kind::Reserved),
            ("ada@shop.test", Kind::Reserved),
            ("ada@office.local", Kind::Reserved),
            ("ada@tempmail-drop7.xyz", Kind::DisposableLike),
            ("test@gmail.com", Kind::Placeholder),
            ("asdf123@gmail.com", Kind::Placeholder),
            ("x7k2q9z4m@gmail.com", Kind::Random),
            ("bcdfghjklm@gmail.com", Kind::Random),
        ]);
    }

    #[test]
    fn what_is_below_a_top_level_domain_that_exists_exists() {
        let suffixes = [
            "nic.in",
            "gov.in",
            "co.uk",
            "ac.uk",
            "github.io",
            "blogspot.com",
            "kawasaki.jp",
            "com.au",
            "xn--e1afmkfd.xn--p1ai",
            "пример.рф",
            "例子.中国",
            "xn--fsqu00a.xn--fiqs8s",
            "भारत.भारत",
            "firma.museum",
            "a.bcn.cat",
        ];
        for domain in suffixes {
            check(&[(&format!("priya@{domain}"), Kind::Ordinary)]);
        }
        check(&[
            ("ada@gmail.comm", Kind::Nowhere),
            ("ada@hotmail.con", Kind::Nowhere),
            ("ada@firm.xn--zzzz9", Kind::Nowhere),
            ("n@ai", Kind::Unusual),
        ]);
    }

    #[test]
    fn all_names_of_a_provider_are_the_providers() {
        let names = "tuta.com tutamail.com keemail.me fastmail.com nospammail.net 123mail.org sent.com hush.ai mac.hush.com \
                     pochtamt.ru mail333.com krovatka.su mail15.com mail.by sibmail.com mtu-net.ru cock.li firemail.cc \
                     waifu.club royal.net aikq.de gaggle.net vfemail.net spamarrest.com gawab.com runbox.no zohomail.in";
        for domain in names.split_whitespace() {
            check(&[(&format!("jean@{domain}"), Kind::Ordinary)]);
        }
        let relays = "burnermail.io sneakemail.com spamex.com spamgourmet.com improvmx.com pxdmail.com manyme.com \
                      e4ward.com ada.e4ward.com msgsafe.io";
        for domain in relays.split_whitespace() {
            check(&[(&format!("jean@{domain}"), Kind::Relay)]);
        }
        for domain in "trashmail.com maildrop.cc mailnesia.com dispostable.com jetable.org".split_whitespace()
        {
            check(&[(&format!("jean@{domain}"), Kind::Disposable)]);
        }
    }

    #[test]
    fn domains_of_large_providers_imitate_none() {
        let domains = "ymail.com rocketmail.com yahoo.co.in yahoo.com.ph yahoo.co.jp hotmail.de hotmail.it live.nl live.de \
                       outlook.jp outlook.fr gmx.at gmx.ch gmx.fr googlemail.com me.com mac.com aim.com email.com mail.com \
                       usa.com consultant.com qq.com 163.com 126.com yeah.net list.ru bk.ru inbox.ru mail.ru ukr.net \
                       laposte.net orange.fr t-online.de seznam.cz wp.pl o2.pl interia.pl docomo.ne.jp ezweb.ne.jp \
                       softbank.ne.jp msn.com pm.me protonmail.ch proton.me fastmail.fm yandex.ru ya.ru tom.com cloud.com \
                       pcloud.com jive.com hush.com naver.com hanmail.net web.de";
        for domain in domains.split_whitespace() {
            check(&[(&format!("jean@{domain}"), Kind::Ordinary)]);
        }
        check(&[
            ("jean@gmial.com", Kind::LookAlike),
            ("jean@hotmal.com", Kind::LookAlike),
            ("jean@yаhoo.com", Kind::LookAlike),
            ("jean@xn--yhoo-53d.com", Kind::LookAlike),
            ("jean@gmàil.com", Kind::LookAlike),
        ]);
    }

    #[test]
    fn both_spellings_of_a_domain_mean_the_same() {
        for (one, other) in [
            ("ada@müller.de", "ada@xn--mller-kva.de"),
            ("ada@MÜLLER.de", "ada@XN--MLLER-KVA.DE"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@почта.рф", "ada@xn--80a1acny.xn--p1ai"),
        ] {
            let of = |address| Kind::of(address, &Datasets::default());
            assert_eq!(of(one), of(other), "{one}");
        }
        check(&[("müller@posteo.de", Kind::Ordinary), ("ada@müller.de", Kind::Ordinary)]);
    }

    #[test]
    fn addresses_that_work_are_valid() {
        check(&[
            ("\"ada lovelace\"@gmail.com", Kind::Unusual),
            ("\"ada@home\"@lovelace.org", Kind::Unusual),
            ("ada.@docomo.ne.jp", Kind::Unusual),
            ("ada..b@ezweb.ne.jp", Kind::Unusual),
            ("ada...@t.vodafone.ne.jp", Kind::Unusual),
            ("ada..b@lovelace.org", Kind::Unusual),
            ("ada@[192.0.2.1]", Kind::Unusual),
            ("ada@[IPv6:2001:db8::1]", Kind::Unusual),
            ("o'neil/ada=x@lovelace.org", Kind::Ordinary),
            ("-ada_b-@lovelace.org", Kind::Ordinary),
            ("王小明@lovelace.org", Kind::Ordinary),
            ("अंकित@डाटामेल.भारत", Kind::Ordinary),
            ("ada", Kind::Invalid),
            ("ada@localhost", Kind::Invalid),
            ("ada@intranet", Kind::Invalid),
            ("a b@gmail.com", Kind::Invalid),
            ("a@b@gmail.com", Kind::Invalid),
            (".ada@gmail.com", Kind::Invalid),
            ("ada..b@gmail.com", Kind::Invalid),
            ("ada@gmail..com", Kind::Invalid),
            ("ada@-gmail.com", Kind::Invalid),
            ("\"ada\"b\"@gmail.com", Kind::Invalid),
            ("\"ada\\\"@gmail.com", Kind::Invalid),
            ("ada@[192.0.2]", Kind::Invalid),
            ("@gmail.com", Kind::Invalid),
        ]);
        check(&[(&format!("{}@gmail.com", "a".repeat(65)), Kind::Invalid)]);
    }

    #[test]
    fn abstains_without_an_address_and_never_shows_it_whole() {
        assert_eq!(Identity::default().observe(ANALYZER), None);
        let profile = Profile { email: Some("ada@Mailinator.com".to_owned()), ..Profile::default() };
        let finding = Identity { profile, ..Identity::default() }.observe(ANALYZER);
        let words = "The e-mail address at mailinator.com is that of a disposable e-mail service.";
        assert_eq!(said(finding), Some((0.04, words.to_owned())));
    }
}
