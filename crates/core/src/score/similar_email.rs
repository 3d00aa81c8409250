//! Uniqueness: whether others have nearly the same e-mail address.

use super::crowd::TOGETHER_MS;
use super::{Analyzer, Category, Finding, counted, interpolate};
use crate::link::KeyKind;
use crate::person;
use crate::snapshot::{OtherIdentity, SharedKey, Snapshot};

/// A mailbox has one owner, but names are alike by chance as well.
const WEIGHT: f64 = 1.2;
const CONFIDENCE: f64 = 0.8;

/// What another address counts for, as a part of one that is certainly the same person's.
const SAME_MAILBOX: f64 = 1.0;
/// `ada.b7` and `ada.b8` at one provider.
const SAME_LETTERS_AND_DOMAIN: f64 = 0.5;
/// The same mailbox name at two providers, as people have it.
const SAME_NAME: f64 = 0.25;
const SAME_LETTERS: f64 = 0.08;
/// Times as much for one made within an hour.
const TOGETHER: f64 = 1.6;
/// With so many namesakes half of all that is left: there are many John Smiths.
const COMMON_OTHERS: f64 = 5.5;

/// What that is worth, added up: a second address of one's own costs little, five variants much.
const VALUE_BY_STRENGTH: [(f64, f64); 6] =
    [(0.0, 0.5), (0.5, 0.42), (1.0, 0.32), (2.0, 0.2), (4.0, 0.07), (8.0, 0.03)];
/// Less than this is chance.
const STRENGTH_MIN: f64 = 0.1;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.similar-email",
    label: "Similar e-mail address",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let own = snapshot.profile.email.as_deref()?;
    let shared = snapshot.shared(KeyKind::Mailbox).next()?;
    let strengths = shared.others.iter().map(|other| strength(own, shared, other));
    let (mut sum, mut same) = (0.0, 0);
    for strength in strengths {
        sum += strength;
        same += usize::from(strength >= SAME_MAILBOX);
    }
    let others = shared.others.len();
    let sum = sum / (1.0 + ((others - same) as f64 / COMMON_OTHERS).powi(3));
    if sum < STRENGTH_MIN {
        return None;
    }
    let own = own.trim().to_lowercase();
    let is_identical =
        |other: &&OtherIdentity| other.email.as_ref().is_some_and(|email| email.trim().to_lowercase() == own);
    let identical = shared.others.iter().filter(is_identical).count();
    let explanation = words(identical, same - identical, others - same);
    let value = interpolate(&VALUE_BY_STRENGTH, sum);
    Some(Finding::new(value, CONFIDENCE, explanation).with("otherAccounts", others).with("sameMailbox", same))
}

/// How many have the very address, one of the same mailbox in another spelling, and one of the same letters.
fn words(identical: usize, spelled: usize, alike: usize) -> String {
    let kinds = [
        (identical, "the same e-mail address"),
        (spelled, "an e-mail address of the same mailbox, written differently"),
        (alike, "an e-mail address with the same letters"),
    ];
    let mut parts = Vec::new();
    for (count, what) in kinds.into_iter().filter(|(count, _)| *count > 0) {
        let accounts = counted(count as u64, if parts.is_empty() { "other account" } else { "account" });
        parts.push(format!("{accounts} {} {what}", if count == 1 { "has" } else { "have" }));
    }
    let why =
        if identical + spelled > 0 { "a mailbox has one owner" } else { "few people share them by chance" };
    format!("{}; {why}.", parts.join(", "))
}

/// How surely another address is the same person's: 1.0 is certain.
pub fn likeness(own: &str, other: &str) -> f64 {
    let (own, other) = (own.trim().to_lowercase(), other.trim().to_lowercase());
    let parts = |email| person::EmailParts::of(email);
    let (Some(own_parts), Some(other_parts)) = (parts(&own), parts(&other)) else { return 0.0 };
    if person::mailbox(&own) == person::mailbox(&other) {
        SAME_MAILBOX
    } else if own_parts.domain == other_parts.domain {
        SAME_LETTERS_AND_DOMAIN
    } else if own_parts.mailbox == other_parts.mailbox {
        SAME_NAME
    } else {
        SAME_LETTERS
    }
}

fn strength(own: &str, shared: &SharedKey, other: &OtherIdentity) -> f64 {
    let Some(email) = &other.email else { return 0.0 };
    let together = other.first_seen_at.millis_since(shared.since).abs() <= TOGETHER_MS;
    likeness(own, email) * if together { TOGETHER } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    fn of(own: &str, others: &[(i64, &str)]) -> Option<(f64, String)> {
        let profile = Profile { email: Some(own.to_owned()), ..Profile::default() };
        let others = others.iter().map(|(minute, email)| (*minute, "", *email));
        let identity = Identity { profile, ..Identity::default() };
        said(identity.shares_with(KeyKind::Mailbox, "letters", others).observe(ANALYZER))
    }

    #[test]
    fn one_mailbox_in_several_spellings_is_one_person() {
        let words = "1 other account has an e-mail address of the same mailbox, written differently; a mailbox has one \
                     owner.";
        assert_eq!(of("ada.b@gmail.com", &[(-9_000, "adab+2@gmail.com")]), Some((0.32, words.to_owned())));
    }

    #[test]
    fn the_very_address_is_called_so() {
        let words = "1 other account has the same e-mail address; a mailbox has one owner.";
        assert_eq!(of("ada.b@web.de", &[(-9_000, " Ada.B@web.de")]), Some((0.32, words.to_owned())));
        let words = "2 other accounts have the same e-mail address, 1 account has an e-mail address of the same mailbox, \
                     written differently, 3 accounts have an e-mail address with the same letters; a mailbox has one \
                     owner.";
        let others = [
            (-9_000, "ada.b@web.de"),
            (-8_000, "ada.b@web.de"),
            (-7_000, "ada.b+x@web.de"),
            (-6_000, "ada.b1@web.de"),
            (-5_000, "adab@web.de"),
            (-4_000, "ada.b@posteo.de"),
        ];
        assert_eq!(of("ada.b@web.de", &others).map(|(_, words)| words), Some(words.to_owned()));
    }

    #[test]
    fn numbered_variants_add_up() {
        let words =
            "4 other accounts have an e-mail address with the same letters; few people share them by chance.";
        let others =
            [(-3, "promo2@web.de"), (-2, "promo3@web.de"), (2, "promo4@web.de"), (5, "promo5@web.de")];
        assert_eq!(of("promo1@web.de", &others), Some((0.18, words.to_owned())));
    }

    #[test]
    fn namesakes_are_chance() {
        let others: Vec<_> = (0..60).map(|n| (-n * 2_000, "johnsmith@web.de")).collect();
        assert_eq!(of("john.smith@posteo.de", &others), None);
    }
}
