//! Has the past scored again after what its names or values mean has changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::ops::evaluate::rescore;
use crate::ops::team::lists;
use crate::shutdown::Shutdown;
use crate::store::{Result, log_failure};

/// How often there is a look for something to do.
const IDLE: Duration = Duration::from_millis(1_000);
/// Between two pieces of work, so that what is new comes first.
const PAUSE: Duration = Duration::from_millis(20);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    // What an erasure left behind when the process ended belongs to the past, too.
    if let Err(error) = app.eraser().resume().await {
        log_failure!(error, "an erasure could not be finished; the next start tries again");
    }
    loop {
        let wait = match work(&app).await {
            Ok(true) => PAUSE,
            Ok(false) => IDLE,
            Err(error) => {
                log_failure!(error, "the past could not be scored again; trying again");
                IDLE
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = shutdown.begun() => return,
        }
    }
}

/// Does a piece of what there is to do; `false` when there is nothing.
async fn work(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let has_tended = lists::tend(&app.store, now).await?;
    Ok(rescore::work(&app.store, &app.kept.mappings, &app.evaluations, now).await? || has_tended)
}
