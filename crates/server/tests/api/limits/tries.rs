//! What it takes to reach a limit, and what one is told then.

use std::net::IpAddr;
use std::sync::Arc;

use dregs_core::event::BATCH_MAX_EVENTS;
use dregs_core::rules::CONDITIONS_MAX;
use dregs_core::time::Timestamp;
use dregs_server::channels::email::RECIPIENTS_MAX;
use dregs_server::channels::webhook::CUSTOM_HEADERS_MAX;
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use dregs_server::ops::access::limits::{Held, OF_ADDRESS_MAX_MIB, OF_ANYBODY_MAX_MIB, OF_KNOWN_MAX_MIB};
use dregs_server::ops::access::sign_in::SESSIONS_MAX;
use dregs_server::ops::identities::reviews::REVIEWS_MAX;
use dregs_server::ops::team::datasets::ENTRIES_OF_DATASET_MAX;
use dregs_server::ops::team::lists::{ENTRIES_OF_LIST_MAX, IMPORT_LINES_MAX};
use dregs_server::store::sessions::{self, Place};
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Tx, identities, reviews};
use dregs_server::values;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::rows::Outcome;
use crate::api::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::{
    ADMIN_EMAIL, ADMIN_PASSWORD, Ground, PUBLIC_KEY, SECRET_KEY, TestServer, answer, event,
};

const ORIGIN: &str = "https://app.example.com";
const MIB: usize = 1024 * 1024;

async fn server() -> TestServer {
    TestServer::start(Engine::Sqlite).await
}

/// A server for which no time passes, so that nothing is filled again.
async fn still(change: impl FnOnce(&mut Config)) -> TestServer {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    TestServer::start_on(Ground::new(Engine::Sqlite), clock, change).await
}

async fn admin(server: &TestServer) -> String {
    session(&server.app, team(&server.app).await, Role::Admin).await
}

/// A page of [`ORIGIN`] may send with the public key from now on.
async fn allow_page(server: &TestServer) {
    let change = server.request(Method::PATCH, "/api/credentials/1").bearer_auth(admin(server).await);
    assert_eq!(answer(change.json(&json!({"allowedOrigins": [ORIGIN]}))).await.0, 200);
}

fn post(server: &TestServer, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = server.request(Method::POST, path).body(body);
    request.bearer_auth(SECRET_KEY).header("Content-Type", "application/json")
}

/// As a browser sends it.
fn post_of_page(server: &TestServer, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = server.request(Method::POST, path).body(body);
    let request = request.bearer_auth(PUBLIC_KEY).header("Origin", ORIGIN);
    request.header("Content-Type", "application/json")
}

/// An event with so many bytes of blanks behind it.
fn padded(bytes: usize) -> String {
    format!("{}{}", event("e", "ada"), " ".repeat(bytes))
}

/// The refusal of a POST with the secret key.
async fn refused(server: &TestServer, path: &str, body: Value) -> String {
    refusal(server.request(Method::POST, path).bearer_auth(SECRET_KEY).json(&body)).await
}

/// Sends it until it is refused with this status.
async fn until(status: u16, request: impl Fn() -> RequestBuilder) -> String {
    for _ in 0..20 {
        let answer = request().send().await.unwrap();
        if answer.status() == status {
            assert_eq!(
                status != 429,
                !answer.headers().contains_key("retry-after"),
                "it says when to come again"
            );
            return refusal(request()).await;
        }
    }
    panic!("it is never refused");
}

pub fn large_body() -> Outcome {
    Box::pin(async { refusal(post(&server().await, "/api/events", padded(256 * 1024))).await })
}

pub fn large_batch() -> Outcome {
    Box::pin(async { refusal(post(&server().await, "/api/events/batch", padded(4 * MIB))).await })
}

pub fn large_batch_of_a_page() -> Outcome {
    Box::pin(async {
        let server = server().await;
        allow_page(&server).await;
        refusal(post_of_page(&server, "/api/events/batch", padded(256 * 1024))).await
    })
}

pub fn large_sign_in() -> Outcome {
    Box::pin(async { refusal(post(&server().await, "/api/auth/login", padded(16 * 1024))).await })
}

