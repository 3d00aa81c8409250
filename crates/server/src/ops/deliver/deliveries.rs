//! Deliveries: those of a notification, and sending again, one delivery or a range of time.

use std::collections::BTreeSet;
use std::sync::Arc;

use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::failpoint::{self, Failpoint};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::deliver::filters::{self, Known};
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::handoff::{Handoff, Outgoing};
use crate::ops::long_reads::LongReads;
use crate::store::attempts::Trigger;
use crate::store::channels::{Channel, Subscriber};
use crate::store::deliveries::{self, Filter, NewDelivery, Status, Subject};
use crate::store::{Result, Store, Tx};
use crate::trace::Context;

/// Deliveries looked at in one transaction, so that no other waits long.
const CHUNK_DELIVERIES: i64 = 1_000;

/// Makes a delivery of a notification for each of these channels; `about` is the identity and the sequence
/// among its events, where it tells of one, and `trace` what it follows from, where that is traced.
///
/// # Errors
/// Those of the store.
pub fn of_notification(
    tx: &mut Tx,
    (event, id): (EventType, i64),
    about: Option<(i64, i64)>,
    to: &[Subscriber],
    trace: Option<Context>,
    now: Timestamp,
) -> Result<()> {
    let delivery = |to: &Subscriber| NewDelivery {
        channel_id: to.channel_id,
        event,
        subject: Subject::Notification { id },
        about,
        trigger: Trigger::Initial,
        created_at: now,
        next_attempt_at: now,
        leased_to: None,
        by_identity: to.by_identity,
        trace,
    };
    deliveries::insert(tx, &to.iter().map(delivery).collect::<Vec<_>>())?;
    Ok(())
}

/// What became of deliveries that somebody wants sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    pub queued: Vec<i64>,
    pub under_way: Vec<i64>,
    /// Not the team's, or removed.
    pub unknown: Vec<i64>,
}

/// What sends deliveries again.
pub struct Resends<'a> {
    pub store: &'a Store,
    pub deliveries: &'a Handoff<Outgoing>,
}

impl Resends<'_> {
    /// Makes a delivery due now, with a fresh schedule; false where an attempt is under way.
    pub async fn one(&self, actor: Actor, channel_id: i64, delivery_id: i64, now: Timestamp) -> Result<bool> {
        let queued = self.store.write(move |tx| requeue(tx, &actor, delivery_id, now)).await?;
        failpoint::reach(Failpoint::ResendQueued);
        if queued {
            self.deliveries.spill(channel_id);
        }
        Ok(queued)
    }

    /// Makes deliveries of a team due now, each with a fresh schedule.
    pub async fn some(&self, actor: Actor, team_id: i64, ids: Vec<i64>, now: Timestamp) -> Result<Resent> {
        let (resent, channels) = self
            .store
            .write(move |tx| {
                let (mut resent, mut channels) = (Resent::default(), BTreeSet::new());
                for id in &ids {
                    let Some(delivery) = deliveries::find(tx, team_id, *id)? else {
                        resent.unknown.push(*id);
                        continue;
                    };
                    if requeue(tx, &actor, *id, now)? {
                        channels.insert(delivery.channel_id);
                        resent.queued.push(*id);
                    } else {
                        resent.under_way.push(*id);
                    }
                }
                Ok((resent, channels))
            })
            .await?;
        for channel_id in channels {
            self.deliveries.spill(channel_id);
        }
        Ok(resent)
    }

    /// Makes the finished deliveries of a channel that match, and that its conditions of now let through, due now.
    pub async fn replay(
        &self,
        actor: Actor,
        (channel, filter): (&Channel, Filter),
        seen: Seen,
        now: Timestamp,
    ) -> Result<Replayed> {
        let channel_id = channel.id;
        let status = filter.status.map(Status::name);
        let what = json!({"from": filter.from, "to": filter.to, "status": status});
        self.store
            .write(move |tx| {
                let (after, target_id) = (Some(what.clone()), &channel_id.to_string());
                let (action, target_type) = ("channel.replay", "channel");
                audit::record(tx, &actor, &Act { action, target_type, target_id, before: None, after }, now)
            })
            .await?;
        let mut pieces = Pieces::new((channel, filter), seen, now);
        loop {
            let piece = pieces.next();
            let taken = self.store.write(move |tx| {
                let piece = piece(tx)?;
                let queued = deliveries::replay(tx, &piece.sent, now)?;
                Ok((piece, queued))
            });
            let (piece, queued) = taken.await?;
            if !pieces.take(piece, queued) {
                return Ok(pieces.replayed);
            }
            failpoint::reach(Failpoint::ReplayQueued);
            self.deliveries.spill(channel_id);
        }
    }
}

