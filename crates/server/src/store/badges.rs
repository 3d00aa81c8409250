//! Who carries which badge.

use dregs_core::shard;

use super::{Result, Tx, Value};
use crate::values;

/// A badge on an identity: (team, slug, identity).
pub type Carried = (i64, String, i64);

/// Puts badges on and takes badges off; what is so already stays so.
pub fn change(tx: &mut Tx, added: &[Carried], removed: &[Carried]) -> Result<()> {
    fn row((team, slug, id): &Carried) -> [Value<'_>; 4] {
        values![shard::of(*id), *team, slug, *id]
    }
    let [added, removed] = [added, removed].map(|carried| carried.iter().map(row).collect::<Vec<_>>());
    tx.execute_rows(
        "with v (shard, team_id, slug, identity_id) as (values {rows})
         delete from badges where (team_id, slug, identity_id, shard) in
           (select team_id, slug, identity_id, v.shard from v)",
        &removed,
    )?;
    tx.execute_rows(
        "insert into badges (shard, team_id, slug, identity_id) values {rows} on conflict do nothing",
        &added,
    )?;
    Ok(())
}

/// Row ids of the identities of a team that carry the badge with this slug, in order.
pub fn carriers(tx: &mut Tx, team_id: i64, slug: &str) -> Result<Vec<i64>> {
    tx.query(
        "select identity_id from badges where team_id = $1 and slug = $2 order by identity_id",
        &values![team_id, slug],
        |row| row.get(0),
    )
}

/// Up to `limit` of them, the newest first.
pub fn newest_carriers(tx: &mut Tx, team_id: i64, slug: &str, limit: usize) -> Result<Vec<i64>> {
    tx.query(
        "select identity_id from badges where team_id = $1 and slug = $2 order by identity_id desc limit $3",
        &values![team_id, slug, i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| row.get(0),
    )
}

/// How many identities of a team carry the badge with this slug.
pub fn count(tx: &mut Tx, team_id: i64, slug: &str) -> Result<i64> {
    let sql = "select count(*) from badges where team_id = $1 and slug = $2";
    tx.get(sql, &values![team_id, slug], |row| row.get(0))
}
