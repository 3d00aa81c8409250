//! Uniqueness: whether others have nearly the same e-mail address.
//!
//! Limits: compares spellings within one domain or one large provider, not owners; first names and role mailboxes
//! are alike by chance and hardly count.

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::person::{EmailParts, folded_email};
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::alike::{Alike, alike};
use crate::score::features::crowd::TOGETHER_MS;
use crate::score::features::trust::abstention;
use crate::score::phrase::counted;
use crate::snapshot::{OtherIdentity, Own, Relation, SharedKey, Snapshot};

/// A mailbox has one owner, but names are alike by chance as well.
const WEIGHT: f64 = 1.2;
const CONFIDENCE: f64 = 0.8;

/// Times as much for one made within an hour.
const TOGETHER: f64 = 1.6;
/// So much of it for one mailbox of a family.
const OF_FAMILY: f64 = 0.5;
/// `anna84` and `anna.77` at one large provider, of another day: so much of what `ada.b7` and `ada.b8` count for.
const COMMON_LETTERS: f64 = 0.16;
/// With so many namesakes half of all that is left: there are many John Smiths.
const COMMON_OTHERS: f64 = 5.5;

/// What that is worth, added up: a second address of one's own costs little, five variants much.
const VALUE_BY_STRENGTH: [(f64, f64); 6] =
    [(0.0, 0.5), (0.5, 0.42), (1.0, 0.32), (2.0, 0.2), (4.0, 0.07), (8.0, 0.03)];
/// Less than this is chance.
const STRENGTH_MIN: f64 = 0.1;

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.similar-email",
    label: "Similar e-mail address",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

impl Alike {
    const ALL: [Self; 6] =
        [Self::Identical, Self::Spelling, Self::Tag, Self::Role, Self::Variant, Self::SameName];

    /// What such an address counts for, as a part of one that is certainly the same person's.
    fn part(self) -> f64 {
        match self {
            Self::Identical | Self::Spelling => 1.0,
            Self::Variant => 0.5,
            Self::SameName => 0.25,
            Self::Tag | Self::Role => 0.15,
        }
    }

    /// What such addresses are called beside the explanation.
    fn key(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Spelling => "sameMailbox",
            Self::Tag => "taggedByName",
            Self::Role => "sameRole",
            Self::Variant => "variants",
            Self::SameName => "sameNameElsewhere",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Identical => "with the identical e-mail address",
            Self::Spelling => "with an address of the same mailbox, written in another way",
            Self::Tag => "with an address of the same mailbox, told apart by a name after a +",
            Self::Role => "with an address of the same organization's mailbox",
            Self::Variant => "with an address at the same domain that differs in digits, signs or tags only",
            Self::SameName => "with the same name before the @ at another large provider",
        }
    }
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let Some(shared) = snapshot.shared(KeyKind::Mailbox).next() else {
        return abstention(snapshot, &[KeyKind::Mailbox]);
    };
    let own = snapshot.own();
    let alike: Vec<_> =
        shared.others.iter().filter_map(|other| Some((alike(snapshot, own, other)?, other))).collect();
    let count = |which: Alike| alike.iter().filter(|(alike, _)| *alike == which).count();
    let same = [Alike::Identical, Alike::Spelling].map(count).iter().sum::<usize>();
    let strengths =
        || alike.iter().map(|(alike, other)| (*alike, strength(snapshot, own, shared, *alike, other)));
    let sum: f64 = strengths().map(|(_, strength)| strength).sum();
    // An import makes everybody at once, and among thousands some two are alike.
    let by_chance = strengths().filter(|(alike, _)| matches!(alike, Alike::Variant | Alike::SameName));
    let by_chance = by_chance.map(|(_, strength)| strength).filter(|_| snapshot.state.is_traceless());
    let sum = (sum - by_chance.fold(0.0, f64::max))
        / (1.0 + ((shared.others.len() - same) as f64 / COMMON_OTHERS).powi(3));
    if sum < STRENGTH_MIN {
        return None;
    }
    let told = Alike::ALL.into_iter().map(|which| (count(which), which)).filter(|(count, _)| *count > 0);
    let words = |(count, which): (usize, Alike)| {
        format!("{} {}", counted(count as u64, "other account"), which.words())
    };
    let meaning = match alike.iter().find(|(alike, _)| alike.is_plain()) {
        _ if same > 0 => "a mailbox has one owner",
        Some(_) => "few share so much by chance",
        None => "families and offices share one",
    };
    let explanation = format!("{}; {meaning}.", told.clone().map(words).collect::<Vec<_>>().join(", "));
    let finding = Finding::new(interpolate(&VALUE_BY_STRENGTH, sum), CONFIDENCE, explanation);
    let finding = finding.with("otherAccounts", alike.len());
    Some(told.fold(finding, |finding, (count, which)| finding.with(which.key(), count)))
}

/// How surely another address is the same person's: 1.0 is certain, made within an hour even more so.
fn strength(snapshot: &Snapshot, own: &Own, shared: &SharedKey, alike: Alike, other: &OtherIdentity) -> f64 {
    let together = other.first_seen_at.millis_since(shared.since).abs() <= TOGETHER_MS;
    alike.part()
        * match alike {
            Alike::Tag | Alike::Role => 1.0,
            Alike::Identical | Alike::Spelling if own.relation(other) == Relation::Family => OF_FAMILY,
            _ if together => TOGETHER,
            Alike::Variant if is_common(snapshot) => COMMON_LETTERS,
            _ => 1.0,
        }
}

