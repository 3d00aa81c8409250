//! What an analyst does for somebody who was flagged wrongly, and what is told before it is done.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually, settled};

on_both_engines!(
    a_preview_of_disregarding_says_what_then_happens,
    a_preview_of_disregarding_a_device_says_what_then_happens,
    of_a_device_with_many_users_the_last_are_looked_at,
    a_preview_counts_networks_as_the_change_does,
    a_dismissed_badge_stays_off_and_comes_back_for_something_new,
    a_dismissed_badge_is_restored,
    who_closes_an_escalation_and_why_is_kept,
    a_reason_that_is_no_longer_true_is_told_as_the_past,
);

const CATEGORIES: [&str; 4] = ["humanity", "authenticity", "uniqueness", "behavior"];
const ALL_EVENTS: [&str; 4] =
    ["IDENTITY_SCORED", "IDENTITY_BADGES_CHANGED", "ESCALATION_OPENED", "ESCALATION_CLOSED"];

/// The four scores of an identity, as previews have them.
async fn scores(server: &TestServer, id: &str) -> Value {
    let (_, identity) = server.call(Method::GET, &format!("/api/identities/{id}"), None).await;
    let of = |category: &str| (category.to_owned(), identity[format!("{category}Score")].clone());
    Value::Object(CATEGORIES.map(of).into_iter().collect())
}

pub async fn badge_slugs(server: &TestServer, id: &str) -> Vec<Value> {
    let identity = server.get(&format!("/api/identities/{id}")).await;
    identity["badges"].as_array().unwrap().iter().map(|badge| badge["slug"].clone()).collect()
}

/// Accounts on one device, with a rule for a badge and one for an escalation that is told to `channels`, all scored.
pub async fn ring(server: &TestServer, channels: &[&str], users: &[&str]) {
    clear(server).await;
    let below = json!([{"type": "SCORE_LT", "category": "UNIQUENESS", "threshold": 60}]);
    let rule = json!({"name": "Multiple accounts", "type": "BAD", "conditions": below});
    server.post("/api/badge-rules", rule).await;
    let rule = json!({"name": "Duplicate", "severity": "WARNING", "conditions": below, "channels": channels});
    server.post("/api/escalation-rules", rule).await;
    for user in users {
        let mut signup = event(user, user);
        signup["device"] = json!({"fingerprint": "shared"});
        signup["identity"]["data"] =
            json!({"name": format!("{user} {user}mann"), "email": format!("{user}@posteo.de")});
        server.post("/api/events", signup).await;
    }
    for user in users {
        let others = users.len() as u64 - 1;
        eventually(&format!("{user} to be scored with {others} others"), async || {
            let analysis = server.analysis(user).await;
            let scores = analysis["scores"].as_array()?;
            let mut all =
                scores.iter().flat_map(|score| score["observations"].as_array().into_iter().flatten());
            let shared = all.find(|one| one["id"] == "uniqueness.shared-device")?;
            (shared["metadata"]["otherAccounts"] == others).then_some(())
        })
        .await;
    }
}

/// Of an identity, or a device.
async fn preview(server: &TestServer, path: &str, disregarded: bool) -> Value {
    server.post(&format!("{path}/actions/preview-disregard"), json!({"disregarded": disregarded})).await
}

/// What a preview says of each: scores from and to.
fn altered(preview: &Value) -> BTreeMap<String, (Value, Value)> {
    let all = preview["identities"].as_array().unwrap().iter();
    all.map(|one| {
        (one["identity"]["id"].as_str().unwrap().to_owned(), (one["before"].clone(), one["after"].clone()))
    })
    .collect()
}

async fn a_preview_of_disregarding_says_what_then_happens(engine: Engine) {
    it_says_what_then_happens(engine, "/api/identities/eve").await;
}

async fn a_preview_of_disregarding_a_device_says_what_then_happens(engine: Engine) {
    it_says_what_then_happens(engine, "/api/devices/shared").await;
}

