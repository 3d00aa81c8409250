//! Writing down what attempts came to, several in one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::failpoint::{self, Failpoint};
use crate::ops::deliver::health;
use crate::store::attempts::AttemptRecord;
use crate::store::{Result, Tx, deliveries, log_failure};

/// Records written in one commit.
const COMMIT_MAX_RECORDS: usize = 128;
/// Pause before a commit that failed is tried again: an attempt that was made must not be
/// forgotten while there is hope of writing it down.
const RETRY_PAUSE_MS: u64 = 500;

/// An attempt that was made, and the one before it, where it was made again at once.
pub struct Done {
    pub before: Option<AttemptRecord>,
    pub record: AttemptRecord,
    pub watcher: Option<oneshot::Sender<AttemptRecord>>,
}

/// The way to the recorder.
#[derive(Clone)]
pub struct Sender {
    sender: mpsc::UnboundedSender<Done>,
    waiting: Arc<AtomicUsize>,
}

impl Sender {
    pub fn send(&self, done: Done) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The recorder outlives every sender.
        let _ = self.sender.send(done);
    }

    /// Attempts that are made and not yet recorded.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Starts the recorder, which ends when the last sender is gone and all is written.
pub fn start(app: Arc<App>) -> (Sender, JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&waiting);
    let task = tokio::spawn(async move {
        let mut batch = Vec::with_capacity(COMMIT_MAX_RECORDS);
        while receiver.recv_many(&mut batch, COMMIT_MAX_RECORDS).await > 0 {
            let count = batch.len();
            if let Err(error) = write(&app, std::mem::take(&mut batch)).await {
                log_failure!(error, attempts = count, "attempts could not be recorded");
            }
            counter.fetch_sub(count, Ordering::Relaxed);
        }
    });
    (Sender { sender, waiting }, task)
}

/// Writes attempts down, again and again while the store cannot be reached, and tells whoever
/// waits for them.
///
/// # Errors
/// Those of the store that trying again does not help.
pub async fn write(app: &App, done: Vec<Done>) -> Result<()> {
    let of = |done: Done| {
        let last = (done.record, done.watcher);
        done.before.map(|before| (before, None)).into_iter().chain([last])
    };
    let (records, watchers): (Vec<_>, Vec<_>) = done.into_iter().flat_map(of).unzip();
    let signs = Arc::new(health::signs(&app.health, &records));
    let disable_after_ms = health::disable_after_ms(app.config.disable_after_hours);
    let records = Arc::new(records);
    let judged = loop {
        let (written, signs, now) = (Arc::clone(&records), Arc::clone(&signs), app.clock.now());
        let write = move |tx: &mut Tx| {
            deliveries::record(tx, &written)?;
            health::judge(tx, &signs, disable_after_ms, now)
        };
        match app.store.write(write).await {
            Ok(judged) => break judged,
            Err(error) if error.is_outage() && !app.is_stopping() => {
                tracing::debug!(%error, "attempts could not be recorded; trying again");
                tokio::time::sleep(Duration::from_millis(RETRY_PAUSE_MS)).await;
            }
            Err(error) => return Err(error),
        }
    };
    judged.apply(&app.health, &app.kept, &app.deliveries, app.clock.now()).await?;
    // The next of an identity may have waited for this one.
    for record in records.iter() {
        if app.kept.channels.get(record.channel_id).is_some_and(|endpoint| endpoint.sender.is_by_identity()) {
            app.deliveries.spill(record.channel_id);
        }
    }
    failpoint::reach(Failpoint::DeliverRecorded);
    for (record, watcher) in records.iter().zip(watchers) {
        if let Some(watcher) = watcher {
            // Whoever asked may have gone away.
            let _ = watcher.send(record.clone());
        }
    }
    Ok(())
}
