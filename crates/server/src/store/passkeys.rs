//! Passkeys of people.

use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    /// What changes with use, such as its counter.
    pub state: Vec<u8>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, user_id, name, credential_id, public_key, state, created_at, last_used_at";

/// The passkeys of a person, newest first.
pub fn of_user(tx: &mut Tx, user_id: i64) -> Result<Vec<Passkey>> {
    let sql = format!("select {COLUMNS} from passkeys where user_id = $1 order by id desc");
    tx.query(&sql, &values![user_id], read)
}

pub fn find(tx: &mut Tx, credential_id: &[u8]) -> Result<Option<Passkey>> {
    let sql = format!("select {COLUMNS} from passkeys where credential_id = $1");
    tx.find(&sql, &values![credential_id], read)
}

/// Stores a passkey, whose id is of no account; the answer is the one that it gets.
///
/// # Errors
/// [`super::StoreError::Conflict`] when it is somebody's.
pub fn insert(tx: &mut Tx, new: &Passkey) -> Result<i64> {
    tx.get(
        "insert into passkeys (user_id, name, credential_id, public_key, state, created_at)
         values ($1, $2, $3, $4, $5, $6) returning id",
        &values![
            new.user_id,
            new.name.as_str(),
            &new.credential_id,
            &new.public_key,
            &new.state,
            new.created_at
        ],
        |row| row.get(0),
    )
}

/// Notes that a passkey was used.
pub fn touch(tx: &mut Tx, id: i64, state: &[u8], now: Timestamp) -> Result<()> {
    let sql = "update passkeys set state = $2, last_used_at = $3 where id = $1";
    tx.execute(sql, &values![id, state, now]).map(drop)
}

/// Removes a person's passkey; its name, if it was there.
pub fn delete(tx: &mut Tx, user_id: i64, id: i64) -> Result<Option<String>> {
    let sql = "delete from passkeys where user_id = $1 and id = $2 returning name";
    tx.find(sql, &values![user_id, id], |row| row.get(0))
}

/// Removes all of a person's.
pub fn delete_all(tx: &mut Tx, user_id: i64) -> Result<u64> {
    tx.execute("delete from passkeys where user_id = $1", &values![user_id])
}

/// Notes that a ceremony is completed, and forgets those that were completed at `until` or before.
///
/// # Errors
/// [`super::StoreError::Conflict`] when it was completed before.
pub fn complete(tx: &mut Tx, ceremony_hash: &[u8], now: Timestamp, until: Timestamp) -> Result<()> {
    tx.execute("delete from passkey_ceremonies where completed_at <= $1", &values![until])?;
    let sql = "insert into passkey_ceremonies (ceremony_hash, completed_at) values ($1, $2)";
    tx.execute(sql, &values![ceremony_hash, now]).map(drop)
}

fn read(row: &Row) -> Result<Passkey> {
    Ok(Passkey {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        credential_id: row.get(3)?,
        public_key: row.get(4)?,
        state: row.get(5)?,
        created_at: row.time(6)?,
        last_used_at: row.optional_time(7)?,
    })
}
