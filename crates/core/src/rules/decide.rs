//! What the rules make of an identity now, and when they are to be asked again.

use std::collections::{HashMap, HashSet};

use serde_json::Map;

use super::standing::{Held, Kind, Standing};
use super::{Condition, Ground, Happened, Label, Opening, Rules, Slugs, Snooze, ages, explain, millis};
use crate::agent::KnownAgent;
use crate::badge::{Badge, BadgeType};
use crate::fact::Subject;
use crate::label::Outcome;
use crate::list::Lists;
use crate::score::Scores;
use crate::time::Timestamp;

/// What rules look at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub scores: &'a Scores,
    pub first_seen_at: Timestamp,
    /// Whoever is left out has neither badges nor escalations.
    pub disregarded: bool,
    /// Of the analyzers; they need no rule.
    pub badges: Vec<Badge>,
    /// The agent of an AI service that was seen last.
    pub agent: Option<&'a KnownAgent>,
    /// Those since the cycle before, or else the newest one; `None` where rules are asked without a cycle, and what they
    /// have said of events stays.
    pub events: Option<&'a [Happened<'a>]>,
    /// Whether rules were asked about these before. One that names events says nothing new of them: what has happened is past.
    pub asked_before: bool,
    /// The team's lists, where rules ask about events.
    pub lists: Option<&'a Lists>,
    /// For rules of [`anew`] that ask about none of `events`: the newest that each asks about.
    pub anew: &'a [(Kind, i64, Happened<'a>)],
}

/// The rules about events that spoke of an identity before their conditions were changed, and what they ask now. What they
/// said holds until they are asked about an event: the newest that is known, so that nobody is let go by a change alone.
/// Of others, what has happened before a change is past: they are asked when it happens again.
pub fn anew<'r>(before: &Standing, rules: &'r Rules) -> impl Iterator<Item = (Kind, i64, &'r [Condition])> {
    let held = before.rules.iter();
    held.filter_map(|held| {
        let (revision, conditions) = match held.kind {
            Kind::Badge => {
                let rule = rules.badges.iter().find(|rule| rule.id == held.rule)?;
                (rule.revision, &*rule.conditions)
            }
            Kind::Escalation => {
                let rule = rules.escalations.iter().find(|rule| rule.id == held.rule)?;
                (rule.revision, &*rule.conditions)
            }
        };
        let is_new = revision != held.revision && conditions.iter().any(Condition::is_of_events);
        is_new.then_some((held.kind, held.rule, conditions))
    })
}

/// What changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub after: Standing,
    pub added: Vec<Badge>,
    pub removed: Vec<Badge>,
    /// Escalation rules by number.
    pub opened: Vec<i64>,
    /// Why, for each of these, in the same order.
    pub openings: Vec<Opening>,
    /// Likewise; some may be gone by now.
    pub closed: Vec<i64>,
    /// When something changes by time alone.
    pub next_at: Option<Timestamp>,
}

/// Decides. The same arguments give the same answer, and a decision repeated at once changes nothing.
pub fn decide(before: &Standing, facts: &Facts, rules: &Rules, now: Timestamp) -> Decision {
    let mut decision = Decision::default();
    decision.after.dismissed.clone_from(&before.dismissed);
    decision.after.label.clone_from(&before.label);
    decision.after.told.clone_from(&before.told);
    decision.after.heard.clone_from(&before.heard);
    decision.after.asked = before.asked;
    decision.after.snoozed = before.snoozed.iter().filter(|snooze| snooze.holds(now)).cloned().collect();
    if !facts.disregarded {
        let mut clerk = Clerk::new(before, facts, now);
        decision.after.badges = clerk.badges(before, facts, rules);
        let Standing { badges, snoozed, .. } = &decision.after;
        clerk.escalations(badges, snoozed, rules);
        (decision.after.rules, decision.next_at) = (clerk.after, clerk.next_at);
        decision.after.waiting = clerk.waiting;
        decision.opened = clerk.openings.iter().map(|opening| opening.rule).collect();
        decision.openings = clerk.openings;
    }
    let missing = |badges: &[Badge], from: &[Badge]| -> Vec<Badge> {
        let from = slugs(from);
        badges.iter().filter(|badge| !from.contains(badge.slug.as_str())).cloned().collect()
    };
    if !is_same(&before.badges, &decision.after.badges) {
        decision.added = missing(&decision.after.badges, &before.badges);
        decision.removed = missing(&before.badges, &decision.after.badges);
    }
    for badge in &mut decision.removed {
        badge.explanation = until(&badge.explanation, now);
    }
    let still: HashSet<_> = open(&decision.after).collect();
    decision.closed = open(before).filter(|rule| !still.contains(rule)).collect();
    decision
}

