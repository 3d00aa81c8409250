//! The servers that run on this database: who they are, that they live, and what becomes of what a dead one had taken.

use dregs_core::time::Timestamp;

use super::claims::{DELIVERY_LEASE_MS, EVALUATION_LEASE_MS};
use super::{Result, Row, Tx, identities, waiting};
use crate::values;

/// A server that runs on this database, or did a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Never given twice.
    pub id: i64,
    /// Host and port, for people.
    pub name: String,
    /// What it does, separated by commas.
    pub roles: String,
    pub version: String,
    pub started_at: Timestamp,
    /// Grows while it lives.
    pub beat: i64,
    /// When it grew last, by the node's own clock.
    pub seen_at: Timestamp,
}

/// Notes that a server runs; the answer is its id.
pub fn register(tx: &mut Tx, name: &str, roles: &str, version: &str, now: Timestamp) -> Result<i64> {
    tx.get(
        "insert into nodes (name, roles, version, started_at, seen_at) values ($1, $2, $3, $4, $4) returning id",
        &values![name, roles, version, now],
        |row| row.get(0),
    )
}

/// Notes that a server lives; false where it was taken for dead.
pub fn beat(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool> {
    Ok(tx.execute("update nodes set beat = beat + 1, seen_at = $2 where id = $1", &values![id, now])? > 0)
}

/// All that run, in the order in which they started.
pub fn all(tx: &mut Tx) -> Result<Vec<Node>> {
    let sql = "select id, name, roles, version, started_at, beat, seen_at from nodes order by id";
    tx.query(sql, &[], read)
}

/// Removes all: right only where no other process works on this store.
pub fn clear(tx: &mut Tx) -> Result<u64> {
    tx.execute("delete from nodes", &[])
}

/// Removes a server, if its beat is still this one.
pub fn remove(tx: &mut Tx, id: i64, beat: i64) -> Result<bool> {
    Ok(tx.execute("delete from nodes where id = $1 and beat = $2", &values![id, beat])? > 0)
}

/// Makes due now what a server had taken that is gone: its deliveries in these channels, and all identities that are leased,
/// whoever has them: a cycle of one that was scored meanwhile does nothing. The answer is how many of each.
pub fn take_over(tx: &mut Tx, id: i64, channel_ids: &[i64], now: Timestamp) -> Result<(u64, u64)> {
    let leased_until = now.plus_millis(DELIVERY_LEASE_MS);
    let attempts = waiting::end_leases(tx, id, channel_ids, (now, leased_until), now)?;
    let leased_until = now.plus_millis(EVALUATION_LEASE_MS);
    let cycles = identities::end_leases(tx, (now, leased_until), now)?;
    let undecided = "update identities set decide_at = $1 where decide_at > $1 and decide_at <= $2";
    tx.execute(undecided, &values![now, leased_until])?;
    Ok((cycles, attempts))
}

fn read(row: &Row) -> Result<Node> {
    Ok(Node {
        id: row.get(0)?,
        name: row.get(1)?,
        roles: row.get(2)?,
        version: row.get(3)?,
        started_at: row.time(4)?,
        beat: row.get(5)?,
        seen_at: row.time(6)?,
    })
}
