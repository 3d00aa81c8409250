//! How much a team uses, and whether that is still within its quota.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};

use crate::store::{Result, Store, usage};

/// What teams have sent this month, as far as this process knows.
#[derive(Default)]
pub struct Usage {
    teams: RwLock<HashMap<i64, i64>>,
    /// What was sent in the hours of this month that are over, which is read once an hour.
    over: Mutex<Over>,
}

/// Events of teams in the hours from one on up to, but not including, another.
#[derive(Default)]
struct Over {
    hours: Range<i64>,
    teams: HashMap<i64, i64>,
}

/// Hours that may still grow: the one that has begun, and the one before it, of which another node may be
/// writing its last.
const OPEN_HOURS: i64 = 2;

impl Usage {
    /// Whether a team may send no more this month.
    pub fn is_exhausted(&self, quota: u64, team_id: i64) -> bool {
        let teams = self.teams.read().unwrap_or_else(PoisonError::into_inner);
        let used = teams.get(&team_id).copied().unwrap_or_default();
        quota > 0 && u64::try_from(used).is_ok_and(|used| used >= quota)
    }

    /// Counts events that were stored.
    pub fn add(&self, team_id: i64, events: i64) {
        *self.teams.write().unwrap_or_else(PoisonError::into_inner).entry(team_id).or_default() += events;
    }

    /// Reads again what every team has sent, through this process and others.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store, now: Timestamp) -> Result<()> {
        let from = usage::hour(month_start(now));
        let open = from.max(usage::hour(now) + 1 - OPEN_HOURS);
        let is_read = self.over().hours == (from..open);
        let (over, mut read) = store
            .read(move |tx| {
                let over = if is_read { None } else { Some(usage::by_team(tx, from, open)?) };
                Ok((over, usage::by_team(tx, open, i64::MAX)?.into_iter().collect::<HashMap<_, _>>()))
            })
            .await?;
        if let Some(teams) = over {
            *self.over() = Over { hours: from..open, teams: teams.into_iter().collect() };
        }
        for (team, events) in &self.over().teams {
            *read.entry(*team).or_default() += events;
        }
        metrics::gauge!("dregs_events_this_month").set(read.values().sum::<i64>() as f64);
        *self.teams.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events of a team in this month, as the store has them: what is in memory is late by a second at times.
///
/// # Errors
/// Those of the store.
pub async fn this_month(store: &Store, team_id: i64, now: Timestamp) -> Result<i64> {
    let from = usage::hour(month_start(now));
    let teams = store.read(move |tx| usage::by_team(tx, from, i64::MAX)).await?;
    Ok(teams.into_iter().find(|(team, _)| *team == team_id).map_or(0, |(_, events)| events))
}

/// When the calendar month of `now` began, in UTC.
pub fn month_start(now: Timestamp) -> Timestamp {
    let day = now.as_millis().div_euclid(DAY_MS);
    let text = now.to_string();
    // RFC 3339: the day of the month stands at a fixed place.
    let of_month: i64 = text.get(8..10).and_then(|day| day.parse().ok()).unwrap_or(1);
    Timestamp::from_millis((day - (of_month - 1)) * DAY_MS)
}

/// The day (UTC) of a team's first event.
///
/// # Errors
/// Those of the store.
pub async fn first_day(store: &Store, team_id: i64) -> Result<Option<Timestamp>> {
    let hour = store.read(move |tx| usage::first_hour(tx, team_id)).await?;
    Ok(hour.map(day_of))
}

/// When the day (UTC) of an hour begins.
fn day_of(hour: i64) -> Timestamp {
    Timestamp::from_millis((hour * HOUR_MS).div_euclid(DAY_MS) * DAY_MS)
}

/// Events of a team on each day of a time, in order, by full hours; days without are absent.
///
/// # Errors
/// Those of the store.
pub async fn by_day(
    store: &Store,
    team_id: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, i64)>> {
    // An hour that has begun counts.
    let (from, to) = (usage::hour(from), usage::hour(to.plus_millis(HOUR_MS - 1)));
    let hours = store.read(move |tx| usage::by_hour(tx, team_id, from, to)).await?;
    let mut days: Vec<(Timestamp, i64)> = Vec::new();
    for (hour, events) in hours {
        let day = day_of(hour);
        match days.last_mut() {
            Some((last, sum)) if *last == day => *sum += events,
            _ => days.push((day, events)),
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_day() {
        let cases = [
            ("2026-11-23T20:15:00.123Z", "2026-11-01T00:00:00.000Z"),
            ("2026-03-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"),
            ("2024-02-29T23:59:59.999Z", "2024-02-01T00:00:00.000Z"),
        ];
        for (now, expected) in cases {
            let start = Timestamp::parse(now).map(month_start).map(|start| start.to_string());
            assert_eq!(start.as_deref(), Some(expected), "{now}");
        }
    }
}
