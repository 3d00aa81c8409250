//! Nodes on one PostgreSQL with roles of their own: who dies, is ended or stands still hands over in time, and does no harm
//! when it comes back.

use std::collections::BTreeMap;
use std::time::Duration;

use dregs_server::ops::installation::nodes::Roles;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::nodes::{MASTER_KEY, sites};
use super::{ALL_EVENTS, QUIET_PATIENCE, call, quiet};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::receiver::Receiver;
use crate::support::server::{event, eventually};

/// What is promised of a node that dies.
const HANDS_OVER_WITHIN: Duration = Duration::from_secs(15);
/// Longer than twice the time after which others take a node for dead.
const TWO_LEASES: Duration = Duration::from_secs(18);
/// Nobody is taken for dead earlier.
const TAKEN_FOR_DEAD: Duration = Duration::from_secs(8);
/// Too few for what they have in common to be learned, which would have all of them scored again.
const USERS: usize = 20;
/// How long an endpoint takes for each, so that most of them wait.
const TAKES: Duration = Duration::from_millis(150);

async fn start(site: &Site, roles: &str) -> Process {
    let mut node = site.start(None, &[MASTER_KEY, ("DREGS_ROLES", roles)]);
    assert!(node.is_ready().await, "{}", node.log());
    node
}

/// Two nodes, of which the first has more to send than its endpoint takes.
struct Pair {
    site: Site,
    node: Process,
    other: (Site, Process),
    receiver: Receiver,
}

impl Pair {
    async fn with_work() -> Self {
        let [site, other_site, _] = sites();
        let all = Roles::ALL.to_string();
        let (node, other) = (start(&site, &all).await, start(&other_site, &all).await);
        let receiver = slow_channel(&site, TAKES).await;
        // Long enough for the nodes to know of each other and of the channel.
        sleep(Duration::from_secs(3)).await;
        track(&node, 0..USERS).await;
        Self { site, node, other: (other_site, other), receiver }
    }
}

