//! Shadowban on a badge: the posts of suspicious users vanish for everybody but themselves, who notice
//! nothing and try nothing else. When a reviewer closes the escalation, the posts are back, but for those of users who are
//! labeled as bad.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs_examples::{BADGES, Inbox, Problem, Reviews, serve, text, user};
use serde_json::{Value, json};

/// The badge, and the score below which it is given.
const BADGE: &str = BADGES[0].0;
const SCORE_MIN: u64 = BADGES[0].2;

struct Forum {
    inbox: Inbox,
    reviews: Reviews,
    state: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    posts: Vec<(String, String)>,
    /// Who carries the badge.
    suspicious: HashSet<String>,
    /// Which scores of each user are low.
    reasons: HashMap<String, BTreeSet<&'static str>>,
}

impl Threads {
    /// Whoever is labeled as bad; and whoever carries the badge, unless a reviewer has looked at every score that it is
    /// given for.
    fn is_banned(&self, user: &str, reviews: &Reviews) -> bool {
        let why = self.reasons.get(user).filter(|why| !why.is_empty());
        let is_cleared =
            why.is_some_and(|why| why.iter().all(|category| reviews.has_cleared(user, category)));
        reviews.is_bad(user) || self.suspicious.contains(user) && !is_cleared
    }
}

async fn webhook(State(forum): State<Arc<Forum>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = forum.inbox.open(&headers, &body)? else { return Ok(()) };
    let mut threads = forum.state.lock().unwrap_or_else(PoisonError::into_inner);
    match event.name.as_str() {
        "IDENTITY_SCORED" => {
            threads.reasons.insert(event.user.clone(), event.low(SCORE_MIN));
        }
        "IDENTITY_BADGES_CHANGED" if event.has_badge(BADGE) => {
            threads.suspicious.insert(event.user);
        }
        "IDENTITY_BADGES_CHANGED" => {
            threads.suspicious.remove(&event.user);
        }
        _ => forum.reviews.take(&event),
    }
    Ok(())
}

async fn write(
    State(forum): State<Arc<Forum>>,
    headers: HeaderMap,
    Json(sent): Json<Value>,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let post = (user(&headers), text(&sent, "text")?.to_owned());
    forum.state.lock().unwrap_or_else(PoisonError::into_inner).posts.push(post);
    Ok((StatusCode::CREATED, Json(json!({}))))
}

/// Everybody sees the posts of everybody, but for those of the banned, whom the banned see.
async fn read(State(forum): State<Arc<Forum>>, headers: HeaderMap) -> Json<Value> {
    let threads = forum.state.lock().unwrap_or_else(PoisonError::into_inner);
    let is_banned = |user: &str| threads.is_banned(user, &forum.reviews);
    let sees_all = is_banned(&user(&headers));
    let shown = threads.posts.iter().filter(|(author, _)| sees_all || !is_banned(author));
    Json(shown.map(|(author, text)| json!({"text": text, "user": author})).collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Problem> {
    let forum =
        Arc::new(Forum { inbox: Inbox::from_env()?, reviews: Reviews::default(), state: Mutex::default() });
    let router = Router::new().route("/posts", get(read).post(write)).route("/webhooks/dregs", post(webhook));
    serve(router.with_state(forum)).await
}
