//! What people decide of identities, and what follows from it.

use dregs_core::label::{Outcome, Source, Verdict};
use dregs_core::score::Scores;
use dregs_server::limit::Limit;
use dregs_server::ops::bounds::LABELS;
use dregs_server::store::escalations::{self, NewEscalation, Severity};
use dregs_server::store::labels::{self, Found, NewLabel};
use dregs_server::store::{Tx, identities};
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use super::remedies::{badge_slugs, ring};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually, settled};

on_both_engines!(
    whoever_is_good_loses_what_accuses_until_something_new_is_found,
    a_preview_of_a_label_says_what_then_happens,
    whoever_is_bad_has_a_badge_and_counts_for_those_on_the_same_device,
    whoever_is_told_of_labels_hears_which_one_counts,
    an_escalation_is_closed_with_what_was_decided,
    labels_come_in_many_at_once_and_each_once,
    labels_are_exported_and_forgotten,
    rules_badges_and_analyzers_are_right_or_wrong_by_what_was_decided,
    one_identity_has_so_many_labels,
);

const FIVE: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];

async fn label(server: &TestServer, id: &str, body: Value) -> Value {
    server.post(&format!("/api/identities/{id}/actions/label"), body).await
}

async fn escalation(server: &TestServer, id: &str) -> Value {
    let found = server.get(&format!("/api/escalations?identity={id}")).await;
    found["content"][0].clone()
}

async fn open_escalation(server: &TestServer, id: &str) -> Value {
    eventually("the escalation", async || {
        let found = escalation(server, id).await;
        (found["status"] == "OPEN").then_some(found)
    })
    .await
}

/// The observation about the others on its keys, if there is one.
async fn confirmed_links(server: &TestServer, id: &str) -> Option<Value> {
    let analysis = server.analysis(id).await;
    let scores = analysis["scores"].as_array()?.iter();
    let mut all = scores.flat_map(|score| score["observations"].as_array().into_iter().flatten());
    all.find(|one| one["id"] == "behavior.confirmed-links").cloned()
}

async fn whoever_is_good_loses_what_accuses_until_something_new_is_found(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &FIVE).await;
    settled(&server).await;
    open_escalation(&server, "eve").await;
    let given = label(&server, "eve", json!({"outcome": "GOOD", "reason": "A family."})).await;
    let told = ["outcome", "kind", "source", "reason", "author"].map(|name| given[name].clone());
    let expected = [json!("GOOD"), Value::Null, json!("IMPORT"), json!("A family."), json!("Default")];
    assert_eq!(told, expected, "by a key: {given}");
    assert_eq!(badge_slugs(&server, "eve").await, Vec::<Value>::new());
    let closed = escalation(&server, "eve").await;
    let told = ["status", "closedBy", "closeReason", "outcome"].map(|name| closed[name].clone());
    assert_eq!(told, [json!("CLOSED"), json!("Default"), json!("A family."), json!("GOOD")]);
    let identity = server.get("/api/identities/eve").await;
    assert_eq!(identity["label"]["settled"], json!(["HUMANITY", "AUTHENTICITY", "UNIQUENESS", "BEHAVIOR"]));
    assert_eq!(badge_slugs(&server, "ada").await, ["multiple-accounts"], "the others stay as they are");

    // The same evidence, looked at again, opens nothing.
    server.call(Method::POST, "/api/identities/eve/actions/analyze", None).await;
    settled(&server).await;
    assert_eq!(badge_slugs(&server, "eve").await, Vec::<Value>::new());
    assert_eq!(escalation(&server, "eve").await["id"], closed["id"]);

    // Many more accounts on the device are stronger evidence, in one category and not in the rest.
    for n in 0..12 {
        let mut signup = event(&format!("more {n}"), &format!("more-{n}"));
        signup["device"] = json!({"fingerprint": "shared"});
        server.post("/api/events", signup).await;
    }
    let again = open_escalation(&server, "eve").await;
    assert_ne!(again["id"], closed["id"], "another case");
    assert!(badge_slugs(&server, "eve").await.contains(&json!("multiple-accounts")));
    let identity = server.get("/api/identities/eve").await;
    let settled = identity["label"]["settled"].as_array().unwrap();
    assert!(
        !settled.contains(&json!("UNIQUENESS")) && settled.contains(&json!("AUTHENTICITY")),
        "{settled:?}"
    );
}

