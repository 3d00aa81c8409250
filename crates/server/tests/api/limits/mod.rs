//! What may be asked in a time, and what one is told who asks for more.

mod rows;
mod tries;

use std::path::Path;
use std::sync::Arc;

use dregs_core::time::Timestamp;
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use dregs_server::store::users::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::{Ground, PUBLIC_KEY, SECRET_KEY, TestServer, answer, event};

const ORIGIN: &str = "https://app.example.com";

struct Scene {
    server: TestServer,
    clock: Arc<ManualClock>,
}

impl Scene {
    async fn set(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
        let server = TestServer::start_on(Ground::new(Engine::Sqlite), Arc::clone(&clock) as _, change).await;
        let scene = Self { server, clock };
        scene.change_credential(json!({"allowedOrigins": [ORIGIN]})).await;
        scene
    }

    async fn change_credential(&self, patch: serde_json::Value) {
        let admin = session(&self.server.app, team(&self.server.app).await, Role::Admin).await;
        let change = self.server.request(Method::PATCH, "/api/credentials/1").bearer_auth(admin).json(&patch);
        assert_eq!(answer(change).await.0, 200);
    }

    fn send(&self, key: &str, address: &str) -> RequestBuilder {
        let body = event(&rand::random::<u64>().to_string(), "ada");
        let request = self.server.request(Method::POST, "/api/events").bearer_auth(key).json(&body);
        request.header("Origin", ORIGIN).header("X-Forwarded-For", address)
    }

    /// Status, Retry-After, and how many are answered 200 before that.
    async fn until_refused(&self, key: &str, address: &str) -> (usize, u16, String) {
        for sent in 0..100 {
            let answer = self.send(key, address).send().await.unwrap();
            if answer.status() != 200 {
                let status = answer.status().as_u16();
                assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN, "a page reads why");
                let wait = answer.headers()["retry-after"].to_str().unwrap().to_owned();
                let body: serde_json::Value = answer.json().await.unwrap();
                assert_eq!(
                    (&body["code"], &body["status"]),
                    (&json!("rate_limited"), &json!("rate_limited"))
                );
                return (sent, status, wait);
            }
        }
        panic!("nothing is refused");
    }
}

