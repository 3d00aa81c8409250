//! The people of a team: invited, promoted, removed, and never without an admin.

use dregs_server::store::users::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, TestServer, answer};

on_both_engines!(a_team_grows_and_never_loses_its_last_admin, a_team_has_reasons_of_its_own);

struct Desk {
    server: TestServer,
    admin: String,
}

impl Desk {
    async fn open(engine: Engine) -> Self {
        let server = TestServer::start(engine).await;
        let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        let (_, session) = answer(server.request(Method::POST, "/api/auth/login").json(&body)).await;
        let admin = session["token"].as_str().unwrap().to_owned();
        Self { server, admin }
    }

    fn request(&self, method: Method, path: &str, body: Value) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(&self.admin).json(&body)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, answer) = answer(self.request(method, path, body)).await;
        (status.as_u16(), answer)
    }

    fn accept(&self, token: &Value, password: &str) -> RequestBuilder {
        let body = json!({"token": token, "name": " Bob ", "password": password});
        self.server.request(Method::POST, "/api/auth/accept-invitation").json(&body)
    }

    /// Whether an invitation holds, as its link asks before it shows a form.
    fn check(&self, token: &Value) -> RequestBuilder {
        self.server.request(Method::POST, "/api/auth/check-invitation").json(&json!({ "token": token }))
    }

    async fn invite(&self, email: &str, role: &str) -> Value {
        let body = json!({"email": email, "role": role});
        let (status, invitation) = self.call(Method::POST, "/api/team/invitations", body).await;
        assert_eq!(status, 201, "{invitation}");
        invitation
    }

    async fn members(&self) -> Vec<Value> {
        let (_, members) = self.call(Method::GET, "/api/team/members", Value::Null).await;
        members.as_array().unwrap().iter().map(|member| json!([member["email"], member["role"]])).collect()
    }
}

