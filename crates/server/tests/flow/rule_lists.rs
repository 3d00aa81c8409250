//! Rules that put on lists what they find: whoever has it is asked as well, nobody innocent comes on one, and what was
//! wrong is set right in one step.

use std::time::Duration;

use dregs_core::list::ListType;
use dregs_server::limit::Limit;
use dregs_server::store::Tx;
use dregs_server::store::lists;
use reqwest::Method;
use serde_json::{Value, json};

use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event, eventually, settled};

on_both_engines!(
    what_an_escalation_finds_goes_on_lists_and_whoever_has_it_is_asked_until_nothing_is_new,
    what_was_flagged_wrongly_is_taken_off_again,
    a_badge_adds_and_its_dismissal_takes_off,
    nobody_innocent_comes_on_a_list,
    what_an_office_or_strangers_share_stays_off,
    what_has_ended_is_put_in_again_by_who_asks_no_list,
    a_decision_adds_twenty_values_and_a_full_list_none,
    what_cannot_be_added_is_refused_by_its_place,
    to_try_a_rule_adds_nothing,
    whoever_is_forgotten_is_on_no_list_and_who_shares_it_stays,
);

const WAIT: &str = "/api/events?wait=10000";
const RULES: &str = "/api/escalation-rules";

async fn list(server: &TestServer, name: &str, list_type: &str) -> i64 {
    server.post("/api/lists", json!({"name": name, "type": list_type})).await["id"].as_i64().unwrap()
}

/// Without the rules a team begins with, and with a list of devices, of addresses and of users.
async fn bare(engine: Engine) -> (TestServer, [i64; 3]) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let devices = list(&server, "Bad devices", "DEVICE").await;
    let addresses = list(&server, "Bad addresses", "IP").await;
    let users = list(&server, "Bad users", "IDENTITY").await;
    (server, [devices, addresses, users])
}

/// At a chargeback, which is an event of this name.
fn at(name: &str) -> Value {
    json!([{"type": "EVENT_IS", "events": [name]}])
}

fn adds(list: &str, what: &str) -> Value {
    json!({"list": list, "what": what})
}

async fn rule(server: &TestServer, name: &str, conditions: Value, adds_to_lists: Value) -> i64 {
    let rule =
        json!({"name": name, "severity": "INFO", "conditions": conditions, "addsToLists": adds_to_lists});
    let made = server.post(RULES, rule.clone()).await;
    assert_eq!(made["addsToLists"], rule["addsToLists"]);
    made["id"].as_i64().unwrap()
}

/// An event of somebody with a device and an address.
fn does(name: &str, id: &str, user: &str, (device, ip): (&str, &str)) -> Value {
    let mut done = event(id, user);
    (done["type"], done["ip"]) = (json!(name), json!(ip));
    done["device"] = json!({"fingerprint": device});
    done["identity"]["data"] = json!({"email": format!("{user}@firma-{user}.com")});
    done
}

async fn send(server: &TestServer, event: Value) {
    let answer = server.post(WAIT, event).await;
    assert_eq!(answer["decision"]["pending"], false, "{answer}");
}

async fn entries(server: &TestServer, list: i64) -> Vec<Value> {
    server.get(&format!("/api/lists/{list}/entries")).await["content"].as_array().unwrap().clone()
}

async fn values(server: &TestServer, list: i64) -> Vec<String> {
    let entries = entries(server, list).await;
    entries.iter().map(|entry| entry["value"].as_str().unwrap().to_owned()).collect()
}

async fn until(server: &TestServer, list: i64, expected: &[&str]) {
    eventually(&format!("{expected:?} to be on list {list}"), async || {
        (values(server, list).await == expected).then_some(())
    })
    .await;
}

/// The escalations of somebody that are open: the ids by the name of the rule.
async fn open(server: &TestServer, user: &str) -> Vec<(String, i64)> {
    let found = server.get(&format!("/api/escalations?status=OPEN&identity={user}")).await;
    let all = found["content"].as_array().unwrap().iter();
    let told = |one: &Value| {
        (one["escalationRule"]["label"].as_str().unwrap().to_owned(), one["id"].as_i64().unwrap())
    };
    let mut open: Vec<_> = all.map(told).collect();
    open.sort();
    open
}