async fn it_says_what_then_happens(engine: Engine, path: &str) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    let body =
        json!({"type": "WEBHOOK", "name": "Ops", "events": ALL_EVENTS, "config": {"url": receiver.url()}});
    server.post("/api/channels", body).await;
    ring(&server, &["ops"], &["ada", "bob", "eve", "kim"]).await;
    settled(&server).await;
    let sent = async || {
        eventually("nothing to be on its way", async || {
            let system = server.get("/api/system").await;
            (system["delivery"]["waiting"] == 0).then_some(())
        })
        .await;
        receiver.requests().len()
    };
    let before = sent().await;
    for disregarded in [true, false] {
        let from: BTreeMap<_, _> = {
            let mut from = BTreeMap::new();
            for user in ["ada", "bob", "eve", "kim"] {
                from.insert(user.to_owned(), scores(&server, user).await);
            }
            from
        };
        let told = preview(&server, path, disregarded).await;
        let planned = altered(&told);
        assert!(planned.len() >= 3, "{told}");
        let looked_at = planned.len() as u64 + told["unchanged"].as_u64().unwrap();
        assert_eq!((&told["total"], &told["totalIsExact"]), (&json!(looked_at), &json!(true)), "{told}");
        for (user, (before, _)) in &planned {
            assert_eq!(before, &from[user], "{user}");
        }
        // Nothing has changed by looking.
        for (user, scores_before) in &from {
            assert_eq!(&scores(&server, user).await, scores_before, "{user}");
        }
        let begin = sent().await;
        server.patch(path, json!({"disregarded": disregarded})).await;
        for (user, (_, after)) in &planned {
            eventually(&format!("{user} to have {after}"), async || {
                (scores(&server, user).await == *after).then_some(())
            })
            .await;
        }
        settled(&server).await;
        for (user, before) in from.iter().filter(|(user, _)| !planned.contains_key(*user)) {
            assert_eq!(&scores(&server, user).await, before, "{user} was not told of");
        }
        let planned: u64 =
            told["deliveries"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
        let done = eventually("all that was told to be sent", async || {
            let done = (sent().await - begin) as u64;
            (done >= planned).then_some(done)
        })
        .await;
        assert_eq!(done, planned, "{told}");
    }
    assert!(before > 0);
    for path in ["/api/identities/nobody", "/api/devices/none"] {
        let path = format!("{path}/actions/preview-disregard");
        let (status, _) = server.call(Method::POST, &path, Some(json!({"disregarded": true}))).await;
        assert_eq!(status.as_u16(), 404, "{path}");
    }
}

async fn of_a_device_with_many_users_the_last_are_looked_at(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let users: Vec<_> = (0..205).map(|n| format!("user-{n:03}")).collect();
    let signup = |user: &String| json!({"type": "user.signup", "identity": {"id": user}, "device": {"fingerprint": "kiosk"}});
    server.post("/api/events/batch", users.iter().map(signup).collect()).await;
    settled(&server).await;
    let told = preview(&server, "/api/devices/kiosk", true).await;
    let looked_at = altered(&told).len() as u64 + told["unchanged"].as_u64().unwrap();
    assert_eq!((looked_at, &told["total"], &told["totalIsExact"]), (200, &json!(205), &json!(true)));
    assert!(!altered(&told).contains_key("user-000"), "one of the first");
}

async fn a_preview_counts_networks_as_the_change_does(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let users: Vec<String> = (0..13).map(|n| format!("user-{n:02}")).collect();
    for (n, user) in users.iter().enumerate() {
        let mut signup = event(user, user);
        signup["ip"] = json!(format!("203.0.113.{n}"));
        server.post("/api/events", signup).await;
    }
    settled(&server).await;
    for user in &users {
        server.call(Method::POST, &format!("/api/identities/{user}/actions/analyze"), None).await;
    }
    settled(&server).await;
    for disregarded in [true, false] {
        let told = altered(&preview(&server, "/api/identities/user-05", disregarded).await);
        server.patch("/api/identities/user-05", json!({"disregarded": disregarded})).await;
        settled(&server).await;
        for (user, (_, after)) in told {
            eventually(&format!("{user} to have {after}"), async || {
                (scores(&server, &user).await == after).then_some(())
            })
            .await;
        }
    }
}

