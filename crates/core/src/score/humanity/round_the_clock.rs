//! Humanity: whether it ever sleeps.
//!
//! Limits: needs 150 events on three days; an account that a team shares in several time zones looks the same.

use crate::score::contract::{Analyzer, Category, Finding};
use crate::snapshot::Snapshot;

/// Weak against people with several time zones, strong against scripts that run all day.
const WEIGHT: f64 = 1.0;
const CONFIDENCE_MAX: f64 = 0.8;

/// Fewer events or days leave hours empty by chance.
const EVENTS_MIN: u64 = 150;
const DAYS_MIN: u32 = 3;
/// The longest stretch of hours, day after day, in which at most this part of all events fall: people sleep
/// through six at least.
const QUIET_PART: f64 = 0.02;
/// Hours of that stretch, and the value.
const VALUE_BY_QUIET_HOURS: [(f64, f64); 5] = [(0.0, 0.05), (1.0, 0.1), (3.0, 0.4), (5.0, 0.6), (7.0, 0.7)];
/// With so many events the confidence is half of what it can become.
const EVENTS_HALF: f64 = 150.0;

pub const ANALYZER: Analyzer = Analyzer {
    id: "humanity.round-the-clock",
    label: "Hours of activity",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let state = snapshot.state;
    let count: u64 = state.hours().iter().map(|count| u64::from(*count)).sum();
    let is_of_person = snapshot.acts().iter().any(|act| act.is_of_person);
    if count < EVENTS_MIN || state.days() < DAYS_MIN || !is_of_person {
        return None;
    }
    let quiet = quiet_hours(state.hours());
    let days = state.days();
    let explanation = match quiet {
        0 => {
            format!("Over {days} days it was active in every hour of the day; people sleep for six or more.")
        }
        _ => format!(
            "Over {days} days it was never quiet for longer than {quiet} hours of the day; people sleep for six or \
             more."
        ),
    };
    let count = count as f64;
    let confidence = CONFIDENCE_MAX * count / (count + EVENTS_HALF);
    let value = crate::curve::interpolate(&VALUE_BY_QUIET_HOURS, quiet as f64);
    Some(Finding::new(value, confidence, explanation).with("quietHours", quiet).with("days", days))
}

/// The longest run of hours, round the clock, with hardly an event.
fn quiet_hours(hours: &[u32]) -> usize {
    let all: f64 = hours.iter().map(|count| f64::from(*count)).sum();
    let is_quiet = |from: usize, length: usize| {
        let within: f64 = (from..from + length).map(|hour| f64::from(hours[hour % hours.len()])).sum();
        within <= all * QUIET_PART
    };
    (1..=hours.len()).rev().find(|length| (0..hours.len()).any(|from| is_quiet(from, *length))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};
    use crate::time::HOUR_MS;

    #[test]
    fn people_sleep() {
        let at = |hours: &[i64]| {
            let times = (0..10_i64).flat_map(|day| hours.iter().map(move |hour| (day * 24 + hour) * HOUR_MS));
            said(Identity::default().events("a", times.collect::<Vec<_>>()).observe(ANALYZER))
        };
        let awake: Vec<_> = (0..15).collect();
        assert_eq!(at(&awake).map(|(value, _)| value), Some(0.7));
        let always: Vec<_> = (0..24).collect();
        let words = "Over 11 days it was active in every hour of the day; people sleep for six or more.";
        assert_eq!(at(&always), Some((0.05, words.to_owned())));
        assert_eq!(at(&[0]), None, "too little to go by");
    }
}
