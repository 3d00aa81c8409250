//! The real programs on a disk that fails to sync: the server on SQLite, and PostgreSQL.

use std::time::Duration;

use rand::RngExt;

use super::{Scene, show, started, started_with};
use crate::support::cluster::Cluster;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::shim::Shim;

const ROUNDS: usize = 3;
const RUN_MAX_MS: u64 = 800;
/// Before, it is slow at it.
const SLOW_SYNC: Duration = Duration::from_millis(400);
/// For so long PostgreSQL cannot sync.
const FAILS_FOR: Duration = Duration::from_millis(400);
/// What it does by itself then takes this long.
const SETTLES_WITHIN: Duration = Duration::from_millis(1_500);
const HBA: &str = "local all all trust\nhost all all 127.0.0.1/32 trust\n";

#[tokio::test]
async fn a_server_on_sqlite_that_cannot_sync_gives_up_with_a_reason_and_starts_again() {
    let mut scene = Scene::new().await;
    let shim = Shim::new();
    let site = Site::new(Engine::Sqlite);
    let mut node = started_with(&site, &shim).await;
    scene.furnish(site.address).await;
    scene.send_to(site.address);
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(100..RUN_MAX_MS))).await;
        shim.fail_syncs(true);
        let (code, said) = node.given_up().await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("the disk has failed to sync the database"), "{said}");
        shim.fail_syncs(false);
        node = started_with(&site, &shim).await;
    }
    scene.end(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_is_slow_to_sync_and_then_cannot_loses_nothing_that_was_acknowledged() {
    let mut scene = Scene::new().await;
    let shim = Shim::new();
    let cluster = Cluster::start_with(HBA, &["fsync=on"], &shim.variables());
    let site = Site::at(cluster.url());
    let node = started(&site).await;
    scene.furnish(site.address).await;
    scene.send_to(site.address);
    scene.warm_up().await;
    let mut ended = 0;
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(100..RUN_MAX_MS))).await;
        shim.slow_syncs(SLOW_SYNC);
        tokio::time::sleep(SLOW_SYNC * 2).await;
        shim.slow_syncs(Duration::ZERO);
        shim.fail_syncs(true);
        tokio::time::sleep(FAILS_FOR).await;
        shim.fail_syncs(false);
        tokio::time::sleep(SETTLES_WITHIN).await;
        ended += usize::from(tokio::task::block_in_place(|| cluster.settle()));
    }
    show(&format!("faults of disks: {ROUNDS} failed syncs of PostgreSQL, which ended {ended} times"));
    scene.end(&site).await;
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
