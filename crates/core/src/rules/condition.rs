//! What a condition of a rule may ask, and whether it can be asked so.

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::{ANY_AGENT, SECONDS_MAX, Which};
use crate::agent;
use crate::fact::{Fact, Value};
use crate::score::Category;

/// How deep conditions may stand inside one another; those of a rule itself are the first level.
pub const DEPTH_MAX: usize = 4;
/// Values of one `FACT_IN`, event types of one `EVENT_IS`.
pub const VALUES_MAX: usize = 100;
/// Longest value.
pub const VALUE_MAX_BYTES: usize = 1_000;

/// What must hold. A category without a score matches nothing, and neither does a fact without a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The event has one of these types, by the names that are sent or by their canonical types. A rule that has it beside
    /// its other conditions, and not inside one, is asked at such events only; what it answered then stays until the next.
    EventIs {
        events: Vec<String>,
    },
    FactEq {
        fact: Fact,
        value: Value,
    },
    /// It has a value, and none that is this one.
    FactNe {
        fact: Fact,
        value: Value,
    },
    FactIn {
        fact: Fact,
        values: Vec<Value>,
    },
    FactGt {
        fact: Fact,
        value: Value,
    },
    FactLt {
        fact: Fact,
        value: Value,
    },
    FactContains {
        fact: Fact,
        value: String,
    },
    FactMatches {
        fact: Fact,
        pattern: Pattern,
    },
    /// A counter of the team, by its slug.
    CounterGt {
        counter: String,
        value: Value,
    },
    CounterLt {
        counter: String,
        value: Value,
    },
    /// A value of the fact is on a list of the team, by its slug.
    InList {
        fact: Fact,
        list: String,
    },
    /// It has a value, and none that is on the list; of a list that is gone, nothing holds.
    NotInList {
        fact: Fact,
        list: String,
    },
    All {
        conditions: Vec<Condition>,
    },
    Any {
        conditions: Vec<Condition>,
    },
    Not {
        condition: Box<Condition>,
    },
}

// No number of a condition is NaN: JSON has none.
impl Eq for Condition {}

impl Condition {
    /// Those that stand in it; none for one that asks by itself.
    pub fn inner(&self) -> &[Self] {
        match self {
            Self::All { conditions } | Self::Any { conditions } => conditions,
            Self::Not { condition } => std::slice::from_ref(condition),
            _ => &[],
        }
    }

    /// Itself, and all that stand in it.
    pub fn walk(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(std::iter::once(self).chain(self.inner().iter().flat_map(Self::walk)))
    }

