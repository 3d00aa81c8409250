//! Behavior: whether it does the same thing over and over, at the same interval.
//!
//! Limits: sees one name at one interval; software that mixes its acts or its pauses passes, and events that your
//! application sends by itself are left out.

use crate::curve::interpolate;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::duration;
use crate::snapshot::Snapshot;
use crate::state::RecentEvent;
use crate::time::HOUR_MS;

/// A little less than usual: it often sees what the rhythm of events shows as well.
const WEIGHT: f64 = 0.8;

/// Fewer events show no repetition.
const EVENTS_MIN: usize = 4;
/// Intervals that differ by less than this part are the same.
const INTERVAL_TOLERANCE: f64 = 0.1;
/// Or by less than this: the clocks and queues between a script and its server.
const INTERVAL_TOLERANCE_MS: f64 = 50.0;
/// At longer intervals it is a schedule, and mostly the application's own.
const INTERVAL_MAX_MS: i64 = HOUR_MS;

/// Longest run of repetitions, and its value. Three alike in a row happen to anybody.
const VALUE_BY_RUN: [(f64, f64); 5] = [(2.0, 0.65), (4.0, 0.5), (8.0, 0.25), (15.0, 0.08), (30.0, 0.03)];
/// With this many events the confidence is half of what it can become.
const EVENTS_HALF: f64 = 6.0;
const CONFIDENCE_MAX: f64 = 0.9;

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.repetition",
    label: "Repetition",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

/// A run of events of the same name at the same interval.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Intervals in the run, one less than its events.
    length: usize,
    interval_ms: i64,
}

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let own = snapshot.acts().iter().filter(|act| !act.is_automatic);
    let events: Vec<_> = own.map(|act| act.event).collect();
    if events.len() < EVENTS_MIN {
        return None;
    }
    let (run, name) = longest_run(&events);
    let explanation = match (run.length, name) {
        (2.., Some(name)) => format!(
            "\"{name}\" came {} times in a row, about {} apart; people rarely repeat themselves more than 4 \
             times.",
            run.length + 1,
            duration(run.interval_ms as f64)
        ),
        _ => format!("No event of the last {} repeats at an even interval.", events.len()),
    };
    let count = events.len() as f64;
    let confidence = CONFIDENCE_MAX * count / (count + EVENTS_HALF);
    let finding = Finding::new(interpolate(&VALUE_BY_RUN, run.length as f64), confidence, explanation);
    let finding = finding.with("repetitions", run.length).with("events", events.len());
    Some(if run.length < 2 {
        finding
    } else {
        finding.with("times", run.length + 1).with("intervalMillis", run.interval_ms)
    })
}

/// The longest run and the name of its events, which are sorted by time. Events of unknown names
/// may differ and make no run.
fn longest_run<'a>(events: &[RecentEvent<'a>]) -> (Run, Option<&'a str>) {
    let mut best = (Run::default(), None);
    let mut run = Run::default();
    for pair in events.windows(2) {
        let interval_ms = pair[1].at.millis_since(pair[0].at);
        let is_same_act = pair[0].name.is_some() && pair[0].name == pair[1].name;
        if !is_same_act || !(1..=INTERVAL_MAX_MS).contains(&interval_ms) {
            run = Run::default();
            continue;
        }
        run = match run.length {
            0 => Run { length: 1, interval_ms },
            length if is_even(run.interval_ms, interval_ms) => Run { length: length + 1, ..run },
            _ => Run { length: 1, interval_ms },
        };
        if run.length > best.0.length {
            best = (run, pair[1].name);
        }
    }
    best
}

fn is_even(first_ms: i64, other_ms: i64) -> bool {
    let difference = (other_ms - first_ms).abs() as f64;
    difference <= (first_ms as f64 * INTERVAL_TOLERANCE).max(INTERVAL_TOLERANCE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn check(identity: Identity, expected: Option<(f64, &str)>) {
        let expected = expected.map(|(value, words)| (value, words.to_owned()));
        assert_eq!(said(identity.observe(ANALYZER)), expected);
    }

    #[test]
    fn few_events_repeat_nothing() {
        check(Identity::default().events("a", [0, 1_000, 2_000]), None);
        check(Identity::default().events("heartbeat", (0..40).map(|n| n * 1_000)), None);
    }

    #[test]
    fn the_same_act_at_an_even_interval_is_told() {
        let words = "\"message.sent\" came 16 times in a row, about 31.0 s apart; people rarely repeat \
                     themselves more than 4 times.";
        let uneven_by_a_tenth = (0..16).map(|n| n * 30_000 + (n % 2) * 1_000);
        check(Identity::default().events("message.sent", uneven_by_a_tenth), Some((0.08, words)));
    }

    #[test]
    fn changing_acts_or_intervals_repeat_nothing() {
        let words = "No event of the last 10 repeats at an even interval.";
        let turns = (0..10).fold(Identity::default(), |identity, n| {
            identity.events(if n % 2 == 0 { "a" } else { "b" }, [n * 1_000])
        });
        check(turns, Some((0.65, words)));
        check(Identity::default().events("a", (0..10).map(|n| n * n * 1_000)), Some((0.65, words)));
        check(Identity::default().events("a", [0; 10]), Some((0.65, words)));
        check(Identity::default().events("a", (0..10).map(|n| n * 4_000_000)), Some((0.65, words)));
    }
}
