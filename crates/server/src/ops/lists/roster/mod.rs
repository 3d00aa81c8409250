//! Lists of identities, groups and devices, in memory.
//!
//! A million identities can be filtered by anything and sorted by anything, on any page. Indexes in
//! the store for all of that would make every event write to a dozen places; columns in memory take
//! a hundred bytes an identity, and a few milliseconds to go through. The store stays the truth: what
//! a page shows is read from it. A list is built when it is first asked for, kept current by the change
//! log, and dropped when nobody asks any more.

mod table;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

use dregs_core::time::{MINUTE_MS, Timestamp};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::clock::Clock;
use crate::ops::lists::tail::Tail;
use crate::store::rosters::{self, Entry, Kind};
use crate::store::{Result, Store, StoreError, changes};
pub use table::{Filter, Slice, Sort, Table};

/// Rows read in one go.
const CHUNK_ROWS: i64 = 20_000;
/// Entries of the change log read in one go.
const CHANGES_MAX: i64 = 5_000;
/// Skipped numbers remembered; with more the list is built again.
const GAPS_MAX: usize = 10_000;
/// How long a list that nobody asks for is kept.
const UNUSED_MS: i64 = 30 * MINUTE_MS;
/// How long the change log goes back: a list that fell behind further is built again.
const CHANGES_KEPT_MS: i64 = 10 * MINUTE_MS;

/// Entries of the change log removed at a time.
const PRUNED_MAX: i64 = 2_000;

/// The lists of every team.
pub struct Rosters {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    lists: std::sync::Mutex<HashMap<(i64, Kind), Shared>>,
}

type Shared = Arc<Mutex<Roster>>;

/// A list, as far as it is there.
#[derive(Default)]
struct Roster {
    table: Option<Table>,
    /// The changes that are in the table.
    changes: Tail,
    used_at: Timestamp,
}

