//! What a person is asked, who may answer for them, and what becomes of the answer.

use dregs_core::time::DAY_MS;
use dregs_server::limit::Limit;
use dregs_server::ops::bounds;
use dregs_server::store::Tx;
use dregs_server::store::oauth_clients::{self, Client};
use dregs_server::store::oauth_connections::{self, Tokens};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::{refusal, team};
use super::{CALLBACK, Params, Scene, form, query, register, tokens, with_query};
use crate::support::server::{ADMIN_EMAIL, SECRET_KEY, answer};

#[tokio::test]
async fn a_person_approves_a_client_which_then_acts_as_them() {
    let scene = Scene::set().await;
    let read = scene.as_person(Method::GET, &with_query("/api/oauth/request", &scene.params()));
    let expected = json!({
        "clientName": "Desk",
        "clientRegisteredAt": "2026-11-23T09:00:00.000Z",
        "redirectUri": CALLBACK,
        "redirectHost": null,
        "redirectScheme": null,
        "refusal": null,
    });
    assert_eq!(answer(read).await.1, expected);
    let back = scene.decide(&scene.session, "approve", &scene.params()).await;
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    let told = query(&back);
    assert_eq!((told["state"].as_str(), told["iss"].as_str()), ("s 1&2", scene.server.url("").as_str()));
    let response =
        form(&scene.server, "/oauth/token", &scene.redemption(&told["code"])).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let issued: Value = response.json().await.unwrap();
    let (access, refresh) = tokens(&issued);
    let expected = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh, "scope": "mcp",
    });
    assert_eq!(issued, expected);
    assert_eq!(scene.mcp(&access).await, 200);
    let (connections, now) = (scene.connections().await, "2026-11-23T09:00:00.000Z");
    let expected = json!([{
        "id": connections[0]["id"], "name": "Desk", "connectedAt": now, "lastUsedAt": now,
        "expiresAt": "2026-12-23T09:00:00.000Z",
    }]);
    assert_eq!(json!(connections), expected);
    // Neither is good for anything else, and what is stored is good for nothing.
    let (status, body) =
        answer(scene.server.request(Method::GET, "/api/identities").bearer_auth(&access)).await;
    assert_eq!((status.as_u16(), &body["message"]), (401, &json!("An MCP token works at /mcp only.")));
    assert_eq!(scene.mcp(&refresh).await, 401);
    // What it does has its name in the audit log.
    let rule = json!({"name": "R", "type": "BAD",
        "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}]});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "create_badge_rule", "arguments": rule}});
    let message = scene.server.request(Method::POST, "/mcp").bearer_auth(&access).json(&call);
    let (_, result) = answer(message.header("Accept", "application/json, text/event-stream")).await;
    assert_eq!(result["result"]["isError"], false, "{result}");
    let (_, log) = answer(scene.as_person(Method::GET, "/api/audit-log?action=badge-rule.create")).await;
    let newest = &log["content"][0];
    assert_eq!((&newest["actor"], &newest["mcpToken"]), (&json!(ADMIN_EMAIL), &json!("Desk")));
    let expected = [
        json!([ADMIN_EMAIL, null, "mcp-client.approve", null, {"name": "Desk", "redirectUri": CALLBACK}]),
        json!([ADMIN_EMAIL, "Desk", "mcp-client.connect", null, {"name": "Desk"}]),
    ];
    assert_eq!(scene.log().await, expected);
}

#[tokio::test]
async fn a_person_is_told_where_the_answer_goes() {
    let scene = Scene::set().await;
    let cases = [
        ("https://app.example.com/cb?of=dregs", json!("app.example.com"), Value::Null),
        ("http://localhost:9/cb", Value::Null, Value::Null),
        ("com.example.App:/oauth/cb?of=dregs", Value::Null, json!("com.example.app")),
    ];
    for (uri, host, scheme) in cases {
        let (_, client) = answer(register(&scene.server, &json!({"redirect_uris": [uri]}))).await;
        let mut params = scene.params();
        params.insert("client_id", client["client_id"].as_str().unwrap().to_owned());
        params.insert("redirect_uri", uri.to_owned());
        let (_, asked) =
            answer(scene.as_person(Method::GET, &with_query("/api/oauth/request", &params))).await;
        let shown = (&asked["redirectUri"], &asked["redirectHost"], &asked["redirectScheme"]);
        assert_eq!(shown, (&json!(uri), &host, &scheme), "{uri}");
        for decision in ["approve", "deny"] {
            let back = scene.decide(&scene.session, decision, &params).await;
            assert!(back.as_str().to_lowercase().starts_with(&uri.to_lowercase()), "{back}");
            let told = query(&back);
            assert_eq!((told["state"].as_str(), told.contains_key("code")), ("s 1&2", decision == "approve"));
        }
        // Only what was registered, to the letter.
        params.insert("redirect_uri", format!("{uri}/other"));
        let refused = scene.as_person(Method::GET, &with_query("/api/oauth/request", &params));
        assert_eq!(answer(refused).await.0, 400, "{uri}");
    }
}

#[tokio::test]
async fn who_cannot_be_answered_is_not_and_others_are_told_what_is_wrong() {
    let scene = Scene::set().await;
    let read = |params: &Params| scene.as_person(Method::GET, &with_query("/api/oauth/request", params));
    let with = |name: &'static str, value: &str| {
        let mut params = scene.params();
        if value.is_empty() {
            params.remove(name)
        } else {
            params.insert(name, value.to_owned())
        };
        params
    };
    let unusable = [
        ("client_id", ""),
        ("client_id", "oc_unknown"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://127.0.0.1:33418/other"),
        ("redirect_uri", "http://127.0.0.1.evil.example:33418/callback"),
    ];
    for (name, value) in unusable {
        let said = refusal(read(&with(name, value))).await;
        assert!(said.starts_with(&format!("400 bad_request {name}: is ")), "{said}");
        for decision in ["approve", "deny"] {
            let decide = scene.as_person(Method::POST, &format!("/api/oauth/request/actions/{decision}"));
            assert_eq!(answer(decide.json(&with(name, value))).await.0, 400, "{name}={value}");
        }
    }
    let refused = [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "unsupported_response_type"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("resource", "https://other.example/mcp", "invalid_target"),
    ];
    for (name, value, expected) in refused {
        let params = with(name, value);
        assert!(answer(read(&params)).await.1["refusal"].is_string(), "{name}={value}");
        for decision in ["approve", "deny"] {
            let told = query(&scene.decide(&scene.session, decision, &params).await);
            assert_eq!((told["error"].as_str(), told.get("code")), (expected, None), "{name}={value}");
            assert_eq!(told["state"], "s 1&2");
        }
    }
    let denied = query(&scene.decide(&scene.session, "deny", &scene.params()).await);
    assert_eq!((denied["error"].as_str(), denied.get("code")), ("access_denied", None));
    // A program on the person's machine takes the port that is free, and who says no resource means the only one.
    let mut other_port = with("resource", "");
    other_port.insert("redirect_uri", CALLBACK.replace("33418", "50123"));
    let back = scene.decide(&scene.session, "approve", &other_port).await;
    assert_eq!((back.port(), query(&back).contains_key("code")), (Some(50123), true));
    assert_eq!(scene.log().await.len(), 1, "of all that, one was approved");
}

#[tokio::test]
async fn only_the_dashboard_approves_and_nobody_puts_a_frame_around_it() {
    let scene = Scene::set().await;
    let path = "/api/oauth/request/actions/approve";
    let approve = |site: &str| {
        let request = scene.server.request(Method::POST, path).json(&scene.params());
        request.header("Cookie", format!("dregs_session={}", scene.session)).header("Sec-Fetch-Site", site)
    };
    for site in ["cross-site", "same-site", "none"] {
        let said = refusal(approve(site)).await;
        assert!(said.starts_with("403 csrf_refused "), "{site}: {said}");
    }
    assert_eq!(answer(approve("same-origin")).await.0, 200);
    // A form of another site has no other types than these.
    let form = scene.server.request(Method::POST, path).body(json!(scene.params()).to_string());
    let form = form.header("Cookie", format!("dregs_session={}", scene.session));
    let form = form.header("Sec-Fetch-Site", "same-origin").header("Content-Type", "text/plain");
    assert_eq!(answer(form).await.0, 415);
    let page = scene.server.request(Method::GET, &with_query("/oauth/authorize", &scene.params()));
    let page = page.header("Accept", "text/html").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert_eq!(answer(scene.server.request(Method::POST, path).json(&scene.params())).await.0, 401);
    let backend = scene.server.request(Method::POST, path).bearer_auth(SECRET_KEY).json(&scene.params());
    assert_eq!(answer(backend).await.0, 403, "a secret key is nobody in person");
}

#[tokio::test]
async fn a_person_has_as_many_connections_as_there_may_be() {
    let scene = Scene::set().await;
    let (_, me) = answer(scene.as_person(Method::GET, "/api/auth/me")).await;
    let (team, user, now) =
        (team(&scene.server.app).await, me["id"].as_i64().unwrap(), scene.server.app.clock.now());
    let fill = move |tx: &mut Tx| {
        (0..bounds::CONNECTIONS.max).try_for_each(|n| {
            let (id, hash) = (format!("oc_{n}"), n.to_be_bytes().to_vec());
            let client = Client {
                id: id.clone(),
                name: "n".into(),
                redirect_uris: vec![],
                created_at: now,
                used_at: None,
            };
            oauth_clients::insert(tx, &client, b"elsewhere")?;
            let ends = now.plus_millis(DAY_MS);
            let tokens = Tokens {
                refresh_hash: hash.clone(),
                access_hash: hash.clone(),
                access_expires_at: ends,
                expires_at: ends,
            };
            oauth_connections::insert(tx, (team, user), &id, &hash, &tokens, now).map(drop)
        })
    };
    scene.server.app.store.write(fill).await.unwrap();
    let approve = scene.as_person(Method::POST, "/api/oauth/request/actions/approve").json(&scene.params());
    let said = refusal(approve).await;
    assert_eq!(said, "400 bad_request A person has at most 50 connected MCP clients.");
    assert!(scene.server.reached(Limit::McpClients) > 0);
}
