//! Disregarded devices: nobody's analysis looks at who else uses them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::link::{KeyHasher, KeyKind, LinkKey, OTHERS_MAX};
use dregs_core::time::Timestamp;

use super::Editor;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::ingest::refold;
use crate::ops::lists::roster::{Filter, Rosters};
use crate::store::changes::{self, Touched};
use crate::store::devices::{self, Device};
use crate::store::links::{self, HashedKey};
use crate::store::marks;
use crate::store::rosters::Kind;
use crate::store::{Result, Store, Tx, retention};

/// The row ids of the devices an identity was seen on: by its events, and, of those that are gone, the devices that
/// their fold remembers.
///
/// # Errors
/// Those of the store.
pub fn of_identity(tx: &mut Tx, team_id: i64, identity_id: i64) -> Result<Vec<i64>> {
    let mut ids = devices::of_identity(tx, identity_id)?;
    if let Some(folded) = retention::folded(tx, identity_id)? {
        for seen in refold::state_of(identity_id, &folded).devices() {
            ids.extend(devices::find(tx, team_id, &seen.value)?.map(|device| device.id));
        }
        ids.sort_unstable();
        ids.dedup();
    }
    Ok(ids)
}

/// How many identities were seen on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Users {
    pub count: usize,
    /// Whether that is all of them: counting stops at [`OTHERS_MAX`].
    pub is_exact: bool,
}

/// The users of each of these devices, deleted identities left out, as in the list of them.
///
/// # Errors
/// Those of the store.
pub async fn users(
    store: &Store,
    rosters: &Arc<Rosters>,
    hasher: &KeyHasher,
    team_id: i64,
    devices: &[Device],
) -> Result<Vec<Users>> {
    let keys: Vec<_> =
        devices.iter().map(|device| key(hasher, team_id, device.fingerprint.clone())).collect();
    let asked = keys.clone();
    let holders = store.read(move |tx| links::newest_holders(tx, &asked)).await?;
    let filter = Filter {
        among: Some(holders.iter().map(|holder| holder.identity_id).collect()),
        ..Filter::default()
    };
    let living = rosters.ask(team_id, Kind::Identities, move |table| table.select(&filter)).await?;
    let mut found: HashMap<HashedKey, (usize, usize)> = HashMap::new();
    for holder in &holders {
        let (all, alive) = found.entry(holder.key).or_default();
        *all += 1;
        *alive += usize::from(living.contains(&holder.identity_id));
    }
    let users = |key: &HashedKey| {
        let (all, alive) = found.get(key).copied().unwrap_or_default();
        Users { count: alive.min(OTHERS_MAX), is_exact: all <= OTHERS_MAX }
    };
    Ok(keys.iter().map(users).collect())
}

/// Identities marked in one transaction, so that no other waits long.
const CHUNK_IDENTITIES: i64 = 500;

/// The keys of the devices that are disregarded: few, and asked for in every cycle.
#[derive(Default)]
pub struct Disregarded(RwLock<Arc<HashSet<HashedKey>>>);

impl Disregarded {
    /// The keys as they are now.
    pub fn keys(&self) -> Arc<HashSet<HashedKey>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the disregarded devices again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store, hasher: &KeyHasher) -> Result<()> {
        let rows = store.read(devices::disregarded).await?;
        let keys = rows.into_iter().map(|(team_id, fingerprint)| key(hasher, team_id, fingerprint)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }
}

/// The key of a device.
pub fn key(hasher: &KeyHasher, team_id: i64, fingerprint: String) -> HashedKey {
    HashedKey::new(hasher, team_id, &LinkKey { kind: KeyKind::Device, value: fingerprint })
}

impl Editor<'_> {
    /// Takes a device out of everybody's analysis, or back in; those who use it are scored again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn disregard(
        &self,
        actor: Actor,
        device: Device,
        disregarded: bool,
        now: Timestamp,
    ) -> Result<()> {
        let key = key(&self.hasher, actor.team_id, device.fingerprint.clone());
        self.store
            .write(move |tx| {
                devices::disregard(tx, device.id, disregarded)?;
                let touched = Touched { devices: [device.id].into(), ..Touched::default() };
                changes::insert(tx, &touched, now)?;
                let flag = |disregarded: bool| Some(serde_json::json!({ "disregarded": disregarded }));
                let act = Act {
                    action: "device.change",
                    target_type: "device",
                    target_id: &device.fingerprint,
                    before: flag(device.disregarded),
                    after: flag(disregarded),
                };
                audit::record(tx, &actor, &act, now)
            })
            .await?;
        self.kept.reload_changed(now).await?;
        let (mut after, min_cycle_ms) = (0, self.evaluations.min_cycle_ms);
        loop {
            let marked = self
                .store
                .write(move |tx| {
                    let holders = links::holders_after(tx, key, after, CHUNK_IDENTITIES)?;
                    marks::mark_dirty(tx, &holders, now, min_cycle_ms)?;
                    Ok(holders.last().copied())
                })
                .await?;
            let Some(last) = marked else { break };
            after = last;
            self.evaluations.spill();
        }
        Ok(())
    }
}
