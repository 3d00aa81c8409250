//! The vendor's published clients, and a published Standard Webhooks library, against a server.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use dregs::{ApiErrorKind, Category, Client, Event, Group};
use dregs_core::time::{DAY_MS, SECOND_MS};
use dregs_server::clock::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, eventually};

fn client(server: &TestServer, secret_key: &str) -> Client {
    let builder = Client::builder().secret_key(secret_key).base_url(server.url("/api")).max_retries(0);
    builder.build().unwrap()
}

#[tokio::test]
async fn the_rust_client_tracks_and_reads() {
    let server = TestServer::start(Engine::Sqlite).await;
    let client = client(&server, SECRET_KEY);
    let user = "ada/1@example.com";
    let event = Event::new("user.signup", user)
        .data(json!({"plan": "pro"}))
        .identity_data(json!({"email": "ada@example.com", "name": "Ada Lovelace", "username": "ada"}))
        .groups([Group::organization("acme").data(json!({"name": "Acme"})), Group::new("Team", "t1")])
        .event_id("order-1")
        .timestamp(chrono::Utc::now())
        .source("shop");
    let tracked = client.track(event.clone()).await.unwrap();
    let told = (tracked.status.as_deref(), tracked.id.as_deref(), tracked.fingerprint.as_deref());
    assert_eq!(told, (Some("success"), Some("order-1"), None));
    assert_eq!(client.track(event).await.unwrap(), tracked, "a repeat");
    assert!(client.track(Event::new("user.login", user)).await.unwrap().accepted());

    let identities = client.identities();
    let analysis = eventually("the analysis of both events", async || {
        let analysis = identities.analysis(user).await.ok()?;
        (analysis.event_count == Some(2)).then_some(analysis)
    })
    .await;
    assert_eq!(analysis.identity_id.as_deref(), Some(user));
    assert!(analysis.started_at.unwrap() <= analysis.finished_at.unwrap());
    assert_eq!(identities.analysis_cycle(user, analysis.id.unwrap()).await.unwrap(), analysis);
    for observation in analysis.observations() {
        let numbers = [observation.value, observation.confidence];
        assert!(numbers.iter().all(|n| n.is_some_and(|n| (0.0..=1.0).contains(&n))), "{observation:?}");
        assert!(
            observation.category.is_some() && observation.id.is_some() && observation.explanation.is_some()
        );
    }

    let identity = identities.get(user).await.unwrap();
    let told = (identity.id.as_deref(), identity.display_name.as_deref(), identity.display_email.as_deref());
    assert_eq!(told, (Some(user), Some("Ada Lovelace"), Some("ada@example.com")));
    assert_eq!(identity.display_username.as_deref(), Some("ada"));
    assert_eq!(
        Value::Object(identity.data.clone()),
        json!({"email": "ada@example.com", "name": "Ada Lovelace", "username": "ada"})
    );
    assert!(
        identity.created_at.is_some()
            && identity.last_tracked_at.is_some()
            && identity.last_scored_at.is_some()
    );
    let scores = identities.scores(user).await.unwrap();
    for category in [Category::Humanity, Category::Authenticity, Category::Uniqueness, Category::Behavior] {
        let value = |scores: &dregs::Scores| scores.get(category).and_then(|score| score.value);
        let (read, analysed) = (value(&scores), value(&analysis.scores));
        assert_eq!((read, value(&identity.scores())), (analysed, analysed), "{category:?}");
    }
    assert!(scores.authenticity().is_some());
}

#[tokio::test]
async fn the_rust_client_understands_refusals() {
    let server = TestServer::start(Engine::Sqlite).await;
    server.track("e1", "ada").await;
    let (known, unknown) = (client(&server, SECRET_KEY), client(&server, "sk_unknown"));
    let cases = [
        (
            known.track(Event::new("x".repeat(101), "ada")).await.unwrap_err(),
            (
                ApiErrorKind::BadRequest,
                400,
                "bad_request",
                json!([{"field": "type", "message": "must be at most 100 characters long"}]),
            ),
        ),
        (
            unknown.track(Event::new("t", "ada")).await.unwrap_err(),
            (ApiErrorKind::Authentication, 401, "unauthenticated", json!([])),
        ),
        (
            unknown.identities().get("ada").await.unwrap_err(),
            (ApiErrorKind::Authentication, 401, "unauthenticated", json!([])),
        ),
        (
            known.identities().get("nobody").await.unwrap_err(),
            (ApiErrorKind::NotFound, 404, "identity_not_found", json!([])),
        ),
        (
            known.identities().analysis_cycle("ada", 999).await.unwrap_err(),
            (ApiErrorKind::NotFound, 404, "analysis_not_found", json!([])),
        ),
    ];
    for (error, expected) in cases {
        let error = error.api_error().unwrap();
        let body = error.body.clone().unwrap();
        let told = (error.kind, error.status, body["code"].as_str().unwrap(), body["details"].clone());
        assert_eq!(told, expected);
        assert_eq!(
            (Some(error.message.as_str()), error.request_id.as_deref()),
            (body["message"].as_str(), body["requestId"].as_str())
        );
    }
}

