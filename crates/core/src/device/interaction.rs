//! How a page was operated, as the browser script sums it up: counts and rhythms, never contents.

use serde::{Deserialize, Serialize};

/// One summary: what happened since the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// How straight the pointer went: the distance between the ends of its paths by the length of these,
    /// 0.0 to 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub straightness: Option<f64>,
    /// From one key to the next on average, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_interval_millis: Option<f64>,
    /// The standard deviation of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_interval_deviation_millis: Option<f64>,
}

/// Fewer movements are straight by chance.
const MOVES_MIN: u32 = 20;
/// By judgement: a hand never moves so straight; a script that moves a pointer does, unless it takes care.
const STRAIGHTNESS_MAX: f64 = 0.995;
/// Fewer keys are even by chance.
const KEYS_MIN: u32 = 10;
/// The least deviation of a hand's rhythm, as a part of its interval: by judgement, far below what anybody
/// types, since fingers differ.
const KEY_DEVIATION_MIN: f64 = 0.05;

impl Interaction {
    fn is_straight(&self) -> bool {
        self.moves >= MOVES_MIN && self.straightness.is_some_and(|part| part > STRAIGHTNESS_MAX)
    }

    fn is_even(&self) -> bool {
        let rhythm = self.key_interval_millis.zip(self.key_interval_deviation_millis);
        self.keys >= KEYS_MIN
            && rhythm.is_some_and(|(interval, deviation)| deviation < interval * KEY_DEVIATION_MIN)
    }
}

/// All summaries of an identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interactions {
    pub clicks: u32,
    pub scripted_clicks: u32,
    /// Movements of a pointer and touches of a screen.
    pub moves: u32,
    pub keys: u32,
    pub scrolls: u32,
    /// Summaries with a pointer that went straighter than a hand moves one.
    pub straight: u32,
    /// Summaries with keys more even than a hand presses them.
    pub even: u32,
}

impl Interactions {
    pub fn add(&mut self, one: &Interaction) {
        let parts = [
            (&mut self.clicks, one.clicks),
            (&mut self.scripted_clicks, one.scripted_clicks),
            (&mut self.moves, one.moves.saturating_add(one.touches)),
            (&mut self.keys, one.keys),
            (&mut self.scrolls, one.scrolls),
            (&mut self.straight, one.is_straight().into()),
            (&mut self.even, one.is_even().into()),
        ];
        for (sum, part) in parts {
            *sum = sum.saturating_add(part);
        }
    }
}
