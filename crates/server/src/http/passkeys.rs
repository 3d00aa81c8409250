//! Passkeys: registered, listed and removed by whoever is signed in, and a way to sign in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Client, Newcomer, Stranger};
use super::body::{Json, SmallJson, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, check_name, must_have};
use super::oauth::Site;
use super::params::Path;
use super::second_factor::OwnPasswordBody;
use super::sessions::{Begun as Session, SessionBody, begun, must_be_local, origin, refused};
use crate::app::App;
use crate::ops::access::sign_in::{self, CEREMONY_MAX_BYTES, PasskeyCeremony, Refusal, RelyingParty};
use crate::store::passkeys::Passkey;

const NAME_MAX_CHARS: usize = 100;
const NO_PARTY: &str = "Passkeys need a name: set DREGS_PUBLIC_URL to the https address by which browsers reach this server, or to its address at http://localhost; where it is not set, open http://localhost.";

/// A passkey of the person who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyBody {
    id: i64,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<Passkey> for PasskeyBody {
    fn from(passkey: Passkey) -> Self {
        let Passkey { id, name, created_at, last_used_at, .. } = passkey;
        Self { id, name, created_at, last_used_at }
    }
}

/// The first half of a ceremony.
#[derive(Serialize, ToSchema)]
pub struct CeremonyBody {
    /// To be sent with the second half, within five minutes.
    ceremony: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object)]
    options: Value,
}

impl From<PasskeyCeremony> for CeremonyBody {
    fn from(PasskeyCeremony { ceremony, options }: PasskeyCeremony) -> Self {
        Self { ceremony, options }
    }
}

/// By which name browsers know this server, if passkeys can be made for it.
fn party(site: Result<Site, ApiError>) -> Result<RelyingParty, ApiError> {
    let party = site.ok().and_then(|site| RelyingParty::at(site.url()));
    party.ok_or_else(|| ApiError::new(StatusCode::CONFLICT, Code::WrongState, NO_PARTY))
}

/// List one's passkeys, newest first
#[utoipa::path(get, operation_id = "listPasskeys", path = "/auth/passkeys",
    tag = "auth", responses((status = 200, body = Vec<PasskeyBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
) -> Result<Answer<Vec<PasskeyBody>>, ApiError> {
    let found = sign_in::passkeys(&app.store, user.id).await?;
    Ok(Answer(found.into_iter().map(PasskeyBody::from).collect()))
}

/// Begin to register a passkey
#[utoipa::path(post, operation_id = "beginPasskey", path = "/auth/passkeys/actions/begin",
    tag = "auth", request_body = OwnPasswordBody,
    responses((status = 200, body = CeremonyBody),
        (status = 409, body = ErrorBody, description = "The server has no address for which passkeys can be made.")))]
pub async fn begin(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    site: Result<Site, ApiError>,
    Json(body): Json<Unchecked<OwnPasswordBody>>,
) -> Result<Answer<CeremonyBody>, ApiError> {
    let (password, party) = (body.check(OwnPasswordBody::check)?, party(site)?);
    let begun = app.sign_ins.begin_passkey(&app.kept.key, &party, user, password, client.address).await?;
    let message = "The password is wrong.";
    let ceremony =
        begun.map_err(|wrong| refused(wrong, StatusCode::BAD_REQUEST, Code::WrongPassword, message))?;
    Ok(Answer(ceremony.into()))
}

/// A new passkey, as the browser made it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskeyBody {
    #[schema(example = "Laptop", min_length = 1, max_length = 100)]
    name: String,
    ceremony: String,
    /// What `toJSON()` of the credential says.
    #[schema(value_type = Object)]
    credential: Value,
}

/// Register a passkey
#[utoipa::path(post, operation_id = "registerPasskey", path = "/auth/passkeys",
    tag = "auth", request_body = NewPasskeyBody,
    responses((status = 201, body = PasskeyBody),
        (status = 409, body = ErrorBody, description = "The server has no address for which passkeys can be made.")))]
