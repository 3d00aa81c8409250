//! Channels: what may be configured, and how it is shown.

use dregs_server::limit::Limit;
use dregs_server::ops::deliver::endpoints;
use dregs_server::store::channels;
use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{post_raw, refusal, session, team, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, answer};

on_both_engines!(a_slug_is_its_channels_alone);

const URL: &str = "https://hooks.example.com/dregs";

/// A channel to create, with some members changed.
fn channel(changes: Value) -> Value {
    let mut body =
        json!({"type": "WEBHOOK", "name": "App", "events": ["identity.scored"], "config": {"url": URL}});
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

async fn check_refused(server: &TestServer, method: &Method, path: &str, cases: &[(Value, &str)]) {
    for (body, expected) in cases {
        let said = refusal(with_json(server, method.clone(), path, body)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_channel_is_answered_whole_and_its_secret_once() {
    let server = TestServer::start(Engine::Sqlite).await;
    let config = json!({"url": URL, "headers": {"X-Api-Key": "hush"}, "timeoutMs": 500, "maxConcurrency": 2,
                        "ratePerSecond": 10, "ordered": true});
    let (status, mut created) = answer(with_json(
        &server,
        Method::POST,
        "/api/channels",
        &channel(json!({"name": "Our App!", "config": config})),
    ))
    .await;
    assert_eq!(status, 201);
    let secret = created.as_object_mut().unwrap().remove("signingSecret").unwrap();
    assert!(secret.as_str().unwrap().starts_with("whsec_"), "{secret}");
    let mut shown = config;
    shown["headers"]["X-Api-Key"] = json!("********");
    let expected = json!({
        "id": created["id"],
        "type": "WEBHOOK",
        "name": "Our App!",
        "slug": "our-app",
        "enabled": true,
        "events": ["IDENTITY_SCORED"],
        "config": shown,
        "conditions": [],
        "scored": {"when": "ALWAYS"},
        "leftOut": 0,
        "health": {"status": "HEALTHY", "failures": 0, "failingSince": null, "lastError": null,
                   "resumesAt": null, "dueSince": null, "disablePercent": 0, "disabledReason": null},
        "createdAt": created["createdAt"],
        "updatedAt": created["createdAt"],
    });
    assert_eq!(created, expected);
    assert_eq!(server.get(&format!("/api/channels/{}", created["id"])).await, expected);
    assert_eq!(server.get("/api/channels").await, json!([expected]));
}

#[tokio::test]
async fn what_a_channel_wants_is_kept_or_refused_by_field() {
    let server = TestServer::start(Engine::Sqlite).await;
    let scored = |scored: Value| channel(json!({ "scored": scored }));
    let when = |one: Value| channel(json!({ "conditions": one }));
    let config = |payload: &str| channel(json!({"config": {"url": URL, "payload": payload}}));
    let which = "must be HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR or ANY";
    let too_many = vec![json!({"type": "SCORE_LT", "category": "ANY", "threshold": 5}); 21];
    let cases: Vec<(Value, String)> = vec![
        (scored(json!({"when": "often"})), "scored.when: must be ALWAYS, CHANGED or CROSSED".into()),
        (scored(json!({})), "scored.when: is required".into()),
        (scored(json!({"when": "CHANGED"})), "scored.by: must be from 1 to 100".into()),
        (scored(json!({"when": "CHANGED", "by": 0})), "scored.by: must be from 1 to 100".into()),
        (scored(json!({"when": "CHANGED", "by": 256})), "scored.by: must be from 1 to 100".into()),
        (scored(json!({"when": "CROSSED"})), "scored.threshold: must be from 1 to 100".into()),
        (scored(json!({"when": "CROSSED", "threshold": 101})), "scored.threshold: must be from 1 to 100".into()),
        (scored(json!({"when": "CROSSED", "threshold": 5, "category": "x"})), format!("scored.category: {which}")),
        (scored(json!({"when": "CROSSED", "threshold": 5, "by": 5})), "scored.by: goes with `when` CHANGED".into()),
        (
            scored(json!({"when": "ALWAYS", "threshold": 5, "category": "ANY"})),
            "scored.threshold: goes with `when` CROSSED; scored.category: goes with `when` CHANGED or CROSSED".into(),
        ),
        (
            channel(json!({"events": ["identity.labeled"], "scored": {"when": "CHANGED", "by": 5}})),
            "scored.when: must be ALWAYS where `events` has no IDENTITY_SCORED".into(),
        ),
        (when(json!({})), "conditions: must be an array of conditions".into()),
        (
            when(json!([{"type": "BADGE_EXISTS", "badge": "nobodys"}])),
            "conditions[0].badge: there is no badge `nobodys`".into(),
        ),
        (when(json!(too_many)), "conditions: must have from 1 to 20 conditions".into()),
    ];
    for (body, expected) in &cases {
        let said = refusal(with_json(&server, Method::POST, "/api/channels", body)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{body}");
    }
    let said = refusal(with_json(&server, Method::POST, "/api/channels", &config("SLIM"))).await;
    assert!(said.starts_with("400 bad_request config.payload: "), "{said}");
    let conditions = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 5}]);
    let wanted = json!({"when": "changed", "by": 3});
    let made = channel(
        json!({"conditions": conditions, "scored": wanted, "config": {"url": URL, "payload": "thin"}}),
    );
    let made = server.post("/api/channels", made).await;
    let path = format!("/api/channels/{}", made["id"]);
    assert_eq!(made["conditions"], conditions);
    assert_eq!(made["scored"], json!({"when": "CHANGED", "by": 3, "category": "ANY"}));
    assert_eq!(made["config"]["payload"], "THIN");
    // What is not named stays.
    server.patch(&path, json!({"name": "Other"})).await;
    let said = refusal(with_json(&server, Method::PATCH, &path, &json!({"events": ["channel.test"]}))).await;
    assert!(said.starts_with("400 bad_request scored.when: "), "{said}");
    let changed = server.patch(&path, json!({"conditions": []})).await;
    assert_eq!((&changed["conditions"], &changed["scored"]), (&json!([]), &made["scored"]));
}

#[tokio::test]
async fn a_channel_is_refused_by_field() {
    let server = TestServer::start_with(Engine::Sqlite, |config| config.egress_allow = String::new()).await;
    let config = |config: Value| channel(json!({"config": config}));
    let to = |url: &str| config(json!({"url": url}));
    let types = "there are IDENTITY_SCORED, IDENTITY_BADGES_CHANGED, IDENTITY_LABELED, ESCALATION_OPENED, ESCALATION_CLOSED, RULE_RATE_JUMPED, CHANNEL_TEST, CHANNEL_FAILING, CHANNEL_DISABLED";
    let refused = [
        (channel(json!({"type": "PIGEON"})), "type: must be WEBHOOK, EMAIL or SLACK".to_owned()),
        (channel(json!({"name": " "})), "name: must have from 1 to 100 characters".into()),
        (channel(json!({"name": "x".repeat(101)})), "name: must have from 1 to 100 characters".into()),
        (
            channel(json!({"name": "日本"})),
            "slug: is required where the name has neither a letter from a to z nor a digit".into(),
        ),
        (channel(json!({"slug": "Our App"})), "slug: must have from 1 to 60 lower-case letters, digits and dashes".into()),
        (channel(json!({"slug": ""})), "slug: must have from 1 to 60 lower-case letters, digits and dashes".into()),
        (channel(json!({"events": ["user.created"]})), format!("events: \"user.created\" is no event type; {types}")),
        (to("hooks.example.com"), "config.url: must be a whole URL, such as https://example.com/webhooks".into()),
        (to("localhost:4000/x"), "config.url: must be a whole URL, such as https://example.com/webhooks".into()),
        (to("ftp://hooks.example.com/"), "config.url: must start with http:// or https://, not ftp:".into()),
        (to("https://ada:secret@hooks.example.com/"), "config.url: must not hold a user name or password; use a header for those".into()),
        (
            to("http://10.1.2.3/"),
            "config.url: 10.1.2.3 is a private address; the operator can allow it with DREGS_EGRESS_ALLOW=10.0.0.0/8".into(),
        ),
        (
            config(json!({"url": URL, "timeoutMs": 50, "maxConcurrency": 0, "headers": {"Host": "x"}})),
            "config.headers.Host: is set by the server and cannot be changed; config.timeoutMs: must be from 100 to 30000; \
             config.maxConcurrency: must be from 1 to 256"
                .into(),
        ),
    ];
    let refused: Vec<_> = refused.iter().map(|(body, expected)| (body.clone(), expected.as_str())).collect();
    check_refused(&server, &Method::POST, "/api/channels", &refused).await;
    assert_eq!(server.get("/api/channels").await, json!([]));
}

async fn a_slug_is_its_channels_alone(engine: Engine) {
    let server = TestServer::start(engine).await;
    let names = [
        ("App", "app"),
        ("  Our -- app, 2nd!  ", "our-app-2nd"),
        ("Ünïcode", "n-code"),
        (&"long name ".repeat(9), &"long-name-".repeat(6)[..59]),
    ];
    for (name, slug) in names {
        assert_eq!(server.post("/api/channels", channel(json!({"name": name}))).await["slug"], slug);
    }
    let taken = "409 slug_taken Another channel has the slug \"app\", which a name becomes unless one is given: choose another.";
    for again in [channel(json!({})), channel(json!({"name": "Other", "slug": "app"}))] {
        assert_eq!(refusal(with_json(&server, Method::POST, "/api/channels", &again)).await, taken);
    }
    let other = server.post("/api/channels", channel(json!({"name": "Other"}))).await;
    let path = format!("/api/channels/{}", other["id"]);
    assert_eq!(refusal(with_json(&server, Method::PATCH, &path, &json!({"slug": "app"}))).await, taken);
    assert_eq!(server.patch(&path, json!({"slug": "other", "name": "Mine"})).await["name"], "Mine");
}

#[tokio::test]
async fn masked_headers_keep_their_values() {
    let server = TestServer::start(Engine::Sqlite).await;
    let headers = json!({"X-Api-Key": "hush", "X-Gone": "old"});
    let created =
        server.post("/api/channels", channel(json!({"config": {"url": URL, "headers": headers}}))).await;
    let id = created["id"].as_i64().unwrap();
    let path = format!("/api/channels/{id}");
    let sent = json!({"url": URL, "headers": {"x-api-key": "********", "X-New": "new"}});
    let changed = server.patch(&path, json!({"config": sent})).await;
    assert_eq!(changed["config"]["headers"], json!({"X-New": "********", "x-api-key": "********"}));
    let team_id = team(&server.app).await;
    let stored = server.app.store.read(move |tx| channels::find(tx, team_id, id)).await.unwrap().unwrap();
    let stored = endpoints::config(server.app.vault().unwrap(), &stored).unwrap();
    assert_eq!(
        serde_json::to_value(stored).unwrap(),
        json!({"url": URL, "headers": {"X-New": "new", "x-api-key": "hush"}})
    );
    let unknown = json!({"config": {"url": URL, "headers": {"X-Gone": "********"}}});
    check_refused(
        &server,
        &Method::PATCH,
        &path,
        &[(unknown, "config.headers.X-Gone: is a mask, and the channel has no such header to keep")],
    )
    .await;
}

#[tokio::test]
async fn changes_and_actions_are_refused_by_field() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (id, _) = server.channel("App", json!({"url": URL})).await;
    let path = format!("/api/channels/{id}");
    check_refused(
        &server,
        &Method::PATCH,
        &path,
        &[
            (json!({"name": ""}), "name: must have from 1 to 100 characters"),
            (
                json!({"type": "EMAIL"}),
                "type: is not known here; may be name, slug, enabled, events, config, conditions, scored or onResume",
            ),
            (json!({"onResume": "SEND"}), "onResume: goes with enabling a channel that is disabled"),
            (
                json!({"enabled": true, "onResume": "SKIP"}),
                "onResume: goes with enabling a channel that is disabled",
            ),
            (json!({"enabled": true, "onResume": "skip"}), "onResume: must be SEND or SKIP, not \"skip\""),
            (
                json!({"config": {"url": "mailto:ada@example.com"}}),
                "config.url: must start with http:// or https://, not mailto:",
            ),
        ],
    )
    .await;
    let rotate = [
        (json!({"overlapSeconds": 604_801}), "overlapSeconds: must be from 0 to 604800"),
        (json!({"overlapSeconds": -1}), "overlapSeconds: must be a whole number, 0 or more, not -1"),
        (json!({"overlap": 1}), "overlap: is not known here; may be overlapSeconds"),
    ];
    check_refused(&server, &Method::POST, &format!("{path}/actions/rotate-secret"), &rotate).await;
    let unknown = "event: \"identity.deleted\" is no event type; there are IDENTITY_SCORED, IDENTITY_BADGES_CHANGED, IDENTITY_LABELED, \
                   ESCALATION_OPENED, ESCALATION_CLOSED, RULE_RATE_JUMPED, CHANNEL_TEST, CHANNEL_FAILING, CHANNEL_DISABLED";
    let test = [(json!({"event": "identity.deleted"}), unknown)];
    check_refused(&server, &Method::POST, &format!("{path}/actions/test"), &test).await;
    // Nothing of it happened.
    assert_eq!(server.get(&path).await["updatedAt"], server.get(&path).await["createdAt"]);
    assert_eq!(server.deliveries(id).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_team_has_a_thousand_channels_at_most() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (id, _) = server.channel("App", json!({"url": URL})).await;
    let team_id = team(&server.app).await;
    let fill = move |tx: &mut dregs_server::store::Tx| {
        let first = channels::find(tx, team_id, id)?.unwrap();
        for n in 1..1_000 {
            channels::insert(tx, &channels::Channel { slug: format!("app-{n}"), ..first.clone() })?;
        }
        Ok(())
    };
    server.app.store.write(fill).await.unwrap();
    let another = channel(json!({"name": "Another"}));
    check_refused(&server, &Method::POST, "/api/channels", &[(another, "A team has at most 1000 channels.")])
        .await;
    assert!(server.reached(Limit::Channels) > 0);
}

#[tokio::test]
async fn ids_of_nothing_are_not_found() {
    let server = TestServer::start(Engine::Sqlite).await;
    let channel = "404 channel_not_found There is no such channel.";
    let delivery = "404 delivery_not_found There is no such delivery.";
    let identity = "404 identity_not_found There is no such identity.";
    let cases = [
        (Method::GET, "/api/channels/1", channel),
        (Method::GET, "/api/channels/one", channel),
        (Method::GET, "/api/channels/-1", channel),
        (Method::DELETE, "/api/channels/99999999999999999999", channel),
        (Method::PATCH, "/api/channels/1", channel),
        (Method::GET, "/api/channels/1/deliveries", channel),
        (Method::POST, "/api/channels/1/actions/test", channel),
        (Method::POST, "/api/channels/1/actions/rotate-secret", channel),
        (Method::GET, "/api/deliveries/1", delivery),
        (Method::POST, "/api/deliveries/x/actions/resend", delivery),
        (Method::GET, "/api/identities/ada", identity),
        (Method::GET, "/api/identities/ada/scores", identity),
        (Method::GET, "/api/identities/ada/analysis/7", identity),
    ];
    for (method, path, expected) in cases {
        let request = server.request(method.clone(), path).bearer_auth(SECRET_KEY);
        let request = if method == Method::PATCH { request.json(&json!({})) } else { request };
        assert_eq!(refusal(request).await, expected, "{method} {path}");
    }
    let times = r#"{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}"#;
    assert_eq!(refusal(post_raw(&server, "/api/channels/1/actions/replay", times)).await, channel);
}

#[tokio::test]
async fn the_catalogue_lists_what_can_be_subscribed_to() {
    let server = TestServer::start(Engine::Sqlite).await;
    let types = server.get("/api/event-types").await;
    let names: Vec<_> =
        types.as_array().unwrap().iter().map(|entry| json!([entry["name"], entry["aliases"]])).collect();
    let expected = json!([
        ["IDENTITY_SCORED", ["identity.scored"]],
        ["IDENTITY_BADGES_CHANGED", ["identity.badges_changed"]],
        ["IDENTITY_LABELED", ["identity.labeled"]],
        ["ESCALATION_OPENED", ["escalation.opened", "alert.opened"]],
        ["ESCALATION_CLOSED", ["escalation.closed", "alert.closed"]],
        ["RULE_RATE_JUMPED", ["rule.rate_jumped"]],
        ["CHANNEL_TEST", ["channel.test"]],
        ["CHANNEL_FAILING", ["channel.failing"]],
        ["CHANNEL_DISABLED", ["channel.disabled"]],
    ]);
    assert_eq!(json!(names), expected);
    let mut names = (1..).map(|n| format!("App {n}"));
    for entry in types.as_array().unwrap() {
        for spelling in std::iter::once(&entry["name"]).chain(entry["aliases"].as_array().unwrap()) {
            let name = names.next();
            let created =
                server.post("/api/channels", channel(json!({"name": name, "events": [spelling]}))).await;
            assert_eq!(created["events"], json!([entry["name"]]), "{spelling}");
        }
    }
}

#[tokio::test]
async fn whoever_may_not_change_a_channel_sees_where_its_url_leads_and_no_more() {
    let server = TestServer::start(Engine::Sqlite).await;
    let receiver = Receiver::answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    let origin = format!("http://{}", receiver.address);
    let url = format!("{origin}/api/webhooks/17/s3cret?wait=s3cret");
    let created = server.post("/api/channels", channel(json!({"config": {"url": url}}))).await;
    assert_eq!(created["config"]["url"], json!(url));
    let path = format!("/api/channels/{}", created["id"]);
    server.patch(&path, json!({"config": {"url": format!("{url}3")}})).await;
    let tested = server.post(&format!("{path}/actions/test"), Value::Null).await;
    assert_eq!(tested["httpStatus"], 404);
    let team_id = team(&server.app).await;
    let get = async |path: &str, token: &str| {
        let (status, body) = answer(server.request(Method::GET, path).bearer_auth(token)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    let admin = session(&server.app, team_id, Role::Admin).await;
    for token in [SECRET_KEY, &admin] {
        assert_eq!(get(&path, token).await["config"]["url"], json!(format!("{url}3")));
        assert_eq!(get("/api/channels", token).await[0]["config"]["url"], json!(format!("{url}3")));
    }
    let masked = json!({"url": format!("{origin}/api/********?********")});
    for role in [Role::Viewer, Role::User] {
        let token = session(&server.app, team_id, role).await;
        assert_eq!(get(&path, &token).await["config"], masked);
        assert_eq!(get("/api/channels", &token).await[0]["config"], masked);
        let delivery = format!("/api/deliveries/{}", tested["deliveryId"]);
        for path in
            [&format!("{path}/deliveries"), &format!("{path}/activity"), &delivery, "/api/search?term=app"]
        {
            let shown = get(path, &token).await.to_string();
            assert!(!shown.contains("s3cret"), "{path}: {shown}");
        }
        // Nor does their agent.
        let new = server.request(Method::POST, "/api/mcp-tokens").bearer_auth(&token);
        let (_, made) = answer(new.json(&json!({"name": "Assistant"}))).await;
        for (tool, arguments) in [("list_channels", json!({})), ("get_channel", json!({"id": created["id"]}))]
        {
            let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
            let request = server.request(Method::POST, "/mcp").bearer_auth(made["token"].as_str().unwrap());
            let request = request.header("Accept", "application/json, text/event-stream").json(&call);
            let told = answer(request).await.1.to_string();
            assert!(told.contains("/api/********") && !told.contains("s3cret"), "{tool}: {told}");
        }
    }
    let log = async || get("/api/audit-log?targetType=channel", &admin).await;
    let entries = log().await;
    assert!(!entries.to_string().contains("s3cret"), "{entries}");
    let change = |entries: &Value| {
        entries["content"].as_array().unwrap().iter().find(|one| one["action"] == "channel.change").unwrap()["after"]["config"].clone()
    };
    let mut told = masked.clone();
    told["hiddenValues"] = json!("changed");
    assert_eq!(change(&entries), told);
    // As an older version wrote it.
    let whole = "update audit_log set after = replace(after, '/api/********', '/api/webhooks/17/s3cret')";
    server.app.store.write(move |tx| tx.execute(whole, &[])).await.unwrap();
    assert_eq!(change(&log().await), told);
    // A mask that is sent back stands for what is there.
    let kept = server.patch(&path, json!({"config": masked})).await;
    assert_eq!(kept["config"]["url"], json!(format!("{url}3")));
}
