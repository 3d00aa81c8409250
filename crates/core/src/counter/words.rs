//! Counters in words.

use super::{Counter, Function, Template};
use crate::fact::Fact;
use crate::rules::{Condition, Ground, Slugs, conditions_in_words};
use crate::score::Scores;
use crate::score::phrase::counted;

impl Counter {
    /// It in words: "distinct accounts per device in 1 hour, of events that are REGISTRATION".
    pub fn words(&self) -> String {
        let what = words(&self.function, &self.per, self.window_seconds);
        format!("{what}{}", conditions_words(&self.conditions))
    }
}

impl Template {
    /// It in words; `None` for none that exists.
    pub fn words(&self) -> Option<String> {
        let (function, per) = self.counts()?;
        let what = words(&function, &per, self.window_seconds);
        Some(format!("{what}{}", conditions_words(&self.conditions())))
    }
}

/// What is counted, for each of what, in which window.
fn words(function: &Function, per: &Fact, window_seconds: u64) -> String {
    let what = match function {
        Function::Count => "events".to_owned(),
        Function::Distinct(of) => format!("distinct {}", many(of)),
        Function::Sum(of) => format!("sum of {}", of.words()),
        Function::Min(of) => format!("least of {}", of.words()),
        Function::Max(of) => format!("greatest of {}", of.words()),
    };
    format!("{what} per {} in {}", one(per), window_words(window_seconds))
}

/// Of which events; nothing where of all.
fn conditions_words(conditions: &[Condition]) -> String {
    let (mut types, mut others) = (String::new(), Vec::new());
    for condition in conditions {
        match condition {
            Condition::EventIs { events } => {
                types =
                    format!("{types}{} {}", if types.is_empty() { "" } else { " and" }, events.join(" or "));
            }
            other => others.push(other.clone()),
        }
    }
    let types = if types.is_empty() { types } else { format!(", of events that are{types}") };
    if others.is_empty() {
        return types;
    }
    let (scores, carried) = (Scores::default(), Slugs::default());
    let ground = Ground { scores: &scores, carried: &carried, agent: None, event: None, lists: None };
    format!("{types}, where {}", conditions_in_words(&others, &ground))
}

/// In the largest unit of which it is a whole number.
pub fn window_words(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = UNITS.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or_else(|| counted(seconds, "second"), |(unit, name)| counted(seconds / unit, name))
}

fn one(fact: &Fact) -> String {
    match fact {
        Fact::Identity => "account".to_owned(),
        Fact::EventData(path) => format!("\"{path}\" of the event"),
        Fact::IdentityData(path) => format!("\"{path}\" of the account"),
        Fact::Country => "country".to_owned(),
        Fact::Asn => "autonomous system".to_owned(),
        other => {
            let words = other.words();
            words.strip_prefix("the ").map_or_else(|| words.clone(), str::to_owned)
        }
    }
}

fn many(fact: &Fact) -> String {
    let plain = match fact {
        Fact::Identity => "accounts",
        Fact::Device => "devices",
        Fact::Ip => "IP addresses",
        Fact::Network => "networks",
        Fact::Asn => "autonomous systems",
        Fact::Country => "countries",
        Fact::Email => "e-mail addresses",
        Fact::EmailDomain => "e-mail domains",
        Fact::Phone => "phone numbers",
        Fact::Session => "sessions",
        Fact::Agent => "AI agents",
        Fact::EventType => "event types",
        other => return format!("values of {}", one(other)),
    };
    plain.to_owned()
}
