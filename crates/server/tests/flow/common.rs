//! What a customer's own systems send for everybody says nothing of anybody.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{SECRET_KEY, TestServer, answer, eventually};

on_both_engines!(
    who_came_before_it_was_known_is_set_right_and_the_customer_told,
    a_backend_that_tells_of_its_own_connection_accuses_nobody,
    a_restarted_server_goes_on_learning
);

const PEOPLE: usize = 60;

/// A sign-up as a backend tells of it that adds its own agent and address.
fn sign_up(n: usize) -> Value {
    json!({
        "id": format!("signup-{n}"), "type": "user.signup", "userAgent": "python-requests/2.32.5", "ip": "203.0.113.7",
        "identity": {"id": format!("person-{n}")},
    })
}

async fn humanity(server: &TestServer, n: usize) -> Option<Value> {
    let (_, identity) = server.call(Method::GET, &format!("/api/identities/person-{n}"), None).await;
    identity["lastScoredAt"].as_str()?;
    Some(identity["humanityScore"].clone())
}

async fn who_came_before_it_was_known_is_set_right_and_the_customer_told(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 1).await;
    server.post("/api/events", sign_up(0)).await;
    let accused = eventually("the first to be scored", async || humanity(&server, 0).await).await;
    assert!(accused.as_u64() < Some(20), "alone, it is a script: {accused}");
    for n in 1..PEOPLE {
        server.post("/api/events", sign_up(n)).await;
    }
    eventually("what was learned to be kept", async || {
        server.app.kept.common.keep(&server.app.store, server.app.clock.now()).await.ok()?;
        (server.get("/api/system").await["integration"].as_array()?.len() == 3).then_some(())
    })
    .await;
    for n in [0, 20, PEOPLE - 1] {
        eventually(&format!("person {n} to be set right"), async || {
            (humanity(&server, n).await? == Value::Null).then_some(())
        })
        .await;
        let badges = server.get(&format!("/api/identities/person-{n}")).await["badges"].clone();
        assert_eq!(badges, json!([]));
    }
    let told = server.get("/api/system").await["integration"].clone();
    let told: Vec<_> = told.as_array().unwrap().iter().map(|told| (&told["kind"], &told["value"])).collect();
    let expected = [
        (json!("IP"), json!("203.0.113.7")),
        (json!("NETWORK"), json!("203.0.113.0/24")),
        (json!("AGENT"), json!("python-requests")),
    ];
    let expected: Vec<_> = expected.iter().map(|(kind, value)| (kind, value)).collect();
    assert_eq!(told, expected);
    let links = server.get("/api/identities/person-3/links").await;
    assert_eq!(links, json!([]), "an address of the customer's ties nobody to anybody");
}

async fn a_backend_that_tells_of_its_own_connection_accuses_nobody(engine: Engine) {
    let server = TestServer::start_with(engine, |config| {
        config.min_cycle_ms = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let from = async |ip: &str, n: usize| {
        let request = server.request(Method::POST, "/api/events").bearer_auth(SECRET_KEY);
        let request = request.header("x-forwarded-for", ip);
        let (status, answer) = answer(request.json(&sign_up(n))).await;
        assert_eq!(status, 200, "{answer}");
        eventually("somebody to be scored", async || humanity(&server, n).await).await
    };
    assert_eq!(from("203.0.113.7", 0).await, Value::Null, "the backend is at this address itself");
    let accused = from("198.51.100.1", 1).await;
    assert!(accused.as_u64() < Some(20), "a script at an address that is not the backend's: {accused}");
    let (_, event) = server.call(Method::GET, "/api/events/signup-0", None).await;
    let told = (&event["ip"], &event["userAgent"]);
    assert_eq!(told, (&json!("203.0.113.7"), &json!("python-requests/2.32.5")), "kept as it was sent");
    assert_eq!(server.get("/api/identities/person-0/links").await, json!([]));
}

/// What people say of themselves is learned from as well, such as a placeholder that a form fills in.
async fn a_restarted_server_goes_on_learning(engine: Engine) {
    let server = TestServer::start(engine).await;
    let with_placeholder = |n: usize| {
        let mut told = sign_up(n);
        told["identity"]["data"] = json!({"name": "Valued Customer"});
        told
    };
    for n in 0..20 {
        server.post("/api/events", with_placeholder(n)).await;
    }
    let clock = server.app.clock.clone();
    let ground = server.stop();
    let server = TestServer::start_on(ground, clock, |_| ()).await;
    for n in 20..25 {
        server.post("/api/events", with_placeholder(n)).await;
    }
    let told = server.get("/api/system").await["integration"].clone();
    let mut kinds: Vec<_> =
        told.as_array().unwrap().iter().map(|told| told["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["AGENT", "IP", "NAME", "NETWORK"]);
}