async fn a_preview_of_a_label_says_what_then_happens(engine: Engine) {
    let server = TestServer::start(engine).await;
    let channel = json!({"type": "WEBHOOK", "name": "Ops", "events": ["identity.labeled"], "config": {"url": "https://example.com"}});
    server.post("/api/channels", channel).await;
    ring(&server, &[], &FIVE).await;
    settled(&server).await;
    open_escalation(&server, "eve").await;
    for (body, removed, added) in [
        (json!({"outcome": "GOOD"}), json!(["Multiple accounts"]), json!([])),
        (
            json!({"outcome": "BAD", "kind": "DUPLICATE"}),
            json!([]),
            json!(["Confirmed bad", "Multiple accounts"]),
        ),
    ] {
        let told = server.post("/api/identities/eve/actions/preview-label", body.clone()).await;
        let of = |id: &str| {
            let all = told["identities"].as_array().unwrap().iter();
            all.clone().find(|one| one["identity"]["id"] == id).cloned()
        };
        let eve = of("eve").unwrap_or_else(|| panic!("{told}"));
        assert_eq!((&eve["badgesRemoved"], &eve["badgesAdded"]), (&removed, &added), "{told}");
        let sent = told["deliveries"].as_array().unwrap().iter().map(|one| (&one["event"], &one["count"]));
        assert_eq!(sent.collect::<Vec<_>>(), [(&json!("IDENTITY_LABELED"), &json!(1))], "{told}");
        let ada = of("ada").map(|ada| ada["after"]["behavior"].clone());
        assert_eq!(
            server.get("/api/identities/eve/labels").await.as_array().unwrap().len(),
            usize::from(added != json!([]))
        );
        label(&server, "eve", body).await;
        settled(&server).await;
        if let Some(behavior) = ada {
            assert_eq!(server.get("/api/identities/ada").await["behaviorScore"], behavior);
        }
    }
    for other in ["bob", "joe"] {
        label(&server, other, json!({"outcome": "BAD", "kind": "DUPLICATE"})).await;
    }
    settled(&server).await;
    // Without the newest the one before counts again: she is good.
    let newest = server.get("/api/identities/eve/labels").await[0]["id"].clone();
    let told = server.post(&format!("/api/labels/{newest}/actions/preview-withdraw"), Value::Null).await;
    let of = |id: &str| told["identities"].as_array().unwrap().iter().find(|one| one["identity"]["id"] == id);
    let (eve, ada) = (of("eve").expect("she changes"), of("ada").expect("who shares her device changes"));
    assert_eq!(eve["badgesRemoved"], json!(["Confirmed bad", "Multiple accounts"]), "{told}");
    assert_eq!(told["deliveries"][0]["event"], "IDENTITY_LABELED", "{told}");
    let behavior = ada["after"]["behavior"].clone();
    assert_ne!(behavior, ada["before"]["behavior"]);
    assert_eq!(badge_slugs(&server, "eve").await.len(), 2, "nothing is done yet");
    server.post(&format!("/api/labels/{newest}/actions/withdraw"), Value::Null).await;
    settled(&server).await;
    assert_eq!(badge_slugs(&server, "eve").await.len(), 0);
    assert_eq!(server.get("/api/identities/ada").await["behaviorScore"], behavior);
    let (status, _) = server
        .call(Method::POST, "/api/identities/nobody/actions/preview-label", Some(json!({"outcome": "GOOD"})))
        .await;
    assert_eq!(status.as_u16(), 404);
}

