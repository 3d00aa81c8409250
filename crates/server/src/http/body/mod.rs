//! Reading request bodies: bounded, strict, and explained when they are wrong.

mod encoding;
mod read;
mod words;

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use dregs_core::event::FieldError;
use dregs_core::json;
use http_body_util::BodyExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use url::form_urlencoded;

use super::auth::Client;
use super::connections::{BODY_MAX_SECONDS, BODY_MIN_KIB_PER_SECOND, TimedOut};
use super::cookie;
use super::elsewhere::elsewhere;
use super::error::{ApiError, Code};
use crate::app::App;
use crate::config::Config;
use crate::limit::{self, Limit};
use crate::ops::access::limits::{Full, Held};

pub use read::{FromBody, Unchecked, read_object, read_twice};

/// What a body may have that comes from somebody unknown: an address, a password and a token fit many times.
pub const SMALL_MAX_KIB: u64 = 16;
/// Larger bodies are read on another thread, so that nobody waits for it on the one that answers everybody: this much
/// takes well under a millisecond.
pub const INLINE_MAX_KIB: usize = 32;

/// Whose a body is, and so on which account it is kept in memory.
#[derive(Clone, Copy)]
pub enum Whose {
    /// Of a backend, or of somebody who is signed in.
    Known,
    /// Of a browser, or of somebody who signs in.
    Anybodys(Option<IpAddr>),
}

/// How large a body may be, before and after it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    kib: u64,
    /// The setting that says so, where one does.
    setting: Option<&'static str>,
}

impl Most {
    pub fn of_body(config: &Config) -> Self {
        Self { kib: config.body_max_kib, setting: Some("body_max_kib") }
    }

    pub fn of_batch(config: &Config) -> Self {
        Self { kib: config.batch_max_kib, setting: Some("batch_max_kib") }
    }

    /// The smaller of the two.
    pub fn or(self, other: Self) -> Self {
        if other.kib < self.kib { other } else { self }
    }

    /// The smaller of this and a bound that no setting moves.
    pub fn at_most(self, kib: u64) -> Self {
        if kib < self.kib { Self { kib, setting: None } } else { self }
    }
}

/// A body that has been read.
pub struct Received {
    pub bytes: Bytes,
    _held: Held,
}

/// Reads a body of JSON, decoded.
///
/// # Errors
/// When it is no JSON by its type, encoded in a way that is not known, too large before or after it is decoded, or
/// comes too slowly or not to its end.
pub async fn receive(
    request: Request,
    app: &Arc<App>,
    most: Most,
    whose: Whose,
) -> Result<Received, ApiError> {
    receive_typed(request, app, most, whose, check_type).await
}

async fn receive_typed(
    request: Request,
    app: &Arc<App>,
    most: Most,
    whose: Whose,
    check_type: fn(&HeaderMap) -> Result<(), ApiError>,
) -> Result<Received, ApiError> {
    let (parts, body) = request.into_parts();
    let encoding = encoding::of(&parts.headers)?;
    let mut held = match whose {
        Whose::Known => app.bodies.of_known(),
        Whose::Anybodys(address) => app.bodies.of_anybody(address),
    };
    let bytes = collect(body, most, &mut held).await?;
    if !bytes.is_empty() {
        check_type(&parts.headers)?;
    }
    let bytes = match encoding {
        None => bytes,
        Some(encoding) => {
            let decoded = elsewhere(move || encoding.decode(&bytes, most)).await??;
            held.grow_to(decoded.len()).map_err(no_room)?;
            decoded.into()
        }
    };
    Ok(Received { bytes, _held: held })
}

/// Reads what comes, as far as it may.
async fn collect(mut body: Body, most: Most, held: &mut Held) -> Result<Bytes, ApiError> {
    let max_bytes = most.kib * 1024;
    if body.size_hint().lower() > max_bytes {
        return Err(too_large(most));
    }
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken_off(&error))?.into_data() else { continue };
        let received = first.len() + rest.len() + data.len();
        if received as u64 > max_bytes {
            return Err(too_large(most));
        }
        held.grow_to(received).map_err(no_room)?;
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// Does something with a body of this size: here if it is small, and on another thread if it is not.
///
/// # Errors
/// Those of [`elsewhere`].
pub async fn by_size<R: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, ApiError> {
    if bytes > INLINE_MAX_KIB * 1024 { elsewhere(work).await } else { Ok(work()) }
}

/// Refuses what is no JSON by its type. A page of another site may send some types without asking, and none at all, but
/// no `Authorization` then; so only who sends that may leave the type out.
fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let is_json = match media_type(headers) {
        None => headers.contains_key(header::AUTHORIZATION),
        Some(kind) => {
            kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
        }
    };
    if is_json {
        return Ok(());
    }
    let message = "The body must be JSON, sent with \"Content-Type: application/json\".";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, message))
}

