//! Shadowban on a badge: the posts of suspicious users vanish for everybody but themselves, who notice
//! nothing and try nothing else. When a reviewer closes the escalation, the posts are back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs_examples::{Inbox, serve, user};
use serde_json::{Value, json};

const BADGE: &str = "suspicious";

struct Forum {
    inbox: Inbox,
    state: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    posts: Vec<(String, Value)>,
    /// Who carries the badge.
    suspicious: HashSet<String>,
    /// Who has been found innocent all the same.
    cleared: HashSet<String>,
}

impl Threads {
    fn is_banned(&self, user: &str) -> bool {
        self.suspicious.contains(user) && !self.cleared.contains(user)
    }
}

async fn webhook(State(forum): State<Arc<Forum>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = forum.inbox.open(&headers, &body)? else { return Ok(()) };
    let mut threads = forum.state.lock().unwrap_or_else(PoisonError::into_inner);
    match event.name.as_str() {
        "IDENTITY_BADGES_CHANGED" if event.has_badge(BADGE) => threads.suspicious.insert(event.user),
        "IDENTITY_BADGES_CHANGED" => threads.suspicious.remove(&event.user),
        "ESCALATION_OPENED" => threads.cleared.remove(&event.user),
        "ESCALATION_CLOSED" => threads.cleared.insert(event.user),
        _ => false,
    };
    Ok(())
}

async fn write(State(forum): State<Arc<Forum>>, headers: HeaderMap, Json(sent): Json<Value>) -> StatusCode {
    let mut threads = forum.state.lock().unwrap_or_else(PoisonError::into_inner);
    threads.posts.push((user(&headers), sent["text"].clone()));
    StatusCode::CREATED
}

/// Everybody sees the posts of everybody, but for those of the banned, whom the banned see.
async fn read(State(forum): State<Arc<Forum>>, headers: HeaderMap) -> Json<Value> {
    let threads = forum.state.lock().unwrap_or_else(PoisonError::into_inner);
    let sees_all = threads.is_banned(&user(&headers));
    let shown = threads.posts.iter().filter(|(author, _)| sees_all || !threads.is_banned(author));
    Json(shown.map(|(author, text)| json!({"user": author, "text": text})).collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let forum = Arc::new(Forum { inbox: Inbox::from_env(), state: Mutex::default() });
    let router = Router::new().route("/posts", get(read).post(write)).route("/webhooks/dregs", post(webhook));
    serve(router.with_state(forum)).await
}
