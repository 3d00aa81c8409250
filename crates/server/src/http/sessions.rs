//! Signing in and out.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Caller, bearer};
use super::body::Json;
use super::error::{ApiError, Code, ErrorBody};
use crate::app::App;
use crate::ops::sign_in;
use crate::store::users::User;

/// Longer passwords only cost time.
const PASSWORD_MAX_BYTES: usize = 1_024;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody {
    /// For `Authorization: Bearer`.
    token: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    user: UserBody,
}

/// A person of the team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserBody {
    id: i64,
    email: String,
    #[schema(example = "ADMIN")]
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self { id: user.id, email: user.email, role: user.role.as_text(), created_at: user.created_at }
    }
}

/// Sign in
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = LoginBody,
    responses((status = 200, body = SessionBody), (status = "4XX", body = ErrorBody)))]
pub async fn login(
    State(app): State<Arc<App>>,
    Json(login): Json<LoginBody>,
) -> Result<Answer<SessionBody>, ApiError> {
    if login.password.len() > PASSWORD_MAX_BYTES {
        return Err(ApiError::field("password", format!("must be at most {PASSWORD_MAX_BYTES} bytes")));
    }
    let session = sign_in::begin(&app, &login.email, login.password).await?.ok_or_else(|| {
        let message = "E-mail address and password do not go together.";
        ApiError::new(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
    })?;
    Ok(Answer(SessionBody {
        token: session.token,
        expires_at: session.expires_at,
        user: session.user.into(),
    }))
}

/// Sign out
#[utoipa::path(post, path = "/auth/logout", tag = "auth",
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    if let (Caller::Person(_), Some(token)) = (caller, bearer(&headers)) {
        sign_in::end(&app, token).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Read who is signed in
#[utoipa::path(get, path = "/auth/me", tag = "auth",
    responses((status = 200, body = UserBody), (status = "4XX", body = ErrorBody)))]
pub async fn me(caller: Caller) -> Result<Answer<UserBody>, ApiError> {
    match caller {
        Caller::Person(user) => Ok(Answer(user.into())),
        Caller::Backend(_) => {
            Err(ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, "A secret key is nobody in person."))
        }
    }
}
