//! What reviewers have decided.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::{CATEGORIES, Event};

/// What the badges that a new team begins with say: a score in this category is below this threshold.
pub const BADGES: [(&str, &str, u64); 4] = [
    ("suspicious", "any", 40),
    ("bot", "humanity", 20),
    ("duplicate", "uniqueness", 30),
    ("throwaway", "authenticity", 25),
];

/// Which low scores somebody has looked at, and who is labeled as bad. Who closes an escalation clears the categories
/// that it is about, and no others; when another is opened about one of them, that one is to be looked at again.
/// Whoever is labeled as bad is cleared of nothing, until the label is withdrawn; whoever is labeled as good is cleared
/// of all.
#[derive(Default)]
pub struct Reviews(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    /// Users and categories.
    cleared: HashSet<(String, &'static str)>,
    /// The categories that an escalation is about, by its id.
    about: HashMap<u64, BTreeSet<&'static str>>,
    /// Of each user whether the newest of what was told says BAD, and its sequence.
    bad: HashMap<String, (u64, bool)>,
}

impl Reviews {
    /// Takes note of a label that was given or withdrawn, and of an escalation that was opened or closed; of other
    /// events nothing.
    pub fn take(&self, event: &Event) {
        let is_closed = event.name == "ESCALATION_CLOSED";
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { cleared, about, bad } = &mut *memory;
        if let Some(outcome) = outcome(event) {
            let newest = bad.entry(event.user.clone()).or_default();
            // An escalation that arrives late must not undo a newer label, nor a label a newer escalation.
            if event.sequence >= newest.0 {
                *newest = (event.sequence, outcome == "BAD");
                if event.name == "IDENTITY_LABELED" && outcome == "GOOD" {
                    cleared.extend(CATEGORIES.map(|category| (event.user.clone(), category)));
                }
            }
        }
        let Some(id) = event.data.get("escalationId").and_then(Value::as_u64) else { return };
        let about = about.entry(id).or_default();
        about.extend(subjects(event));
        for category in about.iter() {
            let subject = (event.user.clone(), *category);
            if is_closed {
                cleared.insert(subject)
            } else {
                cleared.remove(&subject)
            };
        }
    }

    pub fn has_cleared(&self, user: &str, category: &'static str) -> bool {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !memory.is_bad(user) && memory.cleared.contains(&(user.to_owned(), category))
    }

    /// Whether people have decided that the user is bad, whatever the scores.
    pub fn is_bad(&self, user: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_bad(user)
    }
}

impl Memory {
    fn is_bad(&self, user: &str) -> bool {
        self.bad.get(user).is_some_and(|(_, is_bad)| *is_bad)
    }
}

/// What people have decided of the user, GOOD, BAD or null, as an event tells it; `None` for one that does not.
fn outcome(event: &Event) -> Option<&Value> {
    match event.name.as_str() {
        "IDENTITY_LABELED" => Some(&event.data.get("label")?["outcome"]),
        "ESCALATION_OPENED" | "ESCALATION_CLOSED" => event.data.get("outcome"),
        _ => None,
    }
}

/// The categories that an escalation is about: those whose low scores its rule asks for.
fn subjects(escalation: &Event) -> BTreeSet<&'static str> {
    let conditions = escalation.data.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().flat_map(|condition| subject(escalation, condition)).collect()
}

fn subject(escalation: &Event, condition: &Value) -> BTreeSet<&'static str> {
    let text = |name: &str| condition[name].as_str().unwrap_or_default();
    let threshold = condition["threshold"].as_u64().unwrap_or_default();
    let (category, below) = match text("type") {
        "SCORE_LT" => (text("category").to_lowercase(), threshold),
        "SCORE_LTE" => (text("category").to_lowercase(), threshold + 1),
        "BADGE_EXISTS" => match BADGES.iter().find(|(badge, ..)| *badge == text("badge")) {
            Some((_, category, below)) => ((*category).to_owned(), *below),
            None => return BTreeSet::new(),
        },
        _ => return BTreeSet::new(),
    };
    if category == "any" {
        return escalation.low(below);
    }
    CATEGORIES.into_iter().filter(|known| *known == category).collect()
}
