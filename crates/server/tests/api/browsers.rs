//! Events from browsers: who may send them from where, and what they may say.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::faithful::stored;
use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{PUBLIC_KEY, TestServer, answer, event, eventually};
use dregs_server::store::users::Role;

const ORIGIN: &str = "https://app.example.com";

/// A server whose credential allows these origins.
async fn allowing(origins: &[&str], trusted_proxies: &str) -> TestServer {
    let trusted = trusted_proxies.parse::<ipnet::IpNet>().ok();
    let server =
        TestServer::start_with(Engine::Sqlite, |config| config.trusted_proxies.extend(trusted)).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let (_, credentials) = answer(server.request(Method::GET, "/api/credentials").bearer_auth(&admin)).await;
    let path = format!("/api/credentials/{}", credentials[0]["id"]);
    let change =
        server.request(Method::PATCH, &path).bearer_auth(&admin).json(&json!({"allowedOrigins": origins}));
    assert_eq!(answer(change).await.0, 200);
    server
}

fn from(server: &TestServer, origin: Option<&str>, body: &Value) -> RequestBuilder {
    to(server, "/api/events", origin, body)
}

fn to(server: &TestServer, path: &str, origin: Option<&str>, body: &Value) -> RequestBuilder {
    let request = server.request(Method::POST, path).bearer_auth(PUBLIC_KEY).json(body);
    origin.into_iter().fold(request, |request, origin| request.header("Origin", origin))
}

/// The origin that the browser is told may read the answer.
fn readable_by(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap())
}

