//! AI agents that sign their requests: whose they are, what is made of it, and directories that fail.

use std::time::Duration;

use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::credentials::{self, Change};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::delivery::{OK, arrived};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::agent::{SigningAgent, Visit};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{PUBLIC_KEY, TestServer, event, eventually, settled};

on_both_engines!(
    a_purchase_through_a_signed_assistant_is_its_users,
    a_false_signature_is_evidence_and_what_cannot_be_told_is_not,
    no_event_waits_for_a_directory,
    no_directory_is_fetched_from_where_nothing_may_go,
    a_copied_signature_tells_nothing_of_those_who_copy_it,
    who_names_nobody_is_known_by_a_directory_that_is_signed,
    a_rule_asks_for_an_agent,
);

const CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";
const OPENAI: &str = "https://chatgpt.com";

fn seconds() -> i64 {
    SystemClock.now().as_millis() / 1_000
}

/// A visit to the shop that has just begun.
fn visit() -> Visit<'static> {
    Visit { authority: "shop.example.com", path: "/checkout", created: seconds(), expires: seconds() + 300 }
}

/// A purchase of a user by an agent, as the shop's backend tells of it.
fn purchase(id: &str, user: &str, headers: Value) -> Value {
    let mut purchase = event(id, user);
    purchase["type"] = json!("order.paid");
    purchase["ip"] = json!("20.171.206.5");
    purchase["userAgent"] = json!(CHROME);
    purchase["url"] = json!("https://shop.example.com/checkout?token=hidden");
    purchase["method"] = json!("POST");
    purchase["headers"] = headers;
    purchase
}

async fn verified(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/api/events/{id}")).await["agent"]["verified"].clone()
}

async fn observations(server: &TestServer, user: &str, event_count: u64) -> Vec<Value> {
    let analysis = eventually(&format!("{user} to be scored from {event_count} events"), async || {
        let analysis = server.analysis(user).await;
        (analysis["eventCount"] == event_count).then_some(analysis)
    })
    .await;
    let scores = analysis["scores"].as_array().unwrap();
    scores.iter().flat_map(|score| score["observations"].as_array().unwrap().clone()).collect()
}

async fn humanity(server: &TestServer, user: &str, event_count: u64) -> Value {
    observations(server, user, event_count).await;
    server.get(&format!("/api/identities/{user}")).await["humanityScore"].clone()
}

async fn a_purchase_through_a_signed_assistant_is_its_users(engine: Engine) {
    let unnamed = SigningAgent::new(1, "");
    let directory = Receiver::answering(unnamed.answer()).await;
    let agent = SigningAgent::new(1, &format!("http://{}", directory.address));
    let server =
        TestServer::start_with(engine, |config| config.agent_signers.clone_from(&agent.signer)).await;
    let receiver = Receiver::answering(OK).await;
    eventually("the keys to be fetched", async || (!directory.requests().is_empty()).then_some(())).await;
    let asked = directory.requests().pop().unwrap();
    assert_eq!(asked.request_line, "GET /.well-known/http-message-signatures-directory HTTP/1.1");
    // Its answer is on its way yet.
    let mut asked = 0;
    eventually("a purchase to be verified", async || {
        asked += 1;
        let id = format!("first-{asked}");
        server.post("/api/events", purchase(&id, "first", agent.headers(visit(), &agent.key_id()))).await;
        (verified(&server, &id).await == json!(true)).then_some(())
    })
    .await;
    // A channel is told of what is scored once it is there.
    observations(&server, "first", asked).await;

    server.channel("App", json!({"url": receiver.url()})).await;
    let mut signup = event("e1", "ada");
    signup["ip"] = json!("203.0.113.80");
    signup["userAgent"] = json!(CHROME);
    server.post("/api/events", signup).await;
    let before = humanity(&server, "ada", 1).await;
    arrived(&receiver, 1).await;
    let answer =
        server.post("/api/events", purchase("e2", "ada", agent.headers(visit(), &agent.key_id()))).await;
    assert_eq!(answer, json!({"status": "success", "id": "e2", "fingerprint": null}));
    let found = observations(&server, "ada", 2).await;
    assert_eq!(humanity(&server, "ada", 2).await, before);
    // Whose assistant comes from the same address is another person.
    let at_address = found.iter().filter(|found| found["id"] == "uniqueness.shared-ip");
    let others: Vec<_> = at_address.map(|found| &found["metadata"]["otherAccounts"]).collect();
    assert_eq!(others, [0], "{found:?}");
    let links = server.get("/api/identities/ada/links").await;
    assert!(!links.to_string().contains("20.171.206.5"), "{links}");

    let host = agent.signer.trim_start_matches("http://");
    let shown = json!({"name": host, "operator": host, "verified": true, "purpose": "ACTION"});
    let stored = server.get("/api/events/e2").await;
    assert_eq!((&stored["agent"], &stored["ip"]), (&shown, &json!("20.171.206.5")));
    assert!(!stored.to_string().to_lowercase().contains("sig1="), "{stored}");
    assert_eq!(server.get("/api/identities/ada").await["agent"], shown);
    let requests = arrived(&receiver, 2).await;
    let scored = |index: usize| serde_json::from_slice::<Value>(&requests[index].body).unwrap();
    assert_eq!(scored(0)["data"]["agent"], Value::Null);
    assert_eq!(scored(1)["data"]["agent"], shown);
    assert_eq!(directory.requests().len(), 1, "it is good for a day");
}

