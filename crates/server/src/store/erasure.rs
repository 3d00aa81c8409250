//! Removing all that is kept of a person, a bounded number of rows at a time.

use dregs_core::rules::Standing;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::links::HashedKey;
use super::sql::with_shards;
use super::versions::{self, Kept};
use super::{Result, StoreError, Tx, badges, deliveries, devices, events};
use crate::values;

/// Removes an identity, so that nobody finds it from now on; its number stays.
pub fn begin(tx: &mut Tx, team_id: i64, identity_id: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "insert into deleted_identities (shard, id, team_id, deleted_at, finished) values ($4, $1, $2, $3, 0)
         on conflict do nothing",
        &values![identity_id, team_id, now, shard::of(identity_id)],
    )?;
    // Of the shards of the groups.
    tx.execute("delete from group_members where identity_id = $1", &values![identity_id])?;
    let key = values![identity_id, shard::of(identity_id)];
    const OF_IDENTITY: [&str; 7] = [
        "escalations",
        "escalation_history",
        "escalation_mentions",
        "bulk_change_items",
        "reviews",
        "labels",
        "notifications",
    ];
    for table in OF_IDENTITY {
        tx.execute(&format!("delete from {table} where shard = $2 and identity_id = $1"), &key)?;
    }
    tx.execute("delete from draws where identity_id = $1", &values![identity_id])?;
    let sql = "select standing from identities where shard = $2 and id = $1";
    let standing = tx.find(sql, &key, |row| row.get::<Option<String>>(0))?.flatten();
    let standing = Standing::decode(standing.as_deref());
    let badges = standing.map_err(|error| StoreError::Broken(error.to_string()))?.badges;
    let carried: Vec<_> = badges.into_iter().map(|badge| (team_id, badge.slug, identity_id)).collect();
    badges::change(tx, &[], &carried)?;
    tx.execute("delete from identities where shard = $2 and id = $1", &key)?;
    Ok(())
}

/// The identities of which something is left: (team, id).
pub fn unfinished(tx: &mut Tx) -> Result<Vec<(i64, i64)>> {
    tx.query("select team_id, id from deleted_identities where finished = 0", &[], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Notes that nothing is left.
pub fn finish(tx: &mut Tx, identity_id: i64) -> Result<()> {
    tx.execute(
        "update deleted_identities set finished = 1 where shard = $2 and id = $1",
        &values![identity_id, shard::of(identity_id)],
    )?;
    Ok(())
}

/// What rows fill of the pages that nothing uses, in one transaction.
const OVERWRITTEN_BYTES: i64 = 1024 * 1024;

/// A row whose record takes the least there is in its leaf, and one whole page beside it, less 3 for the head of the
/// record. See "B-tree Cell Format" in the description of SQLite's file format.
const fn overwriting_row_bytes(page_bytes: i64) -> i64 {
    (page_bytes - 12) * 32 / 255 - 23 + page_bytes - 4 - 3
}

/// Overwrites pages of the SQLite file that nothing uses any more, in which rows of before may still be read;
/// `false` when none is left. What PostgreSQL leaves behind, its vacuum removes.
pub fn overwrite_some(tx: &mut Tx) -> Result<bool> {
    if tx.dialect("", "postgres") == "postgres" {
        return Ok(false);
    }
    if tx.get("pragma freelist_count", &[], |row| row.get::<i64>(0))? == 0 {
        tx.batch("drop table if exists unused_pages")?;
        return Ok(false);
    }
    let page_bytes = tx.get("pragma page_size", &[], |row| row.get::<i64>(0))?;
    let (rows, row_bytes) = (OVERWRITTEN_BYTES / page_bytes, overwriting_row_bytes(page_bytes));
    tx.batch(&format!(
        "create table if not exists unused_pages (content blob);
         insert into unused_pages with recursive n (i) as (select 1 union all select i + 1 from n
           where i < {rows}) select zeroblob({row_bytes}) from n"
    ))?;
    Ok(true)
}

/// Whether an identity was deleted.
pub fn is_deleted(tx: &mut Tx, identity_id: i64) -> Result<bool> {
    let sql = "select id from deleted_identities where shard = $2 and id = $1";
    Ok(tx.find(sql, &values![identity_id, shard::of(identity_id)], |row| row.get::<i64>(0))?.is_some())
}

/// Removes up to `limit` deliveries, attempts included, and analyses; the answer is how many.
pub fn remove_told(tx: &mut Tx, identity_id: i64, limit: i64) -> Result<u64> {
    let key = values![identity_id, limit, shard::of(identity_id)];
    let ids = tx.query(
        "select id from deliveries where shard = $3 and identity_id = $1 order by id limit $2",
        &key,
        |row| row.get(0),
    )?;
    let deliveries = deliveries::delete(tx, &ids)?;
    let analyses = tx.execute(
        "delete from analyses where shard = $3 and id in
           (select id from analyses where shard = $3 and identity_id = $1 order by sequence limit $2)",
        &key,
    )?;
    Ok(deliveries + analyses)
}

/// Up to `limit` events of an identity, with their row ids.
pub fn events(tx: &mut Tx, identity_id: i64, limit: i64) -> Result<Vec<(i64, dregs_core::event::Event)>> {
    events::of_identity(tx, identity_id, 0, limit)
}

/// Removes events, and takes them out of the lists of groups: (list, time, event).
pub fn remove_events(tx: &mut Tx, ids: &[i64], listed: &[(i64, Timestamp, i64)]) -> Result<()> {
    let rows: Vec<_> = listed.iter().map(|(list, at, id)| values![shard::of(*id), *list, *at, *id]).collect();
    tx.execute_rows(
        "with v (shard, list, at, id) as (values {rows})
         delete from event_groups where (group_id, timestamp, event_id, shard) in
           (select list, at, id, v.shard from v)",
        &rows,
    )?;
    tx.execute_rows(
        "with v (shard, id) as (values {rows})
         delete from events where (id, shard) in (select id, v.shard from v)",
        &with_shards(ids),
    )?;
    Ok(())
}
/// Removes a device that nobody but the identity has used; what is kept of it is its keyed hash.
pub fn remove_device(
    tx: &mut Tx,
    key: HashedKey,
    fingerprint: &str,
    identity_id: i64,
) -> Result<Option<i64>> {
    let Some(device) = devices::find(tx, key.team_id, fingerprint)? else { return Ok(None) };
    let of_others = tx.find(
        "select identity_id from identity_keys where shard = $1 and team_id = $2 and kind = $3 and hash = $4
           and identity_id <> $5 limit 1",
        &values![shard::of(key.hash), key.team_id, key.kind, key.hash, identity_id],
        |row| row.get::<i64>(0),
    )?;
    let of_nobody = tx.find(
        "select id from events where device_id = $1 and identity_id is null limit 1",
        &values![device.id],
        |row| row.get::<i64>(0),
    )?;
    if of_others.or(of_nobody).is_some() {
        return Ok(None);
    }
    tx.execute(
        "delete from devices where shard = $2 and id = $1",
        &values![device.id, shard::of(device.id)],
    )?;
    if device.disregarded {
        versions::grow(tx, Kept::Devices)?;
    }
    Ok(Some(device.id))
}