/// How many deliveries of a channel that match its conditions of now leave out of a replay.
///
/// # Errors
/// Those of the store.
pub async fn left_out_of_replay(
    reads: &LongReads,
    (channel, filter): (&Channel, Filter),
    seen: Seen,
    now: Timestamp,
) -> Result<u64> {
    if channel.filter.is_open() {
        return Ok(0);
    }
    let mut pieces = Pieces::new((channel, filter), seen, now);
    loop {
        let piece = reads.read(pieces.next()).await?;
        if !pieces.take(piece, 0) {
            return Ok(pieces.replayed.left_out);
        }
    }
}

/// What became of a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Due again.
    pub queued: u64,
    /// By the conditions of the channel.
    pub left_out: u64,
}

/// The deliveries of a replay, a bounded number at a time.
struct Pieces {
    channel_id: i64,
    conditions: Arc<ChannelFilter>,
    filter: Filter,
    after: (Timestamp, i64),
    known: Arc<Known>,
    /// What conditions about events are read with, and when.
    seen: Arc<Seen>,
    now: Timestamp,
    replayed: Replayed,
}

struct Piece {
    /// Where the next begins; `None` where nothing was found.
    last: Option<(Timestamp, i64)>,
    sent: Vec<i64>,
    left_out: u64,
    known: Known,
}

impl Pieces {
    fn new((channel, filter): (&Channel, Filter), seen: Seen, now: Timestamp) -> Self {
        Self {
            channel_id: channel.id,
            conditions: Arc::new(channel.filter.clone()),
            filter,
            after: (Timestamp::from_millis(0), 0),
            known: Arc::default(),
            seen: Arc::new(seen),
            now,
            replayed: Replayed::default(),
        }
    }

    /// Reads the next piece.
    fn next(&self) -> impl Fn(&mut Tx) -> Result<Piece> + Send + 'static {
        let (channel_id, after, filter) = (self.channel_id, self.after, self.filter.clone());
        let (conditions, known) = (Arc::clone(&self.conditions), Arc::clone(&self.known));
        let (seen, now) = (Arc::clone(&self.seen), self.now);
        move |tx| {
            let found = deliveries::finished_some(tx, channel_id, &filter, after, CHUNK_DELIVERIES)?;
            let (sent, known) = filters::replayed(tx, (&conditions, &seen, now), &found, &known)?;
            let last = found.last().map(|last| (last.created_at, last.id));
            Ok(Piece { last, left_out: (found.len() - sent.len()) as u64, sent, known })
        }
    }

    /// Goes on behind a piece; false where it was the last.
    fn take(&mut self, piece: Piece, queued: u64) -> bool {
        let Some(last) = piece.last else { return false };
        self.after = last;
        Arc::make_mut(&mut self.known).extend(piece.known);
        self.replayed.queued += queued;
        self.replayed.left_out += piece.left_out;
        true
    }
}

fn requeue(tx: &mut Tx, actor: &Actor, delivery_id: i64, now: Timestamp) -> Result<bool> {
    let queued = deliveries::requeue(tx, delivery_id, Trigger::Resend, now)?;
    if queued {
        let target_id = &delivery_id.to_string();
        let (action, target_type) = ("delivery.resend", "delivery");
        audit::record(tx, actor, &Act { action, target_type, target_id, before: None, after: None }, now)?;
    }
    Ok(queued)
}
