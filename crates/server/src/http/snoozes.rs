//! Escalation rules that are put off for one identity.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::rules::Snooze;
use dregs_core::time::{DAY_MS, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Triager;
use super::body::{Json, Unchecked};
use super::error::{ApiError, both, must};
use super::escalations::{self, EscalationBody};
use super::identities::{IdentityBody, find};
use super::params::Path;
use super::triage::reason;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::draws::DRAWN;

/// Longest snooze: what is never to be asked again is a label's business.
pub const SNOOZE_MAX_DAYS: i64 = 366;

/// How long an escalation's rule is put off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnoozeBody {
    /// At most 366 days from now.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// Snooze an escalation's rule for its identity
///
/// The escalation is closed, and the rule opens no other one of this identity before `until`. Then it does again, if its
/// conditions hold. Other rules, badges and scores stay as they are.
#[utoipa::path(post, operation_id = "snoozeEscalation", path = "/escalations/{id}/actions/snooze",
    tag = "escalations", params(("id" = i64, Path)), request_body = SnoozeBody,
    responses((status = 200, body = EscalationBody)))]
pub async fn snooze(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<SnoozeBody>>,
) -> Result<Answer<EscalationBody>, ApiError> {
    let now = app.clock.now();
    let (until, reason) = body.check(|SnoozeBody { until, reason: text }| {
        let is_ahead = until > now && until <= now.plus_millis(SNOOZE_MAX_DAYS * DAY_MS);
        let message = format!("must be ahead, at most {SNOOZE_MAX_DAYS} days");
        both(must(is_ahead, "until", message).map(|()| until), reason(text))
    })?;
    let escalation = escalations::find(&app, &caller, &id).await?;
    must(escalation.rule_id != DRAWN, "", "no rule has opened it: it was drawn at random. Close it instead")?;
    let identity = find(&app, &caller, escalation.identity.clone()).await?;
    let (rule, name, by) = (escalation.rule_id, escalation.rule_name, actor.name.clone());
    let snooze = Snooze { rule, name, until, at: now, by, reason };
    app.snoozes().snooze(actor, identity, snooze, now).await?.ok_or_else(escalations::not_found)?;
    escalations::body(&app, &caller, &id).await
}

/// A snooze to end.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSnoozeBody {
    /// The id of the escalation rule, as a number or as text.
    #[schema(example = "3")]
    rule: RuleId,
}

/// The id of a rule, as answers have it (text) or as its path does.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RuleId {
    Number(i64),
    Text(String),
}

impl RuleId {
    fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// End the snooze of an escalation rule for an identity
///
/// It opens an escalation again if its conditions hold.
#[utoipa::path(post, operation_id = "endSnooze", path = "/identities/{id}/actions/end-snooze",
    tag = "identities", params(("id" = String, Path)), request_body = EndSnoozeBody,
    responses((status = 200, body = IdentityBody)))]
pub async fn end(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<EndSnoozeBody>,
) -> Result<Answer<IdentityBody>, ApiError> {
    let identity = find(&app, &caller, id).await?;
    let none = || ApiError::field("rule", "is snoozed for this identity by nobody");
    let rule = body.rule.number().ok_or_else(none)?;
    let changed = app.snoozes().end(actor, identity, rule, app.clock.now()).await?;
    IdentityBody::new(changed.ok_or_else(none)?).map(Answer)
}
