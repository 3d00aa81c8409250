//! Where the answer to a person's consent may be sent: to an https address, to a program that listens on the person's own
//! machine, or to an app there that opens links of a scheme of its own.

use url::{Host, Url};

const URI_MAX_BYTES: usize = 2_000;

/// Whether a host is the machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The scheme of an app's own, such as `com.example.app` of `com.example.app:/callback` (RFC 8252, 7.1): a domain in
/// reverse, which nobody has for other things as they have `javascript` and `file`, and a single slash after it. Any app
/// may claim any; whoever takes an answer that is not its own lacks the verifier of PKCE.
pub fn app_scheme(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_path = rest.starts_with('/') && !rest.starts_with("//");
    let is_text = rest.bytes().all(|byte| byte.is_ascii_graphic());
    let is_label = |label: &str| {
        let is_ends = !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
        is_ends && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let (top, names) = scheme.split_once('.')?;
    let is_top = top.len() > 1 && top.starts_with(|first: char| first.is_ascii_alphabetic()) && is_label(top);
    (is_path && is_text && is_top && names.split('.').all(is_label)).then_some(scheme)
}

/// Whether a client may register this.
pub fn is_allowed(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    if app_scheme(uri).is_some() {
        return uri.len() <= URI_MAX_BYTES && url.fragment().is_none();
    }
    let is_known_scheme = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let has_more = url.fragment().is_some() || !url.username().is_empty() || url.password().is_some();
    uri.len() <= URI_MAX_BYTES && is_known_scheme && url.has_host() && !has_more
}

/// Whether this is the one that was registered. A program on the person's machine listens at whatever port is free
/// (RFC 8252, 7.3); nothing else may differ, and of an app's own scheme nothing at all.
pub fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let are_local = [&registered, &asked].iter().all(|url| url.scheme() == "http" && is_loopback(url));
    // A URL with a host can have a port or none.
    are_local && registered.set_port(None).is_ok() && asked.set_port(None).is_ok() && registered == asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_the_own_machine_and_apps_are_allowed() {
        let allowed = [
            "https://app.example.com/callback",
            "https://app.example.com:8443/callback?of=dregs",
            "http://localhost:3000/callback",
            "http://127.0.0.1/",
            "http://[::1]:9/cb",
            "com.example.app:/callback",
            "com.example.app:/",
            "com.example.app:/oauth2/callback?of=dregs",
            "io.my-company.app2:/cb",
            "xn--p1ai.example:/cb",
        ];
        let refused = [
            "http://app.example.com/callback",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "https://user:secret@example.com/",
            "https://app.example.com/callback#fragment",
            "javascript:alert(1)",
            "data:text/html,x",
            "cursor://callback",
            // No domain in reverse.
            "cursor:/callback",
            "javascript:/alert(1)",
            "data:/text/html,x",
            "file:/etc/passwd",
            "vbscript:/x",
            "blob:/x",
            "about:/blank",
            "intent:/x",
            "mailto:/x",
            "ftp:/example.com/",
            "c.example:/cb",
            "com.:/cb",
            ".example:/cb",
            "com..example:/cb",
            "com.-example:/cb",
            "com.exa+mple:/cb",
            "com.exa_mple:/cb",
            // None of an app's own: it has an authority, or no path.
            "com.example.app://callback",
            "com.example.app:///callback",
            "com.example.app:callback",
            "com.example.app:",
            "com.example.app:/callback#fragment",
            "com.example.app:/call back",
            "com.example.app:/call\nback",
            "com.example.app:/\u{202e}",
            " com.example.app:/callback",
            "com.exa\nmple.app:/callback",
            "//example.com/",
            "/callback",
            "",
        ];
        for uri in allowed {
            assert!(is_allowed(uri), "{uri}");
        }
        for uri in refused {
            assert!(!is_allowed(uri), "{uri}");
        }
        assert!(!is_allowed(&format!("https://example.com/{}", "a".repeat(URI_MAX_BYTES))));
    }

    #[test]
    fn what_is_asked_for_was_registered_but_for_a_local_port() {
        let cases = [
            ("https://a.example/cb", "https://a.example/cb", true),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example:8443/cb", false),
            ("https://a.example/cb", "https://a.example/cb?x=1", false),
            ("https://a.example/cb", "https://b.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:50000/cb", true),
            ("http://localhost:1/cb", "http://localhost:2/cb", true),
            ("http://[::1]:1/cb", "http://[::1]:2/cb", true),
            ("http://localhost:1/cb", "http://127.0.0.1:1/cb", false),
            ("http://localhost:1/cb", "http://localhost:1/other", false),
            ("http://localhost:1/cb", "https://localhost:2/cb", false),
            ("http://localhost:1/cb", "http://localhost:1@evil.example/cb", false),
            ("com.example.app:/cb", "com.example.app:/cb", true),
            ("com.example.app:/cb", "com.example.app:/cb?x=1", false),
            ("com.example.app:/cb", "com.example.app:/CB", false),
            ("com.example.app:/cb", "com.example.app://cb", false),
            ("com.example.app:/cb", "com.example.other:/cb", false),
        ];
        for (registered, asked, expected) in cases {
            assert_eq!(matches(registered, asked), expected, "{registered} {asked}");
        }
    }
}
