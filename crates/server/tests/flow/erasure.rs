//! A person is forgotten: no row, no delivery, no byte of them stays; and still they are known when they
//! come back.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, eventually};

on_both_engines!(
    a_person_is_forgotten_to_the_last_byte,
    an_interrupted_erasure_is_finished_by_the_next_start
);

/// Everything by which somebody could still be told.
const TRACES: [&str; 9] = [
    "ada-1815",
    "lovelace-first@posteo.de",
    "lovelace-second@posteo.de",
    "Augusta Ada",
    "countess1815",
    "203.0.113.77",
    "session-of-ada",
    "device-of-ada",
    "a very private remark",
];
const EVENTS: usize = 1_200;

/// Tables in which nothing is about one person.
const MAY_STAY: [&str; 29] = [
    "channel_left_out",
    "counters",
    "badge_counts",
    "badge_rules",
    "escalation_rules",
    "rule_jumps",
    "rule_versions",
    "settings",
    "lists",
    "nodes",
    "schema_migrations",
    "migrations",
    "teams",
    "users",
    "members",
    "sessions",
    "credentials",
    "channels",
    "channel_secrets",
    "names",
    "usage",
    "versions",
    "changes",
    "audit_log",
    "identity_keys",
    "deleted_identities",
    "groups",
    "sqlite_sequence",
    "sqlite_stat1",
];

struct Scene {
    site: Site,
    client: Client,
    receiver: Receiver,
}

impl Scene {
    async fn set(engine: Engine) -> (Self, Process) {
        Self::set_with(engine, None).await
    }

    async fn set_with(engine: Engine, failpoint: Option<&str>) -> (Self, Process) {
        let site = Site::new(engine);
        let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
        let scene = Self { site, client: Client::new(), receiver };
        let process = scene.start(failpoint).await;
        (scene, process)
    }

    async fn start(&self, failpoint: Option<&str>) -> Process {
        let mut process = self.site.start(failpoint, &[("DREGS_MIN_CYCLE_MS", "0")]);
        assert!(process.is_ready().await);
        process
    }

