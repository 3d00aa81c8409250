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

use crate::app::App;
use crate::ops::lists::tail::Tail;
use crate::store::rosters::{self, Kind};
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
#[derive(Default)]
pub struct Rosters(std::sync::Mutex<HashMap<(i64, Kind), Shared>>);

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
    fn get(&self, team_id: i64, kind: Kind) -> Shared {
        let mut rosters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rosters.entry((team_id, kind)).or_default())
    }

    /// Drops the lists that nobody asked for lately.
    pub fn drop_unused(&self, now: Timestamp) {
        let mut rosters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rosters.retain(|_, roster| match roster.try_lock() {
            Ok(roster) => now.millis_since(roster.used_at) < UNUSED_MS,
            Err(_) => true,
        });
    }

    /// Bytes of memory, of those that are not in use.
    pub fn size(&self) -> usize {
        let rosters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |roster: &Arc<Mutex<Roster>>| roster.try_lock().ok()?.table.as_ref().map(Table::size);
        rosters.values().filter_map(size).sum()
    }
}

/// Drops lists that nobody asks for, and what the change log has of long ago.
///
/// # Errors
/// Those of the store.
pub async fn prune(rosters: &Rosters, store: &Store, now: Timestamp) -> Result<()> {
    rosters.drop_unused(now);
    metrics::gauge!("dregs_lists_bytes").set(rosters.size() as f64);
    let before = now.plus_millis(-CHANGES_KEPT_MS);
    store.write(move |tx| changes::prune(tx, before, PRUNED_MAX)).await?;
    Ok(())
}

/// Begins to build the list of a team's identities in the background, for somebody who is about to look at it.
pub fn prepare(app: &Arc<App>, team_id: i64) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = current(&app, team_id, Kind::Identities).await {
            tracing::warn!(%error, "the list of identities could not be built");
        }
    });
}

/// Runs `ask` over a list of a team as it is now, on a thread where it may take its time.
///
/// # Errors
/// Those of the store.
pub async fn ask<R: Send + 'static>(
    app: &App,
    team_id: i64,
    kind: Kind,
    ask: impl FnOnce(&Table) -> R + Send + 'static,
) -> Result<R> {
    let roster = current(app, team_id, kind).await?;
    tokio::task::spawn_blocking(move || roster.table.as_ref().map(ask))
        .await
        .ok()
        .flatten()
        .ok_or_else(|| StoreError::Unavailable("the server is stopping".into()))
}

/// The list, with every change that was committed before this call.
async fn current(app: &App, team_id: i64, kind: Kind) -> Result<OwnedMutexGuard<Roster>> {
    let mut roster = app.rosters.get(team_id, kind).lock_owned().await;
    roster.used_at = app.clock.now();
    let is_current = match roster.table.as_ref() {
        Some(table) if !table.is_worn() => refresh(app, &mut roster, team_id, kind).await?,
        _ => false,
    };
    if !is_current {
        build(app, &mut roster, team_id, kind).await?;
    }
    Ok(roster)
}

async fn build(app: &App, roster: &mut Roster, team_id: i64, kind: Kind) -> Result<()> {
    *roster = Roster { used_at: roster.used_at, ..Roster::default() };
    // Changes from here on may be in what is read, or not: they are looked at again.
    roster.changes = Tail::at(app.store.read(changes::last).await?);
    let mut table = Table::default();
    let mut after = 0;
    loop {
        let chunk = app.store.read(move |tx| rosters::after(tx, kind, team_id, after, CHUNK_ROWS)).await?;
        let Some(last) = chunk.last() else { break };
        after = last.id;
        if !chunk.iter().all(|entry| table.put(entry)) {
            return Err(full());
        }
    }
    roster.table = Some(table);
    refresh(app, roster, team_id, kind).await?;
    Ok(())
}

/// Takes over what has changed; `false` when the change log does not go back far enough.
async fn refresh(app: &App, roster: &mut Roster, team_id: i64, kind: Kind) -> Result<bool> {
    let now = app.clock.now();
    loop {
        let (seen, gaps) = (roster.changes.seen, roster.changes.gaps());
        let (gone, new) = app
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
        take_over(app, roster, team_id, kind, touched.into_iter().collect()).await?;
        if is_all {
            return Ok(true);
        }
    }
}

/// Reads entries again.
async fn take_over(app: &App, roster: &mut Roster, team_id: i64, kind: Kind, ids: Vec<i64>) -> Result<()> {
    let Some(table) = roster.table.as_mut() else { return Ok(()) };
    for chunk in ids.chunks(CHUNK_ROWS as usize) {
        let wanted = chunk.to_vec();
        let entries = app.store.read(move |tx| rosters::with_ids(tx, kind, team_id, &wanted)).await?;
        let present: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
        chunk.iter().filter(|id| !present.contains(id)).for_each(|id| table.remove(*id));
        if !entries.iter().all(|entry| table.put(entry)) {
            return Err(full());
        }
    }
    Ok(())
}

fn full() -> StoreError {
    StoreError::Broken("the texts of a list in memory are more than 4 GiB".into())
}
