//! The browser script, as `make web` builds it from `web/tracker`.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const SCRIPT: &[u8] = include_bytes!("../../../../web/tracker/dist/dregs.js");
/// Browsers ask again after an hour; an update of the server is in all pages by then.
const CACHE: &str = "public, max-age=3600";

/// The script, for any page.
pub async fn script(headers: HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(SCRIPT)[..8]));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut answer = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { SCRIPT.into_response() };
    let fields = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, CACHE),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::ETAG, &tag),
    ];
    for (name, value) in fields {
        // Only a control character could be refused, and none of these has one.
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
