//! Lists of a team's own: what is trusted leaves the queue, and what is taken off comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use dregs_core::time::Timestamp;
use dregs_server::store::Tx;
use dregs_server::store::lists::{self, Entry};
use dregs_server::store::settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::remedies::ring;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer, event, eventually, settled};

on_both_engines!(
    an_office_whose_network_is_trusted_leaves_the_queue_and_comes_back_without_it,
    a_trusted_device_and_a_trusted_tester_are_left_out_of_sharing,
    whom_a_change_concerns_is_told_before_it_is_made,
    what_was_added_can_be_undone_by_what_the_answer_names,
    an_entry_ends_without_anybody_doing_anything,
    a_table_is_taken_in_whole_or_not_at_all,
    a_list_of_many_is_read_once_and_then_only_what_has_changed,
);

const OFFICE: usize = 50;
const RING: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

async fn list(server: &TestServer, name: &str, list_type: &str, trusted: bool) -> i64 {
    let body = json!({"name": name, "type": list_type, "trusted": trusted});
    server.post("/api/lists", body).await["id"].as_i64().unwrap()
}

async fn add(server: &TestServer, list: i64, entries: Value) -> Value {
    server.post(&format!("/api/lists/{list}/entries"), json!({"entries": entries})).await
}

async fn entries(server: &TestServer, list: i64, query: &str) -> Vec<Value> {
    let found = server.get(&format!("/api/lists/{list}/entries?{query}")).await;
    found["content"].as_array().unwrap().clone()
}

async fn remove(server: &TestServer, list: i64, entry: &Value) {
    let path = format!("/api/lists/{list}/entries/{}", entry["id"]);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
}

/// How many have an open escalation, of those whose ids begin so.
async fn open(server: &TestServer, prefix: &str) -> usize {
    let (mut page, mut ids) = (0, BTreeSet::new());
    loop {
        let path = format!("/api/escalations?status=OPEN&pageSize=100&pageNumber={page}");
        let found = server.get(&path).await;
        let all = found["content"].as_array().unwrap().iter();
        let all = all.map(|one| one["identity"]["id"].as_str().unwrap().to_owned());
        ids.extend(all.filter(|id| id.starts_with(prefix)));
        if found["last"] == true {
            return ids.len();
        }
        page += 1;
    }
}

async fn until_open(server: &TestServer, prefix: &str, expected: usize) {
    let mut last = None;
    let begun = Instant::now();
    while last != Some(expected) {
        assert!(begun.elapsed() < Duration::from_secs(40), "{last:?} of {prefix}, not {expected}, are open");
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = Some(open(server, prefix).await);
    }
}

/// What an analyzer says of somebody.
async fn said(server: &TestServer, id: &str, analyzer: &str) -> Option<Value> {
    let analysis = server.analysis(id).await;
    let scores = analysis["scores"].as_array()?.iter();
    let mut all = scores.flat_map(|score| score["observations"].as_array().into_iter().flatten());
    all.find(|one| one["id"] == analyzer).map(|one| one["explanation"].clone())
}

fn visit(id: &str, user: &str, ip: &str) -> Value {
    let mut visit = event(id, user);
    // Mailboxes that differ in digits alone would be a burst of their own.
    visit["identity"]["data"] = json!({"email": format!("{}@posteo.de", letters(user))});
    (visit["ip"], visit["userAgent"]) = (json!(ip), json!(BROWSER));
    visit
}

/// A name in letters for each number.
fn letters(user: &str) -> String {
    const SYLLABLES: [&str; 8] = ["ba", "de", "fi", "go", "lu", "ma", "ne", "ro"];
    let (prefix, n) = user.rsplit_once('-').unwrap();
    let n: usize = n.parse().unwrap();
    format!("{}{}{}", SYLLABLES[n % 8], SYLLABLES[n / 8], prefix.chars().rev().collect::<String>())
}

