//! One batch of cycles: read snapshots, score them, commit what they found and cause.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dregs_core::notify::filter::Told;
use dregs_core::notify::message::{EventType, Message};
use dregs_core::rules::Decision;
use dregs_core::time::Timestamp;

use crate::app::App;
use crate::clock::{Clock, monotonic, unix_nanos};
use crate::failpoint::{self, Failpoint};
use crate::ops::decide::decisions::{self, Decided, Listeners};
use crate::ops::decide::rule_lists;
use crate::ops::deliver::filters;
use crate::ops::deliver::messages::EventIds;
use crate::ops::evaluate::evaluation::{self, Scored, Seen};
use crate::ops::handoff::Outgoing;
use crate::store::analyses::{self, Analysis, Detail};
use crate::store::attempts::Trigger;
use crate::store::changes::{self, Touched};
use crate::store::channels::{LeftOut, Subscriber};
use crate::store::claims::{DELIVERY_LEASE_MS, Due, EVALUATION_LEASE_MS};
use crate::store::deliveries::{self, NewDelivery, Subject};
use crate::store::identities::{self, CycleEnd};
use crate::store::{Result, StoreError, Tx, codec, lists, log_failure, versions};
use crate::trace::context::Causes;
use crate::trace::{self, Kind, Span};

/// A finished cycle, ready to be committed.
struct Cycle {
    team_id: i64,
    version: i64,
    analysis: Analysis,
    packed_detail: Vec<u8>,
    decided: Decided,
    message: Arc<Message>,
    trace: Option<Traced>,
}

/// A cycle that follows from traced events.
struct Traced {
    events: Causes,
    cycle: trace::Context,
}

/// Scores the identities with these row ids and hands on what that causes.
///
/// # Errors
/// Those of the store; nothing is written then, and the identities stay due.
pub async fn run(app: &Arc<App>, identity_ids: &[i64]) -> Result<()> {
    while !run_once(app, identity_ids).await? {
        app.kept.reload_changed(app.clock.now()).await?;
    }
    Ok(())
}

/// Says that an identity could not be scored, where it is traced in its trace.
pub async fn failed(app: &App, identity_id: i64, began_at: u64, error: &StoreError) {
    let start = app.store.read(move |tx| identities::load_cycle_starts(tx, &[identity_id])).await;
    let event = start.ok().and_then(|starts| starts.first()?.trace.newest());
    let cycle = event.map(trace::Context::child);
    cycle.map_or_else(tracing::Span::none, log_span).in_scope(|| {
        log_failure!(error, identity_id, "an identity could not be scored");
    });
    if let Some(cycle) = cycle {
        app.traces.record(|| {
            let span = Span::new("evaluate", Kind::Internal, cycle, event, began_at);
            span.failed(Some(error.to_string()))
        });
    }
}

fn log_span(cycle: trace::Context) -> tracing::Span {
    let (trace_id, span_id) = (cycle.shown_trace_id(), cycle.shown_span_id());
    tracing::info_span!("cycle", trace_id, span_id)
}

/// The same; `false`, and nothing is written, where rules or what else it goes by have changed meanwhile.
async fn run_once(app: &Arc<App>, identity_ids: &[i64]) -> Result<bool> {
    let (begun, began_at) = (monotonic(), unix_nanos());
    let ids = identity_ids.to_vec();
    let (event_ids, clock, seen) = (app.event_ids, Arc::clone(&app.clock), app.seen());
    let seen = Arc::new(seen);
    let (common, scored_by) = (Arc::clone(&seen.common), Arc::clone(&seen));
    let cycles = app
        .store
        .read(move |tx| {
            let scored = evaluation::score(tx, &ids, &scored_by, clock.now())?;
            // Another node may have been faster, where it took this one for dead.
            let due = scored.into_iter().filter(|scored| scored.start.is_due);
            due.map(|scored| Cycle::new(scored, event_ids, clock.as_ref())).collect()
        })
        .await;
    let cycles: Vec<Cycle> = cycles?;
    failpoint::reach(Failpoint::EvaluateRead);
    if cycles.is_empty() {
        return Ok(true);
    }
    // Before anybody is accused: what this node or another was told meanwhile may say that it is everybody's.
    if cycles.iter().any(Cycle::accuses) {
        app.learn_of_others().await?;
        if !Arc::ptr_eq(&common, &app.kept.common.current()) {
            return Ok(false);
        }
    }
    let count = cycles.len() as u64;
    if !commit(app, cycles, seen, began_at).await? {
        return Ok(false);
    }
    metrics::counter!("dregs_cycles_total").increment(count);
    metrics::histogram!("dregs_evaluate_batch_seconds").record(begun.elapsed());
    Ok(true)
}

