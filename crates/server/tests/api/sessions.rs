//! Sessions: listed to whoever has them, and ended, on every node.

use std::sync::Arc;

use dregs_core::time::{MINUTE_MS, Timestamp};
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use dregs_server::vault::token_hash;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer};
use dregs_server::store::users::Role;

on_both_engines!(
    a_person_sees_their_sessions_and_ends_one_or_all_others,
    an_admin_ends_the_sessions_of_a_member,
    that_a_session_is_in_use_is_noted_once_a_minute,
);

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const ENDED: &str = "401 unauthenticated The session is unknown or has ended. Sign in.";

fn at(text: &str) -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::parse(text).unwrap()))
}

async fn start(engine: Engine, clock: &Arc<ManualClock>) -> TestServer {
    let change = |config: &mut Config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        let databases = format!("{}/tests/data/city.mmdb", env!("CARGO_MANIFEST_DIR"));
        config.geo_databases = vec![databases.into()];
    };
    TestServer::start_on(Ground::new(engine), Arc::clone(clock) as _, change).await
}

async fn sign_in(server: &TestServer, address: &str, agent: &str) -> String {
    let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let request = server.request(Method::POST, "/api/auth/login").json(&body);
    let request = request.header("X-Forwarded-For", address).header("User-Agent", agent);
    let (status, session) = answer(request).await;
    assert_eq!(status, 200, "{session}");
    session["token"].as_str().unwrap().to_owned()
}

fn get(server: &TestServer, token: &str, path: &str) -> RequestBuilder {
    server.request(Method::GET, path).bearer_auth(token)
}

