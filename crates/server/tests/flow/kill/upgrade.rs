//! A rolling upgrade: nodes of the build before are replaced one by one, under load, and work beside those of this one.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::judge::set_rules;
use super::nodes::{MASTER_KEY, sites};
use super::traffic::{Moods, Traffic};
use super::{ALL_EVENTS, QUIET_PATIENCE, SETTINGS, create_channel, end_leases, outcome, quiet, seed, show};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};

/// How long both run side by side between two replacements.
const SIDE_BY_SIDE: Duration = Duration::from_secs(5);

async fn start(site: &Site, binary: &str) -> Process {
    let mut node = site.start_binary(binary, None, &[SETTINGS[0], SETTINGS[1], MASTER_KEY]);
    assert!(node.is_ready().await, "{}", node.log());
    node
}

#[tokio::test]
#[ignore = "takes a build of before: scripts/rolling-upgrade.sh makes it and runs this"]
#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
async fn nodes_of_two_builds_work_side_by_side_and_lose_nothing() {
    let before = std::env::var("DREGS_TEST_BINARY_BEFORE").unwrap();
    let mut rng = StdRng::seed_from_u64(seed());
    let sites = sites();
    let receivers = [Moods::quick(rng.random()).await, Moods::quick(rng.random()).await];
    let mut nodes = Vec::new();
    for site in &sites {
        nodes.push(start(site, &before).await);
    }
    let channels = [
        create_channel(&sites[0], "First", &receivers[0], &ALL_EVENTS).await,
        create_channel(&sites[0], "Second", &receivers[1], &ALL_EVENTS).await,
    ];
    set_rules(sites[0].address).await;

    let traffic = Traffic::default();
    let mut senders: Vec<_> = sites.iter().map(|site| traffic.start(site.address, &mut rng)).collect();
    for (n, site) in sites.iter().enumerate() {
        tokio::time::sleep(SIDE_BY_SIDE).await;
        nodes[n].terminate();
        tokio::time::sleep(Duration::from_secs(1)).await;
        nodes[n] = start(site, env!("CARGO_BIN_EXE_dregs")).await;
        senders[n] = traffic.start(site.address, &mut rng);
    }
    tokio::time::sleep(SIDE_BY_SIDE).await;
    drop(senders);
    end_leases(&sites[0], Engine::Postgres).await;
    let store = sites[0].open_store();
    quiet(&store, QUIET_PATIENCE).await;
    nodes.into_iter().for_each(Process::kill);

    let found = outcome::read(&store, &channels, &[&receivers[0], &receivers[1]]).await;
    show(&found.to_string());
    let mut complaints = traffic.ledger().compare(&found.events);
    complaints.extend(found.complaints());
    assert_eq!(complaints, Vec::<String>::new());
    assert!(found.decided() > 0, "no rule has decided anything");
}