/// Commits the cycles and hands their deliveries on, if everything they go by is still in force.
async fn commit(app: &Arc<App>, cycles: Vec<Cycle>, seen: Arc<Seen>, began_at: u64) -> Result<bool> {
    let mut grants = Grants::reserve(app, &cycles);
    let context = Context {
        now: app.clock.now(),
        min_cycle_ms: app.evaluations.min_cycle_ms,
        node: app.node.id(),
        granted: grants.left.clone(),
        seen,
        again: app.evaluations.reserve(cycles.len()),
    };
    let (now, again) = (context.now, context.again);
    let cycles = Arc::new(cycles);
    let written = Arc::clone(&cycles);
    let committed = app.store.write(move |tx| write(tx, &written, &context)).await;
    failpoint::reach(Failpoint::EvaluateCommitted);
    let committed = match committed {
        Ok(Some(committed)) => committed,
        other => {
            if let Err(error) = &other {
                app.evaluations.note_failed(now, error);
                app.deliveries.note_failed(now, error);
            }
            grants.release_all(app);
            app.evaluations.release(again);
            return other.map(|_| false);
        }
    };
    app.evaluations.release(again - committed.still_due.len());
    for due in committed.still_due {
        app.evaluations.send(due);
    }
    if committed.spilled {
        app.evaluations.spill();
    }
    let taken = cycles.iter().filter(|cycle| !committed.overtaken.contains(&cycle.analysis.identity_id));
    app.awaited.scored(taken.clone().map(|cycle| cycle.analysis.identity_id));
    for cycle in taken {
        cycle.tell(app, began_at, committed.decided_at);
    }
    let messages: HashMap<_, _> = cycles.iter().map(|c| (c.subject(), c)).collect();
    for (channel_id, subject, delivery_id, leased) in committed.deliveries {
        match messages.get(&subject) {
            Some(cycle) if leased => {
                grants.use_one(channel_id);
                app.deliveries.send(Outgoing {
                    delivery_id,
                    channel_id,
                    message: Arc::clone(&cycle.message),
                    trigger: Trigger::Initial,
                    failures: 0,
                    due_at: None,
                    trace: cycle.context(),
                    attempt: None,
                    watcher: None,
                });
            }
            _ => app.deliveries.spill(channel_id),
        }
    }
    for channel_id in committed.told {
        app.deliveries.spill(channel_id);
    }
    grants.release_all(app);
    Ok(true)
}

impl Cycle {
    fn new(scored: Scored, event_ids: EventIds, clock: &dyn Clock) -> Result<Self> {
        let Scored { start, started_at, found, mut decided, event_count, device_count, linked, as_of } =
            scored;
        let trace =
            start.trace.newest().map(|event| Traced { cycle: event.child(), events: start.trace.clone() });
        decided.trace = trace.as_ref().map(|trace| trace.cycle.child());
        let analysis = Analysis {
            identity_id: start.id,
            sequence: start.sequence + 1,
            started_at,
            finished_at: clock.now(),
            scores: found.scores,
            event_count: i64::try_from(event_count).unwrap_or(i64::MAX),
            device_count: device_count.into(),
            detail: Detail {
                previous_scores: start.previous,
                observations: found.observations,
                badges: decided.decision.after.badges.clone(),
                agent: decided.decision.after.agent.clone(),
                linked,
                as_of,
            },
        };
        Ok(Self {
            team_id: start.team_id,
            version: start.version,
            packed_detail: codec::pack(codec::Kind::Analysis, &analysis.detail)?,
            decided,
            message: Arc::new(event_ids.scored(&analysis, &start.external_id)?),
            analysis,
            trace,
        })
    }

    /// Whether it gives a badge or opens an escalation.
    fn accuses(&self) -> bool {
        let Decision { added, opened, .. } = &self.decided.decision;
        !added.is_empty() || !opened.is_empty()
    }

    fn context(&self) -> Option<trace::Context> {
        self.trace.as_ref().map(|trace| trace.cycle)
    }

