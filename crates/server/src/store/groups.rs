//! Groups of identities: organizations, teams.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// A group as ingest found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGroup {
    pub team_id: i64,
    pub group_type: String,
    pub external_id: String,
    pub data: String,
}

/// Reads the groups with these (team, type, external id); those not seen before are absent.
pub fn load(tx: &mut Tx, keys: &[(i64, &str, &str)]) -> Result<Vec<KnownGroup>> {
    let rows: Vec<_> = keys.iter().map(|(team, kind, id)| values![*team, *kind, *id]).collect();
    tx.query_rows(
        "with v (team_id, type, external_id) as (values {rows})
         select g.team_id, g.type, g.external_id, g.data from v join groups g
         on g.team_id = v.team_id and g.type = v.type and g.external_id = v.external_id",
        &rows,
        |row| {
            Ok(KnownGroup {
                team_id: row.get(0)?,
                group_type: row.get(1)?,
                external_id: row.get(2)?,
                data: row.get(3)?,
            })
        },
    )
}

/// Stores groups with their merged data; the answer gives (team, type, external id, id).
pub fn upsert(
    tx: &mut Tx,
    groups: &[KnownGroup],
    tracked_at: Timestamp,
) -> Result<Vec<(i64, String, String, i64)>> {
    let rows: Vec<_> = groups
        .iter()
        .map(|g| {
            values![g.team_id, &g.group_type, &g.external_id, tracked_at, tracked_at, tracked_at, &g.data]
        })
        .collect();
    tx.query_rows(
        "insert into groups (team_id, type, external_id, created_at, updated_at, last_tracked_at, data)
         values {rows}
         on conflict (team_id, type, external_id) do update set updated_at = excluded.updated_at,
           last_tracked_at = excluded.last_tracked_at, data = excluded.data
         returning team_id, type, external_id, id",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )
}

/// Makes identities members of groups.
pub fn add_members(tx: &mut Tx, members: &[(i64, i64)], now: Timestamp) -> Result<()> {
    let rows: Vec<_> = members.iter().map(|(group, identity)| values![*group, *identity, now]).collect();
    tx.execute_rows(
        "insert into group_members (group_id, identity_id, created_at) values {rows}
         on conflict do nothing",
        &rows,
    )?;
    Ok(())
}
