//! Behavior: whether accounts that have more in common redeem one promotion or referral code: one person
//! who refers themself, or takes the bonus of newcomers again and again.

use std::collections::BTreeSet;

use super::{Analyzer, Category, Finding, counted, interpolate};
use crate::link::KeyKind;
use crate::snapshot::Snapshot;

/// A code alone says nothing, since it is made to be passed on; with a device in common it is telling.
const WEIGHT: f64 = 1.2;
const CONFIDENCE: f64 = 0.8;

/// What accounts on one code have in common, and how much one such account counts. At one address colleagues
/// and families pass codes on.
const TIES: [(KeyKind, f64); 5] = [
    (KeyKind::Device, 1.0),
    (KeyKind::Session, 1.0),
    (KeyKind::Mailbox, 0.7),
    (KeyKind::Journey, 0.5),
    (KeyKind::Ip, 0.1),
];
/// Accounts with nothing but an address in common count for so much together, at most.
const BY_ADDRESS_MAX: f64 = 1.0;

/// A couple may refer each other.
const VALUE_BY_STRENGTH: [(f64, f64); 4] = [(0.5, 0.5), (1.0, 0.42), (3.0, 0.15), (8.0, 0.04)];

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "behavior.code-ring",
    label: "Promotion and referral codes",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let ids = |kind| snapshot.shared(kind).flat_map(|shared| &shared.others).map(|other| other.id.as_str());
    let on_code: BTreeSet<&str> = ids(KeyKind::Code).collect();
    let (mut tied, mut strength) = (BTreeSet::new(), 0.0);
    for (kind, counts) in TIES {
        let before = tied.len();
        tied.extend(ids(kind).filter(|id| on_code.contains(id)));
        let new = (tied.len() - before) as f64 * counts;
        strength += if kind == KeyKind::Ip { new.min(BY_ADDRESS_MAX) } else { new };
    }
    let value = interpolate(&VALUE_BY_STRENGTH, strength);
    if value >= 0.5 {
        return None;
    }
    let explanation = format!(
        "{} used the same promotion or referral code, and shared a device, a session, a mailbox, their steps or \
         an address with this one; codes are meant for different people.",
        counted(tied.len() as u64, "other account")
    );
    Some(Finding::new(value, CONFIDENCE, explanation).with("otherAccounts", tied.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn with(kind: KeyKind, others: u32) -> Option<(f64, String)> {
        let ada = Identity::default().shares(KeyKind::Code, "welcome10", 40, "other");
        said(ada.shares(kind, "k", others, "other").observe(ANALYZER))
    }

    #[test]
    fn a_code_is_a_ring_where_a_device_is_shared_as_well() {
        let words = "3 other accounts used the same promotion or referral code, and shared a device, a session, a \
                     mailbox, their steps or an address with this one; codes are meant for different people.";
        assert_eq!(with(KeyKind::Device, 3), Some((0.15, words.to_owned())));
        assert_eq!(with(KeyKind::Device, 0), None, "a code for everybody");
        assert_eq!(with(KeyKind::Ip, 5), None, "a family");
        assert_eq!(with(KeyKind::Ip, 40).map(|(value, _)| value), Some(0.42), "an office");
    }
}
