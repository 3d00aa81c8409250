//! What one team has, another neither sees nor changes, whatever it asks for and by whatever it asks.

use std::collections::BTreeMap;
use std::time::Duration;

use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::access::{body, operations};
use super::super::{SESSION_PASSWORD, session};
use super::Two;
use super::rows::rows;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, answer, event, eventually};

on_both_engines!(
    no_operation_shows_or_changes_what_another_team_has,
    no_tool_of_an_agent_does,
    who_shares_a_device_with_somebody_of_another_team_shares_nothing,
);

/// In all that the second team says of what it has.
const SAID: &str = "leaked";
/// In the ids that it gives.
const ID: &str = "hidden";

/// Where things of the second team are, by how a path of the document begins.
pub type Places = BTreeMap<&'static str, String>;

/// Makes one of everything in the second team. What it is told goes to the receiver.
pub async fn furnish(two: &Two) -> (Places, Receiver) {
    let admin = session(&two.server.app, two.second, Role::Admin).await;
    let make = async |path: &str, body: Value| {
        let (status, made) = answer(two.with(&admin, Method::POST, path, body)).await;
        assert!(status.is_success(), "{path}: {status} {made}");
        made
    };
    let first = json!({
        "id": "hidden-event", "type": "leaked_type", "ip": "203.0.113.99", "userAgent": "leaked/1.0",
        "identity": {"id": "hidden-user", "data": {"email": "leaked@leaked.example", "name": "Leaked Person"}},
        "device": {"fingerprint": "hidden-device"}, "session": "leaked-session",
        "groups": [{"type": "team", "id": "hidden-group"}], "data": {"note": "leaked"},
    });
    let sent = two.with(&two.key, Method::POST, "/api/events", first);
    assert_eq!(answer(sent).await.0, 200);
    let conditions = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 100}]);
    let badge = json!({"name": "leaked badge", "type": "BAD", "conditions": conditions});
    let badge_rule = make("/api/badge-rules", badge.clone()).await["id"].clone();
    let escalation = json!({"name": "leaked rule", "severity": "INFO", "conditions": conditions});
    let escalation_rule = make("/api/escalation-rules", escalation.clone()).await["id"].clone();
    for (path, draft) in [("badge-rules", badge), ("escalation-rules", escalation)] {
        let id = if path == "badge-rules" { &badge_rule } else { &escalation_rule };
        let path = format!("/api/{path}/{id}/draft");
        assert_eq!(answer(two.with(&admin, Method::PUT, &path, draft)).await.0, 200);
    }
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let events = json!(["identity.scored"]);
    let channel = json!({"type": "WEBHOOK", "name": "leaked channel", "events": events, "config": {"url": receiver.url()}});
    let channel = make("/api/channels", channel).await["id"].clone();
    let delivery =
        make(&format!("/api/channels/{channel}/actions/test"), Value::Null).await["deliveryId"].clone();
    make("/api/identities/hidden-user/actions/review", json!({})).await;
    let label = json!({"outcome": "BAD", "note": "leaked note"});
    let label = make("/api/identities/hidden-user/actions/label", label).await["id"].clone();
    let escalation = eventually("an escalation", async || {
        let open = two.get(&admin, "/api/escalations").await;
        open["content"].as_array().unwrap().first().map(|open| open["id"].clone())
    })
    .await;
    let note = make(&format!("/api/escalations/{escalation}/notes"), json!({"text": "leaked note"})).await;
    let change = json!({"filter": {}, "status": "ACKNOWLEDGED"});
    let change = make("/api/escalations/bulk-changes", change).await["id"].clone();
    let mapping = json!({"kind": "EVENT_TYPE", "source": "leaked_source", "target": "LOGIN"});
    let mapping = make("/api/mappings", mapping).await["id"].clone();
    let counter =
        json!({"name": "leaked counter", "function": "COUNT", "per": "device", "windowSeconds": 60});
    let counter = make("/api/counters", counter).await["id"].clone();
    eventually("the counter's past to be built", async || {
        let counter = two.get(&admin, &format!("/api/counters/{counter}")).await;
        (counter["status"] == "READY").then_some(())
    })
    .await;
    let dataset = "/api/datasets/disposable-email-domains";
    let entry = make(&format!("{dataset}/entries"), json!({"value": "leaked.example"})).await["id"].clone();
    let list = make("/api/lists", json!({"name": "leaked list", "type": "TEXT"})).await["id"].clone();
    make(&format!("/api/lists/{list}/entries"), json!({"entries": [{"value": "leaked"}]})).await;
    let on_list = two.get(&admin, &format!("/api/lists/{list}/entries")).await["content"][0]["id"].clone();
    let told = two.get(&admin, "/api/audit-log?action=list-entry.create").await["content"][0]["id"].clone();
    let view = json!({"name": "leaked view", "page": "identities", "query": "term=leaked"});
    let view = make("/api/views", view).await["id"].clone();
    let credential = make("/api/credentials", json!({"name": "leaked key"})).await["id"].clone();
    let token = make("/api/mcp-tokens", json!({"name": "leaked token"})).await["id"].clone();
    let invitation = json!({"email": "leaked@example.org", "role": "USER"});
    let invitation = make("/api/team/invitations", invitation).await["id"].clone();
    let member = two.get(&admin, "/api/auth/me").await["id"].clone();
    let sessions = two.get(&admin, "/api/auth/sessions").await;
    let at = |folder: &str, id: &Value| {
        format!("/api/{folder}/{}", id.as_str().map_or_else(|| id.to_string(), str::to_owned))
    };
    let places = Places::from([
        ("/api/audit-log/{id}", at("audit-log", &told)),
        ("/api/auth/passkeys/{id}", at("auth/passkeys", &json!(1))),
        ("/api/auth/sessions/{id}", at("auth/sessions", &sessions[0]["id"])),
        ("/api/badge-rules/{id}", at("badge-rules", &badge_rule)),
        ("/api/channels/{id}", at("channels", &channel)),
        ("/api/counters/{id}", at("counters", &counter)),
        ("/api/credentials/{id}", at("credentials", &credential)),
        ("/api/datasets/{slug}", dataset.to_owned()),
        ("/api/datasets/{slug}/entries/{id}", format!("{dataset}/entries/{entry}")),
        ("/api/deliveries/{id}", at("deliveries", &delivery)),
        ("/api/devices/{fingerprint}", at("devices", &json!("hidden-device"))),
        ("/api/escalation-rules/{id}", at("escalation-rules", &escalation_rule)),
        ("/api/escalations/bulk-changes/{id}", at("escalations/bulk-changes", &change)),
        ("/api/escalations/{id}", at("escalations", &escalation)),
        (
            "/api/escalations/{id}/notes/{noteId}",
            format!("/api/escalations/{escalation}/notes/{}", note["noteId"]),
        ),
        ("/api/events/{id}", at("events", &json!("hidden-event"))),
        ("/api/groups/{type}/{id}", "/api/groups/team/hidden-group".to_owned()),
        ("/api/identities/{id}", at("identities", &json!("hidden-user"))),
        ("/api/labels/accuracy/analyzers/{id}", at("labels/accuracy/analyzers", &json!("behavior.pace"))),
        ("/api/labels/accuracy/badges/{slug}", at("labels/accuracy/badges", &json!("leaked-badge"))),
        ("/api/labels/accuracy/rules/{id}", at("labels/accuracy/rules", &escalation_rule)),
        ("/api/labels/{id}", at("labels", &label)),
        ("/api/lists/{id}", at("lists", &list)),
        ("/api/lists/{id}/entries/{entryId}", format!("/api/lists/{list}/entries/{on_list}")),
        ("/api/mappings/{id}", at("mappings", &mapping)),
        ("/api/mcp-tokens/{id}", at("mcp-tokens", &token)),
        ("/api/oauth/connections/{id}", at("oauth/connections", &json!(1))),
        ("/api/team/invitations/{id}", at("team/invitations", &invitation)),
        ("/api/team/members/{id}", at("team/members", &member)),
        ("/api/teams/{id}", at("teams", &json!(two.second))),
        ("/api/views/{id}", at("views", &view)),
        ("/api/weights/{id}", at("weights", &json!(1))),
    ]);
    (places, receiver)
}

