//! Mailboxes: whose an e-mail address is, and what two of them have in common.

use std::sync::LazyLock;

use super::LOOKED_UP_MIN_LETTERS;
use crate::dataset::{Dataset, Datasets, ascii_domain};

/// Domains at which anybody gets a mailbox, beside those of [`Dataset::Common`]; made by
/// `scripts/detection/free_mail.py`.
static FREE: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../data/free.txt").lines().collect());
/// What organisations call their mailboxes (RFC 2142, and what is usual); kept by hand, sorted.
static ROLES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../data/roles.txt").lines().collect());

/// Given and family names that many have, in plain letters, sorted; made by `scripts/detection/names.py`.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../data/common-names.txt").lines().collect());

/// Providers with a domain in most countries.
const LARGE: [&str; 9] = ["aol", "gmx", "hotmail", "icloud", "live", "outlook", "proton", "yahoo", "yandex"];
/// Domains of one provider at which dots in a mailbox name mean nothing (Google's own help pages).
const DOTLESS_DOMAINS: [&str; 2] = ["gmail.com", "googlemail.com"];

/// An e-mail address in parts, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailParts<'a> {
    /// Before the `+` and the `@`.
    pub mailbox: &'a str,
    /// What its owner added after a `+`, if anything.
    pub tag: Option<&'a str>,
    pub domain: &'a str,
}

impl<'a> EmailParts<'a> {
    /// The parts of an address in lower case; `None` for what is no address.
    pub fn of(email: &'a str) -> Option<Self> {
        let (mailbox, domain) = email.rsplit_once('@')?;
        let (mailbox, tag) = match mailbox.split_once('+') {
            Some((before, tag)) if !before.is_empty() => (before, Some(tag)),
            _ => (mailbox, None),
        };
        (!mailbox.is_empty() && !domain.is_empty()).then_some(Self { mailbox, tag, domain })
    }

    /// What somebody has registered, below which everything is theirs: `example.co.uk` of
    /// `mail.example.co.uk`.
    pub fn registered(&self) -> &'a str {
        psl::domain_str(self.domain).unwrap_or(self.domain)
    }

    /// The letters of the mailbox name.
    pub fn letters(&self) -> String {
        self.mailbox.chars().filter(|char| char.is_alphabetic()).collect()
    }

    /// Whether the mailbox is a role's and not a person's, such as `info`, `sales.berlin` or `till2`.
    pub fn is_role(&self) -> bool {
        let mut words = self.mailbox.split(|char: char| !char.is_alphabetic());
        words.any(|word| is_in(&ROLES, word)) || is_in(&ROLES, &self.letters())
    }

    /// Whether the mailbox is a common name, and a number or none, at a provider where thousands have such: `anna84`.
    pub fn is_namesakes(&self) -> bool {
        let word = self.mailbox.trim_matches(|char: char| !char.is_alphabetic());
        is_in(&NAMES, word) && self.is_free()
    }

    /// Whether few have this mailbox name at any provider: it has more than one word, or a digit, or is long.
    pub fn is_rare(&self) -> bool {
        const RARE_MIN_LETTERS: usize = 12;
        let letters = self.mailbox.chars().filter(|char| char.is_alphabetic()).count();
        letters < self.mailbox.chars().count() || letters >= RARE_MIN_LETTERS
    }

    /// Whether the provider is one of the large ones, of which people have several.
    fn is_at_large_provider(&self) -> bool {
        let registered = self.registered();
        let name = registered.split('.').next().unwrap_or_default();
        is_in(Dataset::Common.shipped(), registered) || LARGE.contains(&name)
    }

    /// Whether anybody gets a mailbox there.
    pub fn is_free(&self) -> bool {
        self.is_at_large_provider()
            || [self.domain, self.registered()].iter().any(|domain| is_in(&FREE, domain))
    }

    /// Whether the domain is that of an organisation or a household, as far as can be told: nobody else gets a
    /// mailbox there, and mail arrives.
    pub fn is_own_domain(&self, datasets: &Datasets) -> bool {
        const OTHERS: [Dataset; 4] =
            [Dataset::Common, Dataset::Disposable, Dataset::Relay, Dataset::Reserved];
        let suffix = psl::suffix(self.domain.as_bytes());
        suffix.is_some_and(|suffix| suffix.is_known())
            && psl::domain_str(self.domain).is_some()
            && !self.is_free()
            && !OTHERS.into_iter().any(|dataset| datasets.contain(dataset, self.domain))
    }
}

fn is_in(list: &[&str], domain: &str) -> bool {
    list.binary_search(&domain).is_ok()
}

