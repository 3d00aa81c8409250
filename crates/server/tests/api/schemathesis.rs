//! schemathesis, which makes requests out of the document, right ones and wrong ones: the server must not fail, and
//! must answer nothing that the document does not say.

use std::path::Path;
use std::process::Stdio;

use dregs_server::store::users::Role;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{session, team};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event};

/// Requests made for one operation, beside those for every corner of its parameters.
const EXAMPLES_MAX: &str = "12";
/// What would end the session that makes the requests, and what never ends.
const LEFT_OUT: [&str; 3] = ["signOut", "changePassword", "listen"];

async fn server() -> TestServer {
    // Names that lead nowhere must not hold the test up.
    TestServer::start_with(Engine::Sqlite, |config| config.deadline_ms = 200).await
}

/// Runs schemathesis as an admin over all operations, or over those that `options` leave.
async fn run(server: &TestServer, settings: &str, options: &[&str]) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python-clients/bin/python");
    assert!(python.exists(), "run `scripts/python-clients.sh` before the tests");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), settings).unwrap();
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "run", &server.url("/api/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {admin}")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES_MAX])
        .args(["--seed", &rand::random::<u32>().to_string()])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        // How many of its own inventions the generator throws away is no matter of the server's.
        .args(["--suppress-health-check", "filter_too_much"])
        .args(["--continue-on-failure", "--warnings", "off", "--request-timeout", "20"])
        .args(LEFT_OUT.iter().flat_map(|operation| ["--exclude-operation-id", operation]))
        .args(options);
    let output =
        command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("generated") && said.contains("Fuzzing"), "{said}");
}

#[tokio::test]
async fn whatever_is_asked_the_server_answers_as_the_document_says() {
    run(&server().await, "", &[]).await;
}

#[tokio::test]
async fn whatever_is_asked_of_things_that_are_there_is_answered_as_the_document_says() {
    let server = server().await;
    let mut full = event("e1", "ada");
    full["groups"] = json!([{"type": "team", "id": "t1"}]);
    full["device"] = json!({"fingerprint": "f1"});
    server.post("/api/events", full).await;
    let (channel, _) = server.channel("Test", json!({"url": "https://127.0.0.1:1/"})).await;
    let test = server.post(&format!("/api/channels/{channel}/actions/test"), Value::Null).await;
    let ids = [
        ("/identities/", "path.id", "ada".to_owned()),
        ("/identities/", "path.cycleId", "1".to_owned()),
        ("/groups/", "path.type", "team".to_owned()),
        ("/groups/", "path.id", "t1".to_owned()),
        ("/groups/", "path.identityId", "ada".to_owned()),
        ("/events/", "path.id", "e1".to_owned()),
        ("/devices/", "path.fingerprint", "f1".to_owned()),
        ("/channels/", "path.id", channel.to_string()),
        ("/deliveries/", "path.id", test["deliveryId"].to_string()),
        ("/credentials/", "path.id", "1".to_owned()),
        ("/team/members/", "path.id", "1".to_owned()),
        ("/datasets/", "path.slug", "disposable-email-domains".to_owned()),
    ];
    let settings = ids.map(|(path, name, id)| {
        format!("[[operations]]\ninclude-path-regex = \"{path}\"\nparameters = {{ \"{name}\" = \"{id}\" }}\n")
    });
    run(&server, &settings.concat(), &["--exclude-method", "DELETE"]).await;
}
