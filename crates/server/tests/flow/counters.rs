//! Counters: what is counted as it comes, and the past that a new one knows.

use std::sync::Arc;

use dregs_server::clock::{Clock, ManualClock};
use dregs_server::store::Tx;
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::morning;
use super::kill::call;
use super::kill::nodes::{MASTER_KEY, sites};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, eventually};

on_both_engines!(
    what_comes_is_counted_by_its_time_and_in_whatever_order,
    a_new_counter_knows_the_past_as_one_that_was_there,
    a_changed_counter_counts_anew_though_the_server_is_stopped,
    what_was_counted_of_a_person_goes_with_them_and_the_rest_with_its_window,
    a_counter_that_a_rule_asks_for_stays,
);

/// Until a new counter counts, and until its past is built, as long as it may take.
const SOON_MS: i64 = 11_000;

async fn make(server: &TestServer, clock: &ManualClock, counter: Value) -> String {
    let made = server.post("/api/counters", counter).await;
    assert_eq!(made["status"], "BUILDING");
    let path = format!("/api/counters/{}", made["id"]);
    ready(server, clock, &path).await;
    path
}

pub(super) async fn ready(server: &TestServer, clock: &ManualClock, path: &str) {
    clock.advance(SOON_MS);
    eventually("the past to be built", async || (server.get(path).await["status"] == "READY").then_some(()))
        .await;
}

pub(super) async fn value(server: &TestServer, path: &str, id: &str) -> Value {
    server.get(&format!("{path}/value?identity={id}")).await["value"].clone()
}

fn accounts_per_device() -> Value {
    json!({"name": "Accounts on one device", "function": "DISTINCT", "of": "identity.id", "per": "device", "windowSeconds": 3_600})
}

pub(super) fn spent() -> Value {
    json!({
        "name": "Spent", "function": "SUM", "of": "event.data.amount", "per": "identity.id", "windowSeconds": 3_600,
        "conditions": [{"type": "EVENT_IS", "events": ["PURCHASE"]}],
    })
}

/// An event so many minutes before now.
pub(super) fn bought(clock: &ManualClock, id: &str, user: &str, minutes_ago: i64, amount: f64) -> Value {
    json!({
        "id": id, "type": "purchase", "timestamp": clock.now().plus_millis(-minutes_ago * 60_000).to_string(),
        "identity": {"id": user}, "device": {"fingerprint": "d1"}, "data": {"amount": amount},
    })
}

async fn what_comes_is_counted_by_its_time_and_in_whatever_order(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let (accounts, spent) =
        (make(&server, &clock, accounts_per_device()).await, make(&server, &clock, spent()).await);
    for (n, (user, amount)) in [("ada", 10.5), ("ada", 4.5), ("bob", 1.0)].iter().enumerate() {
        server.post("/api/events", bought(&clock, &format!("e{n}"), user, 0, *amount)).await;
    }
    assert_eq!(value(&server, &accounts, "bob").await, 2.0);
    assert_eq!([value(&server, &spent, "ada").await, value(&server, &spent, "bob").await], [15.0, 1.0]);
    let said = server.get(&format!("{accounts}/value?identity=bob")).await;
    assert_eq!((&said["keys"], &said["status"]), (&json!(["the device is d1"]), &json!("READY")));
    assert_eq!(said["at"], clock.now().to_string());

    // A repeat counts once, and another kind of event not at all.
    server.post("/api/events", bought(&clock, "e0", "ada", 0, 10.5)).await;
    let view = json!({"id": "v", "type": "page_view", "identity": {"id": "ada"}, "data": {"amount": 99}});
    server.post("/api/events", view).await;
    assert_eq!(value(&server, &spent, "ada").await, 15.0);

    // What comes late sees what was before it, and is seen by what was after.
    server.post("/api/events", bought(&clock, "late", "eve", 30, 2.0)).await;
    assert_eq!(value(&server, &accounts, "eve").await, 1.0);
    server.post("/api/events", bought(&clock, "older", "kim", 90, 2.0)).await;
    server.post("/api/events", bought(&clock, "after", "ada", 0, 5.0)).await;
    assert_eq!(value(&server, &accounts, "ada").await, 3.0, "ada, bob and eve; kim was there too long ago");
    assert_eq!(value(&server, &spent, "ada").await, 20.0);

    // One who is disregarded is not counted from then on.
    server.patch("/api/identities/bob", json!({"disregarded": true})).await;
    server.post("/api/events", bought(&clock, "staff", "bob", 0, 5.0)).await;
    assert_eq!(value(&server, &spent, "bob").await, 1.0);

    // Nothing of it is in memory alone.
    let ground = server.stop();
    let server = TestServer::start_on(ground, Arc::clone(&clock) as Arc<dyn Clock>, |_| {}).await;
    server.post("/api/events", bought(&clock, "again", "ada", 0, 1.0)).await;
    assert_eq!(value(&server, &spent, "ada").await, 21.0);
    clock.advance(61 * 60_000);
    server.post("/api/events", bought(&clock, "next", "ada", 0, 1.0)).await;
    assert_eq!([value(&server, &spent, "ada").await, value(&server, &accounts, "ada").await], [1.0, 1.0]);
    let none = server.call(Method::GET, &format!("{spent}/value?identity=nobody"), None).await;
    assert_eq!((none.0.as_u16(), &none.1["code"]), (404, &json!("identity_not_found")));
}

