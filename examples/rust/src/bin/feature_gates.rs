//! Gate features by trust: what is easily abused is there for those whose scores have earned it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs_examples::{Inbox, Problem, serve, user};
use serde_json::{Value, json};

/// Each feature, and the lowest score that opens it.
const FEATURES: [(&str, u64); 4] = [("read", 0), ("comment", 40), ("invite", 60), ("export", 60)];
/// What somebody without scores is taken for.
const SCORE_OF_STRANGERS: u64 = 50;

struct Gates {
    inbox: Inbox,
    /// The lowest score of each user.
    scores: Mutex<HashMap<String, u64>>,
}

async fn webhook(State(gates): State<Arc<Gates>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = gates.inbox.open(&headers, &body)? else { return Ok(()) };
    if let ("IDENTITY_SCORED", Some(lowest)) = (event.name.as_str(), event.lowest_score()) {
        gates.scores.lock().unwrap_or_else(PoisonError::into_inner).insert(event.user, lowest);
    }
    Ok(())
}

async fn features(State(gates): State<Arc<Gates>>, headers: HeaderMap) -> Json<Value> {
    let scores = gates.scores.lock().unwrap_or_else(PoisonError::into_inner);
    let score = scores.get(&user(&headers)).copied().unwrap_or(SCORE_OF_STRANGERS);
    let open = FEATURES.iter().filter(|(_, least)| score >= *least).map(|(name, _)| *name);
    Json(json!(open.collect::<Vec<_>>()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Problem> {
    let gates = Arc::new(Gates { inbox: Inbox::from_env()?, scores: Mutex::default() });
    let router = Router::new().route("/features", get(features)).route("/webhooks/dregs", post(webhook));
    serve(router.with_state(gates)).await
}
