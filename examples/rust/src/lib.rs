//! What every receiver of webhooks needs: know who sent it, do nothing twice, let nothing old undo what is
//! newer, and know what reviewers have decided.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "whoever starts an example sees what it does")]

mod reviews;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

pub use reviews::{BADGES, Reviews};

/// The user of a request. A real application takes this from its session.
pub const USER_HEADER: &str = "x-user";
/// What there are scores of.
pub const CATEGORIES: [&str; 4] = ["humanity", "authenticity", "uniqueness", "behavior"];

/// An event that is genuine and new.
pub struct Event {
    /// Such as `IDENTITY_SCORED`.
    pub name: String,
    /// Your own id of the user; empty where the event tells of none.
    pub user: String,
    /// Grows with each event of the user; 0 where the event tells of none.
    pub sequence: u64,
    pub data: Map<String, Value>,
}

impl Event {
    /// The score in a category, from 0 to 100; `None` while it has none, whether it is null or left out.
    pub fn score(&self, category: &str) -> Option<u64> {
        self.data.get("scores")?.get(category)?.as_u64()
    }

    /// The lowest of the four scores.
    pub fn lowest_score(&self) -> Option<u64> {
        CATEGORIES.iter().filter_map(|category| self.score(category)).min()
    }

    /// The categories whose scores are below a threshold. One without a score is not low: nothing is known.
    pub fn low(&self, below: u64) -> BTreeSet<&'static str> {
        let is_low = |category: &&str| self.score(category).is_some_and(|score| score < below);
        CATEGORIES.into_iter().filter(is_low).collect()
    }

    /// Whether the user carries the badge now.
    pub fn has_badge(&self, slug: &str) -> bool {
        let badges = self.data.get("badges").and_then(Value::as_array);
        badges.is_some_and(|badges| badges.iter().any(|badge| badge["slug"] == slug))
    }
}

/// Opens webhooks. An application with more than one process keeps what this remembers in its database, in
/// the transaction in which it acts.
pub struct Inbox {
    secret: String,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Ids of events, the same at every attempt.
    seen: HashSet<String>,
    /// The newest sequence of each user, by what is told: a late score must not undo a newer score, and says
    /// nothing against a badge, nor one escalation against another.
    newest: HashMap<(String, String), u64>,
}

impl Inbox {
    /// With the signing secret of the channel in `DREGS_WEBHOOK_SECRET`.
    ///
    /// # Errors
    /// Without one: nothing that arrives could be verified.
    pub fn from_env() -> Result<Self, Problem> {
        let secret = variable("DREGS_WEBHOOK_SECRET", "the signing secret of the channel, whsec_…")?;
        if !secret.starts_with("whsec_") {
            return Err(Problem(
                "DREGS_WEBHOOK_SECRET is no signing secret: they begin with whsec_".to_owned(),
            ));
        }
        Ok(Self { secret, memory: Mutex::default() })
    }

    /// The event in a request, if there is something to do. `Err` is the answer to whoever is not dregs.
    pub fn open(&self, headers: &HeaderMap, body: &Bytes) -> Result<Option<Event>, StatusCode> {
        let signature = headers.get(dregs::webhooks::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        let event =
            dregs::webhooks::verify(body, signature.unwrap_or_default(), &self.secret).map_err(|error| {
                eprintln!("401: {error}");
                StatusCode::UNAUTHORIZED
            })?;
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, name, user) = (text("id"), text("event"), text("identityId"));
        let data = event.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
        let told = match name.as_str() {
            "IDENTITY_SCORED" => "scores".to_owned(),
            "IDENTITY_BADGES_CHANGED" => "badges".to_owned(),
            "IDENTITY_LABELED" => "label".to_owned(),
            _ => data.get("escalationId").map(Value::to_string).unwrap_or_default(),
        };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if !memory.seen.insert(id) {
            return Ok(None);
        }
        let sequence = event.get("sequence").and_then(Value::as_u64);
        if let Some(sequence) = sequence {
            let newest = memory.newest.entry((user.clone(), told)).or_default();
            if sequence < *newest {
                return Ok(None);
            }
            *newest = sequence;
        }
        Ok(Some(Event { name, user, sequence: sequence.unwrap_or_default(), data }))
    }
}

/// The user of a request.
pub fn user(headers: &HeaderMap) -> String {
    headers.get(USER_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// A text in the JSON of a request.
///
/// # Errors
/// 400 without it.
pub fn text<'b>(body: &'b Value, name: &str) -> Result<&'b str, StatusCode> {
    body[name].as_str().filter(|text| !text.is_empty()).ok_or(StatusCode::BAD_REQUEST)
}

/// Why an application does not start, in words: `main` prints it as it is.
pub struct Problem(String);

impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What is set in the environment under a name.
///
/// # Errors
/// Says what to set.
pub fn variable(name: &str, what: &str) -> Result<String, Problem> {
    std::env::var(name).map_err(|_| Problem(format!("set {name}: {what}")))
}

/// Serves on `PORT` of this machine, 4000 unless said.
///
/// # Errors
/// When the port cannot be used.
pub async fn serve(router: Router) -> Result<(), Problem> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "4000".to_owned());
    let address = format!("127.0.0.1:{port}");
    let unusable = |error| Problem(format!("{address} cannot be used ({error}): set PORT to another port"));
    let listener = tokio::net::TcpListener::bind(&address).await.map_err(unusable)?;
    println!("listens on http://{address}");
    Ok(axum::serve(listener, router).await?)
}
