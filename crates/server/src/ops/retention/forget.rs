//! What has been kept long enough, a page at a time; and how it goes, with all that hangs on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dregs_core::event::Event;
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;

use crate::ops::identities::erasure::{group_types, lists};
use crate::ops::ingest::names::Names;
use crate::ops::ingest::refold;
use crate::store::retention::{self, Folded, Forgotten, Kind, Old};
use crate::store::{Result, Tx, erasure};

/// Rows looked at in one transaction that only reads.
pub const PAGE_ROWS: i64 = 2_000;

/// Tables whose rows are made in the order of their numbers, so that the old ones are found without an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Walk {
    Analyses,
    Notifications,
    Events,
    AuditLog,
}

impl Walk {
    /// After deliveries, which tell of analyses and notifications.
    pub const ALL: [Self; 4] = [Self::Analyses, Self::Notifications, Self::Events, Self::AuditLog];

    pub const fn kind(self) -> Kind {
        match self {
            Self::Analyses => Kind::Analyses,
            Self::Notifications => Kind::Deliveries,
            Self::Events => Kind::Events,
            Self::AuditLog => Kind::AuditLog,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Analyses => "analyses",
            Self::Notifications => "notifications",
            Self::Events => "events",
            Self::AuditLog => "audit_log",
        }
    }

    fn rows(self, tx: &mut Tx, after: i64, cutoff: Timestamp) -> Result<Vec<Old>> {
        match self {
            Self::Analyses => retention::analyses_after(tx, after, PAGE_ROWS, cutoff),
            Self::Notifications => retention::notifications_after(tx, after, PAGE_ROWS, cutoff),
            Self::Events => retention::events_after(tx, after, PAGE_ROWS),
            Self::AuditLog => retention::entries_after(tx, after, PAGE_ROWS),
        }
    }
}

/// Some of what has been kept long enough.
#[derive(Debug, Default)]
pub struct Page {
    pub old: Vec<Old>,
    /// The last row looked at.
    pub after: i64,
    pub is_last: bool,
}

/// Rows of these teams after the row `after` that were made before `cutoff`, in order, up to the first row of anybody
/// that was not: so what goes of a team is always what came first.
///
/// # Errors
/// Those of the store.
pub fn page(tx: &mut Tx, walk: Walk, teams: &BTreeSet<i64>, cutoff: Timestamp, after: i64) -> Result<Page> {
    let rows = walk.rows(tx, after, cutoff)?;
    let mut page = Page { after, is_last: (rows.len() as i64) < PAGE_ROWS, ..Page::default() };
    for row in rows {
        if row.at >= cutoff {
            page.is_last = true;
            break;
        }
        page.after = row.id;
        if teams.contains(&row.team_id) && !row.is_needed {
            page.old.push(row);
        }
    }
    Ok(page)
}

/// Identities of these teams whose analyses all stay, since a message is on its way that says why.
///
/// # Errors
/// Those of the store.
pub fn needed(tx: &mut Tx, teams: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
    let mut needed = BTreeSet::new();
    for team_id in teams {
        needed.extend(retention::told_of_soon(tx, *team_id)?);
    }
    Ok(needed)
}

/// Rows about to be removed.
#[derive(Clone)]
pub struct Batch {
    walk: Walk,
    rows: Vec<Old>,
    /// The numbers of the types of groups, by team.
    types: BTreeMap<i64, BTreeMap<String, i64>>,
}

impl Batch {
    pub fn new(names: &Names, walk: Walk, rows: &[Old]) -> Self {
        let teams: BTreeSet<_> = rows.iter().map(|row| row.team_id).collect();
        let types = teams.into_iter().map(|team_id| (team_id, group_types(names, team_id))).collect();
        Self { walk, rows: rows.to_vec(), types }
    }
}

