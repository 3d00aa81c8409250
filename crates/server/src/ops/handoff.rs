//! Handing rows on in memory to the next stage, within a bound.
//!
//! Whoever is about to commit rows reserves places first. As many rows as there are places are
//! born leased and sent on after the commit; the others are born due, and the lane is marked as
//! spilled, so that the next stage comes and claims them as soon as it has room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dregs_core::notify::message::Message;
use dregs_core::time::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::store::StoreError;
use crate::store::attempts::{AttemptRecord, Trigger};
use crate::store::claims::{DELIVERY_LEASE_MS, Due, EVALUATION_LEASE_MS};
use crate::trace::Context;

/// A delivery that is to be attempted.
#[derive(Debug)]
pub struct Outgoing {
    pub delivery_id: i64,
    pub channel_id: i64,
    pub message: Arc<Message>,
    pub trigger: Trigger,
    /// Failures since the first attempt or the last resend or replay.
    pub failures: u32,
    /// When it fell due, where that may be long ago: of what is taken for a probe.
    pub due_at: Option<Timestamp>,
    /// What it follows from, where that is traced.
    pub trace: Option<Context>,
    /// The attempt that is being made of it.
    pub attempt: Option<Context>,
    /// Somebody who waits for the outcome.
    pub watcher: Option<oneshot::Sender<AttemptRecord>>,
}

/// When leases end that a transaction in doubt has taken, if it was committed: nobody works on what it leased, and it
/// would wait for the end of the lease. Whoever claims next ends them.
#[derive(Default)]
pub struct InDoubt(Mutex<Option<(Timestamp, Timestamp)>>);

impl InDoubt {
    /// Notes that there may be such leases, which end from `first` to `last`.
    pub fn note(&self, first: Timestamp, last: Timestamp) {
        let mut span = self.span();
        let (known_first, known_last) = span.unwrap_or((first, last));
        *span = Some((known_first.min(first), known_last.max(last)));
    }

    /// The span in which they end, for whoever ends them now.
    pub fn take(&self) -> Option<(Timestamp, Timestamp)> {
        self.span().take()
    }

    fn span(&self) -> MutexGuard<'_, Option<(Timestamp, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bounded way to the next stage, with lanes that do not get in each other's way.
pub struct Handoff<T> {
    capacity: usize,
    lanes: Mutex<HashMap<i64, Lane>>,
    sender: mpsc::UnboundedSender<T>,
    /// Leases that this process may hold without knowing.
    pub in_doubt: InDoubt,
    /// Told when a lane spills.
    pub spilled: Notify,
}

#[derive(Default)]
struct Lane {
    taken: usize,
    spilled: bool,
}

impl<T> Handoff<T> {
    /// A handoff with `capacity` places in each lane, and the end where the next stage listens.
    pub fn new(capacity: usize) -> (Self, mpsc::UnboundedReceiver<T>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (lanes, in_doubt, spilled) = (Mutex::default(), InDoubt::default(), Notify::new());
        (Self { capacity, lanes, sender, in_doubt, spilled }, receiver)
    }

    /// Takes up to `wanted` places. None while rows of this lane wait in the store: newer ones
    /// would overtake them.
    pub fn reserve(&self, lane: i64, wanted: usize) -> usize {
        let mut lanes = self.lanes();
        let lane = lanes.entry(lane).or_default();
        if lane.spilled {
            return 0;
        }
        let granted = wanted.min(self.capacity - lane.taken.min(self.capacity));
        lane.taken += granted;
        granted
    }

    /// Sends an item whose place was reserved.
    pub fn send(&self, item: T) {
        // At shutdown nobody listens; the row's lease ends, and the next start finds it.
        let _ = self.sender.send(item);
    }

    /// Gives places back: reserved and not used, or used and now free.
    pub fn release(&self, lane: i64, places: usize) {
        if let Some(lane) = self.lanes().get_mut(&lane) {
            lane.taken = lane.taken.saturating_sub(places);
        }
    }

    /// Says that rows of this lane wait in the store.
    pub fn spill(&self, lane: i64) {
        self.lanes().entry(lane).or_default().spilled = true;
        self.spilled.notify_one();
    }

