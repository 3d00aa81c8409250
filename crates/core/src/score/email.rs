//! Authenticity: whether its e-mail address is one that a person reads.

use super::{Analyzer, Category, Finding};
use crate::dataset::{self, Dataset, Datasets};
use crate::snapshot::Snapshot;

mod domain;
mod look_alike;

pub use domain::is_throwaway_like;

/// A little more than usual: nearly everybody gives an address, and a throwaway one is a choice.
const WEIGHT: f64 = 1.2;

/// RFC 5321, 4.5.3.1: octets of a mailbox name, and of a whole address in a path.
const MAILBOX_MAX_BYTES: usize = 64;
const ADDRESS_MAX_BYTES: usize = 254;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "authenticity.email",
    label: "E-mail address",
    category: Category::Authenticity,
    weight: WEIGHT,
    observe,
};

/// Mailbox names typed to get past a form.
const PLACEHOLDERS: [&str; 15] = [
    "test", "tests", "testing", "tester", "asdf", "asdfasdf", "qwerty", "qwertz", "abc", "foo", "foobar",
    "none", "noone", "fake", "nobody",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Invalid,
    Nowhere,
    Disposable,
    Placeholder,
    Random,
    LookAlike,
    ThrowawayLike,
    Punycode,
    Tagged,
    Reserved,
    Relay,
    Ordinary,
}

impl Kind {
    fn of(address: &str, datasets: &Datasets) -> Self {
        let Some((mailbox, domain)) = address.rsplit_once('@') else { return Self::Invalid };
        if address.len() > ADDRESS_MAX_BYTES
            || !is_mailbox(mailbox)
            || !domain.contains('.')
            || dataset::domain(domain).is_none()
        {
            return Self::Invalid;
        }
        let (mailbox, domain) = (mailbox.to_lowercase(), domain.to_lowercase());
        if datasets.contain(Dataset::Reserved, &domain) {
            return Self::Reserved;
        }
        if datasets.contain(Dataset::Relay, &domain) {
            return Self::Relay;
        }
        let suffix = psl::suffix(domain.as_bytes());
        if !suffix.is_some_and(|suffix| suffix.is_known()) || psl::domain_str(&domain).is_none() {
            return Self::Nowhere;
        }
        let is_common = datasets.contain(Dataset::Common, &domain);
        if datasets.contain(Dataset::Disposable, &domain) && !is_common {
            return Self::Disposable;
        }
        let (mailbox, tag) =
            mailbox.split_once('+').map_or((&*mailbox, None), |(before, tag)| (before, Some(tag)));
        match mailbox {
            _ if PLACEHOLDERS.contains(&mailbox.trim_end_matches(|char: char| char.is_ascii_digit())) => {
                Self::Placeholder
            }
            _ if is_random(mailbox) => Self::Random,
            _ if !is_common && look_alike::imitated(&domain).is_some() => Self::LookAlike,
            _ if !is_common && is_throwaway_like(&domain) == Some(true) => Self::ThrowawayLike,
            _ if domain.split('.').any(|label| label.starts_with("xn--")) => Self::Punycode,
            _ if tag.is_some() => Self::Tagged,
            _ => Self::Ordinary,
        }
    }

