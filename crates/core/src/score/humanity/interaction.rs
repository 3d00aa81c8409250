//! Humanity: whether a hand operates the page.
//!
//! Limits: sees only what `dregs.js` reports, and says nothing of who uses neither pointer nor keys, such as with
//! a screen reader or on a phone; software that records a hand and plays it back passes.

use crate::curve::interpolate;
use crate::device::{Interactions, Tally};
use crate::score::aggregate::thousandths;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
use crate::snapshot::Snapshot;

/// Software that takes care moves as people do.
const WEIGHT: f64 = 1.0;
const CONFIDENCE: f64 = 0.7;

/// The pointer goes straight at one speed, as two of a thousand strokes of people do: see
/// [`Stroke`](crate::device::Stroke).
const STRAIGHT: f64 = 0.05;
const EVEN: f64 = 0.12;
/// The page's own code clicks: so do slide shows, menus, uploads, password managers and assistive programs.
const SCRIPTED: f64 = 0.25;
/// Clicks without any movement, touch, key or scrolling: screen readers and voice make them, too.
const OUT_OF_NOWHERE: f64 = 0.4;
/// Fewer clicks may have been made before the script began to look.
const OUT_OF_NOWHERE_MIN: u32 = 3;
const BY_HAND: f64 = 0.72;
const NOTHING: f64 = 0.5;

/// How much a sign counts, by the part of what was seen of late that has it. Software that has it has it nearly
/// always; what comes now and then among a person's is chance, or a helper's.
const STRENGTH_BY_PART: [(f64, f64); 2] = [(0.7, 0.0), (0.9, 1.0)];
/// Likewise for clicks: a page may click by itself as often as its visitors do.
const SCRIPTED_STRENGTH_BY_PART: [(f64, f64); 2] = [(0.3, 0.0), (0.8, 1.0)];
/// And by how often it was seen. Two straight strokes are a coincidence; five are none.
const STRENGTH_BY_STROKES: [(f64, f64); 2] = [(2.0, 0.0), (5.0, 1.0)];
/// A rhythm is of ten keys or more.
const STRENGTH_BY_RHYTHMS: [(f64, f64); 3] = [(0.0, 0.0), (1.0, 0.6), (2.0, 1.0)];
const STRENGTH_BY_SCRIPTED: [(f64, f64); 2] = [(1.0, 0.0), (3.0, 1.0)];

/// What a rhythm of a hand is worth in strokes of one: it is of ten keys or more.
const STROKES_PER_RHYTHM: u32 = 3;
/// A hand is believed by its strokes, bent and uneven: what few of them show, a script shows as well.
const CREDIT_BY_STROKES: [(f64, f64); 2] = [(4.0, NOTHING), (12.0, BY_HAND)];

/// Less than this is nothing to speak of.
const VALUE_STEP: f64 = 0.005;

pub const ANALYZER: Analyzer = Analyzer {
    id: "humanity.interaction",
    label: "Pointer and keyboard",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

/// A sign: how strong it is from 0.0 to 1.0, its value at full strength, and what it is.
type Sign = (f64, f64, String);

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let seen = snapshot.state.interactions().at(snapshot.now);
    let hand = seen.strokes.hand + STROKES_PER_RHYTHM * seen.typing.hand;
    let credit = interpolate(&CREDIT_BY_STROKES, hand.into());
    let drawn = signs(&seen).map(|(strength, full, words)| (credit + (full - credit) * strength, words));
    let worst = drawn.into_iter().min_by(|one, other| one.0.total_cmp(&other.0));
    let (value, words) = worst.filter(|(value, _)| *value < credit).unwrap_or((credit, String::new()));
    let explanation = match value - NOTHING {
        less if less <= -VALUE_STEP => words,
        more if more >= VALUE_STEP => "Pointer and keys went as a hand's do.".to_owned(),
        _ => return None,
    };
    let finding = Finding::new(value, CONFIDENCE, explanation);
    let finding = finding.with("clicks", seen.clicks).with("moves", seen.moves).with("keys", seen.keys);
    let part = |tally: Tally| thousandths(tally.odd_part());
    Some(finding.with("straight", part(seen.strokes)).with("scripted", part(seen.latest_clicks)))
}

