//! Exports of people who have much, and who does not wait for them.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{session, team};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer};

const PATIENCE: Duration = Duration::from_secs(20);
/// More than two pages of either.
const DEVICES: usize = 1_100;
const GROUPS: usize = 1_050;

#[tokio::test]
async fn an_export_has_every_device_and_every_group() {
    let server = TestServer::start(Engine::Sqlite).await;
    let event = |n: usize| {
        let groups: Vec<_> =
            [n].into_iter().filter(|n| *n < GROUPS).map(|n| json!({"id": format!("g{n}")})).collect();
        json!({"type": "t", "identity": {"id": "ada"}, "device": {"fingerprint": format!("f{n}")}, "groups": groups})
    };
    for begin in [0, 1_000] {
        let end = DEVICES.min(begin + 1_000);
        server.post("/api/events/batch", json!((begin..end).map(event).collect::<Vec<_>>())).await;
    }
    let export = server.get("/api/identities/ada/export").await;
    let ids = |list: &str, field: &str| {
        let mut ids: Vec<_> = export[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[field].as_str().unwrap()[1..].parse::<usize>().unwrap())
            .collect();
        ids.sort_unstable();
        ids
    };
    assert!(ids("devices", "fingerprint").into_iter().eq(0..DEVICES));
    assert!(ids("groups", "id").into_iter().eq(0..GROUPS));
    assert_eq!(export["events"].as_array().map(Vec::len), Some(DEVICES));
    let page = server.get("/api/devices?identity=ada&pageSize=100&pageNumber=10").await;
    assert_eq!(
        (page["content"].as_array().map(Vec::len), &page["totalElements"]),
        (Some(100), &json!(DEVICES))
    );
}

/// What looks at much, or scores many: it waits its turn, part by part, so that one reader is left for everybody else.
fn long_reads() -> Vec<(Method, &'static str, Value)> {
    let condition = json!([{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}]);
    let get = |path| (Method::GET, path, Value::Null);
    let post = |path, body| (Method::POST, path, body);
    vec![
        get("/api/identities/ada/export"),
        get("/api/identities.csv"),
        get("/api/identities/ada/links"),
        get("/api/identities/ada/cluster"),
        get("/api/identities/ada/ring"),
        get("/api/identities/ada/history"),
        get("/api/search?term=203.0.113.7"),
        get("/api/identities?term=203.0.113.7"),
        get("/api/identities?device=d1"),
        get("/api/identities?badge=registration-bombing"),
        get("/api/events?pageNumber=1000000"),
        get("/api/identities/ada/deliveries?pageNumber=1000000"),
        get("/api/channels/1/deliveries?pageNumber=1000000"),
        get("/api/channels/1/activity"),
        get("/api/escalations?pageNumber=1000000"),
        get("/api/escalations/waves"),
        post("/api/escalations/bulk-changes/actions/preview", json!({"filter": {}, "status": "CLOSED"})),
        get("/api/labels?pageNumber=1000000"),
        get("/api/labels/accuracy"),
        get("/api/labels/accuracy/rules/1"),
        get("/api/escalation-rules/1/comparison?revision=1"),
        get("/api/audit-log?pageNumber=1000000"),
        get("/api/dashboard/rule-activity"),
        get("/api/dashboard/decisions"),
        get("/api/datasets"),
        get("/api/datasets/relay-email-domains/entries?scope=CUSTOMER"),
        get("/api/mappings/seen?kind=IDENTITY_FIELD"),
        post("/api/identities/ada/actions/preview-disregard", json!({"disregarded": true})),
        post("/api/identities/ada/actions/preview-label", json!({"outcome": "BAD"})),
        post("/api/mappings/actions/preview", json!({"kind": "EVENT_TYPE", "source": "user.signup"})),
        post("/api/escalation-rules/actions/preview", json!({"conditions": condition})),
        post("/api/escalation-rules/actions/backtest", json!({"conditions": condition})),
        post("/api/badge-rules/actions/backtest", json!({"conditions": condition})),
        post(
            "/api/counters/actions/preview",
            json!({"function": "COUNT", "per": "device", "windowSeconds": 3_600}),
        ),
        post(
            "/api/channels/1/actions/replay",
            json!({"from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z", "dryRun": true}),
        ),
        post(
            "/api/retention/actions/preview",
            json!({"events": {"days": 90}, "analyses": {"days": 90}, "deliveries": {"days": 90}, "auditLog": {"days": null}}),
        ),
    ]
}

/// What people wait for while they work.
const QUICK: [&str; 12] = [
    "/api/auth/me",
    "/api/identities",
    "/api/identities?term=Ada",
    "/api/identities/ada",
    "/api/search?term=Ada",
    "/api/devices",
    "/api/groups",
    "/api/events",
    "/api/escalations",
    "/api/escalations/summary",
    "/api/channels/1/deliveries",
    "/api/dashboard/stats",
];

#[tokio::test]
async fn nobody_waits_for_the_exports_and_the_long_reads_of_others() {
    let server = Arc::new(TestServer::start(Engine::Sqlite).await);
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let first = json!({"id": "e1", "type": "user.signup", "ip": "203.0.113.7", "device": {"fingerprint": "d1"},
                       "identity": {"id": "ada", "data": {"name": "Ada"}}});
    server.post("/api/events", first).await;
    server.channel("Hook", json!({"url": "http://127.0.0.1:9/"})).await;
    let (release, held) = mpsc::channel::<()>();
    // A part that takes as long as it is let.
    let app = Arc::clone(&server.app);
    let part = tokio::spawn(async move { app.long_reads.read(move |_| Ok(held.recv().is_err())).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut waiting = Vec::new();
    for (method, path, body) in long_reads() {
        // Each several times: more than there are readers.
        for _ in 0..3 {
            let request = server.request(method.clone(), path).bearer_auth(&admin);
            let request = if body.is_null() { request } else { request.json(&body) };
            // Read to the end: an export is answered before it is read.
            let asked = tokio::spawn(async move {
                let answer = request.send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            });
            waiting.push((path, asked));
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for path in QUICK {
        let asked = answer(server.request(Method::GET, path).bearer_auth(&admin));
        let (status, said): (_, Value) =
            timeout(PATIENCE, asked).await.expect("an answer while long reads wait");
        assert_eq!(status, 200, "{path}: {said}");
    }
    let hasty: Vec<_> =
        waiting.iter().filter(|(_, asked)| asked.is_finished()).map(|(path, _)| path).collect();
    assert_eq!(hasty, Vec::<&&str>::new(), "read without waiting for their turn");
    drop(release);
    assert!(timeout(PATIENCE, part).await.expect("the part ends").unwrap().unwrap());
    for (path, asked) in waiting {
        let (status, said) = timeout(PATIENCE, asked).await.expect("an answer in its turn").unwrap();
        assert_eq!(status, 200, "{path}: {said}");
    }
}
