//! Listening: what is told of what, to whom, and when it ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dregs_server::limit::Limit;
use dregs_server::ops::live::{LISTENERS_MAX, LISTENERS_OF_KEY_MAX, LISTENERS_OF_PERSON_MAX, Pass};
use dregs_server::store::credentials::{self, NewCredential};
use dregs_server::store::escalations::Severity;
use dregs_server::store::users::{self, Role};
use dregs_server::vault::token_hash;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::{escalation, refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, answer, event, eventually};

on_both_engines!(whatever_changes_is_told_to_the_team, a_removed_person_hears_no_more_and_all_others_do);

/// Nothing comes any more when nothing came for this long.
const QUIET: Duration = Duration::from_millis(1_500);
/// Longer than the time between two signs of life.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream that is read.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    /// A stream that has said that it is ready.
    async fn open(server: &TestServer, token: &str) -> Self {
        let response = server.request(Method::GET, "/api/live").bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        let mut stream = Self { response, text: String::new() };
        assert_eq!(stream.next().await.as_deref(), Some("event: ready\ndata: {}"));
        stream
    }

    /// The next message or comment; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(message);
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("a message").unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn change(&mut self) -> Value {
        let message = self.next().await.expect("a change");
        let data = message.strip_prefix("event: change\ndata: ").unwrap_or_else(|| panic!("{message}"));
        serde_json::from_str(data).unwrap()
    }

    /// Everything that is told until it is quiet: topics, and identities.
    async fn all(&mut self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut told = (BTreeSet::new(), BTreeSet::new());
        while let Ok(change) = timeout(QUIET, self.change()).await {
            let texts =
                |field: &str| -> Vec<String> { serde_json::from_value(change[field].clone()).unwrap() };
            told.0.extend(texts("topics"));
            told.1.extend(texts("identities"));
        }
        told
    }
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The secret key of a new team.
async fn foreign(server: &TestServer) -> &'static str {
    let now = server.app.clock.now();
    let new = |team| {
        let (public_key, secret_hash) = (format!("pk_{team}"), token_hash("sk_foreign"));
        let (name, allowed_origins) = ("Test".into(), Vec::new());
        NewCredential { name, public_key, secret_hash, allowed_origins, rate_per_second: None }
    };
    let fill = move |tx: &mut dregs_server::store::Tx| {
        let team = users::insert_team(tx, "Foreign", now)?;
        credentials::insert(tx, team, &new(team), now)
    };
    server.app.store.write(fill).await.unwrap();
    server.app.kept.credentials.reload(&server.app.store).await.unwrap();
    "sk_foreign"
}

