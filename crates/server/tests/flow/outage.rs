//! When the database cannot be had: a reader that does not end, a full disk, files that are moved away, a server that
//! does not answer. Callers are told in time, the log says it once, and everything goes on by itself.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::cluster::{Cluster, Disk};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::server::{event, eventually};

/// No commit waits for a reader: one would wait for ten seconds.
const COMMIT_MAX: Duration = Duration::from_secs(8);
/// Where the log of before was forced into the database: 128 MiB.
const LARGE_LOG_BYTES: u64 = 128 * 1024 * 1024;
/// What is told of a frozen server within ten seconds, on a machine that is busy with other tests.
const TOLD_MAX: Duration = Duration::from_secs(25);

async fn started(site: &Site, settings: &[(&str, &str)]) -> Process {
    let mut server = site.start(None, settings);
    assert!(server.is_ready().await, "{}", server.log());
    server
}

/// An event with 60 KB that no engine makes less of.
fn large(id: &str) -> Value {
    let noise: String =
        std::iter::repeat_with(|| char::from(b'0' + rand::random::<u8>() % 75)).take(60_000).collect();
    json!({"id": id, "type": "upload", "identity": {"id": "ada"}, "data": {"noise": noise}})
}

fn errors(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains(" ERROR ") || line.contains("ERROR\u{1b}")).collect()
}

async fn is_ready(server: &Process) -> bool {
    server.get("/readyz").await.0 == 200
}

#[tokio::test]
async fn a_reader_that_does_not_end_keeps_no_commit_waiting_and_is_told_of() {
    let site = Site::new(Engine::Sqlite);
    let server = started(&site, &[]).await;
    assert_eq!(server.track(event("first", "ada")).await, 200);
    // Another process with the file open, such as a backup.
    let reader = rusqlite::Connection::open(site.folder().join("dregs.db")).unwrap();
    reader.execute_batch("begin").unwrap();
    reader.query_row("select count(*) from events", [], |row| row.get::<_, i64>(0)).unwrap();

    let begun = Instant::now();
    let log = site.folder().join("dregs.db-wal");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let mut count = 0;
    while size(&log) <= LARGE_LOG_BYTES {
        let batch: Vec<_> = (count..count + 20).map(|n| large(&format!("e{n}"))).collect();
        count += batch.len();
        let (status, said) =
            server.call(reqwest::Method::POST, "/api/events/batch", Some(json!(batch))).await;
        assert!(status < 300, "{status} {said}");
        assert!(count < 20_000, "the log stays at {} bytes", size(&log));
    }
    for n in 0..20 {
        let sent = Instant::now();
        assert_eq!(server.track(event(&format!("late{n}"), "bob")).await, 200);
        assert!(sent.elapsed() < COMMIT_MAX, "a commit waited {:?}", sent.elapsed());
    }
    assert!(server.metric("dregs_store_log_bytes").await > LARGE_LOG_BYTES as f64);
    assert!(server.metric("dregs_store_log_blocked_seconds").await > 0.0);
    assert!(is_ready(&server).await);
    let told =
        async || server.log().contains("the write-ahead log cannot be emptied and grows").then_some(());
    eventually("the log to say so", told).await;
    let lines = server.log().matches("cannot be emptied").count();
    assert!(lines as u64 <= 2 + begun.elapsed().as_secs() / 60, "{lines} lines");
    assert!(server.log().contains("another process holds a read transaction"), "{}", server.log());

    drop(reader);
    let emptied = async || {
        let is_small = size(&log) <= LARGE_LOG_BYTES / 2;
        (is_small && server.metric("dregs_store_log_blocked_seconds").await == 0.0).then_some(())
    };
    eventually("the log to be emptied", emptied).await;
    assert!(server.log().contains("could be emptied again"), "{}", server.log());
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_acknowledged_and_room_is_all_it_takes() {
    let site = Site::new(Engine::Sqlite);
    let disk = Disk::of_size("24m");
    let data = disk.folder().join("data");
    let filler = disk.folder().join("filler");
    std::fs::write(&filler, vec![0; 6 * 1024 * 1024]).unwrap();
    let server = started(&site, &[("DREGS_DATA_DIR", data.to_str().unwrap())]).await;
    assert!(is_ready(&server).await);

    let (tracked, acknowledged) = (Cell::new(0), Cell::new(0));
    let track = async || {
        let status = server.track(large(&format!("e{}", tracked.replace(tracked.get() + 1)))).await;
        assert!(matches!(status, 200 | 503), "{status}");
        acknowledged.set(acknowledged.get() + i64::from(status == 200));
        assert!(acknowledged.get() < 2_000, "the disk is never full");
        status
    };
    while track().await == 200 {}
    // What is smaller may still have found room.
    eventually("readiness to end", async || {
        track().await;
        (!is_ready(&server).await).then_some(())
    })
    .await;
    let before = acknowledged.get();
    for _ in 0..200 {
        track().await;
    }
    assert!(acknowledged.get() - before < 100, "the disk is not full");
    let log = server.log();
    assert!((1..=5).contains(&errors(&log).len()), "{} lines: {log}", errors(&log).len());
    assert!(log.contains("the database cannot be written to"), "{log}");

    std::fs::remove_file(&filler).unwrap();
    eventually("readiness", async || is_ready(&server).await.then_some(())).await;
    assert_eq!(server.track(event("after", "ada")).await, 200);
    let (_, page) = server.get("/api/events?pageSize=1").await;
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["totalElements"], acknowledged.get() + 1, "{page}");
}

