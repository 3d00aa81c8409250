//! What counters have counted, by the keyed hash of what they count by.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::{Result, StoreError, Tx};
use crate::values;

/// Whose, and which: a team, and a keyed hash.
pub type Key = (i64, i64);

/// A state as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub key: Key,
    /// Grows with every write; 0 for one that is not stored yet.
    pub version: i64,
    pub expires_at: Timestamp,
    pub state: Vec<u8>,
}

/// The states of these keys; those without one are absent.
pub fn load(tx: &mut Tx, keys: &[Key]) -> Result<Vec<Stored>> {
    read(tx, keys, "")
}

/// The same, to be written: others who want to wait until the transaction ends.
pub fn load_to_write(tx: &mut Tx, keys: &[Key]) -> Result<Vec<Stored>> {
    let locked = tx.dialect("", " for update of s").to_owned();
    read(tx, keys, &locked)
}

fn read(tx: &mut Tx, keys: &[Key], locked: &str) -> Result<Vec<Stored>> {
    let rows: Vec<_> = keys.iter().map(|(team, hash)| values![shard::of(*hash), *team, *hash]).collect();
    tx.query_rows(
        &format!(
            "with v (shard, team_id, hash) as (values {{rows}})
             select s.team_id, s.hash, s.version, s.expires_at, s.state
             from v join counter_states s on s.team_id = v.team_id and s.hash = v.hash and s.shard = v.shard{locked}"
        ),
        &rows,
        |row| {
            let key = (row.get(0)?, row.get(1)?);
            Ok(Stored { key, version: row.get(2)?, expires_at: row.time(3)?, state: row.get(4)? })
        },
    )
}

/// Writes states over those of the versions that were read, each key once.
///
/// # Errors
/// [`StoreError::Retry`] when another transaction has written one of them meanwhile.
pub fn save(tx: &mut Tx, states: &[Stored]) -> Result<()> {
    let rows: Vec<_> = states
        .iter()
        .map(|stored| {
            let (team, hash) = stored.key;
            values![shard::of(hash), team, hash, stored.version + 1, stored.expires_at, &stored.state]
        })
        .collect();
    let written = tx.execute_rows(
        "insert into counter_states (shard, team_id, hash, version, expires_at, state) values {rows}
         on conflict (team_id, hash, shard) do update set version = excluded.version,
           expires_at = excluded.expires_at, state = excluded.state
         where counter_states.version = excluded.version - 1",
        &rows,
    )?;
    if written == states.len() as u64 { Ok(()) } else { Err(StoreError::Retry) }
}

/// Removes states; the answer is how many there were.
pub fn remove(tx: &mut Tx, keys: &[Key]) -> Result<u64> {
    let rows: Vec<_> = keys.iter().map(|(team, hash)| values![shard::of(*hash), *team, *hash]).collect();
    tx.execute_rows(
        "with v (shard, team_id, hash) as (values {rows})
         delete from counter_states where (team_id, hash, shard) in (select team_id, hash, v.shard from v)",
        &rows,
    )
}

/// Removes those of these states of which nothing is in a window any more; the answer is how many.
pub fn remove_expired(tx: &mut Tx, keys: &[Key], now: Timestamp) -> Result<u64> {
    let rows: Vec<_> = keys.iter().map(|(team, hash)| values![shard::of(*hash), *team, *hash, now]).collect();
    tx.execute_rows(
        "with v (shard, team_id, hash, now) as (values {rows})
         delete from counter_states where (team_id, hash, shard) in (select team_id, hash, v.shard from v)
           and expires_at <= (select min(now) from v)",
        &rows,
    )
}

/// Up to `limit` states of all teams after a key, in order, each with when it expires.
pub fn after(tx: &mut Tx, after: Key, limit: i64) -> Result<Vec<(Key, Timestamp)>> {
    tx.query(
        "select team_id, hash, expires_at from counter_states where (team_id, hash) > ($1, $2)
         order by team_id, hash limit $3",
        &values![after.0, after.1, limit],
        |row| Ok(((row.get(0)?, row.get(1)?), row.time(2)?)),
    )
}

/// Up to `limit` keys of a team.
pub fn of_team(tx: &mut Tx, team_id: i64, limit: i64) -> Result<Vec<Key>> {
    tx.query(
        "select hash from counter_states where team_id = $1 order by hash limit $2",
        &values![team_id, limit],
        |row| Ok((team_id, row.get(0)?)),
    )
}
