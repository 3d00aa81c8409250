//! Credentials: made, changed, revoked, and what their keys are good for then.

use dregs_server::store::users::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer, event};

on_both_engines!(
    a_credential_lives_and_its_keys_end_at_once,
    a_name_that_several_ask_for_at_once_is_given_to_one,
);

struct Desk {
    server: TestServer,
    admin: String,
}

impl Desk {
    async fn open(engine: Engine) -> Self {
        let server = TestServer::start(engine).await;
        let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
        Self { server, admin }
    }

    fn request(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = self.server.request(method, path).bearer_auth(&self.admin);
        if body.is_null() { request } else { request.json(body) }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, answer) = answer(self.request(method, path, &body)).await;
        (status.as_u16(), answer)
    }

    /// What an event with this key is answered.
    async fn send(&self, key: &str) -> u16 {
        let request = self.server.request(Method::POST, "/api/events").bearer_auth(key);
        let request = request.header("Origin", "https://app.example.com");
        answer(request.json(&event(&rand::random::<u64>().to_string(), "ada"))).await.0.as_u16()
    }
}

async fn a_credential_lives_and_its_keys_end_at_once(engine: Engine) {
    let desk = Desk::open(engine).await;
    let new = json!({"name": "Shop", "allowedOrigins": ["https://app.example.com"], "ratePerSecond": 50});
    let (status, mut created) = desk.call(Method::POST, "/api/credentials", new).await;
    assert_eq!(status, 201);
    let Some(Value::String(secret)) = created.as_object_mut().unwrap().remove("secretKey") else {
        panic!("{created}")
    };
    let public = created["publicKey"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("sk_") && public.starts_with("pk_"), "{secret} {public}");
    let expected = json!({
        "id": created["id"],
        "name": "Shop",
        "publicKey": public,
        "allowedOrigins": ["https://app.example.com"],
        "enabled": true,
        "ratePerSecond": 50,
        "createdAt": created["createdAt"],
        "updatedAt": created["createdAt"],
    });
    assert_eq!(created, expected);
    let (_, list) = desk.call(Method::GET, "/api/credentials", Value::Null).await;
    assert_eq!((list.as_array().unwrap().len(), &list[1]), (2, &expected));

    let path = format!("/api/credentials/{}", created["id"]);
    assert_eq!((desk.send(&secret).await, desk.send(&public).await), (200, 200));
    let (_, revoked) = desk.call(Method::PATCH, &path, json!({"enabled": false})).await;
    assert_eq!((desk.send(&secret).await, desk.send(&public).await), (401, 401));
    assert_eq!((&revoked["enabled"], &revoked["name"]), (&json!(false), &json!("Shop")));
    desk.call(Method::PATCH, &path, json!({"enabled": true, "allowedOrigins": []})).await;
    assert_eq!((desk.send(&secret).await, desk.send(&public).await), (200, 403));
    assert_eq!(desk.call(Method::DELETE, &path, Value::Null).await, (204, Value::Null));
    assert_eq!((desk.send(&secret).await, desk.send(&public).await), (401, 401));
    for method in [Method::DELETE, Method::PATCH] {
        let gone = refusal(desk.request(method, &path, &json!({}))).await;
        assert_eq!(gone, "404 credential_not_found There is no such credential.");
    }
}

async fn a_name_that_several_ask_for_at_once_is_given_to_one(engine: Engine) {
    let desk = Desk::open(engine).await;
    let shop = json!({"name": "Shop"});
    let requests = (0..8).map(|_| answer(desk.request(Method::POST, "/api/credentials", &shop)));
    let made = requests.collect::<JoinSet<_>>().join_all().await;
    let mut made: Vec<_> = made.into_iter().map(|(status, _)| status.as_u16()).collect();
    made.sort_unstable();
    assert_eq!(made, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_credential_is_refused_by_field() {
    let desk = Desk::open(Engine::Sqlite).await;
    let origin = |origin: &str| json!({"name": "Shop", "allowedOrigins": ["https://a.example", origin]});
    let no_origin = |origin: &str| {
        format!(
            "allowedOrigins: {origin:?} is no origin: that is a scheme, a host and perhaps a port, such as https://example.com"
        )
    };
    let cases = [
        (json!({}), "name: is required".to_owned()),
        (json!({"name": ""}), "name: must have from 1 to 100 characters".into()),
        (
            json!({"name": "Shop", "secretKey": "sk_mine"}),
            "secretKey: is not known here; may be name, allowedOrigins or ratePerSecond".into(),
        ),
        (
            json!({"name": "Shop", "allowedOrigins": "*"}),
            "allowedOrigins: must be an array, not \"*\"".into(),
        ),
        (
            json!({"name": "Shop", "allowedOrigins": vec!["*"; 51]}),
            "allowedOrigins: must have at most 50 origins".into(),
        ),
        (origin("example.com"), no_origin("example.com")),
        (origin("https://example.com/"), no_origin("https://example.com/")),
        (origin("https://example.com/shop"), no_origin("https://example.com/shop")),
        (origin("https://exam\nple.com"), no_origin("https://exam\nple.com")),
        (origin("null"), no_origin("null")),
        (origin("https://*.example.com"), no_origin("https://*.example.com")),
    ];
    for (body, expected) in cases {
        let said = refusal(desk.request(Method::POST, "/api/credentials", &body)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{body}");
    }
    for (number, origin) in
        ["*", "https://example.com", "http://localhost:3000", "http://[::1]:8080", "HTTPS://Example.com"]
            .into_iter()
            .enumerate()
    {
        let new = json!({"name": format!("Shop {number}"), "allowedOrigins": [origin]});
        assert_eq!(desk.call(Method::POST, "/api/credentials", new).await.0, 201, "{origin}");
    }
}

#[tokio::test]
async fn no_two_credentials_of_a_team_have_the_same_name() {
    let desk = Desk::open(Engine::Sqlite).await;
    let path = "/api/credentials";
    let (_, created) = desk.call(Method::POST, path, json!({"name": "Shop"})).await;
    let taken = "409 name_taken There is a credential with this name. Take another one.";
    assert_eq!(refusal(desk.request(Method::POST, path, &json!({"name": " shop"}))).await, taken);
    let (_, other) = desk.call(Method::POST, path, json!({"name": "Back office"})).await;
    let (shop, office) = (format!("{path}/{}", created["id"]), format!("{path}/{}", other["id"]));
    assert_eq!(refusal(desk.request(Method::PATCH, &office, &json!({"name": "Shop"}))).await, taken);
    assert_eq!(desk.call(Method::PATCH, &shop, json!({"name": "SHOP"})).await.0, 200, "it is its own");
    let (_, list) = desk.call(Method::GET, path, Value::Null).await;
    let names: Vec<_> = list.as_array().unwrap().iter().map(|credential| &credential["name"]).collect();
    assert_eq!(names, ["Default", "SHOP", "Back office"]);
}
