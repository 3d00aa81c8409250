//! Endpoints: every channel in memory, as delivery needs it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_core::notify::signature::Secret;
use dregs_core::time::Timestamp;
use tokio::sync::Mutex;

use crate::channels::config::ChannelConfig;
use crate::channels::send::Sender;
use crate::ops::apart::apart;
use crate::store::channels::{self, Channel, ChannelSecret};
use crate::store::{Result, Store, StoreError};
use crate::vault::Vault;

/// What secrets of channels are sealed for.
pub const SECRET_PURPOSE: &str = "channel-secret";
/// What parts of configurations are sealed for.
pub const CONFIG_PURPOSE: &str = "channel-config";

/// A channel as delivery needs it.
pub struct Endpoint {
    pub channel_id: i64,
    pub team_id: i64,
    pub enabled: bool,
    pub events: channels::Subscriptions,
    pub sender: Sender,
    secrets: Vec<(ChannelSecret, Secret)>,
}

impl Endpoint {
    /// The secrets that sign at `time`, newest first.
    pub fn secrets_at(&self, time: Timestamp) -> Vec<Secret> {
        let signing = channels::signing(self.secrets.iter().collect(), |(row, _)| row, time);
        signing.into_iter().map(|(_, secret)| secret.clone()).collect()
    }
}

/// What channels ask about events, by team.
pub type Asking = HashMap<i64, Vec<(i64, ChannelFilter)>>;

/// Every channel, in memory. Changes made through this process show at once, others after a poll.
#[derive(Default)]
pub struct Directory {
    endpoints: RwLock<Arc<HashMap<i64, Arc<Endpoint>>>>,
    asking: RwLock<Arc<Asking>>,
    /// One reading at a time: a slow one must not put back what a later one saw changed.
    reloading: Mutex<()>,
}

impl Directory {
    pub fn get(&self, channel_id: i64) -> Option<Arc<Endpoint>> {
        self.endpoints().get(&channel_id).cloned()
    }

    /// The enabled channels of a team that want to hear of `event` and can be handed deliveries in memory:
    /// for the others the store has to be asked what else waits.
    pub fn handed_on(&self, team_id: i64, event: EventType) -> Vec<i64> {
        let endpoints = self.endpoints();
        let matching = endpoints.values().filter(|e| {
            e.enabled && e.team_id == team_id && e.events.contains(event) && !e.sender.is_by_identity()
        });
        matching.map(|e| e.channel_id).collect()
    }

    /// The channels that ask about events.
    pub fn asking(&self) -> Arc<Asking> {
        Arc::clone(&self.asking.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn enabled(&self) -> Vec<i64> {
        let mut ids: Vec<_> = self.endpoints().values().filter(|e| e.enabled).map(|e| e.channel_id).collect();
        ids.sort_unstable();
        ids
    }

    /// Reads the channels again.
    ///
    /// # Errors
    /// Those of the store. A channel that this version cannot read is logged and left out.
    pub async fn reload(&self, store: &Store, vault: &Arc<Vault>, now: Timestamp) -> Result<()> {
        let _turn = self.reloading.lock().await;
        let rows =
            store.read(move |tx| Ok((channels::all(tx)?, channels::current_secrets(tx, now)?))).await?;
        let mut asking = Asking::new();
        for row in rows.0.iter().filter(|row| row.filter.asks_events()) {
            asking.entry(row.team_id).or_default().push((row.id, row.filter.clone()));
        }
        *self.asking.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(asking);
        let vault = Arc::clone(vault);
        let endpoints = Arc::new(apart(move || opened(&vault, rows)).await?);
        let before = std::mem::replace(
            &mut *self.endpoints.write().unwrap_or_else(PoisonError::into_inner),
            endpoints,
        );
        apart(move || drop(before)).await
    }

    fn endpoints(&self) -> Arc<HashMap<i64, Arc<Endpoint>>> {
        Arc::clone(&self.endpoints.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The channels, with what is sealed of them opened, which takes long for many.
fn opened(vault: &Vault, (rows, secrets): (Vec<Channel>, Vec<ChannelSecret>)) -> HashMap<i64, Arc<Endpoint>> {
    let mut by_channel: HashMap<i64, Vec<(ChannelSecret, Secret)>> = HashMap::new();
    for row in secrets {
        match open_secret(vault, &row) {
            Ok(secret) => by_channel.entry(row.channel_id).or_default().push((row, secret)),
            Err(error) => {
                tracing::error!(channel_id = row.channel_id, error, "a signing secret cannot be read")
            }
        }
    }
    let mut endpoints = HashMap::new();
    for row in rows {
        let secrets = by_channel.remove(&row.id).unwrap_or_default();
        match endpoint(vault, &row, secrets) {
            Ok(endpoint) => {
                endpoints.insert(row.id, Arc::new(endpoint));
            }
            Err(error) => tracing::error!(channel_id = row.id, error, "a channel cannot be read"),
        }
    }
    endpoints
}

fn endpoint(
    vault: &Vault,
    row: &Channel,
    secrets: Vec<(ChannelSecret, Secret)>,
) -> std::result::Result<Endpoint, String> {
    let sender = config(vault, row)?.read().map_err(|errors| format!("{errors:?}"))?;
    Ok(Endpoint {
        channel_id: row.id,
        team_id: row.team_id,
        enabled: row.enabled,
        events: row.events,
        sender,
        secrets,
    })
}

/// The configuration of a stored channel, credentials and all.
pub fn config(vault: &Vault, row: &Channel) -> std::result::Result<ChannelConfig, String> {
    ChannelConfig::from_stored(&row.channel_type, &row.config, |sealed| vault.open(CONFIG_PURPOSE, sealed))
}

/// A configuration as it is stored.
pub fn stored(vault: &Vault, config: &ChannelConfig) -> std::result::Result<String, String> {
    config.stored(|bytes| vault.seal(CONFIG_PURPOSE, bytes))
}

/// Encrypts what an older version stored as it is.
///
/// # Errors
/// Those of the store, and what cannot be read.
pub async fn seal_all(store: &Store, vault: &Vault) -> Result<()> {
    let rows = store.read(channels::all).await?;
    for row in rows.into_iter().filter(|row| ChannelConfig::is_open(&row.channel_type, &row.config)) {
        // One that cannot be read is left out by the directory, and left as it is here.
        let Ok(config) = config(vault, &row) else { continue };
        let sealed = stored(vault, &config).map_err(StoreError::Broken)?;
        store.write(move |tx| channels::replace_config(tx, row.id, &row.config, &sealed)).await?;
    }
    Ok(())
}

/// The signing secret in a row.
pub fn open_secret(vault: &Vault, row: &ChannelSecret) -> std::result::Result<Secret, String> {
    let bytes = vault.open(SECRET_PURPOSE, &row.secret)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| "not 32 bytes")?;
    Ok(Secret::from_bytes(bytes))
}
