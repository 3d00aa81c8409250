//! What every answer has, whatever was asked.

use dregs_core::state::IdentityState;
use dregs_core::time::HOUR_MS;
use dregs_server::store::Tx;
use dregs_server::store::identities::{self, TrackedWrite};
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, team};
use crate::support::engine::Engine;
use crate::support::server::{PUBLIC_KEY, SECRET_KEY, TestServer, event};

#[tokio::test]
async fn every_answer_has_the_callers_request_id_or_one_of_ours() {
    let server = TestServer::start(Engine::Sqlite).await;
    let too_long = "x".repeat(129);
    let paths = [
        "/api/event-types",
        "/api/nothing",
        "/nothing",
        "/api/events",
        "/healthz",
        "/metrics",
        "/api/openapi.json",
    ];
    for path in paths {
        for given in ["req-1", "A.b:c_9", &too_long, "with space", "ü"] {
            let request = server.request(Method::GET, path).bearer_auth(SECRET_KEY);
            let response = request.header("X-Request-Id", given.as_bytes()).send().await.unwrap();
            let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
            let is_ours = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_sane = given.starts_with(['r', 'A']);
            assert!(if is_sane { id == given } else { is_ours }, "{path}: {given:?} became {id:?}");
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_form_of_all_errors() {
    let server = TestServer::start(Engine::Sqlite).await;
    let no_path =
        "404 not_found There is no such path; /api/docs lists those of the API, and /manual explains them.";
    let no_method =
        "405 method_not_allowed This path has no such method; the header Allow names those that it has.";
    let cases = [
        (Method::POST, "/", no_path),
        (Method::GET, "/api/nothing", no_path),
        (Method::POST, "/api/nothing", no_path),
        (Method::POST, "/api/channels/", no_path),
        (Method::POST, "/api/events/", no_path),
        (Method::PUT, "/api/channels", no_method),
        (Method::DELETE, "/api/events", no_method),
        (Method::OPTIONS, "/api/channels", no_method),
        (Method::POST, "/healthz", no_method),
        (Method::POST, "/api/openapi.json", no_method),
    ];
    for (method, path, expected) in cases {
        let said = refusal(server.request(method.clone(), path).bearer_auth(SECRET_KEY)).await;
        assert_eq!(said, expected, "{method} {path}");
    }
    let response = server.request(Method::PUT, "/api/channels").send().await.unwrap();
    let mut allowed: Vec<_> = response.headers()["allow"].to_str().unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn fields_that_events_do_not_have_are_ignored_counted_and_named() {
    let server = TestServer::start(Engine::Sqlite).await;
    let count = async || {
        let metrics = server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix("dregs_event_fields_ignored_total "));
        line.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    let before = count().await;
    let mut newer = event("e1", "ada");
    newer["colour"] = json!("red");
    newer["identity"]["tier"] = json!(3);
    newer["useragent"] = json!("curl/8");
    let answer = server.post("/api/events", newer.clone()).await;
    assert_eq!(answer["ignoredFields"], json!(["identity.tier", "colour", "useragent"]));
    let mut many = event("e2", "ada");
    for n in 0..40 {
        many[format!("extra{n}")] = json!(n);
    }
    let answers = server.post("/api/events/batch", json!([newer, event("e3", "ada"), many])).await;
    assert_eq!(answers[0], answer, "a repeated event is answered as the first");
    assert_eq!(answers[1], json!({"status": "success", "id": "e3", "fingerprint": null}));
    assert_eq!(answers[2]["ignoredFields"].as_array().map(Vec::len), Some(10));
    // The recorder is the process's, and other tests send events too, though none like this one.
    assert!(count().await >= before + 3 + 3 + 40);
}

#[tokio::test]
async fn a_missing_or_malformed_key_is_answered_with_how_to_send_one() {
    let server = TestServer::start(Engine::Sqlite).await;
    let none = "401 unauthenticated This needs a key or a session, as \"Authorization: Bearer …\".";
    let other = "401 unauthenticated The header Authorization has no key: send \"Authorization: Bearer \" and the key. Is the variable that \
        holds it set where this is sent from?";
    let shortened = "401 unauthenticated The header Authorization has characters that no key has. Keys are shown \
                     shortened, with an ellipsis: copy it whole.";
    let cut = "401 unauthenticated The key is unknown or has been revoked. It is not as long as those that are made here: if it is one of them, copy it whole.";
    let neither = "401 unauthenticated This is no key, which begins with sk_ or pk_, and no session.";
    let basic = format!("Basic {SECRET_KEY}");
    let revoked = format!("Bearer sk_{}", "0123456789abcdef".repeat(4));
    let cases = [
        (None, none),
        (Some("Bearer"), other),
        (Some("Bearer  "), other),
        (Some(SECRET_KEY), other),
        (Some(&basic), other),
        (Some("Bearer sk_a1b2…"), shortened),
        (Some("Bearer sk_a1b2..."), cut),
        (Some(&revoked[..revoked.len() - 1]), cut),
        (Some("Bearer $DREGS_SECRET_KEY"), neither),
        (Some("Bearer <your key>"), neither),
        (Some(&revoked), "401 unauthenticated The key is unknown or has been revoked."),
    ];
    for (header, expected) in cases {
        for (method, path) in [(Method::POST, "/api/events"), (Method::GET, "/api/channels")] {
            let mut request = server.request(method, path);
            if let Some(header) = header {
                request = request.header("Authorization", header.as_bytes());
            }
            let response = request.try_clone().unwrap().send().await.unwrap();
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            assert_eq!(refusal(request).await, expected, "{header:?}");
        }
    }
    let lower =
        server.request(Method::GET, "/api/channels").header("authorization", format!("bearer {SECRET_KEY}"));
    assert_eq!(lower.send().await.unwrap().status(), 200);
    let public = server.request(Method::GET, "/api/channels").bearer_auth(PUBLIC_KEY);
    assert_eq!(
        refusal(public).await,
        "403 public_key_not_allowed A public key may only send events. This needs the secret key of the same credential."
    );
}

/// Who is known and waits for a first cycle is another case than who is not known: the answer says what to wait for.
#[tokio::test]
async fn who_is_not_scored_yet_has_no_analysis_and_the_answer_says_that() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (team_id, now) = (team(&server.app).await, server.app.clock.now());
    let shard = server.app.key_hasher.shard(team_id, &["ada"]);
    let insert = move |tx: &mut Tx| {
        let write = TrackedWrite {
            row: None,
            shard,
            team_id,
            external_id: "ada".into(),
            tracked_at: now,
            first_seen_at: now,
            // Long after the test.
            evaluate_at: now.plus_millis(HOUR_MS),
            display_name: None,
            display_email: None,
            display_username: None,
            state: IdentityState::default().encode(),
            data: "{}".into(),
            trace: Default::default(),
        };
        identities::save_tracked(tx, &[write])
    };
    server.app.store.write(insert).await.unwrap();
    assert_eq!(server.get("/api/identities/ada").await["lastScoredAt"], Value::Null);
    assert_eq!(server.get("/api/identities/ada/scores").await, json!([]));
    let read = |path: &str| refusal(server.request(Method::GET, path).bearer_auth(SECRET_KEY));
    let waits = "404 analysis_not_found This identity is not scored yet: its first cycle runs about a second after its first event.";
    assert_eq!(read("/api/identities/ada/analysis").await, waits);
    let none = "404 analysis_not_found There is no such cycle of this identity.";
    assert_eq!(read("/api/identities/ada/analysis/1").await, none);
    let unknown = "404 identity_not_found There is no such identity.";
    assert_eq!(read("/api/identities/bob/analysis").await, unknown);
}