    /// Value, confidence and words.
    fn meaning(self) -> (f64, f64, &'static str) {
        match self {
            Self::Invalid => (0.1, 0.8, "is not a valid e-mail address"),
            Self::Nowhere => (0.15, 0.7, "is under a domain that cannot exist"),
            Self::Disposable => (0.04, 0.95, "is that of a throwaway mail service"),
            Self::Placeholder => (0.2, 0.7, "looks typed only to get past a form"),
            Self::Random => (0.25, 0.6, "looks like random letters and digits"),
            Self::ThrowawayLike => (
                0.3,
                0.4,
                "is under a domain that resembles those of throwaway mail services, as 5 in 100 others do",
            ),
            Self::LookAlike => (
                0.25,
                0.6,
                "is under a domain that looks like that of a large provider and is not; it may be a slip of the hand",
            ),
            Self::Punycode => (0.45, 0.4, "is under a domain in letters that can be taken for others"),
            Self::Tagged => {
                (0.6, 0.5, "has a tag after a +, of which its owner can make as many as they like")
            }
            Self::Reserved => (0.3, 0.6, "is reserved for documentation and tests; no mail arrives there"),
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
    // The domain says why, and the address itself stays out of what is logged and sent on.
    let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
    let subject = match &domain {
        Some(domain) => format!("Its e-mail address at {domain}"),
        None => "Its e-mail address".to_owned(),
    };
    let finding = Finding::new(value, confidence * freshness, format!("{subject} {words}."));
    Some(match domain {
        Some(domain) => finding.with("domain", domain),
        None => finding,
    })
}

fn is_mailbox(mailbox: &str) -> bool {
    let is_dotted_well = !mailbox.starts_with('.') && !mailbox.ends_with('.') && !mailbox.contains("..");
    // Letters of any script: RFC 6531.
    let is_allowed = |char: char| char.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(char);
    (1..=MAILBOX_MAX_BYTES).contains(&mailbox.len()) && is_dotted_well && mailbox.chars().all(is_allowed)
}

/// Whether a mailbox name looks generated: letters and digits in turn, many consonants in a row,
/// or hardly a vowel. Names that are hard to speak (`jrschmidt`, `krzysztof`) stay below.
pub(super) fn is_random(mailbox: &str) -> bool {
    const LETTERS_MIN: usize = 8;
    const CONSONANTS_IN_A_ROW: usize = 7;
    const TURNS_MIN: usize = 4;
    const VOWELS_MIN_SHARE: f64 = 0.1;
    if !mailbox.is_ascii() {
        return false;
    }
    let is_vowel = |char: char| "aeiouy".contains(char);
    let (mut letters, mut vowels, mut row, mut longest_row, mut turns) = (0, 0, 0, 0, 0);
    let mut previous = ' ';
    for char in mailbox.chars() {
        let is_turn = char.is_ascii_digit() && previous.is_ascii_alphabetic()
            || char.is_ascii_alphabetic() && previous.is_ascii_digit();
        turns += usize::from(is_turn);
        row = if char.is_ascii_alphabetic() && !is_vowel(char) { row + 1 } else { 0 };
        longest_row = longest_row.max(row);
        letters += usize::from(char.is_ascii_alphabetic());
        vowels += usize::from(is_vowel(char));
        previous = char;
    }
    let is_voiceless = letters >= LETTERS_MIN && (vowels as f64) < letters as f64 * VOWELS_MIN_SHARE;
    turns >= TURNS_MIN || longest_row >= CONSONANTS_IN_A_ROW || is_voiceless
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn tells_addresses_apart() {
        let cases = [
            ("ada.lovelace@gmail.com", Kind::Ordinary),
            ("ada+shop@lovelace.co.uk", Kind::Tagged),
            ("ada@outlo0k.com", Kind::LookAlike),
            ("ada@xn--mller-kva.de", Kind::Punycode),
            ("jrschmidt@web.de", Kind::Ordinary),
            ("krzysztof.brzeczyszczykiewicz@wp.pl", Kind::Ordinary),
            ("j.smith1984@outlook.com", Kind::Ordinary),
            ("müller@posteo.de", Kind::Ordinary),
            ("x@mailinator.com", Kind::Disposable),
            ("ada@sub.mailinator.com", Kind::Disposable),
            ("ADA@MAILINATOR.COM", Kind::Disposable),
            ("abc123@privaterelay.appleid.com", Kind::Relay),
            ("x7f3k2@mozmail.com", Kind::Relay),
            ("ada@duck.com", Kind::Relay),
            ("ada@example.com", Kind::Reserved),
            ("ada@shop.test", Kind::Reserved),
            ("ada@gmail.comm", Kind::Nowhere),
            ("ada@co.uk", Kind::Nowhere),
            ("ada@tempmail-drop7.xyz", Kind::ThrowawayLike),
            ("ada@tom.com", Kind::Ordinary),
            ("test@gmail.com", Kind::Placeholder),
            ("asdf123@gmail.com", Kind::Placeholder),
            ("x7k2q9z4m@gmail.com", Kind::Random),
            ("bcdfghjklm@gmail.com", Kind::Random),
            ("ada", Kind::Invalid),
            ("ada@localhost", Kind::Invalid),
            ("a b@gmail.com", Kind::Invalid),
            ("a@b@gmail.com", Kind::Invalid),
            (".ada@gmail.com", Kind::Invalid),
            ("ada@gmail..com", Kind::Invalid),
            ("@gmail.com", Kind::Invalid),
        ];
        for (address, kind) in cases {
            assert_eq!(Kind::of(address, &Datasets::default()), kind, "{address}");
        }
        assert_eq!(Kind::of(&format!("{}@gmail.com", "a".repeat(65)), &Datasets::default()), Kind::Invalid);
    }

    #[test]
    fn abstains_without_an_address_and_never_shows_it_whole() {
        assert_eq!(Identity::default().observe(ANALYZER), None);
        let profile = Profile { email: Some("ada@Mailinator.com".to_owned()), ..Profile::default() };
        let finding = Identity { profile, ..Identity::default() }.observe(ANALYZER);
        let words = "Its e-mail address at mailinator.com is that of a throwaway mail service.";
        assert_eq!(said(finding), Some((0.04, words.to_owned())));
    }
}
