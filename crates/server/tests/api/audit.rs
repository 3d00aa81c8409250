//! The audit log: who did what, when, from where, before and after, secrets never.

use std::collections::BTreeSet;

use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{escalation, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, TestServer, answer, event};
use dregs_server::store::escalations::Severity;

on_both_engines!(everything_that_is_done_is_logged_and_no_secret);

/// Does everything that changes something, and notes every secret that an answer shows.
struct Story {
    server: TestServer,
    admin: String,
    secrets: Vec<String>,
}

impl Story {
    async fn call(&mut self, method: Method, path: &str, body: Value) -> Value {
        let name = format!("{method} {path}");
        let request = self.server.request(method, path).bearer_auth(&self.admin);
        let request = if body.is_null() { request } else { request.json(&body) };
        let (status, answer) = answer(request).await;
        assert!(status.is_success(), "{name}: {status} {answer}");
        for secret in ["secretKey", "signingSecret", "token"] {
            self.secrets.extend(answer[secret].as_str().map(str::to_owned));
        }
        answer
    }
}

async fn everything_that_is_done_is_logged_and_no_secret(engine: Engine) {
    let server = TestServer::start(engine).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let mut story = Story { server, admin, secrets: Vec::new() };
    let (post, patch, put, delete) = (Method::POST, Method::PATCH, Method::PUT, Method::DELETE);
    let mut first = event("e1", "ada");
    first["device"] = json!({"fingerprint": "f1"});
    story.call(post.clone(), "/api/events", first).await;
    let open = escalation(&story.server.app, "ada", Severity::Info).await;

    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    story.call(post.clone(), "/api/auth/login", login).await;
    let wrong = json!({"email": ADMIN_EMAIL, "password": "hunter2hunter2"});
    answer(story.server.request(Method::POST, "/api/auth/login").json(&wrong)).await;
    let passwords = json!({"currentPassword": super::SESSION_PASSWORD, "newPassword": "the next password"});
    story.call(post.clone(), "/api/auth/password", passwords).await;
    let credential =
        story.call(post.clone(), "/api/credentials", json!({"name": "Shop"})).await["id"].clone();
    story.call(patch.clone(), &format!("/api/credentials/{credential}"), json!({"enabled": false})).await;
    story.call(delete.clone(), &format!("/api/credentials/{credential}"), Value::Null).await;
    let config =
        json!({"url": "https://127.0.0.1:1/?key=hunter3", "headers": {"X-Key": "hunter4"}, "timeoutMs": 500});
    let new = json!({"type": "WEBHOOK", "name": "Hook", "events": ["ESCALATION_OPENED"], "config": config});
    let channel = story.call(post.clone(), "/api/channels", new).await["id"].clone();
    let channel = format!("/api/channels/{channel}");
    let hidden =
        json!({"url": "https://127.0.0.1:1/?key=hunter6", "headers": {"X-Key": "hunter7"}, "timeoutMs": 500});
    story.call(patch.clone(), &channel, json!({ "config": hidden })).await;
    let changed = story.call(Method::GET, "/api/audit-log?pageSize=1", Value::Null).await;
    let changed = &changed["content"][0]["after"]["config"];
    assert_eq!(changed["hiddenValues"], "changed", "another secret in the URL, which is not told: {changed}");
    story
        .call(
            patch.clone(),
            &channel,
            json!({"name": "Other", "config": {"url": "https://127.0.0.1:1/?key=hunter5"}}),
        )
        .await;
    story
        .call(post.clone(), &format!("{channel}/actions/rotate-secret"), json!({"overlapSeconds": 60}))
        .await;
    story.call(post.clone(), &format!("{channel}/actions/retry"), Value::Null).await;
    let test = story.call(post.clone(), &format!("{channel}/actions/test"), Value::Null).await;
    story
        .call(post.clone(), &format!("/api/deliveries/{}/actions/resend", test["deliveryId"]), Value::Null)
        .await;
    let range = json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"});
    story.call(post.clone(), &format!("{channel}/actions/replay"), range).await;
    story.call(delete.clone(), &channel, Value::Null).await;
    let mapping = json!({"kind": "EVENT_TYPE", "source": "opened", "target": "REGISTRATION"});
    let mapping = story.call(post.clone(), "/api/mappings", mapping).await["id"].clone();
    story.call(patch.clone(), &format!("/api/mappings/{mapping}"), json!({"target": "LOGIN"})).await;
    story.call(delete.clone(), &format!("/api/mappings/{mapping}"), Value::Null).await;
    let counter = json!({"name": "Hits", "function": "COUNT", "per": "ip", "windowSeconds": 60});
    let counter = story.call(post.clone(), "/api/counters", counter).await["id"].clone();
    story.call(patch.clone(), &format!("/api/counters/{counter}"), json!({"windowSeconds": 90})).await;
    story.call(delete.clone(), &format!("/api/counters/{counter}"), Value::Null).await;
    let entries = "/api/datasets/relay-email-domains/entries";
    let entry = story.call(post.clone(), entries, json!({"value": "relay.example.org"})).await["id"].clone();
    story.call(delete.clone(), &format!("{entries}/{entry}"), Value::Null).await;
    story.call(patch.clone(), "/api/team", json!({"name": "Shop"})).await;
    let invitation = json!({"email": "bob@example.com", "role": "USER"});
    let token = story.call(post.clone(), "/api/team/invitations", invitation).await["token"].clone();
    let joining = json!({"token": token, "password": "password of bob"});
    let bob = story.call(post.clone(), "/api/auth/accept-invitation", joining).await["user"]["id"].clone();
    story.call(patch.clone(), &format!("/api/team/members/{bob}"), json!({"role": "VIEWER"})).await;
    story.call(post.clone(), &format!("/api/team/members/{bob}/actions/end-sessions"), Value::Null).await;
    story.call(delete.clone(), &format!("/api/team/members/{bob}"), Value::Null).await;
    story.call(post.clone(), "/api/auth/sessions/actions/end-others", Value::Null).await;
    let invitation = json!({"email": "eve@example.com", "role": "USER"});
    let eve = story.call(post.clone(), "/api/team/invitations", invitation).await["id"].clone();
    story.call(delete.clone(), &format!("/api/team/invitations/{eve}"), Value::Null).await;
    let token = story.call(post.clone(), "/api/mcp-tokens", json!({"name": "Assistant"})).await["id"].clone();
    story.call(delete.clone(), &format!("/api/mcp-tokens/{token}"), Value::Null).await;
    let view = json!({"name": "Mine", "page": "identities", "query": "term=ada"});
    let view = story.call(post.clone(), "/api/views", view).await["id"].clone();
    story.call(delete.clone(), &format!("/api/views/{view}"), Value::Null).await;
    story.call(post.clone(), "/api/groups", json!({"type": "team", "id": "t1", "data": {"a": 1}})).await;
    story.call(put.clone(), "/api/groups/team/t1/identities/ada", Value::Null).await;
    story.call(patch.clone(), "/api/devices/f1", json!({"disregarded": true})).await;
    story.call(patch.clone(), &format!("/api/escalations/{open}"), json!({"status": "CLOSED"})).await;
    story.call(patch.clone(), "/api/identities/ada", json!({"disregarded": true})).await;
    let changed = story.call(Method::GET, "/api/audit-log?pageSize=1", Value::Null).await;
    let change = &changed["content"][0];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!({"disregarded": false}), &json!({"disregarded": true}))
    );
    story.call(post.clone(), "/api/identities/ada/actions/review", json!({"feedback": "why?"})).await;
    story.call(post.clone(), "/api/identities/ada/actions/analyze", Value::Null).await;
    let label =
        story.call(post.clone(), "/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await;
    story.call(post.clone(), &format!("/api/labels/{}/actions/withdraw", label["id"]), Value::Null).await;
    let conditions = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 1}]);
    for (path, kind, value) in [("badge-rules", "type", "BAD"), ("escalation-rules", "severity", "INFO")] {
        let rule = json!({"name": " Rule ", kind: value, "conditions": conditions});
        let made = story.call(post.clone(), &format!("/api/{path}"), rule.clone()).await;
        assert_eq!(made["name"], "Rule");
        let made = made["id"].clone();
        story.call(put.clone(), &format!("/api/{path}/{made}"), rule.clone()).await;
        story.call(put.clone(), &format!("/api/{path}/{made}/draft"), rule.clone()).await;
        story.call(delete.clone(), &format!("/api/{path}/{made}/draft"), Value::Null).await;
        story.call(put.clone(), &format!("/api/{path}/{made}/draft"), rule).await;
        story.call(post.clone(), &format!("/api/{path}/{made}/actions/promote-draft"), Value::Null).await;
        story.call(delete.clone(), &format!("/api/{path}/{made}"), Value::Null).await;
    }
    story.call(delete.clone(), "/api/identities/ada", Value::Null).await;
    let other = session(&story.server.app, team(&story.server.app).await, Role::Admin).await;
    let logout = story.server.request(Method::POST, "/api/auth/logout").bearer_auth(&other);
    assert_eq!(answer(logout).await.0, 204);

    let log = story.call(Method::GET, "/api/audit-log?pageSize=100", Value::Null).await;
    let log = log["content"].as_array().unwrap();
    let actions: BTreeSet<_> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let expected = [
        "badge-rule.change",
        "badge-rule.create",
        "badge-rule.delete",
        "badge-rule.discard-draft",
        "badge-rule.draft",
        "badge-rule.promote-draft",
        "channel.change",
        "channel.create",
        "channel.delete",
        "channel.replay",
        "channel.retry",
        "channel.rotate-secret",
        "channel.test",
        "counter.change",
        "counter.create",
        "counter.delete",
        "credential.change",
        "credential.create",
        "credential.delete",
        "dataset-entry.create",
        "dataset-entry.delete",
        "delivery.resend",
        "device.change",
        "escalation-rule.change",
        "escalation-rule.create",
        "escalation-rule.delete",
        "escalation-rule.discard-draft",
        "escalation-rule.draft",
        "escalation-rule.promote-draft",
        "escalation.change",
        "group.add-member",
        "group.create",
        "identity.analyze",
        "identity.change",
        "identity.delete",
        "identity.label",
        "identity.review",
        "identity.withdraw-label",
        "invitation.create",
        "invitation.remove",
        "mapping.change",
        "mapping.create",
        "mapping.delete",
        "mcp-token.create",
        "mcp-token.delete",
        "member.change",
        "member.end-sessions",
        "member.join",
        "member.remove",
        "password.change",
        "session.begin",
        "session.end",
        "session.refuse",
        "session.revoke-others",
        "team.change",
        "view.create",
        "view.delete",
    ];
    assert_eq!(actions, BTreeSet::from(expected));
    let change = log.iter().find(|entry| entry["action"] == "channel.change").unwrap();
    assert_eq!((&change["before"]["name"], &change["after"]["name"]), (&json!("Hook"), &json!("Other")));
    assert_eq!(change["before"]["config"]["headers"]["X-Key"], "********");
    assert_eq!((&change["actorType"], &change["address"]), (&json!("USER"), &json!("127.0.0.1")));
    let text = json!(log).to_string();
    let given = [
        "hunter2",
        "hunter3",
        "hunter4",
        "hunter5",
        ADMIN_PASSWORD,
        super::SESSION_PASSWORD,
        "the next password",
        "password of bob",
    ];
    assert!(story.secrets.len() >= 7, "{:?}", story.secrets);
    for secret in story.secrets.iter().map(String::as_str).chain(given) {
        assert!(!text.contains(secret), "{secret} is in the audit log");
    }
    let (_, few) = answer(
        story
            .server
            .request(Method::GET, "/api/audit-log?action=channel.test&targetType=channel")
            .bearer_auth(&story.admin),
    )
    .await;
    assert_eq!(
        (&few["totalElements"], &few["content"][0]["after"]),
        (&json!(1), &json!({"event": "CHANNEL_TEST"}))
    );
}
