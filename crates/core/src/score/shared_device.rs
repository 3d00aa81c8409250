//! Uniqueness: how many other accounts use the same devices.

use super::{Analyzer, Category, Finding, counted, interpolate};
use crate::link::KeyKind;
use crate::snapshot::{SHARED_COUNT_MAX, Snapshot};

/// The strongest sign of many accounts in one hand: a device is in few hands, so it counts twice
/// the usual. With the values below, two accounts on a device score about 62, three 49, five 9.
const WEIGHT: f64 = 2.0;

/// Fingerprints of the same model can coincide, so no finding is certain.
const CONFIDENCE: f64 = 0.9;
/// Nobody else on the device so far; they may still come.
const ALONE: (f64, f64) = (0.7, 0.6);

/// Other accounts on a device, and what that is worth: couples and families share one, so the
/// first others cost little; chosen for the scores above.
const BY_OTHERS: [(f64, f64); 6] =
    [(1.0, 0.45), (2.0, 0.38), (3.0, 0.28), (4.0, 0.15), (6.0, 0.08), (10.0, 0.03)];

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.shared-device",
    label: "Shared device",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let devices = snapshot.state.device_count();
    let shared = snapshot.shared.iter().filter(|shared| shared.key.kind == KeyKind::Device);
    let others = shared.map(|shared| shared.others_count).max().unwrap_or(0);
    if others == 0 {
        let (value, confidence) = ALONE;
        return (devices > 0).then(|| {
            let devices = counted(devices.into(), "device");
            Finding::new(value, confidence, format!("No other account was seen on its {devices}."))
                .with("otherAccounts", 0)
        });
    }
    let more = if others >= SHARED_COUNT_MAX { " or more" } else { "" };
    let accounts = counted(others.into(), "other account");
    let explanation =
        format!("{accounts}{more} used the same device; a device usually belongs to one person.");
    let value = interpolate(&BY_OTHERS, others.into());
    Some(Finding::new(value, CONFIDENCE, explanation).with("otherAccounts", others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};
    use crate::score::{Scores, analyze};

    fn on_a_device() -> Identity {
        Identity::default().event("a", 0, |event| event.fingerprint = Some("f".to_owned()))
    }

    #[test]
    fn abstains_without_devices() {
        assert_eq!(Identity::default().events("a", [0]).observe(ANALYZER), None);
    }

    #[test]
    fn being_alone_counts_a_little() {
        let expected = Some((0.7, "No other account was seen on its 1 device.".to_owned()));
        assert_eq!(said(on_a_device().observe(ANALYZER)), expected);
    }

    #[test]
    fn the_most_shared_device_counts() {
        let identity =
            on_a_device().shares(KeyKind::Device, "g", 1, "a").shares(KeyKind::Device, "f", 4, "b");
        let explanation = "4 other accounts used the same device; a device usually belongs to one person.";
        assert_eq!(said(identity.observe(ANALYZER)), Some((0.15, explanation.to_owned())));
    }

    #[test]
    fn a_couple_is_bearable_and_a_ring_is_not() {
        for (others, expected) in [(0, 87), (1, 62), (2, 49), (3, 30), (4, 9), (100, 0)] {
            let identity = match others {
                0 => on_a_device(),
                _ => on_a_device().shares(KeyKind::Device, "f", others, "o"),
            };
            let scores = analyze(&identity.snapshot()).scores;
            assert_eq!(Scores { uniqueness: Some(expected), ..scores }, scores, "{others} others");
        }
    }
}
