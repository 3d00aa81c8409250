//! A server that the system gives no more files, threads, or memory.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use rand::RngExt;
use reqwest::Client;
use serde_json::json;

use super::super::SETTINGS;
use super::{MASTER_KEY, Scene, ready, show, started};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::proxy::{Fault, Proxy};
use crate::support::server::{SECRET_KEY, event, eventually};
use futures_util::future::join_all;

on_both_engines!(a_server_that_gets_no_more_memory_loses_nothing_that_it_acknowledged);

/// How often memory runs out.
const SHORTAGES: usize = 4;
/// The allocator takes memory of the system when it is needed, and not a gigabyte ahead.
const NOTHING_AHEAD: (&str, &str) = ("MIMALLOC_DISALLOW_ARENA_ALLOC", "1");
/// What is left of it then, at most.
const LEFT_MAX_BYTES: u64 = 2 << 20;
/// How long it stays so.
const SHORTAGE: Duration = Duration::from_secs(2);
/// Events with more data than one may have, which are refused, as many as there are connections.
const AT_ONCE: usize = 16;
const LARGE_BYTES: usize = 200_000;

/// As whoever the process is of: not every root may do it to others.
fn limit(process: &Process, what: &str) {
    let pid = process.pid().to_string();
    let owner = std::fs::metadata(format!("/proc/{pid}")).unwrap();
    let mut command = Command::new("prlimit");
    assert!(
        command.args(["--pid", &pid, what]).uid(owner.uid()).gid(owner.gid()).status().unwrap().success()
    );
}

/// The status of an event, on a connection that is kept.
async fn track(client: &Client, site: &Site, id: &str) -> u16 {
    let request = client.post(format!("http://{}/api/events", site.address)).bearer_auth(SECRET_KEY);
    request.json(&event(id, "ada")).send().await.unwrap().status().as_u16()
}

/// Cuts the connections of a server that gets no new ones.
async fn refuses_without_its_database(proxy: &Proxy, client: &Client, site: &Site) {
    proxy.set(Fault::Cut);
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.set(Fault::None);
    for n in 0..10 {
        assert_eq!(track(client, site, &format!("without-{n}")).await, 503);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_server_that_may_open_no_more_files_says_so_and_goes_on_when_it_may() {
    let direct = Site::new(Engine::Postgres);
    let port = reqwest::Url::parse(&direct.database_url().unwrap()).unwrap().port().unwrap();
    let proxy = Proxy::to(port);
    let site = direct.behind(proxy.port);
    let node = started(&site).await;
    // A connection is there already: new ones cannot be taken, either.
    let client = Client::new();
    assert_eq!(track(&client, &site, "before").await, 200);
    limit(&node, "--nofile=3:1024");
    refuses_without_its_database(&proxy, &client, &site).await;
    let ready = client.get(format!("http://{}/readyz", site.address)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let log = node.log();
    assert!(log.lines().filter(|line| line.contains("ERROR")).count() <= 5, "{log}");
    limit(&node, "--nofile=1024:1024");
    eventually("an event", async || (track(&client, &site, "after").await == 200).then_some(())).await;
    super::done(&direct.open_store()).await;
}

#[tokio::test]
async fn a_server_on_sqlite_needs_no_more_files_for_events() {
    let site = Site::new(Engine::Sqlite);
    let node = started(&site).await;
    let client = Client::new();
    assert_eq!(track(&client, &site, "before").await, 200);
    limit(&node, "--nofile=3:1024");
    for n in 0..10 {
        assert_eq!(track(&client, &site, &format!("without-{n}")).await, 200);
    }
}

#[tokio::test]
async fn a_server_that_gets_no_thread_to_find_its_database_goes_on_when_it_does() {
    let direct = Site::new(Engine::Postgres);
    let port = reqwest::Url::parse(&direct.database_url().unwrap()).unwrap().port().unwrap();
    let proxy = Proxy::to(port);
    let site = direct.behind_by_name(proxy.port);
    let mut node = ready(site.start_as_nobody(&[SETTINGS[0], SETTINGS[1], MASTER_KEY])).await;
    let client = Client::new();
    assert_eq!(track(&client, &site, "before").await, 200);
    limit(&node, "--nproc=1:");
    refuses_without_its_database(&proxy, &client, &site).await;
    limit(&node, "--nproc=1000:");
    assert!(node.end(Duration::ZERO).await.is_none(), "{}", node.log());
    eventually("an event", async || (track(&client, &site, "after").await == 200).then_some(())).await;
    super::done(&direct.open_store()).await;
}

/// What a process has in memory of its own, in bytes.
fn data_of(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

async fn a_server_that_gets_no_more_memory_loses_nothing_that_it_acknowledged(engine: Engine) {
    let mut scene = Scene::new().await;
    let site = Site::new(engine);
    let start =
        async || ready(site.start(None, &[SETTINGS[0], SETTINGS[1], MASTER_KEY, NOTHING_AHEAD])).await;
    let mut node = start().await;
    scene.furnish(site.address).await;
    scene.send_to(site.address);
    scene.warm_up().await;
    let client = Client::new();
    let (mut ended, mut refused) = (0, 0);
    for _ in 0..SHORTAGES {
        let left = scene.rng.random_range(0..LEFT_MAX_BYTES);
        limit(&node, &format!("--data={}:unlimited", data_of(&node) + left));
        let large = (0..AT_ONCE).map(|n| {
            let data = json!({"note": "x".repeat(LARGE_BYTES)});
            let body = json!({"id": format!("large-{n}"), "type": "large", "data": data});
            let request = client.post(format!("http://{}/api/events", site.address)).bearer_auth(SECRET_KEY);
            request.json(&body).send()
        });
        let large = join_all(large).await;
        let is_sound = |status: u16| matches!(status, 400 | 503);
        large
            .into_iter()
            .flatten()
            .for_each(|answer| assert!(is_sound(answer.status().as_u16()), "{answer:?}"));
        if node.end(SHORTAGE).await.is_some() {
            ended += 1;
            node = start().await;
        } else {
            refused += 1;
            limit(&node, "--data=unlimited:unlimited");
        }
    }
    assert!(ended > 0, "there was always enough");
    show(&format!("out of memory: ended {ended} times, went on {refused} times"));
    scene.end(&site).await;
    let log = node.log();
    assert!(log.contains("memory allocation of") && !log.contains("panicked"), "{log}");
}
