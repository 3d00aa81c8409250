//! When identities are scored, and from what.

use dregs_core::score::{Category, Observation, aggregate};
use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use crate::on_both_engines;
use crate::support::engine::{Engine, is_spread};
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(
    a_first_event_is_scored_at_once,
    a_storm_on_one_identity_coalesces_and_its_last_state_is_scored,
    a_repeated_event_stores_nothing,
    the_scores_follow_from_the_stored_observations,
    a_purchase_through_an_assistant_leaves_its_user_a_person,
    five_accounts_on_one_device_are_scored_again_as_the_ring_grows,
    groups_and_their_members_are_kept,
);

async fn analysis_of(server: &TestServer, user: &str, event_count: u64) -> Value {
    eventually(&format!("{user} to be scored from {event_count} events"), async || {
        let analysis = server.analysis(user).await;
        (analysis["eventCount"] == event_count).then_some(analysis)
    })
    .await
}

async fn a_first_event_is_scored_at_once(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 3_600_000).await;
    server.track("e1", "ada").await;
    let analysis = analysis_of(&server, "ada", 1).await;
    assert_eq!((&analysis["id"], &analysis["identityId"]), (&json!(1), &json!("ada")));
    let identity = server.get("/api/identities/ada").await;
    assert_eq!(identity["displayEmail"], "ada@example.com");
    assert!(identity["lastScoredAt"].is_string() && identity["authenticityScore"].is_u64(), "{identity}");
}

async fn a_storm_on_one_identity_coalesces_and_its_last_state_is_scored(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 300).await;
    for batch in 0..10 {
        let events: Vec<_> = (0..100).map(|n| event(&format!("e{batch}-{n}"), "ada")).collect();
        server.post("/api/events/batch", json!(events)).await;
    }
    let analysis = analysis_of(&server, "ada", 1_000).await;
    let cycles = analysis["id"].as_u64().unwrap();
    assert!((1..=20).contains(&cycles), "{cycles} cycles for 1,000 events");
}

async fn a_repeated_event_stores_nothing(engine: Engine) {
    let server = TestServer::start(engine).await;
    let mut first = event("e1", "ada");
    first["device"] = json!({"fingerprint": "fp-1"});
    let answer = json!({"status": "success", "id": "e1", "fingerprint": "fp-1"});
    assert_eq!(server.post("/api/events", first.clone()).await, answer);
    analysis_of(&server, "ada", 1).await;
    // The same again, another user's event under the same id, and twice in one batch.
    assert_eq!(server.post("/api/events", first.clone()).await, answer);
    // Where tables are spread, an id is looked for where its user is.
    if !is_spread(engine) {
        assert_eq!(server.track("e1", "mallory").await, answer);
    }
    let repeats = json!([first, event("e2", "ada"), event("e2", "ada")]);
    let answers = server.post("/api/events/batch", repeats).await;
    let second = json!({"status": "success", "id": "e2", "fingerprint": null});
    assert_eq!(answers, json!([answer, second, second]));
    analysis_of(&server, "ada", 2).await;
    let (status, _) = server.call(reqwest::Method::GET, "/api/identities/mallory", None).await;
    assert_eq!(status, 404);
}

async fn the_scores_follow_from_the_stored_observations(engine: Engine) {
    let server = TestServer::start(engine).await;
    let mut bot = event("e1", "bot");
    bot["userAgent"] = json!("python-requests/2.31");
    bot["identity"]["data"] = json!({"email": "qwrtzpl@mailinator.com", "name": "asdf asdf"});
    bot["ip"] = json!("203.0.113.5");
    server.post("/api/events", bot).await;
    let analysis = analysis_of(&server, "bot", 1).await;
    let mut categories = 0;
    for score in analysis["scores"].as_array().unwrap() {
        let category: Category = serde_json::from_value(score["category"].clone()).unwrap();
        let observations: Vec<Observation> = serde_json::from_value(score["observations"].clone()).unwrap();
        assert!(!observations.is_empty(), "{category:?} is scored from nothing");
        assert_eq!(
            aggregate(category, &observations).map(u64::from),
            score["value"].as_u64(),
            "{category:?}"
        );
        categories += 1;
    }
    assert!(categories >= 2, "{analysis}");
}