    /// Whether this is true of itself, or of one that stands in it.
    fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        is(self) || self.inner().iter().any(|inner| inner.any(is))
    }

    /// The fact that it asks for.
    pub const fn fact(&self) -> Option<&Fact> {
        match self {
            Self::FactEq { fact, .. }
            | Self::FactNe { fact, .. }
            | Self::FactIn { fact, .. }
            | Self::FactGt { fact, .. }
            | Self::FactLt { fact, .. }
            | Self::FactContains { fact, .. }
            | Self::FactMatches { fact, .. }
            | Self::InList { fact, .. }
            | Self::NotInList { fact, .. } => Some(fact),
            _ => None,
        }
    }

    /// The slug of the counter that it asks for.
    pub fn counter(&self) -> Option<&str> {
        match self {
            Self::CounterGt { counter, .. } | Self::CounterLt { counter, .. } => Some(counter),
            _ => None,
        }
    }

    /// The slug of the list that it asks for.
    pub fn list(&self) -> Option<&str> {
        match self {
            Self::InList { list, .. } | Self::NotInList { list, .. } => Some(list),
            _ => None,
        }
    }

    /// Whether only escalation rules may have it.
    pub fn is_of_escalations(&self) -> bool {
        let asks = |one: &Self| {
            let is_old = matches!(
                one,
                Self::IdentityAgeLt { .. } | Self::BadgeExists { .. } | Self::BadgeNotExists { .. }
            );
            is_old || one.fact() == Some(&Fact::Badge)
        };
        self.any(&asks)
    }

    /// Whether it asks for an agent.
    pub fn is_of_agents(&self) -> bool {
        self.any(&|one| matches!(one, Self::AgentIs { .. }))
    }

    /// Whether it asks for something that only an event, with its identity, can answer.
    pub fn is_of_events(&self) -> bool {
        let asks = |one: &Self| {
            one.fact().is_some() || one.counter().is_some() || matches!(one, Self::EventIs { .. })
        };
        self.any(&asks)
    }

    /// Whether an event and its identity are enough to answer it, so that counters may have it.
    pub fn is_of_counters(&self) -> bool {
        self.walk().all(|one| match one {
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } | Self::EventIs { .. } => true,
            other => other.list().is_none() && other.fact().is_some_and(Fact::is_of_event),
        })
    }

    /// The slug of the badge that it names itself.
    pub fn badge(&self) -> Option<&str> {
        match self {
            Self::BadgeExists { badge } | Self::BadgeNotExists { badge } => Some(badge),
            _ => None,
        }
    }

    /// Whether it asks for badges, whichever.
    pub fn is_of_badges(&self) -> bool {
        self.any(&|one| one.badge().is_some() || one.fact() == Some(&Fact::Badge))
    }

    /// The field of it that is wrong, if one is, and how; those that stand in it apart.
    pub fn flaw(&self) -> Option<(&'static str, String)> {
        let said = |field, words: &str| Some((field, words.to_owned()));
        match self {
            Self::ScoreLt { threshold, .. }
            | Self::ScoreLte { threshold, .. }
            | Self::ScoreGt { threshold, .. }
            | Self::ScoreGte { threshold, .. }
                if *threshold > 100 =>
            {
                said("threshold", "must be from 0 to 100")
            }
            Self::IdentityAgeGt { seconds } | Self::IdentityAgeLt { seconds } if *seconds > SECONDS_MAX => {
                Some(("seconds", format!("must be from 0 to {SECONDS_MAX}")))
            }
            Self::BadgeExists { badge } | Self::BadgeNotExists { badge } if badge.is_empty() => {
                said("badge", "must be the slug of a badge")
            }
            Self::AgentIs { agent, .. }
                if !agent::is_known_as(agent) && !agent.eq_ignore_ascii_case(ANY_AGENT) =>
            {
                Some(("agent", format!("must be {ANY_AGENT}, or the name or the operator of a known agent")))
            }
            Self::EventIs { events } => flaw_of_texts("events", events.iter().map(String::as_str)),
            Self::FactIn { values, .. } => {
                let texts: Vec<_> = values.iter().map(Value::text).collect();
                flaw_of_texts("values", texts.iter().map(AsRef::as_ref))
            }
            Self::FactEq { value, .. } | Self::FactNe { value, .. }
                if value.text().len() > VALUE_MAX_BYTES =>
            {
                Some(("value", format!("must have at most {VALUE_MAX_BYTES} bytes")))
            }
            Self::FactContains { value, .. } if value.trim().is_empty() || value.len() > VALUE_MAX_BYTES => {
                Some(("value", format!("must have 1 to {VALUE_MAX_BYTES} bytes")))
            }
            Self::FactGt { value, .. }
            | Self::FactLt { value, .. }
            | Self::CounterGt { value, .. }
            | Self::CounterLt { value, .. }
                if value.number().is_none() =>
            {
                said("value", "must be a number")
            }
            Self::CounterGt { counter, .. } | Self::CounterLt { counter, .. } if counter.is_empty() => {
                said("counter", "must be the slug of a counter")
            }
            Self::InList { list, .. } | Self::NotInList { list, .. } if list.is_empty() => {
                said("list", "must be the slug of a list")
            }
            Self::All { conditions } | Self::Any { conditions } if conditions.is_empty() => {
                said("conditions", "must have 1 condition or more")
            }
            Self::All { conditions } | Self::Any { conditions } => flaw_of_inner("conditions", conditions),
            Self::Not { condition } => flaw_of_inner("condition", std::slice::from_ref(condition)),
            _ => None,
        }
    }

    /// The categories whose scores it asks for.
    fn categories(&self) -> &'static [Category] {
        match self {
            Self::ScoreLt { category, .. }
            | Self::ScoreLte { category, .. }
            | Self::ScoreGt { category, .. }
            | Self::ScoreGte { category, .. } => category.all(),
            other => match other.fact() {
                Some(Fact::Score(category)) => category.alone(),
                _ => &[],
            },
        }
    }
}

fn flaw_of_texts<'t>(
    field: &'static str,
    mut texts: impl ExactSizeIterator<Item = &'t str>,
) -> Option<(&'static str, String)> {
    let flaw = match texts.len() {
        0 => "must have a value".to_owned(),
        count if count > VALUES_MAX => format!("must have at most {VALUES_MAX} values"),
        _ => {
            let is_right = texts.all(|text| (1..=VALUE_MAX_BYTES).contains(&text.trim().len()));
            return (!is_right)
                .then(|| (field, format!("must have values of 1 to {VALUE_MAX_BYTES} bytes each")));
        }
    };
    Some((field, flaw))
}

/// Ages of identities change with time alone, and what changes so is looked at beside the others, not inside one.
fn flaw_of_inner(field: &'static str, inner: &[Condition]) -> Option<(&'static str, String)> {
    let is_age =
        |one: &Condition| matches!(one, Condition::IdentityAgeGt { .. } | Condition::IdentityAgeLt { .. });
    inner.iter().any(is_age).then(|| {
        let words = "must not have an IDENTITY_AGE_…: place it beside, or use the fact identity.ageSeconds";
        (field, words.to_owned())
    })
}

/// The categories whose scores these conditions ask for.
pub(super) fn categories(conditions: &[Condition]) -> impl Iterator<Item = Category> {
    conditions.iter().flat_map(Condition::walk).flat_map(|condition| condition.categories()).copied()
}

/// How deep they stand inside one another.
pub fn depth(conditions: &[Condition]) -> usize {
    conditions.iter().map(|condition| 1 + depth(condition.inner())).max().unwrap_or(0)
}