async fn a_false_signature_is_evidence_and_what_cannot_be_told_is_not(engine: Engine) {
    let (agent, other) = (SigningAgent::new(1, OPENAI), SigningAgent::new(2, OPENAI));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({OPENAI: agent.directory()}).to_string()).unwrap();
    let server = TestServer::start_with(engine, |config| config.agent_keys_file = Some(file)).await;
    let right = agent.headers(visit(), &agent.key_id());
    let forged = other.headers(visit(), &agent.key_id());
    let past = Visit { created: seconds() - 900, expires: seconds() - 300, ..visit() };
    let cases = [
        ("right", right.clone(), json!(true)),
        ("forged", forged.clone(), json!(false)),
        ("expired", agent.headers(past, &agent.key_id()), Value::Null),
        ("forged-and-expired", other.headers(past, &agent.key_id()), Value::Null),
        ("unknown-key", other.headers(visit(), &other.key_id()), Value::Null),
    ];
    for (id, headers, expected) in cases {
        server.post("/api/events", purchase(id, id, headers)).await;
        let shown = server.get(&format!("/api/events/{id}")).await["agent"].clone();
        let agent =
            json!({"name": "ChatGPT Agent", "operator": "OpenAI", "verified": expected, "purpose": "ACTION"});
        assert_eq!(shown, agent, "{id}");
        let found = observations(&server, id, 1).await;
        let accused: Vec<_> =
            found.iter().filter(|found| found["id"] == "humanity.agent-signature").cloned().collect();
        if expected == json!(false) {
            let words = "1 of 1 signed event came under the name of ChatGPT Agent with a signature that is false by the \
                         key of OpenAI.";
            let told: Vec<_> = accused.iter().map(|found| (&found["value"], &found["explanation"])).collect();
            assert_eq!(told, [(&json!(0.05), &json!(words))]);
        } else {
            assert_eq!(accused, Vec::<Value>::new(), "{id}");
        }
    }
    // Without the method, it cannot be told; and a page may not tell of it.
    let mut untold = purchase("untold", "untold", forged.clone());
    untold.as_object_mut().unwrap().remove("method");
    server.post("/api/events", untold).await;
    assert_eq!(verified(&server, "untold").await, Value::Null);
    let now = server.app.clock.now();
    let allow = move |tx: &mut dregs_server::store::Tx| {
        let own = credentials::all(tx)?.remove(0);
        let open = Change { allowed_origins: Some(vec!["*".into()]), ..Change::default() };
        credentials::update(tx, own.team_id, own.id, &open, now)
    };
    server.app.store.write(allow).await.unwrap();
    server.app.kept.credentials.reload(&server.app.store).await.unwrap();
    let body = purchase("page", "page", right);
    let sent = server.request(reqwest::Method::POST, "/api/events").bearer_auth(PUBLIC_KEY);
    let sent = sent.header("Origin", "https://app.example.com").json(&body).send().await.unwrap();
    let answer: Value = sent.json().await.unwrap();
    assert_eq!(answer["ignoredFields"], json!(["ip", "userAgent", "method", "headers"]));
    assert_eq!(server.get("/api/events/page").await["agent"], Value::Null);
}

