use serde_json::{Value, json};

use super::*;

const NONE: Tally = Tally { all: 0, odd: 0, hand: 0 };
const ODD: Tally = Tally { all: 1, odd: 1, hand: 0 };
const HAND: Tally = Tally { all: 1, odd: 0, hand: 1 };
const NEITHER: Tally = Tally { all: 1, odd: 0, hand: 0 };

fn read(json: Value) -> Interaction {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_stroke_is_a_hands_or_a_rulers_or_says_nothing() {
    let cases = [
        ("a script's", (20, 310.0, -120.0, 0.0, 0.0), ODD),
        ("a script's on a busy machine", (14, -535.0, -194.0, 0.9, 0.32), ODD),
        ("five steps of a script", (5, 90.0, 41.0, 0.0, 0.0), ODD),
        ("a mouse's", (24, 280.0, 190.0, 14.0, 0.8), HAND),
        ("a hand's with tremor", (60, 200.0, 90.0, 6.0, 1.1), HAND),
        ("a flick", (9, 420.0, 130.0, 0.9, 0.7), NEITHER),
        ("a circle's", (70, 90.0, 0.0, 80.0, 0.2), NEITHER),
        ("a straight line with easing", (20, 310.0, -120.0, 0.0, 0.6), NEITHER),
        ("three places of a remote desktop", (3, 310.0, -120.0, 0.4, 0.1), NONE),
        ("a short one", (9, 60.0, 40.0, 0.8, 0.3), NONE),
        ("by a key, to the right", (40, 320.0, 0.0, 0.0, 0.0), NONE),
        ("by a key, up", (40, 0.0, -320.0, 0.0, 0.1), NONE),
        ("by a key, aslant", (40, -200.0, 200.0, 0.0, 0.0), NONE),
        ("a hand's, to the right", (30, 320.0, 3.0, 9.0, 0.7), HAND),
    ];
    for (what, (samples, x, y, bend, variation), expected) in cases {
        assert_eq!(Stroke { samples, x, y, bend, variation }.tally(), expected, "{what}");
    }
}

#[test]
fn a_summary_is_read_whoever_wrote_it() {
    let ruled = Stroke { samples: 20, x: 310.0, y: -120.0, bend: 0.0, variation: 0.0 };
    let six = [ruled; 6];
    let cases = [
        (json!({}), NONE, NONE),
        (json!({"moves": 120, "strokes": six}), Tally { all: 6, odd: 6, hand: 0 }, NONE),
        // From before there were strokes.
        (json!({"moves": 120, "straightness": 1.0}), Tally { all: 12, odd: 12, hand: 0 }, NONE),
        (json!({"moves": 120, "straightness": 0.999}), Tally { all: 12, odd: 0, hand: 0 }, NONE),
        (json!({"moves": 12, "straightness": 1.0}), NEITHER, NONE),
        (json!({"keys": 10, "keyIntervalMillis": 100.0, "keyIntervalDeviationMillis": 1.0}), NONE, ODD),
        (json!({"keys": 10, "keyIntervalMillis": 100.0, "keyIntervalDeviationMillis": 60.0}), NONE, HAND),
        (json!({"keys": 10, "keyIntervalMillis": 100.0, "keyIntervalDeviationMillis": 9.0}), NONE, NEITHER),
        (json!({"keys": 10, "keyIntervalMillis": 9.0, "keyIntervalDeviationMillis": 0.1}), NONE, NONE),
        (
            json!({"keys": 40, "keyIntervals": 3, "keyIntervalMillis": 100.0, "keyIntervalDeviationMillis": 1.0}),
            NONE,
            NONE,
        ),
    ];
    for (summary, strokes, typing) in cases {
        let read = read(summary.clone());
        assert_eq!((read.strokes(), read.typing()), (strokes, typing), "{summary}");
    }
}

#[test]
fn what_is_of_late_is_bounded_and_halved_in_time() {
    const WEEK_MS: i64 = 7 * DAY_MS;
    let start = Timestamp::from_millis(1_795_426_200_000);
    let scripted = |count: u32| Interaction { scripted_clicks: count, ..Interaction::default() };
    let latest = |added: &[(u32, i64)], now_ms: i64| {
        let mut all = Interactions::default();
        added.iter().for_each(|(count, at_ms)| all.add(&scripted(*count), start.plus_millis(*at_ms)));
        let seen = all.at(start.plus_millis(now_ms));
        (seen.clicks, seen.latest_clicks.odd)
    };
    let cases = [
        ("once", latest(&[(8, 0)], 0), (8, 8)),
        ("short of a week ago", latest(&[(8, 0)], WEEK_MS - 1), (8, 8)),
        ("a week ago", latest(&[(8, 0)], WEEK_MS), (8, 4)),
        ("three weeks ago", latest(&[(8, 0)], 3 * WEEK_MS), (8, 1)),
        ("years ago", latest(&[(8, 0)], 300 * WEEK_MS), (8, 0)),
        ("again a week later", latest(&[(8, 0), (8, WEEK_MS)], WEEK_MS), (16, 12)),
        ("told two weeks late", latest(&[(8, 0), (8, -2 * WEEK_MS)], 0), (16, 10)),
        ("more than is kept", latest(&[(60, 0), (10, 0)], 0), (70, 35)),
        ("more than can be counted", latest(&[(u32::MAX, 0), (u32::MAX, 0)], 0), (u32::MAX, 63)),
    ];
    for (what, found, expected) in cases {
        assert_eq!(found, expected, "{what}");
    }
}
