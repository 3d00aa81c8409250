//! Where the answer to a person's consent may be sent: to an https address, or to a program on the person's own machine.

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

/// Whether a client may register this.
pub fn is_allowed(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let is_known_scheme = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let has_more = url.fragment().is_some() || !url.username().is_empty() || url.password().is_some();
    uri.len() <= URI_MAX_BYTES && is_known_scheme && url.has_host() && !has_more
}

/// Whether this is the one that was registered. A program on the person's machine listens at whatever port is free
/// (RFC 8252, 7.3); nothing else may differ.
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
    fn only_https_and_the_own_machine_are_allowed() {
        let allowed = [
            "https://app.example.com/callback",
            "https://app.example.com:8443/callback?of=dregs",
            "http://localhost:3000/callback",
            "http://127.0.0.1/",
            "http://[::1]:9/cb",
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
        ];
        for (registered, asked, expected) in cases {
            assert_eq!(matches(registered, asked), expected, "{registered} {asked}");
        }
    }
}
