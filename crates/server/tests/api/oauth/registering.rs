//! What clients find out, how they register, and what becomes of those that nobody wants.

use dregs_core::time::{DAY_MS, HOUR_MS};
use dregs_server::limit::Limit;
use dregs_server::ops::oauth::clients::{IDLE_MAX, OF_ADDRESS_MAX};
use dregs_server::ops::oauth::{CODE_MS, REFRESH_MS};
use dregs_server::store::oauth_clients::{self, Client};
use dregs_server::store::{StoreError, Tx};
use reqwest::Method;
use serde_json::{Value, json};

use super::{CALLBACK, Scene, error, register};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer};

#[tokio::test]
async fn a_client_finds_its_way_from_a_refusal_to_the_endpoints() {
    let scene = Scene::set().await;
    let refused = async |server: &TestServer, token: Option<&str>, host: Option<&str>| {
        let mut request = server.request(Method::POST, "/mcp").json(&json!({}));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(host) = host {
            request = request.header("Host", host);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        response.headers()["www-authenticate"].to_str().unwrap().to_owned()
    };
    let base = scene.server.url("");
    let metadata = format!(r#"Bearer resource_metadata="{base}/.well-known/oauth-protected-resource/mcp""#);
    assert_eq!(refused(&scene.server, None, None).await, metadata);
    let unknown = refused(&scene.server, Some("oat_unknown"), None).await;
    assert_eq!(unknown, format!(r#"{metadata}, error="invalid_token""#));
    let get = async |server: &TestServer, path: &str, host: &str| {
        answer(server.request(Method::GET, path).header("Host", host)).await
    };
    let host = scene.server.address.to_string();
    let resource = |base: &str| {
        json!({
            "resource": format!("{base}/mcp"),
            "authorization_servers": [base],
            "scopes_supported": ["mcp"],
            "bearer_methods_supported": ["header"],
            "resource_name": "dregs",
        })
    };
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        assert_eq!(get(&scene.server, path, &host).await.1, resource(&base), "{path}");
    }
    let server = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "registration_endpoint": format!("{base}/oauth/register"),
        "revocation_endpoint": format!("{base}/oauth/revoke"),
        "scopes_supported": ["mcp"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let at_server = "/.well-known/oauth-authorization-server";
    assert_eq!(get(&scene.server, at_server, &host).await.1, server);
    // Whoever asks may say any name, and none is believed but those of the machine itself.
    let (status, body) = get(&scene.server, at_server, "evil.example").await;
    assert!(body["message"].as_str().unwrap().contains("DREGS_PUBLIC_URL"), "{body}");
    assert_eq!(status, 404);
    assert_eq!(refused(&scene.server, None, Some("evil.example")).await, "Bearer");
    assert_eq!(get(&scene.server, at_server, "localhost:80").await.1["issuer"], "http://localhost");
    let known = TestServer::start_with(Engine::Sqlite, |config| {
        config.public_url = Some("https://dregs.example.com".into());
    })
    .await;
    let path = "/.well-known/oauth-protected-resource/mcp";
    assert_eq!(get(&known, path, "evil.example").await.1, resource("https://dregs.example.com"));
}

#[tokio::test]
async fn clients_register_without_secrets_and_where_they_can_be_answered() {
    let scene = Scene::set().await;
    let all = json!({
        "client_name": " Claude Code ",
        "redirect_uris": ["http://localhost:1/cb", "https://app.example.com/cb", "com.example.app:/cb"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "software_id": "more than is asked",
    });
    let response = register(&scene.server, &all).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["cache-control"]),
        (201, &"no-store".parse().unwrap())
    );
    let registered: Value = response.json().await.unwrap();
    let expected = json!({
        "client_id": registered["client_id"],
        "client_id_issued_at": 1_795_424_400,
        "client_name": "Claude Code",
        "redirect_uris": all["redirect_uris"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "mcp",
    });
    assert_eq!(registered, expected);
    let (_, nameless) = answer(register(&scene.server, &json!({"redirect_uris": [CALLBACK]}))).await;
    assert_eq!(nameless["client_name"], "MCP client");
    let cases = [
        (json!({}), "invalid_redirect_uri"),
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({"redirect_uris": vec![CALLBACK; 11]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [CALLBACK, "http://example.com/"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["javascript:alert(1)"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["javascript:/alert(1)"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["file:/etc/passwd"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["cursor:/cb"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["com.example.app://cb"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [7]}), "invalid_client_metadata"),
        (json!({"redirect_uris": [CALLBACK], "client_name": 7}), "invalid_client_metadata"),
        (json!({"redirect_uris": [CALLBACK], "client_name": "a\u{7}b"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [CALLBACK], "client_name": "n".repeat(101)}), "invalid_client_metadata"),
    ];
    for (metadata, expected) in cases {
        let (status, body) = answer(register(&scene.server, &metadata)).await;
        assert_eq!(error((status.as_u16(), body)), (400, expected.to_owned()), "{metadata}");
    }
    let page = register(&scene.server, &json!({"redirect_uris": [CALLBACK]}))
        .header("Origin", "https://evil.example");
    assert_eq!(answer(page).await.0, 403);
}

#[tokio::test]
async fn registration_is_bounded_by_address_and_in_all() {
    let scene = Scene::set_with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let from = |address: &str| {
        let request = register(&scene.server, &json!({"redirect_uris": [CALLBACK]}));
        request.header("X-Forwarded-For", address)
    };
    for _ in 0..OF_ADDRESS_MAX {
        assert_eq!(answer(from("2001:db8::1")).await.0, 201);
        scene.clock.advance(60_000);
    }
    let refused = from("2001:db8::2").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"2400".parse().unwrap())
    );
    assert!(scene.server.reached(Limit::Registrations) > 0);
    assert_eq!(answer(from("203.0.113.1")).await.0, 201);
    scene.clock.advance(2_400_000);
    assert_eq!(answer(from("2001:db8::2")).await.0, 201, "an hour after the first");
    // The first client of the scene was approved once, and stays; of the others the oldest gives way.
    scene.connect().await;
    let connection = scene.connections().await[0]["id"].to_string();
    let end = scene.as_person(Method::DELETE, &format!("/api/oauth/connections/{connection}"));
    assert_eq!(answer(end).await.0, 204);
    scene.clock.advance(1_000);
    let now = scene.server.app.clock.now();
    scene
        .server
        .app
        .store
        .write(move |tx| {
            (0..IDLE_MAX - 1).try_for_each(|n| {
                let id = format!("oc_{n}");
                let created_at = now.plus_millis(n);
                let client =
                    Client { id, name: "n".into(), redirect_uris: vec![], created_at, used_at: None };
                oauth_clients::insert(tx, &client, b"elsewhere")
            })
        })
        .await
        .unwrap();
    assert_eq!(answer(from("203.0.113.2")).await.0, 201);
    let first = scene.client.clone();
    let read = move |tx: &mut Tx| {
        let left = tx.get("select count(*) from oauth_clients", &[], |row| row.get::<i64>(0))?;
        let mut find = |id: &str| Ok::<_, StoreError>(oauth_clients::find(tx, id)?.is_some());
        Ok((left, find(&first)?, find("oc_0")?, find("oc_1")?))
    };
    assert_eq!(scene.server.app.store.read(read).await.unwrap(), (IDLE_MAX, true, false, true));
    assert_eq!(scene.server.reached(Limit::RegisteredClients), 1);
}

#[tokio::test]
async fn what_is_over_goes() {
    let scene = Scene::set().await;
    let sweep = async || {
        let now = scene.server.app.clock.now();
        scene.server.app.store.write(move |tx| dregs_server::ops::oauth::sweep(tx, now)).await.unwrap();
        let count = |table: &'static str| {
            scene.server.app.store.read(move |tx| {
                tx.get(&format!("select count(*) from {table}"), &[], |row| row.get::<i64>(0))
            })
        };
        [
            count("oauth_clients").await.unwrap(),
            count("oauth_codes").await.unwrap(),
            count("oauth_connections").await.unwrap(),
        ]
    };
    register(&scene.server, &json!({"redirect_uris": [CALLBACK]})).send().await.unwrap();
    scene.connect().await;
    assert_eq!(sweep().await, [2, 1, 1]);
    scene.clock.advance(CODE_MS + HOUR_MS);
    assert_eq!(sweep().await, [2, 0, 1]);
    scene.clock.advance(DAY_MS);
    assert_eq!(sweep().await, [1, 0, 1], "nobody approved the other");
    scene.clock.advance(REFRESH_MS);
    assert_eq!(sweep().await, [1, 0, 0], "a client that was connected is remembered");
    scene.clock.advance(60 * DAY_MS);
    assert_eq!(sweep().await, [0, 0, 0]);
}
