//! What the dashboard's page of consent asks: who wants what, and what the person says to it.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{IntoParams, ToSchema};

use super::Site;
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::auth::Person;
use crate::http::body::Json;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::params::Params;
use crate::ops::audit::Actor;
use crate::ops::oauth::authorization::{self, Asked, Request, Unusable};
use crate::ops::oauth::{app_scheme, is_loopback};

/// The parameters with which a client sent a person to `/oauth/authorize`, by the names that RFC 6749, RFC 7636 and
/// RFC 8707 give them.
#[derive(Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuthorizationParams {
    #[schema(example = "code")]
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    code_challenge: Option<String>,
    #[schema(example = "S256")]
    code_challenge_method: Option<String>,
    state: Option<String>,
    resource: Option<String>,
    /// There is one, `mcp`, whichever is asked for.
    #[serde(rename = "scope")]
    _scope: Option<String>,
}

impl From<AuthorizationParams> for Request {
    fn from(params: AuthorizationParams) -> Self {
        let AuthorizationParams {
            response_type,
            client_id,
            redirect_uri,
            code_challenge,
            code_challenge_method,
            state,
            resource,
            _scope: _,
        } = params;
        Self {
            response_type,
            client_id,
            redirect_uri,
            code_challenge,
            code_challenge_method,
            state,
            resource,
        }
    }
}

/// What a client asks a person for. Anybody may register a client under any name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationRequestBody {
    client_name: String,
    #[schema(value_type = String, format = DateTime)]
    client_registered_at: Timestamp,
    /// Where the browser goes with the answer.
    redirect_uri: String,
    /// Its host; null where a program on the person's own machine takes the answer.
    redirect_host: Option<String>,
    /// Its scheme, where an app on that machine takes the answer that opens links of it, such as com.example.app; else
    /// null.
    redirect_scheme: Option<String>,
    /// Why it cannot be approved; null where it can.
    refusal: Option<String>,
}

impl From<Asked> for AuthorizationRequestBody {
    fn from(asked: Asked) -> Self {
        let url = Url::parse(&asked.redirect_uri).ok().filter(|url| !is_loopback(url));
        Self {
            redirect_host: url.and_then(|url| url.host_str().map(str::to_owned)),
            redirect_scheme: app_scheme(&asked.redirect_uri).map(str::to_ascii_lowercase),
            refusal: asked.refusal().map(|refusal| refusal.description.clone()),
            redirect_uri: asked.redirect_uri,
            client_registered_at: asked.client.created_at,
            client_name: asked.client.name,
        }
    }
}

/// Where the browser is to go.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedirectBody {
    redirect_to: String,
}

fn unusable(Unusable(field, message): Unusable) -> ApiError {
    ApiError::field(field, message)
}

/// Read what a client asks for
#[utoipa::path(get, operation_id = "readAuthorizationRequest", path = "/oauth/request", tag = "oauth",
    params(AuthorizationParams), responses((status = 200, body = AuthorizationRequestBody),
        (status = 404, body = ErrorBody, description = "It is not set by which address clients reach the server.")))]
pub async fn read(
    State(app): State<Arc<App>>,
    _: Person,
    site: Site,
    Params(params): Params<AuthorizationParams>,
) -> Result<Answer<AuthorizationRequestBody>, ApiError> {
    let asked = authorization::read(&app.store, params.into(), site.issuer()).await?.map_err(unusable)?;
    Ok(Answer(asked.into()))
}

/// Approve what a client asks for
///
/// It then acts as the person, with their role, at `/mcp` and nowhere else.
#[utoipa::path(post, operation_id = "approveAuthorizationRequest", path = "/oauth/request/actions/approve",
    tag = "oauth", request_body = AuthorizationParams, responses((status = 200, body = RedirectBody),
        (status = 404, body = ErrorBody, description = "It is not set by which address clients reach the server.")))]
pub async fn approve(
    State(app): State<Arc<App>>,
    Person(user): Person,
    actor: Actor,
    site: Site,
    Json(params): Json<AuthorizationParams>,
) -> Result<Answer<RedirectBody>, ApiError> {
    let (now, issuer) = (app.clock.now(), site.issuer());
    let approved = authorization::approve(&app.store, actor, user.id, params.into(), issuer, now).await?;
    Ok(Answer(RedirectBody { redirect_to: approved.map_err(unusable)? }))
}

/// Deny what a client asks for
#[utoipa::path(post, operation_id = "denyAuthorizationRequest", path = "/oauth/request/actions/deny", tag = "oauth",
    request_body = AuthorizationParams, responses((status = 200, body = RedirectBody),
        (status = 404, body = ErrorBody, description = "It is not set by which address clients reach the server.")))]
pub async fn deny(
    State(app): State<Arc<App>>,
    _: Person,
    site: Site,
    Json(params): Json<AuthorizationParams>,
) -> Result<Answer<RedirectBody>, ApiError> {
    let issuer = site.issuer();
    let asked = authorization::read(&app.store, params.into(), issuer.clone()).await?.map_err(unusable)?;
    Ok(Answer(RedirectBody { redirect_to: asked.deny(&issuer) }))
}
