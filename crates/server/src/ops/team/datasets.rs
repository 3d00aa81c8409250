//! Datasets: changed, and kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::dataset::{Dataset, Datasets};
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::limit::Limit;
use crate::ops::apart::apart;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::directories::Directories;
use crate::ops::evaluate::rescore::{self, Concern, Concerned};
use crate::ops::lists::roster::Rosters;
use crate::ops::long_reads::LongReads;
use crate::store::datasets::{self, Entry};
use crate::store::{Result, Store, StoreError, Tx};

/// Entries of a team in one dataset; in all of them it has [`bounds::DATASET_ENTRIES`].
pub const ENTRIES_OF_DATASET_MAX: i64 = 10_000;

/// The datasets of every team that has entries of its own.
#[derive(Default)]
pub struct Directory(RwLock<Arc<OfTeams>>);

/// The datasets as they were at one moment.
#[derive(Default)]
pub struct OfTeams {
    own: HashMap<i64, Datasets>,
    shipped: Datasets,
}

impl OfTeams {
    fn of_entries(entries: Vec<Entry>) -> Self {
        let mut own: HashMap<i64, Datasets> = HashMap::new();
        for entry in entries {
            if let Some(dataset) = Dataset::parse(&entry.dataset) {
                own.entry(entry.team_id).or_default().insert(dataset, entry.value, entry.included);
            }
        }
        Self { own, shipped: Datasets::default() }
    }

    pub fn of(&self, team_id: i64) -> &Datasets {
        self.own.get(&team_id).unwrap_or(&self.shipped)
    }
}

impl Directory {
    pub fn current(&self) -> Arc<OfTeams> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the entries again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let entries = store.read(datasets::all).await?;
        let of_teams = Arc::new(apart(move || OfTeams::of_entries(entries)).await?);
        let before =
            std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), of_teams);
        apart(move || drop(before)).await
    }
}

/// Adds an entry, and has those whom it concerns scored again. The answer is its id.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has an entry for the value, [`StoreError::TooMany`] where there is no room.
pub async fn create(store: &Store, kept: &Directories, actor: Actor, new: Entry) -> Result<i64> {
    let now = new.created_at;
    let id = store
        .write(move |tx| {
            bounds::DATASET_ENTRIES.check_team(tx, new.team_id)?;
            check_room(tx, &new)?;
            let id = datasets::insert(tx, &new)?;
            changed(tx, &actor, "dataset-entry.create", id, &new, now)?;
            Ok(id)
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(id)
}

/// Makes sure that there is room for one more in a dataset.
fn check_room(tx: &mut Tx, new: &Entry) -> Result<()> {
    let there = datasets::counts(tx, new.team_id)?.into_iter().find(|(dataset, _)| *dataset == new.dataset);
    if there.is_none_or(|(_, count)| count < ENTRIES_OF_DATASET_MAX) {
        return Ok(());
    }
    Err(StoreError::TooMany {
        owner: "dataset of a team",
        what: "entries",
        max: ENTRIES_OF_DATASET_MAX,
        limit: Limit::EntriesOfDataset,
    })
}

/// Removes an entry; `false` where the team has none with this id.
///
/// # Errors
/// Those of the store.
pub async fn delete(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    (dataset, id): (Dataset, i64),
    now: Timestamp,
) -> Result<bool> {
    let deleted = store
        .write(move |tx| {
            let Some(was) = datasets::delete(tx, actor.team_id, dataset.slug(), id)? else {
                return Ok(false);
            };
            changed(tx, &actor, "dataset-entry.delete", id, &was, now)?;
            Ok(true)
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(deleted)
}

fn changed(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: i64,
    entry: &Entry,
    now: Timestamp,
) -> Result<()> {
    let told = Some(json!({
        "dataset": entry.dataset,
        "value": entry.value,
        "included": entry.included,
        "note": entry.note,
    }));
    let (before, after) = if action.ends_with("delete") { (told, None) } else { (None, told) };
    let act = Act { action, target_type: "dataset-entry", target_id: &id.to_string(), before, after };
    audit::record(tx, actor, &act, now)?;
    rescore::begin(tx, entry.team_id, concern_of(Dataset::parse(&entry.dataset)), &entry.value, now)
}

/// What an entry is about, for those whom a change of it concerns.
const fn concern_of(dataset: Option<Dataset>) -> Concern {
    match dataset {
        Some(Dataset::Hosting | Dataset::Tor) => Concern::Network,
        _ => Concern::EmailDomain,
    }
}

/// Counts whom adding or removing an entry would concern.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    kept: &Directories,
    lists: &Arc<Rosters>,
    team_id: i64,
    (dataset, value): (Dataset, String),
) -> Result<Concerned> {
    let concern = (concern_of(Some(dataset)), value);
    rescore::concerned(long_reads, &kept.mappings, lists, team_id, concern).await
}
