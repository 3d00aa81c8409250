//! The dashboard as `make web` builds it from `web/dashboard`: its files, and its one page for every path that it has.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::{ApiError, Code};

#[derive(RustEmbed)]
#[folder = "../../web/dashboard/dist"]
struct Files;

const PAGE: &str = "index.html";
/// What stands in the page for a value that is another one at each answer, by which its policy knows its styles.
const NONCE: &str = "CSP_NONCE";
const NONCE_BYTES: usize = 16;
/// Names of files contain a hash of what is in them, so they never change.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Files that keep their name, such as the icon.
const AN_HOUR: &str = "public, max-age=3600";
/// The folder of the files with a hash in their name.
const HASHED: &str = "assets/";

/// What there is, for who asks with something that is no browser.
const SIGNPOST: &str = concat!(
    "dregs ",
    env!("CARGO_PKG_VERSION"),
    "\n\n/           the dashboard, in a browser\n/api/docs   the API\n/dregs.js   the script for your pages\n\
     /readyz     whether the server is ready\n"
);

/// Answers what no route does: a file of the dashboard, its page to browsers, or that there is nothing.
pub async fn answer(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read
        && path != PAGE
        && let Some(found) = Files::get(path)
    {
        return file(path, found);
    }
    let is_page = is_read && !path.starts_with("api/") && wants_page(request.headers());
    match Files::get(PAGE).filter(|_| is_page) {
        Some(found) => page(&String::from_utf8_lossy(&found.data)),
        None if is_read && path.is_empty() => SIGNPOST.into_response(),
        None => ApiError::not_found(Code::NotFound, "path").into_response(),
    }
}

/// Whether a browser is to show the answer to somebody.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn file(path: &str, found: EmbeddedFile) -> Response {
    let cache = if path.starts_with(HASHED) { FOREVER } else { AN_HOUR };
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, found.data.into_owned()).into_response()
}

/// Of the kinds of files that the build makes.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn page(html: &str) -> Response {
    let nonce = STANDARD.encode(rand::random::<[u8; NONCE_BYTES]>());
    let mut answer = Html(html.replace(NONCE, &nonce)).into_response();
    let fields = [
        (header::CONTENT_SECURITY_POLICY, policy(&nonce)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "same-origin".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin".to_owned()),
    ];
    for (name, value) in fields {
        // Only a control character could be refused, and none of these has one.
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// Scripts and data of this server and of no other, no script in the page itself, and no frame around it.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}
