//! What rules decide, written down and told: badges, escalations, and the events about them.

use std::collections::{BTreeSet, HashMap};

use dregs_core::agent::KnownAgent;
use dregs_core::badge::{self, Badge};
use dregs_core::label::{LabelKind, Outcome, Source};
use dregs_core::list::Lists;
use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_core::rules::{
    self, Decision, EscalationRule, Facts, Ground, Happened, Label, Opening, Rules, Severity, Slugs,
    Standing, decide,
};
use dregs_core::score::{Observation, Scores};
use dregs_core::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::ops::decide::{rule_lists, snoozes};
use crate::ops::deliver::deliveries::of_notification;
use crate::ops::deliver::filters;
use crate::ops::evaluate::evaluation::Seen;
use crate::store::channels::{self, LeftOut, Subscriber, Subscriptions};
use crate::store::escalations::{self, Escalation, Mover, NewEscalation, Status};
use crate::store::identities::{self, CycleStart};
use crate::store::{Result, StoreError, Tx, badges, codec, lists, notifications};
use crate::trace::{Context, Kind, Span};

/// An identity, and what the rules make of it.
pub struct Decided {
    pub team_id: i64,
    pub identity_id: i64,
    disregarded: bool,
    /// Before the decision, and before the cycle that it belongs to, if it does.
    pub sequence: i64,
    is_of_cycle: bool,
    pub external_id: String,
    pub first_seen_at: Timestamp,
    pub scores: Scores,
    pub decision: Decision,
    /// Where it is traced.
    pub trace: Option<Context>,
}

/// What rules are asked about.
pub struct Asked<'a> {
    pub start: &'a CycleStart,
    /// Whether a cycle asks, which takes the next number of the identity's events.
    pub is_of_cycle: bool,
    pub scores: &'a Scores,
    /// Of the analyzers.
    pub badges: Vec<Badge>,
    /// The agent of an AI service that was seen last.
    pub agent: Option<KnownAgent>,
    /// Of the cycle, if one asks.
    pub observations: Option<&'a [Observation]>,
    /// The events that a cycle asks about, where rules do, the team's lists, and the row of the newest event.
    pub events: Option<(&'a [Happened<'a>], &'a Lists, i64)>,
    /// As in [`Facts`].
    pub asked_before: bool,
    pub anew: &'a [(rules::Kind, i64, Happened<'a>)],
}

