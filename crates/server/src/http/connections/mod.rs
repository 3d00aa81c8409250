//! Connections: how many there may be, whose they are, and how long one may keep the server waiting.
//!
//! Each has a file descriptor, of which a process has few. So they are bounded in all and by address, and one that
//! waits for its client has a deadline. Where there is no place left, the one that has waited longest gives way:
//! whoever comes with a request is served, however many others only stay.

mod files;
mod io;
mod line;
mod lines;
mod polls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tower_service::Service;

use crate::app::App;
use crate::limit::{self, Limit};
use crate::shutdown::Shutdown;
use io::{Arriving, Leaving, Watched};
use line::Line;
use lines::{Lines, Place};

pub use files::raise_limit;
pub use io::{BODY_MAX_SECONDS, BODY_MIN_KIB_PER_SECOND, TimedOut};
pub use line::{HEAD_MAX_SECONDS, IDLE_MAX_SECONDS, UNREAD_MAX_SECONDS};
pub use lines::{ADDRESS_PART, CONNECTIONS_MAX};
pub use polls::{Timed, longest as longest_poll};

/// The most that is buffered of a connection at once, and so the longest head of a request: longer than any that
/// browsers send, and little enough for thousands of connections.
pub const HEAD_MAX_KIB: usize = 64;
/// The headers that a request may have, as the library has it.
pub const HEAD_MAX_HEADERS: usize = 100;
/// Between two looks at who has waited too long.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After the operating system refused a connection, which it does until one is closed.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Connections that have given way and are not closed yet; at more of them, others wait to be accepted. Fewer than the
/// descriptors that are kept free for everything else.
const CLOSING_MAX: usize = 32;
/// Between two lines of the log that say the same.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// How long a request that has begun to arrive has for the rest of it when the server stops.
const HALF_SENT_GRACE: Duration = Duration::from_secs(1);

/// Answers on every connection until shutdown begins, and then until what is under way is answered. Requests that
/// have not arrived by a second after are not waited for.
pub async fn serve(app: &App, router: Router, listener: TcpListener, mut shutdown: Shutdown) {
    let places = files::places();
    let lines = Arc::new(Lines::new(places, app.config.trusted_proxies.clone()));
    let mut tasks = JoinSet::new();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut troubles = Troubles::default();
    loop {
        tokio::select! {
            () = shutdown.begun() => break,
            accepted = listener.accept(), if tasks.len() < places + CLOSING_MAX => match accepted {
                Ok((stream, peer)) => {
                    if let Some(place) = lines.admit(peer.ip(), Instant::now()) {
                        tasks.spawn(Timed::new(attend(stream, peer, place, router.clone(), shutdown.clone())));
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    metrics::counter!("dregs_http_accept_errors_total").increment(1);
                    troubles.tell(&error.to_string());
                    lines.make_room(Instant::now());
                    sleep(ACCEPT_AGAIN_AFTER).await;
                }
            },
            Some(_) = tasks.join_next() => {}
            _ = look.tick() => lines.end_overdue(Instant::now()),
        }
    }
    drop(listener);
    let mut half_sent = std::pin::pin!(sleep(HALF_SENT_GRACE));
    let mut is_waited_for = true;
    while !tasks.is_empty() {
        tokio::select! {
            _ = tasks.join_next() => {}
            () = half_sent.as_mut(), if is_waited_for => {
                is_waited_for = false;
                lines.end_waiting();
            }
        }
    }
}

/// Serves one connection until it ends, from either side.
async fn attend(stream: TcpStream, peer: SocketAddr, place: Place, router: Router, mut shutdown: Shutdown) {
    // Answers are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let line = Arc::clone(&place);
    let watched = TokioIo::new(Watched::new(stream, Arc::clone(&line)));
    let service = service_fn(move |request| answer(request, peer, Arc::clone(&line), router.clone()));
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_buf_size(HEAD_MAX_KIB * 1024);
    let mut connection = std::pin::pin!(builder.serve_connection(watched, service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                // What else went wrong on a connection is its client's.
                if ended.is_err_and(|error| error.is_parse_too_large()) {
                    limit::reached(Limit::HeadSize);
                }
                return;
            }
            () = place.end_called() => return,
            () = shutdown.begun(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    line: Arc<Line>,
    mut router: Router,
) -> Result<hyper::Response<Leaving>, std::convert::Infallible> {
    if line.take_request(Instant::now()).is_pipelined() {
        // Others have their turn before the next of many that were sent at once.
        tokio::task::yield_now().await;
    }
    let arriving = Arc::clone(&line);
    let mut request: Request = request.map(|body| axum::body::Body::new(Arriving::new(body, arriving)));
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.call(request).await?;
    Ok(response.map(|body| Leaving::new(body, line)))
}

/// Whether only the connection that was to be accepted failed.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Connections that could not be taken, of which the log has a line now and then.
#[derive(Default)]
struct Troubles {
    told_at: Option<Instant>,
    untold: u64,
}

impl Troubles {
    fn tell(&mut self, reason: &str) {
        self.untold += 1;
        if self.told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            tracing::error!(%reason, times = self.untold, "connections cannot be accepted");
            (self.told_at, self.untold) = (Some(Instant::now()), 0);
        }
    }
}
