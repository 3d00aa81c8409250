//! Removes what is left of teams that were deleted.

use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::Timestamp;
use tokio::time::sleep;

use crate::app::App;
use crate::shutdown::Shutdown;
use crate::store::{Result, erasure, log_failure, retention, team_deletion};
use crate::workers::pace::Pace;

/// How often there is a look for something to do.
const IDLE: Duration = Duration::from_millis(1_000);
/// By then every node knows that the team's keys are gone, and what was under way is written.
const CLOSED_MS: i64 = 5_000;
/// Rows looked at in one transaction that only reads.
const PAGE_ROWS: i64 = 10_000;

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let mut pace = Pace::default();
    loop {
        let work = async {
            if let Err(error) = work(&app, &mut pace).await {
                log_failure!(error, "a deleted team could not be removed; trying again");
            }
            sleep(IDLE).await;
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}

async fn work(app: &App, pace: &mut Pace) -> Result<()> {
    let until = app.clock.now().plus_millis(-CLOSED_MS);
    for team_id in app.store.read(move |tx| team_deletion::closed(tx, until)).await? {
        remove(app, pace, team_id).await?;
    }
    Ok(())
}

async fn remove(app: &App, pace: &mut Pace, team_id: i64) -> Result<()> {
    let mut rows = 0;
    loop {
        let limit = pace.rows as i64;
        match pace.run(app, move |tx| team_deletion::remove_some(tx, team_id, limit)).await? {
            0 => break,
            removed => rows += removed,
        }
    }
    remove_notifications(app, pace, team_id).await?;
    app.store.write(move |tx| team_deletion::finish(tx, team_id)).await?;
    while app.store.write(erasure::overwrite_some).await? {}
    app.store.empty_log().await?;
    tracing::info!(team = team_id, rows, "what a deleted team had is removed");
    Ok(())
}

/// Those that tell of nobody are found by no index: they are looked for among all.
async fn remove_notifications(app: &App, pace: &mut Pace, team_id: i64) -> Result<()> {
    // Nobody asks whether a delivery needs them.
    let (mut after, young) = (0, Timestamp::from_millis(i64::MIN));
    loop {
        let page = app.long_reads.read(move |tx| retention::notifications_after(tx, after, PAGE_ROWS, young));
        let page = page.await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let own: Vec<_> = page.iter().filter(|row| row.team_id == team_id).map(|row| row.id).collect();
        for rows in own.chunks(pace.rows.max(1)).map(<[_]>::to_vec) {
            pace.run(app, move |tx| retention::remove_notifications(tx, &rows)).await?;
        }
    }
}
