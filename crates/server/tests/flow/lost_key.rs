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
use crate::support::server::event;

on_both_engines!(a_lost_master_key_is_given_up_on_request_and_nothing_goes_out_unsigned);

async fn channel(server: &Process, kind: &str, name: &str, url: &str) -> Value {
    let body = json!({"type": kind, "name": name, "events": ["identity.scored"], "config": {"url": url}});
    let (status, text) = server.call(Method::POST, "/api/channels", Some(body)).await;
    assert!(status < 300, "{status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Runs `dregs keys reset-secrets`: code, standard output, standard error.
fn reset(site: &Site, flags: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dregs"));
    command.env_clear().current_dir(site.folder()).env("DREGS_DATA_DIR", site.folder());
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
