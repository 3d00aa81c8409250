//! Tells those who wait for a decision how their identities stand: at once whom this node has scored, and by a look into
//! the store whom other nodes have.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::app::App;
use crate::ops::decide::awaited::Whom;
use crate::shutdown::Shutdown;
use crate::store::log_failure;

/// How often the store is asked while somebody waits. What this node scores is told without: this finds what was scored
/// while it was being noted who waits.
const POLL_MS: u64 = 100;
/// The same, where other nodes may score. One read of a few milliseconds at most.
const POLL_COMPANY_MS: u64 = 10;
/// After a read that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let mut poll = Instant::now();
    loop {
        tokio::select! {
            () = step(&app, &mut poll) => {}
            () = shutdown.begun() => return,
        }
    }
}

async fn step(app: &App, poll: &mut Instant) {
    let is_waiting = app.awaited.waiters() > 0;
    let whom = tokio::select! {
        () = app.awaited.changed() => Whom::Scored,
        () = sleep_until(*poll), if is_waiting => Whom::All,
    };
    // The first who waits has just come, or a look is over.
    if !is_waiting || whom == Whom::All {
        let is_alone = app.config.roles.evaluate && !app.node.has_company();
        let millis = if is_alone { POLL_MS } else { POLL_COMPANY_MS };
        *poll = Instant::now() + Duration::from_millis(millis);
    }
    let (rules, now) = (app.kept.rules.current(), app.clock.now());
    if let Err(error) = app.awaited.look(whom, &app.store, rules, now).await {
        log_failure!(error, "those who wait for decisions could not be told; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}
