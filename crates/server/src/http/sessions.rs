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
use super::team::{NAME_MAX_CHARS, UserBody};
use crate::app::App;
use crate::ops::access::sign_in::{
    self, CODE_MAX_BYTES, Origin, PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS, Refusal, Session,
};
use crate::ops::audit::Actor;
use crate::ops::team::members;
use crate::store::members as memberships;
use crate::store::users::User;

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
        Err(refusal) => Err(not_signed_in(refusal)),
    }
}

/// Why somebody is not signed in.
fn not_signed_in(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NeedsCode => {
            let message = "Send a code of your authenticator app as well, or a recovery code, as `code`.";
            ApiError::new(StatusCode::UNAUTHORIZED, Code::SecondFactorRequired, message)
        }
        Refusal::WrongCode => ApiError::new(StatusCode::UNAUTHORIZED, Code::SecondFactorRefused, WRONG_CODE),
        refusal => {
            let message = "The e-mail address or the password is wrong.";
            refused(refusal, StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
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

/// One of a person's teams.
#[derive(Serialize, ToSchema)]
pub struct MembershipBody {
    id: i64,
    name: String,
    /// ADMIN, USER or VIEWER: what the person may do there.
    #[schema(example = "ADMIN")]
    role: &'static str,
}

/// Whoever is signed in, in the team that is chosen in the session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeBody {
    #[serde(flatten)]
    user: UserBody,
    /// The team that is chosen.
    team_id: i64,
    /// Every team they are in, by name.
    teams: Vec<MembershipBody>,
    /// Whether they own the installation, and so make, rename and delete its teams.
    owner: bool,
}

impl MeBody {
    async fn read(app: &App, user: User) -> Result<Self, ApiError> {
        let user_id = user.id;
        let teams = app.store.read(move |tx| memberships::of_user(tx, user_id)).await?;
        let teams = teams.into_iter();
        Ok(Self {
            team_id: user.team_id,
            owner: user.is_owner,
            teams: teams
                .map(|of| MembershipBody { id: of.team_id, name: of.team, role: of.role.as_text() })
                .collect(),
            user: user.into(),
        })
    }
}

/// Read who is signed in, and their teams
#[utoipa::path(get, operation_id = "readMe", path = "/auth/me",
    tag = "auth", responses((status = 200, body = MeBody)))]
pub async fn me(State(app): State<Arc<App>>, Newcomer(user): Newcomer) -> Result<Answer<MeBody>, ApiError> {
    // The dashboard asks this first, and then for what is in the list.
    app.rosters.prepare(user.team_id);
    MeBody::read(&app, user).await.map(Answer)
}

/// What to change of oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeChangeBody {
    /// What colleagues see; null for none.
    #[schema(max_length = 100)]
    name: Option<String>,
}

/// Change one's name
///
/// In all teams of the person.
#[utoipa::path(patch, operation_id = "updateMe", path = "/auth/me",
    tag = "auth", request_body = MeChangeBody, responses((status = 200, body = MeBody)))]
pub async fn update_me(
    State(app): State<Arc<App>>,
    Person(user): Person,
    client: Client,
    Json(change): Json<Unchecked<MeChangeBody>>,
) -> Result<Answer<MeBody>, ApiError> {
    let name = change.check(|change| text("name", change.name, NAME_MAX_CHARS))?;
    let user = members::rename(&app.store, user, name, client.address, app.clock.now()).await?;
    MeBody::read(&app, user).await.map(Answer)
}

/// The team to choose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChosenTeamBody {
    team_id: i64,
}

/// Choose another of one's teams
///
/// From now on the session is in that team: every answer is of it, and live streams of the session end within two seconds.
/// Whoever signs in comes to the team they chose last.
#[utoipa::path(put, operation_id = "chooseTeam", path = "/auth/session/team",
    tag = "auth", request_body = ChosenTeamBody, responses((status = 200, body = MeBody),
        (status = 404, body = ErrorBody, description = "The caller is in no such team.")))]
pub async fn choose_team(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    headers: HeaderMap,
    Json(ChosenTeamBody { team_id }): Json<ChosenTeamBody>,
) -> Result<Answer<MeBody>, ApiError> {
    let session = token(&headers).unwrap_or_default();
    let chosen =
        sign_in::choose_team(&app.store, user, session, team_id, client.address, app.clock.now()).await?;
    let user = chosen.ok_or_else(|| ApiError::not_found(Code::TeamNotFound, "team"))?;
    app.rosters.prepare(user.team_id);
    MeBody::read(&app, user).await.map(Answer)
}

