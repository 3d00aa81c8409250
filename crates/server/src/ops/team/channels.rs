//! Channels: what people do to them.

use std::sync::Arc;

use dregs_core::notify::catalogue;
use dregs_core::notify::message::{EventType, Message};
use dregs_core::notify::signature::Secret;
use dregs_core::time::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::channels::config::ChannelConfig;
use crate::failpoint::{self, Failpoint};
use crate::limit::Limit;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::deliver::endpoints::{self, SECRET_PURPOSE};
use crate::ops::deliver::health::Board;
use crate::ops::deliver::messages::EventIds;
use crate::ops::directories::Directories;
use crate::ops::handoff::{Handoff, Outgoing};
use crate::ops::installation::nodes::Node;
use crate::store::attempts::{AttemptRecord, Trigger};
use crate::store::channels::{self, Channel};
use crate::store::claims::DELIVERY_LEASE_MS;
use crate::store::deliveries::{self, NewDelivery, Subject};
use crate::store::{Location, Result, Store, StoreError, Tx, channel_health, notifications, waiting};
use crate::vault::Vault;

/// Within this, every node has read a changed channel.
const KNOWN_TO_ALL_MS: i64 = 1_500;
/// Deliveries changed in one transaction, so that no other waits long.
const CHUNK_DELIVERIES: i64 = 2_000;

/// A new signing secret, and the same sealed.
///
/// # Errors
/// Never in practice.
pub fn new_secret(vault: &Vault) -> Result<(Secret, Vec<u8>)> {
    let bytes: [u8; 32] = rand::random();
    let sealed = vault.seal(SECRET_PURPOSE, &bytes).map_err(StoreError::Broken)?;
    Ok((Secret::from_bytes(bytes), sealed))
}

/// What becomes of the deliveries that wait when a channel is enabled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnResume {
    Send,
    Skip,
}

/// With so many secrets a webhook is signed at most: each signature is a part of one header line, which receivers
/// take up to 4 or 8 KiB of.
pub const SIGNING_SECRETS_MAX: i64 = 10;

/// What changes channels, and has that known to those who send.
pub struct Channels<'a> {
    pub store: &'a Store,
    pub kept: &'a Directories,
    pub health: &'a Board,
    pub deliveries: &'a Handoff<Outgoing>,
    pub node: &'a Node,
}

