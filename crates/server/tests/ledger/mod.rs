//! The ledger: what an event costs the store with all that follows from it, counted. Counts do not depend on how
//! busy the machine is.
//!
//! `budget.csv` holds what each figure may be. More fails; far less asks for the budget to be lowered.

mod budget;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dregs_powercut::{Disk, Lie, Traffic, watch};
use dregs_server::clock::SystemClock;
use dregs_server::store::tally::{self, Counts, ROUND_TRIP};
use dregs_server::store::{StoreError, Tx};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{Ground, TestServer, eventually};
use budget::Figures;

on_both_engines!(an_event_costs_what_its_budget_says);

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// Long enough for whatever runs by the clock to run.
const A_WHILE: Duration = Duration::from_millis(2_200);
/// Long enough for the outcome of the last delivery to be written.
const A_MOMENT: Duration = Duration::from_millis(400);
/// Events of a workload.
const EVENTS: usize = 120;
/// Those of whom the mix is; one event in twenty is of somebody new.
const KNOWN: usize = 60;
const ONE_IN_NEW: usize = 20;

async fn an_event_costs_what_its_budget_says(engine: Engine) {
    tally::begin();
    let ground = Ground::new(engine);
    let disk = (engine == Engine::Sqlite).then(|| watch(ground.folder(), Lie::None).unwrap());
    let server = TestServer::start_on(ground, Arc::new(SystemClock), |_| {}).await;
    let receiver = Receiver::answering(OK).await;
    server.channel("first", json!({"url": receiver.url()})).await;
    tokio::time::sleep(A_WHILE).await;
    tally::take();
    tokio::time::sleep(A_WHILE).await;
    // What runs whether or not anything happens is no event's.
    let idle = tally::take();

    let mut play =
        Play { server, disk, receiver, idle, expected: 0, events: 0, figures: Figures::of(engine) };
    play.workload("new identities", 1, (0..EVENTS).collect()).await;
    play.workload("known identities", 1, (0..EVENTS).collect()).await;
    for name in ["second", "third"] {
        play.server.channel(name, json!({"url": play.receiver.url()})).await;
    }
    tokio::time::sleep(A_WHILE).await;
    play.workload("a mix on three channels", 3, mix(1)).await;
    // Most that a team counts is not in most of its events: of these, one counts each.
    let ready_made = play.server.get("/api/counters/catalog").await;
    let ready_made = ready_made.as_array().unwrap().iter().map(|one| one["counter"].clone());
    play.counters(ready_made.take(10).collect()).await;
    play.workload("a mix with ten counters", 3, mix(2)).await;
    play.counters(of_every_event()).await;
    play.workload("a mix that ten counters count", 3, mix(3)).await;
    play.figures.check();
}

/// Ten counters, each of which counts every event: by the account, its device, its address and its network.
fn of_every_event() -> Vec<Value> {
    let counter = |(n, (function, of, per)): (usize, (&str, Option<&str>, &str))| json!({"name": format!("Counter {n}"), "function": function, "of": of, "per": per, "windowSeconds": 3_600});
    let distinct = ["device", "ip", "ip.network", "session"].map(|of| ("DISTINCT", Some(of), "identity.id"));
    let accounts = ["device", "ip", "ip.network"].map(|per| ("DISTINCT", Some("identity.id"), per));
    let events = ["identity.id", "device", "ip"].map(|per| ("COUNT", None, per));
    distinct.into_iter().chain(accounts).chain(events).enumerate().map(counter).collect()
}

/// Who acts in turn, by Zipf's law: the n-th of those known is as frequent as 1/n. Each mix has newcomers of its own.
fn mix(number: usize) -> Vec<usize> {
    let whole: f64 = (1..=KNOWN).map(|rank| 1.0 / rank as f64).sum();
    let user = |event: usize| {
        if event.is_multiple_of(ONE_IN_NEW) {
            return number * EVENTS + event;
        }
        // The golden ratio's multiples are spread evenly, and always the same.
        let mut left = (event as f64 * 0.618_033_988_749_895).fract() * whole;
        (1..=KNOWN)
            .find(|rank| {
                left -= 1.0 / *rank as f64;
                left <= 0.0
            })
            .unwrap_or(KNOWN)
    };
    (0..EVENTS).map(user).collect()
}

struct Play {
    server: TestServer,
    /// Under SQLite.
    disk: Option<Disk>,
    receiver: Receiver,
    idle: Counts,
    /// Webhooks that have come, all channels together.
    expected: usize,
    events: usize,
    figures: Figures,
}

