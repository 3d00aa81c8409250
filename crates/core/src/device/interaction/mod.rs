//! How a page was operated, as the browser script sums it up: counts and rhythms, never contents.

use serde::{Deserialize, Serialize};

use crate::time::{DAY_MS, Timestamp};

/// One summary: what happened since the one before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Interaction {
    /// Clicks of a hand: `isTrusted` is true.
    pub clicks: u32,
    /// Clicks that the page's own code made: `isTrusted` is false.
    pub scripted_clicks: u32,
    /// Movements of a pointer.
    pub moves: u32,
    /// Touches of a screen.
    pub touches: u32,
    /// Keys pressed.
    pub keys: u32,
    /// Times the page was scrolled.
    pub scrolls: u32,
    /// The first strokes of the pointer; those seen at few places are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strokes: Vec<Stroke>,
    /// Of scripts from before there were strokes: the distance between the ends of the pointer's paths by the
    /// length of these, 0.0 to 1.0, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub straightness: Option<f64>,
    /// Pairs of different keys, one soon after the other. Older scripts do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_intervals: Option<u32>,
    /// From one key to the next on average, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_interval_millis: Option<f64>,
    /// The standard deviation of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_interval_deviation_millis: Option<f64>,
}

/// The way of a pointer from one rest or sharp turn to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stroke {
    /// Places at which it was seen.
    pub samples: u32,
    /// From the first of them to the last, in CSS pixels.
    pub x: f64,
    pub y: f64,
    /// How far from the straight line between these it was, at most, in CSS pixels.
    pub bend: f64,
    /// How uneven it was: the standard deviation of its steps, or of its speed if that is less, by the mean.
    pub variation: f64,
}

/// A stroke of fewer places is straight and even by chance: remote desktops see a movement at two or three.
const STROKE_MIN_SAMPLES: u32 = 5;
/// So is a shorter one.
const STROKE_MIN_PX: f64 = 80.0;
/// Places are whole pixels, so that a straight line is up to this far from itself.
const STRAIGHT_MAX_PX: f64 = 1.0;
/// Constant steps vary by 0 to 0.3, the more the busier the machine; a hand that starts and stops varies by
/// 0.65 (minimum jerk; Flash and Hogan, 1985).
///
/// Of 133,000 strokes of people (120 in a browser, SapiMouse; ten at remote desktops, Balabit's Mouse Dynamics
/// Challenge; 60 in a laboratory, Kieslich and Henninger, 2017) two in a thousand are straight and even, and never
/// are three of four in a row.
const EVEN_MAX_VARIATION: f64 = 0.45;
/// Keyboards, voice and switches move a pointer straight up, sideways or aslant, and at one speed.
const AIDED_EVERY_DEGREES: f64 = 45.0;
const AIDED_MAX_DEGREES: f64 = 1.0;
/// What a hand bends at least, to be taken for one.
const BENT_MIN_PX: f64 = 3.0;

impl Stroke {
    fn is_straight(&self) -> bool {
        self.bend <= STRAIGHT_MAX_PX
    }

    fn is_even(&self) -> bool {
        self.variation <= EVEN_MAX_VARIATION
    }

    fn is_along_an_aid(&self) -> bool {
        let beside = self.y.atan2(self.x).to_degrees().rem_euclid(AIDED_EVERY_DEGREES);
        beside.min(AIDED_EVERY_DEGREES - beside) <= AIDED_MAX_DEGREES
    }

    fn tally(&self) -> Tally {
        let is_short = self.samples < STROKE_MIN_SAMPLES || self.x.hypot(self.y) < STROKE_MIN_PX;
        if is_short || (self.is_straight() && self.is_along_an_aid()) {
            return Tally::default();
        }
        Tally {
            all: 1,
            odd: (self.is_straight() && self.is_even()).into(),
            hand: (self.bend >= BENT_MIN_PX && !self.is_even()).into(),
        }
    }
}

/// Older scripts: fewer movements are straight by chance.
const MOVES_MIN: u32 = 20;
/// Older scripts: so many movements stand for a stroke.
const MOVES_PER_STROKE: u32 = 10;
/// Older scripts: what is rounded to 1.
const STRAIGHTNESS_MIN: f64 = 0.9995;
/// Fewer intervals are even by chance.
const KEY_INTERVALS_MIN: u32 = 9;
/// The least deviation of a hand's rhythm, as a part of its interval: by judgement, far below what anybody
/// types, since fingers differ.
const KEY_DEVIATION_MIN: f64 = 0.05;
/// What a hand's rhythm deviates by beyond doubt.
const KEY_DEVIATION_OF_HANDS: f64 = 0.15;
/// The fastest typists need 55 ms; what is faster was not typed: scanners, password managers, security keys.
const KEY_INTERVAL_MIN_MILLIS: f64 = 50.0;

