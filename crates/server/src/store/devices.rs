//! Devices: what fingerprints were seen, and when.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// A device as an event shows it.
pub struct SeenDevice {
    pub team_id: i64,
    pub fingerprint: String,
    pub seen_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// Stores devices, or what is newer about them. Each fingerprint must stand here only once.
pub fn upsert(tx: &mut Tx, devices: &[SeenDevice]) -> Result<()> {
    let rows: Vec<_> = devices
        .iter()
        .map(|d| values![d.team_id, &d.fingerprint, d.seen_at, d.seen_at, &d.ip, &d.user_agent])
        .collect();
    tx.execute_rows(
        "insert into devices (team_id, fingerprint, first_seen_at, last_seen_at, ip, user_agent)
         values {rows}
         on conflict (team_id, fingerprint) do update set last_seen_at = excluded.last_seen_at,
           ip = coalesce(excluded.ip, devices.ip),
           user_agent = coalesce(excluded.user_agent, devices.user_agent)",
        &rows,
    )?;
    Ok(())
}