/// Runs a script of `tests/clients` with the published Python packages.
///
/// # Panics
/// When they are not installed: a missing client fails the tests, it does not skip them.
async fn python(script: &str, input: Value) -> Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../../target/python-clients/bin/python");
    assert!(python.exists(), "run `scripts/python-clients.sh` before the tests");
    let mut child = Command::new(python)
        .arg(here.join("tests/clients").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{script} failed; its output is above");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn the_python_client_tracks_reads_and_understands_refusals() {
    let server = TestServer::start(Engine::Sqlite).await;
    let input = json!({"baseUrl": server.url("/api"), "secretKey": SECRET_KEY});
    let said = python("drive.py", input).await;
    let expected = json!({
        "tracked": ["success", "order-1", null, true],
        "generated": true,
        "identity": ["ada/1@example.com", "Ada Lovelace", "ada@example.com", false],
        "data": {"email": "ada@example.com", "name": "Ada Lovelace"},
        "times": [true, true, true],
        "scored": said["scored"],
        "scoresAgree": true,
        "analysis": ["ada/1@example.com", true, 0],
        "observations": true,
        "errors": {
            "badEvent": ["BadRequestError", 400, "bad_request", true],
            "noIdentity": ["NotFoundError", 404, "identity_not_found", true],
            "noCycle": ["NotFoundError", 404, "analysis_not_found", true],
            "stranger": ["AuthenticationError", 401, "unauthenticated", true],
            "strangerTracks": ["AuthenticationError", 401, "unauthenticated", true],
        },
    });
    assert_eq!(said, expected);
    assert!(said["scored"].as_array().unwrap().contains(&json!("AUTHENTICITY")));
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const SORRY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/// The libraries compare with the real time, so the server's clock begins a day behind it and is
/// moved there.
#[tokio::test]
async fn the_python_libraries_verify_what_is_sent() {
    let clock = Arc::new(ManualClock::at(SystemClock.now().plus_millis(-DAY_MS)));
    let server = TestServer::start_at(Engine::Sqlite, &clock).await;
    let receiver = Receiver::start(|mut conversation| async move {
        for answer in [SORRY, OK, OK, OK, OK] {
            conversation.read_request().await;
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await;
    let (id, first) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    let sent = async |count: usize, status: &str| {
        eventually(&format!("request {count}"), async || (receiver.requests().len() == count).then_some(()))
            .await;
        server.wait_for_deliveries(id, status, 1).await.remove(0)
    };
    // An attempt of yesterday, which fails; its retry a day later.
    sent(1, "PENDING").await;
    eventually("the record of the first attempt", async || {
        (server.deliveries(id).await[0]["attemptCount"] == 1).then_some(())
    })
    .await;
    clock.advance(DAY_MS);
    let delivery = sent(2, "DELIVERED").await;
    let resend = format!("/api/deliveries/{}/actions/resend", delivery["id"]);
    server.post(&resend, Value::Null).await;
    sent(3, "DELIVERED").await;
    let rotate = format!("/api/channels/{id}/actions/rotate-secret");
    let second = server.post(&rotate, json!({"overlapSeconds": 60})).await["signingSecret"].clone();
    server.post(&resend, Value::Null).await;
    sent(4, "DELIVERED").await;
    // The overlap ends, well within the five minutes that the libraries allow.
    clock.advance(60 * SECOND_MS);
    let replay = json!({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"});
    let (secrets, later) = (json!([first, second]), format!("/api/channels/{id}/actions/replay"));
    server.post(&later, replay).await;
    sent(5, "DELIVERED").await;

    let requests = receiver.requests().into_iter().map(|request| {
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        json!({
            "headers": headers.collect::<std::collections::BTreeMap<_, _>>(),
            "body": String::from_utf8(request.body).unwrap(),
        })
    });
    let said =
        python("verify.py", json!({"secrets": secrets, "requests": requests.collect::<Vec<_>>()})).await;
    let verdict = |dregs: &str, standard: &str| {
        let no = "WebhookVerificationError";
        json!({"dregs": dregs, "standard": standard, "forged": {"dregs": no, "standard": no}})
    };
    let (yes, no) = ("ok", "WebhookVerificationError");
    let expected = json!([
        // Yesterday's attempt is too old for both; with another secret nothing is right at all.
        verdict(no, no),
        verdict(no, no),
        // The retry and the resend, by the first secret.
        verdict(yes, yes),
        verdict(no, no),
        verdict(yes, yes),
        verdict(no, no),
        // During the rotation: one header by the newest secret, the other by both.
        verdict(no, yes),
        verdict(yes, yes),
        // The replay after it.
        verdict(no, no),
        verdict(yes, yes),
    ]);
    assert_eq!(said, expected);
}
