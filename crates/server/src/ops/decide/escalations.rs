//! Escalations, as people work on them.

use dregs_core::label::{Source, Verdict};
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::decisions;
use crate::ops::decide::labels::{self, Given, Labels, NewLabel};
use crate::store::escalation_history::{self, Kind, NewEntry};
use crate::store::escalations::{self, Escalation, Mover, Status};
use crate::store::{Result, Tx, identities};

/// Where an escalation goes.
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
    let told = ops
        .store
        .write(move |tx| {
            let mut told = Vec::new();
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
                match labels::give(tx, &context, &actor, &new, now)? {
                    (Given::NoCycle, _) => return Ok(Err(NoCycle)),
                    (_, channels) => told.extend(channels),
                }
            }
            // Whoever is good has it closed by that.
            let Some(escalation) = escalations::find(tx, actor.team_id, escalation.id)? else {
                return Ok(Ok(told));
            };
            if escalation.status == to.status {
                return Ok(Ok(told));
            }
            write_history(tx, &actor, &escalation, &to, now)?;
            let scores = identities::load(tx, &[escalation.identity_row])?;
            let scores = scores.first().map_or(escalation.scores, |identity| identity.scores);
            let mover = Mover { by: Some(&actor.name), reason: to.reason.as_deref() };
            told.extend(decisions::move_on(
                tx,
                actor.team_id,
                &escalation,
                (to.status, mover),
                &scores,
                now,
            )?);
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
            audit::record(tx, &actor, &act, now)?;
            Ok(Ok(told))
        })
        .await?;
    Ok(told.map(|told| ops.send(told)))
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
