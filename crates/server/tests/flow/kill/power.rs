//! The power is cut again and again while events pour in and endpoints fail: what was acknowledged is stored, scored and
//! told, whatever the disk had of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dregs_powercut::{Image, Lie, watch};
use dregs_server::clock::SystemClock;
use dregs_server::config::Config;
use dregs_server::store::codec;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::judge::{self, judge, set_rules};
use super::traffic::{Moods, Traffic};
use super::{ALL_EVENTS, outcome, quiet, seed, show, told};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{Ground, TestServer};

/// The power is cut at most this long after the server has started; where there are to be checkpoints, this long.
const CUT_MAX_MS: u64 = 150;
const CHECKPOINTED_MAX_MS: u64 = 2_000;
/// Of each of four servers, where `DREGS_TEST_CUTS` does not say how often.
const CUTS: usize = 50;
/// Cuts while a server makes its files, which takes about this long.
const FIRST_CUTS: usize = 20;
const FIRST_START_MAX_MS: u64 = 150;
/// When faults stop, all is done within this.
const LIVENESS: Duration = Duration::from_secs(15);
/// A disk that lies is found out within so many cuts.
const LIES_MAX: usize = 100;

fn settings(config: &mut Config) {
    config.min_cycle_ms = 100;
    config.retry_schedule = ["1"; 20].join(",");
}

/// A server whose disk loses its power.
struct Scene {
    rng: StdRng,
    traffic: Traffic,
    receivers: [Receiver; 2],
    channels: Vec<(i64, String)>,
    folder: TempDir,
    lie: Lie,
    cut_max_ms: u64,
}

impl Scene {
    async fn set(lie: Lie) -> Self {
        let mut rng = StdRng::seed_from_u64(seed());
        let receivers = [Moods::quick(rng.random()).await, Moods::quick(rng.random()).await];
        let server = start(Ground::new(Engine::Sqlite)).await;
        let mut channels = Vec::new();
        for (name, receiver) in ["First", "Second"].iter().zip(&receivers) {
            let config = json!({"url": receiver.url(), "timeoutMs": 1_000});
            let channel = json!({"type": "WEBHOOK", "name": name, "events": ALL_EVENTS, "config": config});
            let channel: Value = server.post("/api/channels", channel).await;
            let secret = channel["signingSecret"].as_str().unwrap().to_owned();
            channels.push((channel["id"].as_i64().unwrap(), secret));
        }
        set_rules(server.address).await;
        let folder = copy_with(stop(server).await.folder(), &Image::default(), true);
        let traffic = Traffic::default();
        Self { rng, traffic, receivers, channels, folder, lie, cut_max_ms: CUT_MAX_MS }
    }

    /// Runs the server for a while and cuts the power; the answer is what is wrong with the file that is found.
    async fn cut(&mut self) -> Option<String> {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let disk = watch(folder.path(), self.lie).unwrap();
        let server = start(Ground::on(folder)).await;
        let senders = self.traffic.start(server.address, &mut self.rng);
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..self.cut_max_ms))).await;
        // Senders and receivers run on this thread: while this is done, nothing is acknowledged and nothing arrives.
        let acknowledged = self.traffic.ledger().acknowledged();
        let heard = self.receivers.each_ref().map(|receiver| receiver.requests().len());
        let image = disk.cut(&mut self.rng);
        drop(senders);
        let ground = stop(server).await;
        self.traffic.ledger().set_acknowledged(acknowledged);
        self.receivers.iter().zip(heard).for_each(|(receiver, count)| receiver.truncate(count));
        self.folder = copy_with(ground.folder(), &image, false);
        let copy = copy_with(self.folder.path(), &Image::default(), true);
        complaint(copy.path(), &self.traffic.ledger().acknowledged())
    }

    /// Has all done that is left to do; the answer is all that is wrong then.
    async fn end(self) -> Vec<String> {
        let server = start(Ground::on(self.folder)).await;
        quiet(&server.app.store, LIVENESS).await;
        let mut complaints = judge(server.address, &server.app.store, &self.traffic, LIVENESS).await;
        let receivers: Vec<_> = self.receivers.iter().collect();
        let found = outcome::read(&server.app.store, &self.channels, &receivers).await;
        show(&found.to_string());
        complaints.extend(self.traffic.ledger().compare(&found.events));
        complaints.extend(found.complaints());
        let (events, _) = judge::events(&judge::order(&server.app.store).await, &self.traffic);
        complaints.extend(told::untimely(judge::world(&server.app.store).await, &events, &found.heard));
        assert!(found.decided() > 0, "no rule has decided anything");
        complaints
    }
}

async fn start(ground: Ground) -> TestServer {
    TestServer::start_on(ground, Arc::new(SystemClock), settings).await
}

/// The receivers answer meanwhile: they run on this thread.
async fn stop(server: TestServer) -> Ground {
    tokio::task::spawn_blocking(|| server.stop()).await.unwrap()
}

