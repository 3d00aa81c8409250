//! The second factor of whoever is signed in: set up, given up, and reset by an admin.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Admin, Client, Newcomer, token};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, must_have};
use super::params::Path;
use super::sessions::{check_code, refused};
use crate::app::App;
use crate::ops::access::sign_in::{self, PASSWORD_MAX_BYTES, Proof, Refusal, Reset};
use crate::ops::audit::Actor;
use crate::ops::team::members;

/// The second factor of the person who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactorBody {
    /// Null where they have none.
    #[schema(value_type = Option<String>, format = DateTime)]
    enabled_at: Option<Timestamp>,
    /// Each works once.
    recovery_codes_left: i64,
    /// Whether their team requires one of everybody.
    required: bool,
}

/// Read one's second factor
#[utoipa::path(get, operation_id = "readSecondFactor", path = "/auth/second-factor",
    tag = "auth", responses((status = 200, body = SecondFactorBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
) -> Result<Answer<SecondFactorBody>, ApiError> {
    let state = sign_in::second_factor_state(&app.store, user.id).await?;
    Ok(Answer(SecondFactorBody {
        enabled_at: state.enabled_at,
        recovery_codes_left: state.recovery_codes_left,
        required: user.needs_second_factor,
    }))
}

/// One's password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPasswordBody {
    #[schema(format = Password)]
    password: String,
}

impl OwnPasswordBody {
    /// The password, if it may be one.
    ///
    /// # Errors
    /// Says how long it may be.
    pub fn check(self) -> Result<String, ApiError> {
        check_password(&self.password).map(|()| self.password)
    }
}

fn check_password(password: &str) -> Result<(), ApiError> {
    must_have("password", password.len(), 0..=PASSWORD_MAX_BYTES, "bytes")
}

/// What an authenticator app takes.
#[derive(Serialize, ToSchema)]
pub struct EnrollmentBody {
    /// In base 32. It is not shown again.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same for a QR code.
    #[schema(
        example = "otpauth://totp/dregs:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=dregs"
    )]
    url: String,
}

/// Begin to set up a second factor
///
/// By TOTP (RFC 6238): SHA-1, 6 digits, 30 seconds. It takes effect when a first code has confirmed it.
#[utoipa::path(post, operation_id = "beginSecondFactor", path = "/auth/second-factor",
    tag = "auth", request_body = OwnPasswordBody,
    responses((status = 201, body = EnrollmentBody),
        (status = 409, body = ErrorBody, description = "There is one already.")))]
pub async fn begin(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    Json(body): Json<Unchecked<OwnPasswordBody>>,
) -> Result<(StatusCode, Answer<EnrollmentBody>), ApiError> {
    let password = body.check(OwnPasswordBody::check)?;
    let begun =
        app.sign_ins.begin_second_factor(&app.kept.key, user, password, issuer(&app), client.address).await?;
    let enrollment = begun.map_err(wrong_password)?;
    Ok((StatusCode::CREATED, Answer(EnrollmentBody { secret: enrollment.secret, url: enrollment.url })))
}

/// What an app calls this server.
fn issuer(app: &App) -> String {
    let url = app.config.public_url.as_deref().and_then(|url| Url::parse(url).ok());
    match url.as_ref().and_then(Url::host_str) {
        // That of an IPv6 address has colons, which no issuer may have.
        Some(host) if !host.contains(':') => format!("dregs ({host})"),
        _ => "dregs".to_owned(),
    }
}

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    #[schema(example = "492039", max_length = 64)]
    code: String,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodesBody {
    /// Each stands for a code of the app, once. They are not shown again.
    #[schema(example = json!(["4f0a-k2vd-9xqe-7m3t"]))]
    recovery_codes: Vec<String>,
}

/// Confirm one's second factor by a first code
///
/// From now on the password alone signs nobody in. Every other session of the person ends.
#[utoipa::path(post, operation_id = "confirmSecondFactor", path = "/auth/second-factor/actions/confirm",
    tag = "auth", request_body = CodeBody,
    responses((status = 200, body = RecoveryCodesBody),
        (status = 409, body = ErrorBody, description = "There is none to confirm.")))]