/// An endpoint that takes so long for each, and is asked by one request at a time.
async fn slow_channel(site: &Site, takes: Duration) -> Receiver {
    let receiver = Receiver::start(move |mut conversation| async move {
        while conversation.read_request().await.is_some() {
            sleep(takes).await;
            conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let config = json!({"url": receiver.url(), "maxConcurrency": 1, "timeoutMs": 5_000});
    let channel = json!({"type": "WEBHOOK", "name": "Slow", "events": ALL_EVENTS[..1], "config": config});
    call(site.address, Method::POST, "/channels", channel).await;
    receiver
}

async fn track(node: &Process, users: std::ops::Range<usize>) {
    for n in users {
        assert_eq!(node.track(event(&format!("e{n}"), &format!("user-{n}"))).await, 200);
    }
}

/// Waits until more arrives than what was under way; how long that takes.
async fn goes_on(receiver: &Receiver) -> Duration {
    let (begun, before) = (Instant::now(), arrived(receiver));
    eventually("another node to go on", async || (arrived(receiver) > before + 1).then_some(())).await;
    begun.elapsed()
}

/// How often each webhook arrived.
fn arrivals(receiver: &Receiver) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for request in receiver.requests() {
        *counts.entry(request.headers["webhook-id"].to_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

fn arrived(receiver: &Receiver) -> usize {
    arrivals(receiver).len()
}

/// How many arrived more than once.
fn repeated(receiver: &Receiver) -> usize {
    arrivals(receiver).values().filter(|count| **count > 1).count()
}

#[tokio::test]
async fn what_a_killed_node_had_taken_another_does_within_fifteen_seconds() {
    let Pair { site, node, other: _other, receiver } = Pair::with_work().await;
    assert!(arrived(&receiver) < USERS, "some wait in the memory of the first node");
    node.kill();

    let took = goes_on(&receiver).await;
    assert!(took < HANDS_OVER_WITHIN, "{took:?}");
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    assert_eq!(arrived(&receiver), USERS);
    assert!(repeated(&receiver) <= 1, "one attempt may have been under way");
}

#[tokio::test]
async fn a_node_that_ends_hands_over_at_once() {
    let Pair { site, node, other, receiver } = Pair::with_work().await;
    let store = site.open_store();
    node.terminate();

    let took = goes_on(&receiver).await;
    assert!(took < TAKEN_FOR_DEAD, "{took:?}");
    quiet(&store, QUIET_PATIENCE).await;
    assert_eq!((arrived(&receiver), repeated(&receiver)), (USERS, 0));
    let nodes = call(other.0.address, Method::GET, "/system", Value::Null).await["nodes"].clone();
    assert_eq!(nodes.as_array().unwrap().len(), 1, "{nodes}");
}

#[tokio::test]
async fn a_node_that_stood_still_for_two_leases_sends_nothing_that_others_have_sent() {
    let Pair { site, node, other, receiver } = Pair::with_work().await;
    node.stop();

    let stood = Instant::now();
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    assert!(other.1.log().contains("a node is gone"), "{}", other.1.log());
    sleep(TWO_LEASES.saturating_sub(stood.elapsed())).await;
    node.go_on();
    let lost = async || node.log().contains("was taken for dead").then_some(());
    eventually("the node to find that out", lost).await;
    track(&node, USERS..USERS + 3).await;
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    assert_eq!(arrived(&receiver), USERS + 3, "it works again");
    assert!(repeated(&receiver) <= 1, "one attempt may have been under way: {:?}", arrivals(&receiver));
}

#[tokio::test]
async fn nodes_share_the_work_by_their_roles() {
    let [api_site, evaluate_site, deliver_site] = sites();
    let api = start(&api_site, "api").await;
    let (evaluate, deliver) =
        (start(&evaluate_site, "evaluate").await, start(&deliver_site, "deliver").await);
    let receiver = slow_channel(&api_site, Duration::ZERO).await;
    sleep(Duration::from_secs(3)).await;

    let begun = Instant::now();
    track(&api, 0..1).await;
    eventually("the webhook", async || (arrived(&receiver) == 1).then_some(())).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for (node, roles) in [(&evaluate, "evaluate"), (&deliver, "deliver")] {
        let (status, told) = node.call(Method::POST, "/api/events", Some(event("no", "nobody"))).await;
        assert_eq!(status, 503, "{told}");
        assert!(told.contains(&format!("its roles are {roles}")), "{told}");
        assert_eq!(node.get("/readyz").await.0, 200);
    }
    // Somebody waits for the outcome of a test: the node that is asked makes it.
    let tested = call(api_site.address, Method::POST, "/channels/1/actions/test", Value::Null).await;
    assert_eq!(tested["httpStatus"], 200, "{tested}");
    let system = call(api_site.address, Method::GET, "/system", Value::Null).await;
    let roles: Vec<_> = system["nodes"].as_array().unwrap().iter().map(|node| &node["roles"]).collect();
    assert_eq!(roles, [&json!(["api"]), &json!(["evaluate"]), &json!(["deliver"])]);

    evaluate.kill();
    let missing = async || {
        let (_, metrics) = api.get("/metrics").await;
        metrics.contains("dregs_nodes{role=\"evaluate\"} 0").then_some(())
    };
    eventually("a role that nobody has to be told of", missing).await;
    assert!(api.log().contains("no node has this role"), "{}", api.log());
    track(&api, 1..2).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(arrived(&receiver), 2, "nobody scores; beside the test there was one");
    let _evaluate = start(&evaluate_site, "evaluate").await;
    eventually("what waited", async || (arrived(&receiver) == 3).then_some(())).await;
}

#[tokio::test]
async fn on_sqlite_a_server_has_all_roles() {
    let site = Site::new(Engine::Sqlite);
    let (code, said) = site.start(None, &[("DREGS_ROLES", "api")]).given_up().await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("roles: api leaves work to other servers"), "{said}");
}