pub fn deep_body() -> Outcome {
    Box::pin(async {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let body = format!(r#"{{"type": "t", "identity": {{"id": "ada"}}, "data": {{"a": {deep}}}}}"#);
        refusal(post(&server().await, "/api/events", body)).await
    })
}

/// What others are sending takes the memory that there is for `mib`.
fn taken(mut held: Held, mib: usize) -> Held {
    // The first KiB of each are not counted.
    held.grow_to(mib * MIB + 16 * 1024).unwrap();
    held
}

pub fn bodies_of_backends() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let _held = taken(server.app.bodies.of_known(), OF_KNOWN_MAX_MIB);
        assert_eq!(
            answer(post(&server, "/api/events", padded(1_024))).await.0,
            200,
            "what is small is taken"
        );
        refusal(post(&server, "/api/events", padded(64 * 1024))).await
    })
}

pub fn bodies_of_browsers() -> Outcome {
    Box::pin(async {
        let server = server().await;
        allow_page(&server).await;
        let of = |n: usize| format!("203.0.113.{n}").parse::<IpAddr>().ok();
        let parts = OF_ANYBODY_MAX_MIB / OF_ADDRESS_MAX_MIB;
        let _held: Vec<_> =
            (0..parts).map(|n| taken(server.app.bodies.of_anybody(of(n)), OF_ADDRESS_MAX_MIB)).collect();
        refusal(post_of_page(&server, "/api/events", padded(64 * 1024))).await
    })
}

pub fn bodies_of_an_address() -> Outcome {
    Box::pin(async {
        let server = server().await;
        allow_page(&server).await;
        let own = server.address.ip();
        let _held = taken(server.app.bodies.of_anybody(Some(own)), OF_ADDRESS_MAX_MIB);
        refusal(post_of_page(&server, "/api/events", padded(64 * 1024))).await
    })
}

pub fn many_events() -> Outcome {
    Box::pin(async {
        let events = vec![json!({"type": "t"}); BATCH_MAX_EVENTS + 1];
        refused(&server().await, "/api/events/batch", json!(events)).await
    })
}

pub fn many_labels() -> Outcome {
    Box::pin(async {
        let labels = vec![json!({"identityId": "ada", "outcome": "BAD"}); 1_001];
        refused(&server().await, "/api/labels", json!({ "labels": labels })).await
    })
}

pub fn many_reasons() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let change = server.request(Method::PATCH, "/api/team").bearer_auth(admin(&server).await);
        let reasons: Vec<_> = (0..21).map(|n| format!("reason {n}")).collect();
        refusal(change.json(&json!({"labelReasons": {"good": [], "bad": reasons}}))).await
    })
}

pub fn many_decisions() -> Outcome {
    Box::pin(async {
        let ids: Vec<_> = (0..101).map(|n| format!("user-{n}")).collect();
        refused(&server().await, "/api/identities/actions/decide", json!({ "ids": ids })).await
    })
}

pub fn long_wait() -> Outcome {
    Box::pin(async { refused(&server().await, "/api/events?wait=10001", event("e", "ada")).await })
}

pub fn many_deliveries() -> Outcome {
    Box::pin(async {
        let ids: Vec<_> = (0..101).collect();
        refused(&server().await, "/api/deliveries/actions/resend", json!({ "ids": ids })).await
    })
}

pub fn many_origins() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let origins: Vec<_> = (0..51).map(|n| format!("https://p{n}.example")).collect();
        let new = server.request(Method::POST, "/api/credentials").bearer_auth(admin(&server).await);
        refusal(new.json(&json!({"name": "More", "allowedOrigins": origins}))).await
    })
}

pub fn many_conditions() -> Outcome {
    Box::pin(async {
        let condition = json!({"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30});
        let conditions = vec![condition; CONDITIONS_MAX + 1];
        let rule = json!({"name": "More", "type": "BAD", "conditions": conditions});
        refused(&server().await, "/api/badge-rules", rule).await
    })
}

pub fn many_recipients() -> Outcome {
    Box::pin(async {
        let server = TestServer::start_with(Engine::Sqlite, |config| {
            config.smtp_url = Some("smtp://127.0.0.1:1?tls=none".into());
        })
        .await;
        let recipients: Vec<_> = (0..=RECIPIENTS_MAX).map(|n| format!("a{n}@example.com")).collect();
        let channel = json!({"type": "EMAIL", "name": "Mail", "events": ["channel.test"],
                             "config": {"recipients": recipients}});
        refused(&server, "/api/channels", channel).await
    })
}

fn webhook(config: &Value) -> Value {
    let mut whole = json!({"url": "http://127.0.0.1:9/"});
    whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    json!({"type": "WEBHOOK", "name": "Hook", "events": ["identity.scored"], "config": whole})
}

pub fn many_headers() -> Outcome {
    Box::pin(async {
        let headers: serde_json::Map<_, _> =
            (0..=CUSTOM_HEADERS_MAX).map(|n| (format!("X-H{n}"), json!("v"))).collect();
        refused(&server().await, "/api/channels", webhook(&json!({ "headers": headers }))).await
    })
}

pub fn large_page() -> Outcome {
    Box::pin(async {
        let server = server().await;
        refusal(server.request(Method::GET, "/api/identities?pageSize=101").bearer_auth(SECRET_KEY)).await
    })
}

pub fn long_history() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let path = "/api/identities/ada/history?limit=1001";
        refusal(server.request(Method::GET, path).bearer_auth(SECRET_KEY)).await
    })
}

