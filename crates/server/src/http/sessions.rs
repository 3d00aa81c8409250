//! Signing in and out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::AppendHeaders;
use dregs_core::time::{SECOND_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Client, Newcomer, Person, Stranger, token, user_agent};
use super::body::{Json, SmallJson, Unchecked};
use super::cookie;
use super::error::{ApiError, Code, ErrorBody, both, must, must_have, text};
use super::team::UserBody;
use crate::app::App;
use crate::ops::access::sign_in::{
    self, CODE_MAX_BYTES, Origin, PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS, Refusal, Session,
};
use crate::ops::audit::Actor;
use crate::ops::team::members;

const NAME_MAX_CHARS: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    email: String,
    #[schema(format = Password)]
    password: String,
    /// Of the second factor, where there is one: six digits of the authenticator app, or a recovery code.
    #[schema(example = "492039", max_length = 64)]
    code: Option<String>,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody {
    /// For `Authorization: Bearer`. A browser has it in a cookie as well.
    token: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    user: UserBody,
}

/// A session as it is answered: in the body, and in a cookie for pages of this server.
pub type Begun = (AppendHeaders<Vec<(header::HeaderName, header::HeaderValue)>>, Answer<SessionBody>);

/// Hands a session out.
pub fn begun(app: &App, client: &Client, session: Session) -> Begun {
    let seconds = session.expires_at.millis_since(app.clock.now()) / SECOND_MS;
    let cookies = [
        cookie::set(&session.token, seconds, client.is_https),
        cookie::set_browser(&session.browser, sign_in::MARK_MS / SECOND_MS, client.is_https),
    ];
    let body =
        SessionBody { token: session.token, expires_at: session.expires_at, user: session.user.into() };
    let cookies = cookies.into_iter().flatten().map(|cookie| (header::SET_COOKIE, cookie));
    (AppendHeaders(cookies.collect()), Answer(body))
}

/// Sign in
///
/// Whoever has a second factor is answered `second_factor_required` when the password is right, and sends it again with a `code`.
#[utoipa::path(post, operation_id = "signIn", path = "/auth/login",
    tag = "auth", security(()), request_body = LoginBody,
    responses((status = 200, body = SessionBody),
        (status = 401, body = ErrorBody, description = "Address and password do not go together, a code is needed, or it is wrong."),
        (status = 403, body = ErrorBody, description = "Passwords are switched off.")))]
pub async fn login(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    headers: HeaderMap,
    SmallJson(login): SmallJson<Unchecked<LoginBody>>,
) -> Result<Begun, ApiError> {
    let login = login.check(|login| {
        let password = must_have("password", login.password.len(), 0..=PASSWORD_MAX_BYTES, "bytes");
        both(password, check_code(login.code.as_deref())).map(|_| login)
    })?;
    let from = origin(&client, &headers);
    match app.sign_ins.begin(&app.kept.key, &login.email, login.password, login.code, from).await? {
        Ok(session) => {
            app.rosters.prepare(session.user.team_id);
            Ok(begun(&app, &client, session))
        }
        Err(Refusal::NeedsCode) => {
            let message = "Send a code of your authenticator app as well, or a recovery code, as `code`.";
            Err(ApiError::new(StatusCode::UNAUTHORIZED, Code::SecondFactorRequired, message))
        }
        Err(Refusal::WrongCode) => {
            Err(ApiError::new(StatusCode::UNAUTHORIZED, Code::SecondFactorRefused, WRONG_CODE))
        }
        Err(refusal) => {
            let message = "E-mail address and password do not go together.";
            Err(refused(refusal, StatusCode::UNAUTHORIZED, Code::Unauthenticated, message))
        }
    }
}

/// From where somebody signs in.
pub fn origin(client: &Client, headers: &HeaderMap) -> Origin {
    Origin {
        address: client.address,
        browser: cookie::browser(headers).map(str::to_owned),
        user_agent: user_agent(headers),
    }
}

