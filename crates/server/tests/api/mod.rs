//! The HTTP API: what it accepts, what it refuses, and in which words.

mod access;
mod assignments;
mod at_once;
mod audit;
mod bodies;
mod bounds;
mod browsers;
mod channels;
mod clients;
mod credentials;
mod dashboard;
mod dashboard_files;
mod datasets;
mod deliveries;
mod delivery_log;
mod exports;
mod faithful;
mod guarding;
mod input;
mod limits;
mod lists;
mod live;
mod mcp;
mod named;
mod notes;
mod oauth;
mod oidc;
mod openapi;
mod passkeys;
mod requests;
mod retention;
mod schemathesis;
mod search;
mod second_factor;
mod sessions;
mod signing_in;
mod system;
mod team;
mod teams;
mod views;
mod weights;

use std::sync::{Arc, LazyLock};

use dregs_core::score::Scores;
use dregs_server::app::App;
use dregs_server::ops::access::sign_in;
use dregs_server::store::escalations::{self, NewEscalation, Severity};
use dregs_server::store::sessions::Place;
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Tx, identities};
use dregs_server::vault::token_hash;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::server::{SECRET_KEY, TestServer};

/// The refusal of a request in one line, `400 bad_request field: what is wrong`, after a look at
/// its form: exactly the members of the contract, the request id also in the header, and no
/// details that the message does not tell.
pub(crate) async fn refusal(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} is no JSON: {text}"));
    let message = body["message"].as_str().unwrap_or_else(|| panic!("{status} {body} has no message"));
    let told = body["details"].as_array().unwrap().iter().map(|detail| {
        let (field, message) = (detail["field"].as_str().unwrap(), detail["message"].as_str().unwrap());
        if field.is_empty() { format!("The body {message}") } else { format!("{field}: {message}") }
    });
    let told = told.collect::<Vec<_>>().join("; ");
    assert!(told.is_empty() || told == message, "{body}");
    let members = json!({
        "status": status,
        "code": body["code"].as_str().unwrap(),
        "message": message,
        "requestId": request_id,
        "details": body["details"],
    });
    assert_eq!(body, members);
    format!("{status} {} {message}", body["code"].as_str().unwrap())
}

/// The rule of every escalation in the tests.
const RULE: i64 = 7;

/// An escalation of the first team, as a rule would open it.
async fn escalation(app: &App, identity: &'static str, severity: Severity) -> i64 {
    let (team_id, now) = (team(app).await, app.clock.now());
    let open = move |tx: &mut Tx| {
        let new = NewEscalation {
            team_id,
            identity_id: identities::find(tx, team_id, identity)?.unwrap().row_id,
            rule_id: RULE,
            rule_name: "Low humanity".into(),
            severity,
            conditions: "[]".into(),
            channels: "[]".into(),
            scores: Scores { humanity: Some(12), ..Scores::default() },
            explanation: None,
            event_id: None,
            opened_at: now,
        };
        escalations::insert(tx, &new)
    };
    app.store.write(open).await.unwrap().unwrap()
}

/// A POST of raw bytes with the secret key.
fn post_raw(server: &TestServer, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    server.request(Method::POST, path).bearer_auth(SECRET_KEY).body(body)
}

/// A request with the secret key and a JSON body.
fn with_json(server: &TestServer, method: Method, path: &str, body: &Value) -> RequestBuilder {
    server.request(method, path).bearer_auth(SECRET_KEY).json(body)
}

/// The team of the first start.
pub(crate) async fn team(app: &App) -> i64 {
    app.kept.credentials.find(&app.store, SECRET_KEY).await.unwrap().unwrap().team_id
}

/// The password of the persons that [`session`] makes.
const SESSION_PASSWORD: &str = "correct horse battery staple";

/// The token of a session of a new person.
pub(crate) async fn session(app: &Arc<App>, team_id: i64, role: Role) -> String {
    let token = format!("st_{:032x}", rand::random::<u128>());
    let (hash, email, now) = (token_hash(&token), format!("{token}@example.com"), app.clock.now());
    static HASH: LazyLock<String> = LazyLock::new(|| sign_in::hash_password(SESSION_PASSWORD).unwrap());
    let store = move |tx: &mut Tx| {
        let user_id = users::insert(tx, team_id, &email, &HASH, role, now)?;
        dregs_server::store::sessions::insert(
            tx,
            &hash,
            (team_id, user_id),
            &Place::default(),
            now,
            now.plus_millis(60_000),
        )
    };
    app.store.write(store).await.unwrap();
    token
}
