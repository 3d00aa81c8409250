//! Credentials: the keys an application calls with.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Admin;
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, check_name, must_have};
use super::params::Path;
use crate::app::App;
use crate::ops::access::refused_origins::{OPAQUE, RefusedOrigin};
use crate::ops::audit::Actor;
use crate::ops::team::credentials as ops;
use crate::store::credentials::{self, Credential};

const WHAT: &str = "credential";
const NAME_MAX_CHARS: usize = 100;
pub const ORIGINS_MAX: usize = 50;

/// A pair of keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialBody {
    id: i64,
    name: String,
    public_key: String,
    /// Origins of pages that may send events with the public key, such as `https://example.com`.
    allowed_origins: Vec<String>,
    enabled: bool,
    /// Requests per second, each event of a batch counted; null is the number in the
    /// configuration, 0 any number.
    rate_per_second: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Only in the answer to the credential's creation: store it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
}

/// A new credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewCredentialBody {
    name: String,
    #[serde(default)]
    allowed_origins: Vec<String>,
    /// Requests per second, each event of a batch counted; null is the number in the configuration, 0 any number.
    rate_per_second: Option<u32>,
}

/// What to change about a credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CredentialPatchBody {
    name: Option<String>,
    allowed_origins: Option<Vec<String>>,
    /// False revokes both keys at once.
    enabled: Option<bool>,
    /// Requests per second, each event of a batch counted; null goes back to the number in
    /// the configuration.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    rate_per_second: Option<Option<u32>>,
}

/// What is there, even if it is null.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// List the credentials
#[utoipa::path(get, operation_id = "listCredentials", path = "/credentials", tag = "credentials",
    responses((status = 200, body = Vec<CredentialBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
) -> Result<Answer<Vec<CredentialBody>>, ApiError> {
    let rows = app.store.read(move |tx| credentials::of_team(tx, user.team_id)).await?;
    Ok(Answer(rows.into_iter().map(|row| body(row, None)).collect()))
}

/// An origin whose pages may not send events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedOriginBody {
    /// `null` is what browsers call pages without an origin of their own, such as local files.
    #[schema(example = "https://shop.example.com")]
    origin: String,
    /// Whose public key its pages use; null where browsers asked before they sent one.
    credential_id: Option<i64>,
    /// Refused requests.
    count: u64,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// Whether it can be one of a credential's `allowedOrigins`.
    can_be_allowed: bool,
}

/// List the origins whose pages were refused
///
/// Those of the last week that are refused still, the last seen first: 100 at most, of which one address brings in 5.
/// Each node remembers what it has refused since its start.
#[utoipa::path(get, operation_id = "listRefusedOrigins", path = "/credentials/refused-origins", tag = "credentials",
    responses((status = 200, body = Vec<RefusedOriginBody>)))]
pub async fn refused_origins(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
) -> Answer<Vec<RefusedOriginBody>> {
    let refused = app.kept.credentials.refused(user.team_id, app.clock.now());
    Answer(refused.into_iter().map(RefusedOriginBody::from).collect())
}

impl From<RefusedOrigin> for RefusedOriginBody {
    fn from(refused: RefusedOrigin) -> Self {
        let RefusedOrigin { origin, credential_id, count, first_seen_at, last_seen_at } = refused;
        let can_be_allowed = origin != OPAQUE;
        Self { origin, credential_id, count, first_seen_at, last_seen_at, can_be_allowed }
    }
}

/// Create a credential
#[utoipa::path(post, operation_id = "createCredential", path = "/credentials",
    tag = "credentials", request_body = NewCredentialBody,
    responses((status = 201, body = CredentialBody),
        (status = 409, body = ErrorBody, description = "Another credential has this name.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Admin(_): Admin,
    actor: Actor,
    Json(new): Json<Unchecked<NewCredentialBody>>,
) -> Result<(StatusCode, Answer<CredentialBody>), ApiError> {
    let NewCredentialBody { name, allowed_origins, rate_per_second } =
        new.check(|new| check(Some(&new.name), Some(&new.allowed_origins)).map(|()| new))?;
    let rate = rate_per_second.map(i64::from);
    let created = ops::create(&app.store, actor, (name, allowed_origins), rate, app.clock.now()).await;
    let (credential, secret_key) = created.map_err(|error| ApiError::name_taken(error, WHAT))?;
    app.kept.credentials.reload(&app.store).await?;
    Ok((StatusCode::CREATED, Answer(body(credential, Some(secret_key)))))
}

/// Change or revoke a credential
#[utoipa::path(patch, operation_id = "changeCredential", path = "/credentials/{id}",
    tag = "credentials", params(("id" = i64, Path)),
    request_body = CredentialPatchBody,
    responses((status = 200, body = CredentialBody),
        (status = 409, body = ErrorBody, description = "Another credential has this name.")))]
pub async fn update(
    State(app): State<Arc<App>>,
    Admin(_): Admin,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<CredentialPatchBody>>,
) -> Result<Answer<CredentialBody>, ApiError> {
    let patch = patch
        .check(|patch| check(patch.name.as_deref(), patch.allowed_origins.as_deref()).map(|()| patch))?;
    let id = parse_id(&id)?;
    let change = credentials::Change {
        name: patch.name.map(|name| name.trim().to_owned()),
        allowed_origins: patch.allowed_origins,
        enabled: patch.enabled,
        rate_per_second: patch.rate_per_second.map(|rate| rate.map(i64::from)),
    };
    let changed = ops::change(&app.store, actor, id, change, app.clock.now()).await;
    let changed = changed.map_err(|error| ApiError::name_taken(error, WHAT))?;
    app.kept.credentials.reload(&app.store).await?;
    Ok(Answer(body(changed.ok_or_else(not_found)?, None)))
}

/// Remove a credential
#[utoipa::path(delete, operation_id = "removeCredential", path = "/credentials/{id}",
    tag = "credentials", params(("id" = i64, Path)),
    responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Admin(_): Admin,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = parse_id(&id)?;
    let deleted = ops::delete(&app.store, &app.kept.credentials, actor, id, app.clock.now()).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(not_found()) }
}

fn check(name: Option<&str>, origins: Option<&[String]>) -> Result<(), ApiError> {
    let name = name.map_or(Ok(()), |name| check_name(name, NAME_MAX_CHARS));
    both(name, check_origins(origins.unwrap_or_default())).map(|_| ())
}

fn check_origins(origins: &[String]) -> Result<(), ApiError> {
    must_have("allowedOrigins", origins.len(), 0..=ORIGINS_MAX, "origins")?;
    match origins.iter().find(|origin| !ops::is_origin(origin)) {
        Some(origin) => Err(ApiError::field(
            "allowedOrigins",
            format!(
                "{origin:?} is no origin: that is a scheme, a host and perhaps a port, such as https://example.com"
            ),
        )),
        None => Ok(()),
    }
}

fn parse_id(id: &str) -> Result<i64, ApiError> {
    id.parse().map_err(|_| not_found())
}

fn not_found() -> ApiError {
    ApiError::not_found(Code::CredentialNotFound, WHAT)
}

fn body(credential: Credential, secret_key: Option<String>) -> CredentialBody {
    CredentialBody {
        id: credential.id,
        name: credential.name,
        public_key: credential.public_key,
        allowed_origins: credential.allowed_origins,
        enabled: credential.enabled,
        rate_per_second: credential.rate_per_second,
        created_at: credential.created_at,
        updated_at: credential.updated_at,
        secret_key,
    }
}
