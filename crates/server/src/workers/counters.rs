//! Builds the past of counters that are new, or that have changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::ops::counters::build::Builder;
use crate::shutdown::Shutdown;
use crate::store::log_failure;

/// How often there is a look for something to do.
const IDLE: Duration = Duration::from_millis(1_000);
/// Between two pages, so that what is new comes first.
const PAUSE: Duration = Duration::from_millis(20);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let mut carried = None;
    loop {
        let builder = Builder {
            store: &app.store,
            long_reads: &app.long_reads,
            kept: &app.kept,
            hasher: app.key_hasher,
        };
        let wait = match builder.work(&mut carried, app.clock.now()).await {
            Ok(true) => PAUSE,
            Ok(false) => IDLE,
            Err(error) => {
                log_failure!(error, "the past of a counter could not be built; trying again");
                IDLE
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = shutdown.begun() => return,
        }
    }
}
