//! Who is drawn at random for somebody to look at, and what that says of everybody.

use dregs_core::time::HOUR_MS;
use dregs_server::store::draws;
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::morning;
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{Ground, TestServer, event, eventually, scored};

on_both_engines!(a_team_that_labels_is_given_a_few_at_random_each_week_which_say_what_rules_miss);

const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

/// Those who were drawn and are open, by id.
async fn open(server: &TestServer) -> Vec<String> {
    let found = server.get("/api/escalations?status=OPEN&pageSize=100").await;
    let mut ids: Vec<String> = found["content"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|one| assert_eq!(one["escalationRule"]["label"], "Drawn at random", "{one}"))
        .map(|one| one["identity"]["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

async fn label(server: &TestServer, id: &str, outcome: &str) {
    server.post(&format!("/api/identities/{id}/actions/label"), json!({"outcome": outcome})).await;
}

async fn a_team_that_labels_is_given_a_few_at_random_each_week_which_say_what_rules_miss(engine: Engine) {
    let clock = morning();
    let server =
        TestServer::start_on(Ground::new(engine), clock.clone(), |config| config.draw_per_week = 5).await;
    clear(&server).await;
    let all: Vec<_> = (0..12).map(|n| event(&format!("e{n}"), &format!("user-{n}"))).collect();
    server.post("/api/events/batch", json!(all)).await;
    scored(&server).await;
    // Whoever labels nobody is given nobody.
    clock.advance(HOUR_MS);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(open(&server).await, Vec::<String>::new());
    label(&server, "user-0", "BAD").await;
    server.call(Method::PATCH, "/api/identities/user-1", Some(json!({"disregarded": true}))).await;
    scored(&server).await;
    clock.advance(HOUR_MS);
    let drawn = eventually("a draw", async || {
        let drawn = open(&server).await;
        (drawn.len() == 5).then_some(drawn)
    })
    .await;
    assert!(!drawn.contains(&"user-0".to_owned()) && !drawn.contains(&"user-1".to_owned()), "{drawn:?}");
    for id in &drawn {
        let decision = server.get(&format!("/api/identities/{id}/decision")).await;
        assert_eq!(decision["openEscalations"], json!([]), "{id} is accused of nothing");
    }
    // Once a week.
    clock.advance(HOUR_MS);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(open(&server).await, drawn);
    let weights = server.app.store.read(|tx| draws::since(tx, 1, 0)).await.unwrap();
    assert!(weights.len() == 5 && weights.iter().all(|(_, weight)| *weight == 2_000), "10 by 5: {weights:?}");

    let estimate = async || server.get("/api/labels/accuracy").await["drawn"].clone();
    let nothing =
        json!({"drawn": 5, "labeled": 0, "bad": 0, "missed": 0, "share": null, "low": null, "high": null});
    assert_eq!(estimate().await, nothing);
    label(&server, &drawn[0], "BAD").await;
    for id in &drawn[1..4] {
        label(&server, id, "GOOD").await;
    }
    assert_eq!(open(&server).await, drawn[4..], "whoever is labeled leaves the queue");
    let found = estimate().await;
    let told = ["drawn", "labeled", "bad", "missed", "share"].map(|name| found[name].clone());
    assert_eq!(told, [json!(5), json!(4), json!(1), json!(1), json!(0.25)], "{found}");
    let (low, high) = (found["low"].as_f64().unwrap(), found["high"].as_f64().unwrap());
    assert!((0.04..0.05).contains(&low) && (0.69..0.71).contains(&high), "of 1 in 4: {found}");
    assert_eq!(server.get("/api/dashboard/rule-activity").await, json!([]), "no rule has done it");

    // In the next week those who were heard of since, and are not labeled.
    clock.advance(WEEK_MS);
    server.post("/api/events", event("later", "newcomer")).await;
    clock.advance(HOUR_MS);
    eventually("another draw", async || {
        let rows = server.app.store.read(|tx| draws::since(tx, 1, 0)).await.unwrap();
        (rows.len() == 6).then_some(())
    })
    .await;
    assert_eq!(server.call(Method::DELETE, &format!("/api/identities/{}", drawn[0]), None).await.0, 204);
    let rows: Value = estimate().await;
    assert_eq!((&rows["drawn"], &rows["bad"]), (&json!(5), &json!(0)), "who is erased is not counted");
}
