//! How many rows would go at once if a team's periods were others.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::time::Timestamp;

use super::{Periods, Walk, needed, page};
use crate::ops::long_reads::LongReads;
use crate::store::Result;
use crate::store::retention::{self, Kind};

/// Rows of a kind that are counted.
pub const COUNTED_MAX: u64 = 100_000;
/// Rows, of all teams, that are looked at to count those of one. It takes a second or so.
const LOOKED_AT_MAX: u64 = 500_000;

/// How many rows would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub rows: u64,
    /// Whether there may be more.
    pub is_cut: bool,
}

/// Counts what has been kept longer than `periods` say.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    team_id: i64,
    periods: &Periods,
    now: Timestamp,
) -> Result<BTreeMap<Kind, Count>> {
    let mut counts = BTreeMap::new();
    for kind in Kind::ALL {
        let Some(cutoff) = periods.cutoff(kind, now) else { continue };
        let walk = match kind {
            Kind::Events => Some(Walk::Events),
            Kind::Analyses => Some(Walk::Analyses),
            Kind::AuditLog => Some(Walk::AuditLog),
            Kind::Deliveries => None,
        };
        let count = match walk {
            Some(walk) => walked(long_reads, team_id, walk, cutoff).await?,
            None => finished(long_reads, team_id, cutoff).await?,
        };
        counts.insert(kind, count);
    }
    Ok(counts)
}

async fn finished(long_reads: &LongReads, team_id: i64, cutoff: Timestamp) -> Result<Count> {
    let limit = COUNTED_MAX as i64 + 1;
    let found = long_reads.read(move |tx| retention::count_finished(tx, team_id, cutoff, limit)).await?;
    let found = u64::try_from(found).unwrap_or_default();
    Ok(Count { rows: found.min(COUNTED_MAX), is_cut: found > COUNTED_MAX })
}

async fn walked(long_reads: &LongReads, team_id: i64, walk: Walk, cutoff: Timestamp) -> Result<Count> {
    let teams = BTreeSet::from([team_id]);
    let of_team = teams.clone();
    let needed = match walk {
        Walk::Analyses => long_reads.read(move |tx| needed(tx, &of_team)).await?,
        _ => BTreeSet::new(),
    };
    let (mut rows, mut looked_at, mut after) = (0, 0, 0);
    while rows < COUNTED_MAX && looked_at < LOOKED_AT_MAX {
        let of_team = teams.clone();
        let page = long_reads.read(move |tx| page(tx, walk, &of_team, cutoff, after)).await?;
        let goes = |id: Option<i64>| id.is_none_or(|id| !needed.contains(&id));
        rows += page.old.iter().filter(|old| goes(old.identity_id)).count() as u64;
        if page.is_last {
            return Ok(Count { rows: rows.min(COUNTED_MAX), is_cut: rows > COUNTED_MAX });
        }
        looked_at += super::forget::PAGE_ROWS as u64;
        after = page.after;
    }
    Ok(Count { rows: rows.min(COUNTED_MAX), is_cut: true })
}
