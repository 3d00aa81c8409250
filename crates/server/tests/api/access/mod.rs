//! Who may call what: every operation of the document, called by everybody.

mod expected;

use dregs_server::clock::{Clock, SystemClock};
use dregs_server::ops::access::sign_in;
use dregs_server::store::credentials::{self, Change, NewCredential};
use dregs_server::store::escalations::Severity;
use dregs_server::store::oauth_connections::{self, Tokens};
use dregs_server::store::users::{self, Role};
use dregs_server::vault::token_hash;
use reqwest::Method;
use serde_json::{Value, json};

use expected::{CALLERS, EXPECTED};

use super::{SESSION_PASSWORD, session, team};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{
    ADMIN_EMAIL, ADMIN_PASSWORD, PUBLIC_KEY, SECRET_KEY, TestServer, answer, event, eventually,
};

const ORIGIN: &str = "https://app.example.com";

/// A dataset.
const DATASET: &str = "/api/datasets/disposable-email-domains";

/// Where the client is answered that asks people to approve it.
const CALLBACK: &str = "http://127.0.0.1:1/callback";

/// What it asks for.
fn authorization(client: &str) -> Value {
    json!({"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "code_challenge_method": "S256",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"})
}

/// A body with which the operation succeeds.
pub(super) fn body(operation: &str, unique: u128) -> Option<Value> {
    let body = match operation {
        "POST /api/events" => event(&unique.to_string(), "bob"),
        "POST /api/events/batch" => json!([event(&unique.to_string(), "bob")]),
        "POST /api/auth/login" => json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}),
        "POST /api/channels" => {
            json!({"type": "WEBHOOK", "name": format!("New {unique}"), "events": ["channel.test"], "config": {"url": "https://h.test/"}})
        }
        "PATCH /api/channels/{id}" | "PATCH /api/credentials/{id}" => json!({"name": "Renamed"}),
        "POST /api/groups" => json!({"type": "team", "id": "t2"}),
        "PATCH /api/groups/{type}/{id}" => json!({"attributes": {"plan": "pro"}}),
        "PATCH /api/devices/{fingerprint}" => json!({"disregarded": true}),
        "PATCH /api/identities/{id}" => json!({"disregarded": false}),
        "POST /api/identities/{id}/actions/review" => json!({}),
        "POST /api/identities/{id}/actions/preview-disregard"
        | "POST /api/devices/{fingerprint}/actions/preview-disregard" => json!({"disregarded": true}),
        "POST /api/datasets/{slug}/actions/preview" => json!({"value": "d.org"}),
        "POST /api/identities/{id}/actions/dismiss-badge"
        | "POST /api/identities/{id}/actions/restore-badge" => {
            json!({"badge": "robot"})
        }
        "POST /api/mappings/actions/preview" => json!({"kind": "EVENT_TYPE", "source": "opened"}),
        "POST /api/identities/{id}/actions/label" | "POST /api/identities/{id}/actions/preview-label" => {
            json!({"outcome": "GOOD"})
        }
        "POST /api/labels" => json!({"labels": [{"identityId": "bob", "outcome": "GOOD"}]}),
        "PATCH /api/escalations/{id}" => json!({"status": "ACKNOWLEDGED"}),
        "POST /api/escalations/{id}/actions/assign" => json!({"assignee": ADMIN_EMAIL, "force": true}),
        "POST /api/escalations/actions/take-next" => json!({}),
        "POST /api/escalations/bulk-changes" | "POST /api/escalations/bulk-changes/actions/preview" => {
            json!({"filter": {}, "status": "ACKNOWLEDGED"})
        }
        "POST /api/escalations/{id}/actions/snooze" => {
            json!({"until": SystemClock.now().plus_millis(60_000)})
        }
        "POST /api/identities/{id}/actions/end-snooze" => json!({"rule": "1"}),
        "POST /api/escalations/{id}/notes" => json!({"text": "Looks odd"}),
        "POST /api/datasets/{slug}/entries" => json!({"value": format!("d{unique}.org")}),
        "POST /api/lists" => json!({"name": format!("List {unique}"), "type": "TEXT"}),
        "PATCH /api/lists/{id}" => json!({"name": "Renamed"}),
        "POST /api/lists/{id}/entries" => json!({"entries": [{"value": "one"}]}),
        "POST /api/identities/{id}/actions/ban-ring" => {
            json!({"keys": [{"type": "IDENTITY", "value": unique.to_string()}]})
        }
        "POST /api/lists/{id}/actions/preview" => json!({}),
        "POST /api/lists/{id}/import" => json!({"csv": "two"}),
        "POST /api/mcp-tokens" => json!({"name": "Assistant"}),
        "POST /api/views" => {
            json!({"name": format!("View {unique}"), "page": "identities", "query": "term=ada"})
        }
        "PUT /api/retention" | "POST /api/retention/actions/preview" => {
            json!({"events": 396, "analyses": 396, "deliveries": 396, "auditLog": null})
        }
        "PATCH /api/auth/me" => json!({"name": "Ada"}),
        "PATCH /api/team" => json!({"name": "Shop"}),
        "POST /api/teams" | "PATCH /api/teams/{id}" => json!({"name": format!("Team {unique}")}),
        "PUT /api/auth/session/team" => json!({"teamId": 1}),
        "PATCH /api/team/members/{id}" => json!({"role": "VIEWER"}),
        "POST /api/team/invitations" => json!({"email": format!("p{unique}@example.com"), "role": "USER"}),
        "POST /api/auth/login/oidc" => json!({"ceremony": "x", "code": "x", "state": "x"}),
        "POST /api/auth/login/passkey" => json!({"ceremony": "x", "credential": {}}),
        "POST /api/auth/passkeys" => json!({"name": "Laptop", "ceremony": "x", "credential": {}}),
        "POST /api/auth/passkeys/actions/begin"
        | "POST /api/auth/second-factor"
        | "POST /api/auth/second-factor/actions/disable"
        | "POST /api/auth/second-factor/actions/renew-recovery-codes" => {
            json!({"password": SESSION_PASSWORD})
        }
        "POST /api/auth/second-factor/actions/confirm" => json!({"code": "000000"}),
        "POST /api/auth/password" => {
            json!({"currentPassword": SESSION_PASSWORD, "newPassword": "another long password"})
        }
        "POST /api/badge-rules/actions/backtest"
        | "POST /api/escalation-rules/actions/backtest"
        | "POST /api/escalation-rules/actions/preview" => {
            json!({"conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}]})
        }
        "POST /api/badge-rules" | "PUT /api/badge-rules/{id}" | "PUT /api/badge-rules/{id}/draft" => json!({
            "name": format!("Test {unique}"), "type": "BAD",
            "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}],
        }),
        "POST /api/escalation-rules"
        | "PUT /api/escalation-rules/{id}"
        | "PUT /api/escalation-rules/{id}/draft" => json!({
            "name": format!("Test {unique}"), "severity": "INFO",
            "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}],
        }),
        "POST /api/badge-rules/{id}/actions/restore" | "POST /api/escalation-rules/{id}/actions/restore" => {
            json!({"revision": 1})
        }
        "POST /api/mappings" => {
            json!({"kind": "EVENT_TYPE", "source": format!("new {unique}"), "target": "LOGIN"})
        }
        "PATCH /api/mappings/{id}" => json!({"target": "LOGOUT"}),
        "POST /api/counters" => json!({
            "name": format!("New {unique}"), "function": "COUNT", "per": "device", "windowSeconds": 60,
        }),
        "POST /api/counters/actions/preview" => {
            json!({"function": "COUNT", "per": "device", "windowSeconds": 60})
        }
        "PATCH /api/counters/{id}" => json!({"windowSeconds": 120}),
        "POST /api/credentials" => json!({"name": "New"}),
        "POST /api/identities/actions/decide" => json!({"ids": ["ada"]}),
        "POST /api/deliveries/actions/resend" => json!({"ids": [999_999]}),
        "POST /api/channels/{id}/actions/replay" => {
            json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"})
        }
        _ => return None,
    };
    Some(body)
}