async fn dismiss(server: &TestServer, id: &str, body: Value) -> Value {
    server.post(&format!("/api/identities/{id}/actions/dismiss-badge"), body).await
}

async fn a_dismissed_badge_stays_off_and_comes_back_for_something_new(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &["ada", "bob", "eve", "joe", "kim"]).await;
    settled(&server).await;
    assert_eq!(badge_slugs(&server, "eve").await, ["multiple-accounts"]);
    let identity =
        dismiss(&server, "eve", json!({"badge": "multiple-accounts", "reason": " A family. "})).await;
    assert_eq!(identity["badges"], json!([]));
    let dismissed = &identity["dismissedBadges"][0];
    let told = (&dismissed["slug"], &dismissed["name"], &dismissed["reason"], &dismissed["dismissedBy"]);
    assert_eq!(
        told,
        (&json!("multiple-accounts"), &json!("Multiple accounts"), &json!("A family."), &json!("Default"))
    );
    let listed = server.get("/api/identities?badge=multiple-accounts").await;
    let ids: Vec<_> = listed["content"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert!(!ids.contains(&json!("eve")) && ids.contains(&json!("ada")), "{ids:?}");
    let log = server.get("/api/identities/eve").await;
    assert_eq!(log["dismissedBadges"].as_array().unwrap().len(), 1);

    // What is scored again by the same evidence stays without; and so after a rule of another kind has changed.
    server.call(Method::POST, "/api/identities/eve/actions/analyze", None).await;
    let mut login = event("login", "eve");
    login["type"] = json!("user.login");
    login["device"] = json!({"fingerprint": "shared"});
    server.post("/api/events", login).await;
    settled(&server).await;
    assert_eq!(badge_slugs(&server, "eve").await, Vec::<Value>::new());
    assert_eq!(server.get("/api/identities/eve").await["dismissedBadges"][0]["slug"], "multiple-accounts");

    // Many more accounts on the device are stronger evidence.
    for n in 0..12 {
        let mut signup = event(&format!("more {n}"), &format!("more-{n}"));
        signup["device"] = json!({"fingerprint": "shared"});
        server.post("/api/events", signup).await;
    }
    eventually("the badge to be back", async || {
        badge_slugs(&server, "eve").await.contains(&json!("multiple-accounts")).then_some(())
    })
    .await;
    assert_eq!(server.get("/api/identities/eve").await["dismissedBadges"], json!([]));
    let (status, _) = server
        .call(Method::POST, "/api/identities/eve/actions/dismiss-badge", Some(json!({"badge": "trusted"})))
        .await;
    assert_eq!(status.as_u16(), 400);
}

async fn a_dismissed_badge_is_restored(engine: Engine) {
    let server = TestServer::start(engine).await;
    let receiver = Receiver::answering(OK).await;
    ring(&server, &[], &["ada", "bob", "eve", "joe", "kim"]).await;
    settled(&server).await;
    let body = json!({
        "type": "WEBHOOK", "name": "Ops", "events": ["IDENTITY_BADGES_CHANGED"], "config": {"url": receiver.url()},
    });
    server.post("/api/channels", body).await;
    dismiss(&server, "eve", json!({"badge": "multiple-accounts"})).await;
    let restored =
        server.post("/api/identities/eve/actions/restore-badge", json!({"badge": "multiple-accounts"})).await;
    assert_eq!(restored["dismissedBadges"], json!([]));
    eventually("the badge to be back", async || {
        (badge_slugs(&server, "eve").await == ["multiple-accounts"]).then_some(())
    })
    .await;
    let mut bodies: Vec<Value> =
        arrived(&receiver, 2).await.iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect();
    bodies.sort_by_key(|body| body["sequence"].as_u64());
    let told: Vec<_> = bodies
        .iter()
        .map(|body| {
            [&body["data"]["added"][0]["slug"], &body["data"]["removed"][0]["slug"]].map(Value::clone)
        })
        .collect();
    let slug = json!("multiple-accounts");
    assert_eq!(told, [[Value::Null, slug.clone()], [slug, Value::Null]]);
    let (status, _) = server
        .call(
            Method::POST,
            "/api/identities/eve/actions/restore-badge",
            Some(json!({"badge": "multiple-accounts"})),
        )
        .await;
    assert_eq!(status.as_u16(), 400, "it is not dismissed any more");
}

