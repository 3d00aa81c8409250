//! Deliveries: those of a notification, and sending again, one delivery or a range of time.

use std::collections::BTreeSet;

use dregs_core::notify::message::EventType;
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::failpoint::{self, Failpoint};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::handoff::{Handoff, Outgoing};
use crate::store::attempts::Trigger;
use crate::store::channels::Subscriber;
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

    /// Makes the finished deliveries of a channel that match due now; the answer is how many.
    pub async fn replay(&self, actor: Actor, channel_id: i64, filter: Filter, now: Timestamp) -> Result<u64> {
        let status = filter.status.map(Status::name);
        let what = json!({"from": filter.from, "to": filter.to, "status": status});
        self.store
            .write(move |tx| {
                let (after, target_id) = (Some(what.clone()), &channel_id.to_string());
                let (action, target_type) = ("channel.replay", "channel");
                audit::record(tx, &actor, &Act { action, target_type, target_id, before: None, after }, now)
            })
            .await?;
        let (mut after, mut queued) = ((Timestamp::from_millis(0), 0), 0);
        loop {
            let filter = filter.clone();
            let chunk = move |tx: &mut crate::store::Tx| {
                deliveries::replay_some(tx, channel_id, &filter, after, now, CHUNK_DELIVERIES)
            };
            match self.store.write(chunk).await? {
                Some((last, taken)) => (after, queued) = (last, queued + taken),
                None => break,
            }
            failpoint::reach(Failpoint::ReplayQueued);
            self.deliveries.spill(channel_id);
        }
        Ok(queued)
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
