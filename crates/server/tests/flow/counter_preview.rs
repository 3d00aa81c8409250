//! What a counter would say now, before it is made: the same as it says when it is there.

use std::collections::BTreeMap;

use dregs_core::counter::{Counter, Function};
use dregs_core::fact::Fact;
use dregs_core::time::Timestamp;
use dregs_server::clock::{Clock, ManualClock};
use dregs_server::ops::counters::Seen;
use dregs_server::ops::counters::preview::{BOUNDS, Bounds, Preview, preview};
use reqwest::Method;
use serde_json::{Value, json};

use super::counters::{bought, definitions, ready, send, spent, states, story};
use super::delivery::morning;
use crate::api::team;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::TestServer;

on_both_engines!(
    a_preview_says_what_the_counter_says_when_it_is_there,
    a_preview_has_the_highest_values_and_numbers_to_compare_with,
    a_preview_that_is_not_whole_says_so,
);

const PREVIEW: &str = "/api/counters/actions/preview";

/// What it says of each value.
fn said(preview: &Value) -> BTreeMap<String, f64> {
    let top = preview["top"].as_array().unwrap().iter();
    top.map(|one| (one["value"].as_str().unwrap().to_owned(), one["counted"].as_f64().unwrap())).collect()
}

async fn a_preview_says_what_the_counter_says_when_it_is_there(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    send(&server, &story(&clock)).await;
    let mut made = Vec::new();
    for (n, definition) in definitions().into_iter().enumerate() {
        let mut named = definition.clone();
        named["name"] = format!("New {n}").into();
        let counter = server.post("/api/counters", named).await;
        made.push((format!("/api/counters/{}", counter["id"]), definition));
    }
    for (path, _) in &made {
        ready(&server, &clock, path).await;
    }
    // The value of each is that of now.
    let users = (0..9).map(|n| format!("user-{n}")).chain(["busy".to_owned()]).collect::<Vec<_>>();
    for (n, user) in users.iter().enumerate() {
        let mut last = bought(&clock, &format!("last-{user}"), user, 0, n as f64);
        last["device"]["fingerprint"] = format!("d{}", n % 5).into();
        last["ip"] = format!("203.0.113.{}", n % 3 + 1).into();
        server.post("/api/events", last).await;
    }
    let (mut compared, mut sum) = (0, 0.0);
    for (path, definition) in &made {
        let preview = server.post(PREVIEW, definition.clone()).await;
        let all = said(&preview);
        assert_eq!((preview["values"].as_u64(), &preview["isWhole"]), (Some(all.len() as u64), &json!(true)));
        for user in &users {
            let stored = server.get(&format!("{path}/value?identity={user}")).await;
            let key = stored["keys"][0].as_str().and_then(|key| key.split_once(" is ")).map(|(_, key)| key);
            let previewed = key.and_then(|key| all.get(key));
            // A counter says 0 of a value that it has never seen.
            let is_same = stored["value"].as_f64().filter(|value| *value != 0.0 || previewed.is_some());
            assert_eq!(previewed.copied(), is_same, "{definition} of {user}: {stored} {preview}");
            compared += usize::from(previewed.is_some());
            sum += previewed.copied().unwrap_or(0.0).abs();
        }
    }
    assert!(compared > 40 && sum > 100.0, "{compared} {sum}");
}

