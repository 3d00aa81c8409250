//! More than one team on an installation: made, joined, left and deleted, and what people see who are in several.

mod isolation;
mod rows;

use dregs_server::ops::bounds;
use dregs_server::store::Tx;
use dregs_server::store::users::{self, Role};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{SESSION_PASSWORD, refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{
    ADMIN_EMAIL, ADMIN_PASSWORD, SECRET_KEY, TestServer, answer, event, eventually,
};
use rows::rows;

on_both_engines!(
    a_session_goes_from_team_to_team,
    owners_make_rename_and_delete_teams,
    somebody_with_an_account_joins_with_its_password,
);

/// A server with a second team.
struct Two {
    server: TestServer,
    /// A session of who owns the installation, in the first team.
    owner: String,
    first: i64,
    second: i64,
    /// The secret key of the second team.
    key: String,
}

impl Two {
    async fn on(server: TestServer) -> Self {
        let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        let (_, begun) = answer(server.request(Method::POST, "/api/auth/login").json(&login)).await;
        let owner = begun["token"].as_str().unwrap().to_owned();
        let new = server.request(Method::POST, "/api/teams").bearer_auth(&owner);
        let (status, made) = answer(new.json(&json!({"name": " Staging "}))).await;
        assert_eq!((status.as_u16(), &made["name"], &made["members"]), (201, &json!("Staging"), &json!(1)));
        let first = team(&server.app).await;
        let (second, key) = (made["id"].as_i64().unwrap(), made["secretKey"].as_str().unwrap().to_owned());
        Self { server, owner, first, second, key }
    }

    async fn set(engine: Engine) -> Self {
        Self::on(TestServer::start(engine).await).await
    }

    fn with(&self, token: &str, method: Method, path: &str, body: Value) -> RequestBuilder {
        let request = self.server.request(method, path).bearer_auth(token);
        if body.is_null() { request } else { request.json(&body) }
    }

    fn owner(&self, method: Method, path: &str, body: Value) -> RequestBuilder {
        self.with(&self.owner, method, path, body)
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let (status, body) = answer(self.with(token, Method::GET, path, Value::Null)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn choose(&self, token: &str, team_id: i64) -> Value {
        let chosen = self.with(token, Method::PUT, "/api/auth/session/team", json!({"teamId": team_id}));
        answer(chosen).await.1
    }
}

async fn a_session_goes_from_team_to_team(engine: Engine) {
    let two = Two::set(engine).await;
    two.server.track("e1", "ada").await;
    let sent = two.with(&two.key, Method::POST, "/api/events", event("e1", "bea"));
    assert_eq!(answer(sent).await.0, 200);
    let ids = async |token: &str| {
        let list = two.get(token, "/api/identities").await;
        list["content"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    let me = two.get(&two.owner, "/api/auth/me").await;
    let both = json!([
        {"id": two.first, "name": "Default", "role": "ADMIN"},
        {"id": two.second, "name": "Staging", "role": "ADMIN"},
    ]);
    assert_eq!((&me["teamId"], &me["owner"], &me["teams"]), (&json!(two.first), &json!(true), &both));
    assert_eq!(ids(&two.owner).await, ["ada"]);
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let sign_in = || two.server.request(Method::POST, "/api/auth/login").json(&login);
    let stays = answer(sign_in()).await.1["token"].as_str().unwrap().to_owned();
    // A token of an agent stays in the team in which it was made.
    let made = two.owner(Method::POST, "/api/mcp-tokens", json!({"name": "Agent"}));
    assert_eq!(answer(made).await.0, 201);
    let mut stream = two.with(&two.owner, Method::GET, "/api/live", Value::Null).send().await.unwrap();

    let chosen = two.choose(&two.owner, two.second).await;
    assert_eq!((&chosen["teamId"], &chosen["teams"]), (&json!(two.second), &both));
    assert_eq!(ids(&two.owner).await, ["bea"]);
    assert_eq!(two.get(&two.owner, "/api/team").await["name"], "Staging");
    assert_eq!(two.get(&two.owner, "/api/mcp-tokens").await, json!([]));
    assert_eq!(two.get(&two.owner, "/api/auth/session").await["user"]["teamId"], two.second);
    assert_eq!(ids(&stays).await, ["ada"], "another session is where it was");
    let ends = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(6), ends).await.expect("the stream has not ended");
    let logged = two.get(&two.owner, "/api/audit-log?action=session.choose-team").await;
    assert_eq!(logged["totalElements"], 1);
    // Who signs in comes to the team they chose last.
    let again = answer(sign_in()).await.1["token"].as_str().unwrap().to_owned();
    assert_eq!(two.get(&again, "/api/auth/me").await["teamId"], two.second);

    // Nobody goes to a team they are not in, nor does a key.
    let stranger = session(&two.server.app, two.first, Role::Admin).await;
    let choose =
        |token: &str| two.with(token, Method::PUT, "/api/auth/session/team", json!({"teamId": two.second}));
    assert_eq!(refusal(choose(&stranger)).await, "404 team_not_found There is no such team.");
    assert!(refusal(choose(SECRET_KEY)).await.starts_with("403 forbidden A secret key may not do this."));
    assert_eq!(two.get(&stranger, "/api/auth/me").await["teams"].as_array().unwrap().len(), 1);
}

async fn owners_make_rename_and_delete_teams(engine: Engine) {
    let two = Two::set(engine).await;
    let all = async || {
        let teams = two.get(&two.owner, "/api/teams").await;
        let told = |team: &Value| json!([team["name"], team["members"]]);
        teams.as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(all().await, [json!(["Default", 1]), json!(["Staging", 1])]);
    let taken = "409 name_taken There is a team with this name. Take another one.";
    let new = |name: &str| two.owner(Method::POST, "/api/teams", json!({ "name": name }));
    assert_eq!(refusal(new("staging")).await, taken);
    let path = format!("/api/teams/{}", two.second);
    let rename = |name: &str| two.owner(Method::PATCH, &path, json!({ "name": name }));
    assert_eq!(refusal(rename("default")).await, taken);
    assert_eq!(answer(rename("Test")).await.1["name"], "Test");
    let unknown = two.owner(Method::PATCH, "/api/teams/999", json!({"name": "None"}));
    assert_eq!(refusal(unknown).await, "404 team_not_found There is no such team.");

    // It begins as the first one did: with keys, with the rules that ship, and with nothing else.
    assert_eq!(two.get(&two.key, "/api/identities").await["totalElements"], 0);
    let shipped = |rules: Value| rules["totalElements"].clone();
    assert_eq!(
        shipped(two.get(&two.key, "/api/badge-rules").await),
        shipped(two.server.get("/api/badge-rules").await)
    );

    // Only an owner of the installation, and only with its name.
    let admin = session(&two.server.app, two.second, Role::Admin).await;
    let as_admin = two.with(&admin, Method::DELETE, &format!("{path}?name=Test"), Value::Null);
    assert_eq!(refusal(as_admin).await, "403 forbidden Only an owner of the installation may do this.");
    let delete = |query: &str| two.owner(Method::DELETE, &format!("{path}{query}"), Value::Null);
    assert_eq!(refusal(delete("?name=test")).await, "400 bad_request name: must be the name of the team");
    assert!(refusal(delete("")).await.starts_with("400 bad_request "));
    let own = format!("/api/teams/{}?name=Default", two.first);
    let chosen = "409 wrong_state It is the team you are in. Switch to another one first.";
    assert_eq!(refusal(two.owner(Method::DELETE, &own, Value::Null)).await, chosen);

    // What it has goes, and nothing of another team.
    let (_, _receiver) = isolation::furnish(&two).await;
    two.server.track("e1", "ada").await;
    let settled = rows(&two.server.app, two.first).await;
    let mut stream = two.with(&two.key, Method::GET, "/api/live", Value::Null).send().await.unwrap();
    assert_eq!(answer(delete("?name=Test")).await.0, 204);
    let with_key = two.with(&two.key, Method::GET, "/api/identities", Value::Null);
    assert_eq!(answer(with_key).await.0, 401);
    let of_admin = two.with(&admin, Method::GET, "/api/auth/me", Value::Null);
    assert_eq!(answer(of_admin).await.0, 401, "whose account is gone with the only team");
    let ends = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(6), ends).await.expect("the stream has not ended");
    assert_eq!(all().await, [json!(["Default", 1])]);
    let left = eventually("the rows to go", async || {
        let left = rows(&two.server.app, two.second).await;
        left.is_empty().then_some(left)
    });
    left.await;
    for (table, before) in settled {
        // Who has asked is noted in these.
        if ["audit_log", "sessions", "identities", "analyses"].contains(&table.as_str()) {
            continue;
        }
        assert_eq!(rows(&two.server.app, two.first).await.get(&table), Some(&before), "{table}");
    }
    let logged = two.get(&two.owner, "/api/audit-log?action=team.delete").await;
    assert_eq!(logged["content"][0]["before"], json!({"name": "Test"}), "{logged}");
    let last = two.owner(Method::DELETE, &own, Value::Null);
    assert_eq!(refusal(last).await, "409 last_team It is the only team. Create another one first.");
}

async fn somebody_with_an_account_joins_with_its_password(engine: Engine) {
    let two = Two::set(engine).await;
    let member = session(&two.server.app, two.first, Role::Viewer).await;
    let me = two.get(&member, "/api/auth/me").await;
    let other = session(&two.server.app, two.second, Role::Admin).await;
    let invite = |token: &str| {
        let body = json!({"email": me["email"], "role": "USER"});
        two.with(token, Method::POST, "/api/team/invitations", body)
    };
    let (status, invitation) = answer(invite(&other)).await;
    assert_eq!(status, 201, "their own team has them, this one has not: {invitation}");
    let token = &invitation["token"];
    let check = two.server.request(Method::POST, "/api/auth/check-invitation");
    let (_, invited) = answer(check.json(&json!({ "token": token }))).await;
    assert_eq!(invited, json!({"email": me["email"], "role": "USER", "team": "Staging", "hasAccount": true}));
    let accept = |password: &str| {
        let body = json!({"token": token, "name": "Another", "password": password});
        two.server.request(Method::POST, "/api/auth/accept-invitation").json(&body)
    };
    let wrong = "401 unauthenticated The e-mail address or the password is wrong.";
    assert_eq!(refusal(accept("another long password")).await, wrong);
    let (status, joined) = answer(accept(SESSION_PASSWORD)).await;
    assert_eq!(
        (status.as_u16(), &joined["user"]["id"], &joined["user"]["role"]),
        (200, &me["id"], &json!("USER"))
    );
    let there = joined["token"].as_str().unwrap();
    let mine = two.get(there, "/api/auth/me").await;
    let roles: Vec<_> = mine["teams"].as_array().unwrap().iter().map(|team| team["role"].clone()).collect();
    assert_eq!((&mine["teamId"], roles), (&json!(two.second), vec![json!("VIEWER"), json!("USER")]));
    assert_eq!(two.get(&member, "/api/auth/me").await["role"], "VIEWER");
    let again = refusal(invite(&other)).await;
    assert_eq!(again, "409 email_taken Somebody in the team has this e-mail address already.");

    // Their second factor guards both teams: an admin of one of them does not take it away.
    let reset = format!("/api/team/members/{}/actions/reset-second-factor", me["id"]);
    let said = refusal(two.with(&other, Method::POST, &reset, Value::Null)).await;
    assert_eq!(
        said,
        "403 forbidden It guards other teams as well: somebody who owns the installation may reset it."
    );
    // An admin of a team ends what is in that team, and sees no more.
    let end = format!("/api/team/members/{}/actions/end-sessions", me["id"]);
    assert_eq!(answer(two.with(&other, Method::POST, &end, Value::Null)).await.0, 204);
    let status = async |token: &str| {
        answer(two.with(token, Method::GET, "/api/auth/me", Value::Null)).await.0.as_u16()
    };
    assert_eq!((status(there).await, status(&member).await), (401, 200));
    let remove = format!("/api/team/members/{}", me["id"]);
    assert_eq!(answer(two.with(&other, Method::DELETE, &remove, Value::Null)).await.0, 204);
    let left = two.get(&member, "/api/auth/me").await;
    assert_eq!((left["teams"].as_array().unwrap().len(), &left["role"]), (1, &json!("VIEWER")));
    assert_eq!(answer(two.owner(Method::POST, &reset, Value::Null)).await.0, 204, "in one team alone");

    // Somebody owns the installation always.
    let owner = two.get(&two.owner, "/api/auth/me").await;
    for team in [two.first, two.second] {
        session(&two.server.app, team, Role::Admin).await;
    }
    let leave = format!("/api/team/members/{}", owner["id"]);
    assert_eq!(answer(two.owner(Method::DELETE, &leave, Value::Null)).await.0, 204);
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let sign_in = two.server.request(Method::POST, "/api/auth/login").json(&login);
    let there = answer(sign_in).await.1["token"].as_str().unwrap().to_owned();
    assert_eq!(
        refusal(two.with(&there, Method::DELETE, &leave, Value::Null)).await,
        "409 last_owner Nobody else owns the installation. Make somebody an owner first, with `dregs users add-owner`."
    );
}

#[tokio::test]
async fn a_server_has_so_many_teams() {
    let two = Two::set(Engine::Sqlite).await;
    let now = two.server.app.clock.now();
    let fill = move |tx: &mut Tx| {
        (2..bounds::TEAMS.max).try_for_each(|n| users::insert_team(tx, &format!("Team {n}"), now).map(drop))
    };
    two.server.app.store.write(fill).await.unwrap();
    let new = two.owner(Method::POST, "/api/teams", json!({"name": "One more"}));
    assert_eq!(refusal(new).await, "400 bad_request A server has at most 100 teams.");
    assert!(two.server.reached(bounds::TEAMS.limit) > 0);
}
