//! Rules: what gives an identity a badge, and what opens an escalation.
//!
//! [`decide`] is a function of what stood before, the facts, the rules and the time: every delay can be
//! tried with a clock in the hand. Delays are measured from when a condition began to hold, or ceased to,
//! and not from when somebody looked.

use serde::{Deserialize, Serialize};

use crate::badge::BadgeType;
use crate::score::{Category, Scores};
use crate::time::{SECOND_MS, Timestamp};

mod addition;
mod condition;
mod decide;
mod dismissed;
mod due;
mod evidence;
mod ground;
mod jump;
mod label;
mod matched;
mod opening;
mod own;
mod pattern;
mod reason;
mod snooze;
mod standing;
mod starter;
#[cfg(test)]
mod tests;

pub use crate::badge::Slugs;
pub use addition::{ADDED_VALUES_MAX, ADDITIONS_MAX, Addition};
use condition::categories;
pub use condition::{Condition, DEPTH_MAX, depth};
pub use decide::{Decision, Facts, anew, asked, decide, is_asked, names_events};
pub use dismissed::Dismissal;
pub use due::{DUE_MINUTES_MAX, DueMinutes};
pub use evidence::Evidence;
pub use ground::{Count, Ground, Happened, hold};
pub use jump::{Jump, Taken, jump};
pub use label::Label;
pub use matched::{Matched, matched};
pub use opening::Opening;
pub use own::{NotOwn, Owner, ShownValue};
pub use pattern::Pattern;
pub use reason::{conditions_in_words, explain};
pub use snooze::Snooze;
pub use standing::{Heard, Held, Kind, Standing};
pub use starter::starter_rules;

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
            Self::Humanity => Category::Humanity.alone(),
            Self::Authenticity => Category::Authenticity.alone(),
            Self::Uniqueness => Category::Uniqueness.alone(),
            Self::Behavior => Category::Behavior.alone(),
            Self::Any => &Category::ALL,
        }
    }

    /// The scores there are.
    fn of(self, scores: &Scores) -> impl Iterator<Item = (Category, u8)> {
        self.all().iter().filter_map(|category| Some((*category, scores.get(*category)?)))
    }
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
    /// Another number after each change of what it asks: what was waited for counts anew, and what people dismissed is open
    /// again.
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
    /// What of whom it gives its badge goes on lists.
    pub adds_to_lists: Vec<Addition>,
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
    /// What of whom it opens an escalation goes on lists.
    pub adds_to_lists: Vec<Addition>,
}

/// The rules of a team that are switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub badges: Vec<BadgeRule>,
    pub escalations: Vec<EscalationRule>,
}

impl Rules {
    /// The conditions of all of them.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let of_badges = self.badges.iter().flat_map(|rule| &rule.conditions);
        of_badges.chain(self.escalations.iter().flat_map(|rule| &rule.conditions))
    }

    /// Whether one of them asks about events.
    pub fn ask_events(&self) -> bool {
        self.conditions().any(Condition::is_of_events)
    }
}