async fn a_preview_has_the_highest_values_and_numbers_to_compare_with(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    let hits = json!({"name": "", "function": "COUNT", "per": "device", "windowSeconds": 3_600});
    let (from, to) = (clock.now().plus_millis(-57 * 60_000 - 30_000).to_string(), clock.now().to_string());
    let nothing = json!({
        "from": from, "to": to, "values": 0, "order": "HIGHEST", "top": [], "thresholds": [], "lookedAt": 0,
        "matching": 0, "isWhole": true,
    });
    assert_eq!(server.post(PREVIEW, hits.clone()).await, nothing, "a team without events");

    // d1 has five, of two people and of nobody; d2 one. One is too old, and one is of somebody who is disregarded.
    let mut events = Vec::new();
    for (n, (user, minutes)) in [("ada", 50), ("bob", 3), ("ada", 40), ("ada", 0)].into_iter().enumerate() {
        events.push(bought(&clock, &format!("e{n}"), user, minutes, n as f64 + 0.5));
    }
    let mut nobody = bought(&clock, "nobody", "ada", 10, 7.0);
    nobody["identity"] = Value::Null;
    let mut other = bought(&clock, "other", "kim", 20, 2.0);
    other["device"]["fingerprint"] = "d2".into();
    events.extend([
        nobody,
        other,
        bought(&clock, "old", "ada", 61, 100.0),
        bought(&clock, "staff", "staff", 1, 9.0),
    ]);
    send(&server, &events).await;
    server.patch("/api/identities/staff", json!({"disregarded": true})).await;
    let told = json!({
        "from": from, "to": to, "values": 2, "order": "HIGHEST",
        "top": [{"value": "d1", "counted": 5.0}, {"value": "d2", "counted": 1.0}],
        "thresholds": [{"threshold": 1.0, "beyond": 1}, {"threshold": 5.0, "beyond": 0}],
        "lookedAt": 6, "matching": 6, "isWhole": true,
    });
    assert_eq!(server.post(PREVIEW, hits).await, told);
    let of = async |changes: Value| {
        let mut body = spent();
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let told = server.post(PREVIEW, body).await;
        (told["order"].clone(), said(&told), told["lookedAt"].clone(), told["matching"].clone())
    };
    let all = |said: &[(&str, f64)]| said.iter().map(|(value, said)| ((*value).to_owned(), *said)).collect();
    let (highest, lowest) = (json!("HIGHEST"), json!("LOWEST"));
    // Nobody's events have no identity to be counted by, and are not looked at.
    let expected = (highest.clone(), all(&[("ada", 6.5), ("bob", 1.5), ("kim", 2.0)]), json!(5), json!(5));
    assert_eq!(of(json!({})).await, expected);
    let expected = (lowest, all(&[("d1", 0.5), ("d2", 2.0)]), json!(6), json!(6));
    assert_eq!(of(json!({"function": "MIN", "per": "device"})).await, expected);
    let large = json!([{"type": "FACT_GT", "fact": "event.data.amount", "value": 1}]);
    let distinct = json!({"function": "DISTINCT", "of": "identity.id", "per": "device", "conditions": large});
    // What nobody did has no identity to tell apart.
    let expected = (highest, all(&[("d1", 2.0), ("d2", 1.0)]), json!(6), json!(4));
    assert_eq!(of(distinct).await, expected);
    assert_eq!(server.get("/api/counters").await["totalElements"], 0);
    assert_eq!(states(&server).await, 0, "nothing is stored");

    for (field, changes) in [
        ("per", json!({"per": "devise"})),
        ("of", json!({"of": "amount"})),
        ("conditions[0].fact", json!({"conditions": [{"type": "FACT_EQ", "fact": "plan", "value": 1}]})),
    ] {
        let mut body = spent();
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let (status, refused) = server.call(Method::POST, PREVIEW, Some(body)).await;
        assert_eq!((status.as_u16(), &refused["details"][0]["field"]), (400, &json!(field)), "{refused}");
    }
}

async fn looked(server: &TestServer, clock: &ManualClock, bounds: Bounds) -> (Vec<(String, f64)>, bool) {
    let counter = Counter {
        id: 0,
        revision: 0,
        slug: String::new(),
        name: String::new(),
        function: Function::Count,
        per: Fact::Device,
        conditions: Vec::new(),
        window_seconds: 3_600,
        counts_from: Timestamp::default(),
        is_ready: false,
    };
    let (app, team_id) = (&server.app, team(&server.app).await);
    let seen = Seen::now(&app.kept, app.key_hasher);
    let asked = preview(&app.long_reads, &app.rosters, seen, (team_id, counter), bounds, clock.now());
    let Preview { top, is_whole, .. } = asked.await.unwrap();
    (top, is_whole)
}

async fn a_preview_that_is_not_whole_says_so(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    // The first is active first.
    for (user, count) in [("ada", 4), ("bob", 2), ("", 3)] {
        for n in 0..count {
            let mut event = bought(&clock, &format!("e-{user}-{n}"), user, 1, 1.0);
            event["device"]["fingerprint"] = format!("of-{user}").into();
            if user.is_empty() {
                event["identity"] = Value::Null;
            }
            server.post("/api/events", event).await;
        }
        clock.advance(1_000);
    }
    let check = async |bounds: Bounds, expected: &[(&str, f64)], is_whole: bool| {
        let expected: Vec<_> = expected.iter().map(|(value, said)| ((*value).to_owned(), *said)).collect();
        assert_eq!(looked(&server, &clock, bounds).await, (expected, is_whole));
    };
    let all = [("of-ada", 4.0), ("of-", 3.0), ("of-bob", 2.0)];
    check(BOUNDS, &all, true).await;
    check(Bounds { identities: 1, ..BOUNDS }, &[("of-", 3.0), ("of-bob", 2.0)], false).await;
    check(Bounds { events: 4, ..BOUNDS }, &[("of-", 3.0), ("of-ada", 2.0), ("of-bob", 2.0)], false).await;
    check(
        Bounds { events_of_identity: 3, ..BOUNDS },
        &[("of-", 3.0), ("of-ada", 3.0), ("of-bob", 2.0)],
        false,
    )
    .await;
    check(Bounds { values: 2, ..BOUNDS }, &[("of-ada", 4.0), ("of-bob", 2.0)], false).await;
}
