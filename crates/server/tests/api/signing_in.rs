//! People and their sessions.

use std::sync::Arc;

use dregs_core::time::{HOUR_MS, MINUTE_MS, Timestamp};
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::refusal;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer, eventually};

fn login(server: &TestServer, email: &str, password: &str) -> RequestBuilder {
    let body = json!({"email": email, "password": password});
    server.request(Method::POST, "/api/auth/login").json(&body)
}

async fn token(server: &TestServer) -> String {
    let (status, session) = answer(login(server, ADMIN_EMAIL, ADMIN_PASSWORD)).await;
    assert_eq!(status, 200, "{session}");
    session["token"].as_str().unwrap().to_owned()
}

fn me(server: &TestServer, token: &str) -> RequestBuilder {
    server.request(Method::GET, "/api/auth/me").bearer_auth(token)
}

const ENDED: &str = "401 unauthenticated The session is unknown or has ended. Sign in.";

#[tokio::test]
async fn a_person_signs_in_and_out() {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let server = TestServer::start_at(Engine::Sqlite, &clock).await;
    let (status, mut session) = answer(login(&server, " Admin@Example.COM", ADMIN_PASSWORD)).await;
    let Value::String(token) = session["token"].take() else { panic!("no token in {session}") };
    let user = json!({"id": 1, "email": ADMIN_EMAIL, "name": null, "role": "ADMIN", "createdAt": "2026-11-23T09:00:00.000Z", "hasPassword": true, "fromProvider": false, "secondFactor": false, "secondFactorMissing": false});
    let expected = json!({"token": null, "expiresAt": "2026-11-24T01:00:00.000Z", "user": user.clone()});
    assert_eq!((status.as_u16(), session), (200, expected));
    let mut of_team = user;
    of_team["teamId"] = json!(1);
    of_team["teams"] = json!([{"id": 1, "name": "Default", "role": "ADMIN"}]);
    of_team["owner"] = json!(true);
    assert_eq!(answer(me(&server, &token)).await, (200.try_into().unwrap(), of_team));
    let logout = server.request(Method::POST, "/api/auth/logout").bearer_auth(&token);
    assert_eq!(answer(logout).await, (204.try_into().unwrap(), Value::Null));
    assert_eq!(refusal(me(&server, &token)).await, ENDED);
}

#[tokio::test]
async fn whether_somebody_is_signed_in_is_asked_without_an_error() {
    let server = TestServer::start(Engine::Sqlite).await;
    let token = token(&server).await;
    let session = |cookie: &str| {
        server.request(Method::GET, "/api/auth/session").header("Cookie", format!("dregs_session={cookie}"))
    };
    let nobody = (200.try_into().unwrap(), json!({"user": null}));
    let (status, signed_in) = answer(session(&token)).await;
    assert_eq!((status.as_u16(), signed_in["user"].clone()), (200, answer(me(&server, &token)).await.1));
    assert_eq!(answer(server.request(Method::GET, "/api/auth/session")).await, nobody);
    assert_eq!(answer(session("st_unknown")).await, nobody);
    answer(server.request(Method::POST, "/api/auth/logout").bearer_auth(&token)).await;
    assert_eq!(answer(session(&token)).await, nobody);
    // A program that asks who it is hears as before that it is nobody.
    assert_eq!(refusal(me(&server, &token)).await, ENDED);
}

#[tokio::test]
async fn the_list_of_identities_is_built_when_somebody_comes_who_will_look_at_it() {
    let server = TestServer::start(Engine::Sqlite).await;
    server.track("e1", "ada").await;
    let token = token(&server).await;
    eventually("the list", async || (server.app.rosters.size() > 0).then_some(())).await;
    server.app.rosters.drop_unused(server.app.clock.now().plus_millis(HOUR_MS));
    assert_eq!(server.app.rosters.size(), 0);
    answer(me(&server, &token)).await;
    eventually("the list again", async || (server.app.rosters.size() > 0).then_some(())).await;
}

