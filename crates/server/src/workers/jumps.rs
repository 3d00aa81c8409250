//! Looks once an hour whether rules match far more often than they did, and draws some at random once a week.

use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::{HOUR_MS, Timestamp};
use tokio::time::sleep;

use crate::app::App;
use crate::ops::decide::{draws, jumps};
use crate::shutdown::Shutdown;
use crate::store::{Result, log_failure};

/// How often the clock is looked at.
const POLL: Duration = Duration::from_secs(1);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let mut next_at = Timestamp::default();
    loop {
        let work = async {
            let now = app.clock.now();
            if now >= next_at {
                match look(&app, now).await {
                    Ok(()) => {
                        next_at = now.plus_millis(HOUR_MS - now.as_millis().rem_euclid(HOUR_MS));
                    }
                    Err(error) => {
                        log_failure!(error, "the rates of rules could not be looked at; trying again")
                    }
                }
            }
            sleep(POLL).await;
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}

async fn look(app: &App, now: Timestamp) -> Result<()> {
    let found = app.long_reads.read(move |tx| jumps::look(tx, now)).await?;
    let told = app.store.write(move |tx| jumps::tell(tx, &found, now)).await?;
    told.into_iter().for_each(|channel| app.deliveries.spill(channel));
    draws::draw(&app.store, &app.long_reads, &app.rosters, app.config.draw_per_week, now).await
}
