//! Weights from labels: refused, proposed, looked at in shadow, promoted and rolled back.

use dregs_server::limit::Limit;
use dregs_server::ops::evaluate::calibration::VERSIONS_MAX;
use dregs_server::store::users::Role;
use dregs_server::store::{Tx, weights};
use reqwest::Method;
use serde_json::{Value, json};

use super::{session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer, event, eventually, settled};

on_both_engines!(weights_are_proposed_looked_at_promoted_and_rolled_back);

struct Admin<'s> {
    server: &'s TestServer,
    token: String,
}

impl Admin<'_> {
    async fn call(&self, method: Method, path: &str) -> (u16, Value) {
        let (status, body) = answer(self.server.request(method, path).bearer_auth(&self.token)).await;
        (status.as_u16(), body)
    }
}

/// Who comes to the customer's kiosks, twenty to each, and among every five a script of its own.
const USERS: usize = 300;

const fn is_bad(n: usize) -> bool {
    n % 5 == 4
}

async fn visit(server: &TestServer) {
    let told = (0..USERS).map(|n| {
        let mut told = event(&format!("e{n}"), &format!("user-{n}"));
        told["type"] = json!("user.signup");
        if is_bad(n) {
            told["userAgent"] = json!("python-requests/2.32");
            told["ip"] = json!(format!("198.51.100.{}", n % 250));
        } else {
            told["device"] = json!({"fingerprint": format!("kiosk-{}", n / 25)});
        }
        told
    });
    let told: Vec<_> = told.collect();
    for chunk in told.chunks(50) {
        server.post("/api/events/batch", json!(chunk)).await;
    }
    settled(server).await;
}

/// A score of an identity, with the weights in force or those in shadow.
async fn uniqueness(server: &TestServer, place: &str) -> Value {
    let analysis = server.get("/api/identities/user-290/analysis").await;
    let scores = analysis.pointer(place).and_then(Value::as_array).cloned().unwrap_or_default();
    scores
        .iter()
        .find(|score| score["category"] == "UNIQUENESS")
        .map_or(Value::Null, |one| one["value"].clone())
}

async fn weights_are_proposed_looked_at_promoted_and_rolled_back(engine: Engine) {
    let server = TestServer::start(engine).await;
    let token = session(&server.app, team(&server.app).await, Role::Admin).await;
    let admin = Admin { server: &server, token };
    visit(&server).await;

    // With too few labels nothing is proposed, and nothing was measured.
    let (_, refused) = admin.call(Method::POST, "/api/weights/actions/calibrate").await;
    assert_eq!(refused["refusal"], "0 labeled bad and 0 labeled good in all; it takes 50 and 200");
    assert_eq!((&refused["version"], &refused["report"]), (&Value::Null, &Value::Null));

    let label = |n: usize| {
        let outcome = if is_bad(n) { "BAD" } else { "GOOD" };
        json!({"identityId": format!("user-{n}"), "outcome": outcome, "key": "import"})
    };
    let labels: Vec<_> = (0..USERS).map(label).collect();
    let given = server.post("/api/labels", json!({ "labels": labels })).await;
    assert!(given["labels"].as_array().unwrap().iter().all(|one| one["status"] == "CREATED"), "{given}");

    let (status, proposed) = admin.call(Method::POST, "/api/weights/actions/calibrate").await;
    assert_eq!((status, &proposed["refusal"]), (200, &Value::Null), "{proposed}");
    let (version, report) = (&proposed["version"], &proposed["version"]["report"]);
    assert_eq!(version["state"], "PROPOSED");
    assert!(report["logLoss"]["gain"]["low"].as_f64().unwrap() > 0.0, "{report}");
    let analyzers = report["analyzers"].as_array().unwrap();
    let device = analyzers.iter().find(|one| one["id"] == "uniqueness.shared-device").unwrap();
    assert!(device["after"].as_f64() < device["before"].as_f64(), "what misleads weighs less: {device}");

    let warning = version["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one.as_str().unwrap().contains("Shared device"));
    let warning = warning.unwrap_or_else(|| panic!("no label holds a ring: {version}"));
    assert!(warning.as_str().unwrap().contains("It spoke against 0 of those labeled bad"), "{warning}");

    // Nothing has changed by that, and it cannot be promoted unseen.
    let id = version["id"].as_i64().unwrap();
    let before = uniqueness(&server, "/scores").await;
    assert_eq!(uniqueness(&server, "/shadow/scores").await, Value::Null);
    assert_eq!(admin.call(Method::POST, &format!("/api/weights/{id}/actions/promote")).await.0, 409);
    assert_eq!(admin.call(Method::POST, "/api/weights/actions/roll-back").await.0, 409);

    let (_, shadow) = admin.call(Method::POST, &format!("/api/weights/{id}/actions/shadow")).await;
    assert_eq!(shadow["state"], "SHADOW");
    let tried = uniqueness(&server, "/shadow/scores").await;
    // Where an analyzer weighs nothing any more, there may be no score.
    assert!(tried.is_null() || tried.as_u64() > before.as_u64(), "{tried} instead of {before}");
    let analysis = server.get("/api/identities/user-290/analysis").await;
    assert_eq!(analysis["shadow"]["weightsId"], id);
    assert_eq!(uniqueness(&server, "/scores").await, before);

    let (_, promoted) = admin.call(Method::POST, &format!("/api/weights/{id}/actions/promote")).await;
    assert_eq!((&promoted["state"], &promoted["replacedId"]), (&json!("IN_FORCE"), &Value::Null));
    eventually("it to be scored by them", async || {
        (uniqueness(&server, "/scores").await == tried).then_some(())
    })
    .await;
    let weights = server.get("/api/weights").await;
    let of_device = weights["analyzers"].as_array().unwrap().iter();
    let of_device = of_device.clone().find(|one| one["analyzer"] == "uniqueness.shared-device").unwrap();
    assert_eq!((&of_device["inForce"], &of_device["shipped"]), (&device["after"], &device["before"]));
    assert_eq!(admin.call(Method::POST, &format!("/api/weights/{id}/actions/shadow")).await.0, 409);

    assert_eq!(admin.call(Method::POST, "/api/weights/actions/roll-back").await.0, 204);
    eventually("it to be as before", async || (uniqueness(&server, "/scores").await == before).then_some(()))
        .await;
    let (_, log) = admin.call(Method::GET, "/api/audit-log").await;
    let actions: Vec<_> =
        log["content"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    let expected = ["weights.roll-back", "weights.promote", "weights.shadow", "weights.propose"];
    assert_eq!(actions[..4], expected.map(Value::from), "{log}");
    assert_eq!(admin.call(Method::POST, "/api/weights/999/actions/shadow").await.0, 404);

    // Of many versions the oldest goes.
    let (team_id, now) = (team(&server.app).await, server.app.clock.now());
    let fill = move |tx: &mut Tx| {
        (0..VERSIONS_MAX).try_for_each(|_| weights::insert(tx, team_id, ("", "{}"), "ada", now).map(drop))
    };
    server.app.store.write(fill).await.unwrap();
    assert_eq!(admin.call(Method::POST, "/api/weights/actions/calibrate").await.0, 200);
    assert!(server.reached(Limit::Weights) > 0);
    let (_, gone) = admin.call(Method::POST, &format!("/api/weights/{id}/actions/shadow")).await;
    assert_eq!(gone["code"], "weights_not_found");
}
