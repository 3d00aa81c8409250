//! Connections, and those kept for the next request to the same origin.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Body;
use super::answer::{self, HEAD_MAX_BYTES};
use crate::channels::egress::{Origin, Stream, TrafficBudget};
use crate::channels::outcome::SendError;

/// How long an unused connection is kept. Longer saves little, and balancers commonly end idle
/// connections after a minute.
pub const IDLE_MAX_SECONDS: u64 = 30;
/// How many headers an answer may have; more are refused.
const HEADERS_READ_MAX: usize = 256;
/// How many unused connections to one origin are kept.
pub const IDLE_PER_ORIGIN_MAX: usize = 64;
/// How many unused connections are kept in all: well below the 1,024 descriptors a process has by
/// default.
pub const IDLE_MAX: usize = 512;

/// An open HTTP/1.1 connection.
pub(super) struct Connection {
    sender: SendRequest<Body>,
    remote_address: SocketAddr,
    budget: TrafficBudget,
    driver: Driver,
}

/// Why a connection gave no answer.
pub(super) struct Failed {
    pub(super) error: SendError,
    /// The request, where it cannot have arrived.
    pub(super) unsent: Option<Request<Body>>,
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        Self { error, unsent: None }
    }
}

/// The task that reads and writes. A connection that is given up while in use ends at once,
/// whatever the other side does; an idle one is closed properly.
struct Driver {
    task: AbortHandle,
    is_idle: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.is_idle {
            self.task.abort();
        }
    }
}

impl Connection {
    pub(super) async fn open(stream: Stream) -> Result<Self, SendError> {
        let Stream { io, remote_address, budget } = stream;
        let mut builder = Builder::new();
        builder.max_buf_size(HEAD_MAX_BYTES).max_header_size(HEAD_MAX_BYTES).max_headers(HEADERS_READ_MAX);
        // Whoever answers 200 has taken what was sent, however badly the rest is written: a header over several
        // lines (RFC 9112, section 5.2, which asks for it), a space before the colon, a line that is no header.
        builder
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        let handshake = builder.handshake(TokioIo::new(io)).await;
        let (sender, connection) = handshake.map_err(|error| answer::explain(&error, &budget))?;
        // What goes wrong on the connection is told to the request that is on it.
        let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { sender, remote_address, budget, driver: Driver { task, is_idle: false } })
    }

    pub(super) fn remote_address(&self) -> SocketAddr {
        self.remote_address
    }

    /// Sends a request and waits for the headers of the answer. Of a failure before a byte of the request was
    /// written, the request comes back.
    pub(super) async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Failed> {
        self.budget.renew();
        if let Err(error) = self.sender.ready().await {
            return Err(Failed { error: self.explain(&error), unsent: Some(request) });
        }
        self.sender.try_send_request(request).await.map_err(|mut failed| {
            let unsent = failed.take_message();
            Failed { error: self.explain(failed.error()), unsent }
        })
    }

    pub(super) fn explain(&self, error: &hyper::Error) -> SendError {
        answer::explain(error, &self.budget)
    }
}

/// Unused connections.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    by_origin: HashMap<Arc<Origin>, Vec<Kept>>,
    count: usize,
    swept_at: Option<Instant>,
}

struct Kept {
    connection: Connection,
    since: Instant,
}

impl Kept {
    fn is_usable(&self, now: Instant) -> bool {
        now.duration_since(self.since) < Duration::from_secs(IDLE_MAX_SECONDS)
            && !self.connection.sender.is_closed()
    }
}

impl Pool {
    /// The connection to `origin` that was used last, if one is still good.
    pub(super) fn take(&self, origin: &Origin) -> Option<Connection> {
        let now = Instant::now();
        let mut idle = self.lock();
        let idle = &mut *idle;
        let kept = idle.by_origin.get_mut(origin)?;
        while let Some(candidate) = kept.pop() {
            idle.count -= 1;
            if candidate.is_usable(now) {
                let mut connection = candidate.connection;
                connection.driver.is_idle = false;
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose last answer was read to the end.
    pub(super) fn put(&self, origin: &Arc<Origin>, mut connection: Connection) {
        connection.driver.is_idle = true;
        let now = Instant::now();
        let mut idle = self.lock();
        idle.sweep(now);
        if idle.count >= IDLE_MAX || connection.sender.is_closed() {
            return;
        }
        let kept = idle.by_origin.entry(Arc::clone(origin)).or_default();
        if kept.len() < IDLE_PER_ORIGIN_MAX {
            kept.push(Kept { connection, since: now });
            idle.count += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        // Nothing panics between two states of the map, so a poisoned lock guards a good one.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    /// Lets go of what has become unusable, once in a while.
    fn sweep(&mut self, now: Instant) {
        let is_due = self.swept_at.is_none_or(|at| now.duration_since(at).as_secs() >= IDLE_MAX_SECONDS);
        if !is_due {
            return;
        }
        self.swept_at = Some(now);
        self.by_origin.retain(|_, kept| {
            kept.retain(|kept| kept.is_usable(now));
            !kept.is_empty()
        });
        self.count = self.by_origin.values().map(Vec::len).sum();
    }
}
