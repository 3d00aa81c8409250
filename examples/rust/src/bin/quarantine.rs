//! Quarantine on low scores: an account that looks like a bot, or like one of many of the same person, can
//! read and not write, while its scores are low and nobody has looked at it; one that is labeled as bad, while it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs_examples::{Inbox, Problem, Reviews, serve, text, user};
use serde_json::{Value, json};

const SCORE_MIN: u64 = 30;
/// Low scores in these keep somebody from writing.
const CATEGORIES: [&str; 2] = ["humanity", "uniqueness"];

struct Notes {
    inbox: Inbox,
    reviews: Reviews,
    state: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    notes: Vec<Value>,
    /// Which scores of each user are low.
    suspects: HashMap<String, BTreeSet<&'static str>>,
}

impl Notes {
    fn is_quarantined(&self, user: &str) -> bool {
        let shelf = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut low = shelf.suspects.get(user).into_iter().flatten();
        self.reviews.is_bad(user) || low.any(|category| !self.reviews.has_cleared(user, category))
    }
}

async fn webhook(State(notes): State<Arc<Notes>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = notes.inbox.open(&headers, &body)? else { return Ok(()) };
    if event.name == "IDENTITY_SCORED" {
        let mut low = event.low(SCORE_MIN);
        low.retain(|category| CATEGORIES.contains(category));
        notes.state.lock().unwrap_or_else(PoisonError::into_inner).suspects.insert(event.user, low);
    } else {
        notes.reviews.take(&event);
    }
    Ok(())
}

async fn write(
    State(notes): State<Arc<Notes>>,
    headers: HeaderMap,
    Json(note): Json<Value>,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let user = user(&headers);
    if notes.is_quarantined(&user) {
        let error = json!({"error": "Your account is read-only until somebody has looked at it."});
        return Ok((StatusCode::FORBIDDEN, Json(error)));
    }
    let note = json!({"text": text(&note, "text")?, "user": user});
    notes.state.lock().unwrap_or_else(PoisonError::into_inner).notes.push(note);
    Ok((StatusCode::CREATED, Json(json!({}))))
}

async fn read(State(notes): State<Arc<Notes>>) -> Json<Value> {
    Json(json!(notes.state.lock().unwrap_or_else(PoisonError::into_inner).notes))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Problem> {
    let notes =
        Arc::new(Notes { inbox: Inbox::from_env()?, reviews: Reviews::default(), state: Mutex::default() });
    let router = Router::new().route("/notes", get(read).post(write)).route("/webhooks/dregs", post(webhook));
    serve(router.with_state(notes)).await
}
