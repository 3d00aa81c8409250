//! Notifications: events to tell that are not cycles, kept with their data.

use dregs_core::notify::message::EventType;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::sql::with_shards;
use super::{Result, StoreError, Tx};
use crate::values;

/// Something that happened, other than a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub id: i64,
    pub event: EventType,
    pub identity_id: Option<String>,
    pub sequence: Option<i64>,
    pub occurred_at: Timestamp,
    pub data: String,
}

/// Stores a notification that is about no identity; the answer is its id.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    event: EventType,
    occurred_at: Timestamp,
    data: &str,
) -> Result<i64> {
    tx.get_new(
        "insert into notifications (id, shard, team_id, event_type, occurred_at, data) values {new rows}
         returning id",
        values![shard::of(team_id), team_id, event.code(), occurred_at, data],
        |row| row.get(0),
    )
}

/// Stores a notification about an identity; the answer is its id.
pub fn insert_about(
    tx: &mut Tx,
    team_id: i64,
    event: EventType,
    (identity_id, sequence): (i64, i64),
    occurred_at: Timestamp,
    data: &str,
) -> Result<i64> {
    tx.get_new(
        "insert into notifications (id, shard, team_id, event_type, identity_id, sequence, occurred_at, data)
         values {new rows} returning id",
        values![shard::of(identity_id), team_id, event.code(), identity_id, sequence, occurred_at, data],
        |row| row.get(0),
    )
}

/// The notifications with these ids.
pub fn load(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Notification>> {
    tx.query_rows(
        "with v (shard, id) as (values {rows})
         select n.id, n.event_type, i.external_id, n.sequence, n.occurred_at, n.data
         from v join notifications n on n.shard = v.shard and n.id = v.id
         left join identities i on i.shard = n.shard and i.id = n.identity_id",
        &with_shards(ids),
        |row| {
            let code = row.get(1)?;
            Ok(Notification {
                id: row.get(0)?,
                event: EventType::from_code(code)
                    .ok_or_else(|| StoreError::Broken(format!("{code} is no event type")))?,
                identity_id: row.get(2)?,
                sequence: row.get(3)?,
                occurred_at: row.time(4)?,
                data: row.get(5)?,
            })
        },
    )
}
