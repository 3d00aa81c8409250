//! Tokens: for which codes, for how long, and what ends them.

use dregs_server::ops::oauth::{ACCESS_MS, CODE_MS, REFRESH_MS};
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Tx, members};
use reqwest::Method;
use serde_json::json;

use super::super::{refusal, session, team};
use super::{Scene, error, form, query, tokens};
use crate::support::server::{ADMIN_EMAIL, answer};

#[tokio::test]
async fn a_code_is_good_once_in_a_minute_and_for_who_asked() {
    let scene = Scene::set().await;
    let wrong = [
        ("code_verifier", "another-verifier-that-is-of-the-right-length-000", "invalid_grant"),
        ("client_id", "oc_other", "invalid_grant"),
        ("redirect_uri", "http://127.0.0.1:33418/other", "invalid_grant"),
        ("redirect_uri", "http://127.0.0.1:1/callback", "invalid_grant"),
        ("resource", "https://other.example/mcp", "invalid_target"),
    ];
    for (name, value, expected) in wrong {
        let code = scene.code().await;
        let mut params = scene.redemption(&code);
        params.insert(name, value.to_owned());
        assert_eq!(error(scene.token(&params).await), (400, expected.to_owned()), "{name}={value}");
        assert_eq!(scene.token(&scene.redemption(&code)).await.0, 400, "it is spent");
    }
    let late = scene.code().await;
    scene.clock.advance(CODE_MS);
    assert_eq!(error(scene.token(&scene.redemption(&late)).await), (400, "invalid_grant".into()));
    let code = scene.code().await;
    scene.clock.advance(CODE_MS - 1);
    let mut without = scene.redemption(&code);
    without.remove("redirect_uri");
    without.remove("resource");
    let (status, issued) = scene.token(&without).await;
    assert_eq!(status, 200, "{issued}");
    assert_eq!(scene.mcp(&tokens(&issued).0).await, 200);
    // Who comes second shows that there are two.
    assert_eq!(error(scene.token(&scene.redemption(&code)).await), (400, "invalid_grant".into()));
    assert_eq!((scene.mcp(&tokens(&issued).0).await, scene.connections().await.len()), (401, 0));
    assert_eq!(scene.log().await.last().unwrap()[4], json!({"reason": "its code was used again"}));
}

