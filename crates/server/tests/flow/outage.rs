//! When the database cannot be had: a reader that does not end, a full disk, files that are moved away, a server that
//! does not answer. Callers are told in time, the log says it once, and everything goes on by itself.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dregs_server::limit::Limit;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::cluster::{Cluster, Disk, End};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::server::{SECRET_KEY, event, eventually, reached};

/// No commit waits for a reader: one that did would wait for five seconds, or ten.
const COMMIT_MAX: Duration = Duration::from_secs(2);
/// On a machine on which a commit takes long anyway: as many times as long as the slowest without a reader.
const COMMIT_MAX_FACTOR: u32 = 4;
/// And never so long that one which waited for a reader would do.
const COMMIT_MAX_ANYWHERE: Duration = Duration::from_secs(4);
/// Where the log of before was forced into the database: 128 MiB.
const LARGE_LOG_BYTES: u64 = 128 * 1024 * 1024;
/// Until it is told that a server is frozen: whoever waits for its answer waits seven seconds, and whoever comes after them
/// for their turn, or for a connection, a few more.
const TOLD_MAX: Duration = Duration::from_secs(14);

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

/// How long an event takes to be taken.
async fn commit(server: &Process, id: &str) -> Duration {
    let sent = Instant::now();
    assert_eq!(server.track(event(id, "bob")).await, 200);
    sent.elapsed()
}

/// How long a commit may take: measured before anybody reads.
async fn commit_max(server: &Process) -> Duration {
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        slowest = slowest.max(commit(server, &format!("alone{n}")).await);
    }
    COMMIT_MAX.max(slowest * COMMIT_MAX_FACTOR).min(COMMIT_MAX_ANYWHERE)
}

