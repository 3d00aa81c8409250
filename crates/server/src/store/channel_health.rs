//! How channels that fail are doing; one that works has no row.

use dregs_core::notify::breaker::Breaker;
use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// A channel that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub breaker: Breaker,
    pub last_error: String,
}

const COLUMNS: &str = "channel_id, failures, failing_since, open_until, pauses, warned_percent, last_error";

/// All that fail, by channel.
pub fn all(tx: &mut Tx) -> Result<Vec<(i64, Health)>> {
    tx.query(&format!("select {COLUMNS} from channel_health"), &[], read)
}

/// A channel's row, which it has from now on, for this transaction alone.
pub fn take(tx: &mut Tx, channel_id: i64) -> Result<Health> {
    let sql = format!(
        "insert into channel_health (channel_id, failures, pauses, warned_percent, last_error)
         values ($1, 0, 0, 0, '')
         on conflict (channel_id) do update set failures = channel_health.failures returning {COLUMNS}"
    );
    Ok(tx.get(&sql, &values![channel_id], read)?.1)
}

/// Has channels that are left alone, or fail, since times later than `now` be so as many milliseconds earlier, since a clock
/// was put back.
pub fn advance(tx: &mut Tx, millis: i64, now: Timestamp) -> Result<()> {
    for column in ["failing_since", "open_until"] {
        let sql = format!("update channel_health set {column} = {column} - $1 where {column} > $2");
        tx.execute(&sql, &values![millis, now])?;
    }
    Ok(())
}

/// Writes a row that was taken.
pub fn save(tx: &mut Tx, channel_id: i64, health: &Health) -> Result<()> {
    let b = &health.breaker;
    tx.execute(
        "update channel_health set failures = $2, failing_since = $3, open_until = $4, pauses = $5,
           warned_percent = $6, last_error = $7 where channel_id = $1",
        &values![
            channel_id,
            i64::from(b.failures),
            b.failing_since,
            b.open_until,
            i64::from(b.pauses),
            i64::from(b.warned_percent),
            &health.last_error
        ],
    )?;
    Ok(())
}

/// Ends the pause of a channel that is left alone: one attempt may be made. If that fails, the next pause is as long as
/// this one would have been.
pub fn end_pause(tx: &mut Tx, channel_id: i64, now: Timestamp) -> Result<()> {
    let sql =
        "update channel_health set open_until = $2, pauses = case when pauses > 0 then pauses - 1 else 0 end
         where channel_id = $1 and open_until > $2";
    tx.execute(sql, &values![channel_id, now])?;
    Ok(())
}

/// A channel works, or is no more.
pub fn clear(tx: &mut Tx, channel_id: i64) -> Result<()> {
    tx.execute("delete from channel_health where channel_id = $1", &values![channel_id])?;
    Ok(())
}

fn read(row: &Row) -> Result<(i64, Health)> {
    let number =
        |index| Ok::<_, super::StoreError>(u32::try_from(row.get::<i64>(index)?).unwrap_or(u32::MAX));
    let breaker = Breaker {
        failures: number(1)?,
        failing_since: row.optional_time(2)?,
        open_until: row.optional_time(3)?,
        pauses: number(4)?,
        warned_percent: u8::try_from(number(5)?).unwrap_or(100),
    };
    Ok((row.get(0)?, Health { breaker, last_error: row.get(6)? }))
}
