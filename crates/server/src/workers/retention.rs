//! Removes what has been kept long enough, in transactions so short, and with such pauses, that nobody notices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::{DAY_MS, Timestamp};
use tokio::time::sleep;

use crate::app::App;
use crate::ops::oauth;
use crate::ops::retention::{self, Batch, Periods, Walk};
use crate::shutdown::Shutdown;
use crate::store::retention::{Kind, Old};
use crate::store::{Result, Tx, counter_states, log_failure};
use crate::workers::pace::Pace;

/// How often the clock is looked at.
const IDLE: Duration = Duration::from_millis(1_000);
/// Passes after which the whole of the past is looked at again, for rows that were needed when they were passed by.
const PASSES_TO_RESTART: u32 = 24;
/// States of counters that are looked at in one transaction.
const COUNTER_STATES_PAGE: i64 = 2_000;
/// Rows of which one line in the log is made.
const WORTH_TELLING_ROWS: u64 = 1_000;

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let mut worker = Worker::new();
    loop {
        let work = async {
            if let Err(error) = worker.work(&app).await {
                log_failure!(error, "what has been kept long enough could not be removed; trying again");
            }
            sleep(IDLE).await;
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}

struct Worker {
    next_at: Timestamp,
    passes: u32,
    pace: Pace,
    /// By walk and days: the teams that keep rows for so long, and the last row of those that are gone.
    marks: BTreeMap<(Walk, i64), (BTreeSet<i64>, i64)>,
}

impl Worker {
    fn new() -> Self {
        Self { next_at: Timestamp::default(), passes: 0, pace: Pace::default(), marks: BTreeMap::new() }
    }

    /// Makes a pass when one is due and no other node makes it.
    async fn work(&mut self, app: &App) -> Result<()> {
        if app.clock.now() < self.next_at {
            return Ok(());
        }
        let (is_ours, next_at) = retention::claim(&app.store, app.clock.now()).await?;
        self.next_at = next_at;
        if !is_ours {
            return Ok(());
        }
        let began = app.clock.now();
        self.passes += 1;
        if self.passes.is_multiple_of(PASSES_TO_RESTART) {
            self.marks.clear();
        }
        app.store.write(move |tx| oauth::sweep(tx, began)).await?;
        self.counters(app).await?;
        let teams = app.store.read(retention::of_teams).await?;
        let mut removed = self.deliveries(app, &teams).await?;
        for walk in Walk::ALL {
            for (days, teams) in by_days(&teams, walk.kind()) {
                removed += self.walk(app, walk, days, teams).await?;
            }
            behind(walk.kind(), None);
        }
        retention::finish(&app.store, began).await?;
        if removed >= WORTH_TELLING_ROWS {
            tracing::info!(rows = removed, "rows that had been kept long enough were removed");
        }
        Ok(())
    }

    async fn deliveries(&mut self, app: &App, teams: &BTreeMap<i64, Periods>) -> Result<u64> {
        let (now, mut removed) = (app.clock.now(), 0);
        for (team_id, periods) in teams {
            let Some(cutoff) = periods.cutoff(Kind::Deliveries, now) else { continue };
            loop {
                let (team_id, limit) = (*team_id, self.pace.rows as i64);
                let batch = move |tx: &mut Tx| retention::deliveries(tx, team_id, cutoff, limit);
                let (count, oldest) = self.pace.run(app, batch).await?;
                removed += count;
                counted("deliveries", count);
                behind(Kind::Deliveries, oldest.map(|oldest| (cutoff, oldest)));
                if count == 0 {
                    break;
                }
            }
        }
        Ok(removed)
    }

    /// Removes what counters have counted of keys that were in no event for longer than a window.
    async fn counters(&mut self, app: &App) -> Result<()> {
        let (now, mut after) = (app.clock.now(), (i64::MIN, i64::MIN));
        loop {
            let page =
                app.store.read(move |tx| counter_states::after(tx, after, COUNTER_STATES_PAGE)).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            let old: Vec<_> = page.iter().filter(|(_, end)| *end <= now).map(|(key, _)| *key).collect();
            let mut left = old.as_slice();
            while !left.is_empty() {
                let (keys, rest) = left.split_at(self.pace.rows.min(left.len()));
                left = rest;
                let keys = keys.to_vec();
                self.pace.run(app, move |tx| counter_states::remove_expired(tx, &keys, now)).await?;
            }
        }
    }

    /// Removes what has been kept for so many days, of all teams that keep it for so long.
    async fn walk(&mut self, app: &App, walk: Walk, days: i64, teams: BTreeSet<i64>) -> Result<u64> {
        let cutoff = app.clock.now().plus_millis(-days * DAY_MS);
        let mark = self.marks.remove(&(walk, days)).filter(|(of, _)| *of == teams);
        let (mut after, mut removed) = (mark.map_or(0, |(_, after)| after), 0);
        let of_teams = teams.clone();
        let needed = match walk {
            Walk::Analyses => app.store.read(move |tx| retention::needed(tx, &of_teams)).await?,
            _ => BTreeSet::new(),
        };
        loop {
            let of_teams = teams.clone();
            let page = app.store.read(move |tx| retention::page(tx, walk, &of_teams, cutoff, after)).await?;
            let goes = |old: &&Old| old.identity_id.is_none_or(|id| !needed.contains(&id));
            let old: Vec<_> = page.old.iter().filter(goes).copied().collect();
            let mut left = &old[..];
            while !left.is_empty() {
                let (rows, rest) = left.split_at(self.pace.rows.min(left.len()));
                left = rest;
                behind(walk.kind(), rows.first().map(|oldest| (cutoff, oldest.at)));
                let batch = Batch::new(&app.kept.names, walk, rows);
                let count = self.pace.run(app, move |tx| retention::remove(tx, &batch)).await?;
                removed += count;
                counted(walk.name(), count);
            }
            after = page.after;
            if page.is_last {
                break;
            }
        }
        self.marks.insert((walk, days), (teams, after));
        Ok(removed)
    }
}

/// The teams that keep rows of a kind for a time, by how many days.
fn by_days(teams: &BTreeMap<i64, Periods>, kind: Kind) -> BTreeMap<i64, BTreeSet<i64>> {
    let mut by_days: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for (team_id, periods) in teams {
        if let Some(days) = periods.days(kind) {
            by_days.entry(days).or_default().insert(*team_id);
        }
    }
    by_days
}

fn counted(kind: &'static str, count: u64) {
    metrics::counter!("dregs_retention_rows_removed_total", "kind" => kind).increment(count);
}

/// How much longer than it was to be the oldest row has been kept, by the end of the period and the row's time.
fn behind(kind: Kind, oldest: Option<(Timestamp, Timestamp)>) {
    let millis = oldest.map_or(0, |(cutoff, oldest)| cutoff.millis_since(oldest).max(0));
    metrics::gauge!("dregs_retention_behind_seconds", "kind" => kind.name()).set(millis as f64 / 1_000.0);
}
