//! What another identity plainly is to this one: of its family, a colleague, or nobody in particular, who may be the
//! same person again.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use super::others::OtherIdentity;
use crate::dataset::{Datasets, is_disposable_like};
use crate::identity::Profile;
use crate::letters::is_random;
use crate::person::{
    self, EmailParts, Resemblance, folded_email, is_latin, mailbox, name_words, resemblance, without_umlauts,
};

/// What each of a family counts for, as a part of an account in the same hand. Anybody can make up a
/// name, so that it is never nothing; large families have so many more.
const FAMILY: f64 = 0.2;
/// What each colleague counts for: who owns a domain can make as many mailboxes as they like, and so does an
/// office or a school.
const COLLEAGUE: f64 = 0.2;
/// Shorter words are in any mailbox name.
const WORD_MIN_LETTERS: usize = 3;

/// Tags that people put behind their mailbox name for their own order.
const USUAL_TAGS: [&str; 24] = [
    "alt", "app", "backup", "bonus", "code", "deal", "deals", "demo", "dev", "free", "fun", "game", "games",
    "junk", "main", "new", "news", "promo", "second", "shop", "shopping", "spam", "test", "trial",
];

/// What another identity plainly is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They share a family name, or a mailbox in which each has a tag, and have different given names.
    Family,
    /// They have mailboxes of their own at one domain at which nobody else gets one.
    Colleague,
    /// Nothing says that it is somebody else.
    Unknown,
}

impl Relation {
    /// What such another account counts for, as a part of one in the same hand.
    pub fn part(self) -> f64 {
        match self {
            Self::Family => FAMILY,
            Self::Colleague => COLLEAGUE,
            Self::Unknown => 1.0,
        }
    }
}

/// What is compared of the identity itself, and what others are to it, once found: several analyzers ask.
#[derive(Clone, Debug)]
pub struct Own<'s> {
    datasets: &'s Datasets,
    name: Option<&'s str>,
    email: Option<String>,
    words: OnceCell<Vec<String>>,
    /// What it has registered, of its address's domain.
    registered: OnceCell<String>,
    /// Whether its mailbox is plainly somebody's, at a domain of its own. Dear, and rarely asked for.
    has_own_domain: OnceCell<bool>,
    /// Its [`name_words`] in order of the alphabet.
    sorted_words: OnceCell<Vec<String>>,
    /// By the other's id.
    relations: RefCell<HashMap<String, Relation>>,
}

impl<'s> Own<'s> {
    pub fn new(datasets: &'s Datasets, profile: &'s Profile) -> Self {
        Self {
            datasets,
            name: profile.name.as_deref(),
            email: profile.email.as_deref().map(folded_email),
            words: OnceCell::new(),
            registered: OnceCell::new(),
            has_own_domain: OnceCell::new(),
            sorted_words: OnceCell::new(),
            relations: RefCell::default(),
        }
    }

    /// What another identity plainly is to this one.
    pub fn relation(&self, other: &OtherIdentity) -> Relation {
        if other.id.is_empty() {
            return self.found_relation(other);
        }
        let known = self.relations.borrow().get(&other.id).copied();
        known.unwrap_or_else(|| {
            let relation = self.found_relation(other);
            self.relations.borrow_mut().insert(other.id.clone(), relation);
            relation
        })
    }

    fn found_relation(&self, other: &OtherIdentity) -> Relation {
        let is_family = || match (self.name, other.name.as_deref()) {
            (Some(own), Some(other)) => {
                let own = self.words.get_or_init(|| person::latin_words(own));
                person::is_family(own, &person::latin_words(other))
            }
            _ => false,
        };
        if self.is_colleague(other) {
            Relation::Colleague
        } else if self.is_tagged_alike(other) || is_family() {
            Relation::Family
        } else {
            Relation::Unknown
        }
    }

    fn is_colleague(&self, other: &OtherIdentity) -> bool {
        let (Some(own), Some(email)) = (&self.email, &other.email) else { return false };
        let Some(own) = EmailParts::of(own) else { return false };
        let registered = self.registered.get_or_init(|| own.registered().to_owned());
        // Most have their mailboxes elsewhere, and need no closer look.
        let folded = folded_unless_ascii(email);
        let email = folded.trim();
        let end = email.get(email.len().saturating_sub(registered.len())..);
        if !end.is_some_and(|end| end.eq_ignore_ascii_case(registered)) {
            return false;
        }
        let email = email.to_lowercase();
        let Some(parts) = EmailParts::of(&email) else { return false };
        let is_own = |own: EmailParts| {
            own.is_own_domain(self.datasets)
                && is_disposable_like(own.domain) != Some(true)
                && is_somebodys(&own, self.name)
        };
        parts.registered() == registered
            && *self.has_own_domain.get_or_init(|| is_own(own))
            && parts.letters() != own.letters()
            && is_somebodys(&parts, other.name.as_deref())
            && !self.has_the_name_of(other)
    }

    /// Whether both have one mailbox, and each that has a tag has its own name there.
    pub fn is_tagged_alike(&self, other: &OtherIdentity) -> bool {
        let (Some(own), Some(email)) = (&self.email, &other.email) else { return false };
        if !own.contains('+') && !email.contains('+') {
            return false;
        }
        let others = folded_email(email);
        if mailbox(own) != mailbox(&others) || *own == others || self.has_the_name_of(other) {
            return false;
        }
        let tag = |email: &str| EmailParts::of(email).and_then(|parts| parts.tag.map(str::to_owned));
        let is_named =
            |tag: &Option<String>, name: Option<&str>| tag.as_ref().is_none_or(|tag| is_name(tag, name));
        let (own_tag, tag) = (tag(own), tag(&others));
        own_tag != tag && is_named(&own_tag, self.name) && is_named(&tag, other.name.as_deref())
    }