/// An endpoint that answers as often as there are permits.
async fn slow() -> (Receiver, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(0));
    let given = Arc::clone(&permits);
    let receiver = Receiver::start(move |mut conversation| {
        let given = Arc::clone(&given);
        async move {
            while conversation.read_request().await.is_some() {
                given.acquire().await.unwrap().forget();
                conversation.send(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    (receiver.await, permits)
}

async fn whatever_changes_is_told_to_the_team(engine: Engine) {
    let server = TestServer::start(engine).await;
    let mut others = Stream::open(&server, foreign(&server).await).await;
    let mut ours = Stream::open(&server, SECRET_KEY).await;
    let mut full = event("e1", "ada");
    full["groups"] = json!([{"type": "team", "id": "t1"}]);
    full["device"] = json!({"fingerprint": "f1"});
    server.post("/api/events", full).await;
    assert_eq!(ours.all().await, (set(&["EVENTS", "IDENTITIES", "GROUPS", "DEVICES"]), set(&["ada"])));

    let (receiver, permits) = slow().await;
    server.channel("Slow", json!({"url": receiver.url()})).await;
    server.track("e2", "bob").await;
    assert_eq!(ours.all().await, (set(&["EVENTS", "IDENTITIES", "DELIVERIES"]), set(&["bob"])));
    permits.add_permits(1);
    assert_eq!(ours.change().await, json!({"topics": ["DELIVERIES"], "identities": []}), "its outcome");

    let id = escalation(&server.app, "ada", Severity::Critical).await;
    server.patch(&format!("/api/escalations/{id}"), json!({"status": "ACKNOWLEDGED"})).await;
    assert_eq!(ours.change().await, json!({"topics": ["ESCALATIONS"], "identities": []}));
    server.patch(&format!("/api/escalations/{id}"), json!({"status": "CLOSED"})).await;
    assert_eq!(ours.change().await, json!({"topics": ["IDENTITIES", "ESCALATIONS"], "identities": ["ada"]}));

    let (status, _) = server.call(Method::DELETE, "/api/identities/ada", None).await;
    assert_eq!(status, 204);
    assert!(ours.all().await.0.contains("IDENTITIES"));
    assert_eq!(others.all().await, (BTreeSet::new(), BTreeSet::new()));
}

#[tokio::test]
async fn so_much_at_once_is_told_as_everything() {
    let server = TestServer::start(Engine::Sqlite).await;
    let mut stream = Stream::open(&server, SECRET_KEY).await;
    // Nothing that they have in common: those it concerns would be told once more when that is learned.
    let bare =
        |n| json!({"id": format!("e{n}"), "type": "user.signup", "identity": {"id": format!("user {n}")}});
    let events: Vec<_> = (0..600).map(bare).collect();
    server.post("/api/events/batch", json!(events)).await;
    let all = ["EVENTS", "IDENTITIES", "GROUPS", "DEVICES", "ESCALATIONS", "DELIVERIES"];
    assert_eq!(stream.change().await, json!({"topics": all, "identities": []}));
    stream.all().await;
    server.track("last", "ada").await;
    assert_eq!(stream.all().await, (set(&["EVENTS", "IDENTITIES"]), set(&["ada"])));
}

#[tokio::test]
async fn a_stream_ends_with_the_session_with_the_key_and_with_the_server() {
    let server = TestServer::start(Engine::Sqlite).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let as_admin = |method, path: &str| server.request(method, path).bearer_auth(&admin);
    let (_, credential) =
        answer(as_admin(Method::POST, "/api/credentials").json(&json!({"name": "Second"}))).await;
    let viewer = session(&server.app, team(&server.app).await, Role::Viewer).await;
    let mut of_key = Stream::open(&server, credential["secretKey"].as_str().unwrap()).await;
    let mut of_session = Stream::open(&server, &viewer).await;
    let mut stays = Stream::open(&server, SECRET_KEY).await;
    let logout = server.request(Method::POST, "/api/auth/logout").bearer_auth(&viewer);
    assert_eq!(answer(logout).await.0, 204);
    let disable = as_admin(Method::PATCH, &format!("/api/credentials/{}", credential["id"]));
    assert_eq!(answer(disable.json(&json!({"enabled": false}))).await.0, 200);
    assert_eq!((of_key.next().await, of_session.next().await), (None, None));
    assert_eq!(stays.next().await.as_deref(), Some(": all is well"));
    let begun = Instant::now();
    server.stop();
    assert_eq!(stays.next().await, None);
    assert!(begun.elapsed() < Duration::from_secs(5), "stopping took {:?}", begun.elapsed());
}

/// What happens at once takes two looks at the store at most, and these come twice a second.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn a_removed_person_hears_no_more_and_all_others_do(engine: Engine) {
    let server = TestServer::start(engine).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let as_admin = |method, path: &str| server.request(method, path).bearer_auth(&admin);
    let (viewer, other) = (
        session(&server.app, team(&server.app).await, Role::Viewer).await,
        session(&server.app, team(&server.app).await, Role::Viewer).await,
    );
    let mut gone = vec![Stream::open(&server, &viewer).await, Stream::open(&server, &viewer).await];
    let mut stays = Stream::open(&server, &other).await;
    let (_, me) = answer(server.request(Method::GET, "/api/auth/me").bearer_auth(&viewer)).await;
    let removed = Instant::now();
    assert_eq!(answer(as_admin(Method::DELETE, &format!("/api/team/members/{}", me["id"]))).await.0, 204);
    for stream in &mut gone {
        assert_eq!(stream.next().await, None);
    }
    // The next sign of life, at which it used to be noticed, comes after 15 seconds.
    assert!(removed.elapsed() < AT_ONCE * 3, "it took {:?}", removed.elapsed());
    server.track("e1", "ada").await;
    assert!(stays.change().await["topics"].as_array().unwrap().contains(&json!("EVENTS")));
}

#[tokio::test]
async fn one_person_listens_a_few_times_and_leaves_room_for_others() {
    let server = TestServer::start(Engine::Sqlite).await;
    let viewer = session(&server.app, team(&server.app).await, Role::Viewer).await;
    let other = session(&server.app, team(&server.app).await, Role::Viewer).await;
    let mut streams = Vec::new();
    for _ in 0..LISTENERS_OF_PERSON_MAX {
        streams.push(Stream::open(&server, &viewer).await);
    }
    let listen = || server.request(Method::GET, "/api/live").bearer_auth(&viewer);
    let said = "429 rate_limited You listen 8 times already, which is as often as one may. Close a page, or try again \
                in 15 seconds.";
    assert_eq!(refusal(listen()).await, said);
    assert_eq!(listen().send().await.unwrap().headers()["retry-after"], "15");
    assert!(server.reached(Limit::StreamsOfPerson) > 0);
    Stream::open(&server, &other).await;
    Stream::open(&server, SECRET_KEY).await;
    streams.pop();
    eventually("a place", async || {
        let answer = listen().send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn too_many_do_not_listen() {
    let server = TestServer::start(Engine::Sqlite).await;
    let person = |n: usize| Pass::Session { token_hash: vec![], user_id: n as i64 };
    let ears: Vec<_> = (0..LISTENERS_MAX).map(|n| server.app.live.join(1, person(n)).unwrap()).collect();
    let listen = || server.request(Method::GET, "/api/live").bearer_auth(SECRET_KEY);
    let said = "503 unavailable The server stops, or 256 listen already, which is all that may. Try again.";
    assert_eq!(refusal(listen()).await, said);
    assert!(server.reached(Limit::Streams) > 0);
    drop(ears);
    let mut streams = Vec::new();
    for _ in 0..LISTENERS_OF_KEY_MAX {
        streams.push(Stream::open(&server, SECRET_KEY).await);
    }
    let said = refusal(listen()).await;
    assert!(said.starts_with("429 rate_limited You listen 32 times already"), "{said}");
    assert!(server.reached(Limit::StreamsOfKey) > 0);
}
