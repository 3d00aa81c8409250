//! Rules: what gives an identity a badge, and what opens an escalation.
//!
//! [`decide`] is a function of what stood before, the facts, the rules and the time: every delay can be
//! tried with a clock in the hand. Delays are measured from when a condition began to hold, or ceased to,
//! and not from when somebody looked.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::agent::{self, KnownAgent};
use crate::badge::BadgeType;
use crate::score::phrase::counted;
use crate::score::{Category, Scores};
use crate::time::{SECOND_MS, Timestamp};

mod decide;
mod dismissed;
mod due;
mod evidence;
mod jump;
mod label;
mod matched;
mod snooze;
mod standing;
mod starter;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Facts, decide};
pub use dismissed::Dismissal;
pub use due::{DUE_MINUTES_MAX, DueMinutes};
pub use evidence::Evidence;
pub use jump::{Jump, Taken, jump};
pub use label::Label;
pub use matched::{Matched, matched};
pub use snooze::Snooze;
pub use standing::{Held, Kind, Standing};
pub use starter::starter_rules;

/// Of the badges an identity carries.
pub type Slugs<'b> = HashSet<&'b str>;

/// Stands for whichever agent.
pub const ANY_AGENT: &str = "ANY";
/// Conditions of one rule.
pub const CONDITIONS_MAX: usize = 20;
/// Of ages and delays: ten years.
pub const SECONDS_MAX: u64 = 10 * 366 * 24 * 3_600;

/// A category, or any of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Which {
    Humanity,
    Authenticity,
    Uniqueness,
    Behavior,
    Any,
}

impl Which {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Humanity => "HUMANITY",
            Self::Authenticity => "AUTHENTICITY",
            Self::Uniqueness => "UNIQUENESS",
            Self::Behavior => "BEHAVIOR",
            Self::Any => "ANY",
        }
    }

    /// Reads what [`Self::name`] wrote.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Humanity, Self::Authenticity, Self::Uniqueness, Self::Behavior, Self::Any]
            .into_iter()
            .find(|known| known.name() == name)
    }

    /// The categories it stands for.
    pub const fn all(self) -> &'static [Category] {
        match self {
            Self::Humanity => &[Category::Humanity],
            Self::Authenticity => &[Category::Authenticity],
            Self::Uniqueness => &[Category::Uniqueness],
            Self::Behavior => &[Category::Behavior],
            Self::Any => &Category::ALL,
        }
    }

    /// The scores there are.
    fn of(self, scores: &Scores) -> impl Iterator<Item = (Category, u8)> {
        self.all().iter().filter_map(|category| Some((*category, scores.get(*category)?)))
    }
}

/// What must hold. A category without a score matches nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Condition {
    ScoreLt {
        category: Which,
        threshold: u8,
    },
    ScoreLte {
        category: Which,
        threshold: u8,
    },
    ScoreGt {
        category: Which,
        threshold: u8,
    },
    ScoreGte {
        category: Which,
        threshold: u8,
    },
    /// Known for longer than this.
    IdentityAgeGt {
        seconds: u64,
    },
    /// Known for less than this.
    IdentityAgeLt {
        seconds: u64,
    },
    BadgeExists {
        badge: String,
    },
    BadgeNotExists {
        badge: String,
    },
    /// The agent of an AI service that was seen last is this one, by its name or its operator, or any.
    AgentIs {
        agent: String,
        /// Whether its signature must have been verified, or must not; either where that is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verified: Option<bool>,
    },
}

impl Condition {
    /// Whether only escalation rules may have it.
    pub const fn is_of_escalations(&self) -> bool {
        matches!(self, Self::IdentityAgeLt { .. } | Self::BadgeExists { .. } | Self::BadgeNotExists { .. })
    }

    /// Whether it asks for an agent.
    pub const fn is_of_agents(&self) -> bool {
        matches!(self, Self::AgentIs { .. })
    }

    /// The slug of the badge it names.
    pub fn badge(&self) -> Option<&str> {
        match self {
            Self::BadgeExists { badge } | Self::BadgeNotExists { badge } => Some(badge),
            _ => None,
        }
    }

    /// The field of it that is wrong, if one is, and how.
    pub fn flaw(&self) -> Option<(&'static str, String)> {
        match self {
            Self::ScoreLt { threshold, .. }
            | Self::ScoreLte { threshold, .. }
            | Self::ScoreGt { threshold, .. }
            | Self::ScoreGte { threshold, .. }
                if *threshold > 100 =>
            {
                Some(("threshold", "must be from 0 to 100".to_owned()))
            }
            Self::IdentityAgeGt { seconds } | Self::IdentityAgeLt { seconds } if *seconds > SECONDS_MAX => {
                Some(("seconds", format!("must be from 0 to {SECONDS_MAX}")))
            }
            Self::BadgeExists { badge } | Self::BadgeNotExists { badge } if badge.is_empty() => {
                Some(("badge", "must be the slug of a badge".to_owned()))
            }
            Self::AgentIs { agent, .. }
                if !agent::is_known_as(agent) && !agent.eq_ignore_ascii_case(ANY_AGENT) =>
            {
                Some(("agent", format!("must be {ANY_AGENT}, or the name or the operator of a known agent")))
            }
            _ => None,
        }
    }