#[tokio::test]
async fn signing_out_ends_one_session_and_sixteen_hours_end_every_one() {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let server = TestServer::start_at(Engine::Sqlite, &clock).await;
    let (first, second) = (token(&server).await, token(&server).await);
    assert_ne!(first, second);
    answer(server.request(Method::POST, "/api/auth/logout").bearer_auth(&first)).await;
    assert_eq!(answer(me(&server, &second)).await.0, 200);
    clock.advance(16 * HOUR_MS - 1);
    assert_eq!(answer(me(&server, &second)).await.0, 200);
    clock.advance(1);
    assert_eq!(refusal(me(&server, &second)).await, ENDED);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_person_look_the_same() {
    let server = TestServer::start(Engine::Sqlite).await;
    let wrong = "401 unauthenticated The e-mail address or the password is wrong.";
    let cases = [
        (ADMIN_EMAIL, "wrong"),
        (ADMIN_EMAIL, ""),
        (ADMIN_EMAIL, "Correct horse battery staple"),
        ("nobody@example.com", ADMIN_PASSWORD),
        ("", ""),
        ("' or 1=1 --", "x"),
    ];
    for (email, password) in cases {
        assert_eq!(refusal(login(&server, email, password)).await, wrong, "{email} {password}");
    }
    let long = refusal(login(&server, ADMIN_EMAIL, &"x".repeat(1_025))).await;
    assert_eq!(long, "400 bad_request password: must have at most 1024 bytes");
}

fn with_cookie(server: &TestServer, method: Method, path: &str, cookie: &str) -> RequestBuilder {
    server.request(method, path).header("Cookie", cookie)
}

/// The session cookie that an answer sets, and its attributes.
async fn cookie(request: RequestBuilder) -> (String, String) {
    let answer = request.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    (pair.to_owned(), attributes.to_owned())
}

#[tokio::test]
async fn a_browser_has_its_session_in_a_cookie_that_other_sites_cannot_use() {
    let proxies = |config: &mut Config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let server = TestServer::start_on(Ground::new(Engine::Sqlite), clock, proxies).await;
    let login = || login(&server, ADMIN_EMAIL, ADMIN_PASSWORD);
    let (cookie_pair, attributes) = cookie(login()).await;
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict; Max-Age=57600");
    let (_, by_https) = cookie(login().header("X-Forwarded-Proto", "https")).await;
    assert_eq!(by_https, format!("{attributes}; Secure"));
    let read = with_cookie(&server, Method::GET, "/api/auth/me", &cookie_pair);
    assert_eq!(answer(read).await.1["email"], ADMIN_EMAIL);

    let rename =
        || with_cookie(&server, Method::PATCH, "/api/team", &cookie_pair).json(&json!({"name": "Shop"}));
    let refused = "403 csrf_refused A browser's session may be used by this server's own pages only.";
    assert_eq!(refusal(rename()).await, refused);
    assert_eq!(refusal(rename().header("Sec-Fetch-Site", "cross-site")).await, refused);
    assert_eq!(refusal(rename().header("Sec-Fetch-Site", "same-site")).await, refused);
    assert_eq!(refusal(rename().header("Origin", "https://evil.example")).await, refused);
    assert_eq!(answer(rename().header("Sec-Fetch-Site", "same-origin")).await.0, 200);
    assert_eq!(answer(rename().header("Origin", server.url(""))).await.0, 200);
    // A bearer is sent by no browser on its own, and needs no guard.
    let bearer = server.request(Method::PATCH, "/api/team").bearer_auth(token(&server).await);
    assert_eq!(
        answer(bearer.json(&json!({"name": "Shop"})).header("Sec-Fetch-Site", "cross-site")).await.0,
        200
    );

    let out = with_cookie(&server, Method::POST, "/api/auth/logout", &cookie_pair);
    let (gone, attributes) = cookie(out.header("Sec-Fetch-Site", "same-origin")).await;
    assert_eq!((gone.as_str(), attributes.contains("Max-Age=0")), ("dregs_session=", true));
    assert_eq!(refusal(with_cookie(&server, Method::GET, "/api/auth/me", &cookie_pair)).await, ENDED);
}

#[tokio::test]
async fn failures_make_an_account_and_an_address_wait() {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let limits = |config: &mut Config| {
        config.login_failures_per_account = 2;
        config.login_failures_per_address = 3;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    };
    let server = TestServer::start_on(Ground::new(Engine::Sqlite), Arc::clone(&clock) as _, limits).await;
    let attempt = async |address: &str, email: &str, password: &str| {
        let answer = login(&server, email, password).header("X-Forwarded-For", address).send().await.unwrap();
        let wait = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), wait)
    };
    let (home, cafe) = ("198.51.100.1", "198.51.100.2");
    let throttled = |seconds: &str| (429, Some(seconds.to_owned()));
    assert_eq!(attempt(home, ADMIN_EMAIL, "wrong").await, (401, None));
    assert_eq!(attempt(home, ADMIN_EMAIL, ADMIN_PASSWORD).await, (200, None), "a success forgets");
    assert_eq!(attempt(home, ADMIN_EMAIL, "wrong").await, (401, None));
    assert_eq!(attempt(home, "ADMIN@example.com", "wrong").await, (401, None));
    assert_eq!(attempt(cafe, ADMIN_EMAIL, ADMIN_PASSWORD).await, throttled("900"), "the account waits");
    assert_eq!(attempt(home, "nobody@example.com", "wrong").await, throttled("900"), "the address waits");
    assert_eq!(attempt(cafe, "nobody@example.com", "wrong").await, (401, None), "another does not");
    clock.advance(15 * MINUTE_MS - 500);
    assert_eq!(attempt(cafe, ADMIN_EMAIL, ADMIN_PASSWORD).await, throttled("1"));
    clock.advance(500);
    assert_eq!(attempt(home, ADMIN_EMAIL, ADMIN_PASSWORD).await, (200, None));
    let (_, metrics) =
        (0, server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap());
    assert!(metrics.contains("dregs_login_throttled_total 3"), "{metrics}");
}

#[tokio::test]
async fn another_password_ends_every_other_session() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (mine, other) = (token(&server).await, token(&server).await);
    let change = |current: &str, new: &str| {
        let body = json!({"currentPassword": current, "newPassword": new});
        server.request(Method::POST, "/api/auth/password").bearer_auth(&mine).json(&body)
    };
    let new = "a password of some length";
    let wrong = "400 wrong_password The current password is wrong.";
    assert_eq!(refusal(change("wrong", new)).await, wrong);
    let short = refusal(change(ADMIN_PASSWORD, "short")).await;
    let expected = "newPassword: must have at least 10 characters, and at most 1024 bytes";
    assert_eq!(short, format!("400 bad_request {expected}"));
    assert_eq!(answer(change(ADMIN_PASSWORD, new)).await.0, 204);
    assert_eq!(answer(me(&server, &mine)).await.0, 200);
    assert_eq!(refusal(me(&server, &other)).await, ENDED);
    assert_eq!(answer(login(&server, ADMIN_EMAIL, ADMIN_PASSWORD)).await.0, 401);
    assert_eq!(answer(login(&server, ADMIN_EMAIL, new)).await.0, 200);
}
