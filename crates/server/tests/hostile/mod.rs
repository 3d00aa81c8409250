//! Endpoints and networks that hang, err, redirect, flood and lie. Each request ends by its
//! deadline, takes little, and says what happened in words.

mod answers;
mod connections;
mod names;
mod signatures;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use dregs_server::channels::egress::EgressPolicy;
use dregs_server::channels::http::{EgressConfig, HttpClient};
use dregs_server::channels::outcome::{ErrorClass, Outcome, Response};
use tokio::time::Instant;

use crate::support::receiver::{Receiver, post_to};

const DEADLINE: Duration = Duration::from_millis(400);
/// What an attempt may take beyond its deadline.
const GRACE: Duration = Duration::from_millis(250);
/// What an answer may cost.
const ANSWER_COST_MAX_BYTES: u64 = 1024 * 1024;

/// A client that may go where `allow` says, with its own name server and authority if need be.
fn client(allow: &str, name_server: Option<SocketAddr>, ca_file: Option<PathBuf>) -> HttpClient {
    let policy = EgressPolicy::parse(allow).unwrap();
    let config = EgressConfig { policy, name_servers: name_server.into_iter().collect(), ca_file };
    HttpClient::new(config).unwrap()
}

/// A client that may reach the receivers of the tests.
fn local_client() -> HttpClient {
    client("127.0.0.0/8", None, None)
}

/// Sends one request and holds it to its deadline.
async fn send(client: &HttpClient, url: &str) -> Outcome {
    let started_at = Instant::now();
    let outcome = client.post(post_to(url, DEADLINE)).await;
    let elapsed = started_at.elapsed();
    assert!(elapsed <= DEADLINE + GRACE, "took {elapsed:?}");
    outcome
}

/// Sends one request to a receiver and expects it to fail in this way, cheaply.
async fn check(receiver: &Receiver, class: ErrorClass, message: &str) -> Outcome {
    let outcome = send(&local_client(), &receiver.url()).await;
    assert_failed(&outcome, Some(receiver.address), class, message);
    assert_cheap(receiver);
    outcome
}

fn assert_failed(outcome: &Outcome, remote_address: Option<SocketAddr>, class: ErrorClass, message: &str) {
    let error = outcome.error.as_ref().unwrap();
    assert_eq!((error.class, error.message.as_str()), (class, message));
    assert_eq!(outcome.remote_address, remote_address, "{message}");
}

fn assert_cheap(receiver: &Receiver) {
    let sent = receiver.bytes_sent();
    assert!(sent <= ANSWER_COST_MAX_BYTES, "the other side took {sent} bytes");
}

fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, body: body.to_vec(), is_truncated: false }
}
