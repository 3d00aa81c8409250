//! What changes, while it changes: a stream of messages for whoever shows it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{AppendHeaders, IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Instant, Interval, interval_at};
use utoipa::ToSchema;

use super::auth::{Caller, token};
use super::error::{ApiError, Code};
use crate::app::App;
use crate::ops::access::limits::Wait;
use crate::ops::live::{Ear, LISTENERS_MAX, News, Pass, Refused, Topic};
use crate::vault::token_hash;

/// How often a sign of life is sent, and a look is taken whether the caller may still listen.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When somebody who listens too often may try again.
const AGAIN_AFTER_SECONDS: u64 = 15;

/// What has changed since the message before.
#[derive(Serialize, ToSchema)]
pub struct ChangeBody {
    /// EVENTS, IDENTITIES, GROUPS, DEVICES, ESCALATIONS or DELIVERIES. Some more where so much happens that it
    /// is not looked at one by one.
    topics: Vec<&'static str>,
    /// Ids of identities that were changed, at most 50 of them.
    identities: Vec<String>,
}

impl From<News> for ChangeBody {
    fn from(news: News) -> Self {
        Self {
            topics: news.topics.into_iter().map(Topic::name).collect(),
            identities: news.identities.into_iter().collect(),
        }
    }
}

/// Stream changes
///
/// Server-sent events: once `ready`, with `{}`, then `change`, at most twice a second, and a comment every 15
/// seconds. Nothing that happens after `ready` is missed, on whichever node. The stream ends within two seconds of the
/// session or the key. A person may listen 8 times at once, and a key 32 times.
#[utoipa::path(get, operation_id = "listen", path = "/live", tag = "live",
    responses((status = 200, body = ChangeBody, content_type = "text/event-stream",
        description = "Messages; this is the data of a `change`.")))]
pub async fn listen(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let token = token(&headers).unwrap_or_default().to_owned();
    let pass = match &caller {
        Caller::Person(user) => Pass::Session { token_hash: token_hash(&token), user_id: user.id },
        Caller::Backend(credential) => Pass::Credential(credential.id),
    };
    let ear = app.live.join(caller.team_id(), pass).map_err(refused)?;
    let heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let listener = Listener { app, ear, token, heartbeat, is_ready: false };
    let messages = stream::unfold(listener, |mut listener| async move {
        let message = listener.next().await?;
        Some((Ok::<_, Infallible>(message), listener))
    });
    // A proxy must not wait for more.
    Ok((AppendHeaders([("x-accel-buffering", "no")]), Sse::new(messages)).into_response())
}

fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::Full => {
            let message =
                format!("The server stops, or {LISTENERS_MAX} listen already, which is all that may. Try again.");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
        }
        Refused::TooOften(times) => ApiError::rate_limited(Wait { seconds: AGAIN_AFTER_SECONDS }).saying(format!(
            "You listen {times} times already, which is as often as one may. Close a page, or try again in \
             {AGAIN_AFTER_SECONDS} seconds."
        )),
    }
}

/// Somebody who listens.
struct Listener {
    app: Arc<App>,
    ear: Arc<Ear>,
    token: String,
    heartbeat: Interval,
    is_ready: bool,
}

impl Listener {
    /// The next message; `None` when there are no more.
    async fn next(&mut self) -> Option<Event> {
        let news = tokio::select! {
            news = self.ear.next() => news?,
            _ = self.heartbeat.tick() => {
                let is_welcome = Caller::with_token(&self.app, &self.token).await.is_ok();
                return is_welcome.then(|| Event::default().comment("all is well"));
            }
        };
        if !std::mem::replace(&mut self.is_ready, true) {
            return Some(Event::default().event("ready").data("{}"));
        }
        Event::default().event("change").json_data(ChangeBody::from(news)).ok()
    }
}
