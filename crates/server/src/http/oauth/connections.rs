//! The clients that act for whoever is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::answer::Answer;
use crate::http::auth::Person;
use crate::http::error::{ApiError, Code};
use crate::http::params::Path;
use crate::ops::audit::Actor;
use crate::ops::oauth::connections as ops;
use crate::store::oauth_connections::Connection;

/// A client that acts for the person who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionBody {
    id: i64,
    /// As the client calls itself.
    name: String,
    #[schema(value_type = String, format = DateTime)]
    connected_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// When it ends, unless the client uses it before.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Connection> for ConnectionBody {
    fn from(row: Connection) -> Self {
        let Connection { id, name, created_at, last_used_at, expires_at, .. } = row;
        Self { id, name, connected_at: created_at, last_used_at, expires_at }
    }
}

/// List the clients that act for one in the team, newest first
#[utoipa::path(get, operation_id = "listConnections", path = "/oauth/connections", tag = "oauth",
    responses((status = 200, body = Vec<ConnectionBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Person(user): Person,
) -> Result<Answer<Vec<ConnectionBody>>, ApiError> {
    let rows = ops::of_user(&app.store, (user.team_id, user.id), app.clock.now()).await?;
    Ok(Answer(rows.into_iter().map(ConnectionBody::from).collect()))
}

/// Disconnect a client
///
/// Its tokens end at once.
#[utoipa::path(delete, operation_id = "disconnect", path = "/oauth/connections/{id}", tag = "oauth",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found(Code::ConnectionNotFound, "connection");
    let id = id.parse().map_err(|_| not_found())?;
    if ops::disconnect(&app.store, actor, user.id, id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_found())
    }
}
