//! A master key that is lost: what of it can be given up, and how the server goes on.

use std::process::{Command, Output};

use dregs_server::clock::{Clock as _, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};

use super::delivery::{OK, arrived, verify};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::receiver::Receiver;
use crate::support::server::{event, eventually};

on_both_engines!(a_lost_master_key_is_given_up_on_request_and_nothing_goes_out_unsigned);

async fn channel(server: &Process, kind: &str, name: &str, url: &str) -> Value {
    let body = json!({"type": kind, "name": name, "events": ["identity.scored"], "config": {"url": url}});
    let (status, text) = server.call(Method::POST, "/api/channels", Some(body)).await;
    assert!(status < 300, "{status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Runs `dregs keys reset-secrets`: code, standard output, standard error.
fn reset(site: &Site, flags: &[&str]) -> (Option<i32>, String, String) {
    reset_with(site, flags, &[])
}

fn reset_with(site: &Site, flags: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dregs"));
    command.env_clear().current_dir(site.folder()).env("DREGS_DATA_DIR", site.folder());
    command.envs(settings.iter().copied());
    command.envs(site.database_url().map(|url| ("DREGS_DATABASE_URL", url)));
    let Output { status, stdout, stderr } =
        command.args(["keys", "reset-secrets"]).args(flags).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

async fn a_lost_master_key_is_given_up_on_request_and_nothing_goes_out_unsigned(engine: Engine) {
    let receiver = Receiver::answering(OK).await;
    let site = Site::new(engine);
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    let made = channel(&server, "WEBHOOK", "Shop", &receiver.url()).await;
    let slack = channel(&server, "SLACK", "Desk", "https://hooks.slack.com/services/T0/B0/xyz").await;
    let id = |channel: &Value| channel["id"].to_string().trim_matches('"').to_owned();
    if engine == Engine::Sqlite {
        let (code, _, said) = reset(&site, &["--lost-master-key"]);
        assert_eq!((code, said.contains("is in use by another dregs server")), (Some(1), true), "{said}");
    }
    server.kill();
    let (code, said, _) = reset(&site, &["--lost-master-key"]);
    assert_eq!((code, said.contains("there is nothing to reset")), (Some(0), true), "{said}");

    let key = site.folder().join("master.key");
    std::fs::remove_file(&key).unwrap();
    let (code, listed, advice) = reset(&site, &[]);
    assert_eq!(code, Some(1), "{advice}");
    assert!(listed.contains("Shop") && listed.contains("Desk"), "{listed}");
    assert!(advice.contains("nothing was changed") && advice.contains("--lost-master-key"), "{advice}");
    assert!(!key.exists(), "a question made a key");

    let (code, listed, said) = reset(&site, &["--lost-master-key"]);
    assert_eq!(code, Some(0), "{said}");
    let line = |name: &str| listed.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    let secret = line("Shop").split_whitespace().last().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret != made["signingSecret"], "{listed}");
    for name in ["Shop", "Desk"] {
        assert!(listed.contains(&format!("{name} is disabled")), "{listed}");
    }
    let (code, said, _) = reset(&site, &[]);
    assert_eq!((code, said.contains("there is nothing to reset")), (Some(0), true), "{said}");

    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await, "{}", server.log());
    let url = receiver.url();
    for (channel, url) in [(&slack, "https://hooks.slack.com/services/T0/B0/new"), (&made, url.as_str())] {
        let path = format!("/api/channels/{}", id(channel));
        let (status, shown) = server.get(&path).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!((status, &shown["enabled"]), (200, &json!(false)));
        let reason = shown["health"]["disabledReason"].as_str().unwrap();
        assert!(reason.contains("lost with the master key"), "{shown}");
        // It can be had again by entering what was lost.
        let body = json!({"enabled": true, "config": {"url": url}});
        let (status, said) = server.call(Method::PATCH, &path, Some(body)).await;
        assert_eq!(status, 200, "{said}");
    }
    assert_eq!(server.track(event("after", "ada")).await, 200);
    for request in arrived(&receiver, 1).await {
        verify(&request, &secret, SystemClock.now());
    }
    assert!(!server.log().contains("cannot be read"), "{}", server.log());
}

const KEY: (&str, &str) =
    ("DREGS_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
const OTHER_KEY: (&str, &str) =
    ("DREGS_MASTER_KEY", "0707070707070707070707070707070707070707070707070707070707070707");

#[tokio::test]
async fn a_node_with_a_key_of_its_own_is_refused_and_told_which_setting_it_takes() {
    let site = Site::new(Engine::Postgres);
    let mut first = site.start(None, &[]);
    assert!(first.is_ready().await);
    // Each makes itself a key where it is given none.
    let (code, said) = site.beside().start(None, &[]).given_up().await;
    assert_eq!(code, Some(2), "{said}");
    for setting in ["DREGS_MASTER_KEY", "master_key_file", "master.key"] {
        assert!(said.contains(setting), "{said}");
    }
    let (code, said) = site.beside().start(None, &[KEY]).given_up().await;
    assert_eq!((code, said.contains("than the one in DREGS_MASTER_KEY")), (Some(2), true), "{said}");
    let key = std::fs::read_to_string(site.folder().join("master.key")).unwrap();
    let mut second = site.beside().start(None, &[("DREGS_MASTER_KEY", key.trim())]);
    assert!(second.is_ready().await, "{}", second.log());
    assert_eq!((first.get("/readyz").await.0, second.get("/readyz").await.0), (200, 200));
}

#[tokio::test]
async fn a_node_whose_key_was_replaced_seals_and_sends_nothing_any_more() {
    let receiver = Receiver::answering(OK).await;
    let site = Site::new(Engine::Postgres);
    let mut old = site.start(None, &[KEY]);
    assert!(old.is_ready().await);
    let made = channel(&old, "WEBHOOK", "Shop", &receiver.url()).await;
    let path = format!("/api/channels/{}", made["id"]);
    assert_eq!(old.track(event("before", "ada")).await, 200);
    arrived(&receiver, 1).await;

    let (code, listed, said) = reset_with(&site, &["--lost-master-key"], &[OTHER_KEY]);
    assert_eq!(code, Some(0), "{said}");
    let line = listed.lines().find(|line| line.contains("Shop")).unwrap();
    let secret = line.split_whitespace().last().unwrap();
    let ready = eventually("the node to stand aside", async || {
        let (status, text) = old.get("/readyz").await;
        (status == 503).then_some(text)
    });
    let ready = ready.await;
    assert!(ready.starts_with("not ready: the database was given another master key"), "{ready}");
    // What it would seal nobody could open.
    let new = json!({"type": "WEBHOOK", "name": "New", "events": ["identity.scored"], "config": {"url": receiver.url()}});
    for (method, path, body) in [
        (Method::POST, "/api/channels".to_owned(), Some(new)),
        (Method::PATCH, path.clone(), Some(json!({"name": "Other"}))),
        (Method::POST, format!("{path}/actions/rotate-secret"), None),
        (Method::POST, format!("{path}/actions/test"), None),
        (Method::GET, path.clone(), None),
    ] {
        let (status, said) = old.call(method.clone(), &path, body).await;
        assert_eq!(status, 503, "{method} {path}: {said}");
        assert!(said.contains("The database was given another master key than this server has"), "{said}");
    }
    // Events are still taken, and whoever has the key sends what follows from them.
    for n in 0..5 {
        assert_eq!(old.track(event(&format!("after-{n}"), &format!("bob-{n}"))).await, 200);
    }
    let beside = site.beside();
    let mut second = beside.start(None, &[OTHER_KEY]);
    assert!(second.is_ready().await, "{}", second.log());
    let body = json!({"enabled": true, "config": {"url": receiver.url()}});
    assert_eq!(second.call(Method::PATCH, &path, Some(body)).await.0, 200);
    for n in 5..10 {
        assert_eq!(old.track(event(&format!("after-{n}"), &format!("bob-{n}"))).await, 200);
    }
    for request in arrived(&receiver, 1 + 10).await.into_iter().skip(1) {
        verify(&request, secret, SystemClock.now());
    }
    let (_, log) = second.get(&format!("{path}/deliveries?pageSize=100")).await;
    let log: Value = serde_json::from_str(&log).unwrap();
    for delivery in log["content"].as_array().unwrap() {
        let attempts = delivery["attemptCount"].as_i64().unwrap();
        assert!(delivery["status"] != "FAILED" && attempts <= 1, "{delivery}");
    }
    let said = old.log();
    assert_eq!(said.matches("was given another master key").count(), 1, "{said}");
    assert!(!said.contains("cannot be read") && !second.log().contains("cannot be read"), "{said}");
    old.kill();
    let mut again = site.start(None, &[OTHER_KEY]);
    assert!(again.is_ready().await, "{}", again.log());
    assert_eq!(again.get("/readyz").await.0, 200);
}