/// Whether the letters of its mailbox name are those of one word, at a provider where thousands have such.
fn is_common(snapshot: &Snapshot) -> bool {
    let email = folded_email(snapshot.profile.email.as_deref().unwrap_or_default());
    let parts = EmailParts::of(&email);
    parts.is_some_and(|parts| {
        let word = parts.mailbox.trim_matches(|char: char| !char.is_alphabetic());
        parts.is_free() && word.chars().all(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    fn of(own: (&str, &str), others: &[(i64, &str, &str)]) -> Option<(f64, String)> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let profile = Profile { name: given(own.0), email: given(own.1), ..Profile::default() };
        let identity = Identity { profile, ..Identity::default() };
        let identity = identity.event("signup", 0, |event| event.ip = "203.0.113.7".parse().ok());
        said(identity.shares_with(KeyKind::Mailbox, "key", others.iter().copied()).observe(ANALYZER))
    }

    #[test]
    fn two_that_are_alike_in_an_import_are_chance_and_five_are_not() {
        let imported = |others: i64| {
            let profile = Profile { email: Some("promo0@web.de".to_owned()), ..Profile::default() };
            let identity = Identity { profile, ..Identity::default() }.event("user.created", 0, |event| {
                (event.user_agent, event.session) = (None, None);
            });
            let emails: Vec<_> = (1..=others).map(|n| format!("promo{n}@web.de")).collect();
            let others = emails.iter().map(|email| (1, "", email.as_str()));
            identity.shares_with(KeyKind::Mailbox, "key", others).observe(ANALYZER).map(|found| found.value)
        };
        assert_eq!(imported(1), None);
        assert!(imported(4).is_some_and(|value| value < 0.25));
    }

    #[test]
    fn what_is_said_is_true_of_the_addresses() {
        /// Its own address, those of others with the minutes between, and what is said.
        type Case = (&'static str, &'static [(i64, &'static str)], Option<(f64, &'static str)>);
        let cases: [Case; 10] = [
            (
                "ada.b@gmail.com",
                &[(-9_000, "adab+2@gmail.com")],
                Some((
                    0.32,
                    "1 other account with an address of the same mailbox, written in another way; a mailbox has one owner.",
                )),
            ),
            (
                "ada.b@posteo.de",
                &[(-9_000, "Ada.B@posteo.de")],
                Some((0.32, "1 other account with the identical e-mail address; a mailbox has one owner.")),
            ),
            (
                "promo1@web.de",
                &[(-3, "promo2@web.de"), (-2, "promo3@web.de"), (2, "promo4@web.de"), (5, "promo5@web.de")],
                Some((
                    0.18,
                    "4 other accounts with an address at the same domain that differs in digits, signs or tags only; few share so much by chance.",
                )),
            ),
            (
                "ada.b7@gmail.com",
                &[(-3, "ada.b7@outlook.com")],
                Some((
                    0.436,
                    "1 other account with the same name before the @ at another large provider; few share so much by chance.",
                )),
            ),
            ("john.smith@posteo.de", &[(-3, "johnsmith@web.de")], None),
            ("anna84@gmail.com", &[(-9_000, "anna77@gmail.com")], None),
            ("anna84@gmail.com", &[(-3, "anna77@gmail.com"), (4, "anna90@gmail.com")], None),
            ("anna@gmail.com", &[(-3, "anna@web.de"), (3, "anna@yahoo.com")], None),
            ("info@firm-a.de", &[(-3, "info@firm-b.de"), (3, "info@firm-c.de")], None),
            (
                "ada@müller.de",
                &[(-9_000, "ada@xn--mller-kva.de")],
                Some((0.32, "1 other account with the identical e-mail address; a mailbox has one owner.")),
            ),
        ];
        for (own, others, expected) in cases {
            let others: Vec<_> = others.iter().map(|(minute, email)| (*minute, "", *email)).collect();
            let expected = expected.map(|(value, words)| (value, words.to_owned()));
            assert_eq!(of(("", own), &others), expected, "{own}");
        }
    }

    #[test]
    fn families_and_organisations_share_a_mailbox() {
        let children = [(-5, "Lea Weber", "sabine+lea@gmail.com"), (4, "Sabine Weber", "sabine@gmail.com")];
        let words = "2 other accounts with an address of the same mailbox, told apart by a name after a +; families and \
                     offices share one.";
        assert_eq!(of(("Tom Weber", "sabine+tom@gmail.com"), &children), Some((0.454, words.to_owned())));
        let desks: Vec<_> = (1..6).map(|n| (n, "", "office@firm-a.de")).collect();
        let found = of(("", "office@firm-a.de"), &desks).map(|(value, _)| value);
        assert!(found.is_some_and(|value| value > 0.4), "{found:?}");
        let numbered: Vec<String> = (2..6).map(|n| format!("ada+{n}@gmail.com")).collect();
        let numbered: Vec<_> = numbered.iter().map(|email| (3, "Ada Byron", email.as_str())).collect();
        let found = of(("Ada Byron", "ada+1@gmail.com"), &numbered).map(|(value, _)| value);
        assert!(found.is_some_and(|value| value < 0.06), "{found:?}");
    }

    #[test]
    fn namesakes_are_chance() {
        let others: Vec<_> = (0..60).map(|n| (-n * 2_000, "", "john.smith1@web.de")).collect();
        assert_eq!(of(("", "john.smith@web.de"), &others), None);
    }
}
