//! Who carries which badge.

use super::{Result, Tx};
use crate::values;

/// A badge on an identity: (team, slug, identity).
pub type Carried = (i64, String, i64);

/// Puts badges on and takes badges off; what is so already stays so.
pub fn change(tx: &mut Tx, added: &[Carried], removed: &[Carried]) -> Result<()> {
    let added: Vec<_> = added.iter().map(|(team, slug, id)| values![*team, slug, *id]).collect();
    let removed: Vec<_> = removed.iter().map(|(team, slug, id)| values![*team, slug, *id]).collect();
    tx.execute_rows(
        "with v (team_id, slug, identity_id) as (values {rows})
         delete from badges where (team_id, slug, identity_id) in (select team_id, slug, identity_id from v)",
        &removed,
    )?;
    tx.execute_rows(
        "insert into badges (team_id, slug, identity_id) values {rows} on conflict do nothing",
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
