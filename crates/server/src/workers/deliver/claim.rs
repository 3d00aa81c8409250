//! Taking due deliveries from the store.

use std::sync::Arc;

use dregs_core::time::Timestamp;

use crate::app::App;
use crate::failpoint::{self, Failpoint};
use crate::ops::deliver::endpoints::Endpoint;
use crate::ops::deliver::messages;
use crate::ops::handoff::Outgoing;
use crate::store::claims::DELIVERY_LEASE_MS;
use crate::store::deliveries::{self, Lease};
use crate::store::{Result, Tx, log_failure, waiting};

/// What a claim brought.
pub struct Claimed {
    pub channel_id: i64,
    /// Of the node, when it was begun.
    pub epoch: u64,
    /// Places that were taken for it.
    pub places: usize,
    /// As many as were asked for: there may be more.
    pub is_full: bool,
    pub outgoing: Vec<Outgoing>,
}

/// Claims up to `most` due deliveries of a channel, for which `places` were taken; one alone is for a probe. What fails
/// is logged and tried at the next poll.
pub async fn claim(app: Arc<App>, endpoint: Arc<Endpoint>, places: usize, most: usize) -> Claimed {
    let (channel_id, epoch) = (endpoint.channel_id, app.node.epoch());
    let outgoing = try_claim(&app, &endpoint, most).await.unwrap_or_else(|error| {
        log_failure!(error, channel_id, "due deliveries could not be claimed");
        Vec::new()
    });
    let is_full = outgoing.len() >= most;
    Claimed { channel_id, epoch, places, is_full, outgoing }
}

async fn try_claim(app: &App, endpoint: &Endpoint, most: usize) -> Result<Vec<Outgoing>> {
    let channel_id = endpoint.channel_id;
    let (is_ordered, coalesces) = (endpoint.sender.is_ordered(), endpoint.sender.coalesces());
    let now = app.clock.now();
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let lease = Lease { node: app.node.id(), from: now, until: now.plus_millis(DELIVERY_LEASE_MS) };
    let (due_at, claimed) = app
        .store
        .write(move |tx| {
            let due_at = if limit == 1 { waiting::due_since(tx, channel_id)? } else { None };
            if coalesces {
                waiting::supersede(tx, channel_id, now)?;
            }
            let claim = match (is_ordered, coalesces) {
                (true, _) => deliveries::claim_in_order,
                (false, true) => deliveries::claim_newest,
                (false, false) => deliveries::claim,
            };
            Ok((due_at, claim(tx, channel_id, lease, limit)?))
        })
        .await
        .inspect_err(|error| app.deliveries.note_failed(now, error))?;
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    failpoint::reach(Failpoint::DeliverClaimed);
    let subjects: Vec<_> = claimed.iter().map(|c| c.subject).collect();
    let event_ids = app.event_ids;
    // Otherwise what is claimed would wait for the end of its lease.
    let messages = app.store.read(move |tx| messages::load(tx, event_ids, &subjects)).await;
    let messages = messages.inspect_err(|_| app.deliveries.in_doubt.note(lease.until, lease.until))?;
    let (known, gone): (Vec<_>, Vec<_>) =
        claimed.into_iter().partition(|c| messages.contains_key(&c.subject));
    if !gone.is_empty() {
        let ids: Vec<_> = gone.iter().map(|c| c.id).collect();
        app.store.write(move |tx| deliveries::give_up(tx, &ids, "what it was about is deleted", now)).await?;
    }
    let outgoing = known.into_iter().filter_map(|c| {
        Some(Outgoing {
            delivery_id: c.id,
            channel_id: c.channel_id,
            message: Arc::clone(messages.get(&c.subject)?),
            trigger: c.trigger,
            failures: c.failures,
            due_at,
            trace: c.trace,
            attempt: None,
            watcher: None,
        })
    });
    Ok(outgoing.collect())
}

/// Marks the lanes in which something is due.
pub async fn find_due(app: Arc<App>) {
    let channel_ids = app.kept.channels.enabled();
    let now = app.clock.now();
    if let Some((first, last)) = app.deliveries.in_doubt.take() {
        let (node, channel_ids) = (app.node.id(), channel_ids.clone());
        let end = move |tx: &mut Tx| waiting::end_leases(tx, node, &channel_ids, (first, last), now);
        if let Err(error) = app.store.write(end).await {
            app.deliveries.in_doubt.note(first, last);
            return log_failure!(error, "leases in doubt could not be ended");
        }
    }
    let due = app.store.read(move |tx| deliveries::due_channels(tx, &channel_ids, now)).await;
    match due {
        Ok(due) => due.into_iter().for_each(|channel_id| app.deliveries.spill(channel_id)),
        Err(error) => log_failure!(error, "due deliveries could not be looked for"),
    }
}

/// Ends the leases of deliveries that were taken and not begun; they fall due at `due`.
pub async fn give_back(app: &App, ids: Vec<i64>, due: Timestamp) {
    if let Err(error) = app.store.write(move |tx| deliveries::give_back(tx, &ids, due)).await {
        log_failure!(error, "leases could not be given back; they end by themselves");
    }
}
