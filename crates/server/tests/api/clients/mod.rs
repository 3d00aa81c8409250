//! The vendor's published clients, and a published Standard Webhooks library, against a server.

mod agent;
mod generated;
mod rust;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use dregs_core::time::{DAY_MS, SECOND_MS};
use dregs_server::clock::{Clock, ManualClock, SystemClock};
use dregs_server::store::escalations::Severity;
use dregs_server::store::users::Role;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{RULE, escalation, session, team};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, eventually};

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

/// Addresses that nobody takes for one person's.
fn email(number: usize) -> String {
    format!("{}.user@example.com", char::from(b'a' + number as u8))
}

/// The identity that most of the story is about.
const ADA: &str = "ada@example.com";
/// Ids as customers have them.
const IDS: [&str; 7] = [ADA, "a/b", "50%25 off", "with space", "emoji 🦊", "plus+and&=?#", "ünï"];

/// What a client finds: seven identities, two of them on one device; and servers that refuse.
struct Scene {
    server: TestServer,
    full: TestServer,
    busy: TestServer,
    broken: TestServer,
    /// The token of somebody who may only read.
    viewer: String,
    escalation: i64,
    rule: i64,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start(Engine::Sqlite).await;
        for (number, id) in IDS.iter().enumerate() {
            let device = if number < 2 { "f/1".to_owned() } else { format!("d{number}") };
            let event = json!({
                "type": "user.signup",
                "id": format!("e{number}"),
                "identity": {"id": id, "data": {"email": email(number), "name": format!("User {number}")}},
                "groups": [{"type": "Team", "id": "t/1", "data": {"name": "Team One"}}],
                "device": {"fingerprint": device},
                "session": format!("s{number}"),
                "ip": format!("203.0.113.{number}"),
                "url": format!("https://shop.test/{number}"),
                "userAgent": format!("Browser/{number}"),
            });
            server.post("/api/events", event).await;
        }
        let viewer = session(&server.app, team(&server.app).await, Role::Viewer).await;
        let escalation = escalation(&server.app, ADA, Severity::Critical).await;
        super::escalation(&server.app, "a/b", Severity::Warning).await;
        let full = TestServer::start_with(Engine::Sqlite, |config| config.monthly_event_quota = 1).await;
        full.track("e1", "ada").await;
        let busy =
            TestServer::start_with(Engine::Sqlite, |config| config.credential_rate_per_second = 1).await;
        let broken = TestServer::start(Engine::Sqlite).await;
        broken.track("e1", "ada").await;
        broken.app.store.write(|tx| tx.batch("drop table identity_keys")).await.unwrap();
        Self { server, full, busy, broken, viewer, escalation, rule: RULE }
    }

    fn base_url(&self) -> String {
        self.server.url("/api")
    }

    /// Servers that are over their quota, asked too often, and damaged.
    fn refusing(&self) -> [String; 3] {
        [&self.full, &self.busy, &self.broken].map(|server| server.url("/api"))
    }
}