/// Sends twenty large events.
async fn write_much(server: &Process, round: usize) {
    let batch: Vec<_> = (0..20).map(|n| large(&format!("e{round}-{n}"))).collect();
    let (status, said) = server.call(reqwest::Method::POST, "/api/events/batch", Some(json!(batch))).await;
    assert!(status < 300, "{status} {said}");
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[tokio::test]
async fn a_reader_that_does_not_end_keeps_no_commit_waiting_and_is_told_of() {
    let site = Site::new(Engine::Sqlite);
    let server = started(&site, &[]).await;
    assert_eq!(server.track(event("first", "ada")).await, 200);
    let most = commit_max(&server).await;
    // Another process with the file open, such as a backup.
    let reader = rusqlite::Connection::open(site.folder().join("dregs.db")).unwrap();
    reader.execute_batch("begin").unwrap();
    reader.query_row("select count(*) from events", [], |row| row.get::<_, i64>(0)).unwrap();

    let begun = Instant::now();
    let log = site.folder().join("dregs.db-wal");
    let mut slowest = Duration::ZERO;
    for round in 0.. {
        if size(&log) > LARGE_LOG_BYTES {
            break;
        }
        assert!(round < 1_000, "the log stays at {} bytes", size(&log));
        write_much(&server, round).await;
        slowest = slowest.max(commit(&server, &format!("beside{round}")).await);
    }
    for n in 0..20 {
        slowest = slowest.max(commit(&server, &format!("late{n}")).await);
    }
    assert!(slowest < most, "a commit took {slowest:?}");
    assert!(server.metric("dregs_store_log_bytes").await > LARGE_LOG_BYTES as f64);
    assert!(server.metric("dregs_store_log_blocked_seconds").await > 0.0);
    assert!(
        server.metric("dregs_store_oldest_read_seconds").await < COMMIT_MAX.as_secs_f64(),
        "it is none of ours"
    );
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
async fn exports_keep_no_commit_waiting_and_the_log_is_emptied_beside_them() {
    let site = Site::new(Engine::Sqlite);
    let server = Arc::new(started(&site, &[]).await);
    for round in 0..10 {
        write_much(&server, 1_000 + round).await;
    }
    let most = commit_max(&server).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut exports = JoinSet::new();
    for _ in 0..3 {
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        exports.spawn(async move {
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                let (status, export) = server.get("/api/identities/ada/export").await;
                assert!(status == 200 && export.len() > 10 * 1024 * 1024, "{status}");
                count += 1;
            }
            count
        });
    }
    // As much as the log must not hold at a time.
    let log = site.folder().join("dregs.db-wal");
    let (mut slowest, mut largest, mut reads) = (Duration::ZERO, 0, Vec::new());
    let rounds = 1 + LARGE_LOG_BYTES / (20 * 60_000);
    for round in 0..rounds {
        write_much(&server, usize::try_from(round).unwrap()).await;
        slowest = slowest.max(commit(&server, &format!("beside{round}")).await);
        largest = largest.max(size(&log));
        reads.push(server.metric("dregs_store_oldest_read_seconds").await);
    }
    let during = async || (server.metric("dregs_store_oldest_read_seconds").await > 0.0).then_some(());
    eventually("a look during a read", during).await;
    is_over.store(true, Ordering::Relaxed);
    let counts = exports.join_all().await;
    let oldest = reads.into_iter().fold(0.0, f64::max);
    println!(
        "{counts:?} exports; the slowest commit {slowest:?}, the oldest read {oldest} s, the log {largest} bytes"
    );
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(slowest < most, "a commit took {slowest:?}");
    assert!(oldest < COMMIT_MAX.as_secs_f64(), "a read of an export lasted {oldest} s");
    assert!(largest < LARGE_LOG_BYTES, "the log had {largest} bytes");
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
    let load = Load::on(&server);
    load.fill_up().await;
    // What is smaller may still have found room.
    eventually("readiness to end", async || {
        load.track().await;
        (!is_ready(&server).await).then_some(())
    })
    .await;
    load.finds_no_room().await;
    std::fs::remove_file(&filler).unwrap();
    eventually("readiness", async || is_ready(&server).await.then_some(())).await;
    load.is_whole().await;
}

/// Its tables are on the disk that is full, and its log on another: PostgreSQL itself goes on.
#[tokio::test]
async fn of_a_postgresql_on_a_full_disk_nothing_is_acknowledged_and_room_is_all_it_takes() {
    let disk = Disk::of_size("64m");
    let cluster = Cluster::start("local all all trust\nhost all all 127.0.0.1/32 trust\n", &[]);
    let site = Site::at(cluster.database_in(&disk.folder().join("tables")));
    let server = started(&site, &[]).await;
    let filler = disk.folder().join("filler");
    std::fs::write(&filler, vec![0; 30 * 1024 * 1024]).unwrap();
    let load = Load::on(&server);
    load.fill_up().await;
    load.finds_no_room().await;
    assert_eq!(server.get("/api/events?pageSize=1").await.0, 200, "reads go on");
    std::fs::remove_file(&filler).unwrap();
    eventually("room", async || (load.track().await == 200).then_some(())).await;
    load.is_whole().await;
}

/// Large events, one after the other.
struct Load<'s> {
    server: &'s Process,
    tracked: Cell<i64>,
    acknowledged: Cell<i64>,
}

impl<'s> Load<'s> {
    fn on(server: &'s Process) -> Self {
        Self { server, tracked: Cell::new(0), acknowledged: Cell::new(0) }
    }

    async fn track(&self) -> u16 {
        let number = self.tracked.replace(self.tracked.get() + 1);
        let status = self.server.track(large(&format!("e{number}"))).await;
        assert!(matches!(status, 200 | 503), "{status}");
        self.acknowledged.set(self.acknowledged.get() + i64::from(status == 200));
        assert!(self.acknowledged.get() < 2_000, "the disk is never full");
        status
    }

    async fn fill_up(&self) {
        while self.track().await == 200 {}
    }

    /// Few find some, and the log says why, in few lines.
    async fn finds_no_room(&self) {
        let before = self.acknowledged.get();
        for _ in 0..200 {
            self.track().await;
        }
        assert!(self.acknowledged.get() - before < 100, "the disk is not full");
        let log = self.server.log();
        assert!((1..=5).contains(&errors(&log).len()), "{} lines: {log}", errors(&log).len());
        assert!(log.contains("the database cannot be written to"), "{log}");
    }