    /// Tells of it and of what was decided in it, where it is traced.
    fn tell(&self, app: &App, began_at: u64, decided_at: (u64, u64)) {
        let Some(Traced { events, cycle }) = &self.trace else { return };
        log_span(*cycle).in_scope(|| tracing::debug!("an identity was scored"));
        app.traces.record(|| {
            let span = Span::new("evaluate", Kind::Internal, *cycle, events.newest(), began_at);
            let links = events.older().collect();
            span.linked(links).int("dregs.cycle", self.analysis.sequence).int("dregs.team", self.team_id)
        });
        if let Some(span) = self.decided.span(*cycle, decided_at) {
            app.traces.record(|| span);
        }
    }

    /// Whether a channel that listens leaves it out.
    fn is_left_out(&self, to: &Subscriber) -> bool {
        let Analysis { scores, detail, finished_at, .. } = &self.analysis;
        let told = Told {
            scores,
            first_seen_at: self.decided.first_seen_at,
            badges: &detail.badges,
            agent: detail.agent.as_ref(),
            heard: self.decided.decision.after.heard.get(&to.channel_id).copied(),
            at: *finished_at,
        };
        let last = self.decided.decision.after.told.get(&to.channel_id);
        filters::leaves_out(to, &told, detail.previous_scores.as_ref(), last)
    }

    /// What is to be remembered of the identity, with what channels were told.
    fn standing(&self, listeners: &Listeners) -> Result<Option<String>> {
        let channels = || listeners.of(self.team_id, EventType::IdentityScored);
        if self.decided.decision.after.told.is_empty() && channels().all(|to| to.filter.is_none()) {
            return self.decided.standing();
        }
        self.decided.standing_told(channels().map(|to| (to, !self.is_left_out(to))))
    }

    fn subject(&self) -> Subject {
        Subject::Cycle { identity_id: self.analysis.identity_id, sequence: self.analysis.sequence }
    }
}

/// Places reserved for deliveries, by channel.
struct Grants {
    left: BTreeMap<i64, usize>,
}

impl Grants {
    fn reserve(app: &App, cycles: &[Cycle]) -> Self {
        let mut by_team: BTreeMap<i64, usize> = BTreeMap::new();
        for cycle in cycles {
            *by_team.entry(cycle.team_id).or_default() += 1;
        }
        let mut left = BTreeMap::new();
        for (team_id, count) in by_team {
            for channel_id in app.kept.channels.handed_on(team_id, EventType::IdentityScored) {
                // What another node may take over is left to the store.
                let count = if app.node.may_work() { count } else { 0 };
                left.insert(channel_id, app.deliveries.reserve(channel_id, count));
            }
        }
        Self { left }
    }

    fn use_one(&mut self, channel_id: i64) {
        if let Some(places) = self.left.get_mut(&channel_id) {
            *places = places.saturating_sub(1);
        }
    }

    fn release_all(self, app: &App) {
        for (channel_id, places) in self.left {
            app.deliveries.release(channel_id, places);
        }
    }
}

struct Context {
    now: Timestamp,
    min_cycle_ms: i64,
    node: i64,
    /// Places for deliveries, by channel.
    granted: BTreeMap<i64, usize>,
    seen: Arc<Seen>,
    /// Places for identities that changed while they were scored.
    again: usize,
}

/// A delivery: its channel, what it tells of, its id, and whether it is leased to this process.
type Inserted = (i64, Subject, i64, bool);

struct Committed {
    /// Identities of which another cycle or a decision was first.
    overtaken: Vec<i64>,
    /// When it was written what follows from the decisions, from and to.
    decided_at: (u64, u64),
    /// Channels that have something else to send.
    told: BTreeSet<i64>,
    deliveries: Vec<Inserted>,
    still_due: Vec<Due>,
    spilled: bool,
}