pub async fn register(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    site: Result<Site, ApiError>,
    Json(body): Json<Unchecked<NewPasskeyBody>>,
) -> Result<(StatusCode, Answer<PasskeyBody>), ApiError> {
    let new = body.check(|NewPasskeyBody { name, ceremony, credential }| {
        let name = name.trim().to_owned();
        both(check_name(&name, NAME_MAX_CHARS), check_ceremony(&ceremony))?;
        Ok((name, ceremony, credential))
    })?;
    let party = party(site)?;
    let made = app.sign_ins.register_passkey(&app.kept.key, &party, user, new, client.address).await?;
    let refuse = |refusal| match refusal {
        Refusal::Throttled(wait) => ApiError::rate_limited(wait),
        _ => {
            let message = "The passkey could not be verified, or was begun too long ago. Begin again.";
            ApiError::new(StatusCode::BAD_REQUEST, Code::PasskeyRefused, message)
        }
    };
    made.map(|passkey| (StatusCode::CREATED, Answer(passkey.into()))).map_err(refuse)
}

fn check_ceremony(ceremony: &str) -> Result<(), ApiError> {
    must_have("ceremony", ceremony.len(), 0..=CEREMONY_MAX_BYTES, "bytes")
}

/// Remove a passkey
#[utoipa::path(delete, operation_id = "removePasskey", path = "/auth/passkeys/{id}",
    tag = "auth", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found(Code::PasskeyNotFound, "passkey");
    let id = id.parse().map_err(|_| not_found())?;
    if sign_in::remove_passkey(&app.store, user, id, client.address, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_found())
    }
}

/// Begin to sign in with a passkey
#[utoipa::path(post, operation_id = "beginPasskeySignIn", path = "/auth/login/passkey/actions/begin",
    tag = "auth", security(()), responses((status = 200, body = CeremonyBody),
        (status = 403, body = ErrorBody, description = "Passkeys are switched off."),
        (status = 409, body = ErrorBody, description = "The server has no address for which passkeys can be made.")))]
pub async fn begin_sign_in(
    State(app): State<Arc<App>>,
    _: Stranger,
    site: Result<Site, ApiError>,
) -> Result<Answer<CeremonyBody>, ApiError> {
    must_be_local(&app)?;
    Ok(Answer(sign_in::begin_passkey_sign_in(&app.kept.key, &party(site)?)?.into()))
}

/// What a passkey has signed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyLoginBody {
    ceremony: String,
    /// What `toJSON()` of the credential says.
    #[schema(value_type = Object)]
    credential: Value,
}

/// Sign in with a passkey
///
/// It stands for the password and the second factor.
#[utoipa::path(post, operation_id = "signInWithPasskey", path = "/auth/login/passkey",
    tag = "auth", security(()), request_body = PasskeyLoginBody,
    responses((status = 200, body = SessionBody),
        (status = 401, body = ErrorBody, description = "The passkey is nobody's, or what it signed is not right."),
        (status = 403, body = ErrorBody, description = "Passkeys are switched off."),
        (status = 409, body = ErrorBody, description = "The server has no address for which passkeys can be made.")))]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Stranger(client): Stranger,
    headers: HeaderMap,
    site: Result<Site, ApiError>,
    SmallJson(body): SmallJson<Unchecked<PasskeyLoginBody>>,
) -> Result<Session, ApiError> {
    let signed = body.check(|PasskeyLoginBody { ceremony, credential }| {
        check_ceremony(&ceremony).map(|()| (ceremony, credential))
    })?;
    must_be_local(&app)?;
    let party = party(site)?;
    let from = origin(&client, &headers);
    match app.sign_ins.begin_by_passkey(&app.kept.key, &party, signed, from).await? {
        Ok(session) => Ok(begun(&app, &client, session)),
        Err(Refusal::Throttled(wait)) => Err(ApiError::rate_limited(wait)),
        Err(_) => {
            let message = "This passkey signs nobody in: it was removed, or took longer than five minutes.";
            Err(ApiError::new(StatusCode::UNAUTHORIZED, Code::PasskeyRefused, message))
        }
    }
}
