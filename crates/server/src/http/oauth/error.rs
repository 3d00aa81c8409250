//! Refusals in the form of RFC 6749, 5.2. What concerns no protocol (a body that is too large, a server that cannot)
//! is answered as everywhere.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::error::ApiError;
use crate::ops::oauth::refusal::{Kind, Refusal};
use crate::store::StoreError;

/// Why a client gets nothing.
pub enum OauthError {
    Refused(Refusal),
    Api(ApiError),
}

impl OauthError {
    pub fn new(kind: Kind, description: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(kind, description))
    }
}

impl From<Refusal> for OauthError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ApiError> for OauthError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for OauthError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(Refusal { kind, description }) => {
                let status = match kind {
                    Kind::InvalidClient => StatusCode::UNAUTHORIZED,
                    _ => StatusCode::BAD_REQUEST,
                };
                let body = json!({ "error": kind.name(), "error_description": description });
                (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
            }
            Self::Api(error) => error.into_response(),
        }
    }
}
