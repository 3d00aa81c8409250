//! The endpoints of the authorization server: what clients ask by OAuth, and what the dashboard's page of consent asks by
//! the API. The page itself, `/oauth/authorize`, is the dashboard's.

pub mod connections;
pub mod consent;
mod error;
pub mod metadata;
pub mod register;
pub mod token;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use url::Url;

use super::auth::Client;
use super::error::{ApiError, Code};
use crate::app::App;
use crate::ops::oauth::authorization::Issuer;
use crate::ops::oauth::is_loopback;

/// What is missing where nobody can sign in by OAuth.
pub const NO_SITE: &str = "Clients can sign in by OAuth where DREGS_PUBLIC_URL says by which address they reach this \
    server, or at localhost.";

/// By which address clients know this server.
pub struct Site(String);

impl Site {
    pub fn url(&self) -> &str {
        &self.0
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    pub fn resource_metadata(&self) -> String {
        self.at(metadata::RESOURCE_PATH)
    }

    fn issuer(&self) -> Issuer {
        Issuer { url: self.0.clone(), resource: self.at("/mcp") }
    }
}

impl FromRequestParts<Arc<App>> for Site {
    type Rejection = ApiError;

    /// As the configuration says, and otherwise as the request says that comes from the machine itself. Whoever sends a
    /// request chooses its `Host`, so that no other is believed.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(url) = &app.config.public_url {
            return Ok(Self(url.trim_end_matches('/').to_owned()));
        }
        let Ok(client) = Client::from_request_parts(parts, app).await;
        let scheme = if client.is_https { "https" } else { "http" };
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let url = Url::parse(&format!("{scheme}://{host}")).ok().filter(is_loopback);
        let missing = || ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, NO_SITE);
        url.map(|url| Self(url.origin().ascii_serialization())).ok_or_else(missing)
    }
}
