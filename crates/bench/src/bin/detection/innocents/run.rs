//! Plays what happens on a stage in a team, as a live server would see it.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::badge::BadgeType;
use dregs_core::rules::starter_rules;
use dregs_core::score::{Category, Observation, Scores, Weights};
use dregs_core::time::{HOUR_MS, Timestamp};
use dregs_core::world::{Decided, Live, World};

use crate::accused::lowest;
use crate::stage::{MODEL_PREFIX, Stage, Truth};

/// An identity is scored at most once in this time, as by a server that is told nothing else.
const MIN_CYCLE_MS: i64 = 1_000;
/// The same where there are so many people that it would take too long.
const MIN_CYCLE_OF_MANY_MS: i64 = 60_000;
const MANY: usize = 60;
/// A score below is low.
pub const LOW_BELOW: u8 = 60;
/// After the last event rules go on for so long: some escalations open an hour after somebody came.
const AFTERMATH_MS: i64 = 2 * HOUR_MS;

/// What has become of somebody.
pub struct Fate {
    pub truth: Truth,
    /// Whether others have a device with the same fingerprint by chance.
    pub has_common_phone: bool,
    /// As they stand at the end.
    pub scores: Scores,
    pub was_low: bool,
    /// Ever carried a BAD badge.
    pub badged: bool,
    /// An escalation was ever opened.
    pub escalated: bool,
    /// The analyzers that spoke most against whom, when they were first accused.
    pub accusers: BTreeSet<String>,
    /// What was said then.
    pub story: String,
}

impl Fate {
    const fn new(truth: Truth) -> Self {
        let scores = Scores { humanity: None, authenticity: None, uniqueness: None, behavior: None };
        let accusers = BTreeSet::new();
        Self {
            truth,
            has_common_phone: false,
            scores,
            was_low: false,
            badged: false,
            escalated: false,
            accusers,
            story: String::new(),
        }
    }

    pub fn is_low(&self) -> bool {
        lowest(&self.scores) < LOW_BELOW
    }

    fn note(&mut self, decided: &Decided) {
        self.scores = *decided.scores;
        let is_low = self.is_low();
        self.was_low |= is_low;
        self.badged |= decided.decision.added.iter().any(|badge| badge.badge_type == BadgeType::Bad);
        self.escalated |= !decided.decision.opened.is_empty();
        if self.accusers.is_empty() && (is_low || self.badged) {
            self.accusers = accusers(decided);
            self.story = story(decided);
        }
    }
}

/// Of each category that is low the analyzer that says the worst.
fn accusers(decided: &Decided) -> BTreeSet<String> {
    let moved = |own: &Observation| own.weight * own.confidence * (own.value - 0.5);
    let of = |category: Category| {
        decided.scores.get(category).filter(|score| *score < LOW_BELOW)?;
        let own = decided.observations.iter().filter(|own| own.category == category);
        let worst = own.min_by(|one, other| moved(one).total_cmp(&moved(other)))?;
        Some(worst.id.clone())
    };
    Category::ALL.into_iter().filter_map(of).collect()
}

fn story(decided: &Decided) -> String {
    let against = decided.observations.iter().filter(|own| own.value < 0.5);
    let said = against.map(|own| format!("\n    {} {}: {}", own.id, own.value, own.explanation));
    format!("{:?}{}", decided.scores, said.collect::<String>())
}

/// A team of which nothing is known yet, with the rules that a new one begins with.
pub fn new_team() -> Live {
    Live::new(World::default(), Weights::default(), starter_rules(), MIN_CYCLE_MS)
}

/// Plays all of it, `later_ms` later than the stage says, and says what has become of everybody on it.
pub fn play(team: &mut Live, stage: Stage, later_ms: i64) -> BTreeMap<String, Fate> {
    let (events, truths) = stage.finish();
    let mut fates: BTreeMap<_, _> = truths.into_iter().map(|(id, truth)| (id, Fate::new(truth))).collect();
    team.min_cycle_ms = if fates.len() < MANY { MIN_CYCLE_MS } else { MIN_CYCLE_OF_MANY_MS };
    for (_, event) in &events {
        let is_common = event.fingerprint.as_ref().is_some_and(|print| print.starts_with(MODEL_PREFIX));
        if let Some(fate) = event.identity.as_ref().and_then(|named| fates.get_mut(&named.id)) {
            fate.has_common_phone |= is_common;
        }
    }
    let mut told = |decided: &Decided| {
        if let Some(fate) = fates.get_mut(decided.id) {
            fate.note(decided);
        }
    };
    let mut now = Timestamp::default();
    for (arrives_at, mut event) in events {
        now = Timestamp::from_millis(arrives_at + later_ms);
        event.timestamp = event.timestamp.plus_millis(later_ms);
        team.take(&event, now, &mut told);
    }
    team.run(now.plus_millis(AFTERMATH_MS), &mut told);
    fates
}
