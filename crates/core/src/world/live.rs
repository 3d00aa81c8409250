//! A world that is scored as a server scores it: in cycles, while events arrive, and with rules that decide
//! at each of them and whenever a delay has passed.
//!
//! What differs from a server: a cycle takes no time, and all that arrives in one millisecond is one batch.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::World;
use crate::badge::{self, Badge};
use crate::event::Event;
use crate::link::{self, KeyKind, LinkKey, NEWS_KINDS};
use crate::rules::{Decision, Facts, Rules, Standing, decide};
use crate::score::{Observation, Scores, Weights};
use crate::time::Timestamp;

/// A world, and what has been decided of everybody in it.
#[derive(Clone)]
pub struct Live {
    pub world: World,
    weights: Weights,
    rules: Rules,
    /// An identity is scored at most once in this time.
    pub min_cycle_ms: i64,
    /// By their places in the world.
    courses: Vec<Course>,
    /// When somebody may be due; what is not true any more is passed over.
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

/// How far the server is with an identity.
#[derive(Clone, Default)]
struct Course {
    created_at: Timestamp,
    scored: Option<(Timestamp, Scores)>,
    evaluate_at: Option<Timestamp>,
    decide_at: Option<Timestamp>,
    standing: Standing,
}

/// What a cycle, or a delay that has passed, has led to.
#[derive(Debug)]
pub struct Decided<'a> {
    pub id: &'a str,
    pub at: Timestamp,
    pub scores: &'a Scores,
    /// Of the cycle; empty where a delay has passed and nobody was scored.
    pub observations: &'a [Observation],
    pub decision: &'a Decision,
}

impl Live {
    pub fn new(world: World, weights: Weights, rules: Rules, min_cycle_ms: i64) -> Self {
        Self { world, weights, rules, min_cycle_ms, courses: Vec::new(), due: BinaryHeap::new() }
    }

    /// Takes an event that arrives at `at`, after all that was due before. Events are given in the order in
    /// which they arrive.
    pub fn take(&mut self, event: &Event, at: Timestamp, told: &mut impl FnMut(&Decided)) {
        self.run(at.plus_millis(-1), told);
        let Some(named) = &event.identity else { return };
        let known = self.world.by_id.get(&named.id).copied();
        let phone = known.and_then(|place| self.world.users[place].profile.phone.clone());
        let mut news = self.news(event, known);
        let learned = self.world.take(event);
        let Some(place) = self.world.by_id.get(&named.id).copied() else { return };
        if self.courses.len() <= place {
            self.courses.resize(place + 1, Course { created_at: at, ..Course::default() });
        }
        self.mark(place, at);
        let profile = &self.world.users[place].profile;
        if profile.phone != phone {
            news.extend(link::profile_keys(profile).filter(|key| key.kind == KeyKind::Phone));
        }
        for key in news {
            for other in self.told_of(&key, place) {
                self.mark(other, at);
            }
        }
        self.mark_holders(&learned, at);
    }

    /// Has everybody scored again of whom something turns out to say nothing.
    fn mark_holders(&mut self, learned: &[LinkKey], now: Timestamp) {
        for key in learned {
            for place in 0..self.world.users.len() {
                let user = &self.world.users[place];
                if link::has_shown(&user.state, &user.profile, key) {
                    self.mark(place, now);
                }
            }
        }
    }

    /// Runs what is due until then, cycles and delays, in order of time.
    pub fn run(&mut self, until: Timestamp, told: &mut impl FnMut(&Decided)) {
        while let Some(Reverse((at, place))) = self.due.peek().copied()
            && at <= until
        {
            self.due.pop();
            let course = &self.courses[place];
            if course.evaluate_at == Some(at) {
                self.cycle(place, at, told);
            } else if course.decide_at == Some(at) {
                self.decide_again(place, at, told);
            }
        }
    }

    /// Keys of an event that its identity has not had, and that are news to others who have them.
    fn news(&self, event: &Event, known: Option<usize>) -> Vec<LinkKey> {
        let fresh = crate::state::IdentityState::default();
        let state = known.map_or(&fresh, |place| &self.world.users[place].state);
        let mut keys = link::new_keys(event, state);
        keys.retain(|key| NEWS_KINDS.contains(&key.kind));
        keys
    }

    /// Who is scored again because the user at `place` has come to a key.
    fn told_of(&self, key: &LinkKey, place: usize) -> Vec<usize> {
        let holders = self.world.holders.get(key).into_iter().flatten().rev();
        let newest: Vec<_> = holders.map(|(holder, _)| *holder).take(key.kind.others_max() + 1).collect();
        link::rescored(key.kind, &newest, |holder| holder == place)
    }

    /// Who waits for a cycle keeps the place.
    fn mark(&mut self, place: usize, now: Timestamp) {
        let course = &mut self.courses[place];
        if course.evaluate_at.is_none() {
            let earliest = course.scored.map(|(last, _)| last.plus_millis(self.min_cycle_ms));
            let at = earliest.map_or(now, |earliest| earliest.max(now));
            course.evaluate_at = Some(at);
            self.due.push(Reverse((at, place)));
        }
    }

    fn cycle(&mut self, place: usize, at: Timestamp, told: &mut impl FnMut(&Decided)) {
        let Some(found) = self.world.analyze(&self.world.users[place].id, &self.weights) else { return };
        let course = &mut self.courses[place];
        (course.evaluate_at, course.scored) = (None, Some((at, found.scores)));
        let badges = badge::of_analyzers(&found.observations).collect();
        self.decide(place, at, (badges, &found.observations), told);
    }