async fn a_purchase_through_an_assistant_leaves_its_user_a_person(engine: Engine) {
    let server = TestServer::start(engine).await;
    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";
    let receiver = Receiver::answering(OK).await;
    server.channel("App", json!({"url": receiver.url()})).await;
    let humanity = async |cycle| {
        let analysis = analysis_of(&server, "ada", cycle).await;
        let scores = analysis["scores"].as_array().unwrap().clone();
        scores.iter().find(|score| score["category"] == "HUMANITY").and_then(|score| score["value"].as_u64())
    };
    let mut signup = event("e1", "ada");
    signup["userAgent"] = json!(CHROME);
    server.post("/api/events", signup).await;
    let before = humanity(1).await;
    assert!(before >= Some(60), "{before:?}");
    let assistants =
        [("ChatGPT-User", "OpenAI"), ("Claude-User", "Anthropic"), ("Perplexity-User", "Perplexity")];
    for (n, (name, operator)) in (2..).zip(assistants) {
        let id = format!("e{n}");
        let mut purchase = event(&id, "ada");
        purchase["type"] = json!("order.paid");
        purchase["userAgent"] = json!(format!(
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; {name}/1.0; +https://example.com/bot)"
        ));
        server.post("/api/events", purchase).await;
        assert_eq!(humanity(n).await, before, "{name}");
        let agent = server.get(&format!("/api/events/{id}")).await["agent"].clone();
        assert_eq!(agent, json!({"name": name, "operator": operator, "verified": null, "purpose": "ANSWER"}));
        assert_eq!(server.get("/api/identities/ada").await["agent"], agent);
        let request = arrived(&receiver, usize::try_from(n).unwrap()).await.pop().unwrap();
        let scored: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(scored["data"]["agent"], agent, "{scored}");
    }
    assert_eq!(server.get("/api/events/e1").await["agent"], Value::Null);
    // By the rules that a team begins with.
    assert_eq!(server.get("/api/escalations").await["totalElements"], 0);
}

async fn five_accounts_on_one_device_are_scored_again_as_the_ring_grows(engine: Engine) {
    let server = TestServer::start(engine).await;
    for user in ["a", "b", "c", "d", "e"] {
        let mut event = event(user, user);
        event["device"] = json!({"fingerprint": "one-device"});
        server.post("/api/events", event).await;
    }
    // The first of them sent nothing since it was alone, and falls with the others.
    for user in ["a", "e"] {
        eventually(&format!("{user} to fall"), async || {
            let scores = server.get(&format!("/api/identities/{user}")).await;
            scores["uniquenessScore"].as_u64().filter(|score| *score < 40)
        })
        .await;
    }
}

async fn groups_and_their_members_are_kept(engine: Engine) {
    let server = TestServer::start(engine).await;
    for (user, plan) in [("ada", "free"), ("bob", "pro")] {
        let mut event = event(user, user);
        event["groups"] =
            json!([{"id": "acme", "data": {"plan": plan}}, {"type": "Support Team", "id": "t1"}]);
        server.post("/api/events", event).await;
    }
    let rows = server
        .app
        .store
        .read(|tx| {
            tx.query(
                "select g.type, g.external_id, g.data, count(*) from groups g
                 join group_members m on m.shard = g.shard and m.group_id = g.id
                 group by g.type, g.external_id, g.data order by g.type",
                &[],
                |row| {
                    Ok((
                        row.get::<String>(0)?,
                        row.get::<String>(1)?,
                        row.get::<String>(2)?,
                        row.get::<i64>(3)?,
                    ))
                },
            )
        })
        .await
        .unwrap();
    let expected = [
        ("organization".into(), "acme".into(), r#"{"plan":"pro"}"#.into(), 2),
        ("support_team".into(), "t1".into(), "{}".into(), 2),
    ];
    assert_eq!(rows, expected);
}