async fn until_open(server: &TestServer, user: &str, rule: &str, is_open: bool) {
    eventually(&format!("{rule} of {user} to be open: {is_open}"), async || {
        (open(server, user).await.iter().any(|(name, _)| name == rule) == is_open).then_some(())
    })
    .await;
}

async fn close(server: &TestServer, user: &str, rule: &str, outcome: Option<&str>) {
    let (_, id) = open(server, user).await.into_iter().find(|(name, _)| name == rule).unwrap();
    let mut body = json!({"status": "CLOSED", "reason": "A test purchase"});
    if let Some(outcome) = outcome {
        body["outcome"] = json!(outcome);
    }
    server.patch(&format!("/api/escalations/{id}"), body).await;
}

async fn revision(server: &TestServer, id: i64) -> i64 {
    server.app.store.read(move |tx| lists::get(tx, 1, id)).await.unwrap().unwrap().revision
}

/// Waits until nothing is left to look at: neither those who wait to be scored nor those who may be concerned.
async fn quiet(server: &TestServer) {
    tokio::time::sleep(Duration::from_secs(3)).await;
    settled(server).await;
}

async fn what_an_escalation_finds_goes_on_lists_and_whoever_has_it_is_asked_until_nothing_is_new(
    engine: Engine,
) {
    let (server, [devices, addresses, users]) = bare(engine).await;
    let mut of_devices = adds("bad-devices", "DEVICE");
    of_devices["forSeconds"] = json!(3_600);
    rule(&server, "Chargeback", at("chargeback"), json!([of_devices, adds("bad-users", "IDENTITY")])).await;
    // Each of these two puts in what the other asks for.
    let in_list = |fact: &str, list: &str| json!([{"type": "IN_LIST", "fact": fact, "list": list}]);
    let both = json!([adds("bad-devices", "DEVICE"), adds("bad-addresses", "IP")]);
    rule(&server, "Bad device", in_list("device", "bad-devices"), both.clone()).await;
    rule(&server, "Bad address", in_list("ip", "bad-addresses"), both).await;
    send(&server, does("visit", "e1", "bob", ("shared", "203.0.113.2"))).await;
    send(&server, does("visit", "e2", "eve", ("other", "203.0.113.2"))).await;
    send(&server, does("visit", "e3", "kim", ("third", "203.0.113.3"))).await;
    send(&server, does("visit", "e4", "joe", ("third", "203.0.113.4"))).await;
    send(&server, does("chargeback", "e5", "ada", ("shared", "203.0.113.1"))).await;
    let (_, escalation) =
        open(&server, "ada").await.into_iter().find(|(name, _)| name == "Chargeback").unwrap();
    let first = entries(&server, devices).await.remove(0);
    assert_eq!((&first["value"], &first["author"]), (&json!("shared"), &json!("rule Chargeback")));
    assert_eq!(first["comment"], format!("Escalation {escalation} of the rule “Chargeback”"));
    assert!(first["endsAt"].is_string(), "{first}");
    let user = entries(&server, users).await.remove(0);
    assert_eq!((&user["value"], &user["endsAt"]), (&json!("ada"), &Value::Null));

    // Her device is bob's, bob's address is eve's; nobody has eve's device, and nobody else anything of theirs.
    until_open(&server, "bob", "Bad device", true).await;
    until_open(&server, "eve", "Bad address", true).await;
    until(&server, devices, &["other", "shared"]).await;
    until(&server, addresses, &["203.0.113.1", "203.0.113.2"]).await;
    quiet(&server).await;
    let before = (revision(&server, devices).await, revision(&server, addresses).await);
    quiet(&server).await;
    assert_eq!((revision(&server, devices).await, revision(&server, addresses).await), before);
    assert_eq!(entries(&server, devices).await[1], first, "the others leave it as it is");
    assert_eq!((open(&server, "kim").await.len(), open(&server, "joe").await.len()), (0, 0));
    // Who did what names no rule: their entries have an author.
    let told = |tx: &mut Tx| {
        let sql = "select count(*) from audit_log where target_type = 'list' and action <> 'list.create'";
        tx.get(sql, &[], |row| row.get::<i64>(0))
    };
    assert_eq!(server.app.store.read(told).await.unwrap(), 0);
}

