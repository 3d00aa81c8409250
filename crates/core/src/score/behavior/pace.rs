//! Behavior: how much it does in a minute, and how soon it buys or redeems a code.
//!
//! Limits: remembers the last fifty acts; a purchase in the very second of the sign-up is mostly a checkout that
//! makes the account and hardly counts.

use crate::curve::interpolate;
use crate::mapping::CanonicalType;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::acts::most_within;
use crate::score::features::moments::moments;
use crate::score::phrase::{counted, duration};
use crate::snapshot::{Act, Snapshot};
use crate::time::{MINUTE_MS, SECOND_MS};

/// As telling as an average analyzer. At most fifty acts are remembered, so more than that look like fifty.
const WEIGHT: f64 = 1.0;

/// A stretch of time, and what the most acts within any such stretch are worth.
struct Stretch {
    millis: i64,
    words: &'static str,
    people_below: u32,
    value_by_acts: [(f64, f64); 4],
}

/// A busy person acts about once every two seconds for a while, and in a flurry a little more than
/// once a second.
const STRETCHES: [Stretch; 2] = [
    Stretch {
        millis: MINUTE_MS,
        words: "a minute",
        people_below: 30,
        value_by_acts: [(15.0, 0.7), (30.0, 0.55), (40.0, 0.4), (50.0, 0.25)],
    },
    Stretch {
        millis: 10 * SECOND_MS,
        words: "ten seconds",
        people_below: 15,
        value_by_acts: [(8.0, 0.7), (15.0, 0.5), (30.0, 0.12), (50.0, 0.03)],
    },
];
/// With this many acts the confidence is half of what it can become.
const ACTS_HALF: f64 = 6.0;
const CONFIDENCE_MAX: f64 = 0.9;
/// Below this many acts the explanation says that there is little to go by.
const ACTS_FEW: usize = 5;

/// From sign-up to a payment or a code, in milliseconds, and its value: filling in a payment form takes a
/// person half a minute; stolen cards and codes are tried by script right after sign-up. After a minute
/// there is nothing to remark, and haste never speaks for anybody.
const VALUE_BY_PURCHASE_MS: [(f64, f64); 3] = [(5_000.0, 0.08), (20_000.0, 0.25), (50_000.0, 0.5)];
const PURCHASE_HASTY_MAX_MS: i64 = MINUTE_MS;
const PURCHASE_CONFIDENCE: f64 = 0.7;
/// Within a second it may be one act that the backend reports in two events, as at a checkout that makes an
/// account.
const AT_ONCE_CONFIDENCE: f64 = 0.15;

pub const ANALYZER: Analyzer =
    Analyzer { id: "behavior.pace", label: "Pace", category: Category::Behavior, weight: WEIGHT, observe };

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let findings = [
        acts(snapshot),
        purchase(snapshot, CanonicalType::Purchase),
        purchase(snapshot, CanonicalType::PromoRedeem),
    ]
    .into_iter()
    .flatten();
    findings.min_by(|one, other| one.value.total_cmp(&other.value))
}

fn acts(snapshot: &Snapshot) -> Option<Finding> {
    let moments = moments(snapshot);
    if moments.len() < 2 {
        return None;
    }
    let judge = |stretch: &'static Stretch| {
        let most = most_within(stretch.millis, &moments).map_or(0, |(most, _, _)| most);
        (interpolate(&stretch.value_by_acts, most as f64), most, stretch)
    };
    let (value, most, stretch) = STRETCHES.iter().map(judge).min_by(|a, b| a.0.total_cmp(&b.0))?;
    let few = if moments.len() < ACTS_FEW { " Little to go by yet." } else { "" };
    // Acts before the last ones are not remembered, and may have come as fast.
    let how_many = if most < stretch.people_below as usize { "At most" } else { "At least" };
    let explanation = format!(
        "{how_many} {} within {}, of the last {}; people stay below {}.{few}",
        counted(most as u64, "act"),
        stretch.words,
        moments.len(),
        stretch.people_below
    );
    let count = moments.len() as f64;
    let confidence = CONFIDENCE_MAX * count / (count + ACTS_HALF);
    let finding = Finding::new(value, confidence, explanation);
    Some(finding.with("mostActs", most).with("withinMillis", stretch.millis).with("acts", moments.len()))
}

fn purchase(snapshot: &Snapshot, wanted: CanonicalType) -> Option<Finding> {
    let earliest = |wanted: CanonicalType| {
        let is_it = |act: &&Act| act.is_of_person && act.meaning == Some(wanted);
        snapshot.acts().iter().find(is_it).map(|act| act.event.at)
    };
    let signup = earliest(CanonicalType::Registration)?;
    let purchase = earliest(wanted)?;
    let what = if wanted == CanonicalType::Purchase { "purchase" } else { "promotion code" };
    let after_ms = purchase.millis_since(signup);
    if !(0..=PURCHASE_HASTY_MAX_MS).contains(&after_ms) {
        return None;
    }
    let (explanation, confidence) = match after_ms {
        ..SECOND_MS => {
            (format!("A {what} at the moment of sign-up; people need a minute or more."), AT_ONCE_CONFIDENCE)
        }
        _ => (
            format!("A {what} {} after sign-up; people need a minute or more.", duration(after_ms as f64)),
            PURCHASE_CONFIDENCE,
        ),
    };
    let value = interpolate(&VALUE_BY_PURCHASE_MS, after_ms as f64);
    Some(Finding::new(value, confidence, explanation).with("purchaseAfterMillis", after_ms))
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
        let every = |gap_ms: i64, count: i64| (0..count).map(move |n| n * gap_ms);
        let cases = [
            (
                every(90_000, 2),
                0.7,
                "At most 1 act within a minute, of the last 2; people stay below 30. Little to go by yet.",
            ),
            (every(10_000, 10), 0.7, "At most 6 acts within a minute, of the last 10; people stay below 30."),
            (
                every(1_500, 45),
                0.4,
                "At least 40 acts within a minute, of the last 45; people stay below 30.",
            ),
            (every(500, 50), 0.25, "At least 50 acts within a minute, of the last 50; people stay below 30."),
            (
                every(300, 50),
                0.102,
                "At least 34 acts within ten seconds, of the last 50; people stay below 15.",
            ),
            (
                every(10, 50),
                0.03,
                "At least 50 acts within ten seconds, of the last 50; people stay below 15.",
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
        let value = |after_ms| story(after_ms).map(|(value, _)| value);
        assert_eq!(value(600_000), Some(0.7));
        for after_ms in (0..=60_000).step_by(500) {
            assert!(value(after_ms) <= Some(0.5), "{after_ms} ms speak for somebody");
        }
    }

    #[test]
    fn names_are_matched_by_words() {
        let is_hasty = |signup: &str, purchase: &str| {
            let story = Identity::default().events(signup, [0]).events(purchase, [3_000]);
            story
                .observe(ANALYZER)
                .is_some_and(|finding| finding.metadata.contains_key("purchaseAfterMillis"))
        };
        for (signup, purchase, expected) in [
            ("user.signup", "order", true),
            ("userSignUp", "Payment Received", true),
            ("registration", "checkout-done", true),
            ("user.signup", "reorder.list", false),
            ("cash_register", "border", false),
            ("login", "order", false),
            ("user.signup", "promo_redeemed", true),
        ] {
            assert_eq!(is_hasty(signup, purchase), expected, "{signup} {purchase}");
        }
    }
}
