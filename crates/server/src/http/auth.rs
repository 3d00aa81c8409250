//! Who calls, and what they may.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use dregs_core::time::Timestamp;

use super::address::{address, peer};
use super::cookie;
use super::error::{ApiError, Code};
use super::oauth::{NO_SITE, Site};
use crate::app::App;
use crate::limit::{self, Limit};
use crate::ops::access::limits::{Cost, FILES_PER_REQUEST, Limited, MCP_REQUESTS_PER_SECOND};
use crate::ops::access::sign_in::{self, SESSION_PREFIX};
use crate::ops::audit::Actor;
use crate::ops::oauth;
use crate::ops::team::credentials::{PUBLIC_PREFIX, SECRET_PREFIX};
use crate::ops::team::mcp_tokens;
use crate::store::credentials::Credential;
use crate::store::users::{Role, User};
use crate::vault::TOKEN_DIGITS;

/// The bearer token of a request.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The token of a request: its bearer's, or that of a browser's session.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).or_else(|| cookie::session(headers))
}

/// Where a request comes from.
pub struct Client {
    pub address: Option<IpAddr>,
    /// Whether a browser came by https, as a trusted proxy says.
    pub is_https: bool,
}

/// Counts a request by the address it comes from, if that is known, of which so many may come in a second.
fn count(parts: &Parts, app: &App, who: fn(IpAddr) -> Limited, per_second: u64) -> Result<(), ApiError> {
    let Some(address) = address(parts, app) else { return Ok(()) };
    app.rates.take(who(address), per_second, Cost::of(1), app.clock.now()).map_err(ApiError::rate_limited)
}

/// Somebody who asks for what everybody may have, such as the dashboard's files.
pub struct Anybody;

impl FromRequestParts<Arc<App>> for Anybody {
    type Rejection = ApiError;

    /// Counts the request.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let rate = app.config.address_rate_per_second.saturating_mul(FILES_PER_REQUEST);
        count(parts, app, Limited::files, rate).map(|()| Self)
    }
}

/// Somebody who asks how the server does, whatever else comes from there.
pub struct Monitor;

impl FromRequestParts<Arc<App>> for Monitor {
    type Rejection = ApiError;

    /// Counts the request.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        count(parts, app, Limited::metrics, app.config.address_rate_per_second).map(|()| Self)
    }
}

/// Something that asks whether the server is there, or ready.
pub struct Probe;

impl FromRequestParts<Arc<App>> for Probe {
    type Rejection = ApiError;

    /// Counts the request.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        count(parts, app, Limited::probes, app.config.address_rate_per_second).map(|()| Self)
    }
}

/// Somebody who is not known yet, and says who they are in the body.
pub struct Stranger(pub Client);

impl FromRequestParts<Arc<App>> for Stranger {
    type Rejection = ApiError;

    /// Counts the request, before its body is read.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        charge_stranger(parts, app)?;
        let Ok(client) = Client::from_request_parts(parts, app).await;
        Ok(Self(client))
    }
}

/// Counts a request of somebody who is not known, or not to do this.
fn charge_stranger(parts: &Parts, app: &App) -> Result<(), ApiError> {
    count(parts, app, Limited::address, app.config.address_rate_per_second)
}

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let is_trusted =
            peer(parts).is_some_and(|ip| app.config.trusted_proxies.iter().any(|net| net.contains(&ip)));
        let scheme = parts.headers.get("x-forwarded-proto");
        let is_https = is_trusted && scheme.is_some_and(|scheme| scheme == "https");
        Ok(Self { address: address(parts, app), is_https })
    }
}

/// Somebody who may read what their team has.
#[derive(Clone)]
pub enum Caller {
    Backend(Arc<Credential>),
    Person(User),
}

impl Caller {
    pub fn team_id(&self) -> i64 {
        match self {
            Self::Backend(credential) => credential.team_id,
            Self::Person(user) => user.team_id,
        }
    }

