//! Three endpoints of the kinds there are.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use dregs_core::notify::signature::header;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;

use super::super::Failure;
use super::super::api::Api;
use super::super::output::note;
use super::super::receiver::{Content, Delivered, receive};
use crate::clock::{Clock as _, SystemClock};

/// The flaky receiver fails the first attempt of one event in so many.
const FLAKY_FAILS_ONE_IN: usize = 12;
/// How long the slow receiver takes.
pub const SLOW_SECONDS: u64 = 3;
/// Events the flaky receiver remembers having refused; more are forgotten.
const REFUSED_MAX: usize = 10_000;

/// What a receiver is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Healthy,
    Flaky,
    Slow,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Flaky, Self::Slow];

    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Flaky => "flaky",
            Self::Slow => "slow",
        }
    }
}

/// A webhook has arrived.
pub struct Arrival {
    pub kind: Kind,
    pub content: Content,
    /// Whether its signatures are genuine; if not, why not.
    pub checked: Result<(), String>,
    /// Whether this is another attempt of what the receiver refused before.
    pub is_retry: bool,
    pub answer: StatusCode,
}

/// Starts a receiver and makes the server's channel to it.
pub async fn start(kind: Kind, api: &Api, news: UnboundedSender<Arrival>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("a receiver cannot start: {error}"));
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(failed)?;
    let url = format!("http://{}/", listener.local_addr().map_err(failed)?);
    let secret = make_channel(kind, &url, api)?;
    let receiver = Arc::new(Receiver { kind, secret, refused: Mutex::default(), news });
    let answer = move |delivered| {
        let receiver = Arc::clone(&receiver);
        async move { receiver.answer(delivered).await }
    };
    tokio::spawn(async move {
        if let Err(error) = receive(listener, answer, std::future::pending()).await {
            note(format_args!("dregs: the {} receiver failed: {error}", kind.name()));
        }
    });
    Ok(())
}

/// Makes the server's channel to a receiver, and gives back its signing secret.
fn make_channel(kind: Kind, url: &str, api: &Api) -> Result<String, Failure> {
    let slug = format!("demo-{}", kind.name());
    // A store that was kept has the channel of last time, and nobody knows its secret any more.
    let channels = api.get("/channels")?;
    for old in channels.as_array().into_iter().flatten().filter(|channel| channel["slug"] == slug.as_str()) {
        api.delete(&format!("/channels/{}", old["id"]))?;
    }
    let made = api.post(
        "/channels",
        &json!({
            "type": "WEBHOOK",
            "name": format!("Demo, {}", kind.name()),
            "slug": slug,
            "events": ["identity.scored"],
            "config": {"url": url},
        }),
    )?;
    let secret = made["signingSecret"].as_str().map(str::to_owned);
    secret.ok_or_else(|| Failure::Failed("the server made a channel but no signing secret".to_owned()))
}

struct Receiver {
    kind: Kind,
    secret: String,
    /// The ids of the events whose first attempt the flaky receiver has refused.
    refused: Mutex<HashSet<String>>,
    news: UnboundedSender<Arrival>,
}

impl Receiver {
    async fn answer(&self, delivered: Delivered) -> StatusCode {
        let verdict = delivered.check(&self.secret, SystemClock.now());
        let checked = match verdict.problems().next() {
            None => Ok(()),
            Some(problem) => Err(problem),
        };
        let id =
            delivered.headers.get(header::WEBHOOK_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let is_retry = self.refused().remove(id);
        let answer = match self.kind {
            _ if checked.is_err() => StatusCode::UNAUTHORIZED,
            Kind::Flaky if !is_retry && self.refuses() => {
                self.refused().insert(id.to_owned());
                StatusCode::SERVICE_UNAVAILABLE
            }
            Kind::Slow => {
                tokio::time::sleep(Duration::from_secs(SLOW_SECONDS)).await;
                StatusCode::OK
            }
            Kind::Healthy | Kind::Flaky => StatusCode::OK,
        };
        let content = delivered.content();
        // The story has ended when nobody takes the news any more.
        let _ = self.news.send(Arrival { kind: self.kind, content, checked, is_retry, answer });
        answer
    }

    fn refuses(&self) -> bool {
        self.refused().len() < REFUSED_MAX && rand::random_range(0..FLAKY_FAILS_ONE_IN) == 0
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
