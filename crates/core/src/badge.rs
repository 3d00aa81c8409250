//! Badges: what is to be said of an identity in a word or two.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::score::Observation;

/// Of the badges an identity carries.
pub type Slugs<'b> = HashSet<&'b str>;

/// What carrying a badge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BadgeType {
    Good,
    Bad,
    Neutral,
}

impl BadgeType {
    pub const ALL: [Self; 3] = [Self::Good, Self::Bad, Self::Neutral];

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "GOOD",
            Self::Bad => "BAD",
            Self::Neutral => "NEUTRAL",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A badge that an identity carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Badge {
    /// By which it is asked for, such as `card-testing`.
    pub slug: String,
    /// For people.
    pub name: String,
    #[serde(rename = "type")]
    pub badge_type: BadgeType,
    /// Why the identity carries it: a sentence.
    pub explanation: String,
    /// The numbers behind the explanation.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// A case so plain that one analyzer's observation is enough to name it.
struct Plain {
    analyzer: &'static str,
    /// Observations of at most this value are the case.
    value_max: f64,
    slug: &'static str,
    name: &'static str,
}

const PLAIN: [Plain; 3] = [
    // Three signs at once: see `score/behavior/takeover.rs`.
    Plain {
        analyzer: "behavior.takeover",
        value_max: 0.12,
        slug: "account-takeover-suspected",
        name: "Account takeover suspected",
    },
    // In an hour eight accounts of strangers on one device, nine with variants of one e-mail address, or 77 at one
    // address without devices of their own: `score/behavior/sign_up_burst.rs`.
    Plain {
        analyzer: "behavior.sign-up-burst",
        value_max: 0.1,
        slug: "registration-bombing",
        name: "Registration bombing",
    },
    // Six failed payments in an hour: `score/behavior/failed_payments.rs`.
    Plain {
        analyzer: "behavior.failed-payments",
        value_max: 0.18,
        slug: "card-testing",
        name: "Card testing",
    },
];

/// The slug of the badge of those whom people have labelled as bad.
pub const CONFIRMED_BAD: &str = "confirmed-bad";

/// Whether the badge with this slug needs no rule, and rules may not give it.
pub fn is_reserved(slug: &str) -> bool {
    reserved().any(|reserved| reserved == slug)
}

/// Whether analyzers give the badge with this slug.
pub fn is_of_analyzers(slug: &str) -> bool {
    PLAIN.iter().any(|plain| plain.slug == slug)
}

/// The slugs of the badges that need no rule.
pub fn reserved() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().map(|plain| plain.slug).chain([CONFIRMED_BAD])
}

/// The analyzer whose observation gives the badge with this slug.
pub fn analyzer_of(slug: &str) -> Option<&'static str> {
    PLAIN.iter().find(|plain| plain.slug == slug).map(|plain| plain.analyzer)
}

/// The badges of the plain cases among `observations`; those of analyzers in shadow give none.
pub fn of_analyzers(observations: &[Observation]) -> impl Iterator<Item = Badge> {
    observations.iter().filter(|observation| observation.weight > 0.0).filter_map(|observation| {
        let is_plain =
            |plain: &&Plain| plain.analyzer == observation.id && observation.value <= plain.value_max;
        PLAIN.iter().find(is_plain).map(|plain| Badge {
            slug: plain.slug.to_owned(),
            name: plain.name.to_owned(),
            badge_type: BadgeType::Bad,
            explanation: observation.explanation.clone(),
            metadata: observation.metadata.clone(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{ANALYZERS, Category};

    fn observation(id: &str, value: f64, weight: f64) -> Observation {
        Observation {
            category: Category::Behavior,
            id: id.to_owned(),
            label: String::new(),
            explanation: "Because.".to_owned(),
            value,
            confidence: 0.9,
            weight,
            metadata: Map::from_iter([("accounts".to_owned(), 5.into())]),
        }
    }

    #[test]
    fn plain_cases_are_named_and_no_others() {
        let slugs = |observations: &[Observation]| -> Vec<String> {
            of_analyzers(observations).map(|badge| badge.slug).collect()
        };
        for plain in PLAIN {
            assert!(ANALYZERS.iter().any(|analyzer| analyzer.id == plain.analyzer), "{}", plain.analyzer);
            assert_eq!(slugs(&[observation(plain.analyzer, plain.value_max, 1.0)]), [plain.slug]);
            assert!(slugs(&[observation(plain.analyzer, plain.value_max + 0.01, 1.0)]).is_empty());
            assert!(slugs(&[observation(plain.analyzer, 0.02, 0.0)]).is_empty(), "in shadow");
        }
        assert!(slugs(&[observation("behavior.pace", 0.02, 1.0)]).is_empty());
    }

    #[test]
    fn a_badge_says_why() {
        let badge = of_analyzers(&[observation("behavior.sign-up-burst", 0.05, 1.4)]).next().unwrap();
        let expected = serde_json::json!({
            "slug": "registration-bombing",
            "name": "Registration bombing",
            "type": "BAD",
            "explanation": "Because.",
            "metadata": {"accounts": 5}
        });
        assert_eq!(serde_json::to_value(badge).unwrap(), expected);
    }
}