async fn whoever_is_bad_has_a_badge_and_counts_for_those_on_the_same_device(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &FIVE).await;
    settled(&server).await;
    let reason = "Five accounts of one person";
    let mut ids = Vec::new();
    for user in ["ada", "bob", "joe", "kim"] {
        let body = json!({"outcome": "BAD", "kind": "DUPLICATE", "source": "ANALYST", "reason": reason});
        ids.push(label(&server, user, body).await["id"].clone());
    }
    let identity = server.get("/api/identities/ada").await;
    let badge = &identity["badges"][0];
    assert_eq!((&badge["slug"], &badge["type"]), (&json!("confirmed-bad"), &json!("BAD")));
    let words = badge["explanation"].as_str().unwrap();
    assert!(
        words.starts_with("Confirmed as a duplicate account by a person who looked at it, 20")
            && words.ends_with(": “Five accounts of one person”."),
        "{words}"
    );
    let dismiss = Some(json!({"badge": "confirmed-bad"}));
    let (status, _) = server.call(Method::POST, "/api/identities/ada/actions/dismiss-badge", dismiss).await;
    assert_eq!(status.as_u16(), 400, "its label is to be withdrawn");
    let listed = server.get("/api/identities?badge=confirmed-bad").await;
    assert_eq!(listed["content"].as_array().unwrap().len(), 4);
    let found = eventually("all four to count", async || {
        confirmed_links(&server, "eve").await.filter(|found| found["metadata"]["confirmedBad"] == 4)
    })
    .await;
    assert_eq!(found["explanation"], "Of 4 other accounts on the same device, 4 were confirmed as bad.");
    assert!(
        !badge_slugs(&server, "eve").await.contains(&json!("confirmed-bad")),
        "nobody has decided of her"
    );

    // What is withdrawn counts no more, and stays in the list.
    for id in ids {
        let withdrawn = server.post(&format!("/api/labels/{id}/actions/withdraw"), json!({})).await;
        assert_eq!(withdrawn["withdrawnBy"], "Default");
        server.post(&format!("/api/labels/{id}/actions/withdraw"), json!({})).await;
    }
    settled(&server).await;
    eventually("none to count", async || confirmed_links(&server, "eve").await.is_none().then_some(())).await;
    assert!(!badge_slugs(&server, "ada").await.contains(&json!("confirmed-bad")));
    assert_eq!(server.get("/api/identities/ada").await["label"], Value::Null);
    assert_eq!(server.get("/api/identities/ada/labels").await.as_array().unwrap().len(), 1);
}

