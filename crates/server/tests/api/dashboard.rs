//! Figures: what is there, how it is spread, what it costs.

use std::sync::Arc;

use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
use dregs_server::clock::ManualClock;
use dregs_server::store::escalations::Severity;
use reqwest::Method;
use serde_json::{Value, json};

use super::{escalation, refusal, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{Ground, TestServer, event, eventually};

on_both_engines!(figures_count_what_is_there, usage_counts_days_and_survives_a_restart);

async fn figures_count_what_is_there(engine: Engine) {
    let server = TestServer::start(engine).await;
    for (id, user) in [("1", "ada"), ("2", "bob"), ("3", "bob")] {
        server.post("/api/events", event(id, user)).await;
    }
    escalation(&server.app, "bob", Severity::Critical).await;
    escalation(&server.app, "ada", Severity::Info).await;
    let told = |stats: &Value| {
        let names = ["identities", "newIdentities", "activeIdentities", "scoredIdentities", "events"];
        (names.map(|name| stats[name].as_i64().unwrap()), stats["escalations"]["open"].as_i64().unwrap())
    };
    eventually("both to be scored", async || {
        let stats = server.get("/api/dashboard/stats").await;
        (told(&stats) == ([2, 2, 2, 2, 3], 2)).then_some(())
    })
    .await;
    let long_ago = "from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z";
    let stats = server.get(&format!("/api/dashboard/stats?{long_ago}")).await;
    assert_eq!(told(&stats), ([2, 0, 0, 0, 0], 2));
    assert_eq!(stats["from"], "2020-01-01T00:00:00.000Z");

    let spread = server.get("/api/dashboard/score-distribution").await;
    let scores = server.get("/api/identities/ada/scores").await;
    for category in spread.as_array().unwrap() {
        let counts: Vec<_> =
            category["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
        let scored =
            scores.as_array().unwrap().iter().find(|score| score["category"] == category["category"]);
        let Some(score) = scored else { continue };
        let bin = (score["value"].as_u64().unwrap() / 10).min(9) as usize;
        assert_eq!(
            (counts.len(), counts.iter().sum::<u64>(), counts[bin] > 0),
            (10, 2, true),
            "{category} {score}"
        );
    }
    let nobody = server.get(&format!("/api/dashboard/score-distribution?{long_ago}")).await;
    assert!(nobody[0]["counts"].as_array().unwrap().iter().all(|count| count == 0), "{nobody}");

    let activity = server.get("/api/dashboard/rule-activity").await;
    let rule = json!({"id": "7", "label": "Low humanity", "path": "/escalation-rules/7"});
    assert_eq!(activity, json!([{"rule": rule, "opened": 2, "closed": 0}]));
    assert_eq!(server.get(&format!("/api/dashboard/rule-activity?{long_ago}")).await, json!([]));
    let wrong = with_json(&server, Method::GET, "/api/dashboard/stats?from=yesterday", &Value::Null);
    assert!(refusal(wrong).await.starts_with("400 bad_request from: "));
}

async fn usage_counts_days_and_survives_a_restart(engine: Engine) {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-30T22:30:00Z").unwrap()));
    let quota = |config: &mut dregs_server::config::Config| config.monthly_event_quota = 3;
    let server = TestServer::start_on(Ground::new(engine), Arc::clone(&clock) as _, quota).await;
    assert_eq!(server.get("/api/usage").await["firstDay"], Value::Null);
    server.post("/api/events", event("1", "ada")).await;
    server.post("/api/events/batch", json!([event("2", "ada"), event("2", "ada"), event("1", "ada")])).await;
    let usage = server.get("/api/usage").await;
    let told = |usage: &Value| json!([usage["eventsThisMonth"], usage["monthlyEventQuota"], usage["days"]]);
    let day = |day: &str, events| json!({"day": format!("{day}T00:00:00.000Z"), "events": events});
    assert_eq!(told(&usage), json!([2, 3, [day("2026-11-30", 2)]]), "repeated ids cost nothing");
    assert_eq!(usage["monthStartedAt"], "2026-11-01T00:00:00.000Z");

    let server = TestServer::start_on(server.stop(), Arc::clone(&clock) as _, quota).await;
    assert_eq!(told(&server.get("/api/usage").await), json!([2, 3, [day("2026-11-30", 2)]]));
    server.post("/api/events", event("3", "ada")).await;
    let (status, refused) = server.call(Method::POST, "/api/events", Some(event("4", "ada"))).await;
    assert_eq!(
        (status.as_u16(), &refused["status"], &refused["code"]),
        (402, &json!("quota_exceeded"), &json!("quota_exceeded"))
    );
    // A month begins, and with it what may be sent.
    clock.advance(2 * HOUR_MS);
    eventually("the new month", async || {
        let (status, _) = server.call(Method::POST, "/api/events", Some(event("4", "ada"))).await;
        status.is_success().then_some(())
    })
    .await;
    let usage = server.get("/api/usage?from=2026-11-01T00:00:00Z").await;
    assert_eq!(told(&usage), json!([1, 3, [day("2026-11-30", 3), day("2026-12-01", 1)]]));
    let later = server.get("/api/usage?from=2026-12-01T00:00:00Z").await;
    let first_day = "2026-11-30T00:00:00.000Z";
    assert_eq!([&usage["firstDay"], &later["firstDay"]], [first_day, first_day]);
    clock.advance(400 * DAY_MS);
    let long = with_json(&server, Method::GET, "/api/usage?from=2026-11-01T00:00:00Z", &Value::Null);
    assert_eq!(refusal(long).await, "400 bad_request from: must be at most 366 days before \"to\"");
}