/// How a reason begins that is no longer true.
const PAST: &str = "Held until ";

/// A reason that was true until then; one that is of the past already stays as it is.
fn until(explanation: &str, then: Timestamp) -> String {
    if explanation.starts_with(PAST) {
        return explanation.to_owned();
    }
    format!("{PAST}{}: “{explanation}”", then.to_minute())
}

/// Whether these are the same badges in the same order, as they mostly are.
fn is_same(before: &[Badge], after: &[Badge]) -> bool {
    before.iter().map(|badge| &badge.slug).eq(after.iter().map(|badge| &badge.slug))
}

fn slugs(badges: &[Badge]) -> Slugs<'_> {
    badges.iter().map(|badge| badge.slug.as_str()).collect()
}

/// The escalation rules in force.
fn open(standing: &Standing) -> impl Iterator<Item = i64> {
    let open = standing.rules.iter().filter(|held| held.kind == Kind::Escalation && held.in_force);
    open.map(|held| held.rule)
}

/// The events that conditions are to be asked about: those of the types that they name, if they name any.
pub fn asked<'e>(
    conditions: &[Condition],
    events: &'e [Happened<'e>],
) -> impl Iterator<Item = &'e Happened<'e>> {
    events.iter().filter(|event| is_asked(conditions, &event.subject))
}

/// Whether conditions are asked at events of some types only.
pub fn names_events(conditions: &[Condition]) -> bool {
    conditions.iter().any(|one| matches!(one, Condition::EventIs { .. }))
}

/// Whether conditions are to be asked about this event.
pub fn is_asked(conditions: &[Condition], event: &Subject) -> bool {
    let mut of_types = conditions.iter().filter(|one| matches!(one, Condition::EventIs { .. }));
    of_types.all(|condition| condition.holds_of(event))
}

/// A rule as far as time goes.
struct Timed<'r> {
    kind: Kind,
    rule: i64,
    revision: i64,
    conditions: &'r [Condition],
    /// When somebody labeled the identity good, where that speaks against what the rule says.
    cleared_at: Option<Timestamp>,
    on_after_ms: i64,
    off_after_ms: i64,
    /// It does not come into force before.
    effective_at: Option<Timestamp>,
}

/// Goes through the rules of one identity.
struct Clerk<'a> {
    before: HashMap<(Kind, i64), &'a Held>,
    label: Option<&'a Label>,
    /// See [`Standing::waiting`]: before and after.
    waited: &'a [Opening],
    waiting: Vec<Opening>,
    facts: &'a Facts<'a>,
    now: Timestamp,
    after: Vec<Held>,
    openings: Vec<Opening>,
    next_at: Option<Timestamp>,
}

impl<'a> Clerk<'a> {
    fn new(before: &'a Standing, facts: &'a Facts<'a>, now: Timestamp) -> Self {
        let (label, waited) = (before.label.as_ref(), before.waiting.as_slice());
        let before = before.rules.iter().map(|held| ((held.kind, held.rule), held)).collect();
        let (waiting, after, openings) = (Vec::new(), Vec::new(), Vec::new());
        Self { before, label, waited, waiting, facts, now, after, openings, next_at: None }
    }

    fn ground<'g>(&self, carried: &'g Slugs<'g>, event: Option<&'g Happened<'g>>) -> Ground<'g>
    where
        'a: 'g,
    {
        let lists = self.facts.lists.map(|lists| (lists, self.now));
        Ground { scores: self.facts.scores, carried, agent: self.facts.agent, event, lists }
    }

    /// When somebody labeled the identity good.
    fn labeled_good_at(&self) -> Option<Timestamp> {
        let good = self.label.filter(|label| label.verdict.outcome == Outcome::Good);
        good.map(|label| label.at)
    }

    /// The events that a rule is asked about. Of who is labeled good, what happened before accuses nobody.
    fn asked(&self, rule: &Timed) -> impl Iterator<Item = &'a Happened<'a>> {
        let cleared_at = rule.cleared_at;
        let of_rule = (rule.kind, rule.rule);
        let anew = self.facts.anew.iter().filter(move |(kind, rule, _)| (*kind, *rule) == of_rule);
        let is_past =
            self.facts.asked_before && names_events(rule.conditions) && !self.before.contains_key(&of_rule);
        let events = self.facts.events.filter(|_| !is_past).unwrap_or_default();
        asked(rule.conditions, events)
            .chain(anew.map(|(.., happened)| happened))
            .filter(move |happened| cleared_at.is_none_or(|at| happened.is_after(at)))
    }