/// An e-mail address in the form that is compared: in lower case, its domain as the domain name system spells it, so
/// that `ada@müller.de` and `ada@xn--mller-kva.de` are one.
pub fn folded_email(email: &str) -> String {
    let lower = email.trim().to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    let folded = lower.rsplit_once('@').and_then(|(mailbox, domain)| {
        let ascii = ascii_domain(domain).filter(|_| !domain.is_ascii())?;
        Some(format!("{mailbox}@{ascii}"))
    });
    folded.unwrap_or(lower)
}

/// An e-mail address as the key of its mailbox: in lower case, without what follows a `+`, which the
/// owner of a mailbox adds at will, and without dots where those mean nothing. `None` for what is no
/// address.
pub fn mailbox(email: &str) -> Option<String> {
    let email = folded_email(email);
    let parts = EmailParts::of(&email)?;
    if DOTLESS_DOMAINS.contains(&parts.domain) {
        let mailbox = parts.mailbox.replace('.', "");
        return (!mailbox.is_empty()).then(|| format!("{mailbox}@{}", DOTLESS_DOMAINS[0]));
    }
    Some(format!("{}@{}", parts.mailbox, parts.domain))
}

/// By which variants of an address are found (`ada.b7`, `ada_b8`): the letters of the mailbox name, with the
/// domain unless the provider is a large one. A name at one's own domain says nothing of the same name at
/// another's: everybody has an `info` and many have an `anna`. Where the letters are too few, it is the mailbox.
pub fn mailbox_key(email: &str) -> Option<String> {
    let folded = folded_email(email);
    let parts = EmailParts::of(&folded)?;
    let letters = parts.letters();
    if letters.chars().count() < LOOKED_UP_MIN_LETTERS {
        return mailbox(email);
    }
    Some(if parts.is_at_large_provider() { letters } else { format!("{letters}@{}", parts.registered()) })
}

/// What two addresses have in common, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resemblance {
    /// They are one address.
    Identical,
    /// They are of one mailbox, written in two ways.
    SameMailbox,
    /// They are at one domain and differ in digits, signs and tags only.
    Variant,
    /// They have the same name before the `@`, which few have, at two large providers.
    SameName,
}

/// What two addresses have in common; `None` where that is nothing but chance.
pub fn resemblance(one: &str, other: &str) -> Option<Resemblance> {
    let (one, other) = (folded_email(one), folded_email(other));
    let (own, others) = (EmailParts::of(&one)?, EmailParts::of(&other)?);
    if one == other {
        return Some(Resemblance::Identical);
    }
    let is_dotless = |parts: &EmailParts| DOTLESS_DOMAINS.contains(&parts.domain);
    let may_be_same = own.domain == others.domain || is_dotless(&own) && is_dotless(&others);
    if may_be_same && mailbox(&one) == mailbox(&other) {
        return Some(Resemblance::SameMailbox);
    }
    // Most have not even that in common, and what is registered takes longer to find.
    if ending(own.domain) == ending(others.domain) && own.registered() == others.registered() {
        let letters = own.letters();
        let is_variant = letters.chars().count() >= LOOKED_UP_MIN_LETTERS && letters == others.letters();
        return is_variant.then_some(Resemblance::Variant);
    }
    let is_rare_name = own.mailbox == others.mailbox && own.is_rare() && !own.is_role();
    let are_large = || own.is_at_large_provider() && others.is_at_large_provider();
    (is_rare_name && are_large()).then_some(Resemblance::SameName)
}