/// An office that comes to one address within minutes, strangers elsewhere, and a ring on one device.
async fn office(server: &TestServer) {
    ring(server, &[], &RING).await;
    let below = json!([{"type": "SCORE_LT", "category": "BEHAVIOR", "threshold": 60}]);
    let rule = json!({"name": "Burst", "severity": "WARNING", "conditions": below});
    server.post("/api/escalation-rules", rule).await;
    for n in 0..20 {
        server
            .post("/api/events", visit(&format!("s{n}"), &format!("stranger-{n}"), &format!("198.51.{n}.9")))
            .await;
    }
    for round in 0..2 {
        for n in 0..OFFICE {
            let id = format!("o{round}-{n}");
            server.post("/api/events", visit(&id, &format!("office-{n}"), "203.0.113.7")).await;
        }
    }
    settled(server).await;
    until_open(server, "office-", OFFICE).await;
}

async fn an_office_whose_network_is_trusted_leaves_the_queue_and_comes_back_without_it(engine: Engine) {
    let server = TestServer::start(engine).await;
    office(&server).await;
    let of_ring = open(&server, "").await - OFFICE;
    assert!(of_ring >= RING.len(), "{of_ring}");
    let ours = list(&server, "Our office", "NETWORK", true).await;
    let added = add(&server, ours, json!([{"value": "203.0.113.77/24", "comment": "Berlin"}])).await;
    assert_eq!((&added["added"], &added["changed"], &added["unchanged"]), (&json!(1), &json!(0), &json!(0)));
    until_open(&server, "office-", 0).await;
    let words = "203.0.113.0/24 is on the trusted list \"Our office\".";
    for analyzer in ["uniqueness.shared-ip", "behavior.sign-up-burst"] {
        assert_eq!(said(&server, "office-7", analyzer).await, Some(json!(words)), "{analyzer}");
    }
    assert_eq!(open(&server, "").await, of_ring, "an attack from elsewhere stays caught");

    let path = format!("/api/lists/{ours}");
    server.patch(&path, json!({"trusted": false})).await;
    until_open(&server, "office-", OFFICE).await;
    server.patch(&path, json!({"trusted": true})).await;
    until_open(&server, "office-", 0).await;
    remove(&server, ours, &entries(&server, ours, "").await[0]).await;
    until_open(&server, "office-", OFFICE).await;
    let by_address = list(&server, "Its address", "IP", true).await;
    add(&server, by_address, json!([{"value": "203.0.113.7"}])).await;
    until_open(&server, "office-", 0).await;
    assert_eq!(server.call(Method::DELETE, &format!("/api/lists/{by_address}"), None).await.0, 204);
    until_open(&server, "office-", OFFICE).await;
    assert_eq!(open(&server, "").await - OFFICE, of_ring);
}

async fn a_trusted_device_and_a_trusted_tester_are_left_out_of_sharing(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &RING).await;
    until_open(&server, "", RING.len()).await;
    let testers = list(&server, "Testers", "IDENTITY", true).await;
    add(&server, testers, json!([{"value": "eve"}])).await;
    until_open(&server, "eve", 0).await;
    assert_eq!(
        said(&server, "eve", "uniqueness.shared-device").await,
        Some(json!("eve is on the trusted list \"Testers\"."))
    );
    assert_eq!(open(&server, "").await, RING.len() - 1, "the others are no testers");
    let devices = list(&server, "Test devices", "DEVICE", true).await;
    add(&server, devices, json!([{"value": "shared"}])).await;
    until_open(&server, "", 0).await;
    assert_eq!(
        said(&server, "ada", "uniqueness.shared-device").await,
        Some(json!("shared is on the trusted list \"Test devices\"."))
    );
}

async fn an_entry_ends_without_anybody_doing_anything(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &RING).await;
    until_open(&server, "", RING.len()).await;
    let devices = list(&server, "Test devices", "DEVICE", true).await;
    let ends_at = server.app.clock.now().plus_millis(6_000).to_string();
    add(&server, devices, json!([{"value": "shared", "endsAt": ends_at}])).await;
    until_open(&server, "", 0).await;
    until_open(&server, "", RING.len()).await;
    let left = entries(&server, devices, "").await;
    assert_eq!(left.len(), 1, "what has ended is still to be seen: {left:?}");
    // Put in again without an end, it counts again.
    let again = add(&server, devices, json!([{"value": "shared"}])).await;
    assert_eq!(again, json!({"added": 0, "changed": 1, "unchanged": 0, "auditId": null}));
    until_open(&server, "", 0).await;
}