    async fn try_call(&self, method: Method, path: &str, body: Value) -> Option<(StatusCode, Value)> {
        let request = self.client.request(method, format!("http://{}{path}", self.site.address));
        let request = request.bearer_auth(SECRET_KEY).timeout(Duration::from_secs(60));
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.ok()?;
        let (status, text) = (answer.status(), answer.text().await.ok()?);
        Some((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let name = format!("{method} {path}");
        let (status, answer) = self.try_call(method, path, body).await.unwrap();
        assert!(status.is_success(), "{name}: {status} {answer}");
        answer
    }

    /// A life of many events, changes of name, a badge, webhooks, a review and a link.
    async fn live(&self) {
        let config = json!({"url": self.receiver.url()});
        let channel =
            json!({"type": "WEBHOOK", "name": "Hook", "events": ["IDENTITY_SCORED"], "config": config});
        self.call(Method::POST, "/api/channels", channel).await;
        self.list().await;
        for half in 0..2 {
            let email = if half == 0 { TRACES[1] } else { TRACES[2] };
            let event = |n: usize| {
                json!({
                    "id": format!("e{half}-{n}"), "type": if n < 590 { "page.viewed" } else { "payment_failed" }, "session": "session-of-ada",
                    "identity": {"id": "ada-1815", "data": {
                        "email": email, "name": "Augusta Ada", "username": "countess1815",
                        "remark": "a very private remark",
                    }},
                    "groups": [{"type": "team", "id": "engines", "data": {"name": "Engines"}}],
                    "device": {"fingerprint": "device-of-ada"}, "ip": "203.0.113.77",
                    "data": {"text": "a very private remark"},
                })
            };
            let batch: Vec<_> = (0..EVENTS / 2).map(event).collect();
            self.call(Method::POST, "/api/events/batch", json!(batch)).await;
        }
        for n in 0..5 {
            let attributes = json!({"attributes": {"remark": format!("a very private remark {n}")}});
            self.call(Method::PATCH, "/api/identities/ada-1815", attributes).await;
        }
        eventually("the badge", async || {
            let identity = self.call(Method::GET, "/api/identities/ada-1815", Value::Null).await;
            identity["badges"].to_string().contains("card-testing").then_some(())
        })
        .await;
        let ask = json!({"feedback": "a very private remark"});
        self.call(Method::POST, "/api/identities/ada-1815/actions/review", ask).await;
        eventually("the review", async || {
            let reviews = self.call(Method::GET, "/api/identities/ada-1815/reviews", Value::Null).await;
            (reviews[0]["status"] == "FINISHED").then_some(())
        })
        .await;
        eventually("webhooks", async || {
            let path = "/api/channels/1/deliveries?identity=ada-1815&pageSize=1";
            let deliveries = self.call(Method::GET, path, Value::Null).await;
            let waiting = self.call(Method::GET, &format!("{path}&status=PENDING"), Value::Null).await;
            (deliveries["totalElements"].as_u64() > Some(0) && waiting["totalElements"] == 0).then_some(())
        })
        .await;
    }

    /// A rule puts on lists what is found of whoever tests cards.
    async fn list(&self) {
        let mut adds = Vec::new();
        for what in ["EMAIL", "IDENTITY", "DEVICE", "IP"] {
            let list = self.call(Method::POST, "/api/lists", json!({"name": what, "type": what})).await;
            adds.push(json!({"list": list["slug"], "what": what}));
        }
        let tests = json!([{"type": "BADGE_EXISTS", "badge": "card-testing"}]);
        let rule = json!({"name": "Tester", "severity": "INFO", "conditions": tests, "addsToLists": adds});
        self.call(Method::POST, "/api/escalation-rules", rule).await;
    }

    /// How many rows there are in each table that may not stay.
    fn rows(&self) -> BTreeMap<String, i64> {
        let store = self.site.open_store();
        let count = |tx: &mut dregs_server::store::Tx| {
            let tables = tx.dialect(
                "select name from sqlite_master where type = 'table'",
                "select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
            );
            let tables: Vec<String> = tx.query(tables, &[], |row| row.get(0))?;
            let mut rows = BTreeMap::new();
            for table in tables.into_iter().filter(|table| !MAY_STAY.contains(&table.as_str())) {
                let count = tx.get(&format!("select count(*) from {table}"), &[], |row| row.get(0))?;
                rows.insert(table, count);
            }
            Ok(rows)
        };
        std::thread::scope(|scope| {
            let read = || tokio::runtime::Runtime::new().unwrap().block_on(store.read(count)).unwrap();
            scope.spawn(read).join().unwrap()
        })
    }

    /// Traces in what the server keeps: files as they are, or the text of every row.
    fn traces(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.site.folder()).unwrap() {
            let path = entry.unwrap().path();
            let Ok(bytes) = std::fs::read(&path) else { continue };
            for trace in TRACES {
                if memchr::memmem::find(&bytes, trace.as_bytes()).is_some() {
                    found.push(format!("{trace} in {}", path.file_name().unwrap().display()));
                }
            }
        }
        found.extend(self.site.rows_with(&TRACES));
        found
    }

    async fn assert_forgotten(&self) {
        let (status, _) = self.try_call(Method::GET, "/api/identities/ada-1815", Value::Null).await.unwrap();
        assert_eq!(status, 404);
        let rows = self.rows();
        assert!(rows.len() > 10 && rows.values().all(|count| *count == 0), "{rows:?}");
        assert_eq!(self.traces(), Vec::<String>::new());
    }

    /// Somebody new on the old device, with the old address.
    async fn come_back(&self) {
        let event = json!({
            "id": "back", "type": "user.registration", "device": {"fingerprint": "device-of-ada"},
            "identity": {"id": "ada-2", "data": {"email": "Lovelace-Second+new@posteo.de"}},
        });
        self.call(Method::POST, "/api/events", event).await;
        let links = self.call(Method::GET, "/api/identities/ada-2/links", Value::Null).await;
        let told: Vec<_> = links
            .as_array()
            .unwrap()
            .iter()
            .map(|link| json!([link["targetIdentityId"], link["targetDisplayName"], link["type"]]))
            .collect();
        let deleted = |kind: &str| json!([null, "a deleted identity", kind]);
        assert_eq!(told, [deleted("SIMILAR_EMAIL"), deleted("SAME_DEVICE")]);
        let said = eventually("to be scored", async || {
            let path = "/api/identities/ada-2/analysis";
            let (_, analysis) = self.try_call(Method::GET, path, Value::Null).await?;
            let text = analysis.to_string();
            text.contains("uniqueness.same-email").then_some(text)
        })
        .await;
        assert!(said.contains("1 account with the same e-mail address was deleted before."), "{said}");
        assert!(said.contains("uniqueness.shared-device"), "{said}");
    }
}

async fn a_person_is_forgotten_to_the_last_byte(engine: Engine) {
    let (scene, _process) = Scene::set(engine).await;
    scene.live().await;
    let before = scene.rows();
    let filled = [
        "identities",
        "events",
        "analyses",
        "deliveries",
        "devices",
        "reviews",
        "group_members",
        "list_entries",
        "list_entry_sources",
    ];
    for table in filled {
        assert!(before[table] > 0, "there is nothing in {table} to forget");
    }
    let export = scene.call(Method::GET, "/api/identities/ada-1815/export", Value::Null).await;
    assert_eq!(export["identity"]["id"], "ada-1815");
    assert!(!export["listEntries"].as_array().unwrap().is_empty(), "what lists have of her is hers, too");
    let parts = ["groups", "devices", "reviews", "events", "analyses", "deliveries"];
    let lengths = parts.map(|part| export[part].as_array().unwrap_or_else(|| panic!("no {part}")).len());
    assert_eq!((lengths[..4].to_vec(), lengths[4] > 0, lengths[5] > 0), (vec![1, 1, 1, EVENTS], true, true));
    assert!(export["events"].to_string().contains("a very private remark"));
    assert!(!scene.traces().is_empty(), "the search finds nothing while everything is there");
    scene.call(Method::DELETE, "/api/identities/ada-1815", Value::Null).await;
    scene.assert_forgotten().await;
    scene.come_back().await;
}

async fn an_interrupted_erasure_is_finished_by_the_next_start(engine: Engine) {
    let (scene, mut process) = Scene::set_with(engine, Some("erasure.begun:1")).await;
    scene.live().await;
    let answer = scene.try_call(Method::DELETE, "/api/identities/ada-1815", Value::Null).await;
    assert!(answer.is_none(), "{answer:?}");
    assert!(process.end(Duration::from_secs(10)).await.is_some());
    assert!(scene.rows()["events"] > 0, "the erasure was not interrupted");
    let _process = scene.start(None).await;
    eventually("the rest to go", async || scene.rows().values().all(|count| *count == 0).then_some(())).await;
    eventually("the log to be emptied", async || scene.traces().is_empty().then_some(())).await;
    scene.assert_forgotten().await;
    scene.come_back().await;
}