#[tokio::test]
async fn files_that_are_moved_replaced_or_removed_are_noticed_before_anything_more_is_acknowledged() {
    type Change = fn(&Path);
    let changes: [(&str, Change, &str); 4] = [
        (
            "moved",
            |folder| std::fs::rename(folder.join("dregs.db"), folder.join("away.db")).unwrap(),
            "dregs.db was",
        ),
        ("removed", |folder| std::fs::remove_file(folder.join("dregs.db")).unwrap(), "dregs.db was"),
        (
            "replaced",
            |folder| {
                std::fs::copy(folder.join("dregs.db"), folder.join("copy.db")).unwrap();
                std::fs::rename(folder.join("copy.db"), folder.join("dregs.db")).unwrap();
            },
            "dregs.db was",
        ),
        (
            "log removed",
            |folder| std::fs::remove_file(folder.join("dregs.db-wal")).unwrap(),
            "dregs.db-wal was",
        ),
    ];
    for (name, change, said) in changes {
        let site = Site::new(Engine::Sqlite);
        let server = started(&site, &[]).await;
        assert_eq!(server.track(event("before", "ada")).await, 200, "{name}");
        assert!(is_ready(&server).await, "{name}");
        change(site.folder());
        for n in 0..30 {
            assert_eq!(server.track(event(&format!("e{n}"), "ada")).await, 503, "{name}");
        }
        let (status, text) = server.get("/readyz").await;
        assert_eq!((status, text.contains("takes no writes")), (503, true), "{name}: {text}");
        let log = server.log();
        assert!(log.contains(said), "{name}: {log}");
        assert_eq!(errors(&log).len(), 1, "{name}: {log}");
        if name == "moved" {
            std::fs::rename(site.folder().join("away.db"), site.folder().join("dregs.db")).unwrap();
            eventually("readiness", async || is_ready(&server).await.then_some(())).await;
            assert_eq!(server.track(event("after", "ada")).await, 200);
        }
    }
}

#[tokio::test]
async fn a_frozen_postgresql_is_told_of_in_time_and_left_behind_when_it_goes_on() {
    let cluster = Cluster::start("local all all trust\nhost all all 127.0.0.1/32 trust\n", &[]);
    let site = Site::new(Engine::Sqlite);
    let server = started(&site, &[("DREGS_DATABASE_URL", &cluster.url())]).await;
    let server = std::sync::Arc::new(server);
    assert_eq!(server.track(event("before", "ada")).await, 200);
    assert!(is_ready(&server).await);

    cluster.freeze();
    for round in 0..2 {
        let mut calls = JoinSet::new();
        for n in 0..20 {
            let server = std::sync::Arc::clone(&server);
            calls.spawn(async move {
                let begun = Instant::now();
                let status = match n % 4 {
                    0 => server.get("/api/identities").await.0,
                    1 => server.get("/readyz").await.0,
                    _ => server.track(event(&format!("e{round}-{n}"), "ada")).await,
                };
                (status, begun.elapsed())
            });
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for (status, took) in calls.join_all().await {
            assert_eq!(status, 503);
            assert!(took < TOLD_MAX, "told after {took:?}");
        }
    }
    let log = server.log();
    assert!((1..=6).contains(&errors(&log).len()), "{} lines: {log}", errors(&log).len());

    cluster.thaw();
    eventually("readiness", async || is_ready(&server).await.then_some(())).await;
    eventually("an event", async || (server.track(event("after", "ada")).await == 200).then_some(())).await;
    eventually("the past", async || (server.get("/api/identities/ada").await.0 == 200).then_some(())).await;
}
