//! Labels: what people decide of identities, and what follows from it at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use dregs_core::identity::Profile;
use dregs_core::label::{Outcome, Source, Verdict};
use dregs_core::link::KeyHasher;
use dregs_core::rules::{Evidence, Label, Standing};
use dregs_core::score::{ANALYZERS, Observation};
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::failpoint::{self, Failpoint};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::decide::draws::DRAWN;
use crate::ops::decide::{decisions, rule_lists};
use crate::ops::directories::Directories;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::handoff::{Evaluations, Handoff, Outgoing};
use crate::ops::identities::edit::linked;
use crate::ops::ingest::refold;
use crate::ops::team::mappings::Mappings;
use crate::store::changes::{self, Touched};
use crate::store::escalations::{Mover, Status};
use crate::store::identities::{self, CycleStart};
use crate::store::labels::{self, Found, FoundObservation};
use crate::store::marks;
use crate::store::{Result, Store, StoreError, Tx, analyses, escalations};

/// Labels of one transaction, so that no other waits long.
const CHUNK: usize = 25;

/// What labels identities.
pub struct Labels<'a> {
    pub store: &'a Store,
    pub kept: &'a Directories,
    pub hasher: KeyHasher,
    pub deliveries: &'a Handoff<Outgoing>,
    pub evaluations: &'a Evaluations,
}

/// A label to give.
#[derive(Clone, Debug)]
pub struct NewLabel {
    /// The sender's own id of the identity.
    pub identity: String,
    pub verdict: Verdict,
    pub source: Source,
    pub reason: Option<String>,
    pub note: Option<String>,
    /// The sender's own id of the label.
    pub key: Option<String>,
    /// When it was decided; now where that is not said.
    pub at: Option<Timestamp>,
    /// The cycle that was looked at; the newest where that is not said.
    pub cycle: Option<i64>,
}

/// What became of a label that was to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Created(i64),
    /// One of the same key was there before.
    Known(i64),
    /// Nobody has this id.
    NoIdentity,
    /// It has no such cycle, or not any more.
    NoCycle,
}

/// What labels go by beside the rows.
#[derive(Clone)]
pub struct Context {
    seen: Arc<Seen>,
    mappings: Arc<Mappings>,
    hasher: KeyHasher,
    min_cycle_ms: i64,
}

impl Labels<'_> {
    pub fn context(&self) -> Context {
        Context {
            seen: Arc::new(Seen::now(self.kept, self.hasher)),
            mappings: self.kept.mappings.current(),
            hasher: self.hasher,
            min_cycle_ms: self.evaluations.min_cycle_ms,
        }
    }

    /// Gives labels, in their order. Those of one call may be given in several transactions: whoever sends them again with
    /// their keys gives each once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn give(&self, actor: Actor, new: Vec<NewLabel>, now: Timestamp) -> Result<Vec<Given>> {
        let mut given = Vec::with_capacity(new.len());
        for chunk in new.chunks(CHUNK) {
            let (chunk, actor, context) = (chunk.to_vec(), actor.clone(), self.context());
            let (answers, told) = self
                .store
                .write(move |tx| {
                    let (mut answers, mut told) = (Vec::new(), BTreeSet::new());
                    for new in &chunk {
                        let (answer, channels) = give(tx, &context, &actor, new, now)?;
                        answers.push(answer);
                        told.extend(channels);
                    }
                    Ok((answers, told))
                })
                .await?;
            failpoint::reach(Failpoint::LabelGiven);
            given.extend(answers);
            self.send(told);
        }
        Ok(given)
    }

    /// Withdraws a label: the one before it counts again, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn withdraw(&self, actor: Actor, label: labels::Label, now: Timestamp) -> Result<()> {
        let context = self.context();
        let told = self.store.write(move |tx| withdraw(tx, &context, &actor, &label, now)).await?;
        self.send(told);
        Ok(())
    }

    /// Has what a transaction has caused sent, and those scored again whom it concerns.
    pub fn send(&self, told: impl IntoIterator<Item = i64>) {
        for channel_id in told {
            self.deliveries.spill(channel_id);
        }
        self.evaluations.spill();
    }
}

