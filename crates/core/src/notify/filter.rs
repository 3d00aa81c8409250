//! What a channel wants to hear of: conditions of rules, and which scores.

use serde::{Deserialize, Serialize};

use crate::agent::KnownAgent;
use crate::badge::Badge;
use crate::rules::{Condition, Ground, Happened, Heard, Slugs, Which, asked, hold};
use crate::score::Scores;
use crate::time::Timestamp;

/// What a channel sends of what it is subscribed to. The default sends all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFilter {
    /// Must all hold for the identity that an event tells of. An event of none is always sent. What those about events say
    /// is found in each cycle, as for a rule, and holds until the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Which `IDENTITY_SCORED` are sent.
    #[serde(default)]
    pub scored: Scored,
}

/// Which scores are sent. A category, or any of the four; a score that is not known counts in it as `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "UPPERCASE")]
pub enum Scored {
    #[default]
    Always,
    /// A score has moved by `by` points or more since the last that the channel was told of. From `null` or to it is
    /// a move; before the first, all are `null`.
    Changed { category: Which, by: u8 },
    /// A score is below `threshold` and was not in the cycle before, or was and is not. `null` is not below; before
    /// the first cycle, all are `null`.
    Crossed { category: Which, threshold: u8 },
}

/// An identity as an event tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub scores: &'a Scores,
    pub first_seen_at: Timestamp,
    pub badges: &'a [Badge],
    /// The agent of an AI service that was seen last.
    pub agent: Option<&'a KnownAgent>,
    /// What its events say to the channel; what they did not say to it yet keeps nothing from it.
    pub heard: Option<Heard>,
    pub at: Timestamp,
}

impl ChannelFilter {
    /// Whether everything is sent.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what an event tells of an identity meets the conditions.
    pub fn admits(&self, told: &Told) -> bool {
        let carried: Slugs = told.badges.iter().map(|badge| badge.slug.as_str()).collect();
        let ground =
            Ground { scores: told.scores, carried: &carried, agent: told.agent, event: None, lists: None };
        let is_met = |one| hold(std::slice::from_ref(one), &ground, told.first_seen_at, told.at);
        self.conditions.iter().filter(|one| !one.is_of_events()).all(is_met)
            && (!self.asks_events() || self.of_events(told.heard).is_none_or(|heard| heard.holds))
    }

    /// Whether it asks about events.
    pub fn asks_events(&self) -> bool {
        self.conditions.iter().any(Condition::is_of_events)
    }

    /// What is asked about events, as a number by which another question is known.
    pub fn question(&self) -> i64 {
        let of_events: Vec<_> = self.conditions.iter().filter(|one| one.is_of_events()).collect();
        // FNV-1a (draft-eastlake-fnv), 64 bits: nobody gains by two questions of one number.
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let text = serde_json::to_vec(&of_events).unwrap_or_default();
        let number = text.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
        number.cast_signed()
    }

    fn of_events(&self, heard: Option<Heard>) -> Option<Heard> {
        heard.filter(|heard| heard.question == self.question())
    }

    /// What events say: whether one of them meets all that is asked about events. Where none is of a type that is asked
    /// for, what was `heard` before stays. `ground` is of the cycle, without an event.
    pub fn hear(&self, heard: Option<Heard>, events: &[Happened], ground: &Ground) -> Heard {
        let of_events: Vec<_> = self.conditions.iter().filter(|one| one.is_of_events()).cloned().collect();
        let mut asked = asked(&of_events, events).peekable();
        let holds = if asked.peek().is_none() {
            self.of_events(heard).is_some_and(|heard| heard.holds)
        } else {
            asked.any(|event| Ground { event: Some(event), ..*ground }.meets(&of_events))
        };
        Heard { question: self.question(), holds }
    }
}