/// Whoever is signed in.
#[derive(Serialize, ToSchema)]
pub struct SignedInBody {
    /// Null where nobody is, or no longer; a key is nobody.
    user: Option<MeBody>,
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
    Ok(Answer(SignedInBody { user: Some(MeBody::read(&app, user).await?) }))
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
    /// Of a new account.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Of the account that has the invited address; else the one to make it with, of 10 characters at least.
    #[schema(format = Password, max_length = 1024)]
    password: String,
    /// Of the second factor, where the account has one.
    #[schema(example = "492039", max_length = 64)]
    code: Option<String>,
}

/// Accept an invitation, and sign in
///
/// Whoever has an account already joins with its password, and with a code of its second factor; anybody else gets one.
#[utoipa::path(post, operation_id = "acceptInvitation", path = "/auth/accept-invitation",
    tag = "auth", security(()), request_body = AcceptanceBody,
    responses((status = 200, body = SessionBody),
        (status = 401, body = ErrorBody, description = "The password is not that of the account, a code is needed, or it is wrong."),
        (status = 403, body = ErrorBody, description = "Passwords are switched off: whoever is invited signs in with the provider."),
        (status = 404, body = ErrorBody, description = "The invitation is unknown, withdrawn, used or over."),
        (status = 409, body = ErrorBody, description = "Somebody has this e-mail address by now.")))]
pub async fn accept(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    headers: HeaderMap,
    SmallJson(acceptance): SmallJson<Unchecked<AcceptanceBody>>,
) -> Result<Begun, ApiError> {
    let AcceptanceBody { token, name, password, code } = acceptance.check(|body| {
        let name = text("name", body.name, NAME_MAX_CHARS);
        let length = must_have("password", body.password.len(), 0..=PASSWORD_MAX_BYTES, "bytes");
        let (name, ((), ())) = both(name, both(length, check_code(body.code.as_deref())))?;
        Ok(AcceptanceBody { name, ..body })
    })?;
    must_be_local(&app)?;
    let now = app.clock.now();
    let refused = |refusal| super::team::refused(refusal, "invitation");
    let invited = members::invited(&app.store, &token, now).await?;
    let invited = invited.ok_or_else(|| refused(members::Refusal::NotFound))?;
    let from = origin(&client, &headers);
    let (user, from) = if invited.has_account {
        let known = app.sign_ins.authenticate(&app.kept.key, &invited.email, password, code, from).await?;
        let (user, from) = known.map_err(not_signed_in)?;
        (members::join(&app.store, &token, user, client.address, now).await?, from)
    } else {
        check_password("password", &password)?;
        let newcomer = members::Newcomer { name, password, address: client.address };
        // What the browser has from an earlier sign-in is somebody else's.
        let from = Origin { browser: None, ..from };
        (members::accept(&app.store, &app.sign_ins, &token, newcomer, now).await?, from)
    };
    let session = sign_in::open(&app.store, user.map_err(refused)?, from, app.clock.now()).await?;
    Ok(begun(&app, &client, session))
}

/// An invitation, by what its link holds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationTokenBody {
    token: String,
}

/// An invitation that holds, to whoever is invited.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitedBody {
    #[schema(example = "ada@example.com")]
    email: String,
    /// ADMIN, USER or VIEWER.
    #[schema(example = "USER")]
    role: &'static str,
    /// The name of the team.
    #[schema(example = "Shop")]
    team: String,
    /// Whether the address has an account, with whose password it is accepted.
    has_account: bool,
}

/// Check whether an invitation still holds
///
/// So that nobody fills in a form for one that does not, and everybody sees who joins what.
#[utoipa::path(post, operation_id = "checkInvitation", path = "/auth/check-invitation",
    tag = "auth", security(()), request_body = InvitationTokenBody,
    responses((status = 200, body = InvitedBody, description = "It can be accepted."),
        (status = 404, body = ErrorBody, description = "The invitation is unknown, withdrawn, used or over.")))]
pub async fn check_invitation(
    State(app): State<Arc<App>>,
    _: Stranger,
    SmallJson(InvitationTokenBody { token }): SmallJson<InvitationTokenBody>,
) -> Result<Answer<InvitedBody>, ApiError> {
    match members::invited(&app.store, &token, app.clock.now()).await? {
        Some(members::Invited { email, role, team, has_account }) => {
            Ok(Answer(InvitedBody { email, role: role.as_text(), team, has_account }))
        }
        None => Err(super::team::refused(members::Refusal::NotFound, "invitation")),
    }
}

fn check_password(field: &str, password: &str) -> Result<(), ApiError> {
    let message =
        format!("must have at least {PASSWORD_MIN_CHARS} characters, and at most {PASSWORD_MAX_BYTES} bytes");
    must(sign_in::is_password(password), field, message)
}