    /// Where rows of this lane may wait in the store and half of its places are free: takes the
    /// mark off and all free places, for what the caller claims now.
    pub fn take_spilled(&self, lane: i64) -> Option<usize> {
        let mut lanes = self.lanes();
        let lane = lanes.entry(lane).or_default();
        if !lane.spilled || lane.taken > self.capacity / 2 {
            return None;
        }
        let free = self.capacity - lane.taken;
        lane.spilled = false;
        lane.taken = self.capacity;
        Some(free)
    }

    /// Whether [`Self::take_spilled`] would take something.
    pub fn has_room_for_spilled(&self, lane: i64) -> bool {
        self.lanes().get(&lane).is_some_and(|lane| lane.spilled && lane.taken <= self.capacity / 2)
    }

    /// Lanes that are marked as spilled.
    pub fn spilled_lanes(&self) -> Vec<i64> {
        self.lanes().iter().filter(|(_, lane)| lane.spilled).map(|(id, _)| *id).collect()
    }

    /// Places in use over all lanes.
    pub fn taken(&self) -> usize {
        self.lanes().values().map(|lane| lane.taken).sum()
    }

    /// Drops a lane that is no more.
    pub fn forget(&self, lane: i64) {
        self.lanes().remove(&lane);
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<i64, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handoff<Outgoing> {
    /// See [`Evaluations::note_failed`].
    pub fn note_failed(&self, now: Timestamp, error: &StoreError) {
        if matches!(error, StoreError::InDoubt(_)) {
            let end = now.plus_millis(DELIVERY_LEASE_MS);
            self.in_doubt.note(end, end);
        }
    }
}

/// The way into evaluation, which has one lane.
pub struct Evaluations {
    handoff: Handoff<Due>,
    /// The least time between two cycles of an identity.
    pub min_cycle_ms: i64,
}

impl Evaluations {
    const LANE: i64 = 0;

    pub fn new(capacity: usize, min_cycle_ms: i64) -> (Self, mpsc::UnboundedReceiver<Due>) {
        let (handoff, receiver) = Handoff::new(capacity);
        (Self { handoff, min_cycle_ms }, receiver)
    }

    /// See [`Handoff::reserve`].
    pub fn reserve(&self, wanted: usize) -> usize {
        self.handoff.reserve(Self::LANE, wanted)
    }

    /// See [`Handoff::send`].
    pub fn send(&self, due: Due) {
        self.handoff.send(due);
    }

    /// See [`Handoff::release`].
    pub fn release(&self, places: usize) {
        self.handoff.release(Self::LANE, places);
    }

    /// Notes, of a transaction at `now` that failed, the leases that it may have taken nevertheless.
    pub fn note_failed(&self, now: Timestamp, error: &StoreError) {
        if matches!(error, StoreError::InDoubt(_)) {
            let first = now.plus_millis(EVALUATION_LEASE_MS);
            self.handoff.in_doubt.note(first, first.plus_millis(self.min_cycle_ms));
        }
    }

    /// See [`InDoubt`].
    pub const fn in_doubt(&self) -> &InDoubt {
        &self.handoff.in_doubt
    }

    /// Says that identities that are due wait in the store.
    pub fn spill(&self) {
        self.handoff.spill(Self::LANE);
    }

    /// See [`Handoff::take_spilled`].
    pub fn take_spilled(&self) -> Option<usize> {
        self.handoff.take_spilled(Self::LANE)
    }

    /// Resolves when somebody has said so.
    pub async fn spilled(&self) {
        self.handoff.spilled.notified().await;
    }

    /// Places in use.
    pub fn taken(&self) -> usize {
        self.handoff.taken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_what_is_free_and_nothing_while_rows_wait() {
        let (handoff, _receiver) = Handoff::<()>::new(4);
        assert_eq!((handoff.reserve(7, 3), handoff.reserve(7, 3), handoff.reserve(8, 3)), (3, 1, 3));
        handoff.spill(7);
        handoff.release(7, 1);
        assert_eq!((handoff.reserve(7, 1), handoff.take_spilled(7)), (0, None));
        handoff.release(7, 1);
        assert_eq!(
            (handoff.take_spilled(7), handoff.take_spilled(7), handoff.reserve(7, 9)),
            (Some(2), None, 0)
        );
        handoff.release(7, 2);
        assert_eq!(handoff.reserve(7, 9), 2);
    }
}
