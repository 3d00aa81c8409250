//! An AI agent, with the published MCP client, at work on the real binary: by a token, and by OAuth.

use reqwest::Method;
use serde_json::{Value, json};

use super::python;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, answer, event, eventually};

/// Everybody of the ring signs up on one device.
const RING: [&str; 6] = ["r1", "r2", "r3", "r4", "r5", "r6"];

#[tokio::test]
async fn an_agent_looks_into_the_newest_ring_and_all_it_does_is_logged() {
    let site = Site::new(Engine::Sqlite);
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    let url = |path: &str| format!("http://{}{path}", site.address);
    let client = reqwest::Client::new();
    let login = client.post(url("/api/auth/login"));
    let (_, session) = answer(login.json(&json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))).await;
    let session = session["token"].as_str().unwrap();
    let ask = |method: Method, path: &str| client.request(method, url(path)).bearer_auth(session);
    let (_, token) =
        answer(ask(Method::POST, "/api/mcp-tokens").json(&json!({"name": "Investigator"}))).await;
    let severe = json!({"name": "Rings today", "severity": "CRITICAL",
        "conditions": [{"type": "SCORE_LT", "category": "UNIQUENESS", "threshold": 45}]});
    assert_eq!(answer(ask(Method::POST, "/api/escalation-rules").json(&severe)).await.0, 201);
    for id in RING {
        let mut event = event(&format!("e-{id}"), id);
        event["device"] = json!({"fingerprint": "one phone"});
        assert_eq!(server.track(event).await, 200);
    }
    eventually("everybody of the ring to have an escalation", async || {
        let (_, list) = answer(ask(Method::GET, "/api/escalations?pageSize=100")).await;
        let of_rule = list["content"].as_array()?.iter();
        let of_rule = of_rule.filter(|one| one["escalationRule"]["label"] == "Rings today").count();
        (of_rule == RING.len()).then_some(())
    })
    .await;

    let story = python("agent.py", json!({"url": url("/mcp"), "token": token["token"]})).await;
    let expected = json!({
        "role": "ADMIN",
        "versions": ["2025-11-25", "2026-07-28"],
        "tools": [58, 58],
        "ring": RING,
        "why": "uniqueness.shared-device",
        "moved": "ACKNOWLEDGED",
        "wouldMatch": RING.len(),
        "rule": story["rule"],
    });
    assert_eq!(story, expected);
    let (_, log) = answer(ask(Method::GET, "/api/audit-log?order=ASC&pageSize=100")).await;
    let by_agent = log["content"].as_array().unwrap().iter().filter(|entry| !entry["mcpToken"].is_null());
    let told = by_agent.map(|entry| json!([entry["actor"], entry["mcpToken"], entry["action"]]));
    let expected = [
        json!([ADMIN_EMAIL, "Investigator", "escalation.change"]),
        json!([ADMIN_EMAIL, "Investigator", "escalation-rule.create"]),
    ];
    assert_eq!(told.collect::<Vec<Value>>(), expected);
}

#[tokio::test]
async fn an_agent_signs_in_by_oauth_and_is_disconnected_and_approved_again() {
    let site = Site::new(Engine::Sqlite);
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    let url = |path: &str| format!("http://{}{path}", site.address);
    let client = reqwest::Client::new();
    let login = client.post(url("/api/auth/login"));
    let (_, session) = answer(login.json(&json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))).await;
    let session = session["token"].as_str().unwrap();
    let input = json!({"url": url("/mcp"), "api": url("/api"), "session": session});
    let expected = json!({
        "role": "ADMIN",
        "tools": 58,
        "scope": "mcp",
        "rotated": true,
        "asked": [1, 1, 2],
        "names": ["Desk agent"],
        "connected": "Desk agent",
    });
    assert_eq!(python("oauth.py", input).await, expected);
    let log = client.get(url("/api/audit-log?targetType=mcp-client&order=ASC")).bearer_auth(session);
    let (_, log) = answer(log).await;
    let told = log["content"].as_array().unwrap().iter();
    let told = told.map(|entry| json!([entry["actor"], entry["mcpToken"], entry["action"]]));
    let expected = [
        json!([ADMIN_EMAIL, null, "mcp-client.approve"]),
        json!([ADMIN_EMAIL, "Desk agent", "mcp-client.connect"]),
        json!([ADMIN_EMAIL, null, "mcp-client.disconnect"]),
        json!([ADMIN_EMAIL, null, "mcp-client.approve"]),
        json!([ADMIN_EMAIL, "Desk agent", "mcp-client.connect"]),
    ];
    assert_eq!(told.collect::<Vec<Value>>(), expected);
}