/// Two with one device, one with a device of their own, and a list of devices for which one rule asks and to which another
/// adds.
async fn three_and_a_list(server: &TestServer) -> i64 {
    for (id, device) in [("ada", "shared"), ("bob", "shared"), ("kim", "own")] {
        let mut signup = event(id, id);
        signup["device"] = json!({"fingerprint": device});
        server.post("/api/events", signup).await;
    }
    let devices = list(server, "Devices", "DEVICE", false).await;
    add(server, devices, json!([{"value": "shared"}])).await;
    let asks = json!([{"type": "IN_LIST", "fact": "device", "list": "devices"}]);
    let rule = |name: &str, conditions: Value, adds: Value| json!({"name": name, "severity": "INFO", "conditions": conditions, "addsToLists": adds});
    let chargeback = json!([{"type": "EVENT_IS", "events": ["chargeback"]}]);
    let adds = json!([{"list": "devices", "what": "DEVICE"}]);
    for rule in [rule("Asks", asks, json!([])), rule("Adds", chargeback, adds)] {
        server.post("/api/escalation-rules", rule).await;
    }
    server.channel("Ops", json!({"url": "http://127.0.0.1:9/"})).await;
    settled(server).await;
    devices
}

async fn whom_a_change_concerns_is_told_before_it_is_made(engine: Engine) {
    let server = TestServer::start(engine).await;
    let devices = three_and_a_list(&server).await;
    let path = format!("/api/lists/{devices}/actions/preview");
    let told = |identities: u64, listed: u64| json!({"identities": identities, "lookedAt": 3, "total": 3, "channels": ["ops"], "askedBy": ["Asks"], "addedToBy": ["Adds"], "listed": listed});
    let before = server.get(&format!("/api/lists/{devices}")).await;
    for (body, identities, listed) in [
        (json!({}), 2, 0),
        (json!({"values": ["own"]}), 1, 0),
        (json!({"values": ["own", "shared", "own"]}), 3, 1),
        (json!({"values": ["nobody's"]}), 0, 0),
    ] {
        assert_eq!(server.post(&path, body.clone()).await, told(identities, listed), "{body}");
    }
    let tried = server
        .post(&format!("/api/lists/{devices}/import?dryRun=true"), json!({"csv": "shared\nown\n"}))
        .await;
    assert_eq!(
        (&tried["added"], &tried["preview"]),
        (&json!(1), &told(1, 0)),
        "what is there stays as it is"
    );
    assert_eq!(server.get(&format!("/api/lists/{devices}")).await, before, "nothing is changed by asking");
    for (values, message) in [
        (json!([" "]), "values[0]: must be a fingerprint of a device, of at most 320 bytes"),
        (json!([]), "values: must have from 1 to 1000 values"),
    ] {
        let (status, body) = server.call(Method::POST, &path, Some(json!({"values": values}))).await;
        let said =
            format!("{}: {}", body["details"][0]["field"], body["details"][0]["message"]).replace('"', "");
        assert_eq!((status.as_u16(), said.as_str()), (400, message));
    }
    // Those who are scored again are those who were counted.
    rescored(&server).await;
    let scored = async |id: &str| server.get(&format!("/api/identities/{id}")).await["lastScoredAt"].clone();
    let before = [scored("ada").await, scored("bob").await, scored("kim").await];
    server.patch(&format!("/api/lists/{devices}"), json!({"trusted": true})).await;
    rescored(&server).await;
    let after = [scored("ada").await, scored("bob").await, scored("kim").await];
    assert_eq!([0, 1, 2].map(|n| before[n] != after[n]), [true, true, false]);
}

