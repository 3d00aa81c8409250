//! Evaluate: identities that have changed are scored, and one commit writes the scores and the
//! deliveries they cause.

mod cycle;
pub mod decide;
mod schedule;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::app::App;
use crate::clock::{monotonic, unix_nanos};
use crate::failpoint::{self, Failpoint};
use crate::shutdown::Shutdown;
use crate::store::claims::{Due, EVALUATION_LEASE_MS};
use crate::store::marks;
use crate::store::{Location, Result, StoreError, Tx, identities, log_failure};

/// Identities scored in one transaction.
const BATCH_MAX_IDENTITIES: usize = 64;
/// Batches under way at once: while one is committed, the next is read and scored.
const BATCHES_MAX: usize = 2;
/// Identities claimed at once. Others who come meanwhile find places, or they would have to be claimed in their turn.
const CLAIM_MAX: usize = 1_024;
/// How often the store is asked for what nobody handed on: crash recovery, other nodes, spills.
const POLL_MS: u64 = 500;
/// Identities marked at once of those that were passed over.
const MARKED_MAX: i64 = 256;
/// The same, where others than this node store events.
const POLL_DIVIDED_MS: u64 = 100;
/// Nobody is planned further ahead than the least time between two cycles and this.
const AHEAD_MAX_MS: i64 = 1_000;
/// Between two tries of a batch while the database cannot be had, and for how long: then others claim it.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
const OUTAGE_MAX: Duration = Duration::from_millis(EVALUATION_LEASE_MS.unsigned_abs());

/// Scores what falls due until `shutdown`.
pub async fn run(app: Arc<App>, mut handed_on: mpsc::UnboundedReceiver<Due>, mut shutdown: Shutdown) {
    let mut schedule = schedule::Schedule::new(app.evaluations.min_cycle_ms + AHEAD_MAX_MS);
    let mut batches = JoinSet::new();
    let mut poll = Instant::now();
    loop {
        while let Ok(due) = handed_on.try_recv() {
            schedule.push(due);
        }
        while batches.len() < BATCHES_MAX {
            let batch = schedule.take_due(app.clock.now(), BATCH_MAX_IDENTITIES);
            if batch.is_empty() {
                break;
            }
            batches.spawn(evaluate(Arc::clone(&app), batch));
        }
        if let Some(free) = app.evaluations.take_spilled() {
            let places = free.min(CLAIM_MAX);
            app.evaluations.release(free - places);
            claim(&app, places, &mut schedule).await;
            continue;
        }
        let wait = schedule.next_in(app.clock.now()).filter(|_| batches.len() < BATCHES_MAX);
        tokio::select! {
            Some(due) = handed_on.recv() => schedule.push(due),
            Some(scored) = batches.join_next(), if !batches.is_empty() => match scored {
                Ok(identity_ids) => schedule.finished(&identity_ids),
                Err(_) => schedule.lost(),
            },
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            () = app.evaluations.spilled() => {}
            () = sleep_until(poll) => {
                let millis = if app.node.is_divided() { POLL_DIVIDED_MS } else { POLL_MS };
                poll = Instant::now() + Duration::from_millis(millis);
                app.evaluations.spill();
                mark_later(&app).await;
            }
            () = shutdown.begun() => break,
        }
    }
    while batches.join_next().await.is_some() {}
    while let Ok(due) = handed_on.try_recv() {
        schedule.push(due);
    }
    give_back(&app, schedule.into_rest()).await;
}

/// Ends the leases of identities that were taken and not scored.
async fn give_back(app: &App, rest: Vec<Due>) {
    if let Err(error) = app.store.write(move |tx| identities::give_back(tx, &rest)).await {
        log_failure!(error, "leases could not be given back; they end by themselves");
    }
}

/// Takes what is due in the store, as much as there are places for.
async fn claim(app: &Arc<App>, places: usize, schedule: &mut schedule::Schedule) {
    let now = app.clock.now();
    let claimed = claim_due(app, places).await.unwrap_or_else(|error| {
        log_failure!(error, "due identities could not be claimed");
        Vec::new()
    });
    app.evaluations.release(places - claimed.len());
    if claimed.len() == places {
        app.evaluations.spill();
    }
    for identity_id in claimed {
        schedule.push(Due { at: now, identity_id });
    }
}

/// Marks whom an event's commit has passed over, since another transaction held them. SQLite has one writer, which passes
/// over nobody.
async fn mark_later(app: &App) {
    if matches!(app.store.location(), Location::File(_)) {
        return;
    }
    let (now, min_cycle_ms) = (app.clock.now(), app.evaluations.min_cycle_ms);
    let mark = move |tx: &mut Tx| marks::mark_later(tx, now, min_cycle_ms, MARKED_MAX);
    if let Err(error) = app.store.write(mark).await {
        log_failure!(error, "identities could not be marked as changed; trying again");
    }
}

async fn claim_due(app: &App, limit: usize) -> Result<Vec<i64>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let now = app.clock.now();
    let lease_until = now.plus_millis(EVALUATION_LEASE_MS);
    let in_doubt = app.evaluations.in_doubt().take();
    let claim = move |tx: &mut Tx| {
        in_doubt.map(|span| identities::end_leases(tx, span, now)).transpose()?;
        identities::claim_due(tx, now, lease_until, limit)
    };
    let claimed = app.store.write(claim).await.inspect_err(|error| {
        in_doubt.inspect(|(first, last)| app.evaluations.in_doubt().note(*first, *last));
        app.evaluations.note_failed(now, error);
    })?;
    if !claimed.is_empty() {
        failpoint::reach(Failpoint::EvaluateClaimed);
    }
    Ok(claimed)
}

/// Scores a batch; if that fails, each of it alone, so that one identity does not stand in the way
/// of others. What fails alone stays leased, and is tried again when the lease ends. Answers whom it was about.
async fn evaluate(app: Arc<App>, batch: schedule::Batch) -> Vec<i64> {
    let begun = monotonic();
    let scored = loop {
        let scored = cycle::run(&app, &batch.identity_ids).await;
        // While the database cannot be had, one alone goes no better. When it can be had again, nobody else comes for
        // these before their lease ends.
        let is_outage = scored.as_ref().is_err_and(StoreError::is_outage);
        if !is_outage || app.is_stopping() || begun.elapsed() >= OUTAGE_MAX {
            break scored;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    };
    if scored.is_err_and(|error| !error.is_outage()) {
        for identity_id in &batch.identity_ids {
            let began_at = unix_nanos();
            if let Err(error) = cycle::run(&app, &[*identity_id]).await {
                cycle::failed(&app, *identity_id, began_at, &error).await;
            }
        }
    }
    app.evaluations.release(batch.places);
    batch.identity_ids
}
