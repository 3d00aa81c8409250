//! Has the past scored again after what its names or values mean has changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::ops::evaluate::rescore;
use crate::shutdown::Shutdown;
use crate::store::log_failure;

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
        let wait =
            match rescore::work(&app.store, &app.kept.mappings, &app.evaluations, app.clock.now()).await {
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
