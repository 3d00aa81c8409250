//! Who works on an escalation.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, OptionalJson};
use super::error::{ApiError, Code, ErrorBody};
use super::escalations::{self, Asked, EscalationBody};
use super::params::Path;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::assignment::{self as ops, Refused};
use crate::store::users::{self, Role, User};

/// Who is to work on an escalation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// `me`, or the e-mail address or the id of a member who may work on escalations; null for nobody.
    #[serde(deserialize_with = "given")]
    #[schema(required, example = "ada@example.com")]
    assignee: Option<String>,
    /// Takes it from somebody else who has it.
    #[serde(default)]
    force: bool,
}

/// A field that has to be there, though it may be null: what was left out by mistake takes nothing from anybody.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(field)
}

/// Assign an escalation to a member, or to nobody
///
/// What somebody else has is left with them, unless `force`.
#[utoipa::path(post, operation_id = "assignEscalation", path = "/escalations/{id}/actions/assign",
    tag = "escalations", params(("id" = i64, Path)), request_body = AssignBody,
    responses((status = 200, body = EscalationBody),
        (status = 409, body = ErrorBody, description = "Somebody else has it, or it is closed.")))]
pub async fn assign(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<AssignBody>,
) -> Result<Answer<EscalationBody>, ApiError> {
    let escalation = escalations::find(&app, &caller, &id).await?;
    let to = match &body.assignee {
        Some(text) => Some(worker(&app, &caller, text).await?),
        None => None,
    };
    let assigned = ops::assign(&app.store, actor, (escalation.id, to), body.force, app.clock.now()).await?;
    assigned.map_err(|refused| match refused {
        Refused::Gone => escalations::not_found(),
        Refused::Closed => {
            let message = "A closed escalation is nobody's to work on. Reopen it first.";
            ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
        }
        Refused::Taken(member) => {
            let message = format!("{member} works on it. Use `force` to reassign it.");
            ApiError::new(StatusCode::CONFLICT, Code::EscalationAssigned, message)
        }
    })?;
    escalations::body(&app, &caller, &id).await
}

/// Of which escalations the next is taken; any by default.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeNextBody {
    /// INFO, WARNING or CRITICAL.
    severity: Option<String>,
    /// The id of an escalation rule.
    rule: Option<String>,
    identity: Option<String>,
    /// What was decided of the identity: GOOD, BAD, or NONE where nothing was yet.
    outcome: Option<String>,
    /// Those that are past their due time; or all others.
    overdue: Option<bool>,
    /// What the identity has in common with others.
    #[schema(example = "IP:203.0.113.7")]
    shares: Option<String>,
}

/// The escalation that was taken.
#[derive(Serialize, ToSchema)]
pub struct TakenBody {
    /// Null where none is free.
    escalation: Option<EscalationBody>,
}

/// Take the next open escalation that nobody works on
///
/// The worst first, and of those the oldest. No two people get the same one, however many ask at once.
#[utoipa::path(post, operation_id = "takeNextEscalation", path = "/escalations/actions/take-next",
    tag = "escalations", request_body = Option<TakeNextBody>, responses((status = 200, body = TakenBody)))]
pub async fn take_next(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    OptionalJson(body): OptionalJson<TakeNextBody>,
) -> Result<Answer<TakenBody>, ApiError> {
    let Caller::Person(_) = &caller else {
        let message = "Sign in: only a person works on escalations. A key can assign them to one.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, message));
    };
    let TakeNextBody { severity, rule, identity, outcome, overdue, shares } = body;
    let (asked, now) = (Asked { severity, rule, identity, outcome, overdue, shares }, app.clock.now());
    let taken = match asked.filter(&app, caller.team_id(), now).await? {
        Some(filter) => ops::take_next(&app.store, &actor, &filter, now).await?,
        None => None,
    };
    let escalation = match taken {
        Some(id) => Some(escalations::body(&app, &caller, &id.to_string()).await?.0),
        None => None,
    };
    Ok(Answer(TakenBody { escalation }))
}

/// Whom a filter names: the e-mail address of a member, or nobody.
pub async fn assignee(app: &App, caller: &Caller, text: &str) -> Result<Option<String>, ApiError> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    member(app, caller, "assignee", text).await.map(|member| Some(member.email))
}

/// Who is to work on escalations: the e-mail address of a member, or nobody.
pub async fn bulk_assignee(app: &App, caller: &Caller, text: &str) -> Result<Option<String>, ApiError> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    worker(app, caller, text).await.map(Some)
}

/// The e-mail address of a member who may work on escalations.
async fn worker(app: &App, caller: &Caller, text: &str) -> Result<String, ApiError> {
    let member = member(app, caller, "assignee", text).await?;
    if member.role == Role::Viewer {
        return Err(ApiError::field("assignee", "is a viewer, who may only read"));
    }
    Ok(member.email)
}

/// The member whom a field names.
pub async fn member(app: &App, caller: &Caller, field: &str, text: &str) -> Result<User, ApiError> {
    if text.eq_ignore_ascii_case("me") {
        return match caller {
            Caller::Person(user) => Ok(user.clone()),
            Caller::Backend(_) => Err(ApiError::field(field, "`me` is whoever is signed in: name a member")),
        };
    }
    let team_id = caller.team_id();
    let members = app.store.read(move |tx| users::of_team(tx, team_id)).await?;
    let is_meant = |user: &User| user.email.eq_ignore_ascii_case(text) || user.id.to_string() == text;
    let unknown = || ApiError::field(field, "is the e-mail address or the id of no member");
    members.into_iter().find(is_meant).ok_or_else(unknown)
}
