//! Reading request bodies: bounded, strict, and explained when they are wrong.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use dregs_core::event::FieldError;
use dregs_core::json;
use http_body_util::{BodyExt, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::{ApiError, Code};
use crate::app::App;

/// The bytes of a body, as large as one event may be.
pub struct Raw(pub Bytes);

impl FromRequest<Arc<App>> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        read(request.into_body(), app.config.body_max_kib).await.map(Self)
    }
}

/// The bytes of a body, as large as many events may be.
pub struct RawBatch(pub Bytes);

impl FromRequest<Arc<App>> for RawBatch {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        read(request.into_body(), app.config.batch_max_kib).await.map(Self)
    }
}

async fn read(body: Body, max_kib: u64) -> Result<Bytes, ApiError> {
    let max_bytes = max_kib * 1024;
    if body.size_hint().lower() > max_bytes {
        return Err(too_large(max_kib));
    }
    let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let collected = Limited::new(body, max_bytes).collect().await.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            too_large(max_kib)
        } else {
            ApiError::field("", "the body ended before it was complete")
        }
    })?;
    Ok(collected.to_bytes())
}

fn too_large(max_kib: u64) -> ApiError {
    metrics::counter!("dregs_body_refused_total", "limit" => "size").increment(1);
    let message = format!("The body is larger than {max_kib} KiB.");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, message)
}

/// Notes what limits have refused of a body that was read.
pub fn note_refusal(errors: &[FieldError]) {
    if errors.iter().any(|error| error.message.starts_with(json::TOO_DEEP)) {
        metrics::counter!("dregs_body_refused_total", "limit" => "nesting").increment(1);
    }
}

/// A JSON object of which every field is known.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let Raw(body) = Raw::from_request(request, app).await?;
        parse(&body, app).map(Self)
    }
}

/// The same, where an empty body, or null, stands for an empty object.
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<App>> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let Raw(body) = Raw::from_request(request, app).await?;
        match body.trim_ascii() {
            b"" | b"null" => Ok(Self(T::default())),
            body => parse(body, app).map(Self),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8], app: &App) -> Result<T, ApiError> {
    let value = json::read_object(body, app.config.event_limits().nesting_levels).map_err(|error| {
        note_refusal(std::slice::from_ref(&error));
        ApiError::fields(vec![error])
    })?;
    serde_path_to_error::deserialize(serde_json::Value::Object(value))
        .map_err(|error| ApiError::fields(vec![explain(&error)]))
}

/// Reads an object that stands in the field `field` of a body.
pub fn read_object<T: DeserializeOwned>(
    field: &str,
    value: serde_json::Map<String, serde_json::Value>,
) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(serde_json::Value::Object(value)).map_err(|error| {
        let FieldError { field: inner, message } = explain(&error);
        let field = if inner.is_empty() { field.to_owned() } else { format!("{field}.{inner}") };
        ApiError::fields(vec![FieldError { field, message }])
    })
}

/// An object inside a body. Serde would read a struct from an array too, value by value; that is
/// never what a caller means.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Which field is wrong, and why. Of fields that are missing or unknown the path leads only to
/// the object around them; serde puts their names in back ticks.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let message = error.inner().to_string();
    let mut field = error.path().to_string();
    if field == "." {
        field.clear();
    }
    let named = ["unknown field `", "missing field `"].iter().find_map(|start| message.strip_prefix(start));
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('`')) {
        let is_at_the_end =
            field.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if !is_at_the_end {
            field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
        }
    }
    FieldError { field, message }
}