/// What an origin that is not allowed is answered, and a request without one.
fn refused(origin: Option<&str>) -> &'static str {
    match origin {
        Some(_) => {
            "403 origin_not_allowed A public key works from the origins that its credential allows, and that of this \
             request is none of them: allow it in Settings, Credentials."
        }
        None => {
            "403 origin_not_allowed A public key works from the origins that its credential allows, and this request \
             names none, as a browser does. A server sends with the secret key."
        }
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_send_events_and_read_the_answers() {
    let server = allowing(&[ORIGIN, "http://localhost:3000"], "").await;
    for (n, origin) in [ORIGIN, "http://localhost:3000", "HTTPS://APP.example.com"].into_iter().enumerate() {
        let good = from(&server, Some(origin), &event(&format!("e{n}"), "ada")).send().await.unwrap();
        assert_eq!((good.status().as_u16(), readable_by(&good)), (200, Some(origin)));
        assert_eq!(good.headers()["vary"], "Origin");
        let bad = from(&server, Some(origin), &json!({})).send().await.unwrap();
        assert_eq!((bad.status().as_u16(), readable_by(&bad)), (400, Some(origin)));
        let large = from(&server, Some(origin), &json!("x".repeat(300_000))).send().await.unwrap();
        assert_eq!((large.status().as_u16(), readable_by(&large)), (413, Some(origin)));
    }
    let elsewhere = [
        None,
        Some("https://evil.example.com"),
        Some("null"),
        Some("https://app.example.com.evil.example"),
        Some(""),
    ];
    for origin in elsewhere {
        let request = from(&server, origin, &event("e9", "eve"));
        assert_eq!(readable_by(&request.try_clone().unwrap().send().await.unwrap()), None);
        assert_eq!(refusal(request).await, refused(origin), "{origin:?}");
    }
    assert_eq!(stored(&server, "eve").await, []);
}

#[tokio::test]
async fn a_star_allows_every_origin_and_nothing_allows_none() {
    let open = allowing(&["*"], "").await;
    assert_eq!(answer(from(&open, Some("https://any.example"), &event("e1", "ada"))).await.0, 200);
    assert_eq!(answer(from(&open, None, &event("e2", "ada"))).await.0, 403);
    let closed = allowing(&[], "").await;
    assert_eq!(answer(from(&closed, Some(ORIGIN), &event("e1", "ada"))).await.0, 403);
}

#[tokio::test]
async fn the_trace_of_a_page_goes_on_with_the_webhook() {
    let server = allowing(&[ORIGIN], "").await;
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    server.channel("App", json!({"url": receiver.url()})).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-";
    let sent = from(&server, Some(ORIGIN), &event("e1", "ada"));
    assert_eq!(answer(sent.header("traceparent", format!("{trace}00f067aa0ba902b7-01"))).await.0, 200);
    let webhook = eventually("the webhook", async || receiver.requests().pop()).await;
    let told = webhook.headers["traceparent"].to_str().unwrap();
    assert!(told.starts_with(trace) && !told.contains("00f067aa0ba902b7"), "{told}");
}

#[tokio::test]
async fn browsers_ask_before_they_send() {
    let server = allowing(&[ORIGIN], "").await;
    let ask = async |path: &str, origin: &str| {
        let request = server.request(Method::OPTIONS, path).header("Origin", origin);
        let response = request.header("Access-Control-Request-Method", "POST").send().await.unwrap();
        assert_eq!(response.status(), 204);
        let allow = |name: &str| {
            let value = response.headers().get(format!("access-control-{name}"));
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        json!([allow("allow-origin"), allow("allow-methods"), allow("allow-headers"), allow("max-age")])
    };
    for path in ["/api/events", "/api/events/batch"] {
        assert_eq!(
            ask(path, ORIGIN).await,
            json!([ORIGIN, "POST", "authorization, content-type, traceparent, tracestate", "600"])
        );
        assert_eq!(ask(path, "https://evil.example.com").await, json!([null, null, null, null]));
    }
}

#[tokio::test]
async fn origins_that_are_refused_are_listed_until_they_are_allowed() {
    let server = allowing(&[ORIGIN], "").await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let get = async |path: &str| answer(server.request(Method::GET, path).bearer_auth(&admin)).await.1;
    let refused = async || {
        let all = get("/api/credentials/refused-origins").await;
        let mut all: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|one| json!([one["origin"], one["credentialId"], one["count"], one["canBeAllowed"]]))
            .collect();
        all.sort_by_key(Value::to_string);
        json!(all)
    };
    let ask = async |origin: &str| {
        let request = server.request(Method::OPTIONS, "/api/events/batch").header("Origin", origin);
        request.send().await.unwrap();
    };
    for origin in [ORIGIN, "https://www.example.com", "https://www.example.com", "null", "no origin", ""] {
        ask(origin).await;
    }
    for origin in [Some(ORIGIN), Some("https://old.example.com"), Some("*"), None] {
        from(&server, origin, &event("e1", "ada")).send().await.unwrap();
    }
    let credential = get("/api/credentials").await[0]["id"].clone();
    let old = json!(["https://old.example.com", credential, 1, true]);
    let (www, local) = (json!(["https://www.example.com", null, 2, true]), json!(["null", null, 1, false]));
    assert_eq!(refused().await, json!([old, www, local]));
    let allow = async |origins: Value| {
        let path = format!("/api/credentials/{credential}");
        let change = server.request(Method::PATCH, &path).bearer_auth(&admin);
        assert_eq!(answer(change.json(&json!({"allowedOrigins": origins}))).await.0, 200);
    };
    allow(json!([ORIGIN, "https://www.example.com"])).await;
    assert_eq!(refused().await, json!([old, local]));
    allow(json!(["*"])).await;
    assert_eq!(refused().await, json!([]));
}

#[tokio::test]
async fn what_the_script_saw_of_a_device_can_be_read_again() {
    let server = allowing(&[ORIGIN], "").await;
    let components =
        json!({"canvas": "c1", "colorDepth": 24, "hardwareConcurrency": 8, "userAgent": "Firefox"});
    let mut first = event("e1", "ada");
    first["device"] = json!({"components": components, "interaction": {"clicks": 2}});
    first["identity"] = json!({"id": "ada", "data": {"name": "Ada"}});
    let (_, stored) = answer(from(&server, Some(ORIGIN), &first)).await;
    let mut second = event("e2", "ada");
    second["device"] = json!({"fingerprint": "of a backend"});
    assert_eq!(server.post("/api/events", second).await["fingerprint"], "of a backend");
    let path = format!("/api/devices/{}/components", stored["fingerprint"].as_str().unwrap());
    let told = server.get(&path).await;
    let expected = [
        json!({"name": "canvas", "value": "c1", "inFingerprint": true, "part": "DRAWING"}),
        json!({"name": "colorDepth", "value": 24, "inFingerprint": true, "part": "SCREEN"}),
        json!({"name": "hardwareConcurrency", "value": 8, "inFingerprint": true, "part": "MACHINE"}),
        json!({"name": "userAgent", "value": "Firefox", "inFingerprint": false, "part": null}),
    ];
    assert_eq!((&told["components"], &told["eventId"]), (&json!(expected), &json!("e1")));
    assert!(told["reportedAt"].is_string());
    let nothing = json!({"components": [], "eventId": null, "reportedAt": null});
    assert_eq!(server.get("/api/devices/of%20a%20backend/components").await, nothing);
    let event = server.get("/api/events/e1").await;
    assert_eq!(
        (&event["components"], &event["interaction"]["clicks"], &event["identityData"]),
        (&components, &json!(2), &json!({"name": "Ada"}))
    );
}

#[tokio::test]
async fn a_page_sends_many_events_at_once_by_the_same_rules() {
    const PATH: &str = "/api/events/batch";
    let server = allowing(&[ORIGIN], "").await;
    let mut lying = event("e1", "ada");
    lying["ip"] = json!("198.51.100.1");
    lying["userAgent"] = json!("a lie");
    let batch = json!([lying, {"type": "of nobody"}, event("e2", "ada")]);
    let evil = Some("https://evil.example.com");
    assert_eq!(refusal(to(&server, PATH, evil, &batch)).await, refused(evil));
    assert_eq!(stored(&server, "ada").await, []);
    let sent = to(&server, PATH, Some(ORIGIN), &batch).header("User-Agent", "Mozilla/5.0 (true)");
    let response = sent.send().await.unwrap();
    assert_eq!((response.status().as_u16(), readable_by(&response)), (200, Some(ORIGIN)));
    let answers: Value = response.json().await.unwrap();
    let said: Vec<_> = answers.as_array().unwrap().iter().map(|answer| &answer["status"]).collect();
    assert_eq!(said, ["success", "error", "success"]);
    let stored = stored(&server, "ada").await;
    let seen = stored.iter().map(|event| (event.ip.unwrap().to_string(), event.user_agent.as_deref()));
    assert_eq!(seen.collect::<Vec<_>>(), vec![("127.0.0.1".to_owned(), Some("Mozilla/5.0 (true)")); 2]);
    let large = to(&server, PATH, Some(ORIGIN), &json!("x".repeat(5_000_000))).send().await.unwrap();
    assert_eq!((large.status().as_u16(), readable_by(&large)), (413, Some(ORIGIN)));
}

#[tokio::test]
async fn a_browser_does_not_say_where_it_is() {
    let cases = [
        // Nobody is trusted; the connection's own address counts.
        ("", "203.0.113.9", "127.0.0.1"),
        // The proxy is trusted, and only what it added.
        ("127.0.0.0/8", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "not an address", "127.0.0.1"),
    ];
    for (proxies, forwarded, expected) in cases {
        let server = allowing(&[ORIGIN], proxies).await;
        let mut sent = event("e1", "ada");
        sent["ip"] = json!("198.51.100.1");
        sent["userAgent"] = json!("a lie");
        sent["device"] = json!({"components": {"screen": "1x1"}, "fingerprint": "mine"});
        let request = from(&server, Some(ORIGIN), &sent).header("X-Forwarded-For", forwarded);
        let (status, said) = answer(request.header("User-Agent", "Mozilla/5.0 (true)")).await;
        assert_eq!(status, 200);
        let stored = stored(&server, "ada").await.remove(0);
        assert_eq!(stored.ip.map(|ip| ip.to_string()).as_deref(), Some(expected), "{proxies} {forwarded}");
        assert_eq!(stored.user_agent.as_deref(), Some("Mozilla/5.0 (true)"));
        assert_eq!(
            (said["fingerprint"].as_str(), said["fingerprint"] == "mine"),
            (stored.fingerprint.as_deref(), false)
        );
    }
}

#[tokio::test]
async fn the_browser_script_is_there_for_every_page_and_not_sent_twice() {
    let server = TestServer::start(Engine::Sqlite).await;
    let first = server.request(Method::GET, "/dregs.js").send().await.unwrap();
    let header = |name: &str| first.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (first.status().as_u16(), header("content-type")),
        (200, "text/javascript; charset=utf-8".into())
    );
    assert_eq!(readable_by(&first), Some("*"));
    let tag = header("etag");
    assert!(first.text().await.unwrap().contains("dregs_init"));
    let again = server.request(Method::GET, "/dregs.js").header("If-None-Match", tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));
}