fn signs(seen: &Interactions) -> [Sign; 4] {
    let strength = |tally: Tally, by_part: &[(f64, f64)], by_count: &[(f64, f64)]| {
        interpolate(by_part, tally.odd_part()) * interpolate(by_count, tally.odd.into())
    };
    let percent = |tally: Tally| format!("{:.0}%", tally.odd_part() * 100.0);
    let by_hand = seen.moves.saturating_add(seen.keys).saturating_add(seen.scrolls);
    let is_out_of_nowhere = seen.latest_clicks.all >= OUT_OF_NOWHERE_MIN && by_hand == 0;
    [
        (
            strength(seen.strokes, &STRENGTH_BY_PART, &STRENGTH_BY_STROKES),
            STRAIGHT,
            format!(
                "{} of the pointer's latest long movements were straight lines at one speed; a hand bends and slows.",
                percent(seen.strokes)
            ),
        ),
        (
            strength(seen.typing, &STRENGTH_BY_PART, &STRENGTH_BY_RHYTHMS),
            EVEN,
            "Keys were pressed more evenly than people type.".to_owned(),
        ),
        (
            strength(seen.latest_clicks, &SCRIPTED_STRENGTH_BY_PART, &STRENGTH_BY_SCRIPTED),
            SCRIPTED,
            format!(
                "{} of the latest clicks were made by code in the page, not by hand.",
                percent(seen.latest_clicks)
            ),
        ),
        (
            f64::from(u8::from(is_out_of_nowhere)),
            OUT_OF_NOWHERE,
            format!(
                "{} and no movement, touch or key; people move before they click, unless a screen reader or their \
                 voice clicks for them.",
                counted(seen.clicks.into(), "click")
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Interaction, Stroke};
    use crate::score::fixture::{Identity, said};
    use crate::time::DAY_MS;

    const RULED: Stroke = Stroke { samples: 20, x: 310.0, y: -120.0, bend: 0.4, variation: 0.05 };
    const FREE: Stroke = Stroke { samples: 24, x: 280.0, y: 190.0, bend: 14.0, variation: 0.8 };

    /// A summary with so many strokes of a ruler and of a hand.
    fn strokes(ruled: usize, free: usize) -> Interaction {
        let strokes = [vec![RULED; ruled], vec![FREE; free]].concat();
        Interaction { moves: 25 * strokes.len() as u32, strokes, ..Interaction::default() }
    }

    /// A summary with so many keys of this rhythm.
    fn keys(count: u32, interval: f64, deviation: f64) -> Interaction {
        Interaction {
            keys: count,
            key_intervals: Some(count - 1),
            key_interval_millis: Some(interval),
            key_interval_deviation_millis: Some(deviation),
            ..Interaction::default()
        }
    }

    /// Events with summaries, each so many days after the start; an empty one is not told.
    fn operated(summaries: impl IntoIterator<Item = (i64, Interaction)>) -> Identity {
        summaries.into_iter().fold(Identity::default(), |identity, (day, interaction)| {
            identity.event("page_view", day * DAY_MS, |event| {
                event.interaction = Some(interaction).filter(|told| *told != Interaction::default());
            })
        })
    }

    #[test]
    fn tells_hands_from_code() {
        let hand = "Pointer and keys went as a hand's do.";
        let straight = "100% of the pointer's latest long movements were straight lines at one speed; a hand bends and slows.";
        let even = "Keys were pressed more evenly than people type.";
        let old = |straightness, moves| Interaction {
            moves,
            straightness: Some(straightness),
            ..Interaction::default()
        };
        let clicks = |clicks, scripted_clicks| Interaction {
            clicks,
            scripted_clicks,
            moves: 1,
            ..Interaction::default()
        };
        let cases = [
            ("a hand", strokes(0, 12), Some((0.72, hand))),
            (
                "a hand that types",
                Interaction { strokes: vec![FREE; 5], ..keys(30, 180.0, 70.0) },
                Some((0.61, hand)),
            ),
            ("a few strokes", strokes(0, 4), None),
            ("one run of keys", keys(30, 180.0, 70.0), None),
            ("two clicks after one jump", clicks(2, 0), None),
            ("six straight lines", strokes(6, 0), Some((0.05, straight))),
            ("three straight lines", strokes(3, 0), Some((0.35, straight))),
            ("two straight lines", strokes(2, 0), None),
            ("as many of a hand", strokes(6, 6), Some((0.555, hand))),
            ("an older script's straight lines", old(1.0, 120), Some((0.05, straight))),
            ("an older script's nearly straight lines", old(0.999, 120), None),
            ("even keys", keys(30, 100.0, 2.0), Some((0.272, even))),
            ("a scanner's keys", keys(30, 8.0, 0.1), None),
            ("few even keys", keys(6, 100.0, 1.0), None),
            (
                "code that clicks",
                clicks(1, 9),
                Some((0.25, "90% of the latest clicks were made by code in the page, not by hand.")),
            ),
            ("a page that opens a menu", clicks(0, 1), None),
            ("a page that helps out", clicks(4, 1), None),
            (
                "a screen reader, perhaps",
                Interaction { clicks: 3, ..Interaction::default() },
                Some((
                    0.4,
                    "3 clicks and no movement, touch or key; people move before they click, unless a screen reader or \
                     their voice clicks for them.",
                )),
            ),
            ("nothing", Interaction::default(), None),
        ];
        for (what, interaction, expected) in cases {
            let found = said(operated([(0, interaction)]).observe(ANALYZER));
            assert_eq!(found, expected.map(|(value, words)| (value, words.to_owned())), "{what}");
        }
    }

    #[test]
    fn what_was_odd_once_fades_with_what_comes_after_and_with_time() {
        let value = |summaries: Vec<(i64, Interaction)>| {
            said(operated(summaries).observe(ANALYZER)).map(|(value, _)| value)
        };
        let with = |odd: Interaction, after: Vec<(i64, Interaction)>| value([vec![(0, odd)], after].concat());
        let good: Vec<_> = (0..217).map(|at| (at / 8, strokes(0, 3))).collect();
        let mut last = good.clone();
        last.push((27, strokes(6, 0)));
        let typed = |count: i64| (0..count).map(|at| (at / 8, keys(30, 180.0, 70.0))).collect::<Vec<_>>();
        let clicked = |count: i64| {
            (0..count).map(|_| (0, Interaction { clicks: 3, ..strokes(0, 1) })).collect::<Vec<_>>()
        };
        let later = |days: i64| vec![(days, Interaction::default())];
        let scripted = Interaction { scripted_clicks: 9, ..Interaction::default() };
        let nowhere = Interaction { clicks: 5, ..Interaction::default() };
        let cases = [
            ("straight, then good", with(strokes(6, 0), good.clone()), Some(0.72)),
            ("good, then straight", value(last), Some(0.72)),
            ("straight, then one good", with(strokes(6, 0), vec![(0, strokes(0, 1))]), Some(0.146)),
            ("straight, then three good", with(strokes(6, 0), vec![(0, strokes(0, 3))]), None),
            ("straight, six days ago", with(strokes(6, 0), later(6)), Some(0.05)),
            ("straight, eight days ago", with(strokes(6, 0), later(8)), Some(0.35)),
            ("straight, a month ago", with(strokes(6, 0), later(30)), None),
            ("even, then good", with(keys(30, 100.0, 2.0), typed(20)), Some(0.72)),
            ("even, a month ago", with(keys(30, 100.0, 2.0), later(30)), None),
            ("scripted, then good", with(scripted.clone(), clicked(8)), Some(0.61)),
            ("scripted, a month ago", with(scripted, later(30)), None),
            ("out of nowhere, then moved", with(nowhere.clone(), vec![(0, strokes(0, 1))]), None),
            ("out of nowhere, a month ago", with(nowhere, later(30)), None),
            ("a script that goes on", value((0..60).map(|day| (day, strokes(6, 0))).collect()), Some(0.05)),
            (
                "good, then a script",
                value([good, (0..20).map(|_| (28, strokes(6, 0))).collect()].concat()),
                Some(0.05),
            ),
        ];
        for (what, found, expected) in cases {
            assert_eq!(found, expected, "{what}");
        }
    }
}