async fn who_closes_an_escalation_and_why_is_kept(engine: Engine) {
    let server = TestServer::start(engine).await;
    ring(&server, &[], &["ada", "bob", "eve", "joe", "kim"]).await;
    let find = async |identity: &str| {
        eventually("the escalation", async || {
            let found = server.get(&format!("/api/escalations?identity={identity}")).await;
            found["content"].get(0).cloned()
        })
        .await
    };
    let told =
        |one: &Value| ["status", "acknowledgedBy", "closedBy", "closeReason"].map(|name| one[name].clone());
    let open = find("eve").await;
    assert_eq!(told(&open), [json!("OPEN"), Value::Null, Value::Null, Value::Null]);
    let path = format!("/api/escalations/{}", open["id"]);
    server.patch(&path, json!({"status": "ACKNOWLEDGED"})).await;
    let closed = server.patch(&path, json!({"status": "CLOSED", "reason": "A family."})).await;
    assert_eq!(told(&closed), [json!("CLOSED"), json!("Default"), json!("Default"), json!("A family.")]);
    let reopened = server.patch(&path, json!({"status": "OPEN"})).await;
    assert_eq!(told(&reopened), [json!("OPEN"), Value::Null, Value::Null, Value::Null]);
    let (status, _) =
        server.call(Method::PATCH, &path, Some(json!({"status": "OPEN", "reason": "no"}))).await;
    assert_eq!(status.as_u16(), 400);

    server.patch("/api/identities/eve", json!({"disregarded": true})).await;
    eventually("its rule to close it", async || (find("eve").await["status"] == "CLOSED").then_some(()))
        .await;
    let by_rule = |reason: &str| [json!("CLOSED"), Value::Null, Value::Null, json!(reason)];
    assert_eq!(told(&find("eve").await), by_rule("The identity is disregarded."));
    let rule = server.get("/api/escalation-rules").await["content"][0]["id"].clone();
    assert_eq!(server.call(Method::DELETE, &format!("/api/escalation-rules/{rule}"), None).await.0, 204);
    eventually("its rule to close it", async || (find("ada").await["status"] == "CLOSED").then_some(()))
        .await;
    assert_eq!(told(&find("ada").await), by_rule("The rule was disabled or deleted."));
}

async fn a_reason_that_is_no_longer_true_is_told_as_the_past(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    let rule = json!({
        "name": "Multiple accounts", "type": "BAD", "removeDelaySeconds": 3_600,
        "conditions": [{"type": "SCORE_LT", "category": "UNIQUENESS", "threshold": 60}],
    });
    server.post("/api/badge-rules", rule).await;
    for user in ["ada", "bob", "eve"] {
        let mut signup = event(user, user);
        signup["device"] = json!({"fingerprint": "shared"});
        server.post("/api/events", signup).await;
    }
    let reason = async || {
        let (_, identity) = server.call(Method::GET, "/api/identities/ada", None).await;
        let uniqueness = identity["uniquenessScore"].as_u64();
        Some((identity["badges"][0]["explanation"].as_str()?.to_owned(), uniqueness?))
    };
    // At each cycle the reason is that of the score beside it.
    eventually("the reason to be true", async || {
        let (reason, uniqueness) = reason().await?;
        (reason == format!("Uniqueness is {uniqueness}, below 60.")).then_some(())
    })
    .await;
    server.patch("/api/devices/shared", json!({"disregarded": true})).await;
    let reason = eventually("the reason to be of the past", async || {
        let (reason, uniqueness) = reason().await?;
        (uniqueness >= 60).then_some(reason)
    })
    .await;
    assert!(reason.starts_with("Held until 20") && reason.contains(", below 60.”"), "{reason}");
}
