//! Rate limits by score: whoever is trusted may ask often, whoever is suspicious seldom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs_examples::{Inbox, Problem, serve, user};
use serde_json::json;

struct Search {
    inbox: Inbox,
    state: Mutex<Limits>,
}

#[derive(Default)]
struct Limits {
    /// The lowest score of each user.
    scores: HashMap<String, u64>,
    /// The minute, and the requests of each user in it.
    minute: u64,
    requests: HashMap<String, u32>,
}

/// Requests a minute, by the lowest of the four scores.
const fn allowed(lowest: Option<u64>) -> u32 {
    match lowest {
        Some(70..) => 100,
        Some(0..40) => 3,
        _ => 20,
    }
}

async fn webhook(
    State(search): State<Arc<Search>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), StatusCode> {
    let Some(event) = search.inbox.open(&headers, &body)? else { return Ok(()) };
    if let ("IDENTITY_SCORED", Some(lowest)) = (event.name.as_str(), event.lowest_score()) {
        let mut limits = search.state.lock().unwrap_or_else(PoisonError::into_inner);
        limits.scores.insert(event.user, lowest);
    }
    Ok(())
}

async fn find(State(search): State<Arc<Search>>, headers: HeaderMap) -> Response {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut limits = search.state.lock().unwrap_or_else(PoisonError::into_inner);
    if limits.minute != now / 60 {
        limits.minute = now / 60;
        limits.requests.clear();
    }
    let user = user(&headers);
    let limit = allowed(limits.scores.get(&user).copied());
    let count = limits.requests.entry(user).or_default();
    *count += 1;
    if *count > limit {
        let wait = (60 - now % 60).to_string();
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", wait)]).into_response();
    }
    Json(json!({"left": limit - *count, "results": []})).into_response()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Problem> {
    let search = Arc::new(Search { inbox: Inbox::from_env()?, state: Mutex::default() });
    let router = Router::new().route("/search", get(find)).route("/webhooks/dregs", post(webhook));
    serve(router.with_state(search)).await
}
