//! Devices: what fingerprints were seen, and when.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::sql::{in_order_of, with_shards};
use super::versions::{self, Kept};
use super::{Result, Row, Tx};
use crate::values;

/// A device as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: i64,
    pub fingerprint: String,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub disregarded: bool,
}

const COLUMNS: &str =
    "d.id, d.fingerprint, d.first_seen_at, d.last_seen_at, d.ip, d.user_agent, d.disregarded";

fn read(row: &Row) -> Result<Device> {
    Ok(Device {
        id: row.get(0)?,
        fingerprint: row.get(1)?,
        first_seen_at: row.time(2)?,
        last_seen_at: row.time(3)?,
        ip: row.get(4)?,
        user_agent: row.get(5)?,
        disregarded: row.flag(6)?,
    })
}

/// The team's device with this fingerprint.
pub fn find(tx: &mut Tx, team_id: i64, fingerprint: &str) -> Result<Option<Device>> {
    let sql = format!("select {COLUMNS} from devices d where d.team_id = $1 and d.fingerprint = $2");
    tx.find(&sql, &values![team_id, fingerprint], read)
}

/// The devices with these row ids, in their order; one that is gone is left out.
pub fn load(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Device>> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select {COLUMNS} from v join devices d on d.shard = v.shard and d.id = v.id"
    );
    let mut found = tx.query_rows(&sql, &with_shards(ids), read)?;
    in_order_of(&mut found, ids, |device| device.id);
    Ok(found)
}

/// The row ids of the devices an identity was seen on.
pub fn of_identity(tx: &mut Tx, identity_id: i64) -> Result<Vec<i64>> {
    tx.query(
        "select distinct device_id from events where shard = $2 and identity_id = $1 and device_id is not null",
        &values![identity_id, shard::of(identity_id)],
        |row| row.get(0),
    )
}

/// Up to `limit` fingerprints of a team's devices after another one, in order.
pub fn after(tx: &mut Tx, team_id: i64, fingerprint: &str, limit: i64) -> Result<Vec<String>> {
    tx.query(
        "select fingerprint from devices where team_id = $1 and fingerprint > $2 order by fingerprint limit $3",
        &values![team_id, fingerprint, limit],
        |row| row.get(0),
    )
}

/// Takes a device out of everybody's analysis, or back in.
pub fn disregard(tx: &mut Tx, id: i64, disregarded: bool) -> Result<()> {
    let changed = tx.execute(
        "update devices set disregarded = $2 where shard = $3 and id = $1 and disregarded <> $2",
        &values![id, disregarded, shard::of(id)],
    )?;
    if changed > 0 { versions::grow(tx, Kept::Devices) } else { Ok(()) }
}

/// The devices that nobody's analysis looks at: (team, fingerprint).
pub fn disregarded(tx: &mut Tx) -> Result<Vec<(i64, String)>> {
    tx.query("select team_id, fingerprint from devices where disregarded = 1", &[], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// A device as an event shows it.
pub struct SeenDevice {
    pub shard: i64,
    pub team_id: i64,
    pub fingerprint: String,
    /// When its events happened: the first, and the last.
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// Stores devices, or what is newer about them; the answer gives (team, fingerprint, id). Each
/// fingerprint must stand here only once.
pub fn upsert(tx: &mut Tx, devices: &[SeenDevice]) -> Result<Vec<(i64, String, i64)>> {
    let rows: Vec<_> = devices
        .iter()
        .map(|d| values![d.shard, d.team_id, &d.fingerprint, d.first_at, d.last_at, &d.ip, &d.user_agent])
        .collect();
    tx.query_rows(
        "insert into devices (id, shard, team_id, fingerprint, first_seen_at, last_seen_at, ip, user_agent)
         values {new rows}
         on conflict (team_id, fingerprint, shard) do update set
           first_seen_at = case when excluded.first_seen_at < devices.first_seen_at
             then excluded.first_seen_at else devices.first_seen_at end,
           last_seen_at = case when excluded.last_seen_at > devices.last_seen_at
             then excluded.last_seen_at else devices.last_seen_at end,
           ip = coalesce(excluded.ip, devices.ip),
           user_agent = coalesce(excluded.user_agent, devices.user_agent)
         returning team_id, fingerprint, id",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}