impl Interaction {
    fn strokes(&self) -> Tally {
        let Some(straightness) = self.straightness.filter(|_| self.strokes.is_empty()) else {
            let mut sum = Tally::default();
            self.strokes.iter().for_each(|stroke| sum.add(stroke.tally()));
            return sum;
        };
        // How evenly it went is not known, so that nothing of it is a hand's for sure.
        let all = self.moves / MOVES_PER_STROKE;
        let is_straight = self.moves >= MOVES_MIN && straightness >= STRAIGHTNESS_MIN;
        Tally { all, odd: if is_straight { all } else { 0 }, hand: 0 }
    }

    fn typing(&self) -> Tally {
        let count = self.key_intervals.unwrap_or_else(|| self.keys.saturating_sub(1));
        let rhythm = self.key_interval_millis.zip(self.key_interval_deviation_millis);
        rhythm
            .filter(|(interval, _)| count >= KEY_INTERVALS_MIN && *interval >= KEY_INTERVAL_MIN_MILLIS)
            .map_or_else(Tally::default, |(interval, deviation)| Tally {
                all: 1,
                odd: (deviation < interval * KEY_DEVIATION_MIN).into(),
                hand: (deviation >= interval * KEY_DEVIATION_OF_HANDS).into(),
            })
    }
}

/// Counted of late: how often in all, as software does it, as a hand does it. The rest is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub all: u32,
    pub odd: u32,
    pub hand: u32,
}

/// Beyond, what was counted is halved: so the past gives way to as much again of what came since.
pub(super) const LATEST_MAX: u32 = 64;

impl Tally {
    fn add(&mut self, other: Self) {
        self.all = self.all.saturating_add(other.all);
        self.odd = self.odd.saturating_add(other.odd);
        self.hand = self.hand.saturating_add(other.hand);
        while self.all > LATEST_MAX {
            *self = self.halved(1);
        }
    }

    fn halved(self, times: u32) -> Self {
        let half = |count: u32| count.checked_shr(times).unwrap_or(0);
        Self { all: half(self.all), odd: half(self.odd), hand: half(self.hand) }
    }

    /// The part that is as software does it.
    pub fn odd_part(self) -> f64 {
        if self.all == 0 { 0.0 } else { f64::from(self.odd) / f64::from(self.all) }
    }
}

/// What was counted is halved each time that so long has passed: what people try or borrow they do for days, and a
/// week has one of each day.
const HALF_LIFE_MS: i64 = 7 * DAY_MS;

/// All summaries of an identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interactions {
    /// Whoever made them.
    pub clicks: u32,
    /// Movements of a pointer and touches of a screen.
    pub moves: u32,
    pub keys: u32,
    pub scrolls: u32,
    /// Clicks of late; those that the page's code made are odd.
    pub latest_clicks: Tally,
    /// Strokes of late; those straighter and more even than a hand's are odd.
    pub strokes: Tally,
    /// Summaries of late with enough keys; those with a rhythm more even than a hand's are odd.
    pub typing: Tally,
    /// When what is of late was last halved, in event time.
    halved_at_ms: i64,
}

impl Interactions {
    pub fn add(&mut self, one: &Interaction, at: Timestamp) {
        let clicks = one.clicks.saturating_add(one.scripted_clicks);
        let sums = [
            (&mut self.clicks, clicks),
            (&mut self.moves, one.moves.saturating_add(one.touches)),
            (&mut self.keys, one.keys),
            (&mut self.scrolls, one.scrolls),
        ];
        for (sum, part) in sums {
            *sum = sum.saturating_add(part);
        }
        *self = self.at(at);
        // What arrives late has faded on its way.
        let age = half_lives(at.as_millis(), self.halved_at_ms);
        let latest = [
            (&mut self.latest_clicks, Tally { all: clicks, odd: one.scripted_clicks, hand: 0 }),
            (&mut self.strokes, one.strokes()),
            (&mut self.typing, one.typing()),
        ];
        for (tally, part) in latest {
            tally.add(part.halved(age));
        }
    }

    /// The same, seen from a later time.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        let age = half_lives(self.halved_at_ms, now.as_millis());
        if age > 0 {
            for tally in [&mut self.latest_clicks, &mut self.strokes, &mut self.typing] {
                *tally = tally.halved(age);
            }
            self.halved_at_ms = now.as_millis();
        }
        self
    }
}

/// Whole half-lives from one time to another; 0 where the other is earlier.
fn half_lives(from_ms: i64, to_ms: i64) -> u32 {
    let passed_ms = to_ms.saturating_sub(from_ms).max(0);
    u32::try_from(passed_ms / HALF_LIFE_MS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
