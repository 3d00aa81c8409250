//! What is no message of MCP, and methods that there are not: errors of JSON-RPC, in a sentence.

use dregs_server::store::users::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::api::{session, team};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer};

/// What an agent sends, with the token of a new person.
async fn sender(server: &TestServer) -> impl Fn(&str) -> RequestBuilder {
    let session = session(&server.app, team(&server.app).await, Role::Viewer).await;
    let new = server.request(Method::POST, "/api/mcp-tokens").bearer_auth(&session);
    let (_, made) = answer(new.json(&json!({"name": "Assistant"}))).await;
    let token = made["token"].as_str().unwrap().to_owned();
    move |body| {
        let request = server.request(Method::POST, "/mcp").bearer_auth(&token).body(body.to_owned());
        request.header("Content-Type", "application/json")
    }
}

/// The status, and the error of an answer that is JSON by its type.
async fn refused(request: RequestBuilder) -> (u16, Value, i64, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    let mut body: Value = response.json().await.unwrap();
    assert_eq!(body["jsonrpc"], "2.0");
    let error = &body["error"];
    let (code, message) = (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned());
    (status, body["id"].take(), code, message)
}

#[tokio::test]
async fn what_is_no_message_is_refused_as_json_rpc_has_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    let send = sender(&server).await;
    let both = |request: RequestBuilder| request.header("Accept", "application/json, text/event-stream");
    let no_json = |why: &str| (400, Value::Null, -32_700, format!("The body is not JSON: {why}."));
    let no_message = |id: Value| (400, id, -32_600, "The body is no message of JSON-RPC 2.0.".to_owned());
    let cases = [
        ("{bad", no_json("key must be a string at line 1 column 2")),
        ("", no_json("EOF while parsing a value at line 1 column 0")),
        ("[]", no_message(Value::Null)),
        (r#"{"jsonrpc": "2.0", "id": 7}"#, no_message(json!(7))),
        (r#"{"jsonrpc": "1.0", "id": 7, "method": "ping"}"#, no_message(json!(7))),
    ];
    for (body, expected) in cases {
        assert_eq!(refused(both(send(body))).await, expected, "{body}");
    }
    // What the library refuses by itself.
    let ping = r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#;
    let (status, _, code, message) = refused(send(ping)).await;
    assert_eq!((status, code), (406, -32_600));
    assert!(message.starts_with("Not Acceptable: Client must accept both"), "{message}");
    for ping in [ping.to_owned(), format!("\u{feff}{ping}")] {
        assert_eq!(both(send(&ping)).send().await.unwrap().status(), 200, "{ping}");
    }
}

#[tokio::test]
async fn a_method_that_there_is_not_is_named() {
    let server = TestServer::start(Engine::Sqlite).await;
    let send = sender(&server).await;
    for method in ["foo", "prompts/get", "resources/read", "logging/setLevel"] {
        let params = json!({"name": "x", "uri": "x:y", "level": "info"});
        let body = json!({"jsonrpc": "2.0", "id": 3, "method": method, "params": params}).to_string();
        let request = send(&body).header("Accept", "application/json, text/event-stream");
        let (_, id, code, message) = refused(request).await;
        assert_eq!((id, code, message), (json!(3), -32_601, format!("There is no method \"{method}\".")));
    }
}
