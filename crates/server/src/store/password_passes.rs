//! Passwords that sign in where passwords are switched off.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// Has a person's password sign in until then.
pub fn give(tx: &mut Tx, user_id: i64, until: Timestamp) -> Result<()> {
    tx.execute(
        "insert into password_passes (user_id, holds_until) values ($1, $2)
         on conflict (user_id) do update set holds_until = excluded.holds_until",
        &values![user_id, until],
    )
    .map(drop)
}

/// Whether a person's password does now.
pub fn holds(tx: &mut Tx, user_id: i64, now: Timestamp) -> Result<bool> {
    let sql = "select user_id from password_passes where user_id = $1 and holds_until > $2";
    Ok(tx.find(sql, &values![user_id, now], |row| row.get::<i64>(0))?.is_some())
}
