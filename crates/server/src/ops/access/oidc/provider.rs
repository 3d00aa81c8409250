//! The provider: what it says of itself, where people sign in, and what its tokens say, verified.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use dregs_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdToken,
    CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRequestTokenError,
    CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AdditionalClaims, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError,
    ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SubjectIdentifier, TokenResponse as _, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore};

use super::Refusal;
use super::claims::Claimed;
use crate::channels::fetch::{FetchError, Fetcher};
use crate::limit::{self, Limit};

/// How long what a provider says of itself, and its keys, are taken as they are.
const KNOWN_MS: i64 = HOUR_MS;
/// A token by a key that is not known has the keys fetched again, this long after the last time at the earliest.
const KEYS_AGAIN_MS: i64 = MINUTE_MS;
/// How long a provider that could not be asked is left alone.
const FAILED_MS: i64 = 5 * SECOND_MS;
/// How far apart clocks may be.
const CLOCKS_MS: i64 = MINUTE_MS;
/// Codes that are exchanged for tokens at a time: each waits for the provider.
pub const EXCHANGES_MAX: usize = 32;
/// How tokens may be signed: by a key that the provider alone has. A secret that both have, and none, are not among them.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// All that is claimed beside what the standard names.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct More(Map<String, Value>);

impl AdditionalClaims for More {}

/// How the library asks the provider.
struct Asks(Fetcher);

impl<'c> AsyncHttpClient<'c> for Asks {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.fetch(request))
    }
}

/// An OpenID provider, and this server as its client.
pub struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    scopes: Vec<Scope>,
    asks: Asks,
    known: Mutex<Known>,
    exchanges: Semaphore,
}

#[derive(Default)]
struct Known {
    found: Option<(Arc<CoreProviderMetadata>, Timestamp)>,
    failed_at: Option<Timestamp>,
}

/// Where somebody signs in, and what of it is kept until they come back.
pub struct Asked {
    pub url: String,
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

impl Provider {
    pub fn new(
        issuer: IssuerUrl,
        client_id: ClientId,
        client_secret: Option<ClientSecret>,
        scopes: &str,
        fetcher: Fetcher,
    ) -> Self {
        // The library asks for the first one by itself.
        let scopes = scopes.split_whitespace().filter(|scope| *scope != "openid");
        let scopes = scopes.map(|scope| Scope::new(scope.to_owned())).collect();
        Self {
            issuer,
            client_id,
            client_secret,
            scopes,
            asks: Asks(fetcher),
            known: Mutex::default(),
            exchanges: Semaphore::new(EXCHANGES_MAX),
        }
    }

