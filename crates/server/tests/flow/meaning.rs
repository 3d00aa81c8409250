//! What changes the meaning of the past: mappings, and what is left out of analysis.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(
    a_mapping_holds_for_what_was_stored_before,
    what_is_disregarded_leaves_the_analysis_of_others,
    who_is_disregarded_does_not_count_in_a_network
);

/// The observation of an identity's newest analysis with this id.
async fn observed(server: &TestServer, identity: &str, id: &str) -> Option<Value> {
    let analysis = server.analysis(identity).await;
    let scores = analysis["scores"].as_array()?;
    let all = scores.iter().flat_map(|score| score["observations"].as_array().into_iter().flatten());
    all.into_iter().find(|observation| observation["id"] == id).cloned()
}

async fn a_mapping_holds_for_what_was_stored_before(engine: Engine) {
    let server = TestServer::start(engine).await;
    let mut opened = event("e1", "ada");
    opened["type"] = json!("Konto-Eroeffnet");
    opened["identity"]["data"] = json!({"kontakt": "ada@mailinator.com", "email": "ada.fir@posteo.de"});
    server.post("/api/events", opened).await;
    let canonical = async || server.get("/api/events/e1").await["canonicalType"].clone();
    let email = async || server.get("/api/identities/ada").await["displayEmail"].clone();
    assert_eq!((canonical().await, email().await), (Value::Null, json!("ada.fir@posteo.de")));

    let seen = server.get("/api/mappings/seen?term=konto").await;
    assert_eq!(seen["content"], json!([{"name": "Konto-Eroeffnet", "canonicalType": null}]));
    let fields = async |filter: &str| {
        let page = server.get(&format!("/api/mappings/seen?kind=IDENTITY_FIELD{filter}")).await;
        page["content"].clone()
    };
    let (kontakt, mail) = (
        json!({"name": "kontakt", "canonicalType": null}),
        json!({"name": "email", "canonicalType": "EMAIL"}),
    );
    assert_eq!(fields("").await, json!([kontakt, mail]));
    assert_eq!(fields("&unmapped=true").await, json!([kontakt]));
    assert_eq!(fields("&term=MAIL").await, json!([mail]));
    let new = json!({"kind": "EVENT_TYPE", "source": "konto eroeffnet", "target": "REGISTRATION"});
    let mapping = server.post("/api/mappings", new).await;
    assert_eq!((canonical().await, &mapping["source"]), (json!("REGISTRATION"), &json!("konto_eroeffnet")));
    let found = server.get("/api/events?canonicalType=REGISTRATION").await;
    assert_eq!(found["content"][0]["id"], "e1");

    // The usual field means nothing any more, and another takes its place.
    for (source, target) in [("email", Value::Null), ("kontakt", json!("EMAIL"))] {
        let new = json!({"kind": "IDENTITY_FIELD", "source": source, "target": target});
        server.post("/api/mappings", new).await;
    }
    eventually("the name to change", async || (email().await == "ada@mailinator.com").then_some(())).await;
    eventually("to be scored again", async || {
        let said = observed(&server, "ada", "authenticity.email").await?;
        said["explanation"].as_str().unwrap().contains("disposable").then_some(())
    })
    .await;
    let listed = server.get("/api/identities?term=mailinator").await;
    assert_eq!(listed["totalElements"], 1, "the list knows the new name");

    let path = format!("/api/mappings/{}", mapping["id"]);
    assert_eq!(server.patch(&path, json!({"target": "LOGIN"})).await["target"], "LOGIN");
    assert_eq!(canonical().await, "LOGIN");
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(canonical().await, Value::Null);
}

async fn what_is_disregarded_leaves_the_analysis_of_others(engine: Engine) {
    let server = TestServer::start(engine).await;
    for user in ["ada", "bob", "eve"] {
        let mut signup = event(user, user);
        signup["device"] = json!({"fingerprint": "shared"});
        server.post("/api/events", signup).await;
    }
    let shares_with = async |user: &str, others: u64| {
        eventually(&format!("{user} to share with {others}"), async || {
            let found = observed(&server, user, "uniqueness.shared-device").await;
            (found?["metadata"]["otherAccounts"] == others).then_some(())
        })
        .await;
    };
    shares_with("ada", 2).await;
    let staff = json!({"disregarded": true});
    assert_eq!(server.patch("/api/identities/eve", staff.clone()).await["disregarded"], true);
    shares_with("ada", 1).await;
    shares_with("bob", 1).await;
    assert_eq!(server.patch("/api/devices/shared", staff).await["disregarded"], true);
    shares_with("ada", 0).await;
    shares_with("bob", 0).await;
    server.patch("/api/devices/shared", json!({"disregarded": false})).await;
    server.patch("/api/identities/eve", json!({"disregarded": false})).await;
    shares_with("bob", 2).await;
}

async fn who_is_disregarded_does_not_count_in_a_network(engine: Engine) {
    let server = TestServer::start(engine).await;
    // Enough for a burst, and fewer than make a network one that most of the team share.
    let staff: Vec<_> = (0..20).map(|n| format!("tester {n}")).collect();
    for (n, user) in staff.iter().map(String::as_str).chain(["ada"]).enumerate() {
        let mut signup = event(user, user);
        signup["ip"] = json!(format!("203.0.113.{n}"));
        server.post("/api/events", signup).await;
    }
    let counted = async |accounts: Option<u64>| {
        server.call(Method::POST, "/api/identities/ada/actions/analyze", None).await;
        eventually(&format!("{accounts:?} to be counted"), async || {
            let found = observed(&server, "ada", "behavior.sign-up-burst").await;
            let found = found.and_then(|found| found["metadata"]["accounts"].as_u64());
            (found == accounts).then_some(())
        })
        .await;
    };
    counted(Some(21)).await;
    let disregard = async |disregarded: bool| {
        for user in &staff {
            let path = format!("/api/identities/{}", user.replace(' ', "%20"));
            server.patch(&path, json!({"disregarded": disregarded})).await;
        }
    };
    disregard(true).await;
    counted(None).await;
    // Coming from a network they were not seen in yet does not bring them back.
    for (n, user) in staff.iter().map(String::as_str).chain(["ada"]).enumerate() {
        let mut login = event(&format!("login {n}"), user);
        login["ip"] = json!(format!("198.51.100.{n}"));
        server.post("/api/events", login).await;
    }
    counted(None).await;
    disregard(false).await;
    counted(Some(21)).await;
}