struct Scene {
    server: TestServer,
    receiver: Receiver,
    foreign_team: i64,
    escalation: i64,
    /// That anybody may approve.
    client: String,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start(Engine::Sqlite).await;
        let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
        let (team_id, now) = (team(&server.app).await, server.app.clock.now());
        let credential = |secret: &str, public: &str| NewCredential {
            name: "Test".into(),
            public_key: public.into(),
            secret_hash: token_hash(secret),
            allowed_origins: Vec::new(),
            rate_per_second: None,
        };
        let (foreign, revoked) =
            (credential("sk_foreign", "pk_foreign"), credential("sk_revoked", "pk_revoked"));
        let fill = move |tx: &mut dregs_server::store::Tx| {
            let open = Change { allowed_origins: Some(vec![ORIGIN.into()]), ..Change::default() };
            let default = credentials::of_team(tx, team_id)?.remove(0);
            credentials::update(tx, team_id, default.id, &open, now)?;
            let revoked = credentials::insert(tx, team_id, &revoked, now)?;
            let disable = Change { enabled: Some(false), ..Change::default() };
            credentials::update(tx, team_id, revoked.id, &disable, now)?;
            let foreign_team = users::insert_team(tx, "Foreign", now)?;
            credentials::insert(tx, foreign_team, &foreign, now)?;
            Ok(foreign_team)
        };
        let foreign_team = server.app.store.write(fill).await.unwrap();
        server.app.kept.credentials.reload(&server.app.store).await.unwrap();
        let mut first = event("e1", "ada");
        first["groups"] = json!([{"type": "team", "id": "t1"}]);
        first["device"] = json!({"fingerprint": "f1"});
        server.post("/api/events", first).await;
        let escalation = super::escalation(&server.app, "ada", Severity::Critical).await;
        let client = server.request(Method::POST, "/oauth/register");
        let (_, client) = answer(client.json(&json!({"redirect_uris": [CALLBACK]}))).await;
        let client = client["client_id"].as_str().unwrap().to_owned();
        let scene = Self { server, receiver, foreign_team, escalation, client };
        let analysis = "/api/identities/ada/analysis";
        eventually("ada to be scored", async || {
            let (status, _) = scene.server.call(Method::GET, analysis, None).await;
            status.is_success().then_some(())
        })
        .await;
        scene
    }

    /// The method and the path with the ids of things that were made for this call.
    async fn path(&self, operation: &str, token: &str, unique: u128) -> (Method, String) {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = match operation {
            "DELETE /api/identities/{id}" | "POST /api/identities/{id}/actions/ban-ring" => {
                self.server.post("/api/events", event(&unique.to_string(), &unique.to_string())).await;
                path.replace("{id}", &unique.to_string())
            }
            "PATCH /api/mappings/{id}" | "DELETE /api/mappings/{id}" => {
                let new = body("POST /api/mappings", unique).unwrap();
                let mapping = self.server.post("/api/mappings", new).await;
                path.replace("{id}", &mapping["id"].to_string())
            }
            _ if path.starts_with("/api/counters/{id}") => {
                // A team has few.
                let there = self.server.get("/api/counters").await;
                for counter in there["content"].as_array().unwrap() {
                    self.server.call(Method::DELETE, &format!("/api/counters/{}", counter["id"]), None).await;
                }
                let new = body("POST /api/counters", unique).unwrap();
                let counter = self.server.post("/api/counters", new).await;
                let path = path.replace("{id}", &counter["id"].to_string());
                if path.ends_with("/value") { format!("{path}?identity=ada") } else { path }
            }
            "GET /api/labels/accuracy/rules/{id}" => {
                path.replace("{id}", &self.rule("/api/escalation-rules", unique).await)
            }
            "GET /api/labels/accuracy/badges/{slug}" => path.replace("{slug}", "confirmed-bad"),
            "GET /api/labels/accuracy/analyzers/{id}" => path.replace("{id}", "behavior.pace"),
            _ if path.contains("-rules/{id}") => {
                let (list, _) = path.split_once("/{id}").unwrap();
                let path = path.replace("{id}", &self.rule(list, unique).await);
                match path.strip_suffix("/comparison") {
                    Some(_) => format!("{path}?revision=1"),
                    None => path,
                }
            }
            "DELETE /api/datasets/{slug}/entries/{id}" => {
                let new = body("POST /api/datasets/{slug}/entries", unique).unwrap();
                let entries = format!("{DATASET}/entries");
                let entry = self.server.post(&entries, new).await;
                format!("{entries}/{}", entry["id"])
            }
            _ if path.starts_with("/api/lists/{id}") => {
                let list = self.server.post("/api/lists", body("POST /api/lists", unique).unwrap()).await;
                let path = path.replace("{id}", &list["id"].to_string());
                let entries = format!("/api/lists/{}/entries", list["id"]);
                self.server.post(&entries, json!({"entries": [{"value": "first"}]})).await;
                let entry = self.server.get(&entries).await["content"][0]["id"].to_string();
                path.replace("{entryId}", &entry)
            }
            "POST /api/audit-log/{id}/actions/undo" => {
                let list = self.server.post("/api/lists", body("POST /api/lists", unique).unwrap()).await;
                let entries = format!("/api/lists/{}/entries", list["id"]);
                self.server.post(&entries, json!({"entries": [{"value": "first"}]})).await;
                let admin = session(&self.server.app, team(&self.server.app).await, Role::Admin).await;
                let told = self.server.request(Method::GET, "/api/audit-log?action=list-entry.create");
                let (_, told) = answer(told.bearer_auth(admin)).await;
                path.replace("{id}", &told["content"][0]["id"].to_string())
            }
            "GET /api/search" => format!("{path}?term=ada"),
            "DELETE /api/views/{id}" => {
                let view = self.server.post("/api/views", body("POST /api/views", unique).unwrap()).await;
                path.replace("{id}", &view["id"].to_string())
            }
            "DELETE /api/mcp-tokens/{id}" => {
                // The caller's own, as nobody sees another's.
                let new = self.server.request(Method::POST, "/api/mcp-tokens").bearer_auth(token);
                let (_, new) = answer(new.json(&json!({"name": "Test"}))).await;
                path.replace("{id}", &new["id"].as_i64().unwrap_or_default().to_string())
            }
            "POST /api/labels/{id}/actions/withdraw" | "POST /api/labels/{id}/actions/preview-withdraw" => {
                let label =
                    self.server.post("/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await;
                path.replace("{id}", &label["id"].to_string())
            }
            _ if path.contains("/bulk-changes/{id}") => {
                let new = json!({"filter": {}, "status": "OPEN"});
                let id = self.server.post("/api/escalations/bulk-changes", new).await["id"].to_string();
                eventually("the change to be finished", async || {
                    let change = self.server.get(&format!("/api/escalations/bulk-changes/{id}")).await;
                    (change["state"] == "FINISHED").then_some(())
                })
                .await;
                path.replace("{id}", &id)
            }
            "DELETE /api/escalations/{id}/notes/{noteId}" => {
                let notes = format!("/api/escalations/{}/notes", self.escalation);
                let note = self.server.post(&notes, json!({"text": "Looks odd"})).await;
                format!("{notes}/{}", note["noteId"])
            }
            "GET /api/oauth/request" => {
                let asked = authorization(&self.client);
                let pairs =
                    asked.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
                let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                format!("{path}?{query}")
            }
            "DELETE /api/oauth/connections/{id}" => {
                path.replace("{id}", &self.connection(token).await.unwrap_or_default().to_string())
            }
            "DELETE /api/auth/passkeys/{id}" => path.replace("{id}", "999"),
            "DELETE /api/auth/sessions/{id}" => path.replace("{id}", &sign_in::id_of(&token_hash(token))),
            _ if path.starts_with("/api/team/members/{id}") => {
                let invitation = self.invitation(unique).await;
                let body = json!({"token": invitation["token"], "password": "a long password"});
                let joined = self.server.request(Method::POST, "/api/auth/accept-invitation").json(&body);
                path.replace("{id}", &answer(joined).await.1["user"]["id"].to_string())
            }
            "PATCH /api/teams/{id}" => path.replace("{id}", &self.foreign_team.to_string()),
            "DELETE /api/teams/{id}" => format!("/api/teams/{}?name=Foreign", self.foreign_team),
            "DELETE /api/team/invitations/{id}" => {
                path.replace("{id}", &self.invitation(unique).await["id"].to_string())
            }
            _ => self.path_of(path, unique).await,
        };
        (method.parse().unwrap(), path)
    }

    /// The id of a rule of its own, which has a draft.
    async fn rule(&self, list: &str, unique: u128) -> String {
        let new = body(&format!("POST {list}"), unique).unwrap();
        let id = self.server.post(list, new.clone()).await["id"].to_string();
        let (status, _) = self.server.call(Method::PUT, &format!("{list}/{id}/draft"), Some(new)).await;
        assert_eq!(status, 200);
        id
    }

    /// A connection of the person whose session this is; `None` where it is nobody's.
    async fn connection(&self, token: &str) -> Option<i64> {
        let (_, me) = answer(self.server.request(Method::GET, "/api/auth/me").bearer_auth(token)).await;
        let (user_id, team_id) = (me["id"].as_i64()?, team(&self.server.app).await);
        let (client, now) = (self.client.clone(), self.server.app.clock.now());
        let hash = rand::random::<[u8; 16]>().to_vec();
        let tokens = Tokens {
            refresh_hash: hash.clone(),
            access_hash: hash.clone(),
            access_expires_at: now.plus_millis(60_000),
            expires_at: now.plus_millis(60_000),
        };
        let connect = move |tx: &mut dregs_server::store::Tx| {
            oauth_connections::insert(tx, (team_id, user_id), &client, &hash, &tokens, now)
        };
        Some(self.server.app.store.write(connect).await.unwrap())
    }

    /// An invitation of the first team.
    async fn invitation(&self, unique: u128) -> Value {
        let admin = session(&self.server.app, team(&self.server.app).await, Role::Admin).await;
        let new = self.server.request(Method::POST, "/api/team/invitations").bearer_auth(admin);
        answer(new.json(&body("POST /api/team/invitations", unique).unwrap())).await.1
    }

    async fn path_of(&self, path: &str, unique: u128) -> String {
        let escalation = self.escalation.to_string();
        let fixed = [
            ("/escalations/{id}", format!("/escalations/{escalation}")),
            ("/identities/{id}", "/identities/ada".to_owned()),
            ("{cycleId}", "1".to_owned()),
            ("/events/{id}", "/events/e1".to_owned()),
            ("/groups/{type}/{id}", "/groups/team/t1".to_owned()),
            ("{identityId}", "ada".to_owned()),
            ("{fingerprint}", "f1".to_owned()),
            ("/datasets/{slug}", DATASET["/api".len()..].to_owned()),
        ];
        let path = fixed.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        if path.contains("/credentials/{id}") {
            let admin = session(&self.server.app, team(&self.server.app).await, Role::Admin).await;
            let new = self.server.request(Method::POST, "/api/credentials").bearer_auth(admin);
            let (_, credential) = answer(new.json(&json!({"name": format!("Test {unique}")}))).await;
            return path.replace("{id}", &credential["id"].to_string());
        }
        if !path.contains("{id}") {
            return path;
        }
        let (channel, _) =
            self.server.channel(&format!("Test {unique}"), json!({"url": self.receiver.url()})).await;
        if path.contains("/channels/{id}") {
            return path.replace("{id}", &channel.to_string());
        }
        let test = self.server.post(&format!("/api/channels/{channel}/actions/test"), Value::Null).await;
        path.replace("{id}", &test["deliveryId"].to_string())
    }

    async fn token(&self, caller: &str) -> Option<String> {
        let app = &self.server.app;
        Some(match caller {
            "unknown" => "sk_unknown".into(),
            "public" => PUBLIC_KEY.into(),
            "secret" => SECRET_KEY.into(),
            "foreign" => "sk_foreign".into(),
            "revoked" => "sk_revoked".into(),
            "viewer" => session(app, team(app).await, Role::Viewer).await,
            "user" => session(app, team(app).await, Role::User).await,
            "admin" => session(app, team(app).await, Role::Admin).await,
            _ => return None,
        })
    }

    /// What a caller gets for an operation on things of the first team.
    async fn call(&self, operation: &str, caller: &str) -> u16 {
        let unique = rand::random::<u128>();
        let token = self.token(caller).await;
        let (method, path) = self.path(operation, token.as_deref().unwrap_or("none"), unique).await;
        let mut request = self.server.request(method, &path);
        if !path.starts_with("/api/auth/") {
            // Pages of the application send events, and sign nobody in.
            request = request.header("Origin", ORIGIN);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if operation == "POST /api/auth/accept-invitation" {
            let token = self.invitation(unique).await["token"].take();
            request = request.json(&json!({"token": token, "password": "a long password"}));
        } else if operation == "POST /api/auth/check-invitation" {
            let token = self.invitation(unique).await["token"].take();
            request = request.json(&json!({ "token": token }));
        } else if operation.starts_with("POST /api/oauth/request/") {
            request = request.json(&authorization(&self.client));
        } else if let Some(body) = body(operation, unique) {
            request = request.json(&body);
        }
        // Not its body: a stream has no end.
        request.send().await.unwrap().status().as_u16()
    }
}

/// Every operation of the document, as `GET /api/…`, with the statuses it says it answers.
pub(super) fn operations() -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(dregs_server::http::openapi()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let statuses = operation["responses"].as_object().unwrap().keys().cloned().collect();
            found.push((format!("{} {path}", method.to_uppercase()), statuses));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn everybody_gets_what_the_table_says_and_the_document_knows() {
    let scene = Scene::set().await;
    let mut found = Vec::new();
    for (operation, documented) in operations() {
        let mut statuses = [0; CALLERS.len()];
        for (status, caller) in statuses.iter_mut().zip(CALLERS) {
            *status = scene.call(&operation, caller).await;
            assert!(documented.contains(&status.to_string()), "{operation} answers {status}, undocumented");
        }
        found.push((operation, statuses));
    }
    let said = |rows: Vec<(String, [u16; 9])>| {
        rows.iter().map(|(operation, got)| format!("{operation} {got:?}\n")).collect::<String>()
    };
    let expected = EXPECTED.iter().map(|(operation, statuses)| ((*operation).to_owned(), *statuses));
    assert_eq!(said(found), said(expected.collect()));
}

/// What the manual says that a secret key may not do, with the operations it means by that.
const NOT_FOR_KEYS: [(&str, &[&str]); 8] = [
    (
        "people and their sessions",
        &[
            "/team/members",
            "/team/invitations",
            "/api/auth/me",
            "POST /api/auth/logout",
            "/auth/password",
            "/auth/sessions",
            "/auth/second-factor",
            "/auth/passkeys",
        ],
    ),
    ("the team's name and other teams", &["PATCH /api/team", "/api/teams", "/auth/session/team"]),
    ("credentials", &["/api/credentials"]),
    ("tokens of AI agents", &["/api/mcp-tokens", "/api/oauth/"]),
    ("changes of retention", &["PUT /api/retention", "POST /api/retention/"]),
    ("changes of weights", &["POST /api/weights/"]),
    ("taking the next escalation", &["/actions/take-next"]),
    ("the audit log", &["GET /api/audit-log"]),
];

/// What it says that only an admin may read.
const FOR_ADMINS: [(&str, &[&str]); 4] = [
    ("credentials", &["/api/credentials"]),
    ("invitations", &["/team/invitations"]),
    ("the audit log", &["/api/audit-log"]),
    ("the export of a person", &["/identities/{id}/export"]),
];

/// Holds what `phrases` mean against who is refused, and names them in a row.
fn told(phrases: &[(&str, &[&str])], is_refused: impl Fn(&str, &[u16; 9]) -> Option<bool>) -> String {
    for (operation, statuses) in EXPECTED {
        let Some(is_refused) = is_refused(operation, statuses) else { continue };
        let mut means = phrases.iter().flat_map(|(_, means)| *means);
        assert_eq!(is_refused, means.any(|part| operation.contains(part)), "{operation} is told wrongly");
    }
    let names: Vec<_> = phrases.iter().map(|(name, _)| *name).collect();
    let (last, others) = names.split_last().unwrap();
    format!("{} and {last}", others.join(", "))
}

#[test]
fn the_manual_says_who_may_call() {
    let page = |path: &str| std::fs::read_to_string(crate::manual::root(path)).unwrap();
    let keys = told(&NOT_FOR_KEYS, |_, statuses| Some(statuses[3] == 403));
    let keys = format!("everything but {keys}");
    for path in ["docs/manual/api.md", "docs/manual/getting-started.md"] {
        assert!(page(path).contains(&keys), "{path} does not say: {keys}");
    }
    let admins = told(&FOR_ADMINS, |operation, statuses| {
        // What an admin may not read either is an owner's of the installation.
        let is_read = operation.starts_with("GET ") && statuses[8] == 200;
        is_read.then_some(statuses[6] == 403 && statuses[7] == 403)
    });
    let admins = format!("VIEWER reads; {admins} are an ADMIN's");
    assert!(page("docs/manual/api.md").contains(&admins), "docs/manual/api.md does not say: {admins}");
}

#[tokio::test]
async fn a_foreign_team_sees_only_its_own() {
    let scene = Scene::set().await;
    let server = &scene.server;
    let (channel, _) = server.channel("Ours", json!({"url": scene.receiver.url()})).await;
    let foreign = session(&server.app, scene.foreign_team, Role::Admin).await;
    for path in ["/api/channels", "/api/credentials"] {
        let (_, list) = answer(server.request(Method::GET, path).bearer_auth(&foreign)).await;
        let names: Vec<_> = list.as_array().unwrap().iter().map(|thing| thing["name"].clone()).collect();
        assert_eq!(json!(names), if path == "/api/channels" { json!([]) } else { json!(["Test"]) });
    }
    // The same ids of users and events are other users and events.
    let theirs = server.request(Method::POST, "/api/events").bearer_auth("sk_foreign");
    assert_eq!(answer(theirs.json(&event("e1", "ada"))).await.0, 200);
    let stored = super::faithful::stored(server, "ada").await;
    assert_eq!(stored.len(), 1);
    // The same slug is free for them.
    let same = json!({"type": "WEBHOOK", "name": "Ours", "events": ["channel.test"], "config": {"url": "https://h.test/"}});
    let created = server.request(Method::POST, "/api/channels").bearer_auth(&foreign).json(&same);
    assert_eq!(answer(created).await.0, 201);
    assert_eq!(server.get("/api/channels").await[0]["id"], channel);
}
