//! A request that is wrong in several ways is told of all of them.

use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::json;

use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::TestServer;

const CONFIG: &str =
    "may be url, headers, timeoutMs, maxConcurrency, ratePerSecond, ordered, coalesce or payload";
const SCHEME: &str = "must start with http:// or https://, not ftp:";
const SOURCES: &str = "must be ANALYST, CHARGEBACK, APPEAL, USER_REPORT or IMPORT";
const KINDS: &str = "must be BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER";

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let server = TestServer::start(Engine::Sqlite).await;
    let period = |least: u32| format!("must be from {least} to 36500 days, or null forever");
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
            "severity: must be INFO, WARNING or CRITICAL; conditions: must have from 1 to 20 conditions; channels: "
                .to_owned(),
        ),
        (
            Method::POST,
            "/api/team/invitations",
            json!({"email": "ada", "role": "BOSS"}),
            "role: must be ADMIN, USER or VIEWER; email: must be an e-mail address".to_owned(),
        ),
        (
            Method::POST,
            "/api/auth/accept-invitation",
            json!({"name": "x".repeat(101), "password": "x".repeat(1_025), "code": "1".repeat(65), "mail": 1}),
            "mail: is not known here; may be token, name, password or code; token: is required; name: must have at most 100 \
             characters; password: must have "
                .to_owned(),
        ),
        (
            Method::PATCH,
            "/api/auth/me",
            json!({"name": "x".repeat(101), "email": "ada@example.com"}),
            "email: is not known here; may be name; name: must have at most 100 characters".to_owned(),
        ),
        (
            Method::PUT,
            "/api/auth/session/team",
            json!({"teamId": "x", "team": 1}),
            "teamId: must be a whole number, not \"x\"; team: is not known here; may be teamId".to_owned(),
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
            "/api/counters",
            json!({"name": "", "function": "AVERAGE", "per": "ip.kind", "windowSeconds": 59}),
            format!(
                "{name}; function: must be one of COUNT, DISTINCT, SUM, MIN, MAX; per: must be a fact that stands for \
                 somebody or something, such as device or identity.id; windowSeconds: must be from 60 to \
                 2592000 seconds, which are 30 days"
            ),
        ),
        (
            Method::POST,
            "/api/counters",
            json!({
                "name": "A", "function": "SUM", "per": "badge", "windowSeconds": 60,
                "conditions": [{"type": "BADGE_EXISTS", "badge": "bot"}],
            }),
            "of: is required, for all but COUNT; per: must be a fact that stands for somebody or something, such as \
             device or identity.id; conditions[0].type: must be about what is known of an event before it is scored: \
             EVENT_IS, or a fact"
                .to_owned(),
        ),
        (
            Method::POST,
            "/api/counters",
            json!({"name": " ", "function": "AVERAGE", "of": "", "per": "devise", "windowSeconds": 0}),
            format!(
                "{name}; function: must be one of COUNT, DISTINCT, SUM, MIN, MAX; of: enter a fact, such as device; per: \
                 \"devise\" is no fact: did you mean device?; windowSeconds: must be from 60 to 2592000 seconds, which \
                 are 30 days"
            ),
        ),
        (
            Method::POST,
            "/api/counters/actions/preview",
            json!({
                "name": "", "function": "SUM", "per": "", "windowSeconds": 1, "colour": "red",
                "conditions": [{"type": "FACT_GT", "fact": ""}],
            }),
            "colour: is not known here; may be name, function, of, per, conditions or windowSeconds; of: is required, for all \
             but COUNT; per: enter a fact, such as device; conditions[0].fact: enter a fact, such as device; \
             conditions[0].value: is required; windowSeconds: must be from 60 to "
                .to_owned(),
        ),
        (
            Method::POST,
            "/api/groups",
            json!({"id": "", "type": "?"}),
            "type: must have a letter or a digit, and at most 64 characters; id: must have from 1 to ".to_owned(),
        ),
        (
            Method::POST,
            "/api/channels",
            json!({
                "type": "WEBHOOK", "name": "A", "events": ["channel.test"],
                "config": {"url": "ftp://example.com", "timeoutMs": 5, "foo": 1},
            }),
            format!("config.foo: is not known here; {CONFIG}; config.url: {SCHEME}; config.timeoutMs: must be from 100 to 30000"),
        ),
        (
            Method::POST,
            "/api/channels",
            json!({
                "type": "WEBHOOK", "name": "A", "events": ["channel.test"],
                "config": {"url": "http://10.0.0.1/", "timeoutMs": 5},
            }),
            "config.url: 10.0.0.1 is a private address; the operator can allow it with DREGS_EGRESS_ALLOW=".to_owned(),
        ),
        (
            Method::POST,
            "/api/channels",
            json!({
                "type": "EMAIL", "name": "A", "events": ["channel.test"],
                "config": {"recipients": ["ada", 5], "mailsPerMinute": 0},
            }),
            "config.recipients[1]: must be a string, not 5; type: there is no mail server: set smtp_url (DREGS_SMTP_URL) \
             and start the server again; config.recipients[0]: `ada` is not an e-mail address; config.mailsPerMinute: must be from 1 to 1000"
                .to_owned(),
        ),
        (
            Method::POST,
            "/api/labels",
            json!({"labels": [
                {"identityId": "a", "outcome": "GOOD", "kind": "ABUSE", "source": "FOO"},
                {"outcome": "BAD", "kind": "X", "at": "today", "colour": "red"},
                5,
                {"identityId": "b", "outcome": "BETTER", "note": "n".repeat(4_001), "key": "k".repeat(256)},
            ]}),
            format!(
                "labels[1].colour: {}; labels[1].identityId: is required; labels[2]: must be an object, not 5; \
                 labels[0].kind: goes with the outcome BAD alone; labels[0].source: {SOURCES}; \
                 labels[1].kind: {KINDS}; labels[1].at: must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`; \
                 labels[3].outcome: must be GOOD or BAD; labels[3].note: must have at most 4000 characters; \
                 labels[3].key: must have at most 255 characters",
                "is not known here; may be identityId, outcome, kind, source, reason, note, key or at"
            ),
        ),
        (
            Method::POST,
            "/api/labels",
            json!({"labels": [], "foo": 1}),
            "foo: is not known here; may be labels; labels: must have from 1 to 1000 labels".to_owned(),
        ),
        (
            Method::POST,
            "/api/identities/ada/actions/label",
            json!({"outcome": "GOOD", "kind": "ABUSE", "source": "FOO", "reason": "r".repeat(1_001), "cycleId": "x"}),
            format!(
                "cycleId: must be a whole number, not \"x\"; kind: goes with the outcome BAD alone; source: {SOURCES}; \
                 reason: must have at most 1000 characters"
            ),
        ),
        (
            Method::POST,
            "/api/escalation-rules",
            json!({
                "name": "A", "severity": "INFO", "channels": ["nope"], "effectiveAt": "today",
                "conditions": [
                    {"type": "BADGE_EXISTS", "badge": "bto"},
                    {"type": "SCORE_LT", "category": "MOOD", "threshold": 300, "for": 1},
                ],
            }),
            format!(
                "effectiveAt: must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`; \
                 conditions[0].badge: there is no badge `bto`; \
                 conditions[1].category: {}; conditions[1].threshold: must be from 0 to 100; \
                 conditions[1].for: is not known here; may be category or threshold; \
                 channels: there is no channel `nope` that is subscribed to ESCALATION_OPENED",
                "must be HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR or ANY, not \"MOOD\""
            ),
        ),
        (
            Method::POST,
            "/api/badge-rules",
            json!({"name": "", "type": "WORSE", "priority": "x", "conditions": [{"type": "BADGE_EXISTS", "badge": ""}]}),
            format!(
                "priority: must be a whole number, not \"x\"; {name}; type: must be GOOD, BAD or NEUTRAL; \
                 conditions[0].badge: must be the slug of a badge; conditions[0].type: is for escalation rules only"
            ),
        ),
        (
            Method::PATCH,
            "/api/escalations/1",
            json!({"status": "OPEN", "reason": "r".repeat(1_001), "outcome": "BETTER", "kind": "X", "foo": 1}),
            format!(
                "foo: is not known here; may be status, reason, outcome, kind or cycleId; reason: must have at most 1000 characters; \
                 outcome: must be GOOD or BAD; kind: {KINDS}"
            ),
        ),
        (
            Method::POST,
            "/api/escalations/1/actions/assign",
            json!({"force": "x", "foo": 1}),
            "force: must be a boolean, not \"x\"; foo: is not known here; may be assignee or force; assignee: is required".to_owned(),
        ),
        (
            Method::POST,
            "/api/escalations/bulk-changes",
            json!({"status": "SHUT", "reason": "r".repeat(1_001), "outcome": "BETTER", "kind": "X", "foo": 1}),
            format!(
                "foo: is not known here; may be ids, filter, status, reason, outcome, kind, assignee or force; \
                 ids: say which escalations: `ids`, or `filter`, and not both; \
                 status: must be OPEN, ACKNOWLEDGED or CLOSED; reason: must have at most 1000 characters; \
                 outcome: must be GOOD or BAD; kind: {KINDS}"
            ),
        ),
        (
            Method::POST,
            "/api/escalations/1/actions/snooze",
            json!({"until": "2000-01-01T00:00:00Z", "reason": "r".repeat(1_001), "foo": 1}),
            "foo: is not known here; may be until or reason; until: must be ahead, at most 366 days; \
             reason: must have at most 1000 characters"
                .to_owned(),
        ),
        (
            Method::POST,
            "/api/escalations/1/notes",
            json!({"text": "x".repeat(4_001), "note": 1}),
            "note: is not known here; may be text; text: must have at most 4000 characters".to_owned(),
        ),
        (
            Method::POST,
            "/api/groups",
            json!({"id": "", "attributes": 5}),
            "attributes: must be an object, not 5; id: must have from 1 to 255 bytes".to_owned(),
        ),
        (
            Method::POST,
            "/api/mcp-tokens",
            json!({"name": "", "role": "ADMIN"}),
            format!("role: is not known here; may be name; {name}"),
        ),
        (
            Method::POST,
            "/api/identities/actions/decide",
            json!({"ids": [], "wait": 5}),
            "wait: is not known here; may be ids; ids: must have from 1 to 100 identities".to_owned(),
        ),
        (
            Method::POST,
            "/api/deliveries/actions/resend",
            json!({"ids": [], "force": true}),
            "force: is not known here; may be ids; ids: must have from 1 to 100 deliveries".to_owned(),
        ),
        (
            Method::POST,
            "/api/auth/password",
            json!({"newPassword": "short"}),
            "currentPassword: is required; newPassword: must have at least 10 characters".to_owned(),
        ),
        (
            Method::POST,
            "/api/identities/ada/actions/ban-ring",
            json!({"keys": [], "comment": "c".repeat(501), "endsAt": "tomorrow", "force": true}),
            "force: is not known here; may be keys, comment or endsAt; keys: must have from 1 to 300 keys".to_owned(),
        ),
        // What the types of fields say comes first, and is told at once as well.
        (
            Method::POST,
            "/api/channels",
            json!({"typ": "WEBHOOK", "name": 5, "enabled": "yes", "events": [], "config": {}}),
"typ: is not known here; may be type, name, slug, enabled, events, config, conditions or scored; name: must be a string, not 5; enabled: must be a boolean, not \"yes\"; type: is required".to_owned(),
        ),
    ];
    let bearer = session(&server.app, team(&server.app).await, Role::Admin).await;
    let mut others = Vec::new();
    for (method, path, body, expected) in cases {
        let said = refusal(server.request(method, path).bearer_auth(&bearer).json(&body)).await;
        if !said.starts_with(&format!("400 bad_request {expected}")) {
            others.push(format!("{path}: {said}\ninstead of {expected}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n\n"));
}
