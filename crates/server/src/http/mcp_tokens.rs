//! Tokens with which a person's AI agents act, at `/mcp`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Person;
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, check_name};
use super::params::Path;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::team::mcp_tokens as ops;
use crate::store::mcp_tokens::{self, McpToken};

const NAME_MAX_CHARS: usize = 100;

/// A token of the person who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpTokenBody {
    id: i64,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Only in the answer to the token's creation: store it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl McpTokenBody {
    fn new(row: McpToken, token: Option<String>) -> Self {
        let McpToken { id, name, created_at, last_used_at } = row;
        Self { id, name, created_at, last_used_at, token }
    }
}

/// List one's MCP tokens of the team, newest first
#[utoipa::path(get, operation_id = "listMcpTokens", path = "/mcp-tokens", tag = "mcp-tokens",
    responses((status = 200, body = Vec<McpTokenBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Person(user): Person,
) -> Result<Answer<Vec<McpTokenBody>>, ApiError> {
    let rows = app.store.read(move |tx| mcp_tokens::of_user(tx, user.team_id, user.id)).await?;
    Ok(Answer(rows.into_iter().map(|row| McpTokenBody::new(row, None)).collect()))
}

/// A new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMcpTokenBody {
    #[schema(example = "Support assistant", min_length = 1, max_length = 100)]
    name: String,
}

/// Create an MCP token
///
/// It acts as the person who made it, in the team they were in, with their role there.
#[utoipa::path(post, operation_id = "createMcpToken", path = "/mcp-tokens", tag = "mcp-tokens",
    request_body = NewMcpTokenBody, responses((status = 201, body = McpTokenBody),
        (status = 409, body = ErrorBody, description = "Another token of yours has this name.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    Json(new): Json<Unchecked<NewMcpTokenBody>>,
) -> Result<(StatusCode, Answer<McpTokenBody>), ApiError> {
    let name = new.check(|new| {
        let name = new.name.trim();
        check_name(name, NAME_MAX_CHARS).map(|()| name.to_owned())
    })?;
    let (row, token) = ops::create(&app.store, actor, user.id, name, app.clock.now())
        .await
        .map_err(|error| ApiError::name_taken(error, "token"))?;
    Ok((StatusCode::CREATED, Answer(McpTokenBody::new(row, Some(token)))))
}

/// Remove an MCP token
#[utoipa::path(delete, operation_id = "removeMcpToken", path = "/mcp-tokens/{id}", tag = "mcp-tokens",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found(Code::TokenNotFound, "token");
    let id = id.parse().map_err(|_| not_found())?;
    if ops::delete(&app.store, actor, user.id, id, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_found())
    }
}