    /// What was acknowledged is there, and nothing else.
    async fn is_whole(&self) {
        assert_eq!(self.server.track(event("after", "ada")).await, 200);
        let (_, page) = self.server.get("/api/events?pageSize=1").await;
        let page: Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["totalElements"], self.acknowledged.get() + 1, "{page}");
    }
}

#[tokio::test]
async fn files_that_are_moved_replaced_or_removed_are_noticed_before_anything_more_is_acknowledged() {
    type Change = fn(&Path);
    let changes: [(&str, Change, &str); 5] = [
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
        // What keeps a second server away.
        ("lock removed", |folder| std::fs::remove_file(folder.join("dregs.lock")).unwrap(), "dregs.lock was"),
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
    let server = Arc::new(server);
    assert_eq!(server.track(event("before", "ada")).await, 200);
    assert!(is_ready(&server).await);

    cluster.freeze();
    // So long it is known from what went well before that it is ready.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for round in 0..2 {
        let mut calls = JoinSet::new();
        for n in 0..20 {
            let server = Arc::clone(&server);
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
        let answers = calls.join_all().await;
        let slowest = answers.iter().map(|(_, took)| *took).max().unwrap_or_default();
        println!("told after {slowest:?} at most");
        assert!(answers.iter().all(|(status, _)| *status == 503), "{answers:?}");
        assert!(slowest < TOLD_MAX, "told after {slowest:?}");
    }
    let log = server.log();
    assert!((1..=6).contains(&errors(&log).len()), "{} lines: {log}", errors(&log).len());
    let (_, metrics) = server.get("/metrics").await;
    for limit in [Limit::DatabaseAnswer, Limit::DatabaseTurn] {
        assert!(reached(&metrics, limit) > 0, "{limit:?}: {metrics}");
    }

    cluster.thaw();
    eventually("readiness", async || is_ready(&server).await.then_some(())).await;
    eventually("an event", async || (server.track(event("after", "ada")).await == 200).then_some(())).await;
    eventually("the past", async || (server.get("/api/identities/ada").await.0 == 200).then_some(())).await;
}

/// Answers while the database is known to be gone come at once; one that waited for something would take a second.
const AT_ONCE: Duration = Duration::from_millis(100);
const WAITED: Duration = Duration::from_secs(1);
/// On a busy machine one in so many may take longer than that.
const ONE_IN: usize = 10;
/// Until everything goes on after the database is back.
const BACK_MAX: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_postgresql_that_is_gone_is_told_of_at_once_and_found_again_when_it_is_back() {
    let cluster = Cluster::start("local all all trust\nhost all all 127.0.0.1/32 trust\n", &[]);
    let site = Site::new(Engine::Sqlite);
    let server = started(&site, &[("DREGS_DATABASE_URL", &cluster.url())]).await;
    assert_eq!(server.track(event("before", "ada")).await, 200);
    for round in 0..2 {
        cluster.end(End::Immediate);
        // Whoever finds out may wait for that.
        assert_eq!(server.track(event(&format!("first-{round}"), "ada")).await, 503);
        let client = reqwest::Client::new();
        let mut slow = Vec::new();
        for n in 0..40 {
            let begun = Instant::now();
            let request = client.post(format!("http://{}/api/events", site.address)).bearer_auth(SECRET_KEY);
            let answer = request.json(&event(&format!("e{round}-{n}"), "ada")).send().await.unwrap();
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "1");
            assert!(!is_ready(&server).await);
            slow.extend(Some(begun.elapsed()).filter(|took| *took > AT_ONCE));
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(slow.len() <= 40 / ONE_IN && slow.iter().all(|took| *took < WAITED), "{slow:?}");

        cluster.start_again();
        let back = Instant::now();
        let after = event(&format!("after-{round}"), "ada");
        eventually("an event", async || (server.track(after.clone()).await == 200).then_some(())).await;
        assert!(back.elapsed() < BACK_MAX, "it was found again after {:?}", back.elapsed());
        eventually("readiness", async || is_ready(&server).await.then_some(())).await;
    }
    let log = server.log();
    assert!((1..=6).contains(&errors(&log).len()), "{} lines: {log}", errors(&log).len());
}