pub async fn confirm(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<Unchecked<CodeBody>>,
) -> Result<Answer<RecoveryCodesBody>, ApiError> {
    let code = body.check(|body| check_code(Some(&body.code)).map(|()| body.code))?;
    let session = token(&headers).unwrap_or_default();
    let confirmed =
        app.sign_ins.confirm_second_factor(&app.kept.key, user, session, &code, client.address).await?;
    let recovery_codes = confirmed.map_err(wrong_password)?;
    Ok(Answer(RecoveryCodesBody { recovery_codes }))
}

/// Make other recovery codes
///
/// Those from before no longer work.
#[utoipa::path(post, operation_id = "renewRecoveryCodes", path = "/auth/second-factor/actions/renew-recovery-codes",
    tag = "auth", request_body = OwnPasswordBody,
    responses((status = 200, body = RecoveryCodesBody),
        (status = 409, body = ErrorBody, description = "There is no second factor.")))]
pub async fn renew_recovery_codes(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    Json(body): Json<Unchecked<OwnPasswordBody>>,
) -> Result<Answer<RecoveryCodesBody>, ApiError> {
    let password = body.check(OwnPasswordBody::check)?;
    let renewed = app.sign_ins.renew_recovery_codes(user, password, client.address).await?;
    let recovery_codes = renewed.map_err(wrong_password)?;
    Ok(Answer(RecoveryCodesBody { recovery_codes }))
}

/// What shows that it is the person who asks: either.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofBody {
    #[schema(format = Password)]
    password: Option<String>,
    /// Of the app, or a recovery code.
    #[schema(example = "492039", max_length = 64)]
    code: Option<String>,
}

impl ProofBody {
    fn check(self) -> Result<Proof, ApiError> {
        let password = self.password.as_deref().map_or(Ok(()), check_password);
        both(password, check_code(self.code.as_deref()))?;
        match (self.password, self.code) {
            (Some(password), None) => Ok(Proof::Password(password)),
            (None, Some(code)) => Ok(Proof::Code(code)),
            _ => Err(ApiError::field("", "must have either password or code")),
        }
    }
}

/// Disable one's second factor
///
/// Its recovery codes no longer work. Where the team requires a second factor, another one is to be set up next.
#[utoipa::path(post, operation_id = "disableSecondFactor", path = "/auth/second-factor/actions/disable",
    tag = "auth", request_body = ProofBody,
    responses((status = 204), (status = 409, body = ErrorBody, description = "There is none.")))]
pub async fn disable(
    State(app): State<Arc<App>>,
    Newcomer(user): Newcomer,
    client: Client,
    Json(body): Json<Unchecked<ProofBody>>,
) -> Result<StatusCode, ApiError> {
    let proof = body.check(ProofBody::check)?;
    let disabled = app.sign_ins.disable_second_factor(&app.kept.key, user, proof, client.address).await?;
    disabled.map(|()| StatusCode::NO_CONTENT).map_err(wrong_password)
}

fn wrong_password(refusal: Refusal) -> ApiError {
    let message = "The password is wrong.";
    refused(refusal, StatusCode::BAD_REQUEST, Code::WrongPassword, message)
}

/// Reset the second factor of a member who has lost it
///
/// It is removed with its recovery codes and their passkeys, and their sessions end: the password alone signs in. That of
/// somebody who is in other teams as well, or owns the installation, is for an owner to reset.
#[utoipa::path(post, operation_id = "resetSecondFactor", path = "/team/members/{id}/actions/reset-second-factor",
    tag = "team", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn reset(
    State(app): State<Arc<App>>,
    Admin(admin): Admin,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = super::team::parse_id(&id, "member")?;
    match sign_in::reset_second_factor(&app.store, actor, admin.is_owner, id, app.clock.now()).await? {
        Reset::Done => Ok(StatusCode::NO_CONTENT),
        Reset::NotFound => Err(super::team::refused(members::Refusal::NotFound, "member")),
        Reset::NotTheTeams => {
            let message = "It guards other teams as well: somebody who owns the installation may reset it.";
            Err(ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, message))
        }
    }
}
