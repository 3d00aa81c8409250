//! Carries out changes of many escalations, and undoes them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::ops::decide::bulk_changes;
use crate::shutdown::Shutdown;
use crate::store::log_failure;

/// How often there is a look for what another process has left behind.
const POLL: Duration = Duration::from_millis(1_000);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    loop {
        let work = async {
            match bulk_changes::work(&app.labels(), app.clock.now()).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => log_failure!(error, "a bulk change could not be carried out; trying again"),
            }
            tokio::select! {
                () = sleep(POLL) => {}
                () = app.bulk_changes.notified() => {}
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}
