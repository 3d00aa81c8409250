//! The real binary, killed again and again while events pour in and endpoints fail: what it
//! acknowledged is stored, scored and told, whatever it was doing when it ended.

mod faults;
mod files;
mod judge;
pub mod nodes;
mod others;
mod outcome;
mod power;
mod retention;
mod rules;
mod takeover;
mod told;
mod traffic;
mod upgrade;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use dregs_core::time::Timestamp;
use dregs_server::failpoint::Failpoint;
use dregs_server::store::{Store, Tx, deliveries, identities};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, answer, event};
use judge::{judge, set_rules};
use traffic::{Moods, Traffic};

on_both_engines!(an_event_whose_server_is_killed_at_every_step_arrives);

/// What `std::process::abort` ends a process with.
const SIGABRT: i32 = 6;
/// How long a failpoint may take to be reached before the process is killed from outside.
const FAILPOINT_PATIENCE: Duration = Duration::from_secs(8);
/// A failpoint ends the server when it is reached for the nth time, n being this at most.
const FAILPOINT_COUNT_MAX: u32 = 8;
const AGAIN_MAX: usize = 4;
/// What is left to do when the killing is over is done within this.
const QUIET_PATIENCE: Duration = Duration::from_secs(90);
/// A kill comes at most this long after the server listens, or after it was started.
const KILL_MAX_MS: u64 = 700;
const KILL_AT_START_MAX_MS: u64 = 300;