async fn a_team_grows_and_never_loses_its_last_admin(engine: Engine) {
    let desk = Desk::open(engine).await;
    let invitation = desk.invite(" Bob@Example.com ", "USER").await;
    assert_eq!(invitation["email"], "bob@example.com");
    let (_, listed) = desk.call(Method::GET, "/api/team/invitations", Value::Null).await;
    let mut without_token = invitation.clone();
    without_token.as_object_mut().unwrap().remove("token");
    assert_eq!(listed, json!([without_token]));

    let token = &invitation["token"];
    let long = "must have at least 10 characters, and at most 1024 bytes";
    assert_eq!(refusal(desk.accept(token, "short")).await, format!("400 bad_request password: {long}"));
    let (status, invited) = answer(desk.check(token)).await;
    let expected =
        json!({"email": "bob@example.com", "role": "USER", "team": "Default", "hasAccount": false});
    assert_eq!((status.as_u16(), invited), (200, expected));
    let (status, joined) = answer(desk.accept(token, "a long password")).await;
    assert_eq!(
        (status.as_u16(), &joined["user"]["name"], &joined["user"]["role"]),
        (200, &json!("Bob"), &json!("USER"))
    );
    let gone = "404 invitation_not_found There is no such invitation.";
    assert_eq!(refusal(desk.check(token)).await, gone, "it is used up");
    assert_eq!(refusal(desk.accept(token, "a long password")).await, gone);
    assert_eq!(refusal(desk.accept(&json!("inv_none"), "a long password")).await, gone);
    let again = desk.request(
        Method::POST,
        "/api/team/invitations",
        json!({"email": "bob@example.com", "role": "USER"}),
    );
    assert_eq!(refusal(again).await, "409 email_taken Somebody in the team has this e-mail address already.");
    let withdrawn = desk.invite("eve@example.com", "ADMIN").await;
    let path = format!("/api/team/invitations/{}", withdrawn["id"]);
    assert_eq!(desk.call(Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(refusal(desk.accept(&withdrawn["token"], "a long password")).await, gone);
    assert_eq!(refusal(desk.check(&withdrawn["token"])).await, gone);

    // Two admins, one of whom steps down; the other cannot.
    let bob = format!("/api/team/members/{}", joined["user"]["id"]);
    let last = "409 last_admin A team needs an admin. Make somebody else one first.";
    let demote = |path: &str| desk.request(Method::PATCH, path, json!({"role": "VIEWER"}));
    let (_, me) = desk.call(Method::GET, "/api/auth/me", Value::Null).await;
    let me = format!("/api/team/members/{}", me["id"]);
    assert_eq!(refusal(demote(&me)).await, last);
    assert_eq!(refusal(desk.request(Method::DELETE, &me, Value::Null)).await, last);
    assert_eq!(desk.call(Method::PATCH, &bob, json!({"role": "ADMIN"})).await.1["role"], "ADMIN");
    assert_eq!(answer(demote(&me)).await.0, 200);
    assert_eq!(desk.members().await, [json!([ADMIN_EMAIL, "VIEWER"]), json!(["bob@example.com", "ADMIN"])]);
    assert_eq!(refusal(demote(&bob)).await, "403 forbidden Only an admin may do this.");

    // Who is removed is signed out, and anybody may leave.
    let bobs = joined["token"].as_str().unwrap();
    let as_bob = |method: Method, path: &str| desk.server.request(method, path).bearer_auth(bobs);
    let remove_bob = desk.request(Method::DELETE, &bob, Value::Null);
    assert_eq!(refusal(remove_bob).await, "403 forbidden Only an admin may remove others.");
    let leave = desk.request(Method::DELETE, &me, Value::Null);
    assert_eq!(answer(leave).await.0, 204);
    assert_eq!(answer(as_bob(Method::GET, "/api/auth/me")).await.0, 200);
    let ended = "401 unauthenticated The session is unknown or has ended. Sign in.";
    assert_eq!(refusal(desk.request(Method::GET, "/api/auth/me", Value::Null)).await, ended);
    assert_eq!(refusal(as_bob(Method::DELETE, &bob)).await, last);
}

#[tokio::test]
async fn two_admins_who_demote_each_other_at_once_leave_one() {
    let server = TestServer::start(Engine::Postgres).await;
    let team_id = team(&server.app).await;
    // The first admin goes, so that two are left.
    let (one, other) =
        (session(&server.app, team_id, Role::Admin).await, session(&server.app, team_id, Role::Admin).await);
    let id = async |token: &str| {
        answer(server.request(Method::GET, "/api/auth/me").bearer_auth(token)).await.1["id"].clone()
    };
    let (first, second) = (id(&one).await, id(&other).await);
    let members = answer(server.request(Method::GET, "/api/team/members").bearer_auth(&one)).await.1;
    let path = |id: &Value| format!("/api/team/members/{id}");
    let remove = server.request(Method::DELETE, &path(&members[0]["id"])).bearer_auth(&one);
    assert_eq!(answer(remove).await.0, 204);
    let demote = async |token: &str, id: &Value| {
        let body = json!({"role": "USER"});
        answer(server.request(Method::PATCH, &path(id)).bearer_auth(token).json(&body)).await.0.as_u16()
    };
    let (a, b) = tokio::join!(demote(&one, &second), demote(&other, &first));
    assert!(matches!((a, b), (200, 403 | 409) | (403 | 409, 200)), "{a} {b}");
}

#[tokio::test]
async fn an_mcp_token_is_its_persons_alone() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (mine, others) = (
        session(&server.app, team(&server.app).await, Role::User).await,
        session(&server.app, team(&server.app).await, Role::Admin).await,
    );
    let call = |method: Method, path: &str, token: &str| server.request(method, path).bearer_auth(token);
    let new = call(Method::POST, "/api/mcp-tokens", &mine).json(&json!({"name": " Assistant "}));
    let (status, mut created) = answer(new).await;
    let token = created.as_object_mut().unwrap().remove("token").unwrap();
    assert_eq!((status.as_u16(), token.as_str().unwrap().starts_with("mcp_")), (201, true));
    assert_eq!(answer(call(Method::GET, "/api/mcp-tokens", &mine)).await.1, json!([created]));
    assert_eq!(answer(call(Method::GET, "/api/mcp-tokens", &others)).await.1, json!([]));
    let again = json!({"name": "assistant"});
    let taken = "409 name_taken There is a token with this name. Take another one.";
    assert_eq!(refusal(call(Method::POST, "/api/mcp-tokens", &mine).json(&again)).await, taken);
    let theirs = call(Method::POST, "/api/mcp-tokens", &others).json(&again);
    assert_eq!(answer(theirs).await.0, 201, "names are free for everybody else");
    let path = format!("/api/mcp-tokens/{}", created["id"]);
    let not_found = "404 token_not_found There is no such token.";
    assert_eq!(refusal(call(Method::DELETE, &path, &others)).await, not_found);
    assert_eq!(answer(call(Method::DELETE, &path, &mine)).await.0, 204);
    assert_eq!(answer(call(Method::GET, "/api/mcp-tokens", &mine)).await.1, json!([]));
}

async fn a_team_has_reasons_of_its_own(engine: Engine) {
    let desk = Desk::open(engine).await;
    let change = async |body: Value| desk.call(Method::PATCH, "/api/team", body).await;
    let shipped = desk.server.get("/api/team").await;
    assert!(shipped["labelReasons"]["bad"].as_array().unwrap().contains(&json!("Stolen card")), "{shipped}");
    let (status, changed) = change(json!({"labelReasons": {"good": [" Our own tester "], "bad": []}})).await;
    let own = json!({"good": ["Our own tester"], "bad": []});
    assert_eq!((status, &changed["labelReasons"], &changed["name"]), (200, &own, &shipped["name"]));
    let (status, renamed) = change(json!({"name": "Shop"})).await;
    assert_eq!((status, &renamed["labelReasons"], &renamed["name"]), (200, &own, &json!("Shop")));
    for (body, field) in [
        (json!({}), ""),
        (json!({"labelReasons": {"good": ["  "], "bad": []}}), "labelReasons.good[0]"),
        (json!({"labelReasons": {"good": [], "bad": ["x".repeat(201)]}}), "labelReasons.bad[0]"),
        (json!({"labelReasons": {"good": []}}), "labelReasons"),
        (json!({"labelReasons": {"good": [], "bad": [], "ugly": []}}), "labelReasons"),
    ] {
        let (status, refusal) = change(body.clone()).await;
        let found = refusal["details"][0]["field"].as_str().unwrap_or_default();
        assert!(status == 400 && found.starts_with(field), "{body}: {status} {refusal}");
    }
    assert_eq!(desk.server.get("/api/team").await, renamed);
    let (_, log) = desk.call(Method::GET, "/api/audit-log?action=team.change", Value::Null).await;
    let entry = &log["content"][1];
    assert_eq!(entry["before"]["labelReasons"], shipped["labelReasons"], "{log}");
    assert_eq!(entry["after"], json!({ "labelReasons": own }));
}