/// The type of a body, without its parameters; empty where it cannot be read.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn check_form(headers: &HeaderMap) -> Result<(), ApiError> {
    if media_type(headers).as_deref() == Some("application/x-www-form-urlencoded") {
        return Ok(());
    }
    let message = "The body must be a form, sent with \"Content-Type: application/x-www-form-urlencoded\".";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, message))
}

fn broken_off(error: &axum::Error) -> ApiError {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<TimedOut>() {
            limit::reached(Limit::BodyTime);
            metrics::counter!("dregs_body_refused_total", "limit" => "time").increment(1);
            let message = format!(
                "The body came too slowly: it has {BODY_MAX_SECONDS} seconds, and one more for each \
                 {BODY_MIN_KIB_PER_SECOND} KiB."
            );
            return ApiError::new(StatusCode::REQUEST_TIMEOUT, Code::RequestTimeout, message);
        }
        cause = error.source();
    }
    ApiError::field("", "ended before it was complete")
}

fn no_room(Full(limit): Full) -> ApiError {
    limit::reached(limit);
    metrics::counter!("dregs_body_refused_total", "limit" => "memory").increment(1);
    let message = "The server is reading as many bodies as it can. Try again.";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
}

fn too_large(Most { kib, setting }: Most) -> ApiError {
    limit::reached(Limit::BodySize);
    metrics::counter!("dregs_body_refused_total", "limit" => "size").increment(1);
    let message = match setting {
        Some(setting) => format!("The body is larger than {kib} KiB, the server's setting {setting}."),
        None => format!("The body is larger than {kib} KiB."),
    };
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, message)
}

/// Notes what limits have refused of a body that was read.
pub fn note_refusal(errors: &[FieldError]) {
    if errors.iter().any(|error| error.message.starts_with(json::TOO_MANY)) {
        limit::reached(Limit::Items);
    }
    if errors.iter().any(|error| error.message.starts_with(json::TOO_DEEP)) {
        limit::reached(Limit::BodyNesting);
        metrics::counter!("dregs_body_refused_total", "limit" => "nesting").increment(1);
    }
}

/// A JSON object of which every field is known: of a type that says all, or [`Unchecked`].
pub struct Json<T>(pub T);

impl<T: FromBody + Send + 'static> FromRequest<Arc<App>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let body = receive(request, app, Most::of_body(&app.config), Whose::Known).await?;
        parse_by_size(body, app).await.map(Self)
    }
}

/// The same from somebody who is not known yet: little, and from no page of another site.
pub struct SmallJson<T>(pub T);

impl<T: FromBody> FromRequest<Arc<App>> for SmallJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let body = receive_small(request, app, check_type).await?;
        parse(&body.bytes, app).map(Self)
    }
}

async fn receive_small(
    request: Request,
    app: &Arc<App>,
    check_type: fn(&HeaderMap) -> Result<(), ApiError>,
) -> Result<Received, ApiError> {
    let (mut parts, body) = request.into_parts();
    if cookie::is_from_another_page(&parts.method, &parts.headers) {
        let message = "A page of another site may not do this in somebody's browser.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, Code::CsrfRefused, message));
    }
    let Ok(client) = Client::from_request_parts(&mut parts, app).await;
    let most = Most::of_body(&app.config).at_most(SMALL_MAX_KIB);
    let request = Request::from_parts(parts, body);
    receive_typed(request, app, most, Whose::Anybodys(client.address), check_type).await
}

/// The fields of a form from somebody who is not known: little, and from no page of another site.
pub struct SmallForm(pub Vec<(String, String)>);

impl FromRequest<Arc<App>> for SmallForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let body = receive_small(request, app, check_form).await?;
        Ok(Self(form_urlencoded::parse(&body.bytes).into_owned().collect()))
    }
}

/// The same, where an empty body, or null, stands for an empty object.
pub struct OptionalJson<T>(pub T);

impl<T: FromBody + Default + Send + 'static> FromRequest<Arc<App>> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let body = receive(request, app, Most::of_body(&app.config), Whose::Known).await?;
        match json::unmarked(&body.bytes).trim_ascii() {
            b"" | b"null" => Ok(Self(T::default())),
            _ => parse_by_size(body, app).await.map(Self),
        }
    }
}

async fn parse_by_size<T: FromBody + Send + 'static>(body: Received, app: &Arc<App>) -> Result<T, ApiError> {
    let shared = Arc::clone(app);
    by_size(body.bytes.len(), move || parse(&body.bytes, &shared)).await?
}

fn parse<T: FromBody>(body: &[u8], app: &App) -> Result<T, ApiError> {
    let value = json::read_object(body, app.config.event_limits().nesting_levels).map_err(|error| {
        note_refusal(std::slice::from_ref(&error));
        ApiError::fields(vec![error])
    })?;
    T::from_body(value).map_err(ApiError::fields)
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
