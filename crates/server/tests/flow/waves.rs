//! Many escalations at once: what they have in common, what is decided of all of them, and how that is taken back. And
//! rules that are put off for one identity.

use std::collections::BTreeMap;

use dregs_core::score::Scores;
use dregs_core::time::HOUR_MS;
use dregs_server::clock::Clock;
use dregs_server::ops::decide::bulk_changes::BULK_MAX;
use dregs_server::store::escalations::{self, NewEscalation, Severity};
use dregs_server::store::{Tx, identities};
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::morning;
use super::remedies::{badge_slugs, ring};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, event, eventually, scored, settled};

on_both_engines!(
    a_ring_is_one_wave_that_is_decided_on_at_once_and_taken_back,
    what_somebody_has_changed_since_is_left_as_it_is,
    a_domain_is_shared_by_those_who_have_mailboxes_there,
    what_is_told_before_is_what_is_sent_and_each_is_labeled_once,
    who_is_called_good_by_mistake_has_everything_back,
    a_snoozed_rule_opens_nothing_until_its_time,
    of_very_many_those_that_opened_first_are_taken,
);

const FIVE: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];
const RING: &str = "shares=DEVICE:shared";

/// A ring of five on one device, each with an open escalation, and somebody who has nothing to do with them.
async fn opened(server: &TestServer) {
    server.post("/api/events", event("alone", "alone")).await;
    ring(server, &[], &FIVE).await;
    scored(server).await;
    eventually("five escalations", async || {
        let open = server.get("/api/escalations?status=OPEN").await;
        (open["totalElements"] == 5).then_some(())
    })
    .await;
}