/// Whoever is due to be scored again is by then.
const QUIET: Duration = Duration::from_secs(5);

/// What the second team has, when nothing changes it by itself any more.
async fn settled(two: &Two) -> BTreeMap<String, Vec<String>> {
    let mut before = rows(&two.server.app, two.second).await;
    loop {
        tokio::time::sleep(QUIET).await;
        let now = rows(&two.server.app, two.second).await;
        if now == before {
            return now;
        }
        before = now;
    }
}

async fn assert_unchanged(two: &Two, before: &BTreeMap<String, Vec<String>>) {
    let after = rows(&two.server.app, two.second).await;
    // Sessions of the tests last for a minute.
    for (table, rows) in before.iter().filter(|(table, _)| *table != "sessions") {
        assert_eq!(after.get(table), Some(rows), "{table}");
    }
    assert!(after.keys().all(|table| before.contains_key(table)), "{:?}", after.keys());
}

/// The path with ids of the second team in it.
fn filled(path: &str, places: &Places) -> String {
    let of_longest = places.iter().rev().find(|(begin, _)| path.starts_with(**begin));
    let filled = of_longest.map_or_else(|| path.to_owned(), |(begin, place)| path.replacen(begin, place, 1));
    let filled = filled.replace("{cycleId}", "1").replace("{identityId}", "hidden-user");
    assert!(!filled.contains('{'), "nothing stands for the ids of {path}");
    match path {
        "/api/teams/{id}" => filled + "?name=Staging",
        "/api/search" => filled + "?term=leaked",
        _ if path.ends_with("/comparison") => filled + "?revision=1",
        _ => filled,
    }
}

