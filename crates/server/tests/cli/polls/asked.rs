//! What is asked of the server while its polls are timed: every operation of the API, of a team that has made all that it
//! can, and about an identity with much.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A request, and what it is answered.
pub struct Asked {
    pub method: &'static str,
    pub path: String,
    pub body: Option<Value>,
    pub status: u16,
}

impl Asked {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The ids of what there is, by how the path begins.
pub type Ids = BTreeMap<&'static str, String>;

/// The path with an id for each `{…}`.
fn filled(path: &str, ids: &Ids) -> String {
    let of_longest = ids.iter().rev().find(|(begin, _)| path.starts_with(**begin));
    let filled = match of_longest {
        Some((begin, id)) => path.replacen(begin, id, 1),
        None => path.to_owned(),
    };
    // Of two, the second.
    let filled = filled.replace("{cycleId}", "1").replace("{identityId}", "large0").replace("{noteId}", "1");
    assert!(!filled.contains('{'), "nothing stands for the ids of {path}");
    filled
}

fn operations() -> Vec<(String, String, Value)> {
    let document: Value = serde_json::from_str(include_str!("../../../../../openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    };
    paths.flat_map(of_path).collect()
}

/// Everything of the API that can be read, in pages as large as may be, from the first and from far behind it.
pub fn readable(ids: &Ids) -> Vec<Asked> {
    let get = |path: String| {
        // Of a client that nobody has registered.
        let status = if path.starts_with("/api/oauth/request") { 400 } else { 200 };
        Asked { method: "GET", path, body: None, status }
    };
    let mut found = Vec::new();
    for (method, path, operation) in operations() {
        if method != "GET" || path == "/api/live" {
            continue;
        }
        let path = filled(&path, ids);
        let takes = |name: &str| operation["parameters"].to_string().contains(&format!("\"{name}\""));
        if path == "/api/search" {
            found.push(get(format!("{path}?term=large")));
        } else if path.ends_with("/comparison") {
            found.push(get(format!("{path}?revision=1")));
        } else if path.starts_with("/api/counters/") && path.ends_with("/value") {
            found.push(get(format!("{path}?identity=large")));
        } else if takes("pageSize") {
            found.push(get(format!("{path}?pageSize=100")));
            // What is paged by key has no page of a number.
            if takes("pageNumber") {
                found.push(get(format!("{path}?pageSize=100&pageNumber=10000")));
            }
        } else if takes("limit") {
            found.push(get(format!("{path}?limit=1000")));
        } else {
            found.push(get(path.clone()));
        }
        if takes("term") && path != "/api/search" {
            found.push(get(format!("{path}?term={}", "ab+".repeat(60))));
        }
    }
    found.push(get("/api/search?term=203.0.113.7".to_owned()));
    found.push(get("/api/identities?pageSize=100&term=203.0.113.7".to_owned()));
    found.push(get("/api/datasets/disposable-email-domains/entries?pageSize=100&term=a".to_owned()));
    found
}

/// Everything of it that changes something, or looks at what would: things are made, changed and removed, in this order.
pub fn others(ids: &Ids) -> Vec<Asked> {
    let data = json!({"name": "Ada", "note": "x".repeat(50_000)});
    let conditions = json!(vec![json!({"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}); 20]);
    let origins: Vec<_> = (0..50).map(|n| format!("https://{n}.example")).collect();
    let labels: Vec<_> =
        (0..1_000).map(|n| json!({"identityId": format!("large{}", n % 100), "outcome": "BAD"})).collect();
    let days = json!({"events": {"days": 90}, "analyses": {"days": 90}, "deliveries": {"days": 90},
                      "auditLog": {"days": null}});
    let range = json!({"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "dryRun": true});
    let config = json!({"url": "http://127.0.0.1:9/", "headers": {"X-A": "x".repeat(4_000)}});
    let sign_in = json!({"email": super::EMAIL, "password": super::PASSWORD});
    let badge = json!({"name": "One more", "type": "BAD", "conditions": conditions});
    let escalation = json!({"name": "One more", "severity": "INFO", "conditions": conditions});
    let decided: Vec<_> = (0..100).map(|n| format!("large{n}")).collect();
    let delivery: i64 = ids["/api/deliveries/{id}"].rsplit('/').next().unwrap().parse().unwrap();
    let entries: Vec<_> = (0..1_000).map(|n| json!({"value": format!("device {n}")})).collect();
    let csv: String = (0..10_000).map(|n| format!("device-{n}\n")).collect();
    let table: Vec<(&'static str, &str, Value, u16)> = vec![
        ("POST", "/api/auth/login", sign_in, 200),
        ("POST", "/api/auth/accept-invitation", json!({"token": "inv_", "password": super::PASSWORD}), 404),
        ("POST", "/api/auth/check-invitation", json!({"token": "inv_"}), 404),
        (
            "POST",
            "/api/auth/password",
            json!({"currentPassword": super::PASSWORD, "newPassword": super::PASSWORD}),
            204,
        ),
        ("POST", "/api/auth/login/oidc/actions/begin", Value::Null, 409),
        ("POST", "/api/auth/login/oidc", json!({"ceremony": "x", "code": "x", "state": "x"}), 409),
        ("POST", "/api/auth/login/passkey/actions/begin", Value::Null, 409),
        ("POST", "/api/auth/login/passkey", json!({"ceremony": "x", "credential": {}}), 409),
        ("POST", "/api/auth/passkeys/actions/begin", json!({"password": super::PASSWORD}), 409),
        ("POST", "/api/auth/passkeys", json!({"name": "Laptop", "ceremony": "x", "credential": {}}), 409),
        ("DELETE", "/api/auth/passkeys/{id}", Value::Null, 404),
        ("POST", "/api/auth/second-factor", json!({"password": super::PASSWORD}), 201),
        ("POST", "/api/auth/second-factor/actions/confirm", json!({"code": "none"}), 400),
        (
            "POST",
            "/api/auth/second-factor/actions/renew-recovery-codes",
            json!({"password": super::PASSWORD}),
            409,
        ),
        ("POST", "/api/auth/second-factor/actions/disable", json!({"password": super::PASSWORD}), 409),
        ("POST", "/api/auth/sessions/actions/end-others", Value::Null, 204),
        ("DELETE", "/api/auth/sessions/{id}", Value::Null, 404),
        ("POST", "/api/badge-rules", badge.clone(), 201),
        ("PUT", "/api/badge-rules/{id}", badge.clone(), 200),
        ("PUT", "/api/badge-rules/{id}/draft", badge, 200),
        ("POST", "/api/badge-rules/{id}/actions/promote-draft", Value::Null, 200),
        ("POST", "/api/badge-rules/{id}/actions/restore", json!({"revision": 1}), 200),
        ("DELETE", "/api/badge-rules/{id}/draft", Value::Null, 404),
        (
            "POST",
            "/api/channels",
            json!({"type": "WEBHOOK", "name": "More", "events": ["channel.test"], "config": config}),
            201,
        ),
        ("PATCH", "/api/channels/{id}", json!({"config": config}), 200),
        ("POST", "/api/channels/{id}/actions/replay", range, 200),
        ("POST", "/api/channels/{id}/actions/retry", Value::Null, 200),
        ("POST", "/api/channels/{id}/actions/rotate-secret", json!({"overlapSeconds": 60}), 200),
        ("POST", "/api/channels/{id}/actions/test", Value::Null, 200),
        ("POST", "/api/credentials", json!({"name": "One more", "allowedOrigins": origins}), 201),
        ("PATCH", "/api/credentials/{id}", json!({"allowedOrigins": origins}), 200),
        ("POST", "/api/datasets/{slug}/actions/preview", json!({"value": "more.example"}), 200),
        ("POST", "/api/datasets/{slug}/entries", json!({"value": "one.more.example"}), 201),
        ("POST", "/api/identities/actions/decide", json!({"ids": decided}), 200),
        ("POST", "/api/deliveries/actions/resend", json!({"ids": [delivery]}), 202),
        ("POST", "/api/deliveries/{id}/actions/resend", Value::Null, 202),
        ("POST", "/api/devices/{fingerprint}/actions/preview-disregard", json!({"disregarded": true}), 200),
        ("PATCH", "/api/devices/{fingerprint}", json!({"disregarded": false}), 200),
        ("POST", "/api/escalation-rules", escalation.clone(), 201),
        ("PUT", "/api/escalation-rules/{id}", escalation.clone(), 409),
        ("PUT", "/api/escalation-rules/{id}/draft", escalation, 200),
        ("POST", "/api/escalation-rules/{id}/actions/promote-draft", Value::Null, 409),
        ("POST", "/api/escalation-rules/{id}/actions/restore", json!({"revision": 1}), 200),
        ("DELETE", "/api/escalation-rules/{id}/draft", Value::Null, 204),
        ("POST", "/api/escalation-rules/actions/backtest", json!({"conditions": conditions}), 200),
        ("POST", "/api/badge-rules/actions/backtest", json!({"conditions": conditions}), 200),
        ("POST", "/api/escalation-rules/actions/preview", json!({"conditions": conditions}), 200),
        ("PATCH", "/api/escalations/{id}", json!({"status": "ACKNOWLEDGED"}), 200),
        (
            "POST",
            "/api/escalations/{id}/actions/assign",
            json!({"assignee": super::EMAIL, "force": true}),
            200,
        ),
        ("POST", "/api/escalations/actions/take-next", json!({"overdue": false}), 200),
        (
            "POST",
            "/api/escalations/bulk-changes/actions/preview",
            json!({"filter": {}, "status": "ACKNOWLEDGED"}),
            200,
        ),
        ("POST", "/api/escalations/bulk-changes", json!({"filter": {}, "status": "ACKNOWLEDGED"}), 202),
        ("POST", "/api/escalations/bulk-changes/{id}/actions/undo", Value::Null, 202),
        ("POST", "/api/escalations/{id}/actions/snooze", json!({"until": "2100-01-01T00:00:00Z"}), 400),
        ("POST", "/api/identities/{id}/actions/end-snooze", json!({"rule": "1"}), 400),
        ("POST", "/api/escalations/{id}/notes", json!({"text": "x".repeat(4_000)}), 201),
        ("POST", "/api/events", json!({"type": "t", "identity": {"id": "other", "data": data}}), 200),
        ("POST", "/api/events/batch", json!([{"type": "t", "identity": {"id": "large", "data": data}}]), 200),
        ("POST", "/api/groups", json!({"type": "organization", "id": "big", "data": data}), 200),
        ("PATCH", "/api/groups/{type}/{id}", json!({"attributes": data}), 200),
        ("PUT", "/api/groups/{type}/{id}/identities/{identityId}", Value::Null, 204),
        ("PATCH", "/api/identities/{id}", json!({"attributes": {"note": "x"}}), 200),
        ("POST", "/api/identities/{id}/actions/analyze", Value::Null, 202),
        (
            "POST",
            "/api/identities/{id}/actions/ban-ring",
            json!({"keys": [{"type": "IDENTITY", "value": "large"}]}),
            200,
        ),
        ("POST", "/api/identities/{id}/actions/dismiss-badge", json!({"badge": "none"}), 400),
        ("POST", "/api/identities/{id}/actions/restore-badge", json!({"badge": "none"}), 400),
        ("POST", "/api/identities/{id}/actions/label", json!({"outcome": "GOOD"}), 201),
        ("POST", "/api/identities/{id}/actions/preview-disregard", json!({"disregarded": true}), 200),
        ("POST", "/api/identities/{id}/actions/preview-label", json!({"outcome": "BAD"}), 200),
        ("POST", "/api/identities/{id}/actions/review", json!({"feedback": "x".repeat(4_000)}), 202),
        ("POST", "/api/labels", json!({ "labels": labels }), 200),
        ("POST", "/api/labels/{id}/actions/preview-withdraw", Value::Null, 200),
        ("POST", "/api/labels/{id}/actions/withdraw", Value::Null, 200),
        ("POST", "/api/lists", json!({"name": "One more", "type": "TEXT"}), 201),
        ("PATCH", "/api/lists/{id}", json!({"trusted": true}), 200),
        ("POST", "/api/lists/{id}/entries", json!({ "entries": entries }), 200),
        ("POST", "/api/lists/{id}/actions/preview", json!({}), 200),
        ("POST", "/api/lists/{id}/import", json!({ "csv": csv }), 200),
        ("POST", "/api/mappings", json!({"kind": "EVENT_TYPE", "source": "one_more", "target": null}), 201),
        ("PATCH", "/api/mappings/{id}", json!({"target": "LOGIN"}), 200),
        ("POST", "/api/mappings/actions/preview", json!({"kind": "EVENT_TYPE", "source": "upload"}), 200),
        (
            "POST",
            "/api/counters",
            json!({"name": "One more", "function": "COUNT", "per": "ip", "windowSeconds": 60}),
            201,
        ),
        (
            "POST",
            "/api/counters/actions/preview",
            json!({"function": "DISTINCT", "of": "identity.id", "per": "device", "windowSeconds": 2_592_000}),
            200,
        ),
        ("PATCH", "/api/counters/{id}", json!({"windowSeconds": 120}), 200),
        ("POST", "/api/mcp-tokens", json!({"name": "One more"}), 201),
        ("POST", "/api/oauth/request/actions/approve", json!({}), 400),
        ("POST", "/api/oauth/request/actions/deny", json!({}), 400),
        ("POST", "/api/retention/actions/preview", days.clone(), 200),
        ("PUT", "/api/retention", days, 200),
        ("PATCH", "/api/team", json!({"name": "Team"}), 200),
        ("POST", "/api/teams", json!({"name": "Staging"}), 201),
        ("PATCH", "/api/teams/{id}", json!({"name": "Production"}), 200),
        ("DELETE", "/api/teams/{id}", Value::Null, 400),
        ("PUT", "/api/auth/session/team", json!({"teamId": 1}), 200),
        ("PATCH", "/api/auth/me", json!({"name": "Ada"}), 200),
        ("POST", "/api/team/invitations", json!({"email": "more@example.com", "role": "USER"}), 201),
        ("PATCH", "/api/team/members/{id}", json!({"role": "VIEWER"}), 200),
        ("POST", "/api/team/members/{id}/actions/end-sessions", Value::Null, 204),
        ("POST", "/api/team/members/{id}/actions/reset-second-factor", Value::Null, 204),
        ("POST", "/api/views", json!({"name": "One more", "page": "events", "query": ""}), 201),
        ("POST", "/api/weights/actions/calibrate", Value::Null, 200),
        ("POST", "/api/weights/actions/roll-back", Value::Null, 409),
        ("POST", "/api/weights/{id}/actions/promote", Value::Null, 404),
        ("POST", "/api/weights/{id}/actions/shadow", Value::Null, 404),
        ("DELETE", "/api/badge-rules/{id}", Value::Null, 204),
        ("DELETE", "/api/escalation-rules/{id}", Value::Null, 204),
        ("DELETE", "/api/escalations/{id}/notes/{noteId}", Value::Null, 404),
        ("DELETE", "/api/counters/{id}", Value::Null, 204),
        ("DELETE", "/api/credentials/{id}", Value::Null, 204),
        ("DELETE", "/api/datasets/{slug}/entries/{id}", Value::Null, 204),
        ("DELETE", "/api/groups/{type}/{id}/identities/{identityId}", Value::Null, 204),
        ("DELETE", "/api/lists/{id}/entries/{entryId}", Value::Null, 204),
        ("POST", "/api/audit-log/{id}/actions/undo", Value::Null, 200),
        ("DELETE", "/api/lists/{id}", Value::Null, 204),
        ("DELETE", "/api/mappings/{id}", Value::Null, 204),
        ("DELETE", "/api/mcp-tokens/{id}", Value::Null, 204),
        ("DELETE", "/api/oauth/connections/{id}", Value::Null, 404),
        ("DELETE", "/api/team/invitations/{id}", Value::Null, 204),
        ("DELETE", "/api/team/members/{id}", Value::Null, 204),
        ("DELETE", "/api/views/{id}", Value::Null, 204),
        ("DELETE", "/api/channels/{id}", Value::Null, 204),
        ("DELETE", "/api/identities/{id}", Value::Null, 204),
        ("POST", "/api/auth/logout", Value::Null, 204),
    ];
    let there: BTreeSet<_> = operations()
        .into_iter()
        .filter(|(method, ..)| method != "GET")
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let asked: BTreeSet<_> = table.iter().map(|(method, path, ..)| format!("{method} {path}")).collect();
    assert_eq!(Vec::from_iter(there.symmetric_difference(&asked)), Vec::<&String>::new());
    let asked = table.into_iter().map(|(method, path, body, status)| Asked {
        method,
        path: filled(path, ids),
        body: Some(body).filter(|body| !body.is_null()),
        status,
    });
    asked.collect()
}

/// What anybody may ask for.
pub fn by_anybody() -> Vec<Asked> {
    // Every letter is in every section, and no word is.
    let letters = (b'a'..=b'z').map(|letter| char::from(letter).to_string()).collect::<Vec<_>>().join("+");
    let names: String = (0..5_000).map(|n| format!("pageSiz{n}&")).collect();
    let paths = [
        ("/api/openapi.json".to_owned(), 200),
        ("/api/docs".to_owned(), 200),
        ("/dregs.js".to_owned(), 200),
        ("/healthz".to_owned(), 200),
        ("/readyz".to_owned(), 200),
        ("/metrics".to_owned(), 200),
        ("/".to_owned(), 200),
        ("/manual".to_owned(), 200),
        ("/manual/print".to_owned(), 200),
        ("/manual/events".to_owned(), 200),
        ("/manual/detection-figures".to_owned(), 200),
        ("/manual/home.png".to_owned(), 200),
        ("/manual/hidden.svg".to_owned(), 200),
        ("/manual/nothing".to_owned(), 404),
        ("/manual?term=webhook".to_owned(), 200),
        (format!("/manual?term={letters}"), 200),
        (format!("/manual?term={}", "%C4%B0".repeat(200)), 200),
        // Names that one may have mistyped.
        (format!("/api/identities?{names}"), 400),
        (format!("/api/identities?{}=1", "x".repeat(60_000)), 401),
    ];
    paths.into_iter().map(|(path, status)| Asked { method: "GET", path, body: None, status }).collect()
}

/// Messages of an agent, and what each is called.
pub fn of_agent() -> Vec<(String, Value)> {
    let call = |tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments});
        (
            format!("/mcp {tool} {arguments}"),
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}),
        )
    };
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    vec![
        ("/mcp tools/list".to_owned(), list),
        call("list_identities", json!({"pageSize": 100})),
        call("list_identities", json!({"pageSize": 2})),
        call("search_events", json!({"pageSize": 100})),
        call("search_events", json!({"pageSize": 2})),
        call("get_identity", json!({"id": "large"})),
        call("get_identity_analysis", json!({"id": "large"})),
        call("get_identity_links", json!({"id": "large"})),
        call("preview_label", json!({"id": "large", "outcome": "BAD"})),
        call("list_channels", json!({})),
        call("list_dataset_entries", json!({"slug": "disposable-email-domains", "pageSize": 100})),
        call("get_documentation", json!({"chapter": "DETECTION"})),
        call("get_documentation", json!({"chapter": "x".repeat(30_000)})),
    ]
}