/// The one transaction of a batch; `None`, and nothing is written, where what it goes by has changed.
fn write(tx: &mut Tx, cycles: &[Cycle], context: &Context) -> Result<Option<Committed>> {
    lists::lock(tx, &rule_lists::named(cycles.iter().map(|c| &c.decided), &context.seen.rules))?;
    if !versions::hold(tx, &context.seen.versions)? {
        return Ok(None);
    }
    let next_at = context.now.plus_millis(context.min_cycle_ms);
    let leased_until = next_at.plus_millis(EVALUATION_LEASE_MS);
    // As many as there are places for are handed on in memory should they still be due.
    let places: BTreeSet<_> = cycles.iter().take(context.again).map(|c| c.analysis.identity_id).collect();
    let listeners = Listeners::read(tx, cycles.iter().map(|c| c.team_id).collect())?;
    let end = |c: &Cycle| {
        Ok(CycleEnd {
            id: c.analysis.identity_id,
            version: c.version,
            sequence: c.analysis.sequence - 1,
            scores: c.analysis.scores,
            finished_at: c.analysis.finished_at,
            events: c.decided.events(&listeners),
            standing: c.standing(&listeners)?,
            decide_at: c.decided.decision.next_at,
            next_at: if places.contains(&c.analysis.identity_id) { leased_until } else { next_at },
            trace: c.trace.as_ref().map(|trace| trace.events.clone()).unwrap_or_default(),
            decide_trace: c.context(),
        })
    };
    let ends = cycles.iter().map(end).collect::<Result<Vec<_>>>()?;
    let taken: HashMap<i64, bool> = identities::save_cycles(tx, &ends)?.into_iter().collect();
    // What was decided of an identity meanwhile is kept, and its cycle is not: it is scored anew, and not when its lease ends.
    let overtaken: Vec<_> =
        cycles.iter().map(|c| c.analysis.identity_id).filter(|id| !taken.contains_key(id)).collect();
    if !overtaken.is_empty() {
        let dues: Vec<_> = overtaken.iter().map(|id| Due { at: next_at, identity_id: *id }).collect();
        identities::give_back(tx, &dues)?;
    }
    let due_again = taken.iter().filter(|(_, due)| **due).map(|(id, _)| *id);
    let (in_memory, in_store): (Vec<_>, Vec<_>) = due_again.partition(|id| places.contains(id));
    let still_due = in_memory.into_iter().map(|identity_id| Due { at: next_at, identity_id }).collect();
    let taken_cycles: Vec<_> =
        cycles.iter().filter(|c| taken.contains_key(&c.analysis.identity_id)).collect();
    let rows: Vec<_> = taken_cycles.iter().map(|c| (&c.analysis, c.packed_detail.as_slice())).collect();
    analyses::insert(tx, &rows)?;
    let touched = Touched { identities: taken.keys().copied().collect(), ..Touched::default() };
    changes::insert(tx, &touched, context.now)?;
    let (deliveries, left_out) = insert_deliveries(tx, &taken_cycles, &listeners, context)?;
    let deciding_at = unix_nanos();
    let decided = taken_cycles.iter().map(|cycle| &cycle.decided);
    let told = decisions::write(tx, decided, &listeners, &context.seen, left_out, context.now)?;
    let spilled = !in_store.is_empty() || !overtaken.is_empty();
    let decided_at = (deciding_at, unix_nanos());
    Ok(Some(Committed { overtaken, decided_at, told, deliveries, still_due, spilled }))
}

fn insert_deliveries(
    tx: &mut Tx,
    cycles: &[&Cycle],
    listeners: &Listeners,
    context: &Context,
) -> Result<(Vec<Inserted>, LeftOut)> {
    let mut left_out = LeftOut::new();
    let mut granted = context.granted.clone();
    let teams: BTreeSet<_> = cycles.iter().map(|c| c.team_id).collect();
    let mut rows = Vec::new();
    for team_id in teams {
        for to in listeners.of(team_id, EventType::IdentityScored) {
            for cycle in cycles.iter().filter(|c| c.team_id == team_id) {
                if cycle.is_left_out(to) {
                    *left_out.entry(to.channel_id).or_default() += 1;
                    continue;
                }
                let place = granted.get_mut(&to.channel_id);
                let place = place.filter(|places| to.enabled && !to.by_identity && **places > 0);
                let leased = place.is_some();
                if let Some(places) = place {
                    *places -= 1;
                }
                let lease = if leased { DELIVERY_LEASE_MS } else { 0 };
                rows.push(NewDelivery {
                    channel_id: to.channel_id,
                    event: EventType::IdentityScored,
                    subject: cycle.subject(),
                    about: None,
                    trigger: Trigger::Initial,
                    created_at: cycle.analysis.finished_at,
                    next_attempt_at: context.now.plus_millis(lease),
                    leased_to: leased.then_some(context.node),
                    by_identity: to.by_identity,
                    trace: cycle.context(),
                });
            }
        }
    }
    let leased: HashMap<_, _> =
        rows.iter().map(|row| ((row.channel_id, row.subject), row.leased_to.is_some())).collect();
    let inserted = deliveries::insert(tx, &rows)?;
    let with_lease = inserted.into_iter().map(|(channel_id, subject, id)| {
        (channel_id, subject, id, leased.get(&(channel_id, subject)).copied().unwrap_or(false))
    });
    let mut with_lease: Vec<_> = with_lease.collect();
    with_lease.sort_unstable_by_key(|(_, _, id, _)| *id);
    Ok((with_lease, left_out))
}