/// A body with which the operation would succeed on what is one's own.
fn sent(operation: &str, two: &Two, places: &Places) -> Option<Value> {
    let number = |place: &str| places[place].rsplit('/').next().unwrap().parse::<i64>().unwrap();
    Some(match operation {
        "PUT /api/auth/session/team" => json!({"teamId": two.second}),
        "POST /api/deliveries/actions/resend" => json!({"ids": [number("/api/deliveries/{id}")]}),
        "POST /api/identities/actions/decide" => json!({"ids": ["hidden-user"]}),
        "POST /api/labels" => json!({"labels": [{"identityId": "hidden-user", "outcome": "GOOD"}]}),
        "POST /api/auth/accept-invitation" => json!({"token": "inv_none", "password": SESSION_PASSWORD}),
        "POST /api/auth/check-invitation" => json!({"token": "inv_none"}),
        _ if operation.contains("/oauth/request/") => json!({}),
        _ => return body(operation, rand::random()),
    })
}

/// Ids in these are the same for every team.
fn is_of_everybody(path: &str) -> bool {
    let begins = ["/api/datasets/{slug}", "/api/labels/accuracy/badges", "/api/labels/accuracy/analyzers"];
    begins.iter().any(|begin| path.starts_with(begin)) && !path.ends_with("/entries/{id}")
}

/// Whether an answer about many names those that there are not, and says nothing else of them.
fn names_the_unknown(operation: &str, text: &str) -> bool {
    match operation {
        "POST /api/labels" => true,
        "POST /api/identities/actions/decide" => text == r#"{"decisions":[],"unknown":["hidden-user"]}"#,
        _ => false,
    }
}

