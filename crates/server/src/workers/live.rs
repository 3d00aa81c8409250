//! Looks at the store for those who listen, as long as somebody does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::ops::live;
use crate::shutdown::Shutdown;
use crate::store::log_failure;

/// Between two looks, and so between two messages.
const PAUSE: Duration = Duration::from_millis(500);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let mut watch = None;
    loop {
        let work = async {
            let (credentials, now) = (&app.kept.credentials, app.clock.now());
            match live::look(&app.store, &app.live, credentials, &mut watch, now).await {
                Ok(true) => sleep(PAUSE).await,
                Ok(false) => app.live.came().await,
                Err(error) => {
                    log_failure!(error, "those who listen could not be told what has changed; trying again");
                    sleep(PAUSE).await;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}
