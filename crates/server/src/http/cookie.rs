//! The session of a browser: a cookie that scripts cannot read and other sites cannot use.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

/// What the cookie of a session is called.
pub const NAME: &str = "dregs_session";
/// By which a browser is recognized in which somebody has signed in before.
const BROWSER: &str = "dregs_browser";

/// The session token in the cookies of a request.
pub fn session(headers: &HeaderMap) -> Option<&str> {
    value(headers, NAME)
}

/// What the browser was given at an earlier sign-in.
pub fn browser(headers: &HeaderMap) -> Option<&str> {
    value(headers, BROWSER)
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(found, _)| *found == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// The cookie that keeps a session token for `seconds`; an empty token takes it away.
pub fn set(token: &str, seconds: i64, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}").parse().ok()
}

/// The cookie by which a browser is recognized at the next sign-in, for `seconds`.
pub fn set_browser(token: &str, seconds: i64, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{BROWSER}={token}; Path=/api/auth; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
        .parse()
        .ok()
}

/// Whether a request with a cookie may do what it asks for: reading, or what a page of this server
/// wants. Browsers say which page it is, in `Sec-Fetch-Site` or, older ones, in `Origin`.
pub fn is_from_own_page(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| Url::parse(origin).ok());
    let host = origin.as_ref().and_then(|origin| {
        let host = origin.host_str()?;
        Some(origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    });
    host.is_some() && host.as_deref() == text(header::HOST)
}

/// Whether a browser says that a page of another site asks for a change.
pub fn is_from_another_page(method: &Method, headers: &HeaderMap) -> bool {
    let is_of_browser = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    is_of_browser && !is_from_own_page(method, headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
    }

    #[test]
    fn finds_the_session_among_other_cookies() {
        let cases = [
            ("dregs_session=st_1", Some("st_1")),
            ("theme=dark; dregs_session=st_1; a=b", Some("st_1")),
            ("dregs_session=", None),
            ("other_dregs_session=st_1", None),
        ];
        for (line, expected) in cases {
            assert_eq!(session(&headers(&[("cookie", line)])), expected, "{line}");
        }
    }

    #[test]
    fn only_pages_of_this_server_may_change_anything() {
        let cases: [(&[(&str, &str)], bool); 8] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://h:8080"), ("host", "h:8080")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://h:8080"), ("host", "h:8080")], true),
            (&[("origin", "https://h"), ("host", "h")], true),
            (&[("origin", "null"), ("host", "h")], false),
            (&[("host", "h")], false),
        ];
        for (pairs, expected) in cases {
            assert_eq!(is_from_own_page(&Method::POST, &headers(pairs)), expected, "{pairs:?}");
            assert!(is_from_own_page(&Method::GET, &headers(pairs)), "{pairs:?}");
        }
    }
}
