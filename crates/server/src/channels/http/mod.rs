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
use pool::{Connection, Pool};

pub use answer::{BODY_KEPT_MAX_BYTES, BODY_READ_MAX_BYTES, HEADERS_KEPT_MAX, HEADERS_KEPT_MAX_BYTES};
pub use pool::{IDLE_MAX, IDLE_MAX_SECONDS, IDLE_PER_ORIGIN_MAX};

type Body = Full<Bytes>;

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
    /// On a kept connection that turns out to be closed the request is sent once more on a new
    /// one: endpoints end idle connections when they please, and what is sent carries an id, so
    /// that a repeat is harmless.
    pub async fn post(&self, request: PostRequest) -> Outcome {
        let deadline = request.deadline;
        let until = Instant::now() + deadline;
        let mut progress = Progress::default();
        let result = timeout_at(until, self.inner.exchange(request, until, &mut progress)).await.ok();
        progress.finish(result, deadline)
    }
}

impl Inner {
    async fn exchange(
        &self,
        request: PostRequest,
        until: Instant,
        progress: &mut Progress,
    ) -> Result<(), SendError> {
        let PostRequest { target, headers, body, .. } = request;
        let request = http_request(&target, headers, body);
        if let Some(kept) = self.pool.take(&target.origin) {
            match self.attempt(kept, request.clone(), &target, progress).await {
                Err(error) if error.class == ErrorClass::ConnectionClosed && progress.response.is_none() => {}
                result => return result,
            }
        }
        // Rarely needed and large: boxed, so that it does not weigh on every request.
        let stream = Box::pin(self.dialer.dial(&target.origin, until, &mut progress.phase)).await?;
        let new = Connection::open(stream).await?;
        self.attempt(new, request, &target, progress).await
    }

    async fn attempt(
        &self,
        mut connection: Connection,
        request: Request<Body>,
        target: &Target,
        progress: &mut Progress,
    ) -> Result<(), SendError> {
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

fn http_request(target: &Target, mut headers: HeaderMap, body: Bytes) -> Request<Body> {
    headers.insert(HOST, HeaderValue::clone(&target.host_header));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.uri.clone();
    *request.headers_mut() = headers;
    request
}