    /// Whether they may change channels and the like.
    pub fn may_manage(&self) -> bool {
        match self {
            Self::Backend(_) => true,
            Self::Person(user) => user.role == Role::Admin,
        }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    /// Recognizes the caller once a request, however many of its extractors ask.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let caller = Self::find(parts, app).await?;
        if let Self::Backend(credential) = &caller {
            charge(app, credential, Cost::of(1))?;
        }
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// Counts what a credential asks for: requests, or events.
fn charge(app: &App, credential: &Credential, cost: Cost) -> Result<(), ApiError> {
    let own = credential.rate_per_second.map(i64::cast_unsigned);
    let rate = own.unwrap_or(app.config.credential_rate_per_second);
    let who = Limited::Credential(credential.id);
    app.rates.take(who, rate, cost, app.clock.now()).map_err(ApiError::rate_limited)
}

impl Caller {
    /// The caller, whose request is not counted yet.
    async fn find(parts: &Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        Self::find_any(parts, app).await?.admitted()
    }

    /// The same, whether or not they have the second factor that their team requires.
    async fn find_any(parts: &Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let found = Self::recognise(parts, app).await;
        if found.as_ref().is_err_and(ApiError::is_about_caller) {
            charge_stranger(parts, app)?;
        }
        found
    }

    async fn recognise(parts: &Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = token(&parts.headers).ok_or_else(|| unauthenticated(why_no_token(&parts.headers)))?;
        if bearer(&parts.headers).is_none() && !cookie::is_from_own_page(&parts.method, &parts.headers) {
            let message = "A browser's session may be used by this server's own pages only.";
            return Err(ApiError::new(StatusCode::FORBIDDEN, Code::CsrfRefused, message));
        }
        Self::of_token(app, token).await
    }

    /// Whose token this is now.
    ///
    /// # Errors
    /// When it is nobody's who may read.
    pub async fn with_token(app: &App, token: &str) -> Result<Self, ApiError> {
        Self::of_token(app, token).await?.admitted()
    }

    /// Themselves, unless they have to set up a second factor first.
    fn admitted(self) -> Result<Self, ApiError> {
        match &self {
            Self::Person(user) => admit(user)?,
            Self::Backend(_) => {}
        }
        Ok(self)
    }

    async fn of_token(app: &App, token: &str) -> Result<Self, ApiError> {
        if token.starts_with(PUBLIC_PREFIX) {
            return Err(of_key(app, token)
                .await
                .map_or_else(|unknown| unknown, |_| public_key_not_allowed()));
        }
        if token.starts_with(SECRET_PREFIX) {
            return of_key(app, token).await.map(Self::Backend);
        }
        if token.starts_with(mcp_tokens::PREFIX) || token.starts_with(oauth::ACCESS_PREFIX) {
            return Err(unauthenticated(ONLY_MCP));
        }
        let user = sign_in::recognise(&app.store, token, app.clock.now()).await?;
        let unknown = if token.starts_with(SESSION_PREFIX) { UNKNOWN_SESSION } else { NEITHER };
        user.map(Self::Person).ok_or_else(|| unauthenticated(unknown))
    }
}

impl FromRequestParts<Arc<App>> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(actor) = parts.extensions.get::<Self>() {
            return Ok(actor.clone());
        }
        let address = address(parts, app);
        Ok(match Caller::from_request_parts(parts, app).await? {
            Caller::Person(user) => Self::user(&user, address),
            Caller::Backend(credential) => Self::credential(&credential, address),
        })
    }
}

/// An AI agent, which acts for the person who made its token or approved its client. What it asks of the API carries both
/// of these as extensions, which no request from outside has, and so is judged and logged like what that person does.
#[derive(Clone)]
pub struct Agent {
    pub caller: Caller,
    pub actor: Actor,
}

impl FromRequestParts<Arc<App>> for Agent {
    type Rejection = ApiError;