/// Definitions that go by all that an event's past says: what it said of itself, how old it was, what nobody did.
pub(super) fn definitions() -> Vec<Value> {
    let of = |function: &str, of: Option<&str>, per: &str, conditions: Value| json!({"function": function, "of": of, "per": per, "conditions": conditions, "windowSeconds": 7_200});
    vec![
        of("COUNT", None, "identity.id", json!([])),
        of("DISTINCT", Some("identity.id"), "device", json!([])),
        of("SUM", Some("event.data.amount"), "email.domain", json!([])),
        of("MAX", Some("event.data.amount"), "identity.data.plan", json!([])),
        of(
            "COUNT",
            None,
            "device",
            json!([{"type": "FACT_LT", "fact": "identity.ageSeconds", "value": 120}]),
        ),
        of(
            "MIN",
            Some("event.data.amount"),
            "identity.id",
            json!([{"type": "NOT", "condition":
            {"type": "FACT_EQ", "fact": "identity.data.plan", "value": "pro"}}]),
        ),
        of("COUNT", None, "ip", json!([])),
    ]
}

/// Some hundred events of a few people, some out of order, and some of nobody.
pub(super) fn story(clock: &ManualClock) -> Vec<Value> {
    let mut events = Vec::new();
    for n in 0..640_i64 {
        let user = if n % 16 == 0 { format!("user-{}", n / 16 % 9) } else { "busy".to_owned() };
        let plan = if n % 7 == 0 { "pro" } else { "free" };
        let minutes = 200 - n / 4 + (n * 37) % 11;
        let mut event = bought(clock, &format!("s{n}"), &user, minutes, (n * 7 % 50) as f64 - 10.0);
        event["identity"]["data"] = json!({"plan": plan, "email": format!("{user}@{plan}.example.com")});
        event["device"]["fingerprint"] = format!("d{}", n % 5).into();
        event["ip"] = format!("203.0.113.{}", n % 3 + 1).into();
        if n % 10 == 3 {
            event["identity"] = Value::Null;
        }
        events.push(event);
    }
    events
}

pub(super) async fn send(server: &TestServer, events: &[Value]) {
    for chunk in events.chunks(80) {
        server.post("/api/events/batch", json!(chunk)).await;
    }
}

async fn a_new_counter_knows_the_past_as_one_that_was_there(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let named = |definition: &Value, name: String| {
        let mut named = definition.clone();
        named["name"] = name.into();
        named
    };
    let mut pairs = Vec::new();
    for (n, definition) in definitions().iter().enumerate() {
        let there = server.post("/api/counters", named(definition, format!("There {n}"))).await;
        pairs.push((format!("/api/counters/{}", there["id"]), definition.clone()));
    }
    for (path, _) in &pairs {
        ready(&server, &clock, path).await;
    }
    let story = story(&clock);
    send(&server, &story[..600]).await;
    let mut new = Vec::new();
    for (n, (_, definition)) in pairs.iter().enumerate() {
        let made = server.post("/api/counters", named(definition, format!("New {n}"))).await;
        new.push(format!("/api/counters/{}", made["id"]));
    }
    // Some come before it counts, some while its past is built.
    send(&server, &story[600..620]).await;
    clock.advance(SOON_MS);
    send(&server, &story[620..]).await;
    for path in &new {
        ready(&server, &clock, path).await;
    }
    let users = (0..9).map(|n| format!("user-{n}")).chain(["busy".to_owned()]).collect::<Vec<_>>();
    let mut seen = 0.0;
    for ((there, definition), new) in pairs.iter().zip(&new) {
        for user in &users {
            let said = [value(&server, there, user).await, value(&server, new, user).await];
            assert_eq!(said[0], said[1], "{definition} of {user}");
            seen += said[0].as_f64().unwrap_or(0.0).abs();
        }
    }
    assert!(seen > 100.0, "{seen}");
}

async fn a_changed_counter_counts_anew_though_the_server_is_stopped(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let spent = make(&server, &clock, spent()).await;
    for (n, minutes) in [80, 70, 20, 0].into_iter().enumerate() {
        server.post("/api/events", bought(&clock, &format!("e{n}"), "ada", minutes, 1.0)).await;
    }
    assert_eq!(value(&server, &spent, "ada").await, 2.0);
    let renamed = server.patch(&spent, json!({"name": "Paid"})).await;
    assert_eq!(
        (&renamed["status"], &renamed["slug"]),
        (&json!("READY"), &json!("spent")),
        "it counts the same"
    );
    let changed = server.patch(&spent, json!({"windowSeconds": 7_200})).await;
    assert_eq!((&changed["status"], &changed["of"]), (&json!("BUILDING"), &json!("event.data.amount")));
    let ground = server.stop();
    let server = TestServer::start_on(ground, Arc::clone(&clock) as Arc<dyn Clock>, |_| {}).await;
    ready(&server, &clock, &spent).await;
    assert_eq!(value(&server, &spent, "ada").await, 4.0);
    let changed = server.patch(&spent, json!({"function": "COUNT", "per": "device"})).await;
    assert_eq!(changed["of"], Value::Null);
    ready(&server, &clock, &spent).await;
    server.post("/api/events", bought(&clock, "last", "bob", 0, 1.0)).await;
    assert_eq!(value(&server, &spent, "bob").await, 5.0);
    assert_eq!(server.call(Method::DELETE, &spent, None).await.0, 204);
    assert_eq!(server.call(Method::GET, &spent, None).await.0, 404);
}

