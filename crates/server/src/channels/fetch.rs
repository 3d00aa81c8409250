//! What the server asks of a host that a setting names, such as the OpenID provider: through the egress guard as well, since
//! what such a host names in its answers is asked too.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::http::{Request, Response, StatusCode};
use url::Url;

use super::egress::{EgressPolicy, Target};
use super::http::{BODY_READ_MAX_BYTES, EgressConfig, HttpClient, PostRequest};

/// For all of one request.
pub const FETCH_MAX_SECONDS: u64 = 10;
/// Of an answer.
pub const ANSWER_MAX_KIB: usize = BODY_READ_MAX_BYTES / 1024;
const USER_AGENT_VALUE: &str = concat!("Dregs/", env!("CARGO_PKG_VERSION"));

/// Asks one host, and those that it names.
pub struct Fetcher {
    http: HttpClient,
    is_https: bool,
}

/// Why there is no answer: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(String);

impl Fetcher {
    /// Asks `host`, wherever it is: whoever names it in a setting wants it asked. What it names in its answers is held
    /// against the policy, and asked by TLS alone if `host` is. The error is a sentence for the operator.
    ///
    /// # Errors
    /// When the certificate authorities or the name servers cannot be read.
    pub fn new(host: &Url, config: EgressConfig) -> Result<Self, String> {
        let policy: EgressPolicy = config.policy.and_host_of(host);
        let http = HttpClient::new(EgressConfig { policy, ..config })?;
        Ok(Self { http, is_https: host.scheme() == "https" })
    }

    /// The answer to a request, be it an error's.
    ///
    /// # Errors
    /// When there is none, it is too long, or may not be asked for.
    pub async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let (head, body) = request.into_parts();
        let url = head.uri.to_string();
        let failed = |error: String| FetchError(format!("{}: {error}", origin(&url)));
        let target = Target::parse(&url).map_err(|error| failed(format!("the URL {error}")))?;
        if self.is_https && target.url().scheme() != "https" {
            return Err(failed("it is not asked without TLS".to_owned()));
        }
        let mut headers = head.headers;
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        let deadline = Duration::from_secs(FETCH_MAX_SECONDS);
        let request =
            PostRequest { target, headers, body: Bytes::from(body), deadline, on_new_connection: true };
        let outcome = self.http.fetch(head.method, request).await;
        let Some(answer) = outcome.response else {
            let reason = outcome.error.map_or_else(|| "it did not answer".to_owned(), |error| error.message);
            return Err(failed(reason));
        };
        if answer.body.len() >= BODY_READ_MAX_BYTES || (answer.is_truncated && outcome.error.is_none()) {
            return Err(failed(format!("its answer has more than {ANSWER_MAX_KIB} KiB")));
        }
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut response = Response::new(answer.body);
        *response.status_mut() = status;
        let typed = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
        if let Some((_, value)) = typed
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        Ok(response)
    }
}

/// Where a URL leads: nothing of it that could be a secret.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "a URL that is none".to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_https_host_leads_to_no_other_without_tls_and_to_no_private_one() {
        let fetcher = |host: &str| Fetcher::new(&Url::parse(host).unwrap(), EgressConfig::default()).unwrap();
        let refusal = async |host: &str, url: &str| {
            let request = Request::get(url).body(Vec::new()).unwrap();
            fetcher(host).fetch(request).await.map(|_| ()).unwrap_err().to_string()
        };
        let host = "https://login.example.com/realms/a";
        assert_eq!(
            refusal(host, "http://login.example.com/token?secret=1").await,
            "http://login.example.com: it is not asked without TLS"
        );
        let private = refusal(host, "https://127.0.0.1:1/token").await;
        assert!(private.contains("127.0.0.1 is a loopback address"), "{private}");
        let own = refusal("http://127.0.0.1:1", "http://127.0.0.1:1/token").await;
        assert!(own.contains("refused the connection"), "{own}");
    }
}