    /// Recognizes the agent by its bearer token, and counts the request. Tokens of other kinds are told apart by how
    /// they begin.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let now = app.clock.now();
        let is_of_agent =
            |token: &&str| token.starts_with(mcp_tokens::PREFIX) || token.starts_with(oauth::ACCESS_PREFIX);
        let token = bearer(&parts.headers).filter(is_of_agent);
        let found = match token {
            Some(token) => find_agent(app, token, now).await?,
            None => None,
        };
        let Some((who, name, user)) = found else {
            let is_known_kind = token.is_some();
            charge_stranger(parts, app)?;
            return Err(not_an_agent(parts, app, is_known_kind).await);
        };
        app.rates.take(who, MCP_REQUESTS_PER_SECOND, Cost::of(1), now).map_err(ApiError::rate_limited)?;
        // Of whoever signs in with a passkey, or at an OpenID provider, its agents have none.
        if !user.has_passkey && !user.is_bound {
            admit(&user)?;
        }
        let actor = Actor { mcp_token: Some(name), ..Actor::user(&user, address(parts, app)) };
        Ok(Self { caller: Caller::Person(user), actor })
    }
}

/// Whose token of an agent this is: by what it is limited, what the audit log calls it, and for whom it acts.
async fn find_agent(
    app: &App,
    token: &str,
    now: Timestamp,
) -> Result<Option<(Limited, String, User)>, ApiError> {
    if token.starts_with(oauth::ACCESS_PREFIX) {
        let found = oauth::connections::recognise(&app.store, token, now).await?;
        return Ok(found.map(|(found, user)| (Limited::McpClient(found.id), found.name, user)));
    }
    let found = mcp_tokens::recognise(&app.store, token, now).await?;
    Ok(found.map(|(found, user)| (Limited::McpToken(found.id), found.name, user)))
}

/// Tells an agent, and its client, how to come by a token (RFC 9728, 5.1).
async fn not_an_agent(parts: &mut Parts, app: &Arc<App>, has_token: bool) -> ApiError {
    let error = if has_token { ", error=\"invalid_token\"" } else { "" };
    let message = if has_token { UNKNOWN_MCP_TOKEN } else { NO_MCP_TOKEN };
    match Site::from_request_parts(parts, app).await {
        Ok(site) => {
            let challenge = format!("Bearer resource_metadata=\"{}\"{error}", site.resource_metadata());
            unauthenticated(message).challenging(&challenge)
        }
        Err(_) => unauthenticated(&format!("{message} {NO_SITE}")),
    }
}

/// Somebody who is signed in.
pub struct Person(pub User);

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Person(user) => Ok(Self(user)),
            Caller::Backend(_) => Err(no_person("Sign in")),
        }
    }
}

/// Somebody who is signed in, whether or not they have the second factor that their team requires: what they need to set
/// it up is theirs to ask.
pub struct Newcomer(pub User);

impl FromRequestParts<Arc<App>> for Newcomer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let known = parts.extensions.get::<Caller>().cloned();
        let caller = match known {
            Some(caller) => caller,
            None => Caller::find_any(parts, app).await?,
        };
        match caller {
            Caller::Person(user) => Ok(Self(user)),
            Caller::Backend(_) => Err(no_person("Sign in")),
        }
    }
}

/// Refuses whoever has to set up a second factor first.
fn admit(user: &User) -> Result<(), ApiError> {
    if user.lacks_second_factor() {
        return Err(ApiError::new(StatusCode::FORBIDDEN, Code::SecondFactorMissing, NO_SECOND_FACTOR));
    }
    Ok(())
}

/// Somebody who may change channels: the backend, or an admin.
pub struct Manager(pub Caller);

impl FromRequestParts<Arc<App>> for Manager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.may_manage() { Ok(Self(caller)) } else { Err(forbidden("Only an admin may do this.")) }
    }
}

