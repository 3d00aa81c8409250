//! What opened an escalation, told to whoever works on it; for whom a new rule opens one, told before; and of which facts a
//! rule is made.

use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually, settled};

on_both_engines!(
    an_escalation_says_which_event_opened_it_and_its_values,
    one_that_opens_later_says_the_same,
    a_preview_counts_apart_whom_people_have_settled,
    fields_of_a_rare_event_are_known_however_many_others_come,
);

const RULES: &str = "/api/escalation-rules";

fn purchase(id: &str, user: &str, amount: u64) -> Value {
    let mut bought = event(id, user);
    bought["type"] = json!("checkout.completed");
    bought["data"] = json!({"amount": amount});
    bought
}

fn large() -> Value {
    json!([
        {"type": "EVENT_IS", "events": ["PURCHASE"]},
        {"type": "FACT_GT", "fact": "event.data.amount", "value": 500},
    ])
}

/// The escalations there are, once there are as many as that, the oldest first.
async fn escalations(server: &TestServer, count: usize) -> Vec<Value> {
    eventually("escalations", async || {
        let found = server.get("/api/escalations?order=ASC").await["content"].as_array()?.clone();
        (found.len() == count).then_some(found)
    })
    .await
}

async fn an_escalation_says_which_event_opened_it_and_its_values(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let receiver = Receiver::answering(OK).await;
    let body = json!({"type": "WEBHOOK", "name": "Ops", "events": ["ESCALATION_OPENED", "ESCALATION_CLOSED"],
        "config": {"url": receiver.url()}});
    server.post("/api/channels", body).await;
    let rule = json!({"name": "Large", "severity": "INFO", "conditions": large(), "channels": ["ops"]});
    server.post(RULES, rule).await;
    server.post("/api/events?wait=10000", event("e1", "ada")).await;
    server.post("/api/events?wait=10000", purchase("e2", "ada", 9500)).await;
    let opened = escalations(&server, 1).await.remove(0);
    let words = "The event is PURCHASE; the event's \"amount\" is 9500, above 500.";
    assert_eq!((&opened["explanation"], &opened["eventId"]), (&json!(words), &json!("e2")));
    let path = format!("/api/escalations/{}", opened["id"]);
    assert_eq!(server.get(&path).await, opened);
    let told = async |count: usize| -> Vec<Value> {
        let bodies = arrived(&receiver, count).await;
        bodies
            .iter()
            .map(|sent| serde_json::from_slice::<Value>(&sent.body).unwrap()["data"].clone())
            .collect()
    };
    let data = told(1).await.remove(0);
    assert_eq!((&data["explanation"], &data["eventId"]), (&json!(words), &json!("e2")));

    // Why it opened is not why it closes.
    server.patch(&path, json!({"status": "CLOSED"})).await;
    let data = told(2).await.remove(1);
    assert_eq!((data.get("explanation"), data.get("eventId")), (None, None));

    // An event that is not kept any more cannot be looked at; what it said stays.
    let forget = |tx: &mut dregs_server::store::Tx| tx.execute("delete from events", &[]);
    assert_eq!(server.app.store.write(forget).await.unwrap(), 2);
    let kept = server.get(&path).await;
    assert_eq!((&kept["explanation"], &kept["eventId"]), (&json!(words), &Value::Null));

    // A rule that asks about no event names none.
    let low = json!([{"type": "SCORE_LTE", "category": "AUTHENTICITY", "threshold": 100}]);
    server.post(RULES, json!({"name": "Low", "severity": "INFO", "conditions": low})).await;
    let opened = escalations(&server, 2).await.remove(1);
    let score = opened["scoreSnapshot"]["AUTHENTICITY"].as_u64().unwrap();
    let words = format!("Authenticity is {score}, at most 100.");
    assert_eq!((&opened["explanation"], &opened["eventId"]), (&json!(words), &Value::Null));
}

async fn one_that_opens_later_says_the_same(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let rule = json!({"name": "Large", "severity": "INFO", "conditions": large(), "openAfterSeconds": 1});
    server.post(RULES, rule).await;
    server.post("/api/events?wait=10000", purchase("e1", "ada", 9500)).await;
    server.post("/api/events?wait=10000", event("e2", "ada")).await;
    let opened = escalations(&server, 1).await.remove(0);
    let words = "The event is PURCHASE; the event's \"amount\" is 9500, above 500.";
    assert_eq!((&opened["explanation"], &opened["eventId"]), (&json!(words), &json!("e1")));
}

