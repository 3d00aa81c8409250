//! A ring is banned in one step, and the ban undone in one: whoever is in it is hit, and nobody beside it.

use std::collections::BTreeSet;

use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::remedies::{badge_slugs, ring};
use crate::api::{refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{SECRET_KEY, TestServer, answer, event, eventually, settled};

on_both_engines!(
    a_ring_beside_an_office_is_banned_and_the_ban_is_undone,
    what_was_there_or_was_changed_since_stays,
    what_somebody_innocent_has_is_held_back,
    nothing_of_a_person_stays_in_the_audit_log_and_the_ban_can_be_undone,
);

const RING: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];
const OFFICE: usize = 12;
const AT_WORK: &str = "203.0.113.7";
const AT_HOME: &str = "198.51.100.7";

/// Somebody of a name of their own, at an address.
fn at(id: &str, user: &str, ip: &str) -> Value {
    let mut visit = event(id, user);
    visit["identity"]["data"] = json!({"name": format!("{user} {user}mann"), "email": email(user)});
    visit["ip"] = json!(ip);
    visit
}

fn email(user: &str) -> String {
    format!("{user}@posteo.de")
}

fn on_device(id: &str, user: &str, ip: &str) -> Value {
    let mut visit = at(id, user, ip);
    visit["device"] = json!({"fingerprint": "shared"});
    visit
}

/// Five on one device, of whom one works in an office, and two are where a neighbor is as well.
async fn scene(server: &TestServer) {
    ring(server, &[], &RING).await;
    for n in 0..OFFICE {
        // Letters, as mailboxes that differ in digits alone are much alike.
        let user = format!("office{}", char::from(b'a' + u8::try_from(n).unwrap()));
        server.post("/api/events", at(&format!("o{n}"), &user, AT_WORK)).await;
    }
    server.post("/api/events", on_device("k2", "kim", AT_WORK)).await;
    server.post("/api/events", on_device("a2", "ada", AT_HOME)).await;
    server.post("/api/events", on_device("b2", "bob", AT_HOME)).await;
    server.post("/api/events", at("n1", "zoe", AT_HOME)).await;
    settled(server).await;
}

async fn of_ring(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/api/identities/{id}/ring")).await
}

fn key<'r>(ring: &'r Value, list_type: &str, value: &str) -> &'r Value {
    let mut keys = ring["keys"].as_array().unwrap().iter();
    let found = keys.find(|key| key["type"] == list_type && key["value"] == value);
    found.unwrap_or_else(|| panic!("{list_type} {value} is not in {ring}"))
}

/// How many have it inside and outside, whether it is chosen by default, and why it is held back.
fn told(ring: &Value, list_type: &str, value: &str) -> Value {
    let key = key(ring, list_type, value);
    json!([key["inside"], key["outside"], key["hitsNobodyElse"], key["heldBack"]])
}

fn keys(keys: &[(&str, &str)]) -> Value {
    keys.iter().map(|(list_type, value)| json!({"type": list_type, "value": value})).collect()
}

async fn ban(server: &TestServer, id: &str, chosen: &[(&str, &str)]) -> Value {
    let body = json!({"keys": keys(chosen), "comment": "Five of eve's"});
    server.post(&format!("/api/identities/{id}/actions/ban-ring"), body).await
}

/// What somebody is on: the list, the entry, what falls under it, and the ban that put it there.
async fn listed(server: &TestServer, id: &str) -> Value {
    let found = server.get(&format!("/api/identities/{id}/list-entries")).await;
    let of_entry =
        |one: &Value| json!([one["list"]["slug"], one["entry"]["value"], one["shown"], one["banAuditId"]]);
    found.as_array().unwrap().iter().map(of_entry).collect()
}

async fn refused(server: &TestServer, path: &str, body: Value) -> String {
    refusal(server.request(Method::POST, path).bearer_auth(SECRET_KEY).json(&body)).await
}

async fn undo(server: &TestServer, id: &Value) -> Value {
    server.post(&format!("/api/audit-log/{id}/actions/undo"), Value::Null).await
}

async fn log(server: &TestServer, query: &str) -> Vec<Value> {
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let asked = server.request(Method::GET, &format!("/api/audit-log?pageSize=100&{query}"));
    answer(asked.bearer_auth(admin)).await.1["content"].as_array().unwrap().clone()
}