async fn whoever_is_told_of_labels_hears_which_one_counts(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    server.post("/api/events", event("e", "ada")).await;
    settled(&server).await;
    let body = json!({"type": "WEBHOOK", "name": "Ops", "events": ["identity.labeled"], "config": {"url": receiver.url()}});
    server.post("/api/channels", body).await;
    let first = label(&server, "ada", json!({"outcome": "BAD", "kind": "BOT", "note": "not told"})).await;
    let second =
        label(&server, "ada", json!({"outcome": "GOOD", "source": "APPEAL", "reason": "Wrong"})).await;
    for id in [&second["id"], &first["id"]] {
        server.post(&format!("/api/labels/{id}/actions/withdraw"), json!({})).await;
    }
    let mut bodies: Vec<Value> =
        arrived(&receiver, 4).await.iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect();
    bodies.sort_by_key(|body| body["sequence"].as_u64());
    let told: Vec<_> = bodies
        .iter()
        .map(|body| {
            let data = &body["data"];
            let badges = data["badges"].as_array().unwrap().iter().map(|badge| badge["slug"].clone());
            (data["label"]["outcome"].clone(), data["label"]["source"].clone(), badges.collect::<Vec<_>>())
        })
        .collect();
    let bad = (json!("BAD"), json!("IMPORT"), vec![json!("confirmed-bad")]);
    assert_eq!(
        told,
        [bad.clone(), (json!("GOOD"), json!("APPEAL"), vec![]), bad, (Value::Null, Value::Null, vec![])]
    );
    assert!(bodies.iter().all(|body| !body.to_string().contains("not told")));
    let sequences: Vec<_> = bodies.iter().map(|body| body["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
}

async fn an_escalation_is_closed_with_what_was_decided(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let body = json!({"type": "WEBHOOK", "name": "Ops", "events": ["ESCALATION_OPENED", "ESCALATION_CLOSED"], "config": {"url": receiver.url()}});
    server.post("/api/channels", body).await;
    ring(&server, &["ops"], &FIVE).await;
    for (user, outcome) in [("ada", "BAD"), ("eve", "GOOD")] {
        let open = open_escalation(&server, user).await;
        let path = format!("/api/escalations/{}", open["id"]);
        let closed =
            server.patch(&path, json!({"status": "CLOSED", "reason": "Looked at", "outcome": outcome})).await;
        let told = ["status", "closedBy", "closeReason", "outcome"].map(|name| closed[name].clone());
        assert_eq!(told, [json!("CLOSED"), json!("Default"), json!("Looked at"), json!(outcome)]);
        let labels = server.get(&format!("/api/identities/{user}/labels")).await;
        assert_eq!((&labels[0]["outcome"], &labels[0]["source"]), (&json!(outcome), &json!("ANALYST")));
        assert!(labels[0]["cycleId"].as_i64().unwrap() > 0);
    }
    let mut told: Vec<_> = arrived(&receiver, 7)
        .await
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap())
        .filter(|body| body["event"] == "ESCALATION_CLOSED")
        .map(|body| (body["identityId"].as_str().unwrap().to_owned(), body["data"]["outcome"].clone()))
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(told, [("ada".to_owned(), json!("BAD")), ("eve".to_owned(), json!("GOOD"))]);
    for (outcome, users) in [("BAD", vec!["ada"]), ("GOOD", vec!["eve"]), ("none", vec!["bob", "joe", "kim"])]
    {
        let listed = server.get(&format!("/api/escalations?outcome={outcome}")).await;
        let ids =
            listed["content"].as_array().unwrap().iter().map(|one| one["identity"]["id"].as_str().unwrap());
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        assert_eq!((ids, &listed["totalElements"]), (users.clone(), &json!(users.len())), "{outcome}");
    }
    let (status, answer) = server.call(Method::GET, "/api/escalations?outcome=ugly", None).await;
    assert_eq!((status.as_u16(), &answer["details"][0]["field"]), (400, &json!("outcome")));
    let open = open_escalation(&server, "kim").await;
    let path = format!("/api/escalations/{}", open["id"]);
    for (body, field) in [
        (json!({"status": "ACKNOWLEDGED", "outcome": "GOOD"}), "outcome"),
        (json!({"status": "CLOSED", "kind": "BOT"}), "kind"),
        (json!({"status": "CLOSED", "outcome": "GOOD", "kind": "BOT"}), "kind"),
        (json!({"status": "CLOSED", "outcome": "UGLY"}), "outcome"),
        (json!({"status": "CLOSED", "cycleId": 1}), "cycleId"),
    ] {
        let (status, answer) = server.call(Method::PATCH, &path, Some(body.clone())).await;
        assert_eq!(
            (status.as_u16(), &answer["details"][0]["field"]),
            (400, &json!(field)),
            "{body}: {answer}"
        );
    }
    // By what was looked at, though more has been found since; and nothing at all by a cycle that never was.
    let seen = server.get("/api/identities/kim/analysis").await["id"].clone();
    server.track("later", "kim").await;
    settled(&server).await;
    assert_ne!(server.get("/api/identities/kim/analysis").await["id"], seen);
    let close = |cycle: Value| json!({"status": "CLOSED", "outcome": "BAD", "cycleId": cycle});
    let (status, _) = server.call(Method::PATCH, &path, Some(close(json!(999)))).await;
    assert_eq!((status.as_u16(), &server.get(&path).await["status"]), (404, &json!("OPEN")));
    server.patch(&path, close(seen.clone())).await;
    assert_eq!(server.get("/api/identities/kim/labels").await[0]["cycleId"], seen);
}

async fn labels_come_in_many_at_once_and_each_once(engine: Engine) {
    let server = TestServer::start(engine).await;
    for user in ["ada", "bob", "eve"] {
        server.post("/api/events", event(user, user)).await;
    }
    settled(&server).await;
    let body = json!({"labels": [
        {"identityId": "ada", "outcome": "BAD", "kind": "ABUSE", "source": "CHARGEBACK", "key": "cb-1",
         "at": "2026-01-02T03:04:05Z"},
        {"identityId": "bob", "outcome": "GOOD", "key": "cb-1"},
        {"identityId": "nobody", "outcome": "BAD"},
        {"identityId": "eve", "outcome": "BAD"},
    ]});
    let statuses = |answer: &Value| -> Vec<Value> {
        answer["labels"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect()
    };
    let first = server.post("/api/labels", body.clone()).await;
    assert_eq!(statuses(&first), ["CREATED", "CREATED", "IDENTITY_NOT_FOUND", "CREATED"]);
    let again = server.post("/api/labels", body).await;
    assert_eq!(statuses(&again), ["EXISTS", "EXISTS", "IDENTITY_NOT_FOUND", "CREATED"]);
    assert_eq!(again["labels"][0]["id"], first["labels"][0]["id"]);

    let listed = server.get("/api/labels?outcome=BAD&source=CHARGEBACK").await;
    let listed = listed["content"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["identity"]["id"], &listed[0]["at"]),
        (&json!("ada"), &json!("2026-01-02T03:04:05.000Z"))
    );
    assert_eq!(server.get("/api/labels?withdrawn=false").await["content"].as_array().unwrap().len(), 4);

    // What was decided before counts less than what was decided since.
    label(&server, "ada", json!({"outcome": "GOOD"})).await;
    let old = json!({"labels": [{"identityId": "ada", "outcome": "BAD", "at": "2025-01-02T03:04:05Z"}]});
    server.post("/api/labels", old).await;
    assert_eq!(server.get("/api/identities/ada").await["label"]["outcome"], "GOOD");

    for (body, field) in [
        (json!({"labels": []}), "labels"),
        (json!({"labels": [{"identityId": "ada", "outcome": "MEH"}]}), "labels[0].outcome"),
        (json!({"labels": [{"identityId": "ada", "outcome": "BAD", "kind": "X"}]}), "labels[0].kind"),
        (json!({"labels": [{"identityId": "ada", "outcome": "BAD", "source": "X"}]}), "labels[0].source"),
        (
            json!({"labels": [{"identityId": "ada", "outcome": "BAD", "at": "2999-01-01T00:00:00Z"}]}),
            "labels[0].at",
        ),
    ] {
        let (status, answer) = server.call(Method::POST, "/api/labels", Some(body.clone())).await;
        assert_eq!(
            (status.as_u16(), &answer["details"][0]["field"]),
            (400, &json!(field)),
            "{body}: {answer}"
        );
    }
}

async fn labels_are_exported_and_forgotten(engine: Engine) {
    let server = TestServer::start(engine).await;
    server.post("/api/events", event("e", "ada")).await;
    settled(&server).await;
    let given = label(&server, "ada", json!({"outcome": "BAD", "note": "Called twice"})).await;
    let export = server.get("/api/identities/ada/export").await;
    assert_eq!(
        (&export["labels"][0]["id"], &export["labels"][0]["note"]),
        (&given["id"], &json!("Called twice"))
    );
    assert_eq!(server.call(Method::DELETE, "/api/identities/ada", None).await.0, 204);
    assert_eq!(server.get("/api/labels").await["content"], json!([]));
}

async fn rules_badges_and_analyzers_are_right_or_wrong_by_what_was_decided(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &FIVE).await;
    for (name, badge_type) in [("Welcome", "GOOD"), ("Seen", "NEUTRAL")] {
        let conditions = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 100}]);
        let rule = json!({"name": name, "type": badge_type, "conditions": conditions});
        server.post("/api/badge-rules", rule).await;
    }
    for user in FIVE {
        server.call(Method::POST, &format!("/api/identities/{user}/actions/analyze"), None).await;
    }
    settled(&server).await;
    for user in FIVE {
        open_escalation(&server, user).await;
    }
    let tally =
        |of: &Value| ["tookHold", "right", "wrong", "unlabeled", "low", "high"].map(|name| of[name].clone());
    let none = server.get("/api/labels/accuracy").await;
    let unjudged = [json!(5), json!(0), json!(0), json!(5), Value::Null, Value::Null];
    assert_eq!((tally(&none["rules"][0]), tally(&none["badges"][0])), (unjudged.clone(), unjudged));
    assert_eq!((&none["good"], &none["bad"], &none["analyzers"]), (&json!(0), &json!(0), &json!([])));

    for user in ["ada", "bob", "joe"] {
        label(&server, user, json!({"outcome": "BAD"})).await;
    }
    label(&server, "eve", json!({"outcome": "GOOD"})).await;
    // Who was judged twice counts once, as was decided last.
    label(&server, "joe", json!({"outcome": "BAD", "kind": "FAKE"})).await;
    let found = server.get("/api/labels/accuracy").await;
    assert_eq!((&found["good"], &found["bad"]), (&json!(1), &json!(3)));
    for of in [&found["rules"][0], &found["badges"][0]] {
        let [took_hold, right, wrong, unlabelled, low, high] = tally(of);
        assert_eq!([took_hold, right, wrong, unlabelled], [5, 3, 1, 1], "{of}");
        let (low, high) = (low.as_f64().unwrap(), high.as_f64().unwrap());
        assert!((0.30..0.31).contains(&low) && (0.95..0.96).contains(&high), "of 3 in 4: {of}");
    }
    assert_eq!(
        (&found["rules"][0]["name"], &found["badges"][0]["slug"]),
        (&json!("Duplicate"), &json!("multiple-accounts"))
    );
    let analyzers = found["analyzers"].as_array().unwrap();
    let device = analyzers.iter().find(|one| one["id"] == "uniqueness.shared-device").unwrap();
    assert_eq!(tally(device)[..4], [json!(4), json!(3), json!(1), json!(0)], "{found}");
    // What speaks for somebody is right about the good; what does neither is never right.
    let badges = found["badges"].as_array().unwrap();
    let slugs: Vec<_> = badges.iter().map(|one| one["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["multiple-accounts", "welcome"]);
    assert_eq!(tally(&badges[1])[..4], [json!(5), json!(1), json!(3), json!(1)], "{found}");
}

async fn one_identity_has_so_many_labels(engine: Engine) {
    let server = TestServer::start(engine).await;
    server.post("/api/events", event("e", "ada")).await;
    settled(&server).await;
    let now = server.app.clock.now();
    let fill = move |tx: &mut Tx| {
        let ada = identities::find(tx, 1, "ada")?.unwrap();
        for _ in 1..LABELS.max {
            let new = NewLabel {
                team_id: 1,
                identity_id: ada.row_id,
                verdict: Verdict { outcome: Outcome::Good, kind: None },
                source: Source::Import,
                reason: None,
                note: None,
                author: "Default",
                cycle: None,
                found: &Found::default(),
                key: None,
                decided_at: now,
                created_at: now,
            };
            labels::insert(tx, &new)?;
        }
        Ok(())
    };
    server.app.store.write(fill).await.unwrap();
    label(&server, "ada", json!({"outcome": "BAD"})).await;
    let body = json!({"labels": [{"identityId": "ada", "outcome": "BAD"}]});
    let (status, answer) = server.call(Method::POST, "/api/labels", Some(body)).await;
    assert_eq!(
        (status.as_u16(), &answer["message"]),
        (400, &json!("A single identity has at most 1000 labels."))
    );
    assert!(server.reached(Limit::Labels) > 0);

    // Of many, the others do not wait for whoever has no room.
    let open = move |tx: &mut Tx| {
        let identity_id = identities::find(tx, 1, "ada")?.unwrap().row_id;
        let new = NewEscalation {
            team_id: 1,
            identity_id,
            rule_id: 1_000,
            rule_name: "Any".into(),
            severity: Severity::Info,
            conditions: "[]".into(),
            channels: "[]".into(),
            scores: Scores::default(),
            explanation: None,
            event_id: None,
            opened_at: now,
        };
        escalations::insert(tx, &new)
    };
    let id = server.app.store.write(open).await.unwrap().unwrap();
    let change = json!({"ids": [id], "status": "CLOSED", "outcome": "BAD"});
    let (_, begun) = server.call(Method::POST, "/api/escalations/bulk-changes", Some(change)).await;
    let done = eventually("the change to end", async || {
        let change = server.get(&format!("/api/escalations/bulk-changes/{}", begun["id"])).await;
        (change["state"] == "FINISHED").then_some(change)
    })
    .await;
    assert_eq!((&done["changed"], &done["skipped"]), (&json!(0), &json!(1)), "{done}");
}