async fn a_preview_counts_apart_whom_people_have_settled(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    for (id, user) in [("e1", "ada"), ("e2", "bob"), ("e3", "eve"), ("e4", "kim")] {
        server.post("/api/events?wait=10000", purchase(id, user, 700)).await;
    }
    server.post("/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await;
    server.patch("/api/identities/bob", json!({"disregarded": true})).await;
    // What is said to be bad settles nothing.
    server.post("/api/identities/kim/actions/label", json!({"outcome": "BAD", "kind": "ABUSE"})).await;
    settled(&server).await;
    let preview = async |conditions: &Value, badge_type: Option<&str>| {
        let asked = json!({"conditions": conditions, "badgeType": badge_type});
        let found = server.post(&format!("{RULES}/actions/preview"), asked).await;
        let mut sample: Vec<_> =
            found["sample"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        sample.sort_by_key(Value::to_string);
        json!([found["matching"], found["settled"], sample, found["lookedAt"]])
    };
    let low = json!([{"type": "SCORE_LTE", "category": "AUTHENTICITY", "threshold": 100}]);
    let old = json!([{"type": "IDENTITY_AGE_LT", "seconds": 3600}]);
    let amount = json!([large()[1]]);
    for conditions in [&low, &large(), &amount] {
        let accused = json!([2, 2, ["eve", "kim"], 4]);
        assert_eq!(preview(conditions, None).await, accused, "{conditions}");
        assert_eq!(preview(conditions, Some("BAD")).await, accused, "{conditions}");
        // A label holds off no badge that speaks for somebody.
        let neutral = preview(conditions, Some("NEUTRAL")).await;
        assert_eq!(neutral, json!([3, 1, ["ada", "eve", "kim"], 4]), "{conditions}");
    }
    assert_eq!(preview(&old, None).await, json!([3, 1, ["ada", "eve", "kim"], 4]), "no label says how old");
    let wrong = json!({"conditions": low, "badgeType": "UGLY"});
    let (status, refused) = server.call(Method::POST, &format!("{RULES}/actions/preview"), Some(wrong)).await;
    assert_eq!((status.as_u16(), &refused["details"][0]["field"]), (400, &json!("badgeType")));

    // As many open as was said, and of whom. A rule that names events waits for the next of these.
    for (name, conditions) in [("Low", low), ("Amount", amount)] {
        server.post(RULES, json!({"name": name, "severity": "INFO", "conditions": conditions})).await;
    }
    let opened = escalations(&server, 4).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    settled(&server).await;
    assert_eq!(escalations(&server, 4).await, opened);
    let mut of: Vec<_> = opened.iter().filter_map(|one| one["identity"]["id"].as_str()).collect();
    of.sort_unstable();
    assert_eq!(of, ["eve", "eve", "kim", "kim"]);
}

async fn fields_of_a_rare_event_are_known_however_many_others_come(engine: Engine) {
    let server = TestServer::start(engine).await;
    server.post("/api/events", purchase("rare", "ada", 9500)).await;
    for round in 0..6 {
        let view = |number: u32| {
            let mut view = event(&format!("v{round}-{number}"), "bob");
            (view["type"], view["data"]) = (json!("page.view"), json!({"path": "/", "round": round}));
            view
        };
        server.post("/api/events/batch", (0..100).map(view).collect()).await;
    }
    let facts = server.get("/api/facts").await;
    let of = |name: &str| {
        let fact = facts.as_array().unwrap().iter().find(|fact| fact["name"] == name);
        fact.map(|fact| json!([fact["description"], fact["values"], fact["eventTypes"]]))
    };
    let types = json!(["PURCHASE", "checkout.completed"]);
    assert_eq!(of("event.data.amount"), Some(json!(["the event's \"amount\"", [9500.0], types])));
    // The values of the newest come first, whatever their types.
    assert_eq!(of("event.data.round").unwrap()[1], json!([5.0, 4.0, 3.0, 2.0, 1.0]));
    assert_eq!(of("identity.id").unwrap()[1], json!(["bob", "ada"]));
    assert_eq!(of("identity.id").unwrap()[2], json!([]));
    assert_eq!(of("event.data.missing"), None);
}
