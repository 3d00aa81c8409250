//! What clients find out before they ask for anything: whose tokens `/mcp` takes (RFC 9728), and how to get one
//! (RFC 8414).

use serde_json::{Value, json};

use super::Site;
use crate::http::answer::Answer;
use crate::http::auth::Anybody;
use crate::ops::oauth::SCOPE;

/// Where the metadata of `/mcp` is.
pub const RESOURCE_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

pub async fn resource(_: Anybody, site: Site) -> Answer<Value> {
    let issuer = site.issuer();
    Answer(json!({
        "resource": issuer.resource,
        "authorization_servers": [issuer.url],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
        "resource_name": "dregs",
    }))
}

pub async fn server(_: Anybody, site: Site) -> Answer<Value> {
    Answer(json!({
        "issuer": site.issuer().url,
        "authorization_endpoint": site.at("/oauth/authorize"),
        "token_endpoint": site.at("/oauth/token"),
        "registration_endpoint": site.at("/oauth/register"),
        "revocation_endpoint": site.at("/oauth/revoke"),
        "scopes_supported": [SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}
