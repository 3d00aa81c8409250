//! Escalations, as people work on them.

use serde_json::json;

use crate::app::App;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::decisions;
use crate::store::escalations::{Escalation, Status};
use crate::store::{Result, identities};

/// Moves an escalation on, or back, and tells its channels; one that is there already stays as it is.
///
/// # Errors
/// Those of the store.
pub async fn set_status(app: &App, actor: Actor, escalation: Escalation, status: Status) -> Result<()> {
    if escalation.status == status {
        return Ok(());
    }
    let (now, team_id) = (app.clock.now(), actor.team_id);
    let told = app
        .store
        .write(move |tx| {
            let scores = identities::load(tx, &[escalation.identity_row])?;
            let scores = scores.first().map_or(escalation.scores, |identity| identity.scores);
            let told = decisions::move_on(tx, team_id, &escalation, status, &scores, now)?;
            let act = Act {
                action: "escalation.change",
                target_type: "escalation",
                target_id: &escalation.id.to_string(),
                before: Some(json!({ "status": escalation.status.name() })),
                after: Some(json!({ "status": status.name() })),
            };
            audit::record(tx, &actor, &act, now)?;
            Ok(told)
        })
        .await?;
    for channel_id in told {
        app.deliveries.spill(channel_id);
    }
    Ok(())
}
