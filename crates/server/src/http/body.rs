//! Reading request bodies: bounded, strict, and explained when they are wrong.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use dregs_core::event::{BODY_MAX_BYTES, FieldError};
use dregs_core::json;
use http_body_util::{BodyExt, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

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
        parse(&read(request.into_body()).await?).map(Self)
    }
}

/// The same, where an empty body, or null, stands for an empty object.
pub struct OptionalJson<T>(pub T);

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        match read(request.into_body()).await?.trim_ascii() {
            b"" | b"null" => Ok(Self(T::default())),
            body => parse(body).map(Self),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let value = json::read_object(body).map_err(|error| ApiError::fields(vec![error]))?;
    serde_path_to_error::deserialize(serde_json::Value::Object(value))
        .map_err(|error| ApiError::fields(vec![explain(&error)]))
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
