//! The audit log: what people and keys have changed.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// An entry about to be written.
pub struct NewEntry<'a> {
    pub team_id: i64,
    pub at: Timestamp,
    pub actor_type: &'a str,
    pub actor_id: Option<i64>,
    pub actor: &'a str,
    pub address: Option<String>,
    pub action: &'a str,
    pub target_type: &'a str,
    pub target_id: &'a str,
    /// JSON.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Takes a thing out of the entries about it, which say `name` from now on.
pub fn forget(tx: &mut Tx, team_id: i64, target_type: &str, target_id: &str, name: &str) -> Result<()> {
    tx.execute(
        "update audit_log set target_id = $4, before = null, after = null
         where team_id = $1 and target_type = $2 and target_id = $3",
        &values![team_id, target_type, target_id, name],
    )?;
    Ok(())
}

pub fn insert(tx: &mut Tx, entry: &NewEntry) -> Result<()> {
    tx.execute(
        "insert into audit_log (team_id, at, actor_type, actor_id, actor, address, action, target_type,
           target_id, before, after)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &values![
            entry.team_id,
            entry.at,
            entry.actor_type,
            entry.actor_id,
            entry.actor,
            &entry.address,
            entry.action,
            entry.target_type,
            entry.target_id,
            &entry.before,
            &entry.after,
        ],
    )?;
    Ok(())
}