/// Somebody who works on cases: the backend, an admin or a user, but no viewer.
pub struct Triager(pub Caller);

impl FromRequestParts<Arc<App>> for Triager {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match &caller {
            Caller::Person(user) if user.role == Role::Viewer => Err(forbidden("A viewer may only read.")),
            _ => Ok(Self(caller)),
        }
    }
}

/// An admin in person: credentials are not for backends to change.
pub struct Admin(pub User);

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Person(user) if user.role == Role::Admin => Ok(Self(user)),
            Caller::Person(_) => Err(forbidden("Only an admin may do this.")),
            Caller::Backend(_) => Err(no_person("Sign in as an admin")),
        }
    }
}

/// Somebody in person who owns the installation, and so makes, renames and deletes its teams.
pub struct Owner(pub User);

impl FromRequestParts<Arc<App>> for Owner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Person(user) if user.is_owner => Ok(Self(user)),
            Caller::Person(_) => Err(forbidden("Only an owner of the installation may do this.")),
            Caller::Backend(_) => Err(no_person("Sign in as an owner of the installation")),
        }
    }
}

/// Somebody who may send events.
pub enum Sender {
    /// The application's backend, or an admin who tries something out.
    Backend {
        team_id: i64,
        /// None for a person.
        credential: Option<Arc<Credential>>,
        /// Of the backend's own connection.
        ip: Option<IpAddr>,
        user_agent: Option<String>,
    },
    Browser {
        credential: Arc<Credential>,
        ip: Option<IpAddr>,
        user_agent: Option<String>,
    },
}

impl FromRequestParts<Arc<App>> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers);
        if let Some(token) = token.filter(|token| token.starts_with(PUBLIC_PREFIX)) {
            let browser = match of_key(app, token).await {
                Ok(credential) => Self::browser(parts, app, credential),
                Err(unknown) => Err(unknown),
            };
            if browser.as_ref().is_err_and(ApiError::is_about_caller) {
                charge_stranger(parts, app)?;
            }
            return browser;
        }
        match Caller::find(parts, app).await? {
            Caller::Person(user) if user.role != Role::Admin => {
                Err(forbidden("Events are sent with a key, or by an admin."))
            }
            Caller::Person(user) => {
                Ok(Self::Backend { team_id: user.team_id, credential: None, ip: None, user_agent: None })
            }
            Caller::Backend(credential) => Ok(Self::Backend {
                team_id: credential.team_id,
                credential: Some(credential),
                ip: address(parts, app),
                user_agent: user_agent(&parts.headers),
            }),
        }
    }
}

impl Sender {
    /// Counts one event, before anything is read of it.
    ///
    /// # Errors
    /// When more events are sent than may be in this time, or in this month.
    pub fn admit(&self, app: &App) -> Result<(), ApiError> {
        self.take(app, Cost::of(1))
    }

    /// Counts the events of a batch, of which one was counted before it was read.
    ///
    /// # Errors
    /// When more events are sent than may be in this time, or in this month.
    pub fn admit_batch(&self, app: &App, events: usize) -> Result<(), ApiError> {
        let rest = Cost { units: (events as u64).saturating_sub(1), paid: 1 };
        if rest.units == 0 { Ok(()) } else { self.take(app, rest) }
    }

    fn take(&self, app: &App, cost: Cost) -> Result<(), ApiError> {
        if let Self::Browser { ip: Some(ip), .. } = self {
            let (who, rate) = (Limited::address(*ip), app.config.address_rate_per_second);
            app.rates.take(who, rate, cost, app.clock.now()).map_err(ApiError::rate_limited)?;
        }
        if let Self::Browser { credential, .. } | Self::Backend { credential: Some(credential), .. } = self {
            charge(app, credential, cost)?;
        }
        if app.usage.is_exhausted(app.config.monthly_event_quota, self.team_id()) {
            limit::reached(Limit::MonthlyEvents);
            metrics::counter!("dregs_quota_exceeded_total").increment(1);
            return Err(ApiError::quota_exceeded());
        }
        Ok(())
    }

