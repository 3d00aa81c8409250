//! The client every channel sends with: one request, one deadline, bounded in all it takes.

mod answer;
mod pool;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request};
use tokio::time::{Instant, timeout_at};

use super::egress::{Dialer, EgressPolicy, Target};
use super::outcome::{ErrorClass, Outcome, Phase, Progress, SendError};
use pool::{Connection, Failed, Pool};

pub use answer::{BODY_KEPT_MAX_BYTES, BODY_READ_MAX_BYTES, HEADERS_KEPT_MAX, HEADERS_KEPT_MAX_BYTES};
pub use pool::{IDLE_MAX, IDLE_MAX_SECONDS, IDLE_PER_ORIGIN_MAX};

type Body = Full<Bytes>;

/// What is said of it.
const BROKEN_WHILE_KEPT: &str =
    "the endpoint closed a connection that had been kept open; another was tried at once";
/// A kept connection that breaks within this time of a request was closed while it was idle, and the endpoint may
/// not even have seen the request: more than the longest way round the earth and back. Later, the endpoint broke down.
const CLOSED_WHILE_IDLE_MAX: Duration = Duration::from_secs(2);

/// What the operator says about the network.
#[derive(Clone, Debug, Default)]
pub struct EgressConfig {
    pub policy: EgressPolicy,
    /// Name servers to ask; the system's where there are none.
    pub name_servers: Vec<SocketAddr>,
    /// Certificate authorities in PEM to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// One POST.
#[derive(Clone, Debug)]
pub struct PostRequest {
    pub target: Target,
    /// All headers but `host` and `content-length`, which the client sets.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The time for everything: name, connection, TLS, headers and body.
    pub deadline: Duration,
    /// Whether no kept connection may be used.
    pub on_new_connection: bool,
}

/// One GET.
#[derive(Clone, Debug)]
pub struct GetRequest {
    pub target: Target,
    /// All headers but `host`.
    pub headers: HeaderMap,
    /// As of a [`PostRequest`].
    pub deadline: Duration,
}

/// Sends requests through the egress guard, keeping connections for the next one. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    dialer: Dialer,
    pool: Pool,
}

impl HttpClient {
    /// Reads the certificate authorities and the name servers. The error is a sentence for the
    /// operator.
    pub fn new(config: EgressConfig) -> Result<Self, String> {
        let dialer = Dialer::new(config.policy, &config.name_servers, config.ca_file.as_deref())?;
        Ok(Self { inner: Arc::new(Inner { dialer, pool: Pool::default() }) })
    }

    /// Sends one request and says what came of it, at the deadline at the latest. No redirect is
    /// followed, nothing is decompressed, and at most [`BODY_READ_MAX_BYTES`] of a body are read:
    /// a longer one counts as complete, and its connection is closed.
    ///
    /// Endpoints end idle connections when they please. Where a kept one is closed before a byte was written, the
    /// request goes out on a new one. Where it may have arrived it is not repeated here, since each request is an
    /// attempt for the log: [`Outcome::again_at_once`] says that the caller should.
    pub async fn post(&self, request: PostRequest) -> Outcome {
        self.send(Method::POST, request, BODY_KEPT_MAX_BYTES).await
    }

    /// Sends one request, under the same bounds, and keeps all that is read of the answer's body. It is for what the
    /// operator names: nothing of it is stored.
    pub async fn fetch(&self, method: Method, request: PostRequest) -> Outcome {
        self.send(method, request, BODY_READ_MAX_BYTES).await
    }

    /// Fetches something, under the same bounds. Of a body the first [`BODY_KEPT_MAX_BYTES`] are kept.
    pub async fn get(&self, request: GetRequest) -> Outcome {
        let GetRequest { target, headers, deadline } = request;
        let body = Bytes::new();
        let request = PostRequest { target, headers, body, deadline, on_new_connection: true };
        self.send(Method::GET, request, BODY_KEPT_MAX_BYTES).await
    }

    async fn send(&self, method: Method, request: PostRequest, kept_max_bytes: usize) -> Outcome {
        let deadline = request.deadline;
        let until = Instant::now() + deadline;
        let mut progress = Progress::new(kept_max_bytes);
        let result = timeout_at(until, self.inner.exchange(method, request, until, &mut progress)).await.ok();
        progress.finish(result, deadline)
    }
}

impl Inner {
    async fn exchange(
        &self,
        method: Method,
        request: PostRequest,
        until: Instant,
        progress: &mut Progress,
    ) -> Result<(), SendError> {
        let begun = Instant::now();
        let PostRequest { target, headers, body, on_new_connection, .. } = request;
        let mut request = http_request(method, &target, headers, body);
        while !on_new_connection && let Some(kept) = self.pool.take(&target.origin) {
            let Err(failed) = self.attempt(kept, request, &target, progress).await else { return Ok(()) };
            let Some(unsent) = failed.unsent else {
                progress.again_at_once = failed.error.class == ErrorClass::ConnectionClosed
                    && progress.response.is_none()
                    && begun.elapsed() < CLOSED_WHILE_IDLE_MAX;
                return Err(match progress.again_at_once {
                    true => SendError::new(failed.error.class, BROKEN_WHILE_KEPT),
                    false => failed.error,
                });
            };
            request = unsent;
        }
        // Rarely needed and large: boxed, so that it does not weigh on every request.
        let stream = Box::pin(self.dialer.dial(&target.origin, until, &mut progress.phase)).await?;
        let new = Connection::open(stream).await?;
        self.attempt(new, request, &target, progress).await.map_err(|failed| failed.error)
    }

    async fn attempt(
        &self,
        mut connection: Connection,
        request: Request<Body>,
        target: &Target,
        progress: &mut Progress,
    ) -> Result<(), Failed> {
        progress.phase = Phase::AwaitingHeaders(connection.remote_address());
        let response = connection.send(request).await?;
        progress.phase = Phase::ReadingBody(connection.remote_address());
        let is_complete =
            answer::read(response, target, progress).await.map_err(|error| connection.explain(&error))?;
        if is_complete {
            self.pool.put(&target.origin, connection);
        }
        Ok(())
    }
}

fn http_request(method: Method, target: &Target, mut headers: HeaderMap, body: Bytes) -> Request<Body> {
    headers.insert(HOST, HeaderValue::clone(&target.host_header));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = target.uri.clone();
    *request.headers_mut() = headers;
    request
}