    /// The first of them that meets its conditions.
    fn met_by(&self, rule: &Timed, carried: &Slugs) -> Option<&'a Happened<'a>> {
        self.asked(rule).find(|event| self.ground(carried, Some(event)).meets(rule.conditions))
    }

    /// Whether a rule's conditions hold, ages apart, and what is remembered of it. Where it is asked about events and none is
    /// there to ask about, they hold if they did before, as they were then. Of who is labeled good, what held before is
    /// forgotten when an event that the rule names happens once more: that is new. The number is that of the conditions that
    /// were asked.
    fn holds(&self, rule: &Timed, carried: &Slugs) -> (bool, Option<&'a Held>, i64) {
        let before = self.before.get(&(rule.kind, rule.rule)).copied();
        if !rule.conditions.iter().any(Condition::is_of_events) {
            return (self.ground(carried, None).meets(rule.conditions), before, rule.revision);
        }
        if self.asked(rule).next().is_none() {
            let revision = before.map_or(rule.revision, |before| before.revision);
            return (before.is_some_and(|before| before.holds), before, revision);
        }
        let holds = self.met_by(rule, carried).is_some();
        let is_settled = |held: &&Held| rule.cleared_at.is_some_and(|at| held.since <= at);
        let is_new = holds && names_events(rule.conditions);
        (holds, before.filter(|held| !(is_new && is_settled(held))), rule.revision)
    }

    /// Whether a person has decided already what these conditions ask.
    fn is_settled(&self, conditions: &[Condition]) -> bool {
        self.label.is_some_and(|label| label.settles(conditions))
    }

    /// That of a label, those of rules by priority, and then those of analyzers; no rule has the slug of another.
    fn badges(&mut self, before: &Standing, facts: &Facts, rules: &Rules) -> Vec<Badge> {
        let known: HashMap<_, _> = before.badges.iter().map(|badge| (badge.slug.as_str(), badge)).collect();
        let mut given = Vec::new();
        for rule in &rules.badges {
            if rule.badge_type == BadgeType::Bad && self.is_settled(&rule.conditions) {
                continue;
            }
            let timed = Timed {
                kind: Kind::Badge,
                rule: rule.id,
                revision: rule.revision,
                conditions: &rule.conditions,
                cleared_at: self.labeled_good_at().filter(|_| rule.badge_type == BadgeType::Bad),
                on_after_ms: millis(rule.apply_delay_seconds),
                off_after_ms: millis(rule.remove_delay_seconds),
                effective_at: None,
            };
            if !self.is_in_force(&timed, &Slugs::new()).0 {
                continue;
            }
            let held = self.after.last().filter(|held| !held.holds);
            // While its delay passes it is carried for what was, and is no more.
            let explanation = held.map(|held| match known.get(rule.slug.as_str()) {
                Some(before) => until(&before.explanation, held.since),
                None => format!("Its conditions held until {}.", held.since.to_minute()),
            });
            let badge = Badge {
                slug: rule.slug.clone(),
                name: rule.name.clone(),
                badge_type: rule.badge_type,
                explanation: explanation
                    .unwrap_or_else(|| self.explained(&timed, known.get(rule.slug.as_str()))),
                metadata: Map::new(),
            };
            given.push((rule.priority, badge));
        }
        given.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        let of_rules = given.into_iter().map(|(_, badge)| badge);
        let is_dismissed = |badge: &Badge| before.dismissed.iter().any(|one| one.slug == badge.slug);
        let of_analyzers =
            facts.badges.iter().filter(|badge| !self.label.is_some_and(|label| label.settles_badge(badge)));
        let others = of_rules.chain(of_analyzers.cloned()).filter(|badge| !is_dismissed(badge));
        self.label.and_then(Label::badge).into_iter().chain(others).collect()
    }

    /// Why a rule that is in force gives its badge. What an event has met is told for as long as it holds.
    fn explained(&self, rule: &Timed, carried: Option<&&Badge>) -> String {
        let none = Slugs::new();
        let event = self.met_by(rule, &none);
        match carried {
            Some(badge) if event.is_none() && rule.conditions.iter().any(Condition::is_of_events) => {
                badge.explanation.clone()
            }
            _ => explain(rule.conditions, &self.ground(&none, event)),
        }
    }

