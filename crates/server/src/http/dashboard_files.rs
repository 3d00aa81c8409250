//! The dashboard as `make web` builds it from `web/dashboard`: its files, and its one page for every path that it has.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::auth::Anybody;
use super::compressed::Compressed;
use super::error::{ApiError, Code};

/// A file that browsers load; `build.rs` writes the table of them.
pub struct File {
    path: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

/// In order of their paths.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

impl File {
    /// The file at this path, without a leading slash.
    pub fn find(path: &str) -> Option<&'static Self> {
        FILES.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|index| FILES.get(index))
    }

    pub const fn plain(&self) -> &'static [u8] {
        self.plain
    }

    /// The file, in the smallest form that the caller takes.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let forms = Compressed {
            plain: Bytes::from_static(self.plain),
            gzip: self.gzip.map(Bytes::from_static),
            brotli: self.brotli.map(Bytes::from_static),
        };
        forms.answer(headers)
    }
}

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
    "\n\n/           the dashboard, in a browser\n/manual     how it all works\n/api/docs   the API\n/dregs.js   the script for your pages\n\
     /readyz     whether the server is ready\n"
);

/// Answers what no route does: a file of the dashboard, its page to browsers, or that there is nothing.
pub async fn answer(_: Anybody, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read
        && path != PAGE
        && let Some(found) = File::find(path)
    {
        return file(found, request.headers());
    }
    if let Some(meant) = meant(path).filter(|_| is_read) {
        return Redirect::temporary(&meant).into_response();
    }
    let is_page = is_read && !path.starts_with("api/") && wants_page(request.headers());
    match File::find(PAGE).filter(|_| is_page) {
        Some(found) => page(&String::from_utf8_lossy(found.plain)),
        None if is_read && path.is_empty() => SIGNPOST.into_response(),
        None => {
            let message =
                "There is no such path; /api/docs lists those of the API, and /manual explains them.";
            ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, message).into_response()
        }
    }
}

/// Where somebody wants to go who writes this path by hand.
fn meant(path: &str) -> Option<String> {
    let bare = path.trim_matches('/');
    match bare {
        "api" | "docs" | "swagger" | "redoc" => Some("/api/docs".to_owned()),
        "openapi.json" => Some("/api/openapi.json".to_owned()),
        // Of the server's own, no path ends with a slash.
        _ if path.ends_with('/')
            && (bare == "manual" || bare.starts_with("manual/") || bare.starts_with("api/")) =>
        {
            Some(format!("/{bare}"))
        }
        _ => None,
    }
}

/// Whether a browser is to show the answer to somebody.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn file(found: &File, headers: &HeaderMap) -> Response {
    let cache = if found.path.starts_with(HASHED) { FOREVER } else { AN_HOUR };
    let fields = [
        (header::CONTENT_TYPE, content_type(found.path)),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (fields, found.answer(headers)).into_response()
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