/// Removes a batch with all that hangs on it; the answer is how many rows of the walk that were.
///
/// # Errors
/// Those of the store.
pub fn remove(tx: &mut Tx, batch: &Batch) -> Result<u64> {
    let mut until: BTreeMap<i64, Timestamp> = BTreeMap::new();
    for row in &batch.rows {
        let last = until.entry(row.team_id).or_insert(row.at);
        *last = row.at.max(*last);
    }
    if batch.walk != Walk::Notifications {
        retention::forget_until(tx, batch.walk.kind(), &until.into_iter().collect::<Vec<_>>())?;
    }
    let ids: Vec<_> = batch.rows.iter().map(|row| row.id).collect();
    match batch.walk {
        Walk::Analyses => retention::remove_analyses(tx, &ids),
        Walk::Notifications => retention::remove_notifications(tx, &ids),
        Walk::AuditLog => retention::remove_entries(tx, &ids),
        Walk::Events => remove_events(tx, &ids, &batch.types),
    }
}

/// What events told is folded before they go. Those of an identity that is being erased are left to the erasure, which
/// finds by them what else to remove.
fn remove_events(tx: &mut Tx, ids: &[i64], types: &BTreeMap<i64, BTreeMap<String, i64>>) -> Result<u64> {
    let mut events = retention::events(tx, ids)?;
    let identities: BTreeSet<_> = events.iter().filter_map(|event| event.identity_id).collect();
    let folded = retention::hold_folded(tx, &identities.into_iter().collect::<Vec<_>>())?;
    let mut folded: HashMap<_, _> = folded.into_iter().collect();
    events.retain(|event| event.identity_id.is_none_or(|id| folded.contains_key(&id)));
    retention::put_folded(tx, &fold(&events, &mut folded))?;
    let mut listed = Vec::new();
    let mut of_teams: BTreeMap<i64, Vec<(i64, &Event)>> = BTreeMap::new();
    for Forgotten { id, team_id, event, .. } in &events {
        of_teams.entry(*team_id).or_default().push((*id, event));
    }
    let none = BTreeMap::new();
    for (team_id, events) in of_teams {
        listed.extend(lists(tx, types.get(&team_id).unwrap_or(&none), team_id, events.into_iter())?);
    }
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    erasure::remove_events(tx, &ids, &listed)?;
    Ok(ids.len() as u64)
}

/// Folds events into what is folded of their identities already.
fn fold(events: &[Forgotten], folded: &mut HashMap<i64, Folded>) -> Vec<(i64, Folded)> {
    let mut states: BTreeMap<i64, (i64, IdentityState)> = BTreeMap::new();
    for Forgotten { id, identity_id, event, .. } in events {
        let Some(identity_id) = *identity_id else { continue };
        let (last, state) = states.entry(identity_id).or_insert_with(|| {
            let before = folded.remove(&identity_id).unwrap_or_default();
            (before.event_id, refold::state_of(identity_id, &before))
        });
        if *id > *last {
            state.fold(event);
            *last = *id;
        }
    }
    let encoded = |(identity_id, (event_id, state)): (i64, (i64, IdentityState))| {
        (identity_id, Folded { event_id, state: state.encode() })
    };
    states.into_iter().map(encoded).collect()
}

/// Removes up to `limit` deliveries of a team that were made before `cutoff` and are not pending, with their attempts;
/// the answer is how many, and when the oldest was made.
///
/// # Errors
/// Those of the store.
pub fn deliveries(
    tx: &mut Tx,
    team_id: i64,
    cutoff: Timestamp,
    limit: i64,
) -> Result<(u64, Option<Timestamp>)> {
    let found = retention::finished(tx, team_id, cutoff, limit)?;
    if let Some(until) = found.iter().map(|(_, at)| *at).max() {
        retention::forget_until(tx, Kind::Deliveries, &[(team_id, until)])?;
    }
    let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
    let removed = crate::store::deliveries::delete(tx, &ids)?;
    Ok((removed, found.iter().map(|(_, at)| *at).min()))
}