impl Decided {
    /// Asks the rules.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn new(asked: Asked, rules: &Rules, now: Timestamp) -> Result<Self> {
        let Asked { start, is_of_cycle, scores, badges, agent, observations, events, asked_before, anew } =
            asked;
        let mut before = Standing::decode(start.standing.as_deref()).map_err(broken)?;
        before.dismissed.retain(|dismissal| dismissal.holds(observations, rules));
        if let (Some(label), Some(observations)) = (&mut before.label, observations) {
            label.look_at(observations);
        }
        let facts = Facts {
            scores,
            first_seen_at: start.first_seen_at,
            disregarded: start.disregarded,
            badges,
            agent: agent.as_ref(),
            events: events.map(|(events, ..)| events),
            lists: events.map(|(_, lists, _)| lists),
            asked_before,
            anew,
        };
        let mut decision = decide(&before, &facts, rules, now);
        match events {
            Some((_, _, newest)) => decision.after.asked = newest,
            // A rule that asks about events later begins with the newest, not with what nobody asked about meanwhile.
            None if is_of_cycle => decision.after.asked = 0,
            None => {}
        }
        decision.after.agent = agent;
        Ok(Self {
            team_id: start.team_id,
            identity_id: start.id,
            disregarded: start.disregarded,
            sequence: start.sequence,
            is_of_cycle,
            external_id: start.external_id.clone(),
            first_seen_at: start.first_seen_at,
            scores: *scores,
            decision,
            trace: None,
        })
    }

    /// Has each channel that asks about events hear what these say; what others heard is forgotten.
    pub fn have_heard(
        &mut self,
        channels: &[(i64, ChannelFilter)],
        events: &[Happened],
        lists: Option<(&Lists, Timestamp)>,
    ) {
        let after = &mut self.decision.after;
        let carried: Slugs = after.badges.iter().map(|badge| badge.slug.as_str()).collect();
        let (scores, agent) = (&self.scores, after.agent.as_ref());
        let ground = Ground { scores, carried: &carried, agent, event: None, lists };
        let heard = |(id, filter): &(i64, ChannelFilter)| {
            (*id, filter.hear(after.heard.get(id).copied(), events, &ground))
        };
        after.heard = channels.iter().map(heard).collect();
    }

    /// What is to be remembered.
    ///
    /// # Errors
    /// Never in practice.
    pub fn standing(&self) -> Result<Option<String>> {
        self.decision.after.encode().map_err(broken)
    }

    /// The same, where a cycle has told some of those who listen, and been left out by the others.
    ///
    /// # Errors
    /// Never in practice.
    pub fn standing_told<'s>(
        &self,
        listeners: impl Iterator<Item = (&'s Subscriber, bool)>,
    ) -> Result<Option<String>> {
        let mut after = self.decision.after.clone();
        filters::remember(&mut after.told, &self.scores, listeners);
        after.encode().map_err(broken)
    }

    /// Events that are numbered together with its cycle: changed badges that somebody wants to hear of.
    pub fn events(&self, listeners: &Listeners) -> i64 {
        (self.changes_badges()
            && listeners.of(self.team_id, EventType::IdentityBadgesChanged).next().is_some())
        .into()
    }

    fn carried<'b>(&self, badges: &'b [Badge]) -> impl Iterator<Item = badges::Carried> + use<'b> {
        let (team_id, identity_id) = (self.team_id, self.identity_id);
        badges.iter().map(move |badge| (team_id, badge.slug.clone(), identity_id))
    }

    /// What was decided, as a span that began and ended then.
    pub fn span(&self, parent: Context, (began_at, ended_at): (u64, u64)) -> Option<Span> {
        let Decision { added, removed, opened, closed, .. } = &self.decision;
        let span = Span::new("decide", Kind::Internal, self.trace?, Some(parent), began_at).ended(ended_at);
        let badges = span.int("dregs.badges.added", added.len()).int("dregs.badges.removed", removed.len());
        Some(
            badges
                .int("dregs.escalations.opened", opened.len())
                .int("dregs.escalations.closed", closed.len()),
        )
    }

    fn changes_badges(&self) -> bool {
        !self.decision.added.is_empty() || !self.decision.removed.is_empty()
    }
}

/// Asks the rules without a cycle. `None` for who has no scores yet: their first cycle decides.
///
/// # Errors
/// When what is stored cannot be read.
pub fn ask(start: &CycleStart, rules: &Rules, now: Timestamp) -> Result<Option<Decided>> {
    let Some(scores) = start.previous else { return Ok(None) };
    let before = Standing::decode(start.standing.as_deref()).map_err(broken)?;
    let agent = before.agent;
    let badges = before.badges.into_iter().filter(|badge| badge::is_of_analyzers(&badge.slug)).collect();
    let (observations, events, anew) = (None, None, &[][..]);
    let asked = Asked {
        start,
        is_of_cycle: false,
        scores: &scores,
        badges,
        agent,
        observations,
        events,
        asked_before: false,
        anew,
    };
    Decided::new(asked, rules, now).map(Some)
}

/// Who wants to hear of scores and of changed badges, by team.
#[derive(Default)]
pub struct Listeners(HashMap<i64, Vec<(Subscriptions, Subscriber)>>);

impl Listeners {
    /// # Errors
    /// Those of the store.
    pub fn read(tx: &mut Tx, teams: BTreeSet<i64>) -> Result<Self> {
        let events = [EventType::IdentityScored, EventType::IdentityBadgesChanged].into_iter().collect();
        let of_team = |team_id| Ok((team_id, channels::subscribers_of_any(tx, team_id, events)?));
        Ok(Self(teams.into_iter().map(of_team).collect::<Result<_>>()?))
    }

    pub fn of(&self, team_id: i64, event: EventType) -> impl Iterator<Item = &Subscriber> {
        let all = self.0.get(&team_id).into_iter().flatten();
        all.filter(move |(events, _)| events.contains(event)).map(|(_, subscriber)| subscriber)
    }
}

