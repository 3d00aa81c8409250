//! Sessions listed, and ended by whoever has them or by an admin.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use dregs_core::agent;
use dregs_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Admin, Person, token};
use super::error::{ApiError, Code};
use super::params::Path;
use crate::app::App;
use crate::ops::access::sign_in;
use crate::ops::audit::Actor;
use crate::store::sessions::Session;
use crate::vault::token_hash;

/// A session of the person who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnSessionBody {
    id: String,
    /// By which it was begun, as far as the user agent tells.
    #[schema(example = "Firefox 145 on Linux")]
    device: Option<String>,
    /// From which it was begun.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// Where the address is, if a database of the operator's tells: ISO 3166-1 alpha-2.
    #[schema(example = "DE")]
    country: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    begun_at: Timestamp,
    /// To the minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

impl OwnSessionBody {
    fn new(app: &App, session: Session, own: &[u8]) -> Self {
        let place = session.place.address.as_deref().and_then(|address| app.geo.place(address.parse().ok()?));
        Self {
            id: sign_in::id_of(&session.token_hash),
            device: session.place.user_agent.as_deref().and_then(agent::described),
            address: session.place.address,
            country: place.and_then(|place| place.country).map(|country| country.code().to_owned()),
            begun_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            current: session.token_hash == own,
        }
    }
}

/// List one's sessions, those that were seen last first
#[utoipa::path(get, operation_id = "listSessions", path = "/auth/sessions",
    tag = "auth", responses((status = 200, body = Vec<OwnSessionBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Person(user): Person,
    headers: HeaderMap,
) -> Result<Answer<Vec<OwnSessionBody>>, ApiError> {
    let own = token(&headers).map(token_hash).unwrap_or_default();
    let found = sign_in::list(&app.store, user.id, app.clock.now()).await?;
    Ok(Answer(found.into_iter().map(|session| OwnSessionBody::new(&app, session, &own)).collect()))
}

/// End one of one's sessions
///
/// It ends at once, on every node; its live streams within two seconds.
#[utoipa::path(delete, operation_id = "endSession", path = "/auth/sessions/{id}",
    tag = "auth", params(("id" = String, Path)), responses((status = 204)))]
pub async fn end(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if sign_in::end_one(&app.store, actor, user.id, &id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found(Code::SessionNotFound, "session"))
    }
}

/// End all one's sessions but the one that asks
#[utoipa::path(post, operation_id = "endOtherSessions", path = "/auth/sessions/actions/end-others",
    tag = "auth", responses((status = 204)))]
pub async fn end_others(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let own = token(&headers).unwrap_or_default();
    sign_in::end_others(&app.store, actor, user.id, own, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all sessions of a member
///
/// Whoever has their password signs in again.
#[utoipa::path(post, operation_id = "endMemberSessions", path = "/team/members/{id}/actions/end-sessions",
    tag = "team", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn end_of_member(
    State(app): State<Arc<App>>,
    _: Admin,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = super::team::parse_id(&id, "member")?;
    if sign_in::end_all(&app.store, actor, id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(super::team::refused(crate::ops::team::members::Refusal::NotFound, "member"))
    }
}
