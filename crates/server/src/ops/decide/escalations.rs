//! Escalations, as people work on them.

use std::collections::BTreeSet;

use dregs_core::label::{Outcome, Source, Verdict};
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::labels::{self, Given, Labels, NewLabel};
use crate::ops::decide::{decisions, rule_lists};
use crate::store::escalation_history::{self, Kind, NewEntry};
use crate::store::escalations::{self, Escalation, Mover, Status};
use crate::store::{Result, Tx, identities};

/// Where an escalation goes.
#[derive(Clone)]
pub struct Move {
    pub status: Status,
    /// Kept of what is closed.
    pub reason: Option<String>,
    /// Labels the identity, too, by what was found at a cycle: the newest where that is not said.
    pub verdict: Option<(Verdict, Option<i64>)>,
}

/// It has no such cycle, or not any more.
#[derive(Debug)]
pub struct NoCycle;

/// Moves an escalation on, or back, and tells its channels; one that is there already stays as it is.
///
/// # Errors
/// Those of the store.
pub async fn set_status(
    ops: &Labels<'_>,
    actor: Actor,
    escalation: Escalation,
    to: Move,
    now: Timestamp,
) -> Result<std::result::Result<(), NoCycle>> {
    if escalation.status == to.status && to.verdict.is_none() {
        return Ok(Ok(()));
    }
    let context = ops.context();
    let moved = ops.store.write(move |tx| move_in(tx, &context, &actor, &escalation, &to, now)).await?;
    Ok(moved.map(|moved| ops.send(moved.told)))
}

/// What became of an escalation that was moved.
#[derive(Default)]
pub(super) struct Moved {
    /// The label that was given with it.
    pub label: Option<i64>,
    /// The channels that have something to send.
    pub told: BTreeSet<i64>,
}

/// Moves an escalation within a transaction.
///
/// # Errors
/// Those of the store.
pub(super) fn move_in(
    tx: &mut Tx,
    context: &labels::Context,
    actor: &Actor,
    escalation: &Escalation,
    to: &Move,
    now: Timestamp,
) -> Result<std::result::Result<Moved, NoCycle>> {
    let mut moved = Moved::default();
    if let Some((verdict, cycle)) = to.verdict {
        let new = NewLabel {
            identity: escalation.identity.clone(),
            verdict,
            source: Source::Analyst,
            reason: to.reason.clone(),
            note: None,
            key: None,
            at: None,
            cycle,
        };
        match labels::give(tx, context, actor, &new, now)? {
            (Given::NoCycle, _) => return Ok(Err(NoCycle)),
            (given, told) => {
                moved.told.extend(told);
                moved.label = if let Given::Created(id) = given { Some(id) } else { None };
            }
        }
    }
    // Whoever is good has it closed by that.
    let Some(escalation) = escalations::find(tx, actor.team_id, escalation.id)? else { return Ok(Ok(moved)) };
    if escalation.status == to.status {
        return Ok(Ok(moved));
    }
    write_history(tx, actor, &escalation, to, now)?;
    let scores = identities::load(tx, &[escalation.identity_row])?;
    let scores = scores.first().map_or(escalation.scores, |identity| identity.scores);
    let mover = Mover { by: Some(&actor.name), reason: to.reason.as_deref() };
    let told = decisions::move_on(tx, actor.team_id, &escalation, (to.status, mover), &scores, None, now)?;
    moved.told.extend(told);
    let verdict = to.verdict.map(|(verdict, _)| verdict).or(escalation.verdict);
    if to.status == Status::Closed && verdict.is_some_and(|verdict| verdict.outcome == Outcome::Good) {
        let added = rule_lists::lock_added(tx, actor.team_id, escalation.identity_row)?;
        rule_lists::clear(tx, actor.team_id, escalation.identity_row, added, now)?;
    }
    let mut after = json!({ "status": to.status.name() });
    if let Some(reason) = &to.reason {
        after["reason"] = json!(reason);
    }
    let act = Act {
        action: "escalation.change",
        target_type: "escalation",
        target_id: &escalation.id.to_string(),
        before: Some(json!({ "status": escalation.status.name() })),
        after: Some(after),
    };
    audit::record(tx, actor, &act, now)?;
    Ok(Ok(moved))
}

/// Entries of an escalation that are looked at.
pub const HISTORY_MAX: i64 = 500;

/// Writes down that somebody moves an escalation, and before it what the move takes out of its row.
fn write_history(
    tx: &mut Tx,
    actor: &Actor,
    escalation: &Escalation,
    to: &Move,
    now: Timestamp,
) -> Result<()> {
    let team_id = actor.team_id;
    let entry = |(kind, actor, text, at)| NewEntry {
        team_id,
        of: (escalation.identity_row, escalation.id),
        kind,
        actor,
        text,
        at,
    };
    let known = escalation_history::of_escalation(tx, escalation.id, HISTORY_MAX)?;
    let mut entries: Vec<_> =
        escalation_history::unwritten(escalation, &known).into_iter().map(entry).collect();
    let (kind, reason) = match to.status {
        Status::Open => (Kind::Reopened, None),
        Status::Acknowledged => (Kind::Acknowledged, None),
        Status::Closed => (Kind::Closed, to.reason.as_deref()),
    };
    entries.push(entry((kind, Some(actor.name.as_str()), reason, now)));
    escalation_history::insert(tx, &entries).map(drop)
}
