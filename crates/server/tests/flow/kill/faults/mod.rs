//! Faults of what lies under the server while events pour in: networks, databases, disks, clocks, limits. When they
//! stop, all is done within a time, and it is what the model says.

mod clock;
mod database;
mod disk;
mod limits;
mod network;
mod recovery;
mod storage;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::{Result, Store, Tx};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use super::judge::{Compare, judge_by, set_rules};
use super::traffic::{Moods, Senders, Traffic};
use super::{ALL_EVENTS, SETTINGS, create_channel_at, outcome, seed, show};
use crate::support::process::{Process, Site};
use crate::support::receiver::Receiver;
use crate::support::server::eventually;
use crate::support::shim::Shim;

/// When faults stop, all is done within this.
const LIVENESS: Duration = Duration::from_secs(15);
/// Events before the first fault, where there are several nodes.
const WARM_EVENTS: usize = 500;
/// Nodes share what they seal with.
const MASTER_KEY: (&str, &str) =
    ("DREGS_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

/// Who sends, who receives, and what is to come of it.
struct Scene {
    rng: StdRng,
    traffic: Traffic,
    receivers: [Receiver; 2],
    channels: Vec<(i64, String)>,
    senders: Vec<Senders>,
}

impl Scene {
    async fn new() -> Self {
        Self::at(Ipv4Addr::LOCALHOST).await
    }

    /// With receivers at this address.
    async fn at(address: Ipv4Addr) -> Self {
        let mut rng = StdRng::seed_from_u64(seed());
        let receivers =
            [Moods::quick_at(address, rng.random()).await, Moods::quick_at(address, rng.random()).await];
        Self { rng, traffic: Traffic::patient(), receivers, channels: Vec::new(), senders: Vec::new() }
    }

    /// Has a server that runs there told of the receivers and of the rules.
    async fn furnish(&mut self, address: SocketAddr) {
        for (name, receiver) in ["First", "Second"].iter().zip(&self.receivers) {
            self.channels.push(create_channel_at(address, name, receiver, &ALL_EVENTS).await);
        }
        set_rules(address).await;
    }

    /// Has events sent to a server there, until [`Self::end`].
    fn send_to(&mut self, address: SocketAddr) {
        self.senders.push(self.traffic.start(address, &mut self.rng));
    }

    /// Waits until every node knows what most of the team's users have in common, as a team's nodes do.
    async fn warm_up(&self) {
        let enough = || self.traffic.ledger().acknowledged().len() >= WARM_EVENTS;
        eventually("events before any fault", async || enough().then_some(())).await;
    }

    /// Has no more events sent, for a while.
    fn pause(&mut self) {
        self.senders.clear();
    }

    /// No more faults and no more events: has all done that is left to do; then nothing may be wrong.
    async fn end(self, site: &Site) {
        recovered(site).await;
        self.end_on(site.address, &site.open_store()).await;
    }

    /// Has all done that is left to do, where events came from others, too.
    async fn finish(mut self, store: &Store) {
        self.senders.clear();
        done(store).await;
        let receivers: Vec<_> = self.receivers.iter().collect();
        let found = outcome::read(store, &self.channels, &receivers).await;
        show(&found.to_string());
        let stored: BTreeSet<_> = found.events.keys().cloned().collect();
        let lost: Vec<_> = self.traffic.ledger().acknowledged().difference(&stored).cloned().collect();
        assert_eq!((lost, found.complaints()), (Vec::new(), Vec::new()));
    }

    async fn end_on(mut self, address: SocketAddr, store: &Store) {
        self.senders.clear();
        done(store).await;
        let mut complaints = judge_by(Compare::NoWords, address, store, &self.traffic, LIVENESS).await;
        let receivers: Vec<_> = self.receivers.iter().collect();
        let found = outcome::read(store, &self.channels, &receivers).await;
        show(&found.to_string());
        complaints.extend(self.traffic.ledger().compare(&found.events));
        complaints.extend(found.complaints());
        assert_eq!(complaints, Vec::<String>::new());
        assert!(found.decided() > 0, "no rule has decided anything");
    }
}

/// A database may need a moment to recover, for which no server can do anything.
async fn recovered(site: &Site) {
    eventually("the server to be ready", async || {
        let ready = reqwest::get(format!("http://{}/readyz", site.address)).await;
        ready.is_ok_and(|answer| answer.status() == 200).then_some(())
    })
    .await;
}

async fn started(site: &Site) -> Process {
    ready(site.start(None, &[SETTINGS[0], SETTINGS[1], MASTER_KEY])).await
}

/// The same, on a disk and by a clock that can fail.
async fn started_with(site: &Site, shim: &Shim) -> Process {
    let [library, file] = shim.variables();
    let settings =
        [SETTINGS[0], SETTINGS[1], MASTER_KEY, (library.0, library.1.as_str()), (file.0, file.1.as_str())];
    ready(site.start(None, &settings)).await
}

async fn ready(mut node: Process) -> Process {
    assert!(node.is_ready().await, "{}", node.log());
    node
}

/// Waits until nothing is left to do.
///
/// # Panics
/// When that takes longer than [`LIVENESS`], with what is left.
async fn done(store: &Store) {
    let begun = Instant::now();
    loop {
        let left = store.read(left).await.unwrap();
        if left.is_empty() {
            return show(&format!("all was done after {:?}", begun.elapsed()));
        }
        assert!(begun.elapsed() < LIVENESS, "after {LIVENESS:?} these are left: {left:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What is left to do, in words.
fn left(tx: &mut Tx) -> Result<Vec<String>> {
    let now = SystemClock.now().as_millis();
    let sql = "select id, evaluate_at from identities where evaluate_at is not null order by 2 desc limit 10";
    let identities = tx.query(sql, &[], |row| {
        Ok(format!("identity {} is due in {} ms", row.get::<i64>(0)?, row.get::<i64>(1)? - now))
    })?;
    let sql = "select id, next_attempt_at, leased from deliveries where next_attempt_at is not null
               order by 2 desc limit 10";
    let deliveries = tx.query(sql, &[], |row| {
        let (id, due, leased) = (row.get::<i64>(0)?, row.get::<i64>(1)? - now, row.get::<i64>(2)?);
        Ok(format!("delivery {id} is due in {due} ms, leased: {leased}"))
    })?;
    if identities.is_empty() && deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "select channel_id, failures, coalesce(open_until, 0), last_error from channel_health";
    let channels = tx.query(sql, &[], |row| {
        let (id, failures, until) = (row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)? - now);
        Ok(format!(
            "channel {id} failed {failures} times, is left alone for {until} ms: {}",
            row.get::<String>(3)?
        ))
    })?;
    Ok([identities, deliveries, channels].concat())
}
