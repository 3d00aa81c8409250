//! Badges: in the message, in what the API shows, in the list that asks for them.

use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(who_tries_cards_carries_the_badge_until_nobody_looks_at_them);

async fn badges_of(server: &TestServer, user: &str, count: usize) -> Value {
    eventually(&format!("{user} to carry {count} badges"), async || {
        let identity = server.get(&format!("/api/identities/{user}")).await;
        (identity["badges"].as_array()?.len() == count).then(|| identity["badges"].clone())
    })
    .await
}

async fn carriers(server: &TestServer) -> Value {
    let page = server.get("/api/identities?badge=card-testing").await;
    json!([page["totalElements"], page["content"][0]["id"]])
}

async fn who_tries_cards_carries_the_badge_until_nobody_looks_at_them(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let receiver = Receiver::answering(OK).await;
    server.channel("App", json!({"url": receiver.url()})).await;
    let mut tried: Vec<_> = (0..6).map(|n| event(&format!("e{n}"), "eve")).collect();
    for event in &mut tried {
        event["type"] = json!("payment_failed");
    }
    tried.push(event("e9", "ada"));
    server.post("/api/events/batch", json!(tried)).await;

    let badges = badges_of(&server, "eve", 1).await;
    assert_eq!(badges[0]["slug"], "card-testing");
    assert_eq!(badges[0]["type"], "BAD");
    assert!(badges[0]["explanation"].as_str().unwrap().starts_with("6 failed payments at once;"), "{badges}");
    assert_eq!(badges[0]["metadata"], json!({"failedPayments": 6, "withinMillis": 0}));
    assert_eq!(carriers(&server).await, json!([1, "eve"]));
    badges_of(&server, "ada", 0).await;
    for request in arrived(&receiver, 2).await {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let expected = if body["identityId"] == "eve" { badges.clone() } else { json!([]) };
        assert_eq!(body["data"]["badges"], expected, "{body}");
    }

    server.patch("/api/identities/eve", json!({"disregarded": true})).await;
    badges_of(&server, "eve", 0).await;
    assert_eq!(carriers(&server).await, json!([0, null]));
}
