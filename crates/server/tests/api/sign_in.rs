//! People and their sessions.

use std::sync::Arc;

use dregs_core::time::{HOUR_MS, Timestamp};
use dregs_server::clock::ManualClock;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::refusal;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, TestServer, answer};

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
    let user =
        json!({"id": 1, "email": ADMIN_EMAIL, "role": "ADMIN", "createdAt": "2026-11-23T09:00:00.000Z"});
    let expected = json!({"token": null, "expiresAt": "2026-11-24T01:00:00.000Z", "user": user});
    assert_eq!((status.as_u16(), session), (200, expected));
    assert_eq!(answer(me(&server, &token)).await, (200.try_into().unwrap(), user));
    let logout = server.request(Method::POST, "/api/auth/logout").bearer_auth(&token);
    assert_eq!(answer(logout).await, (204.try_into().unwrap(), Value::Null));
    assert_eq!(refusal(me(&server, &token)).await, ENDED);
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
    let wrong = "401 unauthenticated E-mail address and password do not go together.";
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
    assert_eq!(long, "400 bad_request password: must be at most 1024 bytes");
}
