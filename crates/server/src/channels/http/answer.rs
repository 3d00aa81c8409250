//! Reading an answer, no matter what it is.

use std::error::Error as _;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::BodyExt as _;
use httpdate::parse_http_date;
use hyper::Response as HttpResponse;
use hyper::body::Incoming;
use hyper::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};

use crate::channels::egress::{Target, TrafficBudget, is_closed};
use crate::channels::outcome::{ErrorClass, Progress, Response, SendError};
use crate::clock::{Clock as _, SystemClock};

/// The most bytes the headers of an answer may have; also the size of the read buffer.
pub(super) const HEAD_MAX_BYTES: usize = 64 * 1024;
/// The most bytes that are read of a body.
pub const BODY_READ_MAX_BYTES: usize = 64 * 1024;
/// What a chunk of a body counts on top of its bytes, so that a body in tiny chunks, each of which
/// takes its own trip through the connection, ends sooner.
const CHUNK_COST_BYTES: usize = 16;
/// The most bytes that are kept of a body.
pub const BODY_KEPT_MAX_BYTES: usize = 16 * 1024;
/// The most headers that are kept.
pub const HEADERS_KEPT_MAX: usize = 64;
/// The most bytes that are kept of all headers together.
pub const HEADERS_KEPT_MAX_BYTES: usize = 8 * 1024;

/// Reads an answer into `progress`, as far as it comes. Says whether it was read to its end, so
/// that the connection can be used again.
pub(super) async fn read(
    response: HttpResponse<Incoming>,
    target: &Target,
    progress: &mut Progress,
) -> Result<bool, hyper::Error> {
    let (head, mut body) = response.into_parts();
    let (headers, is_truncated) = kept_headers(&head.headers);
    progress.location = redirect_host(&head.headers, target);
    progress.retry_after_seconds = retry_after_seconds(&head.headers);
    let kept = progress.response.insert(Response {
        status: head.status.as_u16(),
        headers,
        body: Vec::new(),
        is_truncated,
    });
    let mut bytes_read = 0;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            // Whoever answers 200 has taken what was sent, even where its body has no end that can be found.
            Err(error) if head.status.is_success() && is_misframed(&error) => {
                kept.is_truncated = true;
                return Ok(false);
            }
            frame => frame?,
        };
        let data = frame.data_ref().map_or(&[][..], |data| data);
        bytes_read += data.len() + CHUNK_COST_BYTES;
        let room = progress.body_kept_max_bytes - kept.body.len();
        kept.body.extend_from_slice(&data[..data.len().min(room)]);
        kept.is_truncated |= data.len() > room;
        if bytes_read > BODY_READ_MAX_BYTES {
            kept.is_truncated = true;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a body was not cut off but is written in chunks that are none.
fn is_misframed(error: &hyper::Error) -> bool {
    let kind = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}

/// The headers as text, and whether some had to be left out.
fn kept_headers(headers: &HeaderMap) -> (Vec<(String, String)>, bool) {
    let mut kept = Vec::with_capacity(headers.len().min(HEADERS_KEPT_MAX));
    let mut room = HEADERS_KEPT_MAX_BYTES;
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let bytes = name.as_str().len() + value.len();
        if kept.len() == HEADERS_KEPT_MAX || bytes > room {
            return (kept, true);
        }
        room -= bytes;
        kept.push((name.as_str().to_owned(), value.into_owned()));
    }
    (kept, false)
}

/// The host a `Location` points to. Only the host: the rest of it may hold secrets, and is in the
/// headers that are kept.
fn redirect_host(headers: &HeaderMap, target: &Target) -> Option<String> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    Some(target.url().join(location).ok()?.host_str()?.to_owned())
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3): a number, or a date, which is held against the endpoint's own
/// clock, its `Date`, or against ours where it has none. One that has passed asks for nothing.
fn retry_after_seconds(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let seconds = |date: SystemTime| Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs());
    let until = seconds(parse_http_date(value).ok()?)?;
    let stated = headers.get(DATE).and_then(|date| parse_http_date(date.to_str().ok()?).ok());
    let now =
        stated.and_then(seconds).or_else(|| u64::try_from(SystemClock.now().as_millis() / 1_000).ok())?;
    until.checked_sub(now)
}

/// What went wrong on a connection, for a person.
pub(super) fn explain(error: &hyper::Error, budget: &TrafficBudget) -> SendError {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_cut_off = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    let (class, message) = if budget.is_spent() {
        (ErrorClass::Protocol, "the endpoint sends an answer without end".to_owned())
    } else if error.is_parse_too_large() {
        (
            ErrorClass::Protocol,
            format!("the response headers are too many or larger than {} KiB", HEAD_MAX_BYTES / 1024),
        )
    } else if error.is_parse() {
        (ErrorClass::Protocol, format!("the answer is not HTTP/1.1: {error}"))
    } else if is_cut_off || cause.is_some_and(is_closed) {
        (
            ErrorClass::ConnectionClosed,
            "the endpoint closed the connection before its answer was complete".to_owned(),
        )
    } else {
        let detail = cause.map_or_else(|| error.to_string(), ToString::to_string);
        (ErrorClass::Protocol, format!("the answer could not be read: {detail}"))
    };
    SendError { class, message }
}
