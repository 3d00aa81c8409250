//! A backup that is made while the server takes events, and what is put back from it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dregs_server::store::backup;
use reqwest::Method;
use serde_json::Value;

use super::kill::{call, create_channel};
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, answer, event, eventually};

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// What a command says, where it ends with this code.
fn said(site: &Site, arguments: &[&str], code: i32) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_dregs"))
        .args(arguments)
        .env_clear()
        .env("DREGS_DATA_DIR", site.folder())
        .current_dir(site.folder())
        .output()
        .unwrap();
    let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert_eq!(done.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

/// The bodies that a receiver was sent.
fn received(receiver: &Receiver) -> Vec<Value> {
    receiver.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

async fn send(site: &Site, receiver: &Receiver, id: &str) {
    let before = receiver.requests().len();
    call(site.address, Method::POST, "/events", event(id, "ada")).await;
    eventually("a webhook", async || (receiver.requests().len() > before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_has_is_put_back_and_nothing_is_numbered_twice() {
    let site = Site::new(Engine::Sqlite);
    let receiver = Receiver::answering(OK).await;
    let mut server = site.start(None, &[("DREGS_MIN_CYCLE_MS", "0")]);
    assert!(server.is_ready().await);
    create_channel(&site, "App", &receiver, &["IDENTITY_SCORED"]).await;
    for n in 0..3 {
        send(&site, &receiver, &format!("before {n}")).await;
    }
    let copy = site.folder().join("copy.db");
    let copied = copy.to_str().unwrap().to_owned();
    // Somebody writes all the time.
    let (address, stop) = (site.address, Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                call(address, Method::POST, "/events", event(&format!("w{count}"), "bob")).await;
                count += 1;
            }
            count
        }
    });
    let told = said(&site, &["backup", &copied], 0);
    stop.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0);
    assert!(told.contains("KiB, and sound") && told.contains("The master key is not in it"), "{told}");
    let again = said(&site, &["backup", &copied], 2);
    assert!(again.contains("is there already: choose another name"), "{again}");
    for n in 0..3 {
        send(&site, &receiver, &format!("after {n}")).await;
    }
    server.kill();
    let sent = received(&receiver);

    let other = Site::new(Engine::Sqlite);
    let refused = said(&other, &["restore", "nowhere.db"], 2);
    assert!(refused.contains("nowhere.db is not there"), "{refused}");
    std::fs::write(other.folder().join("broken.db"), vec![7; 8_192]).unwrap();
    let refused = said(&other, &["restore", "broken.db"], 2);
    assert!(refused.contains("is no backup of dregs: name a file that `dregs backup` has made"), "{refused}");
    std::fs::write(other.folder().join("empty.db"), "").unwrap();
    let refused = said(&other, &["restore", "empty.db"], 2);
    assert!(refused.contains("is no backup of dregs: it holds none of its tables"), "{refused}");
    let whole = std::fs::read(&copied).unwrap();
    std::fs::write(other.folder().join("cut.db"), &whole[..whole.len() / 2]).unwrap();
    let refused = said(&other, &["restore", "cut.db"], 2);
    assert!(refused.contains("is damaged") && refused.contains("name another backup"), "{refused}");
    assert!(!other.folder().join("dregs.db").exists());
    std::fs::write(
        other.folder().join("master.key"),
        [b'A'; 43].map(char::from).iter().collect::<String>() + "=",
    )
    .unwrap();
    let refused = said(&other, &["restore", &copied], 2);
    assert!(refused.contains("the master key is not the one of"), "{refused}");
    assert!(!other.folder().join("dregs.db").exists());
    std::fs::copy(site.folder().join("master.key"), other.folder().join("master.key")).unwrap();
    let told = said(&other, &["restore", &copied], 0);
    assert!(told.contains("is restored, as it was at 20") && told.contains("send events again"), "{told}");
    let refused = said(&other, &["restore", &copied], 2);
    assert!(refused.contains("`--replace` moves it away"), "{refused}");

    let mut server = other.start(None, &[("DREGS_MIN_CYCLE_MS", "0")]);
    assert!(server.is_ready().await);
    let busy = said(&other, &["restore", "--replace", &copied], 1);
    assert!(busy.contains("is in use by another dregs server"), "{busy}");
    let before = call(other.address, Method::GET, "/events/before%202", Value::Null).await;
    assert_eq!(before["id"], "before 2");
    let after = reqwest::Client::new().get(format!("http://{}/api/events/after%200", other.address));
    let (_, after) = answer(after.bearer_auth(SECRET_KEY)).await;
    assert_eq!(after["code"], "event_not_found");
    let system = call(other.address, Method::GET, "/system", Value::Null).await;
    assert!(
        system["restored"]["takenAt"].is_string() && system["restored"]["restoredAt"].is_string(),
        "{system}"
    );
    // Other events than those that were sent after the backup, in their places.
    for n in 0..3 {
        send(&other, &receiver, &format!("anew {n}")).await;
    }
    server.kill();
    let all = received(&receiver);
    let (old, new) = all.split_at(sent.len());
    let known: BTreeMap<_, _> = old.iter().map(|body| (body["id"].as_str(), body)).collect();
    let last = old.iter().map(|body| body["sequence"].as_u64()).max().unwrap();
    let mut count = 0;
    for body in new {
        match known.get(&body["id"].as_str()) {
            // It was pending when the backup was made.
            Some(before) => assert_eq!(before["data"], body["data"], "an id twice"),
            None => {
                assert!(body["sequence"].as_u64() > last, "a number twice: {body}");
                count += 1;
            }
        }
    }
    assert!(count >= 3, "{new:?}");

    let told = said(&other, &["restore", "--replace", &copied], 0);
    assert!(told.contains("The database of before is "), "{told}");
    let kept = std::fs::read_dir(other.folder()).unwrap();
    let kept =
        kept.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".before-"));
    assert!(kept.count() > 0);
}

#[test]
fn a_backup_of_what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text"), "Dear diary, today nothing has happened.").unwrap();
    assert!(backup::check(&at("text")).is_err());
    // Nor is one written to by two at a time.
    let first = backup::claim(&at("copy"));
    let second = backup::claim(&at("copy")).unwrap_err().to_string();
    assert!(second.ends_with("copy is being written by another backup: wait for it"), "{second}");
    drop(first);
    assert!(backup::claim(&at("copy")).is_ok());
    assert!(backup::check(Path::new("/nowhere/at/all.db")).is_err());
}
