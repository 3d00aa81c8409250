//! Signing in and out.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{Person, bearer};
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
#[utoipa::path(post, operation_id = "signIn", path = "/auth/login",
    tag = "auth", security(()), request_body = LoginBody,
    responses((status = 200, body = SessionBody),
        (status = 401, body = ErrorBody, description = "Address and password do not go together.")))]
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
#[utoipa::path(post, operation_id = "signOut", path = "/auth/logout",
    tag = "auth", responses((status = 204)))]
pub async fn logout(
    State(app): State<Arc<App>>,
    _: Person,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    if let Some(token) = bearer(&headers) {
        sign_in::end(&app, token).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Read who is signed in
#[utoipa::path(get, operation_id = "readMe", path = "/auth/me",
    tag = "auth", responses((status = 200, body = UserBody)))]
pub async fn me(Person(user): Person) -> Answer<UserBody> {
    Answer(user.into())
}
