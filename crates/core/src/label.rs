//! What people decide of an identity, of which kind, and from what they know it.

use serde::{Deserialize, Serialize};

/// What was decided. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    Good = 0,
    Bad = 1,
}

impl Outcome {
    pub const ALL: [Self; 2] = [Self::Good, Self::Bad];

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "GOOD",
            Self::Bad => "BAD",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// In which way somebody is bad. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LabelKind {
    Bot = 1,
    Fake = 2,
    Duplicate = 3,
    Abuse = 4,
    Takeover = 5,
}

impl LabelKind {
    pub const ALL: [Self; 5] = [Self::Bot, Self::Fake, Self::Duplicate, Self::Abuse, Self::Takeover];

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bot => "BOT",
            Self::Fake => "FAKE",
            Self::Duplicate => "DUPLICATE",
            Self::Abuse => "ABUSE",
            Self::Takeover => "TAKEOVER",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Bot => "a bot",
            Self::Fake => "a fake account",
            Self::Duplicate => "a duplicate account",
            Self::Abuse => "abusive",
            Self::Takeover => "taken over by somebody else",
        }
    }
}

/// Why people label somebody: the short list that is offered to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons {
    pub good: Vec<String>,
    pub bad: Vec<String>,
}

impl Default for Reasons {
    /// Those of a team that has none of its own.
    fn default() -> Self {
        let own = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect();
        Self {
            good: own(&[
                "A family or a household",
                "A shared device at work or at school",
                "We have talked to the person",
                "Known to us",
            ]),
            bad: own(&[
                "Several accounts of one person",
                "Automated sign-up",
                "Invented details",
                "Stolen card",
                "Spam",
                "Against the terms of use",
            ]),
        }
    }
}

/// From what it is known. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// A person of the team has looked at it.
    Analyst = 1,
    Chargeback = 2,
    Appeal = 3,
    UserReport = 4,
    /// Taken over from another system.
    Import = 5,
}

impl Source {
    pub const ALL: [Self; 5] =
        [Self::Analyst, Self::Chargeback, Self::Appeal, Self::UserReport, Self::Import];

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Analyst => "ANALYST",
            Self::Chargeback => "CHARGEBACK",
            Self::Appeal => "APPEAL",
            Self::UserReport => "USER_REPORT",
            Self::Import => "IMPORT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Analyst => "a person who looked at it",
            Self::Chargeback => "a chargeback",
            Self::Appeal => "an appeal",
            Self::UserReport => "a report of another user",
            Self::Import => "an imported decision",
        }
    }
}

/// What was decided, and of those who are bad in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<LabelKind>,
}

impl Verdict {
    /// The number under which it is stored with an identity: 0 for good, 1 for bad, and 2 to 6 with the kind.
    pub fn code(self) -> i64 {
        match self.outcome {
            Outcome::Good => 0,
            Outcome::Bad => 1 + self.kind.map_or(0, |kind| kind as i64),
        }
    }

    /// The verdict that is stored under `code`.
    pub fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self { outcome: Outcome::Good, kind: None }),
            1 => Some(Self { outcome: Outcome::Bad, kind: None }),
            _ => {
                let kind = LabelKind::ALL.into_iter().find(|kind| *kind as i64 == code - 1)?;
                Some(Self { outcome: Outcome::Bad, kind: Some(kind) })
            }
        }
    }

    /// Whether whoever has the account is bad, rather than somebody who has taken it over.
    pub fn is_of_owner(self) -> bool {
        self.outcome == Outcome::Bad && self.kind != Some(LabelKind::Takeover)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        let codes: Vec<_> = (-1..=7).filter_map(|code| Some((code, Verdict::from_code(code)?))).collect();
        assert_eq!(codes.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
        assert!(codes.iter().all(|(code, verdict)| verdict.code() == *code), "{codes:?}");
    }
}