/// Waits until all whom earlier changes concern are scored again.
async fn rescored(server: &TestServer) {
    eventually("the past to be looked through", async || {
        let left = server.app.store.read(|tx| settings::with_prefix(tx, "rescore:")).await.unwrap();
        left.is_empty().then_some(())
    })
    .await;
    settled(server).await;
}

async fn what_was_added_can_be_undone_by_what_the_answer_names(engine: Engine) {
    let server = TestServer::start(engine).await;
    let devices = list(&server, "Devices", "DEVICE", false).await;
    let path = format!("/api/lists/{devices}");
    let added = add(&server, devices, json!([{"value": "one"}])).await;
    let taken = server.post(&format!("{path}/import"), json!({"csv": "two\n"})).await;
    for id in [&added["auditId"], &taken["auditId"]] {
        let undone = server.post(&format!("/api/audit-log/{id}/actions/undo"), Value::Null).await;
        assert_eq!(undone["lists"][0]["removed"], 1, "{undone}");
    }
    assert_eq!(server.get(&path).await["entryCount"], 0);
}

async fn export(server: &TestServer, list: i64) -> String {
    let request = server.request(Method::GET, &format!("/api/lists/{list}/export"));
    let request = request.bearer_auth(crate::support::server::SECRET_KEY);
    request.send().await.unwrap().text().await.unwrap()
}

async fn a_table_is_taken_in_whole_or_not_at_all(engine: Engine) {
    let server = TestServer::start(engine).await;
    let bad = list(&server, "Bad domains", "EMAIL_DOMAIN", false).await;
    let path = format!("/api/lists/{bad}/import");
    let told = |answer: &Value| {
        ["written", "added", "changed", "unchanged", "errorCount"].map(|name| answer[name].clone())
    };
    let wrong = server
        .post(&path, json!({"csv": "value,comment,endsAt\na.example\nno domain\nb.example,x,never\n"}))
        .await;
    assert_eq!(told(&wrong), [json!(false), json!(1), json!(0), json!(0), json!(2)]);
    assert_eq!(
        wrong["errors"],
        json!([
            {"line": 3, "message": "\"no domain\" must be a domain such as example.com"},
            {"line": 4, "message": "endsAt must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`"},
        ])
    );
    assert_eq!(entries(&server, bad, "").await, Vec::<Value>::new());
    let table =
        "value,comment,endsAt\r\n*.B.example,'=2+2,\r\na.example,\"One, two\",2027-01-01T00:00:00Z\r\n";
    let tried = server.post(&format!("{path}?dryRun=true"), json!({"csv": table})).await;
    assert_eq!(told(&tried), [json!(false), json!(2), json!(0), json!(0), json!(0)]);
    assert_eq!(tried["firstAdded"], json!(["a.example", "b.example"]));
    assert_eq!(server.get(&format!("/api/lists/{bad}")).await["entryCount"], 0);
    let taken = server.post(&path, json!({"csv": table})).await;
    assert_eq!(told(&taken), [json!(true), json!(2), json!(0), json!(0), json!(0)]);
    assert_eq!(server.get(&format!("/api/lists/{bad}")).await["entryCount"], 2);
    let given = export(&server, bad).await;
    let expected =
        "value,comment,endsAt\r\na.example,\"One, two\",2027-01-01T00:00:00.000Z\r\nb.example,'=2+2,\r\n";
    assert_eq!(given, expected);
    let again = server.post(&path, json!({"csv": given})).await;
    assert_eq!(told(&again), [json!(true), json!(0), json!(0), json!(2), json!(0)], "as it was given out");
    let changed = server.post(&path, json!({"csv": "a.example,Other\n"})).await;
    assert_eq!(told(&changed), [json!(true), json!(0), json!(1), json!(0), json!(0)]);
    let found = entries(&server, bad, "term=A.EX").await;
    assert_eq!(
        (found.len(), &found[0]["comment"], &found[0]["author"]),
        (1, &json!("Other"), &json!("Default"))
    );
    let table = "c.example,Once\nc.example,Twice\nd.example,,2020-01-01T00:00:00Z\n";
    let tried = server.post(&format!("{path}?dryRun=true"), json!({"csv": table})).await;
    assert_eq!(told(&tried), [json!(false), json!(2), json!(0), json!(0), json!(0)]);
    assert_eq!((&tried["repeated"], &tried["ended"]), (&json!(1), &json!(1)));
    let over = json!({"entries": [{"value": "d.example", "endsAt": "2020-01-01T00:00:00Z"}]});
    let refused = server.call(Method::POST, &format!("/api/lists/{bad}/entries"), Some(over)).await;
    assert_eq!(
        (refused.0, refused.1["message"].as_str()),
        (StatusCode::BAD_REQUEST, Some("entries[0].endsAt: must be in the future"))
    );
    let first = server.get(&format!("/api/lists/{bad}/entries?pageSize=1")).await;
    assert_eq!((&first["content"][0]["value"], &first["next"]), (&json!("a.example"), &json!("a.example")));
    let rest = server.get(&format!("/api/lists/{bad}/entries?pageSize=1&after=a.example")).await;
    assert_eq!((&rest["content"][0]["value"], &rest["next"]), (&json!("b.example"), &Value::Null));
    let slug = server.request(Method::POST, "/api/lists").bearer_auth(crate::support::server::SECRET_KEY);
    let body = json!({"name": "Bad domains", "type": "TEXT"});
    assert_eq!(answer(slug.json(&body)).await.0, 409, "one slug is one list");
}

