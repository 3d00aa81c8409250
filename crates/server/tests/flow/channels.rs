//! What people do to channels, and what that does to deliveries.

use std::time::Duration;

use dregs_core::notify::catalogue;
use dregs_core::notify::message::EventType;
use dregs_core::time::Timestamp;
use dregs_server::ops::installation::master_key;
use dregs_server::store::{Tx, settings};
use dregs_server::values;
use dregs_server::vault::Vault;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{Ground, TestServer, eventually};

on_both_engines!(
    a_disabled_channel_keeps_its_deliveries_and_sends_them_when_enabled,
    a_disabled_channel_can_skip_what_waited,
    a_channel_hears_only_what_it_subscribed_to,
    a_test_answers_its_attempt,
    a_removed_channel_takes_its_deliveries_along,
    concurrency_and_rate_are_kept,
    a_slow_endpoint_holds_up_nobody_else,
    what_waits_in_memory_is_sent_after_a_restart,
    another_master_key_opens_nothing,
    nothing_is_sent_unsigned,
);

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

async fn disable_and_track(server: &TestServer, receiver: &Receiver) -> i64 {
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": false})).await;
    server.track("e1", "ada").await;
    server.track("e2", "bob").await;
    server.wait_for_deliveries(id, "PAUSED", 2).await;
    id
}

async fn a_disabled_channel_keeps_its_deliveries_and_sends_them_when_enabled(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let id = disable_and_track(&server, &receiver).await;
    assert_eq!(
        server.get(&format!("/api/channels/{id}/deliveries?status=PENDING")).await["totalElements"],
        0
    );
    assert_eq!(receiver.requests().len(), 0);
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": true})).await;
    server.wait_for_deliveries(id, "DELIVERED", 2).await;
}

async fn a_disabled_channel_can_skip_what_waited(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let id = disable_and_track(&server, &receiver).await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": true, "onResume": "SKIP"})).await;
    let skipped = server.wait_for_deliveries(id, "FAILED", 2).await;
    assert_eq!((&skipped[0]["errorClass"], &skipped[0]["attemptCount"]), (&json!("skipped"), &json!(0)));
    server.track("e3", "eve").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    assert_eq!(receiver.requests().len(), 1);
}

async fn a_channel_hears_only_what_it_subscribed_to(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let body = json!({"type": "WEBHOOK", "name": "Alerts", "events": ["alert.opened", "ESCALATION_CLOSED"],
                      "config": {"url": receiver.url()}});
    let alerts = server.post("/api/channels", body).await;
    assert_eq!(alerts["events"], json!(["ESCALATION_OPENED", "ESCALATION_CLOSED"]));
    let (scores, _) = server.channel("Scores", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    server.wait_for_deliveries(scores, "DELIVERED", 1).await;
    assert_eq!(server.deliveries(alerts["id"].as_i64().unwrap()).await, Vec::<Value>::new());
}

async fn a_test_answers_its_attempt(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": false})).await;
    let path = format!("/api/channels/{id}/actions/test");
    let attempt = server.post(&path, Value::Null).await;
    let told = [&attempt["attempt"], &attempt["trigger"], &attempt["status"], &attempt["httpStatus"]];
    assert_eq!(json!(told), json!([1, "TEST", "DELIVERED", 204]));
    for event in EventType::ALL {
        let attempt = server.post(&path, json!({"event": event.dotted()})).await;
        let body: Value = serde_json::from_str(attempt["requestBody"].as_str().unwrap()).unwrap();
        assert_eq!((&body["event"], &attempt["status"]), (&json!(event.name()), &json!("DELIVERED")));
        // As any other of its type: what the schema requires is there.
        assert_eq!(members(&body), members(&catalogue::entry(event).example), "{event:?}");
    }
    let gone = Receiver::answering(OK).await.url();
    server.patch(&format!("/api/channels/{id}"), json!({"config": {"url": gone}})).await;
    let attempt = server.post(&path, Value::Null).await;
    assert_eq!((&attempt["status"], &attempt["errorClass"]), (&json!("FAILED"), &json!("connect")));
    let log = server.get(&format!("/api/deliveries/{}", attempt["deliveryId"])).await;
    assert_eq!((&log["status"], log["attempts"].as_array().unwrap().len()), (&json!("FAILED"), 1));
}

/// The names of all members that are there, whatever they hold.
fn members(body: &Value) -> Vec<String> {
    let names =
        |value: &Value| value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let parts = [body, &body["data"], &body["data"]["scores"], &body["data"]["previousScores"]];
    parts.into_iter().flat_map(|part| -> Vec<String> { names(part) }).collect()
}

async fn a_removed_channel_takes_its_deliveries_along(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    let delivery = server.wait_for_deliveries(id, "DELIVERED", 1).await.remove(0);
    let path = format!("/api/channels/{id}");
    assert_eq!(server.call(reqwest::Method::DELETE, &path, None).await.0, 204);
    for path in [path, format!("/api/deliveries/{}", delivery["id"])] {
        assert_eq!(server.call(reqwest::Method::GET, &path, None).await.0, 404, "{path}");
    }
    let left = server
        .app
        .store
        .read(|tx| tx.get("select count(*) from deliveries", &[], |row| row.get::<i64>(0)))
        .await;
    assert_eq!(left.unwrap(), 0);
}

async fn concurrency_and_rate_are_kept(engine: Engine) {
    let server = TestServer::start(engine).await;
    let slow = Receiver::start(|mut conversation| async move {
        while conversation.read_request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(300)).await;
            conversation.send(OK.as_bytes()).await;
        }
    })
    .await;
    let quick = Receiver::answering(OK).await;
    let (narrow, _) = server.channel("Narrow", json!({"url": slow.url(), "maxConcurrency": 2})).await;
    let (limited, _) = server.channel("Limited", json!({"url": quick.url(), "ratePerSecond": 10})).await;
    let events: Vec<_> =
        (0..8).map(|n| crate::support::server::event(&format!("e{n}"), &format!("u{n}"))).collect();
    let begun = tokio::time::Instant::now();
    server.post("/api/events/batch", json!(events)).await;
    server.wait_for_deliveries(limited, "DELIVERED", 8).await;
    assert!(begun.elapsed() >= Duration::from_millis(650), "8 at 10 a second took {:?}", begun.elapsed());
    server.wait_for_deliveries(narrow, "DELIVERED", 8).await;
    assert!(begun.elapsed() >= Duration::from_millis(1_200), "8 by twos took {:?}", begun.elapsed());
    assert_eq!(slow.connections(), 2);
}