    fn has_the_name_of(&self, other: &OtherIdentity) -> bool {
        let sorted = |name: &str| {
            let mut words = name_words(name);
            words.sort_unstable();
            words
        };
        match (self.name, &other.name) {
            (Some(own), Some(other)) => *self.sorted_words.get_or_init(|| sorted(own)) == sorted(other),
            _ => false,
        }
    }

    /// Whether another may be this person again, by name or mailbox.
    pub fn resembles(&self, other: &OtherIdentity) -> bool {
        let mailboxes = self.email.as_deref().zip(other.email.as_deref());
        let alike = mailboxes.and_then(|(own, other)| resemblance(own, other));
        alike.is_some_and(|alike| alike <= Resemblance::Variant && !self.is_tagged_alike(other))
            || self.has_the_name_of(other)
    }
}

/// An address with its domain as the domain name system spells it.
fn folded_unless_ascii(email: &str) -> Cow<'_, str> {
    if email.is_ascii() { Cow::Borrowed(email) } else { Cow::Owned(folded_email(email)) }
}

/// Whether a mailbox is plainly one person's or one role's: it bears the name, or its initials, and where none
/// is given, or one in other letters than an address has, it is no row of letters.
fn is_somebodys(parts: &EmailParts, name: Option<&str>) -> bool {
    let Some(name) = name.filter(|name| is_latin(name)) else { return !is_random(parts.mailbox) };
    if parts.is_role() {
        return true;
    }
    let words = person::latin_words(name);
    let words: Vec<_> = words.iter().map(|word| without_umlauts(word)).collect();
    let letters = parts.letters();
    let letters = without_umlauts(&letters);
    let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
    words.iter().any(|word| word.len() >= WORD_MIN_LETTERS && letters.contains(word.as_ref()))
        || [initials, words.concat(), words.iter().rev().map(AsRef::as_ref).collect()]
            .contains(&letters.into_owned())
}

/// Whether a tag is the name of who has it; where no name is given, whether it may be one.
fn is_name(tag: &str, name: Option<&str>) -> bool {
    let is_word = tag.chars().all(char::is_alphabetic);
    match name.filter(|name| is_latin(name)) {
        Some(name) => {
            person::latin_words(name).iter().any(|word| word == tag || is_word && word.starts_with(tag))
        }
        None => {
            is_word
                && tag.chars().count() >= WORD_MIN_LETTERS
                && !USUAL_TAGS.contains(&tag)
                && !is_random(tag)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(one: (&str, &str), other: (&str, &str)) -> Relation {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let profile = Profile { name: given(one.0), email: given(one.1), ..Profile::default() };
        let (name, email) = (given(other.0), given(other.1));
        let other = OtherIdentity { name, email, ..OtherIdentity::default() };
        Own::new(&Datasets::default(), &profile).relation(&other)
    }

    #[test]
    fn colleagues_are_known_in_both_spellings_of_a_domain() {
        let anna = ("Anna Keller", "anna.keller@bau-müller.de");
        for domain in ["bau-müller.de", "xn--bau-mller-u9a.de", "BAU-MÜLLER.de"] {
            let ben = format!("ben.weber@{domain}");
            assert_eq!(relation(anna, ("Ben Weber", &ben)), Relation::Colleague, "{domain}");
            assert_eq!(relation(("Ben Weber", &ben), anna), Relation::Colleague, "{domain}");
        }
    }

    #[test]
    fn colleagues_are_known_in_every_language() {
        let anna = ("Anna Keller", "anna.keller@keller-bau.de");
        let colleagues = [
            ("Jürgen Müller", "juergen.mueller@keller-bau.de"),
            ("Jürgen Müller", "j.muller@keller-bau.de"),
            ("Li Yu", "li.yu@keller-bau.de"),
            ("Li Yu", "yuli@keller-bau.de"),
            ("Bo Ek", "be@keller-bau.de"),
            ("松田 直人", "n.matsuda@keller-bau.de"),
            ("김경희", "kyunghee@keller-bau.de"),
            ("Юлия Щербакова", "julia@keller-bau.de"),
            ("Γιώργος Παπαδόπουλος", "george@keller-bau.de"),
            ("محمد العلي", "mohammed@keller-bau.de"),
            ("Nguyễn Thị Hoa", "hoa.nguyen@keller-bau.de"),
            ("", "sales@keller-bau.de"),
        ];
        for other in colleagues {
            assert_eq!(relation(anna, other), Relation::Colleague, "{other:?}");
            assert_eq!(relation(other, anna), Relation::Colleague, "{other:?}");
        }
        let unknown = [
            ("Ben Novak", "winner7@keller-bau.de"),
            ("松田 直人", "xkqzvwpt@keller-bau.de"),
            ("松田 直人", "matsuda@gmail.com"),
            ("Anna Keller", "a.keller@keller-bau.de"),
        ];
        for other in unknown {
            assert_eq!(relation(anna, other), Relation::Unknown, "{other:?}");
        }
    }

    #[test]
    fn a_child_has_a_tag_in_whatever_letters_its_name_is() {
        let parent = ("松田 直人", "matsuda@gmail.com");
        assert_eq!(relation(parent, ("松田 さくら", "matsuda+sakura@gmail.com")), Relation::Family);
        assert_eq!(relation(parent, ("高橋 健", "matsuda+promo@gmail.com")), Relation::Unknown);
    }
}
