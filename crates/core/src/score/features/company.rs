//! Who the others on a key plainly are: a family, colleagues, or nobody in particular, who may be one person
//! again.

use std::collections::BTreeSet;

use crate::person::name_words;
use crate::snapshot::{OtherIdentity, Own, Relation};

/// More of one family are not taken for it.
const FAMILY_MAX_OTHERS: usize = 6;
/// The same for tags that read like given names, where no names are given: so many.
const TAGS_MAX_OTHERS: usize = 3;
/// Families and colleagues count for so much together, at most: a school's or a firm's devices are all of one model,
/// and of its people, as such, nobody is below 60.
pub const KNOWN_MAX: f64 = 1.0;
/// A large class, or the first morning of a large firm. More than that within an hour is none.
const CLASS_MAX_OTHERS: usize = 60;

/// The letters before the `@`.
fn letters(other: &OtherIdentity) -> Option<String> {
    let (before, _) = other.email.as_deref()?.rsplit_once('@')?;
    Some(before.chars().filter(|char| char.is_alphabetic()).collect())
}

/// The others on a key, by what they plainly are. Of several with one name only the first is somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Company {
    pub family: usize,
    pub colleagues: usize,
    pub unknown: usize,
}

impl Company {
    pub fn of<'o>(own: &Own, others: impl Iterator<Item = &'o OtherIdentity>) -> Self {
        let (mut company, mut seen, mut tagged) = (Self::default(), BTreeSet::new(), 0);
        for (place, other) in others.enumerate() {
            let relation = if place < CLASS_MAX_OTHERS { own.relation(other) } else { Relation::Unknown };
            let called = || other.name.as_deref().map(name_words).or_else(|| Some(vec![letters(other)?]));
            tagged += usize::from(relation == Relation::Family && other.name.is_none());
            match relation {
                Relation::Family
                    if company.family < FAMILY_MAX_OTHERS
                        && tagged <= TAGS_MAX_OTHERS
                        && seen.insert(called()) =>
                {
                    company.family += 1;
                }
                Relation::Colleague if seen.insert(called()) => company.colleagues += 1,
                _ => company.unknown += 1,
            }
        }
        company
    }

    /// For how many accounts in one hand they stand.
    pub fn strength(self) -> f64 {
        self.known_strength() + self.unknown as f64
    }

    /// The same of those who are plainly somebody else.
    pub fn known_strength(self) -> f64 {
        let (family, colleagues) = (self.family as f64, self.colleagues as f64);
        (family * Relation::Family.part() + colleagues * Relation::Colleague.part()).min(KNOWN_MAX)
    }

    /// What may be said of them, if all are plainly somebody else.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self { unknown: 1.., .. } | Self { family: 0, colleagues: 0, .. } => None,
            Self { colleagues: 0, .. } => Some("they share a family name or a mailbox, as a family does"),
            Self { family: 0, .. } => Some("each has a mailbox of their own at one domain, as colleagues do"),
            _ => Some("they are of one family or have mailboxes of their own at one domain"),
        }
    }
}
