//! The authorization server for `/mcp`: what clients find, register and are given, and what people say to it.

mod consent;
mod registering;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use dregs_core::time::Timestamp;
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer};

/// The example of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:33418/callback";

/// A server, a registered client, and a person who is signed in.
struct Scene {
    server: TestServer,
    clock: Arc<ManualClock>,
    client: String,
    session: String,
}

type Params = BTreeMap<&'static str, String>;

impl Scene {
    async fn set() -> Self {
        Self::set_with(|_| {}).await
    }

    async fn set_with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
        let server = TestServer::start_on(Ground::new(Engine::Sqlite), Arc::clone(&clock) as _, change).await;
        let (_, client) =
            answer(register(&server, &json!({"client_name": "Desk", "redirect_uris": [CALLBACK]}))).await;
        let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        let (_, session) = answer(server.request(Method::POST, "/api/auth/login").json(&login)).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { client: text(&client["client_id"]), session: text(&session["token"]), server, clock }
    }

    fn as_person(&self, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(&self.session)
    }

    /// What the client asks for.
    fn params(&self) -> Params {
        let params = [
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "s 1&2"),
            ("resource", &self.server.url("/mcp")),
        ];
        params.map(|(name, value)| (name, value.to_owned())).into()
    }

    /// Where the browser goes when `session` answers.
    async fn decide(&self, session: &str, decision: &str, params: &Params) -> Url {
        let path = format!("/api/oauth/request/actions/{decision}");
        let (status, body) =
            answer(self.server.request(Method::POST, &path).bearer_auth(session).json(params)).await;
        assert_eq!(status, 200, "{params:?}: {body}");
        body["redirectTo"].as_str().unwrap().parse().unwrap()
    }

    async fn code(&self) -> String {
        query(&self.decide(&self.session, "approve", &self.params()).await)["code"].clone()
    }

    /// What the client sends for a code.
    fn redemption(&self, code: &str) -> Params {
        let params = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", CALLBACK),
            ("resource", &self.server.url("/mcp")),
        ];
        params.map(|(name, value)| (name, value.to_owned())).into()
    }

    fn refreshment(&self, token: &str) -> Params {
        let params =
            [("grant_type", "refresh_token"), ("client_id", self.client.as_str()), ("refresh_token", token)];
        params.map(|(name, value)| (name, value.to_owned())).into()
    }

    async fn token(&self, params: &Params) -> (u16, Value) {
        let (status, body) = answer(form(&self.server, "/oauth/token", params)).await;
        (status.as_u16(), body)
    }

    /// Tokens for a new code: for access, and for refreshing.
    async fn connect(&self) -> (String, String) {
        let (status, body) = self.token(&self.redemption(&self.code().await)).await;
        assert_eq!(status, 200, "{body}");
        tokens(&body)
    }

    /// The status of a message to the MCP server.
    async fn mcp(&self, token: &str) -> u16 {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
        let message = self.server.request(Method::POST, "/mcp").bearer_auth(token).json(&list);
        answer(message.header("Accept", "application/json, text/event-stream")).await.0.as_u16()
    }

    async fn connections(&self) -> Vec<Value> {
        let (_, list) = answer(self.as_person(Method::GET, "/api/oauth/connections")).await;
        list.as_array().unwrap().clone()
    }

    /// What the audit log has about clients, oldest first.
    async fn log(&self) -> Vec<Value> {
        let (_, log) =
            answer(self.as_person(Method::GET, "/api/audit-log?targetType=mcp-client&order=ASC")).await;
        let told = |entry: &Value| {
            assert_eq!(entry["targetId"], self.client.as_str());
            json!([entry["actor"], entry["mcpToken"], entry["action"], entry["before"], entry["after"]])
        };
        log["content"].as_array().unwrap().iter().map(told).collect()
    }
}

fn register(server: &TestServer, metadata: &Value) -> RequestBuilder {
    server.request(Method::POST, "/oauth/register").json(metadata)
}

fn encoded(params: &Params) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

fn with_query(path: &str, params: &Params) -> String {
    format!("{path}?{}", encoded(params))
}

fn form(server: &TestServer, path: &str, params: &Params) -> RequestBuilder {
    let body = encoded(params);
    let request =
        server.request(Method::POST, path).header("Content-Type", "application/x-www-form-urlencoded");
    request.body(body)
}

fn query(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

fn tokens(body: &Value) -> (String, String) {
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// The name of the error, after a look at its form.
fn error((status, body): (u16, Value)) -> (u16, String) {
    assert!(body["error_description"].as_str().is_some_and(|text| text.ends_with('.')), "{body}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    (status, body["error"].as_str().unwrap().to_owned())
}
