//! Where a request goes: a URL, read once.

use std::fmt;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use url::{Host, ParseError, Position, Url};

/// The longest URL of a channel.
pub const URL_MAX_BYTES: usize = 2_048;

/// What is as long as this, and has a digit, is no word in a path.
const KEY_MIN_CHARS: usize = 16;

/// Why a text is not a URL to send to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("is longer than {URL_MAX_BYTES} bytes")]
    TooLong,
    #[error("must be a whole URL, such as https://example.com/webhooks")]
    Relative,
    #[error("is not a URL: {0}")]
    Malformed(String),
    #[error("must start with http:// or https://, not {0}:")]
    Scheme(String),
    #[error("must not hold a user name or password; use a header for those")]
    Userinfo,
    #[error("names no port to connect to")]
    Port,
}

/// Scheme, host and port: what a connection is opened to and may be used again for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub(in crate::channels) is_tls: bool,
    pub(in crate::channels) host: Host<String>,
    pub(in crate::channels) port: u16,
}

impl Origin {
    /// The host as it is written in a URL, without brackets: a name in lower case, or an address.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }
}

/// A URL in the parts that sending needs. Odd spellings of an address (`0x7f.1`, `2130706433`)
/// are already normal ones here.
#[derive(Clone)]
pub struct Target {
    pub(in crate::channels) origin: Arc<Origin>,
    /// Path and query, as the request line has them.
    pub(in crate::channels) uri: Uri,
    pub(in crate::channels) host_header: HeaderValue,
    url: Url,
}

impl Target {
    /// Reads a URL with scheme http or https. Where it leads is not checked here: see
    /// [`super::EgressPolicy::check`]. The error completes a sentence that starts with "the URL".
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > URL_MAX_BYTES {
            return Err(UrlError::TooLong);
        }
        let malformed = |error: &dyn fmt::Display| UrlError::Malformed(error.to_string());
        let url = Url::parse(text).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase => UrlError::Relative,
            error => malformed(&error),
        })?;
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            // Of `localhost:4000/x` the host is read as a scheme.
            _ if url.path().starts_with(|c: char| c.is_ascii_digit()) => return Err(UrlError::Relative),
            other => return Err(UrlError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Userinfo);
        }
        let host = url.host().map(|host| host.to_owned()).ok_or_else(|| malformed(&"it names no host"))?;
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(UrlError::Port)?;
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        Ok(Self {
            origin: Arc::new(Origin { is_tls, host, port }),
            uri: path.parse().map_err(|error| malformed(&error))?,
            host_header: authority.parse().map_err(|error| malformed(&error))?,
            url,
        })
    }

    /// Where a connection for this target goes.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Scheme, host and port, as a URL begins: nothing that could be a credential.
    pub fn shown_origin(&self) -> String {
        self.url[..Position::BeforePath].to_owned()
    }

    /// Where it leads and the first segment of its path; what comes after that is what lets others post at Discord, Teams
    /// and their like, and gives way to `mask`. So does a first segment that looks like a key itself.
    pub fn masked_path(&self, mask: &str) -> String {
        let path = self.uri.path().strip_prefix('/').unwrap_or_default();
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let is_key = first.len() >= KEY_MIN_CHARS && first.bytes().any(|byte| byte.is_ascii_digit());
        let mut shown = format!("{}/{}", self.shown_origin(), if is_key { mask } else { first });
        match rest {
            Some("") => shown.push('/'),
            Some(_) if !is_key => shown.extend(["/", mask]),
            _ => {}
        }
        if self.uri.query().is_some() || self.url.fragment().is_some() {
            shown.extend(["?", mask]);
        }
        shown
    }

    /// The URL, normalised.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// The URL without its path and query, which may hold a secret.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", &self.url[..Position::BeforePath])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, &str, &str), UrlError>) {
        let found = Target::parse(text).map(|target| {
            let origin = target.origin();
            let scheme = if origin.is_tls { "https" } else { "http" };
            let origin = format!("{scheme} {} {}", origin.host(), origin.port);
            (origin, target.uri.to_string(), format!("{:?}", target.host_header))
        });
        let expected = expected.map(|(origin, path, host)| (origin.into(), path.into(), format!("{host:?}")));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_url_is_read_into_what_sending_needs() {
        check("https://hooks.example.com", Ok(("https hooks.example.com 443", "/", "hooks.example.com")));
        check(
            "HTTP://Hooks.Example.com:80/a%20b?c=d#e",
            Ok(("http hooks.example.com 80", "/a%20b?c=d", "hooks.example.com")),
        );
        check("https://h.test:8443/a|b", Ok(("https h.test 8443", "/a|b", "h.test:8443")));
        check("http://[2001:DB8::0:1]:81/", Ok(("http 2001:db8::1 81", "/", "[2001:db8::1]:81")));
        check(
            "https://bücher.example/ü",
            Ok(("https xn--bcher-kva.example 443", "/%C3%BC", "xn--bcher-kva.example")),
        );
    }

    #[test]
    fn odd_spellings_of_an_address_are_that_address() {
        let odd = [
            "2130706433",
            "0x7f000001",
            "017700000001",
            "127.1",
            "0x7f.0.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "①②⑦.⓪.⓪.①",
        ];
        for host in odd {
            check(&format!("http://{host}/"), Ok(("http 127.0.0.1 80", "/", "127.0.0.1")));
        }
        check("http://[::ffff:127.0.0.1]/", Ok(("http ::ffff:127.0.0.1 80", "/", "[::ffff:7f00:1]")));
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused_with_the_reason() {
        let malformed = |text: &str| Err(UrlError::Malformed(text.to_owned()));
        check("ftp://h.test/", Err(UrlError::Scheme("ftp".to_owned())));
        check("file:///etc/passwd", Err(UrlError::Scheme("file".to_owned())));
        check("javascript:alert(1)", Err(UrlError::Scheme("javascript".to_owned())));
        check("https://user@h.test/", Err(UrlError::Userinfo));
        check("https://:pass@h.test/", Err(UrlError::Userinfo));
        check("http://h.test:0/", Err(UrlError::Port));
        check(&format!("http://h.test/{}", "a".repeat(URL_MAX_BYTES)), Err(UrlError::TooLong));
        check("hooks.example.com", Err(UrlError::Relative));
        check("http://", malformed("empty host"));
        check("http://256.256.256.256/", malformed("invalid IPv4 address"));
        check("http://a b/", malformed("invalid international domain name"));
        check("http://h.test:65536/", malformed("invalid port number"));
    }

    #[test]
    fn debug_output_hides_the_path() {
        let target = Target::parse("https://h.test/services/T0/secret?key=1");
        assert_eq!(format!("{target:?}"), "Ok(Target(https://h.test))");
    }
}
