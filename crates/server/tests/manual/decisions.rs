//! The samples of `docs/manual/decisions.md` that decide, each run against a real server: what they make of somebody
//! of whom nothing is known, of long ids, of a refusal and of no answer. That those in Rust are the files that were
//! built, the test that follows the chapter sees.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::root;
use super::samples::{program, sampled};
use crate::support::engine::Engine;
use crate::support::server::{SECRET_KEY, TestServer, eventually};

const CHAPTER: &str = "docs/manual/decisions.md";
const LANGUAGES: [&str; 3] = ["python", "typescript", "rust"];

#[derive(Clone, Copy)]
enum Form {
    SignUp,
    Checkout,
}

/// What a run has printed: its answer, and what is in the log.
struct Said {
    answer: String,
    log: String,
}

/// Runs a sample with a base URL and a key. `typed` has parts of the sample replaced; one in Rust is built as it is.
async fn run(language: &str, form: Form, base: &str, key: &str, typed: &[(&str, &str)]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let mut text = sampled(CHAPTER, language)[form as usize].clone();
    for (before, after) in typed {
        assert!(text.contains(before), "{language}: {before}");
        text = text.replace(before, after);
    }
    let (file, program) = match language {
        "python" => ("sample.py", root("target/python-clients/bin/python").canonicalize().unwrap()),
        "typescript" => ("sample.mjs", program("node", 0)),
        _ => {
            let name = if matches!(form, Form::SignUp) { "decide_sign_up" } else { "decide_checkout" };
            ("sample.rs", Path::new(env!("CARGO_BIN_EXE_dregs")).with_file_name(name))
        }
    };
    let file = folder.path().join(file);
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    if language != "rust" {
        command.arg(&file);
    }
    command.env("DREGS_BASE_URL", base).env("DREGS_SECRET_KEY", key).kill_on_drop(true);
    let done = command.stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let said = Said { answer: text(&done.stdout), log: text(&done.stderr) };
    assert!(done.status.success(), "{language}: {}", said.log);
    said
}

/// Runs a sample until it answers so.
async fn answers(server: &TestServer, language: &str, form: Form, wanted: &str) {
    eventually(&format!("{wanted} of the sample in {language}"), async || {
        let said = run(language, form, &server.url("/api"), SECRET_KEY, &[]).await;
        (said.answer == wanted && said.log.is_empty()).then_some(())
    })
    .await;
}

/// The user who buys in the sample of a language.
fn buyer(language: &str) -> &'static str {
    match language {
        "python" => "py_2",
        "typescript" => "ts_2",
        _ => "rs_2",
    }
}

#[tokio::test]
async fn an_order_of_whom_nothing_is_known_is_held_until_something_is() {
    let server = TestServer::start(Engine::Sqlite).await;
    for language in LANGUAGES {
        let buyer = buyer(language);
        answers(&server, language, Form::Checkout, "HELD").await;
        let scored = async || {
            let decision = server.get(&format!("/api/identities/{buyer}/decision")).await;
            (decision["pending"] == false).then_some(decision["scores"].clone())
        };
        let scores = eventually("a cycle", scored).await;
        assert!(scores.as_object().unwrap().values().all(Value::is_null), "{scores}");
        answers(&server, language, Form::Checkout, "HELD").await;
        // However often it is sent, it is one event, though the id of the order is longer than that of an event may be.
        let events = server.get(&format!("/api/events?identity={buyer}")).await;
        assert_eq!(events["content"].as_array().unwrap().len(), 1, "{language}");
        let data = json!({"name": "Ada Lovelace", "email": "ada.lovelace@fastmail.com"});
        server.patch(&format!("/api/identities/{buyer}"), json!({"attributes": data})).await;
        answers(&server, language, Form::Checkout, "ACCEPTED").await;
    }
}

#[tokio::test]
async fn a_sign_up_is_stored_however_long_the_id_of_the_user_is() {
    let server = TestServer::start(Engine::Sqlite).await;
    for language in LANGUAGES {
        answers(&server, language, Form::SignUp, "CONFIRM").await;
    }
    let all = server.get("/api/identities").await;
    let mut ids: Vec<_> =
        all["content"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let user =
        |language: &str| format!("https://accounts.example.com/users/6f1c8e3a-52d4-4a55-9d0e-{language}");
    assert_eq!(ids, ["python", "rust", "typescript"].map(user));
    assert!(ids.iter().all(|id| format!("signup-{id}").len() > 64));
}

#[tokio::test]
async fn a_refusal_looks_like_no_answer_that_a_webhook_follows() {
    let server = TestServer::start(Engine::Sqlite).await;
    let base = server.url("/api");
    for language in LANGUAGES {
        let mut cases = vec![("sk_wrong", vec![], "401")];
        if language != "rust" {
            cases.push((SECRET_KEY, vec![("\"purchase\"", "\"\"")], "400"));
        }
        for (key, typed, status) in cases {
            let said = run(language, Form::Checkout, &base, key, &typed).await;
            assert_eq!(said.answer, "REVIEW", "{language} {status}");
            assert!(said.log.contains(status) && said.log.contains("refused"), "{language}: {}", said.log);
            let typed: Vec<_> = typed.iter().map(|_| ("\"user.signup\"", "\"\"")).collect();
            let said = run(language, Form::SignUp, &base, key, &typed).await;
            assert_eq!(said.answer, "CREATED", "{language} {status}");
            assert!(said.log.contains(status) && said.log.contains("not taken"), "{language}: {}", said.log);
        }
    }
    assert_eq!(server.get("/api/identities").await["totalElements"], 0);
}

#[tokio::test]
async fn without_an_answer_an_order_is_held_and_a_sign_up_goes_on() {
    let nobody = format!("http://127.0.0.1:{}/api", crate::cli::free_port());
    for language in LANGUAGES {
        assert_eq!(
            run(language, Form::Checkout, &nobody, SECRET_KEY, &[]).await.answer,
            "HELD",
            "{language}"
        );
        assert_eq!(
            run(language, Form::SignUp, &nobody, SECRET_KEY, &[]).await.answer,
            "CREATED",
            "{language}"
        );
    }
}
