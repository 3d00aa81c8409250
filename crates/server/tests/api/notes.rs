//! The history of an escalation, and what people note of it.

use dregs_server::ops::decide::notes::NOTES_MAX;
use dregs_server::store::Tx;
use dregs_server::store::escalations::{self, Mover, Severity, Status};
use dregs_server::store::users::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{escalation, refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, TestServer, answer, event};

on_both_engines!(an_escalation_tells_its_own_history, notes_are_the_authors_own_and_mention_members);

struct Desk {
    server: TestServer,
    admin: String,
    user: String,
    escalation: i64,
}

impl Desk {
    async fn open(engine: Engine) -> Self {
        let server = TestServer::start(engine).await;
        server.post("/api/events", event("e1", "ada")).await;
        let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        let (_, signed_in) = answer(server.request(Method::POST, "/api/auth/login").json(&body)).await;
        let admin = signed_in["token"].as_str().unwrap().to_owned();
        let user = session(&server.app, team(&server.app).await, Role::User).await;
        let escalation = escalation(&server.app, "ada", Severity::Info).await;
        Self { server, admin, user, escalation }
    }

    fn request(&self, token: &str, method: Method, rest: &str, body: &Value) -> RequestBuilder {
        let path = format!("/api/escalations/{}{rest}", self.escalation);
        self.server.request(method, &path).bearer_auth(token).json(body)
    }

    async fn call(&self, token: &str, method: Method, rest: &str, body: Value) -> Value {
        let (status, answer) = answer(self.request(token, method, rest, &body)).await;
        assert!(status.is_success(), "{answer}");
        answer
    }

    async fn note(&self, token: &str, text: &str) -> i64 {
        let note = self.call(token, Method::POST, "/notes", json!({ "text": text })).await;
        note["noteId"].as_i64().unwrap()
    }

    /// What has happened, in short: its type, who it was, and what else is said of it.
    async fn history(&self) -> Vec<Value> {
        let history = self.server.get(&format!("/api/escalations/{}/history", self.escalation)).await;
        let short = |entry: &Value| {
            let said = ["assignee", "outcome", "text"].map(|name| entry[name].clone());
            let said = said.into_iter().find(|said| !said.is_null()).unwrap_or_default();
            json!([entry["type"], entry["by"], said])
        };
        history.as_array().unwrap().iter().map(short).collect()
    }
}

async fn an_escalation_tells_its_own_history(engine: Engine) {
    let desk = Desk::open(engine).await;
    let (admin, user) = (&desk.admin, &desk.user);
    let by = format!("{user}@example.com");
    desk.call(admin, Method::POST, "/actions/assign", json!({"assignee": by})).await;
    desk.call(user, Method::PATCH, "", json!({"status": "ACKNOWLEDGED"})).await;
    desk.note(user, "  The card is his wife's.  ").await;
    desk.call(user, Method::PATCH, "", json!({"status": "CLOSED", "outcome": "BAD", "reason": "Stolen"}))
        .await;
    desk.call(admin, Method::PATCH, "", json!({"status": "OPEN"})).await;
    desk.call(user, Method::POST, "/actions/assign", json!({"assignee": null})).await;
    let expected = json!([
        ["OPENED", null, "Low humanity"],
        ["ASSIGNED", ADMIN_EMAIL, by],
        ["ACKNOWLEDGED", by, null],
        ["NOTED", by, "The card is his wife's."],
        ["LABELED", by, "BAD"],
        ["CLOSED", by, "Stolen"],
        ["REOPENED", ADMIN_EMAIL, null],
        ["ASSIGNED", by, null],
    ]);
    assert_eq!(json!(desk.history().await), expected);
    // What a rule does is in the row of the escalation alone; and a reopened one tells of it still.
    let (id, now) = (desk.escalation, desk.server.app.clock.now());
    let by = Mover { by: None, reason: Some("The conditions ceased") };
    let close = move |tx: &mut Tx| escalations::set_status(tx, id, Status::Closed, by, now);
    desk.server.app.store.write(close).await.unwrap();
    let last = async || desk.history().await.into_iter().skip(8).collect::<Vec<_>>();
    let closed = json!(["CLOSED", null, "The conditions ceased"]);
    assert_eq!(json!(last().await), json!([closed]));
    desk.call(admin, Method::PATCH, "", json!({"status": "OPEN"})).await;
    assert_eq!(json!(last().await), json!([closed, ["REOPENED", ADMIN_EMAIL, null]]));
    let export = desk.server.request(Method::GET, "/api/identities/ada/export").bearer_auth(admin);
    let (_, export) = answer(export).await;
    let notes =
        export["escalationHistory"].as_array().unwrap().iter().filter(|entry| entry["type"] == "NOTED");
    let notes: Vec<_> =
        notes.map(|note| (note["escalationId"].as_i64().unwrap(), note["text"].clone())).collect();
    assert_eq!(notes, [(desk.escalation, json!("The card is his wife's."))]);
}