    fn browser(parts: &Parts, app: &App, credential: Arc<Credential>) -> Result<Self, ApiError> {
        let origin = parts.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        if !origin.is_some_and(|origin| credential.allows(origin)) {
            let (refused, now) = (&app.kept.credentials.refused, app.clock.now());
            refused.note(origin.unwrap_or_default(), Some(credential.id), address(parts, app), now);
            let message = match origin {
                Some(_) => {
                    "A public key works from the origins that its credential allows, and that of this request is none \
                     of them: allow it in Settings, Credentials."
                }
                None => {
                    "A public key works from the origins that its credential allows, and this request names none, as a \
                     browser does. A server sends with the secret key."
                }
            };
            return Err(ApiError::new(StatusCode::FORBIDDEN, Code::OriginNotAllowed, message));
        }
        Ok(Self::Browser { credential, ip: address(parts, app), user_agent: user_agent(&parts.headers) })
    }

    pub fn team_id(&self) -> i64 {
        match self {
            Self::Backend { team_id, .. } => *team_id,
            Self::Browser { credential, .. } => credential.team_id,
        }
    }
}

/// What a program calls itself.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT);
    agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The enabled credential that has this key.
async fn of_key(app: &App, key: &str) -> Result<Arc<Credential>, ApiError> {
    app.kept.credentials.find(&app.store, key).await?.ok_or_else(|| {
        let is_whole = key.len() == SECRET_PREFIX.len() + TOKEN_DIGITS;
        unauthenticated(if is_whole { UNKNOWN_KEY } else { NOT_WHOLE })
    })
}

const NO_TOKEN: &str = "This needs a key or a session, as \"Authorization: Bearer …\".";
const UNREADABLE: &str = "The header Authorization has characters that no key has. Keys are shown shortened, with an ellipsis: copy it whole.";
const OTHER_SCHEME: &str = "The header Authorization has no key: send \"Authorization: Bearer \" and the key. Is the variable that holds it set where this is sent from?";
const UNKNOWN_KEY: &str = "The key is unknown or has been revoked.";
const NOT_WHOLE: &str = "The key is unknown or has been revoked. It is not as long as those that are made here: if it is one of them, copy it whole.";
const NEITHER: &str = "This is no key, which begins with sk_ or pk_, and no session.";
const ONLY_MCP: &str = "An MCP token works at /mcp only.";
const NO_MCP_TOKEN: &str = "This needs an MCP token, as \"Authorization: Bearer mcp_…\". Make one with POST /api/mcp-tokens, or sign in by OAuth.";
const UNKNOWN_MCP_TOKEN: &str = "The MCP token is unknown, has expired or has been removed.";
const NO_SECOND_FACTOR: &str =
    "Your team requires a second factor. Set one up: in the dashboard, or with POST /api/auth/second-factor.";
const UNKNOWN_SESSION: &str = "The session is unknown or has ended. Sign in.";

/// Says why a request has no token.
fn why_no_token(headers: &HeaderMap) -> &'static str {
    match headers.get(header::AUTHORIZATION) {
        None => NO_TOKEN,
        Some(value) if value.to_str().is_err() => UNREADABLE,
        Some(_) => OTHER_SCHEME,
    }
}

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
}

pub fn forbidden(message: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
}

/// A secret key is nobody in person.
fn no_person(sign_in: &str) -> ApiError {
    forbidden(&format!(
        "A secret key may not do this. {sign_in} at POST /api/auth/login, and send the token of its answer as \
         `Authorization: Bearer`."
    ))
}

fn public_key_not_allowed() -> ApiError {
    let message = "A public key may only send events. This needs the secret key of the same credential.";
    ApiError::new(StatusCode::FORBIDDEN, Code::PublicKeyNotAllowed, message)
}