/// Where a code was used, it has to be another one.
const WRONG_CODE: &str = "The code is not right, or was used before. Wait for the next one.";

/// That a code is no longer than codes are.
///
/// # Errors
/// Names how long it may be.
pub fn check_code(code: Option<&str>) -> Result<(), ApiError> {
    must_have("code", code.map_or(0, str::len), 0..=CODE_MAX_BYTES, "bytes")
}

/// Why something was not done; `status`, `code` and `message` are for a wrong password.
pub fn refused(refusal: Refusal, status: StatusCode, code: Code, message: &str) -> ApiError {
    match refusal {
        Refusal::Wrong => ApiError::new(status, code, message),
        Refusal::Throttled(wait) => ApiError::rate_limited(wait),
        Refusal::WrongCode | Refusal::NeedsCode => {
            ApiError::new(StatusCode::BAD_REQUEST, Code::SecondFactorRefused, WRONG_CODE)
        }
        Refusal::HasSecondFactor => {
            let message = "You have a second factor. Disable it first.";
            ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
        }
        Refusal::LocalOff => local_off(),
        Refusal::NoPassword => {
            let message =
                "You have no password here: you sign in at a provider, which keeps what you sign in with.";
            ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
        }
        Refusal::BadPasskey | Refusal::NoSecondFactor => {
            let message =
                "There is no second factor, or none to confirm. Begin with POST /api/auth/second-factor.";
            ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
        }
    }
}

/// That people do not come in by what they have here.
pub fn local_off() -> ApiError {
    let message = "Passwords and passkeys sign nobody in here: sign in with the provider. Whoever runs the server gets in \
                   all the same, by `dregs users reset-password`.";
    ApiError::new(StatusCode::FORBIDDEN, Code::LocalSignInOff, message)
}

/// That people come in by what they have here.
///
/// # Errors
/// Where the operator has switched it off.
pub fn must_be_local(app: &App) -> Result<(), ApiError> {
    if app.config.local_sign_in { Ok(()) } else { Err(local_off()) }
}

/// Sign out
#[utoipa::path(post, operation_id = "signOut", path = "/auth/logout",
    tag = "auth", responses((status = 204)))]
pub async fn logout(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    headers: HeaderMap,
) -> Result<(StatusCode, AppendHeaders<Option<(header::HeaderName, header::HeaderValue)>>), ApiError> {
    if let Some(token) = token(&headers) {
        let actor = Actor::user(&user, client.address);
        sign_in::end(&app.store, actor, token, app.clock.now()).await?;
    }
    let gone = cookie::set("", 0, client.is_https).map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(gone)))
}

/// Read who is signed in
#[utoipa::path(get, operation_id = "readMe", path = "/auth/me",
    tag = "auth", responses((status = 200, body = UserBody)))]
pub async fn me(State(app): State<Arc<App>>, Newcomer(user): Newcomer) -> Answer<UserBody> {
    // The dashboard asks this first, and then for what is in the list.
    app.rosters.prepare(user.team_id);
    Answer(user.into())
}

/// Whoever is signed in.
#[derive(Serialize, ToSchema)]
pub struct SignedInBody {
    /// Null where nobody is, or no longer; a key is nobody.
    user: Option<UserBody>,
}

/// Read whether somebody is signed in
///
/// As `readMe`, without an error where nobody is.
#[utoipa::path(get, operation_id = "readSession", path = "/auth/session",
    tag = "auth", security(()), responses((status = 200, body = SignedInBody)))]
pub async fn signed_in(
    State(app): State<Arc<App>>,
    person: Result<Newcomer, ApiError>,
) -> Result<Answer<SignedInBody>, ApiError> {
    let user = match person {
        Ok(Newcomer(user)) => user,
        Err(error) if error.is_about_caller() => return Ok(Answer(SignedInBody { user: None })),
        Err(error) => return Err(error),
    };
    app.rosters.prepare(user.team_id);
    Ok(Answer(SignedInBody { user: Some(user.into()) }))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordBody {
    #[schema(format = Password)]
    current_password: String,
    #[schema(format = Password, min_length = 10, max_length = 1024)]
    new_password: String,
}

/// Change one's password
///
/// Every other session of the person ends.
#[utoipa::path(post, operation_id = "changePassword", path = "/auth/password",
    tag = "auth", request_body = PasswordBody, responses((status = 204)))]
