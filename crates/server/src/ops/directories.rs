//! What is kept in memory because every event, cycle or request asks for it: read again when its number has grown.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dregs_core::link::KeyHasher;
use dregs_core::score::Weights;
use dregs_core::time::Timestamp;

use crate::ops::counters;
use crate::ops::deliver::endpoints;
use crate::ops::identities::devices;
use crate::ops::ingest::common;
use crate::ops::ingest::names::Names;
use crate::ops::installation::master_key;
use crate::ops::team::{credentials, datasets, lists, mappings, rules, weights};
use crate::store::versions::{self, Kept, Versions};
use crate::store::{Result, Store};

/// All of it, and what it takes to read it.
pub struct Directories {
    pub credentials: credentials::Directory,
    pub channels: endpoints::Directory,
    pub names: Arc<Names>,
    pub mappings: mappings::Directory,
    pub rules: rules::Directory,
    pub counters: counters::Directory,
    pub datasets: datasets::Directory,
    pub common: common::Directory,
    pub lists: lists::Directory,
    pub disregarded: devices::Disregarded,
    pub weights: weights::Directory,
    pub key: master_key::Watch,
    store: Arc<Store>,
    hasher: KeyHasher,
    /// What has been read, by its number.
    read: Mutex<Versions>,
    /// One reading at a time: a slow one must not put back what was before under the number of what is now.
    reloading: tokio::sync::Mutex<()>,
}

impl Directories {
    /// With nothing in them yet but the weights of the installation.
    pub fn new(store: Arc<Store>, key: master_key::Watch, hasher: KeyHasher, weights: Weights) -> Self {
        Self {
            credentials: credentials::Directory::default(),
            channels: endpoints::Directory::default(),
            names: Arc::default(),
            mappings: mappings::Directory::default(),
            rules: rules::Directory::default(),
            counters: counters::Directory::default(),
            datasets: datasets::Directory::default(),
            common: common::Directory::default(),
            lists: lists::Directory::new(hasher),
            disregarded: devices::Disregarded::default(),
            weights: weights::Directory::new(weights),
            key,
            store,
            hasher,
            read: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
        }
    }

    /// Reads the channels again, after a change or because another node may have made one. They stay as they are where
    /// the key does not open them any more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload_channels(&self, now: Timestamp) -> Result<()> {
        match self.key.vault() {
            Ok(vault) => self.channels.reload(&self.store, vault, now).await,
            Err(_) => Ok(()),
        }
    }

    /// Reads again what has changed, by whatever node.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload_changed(&self, now: Timestamp) -> Result<()> {
        let _turn = self.reloading.lock().await;
        // Before the rows: what changes meanwhile is read once more the next time.
        let (current, check) = self.store.read(|tx| Ok((versions::all(tx)?, master_key::known(tx)?))).await?;
        self.key.look(check);
        for kept in Kept::ALL {
            let version = current.get(&kept).copied();
            if version.is_none() || version != self.read().get(&kept).copied() {
                self.reload(kept, now).await?;
                version.and_then(|version| self.read().insert(kept, version));
            }
        }
        Ok(())
    }

    /// The numbers of all this, which is at least as new as they say if it is looked at after them.
    pub fn versions(&self) -> Versions {
        self.read().clone()
    }

    async fn reload(&self, kept: Kept, now: Timestamp) -> Result<()> {
        match kept {
            Kept::Channels => self.reload_channels(now).await,
            Kept::Credentials => self.credentials.reload(&self.store).await,
            Kept::Names => self.names.reload(&self.store).await,
            Kept::Devices => self.disregarded.reload(&self.store, &self.hasher).await,
            Kept::Mappings => self.mappings.reload(&self.store).await,
            Kept::Rules => {
                self.rules.reload(&self.store).await?;
                self.weights.reload(&self.store).await
            }
            Kept::Datasets => self.datasets.reload(&self.store).await,
            Kept::Common => self.common.reload(&self.store).await,
            Kept::Counters => self.counters.reload(&self.store).await,
            Kept::Lists => self.lists.reload(&self.store, &self.hasher).await,
        }
    }

    fn read(&self) -> MutexGuard<'_, Versions> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
