//! Escalations, as people work on them.

use dregs_core::time::Timestamp;
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::decisions;
use crate::ops::handoff::{Handoff, Outgoing};
use crate::store::escalations::{Escalation, Mover, Status};
use crate::store::{Result, Store, identities};

/// Moves an escalation on, or back, and tells its channels; one that is there already stays as it is. The reason is
/// kept of what is closed.
///
/// # Errors
/// Those of the store.
pub async fn set_status(
    store: &Store,
    deliveries: &Handoff<Outgoing>,
    actor: Actor,
    escalation: Escalation,
    (status, reason): (Status, Option<String>),
    now: Timestamp,
) -> Result<()> {
    if escalation.status == status {
        return Ok(());
    }
    let team_id = actor.team_id;
    let told = store
        .write(move |tx| {
            let scores = identities::load(tx, &[escalation.identity_row])?;
            let scores = scores.first().map_or(escalation.scores, |identity| identity.scores);
            let mover = Mover { by: Some(&actor.name), reason: reason.as_deref() };
            let told = decisions::move_on(tx, team_id, &escalation, (status, mover), &scores, now)?;
            let mut after = json!({ "status": status.name() });
            if let Some(reason) = &reason {
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
            Ok(told)
        })
        .await?;
    for channel_id in told {
        deliveries.spill(channel_id);
    }
    Ok(())
}