/// Cycles come often and retries soon, so that much is under way at every instant.
const SETTINGS: [(&str, &str); 2] =
    [("DREGS_MIN_CYCLE_MS", "100"), ("DREGS_RETRY_SCHEDULE", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1")];

/// All there is to tell of an identity.
const ALL_EVENTS: [&str; 4] =
    ["identity.scored", "identity.badges_changed", "escalation.opened", "escalation.closed"];

pub async fn call(address: SocketAddr, method: Method, path: &str, body: Value) -> Value {
    let request = reqwest::Client::new().request(method, format!("http://{address}/api{path}"));
    let (status, answer) = answer(request.bearer_auth(SECRET_KEY).json(&body)).await;
    assert!(status.is_success(), "{path}: {answer}");
    answer
}

/// Creates a webhook channel for these events; the answer is its id and its secret.
pub async fn create_channel(site: &Site, name: &str, receiver: &Receiver, events: &[&str]) -> (i64, String) {
    create_channel_at(site.address, name, receiver, events).await
}

async fn create_channel_at(
    address: SocketAddr,
    name: &str,
    receiver: &Receiver,
    events: &[&str],
) -> (i64, String) {
    let config = json!({"url": receiver.url(), "timeoutMs": 1_000});
    let channel = json!({"type": "WEBHOOK", "name": name, "events": events, "config": config});
    let channel = call(address, Method::POST, "/channels", channel).await;
    (channel["id"].as_i64().unwrap(), channel["signingSecret"].as_str().unwrap().to_owned())
}

/// Several nodes may share PostgreSQL, so that a start there takes over nothing: work that was under way is done when
/// another node finds its own dead. This ends the leases, without that wait.
pub async fn end_leases(site: &Site, engine: Engine) {
    if engine == Engine::Postgres {
        let long_ago = Timestamp::from_millis(0);
        let end = move |tx: &mut Tx| {
            Ok((identities::release_leases(tx, long_ago)?, deliveries::release_leases(tx, long_ago)?))
        };
        site.open_store().write(end).await.unwrap();
    }
}

/// Waits until nobody is to be scored and nothing to be sent.
async fn quiet(store: &Store, patience: Duration) {
    let begun = Instant::now();
    loop {
        let open = store.read(outcome::open_work).await.unwrap();
        if open == (0, 0) {
            return;
        }
        assert!(begun.elapsed() < patience, "still to be scored and to be sent: {open:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn an_event_whose_server_is_killed_at_every_step_arrives(engine: Engine) {
    let site = Site::new(engine);
    let receiver = Receiver::answering(traffic::OK).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    let (channel_id, secret) = create_channel(&site, "App", &receiver, &ALL_EVENTS[..1]).await;
    server.kill();

    for (index, name) in Failpoint::PATH.map(Failpoint::name).iter().enumerate() {
        end_leases(&site, engine).await;
        let mut server = site.start(Some(&format!("{name}:1")), &SETTINGS);
        if index == 0 {
            assert!(server.is_ready().await);
            let url = format!("http://{}/api/events", site.address);
            let request = reqwest::Client::new().post(url).bearer_auth(SECRET_KEY);
            let answer = request.json(&event("e1", "ada")).send().await;
            assert!(answer.is_err(), "the server was to end before it answers: {answer:?}");
        }
        let status = server.end(Duration::from_secs(10)).await;
        assert_eq!(status.and_then(|status| status.signal()), Some(SIGABRT), "{name} was not reached");
    }
    end_leases(&site, engine).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    server.kill();

    let found = outcome::read(&site.open_store(), &[(channel_id, secret)], &[&receiver]).await;
    assert_eq!(found.complaints(), Vec::<String>::new());
    assert_eq!(Vec::from_iter(found.events.keys()), ["e1"]);
    // Before "sent" nothing went out; then it was sent and not recorded; then once more.
    let ids: Vec<_> = receiver.requests().iter().map(|r| r.headers["webhook-id"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    assert_eq!(found.attempts, BTreeMap::from([("RECOVERY", 1)]));
}

/// How a process comes to its end.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// By itself, when it comes by this place.
    At(&'static str),
    /// While it starts.
    Starting,
    /// While it works.
    Working,
}

/// As many kills as asked for, a part of them through each failpoint, in a random order.
fn kills(count: usize, of_each_failpoint: usize, while_starting: usize, rng: &mut StdRng) -> Vec<Kill> {
    let mut kills = vec![Kill::Working; count];
    let names = Failpoint::PATH.map(Failpoint::name).into_iter();
    let at = names.flat_map(|name| std::iter::repeat_n(Kill::At(name), of_each_failpoint));
    let chosen = at.chain(std::iter::repeat_n(Kill::Starting, while_starting));
    kills.iter_mut().zip(chosen).for_each(|(kill, chosen)| *kill = chosen);
    kills.shuffle(rng);
    kills
}

/// Runs the server once and ends it; the answer is the failpoint that did, if one did.
async fn run_and_kill(site: &Site, kill: Kill, traffic: &Traffic, rng: &mut StdRng) -> Option<&'static str> {
    let place = match kill {
        Kill::At(name) => Some((name, format!("{name}:{}", rng.random_range(1..=FAILPOINT_COUNT_MAX)))),
        Kill::Starting | Kill::Working => None,
    };
    let mut server = site.start(place.as_ref().map(|(_, failpoint)| failpoint.as_str()), &SETTINGS);
    let senders = match kill {
        Kill::Starting => None,
        Kill::At(_) | Kill::Working => server.is_ready().await.then(|| traffic.start(site.address, rng)),
    };
    let patience = match kill {
        Kill::At(_) => FAILPOINT_PATIENCE,
        Kill::Starting => Duration::from_millis(rng.random_range(0..KILL_AT_START_MAX_MS)),
        Kill::Working => Duration::from_millis(rng.random_range(0..KILL_MAX_MS)),
    };
    let aborted = server.end(patience).await;
    server.kill();
    if let Some(senders) = senders {
        senders.stopped().await;
    }
    let (name, _) = place?;
    assert!(aborted.is_none_or(|status| status.signal() == Some(SIGABRT)), "{aborted:?}");
    aborted.map(|_| name)
}

/// The seed of this run: from the environment to repeat one, else a new one, printed.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn seed() -> u64 {
    let given = std::env::var("DREGS_TEST_SEED").ok();
    let seed = given.map_or_else(rand::random, |text| text.parse().unwrap());
    show(&format!("DREGS_TEST_SEED={seed}"));
    seed
}

#[expect(clippy::print_stdout, reason = "whoever sees the test fail needs it")]
fn show(line: &str) {
    println!("{line}");
}

async fn nothing_is_lost(engine: Engine, kill_count: usize, of_each_failpoint: usize) {
    let mut rng = StdRng::seed_from_u64(seed());
    let site = Site::new(engine);
    let receivers = [Moods::receiver(rng.random()).await, Moods::receiver(rng.random()).await];
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    let channels = [
        create_channel(&site, "First", &receivers[0], &ALL_EVENTS).await,
        create_channel(&site, "Second", &receivers[1], &ALL_EVENTS).await,
    ];
    set_rules(site.address).await;
    server.kill();

    let traffic = Traffic::default();
    let mut reached = BTreeMap::new();
    let chosen = kills(kill_count, of_each_failpoint, kill_count / 8, &mut rng);
    let mut end = async |kill: Kill, reached: &mut BTreeMap<&str, usize>| {
        if matches!(kill, Kill::At(_)) {
            // Otherwise there might be nothing to claim.
            end_leases(&site, engine).await;
        }
        if let Some(name) = run_and_kill(&site, kill, &traffic, &mut rng).await {
            *reached.entry(name).or_default() += 1;
        }
    };
    for kill in chosen {
        end(kill, &mut reached).await;
    }
    // A busy machine may not have come by a place in time.
    for name in Failpoint::PATH.map(Failpoint::name) {
        for _ in 0..AGAIN_MAX {
            if !reached.contains_key(name) {
                end(Kill::At(name), &mut reached).await;
            }
        }
    }
    let names = Vec::from_iter(reached.keys().copied());
    let mut all = Failpoint::PATH.map(Failpoint::name);
    all.sort_unstable();
    assert_eq!(names, all, "failpoints that ended the server, of {reached:?}");

    end_leases(&site, engine).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    let store = site.open_store();
    quiet(&store, QUIET_PATIENCE).await;
    let mut complaints = judge(site.address, &store, &traffic, QUIET_PATIENCE).await;
    server.kill();

    let found = outcome::read(&store, &channels, &[&receivers[0], &receivers[1]]).await;
    show(&found.to_string());
    complaints.extend(traffic.ledger().compare(&found.events));
    complaints.extend(found.complaints());
    let (events, _) = judge::events(&judge::order(&store).await, &traffic);
    complaints.extend(told::untimely(judge::world(&store).await, &events, &found.heard));
    assert_eq!(complaints, Vec::<String>::new());
    assert!(found.decided() > 0, "no rule has decided anything");
    assert!(found.attempts.get("RECOVERY").is_some_and(|count| *count > 0), "{:?}", found.attempts);
}

#[tokio::test]
async fn nothing_is_lost_in_fifty_kills_on_sqlite() {
    nothing_is_lost(Engine::Sqlite, 50, 3).await;
}

#[tokio::test]
async fn nothing_is_lost_in_fifteen_kills_on_postgres() {
    nothing_is_lost(Engine::Postgres, 15, 1).await;
}
