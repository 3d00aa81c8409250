//! PostgreSQL that ends and comes back, and one whose standby takes its place.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand::seq::SliceRandom as _;

use super::{Scene, show, started};
use crate::support::cluster::{Cluster, End};
use crate::support::process::Site;
use crate::support::server::eventually;

/// Each way to end comes this often.
const OF_EACH: usize = 2;
const UP_MAX_MS: u64 = 900;
const DOWN_MAX_MS: u64 = 500;
/// So many events are acknowledged after the standby is one.
const AROUND_FAILOVER: usize = 200;
const PRIMARY_GONE: Duration = Duration::from_millis(1_500);

const HBA: &str =
    "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_is_killed_again_and_again_keeps_what_it_acknowledged() {
    let mut scene = Scene::new().await;
    let cluster = Cluster::start(HBA, &[]);
    let site = Site::at(cluster.url());
    let other = site.beside();
    let nodes = [started(&site).await, started(&other).await];
    scene.furnish(site.address).await;
    scene.send_to(site.address);
    scene.send_to(other.address);

    scene.warm_up().await;
    let mut ends = End::ALL.repeat(OF_EACH);
    ends.shuffle(&mut scene.rng);
    let mut counts = BTreeMap::<_, usize>::new();
    for end in ends {
        *counts.entry(end).or_default() += 1;
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(200..UP_MAX_MS))).await;
        let down = Duration::from_millis(scene.rng.random_range(0..DOWN_MAX_MS));
        // Senders and receivers run on this thread, and are to go on meanwhile.
        tokio::task::block_in_place(|| {
            cluster.end(end);
            if end != End::Backend {
                std::thread::sleep(down);
                cluster.start_again();
            }
        });
    }
    show(&format!("ends of PostgreSQL: {counts:?}"));
    scene.end(&site).await;
    for node in nodes {
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_standby_takes_over_nodes_go_on_by_themselves_and_have_what_was_acknowledged() {
    let mut scene = Scene::new().await;
    let primary = Cluster::start(HBA, &["wal_level=replica"]);
    let standby = Cluster::copy_of(&primary, &["-R", "-X", "stream"], &[]);
    standby.start_again();
    // From now on what is acknowledged is on both.
    primary.administer(&["alter system set synchronous_standby_names = 'standby'".to_owned()]);
    primary.ask("select pg_reload_conf()");
    eventually("the standby to be a synchronous one", async || {
        (primary.ask("select sync_state from pg_stat_replication") == "sync").then_some(())
    })
    .await;

    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port, standby.port);
    let site = Site::at(format!("postgres://dregs@{hosts}/postgres?target_session_attrs=read-write"));
    let other = site.beside();
    let nodes = [started(&site).await, started(&other).await];
    scene.furnish(site.address).await;
    scene.send_to(site.address);
    scene.send_to(other.address);
    scene.warm_up().await;
    let acknowledged = || scene.traffic.ledger().acknowledged().len();
    tokio::task::block_in_place(|| primary.end(End::Killed));
    tokio::time::sleep(PRIMARY_GONE).await;
    let before = acknowledged();
    tokio::task::block_in_place(|| standby.promote());
    eventually("events after", async || (acknowledged() >= before + AROUND_FAILOVER).then_some(())).await;
    show(&format!("failover: {before} events acknowledged before, {} after", acknowledged() - before));
    scene.end(&site).await;
    for node in nodes {
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
}