impl Channels<'_> {
    /// Stores a new channel; the answer is its id and its signing secret, which nobody sees again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the team has a channel with this slug.
    pub async fn create(&self, actor: Actor, channel: Channel) -> Result<(i64, Secret)> {
        let now = channel.created_at;
        let (vault, held) = (self.kept.key.vault()?, self.kept.key.held());
        let (secret, sealed) = new_secret(vault)?;
        let config = endpoints::config(vault, &channel).map_err(StoreError::Broken)?;
        let id = self
            .store
            .write(move |tx| {
                held.hold(tx)?;
                bounds::CHANNELS.check_team(tx, channel.team_id)?;
                let id = channels::insert(tx, &channel)?;
                channels::insert_secret(tx, id, &sealed, now)?;
                record(tx, &actor, "channel.create", id, (None, Some(told(&channel, &config))), now)?;
                Ok(id)
            })
            .await?;
        self.kept.reload_channels(now).await?;
        Ok((id, secret))
    }

    /// Writes a changed channel; `resumed` says what to do with what waited while it was disabled.
    pub async fn update(
        &self,
        actor: Actor,
        before: Channel,
        channel: Channel,
        resumed: Option<OnResume>,
    ) -> Result<()> {
        let (id, now) = (channel.id, channel.updated_at);
        let (vault, held) = (self.kept.key.vault()?, self.kept.key.held());
        let configs = [endpoints::config(vault, &before), endpoints::config(vault, &channel)];
        let [config_before, config] = configs.map(|config| config.map_err(StoreError::Broken));
        let (config_before, config) = (config_before?, config?);
        let (told_before, mut told_after) = (told(&before, &config_before), told(&channel, &config));
        if config_before != config && config_before.masked_for_readers() == config.masked_for_readers() {
            told_after["config"]["hiddenValues"] = json!("changed");
        }
        let told = (Some(told_before), Some(told_after));
        // What an endpoint did says nothing of another.
        let begins_anew = resumed.is_some() || config_before != config;
        if resumed == Some(OnResume::Skip) {
            let skip = move |tx: &mut Tx| {
                deliveries::skip_some(
                    tx,
                    id,
                    "skipped when the channel was enabled again",
                    now,
                    CHUNK_DELIVERIES,
                )
            };
            while self.store.write(skip).await? > 0 {}
        }
        self.store
            .write(move |tx| {
                held.hold(tx)?;
                channels::update(tx, &channel)?;
                if begins_anew {
                    channel_health::clear(tx, id)?;
                }
                if channel.by_identity {
                    deliveries::follow_identities(tx, id)?;
                }
                record(tx, &actor, "channel.change", id, told.clone(), now)
            })
            .await?;
        self.kept.reload_channels(now).await?;
        self.health.reload(self.store).await?;
        if begins_anew {
            // Nothing waits any more for the sake of what was there before; but it must not go there either.
            let is_alone = matches!(self.store.location(), Location::File(_));
            let due = if is_alone { now } else { now.plus_millis(KNOWN_TO_ALL_MS) };
            self.store.write(move |tx| waiting::let_go(tx, id, due)).await?;
        }
        self.deliveries.spill(id);
        Ok(())
    }

    /// Removes a channel with everything that was or would be sent to it.
    pub async fn delete(&self, actor: Actor, channel: Channel, now: Timestamp) -> Result<()> {
        let id = channel.id;
        // First nothing new comes in, and the channel itself goes last: whenever this is interrupted,
        // the channel is still there to be removed.
        self.store.write(move |tx| channels::unsubscribe(tx, id)).await?;
        self.kept.reload_channels(now).await?;
        let config = endpoints::config(self.kept.key.vault()?, &channel).map_err(StoreError::Broken)?;
        let told = Some(told(&channel, &config));
        while self.store.write(move |tx| deliveries::delete_some(tx, id, CHUNK_DELIVERIES)).await? > 0 {}
        self.store
            .write(move |tx| {
                while deliveries::delete_some(tx, id, CHUNK_DELIVERIES)? > 0 {}
                channels::delete(tx, id)?;
                record(tx, &actor, "channel.delete", id, (told.clone(), None), now)
            })
            .await?;
        self.kept.reload_channels(now).await?;
        self.deliveries.forget(id);
        Ok(())
    }

    /// Gives a channel a new secret; the old ones go on signing for `overlap_seconds`.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] where too many would sign, and those of the store.
    pub async fn rotate_secret(
        &self,
        actor: Actor,
        id: i64,
        overlap_seconds: u32,
        now: Timestamp,
    ) -> Result<Secret> {
        let (vault, held) = (self.kept.key.vault()?, self.kept.key.held());
        let (secret, sealed) = new_secret(vault)?;
        let end = now.plus_millis(i64::from(overlap_seconds) * 1_000);
        self.store
            .write(move |tx| {
                held.hold(tx)?;
                channels::expire_secrets(tx, id, end)?;
                let signing = channels::secrets(tx, id)?.iter().filter(|secret| secret.signs_at(now)).count();
                if signing as i64 >= SIGNING_SECRETS_MAX {
                    return Err(StoreError::TooMany {
                        owner: "channel",
                        what: "signing secrets at a time",
                        max: SIGNING_SECRETS_MAX,
                        limit: Limit::SigningSecrets,
                    });
                }
                channels::insert_secret(tx, id, &sealed, now)?;
                let after = Some(json!({ "overlapSeconds": overlap_seconds }));
                record(tx, &actor, "channel.rotate-secret", id, (None, after), now)
            })
            .await?;
        failpoint::reach(Failpoint::SecretRotated);
        self.kept.reload_channels(now).await?;
        Ok(secret)
    }

    /// Makes what waits in a channel due now, and ends the pause of one that is left alone.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retry(&self, actor: Actor, id: i64, now: Timestamp) -> Result<()> {
        self.store
            .write(move |tx| {
                channel_health::end_pause(tx, id, now)?;
                waiting::let_go(tx, id, now)?;
                record(tx, &actor, "channel.retry", id, (None, None), now)
            })
            .await?;
        self.health.reload(self.store).await?;
        self.deliveries.spill(id);
        Ok(())
    }

    /// Sends a test to a channel now, enabled or not: its own event, or the catalogue's example of
    /// another. The answer is the attempt; a test is never tried again.
    ///
    /// # Errors
    /// Those of the store, and [`StoreError::Unavailable`] when the server is stopping.
    pub async fn test(
        &self,
        event_ids: EventIds,
        actor: Actor,
        channel: &Channel,
        event: EventType,
        now: Timestamp,
    ) -> Result<(i64, AttemptRecord)> {
        self.kept.key.vault()?;
        let data = catalogue::example_data(event).to_string();
        let (team_id, channel_id) = (channel.team_id, channel.id);
        let (stored, node) = (data.clone(), self.node.id());
        let (notification_id, delivery_id) = self
            .store
            .write(move |tx| {
                let after = Some(json!({ "event": event.name() }));
                record(tx, &actor, "channel.test", channel_id, (None, after), now)?;
                let notification_id = notifications::insert(tx, team_id, event, now, &stored)?;
                let delivery = NewDelivery {
                    channel_id,
                    event,
                    subject: Subject::Notification { id: notification_id },
                    about: None,
                    trigger: Trigger::Test,
                    created_at: now,
                    next_attempt_at: now.plus_millis(DELIVERY_LEASE_MS),
                    leased_to: Some(node),
                    by_identity: false,
                    trace: None,
                };
                let ids = deliveries::insert(tx, &[delivery])?;
                let (_, _, id) =
                    ids.first().ok_or_else(|| StoreError::Broken("no delivery was stored".into()))?;
                Ok((notification_id, *id))
            })
            .await?;
        let message = event_ids.notified(notifications::Notification {
            id: notification_id,
            event,
            identity_id: None,
            sequence: None,
            occurred_at: now,
            data,
        });
        let attempt = self.attempt_now(channel_id, delivery_id, message).await?;
        Ok((delivery_id, attempt))
    }

    async fn attempt_now(
        &self,
        channel_id: i64,
        delivery_id: i64,
        message: Message,
    ) -> Result<AttemptRecord> {
        let (watcher, watched) = oneshot::channel();
        self.deliveries.send(Outgoing {
            delivery_id,
            channel_id,
            message: Arc::new(message),
            trigger: Trigger::Test,
            failures: 0,
            due_at: None,
            trace: None,
            attempt: None,
            watcher: Some(watcher),
        });
        watched.await.map_err(|_| StoreError::Unavailable("the server is stopping".into()))
    }
}

/// A channel for the audit log: what may hold a secret is masked.
fn told(channel: &Channel, config: &ChannelConfig) -> Value {
    json!({
        "type": channel.channel_type,
        "name": channel.name,
        "slug": channel.slug,
        "enabled": channel.enabled,
        "events": channel.events.iter().map(EventType::name).collect::<Vec<_>>(),
        "config": config.masked_for_readers(),
        "conditions": channel.filter.conditions,
        "scored": channel.filter.scored,
    })
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: i64,
    (before, after): (Option<Value>, Option<Value>),
    now: Timestamp,
) -> Result<()> {
    let act = Act { action, target_type: "channel", target_id: &id.to_string(), before, after };
    audit::record(tx, actor, &act, now)
}

/// The secrets that signed at `time`, newest first, ended ones included.
pub async fn secrets_at(
    store: &Store,
    vault: &Vault,
    channel_id: i64,
    time: Timestamp,
) -> Result<Vec<Secret>> {
    let rows = store.read(move |tx| channels::secrets(tx, channel_id)).await?;
    let signing = channels::signing(rows, |row| row, time);
    signing.iter().map(|row| endpoints::open_secret(vault, row).map_err(StoreError::Broken)).collect()
}
