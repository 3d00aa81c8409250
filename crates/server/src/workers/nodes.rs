//! Says that this node lives, and takes over from those that do not.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;
use crate::ops::installation::nodes::BEAT_MS;
use crate::store::log_failure;

/// How long a node that stops waits for the database.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// Works until it is dropped.
pub async fn run(app: &App) {
    let mut tick = interval(Duration::from_millis(BEAT_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let channel_ids = app.kept.channels.enabled();
        if let Err(error) = app.node.beat(&app.store, &channel_ids, app.clock.now()).await {
            log_failure!(error, "this node could not say that it lives; trying again");
        }
    }
}

/// Leaves what this node has not finished to others.
pub async fn leave(app: &App) {
    let leaving = app.node.leave(&app.store, app.kept.channels.enabled(), app.clock.now());
    if let Ok(Err(error)) = timeout(LEAVE_MAX, leaving).await {
        log_failure!(error, "this node could not say that it ends; it is found dead");
    }
}