const MANY: i64 = 100_000;

fn entry(n: i64, revision: i64) -> Entry {
    Entry {
        id: 0,
        value: format!("user{n}@example.com"),
        comment: None,
        author: "ada".into(),
        created_at: Timestamp::from_millis(1),
        ends_at: None,
        revision,
    }
}

async fn a_list_of_many_is_read_once_and_then_only_what_has_changed(engine: Engine) {
    let server = TestServer::start(engine).await;
    let id = list(&server, "Many", "EMAIL", false).await;
    let app = &server.app;
    let team = app.kept.credentials.find(&app.store, crate::support::server::SECRET_KEY).await.unwrap();
    let team = team.unwrap().team_id;
    for chunk in 0..10 {
        let put = move |tx: &mut Tx| {
            let list = lists::next_revision(tx, team, id, Timestamp::from_millis(2))?.unwrap();
            let from = chunk * MANY / 10;
            let rows: Vec<_> = (from..from + MANY / 10).map(|n| entry(n, list.revision)).collect();
            lists::put_entries(tx, (team, id), &rows)?;
            lists::count_entries(tx, (team, id), rows.len() as i64)
        };
        app.store.write(put).await.unwrap();
    }
    let now = app.clock.now();
    let has = |value: &str| app.kept.lists.current().of(team).has("many", value, now);
    eventually("all of it to be read", async || has("USER99999@example.com").then_some(())).await;
    let begun = Instant::now();
    let missing = (0..MANY).filter(|n| !has(&format!("user{n}@example.com"))).count();
    assert_eq!(missing, 0);
    assert!((MANY..MANY + 1_000).all(|n| !has(&format!("user{n}@example.com"))));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?} for {MANY}", begun.elapsed());
    // One more, and one fewer, is not all of it again.
    let begun = Instant::now();
    add(&server, id, json!([{"value": "one.more@example.com"}])).await;
    assert!(has("one.more@example.com"));
    remove(&server, id, &entries(&server, id, "term=user77777@").await[0]).await;
    assert!(!has("user77777@example.com") && has("user77776@example.com"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?} for two", begun.elapsed());
    assert_eq!(server.get(&format!("/api/lists/{id}")).await["entryCount"], MANY);
    let lines = export(&server, id).await.lines().count() as i64;
    assert_eq!(lines, MANY + 1, "with its heading");
    // What was taken away goes, little by little.
    assert_eq!(server.call(Method::DELETE, &format!("/api/lists/{id}"), None).await.0, 204);
    assert!(!has("user1@example.com"), "nobody is on it from then on");
}
