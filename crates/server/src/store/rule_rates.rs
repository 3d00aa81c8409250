//! How often rules match, as far as no other row says it, and when it was told that one does so far more often.

use dregs_core::rules::Kind;
use dregs_core::time::Timestamp;

use super::rule_versions::{Of, code};
use super::{Result, Tx};
use crate::values;

/// Notes how many carry the badge of a rule in an hour; the first of an hour stands.
pub fn note_carriers(tx: &mut Tx, team_id: i64, rule_id: i64, hour: i64, carriers: i64) -> Result<()> {
    tx.execute(
        "insert into badge_counts (team_id, rule_id, hour, carriers) values ($1, $2, $3, $4) on conflict do nothing",
        &values![team_id, rule_id, hour, carriers],
    )?;
    Ok(())
}

/// How many carried the badge of each rule of a team from `hour` on: (rule, hour, carriers), in order.
pub fn carriers(tx: &mut Tx, team_id: i64, hour: i64) -> Result<Vec<(i64, i64, i64)>> {
    tx.query(
        "select rule_id, hour, carriers from badge_counts where team_id = $1 and hour >= $2 order by rule_id, hour",
        &values![team_id, hour],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// Forgets what was noted before `hour`.
pub fn forget(tx: &mut Tx, team_id: i64, hour: i64) -> Result<()> {
    tx.execute("delete from badge_counts where team_id = $1 and hour < $2", &values![team_id, hour])?;
    Ok(())
}

/// A rule that matched far more often than it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub at: Timestamp,
    /// In a day.
    pub count: i64,
    pub expected_tenths: i64,
}

/// Notes that this is told of a rule; `false` where something was told of it after `since`.
pub fn tell(tx: &mut Tx, of: Of, told: Told, since: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "insert into rule_jumps (team_id, kind, rule_id, told_at, count, expected) values ($1, $2, $3, $4, $5, $6)
         on conflict (team_id, kind, rule_id) do update
           set told_at = excluded.told_at, count = excluded.count, expected = excluded.expected
           where rule_jumps.told_at <= $7",
        &values![of.team_id, code(of.kind), of.rule_id, told.at, told.count, told.expected_tenths, since],
    )?;
    Ok(changed > 0)
}

/// What was told of a rule last.
pub fn told(tx: &mut Tx, team_id: i64, kind: Kind, rule_id: i64) -> Result<Option<Told>> {
    tx.find(
        "select told_at, count, expected from rule_jumps where team_id = $1 and kind = $2 and rule_id = $3",
        &values![team_id, code(kind), rule_id],
        |row| Ok(Told { at: row.time(0)?, count: row.get(1)?, expected_tenths: row.get(2)? }),
    )
}

/// Forgets a rule that is gone.
pub fn delete(tx: &mut Tx, of: Of) -> Result<()> {
    tx.execute(
        "delete from rule_jumps where team_id = $1 and kind = $2 and rule_id = $3",
        &values![of.team_id, code(of.kind), of.rule_id],
    )?;
    if of.kind == Kind::Badge {
        let sql = "delete from badge_counts where team_id = $1 and rule_id = $2";
        tx.execute(sql, &values![of.team_id, of.rule_id])?;
    }
    Ok(())
}
