//! From scores to badges and escalations, and to those who are told.

use dregs_core::score::Scores;
use dregs_server::clock::Clock;
use dregs_server::ops::evaluate::rescore;
use dregs_server::store::analyses::{self, Analysis, Detail};
use dregs_server::store::{Tx, codec, identities, settings};
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived, morning};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(
    a_low_score_gives_a_badge_opens_an_escalation_and_both_are_told_in_order,
    delays_pass_by_themselves_and_are_exact,
    what_a_person_closes_is_told_and_stays_closed,
    a_new_rule_and_a_removed_one_reach_those_who_are_known,
    a_change_of_the_rules_survives_work_that_was_read_before_it,
    a_preview_says_whom_a_rule_would_match,
    a_back_test_opens_what_the_rule_itself_has_opened,
);

const ALL_EVENTS: [&str; 4] =
    ["IDENTITY_SCORED", "IDENTITY_BADGES_CHANGED", "ESCALATION_OPENED", "ESCALATION_CLOSED"];

fn bot(id: &str) -> Value {
    let mut event = event(id, "bot");
    event["userAgent"] = json!("python-requests/2.31");
    event["session"] = json!("the bot's");
    event
}

/// Takes the starter set away, so that a test's own rules are all there are.
pub async fn clear(server: &TestServer) {
    for path in ["/api/escalation-rules", "/api/badge-rules"] {
        let rules = server.get(path).await;
        for rule in rules["content"].as_array().unwrap() {
            let path = format!("{path}/{}?force=true", rule["id"]);
            assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
        }
    }
}

async fn badge_rule(server: &TestServer, apply: u64, remove: u64) -> Value {
    let rule = json!({
        "name": "Robot", "type": "BAD", "applyDelaySeconds": apply, "removeDelaySeconds": remove,
        "conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}],
    });
    server.post("/api/badge-rules", rule).await
}

async fn escalation_rule(server: &TestServer, channels: Value, open: u64, close: u64) -> Value {
    let rule = json!({
        "name": "Robots", "severity": "CRITICAL", "channels": channels,
        "openAfterSeconds": open, "closeAfterSeconds": close,
        "conditions": [{"type": "BADGE_EXISTS", "badge": "robot"}],
    });
    server.post("/api/escalation-rules", rule).await
}

async fn channel(server: &TestServer, receiver: &Receiver) {
    let body = json!({
        "type": "WEBHOOK", "name": "Ops", "events": ALL_EVENTS, "config": {"url": receiver.url()},
    });
    server.post("/api/channels", body).await;
}

/// What the receiver was sent, by sequence.
async fn told(receiver: &Receiver, count: usize) -> Vec<Value> {
    let mut bodies: Vec<Value> =
        arrived(receiver, count).await.iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect();
    bodies.sort_by_key(|body| body["sequence"].as_u64());
    bodies
}

async fn badges(server: &TestServer) -> Vec<Value> {
    let (_, identity) = server.call(Method::GET, "/api/identities/bot", None).await;
    identity["badges"].as_array().into_iter().flatten().map(|badge| badge["slug"].clone()).collect()
}

