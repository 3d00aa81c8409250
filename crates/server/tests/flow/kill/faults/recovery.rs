//! PostgreSQL put back to a point in time, by its own tools.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::super::{QUIET_PATIENCE, SETTINGS, call, create_channel, outcome, quiet, traffic};
use super::{MASTER_KEY, started};
use crate::support::cluster::Cluster;
use crate::support::process::Site;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, event, eventually};

/// Between what is to be there again and what is not.
const APART: Duration = Duration::from_millis(1_100);
const HBA: &str =
    "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";

/// Sends an event of each of two users, and waits until all is told.
async fn send(site: &Site, name: &str) {
    for user in ["ada", "bob"] {
        call(site.address, Method::POST, "/events", event(&format!("{name}-{user}"), user)).await;
    }
    quiet(&site.open_store(), QUIET_PATIENCE).await;
}

/// What of the bodies that were sent is given once for all: their ids, and identities with sequences.
fn numbers(receiver: &Receiver) -> (Vec<String>, Vec<String>) {
    let bodies = receiver.requests().into_iter().map(|request| request.body);
    let bodies = bodies.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    bodies
        .map(|body| (body["id"].to_string(), format!("{} {}", body["identityId"], body["sequence"])))
        .unzip()
}

async fn is_there(site: &Site, event: &str) -> bool {
    let url = format!("http://{}/api/events/{event}", site.address);
    let status = reqwest::Client::new().get(url).bearer_auth(SECRET_KEY).send().await.unwrap().status();
    assert!(status == StatusCode::OK || status == StatusCode::NOT_FOUND, "{event}: {status}");
    status == StatusCode::OK
}

/// What `dregs restore --in-place` says.
fn restore_in_place(url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_dregs"))
        .args(["restore", "--in-place", "--database-url", url])
        .env_clear()
        .env(MASTER_KEY.0, MASTER_KEY.1)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(done.status.success(), "{text}");
    text
}

/// The settings in the manual's two blocks, with the archive and the moment of this test.
fn manual_settings(folder: &str, moment: &str) -> [String; 2] {
    let page = std::fs::read_to_string("../../docs/manual/operations.md").unwrap();
    let mut blocks = page.split("```ini\n").skip(1).map(|block| block.split("```").next().unwrap());
    let mut next = || {
        let block = blocks.next().unwrap();
        block.replace("/archive/", &format!("{folder}/")).replace("2026-11-29 21:00:00+00", moment)
    };
    [next(), next()]
}

#[tokio::test]
async fn a_postgresql_put_back_to_a_point_in_time_has_what_was_before_and_numbers_nothing_twice() {
    let archive = tempfile::Builder::new().prefix("dregs-archive").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(archive.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let folder = archive.path().display().to_string();
    let [archiving, _] = manual_settings(&folder, "");
    let archiving: Vec<_> = archiving.lines().map(|line| line.replace(" = ", "=")).collect();
    let cluster = Cluster::start(HBA, &archiving.iter().map(String::as_str).collect::<Vec<_>>());
    let site = Site::at(cluster.url());
    let receiver = Receiver::answering(traffic::OK).await;
    let node = started(&site).await;
    let channel = create_channel(&site, "App", &receiver, &["identity.scored"]).await;
    send(&site, "first").await;
    let copy = Cluster::copy_of(&cluster, &["-X", "none"], &[]);
    send(&site, "second").await;
    tokio::time::sleep(APART).await;
    let moment = cluster.ask("select clock_timestamp()");
    let told_before = numbers(&receiver).0.len();
    tokio::time::sleep(APART).await;
    send(&site, "third").await;
    node.kill();
    let last = cluster.ask("select pg_walfile_name(pg_switch_wal())");
    eventually("the log to be archived", async || {
        (cluster.ask("select last_archived_wal from pg_stat_archiver") >= last).then_some(())
    })
    .await;
    cluster.stop();
    let (ids, sequences) = numbers(&receiver);
    assert!(told_before < ids.len(), "nothing was told of what came later");

    let [_, settings] = manual_settings(&folder, &moment);
    let data = std::path::PathBuf::from(copy.data());
    let mut file = std::fs::File::options().append(true).open(data.join("postgresql.conf")).unwrap();
    std::io::Write::write_all(&mut file, settings.as_bytes()).unwrap();
    std::fs::write(data.join("recovery.signal"), "").unwrap();
    copy.start_again();
    eventually("the recovery", async || (copy.ask("select pg_is_in_recovery()") == "f").then_some(())).await;

    let said = restore_in_place(&copy.url());
    let restored = Site::at(copy.url());
    let mut node = restored.start(None, &[SETTINGS[0], SETTINGS[1], MASTER_KEY]);
    assert!(node.is_ready().await);
    quiet(&restored.open_store(), QUIET_PATIENCE).await;
    for (event, expected) in
        [("first-ada", true), ("second-bob", true), ("third-ada", false), ("third-bob", false)]
    {
        assert_eq!(is_there(&restored, event).await, expected, "{event}: {said}");
    }
    assert_eq!(numbers(&receiver).0.len(), ids.len(), "what its log has as delivered was sent again");

    // The application sends again what came after; it is told under numbers that nobody has had.
    send(&restored, "third").await;
    let (all_ids, all_sequences) = numbers(&receiver);
    assert!(all_ids.len() > ids.len(), "nothing was told");
    for (before, all) in [(&ids, &all_ids), (&sequences, &all_sequences)] {
        let known: BTreeSet<_> = before.iter().collect();
        let again: Vec<_> = all[before.len()..].iter().filter(|number| known.contains(number)).collect();
        assert!(again.is_empty(), "{again:?} were given twice");
    }
    node.kill();
    let found = outcome::read(&restored.open_store(), &[channel], &[&receiver]).await;
    assert_eq!(Vec::from_iter(found.events.keys()).len(), 6);

    // Once more: of when it is says the newest event, not the restore before.
    let again = restore_in_place(&copy.url());
    assert_ne!(said, again);
}