pub async fn password(
    State(app): State<Arc<App>>,
    Person(user): Person,
    client: Client,
    headers: HeaderMap,
    Json(change): Json<Unchecked<PasswordBody>>,
) -> Result<StatusCode, ApiError> {
    let PasswordBody { current_password, new_password } =
        change.check(|change| check_password("newPassword", &change.new_password).map(|()| change))?;
    let session = token(&headers).unwrap_or_default();
    let changed = app.sign_ins.change_password(user, session, current_password, new_password, client.address);
    match changed.await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => {
            let message = "The current password is wrong.";
            Err(refused(refusal, StatusCode::BAD_REQUEST, Code::WrongPassword, message))
        }
    }
}

/// What somebody who is invited says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceBody {
    /// From the invitation.
    token: String,
    #[schema(max_length = 100)]
    name: Option<String>,
    #[schema(format = Password, min_length = 10, max_length = 1024)]
    password: String,
}

/// Accept an invitation, and sign in
#[utoipa::path(post, operation_id = "acceptInvitation", path = "/auth/accept-invitation",
    tag = "auth", security(()), request_body = AcceptanceBody,
    responses((status = 200, body = SessionBody),
        (status = 403, body = ErrorBody, description = "Passwords are switched off: whoever is invited signs in with the provider."),
        (status = 404, body = ErrorBody, description = "The invitation is unknown, withdrawn, used or over."),
        (status = 409, body = ErrorBody, description = "Somebody has this e-mail address by now.")))]
pub async fn accept(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    headers: HeaderMap,
    SmallJson(acceptance): SmallJson<Unchecked<AcceptanceBody>>,
) -> Result<Begun, ApiError> {
    let (token, newcomer) = acceptance.check(|AcceptanceBody { token, name, password }| {
        let name = text("name", name, NAME_MAX_CHARS);
        let ((), name) = both(check_password("password", &password), name)?;
        Ok((token, members::Newcomer { name, password, address: client.address }))
    })?;
    must_be_local(&app)?;
    let user = members::accept(&app.store, &app.sign_ins, &token, newcomer, app.clock.now()).await?;
    let user = user.map_err(|refusal| super::team::refused(refusal, "invitation"))?;
    // What the browser has from an earlier sign-in is somebody else's.
    let from = Origin { browser: None, ..origin(&client, &headers) };
    let session = sign_in::open(&app.store, user, from, app.clock.now()).await?;
    Ok(begun(&app, &client, session))
}

/// An invitation, by what its link holds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationTokenBody {
    token: String,
}

/// Check whether an invitation still holds
///
/// So that nobody fills in a form for one that does not.
#[utoipa::path(post, operation_id = "checkInvitation", path = "/auth/check-invitation",
    tag = "auth", security(()), request_body = InvitationTokenBody,
    responses((status = 204, description = "It can be accepted."),
        (status = 404, body = ErrorBody, description = "The invitation is unknown, withdrawn, used or over.")))]
pub async fn check_invitation(
    State(app): State<Arc<App>>,
    _: Stranger,
    SmallJson(InvitationTokenBody { token }): SmallJson<InvitationTokenBody>,
) -> Result<StatusCode, ApiError> {
    if members::holds(&app.store, &token, app.clock.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(super::team::refused(members::Refusal::NotFound, "invitation"))
}

fn check_password(field: &str, password: &str) -> Result<(), ApiError> {
    let message =
        format!("must have at least {PASSWORD_MIN_CHARS} characters, and at most {PASSWORD_MAX_BYTES} bytes");
    must(sign_in::is_password(password), field, message)
}
