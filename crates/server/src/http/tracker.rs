//! The browser script, as `make web` builds it from `web/tracker`.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::auth::Anybody;
use super::dashboard_files::File;
use super::error::{ApiError, Code};

const SCRIPT: &str = "dregs.js";
static TAG: LazyLock<String> = LazyLock::new(|| {
    let script = File::find(SCRIPT).map(File::plain).unwrap_or_default();
    format!("\"{}\"", hex::encode(&Sha256::digest(script)[..8]))
});
/// Browsers ask again after an hour; an update of the server is in all pages by then.
const CACHE: &str = "public, max-age=3600";

/// The script, for any page.
pub async fn script(_: Anybody, headers: HeaderMap) -> Response {
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == TAG.as_bytes());
    let mut answer = match File::find(SCRIPT) {
        _ if is_known => StatusCode::NOT_MODIFIED.into_response(),
        Some(script) => script.answer(&headers),
        None => return ApiError::not_found(Code::NotFound, "path").into_response(),
    };
    let fields = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, CACHE),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::ETAG, TAG.as_str()),
    ];
    for (name, value) in fields {
        // Only a control character could be refused, and none of these has one.
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
