//! Quarantine on low scores: an account that looks like a bot, or like one of many of the same person, can
//! read and not write, until somebody has looked at it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs_examples::{Inbox, serve, user};
use serde_json::{Value, json};

const SCORE_MIN: u64 = 30;

struct Notes {
    inbox: Inbox,
    state: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    notes: Vec<Value>,
    quarantined: HashSet<String>,
    /// Somebody has looked at them; their scores alone say no more.
    reviewed: HashSet<String>,
}

async fn webhook(State(notes): State<Arc<Notes>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = notes.inbox.open(&headers, &body)? else { return Ok(()) };
    let mut shelf = notes.state.lock().unwrap_or_else(PoisonError::into_inner);
    match event.name.as_str() {
        "IDENTITY_SCORED" => {
            let is_low = |category| event.score(category).is_some_and(|score| score < SCORE_MIN);
            if (is_low("humanity") || is_low("uniqueness")) && !shelf.reviewed.contains(&event.user) {
                shelf.quarantined.insert(event.user);
            }
        }
        "ESCALATION_CLOSED" => {
            shelf.quarantined.remove(&event.user);
            shelf.reviewed.insert(event.user);
        }
        // It is worse than before: whatever was found then counts no more.
        "ESCALATION_OPENED" => {
            shelf.reviewed.remove(&event.user);
            shelf.quarantined.insert(event.user);
        }
        _ => {}
    }
    Ok(())
}

async fn write(
    State(notes): State<Arc<Notes>>,
    headers: HeaderMap,
    Json(note): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut shelf = notes.state.lock().unwrap_or_else(PoisonError::into_inner);
    let user = user(&headers);
    if shelf.quarantined.contains(&user) {
        let error = json!({"error": "Your account is read-only until somebody has looked at it."});
        return (StatusCode::FORBIDDEN, Json(error));
    }
    shelf.notes.push(json!({"user": user, "text": note["text"]}));
    (StatusCode::CREATED, Json(json!({})))
}

async fn read(State(notes): State<Arc<Notes>>) -> Json<Value> {
    Json(json!(notes.state.lock().unwrap_or_else(PoisonError::into_inner).notes))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let notes = Arc::new(Notes { inbox: Inbox::from_env(), state: Mutex::default() });
    let router = Router::new().route("/notes", get(read).post(write)).route("/webhooks/dregs", post(webhook));
    serve(router.with_state(notes)).await
}