pub fn large_numbers() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let mut said = String::new();
        for config in
            [json!({"maxConcurrency": 257}), json!({"ratePerSecond": 10_001}), json!({"timeoutMs": 30_001})]
        {
            said = refused(&server, "/api/channels", webhook(&config)).await;
            assert!(said.starts_with("400 "), "{config}: {said}");
        }
        said
    })
}

pub fn long_texts() -> Outcome {
    Box::pin(async {
        let server = server().await;
        server.track("e", "ada").await;
        let reason = json!({"badge": "bot", "reason": "x".repeat(1_001)});
        let note = json!({"outcome": "BAD", "note": "x".repeat(4_001)});
        let mut said = Vec::new();
        for (path, body) in [("dismiss-badge", reason), ("label", note)] {
            said.push(refused(&server, &format!("/api/identities/ada/actions/{path}"), body).await);
        }
        let search = format!("/api/search?term={}", "x".repeat(201));
        said.push(refusal(server.request(Method::GET, &search).bearer_auth(SECRET_KEY)).await);
        let named = json!({"name": "x".repeat(101), "page": "events", "query": ""});
        said.push(refused(&server, "/api/views", named).await);
        assert!(said.iter().all(|said| said.starts_with("400 ")), "{said:?}");
        said.remove(0)
    })
}

pub fn rate_of_a_credential() -> Outcome {
    Box::pin(async {
        let server = still(|config| config.credential_rate_per_second = 1).await;
        until(429, || server.request(Method::GET, "/api/identities").bearer_auth(SECRET_KEY)).await
    })
}

/// Asks for a path without a key until there were too many of the address.
async fn until_too_many(path: &str) -> String {
    let server = still(|config| config.address_rate_per_second = 1).await;
    until(429, || server.request(Method::GET, path)).await
}

pub fn rate_of_an_address() -> Outcome {
    Box::pin(until_too_many("/api/identities"))
}

pub fn rate_of_files() -> Outcome {
    Box::pin(until_too_many("/manual"))
}

pub fn rate_of_metrics() -> Outcome {
    Box::pin(until_too_many("/metrics"))
}

pub fn rate_of_probes() -> Outcome {
    Box::pin(until_too_many("/readyz"))
}

pub fn monthly_events() -> Outcome {
    Box::pin(async {
        let server = TestServer::start_with(Engine::Sqlite, |config| config.monthly_event_quota = 1).await;
        let answer = server.call(Method::POST, "/api/events", Some(event("e1", "ada"))).await;
        assert_eq!(answer.0, 200);
        let (status, said) = server.call(Method::POST, "/api/events", Some(event("e2", "ada"))).await;
        format!("{} {said}", status.as_u16())
    })
}

fn sign_in(server: &TestServer, email: &str, password: &str) -> RequestBuilder {
    let body = json!({"email": email, "password": password});
    server.request(Method::POST, "/api/auth/login").json(&body)
}

pub fn guesses_at_an_account() -> Outcome {
    Box::pin(async {
        let server = still(|config| config.login_failures_per_account = 1).await;
        until(429, || sign_in(&server, ADMIN_EMAIL, "wrong")).await
    })
}

pub fn guesses_from_a_known_place() -> Outcome {
    Box::pin(async {
        let server = still(|config| config.login_failures_per_account = 1).await;
        assert_eq!(answer(sign_in(&server, ADMIN_EMAIL, ADMIN_PASSWORD)).await.0, 200);
        until(429, || sign_in(&server, ADMIN_EMAIL, "wrong")).await
    })
}

pub fn guesses_from_an_address() -> Outcome {
    Box::pin(async {
        let server = still(|config| config.login_failures_per_address = 1).await;
        for n in 0..2 {
            answer(sign_in(&server, &format!("{n}@example.com"), "wrong")).await;
        }
        refusal(sign_in(&server, "another@example.com", "wrong")).await
    })
}

