//! What rules were, drafts beside them, and the record of a rule, a badge and an analyzer.

use dregs_server::limit::Limit;
use dregs_server::ops::team::rule_versions::VERSIONS_MAX;
use reqwest::Method;
use serde_json::{Value, json};

use super::remedies::ring;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event, eventually, settled};

on_both_engines!(
    a_rule_is_drafted_compared_put_in_force_and_rolled_back,
    a_draft_of_a_badge_rule_gives_nobody_a_badge,
    a_draft_undoes_nothing_that_was_changed_after_it,
    of_a_rule_so_many_revisions_are_kept,
    the_record_of_a_rule_says_when_it_was_right_and_with_which_others_it_takes_hold,
);

const FIVE: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];

fn below(category: &str, threshold: u8) -> Value {
    json!([{"type": "SCORE_LT", "category": category, "threshold": threshold}])
}

async fn put(server: &TestServer, path: &str, body: Value) -> Value {
    let (status, answer) = server.call(Method::PUT, path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn refused(server: &TestServer, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
    let (status, answer) = server.call(method, path, body).await;
    (status.as_u16(), answer["message"].as_str().unwrap_or_default().to_owned())
}

async fn label(server: &TestServer, id: &str, outcome: &str) {
    server.post(&format!("/api/identities/{id}/actions/label"), json!({"outcome": outcome})).await;
}

/// How many escalations there are, of any status.
async fn escalations(server: &TestServer) -> Value {
    server.get("/api/escalations").await["totalElements"].clone()
}

/// The only escalation rule, once it has opened an escalation for all five.
async fn five_opened(server: &TestServer) -> Value {
    ring(server, &[], &FIVE).await;
    settled(server).await;
    eventually("five escalations", async || (escalations(server).await == 5).then_some(())).await;
    server.get("/api/escalation-rules").await["content"][0].clone()
}

/// Of each part of a comparison: whom it concerns, and how many of them it is right and wrong about.
fn counts(comparison: &Value) -> Vec<[Value; 3]> {
    let parts = [
        &comparison["rule"]["concerned"],
        &comparison["other"]["concerned"],
        &comparison["both"],
        &comparison["onlyRule"],
        &comparison["onlyOther"],
    ];
    let of = |part: &Value| {
        [part["identities"].clone(), part["tally"]["right"].clone(), part["tally"]["wrong"].clone()]
    };
    parts.into_iter().map(of).collect()
}

async fn a_rule_is_drafted_compared_put_in_force_and_rolled_back(engine: Engine) {
    let server = TestServer::start(engine).await;
    let rule = five_opened(&server).await;
    let path = format!("/api/escalation-rules/{}", rule["id"]);
    label(&server, "ada", "BAD").await;
    label(&server, "eve", "GOOD").await;
    let first = server.get(&format!("{path}/versions")).await;
    assert_eq!((&first["draft"], &first["versions"][0]["rule"]), (&Value::Null, &rule));
    assert_eq!(
        (&first["versions"][0]["revision"], &first["versions"][0]["createdBy"]),
        (&json!(1), &json!("Default"))
    );
    let none = refused(&server, Method::GET, &format!("{path}/comparison"), None).await;
    assert_eq!(none, (404, "There is no such draft of this rule.".into()));

    // A draft that concerns nobody, and one that concerns everybody.
    let draft = |threshold| json!({"name": "Stricter", "severity": "CRITICAL", "conditions": below("UNIQUENESS", threshold)});
    put(&server, &format!("{path}/draft"), draft(0)).await;
    let found = server.get(&format!("{path}/comparison")).await;
    let all = [json!(5), json!(1), json!(1)];
    let nobody = [json!(0), json!(0), json!(0)];
    assert_eq!(counts(&found), [&all, &nobody, &nobody, &all, &nobody].map(Clone::clone), "{found}");
    let newest: Vec<_> =
        found["onlyRule"]["sample"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(json!(newest), json!(["kim", "joe", "eve", "bob", "ada"]));
    let drafted = put(&server, &format!("{path}/draft"), draft(100)).await;
    assert_eq!((&drafted["revision"], &drafted["createdBy"]), (&Value::Null, &json!("Default")));
    let found = server.get(&format!("{path}/comparison")).await;
    assert_eq!(counts(&found), [&all, &all, &all, &nobody, &nobody].map(Clone::clone), "{found}");
    let opened: u64 =
        found["other"]["days"].as_array().unwrap().iter().map(|day| day["opened"].as_u64().unwrap()).sum();
    assert_eq!(opened, 5);
    // It has told nobody, and opened nothing.
    assert_eq!((server.get(&path).await, escalations(&server).await), (rule.clone(), json!(5)));
    let wrong = json!({"name": "", "severity": "LOUD", "conditions": []});
    assert_eq!(refused(&server, Method::PUT, &format!("{path}/draft"), Some(wrong)).await.0, 400);

    let promoted = server.post(&format!("{path}/actions/promote-draft"), Value::Null).await;
    assert_eq!(
        (&promoted["id"], &promoted["name"], &promoted["conditions"]),
        (&rule["id"], &json!("Stricter"), &below("UNIQUENESS", 100))
    );
    let versions = server.get(&format!("{path}/versions")).await;
    let told: Vec<_> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["revision"], &one["rule"]["name"]))
        .collect();
    assert_eq!(json!(told), json!([[2, "Stricter"], [1, "Duplicate"]]));
    assert_eq!(versions["draft"], Value::Null, "it is in force");
    let again = refused(&server, Method::POST, &format!("{path}/actions/promote-draft"), None).await;
    assert_eq!(again.0, 404);
    assert_eq!(refused(&server, Method::DELETE, &format!("{path}/draft"), None).await.0, 404);

    let found = server.get(&format!("{path}/comparison?revision=1")).await;
    assert_eq!(counts(&found)[..2], [all.clone(), all], "{found}");
    let back = server.post(&format!("{path}/actions/restore"), json!({"revision": 1})).await;
    let named = |rule: &Value| ["name", "severity", "conditions", "enabled"].map(|field| rule[field].clone());
    assert_eq!(named(&back), named(&rule));
    let versions = server.get(&format!("{path}/versions")).await;
    assert_eq!(versions["versions"][0]["revision"], 3, "rolled back is a change, too");
    let missing =
        server.call(Method::POST, &format!("{path}/actions/restore"), Some(json!({"revision": 9}))).await;
    assert_eq!((missing.0.as_u16(), &missing.1["code"]), (404, &json!("version_not_found")));

    // One that names what is gone is refused, as it is when it is written.
    let (channel, _) = server.channel("Pager", json!({"url": "http://127.0.0.1:9/"})).await;
    server
        .call(
            Method::PATCH,
            &format!("/api/channels/{channel}"),
            Some(json!({"events": ["escalation.opened"]})),
        )
        .await;
    let mut loud = draft(50);
    loud["channels"] = json!(["pager"]);
    put(&server, &path, loud).await;
    put(&server, &path, draft(50)).await;
    assert_eq!(server.call(Method::DELETE, &format!("/api/channels/{channel}"), None).await.0, 204);
    let gone =
        refused(&server, Method::POST, &format!("{path}/actions/restore"), Some(json!({"revision": 4})))
            .await;
    assert!(gone.0 == 400 && gone.1.contains("there is no channel `pager`"), "{gone:?}");
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(refused(&server, Method::GET, &format!("{path}/versions"), None).await.0, 404);
}

async fn a_draft_undoes_nothing_that_was_changed_after_it(engine: Engine) {
    let server = TestServer::start(engine).await;
    let id = server.get("/api/escalation-rules").await["content"][0]["id"].clone();
    let path = format!("/api/escalation-rules/{id}");
    let promote = format!("{path}/actions/promote-draft");
    let rule =
        |severity| json!({"name": "Duplicate", "severity": severity, "conditions": below("UNIQUENESS", 9)});
    put(&server, &format!("{path}/draft"), rule("WARNING")).await;
    let changed = put(&server, &path, rule("CRITICAL")).await;
    let (status, said) = refused(&server, Method::POST, &promote, None).await;
    assert!(status == 409 && said.starts_with("The rule was changed after this draft was made"), "{said}");
    assert_eq!(server.get(&path).await, changed);
    put(&server, &format!("{path}/draft"), rule("INFO")).await;
    assert_eq!(
        server.post(&promote, Value::Null).await["severity"],
        "INFO",
        "its author has seen the change"
    );
}

async fn a_draft_of_a_badge_rule_gives_nobody_a_badge(engine: Engine) {
    let server = TestServer::start(engine).await;
    five_opened(&server).await;
    let rule = server.get("/api/badge-rules").await["content"][0].clone();
    let path = format!("/api/badge-rules/{}", rule["id"]);
    label(&server, "ada", "BAD").await;
    label(&server, "eve", "GOOD").await;
    let badges = async || {
        let mut all = Vec::new();
        for id in FIVE {
            all.push(server.get(&format!("/api/identities/{id}")).await["badges"].clone());
        }
        all
    };
    let before = badges().await;
    let body = |badge_type: &str, threshold| json!({"name": "Multiple accounts", "type": badge_type, "conditions": below("UNIQUENESS", threshold)});
    put(&server, &format!("{path}/draft"), body("GOOD", 101 - 1)).await;
    let found = server.get(&format!("{path}/comparison")).await;
    // What speaks for somebody is right about the good.
    let both = [json!(5), json!(1), json!(1)];
    assert_eq!(counts(&found)[..3], [both.clone(), both.clone(), both], "{found}");
    put(&server, &format!("{path}/draft"), body("NEUTRAL", 1)).await;
    let found = server.get(&format!("{path}/comparison")).await;
    assert_eq!(
        (&found["other"]["concerned"]["identities"], &found["other"]["concerned"]["tally"]),
        (&json!(0), &Value::Null)
    );
    settled(&server).await;
    assert_eq!(badges().await, before);
    assert_eq!(server.call(Method::DELETE, &format!("{path}/draft"), None).await.0, 204);
    put(&server, &path, body("BAD", 1)).await;
    let restored = server.post(&format!("{path}/actions/restore"), json!({"revision": 1})).await;
    assert_eq!((&restored["slug"], &restored["conditions"]), (&rule["slug"], &rule["conditions"]));
}

async fn of_a_rule_so_many_revisions_are_kept(engine: Engine) {
    let server = TestServer::start(engine).await;
    let rule = server.get("/api/badge-rules").await["content"][0].clone();
    let path = format!("/api/badge-rules/{}", rule["id"]);
    let body = json!({"name": "Changed", "type": "BAD", "conditions": below("HUMANITY", 1)});
    for _ in 0..=VERSIONS_MAX {
        put(&server, &path, body.clone()).await;
    }
    let versions = server.get(&format!("{path}/versions")).await;
    let revisions: Vec<_> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["revision"].as_i64().unwrap())
        .collect();
    assert_eq!(revisions, (3..=VERSIONS_MAX + 2).rev().collect::<Vec<_>>());
    assert!(server.reached(Limit::RuleVersions) > 0);
}