async fn no_event_waits_for_a_directory(engine: Engine) {
    let agent = SigningAgent::new(1, "");
    let huge = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}{}",
        20_000 + agent.directory().to_string().len(),
        agent.directory(),
        " ".repeat(20_000)
    );
    let receivers = [
        Receiver::answering(huge).await,
        Receiver::answering(agent.answer().replace("200 OK", "203 Another's")).await,
        Receiver::answering("HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n").await,
        Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>").await,
        Receiver::answering(format!("HTTP/1.1 302 Found\r\nlocation: {OPENAI}\r\ncontent-length: 0\r\n\r\n"))
            .await,
        Receiver::start(|mut conversation| async move {
            conversation.read_request().await;
            conversation.wait_for_end().await;
        })
        .await,
    ];
    let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let addresses = receivers.iter().map(|receiver| receiver.address).chain([down]);
    let signers: Vec<_> = addresses.map(|address| format!("http://{address}")).collect();
    let server = TestServer::start_with(engine, |config| config.agent_signers = signers.join(",")).await;
    for (n, signer) in signers.iter().enumerate() {
        let agent = SigningAgent::new(1, signer);
        let begun = Instant::now();
        let id = format!("e{n}");
        server.post("/api/events", purchase(&id, "ada", agent.headers(visit(), &agent.key_id()))).await;
        assert!(begun.elapsed() < Duration::from_secs(4), "{signer} holds up an event");
        assert_eq!(verified(&server, &id).await, Value::Null, "{signer}");
    }
    observations(&server, "ada", 7).await;
    for receiver in &receivers {
        eventually("each to be asked", async || (!receiver.requests().is_empty()).then_some(())).await;
    }
    for signer in &signers {
        let agent = SigningAgent::new(1, signer);
        let id = format!("again-{signer}").replace(['/', ':', '.'], "-");
        server.post("/api/events", purchase(&id, "ada", agent.headers(visit(), &agent.key_id()))).await;
        assert_eq!(verified(&server, &id).await, Value::Null, "{signer}");
    }
}

async fn no_directory_is_fetched_from_where_nothing_may_go(engine: Engine) {
    let receiver = Receiver::answering("HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    let signer = format!("http://{}", receiver.address);
    let server = TestServer::start_with(engine, |config| {
        config.agent_signers.clone_from(&signer);
        config.egress_allow = String::new();
    })
    .await;
    let agent = SigningAgent::new(1, &signer);
    server.post("/api/events", purchase("e1", "ada", agent.headers(visit(), &agent.key_id()))).await;
    eventually("the directory to be tried", async || {
        let metrics =
            server.request(reqwest::Method::GET, "/metrics").send().await.ok()?.text().await.ok()?;
        metrics.contains("dregs_agent_directories_total{outcome=\"failed\"}").then_some(())
    })
    .await;
    assert_eq!(receiver.connections(), 0);
    assert_eq!(verified(&server, "e1").await, Value::Null);
}

async fn a_copied_signature_tells_nothing_of_those_who_copy_it(engine: Engine) {
    let agent = SigningAgent::new(1, OPENAI);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({OPENAI: agent.directory()}).to_string()).unwrap();
    let server = TestServer::start_with(engine, |config| config.agent_keys_file = Some(file)).await;
    let headers = agent.headers(visit(), &agent.key_id());
    let told = async |id: &str, user: &str| {
        server.post("/api/events", purchase(id, user, headers.clone())).await;
        verified(&server, id).await
    };
    // One request, of which the shop reports several events.
    for (id, user) in [("e1", "visitor-7"), ("e2", "ada"), ("e3", "ada"), ("e4", "friend")] {
        assert_eq!(told(id, user).await, json!(true), "{id} of {user}");
    }
    for (id, user) in [("e5", "copy-1"), ("e6", "copy-2")] {
        assert_eq!(told(id, user).await, Value::Null, "{id} of {user}");
        let found = observations(&server, user, 1).await;
        assert!(found.iter().all(|found| found["id"] != "humanity.agent-signature"), "{found:?}");
    }
    assert_eq!(told("e7", "ada").await, json!(true), "what is copied stays right for whose it was");
}

