//! Usage: how many events were stored in each hour.

use dregs_core::time::{HOUR_MS, Timestamp};

use super::{Result, Tx};
use crate::values;

/// The hour of `at`, counted from the Unix epoch.
pub fn hour(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR_MS)
}

/// Counts events of teams: (team, how many). Each team must stand here only once.
pub fn add(tx: &mut Tx, counts: &[(i64, i64)], now: Timestamp) -> Result<()> {
    let rows: Vec<_> = counts.iter().map(|(team, count)| values![*team, hour(now), *count]).collect();
    tx.execute_rows_later(
        "insert into usage (team_id, hour, events) values {rows}
         on conflict (team_id, hour) do update set events = usage.events + excluded.events",
        &rows,
    )
}

/// The first hour in which a team sent anything.
pub fn first_hour(tx: &mut Tx, team_id: i64) -> Result<Option<i64>> {
    tx.get("select min(hour) from usage where team_id = $1", &values![team_id], |row| row.get(0))
}

/// Events of every team from the hour `from` up to but not `to`.
pub fn by_team(tx: &mut Tx, from: i64, to: i64) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "select team_id, cast(sum(events) as bigint) from usage where hour >= $1 and hour < $2 group by team_id",
        &values![from, to],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Events of a team in each hour from `from` up to but not `to`, in order; hours without are absent.
pub fn by_hour(tx: &mut Tx, team_id: i64, from: i64, to: i64) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "select hour, events from usage where team_id = $1 and hour >= $2 and hour < $3 order by hour",
        &values![team_id, from, to],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
