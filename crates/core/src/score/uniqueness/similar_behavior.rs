//! Uniqueness: whether others began with the same steps in the same rhythm.
//!
//! Limits: needs eight first steps at the same pace, and three others; a class that is led in one room is left
//! out, and a script with random pauses passes.

use std::collections::HashSet;

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
use crate::snapshot::{SharedKey, Snapshot};
use crate::state::JOURNEY_EVENTS;

/// Less than usual: an application that leads newcomers by the hand makes them alike.
const WEIGHT: f64 = 0.7;
const CONFIDENCE: f64 = 0.6;

/// Others with the same steps and rhythm, and what that is worth: one or two is chance among many users, and
/// where it is the application that goes on by itself, they are all alike; so it never condemns alone.
const VALUE_BY_OTHERS: [(f64, f64); 3] = [(1.0, 0.5), (3.0, 0.38), (10.0, 0.26)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.similar-behavior",
    label: "Similar behavior",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let ids = |kind| snapshot.shared(kind).flat_map(|shared| &shared.others).map(|other| other.id.as_str());
    let (near, same): (HashSet<_>, HashSet<_>) = (ids(KeyKind::Ip).collect(), ids(KeyKind::Device).collect());
    // A class or an onboarding is led step by step, in one room.
    let is_led = |id: &str| near.contains(id) && !same.contains(id);
    let others = |shared: &SharedKey| shared.others.iter().filter(|other| !is_led(&other.id)).count();
    let others = snapshot.shared(KeyKind::Journey).map(others).max()?;
    let value = interpolate(&VALUE_BY_OTHERS, others as f64);
    if value >= 0.5 {
        return None;
    }
    let more = if others >= KeyKind::Journey.others_max() { " or more" } else { "" };
    let explanation = format!(
        "{}{more} took the same first {JOURNEY_EVENTS} steps at the same pace; people differ within a few.",
        counted(others as u64, "other account")
    );
    Some(
        Finding::new(value, CONFIDENCE, explanation)
            .with("otherAccounts", others)
            .with("steps", JOURNEY_EVENTS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};
    use crate::score::{Weights, analyze};

    #[test]
    fn one_alike_is_chance_and_many_are_a_script() {
        let with = |others| {
            said(Identity::default().shares(KeyKind::Journey, "j", others, "other").observe(ANALYZER))
        };
        assert_eq!(with(1), None);
        let words =
            "6 other accounts took the same first 8 steps at the same pace; people differ within a few.";
        assert_eq!(with(6), Some((0.329, words.to_owned())));
        let class = Identity::default().shares(KeyKind::Journey, "j", 10, "other").shares(
            KeyKind::Ip,
            "k",
            10,
            "other",
        );
        assert_eq!(class.observe(ANALYZER), None, "led step by step, in one room");
        let alone = Identity::default().shares(KeyKind::Journey, "j", 10, "other");
        assert!(analyze(&alone.snapshot(), &Weights::default()).scores.uniqueness >= Some(60));
    }
}
