//! What most of a team's identities have in common.

use dregs_core::link::{KeyKind, LinkKey};
use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// A value that says nothing of any one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonValue {
    pub team_id: i64,
    pub key: LinkKey,
    /// Of so many identities that were active last …
    pub identities: i64,
    /// … so many had it when that was learned.
    pub holders: i64,
    pub learned_at: Timestamp,
}

/// Keeps a value; false for one that is kept already, which stays as it was learned first.
pub fn insert(tx: &mut Tx, common: &CommonValue) -> Result<bool> {
    let CommonValue { team_id, key, identities, holders, learned_at } = common;
    let sql = "insert into common_values (team_id, kind, value, identities, holders, learned_at)
               values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
    let values = values![*team_id, key.kind as i64, &key.value, *identities, *holders, *learned_at];
    Ok(tx.execute(sql, &values)? > 0)
}

/// Those of every team, in the order in which they were learned. Kinds that this version does not know are left out.
pub fn all(tx: &mut Tx) -> Result<Vec<CommonValue>> {
    let rows = tx.query(
        "select team_id, kind, value, identities, holders, learned_at from common_values
         order by learned_at, team_id, kind, value",
        &[],
        |row| {
            let kind = KeyKind::from_code(row.get(1)?);
            let value: String = row.get(2)?;
            let (identities, holders, learned_at) = (row.get(3)?, row.get(4)?, row.time(5)?);
            let team_id = row.get(0)?;
            Ok(kind.map(|kind| CommonValue {
                team_id,
                key: LinkKey { kind, value },
                identities,
                holders,
                learned_at,
            }))
        },
    )?;
    Ok(rows.into_iter().flatten().collect())
}