impl Rosters {
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, lists: std::sync::Mutex::default() }
    }

    fn get(&self, team_id: i64, kind: Kind) -> Shared {
        let mut rosters = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rosters.entry((team_id, kind)).or_default())
    }

    /// Drops the lists that nobody asked for lately.
    pub fn drop_unused(&self, now: Timestamp) {
        let mut rosters = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        rosters.retain(|_, roster| match roster.try_lock() {
            Ok(roster) => now.millis_since(roster.used_at) < UNUSED_MS,
            Err(_) => true,
        });
    }

    /// Bytes of memory, of those that are not in use.
    pub fn size(&self) -> usize {
        let rosters = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |roster: &Arc<Mutex<Roster>>| roster.try_lock().ok()?.table.as_ref().map(Table::size);
        rosters.values().filter_map(size).sum()
    }

    /// Drops lists that nobody asks for, and what the change log has of long ago.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn prune(&self) -> Result<()> {
        let now = self.clock.now();
        self.drop_unused(now);
        metrics::gauge!("dregs_lists_bytes").set(self.size() as f64);
        let before = now.plus_millis(-CHANGES_KEPT_MS);
        self.store.write(move |tx| changes::prune(tx, before, PRUNED_MAX)).await?;
        Ok(())
    }

    /// Begins to build the list of a team's identities in the background, for somebody who is about to look at it.
    pub fn prepare(self: &Arc<Self>, team_id: i64) {
        let rosters = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = rosters.current(team_id, Kind::Identities).await {
                tracing::warn!(%error, "the list of identities could not be built");
            }
        });
    }

    /// Runs `ask` over a list of a team as it is now, on a thread where it may take its time.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ask<R: Send + 'static>(
        self: &Arc<Self>,
        team_id: i64,
        kind: Kind,
        ask: impl FnOnce(&Table) -> R + Send + 'static,
    ) -> Result<R> {
        let roster = self.current(team_id, kind).await?;
        let asked = tokio::task::spawn_blocking(move || roster.table.as_ref().map(ask)).await;
        asked.ok().flatten().ok_or_else(stopping)
    }

    /// The list, with every change that was committed before this call. Once begun it goes on, though whoever asked goes
    /// away: what was read of the change log must be in the list.
    async fn current(self: &Arc<Self>, team_id: i64, kind: Kind) -> Result<OwnedMutexGuard<Roster>> {
        let mut roster = self.get(team_id, kind).lock_owned().await;
        roster.used_at = self.clock.now();
        let rosters = Arc::clone(self);
        let brought_up_to_date = tokio::spawn(async move {
            let is_current = match roster.table.as_ref() {
                Some(table) if !table.is_worn() => rosters.refresh(&mut roster, team_id, kind).await?,
                _ => false,
            };
            if !is_current {
                rosters.build(&mut roster, team_id, kind).await?;
            }
            Ok(roster)
        });
        brought_up_to_date.await.map_err(|_| stopping())?
    }

    async fn build(&self, roster: &mut Roster, team_id: i64, kind: Kind) -> Result<()> {
        *roster = Roster { used_at: roster.used_at, ..Roster::default() };
        // Changes from here on may be in what is read, or not: they are looked at again.
        roster.changes = Tail::at(self.store.read(changes::last).await?);
        let chunk = |after| self.store.read(move |tx| rosters::after(tx, kind, team_id, after, CHUNK_ROWS));
        let (mut table, mut read) = (Table::default(), chunk(0).await?);
        while let Some(last) = read.last().map(|entry| entry.id) {
            // The next are read while these are put in, and not by the thread that answers.
            let (put, next) = tokio::join!(put(table, read), chunk(last));
            (table, read) = (put?, next?);
        }
        roster.table = Some(table);
        self.refresh(roster, team_id, kind).await?;
        Ok(())
    }

    /// Takes over what has changed; `false` when the change log does not go back far enough.
    async fn refresh(&self, roster: &mut Roster, team_id: i64, kind: Kind) -> Result<bool> {
        let now = self.clock.now();
        loop {
            let (seen, gaps) = (roster.changes.seen, roster.changes.gaps());
            let (gone, new) = self
                .store
                .read(move |tx| {
                    let mut new = changes::with_ids(tx, &gaps)?;
                    new.extend(changes::after(tx, seen, CHANGES_MAX)?);
                    Ok((changes::gone(tx)?, new))
                })
                .await?;
            if gone > seen {
                return Ok(false);
            }
            let is_all = new.len() < CHANGES_MAX as usize;
            roster.changes.note(new.iter().map(|(id, _)| *id), now);
            if roster.changes.gaps().len() > GAPS_MAX {
                return Ok(false);
            }
            let touched: BTreeSet<_> =
                new.iter().flat_map(|(_, change)| change.of(kind).iter().copied()).collect();
            self.take_over(roster, team_id, kind, touched.into_iter().collect()).await?;
            if is_all {
                return Ok(true);
            }
        }
    }

    /// Reads entries again.
    async fn take_over(&self, roster: &mut Roster, team_id: i64, kind: Kind, ids: Vec<i64>) -> Result<()> {
        // Where this fails, the list is built again.
        let Some(mut table) = roster.table.take() else { return Ok(()) };
        for chunk in ids.chunks(CHUNK_ROWS as usize) {
            let wanted = chunk.to_vec();
            let entries = self.store.read(move |tx| rosters::with_ids(tx, kind, team_id, &wanted)).await?;
            let present: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
            chunk.iter().filter(|id| !present.contains(id)).for_each(|id| table.remove(*id));
            table = put(table, entries).await?;
        }
        roster.table = Some(table);
        Ok(())
    }
}

/// Puts entries into a table, on a thread where that may take its time.
async fn put(mut table: Table, entries: Vec<Entry>) -> Result<Table> {
    let full = || StoreError::Broken("the texts of a list in memory are more than 4 GiB".into());
    let put = move || entries.iter().all(|entry| table.put(entry)).then_some(table).ok_or_else(full);
    tokio::task::spawn_blocking(put).await.map_err(|_| stopping())?
}

fn stopping() -> StoreError {
    StoreError::Unavailable("the server is stopping".into())
}
