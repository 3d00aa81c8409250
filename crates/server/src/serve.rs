//! Running a server: which thread does what, and how it ends.

use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep, timeout_at};

use crate::app::{App, Inboxes};
use crate::http;
use crate::ops::handoff::Outgoing;
use crate::runtime;
use crate::shutdown::{self, Shutdown};
use crate::store::claims::Due;
use crate::store::log_failure;
use crate::trace::Exporter;
use crate::workers;

/// What is under way when the server is told to stop has this long to finish.
pub const DRAIN_MS: u64 = 30_000;
/// How often channels and credentials are read again, for changes made by other processes.
const RELOAD_MS: u64 = 1_000;

/// Why serving ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    /// Whether what was written is on the disk, nobody knows; the next start sees to it.
    #[error("the disk has failed to sync the database: look at its health, then start again ({0})")]
    Disk(String),
}

/// Serves until `stop` resolves, then finishes what is under way. HTTP and ingest run on the
/// caller's runtime, evaluation and delivery on a thread of their own, the store on its threads:
/// of the layouts that were measured on two cores, the fastest.
///
/// # Errors
/// When the listener fails, or the disk.
pub async fn serve(
    app: Arc<App>,
    inboxes: Inboxes,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (http_trigger, http_shutdown) = shutdown::channel();
    let (worker_trigger, worker_shutdown) = shutdown::channel();
    let Inboxes { submissions, evaluations, deliveries, spans } = inboxes;
    let ingest = tokio::spawn(http::Timed::new(app.ingest_writer().run(submissions)));
    let workers = start_workers(Arc::clone(&app), (evaluations, deliveries, spans), worker_shutdown)?;

    let serving = http::serve(Arc::clone(&app), listener, http_shutdown);
    let mut stopped_at = Instant::now();
    let mut failed = None;
    let stopping = async {
        tokio::select! {
            () = stop => tracing::info!("stopping: finishing what is under way"),
            reason = app.store.end_of_writes() => {
                tracing::error!(reason, "stopping: the disk has failed to sync the database");
                failed = Some(reason);
            }
        }
        stopped_at = Instant::now();
        app.stop();
        http_trigger.begin();
        // Requests that take longer must not keep the server.
        sleep(Duration::from_millis(DRAIN_MS)).await;
    };
    // One after the other, as the data flows: requests, then evaluation, then delivery.
    tokio::select! {
        () = serving => {}
        () = stopping => tracing::warn!("requests were still under way after {DRAIN_MS} ms"),
    }
    ingest.abort();
    worker_trigger.begin();
    let finished = tokio::task::spawn_blocking(move || workers.join());
    if timeout_at(stopped_at + Duration::from_millis(DRAIN_MS), finished).await.is_err() {
        tracing::warn!("attempts were still under way after {DRAIN_MS} ms; the next start makes them again");
    }
    workers::nodes::leave(&app).await;
    failed.map_or(Ok(()), |reason| Err(ServeError::Disk(reason)))
}

fn start_workers(
    app: Arc<App>,
    (evaluations, deliveries, spans): (
        mpsc::UnboundedReceiver<Due>,
        mpsc::UnboundedReceiver<Outgoing>,
        Option<Exporter>,
    ),
    shutdown: Shutdown,
) -> std::io::Result<thread::JoinHandle<()>> {
    let runtime = runtime::of_thread()?;
    let (delivery_trigger, delivery_shutdown) = shutdown::channel();
    let (export_trigger, export_shutdown) = shutdown::channel();
    thread::Builder::new().name("workers".into()).spawn(move || {
        runtime.block_on(async {
            let roles = app.config.roles;
            let work = async {
                tokio::join!(
                    async {
                        if roles.evaluate {
                            background(&app, evaluations, &shutdown).await;
                        }
                        shutdown.clone().begun().await;
                        // Only now is nothing more handed on to delivery.
                        delivery_trigger.begin();
                    },
                    // Of a node without that role it makes the tests that somebody waits for.
                    async {
                        workers::deliver::run(Arc::clone(&app), deliveries, delivery_shutdown).await;
                        // Only now is everything told that has happened.
                        export_trigger.begin();
                    },
                    async {
                        if let Some(exporter) = spans {
                            exporter.run(export_shutdown).await;
                        }
                    },
                    workers::live::run(Arc::clone(&app), shutdown.clone()),
                    workers::decisions::run(Arc::clone(&app), shutdown.clone()),
                    workers::agent_keys::run(Arc::clone(&app), shutdown.clone()),
                    reload(Arc::clone(&app), shutdown.clone()),
                );
            };
            // Until the last has ended: what is under way is this node's.
            tokio::select! {
                () = workers::nodes::run(&app) => {}
                () = work => {}
            }
        });
    })
}

/// What a node with the role evaluate does.
async fn background(app: &Arc<App>, evaluations: mpsc::UnboundedReceiver<Due>, shutdown: &Shutdown) {
    tokio::join!(
        workers::evaluate::run(Arc::clone(app), evaluations, shutdown.clone()),
        workers::rescore::run(Arc::clone(app), shutdown.clone()),
        workers::counters::run(Arc::clone(app), shutdown.clone()),
        workers::evaluate::decide::run(Arc::clone(app), shutdown.clone()),
        workers::review::run(Arc::clone(app), shutdown.clone()),
        workers::retention::run(Arc::clone(app), shutdown.clone()),
        workers::teams::run(Arc::clone(app), shutdown.clone()),
        workers::jumps::run(Arc::clone(app), shutdown.clone()),
        workers::bulk_changes::run(Arc::clone(app), shutdown.clone()),
    );
}

async fn reload(app: Arc<App>, mut shutdown: Shutdown) {
    let mut tick = interval(Duration::from_millis(RELOAD_MS));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = shutdown.begun() => return,
        }
        if app.store.is_failing() {
            // What the store tells of; a write that goes well ends the outage.
            let _ = app.store.check_ready().await;
        }
        if let Err(error) = app.reload().await {
            log_failure!(error, "what is kept in memory could not be read again");
        }
    }
}