#[tokio::test]
async fn a_credential_has_a_rate_of_its_own() {
    let scene = Scene::set(|config| config.credential_rate_per_second = 3).await;
    assert_eq!(scene.until_refused(SECRET_KEY, "1.1.1.1").await, (6, 429, "1".into()), "two seconds' worth");
    scene.clock.advance(1_000);
    assert_eq!(scene.until_refused(PUBLIC_KEY, "1.1.1.1").await, (3, 429, "1".into()), "both keys count");
    scene.clock.advance(1_000);
    let read = || scene.server.request(Method::GET, "/api/identities").bearer_auth(SECRET_KEY);
    for _ in 0..3 {
        assert_eq!(answer(read()).await.0, 200);
    }
    assert_eq!(refusal(read()).await, "429 rate_limited Too many requests. Try again in 1 second.");
    scene.change_credential(json!({"ratePerSecond": 10})).await;
    scene.clock.advance(10_000);
    assert_eq!(scene.until_refused(SECRET_KEY, "1.1.1.1").await.0, 20);
    scene.change_credential(json!({"ratePerSecond": 0})).await;
    let batch = json!((0..500).map(|n| event(&n.to_string(), "ada")).collect::<Vec<_>>());
    let post = scene.server.request(Method::POST, "/api/events/batch").bearer_auth(SECRET_KEY).json(&batch);
    assert_eq!(answer(post).await.0, 200);
    let metrics = scene.server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(r#"dregs_rate_limited_total{kind="credential"} 4"#), "{metrics}");
}

#[tokio::test]
async fn an_address_is_limited_by_public_key_and_by_guessing() {
    let scene = Scene::set(|config| {
        config.address_rate_per_second = 2;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    assert_eq!(scene.until_refused(PUBLIC_KEY, "1.1.1.1").await, (4, 429, "1".into()));
    assert_eq!(answer(scene.send(PUBLIC_KEY, "2.2.2.2")).await.0, 200, "another address is free");
    assert_eq!(answer(scene.send(SECRET_KEY, "1.1.1.1")).await.0, 200, "a backend is not its address");
    let batch = json!((0..3).map(|n| event(&format!("b{n}"), "ada")).collect::<Vec<_>>());
    let many = || {
        let post =
            scene.server.request(Method::POST, "/api/events/batch").bearer_auth(PUBLIC_KEY).json(&batch);
        post.header("Origin", ORIGIN).header("X-Forwarded-For", "5.5.5.5")
    };
    assert_eq!(answer(many()).await.0, 200);
    let refused = many().send().await.unwrap();
    assert_eq!(refused.status(), 429, "each event counts");
    // Two more than there are, and the one that was taken before the batch was read.
    assert_eq!(refused.headers()["retry-after"], "2");
    let guess = async |address: &str| {
        let guess = scene.server.request(Method::GET, "/api/identities").bearer_auth("sk_guess");
        answer(guess.header("X-Forwarded-For", address)).await.0.as_u16()
    };
    let mut guesses = Vec::new();
    for _ in 0..6 {
        guesses.push(guess("3.3.3.3").await);
    }
    assert_eq!(guesses, [401, 401, 401, 401, 429, 429]);
    assert_eq!(guess("4.4.4.4").await, 401);
}

#[tokio::test]
async fn sizes_and_nesting_are_settings_and_count() {
    let server = TestServer::start_with(Engine::Sqlite, |config| {
        (config.body_max_kib, config.batch_max_kib, config.nesting_max_levels) = (1, 2, 4);
    })
    .await;
    let post =
        |path: &str, body: String| server.request(Method::POST, path).bearer_auth(SECRET_KEY).body(body);
    let with_data =
        |data: &str| format!(r#"{{"type": "t", "identity": {{"id": "ada"}}, "data": {{"a": {data}}}}}"#);
    let padded = |kib: usize| format!("{}{}", with_data("1"), " ".repeat(kib * 1024));
    assert_eq!(answer(post("/api/events", with_data("[[1]]"))).await.0, 200);
    let deep = refusal(post("/api/events", with_data("[[[1]]]"))).await;
    assert_eq!(deep, "400 bad_request data.a[0][0]: is nested deeper than 4 levels");
    let large = refusal(post("/api/events", padded(1))).await;
    assert_eq!(large, "413 body_too_large The body is larger than 1 KiB, the server's setting body_max_kib.");
    assert_eq!(
        answer(post("/api/events/batch", format!("[{}]{}", with_data("1"), " ".repeat(1_500)))).await.0,
        200
    );
    let large = refusal(post("/api/events/batch", format!("[{}]", padded(2)))).await;
    assert_eq!(
        large,
        "413 body_too_large The body is larger than 2 KiB, the server's setting batch_max_kib."
    );
    let metrics = server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    for expected in
        [r#"dregs_body_refused_total{limit="size"} 2"#, r#"dregs_body_refused_total{limit="nesting"} 1"#]
    {
        assert!(metrics.contains(expected), "{metrics}");
    }
}

/// What anybody may ask for without a key: every operation of the API, which refuses them or serves them, and whatever
/// else there is.
fn asked_by_anybody() -> Vec<(Method, String)> {
    let document = serde_json::to_value(dregs_server::http::openapi()).unwrap();
    let mut all: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let path = format!("/api{}", path.strip_prefix("/api").unwrap_or(path)).replace(['{', '}'], "");
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| (method.to_ascii_uppercase().parse::<Method>().unwrap(), path.clone()))
        })
        .collect();
    let others = [
        (Method::GET, "/"),
        (Method::GET, "/nothing"),
        (Method::POST, "/nothing"),
        (Method::GET, "/dregs.js"),
        (Method::GET, "/api/nothing"),
        (Method::GET, "/api/openapi.json"),
        (Method::GET, "/api/docs"),
        (Method::DELETE, "/api/events"),
        (Method::OPTIONS, "/api/events"),
        (Method::OPTIONS, "/api/events/batch"),
        (Method::GET, "/manual"),
        (Method::GET, "/manual?term=webhook"),
        (Method::GET, "/manual/print"),
        (Method::GET, "/manual/events"),
        (Method::GET, "/manual/nothing"),
        (Method::GET, "/manual/home.png"),
        (Method::GET, "/healthz"),
        (Method::GET, "/readyz"),
        (Method::GET, "/metrics"),
        (Method::POST, "/mcp"),
        (Method::GET, "/.well-known/oauth-protected-resource"),
        (Method::GET, "/.well-known/oauth-protected-resource/mcp"),
        (Method::GET, "/.well-known/oauth-authorization-server"),
        (Method::POST, "/oauth/register"),
        (Method::POST, "/oauth/token"),
        (Method::POST, "/oauth/revoke"),
    ];
    all.extend(others.map(|(method, path)| (method, path.to_owned())));
    all
}

#[tokio::test]
async fn whatever_needs_no_key_is_counted_by_address() {
    let scene = Scene::set(|config| {
        config.address_rate_per_second = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let keys = [("no key", None), ("a public key", Some(PUBLIC_KEY)), ("a wrong key", Some("sk_guess"))];
    let (mut free, mut asked) = (Vec::new(), 0_u32);
    for (method, path) in asked_by_anybody() {
        for (what, key) in keys {
            asked += 1;
            // Each from an address of its own, and from an origin that may not send.
            let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + asked).to_string();
            let mut is_refused = false;
            for _ in 0..11 {
                let request = scene.server.request(method.clone(), &path).header("X-Forwarded-For", &address);
                let request = request.header("Origin", "https://evil.example").json(&json!({}));
                let request = key.into_iter().fold(request, RequestBuilder::bearer_auth);
                is_refused = request.send().await.unwrap().status() == 429;
                if is_refused {
                    break;
                }
            }
            if !is_refused {
                free.push(format!("{method} {path} with {what}"));
            }
        }
    }
    assert_eq!(free, Vec::<String>::new(), "asked for as often as one likes");
}

/// Where the table of limits stands.
fn security() -> (std::path::PathBuf, String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SECURITY.md");
    let text = std::fs::read_to_string(&file).unwrap();
    (file, text)
}

/// The text with the table as it is now.
fn with_current_table(text: &str) -> String {
    let (before, rest) = text.split_once("<!-- limits -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of limits -->\n").unwrap();
    format!("{before}<!-- limits -->\n{}<!-- end of limits -->\n{after}", dregs_server::http::limits::table())
}

#[test]
fn the_table_of_limits_is_current() {
    let (_, text) = security();
    let current = with_current_table(&text);
    assert!(text == current, "run `cargo test --locked --workspace --test main -- --ignored rewrite_limits`");
}

#[test]
#[ignore = "writes SECURITY.md"]
fn rewrite_limits() {
    let (file, text) = security();
    std::fs::write(file, with_current_table(&text)).unwrap();
}
