//! Escalations, as people work on them.

use serde_json::json;

use crate::app::App;
use crate::ops::audit::{self, Act, Actor};
use crate::store::Result;
use crate::store::escalations::{self, Escalation, Status};

/// Moves an escalation on, or back; one that is there already stays as it is.
///
/// # Errors
/// Those of the store.
pub async fn set_status(app: &App, actor: Actor, escalation: Escalation, status: Status) -> Result<()> {
    if escalation.status == status {
        return Ok(());
    }
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            escalations::set_status(tx, escalation.id, status, now)?;
            let act = Act {
                action: "escalation.change",
                target_type: "escalation",
                target_id: &escalation.id.to_string(),
                before: Some(json!({ "status": escalation.status.name() })),
                after: Some(json!({ "status": status.name() })),
            };
            audit::record(tx, &actor, &act, now)
        })
        .await
}
