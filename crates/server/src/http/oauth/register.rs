//! Dynamic registration of clients (RFC 7591).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dregs_core::time::SECOND_MS;
use serde_json::{Map, Value, json};

use super::Site;
use super::error::OauthError;
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::auth::Stranger;
use crate::http::body::SmallJson;
use crate::http::error::ApiError;
use crate::limit::{self, Limit};
use crate::ops::oauth::SCOPE;
use crate::ops::oauth::clients::{self, Metadata};
use crate::ops::oauth::refusal::Kind;

/// Registers a client. What it wants otherwise (a secret, other grants) is replaced, and what else it says of itself left
/// aside, as the RFC allows.
pub async fn register(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    _: Site,
    SmallJson(said): SmallJson<Map<String, Value>>,
) -> Result<Response, OauthError> {
    let metadata = read(&said)?;
    let registered = clients::register(&app.store, metadata, client.address, app.clock.now()).await?;
    let client = registered.map_err(|wait| {
        limit::reached(Limit::Registrations);
        metrics::counter!("dregs_rate_limited_total", "kind" => "registration").increment(1);
        ApiError::rate_limited(wait)
    })?;
    let body = json!({
        "client_id": client.id,
        "client_id_issued_at": client.created_at.as_millis() / SECOND_MS,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
    });
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Answer(body)).into_response())
}

fn read(said: &Map<String, Value>) -> Result<Metadata, OauthError> {
    let wrong = |message: &str| OauthError::new(Kind::InvalidClientMetadata, message);
    let name = match said.get("client_name") {
        None | Some(Value::Null) => None,
        Some(name) => Some(name.as_str().ok_or_else(|| wrong("client_name must be text."))?),
    };
    let uris = said.get("redirect_uris").and_then(Value::as_array).cloned().unwrap_or_default();
    let uris: Option<Vec<_>> = uris.iter().map(|uri| uri.as_str().map(str::to_owned)).collect();
    let uris = uris.ok_or_else(|| wrong("redirect_uris must be a list of addresses."))?;
    Ok(Metadata::new(name, uris)?)
}