fn id(token: &str) -> String {
    hex::encode(token_hash(token))
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn a_person_sees_their_sessions_and_ends_one_or_all_others(engine: Engine) {
    let clock = at("2026-11-23T09:00:00Z");
    let server = start(engine, &clock).await;
    let mine = sign_in(&server, "203.0.113.7", FIREFOX).await;
    clock.advance(1);
    let other = sign_in(&server, "192.0.2.1", "curl/8.14.1").await;
    let listed = async |token: &str| answer(get(&server, token, "/api/auth/sessions")).await.1;
    let row = |token: &str, told: Value, time: &str, is_current: bool| {
        json!({"id": id(token), "device": told[0], "address": told[1], "country": told[2],
            "begunAt": format!("2026-11-23T09:00:00.{time}Z"), "lastSeenAt": format!("2026-11-23T09:00:00.{time}Z"),
            "expiresAt": format!("2026-11-24T01:00:00.{time}Z"), "current": is_current})
    };
    let first = |is| row(&mine, json!(["Firefox 145 on Linux", "203.0.113.7", "DE"]), "000", is);
    let second = |is| row(&other, json!(["curl", "192.0.2.1", null]), "001", is);
    assert_eq!(listed(&mine).await, json!([second(false), first(true)]));
    assert_eq!(listed(&other).await, json!([second(true), first(false)]));

    let end = |token: &str, id: &str| {
        server.request(Method::DELETE, &format!("/api/auth/sessions/{id}")).bearer_auth(token)
    };
    let unknown = "404 session_not_found There is no such session.";
    let stranger = session(&server.app, team(&server.app).await, Role::Admin).await;
    assert_eq!(refusal(end(&stranger, &id(&mine))).await, unknown, "it is another person's");
    assert_eq!(refusal(end(&mine, "nonsense")).await, unknown);
    assert_eq!(status(end(&mine, &id(&other))).await, 204);
    assert_eq!(refusal(get(&server, &other, "/api/auth/me")).await, ENDED);
    assert_eq!(listed(&mine).await, json!([first(true)]));

    let others = [sign_in(&server, "192.0.2.1", "").await, sign_in(&server, "192.0.2.2", FIREFOX).await];
    let end_others = server.request(Method::POST, "/api/auth/sessions/actions/end-others");
    assert_eq!(status(end_others.bearer_auth(&mine)).await, 204);
    for other in &others {
        assert_eq!(refusal(get(&server, other, "/api/auth/me")).await, ENDED);
    }
    assert_eq!(listed(&mine).await, json!([first(true)]));
    assert_eq!(status(get(&server, &stranger, "/api/auth/me")).await, 200, "another person goes on");

    let log = answer(get(&server, &mine, "/api/audit-log?pageSize=2")).await.1;
    let told = |n: usize| json!([log["content"][n]["action"], log["content"][n]["before"]]);
    assert_eq!(told(0), json!(["session.revoke-others", {"sessions": 2}]));
    let before = json!({"device": "curl", "address": "192.0.2.1", "begunAt": "2026-11-23T09:00:00.001Z"});
    let revoked = answer(get(&server, &mine, "/api/audit-log?action=session.revoke")).await.1;
    assert_eq!(revoked["content"][0]["before"], before);
}

async fn an_admin_ends_the_sessions_of_a_member(engine: Engine) {
    let clock = at("2026-11-23T09:00:00Z");
    let server = start(engine, &clock).await;
    let (admin, team) = (sign_in(&server, "192.0.2.1", FIREFOX).await, team(&server.app).await);
    let member = session(&server.app, team, Role::User).await;
    let (_, me) = answer(get(&server, &member, "/api/auth/me")).await;
    let end = |id: &Value| {
        let path = format!("/api/team/members/{id}/actions/end-sessions");
        server.request(Method::POST, &path).bearer_auth(&admin)
    };
    assert_eq!(refusal(end(&json!(999))).await, "404 member_not_found There is no such member.");
    assert_eq!(status(end(&me["id"])).await, 204);
    assert_eq!(refusal(get(&server, &member, "/api/auth/me")).await, ENDED);
    assert_eq!(status(get(&server, &admin, "/api/auth/me")).await, 200);
    let log = answer(get(&server, &admin, "/api/audit-log?pageSize=1")).await.1;
    let entry = &log["content"][0];
    assert_eq!(
        json!([entry["action"], entry["targetType"], entry["before"]]),
        json!(["member.end-sessions", "member", {"email": me["email"], "sessions": 1}])
    );
}

async fn that_a_session_is_in_use_is_noted_once_a_minute(engine: Engine) {
    let clock = at("2026-11-23T09:00:00Z");
    let server = start(engine, &clock).await;
    let token = sign_in(&server, "192.0.2.1", FIREFOX).await;
    let seen = async || answer(get(&server, &token, "/api/auth/sessions")).await.1[0]["lastSeenAt"].clone();
    clock.advance(MINUTE_MS - 1);
    assert_eq!(seen().await, "2026-11-23T09:00:00.000Z");
    clock.advance(1);
    assert_eq!(seen().await, "2026-11-23T09:01:00.000Z");
    clock.advance(MINUTE_MS - 1);
    assert_eq!(seen().await, "2026-11-23T09:01:00.000Z");
}

#[tokio::test]
async fn a_session_ends_on_every_node() {
    let first = TestServer::start(Engine::Postgres).await;
    let (url, key) = (first.app.config.database_url.clone(), first.app.config.data_dir.join("master.key"));
    let second = TestServer::start_with(Engine::Sqlite, |config| {
        (config.database_url, config.master_key_file) = (url, Some(key));
    })
    .await;
    let (mine, other) = (sign_in(&first, "", FIREFOX).await, sign_in(&second, "", FIREFOX).await);
    assert_eq!(status(get(&second, &other, "/api/auth/me")).await, 200);
    let end = first.request(Method::DELETE, &format!("/api/auth/sessions/{}", id(&other)));
    assert_eq!(status(end.bearer_auth(&mine)).await, 204);
    assert_eq!(refusal(get(&second, &other, "/api/auth/me")).await, ENDED);
}