#[tokio::test]
async fn a_request_for_tokens_that_is_no_such_is_refused() {
    let scene = Scene::set().await;
    let cases = [
        ("grant_type", "", 400, "invalid_request"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
        ("client_id", "", 401, "invalid_client"),
        ("code", "", 400, "invalid_request"),
        ("code", "oac_unknown", 400, "invalid_grant"),
        ("code_verifier", "", 400, "invalid_request"),
    ];
    for (name, value, status, expected) in cases {
        let mut params = scene.redemption("oac_none");
        params.insert(name, value.to_owned());
        assert_eq!(error(scene.token(&params).await), (status, expected.to_owned()), "{name}={value}");
    }
    let twice = scene.server.request(Method::POST, "/oauth/token").body("client_id=a&client_id=b");
    let (_, body) = answer(twice.header("Content-Type", "application/x-www-form-urlencoded")).await;
    assert_eq!(body["error"], "invalid_request");
    let in_json = scene.server.request(Method::POST, "/oauth/token").json(&scene.redemption("oac_none"));
    assert_eq!(answer(in_json).await.0, 415);
}

#[tokio::test]
async fn tokens_are_short_lived_and_rotate_and_a_stolen_one_ends_them_all() {
    let scene = Scene::set().await;
    let (first_access, first) = scene.connect().await;
    scene.clock.advance(ACCESS_MS);
    assert_eq!(scene.mcp(&first_access).await, 401, "it has expired");
    let mut other_client = scene.refreshment(&first);
    other_client.insert("client_id", "oc_other".into());
    assert_eq!(error(scene.token(&other_client).await), (400, "invalid_grant".into()));
    let mut other_target = scene.refreshment(&first);
    other_target.insert("resource", "https://other.example/mcp".into());
    assert_eq!(error(scene.token(&other_target).await), (400, "invalid_target".into()));
    let (status, body) = scene.token(&scene.refreshment(&first)).await;
    assert_eq!(status, 200, "{body}");
    let (access, second) = tokens(&body);
    assert_eq!(scene.mcp(&access).await, 200);
    // A guess ends nobody's connection.
    let guess = format!("{}{}", &second[..40], "0".repeat(second.len() - 40));
    assert_eq!(error(scene.token(&scene.refreshment(&guess)).await), (400, "invalid_grant".into()));
    assert_eq!(scene.mcp(&access).await, 200);
    assert_eq!(error(scene.token(&scene.refreshment(&first)).await), (400, "invalid_grant".into()));
    assert_eq!(scene.mcp(&access).await, 401, "the one that was replaced came again");
    assert_eq!(error(scene.token(&scene.refreshment(&second)).await), (400, "invalid_grant".into()));
    let expected = json!(["server", null, "mcp-client.disconnect", {"name": "Desk"},
        {"reason": "a refresh token was used again"}]);
    assert_eq!(scene.log().await.last().unwrap(), &expected);
    // One that nobody uses ends by itself.
    let (_, refresh) = scene.connect().await;
    scene.clock.advance(REFRESH_MS);
    assert_eq!(error(scene.token(&scene.refreshment(&refresh)).await), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn a_connection_ends_with_its_client_its_person_and_a_click() {
    let scene = Scene::set().await;
    let revoke = async |token: &str, client: &str| {
        let params = [("token", token.to_owned()), ("client_id", client.to_owned())].into();
        answer(form(&scene.server, "/oauth/revoke", &params)).await.0.as_u16()
    };
    // The client gives one of its tokens back.
    for which in [0, 1] {
        let issued = scene.connect().await;
        let token = if which == 0 { &issued.0 } else { &issued.1 };
        assert_eq!((revoke(token, "oc_other").await, revoke("unknown", &scene.client).await), (200, 200));
        assert_eq!(scene.mcp(&issued.0).await, 200, "neither was it");
        assert_eq!(revoke(token, &scene.client).await, 200);
        assert_eq!(scene.mcp(&issued.0).await, 401);
    }
    let by_client = json!([ADMIN_EMAIL, "Desk", "mcp-client.disconnect", {"name": "Desk"}, null]);
    assert_eq!(scene.log().await.last().unwrap(), &by_client);
    // The person disconnects it; nobody else does.
    let (access, refresh) = scene.connect().await;
    let pending = scene.code().await;
    let path = format!("/api/oauth/connections/{}", scene.connections().await[0]["id"]);
    let other = session(&scene.server.app, team(&scene.server.app).await, Role::Admin).await;
    let foreign = scene.server.request(Method::DELETE, &path).bearer_auth(&other);
    assert_eq!(refusal(foreign).await, "404 connection_not_found There is no such connection.");
    assert_eq!(answer(scene.as_person(Method::DELETE, &path)).await.0, 204);
    assert_eq!(answer(scene.as_person(Method::DELETE, &path)).await.0, 404);
    assert_eq!((scene.mcp(&access).await, scene.token(&scene.refreshment(&refresh)).await.0), (401, 400));
    assert_eq!(scene.token(&scene.redemption(&pending)).await.0, 400, "what was approved before ends too");
    // Whoever connects it again has one connection with it.
    let earlier = scene.connect().await.0;
    let later = scene.connect().await.0;
    assert_eq!((scene.mcp(&earlier).await, scene.mcp(&later).await), (401, 200));
    assert_eq!(scene.connections().await.len(), 1);
}

#[tokio::test]
async fn a_client_may_what_its_person_may_now() {
    let scene = Scene::set().await;
    let person = session(&scene.server.app, team(&scene.server.app).await, Role::User).await;
    let (_, me) = answer(scene.server.request(Method::GET, "/api/auth/me").bearer_auth(&person)).await;
    let user = me["id"].as_i64().unwrap();
    let code = query(&scene.decide(&person, "approve", &scene.params()).await)["code"].clone();
    let (access, refresh) = tokens(&scene.token(&scene.redemption(&code)).await.1);
    scene.server.track("e1", "ada").await;
    let disregard = async || {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "set_identity_disregarded", "arguments": {"id": "ada", "disregarded": false}}});
        let message = scene.server.request(Method::POST, "/mcp").bearer_auth(&access).json(&call);
        let (_, mut body) = answer(message.header("Accept", "application/json, text/event-stream")).await;
        body["result"]["isError"].take()
    };
    assert_eq!(disregard().await, json!(false));
    let team_id = team(&scene.server.app).await;
    let demote = move |tx: &mut Tx| members::set_role(tx, team_id, user, Role::Viewer);
    scene.server.app.store.write(demote).await.unwrap();
    assert_eq!(disregard().await, json!(true), "a viewer may only read");
    scene.server.app.store.write(move |tx| users::delete(tx, user)).await.unwrap();
    assert_eq!(scene.mcp(&access).await, 401);
    assert_eq!(scene.token(&scene.refreshment(&refresh)).await.0, 400);
}
