//! Behavior: whether it tries cards: payments that fail again and again.
//!
//! Limits: needs three failures, and sees only those that your application sends; a card without cover fails like
//! a stolen one.

use crate::curve::interpolate;
use crate::mapping::CanonicalType;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::acts::{most_within, of_types};
use crate::score::phrase::{counted, within};
use crate::snapshot::Snapshot;
use crate::time::HOUR_MS;

/// As telling as an average analyzer and a little more: a card that fails is common, ten are not.
const WEIGHT: f64 = 1.3;
const CONFIDENCE: f64 = 0.9;

/// Payments that failed within an hour, and what that is worth: a wrong digit, a limit, another card.
const VALUE_BY_FAILURES: [(f64, f64); 5] = [(2.0, 0.5), (4.0, 0.35), (6.0, 0.18), (10.0, 0.06), (20.0, 0.03)];
const FAILURES_MIN: usize = 3;

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.failed-payments",
    label: "Failed payments",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let failures = of_types(snapshot, &[CanonicalType::PaymentFailed]);
    let moments: Vec<_> = failures.iter().map(|(event, _)| event.at).collect();
    let (most, first, last) = most_within(HOUR_MS, &moments)?;
    if most < FAILURES_MIN {
        return None;
    }
    let within_ms = last.millis_since(first);
    let explanation = format!(
        "{} {}; people try a second card, seldom a fourth.",
        counted(most as u64, "failed payment"),
        within(within_ms)
    );
    let finding = Finding::new(interpolate(&VALUE_BY_FAILURES, most as f64), CONFIDENCE, explanation);
    Some(finding.with("failedPayments", most).with("withinMillis", within_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn one_card_may_fail_and_ten_do_not() {
        let tried = |count: i64| {
            said(
                Identity::default()
                    .events("payment_failed", (0..count).map(|n| n * 20_000))
                    .observe(ANALYZER),
            )
        };
        assert_eq!(tried(2), None);
        let words = "10 failed payments within 3.0 min; people try a second card, seldom a fourth.";
        assert_eq!(tried(10), Some((0.06, words.to_owned())));
    }
}