/// Gives a label; the answer has the channels that have something to send.
///
/// # Errors
/// Those of the store.
pub fn give(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: &NewLabel,
    now: Timestamp,
) -> Result<(Given, BTreeSet<i64>)> {
    let team_id = actor.team_id;
    let Some(identity) = identities::find(tx, team_id, &new.identity)? else {
        return Ok((Given::NoIdentity, BTreeSet::new()));
    };
    if let Some(key) = &new.key
        && let Some(known) = labels::find_key(tx, identity.row_id, key)?
    {
        return Ok((Given::Known(known), BTreeSet::new()));
    }
    bounds::LABELS.check(tx, team_id, identity.row_id)?;
    let analysis = match new.cycle {
        Some(cycle) => match analyses::find(tx, identity.row_id, cycle)? {
            Some(analysis) => Some(analysis),
            None => return Ok((Given::NoCycle, BTreeSet::new())),
        },
        None => analyses::newest(tx, identity.row_id, 1)?.pop(),
    };
    let standing = Standing::decode(identity.standing.as_deref()).map_err(broken)?;
    let found = Found {
        at: analysis.as_ref().map(|analysis| analysis.finished_at),
        scores: analysis.as_ref().map_or(identity.scores, |analysis| analysis.scores),
        observations: analysis.iter().flat_map(|one| &one.detail.observations).map(without_words).collect(),
        badges: standing.badges.into_iter().map(|badge| badge.slug).collect(),
        rules: escalations::rules_of(tx, identity.row_id)?,
    };
    let label = labels::NewLabel {
        team_id,
        identity_id: identity.row_id,
        verdict: new.verdict,
        source: new.source,
        reason: new.reason.as_deref(),
        note: new.note.as_deref(),
        author: &actor.name,
        cycle: analysis.map(|analysis| analysis.sequence),
        found: &found,
        key: new.key.as_deref(),
        decided_at: new.at.unwrap_or(now),
        created_at: now,
    };
    // None where another has stored this key since it was looked for.
    let id = labels::insert(tx, &label)?.ok_or(StoreError::Retry)?;
    let act = Act {
        action: "identity.label",
        target_type: "identity",
        target_id: &identity.id,
        before: None,
        after: Some(json!({
            "label": id,
            "outcome": new.verdict.outcome,
            "kind": new.verdict.kind,
            "source": new.source,
            "reason": &new.reason,
        })),
    };
    audit::record(tx, actor, &act, now)?;
    let mut told = settle(tx, context, team_id, identity.row_id, now)?;
    // Whoever was drawn was drawn to be labelled.
    if let Some(open) = escalations::open_of(tx, identity.row_id, DRAWN)? {
        let mover = Mover { by: Some(&actor.name), reason: new.reason.as_deref() };
        told.extend(decisions::move_on(
            tx,
            team_id,
            &open,
            (Status::Closed, mover),
            &open.scores,
            None,
            now,
        )?);
    }
    Ok((Given::Created(id), told))
}

/// Withdraws a label; the answer is the channels that have something to send.
///
/// # Errors
/// Those of the store.
pub fn withdraw(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    label: &labels::Label,
    now: Timestamp,
) -> Result<BTreeSet<i64>> {
    labels::withdraw(tx, label.id, &actor.name, now)?;
    let shown =
        |withdrawn| json!({ "label": label.id, "outcome": label.verdict.outcome, "withdrawn": withdrawn });
    let act = Act {
        action: "identity.withdraw-label",
        target_type: "identity",
        target_id: &label.identity,
        before: Some(shown(false)),
        after: Some(shown(true)),
    };
    audit::record(tx, actor, &act, now)?;
    settle(tx, context, actor.team_id, label.identity_row, now)
}

