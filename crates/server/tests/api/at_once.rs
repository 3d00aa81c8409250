//! A request that is wrong in several ways is told of all of them.

use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::json;

use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::TestServer;

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let server = TestServer::start(Engine::Sqlite).await;
    let period = |least: u32| format!("must be from {least} to 36500 days, or null for ever");
    let retention = format!(
        "events: {}; analyses: {}; deliveries: {}; auditLog: {}",
        period(30),
        period(7),
        period(7),
        period(90)
    );
    let name = "name: must have from 1 to 100 characters";
    let required = |names: &[&str]| {
        names.iter().map(|name| format!("{name}: is required")).collect::<Vec<_>>().join("; ")
    };
    let cases = [
        (Method::POST, "/api/channels", json!({}), required(&["type", "name", "events", "config"])),
        (Method::POST, "/api/escalation-rules", json!({}), required(&["name", "severity", "conditions"])),
        (
            Method::POST,
            "/api/channels",
            json!({"name": 5, "enabled": "yes", "events": []}),
            "name: must be a string, not 5; enabled: must be a boolean, not \"yes\"; type: is required; config: is required"
                .to_owned(),
        ),
        (
            Method::POST,
            "/api/escalation-rules",
            json!({"name": "A", "severity": "DIRE", "channels": ["none"], "conditions": []}),
            "severity: must be INFO, WARNING or CRITICAL; ".to_owned(),
        ),
        (
            Method::POST,
            "/api/team/invitations",
            json!({"email": "ada", "role": "BOSS"}),
            "role: must be ADMIN, USER or VIEWER; email: must be an e-mail address".to_owned(),
        ),
        (
            Method::PUT,
            "/api/retention",
            json!({"events": 1, "analyses": 2, "deliveries": 3, "auditLog": 4}),
            retention,
        ),
        (
            Method::POST,
            "/api/channels",
            json!({"type": "PIGEON", "name": " ", "slug": "A b", "events": [], "config": {}}),
            format!(
                "{name}; slug: must have from 1 to 60 lower-case letters, digits and dashes; \
                 events: must name at least one event type; type: must be WEBHOOK, EMAIL or SLACK"
            ),
        ),
        (
            Method::POST,
            "/api/channels",
            json!({
                "type": "WEBHOOK", "name": "", "events": ["x"],
                "config": {"url": "https://h.test", "ordered": "yes", "retries": 3},
            }),
            format!("{name}; events: \"x\" is no event type; there are "),
        ),
        (
            Method::POST,
            "/api/channels",
            json!({
                "type": "WEBHOOK", "name": "A", "events": ["channel.test"],
                "config": {"url": "https://h.test", "ordered": "yes", "timeoutMs": -1},
            }),
            "config.ordered: must be a boolean, not \"yes\"; config.timeoutMs: must be a whole number, 0 or more".to_owned(),
        ),
        (
            Method::POST,
            "/api/credentials",
            json!({"name": "", "allowedOrigins": ["shop"]}),
            format!("{name}; allowedOrigins: \"shop\" is no origin"),
        ),
        (
            Method::POST,
            "/api/views",
            json!({"name": "", "page": "people", "query": "a".repeat(1_001)}),
            format!("{name}; page: must be one of identities, events, devices, groups, escalations; query: must have "),
        ),
        (
            Method::POST,
            "/api/mappings",
            json!({"kind": "COLOUR", "source": "?"}),
            "kind: must be EVENT_TYPE or IDENTITY_FIELD; source: must have a letter".to_owned(),
        ),
        (
            Method::POST,
            "/api/groups",
            json!({"id": "", "type": "?"}),
            "type: must have a letter or a digit, and at most 64 characters; id: must have from 1 to ".to_owned(),
        ),
        // What the types of fields say comes first, and is told at once as well.
        (
            Method::POST,
            "/api/channels",
            json!({"typ": "WEBHOOK", "name": 5, "enabled": "yes", "events": [], "config": {}}),
"typ: is not known here; may be type, name, slug, enabled, events or config; name: must be a string, not 5; enabled: must be a boolean, not \"yes\"; type: is required".to_owned(),
        ),
    ];
    let bearer = session(&server.app, team(&server.app).await, Role::Admin).await;
    for (method, path, body, expected) in cases {
        let said = refusal(server.request(method, path).bearer_auth(&bearer).json(&body)).await;
        assert!(said.starts_with(&format!("400 bad_request {expected}")), "{path}: {said}");
    }
}