async fn the_record_of_a_rule_says_when_it_was_right_and_with_which_others_it_takes_hold(engine: Engine) {
    let server = TestServer::start(engine).await;
    let rule = five_opened(&server).await;
    let also = json!({"name": "Also", "severity": "INFO", "conditions": below("UNIQUENESS", 100)});
    server.post("/api/escalation-rules", also).await;
    server.post("/api/events", event("e", "somebody")).await;
    eventually("escalations of the other rule", async || (escalations(&server).await == 10).then_some(()))
        .await;
    for (user, outcome) in [("ada", "BAD"), ("bob", "BAD"), ("eve", "GOOD")] {
        label(&server, user, outcome).await;
    }
    settled(&server).await;
    let read = async |of: &str| server.get(&format!("/api/labels/accuracy/{of}")).await;
    let of_rule = read(&format!("rules/{}", rule["id"])).await;
    let tally = ["tookHold", "right", "wrong", "unlabeled"].map(|name| of_rule["tally"][name].clone());
    assert_eq!(tally, [json!(5), json!(2), json!(1), json!(2)], "{of_rule}");
    assert_eq!((&of_rule["lookedAt"], &of_rule["isWhole"]), (&json!(5), &json!(true)));
    let weeks = of_rule["weeks"].as_array().unwrap();
    let this_week = json!({"begin": weeks[25]["begin"], "opened": 5, "right": 2, "wrong": 1});
    assert_eq!((weeks.len(), &weeks[25], &weeks[24]["opened"]), (26, &this_week, &json!(0)));
    let overlaps = |of: &Value| -> Vec<Value> {
        let all = of["overlaps"].as_array().unwrap().iter();
        all.map(|one| json!([one["type"], one["label"], one["both"], one["tookHold"]])).collect()
    };
    let found = overlaps(&of_rule);
    assert_eq!(found[0], json!(["RULE", "Also", 5, 5]), "{of_rule}");
    // The good have it no more.
    assert!(found.contains(&json!(["BADGE", "Multiple accounts", 4, 5])), "{of_rule}");
    assert!(found.contains(&json!(["BADGE", "confirmed-bad", 2, 2])), "{of_rule}");
    let of_badge = read("badges/multiple-accounts").await;
    assert_eq!(
        (&of_badge["weeks"][25]["opened"], &of_badge["weeks"][25]["right"]),
        (&Value::Null, &json!(2))
    );
    assert!(overlaps(&of_badge).contains(&json!(["RULE", "Duplicate", 4, 5])), "{of_badge}");
    let of_analyzer = read("analyzers/uniqueness.shared-device").await;
    assert_eq!((&of_analyzer["lookedAt"], &of_analyzer["tally"]["right"]), (&json!(3), &json!(2)));
    assert!(of_analyzer["overlaps"].as_array().unwrap().iter().all(|one| one["type"] == "ANALYZER"));
    let (status, answer) = server.call(Method::GET, "/api/labels/accuracy/analyzers/none", None).await;
    assert_eq!((status.as_u16(), &answer["message"]), (404, &json!("There is no such analyzer.")));
}
