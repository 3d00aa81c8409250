//! What is accepted is stored as it was sent, but for redaction, and found under its own id.

use std::sync::Arc;

use dregs_core::event::{Event, redact, ties_nobody};
use dregs_core::time::Timestamp;
use dregs_server::store::{events, identities};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::team;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event};

on_both_engines!(
    any_event_reads_back_as_it_was_sent,
    secrets_never_reach_the_store,
    identities_are_found_under_whatever_their_id_is,
);

/// The stored events of an identity, in the order they were folded.
pub async fn stored(server: &TestServer, identity_id: &str) -> Vec<Event> {
    let (team_id, identity_id) = (team(&server.app).await, identity_id.to_owned());
    let read = move |tx: &mut dregs_server::store::Tx| {
        let Some(identity) = identities::find(tx, team_id, &identity_id)? else { return Ok(Vec::new()) };
        let rows = events::of_identity(tx, identity.row_id, 0, 1_000)?;
        Ok(rows.into_iter().map(|(_, event)| event).collect())
    };
    server.app.store.read(read).await.unwrap()
}

/// Any text that JSON carries and the contract accepts: everything but NUL.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,12}", "[^\\x00]{1,12}", Just("\u{202e}\u{feff}\u{7f}\\\"'/%\u{1f980}".to_owned()),]
}

/// Likewise, of what stands for something: other ids are refused, other sessions passed over.
fn some() -> impl Strategy<Value = String> {
    text().prop_filter("stands for none", |text| !ties_nobody(text))
}

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e18..1e18_f64).prop_map(Value::from),
        (-1.0..1.0_f64).prop_map(|small| Value::from(small * 1e-30)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

fn data() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(text(), value(), 1..4).prop_map(|map| Value::Object(Map::from_iter(map)))
}

/// An event in the form in which it is kept, but for the redaction: what is sent and what is
/// stored are then the same JSON.
fn canonical() -> impl Strategy<Value = Value> {
    let optional = |name: &'static str, value: BoxedStrategy<Value>| {
        prop::option::of(value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let group = ("[a-z]{1,8}", some(), data())
        .prop_map(|(kind, id, data)| json!({"type": kind, "id": id, "data": data}));
    let ip = prop_oneof![Just("203.0.113.7"), Just("2001:db8::1")].prop_map(Value::from);
    let fields = [
        optional("source", text().prop_map(Value::from).boxed()),
        optional("groups", group.prop_map(|group| json!([group])).boxed()),
        optional("data", data().boxed()),
        optional("session", some().prop_map(Value::from).boxed()),
        optional("url", text().prop_map(Value::from).boxed()),
        optional("ip", ip.boxed()),
        optional("userAgent", text().prop_map(Value::from).boxed()),
    ];
    (text(), text(), data(), Vec::from(fields)).prop_map(|(name, identity, data, fields)| {
        let id = format!("{:032x}", rand::random::<u128>());
        let mut event = json!({
            "id": id,
            "type": name,
            "timestamp": "2026-06-01T12:00:00.125Z",
            // Many tests in one store: the id makes the identity this test's own, and nothing that stands for none.
            "identity": {"id": format!("{id}{identity}"), "data": data},
        });
        event.as_object_mut().unwrap().extend(fields.into_iter().flatten());
        event
    })
}

/// What is stored of a canonical event: the same, redacted, and `userAgent` by its field's name.
fn kept(mut sent: Value) -> Value {
    let event = sent.as_object_mut().unwrap();
    if let Some(user_agent) = event.remove("userAgent") {
        event.insert("user_agent".into(), user_agent);
    }
    for path in ["/data", "/identity/data", "/groups/0/data"] {
        if let Some(data) = sent.pointer_mut(path) {
            redact(data.as_object_mut().unwrap());
        }
    }
    sent
}

async fn any_event_reads_back_as_it_was_sent(engine: Engine) {
    let server = Arc::new(TestServer::start_with(engine, |config| config.min_cycle_ms = 3_600_000).await);
    let (sending, runtime) = (Arc::clone(&server), tokio::runtime::Handle::current());
    let run = move || {
        let mut runner = TestRunner::new(ProptestConfig { cases: 60, ..ProptestConfig::default() });
        runner.run(&canonical(), |sent| {
            runtime.block_on(async {
                let answer = sending.post("/api/events", sent.clone()).await;
                prop_assert_eq!(answer, json!({"status": "success", "id": &sent["id"], "fingerprint": null}));
                let identity = sent["identity"]["id"].as_str().unwrap();
                let stored = serde_json::to_value(stored(&sending, identity).await).unwrap();
                prop_assert_eq!(stored, json!([kept(sent)]));
                Ok(())
            })
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
}

async fn secrets_never_reach_the_store(engine: Engine) {
    let server = TestServer::start(engine).await;
    let mut sent = event("e1", "ada");
    sent["data"] = json!({"password": "hunter2", "card": {"number": "4111111111111111"}, "plan": "pro"});
    sent["identity"]["data"] = json!({"apiKey": "k-123", "name": "Ada"});
    sent["device"] = json!({"components": {"authorization": "Bearer x", "screen": "1x1"}});
    server.post("/api/events", sent).await;
    let event = stored(&server, "ada").await.remove(0);
    let redacted = "[REDACTED]";
    assert_eq!(json!(event.data), json!({"password": redacted, "card": {"number": redacted}, "plan": "pro"}));
    assert_eq!(json!(event.components), json!({"authorization": redacted, "screen": "1x1"}));
    let identity = server.get("/api/identities/ada").await;
    assert_eq!(identity["data"], json!({"apiKey": redacted, "name": "Ada"}));
}

async fn identities_are_found_under_whatever_their_id_is(engine: Engine) {
    let server = TestServer::start(engine).await;
    let longest = "ü".repeat(127);
    let ids = [
        "ada@example.com",
        "a/b/../c",
        "100%",
        "%2F",
        "a b+c",
        "\"it's\"\\",
        "🦀",
        "مرحبا",
        "\u{202e}abc",
        "?x=1#y",
        "..a",
        "nullable",
        "a\nb\tc\r",
        "\u{feff}\u{7f}",
        longest.as_str(),
    ];
    for (n, id) in ids.into_iter().enumerate() {
        server.track(&format!("e{n}"), id).await;
    }
    for id in ids {
        // Every byte encoded: more than any client does.
        let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(server.get(&format!("/api/identities/{encoded}")).await["id"], id);
        assert!(server.get(&format!("/api/identities/{encoded}/scores")).await.is_array());
    }
}

#[tokio::test]
async fn times_are_kept_to_the_millisecond_in_utc() {
    let server = TestServer::start(Engine::Sqlite).await;
    let mut sent = event("e1", "ada");
    sent["timestamp"] = json!("2026-06-01T14:30:00.123999+02:30");
    server.post("/api/events", sent).await;
    let time = stored(&server, "ada").await[0].timestamp;
    assert_eq!(Some(time), Timestamp::parse("2026-06-01T12:00:00.123Z"));
}
