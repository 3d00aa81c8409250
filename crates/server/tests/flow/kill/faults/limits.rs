//! A server that the system gives no more files.

use std::process::Command;
use std::time::Duration;

use reqwest::Client;

use super::started;
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::proxy::{Fault, Proxy};
use crate::support::server::{SECRET_KEY, event, eventually};

fn limit(process: &Process, what: &str) {
    let pid = process.pid().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, what]).status().unwrap().success());
}

/// The status of an event, on a connection that is kept.
async fn track(client: &Client, site: &Site, id: &str) -> u16 {
    let request = client.post(format!("http://{}/api/events", site.address)).bearer_auth(SECRET_KEY);
    request.json(&event(id, "ada")).send().await.unwrap().status().as_u16()
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
    proxy.set(Fault::Cut);
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.set(Fault::None);
    for n in 0..10 {
        assert_eq!(track(&client, &site, &format!("without-{n}")).await, 503);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
