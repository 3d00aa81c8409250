//! Uniqueness: whether others began with the same steps in the same rhythm.

use super::{Analyzer, Category, Finding, counted, interpolate};
use crate::link::KeyKind;
use crate::snapshot::Snapshot;
use crate::state::JOURNEY_EVENTS;

/// Less than usual: an application that leads newcomers by the hand makes them alike.
const WEIGHT: f64 = 0.7;
const CONFIDENCE: f64 = 0.6;

/// Others with the same steps and rhythm, and what that is worth: one or two is chance among many users.
const VALUE_BY_OTHERS: [(f64, f64); 4] = [(1.0, 0.5), (3.0, 0.35), (6.0, 0.2), (10.0, 0.1)];

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.similar-behavior",
    label: "Similar behavior",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let others = snapshot.shared(KeyKind::Journey).map(|shared| shared.others.len()).max()?;
    let value = interpolate(&VALUE_BY_OTHERS, others as f64);
    if value >= 0.5 {
        return None;
    }
    let more = if others >= KeyKind::Journey.others_max() { " or more" } else { "" };
    let explanation = format!(
        "{}{more} took the same first {JOURNEY_EVENTS} steps at the same pace; people differ within a few.",
        counted(others as u64, "other account")
    );
    Some(Finding::new(value, CONFIDENCE, explanation).with("otherAccounts", others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn one_alike_is_chance_and_many_are_a_script() {
        let with = |others| {
            said(Identity::default().shares(KeyKind::Journey, "j", others, "other").observe(ANALYZER))
        };
        assert_eq!(with(1), None);
        let words =
            "6 other accounts took the same first 8 steps at the same pace; people differ within a few.";
        assert_eq!(with(6), Some((0.2, words.to_owned())));
    }
}
