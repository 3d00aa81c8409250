//! What teams count of their events.

use dregs_core::counter::{Counter, Function};
use dregs_core::fact::Fact;
use dregs_core::time::Timestamp;

use super::sql::with_shards;
use super::{Result, Row, StoreError, Tx};
use crate::values;

/// A counter of a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub team_id: i64,
    pub counter: Counter,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

const COLUMNS: &str =
    "id, team_id, revision, slug, name, function, fact, per, conditions, window_seconds, counts_from,
    ready, created_at, updated_at";

fn read(row: &Row) -> Result<Kept> {
    let fact = |name: String| Fact::try_from(name).map_err(StoreError::Broken);
    let function: String = row.get(5)?;
    let of = row.get::<Option<String>>(6)?.map(fact).transpose()?;
    let counter = Counter {
        id: row.get(0)?,
        revision: row.get(2)?,
        slug: row.get(3)?,
        name: row.get(4)?,
        function: Function::parse(&function, of)
            .ok_or_else(|| StoreError::Broken(format!("{function} is no function of a counter")))?,
        per: fact(row.get(7)?)?,
        conditions: serde_json::from_str(&row.get::<String>(8)?)
            .map_err(|error| StoreError::Broken(error.to_string()))?,
        window_seconds: u64::try_from(row.get::<i64>(9)?).unwrap_or(0),
        counts_from: row.time(10)?,
        is_ready: row.flag(11)?,
    };
    Ok(Kept { team_id: row.get(1)?, counter, created_at: row.time(12)?, updated_at: row.time(13)? })
}

/// Every counter of every team, in order.
pub fn all(tx: &mut Tx) -> Result<Vec<Kept>> {
    tx.query(&format!("select {COLUMNS} from counters order by id"), &[], read)
}

/// The team's counter with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Kept>> {
    let sql = format!("select {COLUMNS} from counters where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// Stores a counter; the answer is its id, whatever `kept` says. Its past is still to be built.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has one with this slug.
pub fn insert(tx: &mut Tx, kept: &Kept) -> Result<i64> {
    let Counter { slug, name, function, per, conditions, window_seconds, counts_from, .. } = &kept.counter;
    let of = function.of().map(ToString::to_string);
    let found = tx.find(
        "insert into counters (team_id, revision, slug, name, function, fact, per, conditions, window_seconds,
           counts_from, ready, created_at, updated_at)
         values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11) on conflict do nothing returning id",
        &values![
            kept.team_id,
            slug,
            name,
            function.name(),
            of.as_deref(),
            &per.to_string(),
            &json(conditions)?,
            i64::try_from(*window_seconds).unwrap_or(i64::MAX),
            *counts_from,
            kept.created_at,
            kept.updated_at,
        ],
        |row| row.get(0),
    )?;
    found.ok_or(StoreError::Conflict)
}

/// Gives a counter another name, and nothing else.
pub fn rename(tx: &mut Tx, id: i64, name: &str, now: Timestamp) -> Result<()> {
    tx.execute("update counters set name = $2, updated_at = $3 where id = $1", &values![id, name, now])?;
    Ok(())
}

/// Changes what a counter counts, by which it has another revision; its slug stays. Its past is still to be built.
pub fn update(tx: &mut Tx, kept: &Kept) -> Result<()> {
    let Counter { id, name, function, per, conditions, window_seconds, counts_from, .. } = &kept.counter;
    let of = function.of().map(ToString::to_string);
    tx.execute(
        "update counters set revision = revision + 1, name = $2, function = $3, fact = $4, per = $5, conditions = $6,
           window_seconds = $7, counts_from = $8, ready = 0, updated_at = $9
         where id = $1",
        &values![
            *id,
            name,
            function.name(),
            of.as_deref(),
            &per.to_string(),
            &json(conditions)?,
            i64::try_from(*window_seconds).unwrap_or(i64::MAX),
            *counts_from,
            kept.updated_at,
        ],
    )?;
    Ok(())
}

/// Notes that the past of a counter has been built; of one that has changed since, nothing.
pub fn set_ready(tx: &mut Tx, id: i64, revision: i64) -> Result<()> {
    tx.execute("update counters set ready = 1 where id = $1 and revision = $2", &values![id, revision])?;
    Ok(())
}

pub fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("delete from counters where id = $1", &values![id])?;
    Ok(())
}

/// An identity whose past is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    pub id: i64,
    pub external_id: String,
    pub state: Vec<u8>,
    pub data: String,
}

/// Up to `limit` identities of a team after the row `after`, in order; the disregarded are left out.
pub fn walk(tx: &mut Tx, team_id: i64, after: i64, limit: i64) -> Result<Vec<Walked>> {
    tx.query(
        "select id, external_id, state, data from identities
         where id > $1 and team_id = $2 and disregarded = 0 order by id limit $3",
        &values![after, team_id, limit],
        read_walked,
    )
}

/// The same of these rows, in any order; those that are gone are left out as well.
pub fn walk_among(tx: &mut Tx, row_ids: &[i64]) -> Result<Vec<Walked>> {
    tx.query_rows(
        "with v (shard, id) as (values {rows})
         select i.id, i.external_id, i.state, i.data from v
           join identities i on i.shard = v.shard and i.id = v.id where i.disregarded = 0",
        &with_shards(row_ids),
        read_walked,
    )
}

fn read_walked(row: &Row) -> Result<Walked> {
    Ok(Walked { id: row.get(0)?, external_id: row.get(1)?, state: row.get(2)?, data: row.get(3)? })
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Broken(error.to_string()))
}
