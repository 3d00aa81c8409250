//! The delivery log while an endpoint is down: what failed and is tried again, what is held back, and what is sent again.

use std::sync::Arc;

use dregs_core::time::Timestamp;
use dregs_server::clock::ManualClock;
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, eventually};

on_both_engines!(
    what_failed_is_found_while_it_is_tried_again,
    how_a_channel_has_done_is_told_by_interval,
    an_attempt_that_is_under_way_is_told_as_such
);

/// An endpoint that takes what is about ada and refuses everything else.
async fn fond_of_ada() -> Receiver {
    Receiver::start(|mut conversation| async move {
        while let Some(request) = conversation.read_request().await {
            let is_ada = String::from_utf8_lossy(&request.body).contains(r#""identityId":"ada""#);
            let status = if is_ada { "204 No Content" } else { "503 Service Unavailable" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await
}

/// A channel to which ada's delivery has arrived, and bob's has failed once.
async fn begin(engine: Engine, clock: &Arc<ManualClock>) -> (TestServer, Receiver, i64) {
    let server = TestServer::start_at(engine, clock).await;
    let receiver = fond_of_ada().await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    server.wait_for_deliveries(id, "DELIVERED", 1).await;
    server.track("e2", "bob").await;
    attempted(&server, id, "bob").await;
    (server, receiver, id)
}

async fn attempted(server: &TestServer, channel_id: i64, identity: &str) -> Value {
    eventually(&format!("an attempt about {identity}"), async || {
        let deliveries = server.deliveries(channel_id).await;
        deliveries.into_iter().find(|d| d["identityId"] == identity && d["attemptCount"] == 1)
    })
    .await
}

fn nine() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()))
}

async fn what_failed_is_found_while_it_is_tried_again(engine: Engine) {
    let (server, _receiver, id) = begin(engine, &nine()).await;
    let check = async |cases: &[(&str, &[&str])]| {
        for (query, expected) in cases {
            let page = server.get(&format!("/api/channels/{id}/deliveries?{query}")).await;
            let content = page["content"].as_array().unwrap();
            let mut found: Vec<_> = content.iter().map(|d| d["identityId"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(
                (&found[..], page["totalElements"].as_u64()),
                (*expected, Some(expected.len() as u64)),
                "{query}"
            );
        }
    };
    let waits = async || {
        let deliveries = server.deliveries(id).await;
        let mut waits: Vec<_> = deliveries.iter().map(|d| json!([d["identityId"], d["waitsFor"]])).collect();
        waits.sort_by_key(Value::to_string);
        json!(waits)
    };
    assert_eq!(waits().await, json!([["ada", null], ["bob", "RETRYING"]]));
    let due_since = async || server.get(&format!("/api/channels/{id}")).await["health"]["dueSince"].clone();
    assert_eq!(due_since().await, Value::Null, "what is due later");
    check(&[
        ("status=RETRYING", &["bob"]),
        ("status=HELD", &[]),
        ("status=PENDING", &["bob"]),
        ("httpStatus=503", &["bob"]),
        ("httpStatus=5xx", &["bob"]),
        ("httpStatus=4XX", &[]),
        ("httpStatus=204", &["ada"]),
        ("httpStatus=2xx", &["ada"]),
        ("httpStatus=200", &[]),
        ("errorClass=http_status", &["bob"]),
        ("errorClass=timeout", &[]),
        ("error=503", &["bob"]),
        ("error=SERVICE%20UNAVAIL", &["bob"]),
        ("error=%25", &[]),
        ("error=_", &[]),
        ("error=!", &[]),
        ("status=RETRYING&httpStatus=503&errorClass=http_status&error=503&event=identity.scored&identity=bob", &["bob"]),
        ("status=RETRYING&identity=ada", &[]),
        ("status=DELIVERED&httpStatus=503", &[]),
        ("status=DELIVERED&httpStatus=204&event=identity.scored", &["ada"]),
        ("errorClass=http_status&from=2026-11-24T00:00:00Z", &[]),
        ("httpStatus=503&event=CHANNEL_TEST", &[]),
        ("error=503&status=PENDING&to=2026-11-24T00:00:00Z", &["bob"]),
    ])
    .await;
    for (query, message) in [
        ("httpStatus=fine", "httpStatus: must be a status such as 503, or a class such as 5xx"),
        ("httpStatus=9xx", "httpStatus: must be a status such as 503, or a class such as 5xx"),
        ("httpStatus=99", "httpStatus: must be a status such as 503, or a class such as 5xx"),
        (
            "status=WAITING",
            "status: must be PENDING, RETRYING, HELD, DELIVERED, FAILED, PAUSED or SUPERSEDED",
        ),
    ] {
        let request = server.request(Method::GET, &format!("/api/channels/{id}/deliveries?{query}"));
        let request = request.bearer_auth(SECRET_KEY);
        assert_eq!(refusal(request).await, format!("400 bad_request {message}"));
    }

    // With the fifth failure in a row the endpoint is spared, and what happens then waits untried.
    for name in ["cid", "dan", "eve", "fay"] {
        server.track(name, name).await;
        attempted(&server, id, name).await;
    }
    server.track("gus", "gus").await;
    eventually("gus's delivery", async || {
        server.deliveries(id).await.iter().any(|d| d["identityId"] == "gus").then_some(())
    })
    .await;
    let held = json!(["bob", "cid", "dan", "eve", "fay", "gus"].map(|name| json!([name, "HELD"])));
    let expected = [vec![json!(["ada", null])], held.as_array().unwrap().clone()].concat();
    assert_eq!(waits().await, json!(expected));
    assert_eq!(due_since().await, "2026-11-23T09:00:00.000Z");
    assert_eq!(server.get("/api/channels").await[0]["health"]["dueSince"], "2026-11-23T09:00:00.000Z");
    check(&[
        ("status=HELD", &["bob", "cid", "dan", "eve", "fay", "gus"]),
        ("status=RETRYING", &["bob", "cid", "dan", "eve", "fay"]),
        ("httpStatus=503", &["bob", "cid", "dan", "eve", "fay"]),
    ])
    .await;
    server.patch(&format!("/api/channels/{id}"), json!({"enabled": false})).await;
    check(&[
        ("status=HELD", &[]),
        ("status=RETRYING", &[]),
        ("httpStatus=503", &["bob", "cid", "dan", "eve", "fay"]),
    ])
    .await;
    assert_eq!(due_since().await, Value::Null, "what is paused is not late");
    assert_eq!(
        server.get(&format!("/api/channels/{id}/deliveries?identity=bob")).await["content"][0]["waitsFor"],
        Value::Null
    );
}

async fn an_attempt_that_is_under_way_is_told_as_such(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::start(|mut conversation| async move {
        conversation.read_request().await;
        std::future::pending::<()>().await;
    })
    .await;
    let (id, _) = server.channel("App", json!({"url": receiver.url()})).await;
    server.track("e1", "ada").await;
    let delivery = eventually("an attempt under way", async || {
        server.deliveries(id).await.into_iter().find(|delivery| delivery["waitsFor"] == "SENDING")
    })
    .await;
    let told = ["status", "attemptCount", "nextAttemptAt"].map(|name| delivery[name].clone());
    assert_eq!(told, [json!("PENDING"), json!(0), Value::Null]);
}

async fn how_a_channel_has_done_is_told_by_interval(engine: Engine) {
    let clock = nine();
    let (server, _receiver, id) = begin(engine, &clock).await;
    clock.advance(60_000);
    let path = format!("/api/channels/{id}/activity");
    let told = server.get(&path).await;
    assert_eq!(
        (&told["from"], &told["to"], &told["intervalSeconds"]),
        (&json!("2026-11-22T09:01:00.000Z"), &json!("2026-11-23T09:01:00.000Z"), &json!(1_800))
    );
    let intervals = told["intervals"].as_array().unwrap();
    assert_eq!(intervals.len(), 49);
    let nothing = |from: &str| {
        json!({"from": from, "delivered": 0, "failed": 0, "retrying": 0, "waiting": 0, "isExact": true, "successPercent": null,
               "firstAttemptPercent": null, "durationMillisP50": null, "durationMillisP95": null})
    };
    assert_eq!(intervals[0], nothing("2026-11-22T09:00:00.000Z"));
    let mut last = intervals[48].clone();
    // By a clock that stands still.
    let durations = [last["durationMillisP50"].take(), last["durationMillisP95"].take()];
    assert!(durations.iter().all(Value::is_i64), "{durations:?}");
    let busy = json!({"delivered": 1, "retrying": 1, "successPercent": 50.0, "firstAttemptPercent": 50.0});
    let mut expected = nothing("2026-11-23T09:00:00.000Z");
    expected.as_object_mut().unwrap().extend(busy.as_object().unwrap().clone());
    assert_eq!(last, expected);
    let narrow = server.get(&format!("{path}?from=2026-11-23T08:00:00Z&to=2026-11-23T09:00:00Z")).await;
    assert_eq!(narrow["intervalSeconds"], 300);
    assert!(narrow["intervals"].as_array().unwrap().iter().all(|interval| interval["delivered"] == 0));
    for (query, message) in [
        ("from=2026-11-23T10:00:00Z", "to: must be after from"),
        ("from=2001-01-01T00:00:00Z", "from: must be at most 600 days before to"),
    ] {
        let request = server.request(Method::GET, &format!("{path}?{query}"));
        let request = request.bearer_auth(SECRET_KEY);
        assert_eq!(refusal(request).await, format!("400 bad_request {message}"));
    }
}

#[tokio::test]
async fn a_chosen_few_are_sent_again() {
    let (server, receiver, id) = begin(Engine::Sqlite, &nine()).await;
    let deliveries = server.deliveries(id).await;
    let of =
        |name: &str| deliveries.iter().find(|d| d["identityId"] == name).unwrap()["id"].as_i64().unwrap();
    let (ada, bob) = (of("ada"), of("bob"));
    let path = "/api/deliveries/actions/resend";
    let answer = server.call(Method::POST, path, Some(json!({"ids": [bob, ada, 999_999, ada]}))).await;
    let queued = if ada < bob { [ada, bob] } else { [bob, ada] };
    assert_eq!(
        (answer.0.as_u16(), answer.1),
        (202, json!({"queued": queued, "underWay": [], "unknown": [999_999]}))
    );
    eventually("both again", async || (receiver.requests().len() == 4).then_some(())).await;
    let log = eventually("the second attempt", async || {
        let log = server.get(&format!("/api/deliveries/{ada}")).await;
        (log["attempts"].as_array()?.len() == 2 && log["status"] == "DELIVERED").then_some(log)
    })
    .await;
    assert_eq!(log["attempts"][1]["trigger"], "RESEND");
    let too_many: Vec<_> = (0..101).collect();
    for (body, message) in [
        (json!({"ids": []}), "ids: must have from 1 to 100 deliveries"),
        (json!({"ids": too_many}), "ids: must have from 1 to 100 deliveries"),
        (json!({"ids": ["1"]}), "ids[0]: must be a whole number, not \"1\""),
    ] {
        let said = refusal(with_json(&server, Method::POST, path, &body)).await;
        assert_eq!(said, format!("400 bad_request {message}"));
    }
}

#[tokio::test]
async fn of_a_chosen_few_those_under_way_are_left_out() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (done, is_done) = tokio::sync::watch::channel(());
    let silent = Receiver::start(move |mut conversation| {
        let mut is_done = is_done.clone();
        async move {
            conversation.read_request().await;
            let _ = is_done.changed().await;
        }
    })
    .await;
    let (id, _) = server.channel("App", json!({"url": silent.url(), "timeoutMs": 30_000})).await;
    server.track("e1", "ada").await;
    eventually("the attempt", async || (silent.connections() == 1).then_some(())).await;
    let delivery = server.deliveries(id).await.remove(0);
    let body = json!({"ids": [delivery["id"]]});
    let answer = server.call(Method::POST, "/api/deliveries/actions/resend", Some(body)).await;
    assert_eq!(answer.1, json!({"queued": [], "underWay": [delivery["id"]], "unknown": []}));
    drop(done);
}