/// Writes decisions without a cycle; the answer is the channels that have something to send.
///
/// # Errors
/// Those of the store.
pub fn save(tx: &mut Tx, decided: &[Decided], seen: &Seen, now: Timestamp) -> Result<BTreeSet<i64>> {
    lists::lock(tx, &rule_lists::named(decided.iter(), &seen.rules))?;
    let mut rows = Vec::new();
    for one in decided {
        let (id, sequence, decide_at) = (one.identity_id, one.sequence, one.decision.next_at);
        // Always with a number: a cycle that has read what was before must not be taken any more.
        let (events, standing) = (one.changes_badges().into(), one.standing()?);
        rows.push(identities::Decided { id, sequence, events, standing, decide_at });
    }
    let taken: BTreeSet<_> = identities::save_decisions(tx, &rows)?.into_iter().collect();
    let listeners = Listeners::read(tx, decided.iter().map(|one| one.team_id).collect())?;
    let taken = decided.iter().filter(|one| taken.contains(&one.identity_id));
    write(tx, taken, &listeners, seen, LeftOut::new(), now)
}

/// Writes a decision that may change no badge, so that a cycle which has read what was before is not taken.
///
/// # Errors
/// Those of the store.
pub fn save_numbered(tx: &mut Tx, decided: Decided, seen: &Seen, now: Timestamp) -> Result<BTreeSet<i64>> {
    let (id, changes) = (decided.identity_id, decided.changes_badges());
    let told = save(tx, &[decided], seen, now)?;
    if !changes {
        identities::number_events(tx, id, 1)?;
    }
    Ok(told)
}

/// Writes what is remembered of an identity that has no scores yet, about which nothing is decided.
///
/// # Errors
/// Those of the store.
pub fn keep(tx: &mut Tx, start: &CycleStart) -> Result<BTreeSet<i64>> {
    let CycleStart { id, sequence, standing, .. } = start;
    let (id, sequence, standing) = (*id, *sequence, standing.clone());
    identities::save_decisions(
        tx,
        &[identities::Decided { id, sequence, events: 1, standing, decide_at: None }],
    )?;
    Ok(BTreeSet::new())
}

/// Writes what follows from decisions that were taken, and what channels left out of that and before; the answer is the
/// channels that have something to send.
///
/// # Errors
/// Those of the store.
pub fn write<'d>(
    tx: &mut Tx,
    decided: impl Iterator<Item = &'d Decided>,
    listeners: &Listeners,
    seen: &Seen,
    mut left_out: LeftOut,
    now: Timestamp,
) -> Result<BTreeSet<i64>> {
    let mut told = BTreeSet::new();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for decided in decided {
        let rules = seen.rules.of(decided.team_id);
        if decided.changes_badges() {
            added.extend(decided.carried(&decided.decision.added));
            removed.extend(decided.carried(&decided.decision.removed));
            let to: Vec<_> =
                listeners.of(decided.team_id, EventType::IdentityBadgesChanged).cloned().collect();
            told.extend(tell_of_badges(tx, decided, &to, &mut left_out, now)?);
        }
        for rule in &decided.decision.closed {
            if let Some(open) = escalations::open_of(tx, decided.identity_id, *rule)? {
                let is_known = rules.escalations.iter().any(|known| known.id == *rule);
                let label = decided.decision.after.label.as_ref().filter(|label| !label.settled.is_empty());
                let snooze = decided.decision.after.snoozed.iter().find(|snooze| snooze.rule == *rule);
                let snoozed = snooze.map(snoozes::told).unwrap_or_default();
                let (by, reason) = match (decided.disregarded, is_known, label, snooze) {
                    (true, ..) => (None, "The identity is disregarded."),
                    (false, true, _, Some(snooze)) => (Some(snooze.by.as_str()), snoozed.as_str()),
                    (false, true, Some(label), None) => (
                        Some(label.by.as_str()),
                        label.reason.as_deref().unwrap_or("The identity was labeled good."),
                    ),
                    (false, true, None, None) => (None, "The conditions of the rule no longer hold."),
                    (false, false, ..) => (None, "The rule was disabled or deleted."),
                };
                let mover = Mover { by, reason: Some(reason) };
                let to = (Status::Closed, mover);
                let (team_id, trace) = (decided.team_id, decided.trace);
                let moved = (&decided.scores, trace);
                told.extend(moved_on(tx, team_id, &open, to, moved, &mut left_out, now)?);
            }
        }
        let mut opened = Vec::new();
        for opening in &decided.decision.openings {
            if let Some(rule) = rules.escalations.iter().find(|known| known.id == opening.rule)
                && let Some((id, channels)) = open(tx, decided, (rule, opening), &mut left_out, now)?
            {
                opened.push((rule.id, id));
                told.extend(channels);
            }
        }
        rule_lists::add(tx, seen, decided, &opened, now)?;
    }
    badges::change(tx, &added, &removed)?;
    channels::leave_out(tx, &left_out)?;
    Ok(told)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BadgesChanged<'a> {
    identity_id: &'a str,
    added: &'a [Badge],
    removed: &'a [Badge],
    badges: &'a [Badge],
    scores: &'a Scores,
}