impl Play {
    /// Each event is sent when the webhooks of the one before have come.
    async fn workload(&mut self, name: &'static str, channels: usize, users: Vec<usize>) {
        let begun = Instant::now();
        tally::take();
        self.traffic();
        for user in &users {
            self.server.post("/api/events", event(self.events, *user)).await;
            self.events += 1;
            self.expected += channels;
            let came = async || (self.receiver.requests().len() >= self.expected).then_some(());
            eventually("the webhooks of an event", came).await;
        }
        tokio::time::sleep(A_MOMENT).await;
        let (mut counts, traffic) = (tally::take(), self.traffic());
        let idle_runs = |text: &str| self.idle.get(text).map_or(0, |count| count.runs);
        // Of round trips only so many are an event's as are not made anyway in that time.
        let anyway = idle_runs(ROUND_TRIP) as f64 / A_WHILE.as_secs_f64() * begun.elapsed().as_secs_f64();
        let trips = counts.remove(ROUND_TRIP).map(|count| count.runs as f64 - anyway);
        counts.retain(|text, _| !self.idle.contains_key(text));
        let indexes = self.server.app.store.read(indexes).await.unwrap();
        self.figures.add(name, (&counts, &indexes), (trips, traffic), users.len());
    }

    /// Makes counters in place of those there are, and waits until they count.
    async fn counters(&self, counters: Vec<Value>) {
        let there = self.server.get("/api/counters").await;
        for one in there["content"].as_array().unwrap() {
            let path = format!("/api/counters/{}", one["id"]);
            assert_eq!(self.server.call(Method::DELETE, &path, None).await.0, 204);
        }
        for counter in counters {
            self.server.post("/api/counters", counter).await;
        }
        eventually("the counters to be ready", async || {
            let all = self.server.get("/api/counters").await;
            all["content"].as_array().unwrap().iter().all(|one| one["status"] == "READY").then_some(())
        })
        .await;
        tokio::time::sleep(A_WHILE).await;
    }

    fn traffic(&self) -> Option<Traffic> {
        self.disk.as_ref().map(Disk::take_traffic)
    }
}

/// In how many indexes a row of each table is: of those that hold a part of the rows, as often as they do when the events
/// are over. An entry that came and went, as of what is due, is among the bytes of the log alone.
fn indexes(tx: &mut Tx) -> Result<BTreeMap<String, f64>, StoreError> {
    let sql = tx.dialect(
        "select tbl_name, coalesce(sql, '') from sqlite_master where type = 'index'",
        "select tablename::text, indexdef from pg_indexes where schemaname = 'public'",
    );
    let all = tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?.to_lowercase())))?;
    let mut indexes = BTreeMap::new();
    for (table, definition) in all {
        let share = match definition.split_once(" where ") {
            None => 1.0,
            Some((_, condition)) => {
                let sql = format!(
                    "select count(*), coalesce(sum(case when {condition} then 1 else 0 end), 0) from {table}"
                );
                let counts = tx.query(&sql, &[], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
                counts[0].1 as f64 / counts[0].0.max(1) as f64
            }
        };
        *indexes.entry(table).or_default() += share;
    }
    Ok(indexes)
}

/// Somebody with a name, an address, a device and a network of their own.
fn event(number: usize, user: usize) -> Value {
    const GIVEN: [&str; 11] =
        ["Ada", "Berta", "Carl", "Dora", "Emil", "Fatma", "Goran", "Hana", "Ines", "Jan", "Katya"];
    const FAMILY: [&str; 13] = [
        "Keller", "Nowak", "Rossi", "Tanaka", "Silva", "Dubois", "Larsen", "Horvat", "Murphy", "Okafor",
        "Weber", "Santos", "Virtanen",
    ];
    let (given, family) = (GIVEN[user % GIVEN.len()], FAMILY[user % FAMILY.len()]);
    json!({
        "id": format!("event-{number}"),
        "type": "page_view",
        "ip": format!("{}.{}.7.9", 60 + user / 200, user % 200 + 1),
        "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/142.0.0.0 Safari/537.36",
        "device": {"fingerprint": format!("{user:032x}")},
        "session": format!("session-of-{user}"),
        "identity": {
            "id": format!("user-{user}"),
            "data": {"email": format!("{given}.{family}@mail-{user}.net").to_lowercase(), "name": format!("{given} {family}")},
        },
        "data": {"url": "https://app.example.net/welcome"},
    })
}
