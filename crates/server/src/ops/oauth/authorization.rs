//! What a client asks a person for, and what becomes of it: a code, or a refusal (RFC 6749, 4.1).
//!
//! Nobody is sent anywhere before they are signed in and have decided. Anybody can register a client, so that an answer
//! without a person would send people wherever somebody wants.

use dregs_core::time::Timestamp;
use serde_json::json;
use url::Url;

use super::refusal::{Kind, Refusal};
use super::{CODE_MS, CODE_PREFIX, pkce, redirect};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::store::oauth_clients::{self, Client};
use crate::store::oauth_codes::{self, Code};
use crate::store::{Result, Store, Tx, oauth_connections};
use crate::vault::{new_token, token_hash};

/// The parameters of an authorization request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub response_type: Option<String>,
    pub client_id: Option<String>,
    pub redirect_uri: Option<String>,
    pub code_challenge: Option<String>,
    pub code_challenge_method: Option<String>,
    pub state: Option<String>,
    pub resource: Option<String>,
}

/// As whom this server answers.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub url: String,
    /// What tokens are for.
    pub resource: String,
}

/// A request of a client that is known, with an address that it has registered.
#[derive(Clone, Debug)]
pub struct Asked {
    pub client: Client,
    pub redirect_uri: String,
    state: Option<String>,
    /// The challenge and the resource, or why there will be no code.
    granted: std::result::Result<(String, String), Refusal>,
}

/// The parameter because of which nobody can be answered, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable(pub &'static str, pub String);

impl Asked {
    /// Reads a request.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(
        tx: &mut Tx,
        request: &Request,
        issuer: &Issuer,
    ) -> Result<std::result::Result<Self, Unusable>> {
        let client = match &request.client_id {
            Some(id) => oauth_clients::find(tx, id)?,
            None => None,
        };
        let Some(client) = client else {
            let message =
                "is of no client that is registered here: remove this server in the client, and add it again";
            return Ok(Err(Unusable("client_id", message.into())));
        };
        let asked = request.redirect_uri.as_deref().unwrap_or_default();
        if !client.redirect_uris.iter().any(|registered| redirect::matches(registered, asked)) {
            let message = "is none that the client has registered";
            return Ok(Err(Unusable("redirect_uri", message.into())));
        }
        let granted = granted(request, issuer);
        Ok(Ok(Self { client, redirect_uri: asked.to_owned(), state: request.state.clone(), granted }))
    }

    /// Why there will be no code, whatever the person says.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.granted.as_ref().err()
    }

    /// Where the browser goes with the answer, which also says who gives it (RFC 9207).
    fn back(&self, issuer: &Issuer, answer: &[(&str, &str)]) -> String {
        let Ok(mut url) = Url::parse(&self.redirect_uri) else { return self.redirect_uri.clone() };
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs = answer.iter().copied().chain(state).chain([("iss", issuer.url.as_str())]);
        url.query_pairs_mut().extend_pairs(pairs);
        url.into()
    }

    /// Where the browser goes when the person refuses, or there was nothing to grant.
    pub fn deny(&self, issuer: &Issuer) -> String {
        let denied = Refusal::new(Kind::AccessDenied, "The person did not approve it.");
        let Refusal { kind, description } = self.refusal().unwrap_or(&denied);
        self.back(issuer, &[("error", kind.name()), ("error_description", description)])
    }
}

/// The challenge and the resource of a request in which everything is right.
fn granted(request: &Request, issuer: &Issuer) -> std::result::Result<(String, String), Refusal> {
    let refused = |kind, message: &str| Err(Refusal::new(kind, message));
    if request.response_type.as_deref() != Some("code") {
        return refused(Kind::UnsupportedResponseType, "response_type must be code.");
    }
    let challenge = request.code_challenge.as_deref().filter(|text| pkce::is_challenge(text));
    let Some(challenge) =
        challenge.filter(|_| request.code_challenge_method.as_deref() == Some(pkce::METHOD))
    else {
        return refused(
            Kind::InvalidRequest,
            "PKCE is needed: code_challenge, and code_challenge_method=S256.",
        );
    };
    if !is_for(request.resource.as_deref(), &issuer.resource) {
        let message = format!("resource must be {}.", issuer.resource);
        return refused(Kind::InvalidTarget, &message);
    }
    Ok((challenge.to_owned(), issuer.resource.clone()))
}

/// Whether a client wants tokens for this. There is nothing else, so it need not say so.
pub fn is_for(asked: Option<&str>, resource: &str) -> bool {
    asked.is_none_or(|asked| asked.trim_end_matches('/') == resource)
}

/// What a person is told whose browser brings a request.
///
/// # Errors
/// Those of the store.
pub async fn read(
    store: &Store,
    request: Request,
    issuer: Issuer,
) -> Result<std::result::Result<Asked, Unusable>> {
    store.read(move |tx| Asked::read(tx, &request, &issuer)).await
}

/// Gives the client a code for the person who acts; the answer is where the browser goes with it. A request that cannot
/// be granted is answered as one that was denied.
///
/// # Errors
/// Those of the store; too many where the person has as many connections as there may be.
pub async fn approve(
    store: &Store,
    actor: Actor,
    user_id: i64,
    request: Request,
    issuer: Issuer,
    now: Timestamp,
) -> Result<std::result::Result<String, Unusable>> {
    let code = new_token(CODE_PREFIX);
    store
        .write(move |tx| {
            let asked = match Asked::read(tx, &request, &issuer)? {
                Ok(asked) => asked,
                Err(unusable) => return Ok(Err(unusable)),
            };
            let Ok((challenge, resource)) = asked.granted.clone() else { return Ok(Ok(asked.deny(&issuer))) };
            let Asked { client, redirect_uri, .. } = &asked;
            if oauth_connections::between(tx, (actor.team_id, user_id), &client.id)?.is_none() {
                bounds::CONNECTIONS.check(tx, actor.team_id, user_id)?;
            }
            let row = Code {
                team_id: actor.team_id,
                user_id,
                client_id: client.id.clone(),
                redirect_uri: redirect_uri.clone(),
                challenge,
                resource,
                expires_at: now.plus_millis(CODE_MS),
                connection_id: None,
            };
            oauth_codes::insert(tx, &token_hash(&code), &row)?;
            let after = Some(json!({ "name": client.name, "redirectUri": redirect_uri }));
            let (action, target_type) = ("mcp-client.approve", "mcp-client");
            audit::record(
                tx,
                &actor,
                &Act { action, target_type, target_id: &client.id, before: None, after },
                now,
            )?;
            Ok(Ok(asked.back(&issuer, &[("code", &code)])))
        })
        .await
}
