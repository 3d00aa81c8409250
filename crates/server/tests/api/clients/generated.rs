//! The client that a published generator makes of the document, against a server.

use std::path::Path;

use dregs_server::store::users::Role;
use serde_json::{Value, json};
use tokio::process::Command;

use super::super::{session, team};
use super::python;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::TestServer;

const ANSWER: &str = "HTTP/1.1 200 OK\r\nx-answered: yes\r\ncontent-length: 0\r\n\r\n";
/// Of several calls in the script, and of all that can be read without saying what.
const CALLS_MIN: usize = 40;

#[tokio::test]
async fn a_generated_client_understands_every_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let programs = root.join("target/python-clients/bin");
    let generator = programs.join("openapi-python-client");
    assert!(generator.exists(), "run `scripts/python-clients.sh` before the tests");
    let folder = tempfile::tempdir().unwrap();
    // It formats what it makes with a program that was installed with it.
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let generated = Command::new(generator)
        .args(["generate", "--meta", "none", "--fail-on-warning", "--output-path", "generated", "--path"])
        .arg(root.join("openapi.json"))
        .current_dir(folder.path())
        .env("PATH", path)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&generated.stdout);
    assert!(generated.status.success(), "{said}{}", String::from_utf8_lossy(&generated.stderr));

    let server = TestServer::start(Engine::Sqlite).await;
    let endpoint = Receiver::answering(ANSWER).await;
    let token = session(&server.app, team(&server.app).await, Role::Admin).await;
    let input = json!({
        "folder": folder.path(), "package": "generated", "url": server.url(""), "token": token,
        "endpoint": endpoint.url(),
    });
    let calls = python("generated.py", input).await;
    let calls = calls.as_array().unwrap();
    assert!(calls.len() >= CALLS_MIN, "{calls:?}");
    let is_right = |call: &&Value| call[1].as_u64().unwrap() < 300;
    let refused: Vec<_> = calls.iter().filter(|call| !is_right(call)).collect();
    // Nobody has asked for anything at the page of consent, only owners see all teams, and nobody has this id.
    let expected = json!([
        ["oauth.read_authorization_request", 400],
        ["teams.list_teams", 403],
        ["identities.read_identity", 404],
    ]);
    assert_eq!(json!(refused), expected);
}