async fn no_operation_shows_or_changes_what_another_team_has(engine: Engine) {
    let two = Two::set(engine).await;
    two.server.track("e1", "ada").await;
    // What is kept in memory of a team is there before and after.
    let session_of = async || session(&two.server.app, two.first, Role::Admin).await;
    two.get(&session_of().await, "/api/identities").await;
    let (places, _receiver) = furnish(&two).await;
    let before = settled(&two).await;
    let mut wrong = Vec::new();
    for (operation, _) in operations() {
        let (method, path) = operation.split_once(' ').unwrap();
        if path == "/api/live" {
            continue;
        }
        for by_key in [false, true] {
            // Some of these end the session that asks.
            let token = if by_key { SECRET_KEY.to_owned() } else { session_of().await };
            let place = filled(path, &places);
            let sent = sent(&operation, &two, &places).unwrap_or_default();
            let response = two.with(&token, method.parse().unwrap(), &place, sent).send().await.unwrap();
            let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
            let has_id = path.contains('{') && !is_of_everybody(path);
            // What was asked for may be named in what is answered.
            let shows =
                text.contains(SAID) && !place.contains("term=leaked") && !place.contains("leaked-badge");
            if shows
                || (!has_id
                    && !place.contains('?')
                    && !names_the_unknown(&operation, &text)
                    && text.contains(ID))
                || (has_id && ![403, 404].contains(&status))
            {
                wrong.push(format!("{operation} by key {by_key}: {status} {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Lists that are narrowed to what is the other's, searches, and the other's things by name.
    let escalation = &places["/api/escalations/{id}"]["/api/escalations/".len()..];
    for path in [
        "/api/events?identity=hidden-user",
        "/api/events?device=hidden-device",
        "/api/events?session=leaked-session",
        "/api/events?term=leaked_type",
        "/api/identities?term=leaked",
        "/api/identities?term=203.0.113.99",
        "/api/identities?device=hidden-device",
        "/api/identities?group=hidden-group",
        "/api/identities?badge=leaked-badge",
        "/api/devices?term=hidden",
        "/api/groups?term=hidden",
        "/api/escalations?identity=hidden-user",
        "/api/labels?identity=hidden-user",
        &format!("/api/audit-log?targetType=escalation&targetId={escalation}"),
        "/api/audit-log?action=team.create",
    ] {
        let token = session_of().await;
        let (status, found) = answer(two.with(&token, Method::GET, path, Value::Null)).await;
        // Filters that a list does not have are refused by name.
        let is_empty = status == 200 && found["totalElements"] == 0;
        assert!(is_empty || status == 400, "{path}: {status} {found}");
    }
    let token = session_of().await;
    for path in ["/api/search?term=leaked", "/api/search?term=hidden-user", "/api/identities.csv"] {
        let text =
            two.with(&token, Method::GET, path, Value::Null).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("Leaked") && !text.contains("leaked@"), "{path}: {text}");
    }
    assert_unchanged(&two, &before).await;
}

/// Arguments with which a tool is called about what another team has.
fn arguments(tool: &Value, places: &Places) -> (Value, bool) {
    let name = tool["name"].as_str().unwrap();
    let number = |place: &str| places[place].rsplit('/').next().unwrap().parse::<i64>().unwrap();
    let of = [
        ("escalation_rule", json!(number("/api/escalation-rules/{id}"))),
        ("badge_rule", json!(number("/api/badge-rules/{id}"))),
        ("bulk_change", json!(number("/api/escalations/bulk-changes/{id}"))),
        ("escalation", json!(number("/api/escalations/{id}"))),
        ("channel", json!(number("/api/channels/{id}"))),
        ("withdraw_label", json!(number("/api/labels/{id}"))),
        ("dataset_entry", json!(number("/api/datasets/{slug}/entries/{id}"))),
        ("mapping", json!(number("/api/mappings/{id}"))),
    ];
    let id =
        of.iter().find(|(part, _)| name.contains(part)).map_or(json!("hidden-user"), |(_, id)| id.clone());
    let known = json!({
        "id": id, "fingerprint": "hidden-device", "slug": "disposable-email-domains", "status": "ACKNOWLEDGED",
        "outcome": "GOOD", "disregarded": true, "name": format!("Mine by {name}"), "severity": "INFO", "type": "BAD",
        "value": "mine.example", "kind": "EVENT_TYPE", "source": "mine", "target": "LOGIN",
        "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}],
        "text": "mine", "assignee": null, "until": SystemClock.now().plus_millis(60_000), "rule": "1",
    });
    let schema = &tool["inputSchema"];
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let given = required.iter().filter_map(|name| {
        let name = name.as_str()?;
        known.get(name).map(|value| (name.to_owned(), value.clone()))
    });
    let given: serde_json::Map<_, _> = given.collect();
    let is_about_one = given.contains_key("id") || given.contains_key("fingerprint");
    (given.into(), is_about_one)
}

async fn no_tool_of_an_agent_does(engine: Engine) {
    let two = Two::set(engine).await;
    let (places, _receiver) = furnish(&two).await;
    let admin = session(&two.server.app, two.first, Role::Admin).await;
    let made = two.with(&admin, Method::POST, "/api/mcp-tokens", json!({"name": "Agent"}));
    let token = answer(made).await.1["token"].as_str().unwrap().to_owned();
    let call = async |method: &str, params: Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = two.with(&token, Method::POST, "/mcp", body);
        answer(request.header("Accept", "application/json, text/event-stream")).await.1["result"].clone()
    };
    let before = settled(&two).await;
    let tools = call("tools/list", json!({})).await["tools"].as_array().unwrap().clone();
    assert!(tools.len() > 30, "{tools:?}");
    let mut about_one = 0;
    for tool in &tools {
        let (given, is_about_one) = arguments(tool, &places);
        let result = call("tools/call", json!({"name": tool["name"], "arguments": given})).await;
        let text = result.to_string();
        assert!(!text.contains(SAID), "{}: {text}", tool["name"]);
        if is_about_one {
            about_one += 1;
            let data = &result["structuredContent"]["data"];
            let status = data.get("status").or(data["links"].get("status")).and_then(Value::as_u64);
            assert!(result["isError"] == true && status == Some(404), "{}: {text}", tool["name"]);
        } else {
            assert!(!text.contains(ID), "{}: {text}", tool["name"]);
        }
    }
    assert!(about_one > 15, "{about_one}");
    assert_unchanged(&two, &before).await;
}

async fn who_shares_a_device_with_somebody_of_another_team_shares_nothing(engine: Engine) {
    let two = Two::set(engine).await;
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let others = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let channel = |url: String| json!({"type": "WEBHOOK", "name": "Hook", "events": ["identity.scored"], "config": {"url": url}});
    two.server.post("/api/channels", channel(receiver.url())).await;
    let theirs = two.with(&two.key, Method::POST, "/api/channels", channel(others.url()));
    assert_eq!(answer(theirs).await.0, 201);
    let shared = |user: &str| {
        let mut event = event(&format!("of {user}"), user);
        event["identity"]["data"]["email"] = json!("the.same@mailbox.example");
        event["device"] = json!({"fingerprint": "the-same-device"});
        (event["ip"], event["session"]) = (json!("203.0.113.9"), json!("the-same-session"));
        event["groups"] = json!([{"type": "team", "id": "the-same-group"}]);
        event
    };
    two.server.post("/api/events", shared("ada")).await;
    let sent = two.with(&two.key, Method::POST, "/api/events", shared("bea"));
    assert_eq!(answer(sent).await.0, 200);
    for receiver in [&receiver, &others] {
        eventually("a webhook", async || (!receiver.requests().is_empty()).then_some(())).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let text = |receiver: &Receiver| {
        let bodies = receiver.requests().into_iter().map(|request| String::from_utf8(request.body).unwrap());
        bodies.collect::<String>()
    };
    let (ours, theirs) = (text(&receiver), text(&others));
    assert!(ours.contains("\"ada\"") && !ours.contains("\"bea\""), "{ours}");
    assert!(theirs.contains("\"bea\"") && !theirs.contains("\"ada\""), "{theirs}");
    for (token, user, other) in [(SECRET_KEY, "ada", "bea"), (&*two.key, "bea", "ada")] {
        for path in [
            format!("/api/identities/{user}/links"),
            format!("/api/identities/{user}/cluster"),
            format!("/api/identities/{user}/ring"),
            format!("/api/identities/{user}/analysis"),
            "/api/devices/the-same-device".to_owned(),
            "/api/groups/team/the-same-group".to_owned(),
            "/api/identities".to_owned(),
            "/api/events".to_owned(),
        ] {
            let found = two.get(token, &path).await;
            assert!(!found.to_string().contains(&format!("\"{other}\"")), "{path}: {found}");
        }
        let links = two.get(token, &format!("/api/identities/{user}/links")).await;
        assert!(links.as_array().or(links["content"].as_array()).unwrap().is_empty(), "{links}");
    }
}

#[tokio::test]
async fn what_one_team_uses_up_another_has() {
    let server = TestServer::start_with(Engine::Sqlite, |config| config.monthly_event_quota = 2).await;
    let two = Two::on(server).await;
    let send = async |key: &str, n: usize| {
        answer(two.with(key, Method::POST, "/api/events", event(&format!("e{n}"), "ada"))).await.0.as_u16()
    };
    let ours = [send(SECRET_KEY, 1).await, send(SECRET_KEY, 2).await, send(SECRET_KEY, 3).await];
    assert_eq!((ours, send(&two.key, 1).await), ([200, 200, 402], 200));

    let server = TestServer::start_with(Engine::Sqlite, |config| config.credential_rate_per_second = 2).await;
    let two = Two::on(server).await;
    let ask = async |key: &str| answer(two.with(key, Method::GET, "/api/team", Value::Null)).await.0.as_u16();
    let mut last = 0;
    for _ in 0..20 {
        last = ask(SECRET_KEY).await;
    }
    assert_eq!((last, ask(&two.key).await), (429, 200));
}

#[tokio::test]
async fn nobody_is_told_from_where_browsers_asked_for_another_team() {
    let two = Two::set(Engine::Sqlite).await;
    let ask = two.server.request(Method::OPTIONS, "/api/events").header("Origin", "https://leaked.example");
    ask.header("Access-Control-Request-Method", "POST").send().await.unwrap();
    let admin = session(&two.server.app, two.first, Role::Admin).await;
    assert_eq!(two.get(&admin, "/api/credentials/refused-origins").await, json!([]));
}
