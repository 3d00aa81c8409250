//! The dashboard as it is served: one page for all of its paths, under a policy that lets nothing else in.

use std::io::Read as _;
use std::sync::Arc;

use dregs_core::time::Timestamp;
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use reqwest::{Method, Response};

use super::refusal;
use crate::support::engine::Engine;
use crate::support::server::{Ground, TestServer};

async fn open(server: &TestServer, path: &str) -> Response {
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    server.request(Method::GET, path).header("Accept", browser).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

/// What stands between `before` and `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).expect(before).0
}

#[tokio::test]
async fn browsers_get_the_page_at_every_path_of_it_under_a_policy_that_names_its_styles_alone() {
    let server = TestServer::start(Engine::Sqlite).await;
    let mut nonces = Vec::new();
    for path in ["/", "/identities", "/identities/a%2Fb%40example.com", "/settings/channels/1"] {
        let page = open(&server, path).await;
        assert_eq!(
            (page.status().as_u16(), header(&page, "content-type")),
            (200, "text/html; charset=utf-8")
        );
        assert_eq!(header(&page, "cache-control"), "no-store");
        let policy = header(&page, "content-security-policy").to_owned();
        let nonce = between(&policy, "'nonce-", "'").to_owned();
        let expected = format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(policy, expected);
        let html = page.text().await.unwrap();
        assert_eq!(between(&html, "property=\"csp-nonce\" nonce=\"", "\""), nonce);
        assert!(!html.contains("CSP_NONCE") && !html.contains("<style"), "{html}");
        // No script stands in the page itself.
        assert!(html.split("<script").skip(1).all(|script| script.contains("src=\"/assets/")), "{html}");
        nonces.push(nonce);
    }
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 4);
}

#[tokio::test]
async fn files_are_kept_for_good_and_sent_compressed() {
    let server = TestServer::start(Engine::Sqlite).await;
    let html = open(&server, "/").await.text().await.unwrap();
    let script = between(&html, "src=\"", "\"");
    let request = server.request(Method::GET, script).header("Accept-Encoding", "gzip");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&answer, "content-encoding"), "gzip");
    assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&answer, "vary"), "Accept-Encoding");
    let gzipped = answer.bytes().await.unwrap();
    let plain = server.request(Method::GET, script).send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    let plain = plain.bytes().await.unwrap();
    let mut decoded = Vec::new();
    flate2::read::GzDecoder::new(&*gzipped).read_to_end(&mut decoded).unwrap();
    assert!(decoded == plain, "what is compressed is another file");
    let by_browsers =
        server.request(Method::GET, script).header("Accept-Encoding", "gzip, deflate, br, zstd");
    let answer = by_browsers.send().await.unwrap();
    assert_eq!(header(&answer, "content-encoding"), "br");
    assert!(answer.bytes().await.unwrap().len() < gzipped.len());
    for path in ["/dregs.js", "/api/openapi.json", "/api/docs"] {
        let answer =
            server.request(Method::GET, path).header("Accept-Encoding", "gzip").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "content-encoding")), (200, "gzip"), "{path}");
    }
    let icon = server.request(Method::GET, "/icon.svg").send().await.unwrap();
    assert_eq!(
        (header(&icon, "content-type"), header(&icon, "cache-control")),
        ("image/svg+xml", "public, max-age=3600")
    );
}

#[tokio::test]
async fn who_asks_for_more_files_than_a_page_has_waits() {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let rate = |config: &mut Config| config.address_rate_per_second = 1;
    let server = TestServer::start_on(Ground::new(Engine::Sqlite), clock, rate).await;
    for path in ["/", "/dregs.js", "/api/docs", "/api/openapi.json", "/icon.svg", "/", "/", "/", "/", "/"] {
        assert_eq!(server.request(Method::GET, path).send().await.unwrap().status(), 200, "{path}");
    }
    for path in ["/", "/dregs.js", "/api/docs", "/api/openapi.json", "/icon.svg", "/nothing"] {
        let said = refusal(server.request(Method::GET, path)).await;
        assert_eq!(said, "429 rate_limited Too many requests. Try again in 1 second.", "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/metrics"] {
        assert_eq!(server.request(Method::GET, path).send().await.unwrap().status(), 200, "{path}");
    }
    // They are counted by themselves.
    let said = refusal(server.request(Method::GET, "/metrics")).await;
    assert_eq!(said, "429 rate_limited Too many requests. Try again in 1 second.");
}

#[tokio::test]
async fn what_is_not_there_is_no_page() {
    let server = TestServer::start(Engine::Sqlite).await;
    let expected =
        "404 not_found There is no such path; /api/docs lists those of the API, and /manual explains them.";
    let browser = |method, path| server.request(method, path).header("Accept", "text/html");
    assert_eq!(refusal(browser(Method::GET, "/api/nothing")).await, expected);
    assert_eq!(refusal(browser(Method::POST, "/identities")).await, expected);
    assert_eq!(refusal(server.request(Method::GET, "/assets/nothing.js")).await, expected);
    assert_eq!(refusal(server.request(Method::GET, "/identities")).await, expected);
}
