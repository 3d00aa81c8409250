//! What a reviewer has settled.

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

/// Which low scores somebody has looked at. Who closes an escalation clears the categories that it is about,
/// and no others; when another is opened about one of them, that one is to be looked at again.
#[derive(Default)]
pub struct Reviews(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    /// Users and categories.
    cleared: HashSet<(String, &'static str)>,
    /// The categories that an escalation is about, by its id.
    about: HashMap<u64, BTreeSet<&'static str>>,
}

impl Reviews {
    /// Takes note of an escalation that was opened or closed; of other events nothing.
    pub fn take(&self, event: &Event) {
        let is_closed = event.name == "ESCALATION_CLOSED";
        let Some(id) = event.data.get("escalationId").and_then(Value::as_u64) else { return };
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { cleared, about } = &mut *memory;
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cleared.contains(&(user.to_owned(), category))
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