/// The last two labels of a domain.
fn ending(domain: &str) -> &str {
    domain.rmatch_indices('.').nth(1).map_or(domain, |(dot, _)| &domain[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_the_same_in_every_spelling_its_owner_can_choose() {
        let cases = [
            (" Ada@Example.COM ", Some("ada@example.com")),
            ("ada@müller.de", Some("ada@xn--mller-kva.de")),
            ("ada+shop@example.com", Some("ada@example.com")),
            ("a.d.a+x@googlemail.com", Some("ada@gmail.com")),
            ("a.d.a@example.com", Some("a.d.a@example.com")),
            ("+ada@example.com", Some("+ada@example.com")),
            ("ada", None),
            ("@example.com", None),
            ("ada@", None),
            ("...@gmail.com", None),
        ];
        for (email, expected) in cases {
            assert_eq!(mailbox(email).as_deref(), expected, "{email}");
        }
    }

    #[test]
    fn variants_are_found_at_one_domain_and_among_large_providers() {
        let cases = [
            ("ada.byron@gmail.com", Some("adabyron")),
            ("AdaByron77+x@yahoo.co.uk", Some("adabyron")),
            ("ada_byron-1815@web.de", Some("adabyron")),
            ("promo1@firm-a.de", Some("promo@firm-a.de")),
            ("promo2@mail.firm-a.de", Some("promo@firm-a.de")),
            ("info@firm-b.co.uk", Some("info@firm-b.co.uk")),
            ("a.d.a+1@gmail.com", Some("ada@gmail.com")),
            ("1234567@qq.com", Some("1234567@qq.com")),
            ("promo1@müller.de", Some("promo@xn--mller-kva.de")),
            ("promo2@xn--mller-kva.de", Some("promo@xn--mller-kva.de")),
            ("nobody", None),
        ];
        for (email, expected) in cases {
            assert_eq!(mailbox_key(email).as_deref(), expected, "{email}");
        }
    }

    #[test]
    fn addresses_resemble_each_other_by_what_cannot_be_chance() {
        use Resemblance::{Identical, SameMailbox, SameName, Variant};
        let cases = [
            ("ada@firm-a.de", "ADA@firm-a.de", Some(Identical)),
            ("a.da+1@gmail.com", "ada+2@googlemail.com", Some(SameMailbox)),
            ("promo1@web.de", "promo2@web.de", Some(Variant)),
            ("promo1@firm-a.de", "promo2@mail.firm-a.de", Some(Variant)),
            ("ada.b7@gmail.com", "ada.b7@outlook.com", Some(SameName)),
            ("ada.b7@gmail.com", "ada.b8@outlook.com", None),
            ("kundenservice@gmail.com", "kundenservice@gmx.de", None),
            ("customer-service@gmail.com", "customer-service@outlook.com", None),
            ("anna@gmail.com", "anna@web.de", None),
            ("ada.b7@firm-a.de", "ada.b7@firm-b.de", None),
            ("info@firm-a.de", "info@firm-b.de", None),
            ("ada@müller.de", "ada@xn--mller-kva.de", Some(Identical)),
            ("ada+1@MÜLLER.de", "ada@xn--mller-kva.de", Some(SameMailbox)),
            ("promo1@müller.de", "promo2@mail.xn--mller-kva.de", Some(Variant)),
            ("müller@gmail.com", "muller@gmail.com", None),
            ("a1@firm-a.de", "a2@firm-a.de", None),
            ("anna@firm-a.de", "peter@firm-a.de", None),
        ];
        for (one, other, expected) in cases {
            assert_eq!(resemblance(one, other), expected, "{one} {other}");
            assert_eq!(resemblance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn domains_are_free_or_somebodys_own() {
        let own = |email: &str| EmailParts::of(email).unwrap().is_own_domain(&Datasets::default());
        for email in ["a@praxis-sommer.de", "a@mail.firm-a.co.uk", "a@gymnasium-nord.ch", "a@acme.io"] {
            assert!(own(email), "{email}");
        }
        let free = [
            "gmail.com",
            "posteo.de",
            "hotmail.fr",
            "yahoo.com.br",
            "gmx.ch",
            "tutanota.de",
            "qq.com",
            "t-online.de",
            "mailinator.com",
            "privaterelay.appleid.com",
            "example.com",
            "firm.invalid",
            "localhost",
            "co.uk",
        ];
        for domain in free {
            assert!(!own(&format!("a@{domain}")), "{domain}");
        }
    }

    #[test]
    fn common_names_at_providers_say_little() {
        let is_namesakes = |email: &str| EmailParts::of(email).unwrap().is_namesakes();
        for mailbox in [
            "anna84",
            "maria_1991",
            "mueller77",
            "1984sara1",
            "haruto3",
            "fatima.90",
            "wang",
            "linh01",
            "olga-5",
        ] {
            assert!(is_namesakes(&format!("{mailbox}@gmail.com")), "{mailbox}");
        }
        for email in [
            "promo1@gmail.com",
            "user7@web.de",
            "test3@yahoo.com",
            "anna84@firm-a.de",
            "anna.weber1@gmail.com",
        ] {
            assert!(!is_namesakes(email), "{email}");
        }
    }

    #[test]
    fn roles_are_told_by_their_words() {
        assert!(ROLES.is_sorted() && FREE.is_sorted() && NAMES.is_sorted());
        assert!(ROLES.iter().all(|role| !is_in(&NAMES, role)));
        let is_role = |email: &str| EmailParts::of(email).unwrap().is_role();
        for email in [
            "info@a.de",
            "büro@a.de",
            "sales.berlin@a.de",
            "till2@a.de",
            "no-reply@a.de",
            "filiale7@a.de",
            "контакт@a.ru",
        ] {
            assert_eq!(is_role(email), email != "контакт@a.ru", "{email}");
        }
        assert!(!is_role("anna.keller@a.de") && !is_role("informatiker@a.de"));
    }
}
