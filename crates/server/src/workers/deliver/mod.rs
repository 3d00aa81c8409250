//! Deliver: what is due is sent, each channel in a lane of its own, so that a slow
//! endpoint holds up nobody else.

mod attempt;
mod claim;
mod held;
mod lane;
mod record;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::app::App;
use crate::ops::handoff::Outgoing;
use crate::shutdown::Shutdown;
use crate::store::attempts::Trigger;
use lane::{Lane, Room};

/// How often the store is asked for what nobody handed on: retries, crash recovery, other nodes.
const POLL_MS: u64 = 250;
/// The same, where others than this node make deliveries.
const POLL_DIVIDED_MS: u64 = 100;
/// How long a node that may not work waits before it looks again.
const PAUSE: Duration = Duration::from_millis(250);
/// Attempts made and not yet recorded, beyond which no new one begins.
const UNRECORDED_MAX: usize = 4_096;
/// How long a lane then waits before it looks again.
const RECORDER_PAUSE: Duration = Duration::from_millis(20);

/// Sends what falls due until `shutdown`, then finishes what is under way.
pub async fn run(app: Arc<App>, mut handed_on: mpsc::UnboundedReceiver<Outgoing>, shutdown: Shutdown) {
    let (records, recorder) = record::start(Arc::clone(&app));
    let mut deliverer = Deliverer {
        epoch: app.node.epoch(),
        app,
        records,
        lanes: HashMap::new(),
        attempts: JoinSet::new(),
        claims: JoinSet::new(),
        returns: JoinSet::new(),
        wakes: BinaryHeap::new(),
    };
    deliverer.turn(&mut handed_on, shutdown).await;
    deliverer.finish(handed_on).await;
    // The recorder ends when its last sender is gone; a panic in it has been logged.
    let _ = recorder.await;
}

struct Deliverer {
    app: Arc<App>,
    /// Of the node, when it took what waits here.
    epoch: u64,
    records: record::Sender,
    lanes: HashMap<i64, Lane>,
    /// Each ends with its channel and its deliveries.
    attempts: JoinSet<(i64, Vec<i64>)>,
    claims: JoinSet<claim::Claimed>,
    /// Deliveries on their way back to the store.
    returns: JoinSet<()>,
    /// When lanes that wait for their rate may go on.
    wakes: BinaryHeap<Reverse<(Instant, i64)>>,
}

impl Deliverer {
    async fn turn(&mut self, handed_on: &mut mpsc::UnboundedReceiver<Outgoing>, mut shutdown: Shutdown) {
        let mut poll = Instant::now();
        let mut polls = JoinSet::new();
        let app = Arc::clone(&self.app);
        loop {
            let wake = self.wakes.peek().map(|Reverse((at, _))| *at);
            tokio::select! {
                Some(outgoing) = handed_on.recv() => {
                    self.accept(outgoing);
                    while let Ok(outgoing) = handed_on.try_recv() {
                        self.accept(outgoing);
                    }
                }
                Some(finished) = self.attempts.join_next(), if !self.attempts.is_empty() => {
                    self.attempt_finished(finished);
                }
                Some(Ok(claimed)) = self.claims.join_next(), if !self.claims.is_empty() => {
                    self.claim_finished(claimed);
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.wake(),
                () = app.deliveries.spilled.notified() => self.claim_spilled(),
                () = sleep_until(poll), if app.config.roles.deliver && polls.is_empty() => {
                    let millis = if app.node.is_divided() { POLL_DIVIDED_MS } else { POLL_MS };
                    poll = Instant::now() + Duration::from_millis(millis);
                    let app = Arc::clone(&app);
                    // What the key does not sign any more is left to others.
                    if !app.kept.key.is_replaced() {
                        polls.spawn(async move {
                            held::give_up(&app).await;
                            claim::find_due(app).await;
                        });
                    }
                }
                Some(_) = polls.join_next(), if !polls.is_empty() => {}
                Some(_) = self.returns.join_next(), if !self.returns.is_empty() => {}
                () = shutdown.begun() => break,
            }
        }
        while let Ok(outgoing) = handed_on.try_recv() {
            self.lanes.entry(outgoing.channel_id).or_default().push(outgoing);
        }
    }

    fn accept(&mut self, outgoing: Outgoing) {
        // First, or this one would be forgotten with them.
        self.forget_lost();
        let channel_id = outgoing.channel_id;
        if !self.lanes.entry(channel_id).or_default().push(outgoing) {
            self.app.deliveries.release(channel_id, 1);
        }
        self.pump(channel_id);
    }

    /// Begins as many attempts of a channel as it may have under way, and claims more where some wait.
    fn pump(&mut self, channel_id: i64) {
        self.begin(channel_id);
        if self.app.deliveries.has_room_for_spilled(channel_id) {
            self.claim(channel_id);
        }
    }

    fn begin(&mut self, channel_id: i64) {
        self.forget_lost();
        let Some(lane) = self.lanes.get_mut(&channel_id) else { return };
        if lane.queue.is_empty() {
            return;
        }
        if self.app.kept.key.is_replaced() {
            self.hand_back(channel_id, self.app.clock.now());
            return;
        }
        if !self.app.node.may_work() {
            self.wakes.push(Reverse((Instant::now() + PAUSE, channel_id)));
            return;
        }
        let Some(endpoint) = self.app.kept.channels.get(channel_id) else {
            // Removed: its rows are, or will be, gone with it.
            let dropped = lane.queue.len();
            self.lanes.remove(&channel_id);
            self.app.deliveries.release(channel_id, dropped);
            return;
        };
        loop {
            if self.records.waiting() >= UNRECORDED_MAX {
                self.wakes.push(Reverse((Instant::now() + RECORDER_PAUSE, channel_id)));
                break;
            }
            let now = self.app.clock.now();
            let mut next = lane.next(&endpoint, self.app.health.allowance(channel_id, now), Instant::now());
            if let lane::Next::Probe(mut outgoing) = next {
                outgoing.iter_mut().for_each(|one| one.trigger = Trigger::Probe);
                self.app.health.probes(channel_id, now);
                next = lane::Next::Attempt(outgoing);
            }
            match next {
                lane::Next::Attempt(outgoing) | lane::Next::Probe(outgoing) => {
                    self.app.deliveries.release(channel_id, outgoing.len());
                    let (app, records) = (Arc::clone(&self.app), self.records.clone());
                    self.attempts.spawn(attempt::run(app, Arc::clone(&endpoint), outgoing, records));
                }
                lane::Next::Return(wait) => {
                    let due = now.plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                    self.hand_back(channel_id, due);
                    break;
                }
                lane::Next::At(instant) => {
                    self.wakes.push(Reverse((instant, channel_id)));
                    break;
                }
                lane::Next::Nothing => break,
            }
        }
    }

    /// Forgets what waits here, where this node was taken for dead: others have it.
    fn forget_lost(&mut self) {
        let epoch = self.app.node.epoch();
        if self.epoch == epoch {
            return;
        }
        self.epoch = epoch;
        for (channel_id, lane) in &mut self.lanes {
            self.app.deliveries.release(*channel_id, lane.give_up().len());
        }
    }

    /// Gives what waits here back to the store, where it falls due at `due`.
    fn hand_back(&mut self, channel_id: i64, due: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&channel_id) else { return };
        let ids = lane.give_up();
        self.app.deliveries.release(channel_id, ids.len());
        let app = Arc::clone(&self.app);
        self.returns.spawn(async move { claim::give_back(&app, ids, due).await });
    }