/// Those who are listed with their escalations, in order.
async fn listed(server: &TestServer, query: &str) -> Vec<String> {
    let page = server.get(&format!("/api/escalations?{query}")).await;
    let mut ids: Vec<_> = page["content"]
        .as_array()
        .unwrap_or_else(|| panic!("{page}"))
        .iter()
        .map(|one| one["identity"]["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// Makes a change and waits for its end.
async fn changed(server: &TestServer, change: Value) -> Value {
    let (status, begun) = server.call(Method::POST, "/api/escalations/bulk-changes", Some(change)).await;
    assert_eq!(status, 202, "{begun}");
    ended(server, &begun["id"], "FINISHED").await
}

async fn ended(server: &TestServer, id: &Value, state: &str) -> Value {
    eventually(&format!("a bulk change to be {state}"), async || {
        let change = server.get(&format!("/api/escalations/bulk-changes/{id}")).await;
        (change["state"] == state).then_some(change)
    })
    .await
}

async fn undone(server: &TestServer, id: &Value) -> Value {
    let path = format!("/api/escalations/bulk-changes/{id}/actions/undo");
    let (status, begun) = server.call(Method::POST, &path, None).await;
    assert_eq!(status, 202, "{begun}");
    ended(server, id, "UNDONE").await
}

/// How many it is of, and of those how many were changed, skipped, undone and kept.
fn counts(change: &Value) -> [i64; 5] {
    ["total", "changed", "skipped", "undone", "kept"].map(|name| change[name].as_i64().unwrap())
}

async fn a_ring_is_one_wave_that_is_decided_on_at_once_and_taken_back(engine: Engine) {
    let server = TestServer::start(engine).await;
    opened(&server).await;
    let waves = server.get("/api/escalations/waves").await;
    assert_eq!((&waves["lookedAt"], &waves["others"]), (&json!(5), &json!(0)), "{waves}");
    let [wave] = &waves["waves"].as_array().unwrap()[..] else { panic!("{waves}") };
    let told = ["kind", "value", "shares", "escalations", "identities", "open", "assigned", "severity"];
    let told = told.map(|name| wave[name].clone());
    let expected = json!(["DEVICE", "shared", "DEVICE:shared", 5, 5, 5, 0, "WARNING"]);
    assert_eq!(json!(told), expected);
    assert_eq!(wave["escalationRules"][0]["label"], "Duplicate");
    assert_eq!(wave["examples"].as_array().unwrap().len(), 3);
    assert_eq!(listed(&server, RING).await, FIVE);
    assert_eq!(listed(&server, "shares=DEVICE:another").await, [""; 0]);
    let before = server.get("/api/escalations?status=OPEN&sort=openedAt&order=ASC").await["content"].clone();

    let change = json!({"filter": {"shares": "DEVICE:shared"}, "status": "CLOSED", "outcome": "BAD",
        "kind": "DUPLICATE", "reason": "One person."});
    let preview = server.post("/api/escalations/bulk-changes/actions/preview", change.clone()).await;
    let told = ["escalations", "isExact", "unchanged", "identities", "unsuspicious"];
    assert_eq!(json!(told.map(|name| preview[name].clone())), json!([5, true, 0, 5, 0]), "{preview}");
    assert_eq!(listed(&server, "status=OPEN").await, FIVE, "nothing has happened");

    let done = changed(&server, change).await;
    assert_eq!(counts(&done), [5, 5, 0, 0, 0], "{done}");
    assert_eq!(listed(&server, "status=OPEN").await, [""; 0]);
    for user in FIVE {
        assert!(badge_slugs(&server, user).await.contains(&json!("confirmed-bad")), "{user}");
        let closed = server.get(&format!("/api/escalations?identity={user}")).await["content"][0].clone();
        let told = ["status", "closeReason", "outcome"].map(|name| closed[name].clone());
        assert_eq!(told, [json!("CLOSED"), json!("One person."), json!("BAD")]);
    }
    // What is closed by the same change again stays as it is.
    let again = json!({"filter": {"status": "CLOSED", "shares": "DEVICE:shared"}, "status": "CLOSED"});
    assert_eq!(counts(&changed(&server, again).await), [5, 0, 5, 0, 0]);

    let back = undone(&server, &done["id"]).await;
    assert_eq!(counts(&back), [5, 5, 0, 5, 0], "{back}");
    settled(&server).await;
    let after = server.get("/api/escalations?status=OPEN&sort=openedAt&order=ASC").await["content"].clone();
    let ids = |page: &Value| page.as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&before), "the same ones, and no other");
    for user in FIVE {
        assert!(!badge_slugs(&server, user).await.contains(&json!("confirmed-bad")), "{user}");
    }
    let path = format!("/api/escalations/bulk-changes/{}/actions/undo", done["id"]);
    let (status, refused) = server.call(Method::POST, &path, None).await;
    assert_eq!((status.as_u16(), &refused["message"]), (409, &json!("It was undone.")));
    let list = server.get("/api/escalations/bulk-changes").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
}

async fn what_somebody_has_changed_since_is_left_as_it_is(engine: Engine) {
    let server = TestServer::start(engine).await;
    opened(&server).await;
    let page = server.get("/api/escalations?sort=openedAt&order=ASC").await;
    let ids: Vec<_> =
        page["content"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
    let done = changed(&server, json!({"ids": [ids[0], ids[1], ids[1], 1], "status": "ACKNOWLEDGED"})).await;
    assert_eq!(counts(&done), [2, 2, 0, 0, 0], "each once, and none that is not there: {done}");
    assert_eq!(listed(&server, "status=ACKNOWLEDGED").await.len(), 2);
    server.patch(&format!("/api/escalations/{}", ids[0]), json!({"status": "CLOSED"})).await;
    let back = undone(&server, &done["id"]).await;
    assert_eq!(counts(&back), [2, 2, 0, 1, 1], "{back}");
    let status = async |id: i64| server.get(&format!("/api/escalations/{id}")).await["status"].clone();
    assert_eq!((status(ids[0]).await, status(ids[1]).await), (json!("CLOSED"), json!("OPEN")));

    // Whoever has been forgotten meanwhile is no more.
    let done = changed(&server, json!({"ids": [ids[2]], "status": "CLOSED", "outcome": "GOOD"})).await;
    let who = server.get(&format!("/api/escalations/{}", ids[2])).await["identity"]["id"].clone();
    let path = format!("/api/identities/{}", who.as_str().unwrap());
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
    let back = undone(&server, &done["id"]).await;
    assert_eq!(counts(&back), [1, 0, 0, 0, 0], "{back}");

    for (change, message) in [
        (json!({"status": "CLOSED"}), "ids: say which escalations: `ids`, or `filter`, and not both"),
        (json!({"filter": {}}), "status: say what to do: `status`, or `assignee`, and not both"),
        (json!({"ids": [], "status": "CLOSED"}), "ids: must have from 1 to 10000 ids"),
        (
            json!({"filter": {}, "status": "OPEN", "reason": "so"}),
            "reason: goes with the status CLOSED alone",
        ),
        (
            json!({"filter": {"shares": "COLOR:red"}, "status": "OPEN"}),
            "shares: must be a kind and a value, such as IP:203.0.113.7; kinds are ADDRESS, CODE, DATE_OF_BIRTH, DEVICE, \
             EMAIL_DOMAIN, FIRST_STEPS, IP, MAILBOX, NAME, NEAR_DEVICE, NETWORK, PHONE, SESSION",
        ),
    ] {
        for path in ["/api/escalations/bulk-changes", "/api/escalations/bulk-changes/actions/preview"] {
            let (status, refused) = server.call(Method::POST, path, Some(change.clone())).await;
            assert_eq!((status.as_u16(), refused["message"].as_str().unwrap()), (400, message), "{path}");
        }
    }
}

async fn a_domain_is_shared_by_those_who_have_mailboxes_there(engine: Engine) {
    let server = TestServer::start(engine).await;
    super::rules::clear(&server).await;
    let anything = json!([{"type": "SCORE_LTE", "category": "ANY", "threshold": 100}]);
    let rule = json!({"name": "Everybody", "severity": "INFO", "conditions": anything});
    server.post("/api/escalation-rules", rule).await;
    let names = [
        "weber", "ortega", "tanaka", "becker", "rossi", "haddad", "martin", "nowak", "jensen", "kumar",
        "olsen", "cohen", "lind", "fischer",
    ];
    let address = |n: usize| match n {
        0..6 => format!("{}@mail.Example_one.com", names[n]),
        6 => "martin@exampleaone.com".to_owned(),
        // Of nobody: everybody has a mailbox there.
        _ => format!("{}@gmail.com", names[n]),
    };
    for n in 0..14 {
        let mut signup = event(&format!("e{n}"), &format!("u{n:02}"));
        signup["identity"]["data"] = json!({"email": address(n)});
        signup["ip"] = json!(format!("2001:db8:{n:x}00::1"));
        server.post("/api/events", signup).await;
    }
    eventually("everybody to be looked at", async || {
        (server.get("/api/escalations").await["totalElements"] == 14).then_some(())
    })
    .await;
    let waves = server.get("/api/escalations/waves").await;
    let found: Vec<_> =
        waves["waves"].as_array().unwrap().iter().map(|wave| wave["shares"].clone()).collect();
    assert_eq!(found, [json!("EMAIL_DOMAIN:example_one.com")], "{waves}");
    assert_eq!(waves["others"], 8);
    let six: Vec<_> = (0..6).map(|n| format!("u{n:02}")).collect();
    assert_eq!(listed(&server, "shares=EMAIL_DOMAIN:example_one.com").await, six);
}

/// A second rule that holds for all five, so that each has two escalations.
async fn opened_twice(server: &TestServer, channels: &[&str]) {
    opened(server).await;
    let below = json!([{"type": "SCORE_LT", "category": "UNIQUENESS", "threshold": 61}]);
    let rule = json!({"name": "Twice", "severity": "INFO", "conditions": below, "channels": channels});
    server.post("/api/escalation-rules", rule).await;
    eventually("ten escalations", async || {
        (server.get("/api/escalations?status=OPEN").await["totalElements"] == 10).then_some(())
    })
    .await;
    settled(server).await;
}

async fn what_is_told_before_is_what_is_sent_and_each_is_labeled_once(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let events = [
        "identity.scored",
        "identity.badges_changed",
        "identity.labeled",
        "escalation.opened",
        "escalation.closed",
    ];
    let channel =
        json!({"type": "WEBHOOK", "name": "Ops", "events": events, "config": {"url": receiver.url()}});
    let channel = server.post("/api/channels", channel).await["id"].as_i64().unwrap();
    opened_twice(&server, &["ops"]).await;
    for (outcome, filter) in
        [("BAD", json!({"shares": "DEVICE:shared"})), ("GOOD", json!({"status": "CLOSED"}))]
    {
        eventually("what came before to be delivered", async || {
            let pending = server.get(&format!("/api/channels/{channel}/deliveries?status=PENDING")).await;
            (pending["totalElements"] == 0).then_some(())
        })
        .await;
        let before = receiver.requests().len();
        let change = json!({"filter": filter, "status": "CLOSED", "outcome": outcome});
        let preview = server.post("/api/escalations/bulk-changes/actions/preview", change.clone()).await;
        assert_eq!(preview["deliveriesAreExact"], true);
        let planned = preview["deliveries"].as_array().unwrap().iter();
        let planned: BTreeMap<_, _> = planned
            .map(|one| (one["event"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap()))
            .collect();
        let done = changed(&server, change).await;
        assert_eq!(done["changed"], if outcome == "BAD" { json!(10) } else { json!(5) }, "{done}");
        settled(&server).await;
        let total: u64 = planned.values().sum();
        eventually(&format!("{total} webhooks, {planned:?}"), async || {
            (receiver.requests().len() as u64 >= before as u64 + total).then_some(())
        })
        .await;
        let mut sent: BTreeMap<String, u64> = BTreeMap::new();
        for request in &receiver.requests()[before..] {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            *sent.entry(body["event"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert_eq!(sent, planned, "{outcome}");
    }
    for user in FIVE {
        let labels = server.get(&format!("/api/identities/{user}/labels")).await;
        assert_eq!(labels.as_array().unwrap().len(), 2, "{user}: {labels}");
    }
}

async fn who_is_called_good_by_mistake_has_everything_back(engine: Engine) {
    let server = TestServer::start(engine).await;
    opened_twice(&server, &[]).await;
    let page = server.get("/api/escalations?sort=openedAt&order=ASC&pageSize=100").await;
    let all = page["content"].as_array().unwrap();
    // Acknowledged, and of the other rule than the one that is acted on.
    let other = all.iter().find(|one| one["escalationRule"]["label"] == "Twice").unwrap();
    server.patch(&format!("/api/escalations/{}", other["id"]), json!({"status": "ACKNOWLEDGED"})).await;
    let rule = all.iter().find(|one| one["escalationRule"]["label"] == "Duplicate").unwrap();
    let filter = json!({"rule": rule["escalationRule"]["id"]});
    let change = json!({"filter": filter, "status": "CLOSED", "outcome": "GOOD"});
    let preview = server.post("/api/escalations/bulk-changes/actions/preview", change.clone()).await;
    assert_eq!((&preview["escalations"], &preview["closedToo"]), (&json!(5), &json!(5)), "{preview}");
    let states = async || {
        let page = server.get("/api/escalations?sort=openedAt&order=ASC&pageSize=100").await;
        let told = |one: &Value| (one["id"].clone(), one["status"].clone(), one["openedAt"].clone());
        page["content"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let before = states().await;
    let done = changed(&server, change).await;
    assert_eq!(counts(&done), [5, 10, 0, 0, 0], "with those that the label has closed: {done}");
    assert!(states().await.iter().all(|(_, status, _)| status == "CLOSED"));
    let back = undone(&server, &done["id"]).await;
    assert_eq!(counts(&back), [5, 10, 0, 10, 0], "{back}");
    settled(&server).await;
    assert_eq!(states().await, before, "the same ones, as they were");
}

async fn of_very_many_those_that_opened_first_are_taken(engine: Engine) {
    let server = TestServer::start(engine).await;
    super::rules::clear(&server).await;
    server.post("/api/events", event("e1", "ada")).await;
    let key = server.app.kept.credentials.find(&server.app.store, SECRET_KEY).await.unwrap().unwrap();
    let (team_id, now) = (key.team_id, server.app.clock.now());
    let open = move |tx: &mut Tx| {
        let identity_id = identities::find(tx, team_id, "ada")?.unwrap().row_id;
        for rule_id in 1..=BULK_MAX as i64 + 1 {
            let new = NewEscalation {
                team_id,
                identity_id,
                rule_id,
                rule_name: "Any".into(),
                severity: Severity::Info,
                conditions: "[]".into(),
                channels: "[]".into(),
                scores: Scores::default(),
                explanation: None,
                event_id: None,
                opened_at: now,
            };
            escalations::insert(tx, &new)?;
        }
        Ok(())
    };
    server.app.store.write(open).await.unwrap();
    let change = json!({"filter": {}, "status": "ACKNOWLEDGED"});
    let preview = server.post("/api/escalations/bulk-changes/actions/preview", change.clone()).await;
    let told = ["escalations", "isExact", "identities"].map(|name| preview[name].clone());
    assert_eq!(json!(told), json!([BULK_MAX, false, 1]));
    let begun = server.post("/api/escalations/bulk-changes", change).await;
    assert_eq!(begun["total"], json!(BULK_MAX));
    let waves = server.get("/api/escalations/waves").await;
    assert_eq!((&waves["lookedAt"], &waves["others"]), (&json!(10_000), &json!(10_000)));
}

async fn a_snoozed_rule_opens_nothing_until_its_time(engine: Engine) {
    let clock = morning();
    let server = TestServer::start_at(engine, &clock).await;
    opened(&server).await;
    let of_eve = async || {
        let page = server.get("/api/escalations?identity=eve").await;
        page["content"].as_array().unwrap().clone()
    };
    let id = of_eve().await[0]["id"].clone();
    let until = clock.now().plus_millis(HOUR_MS);
    let path = format!("/api/escalations/{id}/actions/snooze");
    for wrong in [clock.now(), clock.now().plus_millis(367 * 24 * HOUR_MS)] {
        let (status, refused) = server.call(Method::POST, &path, Some(json!({"until": wrong}))).await;
        let message = "until: must be ahead, at most 366 days";
        assert_eq!((status.as_u16(), refused["message"].as_str().unwrap()), (400, message));
    }
    let closed = server.post(&path, json!({"until": until, "reason": "On holiday."})).await;
    let told = ["status", "closedBy", "closeReason"].map(|name| closed[name].clone());
    assert_eq!(told, [json!("CLOSED"), json!("Default"), json!("On holiday.")]);
    let snoozed = server.get("/api/identities/eve").await["snoozedRules"].clone();
    let told = ["until", "snoozedBy", "reason"].map(|name| snoozed[0][name].clone());
    assert_eq!(told, [json!(until), json!("Default"), json!("On holiday.")]);
    assert_eq!(snoozed[0]["escalationRule"]["label"], "Duplicate");
    assert!(badge_slugs(&server, "eve").await.contains(&json!("multiple-accounts")), "badges stay");

    server.call(Method::POST, "/api/identities/eve/actions/analyze", None).await;
    scored(&server).await;
    assert_eq!(of_eve().await.len(), 1, "the same evidence opens nothing");
    assert_eq!(listed(&server, "status=OPEN").await.len(), 4, "of the others it is open");
    clock.advance(HOUR_MS);
    let again = eventually("the rule to open again", async || {
        let all = of_eve().await;
        (all.len() == 2).then(|| all[0].clone())
    })
    .await;
    assert_eq!(again["status"], "OPEN");
    assert_eq!(server.get("/api/identities/eve").await["snoozedRules"], json!([]));

    // One that is ended by hand.
    let path = format!("/api/escalations/{}/actions/snooze", again["id"]);
    server.post(&path, json!({"until": clock.now().plus_millis(HOUR_MS)})).await;
    let reason = of_eve().await[0]["closeReason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("Snoozed until 20") && reason.ends_with(" UTC."), "{reason}");
    clock.advance(1_000);
    let end = json!({"rule": again["escalationRule"]["id"]});
    let identity = server.post("/api/identities/eve/actions/end-snooze", end.clone()).await;
    assert_eq!(identity["snoozedRules"], json!([]));
    assert_eq!(of_eve().await.len(), 3, "it holds");
    let history = server.get(&format!("/api/escalations/{}/history", again["id"])).await;
    let told: Vec<_> = history.as_array().unwrap().iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(told, ["OPENED", "SNOOZED", "CLOSED", "SNOOZE_ENDED"], "{history}");
    // As a number, too, as it stands in the path of the rule.
    let number: i64 = end["rule"].as_str().unwrap().parse().unwrap();
    for end in [end, json!({ "rule": number })] {
        let refused = server.call(Method::POST, "/api/identities/eve/actions/end-snooze", Some(end)).await;
        assert_eq!(refused.1["message"], "rule: is snoozed for this identity by nobody");
    }
}