/// What every client makes of the story.
fn expected() -> Value {
    let everyone = ["50%25 off", "a/b", ADA, "emoji 🦊", "plus+and&=?#", "with space", "ünï"];
    let numbers = [2, 1, 0, 4, 5, 3, 6];
    let not_found = |code: &str| json!(["NotFoundError", 404, code, true, false]);
    json!({
        "tracked": ["success", "order 1/%🦊", null, true, true, true],
        "identities": {
            "every": everyone,
            "page": [[3, 1, 3, 3, 7, false, false], ["emoji 🦊", "plus+and&=?#", "with space"]],
            "newestFirst": true,
            "filtered": {
                "term": [1, ["with space"]],
                "group": [7, everyone],
                "device": [2, ["a/b", ADA]],
                "badge": [0, []],
            },
            "ofGroupType": 7,
            "emails": numbers.map(email),
            "names": numbers.map(|number| format!("User {number}")),
            "scored": true,
            "scoresAgree": true,
            "analysis": [ADA, 3, 1],
            "cycle": true,
            "observations": true,
            "history": [[true, 3, true]],
            "links": [["a/b", "SAME_DEVICE", true, true, true, true]],
            "analyzed": null,
            "changed": ["a/b", true, "pro"],
            "review": [ADA, "PENDING", "This is a customer of many years.", null],
            "reviews": [[true, "FINISHED", true, "built-in", null]],
        },
        "groups": {
            "made": ["work_space", "g 1/%", "Acme", 0, {"name": "Acme", "plan": "pro"}],
            "merged": {"name": "Acme", "seats": 5},
            "changed": {"name": "Acme", "seats": 6},
            "added": [null, 1],
            "ofIdentity": [["work_space", "g 1/%", {}], ["team", "t/1", {}]],
            "removed": [null, 0],
            "every": ["acme", "g 1/%", "g2", "t/1"],
            "byTerm": ["acme", "g 1/%"],
            "ofTeam": 7,
        },
        "events": {
            "one": ["order 1/%🦊", "order.placed", "shop", {"total": 12, "cardNumber": "[REDACTED]"}, null, null, true],
            "identity": [ADA, "User 0", "/identities/ada%40example.com"],
            "groups": [
                ["organization", "acme", "Acme", "/groups/organization/acme"],
                ["team", "t/1", "Team One", "/groups/team/t%2F1"],
            ],
            "canonical": "PURCHASE",
            "found": {
                "identity": ["e0", "generated", "order 1/%🦊"],
                "group": ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "order 1/%🦊"],
                "groupType": ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "order 1/%🦊"],
                "device": ["e0", "e1"],
                "session": ["e3"],
                "term": ["order 1/%🦊"],
            },
            "every": 9,
            "inOrder": true,
            "browser": ["s3", "203.0.113.3", "https://shop.test/3"],
        },
        "devices": {
            "one": ["f/1", "203.0.113.1", "Browser/1", false, true],
            "changed": true,
            "back": false,
            "every": ["d2", "d3", "d4", "d5", "d6", "f/1"],
            "ofIdentity": ["f/1"],
            "byTerm": ["d4"],
        },
        "escalations": {
            "one": ["OPEN", "CRITICAL", ADA, "/identities/ada%40example.com", RULE.to_string(), "Low humanity", {"AUTHENTICITY": null, "BEHAVIOR": null, "HUMANITY": 12, "UNIQUENESS": null}, null],
            "found": [true],
            "every": 2,
            "none": 0,
            "changed": ["ACKNOWLEDGED", true],
            "summaries": [[2, 0, 0], [1, 1, 0]],
        },
        "errors": {
            "badEvent": ["BadRequestError", 400, "bad_request", true, false],
            "badSort": ["BadRequestError", 400, "bad_request", true, false],
            "stranger": ["AuthenticationError", 401, "unauthenticated", true, false],
            "full": ["QuotaExceededError", 402, "quota_exceeded", true, false],
            "viewer": ["PermissionDeniedError", 403, "forbidden", true, false],
            "noIdentity": not_found("identity_not_found"),
            "noCycle": not_found("analysis_not_found"),
            "noGroup": not_found("group_not_found"),
            "noEvent": not_found("event_not_found"),
            "noDevice": not_found("device_not_found"),
            "noEscalation": not_found("escalation_not_found"),
            "busy": ["RateLimitError", 429, "rate_limited", true, true],
            "broken": ["ServerError", 500, "internal", true, false],
        },
        "notCalled": [],
    })
}

/// In lines, so that a difference is seen.
fn pretty(said: &Value) -> String {
    serde_json::to_string_pretty(said).unwrap()
}

async fn the_python_client_can_do_all_it_can_do(flavour: &str) {
    let scene = Scene::set().await;
    let [full, busy, broken] = scene.refusing();
    let input = json!({
        "flavour": flavour,
        "baseUrl": scene.base_url(),
        "secretKey": SECRET_KEY,
        "viewer": scene.viewer,
        "escalation": scene.escalation,
        "rule": scene.rule,
        "fullUrl": full,
        "busyUrl": busy,
        "brokenUrl": broken,
    });
    assert_eq!(pretty(&python("drive.py", input).await), pretty(&expected()));
}

#[tokio::test]
async fn the_blocking_python_client_can_do_all_it_can_do() {
    the_python_client_can_do_all_it_can_do("blocking").await;
}

#[tokio::test]
async fn the_asynchronous_python_client_can_do_all_it_can_do() {
    the_python_client_can_do_all_it_can_do("async").await;
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
