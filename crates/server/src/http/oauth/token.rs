//! Tokens for codes and for refresh tokens (RFC 6749), and their revocation (RFC 7009).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dregs_core::time::SECOND_MS;
use serde_json::json;

use super::Site;
use super::error::OauthError;
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::auth::Stranger;
use crate::http::body::SmallForm;
use crate::ops::oauth::connections::{self, Issued, Place, Redeemed};
use crate::ops::oauth::refusal::Kind;
use crate::ops::oauth::{ACCESS_MS, SCOPE};

/// The parameters of a request.
struct Form(Vec<(String, String)>);

impl Form {
    /// A parameter; one without a value is one that is missing (RFC 6749, 3.2).
    fn get(&self, name: &str) -> Result<Option<String>, OauthError> {
        let mut found = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let value = found.next();
        if found.next().is_some() {
            return Err(OauthError::new(Kind::InvalidRequest, format!("{name} is there more than once.")));
        }
        Ok(value.filter(|value| !value.is_empty()).cloned())
    }

    fn need(&self, name: &str) -> Result<String, OauthError> {
        let missing = || OauthError::new(Kind::InvalidRequest, format!("{name} is missing."));
        self.get(name)?.ok_or_else(missing)
    }

    /// The client, which has nothing to prove itself with.
    fn client_id(&self) -> Result<String, OauthError> {
        let missing = || OauthError::new(Kind::InvalidClient, "client_id is missing.");
        self.get("client_id")?.ok_or_else(missing)
    }
}

/// Gives a client tokens.
pub async fn issue(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    site: Site,
    SmallForm(fields): SmallForm,
) -> Result<Response, OauthError> {
    let form = Form(fields);
    let place = Place { resource: site.issuer().resource, address: client.address };
    let now = app.clock.now();
    let (client_id, resource) = (form.client_id()?, form.get("resource")?);
    let issued = match form.need("grant_type")?.as_str() {
        "authorization_code" => {
            let redeemed = Redeemed {
                code: form.need("code")?,
                client_id,
                verifier: form.need("code_verifier")?,
                redirect_uri: form.get("redirect_uri")?,
                resource,
            };
            connections::begin(&app.store, redeemed, place, now).await?
        }
        "refresh_token" => {
            let token = form.need("refresh_token")?;
            connections::refresh(&app.store, &token, client_id, resource, place, now).await?
        }
        _ => {
            let message = "grant_type must be authorization_code or refresh_token.";
            return Err(OauthError::new(Kind::UnsupportedGrantType, message));
        }
    };
    let Issued { access, refresh, .. } = issued?;
    let body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": ACCESS_MS / SECOND_MS,
        "refresh_token": refresh,
        "scope": SCOPE,
    });
    Ok(([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Answer(body)).into_response())
}

/// Ends the connection of a client whose token this is. Whether it was one is not told.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    SmallForm(fields): SmallForm,
) -> Result<StatusCode, OauthError> {
    let form = Form(fields);
    let (client_id, token) = (form.client_id()?, form.need("token")?);
    connections::revoke(&app.store, &token, client_id, client.address, app.clock.now()).await?;
    Ok(StatusCode::OK)
}