async fn who_names_nobody_is_known_by_a_directory_that_is_signed(engine: Engine) {
    let agent = SigningAgent::new(1, "");
    let signed = Receiver::start(|mut conversation| async move {
        let agent = SigningAgent::new(1, "");
        while let Some(asked) = conversation.read_request().await {
            let authority = asked.headers["host"].to_str().unwrap();
            conversation.send(agent.signed_answer(authority, seconds()).as_bytes()).await;
        }
    })
    .await;
    // Has the same key, and no word of its holder. It comes first where both are of the same host.
    let many: String =
        (0..100).map(|n| format!("x-{n}: of a page, and none of the directory's\r\n")).collect();
    let mirror =
        Receiver::answering(agent.answer().replace("content-type", &format!("{many}content-type"))).await;
    let signers = [&mirror, &signed].map(|receiver| format!("http://{}", receiver.address));
    let server = TestServer::start_with(engine, |config| config.agent_signers = signers.join(",")).await;
    let mut asked = 0;
    let shown = eventually("the key to be known", async || {
        asked += 1;
        let id = format!("e{asked}");
        server.post("/api/events", purchase(&id, "ada", agent.nameless_headers(visit()))).await;
        let shown = server.get(&format!("/api/events/{id}")).await["agent"].clone();
        (!shown.is_null()).then_some(shown)
    })
    .await;
    let host = signed.address.to_string();
    assert_eq!(shown, json!({"name": host, "operator": host, "verified": true, "purpose": "ACTION"}));
    eventually("the mirror to be read", async || (!mirror.requests().is_empty()).then_some(())).await;
    // It says nothing of who comes, and nothing against the other.
    let named = SigningAgent::new(1, &signers[0]);
    eventually("its key to be known", async || {
        asked += 1;
        let id = format!("e{asked}");
        server.post("/api/events", purchase(&id, "bob", named.headers(visit(), &named.key_id()))).await;
        (verified(&server, &id).await == json!(true)).then_some(())
    })
    .await;
    server.post("/api/events", purchase("last", "ada", agent.nameless_headers(visit()))).await;
    assert_eq!(server.get("/api/events/last").await["agent"]["name"], host);
}

async fn a_rule_asks_for_an_agent(engine: Engine) {
    let server = TestServer::start(engine).await;
    clear(&server).await;
    for (user, agent) in
        [("ada", "Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)"), ("bob", CHROME)]
    {
        let mut visit = event(user, user);
        visit["userAgent"] = json!(agent);
        server.post("/api/events", visit).await;
    }
    eventually("the agent to be known", async || {
        (server.get("/api/identities/ada").await["agent"]["name"] == "ChatGPT-User").then_some(())
    })
    .await;
    settled(&server).await;
    let asked = |agent: &str, verified: Value| {
        let mut condition = json!({"type": "AGENT_IS", "agent": agent});
        if !verified.is_null() {
            condition["verified"] = verified;
        }
        json!({"conditions": [condition]})
    };
    for (body, matching) in [
        (asked("ANY", Value::Null), 1),
        (asked("OpenAI", Value::Null), 1),
        (asked("chatgpt-user", json!(false)), 1),
        (asked("ChatGPT-User", json!(true)), 0),
        (asked("Claude-User", Value::Null), 0),
    ] {
        let preview = server.post("/api/escalation-rules/actions/preview", body.clone()).await;
        assert_eq!(preview["matching"], matching, "{body}");
        let backtest = server.post("/api/escalation-rules/actions/backtest", body.clone()).await;
        assert_eq!(backtest["opened"], matching, "{body}: {backtest}");
    }
    let mut rule = asked("OpenAI", Value::Null);
    (rule["name"], rule["severity"]) = (json!("Assistants"), json!("INFO"));
    server.post("/api/escalation-rules", rule).await;
    let mut badge = asked("ANY", Value::Null);
    (badge["name"], badge["type"]) = (json!("Has an assistant"), json!("NEUTRAL"));
    server.post("/api/badge-rules", badge).await;
    eventually("the rules to take hold", async || {
        let open = server.get("/api/escalations").await["content"].clone();
        let badges = server.get("/api/identities/ada").await["badges"].clone();
        let told = (open.as_array()?.len(), &open[0]["identity"]["id"], &badges[0]["explanation"]);
        (told == (1, &json!("ada"), &json!("An AI agent acts for it."))).then_some(())
    })
    .await;
    let mut rule = asked("ChatGTP", Value::Null);
    (rule["name"], rule["severity"]) = (json!("Typo"), json!("INFO"));
    let (status, error) = server.call(reqwest::Method::POST, "/api/escalation-rules", Some(rule)).await;
    assert_eq!(
        (status.as_u16(), &error["details"][0]["field"]),
        (400, &json!("conditions[0].agent")),
        "{error}"
    );
}
