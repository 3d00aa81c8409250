//! Nodes whose way to the database breaks, slows down, goes silent, and loses the answers of commits; and nodes that are
//! cut off from everything.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use tokio::time::Instant;

use super::{Scene, recovered, show, started};
use crate::support::engine::Engine;
use crate::support::network::Network;
use crate::support::process::Site;
use crate::support::proxy::{Fault, Proxy};
use crate::support::server::eventually;

const NODES: usize = 3;
/// Each kind comes this often.
const OF_EACH: usize = 2;
const FAULT_MAX_MS: u64 = 900;
const PAUSE_MAX_MS: u64 = 300;
/// Longer than it takes to be taken for dead, and for connections to be given up.
const CUT_OFF: Duration = Duration::from_secs(20);

#[tokio::test]
async fn nodes_whose_way_to_the_database_fails_lose_nothing_and_go_on_by_themselves() {
    let mut scene = Scene::new().await;
    let direct = Site::new(Engine::Postgres);
    let port = reqwest::Url::parse(&direct.database_url().unwrap()).unwrap().port().unwrap();
    let proxies: Vec<_> = (0..NODES).map(|_| Proxy::to(port)).collect();
    let sites: Vec<_> = proxies.iter().map(|proxy| direct.behind(proxy.port)).collect();
    let mut nodes = Vec::new();
    for site in &sites {
        nodes.push(started(site).await);
    }
    scene.furnish(sites[0].address).await;
    sites.iter().for_each(|site| scene.send_to(site.address));

    let mut faults = Fault::ALL.repeat(OF_EACH);
    faults.shuffle(&mut scene.rng);
    let mut counts = BTreeMap::<_, usize>::new();
    for fault in faults {
        *counts.entry(fault).or_default() += 1;
        // Of one node, of two, or of all.
        let count = scene.rng.random_range(1..=NODES);
        let affected: Vec<_> = proxies.sample(&mut scene.rng, count).collect();
        affected.iter().for_each(|proxy| proxy.set(fault));
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(50..FAULT_MAX_MS))).await;
        affected.iter().for_each(|proxy| proxy.set(Fault::None));
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(0..PAUSE_MAX_MS))).await;
    }
    // By now the nodes may have been busy with connections that were silent.
    let cut = || proxies.iter().map(Proxy::cut_commits).sum::<usize>();
    proxies.iter().for_each(|proxy| proxy.set(Fault::CutAfterCommit));
    eventually("a commit without an answer", async || (cut() > 0).then_some(())).await;
    proxies.iter().for_each(|proxy| proxy.set(Fault::None));
    let cut = cut();
    show(&format!("faults of networks: {counts:?}, {cut} commits without an answer"));
    scene.end(&sites[0]).await;
    for node in &nodes {
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
}

/// Nodes on a network of their own, of which one after the other is cut off for longer than it takes to be taken for dead:
/// the other takes over what it had, and it does no harm when it is back.
#[tokio::test]
async fn a_node_whose_cable_is_pulled_hands_over_and_does_no_harm_when_it_is_back() {
    let Some(network) = Network::create(2) else {
        return show("not run: this machine lets nobody make network namespaces");
    };
    let mut scene = Scene::at(network.gateway()).await;
    let direct = Site::new(Engine::Postgres);
    let port = reqwest::Url::parse(&direct.database_url().unwrap()).unwrap().port().unwrap();
    let proxy = Proxy::at(network.gateway(), port);
    let sites = [0, 1].map(|node| direct.within(&network, node, proxy.port));
    let nodes = [started(&sites[0]).await, started(&sites[1]).await];
    scene.furnish(sites[0].address).await;
    let store = direct.open_store();
    for node in 0..2_u8 {
        sites.iter().for_each(|site| scene.send_to(site.address));
        scene.warm_up().await;
        tokio::time::sleep(Duration::from_millis(scene.rng.random_range(500..1_500))).await;
        scene.pause();
        network.pull(node);
        let pulled = Instant::now();
        // Taken over, and all of it sent.
        super::done(&store).await;
        tokio::time::sleep_until(pulled + CUT_OFF).await;
        network.plug(node);
        recovered(&sites[usize::from(node)]).await;
    }
    sites.iter().for_each(|site| scene.send_to(site.address));
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.end(&sites[0]).await;
    let dead = nodes.iter().filter(|node| node.log().contains("was taken for dead")).count();
    assert_eq!(dead, 2, "each was cut off for long enough");
}
