//! Tables that are spread over machines. SQLite and a PostgreSQL of its own hold all shards, and nothing here concerns
//! them.

use super::{Result, StoreError, Tx, Value};

/// What carries a shard, the first of them first: the others lie beside its rows.
pub const TABLES: [&str; 21] = [
    "identities",
    "identity_keys",
    "groups",
    "group_members",
    "devices",
    "events",
    "event_groups",
    "folded_events",
    "analyses",
    "badges",
    "escalations",
    "escalation_history",
    "escalation_mentions",
    "bulk_change_items",
    "reviews",
    "labels",
    "notifications",
    "deliveries",
    "attempts",
    "deleted_identities",
    "counter_states",
];

/// Spreads the tables over the nodes of a Citus cluster, whose coordinator this is; the answer is whether they were not
/// spread before. What a team sets up stays on the coordinator. Servers must not run meanwhile.
///
/// # Errors
/// [`StoreError::Refused`] where this is no Citus.
pub fn over_citus(tx: &mut Tx) -> Result<bool> {
    if tx.is_spread() {
        keep_spread(tx)?;
        return Ok(false);
    }
    let extension = "select extversion from pg_extension where extname = 'citus'";
    if tx.find(extension, &[], |row| row.get::<String>(0))?.is_none() {
        let hint =
            "it is no Citus: `create extension citus` on a PostgreSQL that has it, and add its workers";
        return Err(StoreError::Refused(hint.into()));
    }
    // A unique key of a table that is spread has the shard in it.
    tx.batch(
        "drop index events_external_id;
         create unique index events_external_id on events (team_id, external_id, shard)",
    )?;
    tx.batch("select create_distributed_table('identities', 'shard')")?;
    keep_spread(tx)?;
    Ok(true)
}

/// Spreads the tables that a migration has added to those that are spread.
///
/// # Errors
/// Those of the store.
pub fn keep_spread(tx: &mut Tx) -> Result<()> {
    let spread =
        tx.query("select logicalrelid::text from pg_dist_partition", &[], |row| row.get::<String>(0))?;
    for table in TABLES.iter().filter(|table| !spread.iter().any(|name| name == *table)) {
        let beside = "colocate_with => 'identities'";
        tx.batch(&format!("select create_distributed_table('{table}', 'shard', {beside})"))?;
    }
    Ok(())
}

/// Rows of a table that are looked for, and by which column those that come first are found.
pub struct Rows {
    pub table: &'static str,
    pub condition: String,
    pub order: &'static str,
}

/// Takes up to `limit` rows. Rows can be locked and changed at once where all are in one place; where the tables are
/// spread, in one shard after the other, that of the first row first. `take` is given the shard to keep to, if any, and
/// how many rows are wanted.
pub fn take<T>(
    tx: &mut Tx,
    rows: &Rows,
    values: &[Value],
    limit: i64,
    mut take: impl FnMut(&mut Tx, Option<i64>, i64) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    if !tx.is_spread() {
        return take(tx, None, limit);
    }
    let Rows { table, condition, order } = rows;
    let sql =
        format!("select shard from {table} where {condition} group by shard order by min({order}), shard");
    let mut taken = Vec::new();
    for shard in tx.query(&sql, values, |row| row.get::<i64>(0))? {
        let left = limit.saturating_sub(i64::try_from(taken.len()).unwrap_or(limit));
        if left == 0 {
            break;
        }
        taken.extend(take(tx, Some(shard), left)?);
    }
    Ok(taken)
}

/// The end of a condition that keeps a statement to `shard`, if there is one: its parameter `$index`.
pub fn within(shard: Option<i64>, index: usize) -> String {
    shard.map(|_| format!(" and shard = ${index}")).unwrap_or_default()
}

/// Parameters, and `shard` if there is one.
pub fn with_shard<'v, const N: usize>(values: [Value<'v>; N], shard: Option<i64>) -> Vec<Value<'v>> {
    values.into_iter().chain(shard.map(Value::from)).collect()
}