fn tell_of_badges(
    tx: &mut Tx,
    decided: &Decided,
    to: &[Subscriber],
    left_out: &mut LeftOut,
    now: Timestamp,
) -> Result<Vec<i64>> {
    let Decided { team_id, identity_id, decision, .. } = decided;
    if to.is_empty() && decided.is_of_cycle {
        return Ok(Vec::new());
    }
    let data = BadgesChanged {
        identity_id: &decided.external_id,
        added: &decision.added,
        removed: &decision.removed,
        badges: &decision.after.badges,
        scores: &decided.scores,
    };
    let event = EventType::IdentityBadgesChanged;
    let sequence = decided.sequence + 1 + i64::from(decided.is_of_cycle);
    let to = filters::wanted(tx, to, (*identity_id, &decided.scores), now, left_out)?;
    tell(tx, *team_id, (event, decided.trace), (*identity_id, sequence), &data, &to, now)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IdentityLabeled<'a> {
    identity_id: &'a str,
    label: Option<LabelData<'a>>,
    badges: &'a [Badge],
    scores: &'a Scores,
}

#[derive(Serialize)]
struct LabelData<'a> {
    id: i64,
    outcome: Outcome,
    kind: Option<LabelKind>,
    source: Source,
    reason: Option<&'a str>,
    at: Timestamp,
}

/// Tells of the label that counts now; `start` is the identity as it was read, with its new standing.
///
/// # Errors
/// Those of the store.
pub fn tell_of_label(
    tx: &mut Tx,
    start: &CycleStart,
    label: Option<&Label>,
    now: Timestamp,
) -> Result<Vec<i64>> {
    let standing = identities::load(tx, &[start.id])?.pop().and_then(|identity| identity.standing);
    let badges = Standing::decode(standing.as_deref()).map_err(broken)?.badges;
    let scores = start.previous.unwrap_or_default();
    let data = IdentityLabeled {
        identity_id: &start.external_id,
        label: label.map(|label| LabelData {
            id: label.id,
            outcome: label.verdict.outcome,
            kind: label.verdict.kind,
            source: label.source,
            reason: label.reason.as_deref(),
            at: label.at,
        }),
        badges: &badges,
        scores: &scores,
    };
    let event = EventType::IdentityLabeled;
    let to = channels::subscribers(tx, start.team_id, event)?;
    let mut left_out = LeftOut::new();
    let to = filters::wanted(tx, &to, (start.id, &scores), now, &mut left_out)?;
    channels::leave_out(tx, &left_out)?;
    let sequence = identities::number_events(tx, start.id, 1)?;
    tell(tx, start.team_id, (event, None), (start.id, sequence), &data, &to, now)
}

/// The answer is the number of the escalation, and the channels that have something to send.
fn open(
    tx: &mut Tx,
    decided: &Decided,
    (rule, opening): (&EscalationRule, &Opening),
    left_out: &mut LeftOut,
    now: Timestamp,
) -> Result<Option<(i64, Vec<i64>)>> {
    let new = NewEscalation {
        team_id: decided.team_id,
        identity_id: decided.identity_id,
        rule_id: rule.id,
        rule_name: rule.name.clone(),
        severity: rule.severity,
        conditions: serde_json::to_string(&rule.conditions).map_err(broken)?,
        channels: serde_json::to_string(&rule.channels).map_err(broken)?,
        scores: decided.scores,
        explanation: Some(opening.explanation.clone()),
        event_id: opening.event_id.as_deref().map(codec::pack_id),
        opened_at: now,
    };
    let Some(id) = escalations::insert(tx, &new)? else { return Ok(None) };
    let Some(opened) = escalations::find(tx, decided.team_id, id)? else { return Ok(None) };
    let event = (EventType::EscalationOpened, decided.trace);
    let told = tell_of(tx, decided.team_id, event, (&opened, &decided.scores), left_out, now)?;
    Ok(Some((id, told)))
}

