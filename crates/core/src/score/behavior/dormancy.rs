//! Behavior: whether it lay still for months and is suddenly busy, as accounts do that are kept in stock or
//! were bought.
//!
//! Limits: needs a pause of thirty days and twenty acts within ten minutes of the first week after it; whoever
//! comes back with much to do looks the same.

use crate::curve::interpolate;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::acts::most_within;
use crate::score::features::moments::moments;
use crate::snapshot::Snapshot;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// Less telling than a burst of its own: customers do come back.
const WEIGHT: f64 = 1.2;
const CONFIDENCE: f64 = 0.8;

/// A pause of a month is more than a holiday.
const PAUSE_MIN_MS: u64 = 30 * DAY_MS as u64;
/// It counts for as long after its end.
const AFTER_MS: i64 = 7 * DAY_MS;
/// The most acts within ten minutes after the pause, and what they are worth: who comes back looks around
/// at a reader's pace, with some fifteen acts in a visit.
const STRETCH_MS: i64 = 10 * MINUTE_MS;
const VALUE_BY_ACTS: [(f64, f64); 4] = [(20.0, 0.5), (28.0, 0.3), (40.0, 0.15), (50.0, 0.08)];
/// Acts count so many times if it came back with another device than it had.
const OTHER_DEVICE: f64 = 1.3;
/// A device is new within this of the pause's end.
const NEW_MS: i64 = HOUR_MS;

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.dormancy",
    label: "Busy after a long pause",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let (pause_ms, until) = snapshot.state.longest_pause();
    if pause_ms < PAUSE_MIN_MS || snapshot.now.millis_since(until) > AFTER_MS {
        return None;
    }
    let after: Vec<_> = moments(snapshot).into_iter().filter(|at| *at >= until).collect();
    let (most, _, _) = most_within(STRETCH_MS, &after)?;
    let devices = snapshot.state.devices();
    let is_new = |first_at: crate::time::Timestamp| (0..=NEW_MS).contains(&first_at.millis_since(until));
    let is_other =
        devices.iter().any(|seen| is_new(seen.first_at)) && devices.iter().any(|seen| !is_new(seen.first_at));
    let value = interpolate(&VALUE_BY_ACTS, most as f64 * if is_other { OTHER_DEVICE } else { 1.0 });
    if value >= 0.5 {
        return None;
    }
    let days = pause_ms / DAY_MS as u64;
    let explanation = format!(
        "After {} days without a sign of life, {most} acts within ten minutes{}; who comes back usually looks around \
         first.",
        days,
        if is_other { ", from another device" } else { "" }
    );
    let finding = Finding::new(value, CONFIDENCE, explanation).with("pauseMillis", pause_ms);
    Some(finding.with("pauseDays", days).with("acts", most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn after(pause_ms: i64, acts: i64, gap_ms: i64, device: &str) -> Option<(f64, String)> {
        let at =
            |device: String| move |event: &mut crate::event::Event| event.fingerprint = Some(device.clone());
        let first = Identity::default().event("signup", 0, at("first".to_owned()));
        let busy = (0..acts)
            .fold(first, |identity, n| identity.event("act", pause_ms + n * gap_ms, at(device.to_owned())));
        said(busy.observe(ANALYZER))
    }

    #[test]
    fn who_comes_back_looks_around_and_stock_is_put_to_work() {
        assert_eq!(after(90 * DAY_MS, 15, 20_000, "other"), None, "a visit");
        assert_eq!(after(20 * DAY_MS, 50, 3_000, "other"), None, "a holiday");
        let words = "After 90 days without a sign of life, 40 acts within ten minutes; who comes back usually looks \
                     around first.";
        assert_eq!(after(90 * DAY_MS, 40, 4_000, "first"), Some((0.15, words.to_owned())));
        let words = "After 90 days without a sign of life, 40 acts within ten minutes, from another device; who comes \
                     back usually looks around first.";
        assert_eq!(after(90 * DAY_MS, 40, 4_000, "other"), Some((0.08, words.to_owned())));
    }
}
