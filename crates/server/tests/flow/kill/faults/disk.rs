//! A disk under SQLite that fails to sync, or is slow at it.

use std::sync::Arc;
use std::time::Duration;

use dregs_powercut::{Image, Lie, watch};
use dregs_server::clock::SystemClock;
use dregs_server::config::Config;
use rand::RngExt;
use reqwest::Method;
use tokio::time::{Instant, timeout};

use super::super::power::{complaint, copy_with};
use super::{Scene, show};
use crate::support::engine::Engine;
use crate::support::server::{Ground, SECRET_KEY, TestServer, event};

const ROUNDS: usize = 8;
const RUN_MAX_MS: u64 = 250;
/// A server ends within this once its disk fails.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// What a slow disk takes for a sync, and for how long it is slow.
const SLOW_SYNC: Duration = Duration::from_millis(1_200);
const SLOW_FOR: Duration = Duration::from_secs(6);
/// A read waits for no commit: for much less than a sync takes.
const READ_MAX: Duration = Duration::from_millis(900);

fn settings(config: &mut Config) {
    config.min_cycle_ms = 100;
    config.retry_schedule = ["1"; 20].join(",");
}

async fn start(ground: Ground) -> TestServer {
    TestServer::start_on(ground, Arc::new(SystemClock), settings).await
}

/// The receivers answer meanwhile: they run on this thread.
async fn stop(server: TestServer) -> Ground {
    tokio::task::spawn_blocking(|| server.stop()).await.unwrap()
}

#[tokio::test]
async fn a_server_whose_disk_fails_to_sync_ends_and_the_next_start_has_what_was_acknowledged() {
    let mut scene = Scene::new().await;
    let server = start(Ground::new(Engine::Sqlite)).await;
    scene.furnish(server.address).await;
    let mut folder = copy_with(stop(server).await.folder(), &Image::default(), true);
    for _ in 0..ROUNDS {
        let disk = watch(folder.path(), Lie::None).unwrap();
        let server = start(Ground::on(folder)).await;
        scene.send_to(server.address);
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(20..RUN_MAX_MS))).await;
        disk.fail_syncs(true);
        let ended = timeout(ENDS_WITHIN, server.app.store.end_of_writes()).await;
        assert!(ended.is_ok(), "the server goes on though its disk has failed");
        scene.senders.clear();
        let ground = stop(server).await;
        disk.fail_syncs(false);

        // What the system shows of the files is not what the disk has; the power goes a moment later.
        let server = start(ground).await;
        scene.send_to(server.address);
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(20..RUN_MAX_MS))).await;
        let acknowledged = scene.traffic.ledger().acknowledged();
        let heard = scene.receivers.each_ref().map(|receiver| receiver.requests().len());
        let image = disk.cut(&mut scene.rng);
        scene.senders.clear();
        let ground = stop(server).await;
        scene.traffic.ledger().set_acknowledged(acknowledged);
        scene.receivers.iter().zip(heard).for_each(|(receiver, count)| receiver.truncate(count));
        folder = copy_with(ground.folder(), &image, false);
        let copy = copy_with(folder.path(), &Image::default(), true);
        assert_eq!(complaint(copy.path(), &scene.traffic.ledger().acknowledged()), None);
    }
    show(&format!("faults of disks: {ROUNDS} failed syncs"));
    let server = start(Ground::on(folder)).await;
    scene.end_on(server.address, &server.app.store).await;
}

#[tokio::test]
async fn on_a_slow_disk_writes_wait_and_reads_go_on() {
    let mut scene = Scene::new().await;
    let ground = Ground::new(Engine::Sqlite);
    let disk = watch(ground.folder(), Lie::None).unwrap();
    let server = start(ground).await;
    scene.furnish(server.address).await;
    server.track("first", "reader").await;
    scene.send_to(server.address);
    tokio::time::sleep(Duration::from_millis(500)).await;
    disk.slow_syncs(SLOW_SYNC);
    let begun = Instant::now();
    let (mut slowest_read, mut slowest_write) = (Duration::ZERO, Duration::ZERO);
    while begun.elapsed() < SLOW_FOR {
        let asked = Instant::now();
        server.get("/api/identities/reader").await;
        slowest_read = slowest_read.max(asked.elapsed());
        let asked = Instant::now();
        let id = format!("slow-{}", begun.elapsed().as_millis());
        let request =
            server.request(Method::POST, "/api/events").bearer_auth(SECRET_KEY).json(&event(&id, "reader"));
        let status = request.send().await.unwrap().status();
        assert!(status == 200 || status == 503, "{status}");
        slowest_write = slowest_write.max(asked.elapsed());
    }
    disk.slow_syncs(Duration::ZERO);
    show(&format!(
        "a slow disk: the slowest read took {slowest_read:?}, the slowest write {slowest_write:?}"
    ));
    assert!(slowest_write >= SLOW_SYNC, "a write waited {slowest_write:?}, for no sync");
    assert!(slowest_read < READ_MAX, "a read waited {slowest_read:?}");
    scene.finish(&server.app.store).await;
}