    /// Without a cycle the badges of analyzers stay as they are.
    fn decide_again(&mut self, place: usize, at: Timestamp, told: &mut impl FnMut(&Decided)) {
        let mut badges = self.courses[place].standing.badges.clone();
        badges.retain(|badge| badge::is_of_analyzers(&badge.slug));
        self.decide(place, at, (badges, &[]), told);
    }

    /// Asks the rules.
    fn decide(
        &mut self,
        place: usize,
        at: Timestamp,
        (badges, observations): (Vec<Badge>, &[Observation]),
        told: &mut impl FnMut(&Decided),
    ) {
        let (course, user) = (&mut self.courses[place], &self.world.users[place]);
        let Some((_, scores)) = &course.scored else { return };
        let first_event_at = user.state.first_event_at().unwrap_or(course.created_at);
        let first_seen_at = first_event_at.min(course.created_at);
        let agent = user.state.agent();
        let facts = Facts {
            scores,
            first_seen_at,
            disregarded: false,
            badges,
            agent: agent.as_ref(),
            events: None,
            lists: None,
            anew: &[],
            asked_before: false,
        };
        let decision = decide(&course.standing, &facts, &self.rules, at);
        told(&Decided { id: &user.id, at, scores, observations, decision: &decision });
        (course.decide_at, course.standing) = (decision.next_at, decision.after);
        if let Some(next_at) = course.decide_at {
            self.due.push(Reverse((next_at, place)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::event::{EventIdentity, OfBackend};
    use crate::rules::{EscalationRule, starter_rules};
    use crate::time::HOUR_MS;

    const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);
    const HEADLESS: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                            HeadlessChrome/141.0.0.0 Safari/537.36";

    fn event(id: &str, at: Timestamp, device: &str) -> Event {
        Event {
            id: String::new(),
            name: "signup".to_owned(),
            timestamp: at,
            source: None,
            identity: Some(EventIdentity { id: id.to_owned(), data: Map::new() }),
            groups: Vec::new(),
            data: Map::new(),
            fingerprint: Some(device.to_owned()),
            components: None,
            interaction: None,
            session: None,
            url: None,
            ip: None,
            user_agent: Some(HEADLESS.to_owned()),
            place: None,
            of_backend: OfBackend::default(),
            signature: None,
        }
    }

    /// Plays events of somebody with a device, at milliseconds from the start, and answers by whom and when
    /// there was a decision, a cycle or not, and how many escalations it opened.
    fn played(events: &[(&str, &str, i64)]) -> Vec<(String, i64, bool, usize)> {
        let mut live = Live::new(World::default(), Weights::default(), starter_rules(), 1_000);
        let mut all = Vec::new();
        let mut told = |decided: &Decided| {
            let (at, is_cycle) = (decided.at.millis_since(START), !decided.observations.is_empty());
            all.push((decided.id.to_owned(), at, is_cycle, decided.decision.opened.len()));
        };
        for (id, device, at) in events {
            let at = START.plus_millis(*at);
            live.take(&event(id, at, device), at, &mut told);
        }
        live.run(START.plus_millis(HOUR_MS / 4), &mut told);
        all
    }

    fn scored(id: &str, at: i64, opened: usize) -> (String, i64, bool, usize) {
        (id.to_owned(), at, true, opened)
    }

    #[test]
    fn an_identity_is_scored_at_once_and_then_at_most_once_a_second() {
        let found = played(&[("a", "d", 0), ("a", "d", 40), ("a", "d", 80), ("a", "d", 2_500)]);
        assert_eq!(found, [scored("a", 0, 1), scored("a", 1_000, 0), scored("a", 2_500, 0)]);
    }

    #[test]
    fn what_arrives_at_once_is_scored_once() {
        assert_eq!(played(&[("a", "d", 0), ("a", "d", 0)]), [scored("a", 0, 1)]);
    }

    #[test]
    fn who_shares_a_device_with_a_newcomer_is_scored_again() {
        let found = played(&[("a", "d", 0), ("b", "e", 3_000), ("b", "d", 5_000)]);
        let expected =
            [scored("a", 0, 1), scored("b", 3_000, 1), scored("a", 5_000, 0), scored("b", 5_000, 0)];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_escalation_opens_when_its_time_has_come_though_nothing_happens() {
        let mut rules = starter_rules();
        // No human, and known for a quarter of an hour.
        let conditions =
            vec![rules.escalations[0].conditions[0].clone(), rules.escalations[3].conditions[1].clone()];
        let later = EscalationRule { id: 5, conditions, ..rules.escalations[0].clone() };
        rules.escalations.push(later);
        let mut live = Live::new(World::default(), Weights::default(), rules, 1_000);
        let mut opened = Vec::new();
        let mut told = |decided: &Decided| {
            opened.extend(decided.decision.opened.iter().map(|_| decided.at.millis_since(START)));
        };
        live.take(&event("a", START, "d"), START, &mut told);
        live.run(START.plus_millis(2 * HOUR_MS), &mut told);
        assert_eq!(opened, [0, HOUR_MS / 4 + 1], "one rule at once, the other after a quarter of an hour");
    }
}
