//! Behavior: how much it does in a minute, and how soon it buys.

use super::moments::moments;
use super::{Analyzer, Category, Finding, counted, duration, interpolate};
use crate::snapshot::Snapshot;
use crate::time::{MINUTE_MS, Timestamp};
use crate::words::snake;

/// As telling as an average analyzer.
const WEIGHT: f64 = 1.0;

/// Most acts within a minute, and their value. A busy person clicks about once every two seconds
/// for a while; several acts a second over a whole minute are no ordinary use.
const VALUE_BY_ACTS: [(f64, f64); 5] = [(20.0, 0.7), (40.0, 0.5), (60.0, 0.3), (120.0, 0.1), (300.0, 0.03)];
/// With this many acts the confidence is half of what it can become.
const ACTS_HALF: f64 = 6.0;
const CONFIDENCE_MAX: f64 = 0.9;
/// Below this many acts the explanation says that there is little to go by.
const ACTS_FEW: usize = 5;

/// From sign-up to payment, in milliseconds, and its value: filling in a payment form takes a
/// person half a minute; stolen cards are tried by script right after sign-up.
const VALUE_BY_PURCHASE_MS: [(f64, f64); 3] = [(5_000.0, 0.08), (20_000.0, 0.25), (60_000.0, 0.6)];
const PURCHASE_CONFIDENCE: f64 = 0.7;

pub(super) const ANALYZER: Analyzer =
    Analyzer { id: "behavior.pace", label: "Pace", category: Category::Behavior, weight: WEIGHT, observe };

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let acts = acts(snapshot)?;
    match purchase(snapshot) {
        Some(purchase) if purchase.value < acts.value => Some(purchase),
        _ => Some(acts),
    }
}

fn acts(snapshot: &Snapshot) -> Option<Finding> {
    let moments = moments(snapshot);
    if moments.len() < 2 {
        return None;
    }
    let most = most_in_a_minute(&moments);
    let few = if moments.len() < ACTS_FEW { " Little to go by yet." } else { "" };
    let explanation = format!(
        "At most {} within a minute, of the last {}; people stay below 40 a minute.{few}",
        counted(most.round() as u64, "act"),
        moments.len()
    );
    let count = moments.len() as f64;
    let confidence = CONFIDENCE_MAX * count / (count + ACTS_HALF);
    let finding = Finding::new(interpolate(&VALUE_BY_ACTS, most), confidence, explanation);
    Some(finding.with("actsInAMinute", most.round() as i64).with("acts", moments.len()))
}

/// The most acts in any minute. All remembered acts within less than a minute are only the end of
/// a longer burst or the whole of a short one: their rate is taken when it is kept for at least
/// ten seconds.
fn most_in_a_minute(moments: &[Timestamp]) -> f64 {
    const STEADY_MIN_MS: i64 = 10_000;
    let mut start = 0;
    let mut most = 0;
    for (end, at) in moments.iter().enumerate() {
        while at.millis_since(moments[start]) >= MINUTE_MS {
            start += 1;
        }
        most = most.max(end + 1 - start);
    }
    let span_ms = match moments {
        [first, .., last] => last.millis_since(*first),
        _ => 0,
    };
    if most == moments.len() && most >= crate::state::RECENT_MAX {
        (most as f64) * (MINUTE_MS as f64) / span_ms.max(STEADY_MIN_MS) as f64
    } else {
        most as f64
    }
}

fn purchase(snapshot: &Snapshot) -> Option<Finding> {
    let names = snapshot.state.names();
    let earliest = |words: &[&str]| {
        let wanted: Vec<_> =
            names.iter().map(|name| &*name.name).filter(|name| has_word(name, words)).collect();
        let recent = snapshot.state.recent();
        recent
            .filter(|event| event.name.is_some_and(|name| wanted.contains(&name)))
            .map(|event| event.at)
            .min()
    };
    let signup = earliest(&["signup", "sign_up", "signed_up", "register", "registered", "registration"])?;
    let purchase = earliest(&["purchase", "purchased", "checkout", "payment", "order", "paid", "charge"])?;
    let after_ms = purchase.millis_since(signup);
    // At the same moment, or before: reported by the backend as one act.
    if after_ms <= 0 {
        return None;
    }
    let explanation =
        format!("A purchase {} after sign-up; people need a minute or more.", duration(after_ms as f64));
    let value = interpolate(&VALUE_BY_PURCHASE_MS, after_ms as f64);
    Some(Finding::new(value, PURCHASE_CONFIDENCE, explanation).with("purchaseAfterMillis", after_ms))
}

fn has_word(name: &str, words: &[&str]) -> bool {
    let name = format!("_{}_", snake(name));
    words.iter().any(|word| name.contains(&format!("_{word}_")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn at(times_ms: impl IntoIterator<Item = i64>) -> Option<(f64, String)> {
        said(Identity::default().events("a", times_ms).observe(ANALYZER))
    }

    #[test]
    fn one_moment_has_no_pace() {
        assert_eq!(at([]), None);
        assert_eq!(at([0]), None);
        assert_eq!(at([0; 50]), None, "a batch without times");
    }

    #[test]
    fn says_how_much_was_done_in_a_minute() {
        let cases = [
            (
                vec![0, 90_000],
                0.7,
                "At most 1 act within a minute, of the last 2; people stay below 40 a minute. Little to go by yet.",
            ),
            (
                (0..10).map(|n| n * 10_000).collect(),
                0.7,
                "At most 6 acts within a minute, of the last 10; people stay below 40 a minute.",
            ),
            (
                (0..45).map(|n| n * 1_000).collect(),
                0.45,
                "At most 45 acts within a minute, of the last 45; people stay below 40 a minute.",
            ),
            (
                (0..50).map(|n| n * 500).collect(),
                0.099,
                "At most 122 acts within a minute, of the last 50; people stay below 40 a minute.",
            ),
            (
                (0..50).map(|n| n * 10).collect(),
                0.03,
                "At most 300 acts within a minute, of the last 50; people stay below 40 a minute.",
            ),
        ];
        for (times, value, explanation) in cases {
            assert_eq!(at(times), Some((value, explanation.to_owned())));
        }
    }

    #[test]
    fn a_purchase_right_after_sign_up_is_hasty() {
        let story = |after_ms| {
            said(
                Identity::default()
                    .events("user.signup", [0])
                    .events("OrderPlaced", [after_ms])
                    .observe(ANALYZER),
            )
        };
        let words = "A purchase 3.0 s after sign-up; people need a minute or more.";
        assert_eq!(story(3_000), Some((0.08, words.to_owned())));
        let patient = story(600_000).map(|(value, _)| value);
        assert_eq!(patient, Some(0.6));
    }

    #[test]
    fn names_are_matched_by_words() {
        for (name, expected) in
            [("order", true), ("order.placed", true), ("border", false), ("reorder", false)]
        {
            assert_eq!(has_word(name, &["order"]), expected, "{name}");
        }
        assert!(has_word("userSignUp", &["sign_up"]));
    }
}