    fn attempt_finished(&mut self, finished: Result<(i64, Vec<i64>), tokio::task::JoinError>) {
        match finished {
            Ok((channel_id, delivery_ids)) => {
                if let Some(lane) = self.lanes.get_mut(&channel_id) {
                    lane.finished(&delivery_ids);
                }
                self.pump(channel_id);
            }
            Err(error) => tracing::error!(%error, "an attempt broke down; its lease will end"),
        }
    }

    fn claim_spilled(&mut self) {
        for channel_id in self.app.deliveries.spilled_lanes() {
            self.claim(channel_id);
        }
    }

    /// Claims due deliveries of a channel, if it has room for them.
    fn claim(&mut self, channel_id: i64) {
        let endpoint = self.app.kept.channels.get(channel_id).filter(|endpoint| endpoint.enabled);
        let may_claim = self.app.config.roles.deliver && !self.app.kept.key.is_replaced();
        let Some(endpoint) = endpoint.filter(|_| may_claim) else { return };
        let allowance = self.app.health.allowance(channel_id, self.app.clock.now());
        let lane = self.lanes.entry(channel_id).or_default();
        let room = match lane.room(&endpoint, allowance, Instant::now()) {
            Room::For(most) => most,
            Room::At(instant) => {
                // Looked at again by then, unless something happens before.
                self.wakes.push(Reverse((instant, channel_id)));
                return;
            }
            Room::None => return,
        };
        if let Some(places) = self.app.deliveries.take_spilled(channel_id) {
            self.claims.spawn(claim::claim(Arc::clone(&self.app), endpoint, places, places.min(room)));
        }
    }

    fn claim_finished(&mut self, claimed: claim::Claimed) {
        // What is over must not be taken for under way: its delivery may have been claimed again.
        while let Some(finished) = self.attempts.try_join_next() {
            self.attempt_finished(finished);
        }
        self.forget_lost();
        if claimed.epoch != self.app.node.epoch() {
            // Others have it by now.
            self.app.deliveries.release(claimed.channel_id, claimed.places);
            return;
        }
        if claimed.is_full {
            self.app.deliveries.spill(claimed.channel_id);
        }
        let lane = self.lanes.entry(claimed.channel_id).or_default();
        let queued =
            claimed.outgoing.into_iter().map(|outgoing| lane.push(outgoing)).filter(|is_new| *is_new);
        self.app.deliveries.release(claimed.channel_id, claimed.places - queued.count());
        self.pump(claimed.channel_id);
    }

    fn wake(&mut self) {
        while let Some(Reverse((at, channel_id))) = self.wakes.peek().copied()
            && at <= Instant::now()
        {
            self.wakes.pop();
            self.pump(channel_id);
        }
    }

    /// Lets the attempts under way end and gives back what was not begun.
    async fn finish(mut self, mut handed_on: mpsc::UnboundedReceiver<Outgoing>) {
        while let Ok(outgoing) = handed_on.try_recv() {
            self.lanes.entry(outgoing.channel_id).or_default().queue.push_back(outgoing);
        }
        while self.attempts.join_next().await.is_some() {}
        while let Some(claimed) = self.claims.join_next().await {
            if let Ok(claimed) = claimed {
                self.lanes.entry(claimed.channel_id).or_default().queue.extend(claimed.outgoing);
            }
        }
        let waiting = self.lanes.values().flat_map(|lane| lane.queue.iter().map(|o| o.delivery_id));
        claim::give_back(&self.app, waiting.collect(), self.app.clock.now()).await;
        while self.returns.join_next().await.is_some() {}
    }
}