async fn a_slow_endpoint_holds_up_nobody_else(engine: Engine) {
    let server = TestServer::start(engine).await;
    let silent = Receiver::start(|mut conversation| async move {
        conversation.wait_for_end().await;
    })
    .await;
    for n in 0..50 {
        server.channel(&format!("Silent {n}"), json!({"url": silent.url(), "maxConcurrency": 2})).await;
    }
    let healthy = Receiver::answering(OK).await;
    let (id, _) = server.channel("Healthy", json!({"url": healthy.url()})).await;
    for n in 0..20 {
        let begun = tokio::time::Instant::now();
        server.track(&format!("e{n}"), &format!("u{n}")).await;
        eventually("the healthy channel", async || (healthy.requests().len() > n).then_some(())).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "event {n} took {:?}", begun.elapsed());
    }
    server.wait_for_deliveries(id, "DELIVERED", 20).await;
}

async fn what_waits_in_memory_is_sent_after_a_restart(engine: Engine) {
    let ground = Ground::new(engine);
    let clock = || std::sync::Arc::new(dregs_server::clock::SystemClock);
    let server = TestServer::start_on(ground, clock(), |_| {}).await;
    let slow = Receiver::start(|mut conversation| async move {
        while conversation.read_request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            conversation.send(OK.as_bytes()).await;
        }
    })
    .await;
    let (id, _) = server.channel("App", json!({"url": slow.url(), "maxConcurrency": 1})).await;
    let events: Vec<_> =
        (0..10).map(|n| crate::support::server::event(&format!("e{n}"), &format!("u{n}"))).collect();
    server.post("/api/events/batch", json!(events)).await;
    eventually("the first request", async || slow.requests().first().cloned()).await;
    let ground = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    assert!(slow.requests().len() < 10);
    let server = TestServer::start_on(ground, clock(), |_| {}).await;
    let log = server.wait_for_deliveries(id, "DELIVERED", 10).await;
    // A stop in good order leaves no attempt unknown, so that nothing is sent twice.
    assert_eq!(slow.requests().len(), 10);
    assert!(log.iter().all(|delivery| delivery["attemptCount"] == 1), "{log:?}");
}

async fn another_master_key_opens_nothing(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    server.channel("App", json!({"url": receiver.url()})).await;
    let now = Timestamp::from_millis(1_795_426_200_000);
    let (store, other) = (&server.app.store, Vault::new([9; 32]));
    assert_eq!(master_key::fits(store, &other, now).await.unwrap(), None);
    // A database from before there was a check.
    store.write(|tx| settings::delete(tx, "master_key_check")).await.unwrap();
    assert_eq!(master_key::fits(store, &other, now).await.unwrap(), None);
    assert!(master_key::fits(store, server.app.vault().unwrap(), now).await.unwrap().is_some());
    assert_eq!(master_key::fits(store, &other, now).await.unwrap(), None);
}

async fn nothing_is_sent_unsigned(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    let damage = |tx: &mut Tx| tx.execute("update channel_secrets set secret = $1", &values![&b"?"[..]]);
    server.app.store.write(damage).await.unwrap();
    server.app.kept.reload_channels(server.app.clock.now()).await.unwrap();
    server.track("e1", "ada").await;
    let words = "the channel has no signing secret that can be read, and nothing is sent unsigned";
    eventually("a failure that says why", async || {
        let delivery = server.deliveries(id).await.pop()?;
        (delivery["errorMessage"] == words).then_some(())
    })
    .await;
    assert_eq!(receiver.requests().len(), 0);
}
