//! Identities marked as changed, so that they are scored again.
//!
//! A transaction that stores events holds its own identities, and marks others who share something with them. Two that held
//! what the other wants would wait for each other until the database ends one of them, after a second. So everybody locks
//! identities in the order of their ids, once; and whoever holds some already waits for no other.

use std::collections::BTreeSet;

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::{Result, Tx, Value};
use crate::values;

/// Marks identities as changed, so that they are scored again from `now` on, though not within
/// `min_cycle_ms` of their last cycle. Those that wait for a cycle already keep their place.
pub fn mark_dirty(tx: &mut Tx, ids: &[i64], now: Timestamp, min_cycle_ms: i64) -> Result<()> {
    tx.execute_rows(
        &format!("with v (shard, id, now, scored_by, min_cycle) as (values {{rows}}) {MARK}"),
        &marks(ids, now, min_cycle_ms),
    )?;
    Ok(())
}

/// The same, for a transaction that holds other identities: it waits for nobody. Whoever is held by another transaction is
/// marked by [`mark_later`].
pub fn mark_free(tx: &mut Tx, ids: &[i64], now: Timestamp, min_cycle_ms: i64) -> Result<()> {
    // SQLite has one writer, and a cluster locks in one place after the other.
    if tx.dialect("", "has several").is_empty() || tx.is_spread() {
        return mark_dirty(tx, ids, now, min_cycle_ms);
    }
    let sql = format!(
        "with given (shard, id, now, scored_by, min_cycle) as (values {{rows}}),
           v as materialized (select given.* from given join identities i on i.shard = given.shard and i.id = given.id
             order by i.id for no key update of i skip locked)
         {MARK} returning identities.id"
    );
    let marked = tx.query_rows(&sql, &marks(ids, now, min_cycle_ms), |row| row.get::<i64>(0))?;
    let held: Vec<_> = ids.iter().filter(|id| !marked.contains(id)).map(|id| values![*id]).collect();
    tx.execute_rows("insert into due_marks (identity_id) values {rows}", &held)?;
    Ok(())
}

/// Has others who want to write these identities wait until the transaction ends: in the order of their ids, as everybody
/// locks them.
pub fn hold(tx: &mut Tx, ids: &[i64]) -> Result<()> {
    let ids: BTreeSet<_> = ids.iter().copied().collect();
    let ids: Vec<_> = ids.into_iter().map(|id| values![shard::of(id), id]).collect();
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select i.id from v join identities i on i.shard = v.shard and i.id = v.id order by i.id{}",
        tx.dialect("", " for no key update of i")
    );
    tx.query_rows(&sql, &ids, |_| Ok(())).map(drop)
}

/// Marks up to `limit` of those whom [`mark_free`] has passed over; the answer is how many, the deleted among them.
pub fn mark_later(tx: &mut Tx, now: Timestamp, min_cycle_ms: i64, limit: i64) -> Result<usize> {
    let sql = format!(
        "delete from due_marks where id in (select id from due_marks order by id limit $1{}) returning identity_id",
        tx.skip_locked()
    );
    let ids = tx.query(&sql, &values![limit], |row| row.get::<i64>(0))?;
    mark_dirty(tx, &ids, now, min_cycle_ms)?;
    Ok(ids.len())
}

const MARK: &str = "update identities set version = version + 1, evaluate_at = coalesce(evaluate_at,
           case when last_scored_at > v.scored_by and last_scored_at <= v.now then last_scored_at + v.min_cycle
             else v.now end)
         from v where identities.shard = v.shard and identities.id = v.id";

/// Whom to mark, each once, in the order in which everybody locks.
fn marks(ids: &[i64], now: Timestamp, min_cycle_ms: i64) -> Vec<[Value<'static>; 5]> {
    let scored_by = now.plus_millis(-min_cycle_ms);
    let ids: BTreeSet<_> = ids.iter().copied().collect();
    ids.into_iter().map(|id| values![shard::of(id), id, now, scored_by, min_cycle_ms]).collect()
}