/// What is on the team's list with this slug.
async fn values(server: &TestServer, slug: &str) -> BTreeSet<String> {
    let lists = server.get("/api/lists").await;
    let list = lists.as_array().unwrap().iter().find(|list| list["slug"] == slug).unwrap();
    let entries = server.get(&format!("/api/lists/{}/entries", list["id"])).await;
    let entries = entries["content"].as_array().unwrap();
    assert_eq!(list["entryCount"], entries.len());
    entries.iter().map(|entry| entry["value"].as_str().unwrap().to_owned()).collect()
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

async fn until_banned(server: &TestServer, users: &[&str], is_banned: bool) {
    for user in users {
        eventually(&format!("{user} to be banned: {is_banned}"), async || {
            (badge_slugs(server, user).await.contains(&json!("banned")) == is_banned).then_some(())
        })
        .await;
    }
}

async fn a_ring_beside_an_office_is_banned_and_the_ban_is_undone(engine: Engine) {
    let server = TestServer::start(engine).await;
    scene(&server).await;
    let found = of_ring(&server, "eve").await;
    let members = found["members"].as_array().unwrap().iter();
    let members: BTreeSet<_> = members.map(|member| member["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        (members, &found["isWhole"], &found["keysAreWhole"]),
        (set(&RING), &json!(true), &json!(true))
    );
    assert_eq!(told(&found, "DEVICE", "shared"), json!([5, 0, true, null]));
    assert_eq!(told(&found, "IDENTITY", "joe"), json!([1, 0, true, null]));
    assert_eq!(told(&found, "EMAIL", &email("ada")), json!([1, 0, true, null]));
    assert_eq!(told(&found, "IP", AT_HOME), json!([2, 1, false, null]), "a neighbor has it");
    let office = "12 others have it, as in an office or a network.";
    assert_eq!(told(&found, "IP", AT_WORK), json!([1, 12, false, office]));
    let devices = json!({"type": "DEVICE", "slug": "banned-devices", "name": "Banned devices", "id": null,
        "facts": ["device"], "rules": []});
    assert_eq!(found["lists"][0], devices);

    let path = "/api/identities/eve/actions/ban-ring";
    let held = refused(&server, path, json!({"keys": keys(&[("DEVICE", "shared"), ("IP", AT_WORK)])})).await;
    assert_eq!(held, format!("400 bad_request keys[1].value: cannot be banned: {office}"));
    let other = refused(&server, path, json!({"keys": keys(&[("DEVICE", "another")])})).await;
    assert_eq!(other, "400 bad_request keys[0].value: must be one that the ring has");
    assert_eq!(server.get("/api/lists").await, json!([]), "what is refused makes no list");

    let mut chosen = vec![("DEVICE", "shared")];
    chosen.extend(RING.map(|id| ("IDENTITY", id)));
    let banned = ban(&server, "eve", &chosen).await;
    let of_list = |list: &Value| json!([list["slug"], list["added"], list["changed"], list["rules"]]);
    let lists: Vec<_> = banned["lists"].as_array().unwrap().iter().map(of_list).collect();
    assert_eq!(lists, [json!(["banned-devices", 1, 0, []]), json!(["banned-identities", 5, 0, []])]);
    let entry = &log(&server, "action=ring.ban").await[0];
    assert_eq!((&entry["id"], &entry["targetId"]), (&banned["auditId"], &json!("eve")));
    assert_eq!((&entry["after"]["identities"], &entry["canBeUndone"]), (&json!(5), &json!(true)));

    // It does nothing until a rule asks.
    let asks = [("device", "banned-devices"), ("identity.id", "banned-identities")];
    let asks = asks.map(|(fact, list)| json!({"type": "IN_LIST", "fact": fact, "list": list}));
    let rule = json!({"name": "Banned", "type": "BAD", "conditions": [{"type": "ANY", "conditions": asks}]});
    server.post("/api/badge-rules", rule).await;
    until_banned(&server, &RING, true).await;
    server.post("/api/events", on_device("m1", "mia", AT_HOME)).await;
    until_banned(&server, &["mia"], true).await;
    until_banned(&server, &["zoe", "officea", "officel"], false).await;
    let (device, audit) =
        (json!(["banned-devices", "shared", ["shared"], banned["auditId"]]), &banned["auditId"]);
    assert_eq!(listed(&server, "mia").await, json!([device]));
    let rules = server.get("/api/identities/mia/list-entries").await[0]["rules"].clone();
    assert_eq!(rules, json!(["Banned"]));
    let eve = json!([device, ["banned-identities", "eve", ["eve"], audit]]);
    assert_eq!(listed(&server, "eve").await, eve);
    assert_eq!(listed(&server, "zoe").await, json!([]));
    let found = of_ring(&server, "eve").await;
    assert_eq!(found["lists"][0]["rules"], json!(["Banned"]));
    assert_eq!(key(&found, "DEVICE", "shared")["isBanned"], true);
    let again = ban(&server, "eve", &[("DEVICE", "shared")]).await;
    assert_eq!(again["lists"][0]["unchanged"], 1, "{again}");
    assert_eq!(listed(&server, "mia").await, json!([device]), "by the ban that put it there");
    let nothing = format!("/api/audit-log/{}/actions/undo", again["auditId"]);
    let nothing = refused(&server, &nothing, Value::Null).await;
    assert!(nothing.starts_with("409 wrong_state It added nothing"), "{nothing}");

    let path = format!("/api/audit-log/{}/actions/undo", banned["auditId"]);
    let counts = |undone: &Value| {
        let lists = undone["lists"].as_array().unwrap().iter();
        let lists = lists.map(|list| json!([list["removed"], list["changedSince"], list["thereBefore"]]));
        json!([undone["written"], lists.collect::<Vec<_>>()])
    };
    let tried = server.post(&format!("{path}?dryRun=true"), Value::Null).await;
    assert_eq!(counts(&tried), json!([false, [[1, 0, 0], [5, 0, 0]]]));
    assert_eq!(tried["lists"][0]["name"], "Banned devices");
    assert_eq!(values(&server, "banned-identities").await, set(&RING));
    assert_eq!(counts(&undo(&server, &banned["auditId"]).await), json!([true, [[1, 0, 0], [5, 0, 0]]]));
    assert_eq!(values(&server, "banned-devices").await, set(&[]));
    until_banned(&server, &RING, false).await;
    until_banned(&server, &["mia"], false).await;
    assert_eq!(listed(&server, "eve").await, json!([]));
    let twice = refused(&server, &path, Value::Null).await;
    assert_eq!(twice, "409 wrong_state It was undone before.");
    let undone = &log(&server, "action=audit-entry.undo").await[0];
    assert_eq!(
        (&undone["targetId"], &undone["after"]["undone"]),
        (&json!(banned["auditId"].to_string()), &json!("ring.ban"))
    );
    assert_eq!(undone["after"]["lists"][0]["name"], "Banned devices");
    let ban = &log(&server, &format!("id={}", banned["auditId"])).await[..];
    assert_eq!(ban.len(), 1, "{ban:?}");
    assert_eq!((&ban[0]["action"], &ban[0]["canBeUndone"]), (&json!("ring.ban"), &json!(false)));
    assert_eq!((&ban[0]["undone"]["id"], &ban[0]["undone"]["at"]), (&undone["id"], &undone["at"]));
    let never = &log(&server, &format!("id={}", again["auditId"])).await[0];
    assert_eq!((&never["canBeUndone"], &never["undone"]), (&json!(false), &Value::Null));
}

async fn list_of(server: &TestServer, name: &str, list_type: &str, trusted: bool) -> String {
    let list = json!({"name": name, "type": list_type, "trusted": trusted});
    format!("/api/lists/{}", server.post("/api/lists", list).await["id"])
}

async fn put(server: &TestServer, list: &str, entry: Value) -> Value {
    server.post(&format!("{list}/entries"), json!({"entries": [entry]})).await
}

async fn what_was_there_or_was_changed_since_stays(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &RING).await;
    let list = list_of(&server, "Banned emails", "EMAIL", false).await;
    let tomorrow = server.app.clock.now().plus_millis(86_400_000).to_string();
    put(&server, &list, json!({"value": email("ada"), "endsAt": tomorrow})).await;
    put(&server, &list, json!({"value": email("bob"), "comment": "long known"})).await;
    let emails = RING.map(email);
    let chosen: Vec<_> = emails.iter().map(|email| ("EMAIL", email.as_str())).collect();
    let banned = ban(&server, "eve", &chosen).await;
    let of_list = &banned["lists"][0];
    // What ends earlier lasts as long as the ban; what has no end stays as it is.
    assert_eq!(json!([of_list["added"], of_list["changed"], of_list["unchanged"]]), json!([3, 1, 1]));
    let by_ban = json!([["banned-emails", email("eve"), [email("eve")], banned["auditId"]]]);
    assert_eq!(listed(&server, "eve").await, by_ban);
    put(&server, &list, json!({"value": email("eve"), "comment": "an innocent after all?"})).await;
    for id in ["bob", "eve"] {
        let by_hand = json!([["banned-emails", email(id), [email(id)], null]]);
        assert_eq!(listed(&server, id).await, by_hand, "the ban's no more");
    }
    let home = list_of(&server, "Home", "NETWORK", false).await;
    put(&server, &home, json!({"value": "198.51.100.0/24"})).await;
    server.post("/api/events", at("h1", "max", AT_HOME)).await;
    assert_eq!(listed(&server, "max").await, json!([["home", "198.51.100.0/24", [AT_HOME], null]]));
    let joe = server.get(&format!("{list}/entries?term=joe")).await["content"][0]["id"].clone();
    assert_eq!(server.call(Method::DELETE, &format!("{list}/entries/{joe}"), None).await.0, 204);
    let undone = undo(&server, &banned["auditId"]).await;
    let undone = &undone["lists"][0];
    assert_eq!(
        json!([undone["removed"], undone["changedSince"], undone["thereBefore"]]),
        json!([1, 2, 1]),
        "kim's alone is as the ban left it"
    );
    let left: Vec<_> = ["ada", "bob", "eve"].map(email).to_vec();
    assert_eq!(values(&server, "banned-emails").await, left.into_iter().collect());

    // What was added by hand, and what a table brought, is undone alike.
    put(&server, &list, json!({"value": "mia@posteo.de"})).await;
    let added = log(&server, "action=list-entry.create").await[0]["id"].clone();
    server
        .post(
            &format!("{list}/import"),
            json!({"csv": "value\nbob@posteo.de\nzoe@posteo.de\nmax@posteo.de\n"}),
        )
        .await;
    let imported = &log(&server, "action=list.import").await[0];
    let undone = undo(&server, &imported["id"]).await;
    assert_eq!(json!([undone["lists"][0]["removed"], undone["lists"][0]["thereBefore"]]), json!([2, 1]));
    assert_eq!(undo(&server, &added).await["lists"][0]["removed"], 1);
    let twice = refused(&server, &format!("/api/audit-log/{added}/actions/undo"), Value::Null).await;
    assert_eq!(twice, "409 wrong_state It was undone before.");
    assert_eq!(values(&server, "banned-emails").await.len(), 3);
    let made = &log(&server, "action=list.create").await[0]["id"];
    let other = refused(&server, &format!("/api/audit-log/{made}/actions/undo"), Value::Null).await;
    assert_eq!(other, "409 wrong_state Only what put entries on lists can be undone.");
    let none = refused(&server, "/api/audit-log/999999/actions/undo", Value::Null).await;
    assert!(none.starts_with("404 entry_not_found"), "{none}");
    // A list that is gone has nothing on it to take off.
    put(&server, &list, json!({"value": "mia@posteo.de"})).await;
    let added = log(&server, "action=list-entry.create").await[0]["id"].clone();
    assert_eq!(server.call(Method::DELETE, &list, None).await.0, 204);
    assert_eq!(undo(&server, &added).await["lists"][0]["removed"], 0);
}

async fn what_somebody_innocent_has_is_held_back(engine: Engine) {
    let server = TestServer::start(engine).await;
    scene(&server).await;
    let mut purchase = on_device("p1", "joe", "10.0.0.1");
    purchase["data"] = json!({"cardHash": "Card-1"});
    server.post("/api/events", purchase).await;
    settled(&server).await;
    let found = of_ring(&server, "eve").await;
    assert_eq!(told(&found, "TEXT", "card-1"), json!([1, null, false, null]), "nobody knows who else has it");
    let inside = "The address is inside some network, and nobody's own.";
    assert_eq!(told(&found, "IP", "10.0.0.1"), json!([1, 0, false, inside]));

    // Whom people have found good is nobody of the ring.
    server.post("/api/identities/kim/actions/label", json!({"outcome": "GOOD"})).await;
    let found = of_ring(&server, "eve").await;
    assert_eq!(told(&found, "DEVICE", "shared"), json!([4, 1, false, null]));
    assert_eq!(told(&found, "IDENTITY", "kim"), json!([0, 0, false, "Somebody has labeled it good."]));

    let trusted = list_of(&server, "Testers", "IDENTITY", true).await;
    put(&server, &trusted, json!({"value": "joe"})).await;
    let testers = "joe has it, who is on the trusted list \"Testers\".";
    let found = of_ring(&server, "eve").await;
    assert_eq!(told(&found, "DEVICE", "shared"), json!([4, 1, false, testers]));
    assert_eq!(told(&found, "IDENTITY", "joe")[3], "joe is on the trusted list \"Testers\".");
    put(&server, &trusted, json!({"value": "zoe"})).await;
    let neighbor = "zoe has it, who is on the trusted list \"Testers\".";
    assert_eq!(told(&of_ring(&server, "eve").await, "IP", AT_HOME)[3], neighbor);
    server.call(Method::DELETE, &trusted, None).await;
    let trusted = list_of(&server, "Lab", "DEVICE", true).await;
    put(&server, &trusted, json!({"value": "shared"})).await;
    let lab = "shared is on the trusted list \"Lab\".";
    assert_eq!(told(&of_ring(&server, "eve").await, "DEVICE", "shared")[3], lab);
    let put_on = log(&server, "action=list-entry.create").await[0]["id"].clone();

    // Who may not change trusted lists does not undo what was put on them, nor ban by one.
    let user = session(&server.app, team(&server.app).await, Role::User).await;
    let path = format!("/api/audit-log/{put_on}/actions/undo");
    let told_user = refusal(server.request(Method::POST, &path).bearer_auth(&user)).await;
    assert_eq!(told_user, "403 forbidden Only an admin may change what is on a trusted list.");
    let viewer = session(&server.app, team(&server.app).await, Role::Viewer).await;
    let path = "/api/identities/eve/actions/ban-ring";
    let body = json!({"keys": keys(&[("IDENTITY", "eve")])});
    let told_viewer = refusal(server.request(Method::POST, path).bearer_auth(&viewer).json(&body)).await;
    assert_eq!(told_viewer, "403 forbidden A viewer may only read.");
    list_of(&server, "Banned identities", "TEXT", false).await;
    let other = refused(&server, path, body).await;
    let expected = "409 wrong_state The team's list `banned-identities` is trusted, or of another type: remove it first.";
    assert_eq!(other, expected);
    let wrong = json!({"keys": [{"type": "COUNTRY", "value": "DE"}], "endsAt": "2000-01-01T00:00:00Z"});
    let wrong = refused(&server, path, wrong).await;
    let expected = "400 bad_request keys[0].type: must be one of DEVICE, IP, EMAIL, PHONE, IDENTITY, TEXT; endsAt: must be in the future";
    assert_eq!(wrong, expected);
}

async fn nothing_of_a_person_stays_in_the_audit_log_and_the_ban_can_be_undone(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &RING).await;
    let banned =
        ban(&server, "eve", &[("DEVICE", "shared"), ("IDENTITY", "eve"), ("EMAIL", &email("eve"))]).await;
    let text = json!(log(&server, "action=ring.ban").await).to_string();
    assert!(!text.contains("shared") && !text.contains("posteo") && !text.contains("Five of"), "{text}");
    assert_eq!(server.call(Method::DELETE, "/api/identities/eve", None).await.0, 204);
    let text = json!(log(&server, "").await).to_string();
    assert!(!text.contains("\"eve\"") && !text.contains("eve@"), "{text}");
    let undone = undo(&server, &banned["auditId"]).await;
    let removed: Vec<_> =
        undone["lists"].as_array().unwrap().iter().map(|list| list["removed"].clone()).collect();
    assert_eq!(removed, [json!(1), json!(1), json!(1)]);
    let text = json!(log(&server, "").await).to_string();
    assert!(!text.contains("\"eve\"") && !text.contains("eve@"), "{text}");
}