impl Scored {
    /// Whether a score is sent; `previous` are those of the cycle before, `known` the last that the channel was told
    /// of.
    pub fn admits(&self, scores: &Scores, previous: Option<&Scores>, known: Option<&Scores>) -> bool {
        let none = Scores::default();
        match self {
            Self::Always => true,
            Self::Changed { category, by } => category.all().iter().any(|category| {
                match (known.unwrap_or(&none).get(*category), scores.get(*category)) {
                    (Some(known), Some(score)) => known.abs_diff(score) >= *by,
                    (known, score) => known != score,
                }
            }),
            Self::Crossed { category, threshold } => category.all().iter().any(|category| {
                let is_below =
                    |scores: &Scores| scores.get(*category).is_some_and(|score| score < *threshold);
                is_below(previous.unwrap_or(&none)) != is_below(scores)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn humanity(score: Option<u8>) -> Scores {
        Scores { humanity: score, ..Scores::default() }
    }

    /// Which of these scores of one identity are sent, in their order.
    fn sent(scored: Scored, scores: &[Option<u8>]) -> Vec<Option<u8>> {
        let (mut previous, mut known, mut sent) = (None, None, Vec::new());
        for score in scores {
            let now = humanity(*score);
            if scored.admits(&now, previous.as_ref(), known.as_ref()) {
                known = Some(now);
                sent.push(*score);
            }
            previous = Some(now);
        }
        sent
    }

    #[test]
    fn what_has_moved_is_held_against_what_was_told_last() {
        let changed = Scored::Changed { category: Which::Humanity, by: 5 };
        let drift: Vec<_> = (0..=100).rev().map(Some).collect();
        let told: Vec<_> = (0..=100).rev().step_by(5).map(Some).collect();
        assert_eq!(sent(changed, &drift), told, "by one, a hundred times");
        assert_eq!(sent(changed, &[Some(70), Some(74), Some(70), Some(66), Some(65)]), [Some(70), Some(65)]);
        assert_eq!(
            sent(changed, &[None, None, Some(0), Some(4), None, None, Some(4)]),
            [Some(0), None, Some(4)]
        );
        let other = Scored::Changed { category: Which::Behavior, by: 5 };
        assert_eq!(sent(other, &[Some(70), Some(10)]), []);
        let any = Scored::Changed { category: Which::Any, by: 60 };
        assert_eq!(sent(any, &[Some(70), Some(10)]), [Some(70), Some(10)]);
    }

    #[test]
    fn a_threshold_is_crossed_either_way() {
        let crossed = Scored::Crossed { category: Which::Any, threshold: 50 };
        assert_eq!(sent(crossed, &[Some(50), Some(90), Some(49), Some(10), Some(50)]), [Some(49), Some(50)]);
        assert_eq!(sent(crossed, &[Some(49), Some(48)]), [Some(49)], "the first is below");
        let unknown = [None, Some(80), None, Some(20), None, None, Some(60), Some(20)];
        assert_eq!(sent(crossed, &unknown), [Some(20), None, Some(20)], "nothing known is not below");
    }

    #[test]
    fn one_of_four_is_enough() {
        let crossed = Scored::Crossed { category: Which::Any, threshold: 50 };
        let before = Scores { humanity: Some(20), behavior: Some(80), ..Scores::default() };
        let after = Scores { humanity: Some(80), behavior: Some(20), ..Scores::default() };
        assert!(crossed.admits(&after, Some(&before), None));
        assert!(!crossed.admits(&before, Some(&before), None));
    }

    #[test]
    fn what_is_written_is_read() {
        let filter = ChannelFilter {
            conditions: vec![Condition::BadgeExists { badge: "bot".into() }],
            scored: Scored::Crossed { category: Which::Any, threshold: 50 },
        };
        let text = serde_json::to_string(&filter).unwrap();
        assert_eq!(serde_json::from_str::<ChannelFilter>(&text).unwrap(), filter);
        assert!(ChannelFilter::default().is_open() && !filter.is_open());
    }
}
