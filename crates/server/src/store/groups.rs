//! Groups of identities: organizations, teams.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::sql::{in_order_of, with_shards};
use super::{Result, Row, Tx};
use crate::values;

/// A group as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: i64,
    pub group_type: String,
    pub external_id: String,
    pub display_name: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_tracked_at: Timestamp,
    pub identity_count: i64,
    pub data: String,
}

const COLUMNS: &str = "g.id, g.type, g.external_id, g.display_name, g.created_at, g.updated_at,
    g.last_tracked_at, (select count(*) from group_members m where m.shard = g.shard and m.group_id = g.id), g.data";

fn read(row: &Row) -> Result<Group> {
    Ok(Group {
        id: row.get(0)?,
        group_type: row.get(1)?,
        external_id: row.get(2)?,
        display_name: row.get(3)?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
        last_tracked_at: row.time(6)?,
        identity_count: row.get(7)?,
        data: row.get(8)?,
    })
}

/// The team's group of this type with this external id.
pub fn find(tx: &mut Tx, team_id: i64, group_type: &str, external_id: &str) -> Result<Option<Group>> {
    let sql =
        format!("select {COLUMNS} from groups g where g.team_id = $1 and g.type = $2 and g.external_id = $3");
    tx.find(&sql, &values![team_id, group_type, external_id], read)
}

/// The row ids of groups by (type, external id); those that are not there are absent.
pub fn ids(tx: &mut Tx, team_id: i64, keys: &[(&str, &str)]) -> Result<Vec<(String, String, i64)>> {
    let rows: Vec<_> = keys.iter().map(|(kind, id)| values![team_id, *kind, *id]).collect();
    tx.query_rows(
        "with v (team_id, type, external_id) as (values {rows})
         select g.type, g.external_id, g.id from v join groups g
         on g.team_id = v.team_id and g.type = v.type and g.external_id = v.external_id",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// What groups are called, by (type, external id); those that are not there, or have no name, are absent.
pub fn labels(tx: &mut Tx, team_id: i64, keys: &[(&str, &str)]) -> Result<Vec<(String, String, String)>> {
    let rows: Vec<_> = keys.iter().map(|(kind, id)| values![team_id, *kind, *id]).collect();
    tx.query_rows(
        "with v (team_id, type, external_id) as (values {rows})
         select g.type, g.external_id, g.display_name from v join groups g
         on g.team_id = v.team_id and g.type = v.type and g.external_id = v.external_id
           and g.display_name is not null",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// The groups with these row ids, in their order; one that is gone is left out.
pub fn load_rows(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Group>> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select {COLUMNS} from v join groups g on g.shard = v.shard and g.id = v.id"
    );
    let mut found = tx.query_rows(&sql, &with_shards(ids), read)?;
    in_order_of(&mut found, ids, |group| group.id);
    Ok(found)
}

/// Writes the data of a group that no event has changed.
pub fn change(tx: &mut Tx, id: i64, display_name: Option<&str>, data: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "update groups set display_name = $2, data = $3, updated_at = $4 where shard = $5 and id = $1",
        &values![id, display_name, data, now, shard::of(id)],
    )?;
    Ok(())
}

/// Takes an identity out of a group.
pub fn remove_member(tx: &mut Tx, group_id: i64, identity_id: i64) -> Result<()> {
    tx.execute(
        "delete from group_members where shard = $3 and group_id = $1 and identity_id = $2",
        &values![group_id, identity_id, shard::of(group_id)],
    )?;
    Ok(())
}

/// The row ids of the groups an identity is in.
pub fn of_identity(tx: &mut Tx, identity_id: i64) -> Result<Vec<i64>> {
    tx.query("select group_id from group_members where identity_id = $1", &values![identity_id], |row| {
        row.get(0)
    })
}

/// A group as ingest found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGroup {
    pub shard: i64,
    pub team_id: i64,
    pub group_type: String,
    pub external_id: String,
    pub display_name: Option<String>,
    pub data: String,
}

/// Reads the groups with these (shard, team, type, external id); those not seen before are absent.
pub fn load(tx: &mut Tx, keys: &[(i64, i64, &str, &str)]) -> Result<Vec<KnownGroup>> {
    let rows: Vec<_> =
        keys.iter().map(|(shard, team, kind, id)| values![*shard, *team, *kind, *id]).collect();
    tx.query_rows(
        "with v (shard, team_id, type, external_id) as (values {rows})
         select g.shard, g.team_id, g.type, g.external_id, g.display_name, g.data from v join groups g
         on g.team_id = v.team_id and g.type = v.type and g.external_id = v.external_id and g.shard = v.shard",
        &rows,
        |row| {
            Ok(KnownGroup {
                shard: row.get(0)?,
                team_id: row.get(1)?,
                group_type: row.get(2)?,
                external_id: row.get(3)?,
                display_name: row.get(4)?,
                data: row.get(5)?,
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
            values![
                g.shard,
                g.team_id,
                &g.group_type,
                &g.external_id,
                tracked_at,
                tracked_at,
                tracked_at,
                &g.display_name,
                &g.data
            ]
        })
        .collect();
    tx.query_rows(
        "insert into groups (id, shard, team_id, type, external_id, created_at, updated_at, last_tracked_at,
           display_name, data)
         values {new rows}
         on conflict (team_id, type, external_id, shard) do update set updated_at = excluded.updated_at,
           last_tracked_at = excluded.last_tracked_at, display_name = excluded.display_name,
           data = excluded.data
         returning team_id, type, external_id, id",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )
}

/// Puts events into the lists of groups: (group, time, event, number of its name). A negative number
/// stands for all groups of a type.
pub fn insert_events(tx: &mut Tx, events: &[(i64, Timestamp, i64, Option<i64>)]) -> Result<()> {
    let rows: Vec<_> = events
        .iter()
        .map(|(group, at, event, name)| values![shard::of(*event), *group, *at, *event, *name])
        .collect();
    tx.execute_rows(
        "insert into event_groups (shard, group_id, timestamp, event_id, name_id) values {rows}
         on conflict do nothing",
        &rows,
    )?;
    Ok(())
}

/// Makes identities members of groups.
pub fn add_members(tx: &mut Tx, members: &[(i64, i64)], now: Timestamp) -> Result<()> {
    let rows: Vec<_> =
        members.iter().map(|(group, identity)| values![shard::of(*group), *group, *identity, now]).collect();
    tx.execute_rows(
        "insert into group_members (shard, group_id, identity_id, created_at) values {rows}
         on conflict do nothing",
        &rows,
    )?;
    Ok(())
}