    /// Whether it holds; ages, which change with time alone, are [`ages`]' part.
    fn holds(&self, scores: &Scores, carried: &Slugs, agent: Option<&KnownAgent>) -> bool {
        match self {
            Self::ScoreLt { category, threshold } => category.of(scores).any(|(_, score)| score < *threshold),
            Self::ScoreLte { category, threshold } => {
                category.of(scores).any(|(_, score)| score <= *threshold)
            }
            Self::ScoreGt { category, threshold } => category.of(scores).any(|(_, score)| score > *threshold),
            Self::ScoreGte { category, threshold } => {
                category.of(scores).any(|(_, score)| score >= *threshold)
            }
            Self::IdentityAgeGt { .. } | Self::IdentityAgeLt { .. } => true,
            Self::BadgeExists { badge } => carried.contains(badge.as_str()),
            Self::BadgeNotExists { badge } => !carried.contains(badge.as_str()),
            Self::AgentIs { agent: asked, verified } => agent.is_some_and(|agent| {
                let names = [ANY_AGENT, &agent.name, &agent.operator];
                names.iter().any(|name| name.eq_ignore_ascii_case(asked))
                    && verified.is_none_or(|verified| verified == (agent.verified == Some(true)))
            }),
        }
    }

    /// It in words, with the number that meets it.
    fn words(&self, scores: &Scores) -> String {
        let score = |category: Which, lowest: bool, compared: &str, threshold: u8| {
            let met = category.of(scores);
            let met = if lowest { met.min_by_key(|met| met.1) } else { met.max_by_key(|met| met.1) };
            let (name, score) = met.map_or(("A score", 0), |(category, score)| (category.title(), score));
            format!("{name} is {score}, {compared} {threshold}")
        };
        match self {
            Self::ScoreLt { category, threshold } => score(*category, true, "below", *threshold),
            Self::ScoreLte { category, threshold } => score(*category, true, "at most", *threshold),
            Self::ScoreGt { category, threshold } => score(*category, false, "above", *threshold),
            Self::ScoreGte { category, threshold } => score(*category, false, "at least", *threshold),
            Self::IdentityAgeGt { seconds } => format!("first seen more than {} ago", age(*seconds)),
            Self::IdentityAgeLt { seconds } => format!("first seen less than {} ago", age(*seconds)),
            Self::BadgeExists { badge } => format!("it has the badge \"{badge}\""),
            Self::BadgeNotExists { badge } => format!("it does not have the badge \"{badge}\""),
            Self::AgentIs { agent, verified } => {
                let which = if agent.eq_ignore_ascii_case(ANY_AGENT) {
                    "an AI agent".to_owned()
                } else {
                    format!("the AI agent \"{agent}\"")
                };
                let how = match verified {
                    None => "",
                    Some(true) => ", as its signature shows",
                    Some(false) => ", without a signature that shows it",
                };
                format!("{which} acts for it{how}")
            }
        }
    }
}

/// In the largest unit of which it is a whole number.
fn age(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = UNITS.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or_else(|| counted(seconds, "second"), |(unit, name)| counted(seconds / unit, name))
}

/// The categories whose scores these conditions ask for.
fn categories(conditions: &[Condition]) -> impl Iterator<Item = Category> {
    conditions
        .iter()
        .flat_map(|condition| match condition {
            Condition::ScoreLt { category, .. }
            | Condition::ScoreLte { category, .. }
            | Condition::ScoreGt { category, .. }
            | Condition::ScoreGte { category, .. } => category.all(),
            _ => &[],
        })
        .copied()
}

/// Whether all conditions hold now, delays apart, for somebody who carries these badges.
pub fn hold(
    conditions: &[Condition],
    scores: &Scores,
    first_seen_at: Timestamp,
    carried: &Slugs,
    agent: Option<&KnownAgent>,
    now: Timestamp,
) -> bool {
    let (from, until) = ages(conditions, first_seen_at);
    from.is_none_or(|from| from <= now)
        && until.is_none_or(|until| now < until)
        && conditions.iter().all(|condition| condition.holds(scores, carried, agent))
}

/// All conditions in one sentence.
pub fn explain(conditions: &[Condition], scores: &Scores) -> String {
    let words: Vec<_> = conditions.iter().map(|condition| condition.words(scores)).collect();
    format!("{}.", words.join("; "))
}

/// From when, and until when, the ages among `conditions` hold for somebody first seen then.
fn ages(conditions: &[Condition], first_seen_at: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let after = |seconds: &u64| first_seen_at.plus_millis(millis(*seconds));
    let from = conditions.iter().filter_map(|condition| match condition {
        // Longer than so many seconds is from the next millisecond on.
        Condition::IdentityAgeGt { seconds } => Some(after(seconds).plus_millis(1)),
        _ => None,
    });
    let until = conditions.iter().filter_map(|condition| match condition {
        Condition::IdentityAgeLt { seconds } => Some(after(seconds)),
        _ => None,
    });
    (from.max(), until.min())
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_MS)
}

/// Gives a badge while its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeRule {
    pub id: i64,
    /// Another number after each change: what was waited for counts anew.
    pub revision: i64,
    pub name: String,
    /// Of the badge; it stays when the name changes.
    pub slug: String,
    pub badge_type: BadgeType,
    /// Badges of higher numbers come first.
    pub priority: i64,
    pub conditions: Vec<Condition>,
    pub apply_delay_seconds: u64,
    pub remove_delay_seconds: u64,
}

/// How bad it is. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    Info = 0,
    Warning = 1,
    Critical = 2,
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// Opens an escalation when its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationRule {
    pub id: i64,
    /// As in [`BadgeRule`].
    pub revision: i64,
    pub name: String,
    pub severity: Severity,
    /// Slugs of the channels that are told; without any it is shown, and nobody is told.
    pub channels: Vec<String>,
    pub conditions: Vec<Condition>,
    pub open_after_seconds: u64,
    pub close_after_seconds: u64,
    /// It opens nothing before.
    pub effective_at: Option<Timestamp>,
}

/// The rules of a team that are switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub badges: Vec<BadgeRule>,
    pub escalations: Vec<EscalationRule>,
}
