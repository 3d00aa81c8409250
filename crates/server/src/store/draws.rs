//! Who was drawn at random for somebody to look at.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// Notes that an identity was drawn in a week, and for how many it stands, in thousandths.
pub fn insert(tx: &mut Tx, team_id: i64, week: i64, identity_id: i64, weight: i64) -> Result<()> {
    tx.execute(
        "insert into draws (team_id, week, identity_id, weight) values ($1, $2, $3, $4) on conflict do nothing",
        &values![team_id, week, identity_id, weight],
    )?;
    Ok(())
}

/// Those of a team that were drawn from `week` on: (identity, weight), in no order.
pub fn since(tx: &mut Tx, team_id: i64, week: i64) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "select identity_id, weight from draws where team_id = $1 and week >= $2",
        &values![team_id, week],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Whether somebody of a team was drawn in a week.
pub fn is_made(tx: &mut Tx, team_id: i64, week: i64) -> Result<bool> {
    let sql = "select identity_id from draws where team_id = $1 and week = $2 limit 1";
    Ok(tx.find(sql, &values![team_id, week], |row| row.get::<i64>(0))?.is_some())
}

/// Every team, with when it last labelled somebody.
pub fn last_labels(tx: &mut Tx) -> Result<Vec<(i64, Timestamp)>> {
    let teams = tx.query("select id from teams order by id", &[], |row| row.get::<i64>(0))?;
    let mut last = Vec::new();
    for team_id in teams {
        let sql = "select created_at from labels where team_id = $1 order by id desc limit 1";
        let at = tx.find(sql, &values![team_id], |row| row.time(0))?;
        last.extend(at.map(|at| (team_id, at)));
    }
    Ok(last)
}