/// Brings an identity in line with the label that counts now: its badges, its escalations, those who are linked to it,
/// and whoever wants to hear of it.
fn settle(tx: &mut Tx, context: &Context, team_id: i64, id: i64, now: Timestamp) -> Result<BTreeSet<i64>> {
    let Some(start) = identities::load_cycle_starts(tx, &[id])?.pop() else { return Ok(BTreeSet::new()) };
    let mut standing = Standing::decode(start.standing.as_deref()).map_err(broken)?;
    let before = standing.label.take();
    standing.label = in_force(tx, &start, None)?;
    if before.as_ref().map(|label| label.id) == standing.label.as_ref().map(|label| label.id) {
        return Ok(BTreeSet::new());
    }
    let verdict = |label: &Option<Label>| label.as_ref().map(|label| label.verdict);
    let (was, is) = (verdict(&before), verdict(&standing.label));
    let is_good = is.is_some_and(|verdict| verdict.outcome == Outcome::Good);
    let added = if is_good { rule_lists::lock_added(tx, team_id, id)? } else { Vec::new() };
    let counts = |verdict: Option<Verdict>| verdict.is_some_and(Verdict::is_of_owner);
    identities::set_verdict(tx, id, is, now)?;
    let mut rescored = if counts(was) == counts(is) { BTreeSet::new() } else { others(tx, context, &start)? };
    rescored.insert(id);
    let label = standing.label.clone();
    let (start, seen) = (CycleStart { standing: standing.encode().map_err(broken)?, ..start }, &context.seen);
    let mut told = match decisions::ask(&start, seen.rules.of(team_id), now)? {
        Some(decided) => decisions::save_numbered(tx, decided, seen, now)?,
        // Its first cycle decides.
        None => decisions::keep(tx, &start)?,
    };
    rule_lists::clear(tx, team_id, id, added, now)?;
    told.extend(decisions::tell_of_label(tx, &start, label.as_ref(), now)?);
    marks::mark_dirty(tx, &rescored.into_iter().collect::<Vec<_>>(), now, context.min_cycle_ms)?;
    changes::insert(tx, &Touched::identity(id), now)?;
    // To be done again where something else was written meanwhile.
    let Some(after) = identities::load(tx, &[id])?.pop() else { return Err(StoreError::Retry) };
    let after = Standing::decode(after.standing.as_deref()).map_err(broken)?;
    if after.label.map(|label| label.id) != label.map(|label| label.id) {
        return Err(StoreError::Retry);
    }
    Ok(told)
}

/// The label that counts. Of who is good it settles what was found at the cycle that was looked at, less where something
/// new was found since. `but` is passed over.
fn in_force(tx: &mut Tx, start: &CycleStart, but: Option<i64>) -> Result<Option<Label>> {
    let Some((label, found)) = labels::in_force(tx, start.id, but)? else { return Ok(None) };
    let mut kept = Label {
        id: label.id,
        verdict: label.verdict,
        source: label.source,
        at: label.decided_at,
        by: label.author,
        reason: label.reason,
        settled: Vec::new(),
        evidence: Evidence::default(),
    }
    .settling(&found.observations.iter().filter_map(with_category).collect::<Vec<_>>());
    if let Some(newest) = analyses::newest(tx, start.id, 1)?.pop() {
        kept.look_at(&newest.detail.observations);
    }
    Ok(Some(kept))
}

/// What would be remembered of an identity if it were labelled so.
///
/// # Errors
/// Those of the store.
pub fn supposed(tx: &mut Tx, start: &CycleStart, verdict: Verdict, now: Timestamp) -> Result<Option<String>> {
    let mut standing = Standing::decode(start.standing.as_deref()).map_err(broken)?;
    let newest = analyses::newest(tx, start.id, 1)?.pop();
    let observations = newest.map(|newest| newest.detail.observations).unwrap_or_default();
    let label = Label {
        id: 0,
        verdict,
        source: Source::Analyst,
        at: now,
        by: String::new(),
        reason: None,
        settled: Vec::new(),
        evidence: Evidence::default(),
    };
    standing.label = Some(label.settling(&observations));
    standing.encode().map_err(broken)
}

/// What would be remembered of an identity if a label were withdrawn.
///
/// # Errors
/// Those of the store.
pub fn without(tx: &mut Tx, start: &CycleStart, label: i64) -> Result<Option<String>> {
    let mut standing = Standing::decode(start.standing.as_deref()).map_err(broken)?;
    standing.label = in_force(tx, start, Some(label))?;
    standing.encode().map_err(broken)
}

/// Those who are linked to an identity.
///
/// # Errors
/// Those of the store.
pub fn others(tx: &mut Tx, context: &Context, start: &CycleStart) -> Result<BTreeSet<i64>> {
    let data = serde_json::from_str(&start.data).map_err(broken)?;
    let profile = Profile::from_data(&data, context.mappings.of(start.team_id));
    let state = refold::decode(tx, start.id, &start.state)?;
    linked(tx, &context.hasher, start.team_id, start.id, &state, &profile)
}

fn without_words(observation: &Observation) -> FoundObservation {
    let Observation { id, value, confidence, weight, .. } = observation;
    FoundObservation { id: id.clone(), value: *value, confidence: *confidence, weight: *weight }
}

/// As it was observed, without its words; `None` of an analyzer that is no more.
fn with_category(found: &FoundObservation) -> Option<Observation> {
    let analyzer = ANALYZERS.iter().find(|analyzer| analyzer.id == found.id)?;
    Some(Observation {
        category: analyzer.category,
        id: found.id.clone(),
        label: String::new(),
        explanation: String::new(),
        value: found.value,
        confidence: found.confidence,
        weight: found.weight,
        metadata: Default::default(),
    })
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