/// Moves an escalation on, or back, and tells its channels if it is closed by that, or open again; the
/// answer is the channels that have something to send.
///
/// # Errors
/// Those of the store.
pub fn move_on(
    tx: &mut Tx,
    team_id: i64,
    escalation: &Escalation,
    (status, mover): (Status, Mover),
    scores: &Scores,
    trace: Option<Context>,
    now: Timestamp,
) -> Result<Vec<i64>> {
    let mut left_out = LeftOut::new();
    let told = moved_on(tx, team_id, escalation, (status, mover), (scores, trace), &mut left_out, now)?;
    channels::leave_out(tx, &left_out)?;
    Ok(told)
}

fn moved_on(
    tx: &mut Tx,
    team_id: i64,
    escalation: &Escalation,
    (status, mover): (Status, Mover),
    (scores, trace): (&Scores, Option<Context>),
    left_out: &mut LeftOut,
    now: Timestamp,
) -> Result<Vec<i64>> {
    escalations::set_status(tx, escalation.id, status, mover, now)?;
    let event = match (escalation.status, status) {
        (Status::Closed, Status::Open | Status::Acknowledged) => EventType::EscalationOpened,
        (Status::Open | Status::Acknowledged, Status::Closed) => EventType::EscalationClosed,
        _ => return Ok(Vec::new()),
    };
    let Some(moved) = escalations::find(tx, team_id, escalation.id)? else { return Ok(Vec::new()) };
    tell_of(tx, team_id, (event, trace), (&moved, scores), left_out, now)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EscalationData<'a> {
    identity_id: &'a str,
    escalation_id: i64,
    status: &'static str,
    severity: Severity,
    rule: RuleName<'a>,
    conditions: Value,
    scores: &'a Scores,
    /// What people have decided of the identity.
    outcome: Option<Outcome>,
    /// Of one that opens.
    #[serde(flatten)]
    why: Option<Why<'a>>,
}

/// What opened an escalation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Why<'a> {
    explanation: Option<&'a str>,
    event_id: Option<&'a str>,
}

#[derive(Serialize)]
struct RuleName<'a> {
    id: i64,
    name: &'a str,
}

fn tell_of(
    tx: &mut Tx,
    team_id: i64,
    (event, trace): (EventType, Option<Context>),
    (escalation, scores): (&Escalation, &Scores),
    left_out: &mut LeftOut,
    now: Timestamp,
) -> Result<Vec<i64>> {
    let data = EscalationData {
        identity_id: &escalation.identity,
        escalation_id: escalation.id,
        status: escalation.status.name(),
        severity: escalation.severity,
        rule: RuleName { id: escalation.rule_id, name: &escalation.rule_name },
        conditions: serde_json::from_str(&escalation.conditions).map_err(broken)?,
        scores,
        outcome: escalation.verdict.map(|verdict| verdict.outcome),
        why: (event == EventType::EscalationOpened).then_some(Why {
            explanation: escalation.explanation.as_deref(),
            event_id: escalation.event_id.as_deref(),
        }),
    };
    let slugs: Vec<String> = serde_json::from_str(&escalation.channels).map_err(broken)?;
    let mut to = channels::subscribers(tx, team_id, event)?;
    to.retain(|subscriber| slugs.contains(&subscriber.slug));
    let to = filters::wanted(tx, &to, (escalation.identity_row, scores), now, left_out)?;
    let sequence = identities::number_events(tx, escalation.identity_row, 1)?;
    tell(tx, team_id, (event, trace), (escalation.identity_row, sequence), &data, &to, now)
}

/// Keeps an event, by identity and number, though there may be nobody to tell, and makes a delivery for
/// each channel.
fn tell(
    tx: &mut Tx,
    team_id: i64,
    (event, trace): (EventType, Option<Context>),
    about: (i64, i64),
    data: &impl Serialize,
    to: &[Subscriber],
    now: Timestamp,
) -> Result<Vec<i64>> {
    let data = serde_json::to_string(data).map_err(broken)?;
    let id = notifications::insert_about(tx, team_id, event, about, now, &data)?;
    of_notification(tx, (event, id), Some(about), to, trace, now)?;
    Ok(to.iter().filter(|to| to.enabled).map(|to| to.channel_id).collect())
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
