//! Behavior: whether it floods others with messages, invitations or posts.
//!
//! Limits: counts messages, invitations and posts within ten minutes, not what they say; a slow flood passes.

use crate::curve::interpolate;
use crate::mapping::CanonicalType;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::acts::{most_within, of_types};
use crate::score::phrase::within;
use crate::snapshot::Snapshot;
use crate::time::{DAY_MS, MINUTE_MS};

/// As telling as an average analyzer: whoever runs a community writes much, too.
const WEIGHT: f64 = 1.0;
const CONFIDENCE: f64 = 0.8;

/// What reaches others.
const OUTREACH: [CanonicalType; 4] = [
    CanonicalType::MessageSent,
    CanonicalType::InviteSent,
    CanonicalType::ContentCreated,
    CanonicalType::Referral,
];
const STRETCH_MS: i64 = 10 * MINUTE_MS;
/// So much within ten minutes, and what that is worth: a busy chat has one message every twenty seconds.
const VALUE_BY_COUNT: [(f64, f64); 4] = [(20.0, 0.5), (30.0, 0.3), (40.0, 0.15), (50.0, 0.06)];
/// For an account's first day half as much is enough: newcomers look around first.
const NEW_MS: i64 = DAY_MS;
const NEW_FACTOR: f64 = 2.0;

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.outreach",
    label: "Messages, invitations and posts",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let began_at = snapshot.state.first_event_at()?;
    let acts = of_types(snapshot, &OUTREACH);
    let moments: Vec<_> = acts.iter().map(|(event, _)| event.at).collect();
    let (most, first, last) = most_within(STRETCH_MS, &moments)?;
    let is_new = first.millis_since(began_at) <= NEW_MS;
    let strength = most as f64 * if is_new { NEW_FACTOR } else { 1.0 };
    let value = interpolate(&VALUE_BY_COUNT, strength);
    if value >= 0.5 {
        return None;
    }
    let within_ms = last.millis_since(first);
    let explanation = format!(
        "{most} messages, invitations or posts {}{}; people reach out to a few at a time.",
        within(within_ms),
        if is_new { " on its first day" } else { "" }
    );
    Some(Finding::new(value, CONFIDENCE, explanation).with("count", most).with("withinMillis", within_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn a_chat_is_fine_and_a_flood_is_not() {
        let sent = |from: i64, count: i64, gap_ms: i64| {
            let identity = Identity::default().events("signup", [0]);
            said(identity.events("message.sent", (0..count).map(|n| from + n * gap_ms)).observe(ANALYZER))
        };
        assert_eq!(sent(2 * DAY_MS, 20, 20_000), None);
        assert_eq!(sent(60_000, 8, 20_000), None);
        let words = "25 messages, invitations or posts within 2.0 min on its first day; people reach out to a few at a time.";
        assert_eq!(sent(60_000, 25, 5_000), Some((0.06, words.to_owned())));
    }
}