pub fn many_sessions() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let now = server.app.clock.now();
        let fill = move |tx: &mut Tx| {
            let user = users::find_by_email(tx, ADMIN_EMAIL)?.unwrap();
            let whose = (user.team_id, user.id);
            (0..SESSIONS_MAX).try_for_each(|n| {
                let begun = now.plus_millis(n - SESSIONS_MAX);
                sessions::insert(
                    tx,
                    &n.to_be_bytes(),
                    whose,
                    &Place::default(),
                    begun,
                    now.plus_millis(60_000),
                )
            })
        };
        server.app.store.write(fill).await.unwrap();
        assert_eq!(answer(sign_in(&server, ADMIN_EMAIL, ADMIN_PASSWORD)).await.0, 200);
        let count = |n: i64| {
            let hash = n.to_be_bytes();
            server.app.store.read(move |tx| Ok(sessions::holder(tx, &hash, now)?.is_some()))
        };
        assert_eq!((count(0).await.unwrap(), count(1).await.unwrap()), (false, true), "the oldest has ended");
        String::new()
    })
}

pub fn entries_of_a_dataset() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let team_id = team(&server.app).await;
        let fill = move |tx: &mut Tx| {
            tx.execute(
                "insert into dataset_entries (team_id, dataset, value, included, created_at)
                 with recursive n (x) as (select 2 union all select x + 1 from n where x < $2)
                 select $1, 'disposable-email-domains', x || '.example', 1, 0 from n",
                &values![team_id, ENTRIES_OF_DATASET_MAX],
            )
        };
        server.app.store.write(fill).await.unwrap();
        let path = "/api/datasets/disposable-email-domains/entries";
        server.post(path, json!({"value": "last.example"})).await;
        let counts = server.get("/api/datasets").await;
        let counted = counts.as_array().unwrap().iter().find(|one| one["slug"] == "disposable-email-domains");
        assert_eq!(counted.unwrap()["customerEntryCount"], ENTRIES_OF_DATASET_MAX);
        let said = refused(&server, path, json!({"value": "more.example"})).await;
        assert_eq!(said, "400 bad_request A dataset of a team has at most 10000 entries.");
        server.post("/api/datasets/common-email-domains/entries", json!({"value": "more.example"})).await;
        said
    })
}

pub fn entries_of_a_list() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let id = server.post("/api/lists", json!({"name": "L", "type": "TEXT"})).await["id"].clone();
        let fill = |tx: &mut Tx| {
            let all_but_one = values![ENTRIES_OF_LIST_MAX - 1];
            tx.execute("update lists set entry_count = $1", &all_but_one)
        };
        server.app.store.write(fill).await.unwrap();
        let path = format!("/api/lists/{id}/entries");
        server.post(&path, json!({"entries": [{"value": "last"}]})).await;
        let said = refused(&server, &path, json!({"entries": [{"value": "more"}]})).await;
        assert_eq!(said, "400 bad_request A list has at most 1000000 entries.");
        server.post(&path, json!({"entries": [{"value": "last", "comment": "is there"}]})).await;
        said
    })
}

pub fn lines_of_a_table() -> Outcome {
    Box::pin(async {
        let server = server().await;
        let id = server.post("/api/lists", json!({"name": "L", "type": "TEXT"})).await["id"].clone();
        let table = |lines: usize| (0..lines).map(|n| format!("v{n}\n")).collect::<String>();
        let path = format!("/api/lists/{id}/import");
        let taken = server.post(&path, json!({"csv": table(IMPORT_LINES_MAX)})).await;
        assert_eq!(taken["added"], IMPORT_LINES_MAX);
        refused(&server, &path, json!({"csv": table(IMPORT_LINES_MAX + 1)})).await
    })
}

pub fn many_reviews() -> Outcome {
    Box::pin(async {
        let server = server().await;
        server.track("e", "ada").await;
        let (team_id, now) = (team(&server.app).await, server.app.clock.now());
        let fill = move |tx: &mut Tx| {
            let ada = identities::find(tx, team_id, "ada")?.unwrap().row_id;
            (0..REVIEWS_MAX).try_for_each(|_| reviews::insert(tx, team_id, ada, None, now).map(drop))
        };
        server.app.store.write(fill).await.unwrap();
        server.post("/api/identities/ada/actions/review", json!({})).await;
        let kept = server.get("/api/identities/ada/reviews").await;
        assert_eq!(kept.as_array().map(Vec::len), Some(usize::try_from(REVIEWS_MAX).unwrap()));
        String::new()
    })
}