async fn notes_are_the_authors_own_and_mention_members(engine: Engine) {
    let desk = Desk::open(engine).await;
    let (admin, user) = (&desk.admin, &desk.user);
    let local = ADMIN_EMAIL.split('@').next().unwrap();
    let mentioned = async |token: &str| {
        let list = desk.server.request(Method::GET, "/api/escalations?mentioned=me").bearer_auth(token);
        let summary = desk.server.request(Method::GET, "/api/escalations/summary").bearer_auth(token);
        let listed = answer(list).await.1["totalElements"].clone();
        assert_eq!(answer(summary).await.1["mentioned"], listed);
        listed
    };
    // A part of a longer name, and an address.
    // Nor does anybody mention themselves.
    for text in [
        format!("@{local}x"),
        format!("someone@{local}.com"),
        "@nobody".to_owned(),
        format!("@{user} and @{user}@example.com"),
    ] {
        let added = desk.call(user, Method::POST, "/notes", json!({ "text": text })).await;
        assert_eq!((mentioned(admin).await, &added["mentioned"]), (json!(0), &json!([])), "{text}");
        assert_eq!(mentioned(user).await, 0, "{text}");
    }
    let both = format!("@{local} and @{user}@example.com");
    let added = desk.call(user, Method::POST, "/notes", json!({ "text": both })).await;
    assert_eq!(added["mentioned"], json!([ADMIN_EMAIL]), "of the two the other one");
    desk.call(user, Method::DELETE, &format!("/notes/{}", added["noteId"]), Value::Null).await;
    for text in [format!("Ask @{}.", local.to_uppercase()), format!("@{ADMIN_EMAIL}, look")] {
        let note = desk.note(user, &text).await;
        assert_eq!((mentioned(admin).await, mentioned(user).await), (json!(1), json!(0)), "{text}");
        let path = format!("/notes/{note}");
        let refused = "403 forbidden Only its author may delete a note.";
        assert_eq!(refusal(desk.request(admin, Method::DELETE, &path, &Value::Null)).await, refused);
        let deleted = answer(desk.request(user, Method::DELETE, &path, &Value::Null)).await;
        assert_eq!(deleted.0, 204);
        assert_eq!(mentioned(admin).await, 0, "it is gone, and so is the mention");
        let gone = "404 note_not_found There is no such note.";
        assert_eq!(refusal(desk.request(user, Method::DELETE, &path, &Value::Null)).await, gone);
    }
    let long = json!({"text": "x".repeat(4_001)});
    let told = "400 bad_request text: must have at most 4000 characters";
    assert_eq!(refusal(desk.request(user, Method::POST, "/notes", &long)).await, told);
    let blank = desk.request(user, Method::POST, "/notes", &json!({"text": " "}));
    assert_eq!(refusal(blank).await, "400 bad_request text: must not be blank");
    for _ in 4..NOTES_MAX {
        desk.note(user, "Again").await;
    }
    let one_more = desk.request(user, Method::POST, "/notes", &json!({"text": "One more"}));
    assert_eq!(refusal(one_more).await, "400 bad_request text: there are 200 notes already");
    let log =
        desk.server.request(Method::GET, "/api/audit-log?action=escalation.remove-note").bearer_auth(admin);
    let (_, log) = answer(log).await;
    let told = (&log["totalElements"], &log["content"][0]["targetId"]);
    assert_eq!(told, (&json!(3), &json!(desk.escalation.to_string())));
}
