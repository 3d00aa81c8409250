//! Signing in at an OpenID provider, and by what people sign in at all.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Stranger;
use super::body::{SmallJson, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, must_have};
use super::oauth::Site;
use super::sessions::{Begun as Session, SessionBody, begun, origin};
use crate::app::App;
use crate::ops::access::oidc::{CEREMONY_MAX_BYTES, CODE_MAX_BYTES, Callback, Oidc, Refusal};

const NO_PROVIDER: &str = "Nobody signs in at an OpenID provider here: DREGS_OIDC_ISSUER names none.";
const NO_SITE: &str = "Sign-ins at an OpenID provider work where DREGS_PUBLIC_URL says by which address browsers reach this server, or at http://localhost.";

/// By what people sign in.
#[derive(Serialize, ToSchema)]
pub struct SignInMethodsBody {
    /// Whether by password or passkey.
    local: bool,
    /// Null where no OpenID provider is set.
    oidc: Option<OidcMethodBody>,
}

/// An OpenID provider at which people sign in.
#[derive(Serialize, ToSchema)]
pub struct OidcMethodBody {
    /// What people call it, if the operator has said so.
    #[schema(example = "Example login")]
    name: Option<String>,
}

/// Read by what people sign in
#[utoipa::path(get, operation_id = "readSignInMethods", path = "/auth/sign-in-methods",
    tag = "auth", security(()), responses((status = 200, body = SignInMethodsBody)))]
pub async fn methods(State(app): State<Arc<App>>, _: Stranger) -> Answer<SignInMethodsBody> {
    let oidc = app.oidc.as_ref().map(|oidc| OidcMethodBody { name: oidc.name.clone() });
    Answer(SignInMethodsBody { local: app.config.local_sign_in, oidc })
}

/// The first half of a sign-in at an OpenID provider.
#[derive(Serialize, ToSchema)]
pub struct OidcCeremonyBody {
    /// To be sent with the second half, within 15 minutes.
    ceremony: String,
    /// Where the browser goes. The provider sends it back to `/sign-in/oidc`, with `code` and `state`.
    #[schema(example = "https://login.example.com/auth?client_id=dregs")]
    url: String,
}

/// Begin to sign in at the OpenID provider
#[utoipa::path(post, operation_id = "beginOidcSignIn", path = "/auth/login/oidc/actions/begin",
    tag = "auth", security(()), responses((status = 200, body = OidcCeremonyBody),
        (status = 409, body = ErrorBody, description = "No provider is set, or the server has no address to come back to."),
        (status = 503, body = ErrorBody, description = "The provider cannot be asked.")))]
pub async fn begin(
    State(app): State<Arc<App>>,
    _: Stranger,
    site: Result<Site, ApiError>,
) -> Result<Answer<OidcCeremonyBody>, ApiError> {
    let oidc = provider(&app)?;
    let site = site.map_err(|_| ApiError::new(StatusCode::CONFLICT, Code::WrongState, NO_SITE))?;
    let begun = oidc.begin(&app.kept.key, site.url(), app.clock.now()).await?;
    let begun = begun.map_err(refused)?;
    Ok(Answer(OidcCeremonyBody { ceremony: begun.ceremony, url: begun.url }))
}

/// What a browser comes back with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcLoginBody {
    ceremony: String,
    /// As the provider has sent it.
    code: String,
    /// As the provider has sent it.
    state: String,
    /// As the provider has sent it, if it has.
    iss: Option<String>,
}

/// Sign in at the OpenID provider
///
/// Roles follow the provider's claim, where one is set. Whoever has lost it is refused, and their sessions end.
#[utoipa::path(post, operation_id = "signInWithOidc", path = "/auth/login/oidc",
    tag = "auth", security(()), request_body = OidcLoginBody,
    responses((status = 200, body = SessionBody),
        (status = 401, body = ErrorBody, description = "Nobody is signed in; the message says why, and what to do."),
        (status = 409, body = ErrorBody, description = "No provider is set."),
        (status = 503, body = ErrorBody, description = "The provider cannot be asked.")))]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    headers: HeaderMap,
    SmallJson(body): SmallJson<Unchecked<OidcLoginBody>>,
) -> Result<Session, ApiError> {
    let callback = body.check(|OidcLoginBody { ceremony, code, state, iss }| {
        let at_most = |field: &str, text: &str, most: usize| must_have(field, text.len(), 0..=most, "bytes");
        let sent = both(at_most("code", &code, CODE_MAX_BYTES), at_most("state", &state, CODE_MAX_BYTES));
        both(at_most("ceremony", &ceremony, CEREMONY_MAX_BYTES), sent)?;
        Ok(Callback { ceremony, code, state, issuer: iss })
    })?;
    let from = origin(&client, &headers);
    let oidc = provider(&app)?;
    let done = oidc.complete(&app.store, &app.kept.key, callback, from, app.clock.now()).await?;
    let session = done.map_err(refused)?;
    app.rosters.prepare(session.user.team_id);
    Ok(begun(&app, &client, session))
}

fn provider(app: &App) -> Result<&Oidc, ApiError> {
    app.oidc.as_ref().ok_or_else(|| ApiError::new(StatusCode::CONFLICT, Code::WrongState, NO_PROVIDER))
}

/// Why nobody is signed in, in a sentence for them.
fn refused(refusal: Refusal) -> ApiError {
    let unavailable =
        |message: &str| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message);
    let message = match refusal {
        Refusal::Unavailable => {
            return unavailable(
                "The sign-in provider cannot be asked right now. Try again; if it stays so, the server's log says why.",
            );
        }
        Refusal::Busy => return unavailable("Too many people are signing in. Try again in a moment."),
        Refusal::Stale => "This sign-in took too long, or was begun in another browser. Begin again.".to_owned(),
        Refusal::Unverified => {
            "What the sign-in provider said could not be verified. Begin again; if it stays so, the server's log says why."
                .to_owned()
        }
        Refusal::NoEmail => {
            "The provider does not tell your e-mail address. Have whoever runs this server ask it for that, by oidc_scopes."
                .to_owned()
        }
        Refusal::EmailUnverified => {
            "The provider has not verified your e-mail address. Verify it there, then sign in again.".to_owned()
        }
        Refusal::EmailTaken => {
            "Somebody else at the provider has joined with your e-mail address. Have an admin remove that member, then \
             sign in again."
                .to_owned()
        }
        Refusal::NotInvited => {
            "You are no member here. Have an admin invite you by the e-mail address that you have at the provider."
                .to_owned()
        }
        Refusal::NoRole { claim } => format!(
            "You have no role here: the claim \"{claim}\" of your account at the provider gives none. Have whoever runs the \
             provider give you one."
        ),
        Refusal::NeedsSecondFactor => {
            "Your team requires a second factor, and the provider does not say that you used one. Set one up there, then \
             sign in again with it."
                .to_owned()
        }
    };
    ApiError::new(StatusCode::UNAUTHORIZED, Code::OidcRefused, message)
}
