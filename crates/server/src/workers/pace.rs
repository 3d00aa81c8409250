//! Removing rows in transactions so short, and with such pauses, that nobody notices.

use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::clock::monotonic;
use crate::failpoint::{self, Failpoint};
use crate::store::{Result, Tx};

/// How many rows go in a transaction: so many that it holds the one writer of SQLite for about half of the time that
/// another may be made to wait for it.
pub struct Pace {
    pub rows: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: BATCH_MIN_ROWS * 4 }
    }
}

/// Half of 20 ms.
const HOLD: Duration = Duration::from_millis(10);
const BATCH_MIN_ROWS: usize = 8;
const BATCH_MAX_ROWS: usize = 500;
/// For each moment of work, so many of rest.
const REST: u32 = 2;

impl Pace {
    /// Runs one batch, learns from how long it took until after the commit, and rests.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run<R: Send + 'static>(
        &mut self,
        app: &App,
        batch: impl Fn(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (result, begun) = app
            .store
            .write(move |tx| {
                let begun = monotonic();
                batch(tx).map(|result| (result, begun))
            })
            .await?;
        let held = begun.elapsed();
        failpoint::reach(Failpoint::RetentionRemoved);
        metrics::histogram!("dregs_retention_batch_seconds").record(held);
        self.learn(held);
        sleep(held * REST).await;
        Ok(result)
    }

    fn learn(&mut self, held: Duration) {
        let fitting = self.rows as f64 * HOLD.as_secs_f64() / held.as_secs_f64().max(1e-6);
        // By half or double at most: one slow flush says little.
        let fitting = (fitting as usize).clamp(self.rows / 2, self.rows * 2);
        self.rows = fitting.clamp(BATCH_MIN_ROWS, BATCH_MAX_ROWS);
    }
}