pub(super) async fn states(server: &TestServer) -> i64 {
    let count = |tx: &mut Tx| tx.get("select count(*) from counter_states", &[], |row| row.get::<i64>(0));
    server.app.store.read(count).await.unwrap()
}

async fn what_was_counted_of_a_person_goes_with_them_and_the_rest_with_its_window(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    for (name, per) in [("a", "identity.id"), ("b", "email"), ("c", "device"), ("d", "identity.data.plan")] {
        let counter = json!({"name": name, "function": "COUNT", "per": per, "windowSeconds": 3_600});
        server.post("/api/counters", counter).await;
    }
    clock.advance(SOON_MS);
    for user in ["ada", "bob"] {
        let mut event = bought(&clock, user, user, 0, 1.0);
        event["identity"]["data"] = json!({"email": format!("{user}@posteo.de"), "plan": user});
        server.post("/api/events", event).await;
    }
    assert_eq!(states(&server).await, 7);
    assert_eq!(server.call(Method::DELETE, "/api/identities/ada", None).await.0, 204);
    assert_eq!(states(&server).await, 4, "bob's, and the device's");
    // The look for what is old has come by once before there is something old.
    clock.advance(70 * 60_000);
    eventually("the windows to be over", async || {
        clock.advance(60_000);
        (states(&server).await == 0).then_some(())
    })
    .await;
}

async fn a_counter_that_a_rule_asks_for_stays(engine: Engine) {
    let server = TestServer::start(engine).await;
    let catalogue = server.get("/api/counters/catalog").await;
    for template in catalogue.as_array().unwrap() {
        let made = server.post("/api/counters", template["counter"].clone()).await;
        assert_eq!(made["words"], template["words"]);
    }
    let all = server.get("/api/counters").await;
    assert_eq!(all["totalElements"], 12);
    let first = &all["content"][0];
    let path = format!("/api/counters/{}", first["id"]);
    let (status, taken) =
        server.call(Method::POST, "/api/counters", Some(catalogue[0]["counter"].clone())).await;
    assert_eq!((status.as_u16(), &taken["code"]), (409, &json!("counter_exists")));
    let asks =
        json!({"type": "NOT", "condition": {"type": "COUNTER_GT", "counter": first["slug"], "value": 3}});
    let rule = json!({"name": "Farm", "severity": "INFO", "conditions": [asks]});
    let rule = server.post("/api/escalation-rules", rule).await;
    let (status, kept) = server.call(Method::DELETE, &path, None).await;
    assert_eq!((status.as_u16(), &kept["code"]), (409, &json!("counter_in_use")));
    assert!(kept["message"].as_str().unwrap().contains("\"Farm\""), "{kept}");
    assert_eq!(
        server.call(Method::DELETE, &format!("/api/escalation-rules/{}", rule["id"]), None).await.0,
        204
    );
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
}

/// Two nodes store events of one device at once: none is lost, and none counts twice.
#[tokio::test]
async fn nodes_that_count_by_the_same_lose_nothing() {
    const EVENTS: usize = 150;
    let [first, second, _] = sites();
    let mut nodes = Vec::new();
    for site in [&first, &second] {
        let mut node = site.start(None, &[MASTER_KEY]);
        assert!(node.is_ready().await, "{}", node.log());
        nodes.push(node);
    }
    let hits = json!({"name": "Hits", "function": "COUNT", "per": "device", "windowSeconds": 3_600});
    let made = call(first.address, Method::POST, "/counters", hits).await;
    let path = format!("/counters/{}", made["id"]);
    let event = |n: usize, site: usize| {
        json!({
            "id": format!("e{site}-{n}"), "type": "view", "identity": {"id": format!("user-{site}-{}", n % 7)},
            "device": {"fingerprint": "shared"},
        })
    };
    let send = async |address, site: usize| {
        for n in 0..EVENTS {
            call(address, Method::POST, "/events", event(n, site)).await;
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        }
    };
    // Some come before it counts, and some after.
    tokio::join!(send(first.address, 1), send(second.address, 2));
    eventually("the past to be built", async || {
        (call(second.address, Method::GET, &path, Value::Null).await["status"] == "READY").then_some(())
    })
    .await;
    call(first.address, Method::POST, "/events", event(EVENTS, 1)).await;
    let path = format!("{path}/value?identity=user-1-{}", EVENTS % 7);
    let said = call(first.address, Method::GET, &path, Value::Null).await;
    assert_eq!(said["value"], (2 * EVENTS + 1) as f64);
}