async fn statuses(server: &TestServer) -> Vec<Value> {
    let escalations = server.get("/api/escalations?identity=bot").await;
    escalations["content"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect()
}

async fn a_low_score_gives_a_badge_opens_an_escalation_and_both_are_told_in_order(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let receiver = Receiver::answering(OK).await;
    channel(&server, &receiver).await;
    badge_rule(&server, 0, 0).await;
    let rule = escalation_rule(&server, json!(["ops"]), 0, 0).await;
    server.post("/api/events", bot("e1")).await;

    let bodies = told(&receiver, 3).await;
    let events: Vec<_> = bodies.iter().map(|body| (&body["event"], &body["sequence"])).collect();
    let expected = [("IDENTITY_SCORED", 1), ("IDENTITY_BADGES_CHANGED", 2), ("ESCALATION_OPENED", 3)];
    assert_eq!(json!(events), json!(expected));
    let humanity = bodies[0]["data"]["scores"]["humanity"].as_u64().unwrap();
    let badge = json!({
        "slug": "robot", "name": "Robot", "type": "BAD", "metadata": {},
        "explanation": format!("Humanity is {humanity}, below 30."),
    });
    assert_eq!(bodies[0]["data"]["badges"], json!([badge]));
    let scores = bodies[0]["data"]["scores"].clone();
    let changed =
        json!({"identityId": "bot", "added": [badge], "removed": [], "badges": [badge], "scores": scores});
    assert_eq!(bodies[1]["data"], changed);
    let escalations = server.get("/api/escalations").await;
    let opened = json!({
        "identityId": "bot", "escalationId": escalations["content"][0]["id"], "status": "OPEN",
        "severity": "CRITICAL", "rule": {"id": rule["id"], "name": "Robots"},
        "conditions": [{"type": "BADGE_EXISTS", "badge": "robot"}], "scores": scores, "outcome": null,
        "explanation": "It has the badge \"robot\".", "eventId": null,
    });
    assert_eq!(bodies[2]["data"], opened);
    assert_eq!(statuses(&server).await, ["OPEN"]);

    server.patch("/api/identities/bot", json!({"disregarded": true})).await;
    eventually("nothing to be left", async || {
        (badges(&server).await.is_empty() && statuses(&server).await == ["CLOSED"]).then_some(())
    })
    .await;
    let bodies = told(&receiver, 6).await;
    let events: Vec<_> = bodies[3..].iter().map(|body| &body["event"]).collect();
    assert_eq!(json!(events), json!(["IDENTITY_SCORED", "IDENTITY_BADGES_CHANGED", "ESCALATION_CLOSED"]));
    assert_eq!(bodies[5]["data"]["status"], "CLOSED");
}

/// Stands for long enough that something that should not happen would have.
async fn a_moment() {
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
}

async fn delays_pass_by_themselves_and_are_exact(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    badge_rule(&server, 60, 0).await;
    escalation_rule(&server, json!([]), 30, 0).await;
    clock.advance(5_000);
    server.post("/api/events", bot("e1")).await;
    eventually("the score", async || {
        let (_, identity) = server.call(Method::GET, "/api/identities/bot", None).await;
        identity["humanityScore"].as_u64()
    })
    .await;
    clock.advance(59_999);
    a_moment().await;
    assert!(badges(&server).await.is_empty());
    clock.advance(1);
    eventually("the badge", async || (badges(&server).await == ["robot"]).then_some(())).await;
    clock.advance(29_999);
    a_moment().await;
    assert!(statuses(&server).await.is_empty());
    clock.advance(1);
    eventually("the escalation", async || (statuses(&server).await == ["OPEN"]).then_some(())).await;
    let cycles = server.get("/api/identities/bot/history").await;
    assert_eq!(cycles.as_array().unwrap().len(), 1, "nobody was scored for that");
}

async fn what_a_person_closes_is_told_and_stays_closed(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let receiver = Receiver::answering(OK).await;
    channel(&server, &receiver).await;
    badge_rule(&server, 0, 0).await;
    escalation_rule(&server, json!(["ops"]), 0, 0).await;
    server.post("/api/events", bot("e1")).await;
    let id = told(&receiver, 3).await[2]["data"]["escalationId"].clone();
    let path = format!("/api/escalations/{id}");
    for status in ["ACKNOWLEDGED", "CLOSED"] {
        assert_eq!(server.patch(&path, json!({ "status": status })).await["status"], status);
    }
    let closed = told(&receiver, 4).await.remove(3);
    assert_eq!(
        (&closed["event"], &closed["data"]["status"]),
        (&json!("ESCALATION_CLOSED"), &json!("CLOSED"))
    );
    server.post("/api/events", bot("e2")).await;
    told(&receiver, 5).await;
    assert_eq!(statuses(&server).await, ["CLOSED"], "the score is as low as before");
    server.patch(&path, json!({"status": "OPEN"})).await;
    assert_eq!(told(&receiver, 6).await[5]["event"], "ESCALATION_OPENED");
}

async fn a_new_rule_and_a_removed_one_reach_those_who_are_known(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    server.post("/api/events", bot("e1")).await;
    eventually("the score", async || {
        let (_, identity) = server.call(Method::GET, "/api/identities/bot", None).await;
        identity["humanityScore"].as_u64()
    })
    .await;
    let rule = badge_rule(&server, 0, 0).await;
    escalation_rule(&server, json!([]), 0, 0).await;
    clock.advance(10_000);
    eventually("both", async || {
        (badges(&server).await == ["robot"] && statuses(&server).await == ["OPEN"]).then_some(())
    })
    .await;
    let path = format!("/api/badge-rules/{}", rule["id"]);
    let (status, refused) = server.call(Method::DELETE, &path, None).await;
    assert_eq!(status, 409);
    assert!(refused["message"].as_str().unwrap().contains("\"Robots\""), "{refused}");
    assert_eq!(server.call(Method::DELETE, &format!("{path}?force=true"), None).await.0, 204);
    clock.advance(10_000);
    eventually("neither", async || {
        (badges(&server).await.is_empty() && statuses(&server).await == ["CLOSED"]).then_some(())
    })
    .await;
}

async fn a_change_of_the_rules_survives_work_that_was_read_before_it(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let work = async || server.app.store.read(|tx| settings::with_prefix(tx, "rescore:")).await.unwrap();
    // The clock stands, and the work begins later: the server itself leaves it alone.
    clock.advance(1);
    badge_rule(&server, 0, 0).await;
    let (name, before) = work().await.remove(0);
    clock.advance(1);
    escalation_rule(&server, json!([]), 0, 0).await;
    let after = work().await;
    assert_ne!(after[0].1, before);
    let go_on = async |value| {
        let (app, piece) = (&server.app, (name.clone(), value));
        rescore::go_on(&app.store, &app.kept.mappings, &app.evaluations, piece, app.clock.now())
            .await
            .unwrap();
    };
    go_on(before).await;
    assert_eq!(work().await, after, "what was read before the change has not undone it");
    go_on(after[0].1.clone()).await;
    assert!(work().await.is_empty(), "there is nobody, so the work is done");
}

async fn a_preview_says_whom_a_rule_would_match(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    badge_rule(&server, 0, 0).await;
    let good = json!({
        "name": "Here", "type": "GOOD", "conditions": [{"type": "IDENTITY_AGE_GT", "seconds": 0}],
    });
    server.post("/api/badge-rules", good).await;
    server.post("/api/events/batch", json!([bot("e1"), event("e2", "ada")])).await;
    eventually("the badges", async || (badges(&server).await.len() == 2).then_some(())).await;
    let preview = async |condition: Value| {
        let asked = json!({"conditions": [condition]});
        let found = server.post("/api/escalation-rules/actions/preview", asked).await;
        json!([found["matching"], found["good"], found["sample"][0]["id"]])
    };
    let low = json!({"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30});
    assert_eq!(preview(low).await, json!([1, 1, "bot"]));
    assert_eq!(preview(json!({"type": "BADGE_NOT_EXISTS", "badge": "robot"})).await[0], 1);
    assert_eq!(preview(json!({"type": "BADGE_EXISTS", "badge": "none"})).await, json!([0, 0, null]));
    let old = json!({"type": "IDENTITY_AGE_GT", "seconds": 3600});
    assert_eq!(preview(old.clone()).await, json!([0, 0, null]));
    // Somebody whose past is imported was first seen then.
    let mut past = event("e3", "ada");
    past["timestamp"] = json!((server.app.clock.now().plus_millis(-2 * 86_400_000)).to_string());
    server.post("/api/events", past).await;
    assert_eq!(preview(old).await, json!([1, 1, "ada"]));
    let wrong = json!({"conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 130}]});
    let (status, refused) =
        server.call(Method::POST, "/api/escalation-rules/actions/preview", Some(wrong)).await;
    assert_eq!((status.as_u16(), &refused["details"][0]["field"]), (400, &json!("conditions[0].threshold")));
}

async fn a_back_test_opens_what_the_rule_itself_has_opened(engine: Engine) {
    const HOUR_MS: i64 = 3_600_000;
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let good = json!({"name": "Old", "type": "GOOD", "conditions": [{"type": "IDENTITY_AGE_GT", "seconds": 90_000}]});
    server.post("/api/badge-rules", good).await;
    badge_rule(&server, 0, 0).await;
    escalation_rule(&server, json!([]), 7_200, 0).await;
    let low = json!([{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}]);
    let waiting = json!({"name": "Low", "severity": "INFO", "conditions": low, "openAfterSeconds": 7_200});
    server.post("/api/escalation-rules", waiting).await;
    let mut opened = 0;
    for (day, users) in [vec!["ada", "bot"], vec!["bot-2", "bot-3"], vec![], vec!["bot-4"]].iter().enumerate()
    {
        for user in users {
            let mut event = event(&format!("{user}-{day}"), user);
            if user.starts_with("bot") {
                event["userAgent"] = json!("python-requests/2.31");
                event["session"] = json!(user);
                opened += 2;
            }
            server.post("/api/events", event).await;
            let scored = async || {
                let (_, identity) = server.call(Method::GET, &format!("/api/identities/{user}"), None).await;
                identity["lastScoredAt"].as_str().map(|_| ())
            };
            eventually("a score", scored).await;
        }
        clock.advance(12 * HOUR_MS);
        let escalated = async || {
            let escalations = server.get("/api/escalations?pageSize=100").await;
            (escalations["totalElements"] == opened).then_some(escalations)
        };
        eventually("the escalations", escalated).await;
        clock.advance(12 * HOUR_MS);
    }
    let days = json!([
        {"date": "2026-11-23", "opened": 1}, {"date": "2026-11-24", "opened": 2}, {"date": "2026-11-26", "opened": 1},
    ]);
    // By scores, and by badges.
    for conditions in [low.clone(), json!([{"type": "BADGE_EXISTS", "badge": "robot"}])] {
        let asked = json!({"conditions": conditions, "openAfterSeconds": 7_200});
        let found = server.post("/api/escalation-rules/actions/backtest", asked).await;
        assert_eq!((&found["opened"], &found["days"], &found["identities"]), (&json!(4), &days, &json!(4)));
        assert_eq!((&found["good"], &found["goodSample"][0]["id"]), (&json!(3), &json!("bot-3")), "{found}");
        assert_eq!(
            (&found["sample"][0]["id"], &found["from"]),
            (&json!("bot-4"), &json!("2026-08-29T09:00:00.000Z"))
        );
    }
    // A badge rule is asked the same, by its own delays; what it would have taken away again it would have given, too.
    let asked = json!({"conditions": low, "applyDelaySeconds": 7_200});
    let found = server.post("/api/badge-rules/actions/backtest", asked).await;
    assert_eq!((&found["opened"], &found["days"], &found["identities"]), (&json!(4), &days, &json!(4)));
    assert_eq!((&found["good"], &found["goodSample"][0]["id"]), (&json!(3), &json!("bot-3")), "{found}");
    for (wrong, told) in [
        (
            json!({"conditions": [{"type": "BADGE_EXISTS", "badge": "robot"}]}),
            "conditions[0].type: is for escalation rules only",
        ),
        (json!({"conditions": low, "removeDelaySeconds": 99_999_999_999_u64}), "removeDelaySeconds: must be"),
    ] {
        let path = "/api/badge-rules/actions/backtest";
        let (status, refused) = server.call(Method::POST, path, Some(wrong)).await;
        assert_eq!(status, 400);
        assert!(refused.to_string().contains(told), "{refused}");
    }
    // What opened before the period, and goes on, is not counted in it.
    clock.advance(89 * 24 * HOUR_MS);
    server.post("/api/events", bot("later")).await;
    let rescored = async || {
        let history = server.get("/api/identities/bot/history").await;
        (history.as_array().unwrap().len() == 2).then_some(())
    };
    eventually("another score", rescored).await;
    let asked = json!({"conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}]});
    let found = server.post("/api/escalation-rules/actions/backtest", asked).await;
    assert_eq!((&found["opened"], &found["cycles"]), (&json!(1), &json!(2)), "{found}");
    // However many there are.
    let now = clock.now();
    let many = move |tx: &mut Tx| {
        let bot = identities::find(tx, 1, "bot")?.unwrap().row_id;
        let detail = Detail::default();
        let packed = codec::pack(codec::Kind::Analysis, &detail)?;
        let scores = Scores { humanity: Some(1), authenticity: None, uniqueness: None, behavior: None };
        let cycle = |sequence| Analysis {
            identity_id: bot,
            sequence,
            started_at: now,
            finished_at: now,
            scores,
            event_count: 1,
            device_count: 0,
            detail: detail.clone(),
        };
        let cycles: Vec<_> = (10_000..11_200).map(cycle).collect();
        analyses::insert(tx, &cycles.iter().map(|cycle| (cycle, packed.as_slice())).collect::<Vec<_>>())
    };
    server.app.store.write(many).await.unwrap();
    let asked = json!({"conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}]});
    let found = server.post("/api/escalation-rules/actions/backtest", asked).await;
    assert_eq!(found["cycles"], 1_202, "{found}");
}
