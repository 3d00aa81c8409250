//! The delivery log: filters, pages, and sending again.

use std::sync::Arc;

use dregs_core::time::{HOUR_MS, Timestamp};
use dregs_server::clock::ManualClock;
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(deliveries_are_found_by_what_they_are, lists_come_in_pages);

/// An endpoint that takes what is about ada and fails at everything else.
async fn fond_of_ada() -> Receiver {
    Receiver::start(|mut conversation| async move {
        while let Some(request) = conversation.read_request().await {
            let is_ada = String::from_utf8_lossy(&request.body).contains(r#""identityId":"ada""#);
            let status = if is_ada { "204 No Content" } else { "500 Oh" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await
}

async fn deliveries_are_found_by_what_they_are(engine: Engine) {
    let nine = Timestamp::parse("2026-11-23T09:00:00Z").unwrap();
    let clock = Arc::new(ManualClock::at(nine));
    let server = TestServer::start_at(engine, &clock).await;
    let receiver = fond_of_ada().await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    clock.advance(HOUR_MS);
    server.track("e2", "bob").await;
    eventually("bob's first attempt", async || {
        let newest = server.deliveries(id).await.into_iter().next()?;
        (newest["identityId"] == "bob" && newest["attemptCount"] == 1).then_some(())
    })
    .await;
    clock.advance(1_000);
    server.post(&format!("/api/channels/{id}/actions/test"), json!({})).await;

    let check = async |cases: &[(&str, &[&str])]| {
        for (query, expected) in cases {
            let page = server.get(&format!("/api/channels/{id}/deliveries?{query}")).await;
            let content = page["content"].as_array().unwrap();
            let found: Vec<_> = content.iter().map(|d| d["identityId"].as_str().unwrap_or("test")).collect();
            assert_eq!(&found, expected, "{query}");
            assert_eq!(page["totalElements"], expected.len(), "{query}");
        }
    };
    let of_bob = server.get("/api/identities/bob/deliveries").await;
    let newest = server.get(&format!("/api/channels/{id}/deliveries?identity=bob")).await;
    assert_eq!((&of_bob["content"], of_bob["totalElements"].as_i64()), (&newest["content"], Some(1)));
    check(&[
        ("", &["test", "bob", "ada"]),
        ("colour=red", &["test", "bob", "ada"]),
        ("status=DELIVERED", &["ada"]),
        ("status=PENDING", &["bob"]),
        ("status=FAILED", &["test"]),
        ("status=PAUSED", &[]),
        ("event=identity.scored", &["bob", "ada"]),
        ("event=CHANNEL_TEST", &["test"]),
        ("event=alert.opened", &[]),
        ("identity=ada", &["ada"]),
        ("identity=nobody", &[]),
        ("from=2026-11-23T10:00:00Z", &["test", "bob"]),
        ("to=2026-11-23T10:00:00Z", &["ada"]),
        ("from=2026-11-23T12:00:00%2B02:00&to=2026-11-23T10:00:01Z", &["bob"]),
        ("status=FAILED&event=identity.scored", &[]),
        ("status=PENDING&identity=bob&event=identity.scored&from=2026-11-23T10:00:00Z", &["bob"]),
    ])
    .await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": false})).await;
    check(&[("status=PAUSED", &["bob"]), ("status=PENDING", &[]), ("status=DELIVERED", &["ada"])]).await;
}

async fn lists_come_in_pages(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    let empty = json!({"content": [], "pageNumber": 0, "pageSize": 25, "totalPages": 0, "totalElements": 0,
                       "totalIsExact": true, "first": true, "last": true});
    assert_eq!(server.get(&format!("/api/channels/{id}/deliveries")).await, empty);
    let events: Vec<_> = (0..30).map(|n| event(&format!("e{n}"), &format!("u{n}"))).collect();
    server.post("/api/events/batch", json!(events)).await;
    server.wait_for_deliveries(id, "DELIVERED", 30).await;
    let deliveries = server.deliveries(id).await;
    // Cycles that end in one moment come by number.
    let age = |d: &Value| (d["createdAt"].as_str().unwrap().to_owned(), d["id"].as_i64().unwrap());
    assert!(deliveries.is_sorted_by(|a, b| age(a) > age(b)), "newest first: {deliveries:?}");
    let all: Vec<_> = deliveries.iter().map(|d| d["id"].as_i64().unwrap()).collect();
    let cases: [(&str, std::ops::Range<usize>, Value); 5] = [
        ("", 0..25, json!([0, 25, 2, true, false])),
        ("pageNumber=1", 25..30, json!([1, 25, 2, false, true])),
        ("pageNumber=2&pageSize=10", 20..30, json!([2, 10, 3, false, true])),
        ("pageSize=100", 0..30, json!([0, 100, 1, true, true])),
        ("pageNumber=4294967295&pageSize=100", 0..0, json!([u32::MAX, 100, 1, false, true])),
    ];
    for (query, range, expected) in cases {
        let page = server.get(&format!("/api/channels/{id}/deliveries?{query}")).await;
        let ids: Vec<_> =
            page["content"].as_array().unwrap().iter().map(|d| d["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, all[range], "{query}");
        let told =
            ["pageNumber", "pageSize", "totalPages", "first", "last"].map(|member| page[member].clone());
        assert_eq!((json!(told), &page["totalElements"]), (expected, &json!(30)), "{query}");
    }
}

#[tokio::test]
async fn an_example_names_the_identity_it_tells_of() {
    let server = TestServer::start(Engine::Sqlite).await;
    let receiver = fond_of_ada().await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    for event in ["escalation.closed", "channel.test", "identity.badges_changed", "identity.scored"] {
        server.post(&format!("/api/channels/{id}/actions/test"), json!({"event": event})).await;
    }
    let told: Vec<_> = server.deliveries(id).await;
    let told = told.iter().map(|d| json!([d["event"], d["identityId"], d["identityIsExample"]]));
    let expected = json!([
        ["IDENTITY_SCORED", "user_12345", true],
        ["IDENTITY_BADGES_CHANGED", "user_12345", true],
        ["CHANNEL_TEST", null, false],
        ["ESCALATION_CLOSED", "user_12345", true],
        ["IDENTITY_SCORED", "ada", false],
    ]);
    assert_eq!(json!(told.collect::<Vec<_>>()), expected);
    let newest = server.deliveries(id).await.remove(0);
    let log = server.get(&format!("/api/deliveries/{}", newest["id"])).await;
    let sent: Value = serde_json::from_str(log["attempts"][0]["requestBody"].as_str().unwrap()).unwrap();
    assert_eq!((&log["identityId"], &sent["identityId"]), (&json!("user_12345"), &json!("user_12345")));
}

#[tokio::test]
async fn what_is_under_way_is_not_sent_again() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (done, is_done) = tokio::sync::watch::channel(());
    let silent = Receiver::start(move |mut conversation| {
        let mut is_done = is_done.clone();
        async move {
            conversation.read_request().await;
            // Until the test is over: the sender is gone then.
            let _ = is_done.changed().await;
        }
    })
    .await;
    let (id, _) = server.channel("App", json!({"url": silent.url(), "timeoutMs": 30_000})).await;
    server.track("e1", "ada").await;
    eventually("the attempt", async || (silent.connections() == 1).then_some(())).await;
    let delivery = server.deliveries(id).await.remove(0);
    let path = format!("/api/deliveries/{}/actions/resend", delivery["id"]);
    assert_eq!(
        refusal(with_json(&server, Method::POST, &path, &Value::Null)).await,
        "409 attempt_under_way An attempt of this delivery is under way."
    );
    drop(done);
    let ended = async |attempts: u64| {
        eventually(&format!("the end of attempt {attempts}"), async || {
            (server.deliveries(id).await[0]["attemptCount"] == attempts).then_some(())
        })
        .await;
    };
    ended(1).await;
    assert_eq!(server.call(Method::POST, &path, None).await.0, 202);
    ended(2).await;
}

#[tokio::test]
async fn a_replay_says_what_it_matched_and_what_it_queued() {
    let server = TestServer::start(Engine::Sqlite).await;
    let receiver = fond_of_ada().await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    server.post(&format!("/api/channels/{id}/actions/test"), json!({})).await;
    let path = format!("/api/channels/{id}/actions/replay");
    let (early, late) = ("2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    let refused = [
        (json!({"from": early}), "to: is required"),
        (
            json!({"from": early, "to": "tomorrow"}),
            "to: must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`",
        ),
        (json!({"from": late, "to": early}), "to: must be after from"),
        (json!({"from": early, "to": early}), "to: must be after from"),
        (json!({"from": early, "to": late, "status": "PENDING"}), "status: must be DELIVERED or FAILED"),
        (json!({"from": early, "to": late, "dryRun": "yes"}), "dryRun: must be a boolean, not \"yes\""),
        (
            json!({"from": early, "to": late, "event": "x"}),
            "event: is not known here; may be from, to, status or dryRun",
        ),
    ];
    for (body, expected) in refused {
        let said = refusal(with_json(&server, Method::POST, &path, &body)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{body}");
    }
    let counted = [
        (
            json!({"from": early, "to": late, "dryRun": true}),
            json!({"matched": 2, "queued": 0, "leftOut": 0, "dryRun": true}),
        ),
        (
            json!({"from": early, "to": late, "status": "FAILED", "dryRun": true}),
            json!({"matched": 1, "queued": 0, "leftOut": 0, "dryRun": true}),
        ),
        (
            json!({"from": early, "to": "2026-01-02T00:00:00Z"}),
            json!({"matched": 0, "queued": 0, "leftOut": 0, "dryRun": false}),
        ),
        (
            json!({"from": early, "to": late, "status": "DELIVERED"}),
            json!({"matched": 1, "queued": 1, "leftOut": 0, "dryRun": false}),
        ),
    ];
    for (body, expected) in counted {
        assert_eq!(server.post(&path, body.clone()).await, expected, "{body}");
    }
    eventually("the second request about ada", async || (receiver.requests().len() == 3).then_some(())).await;
}
