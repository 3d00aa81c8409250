//! Reading request bodies: bounded, strict, and explained when they are wrong.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use dregs_core::event::{BODY_MAX_BYTES, FieldError};
use dregs_core::json;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};

/// The bytes of a body, at most [`BODY_MAX_BYTES`].
pub struct Raw(pub Bytes);

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(request.into_body()).await.map(Self)
    }
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return Err(too_large());
    }
    let collected = Limited::new(body, BODY_MAX_BYTES).collect().await.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            too_large()
        } else {
            ApiError::field("", "the body ended before it was complete")
        }
    })?;
    Ok(collected.to_bytes())
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Code::BodyTooLarge,
        format!("The body is larger than {} KiB.", BODY_MAX_BYTES / 1024),
    )
}

/// A JSON object of which every field is known.
pub struct Json<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body()).await?;
        let value = json::read(&bytes).map_err(|error| ApiError::fields(vec![error]))?;
        serde_json::from_value(value).map(Self).map_err(|error| ApiError::fields(vec![explain(&error)]))
    }
}

/// The same, where an empty body stands for an empty object.
pub struct OptionalJson<T>(pub T);

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, state).await.map(|Json(value)| Self(value))
    }
}

/// Serde puts the name of the field it means in back ticks.
fn explain(error: &serde_json::Error) -> FieldError {
    let message = error.to_string();
    let about_field =
        ["unknown field", "missing field", "duplicate field"].iter().any(|p| message.starts_with(p));
    let field = message.split('`').nth(1).filter(|_| about_field).unwrap_or_default().to_owned();
    FieldError { field, message }
}