async fn what_was_flagged_wrongly_is_taken_off_again(engine: Engine) {
    let (server, [devices, addresses, users]) = bare(engine).await;
    let all = [("bad-devices", "DEVICE"), ("bad-addresses", "IP"), ("bad-users", "IDENTITY")];
    let adds: Value = all.map(|(list, what)| adds(list, what)).into_iter().collect();
    let chargeback = rule(&server, "Chargeback", at("chargeback"), adds.clone()).await;
    let listed = json!([{"type": "IN_LIST", "fact": "device", "list": "bad-devices"}]);
    rule(&server, "Bad device", listed, json!([])).await;
    send(&server, does("visit", "e1", "bob", ("shared", "203.0.113.2"))).await;
    // An analyst was there before, and one changes an entry afterwards.
    let by_hand = json!({"entries": [{"value": "203.0.113.1", "comment": "A proxy"}]});
    server.post(&format!("/api/lists/{addresses}/entries"), by_hand).await;
    let proxy = entries(&server, addresses).await;
    send(&server, does("chargeback", "e2", "ada", ("shared", "203.0.113.1"))).await;
    send(&server, does("chargeback", "e3", "eve", ("shared", "203.0.113.3"))).await;
    until(&server, addresses, &["203.0.113.1", "203.0.113.3"]).await;
    assert_eq!(entries(&server, addresses).await[0], proxy[0]);
    until(&server, users, &["ada", "eve"]).await;
    let kept = json!({"entries": [{"value": "eve", "comment": "I know her"}]});
    server.post(&format!("/api/lists/{users}/entries"), kept).await;
    until_open(&server, "bob", "Bad device", true).await;

    // To close it says nothing; to say that she is good does. What eve's opening has put in as well stays for her.
    close(&server, "ada", "Chargeback", None).await;
    assert_eq!(values(&server, users).await, ["ada", "eve"]);
    server.post("/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await;
    assert_eq!(values(&server, users).await, ["eve"]);
    assert_eq!(values(&server, addresses).await, ["203.0.113.1", "203.0.113.3"]);
    assert_eq!(values(&server, devices).await, ["shared"]);
    close(&server, "eve", "Chargeback", Some("GOOD")).await;
    assert_eq!(values(&server, devices).await, <[&str; 0]>::default());
    assert_eq!(entries(&server, addresses).await, proxy);
    assert_eq!(entries(&server, users).await[0]["comment"], "I know her");
    until_open(&server, "bob", "Bad device", false).await;

    // To change the rule brings nothing back: what a person has looked at is not new. What happens then is.
    for enabled in [false, true] {
        let rule = json!({"name": "Chargeback", "severity": "INFO", "conditions": at("chargeback"),
            "addsToLists": adds, "enabled": enabled});
        let path = format!("{RULES}/{chargeback}");
        assert_eq!(server.call(Method::PUT, &path, Some(rule)).await.0, 200);
        quiet(&server).await;
    }
    assert_eq!(open(&server, "ada").await, []);
    assert_eq!(values(&server, devices).await, <[&str; 0]>::default());
    send(&server, does("visit", "e4", "ada", ("shared", "203.0.113.1"))).await;
    assert_eq!(open(&server, "ada").await, []);
    send(&server, does("chargeback", "e5", "ada", ("shared", "203.0.113.1"))).await;
    until(&server, devices, &["shared"]).await;
}

async fn a_badge_adds_and_its_dismissal_takes_off(engine: Engine) {
    let (server, [devices, ..]) = bare(engine).await;
    let made = server
        .post(
            "/api/badge-rules",
            json!({"name": "Fraud", "type": "BAD", "conditions": at("chargeback"),
                "addsToLists": [adds("bad-devices", "DEVICE")]}),
        )
        .await;
    send(&server, does("chargeback", "e1", "ada", ("phone", "203.0.113.1"))).await;
    until(&server, devices, &["phone"]).await;
    let entry = entries(&server, devices).await.remove(0);
    assert_eq!(
        (&entry["author"], &entry["comment"]),
        (&json!("rule Fraud"), &json!("Badge fraud of the rule “Fraud”"))
    );
    server.post("/api/identities/ada/actions/dismiss-badge", json!({"badge": "fraud"})).await;
    until(&server, devices, &[]).await;
    server.post("/api/identities/ada/actions/restore-badge", json!({"badge": "fraud"})).await;
    until(&server, devices, &["phone"]).await;
    // A draft adds nothing; what is left out of a new wording is no longer added.
    let body = json!({"name": "Fraud", "type": "BAD", "conditions": at("chargeback")});
    let path = format!("/api/badge-rules/{}", made["id"]);
    let (status, replaced) = server.call(Method::PUT, &path, Some(body)).await;
    assert_eq!((status.as_u16(), &replaced["addsToLists"]), (200, &json!([])));
    let versions = server.get(&format!("{path}/versions")).await;
    let told: Vec<_> =
        versions["versions"].as_array().unwrap().iter().map(|one| &one["rule"]["addsToLists"]).collect();
    assert_eq!(told, [&json!([]), &json!([adds("bad-devices", "DEVICE")])]);
    send(&server, does("chargeback", "e2", "bob", ("tablet", "203.0.113.2"))).await;
    assert_eq!(values(&server, devices).await, ["phone"]);
}

async fn nobody_innocent_comes_on_a_list(engine: Engine) {
    let (server, [devices, addresses, users]) = bare(engine).await;
    let domains = list(&server, "Bad domains", "EMAIL_DOMAIN").await;
    let trusted = |name: &str, list_type: &str| json!({"name": name, "type": list_type, "trusted": true});
    for (name, list_type, value) in
        [("Office", "NETWORK", "198.51.100.0/24"), ("Lab", "DEVICE", "lab"), ("Testers", "IDENTITY", "tess")]
    {
        let id = server.post("/api/lists", trusted(name, list_type)).await["id"].clone();
        server.post(&format!("/api/lists/{id}/entries"), json!({"entries": [{"value": value}]})).await;
    }
    let all = [
        ("bad-devices", "DEVICE"),
        ("bad-addresses", "IP"),
        ("bad-users", "IDENTITY"),
        ("bad-domains", "EMAIL_DOMAIN"),
    ];
    rule(
        &server,
        "Chargeback",
        at("chargeback"),
        all.map(|(list, what)| adds(list, what)).into_iter().collect(),
    )
    .await;
    // Of the backend, through which many come, and of a company, where many have their mail.
    for n in 0..40 {
        let mut signup =
            does("signup", &format!("s{n}"), &format!("u{n}"), (&format!("d{n}"), "203.0.113.77"));
        signup["identity"]["data"] =
            json!({"email": format!("{}@customer.com", "abcdefghij".repeat(2) + &n.to_string())});
        signup["device"] = Value::Null;
        server.post("/api/events", signup).await;
    }
    eventually("its address to be common", async || {
        let common = server.app.kept.common.current();
        common.of(1).has_address("203.0.113.77".parse().unwrap()).then_some(())
    })
    .await;
    let mut free = does("chargeback", "e1", "ada", ("lab", "203.0.113.77"));
    free["identity"]["data"] = json!({"email": "ada.lovelace@gmail.com"});
    send(&server, free).await;
    let mut employee = does("chargeback", "e2", "bob", ("bobs", "198.51.100.7"));
    employee["identity"]["data"] = json!({"email": "bob@customer.com"});
    send(&server, employee).await;
    send(&server, does("chargeback", "e3", "tess", ("tess-phone", "203.0.113.3"))).await;
    for user in ["ada", "bob", "tess"] {
        until_open(&server, user, "Chargeback", true).await;
    }
    assert_eq!(values(&server, users).await, ["ada", "bob"]);
    assert_eq!(values(&server, devices).await, ["bobs"]);
    assert_eq!(values(&server, addresses).await, <[&str; 0]>::default());
    assert_eq!(values(&server, domains).await, <[&str; 0]>::default());
    // Of who is disregarded nothing is decided; and what was trusted after the rule was made is left alone.
    send(&server, does("visit", "e4", "kim", ("kims", "203.0.113.4"))).await;
    server.patch("/api/identities/kim", json!({"disregarded": true})).await;
    send(&server, does("chargeback", "e5", "kim", ("kims", "203.0.113.4"))).await;
    server.patch(&format!("/api/lists/{devices}"), json!({"trusted": true})).await;
    send(&server, does("chargeback", "e6", "joe", ("joes", "203.0.113.5"))).await;
    until(&server, users, &["ada", "bob", "joe"]).await;
    assert_eq!(values(&server, devices).await, ["bobs"]);
    assert_eq!(values(&server, domains).await, ["firma-joe.com"]);
}

async fn what_an_office_or_strangers_share_stays_off(engine: Engine) {
    let (server, [devices, addresses, _]) = bare(engine).await;
    let both = json!([adds("bad-devices", "DEVICE"), adds("bad-addresses", "IP")]);
    rule(&server, "Chargeback", at("chargeback"), both).await;
    // Ten colleagues beside her, of whom none has done anything, and eleven others at a school's device.
    for n in 0..10 {
        let device = format!("of-{n}");
        send(&server, does("visit", &format!("o{n}"), &format!("colleague-{n}"), (&device, "203.0.113.9")))
            .await;
    }
    for n in 0..11 {
        let ip = format!("198.51.100.{n}");
        send(&server, does("visit", &format!("s{n}"), &format!("pupil-{n}"), ("school", &ip))).await;
    }
    send(&server, does("chargeback", "c1", "ada", ("own", "203.0.113.9"))).await;
    send(&server, does("chargeback", "c2", "kim", ("school", "198.51.100.200"))).await;
    // Somebody is told to have it who is trusted.
    let testers = json!({"name": "Testers", "type": "IDENTITY", "trusted": true});
    let testers = server.post("/api/lists", testers).await["id"].clone();
    server.post(&format!("/api/lists/{testers}/entries"), json!({"entries": [{"value": "tess"}]})).await;
    send(&server, does("visit", "t1", "tess", ("borrowed", "198.51.100.77"))).await;
    send(&server, does("chargeback", "c4", "bob", ("borrowed", "198.51.100.77"))).await;
    until_open(&server, "bob", "Chargeback", true).await;
    // Of a network of servers, through which anybody may come.
    send(&server, does("chargeback", "c3", "eve", ("third", "104.131.5.7"))).await;
    until(&server, devices, &["own", "third"]).await;
    assert_eq!(values(&server, addresses).await, ["198.51.100.200"]);
}

async fn what_has_ended_is_put_in_again_by_who_asks_no_list(engine: Engine) {
    let (server, [devices, addresses, _]) = bare(engine).await;
    let short = |list: &str, what: &str| json!({"list": list, "what": what, "forSeconds": 3});
    let again = json!([
        {"type": "EVENT_IS", "events": ["visit", "chargeback"]},
        {"type": "FACT_EQ", "fact": "event.type", "value": "chargeback"},
    ]);
    rule(&server, "Chargeback", again, json!([short("bad-devices", "DEVICE")])).await;
    let listed = json!([
        {"type": "EVENT_IS", "events": ["visit", "chargeback"]},
        {"type": "IN_LIST", "fact": "device", "list": "bad-devices"},
    ]);
    rule(&server, "Bad device", listed, json!([short("bad-addresses", "IP")])).await;
    let chargeback = |id: &str| does("chargeback", id, "ada", ("phone", "203.0.113.1"));
    let visit = |id: &str| does("visit", id, "ada", ("phone", "203.0.113.1"));
    let end = async |list: i64| entries(&server, list).await[0]["endsAt"].as_str().unwrap().to_owned();
    send(&server, chargeback("e1")).await;
    let first = end(devices).await;
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    // What the first rule asks for does not follow from a list: it happened again.
    send(&server, visit("e3")).await;
    send(&server, chargeback("e4")).await;
    assert!(end(devices).await > first);
    send(&server, visit("e5")).await;
    until_open(&server, "ada", "Bad device", true).await;
    let second = end(addresses).await;
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    send(&server, visit("e6")).await;
    until_open(&server, "ada", "Bad device", false).await;
    send(&server, chargeback("e7")).await;
    send(&server, visit("e8")).await;
    until_open(&server, "ada", "Bad device", true).await;
    assert_eq!(
        end(addresses).await,
        second,
        "what rules put on lists has no rule put in the same again and again"
    );
}

async fn a_decision_adds_twenty_values_and_a_full_list_none(engine: Engine) {
    let (server, [devices, addresses, users]) = bare(engine).await;
    let full = move |tx: &mut Tx| lists::count_entries(tx, (1, users), 1_000_000);
    server.app.store.write(full).await.unwrap();
    let before = server.reached(Limit::EntriesOfList);
    rule(
        &server,
        "Full",
        at("chargeback"),
        json!([adds("bad-users", "IDENTITY"), adds("bad-addresses", "IP")]),
    )
    .await;
    let mut all = Vec::new();
    for n in 0..6 {
        let id = list(&server, &format!("Devices {n}"), "DEVICE").await;
        all.push((id, adds(&format!("devices-{n}"), "DEVICE")));
    }
    rule(&server, "Many", at("dispute"), all.iter().map(|(_, adds)| adds.clone()).collect()).await;
    for device in ["a", "b", "c", "d", "e"] {
        send(&server, does("visit", device, "ada", (device, "203.0.113.1"))).await;
    }
    send(&server, does("chargeback", "e1", "ada", ("e", "203.0.113.1"))).await;
    until(&server, addresses, &["203.0.113.1"]).await;
    assert_eq!(values(&server, users).await, <[&str; 0]>::default());
    assert_eq!(server.reached(Limit::EntriesOfList), before + 1);
    send(&server, does("dispute", "e2", "ada", ("e", "203.0.113.1"))).await;
    until_open(&server, "ada", "Many", true).await;
    let mut counts = Vec::new();
    for (id, _) in &all {
        counts.push(values(&server, *id).await.len());
    }
    assert_eq!(counts, [4, 4, 4, 4, 4, 0], "the newest four devices of hers, and twenty values");
    assert_eq!(values(&server, all[0].0).await, ["b", "c", "d", "e"]);
    assert_eq!(values(&server, devices).await, <[&str; 0]>::default());
}

async fn what_cannot_be_added_is_refused_by_its_place(engine: Engine) {
    let (server, _) = bare(engine).await;
    server.post("/api/lists", json!({"name": "Office", "type": "DEVICE", "trusted": true})).await;
    let mut badge = json!({"name": "Fraud", "type": "BAD", "conditions": at("chargeback")});
    let mut escalation = json!({"name": "Fraud", "severity": "INFO", "conditions": at("chargeback")});
    for (addition, field) in [
        (adds("nowhere", "DEVICE"), "addsToLists[1].list"),
        (adds("office", "DEVICE"), "addsToLists[1].list"),
        (adds("bad-devices", "IP"), "addsToLists[1].what"),
        (adds("bad-devices", "NETWORK"), "addsToLists[1].what"),
        (json!({"list": "bad-devices", "what": "DEVICE", "forSeconds": 0}), "addsToLists[1].forSeconds"),
    ] {
        for (path, rule) in [("/api/badge-rules", &mut badge), (RULES, &mut escalation)] {
            rule["addsToLists"] = json!([adds("bad-devices", "DEVICE"), addition]);
            let (status, refused) = server.call(Method::POST, path, Some(rule.clone())).await;
            assert_eq!(status, 400, "{refused}");
            let fields: Vec<_> =
                refused["details"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
            assert_eq!(fields, [field], "{path} {refused}");
        }
    }
    // What is trusted, or gone, since a rule was made may stay in it, and nothing is added.
    let id = rule(&server, "Chargeback", at("chargeback"), json!([adds("bad-devices", "DEVICE")])).await;
    let lists = server.get("/api/lists").await;
    let devices = lists.as_array().unwrap().iter().find(|list| list["slug"] == "bad-devices").unwrap();
    assert_eq!(server.call(Method::DELETE, &format!("/api/lists/{}", devices["id"]), None).await.0, 204);
    let mut kept = server.get(&format!("{RULES}/{id}")).await;
    kept["name"] = json!("Renamed");
    for name in ["id", "createdAt", "updatedAt"] {
        kept.as_object_mut().unwrap().remove(name);
    }
    let (status, _) = server.call(Method::PUT, &format!("{RULES}/{id}"), Some(kept)).await;
    assert_eq!(status, 200);
    send(&server, does("chargeback", "e1", "ada", ("phone", "203.0.113.1"))).await;
    until_open(&server, "ada", "Renamed", true).await;
}

async fn to_try_a_rule_adds_nothing(engine: Engine) {
    let (server, [devices, ..]) = bare(engine).await;
    send(&server, does("chargeback", "e1", "ada", ("phone", "203.0.113.1"))).await;
    let before = revision(&server, devices).await;
    let asked = json!({"conditions": at("chargeback")});
    assert_eq!(server.post(&format!("{RULES}/actions/preview"), asked.clone()).await["matching"], 1);
    assert_eq!(server.post(&format!("{RULES}/actions/backtest"), asked).await["opened"], 1);
    let id = rule(&server, "Other", at("other"), json!([])).await;
    let draft = json!({"name": "Other", "severity": "INFO", "conditions": at("chargeback"),
        "addsToLists": [adds("bad-devices", "DEVICE")]});
    let (status, _) = server.call(Method::PUT, &format!("{RULES}/{id}/draft"), Some(draft)).await;
    assert_eq!(status, 200);
    let compared = server.get(&format!("{RULES}/{id}/comparison")).await;
    assert_eq!(compared["other"]["concerned"]["identities"], 1);
    quiet(&server).await;
    assert_eq!((values(&server, devices).await.len(), revision(&server, devices).await), (0, before));
    let promoted = server.post(&format!("{RULES}/{id}/actions/promote-draft"), Value::Null).await;
    assert_eq!(promoted["addsToLists"], json!([adds("bad-devices", "DEVICE")]));
    // It happens again, and now it counts.
    send(&server, does("chargeback", "e2", "ada", ("phone", "203.0.113.1"))).await;
    until(&server, devices, &["phone"]).await;
}

async fn whoever_is_forgotten_is_on_no_list_and_who_shares_it_stays(engine: Engine) {
    let (server, [devices, addresses, users]) = bare(engine).await;
    let all = [("bad-devices", "DEVICE"), ("bad-addresses", "IP"), ("bad-users", "IDENTITY")];
    rule(
        &server,
        "Chargeback",
        at("chargeback"),
        all.map(|(list, what)| adds(list, what)).into_iter().collect(),
    )
    .await;
    let listed = json!([{"type": "IN_LIST", "fact": "ip", "list": "bad-addresses"}]);
    rule(&server, "Bad address", listed, json!([])).await;
    send(&server, does("chargeback", "e1", "ada", ("shared", "203.0.113.1"))).await;
    send(&server, does("chargeback", "e2", "eve", ("shared", "203.0.113.2"))).await;
    send(&server, does("visit", "e3", "bob", ("bobs", "203.0.113.1"))).await;
    until_open(&server, "bob", "Bad address", true).await;
    until(&server, users, &["ada", "eve"]).await;
    assert_eq!(server.call(Method::DELETE, "/api/identities/ada", None).await.0, 204);
    assert_eq!(values(&server, users).await, ["eve"]);
    assert_eq!(values(&server, addresses).await, ["203.0.113.2"]);
    assert_eq!(values(&server, devices).await, ["shared"], "it is eve's as well");
    until_open(&server, "bob", "Bad address", false).await;
    let counts = move |tx: &mut Tx| {
        let count = |id| Ok(lists::get(tx, 1, id)?.map(|list| (list.list_type, list.entry_count)));
        [devices, addresses, users].map(count).into_iter().collect::<dregs_server::store::Result<Vec<_>>>()
    };
    let counts = server.app.store.read(counts).await.unwrap();
    let one = |list_type| Some((list_type, 1));
    assert_eq!(counts, [one(ListType::Device), one(ListType::Ip), one(ListType::Identity)]);
}