/// A new folder with the files of another, those of SQLite as the image has them or, where that is asked for, as they
/// are.
pub fn copy_with(folder: &Path, image: &Image, with_database: bool) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_file() && (with_database || !name.to_string_lossy().starts_with("dregs.db")) {
            std::fs::copy(path, copy.path().join(name)).unwrap();
        }
    }
    image.restore(copy.path()).unwrap();
    copy
}

/// What is wrong with the file: by its own account, or since an event is missing that was acknowledged.
pub fn complaint(folder: &Path, acknowledged: &BTreeSet<String>) -> Option<String> {
    let look = || -> rusqlite::Result<(String, BTreeSet<String>)> {
        let connection = Connection::open(folder.join("dregs.db"))?;
        let health = connection.query_row("pragma integrity_check", [], |row| row.get(0))?;
        let mut events = connection.prepare("select external_id from events")?;
        let ids = events.query_map([], |row| Ok(codec::unpack_id(&row.get::<_, Vec<u8>>(0)?)))?;
        Ok((health, ids.collect::<rusqlite::Result<_>>()?))
    };
    match look() {
        Ok((health, stored)) if health == "ok" => {
            let lost: Vec<_> = acknowledged.difference(&stored).collect();
            (!lost.is_empty()).then(|| format!("lost: {lost:?}"))
        }
        broken => Some(format!("the file: {broken:?}")),
    }
}

/// Whether it is noticed that a disk lies.
async fn is_found_out(lie: Lie, cut_max_ms: u64) {
    let mut scene = Scene { cut_max_ms, ..Scene::set(lie).await };
    for cut in 1..=LIES_MAX {
        if let Some(complaint) = scene.cut().await {
            show(&format!("after {cut} cuts: {complaint}"));
            return;
        }
    }
    panic!("{LIES_MAX} cuts, and nothing is missing");
}

#[expect(clippy::disallowed_methods, reason = "it is no setting of the product")]
async fn nothing_is_lost() {
    let mut scene = Scene::set(Lie::None).await;
    let cuts = std::env::var("DREGS_TEST_CUTS").map_or(CUTS, |count| count.parse().unwrap());
    for _ in 0..cuts {
        assert_eq!(scene.cut().await, None);
    }
    show(&format!("{cuts} power cuts of a database at work"));
    assert_eq!(scene.end().await, Vec::<String>::new());
}

/// Servers beside one another, each of which loses its power [`CUTS`] times.
macro_rules! nothing_is_lost_of {
    ($($which:ident),*) => { $(#[tokio::test] async fn $which() { nothing_is_lost().await; })* };
}

nothing_is_lost_of!(one_server, another_server, a_third_server, a_fourth_server);

#[tokio::test]
async fn a_server_whose_power_is_cut_at_its_first_start_starts_again() {
    let mut rng = StdRng::seed_from_u64(seed());
    for _ in 0..FIRST_CUTS {
        let ground = Ground::new(Engine::Sqlite);
        let disk = watch(ground.folder(), Lie::None).unwrap();
        // On a thread of its own: much of a start does not wait.
        let starting = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { start(ground).await.stop() })
        });
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..FIRST_START_MAX_MS))).await;
        let image = disk.cut(&mut rng);
        let ground = tokio::task::spawn_blocking(|| starting.join().unwrap()).await.unwrap();
        let server = start(Ground::on(copy_with(ground.folder(), &image, false))).await;
        server.track("e1", "ada").await;
    }
    show(&format!("{FIRST_CUTS} power cuts of a server that starts"));
}

#[tokio::test]
async fn the_first_event_of_a_new_file_is_there_after_a_power_cut() {
    let mut rng = StdRng::seed_from_u64(seed());
    for _ in 0..FIRST_CUTS {
        let ground = Ground::new(Engine::Sqlite);
        let disk = watch(ground.folder(), Lie::None).unwrap();
        let server = start(ground).await;
        server.track("e1", "ada").await;
        let image = disk.cut(&mut rng);
        let ground = stop(server).await;
        let server = start(Ground::on(copy_with(ground.folder(), &image, false))).await;
        assert_eq!(server.get("/api/events/e1").await["id"], "e1");
    }
    show(&format!("{FIRST_CUTS} power cuts after a first event"));
}

#[tokio::test]
async fn a_disk_that_never_syncs_is_found_out() {
    is_found_out(Lie::NoSync, CUT_MAX_MS).await;
}

#[tokio::test]
async fn a_checkpoint_without_its_sync_is_found_out() {
    is_found_out(Lie::NoSyncOfDatabase, CHECKPOINTED_MAX_MS).await;
}

#[tokio::test]
async fn an_answer_before_the_commit_is_found_out() {
    is_found_out(Lie::LateSync, CUT_MAX_MS).await;
}