    fn escalations(&mut self, badges: &[Badge], snoozed: &[Snooze], rules: &Rules) {
        let carried = slugs(badges);
        for rule in &rules.escalations {
            // Its delay begins anew when that is over.
            if let Some(snooze) = snoozed.iter().find(|snooze| snooze.rule == rule.id) {
                self.ask_again(snooze.until);
                continue;
            }
            if self.is_settled(&rule.conditions) {
                continue;
            }
            let timed = Timed {
                kind: Kind::Escalation,
                rule: rule.id,
                revision: rule.revision,
                conditions: &rule.conditions,
                cleared_at: self.labeled_good_at(),
                on_after_ms: millis(rule.open_after_seconds),
                off_after_ms: millis(rule.close_after_seconds),
                effective_at: rule.effective_at,
            };
            match self.is_in_force(&timed, &carried) {
                (true, false) => self.openings.push(self.opening(&timed, &carried)),
                (false, _) if self.waits(&timed) => self.waiting.push(self.opening(&timed, &carried)),
                _ => {}
            }
        }
    }

    /// What is remembered of a rule, once it has been looked at.
    fn held(&self, rule: &Timed) -> Option<&Held> {
        self.after.last().filter(|held| (held.kind, held.rule) == (rule.kind, rule.rule))
    }

    /// Whether a rule that asks about events holds, and only its time has not come.
    fn waits(&self, rule: &Timed) -> bool {
        let is_cleared = |held: &Held| rule.cleared_at.is_some_and(|at| held.since <= at);
        rule.conditions.iter().any(Condition::is_of_events)
            && self.held(rule).is_some_and(|held| held.holds && !held.in_force && !is_cleared(held))
    }

    /// Why a rule opens an escalation: what it has waited with, or what meets its conditions now.
    fn opening(&self, rule: &Timed, carried: &Slugs) -> Opening {
        let waited = self.waited.iter().find(|waited| waited.rule == rule.rule);
        let has_begun_now = self.held(rule).is_none_or(|held| held.since == self.now);
        let asks_events = rule.conditions.iter().any(Condition::is_of_events);
        let event = if asks_events { self.met_by(rule, carried) } else { None };
        match waited {
            Some(waited) if !has_begun_now || event.is_none() => waited.clone(),
            _ => Opening {
                rule: rule.rule,
                explanation: explain(rule.conditions, &self.ground(carried, event)),
                event_id: event.and_then(|happened| happened.subject.event).map(|event| event.id.clone()),
            },
        }
    }

    /// Whether a rule is in force now, and whether it was; notes what is to be remembered of it, and when to ask again.
    fn is_in_force(&mut self, rule: &Timed, carried: &Slugs) -> (bool, bool) {
        let (holds, before, revision) = self.holds(rule, carried);
        let was = before.is_some_and(|before| before.in_force);
        if !holds && before.is_none() {
            return (false, was);
        }
        let unchanged = before.filter(|before| before.revision == revision && before.holds == holds);
        let since = unchanged.map_or(self.now, |before| before.since);
        if rule.cleared_at.is_some_and(|at| since <= at) {
            // It was so when a person said that nothing is wrong, and nothing has happened since.
            if holds {
                let Timed { kind, rule, .. } = *rule;
                self.after.push(Held { kind, rule, revision, holds, since, in_force: false });
            }
            return (false, was);
        }
        let (from, until) = ages(rule.conditions, self.facts.first_seen_at);
        let has_begun = from.is_none_or(|from| from <= self.now);
        let has_ended = until.is_some_and(|until| until <= self.now);
        let turns_at = if was {
            match (holds && has_begun, until) {
                (false, until) => Some(until.map_or(since, |until| until.min(since))),
                (true, Some(until)) => Some(until),
                (true, None) => None,
            }
            .map(|ceased_at| ceased_at.plus_millis(rule.off_after_ms))
        } else {
            let began_at = from.map_or(since, |from| from.max(since));
            let on_at = began_at.plus_millis(rule.on_after_ms);
            let on_at = rule.effective_at.map_or(on_at, |effective_at| effective_at.max(on_at));
            // What ends before its time has come never comes into force.
            Some(on_at).filter(|on_at| holds && !has_ended && until.is_none_or(|until| *on_at < until))
        };
        let turns = turns_at.is_some_and(|at| at <= self.now);
        let in_force = was != turns;
        if let Some(at) = turns_at.filter(|_| !turns) {
            self.ask_again(at);
        }
        if holds || in_force {
            let (kind, rule) = (rule.kind, rule.rule);
            self.after.push(Held { kind, rule, revision, holds, since, in_force });
        }
        if turns
            && in_force
            && let Some(until) = until
        {
            self.ask_again(until.plus_millis(rule.off_after_ms));
        }
        (in_force, was)
    }

    fn ask_again(&mut self, at: Timestamp) {
        self.next_at = Some(self.next_at.map_or(at, |next_at| next_at.min(at)));
    }
}
