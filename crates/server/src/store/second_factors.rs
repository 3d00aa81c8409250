//! Second factors of people: the secret of an authenticator app, and recovery codes.

use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// The second factor of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    pub user_id: i64,
    /// Sealed.
    pub secret: Vec<u8>,
    /// When a first code was right; before, it is none yet.
    pub confirmed_at: Option<Timestamp>,
}

const COLUMNS: &str = "user_id, secret, confirmed_at";

pub fn find(tx: &mut Tx, user_id: i64) -> Result<Option<SecondFactor>> {
    let sql = format!("select {COLUMNS} from second_factors where user_id = $1");
    tx.find(&sql, &values![user_id], read)
}

/// Those of everybody.
pub fn all(tx: &mut Tx) -> Result<Vec<SecondFactor>> {
    tx.query(&format!("select {COLUMNS} from second_factors order by user_id"), &[], read)
}

/// Puts a secret that is to be confirmed in place of another such; `false` where one is confirmed.
pub fn begin(tx: &mut Tx, user_id: i64, secret: &[u8], now: Timestamp) -> Result<bool> {
    let put = tx.execute(
        "insert into second_factors (user_id, secret, last_step, created_at) values ($1, $2, 0, $3)
         on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
           where second_factors.confirmed_at is null",
        &values![user_id, secret, now],
    )?;
    Ok(put == 1)
}

/// Confirms the secret by a code of this step; `false` where none is to be confirmed.
pub fn confirm(tx: &mut Tx, user_id: i64, step: i64, now: Timestamp) -> Result<bool> {
    let confirmed = tx.execute(
        "update second_factors set last_step = $2, confirmed_at = $3 where user_id = $1 and confirmed_at is null",
        &values![user_id, step, now],
    )?;
    Ok(confirmed == 1)
}

/// Accepts a code of this step; `false` where one of it, or of a later one, was accepted before.
pub fn accept_step(tx: &mut Tx, user_id: i64, step: i64) -> Result<bool> {
    let accepted = tx.execute(
        "update second_factors set last_step = $2 where user_id = $1 and last_step < $2 and confirmed_at is not null",
        &values![user_id, step],
    )?;
    Ok(accepted == 1)
}

/// Removes the second factor of a person with its recovery codes; `false` where there was none.
pub fn delete(tx: &mut Tx, user_id: i64) -> Result<bool> {
    tx.execute("delete from recovery_codes where user_id = $1", &values![user_id])?;
    let was = tx.find(
        "delete from second_factors where user_id = $1 returning confirmed_at",
        &values![user_id],
        |row| row.optional_time(0),
    )?;
    Ok(was.flatten().is_some())
}

/// Puts recovery codes in place of those that a person has.
pub fn put_recovery_codes(tx: &mut Tx, user_id: i64, hashes: &[Vec<u8>]) -> Result<()> {
    tx.execute("delete from recovery_codes where user_id = $1", &values![user_id])?;
    for hash in hashes {
        tx.execute(
            "insert into recovery_codes (user_id, code_hash) values ($1, $2)",
            &values![user_id, hash],
        )?;
    }
    Ok(())
}

/// Accepts a recovery code, which is gone then; `false` where there is no such one.
pub fn accept_recovery_code(tx: &mut Tx, user_id: i64, hash: &[u8]) -> Result<bool> {
    let sql = "delete from recovery_codes where user_id = $1 and code_hash = $2";
    Ok(tx.execute(sql, &values![user_id, hash])? == 1)
}

/// How many recovery codes a person has left.
pub fn recovery_codes_left(tx: &mut Tx, user_id: i64) -> Result<i64> {
    tx.get("select count(*) from recovery_codes where user_id = $1", &values![user_id], |row| row.get(0))
}

fn read(row: &Row) -> Result<SecondFactor> {
    Ok(SecondFactor { user_id: row.get(0)?, secret: row.get(1)?, confirmed_at: row.optional_time(2)? })
}