    /// Where a browser goes to sign in.
    pub async fn begin(&self, redirect: &str, now: Timestamp) -> Result<Asked, Refusal> {
        let metadata = self.metadata(KNOWN_MS, now).await?;
        let client = self.client(&metadata, redirect)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let request = request.add_scopes(self.scopes.iter().cloned()).set_pkce_challenge(challenge);
        let (url, state, nonce) = request.url();
        Ok(Asked {
            url: url.into(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Who has signed in, by the code that their browser brings. `is_enough` says whether the claims of the token are all
    /// that is needed; otherwise the provider is asked for more of them.
    pub async fn complete(
        &self,
        code: String,
        (redirect, verifier, nonce): (&str, String, String),
        is_enough: impl Fn(&Map<String, Value>) -> bool,
        now: Timestamp,
    ) -> Result<Claimed, Refusal> {
        let Ok(_exchange) = self.exchanges.try_acquire() else {
            limit::reached(Limit::OidcExchanges);
            return Err(Refusal::Busy);
        };
        let metadata = self.metadata(KNOWN_MS, now).await?;
        let client = self.client(&metadata, redirect)?;
        let tokens = self.exchange(&client, code, verifier).await?;
        let Some(token) = tokens.id_token() else { return Err(unverified("there is no id_token")) };
        let nonce = Nonce::new(nonce);
        let subject = match self.subject(token, &metadata, &nonce, now) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                // A key may be new.
                let metadata = self.metadata(KEYS_AGAIN_MS, now).await?;
                self.subject(token, &metadata, &nonce, now)
            }
            other => other,
        };
        let subject = subject.map_err(|error| unverified(&told(&error)))?;
        let claims = payload(token).ok_or_else(|| unverified("the id_token has no claims"))?;
        // Required where the token is for several clients, and never somebody else.
        if claims.get("azp").is_some_and(|azp| azp.as_str() != Some(self.client_id.as_str())) {
            return Err(unverified("the id_token was made for another client, by its claim azp"));
        }
        let more = if is_enough(&claims) || client.user_info_url().is_none() {
            Map::new()
        } else {
            self.more(&client, tokens.access_token().clone(), &subject).await?
        };
        Ok(Claimed::new(subject.as_str().to_owned(), claims, more))
    }

    async fn exchange(
        &self,
        client: &Client,
        code: String,
        verifier: String,
    ) -> Result<CoreTokenResponse, Refusal> {
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|error| unavailable(&told(&error)))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        request.request_async(&self.asks).await.map_err(|error| refused(&error))
    }

    /// Whom a token is about, once it is verified: by its signature, issuer, audience, nonce and time.
    fn subject(
        &self,
        token: &CoreIdToken,
        metadata: &CoreProviderMetadata,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<SubjectIdentifier, ClaimsVerificationError> {
        let keys = metadata.jwks().clone();
        let at = DateTime::from_timestamp_millis(now.plus_millis(-CLOCKS_MS).as_millis()).unwrap_or_default();
        let verifier =
            CoreIdTokenVerifier::new_public_client(self.client_id.clone(), self.issuer.clone(), keys)
                .set_allowed_algs(ALGORITHMS)
                .set_time_fn(move || at);
        token.claims(&verifier, nonce).map(|claims| claims.subject().clone())
    }

    /// What the provider says beside the token of whom the token is about.
    async fn more(
        &self,
        client: &Client,
        access: AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<Map<String, Value>, Refusal> {
        let request = client.user_info(access, Some(subject.clone()));
        let request = request.map_err(|error| unavailable(&told(&error)))?;
        let found: Result<UserInfoClaims<More, CoreGenderClaim>, _> = request.request_async(&self.asks).await;
        let found = found.map_err(|error| unavailable(&told(&error)))?;
        match serde_json::to_value(found) {
            Ok(Value::Object(claims)) => Ok(claims),
            _ => Err(unavailable("its claims make no sense")),
        }
    }

    /// What the provider says of itself, no older than that.
    async fn metadata(&self, max_age_ms: i64, now: Timestamp) -> Result<Arc<CoreProviderMetadata>, Refusal> {
        // Whoever comes meanwhile waits for the same answer.
        let mut known = self.known.lock().await;
        if let Some((metadata, at)) = &known.found
            && now.millis_since(*at) < max_age_ms
        {
            return Ok(Arc::clone(metadata));
        }
        if known.failed_at.is_some_and(|at| now.millis_since(at) < FAILED_MS) {
            return Err(Refusal::Unavailable);
        }
        match self.discover().await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known { found: Some((Arc::clone(&metadata), now)), failed_at: None };
                Ok(metadata)
            }
            Err(reason) => {
                known.failed_at = Some(now);
                Err(unavailable(&reason))
            }
        }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, String> {
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.asks).await;
        let metadata = found.map_err(|error| told(&error))?;
        let where_to = metadata.authorization_endpoint().url();
        if self.issuer.url().scheme() == "https" && where_to.scheme() != "https" {
            return Err(format!("its authorization_endpoint is {where_to}, without TLS"));
        }
        Ok(metadata)
    }

    fn client(&self, metadata: &CoreProviderMetadata, redirect: &str) -> Result<Client, Refusal> {
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|error| unavailable(&told(&error)))?;
        let (id, secret) = (self.client_id.clone(), self.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret);
        let takes = |method: CoreClientAuthMethod| {
            metadata.token_endpoint_auth_methods_supported().is_some_and(|known| known.contains(&method))
        };
        let is_in_body =
            takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic);
        let by = if is_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        Ok(client.set_auth_type(by).set_redirect_uri(redirect))
    }
}

/// The claims of a token, which is verified.
fn payload(token: &CoreIdToken) -> Option<Map<String, Value>> {
    let text = token.to_string();
    let bytes = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Why a code was not exchanged.
fn refused(error: &CoreRequestTokenError<FetchError>) -> Refusal {
    let RequestTokenError::ServerResponse(answer) = error else { return unavailable(&told(error)) };
    match answer.error().as_ref() {
        // The code is too old, was used, or is another's.
        "invalid_grant" => Refusal::Stale,
        "invalid_client" | "unauthorized_client" => {
            tracing::warn!(
                setting = "oidc_client_secret",
                reason = told(error),
                "the OpenID provider does not know this server by its client id and secret"
            );
            Refusal::Unavailable
        }
        _ => unavailable(&told(error)),
    }
}

fn unavailable(reason: &str) -> Refusal {
    tracing::warn!(setting = "oidc_issuer", reason, "the OpenID provider cannot be asked");
    Refusal::Unavailable
}

fn unverified(reason: &str) -> Refusal {
    tracing::warn!(
        setting = "oidc_issuer",
        reason,
        "what the OpenID provider says is not right; nobody is signed in"
    );
    Refusal::Unverified
}

/// An error with its causes.
fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    told
}
