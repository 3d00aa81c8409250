//! Running a server: which thread does what, and how it ends.

use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use crate::app::{App, Inboxes};
use crate::ops::handoff::{Due, Outgoing};
use crate::ops::ingest;
use crate::shutdown::{self, Shutdown};
use crate::{http, workers};

/// What is under way when the server is told to stop has this long to finish.
pub const DRAIN_MS: u64 = 30_000;
/// How often channels and credentials are read again, for changes made by other processes.
const RELOAD_MS: u64 = 1_000;

/// Why serving ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves until `stop` resolves, then finishes what is under way. HTTP and ingest run on the
/// caller's runtime, evaluation and delivery on a thread of their own, the store on its threads:
/// of the layouts that were measured on two cores, the fastest.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    app: Arc<App>,
    inboxes: Inboxes,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (trigger, shutdown) = shutdown::channel();
    let Inboxes { submissions, evaluations, deliveries } = inboxes;
    let ingest = tokio::spawn(ingest::run(Arc::clone(&app), submissions));
    let workers = start_workers(Arc::clone(&app), evaluations, deliveries, shutdown.clone())?;

    let mut http_stop = shutdown.clone();
    // Answers are small and somebody waits for each.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let router = http::router(Arc::clone(&app)).into_make_service_with_connect_info::<std::net::SocketAddr>();
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(async move { http_stop.begun().await });
    let stopping = async {
        stop.await;
        tracing::info!("stopping: finishing what is under way");
        app.stop();
        trigger.begin();
        // Connections that stay open without a request must not keep the server.
        tokio::time::sleep(Duration::from_millis(DRAIN_MS)).await;
    };
    tokio::select! {
        served = serving.into_future() => served?,
        () = stopping => tracing::warn!("requests were still under way after {DRAIN_MS} ms"),
    }
    trigger.begin();
    ingest.abort();
    let finished = tokio::task::spawn_blocking(move || workers.join());
    if timeout(Duration::from_millis(DRAIN_MS), finished).await.is_err() {
        tracing::warn!("attempts were still under way after {DRAIN_MS} ms; the next start makes them again");
    }
    Ok(())
}

fn start_workers(
    app: Arc<App>,
    evaluations: mpsc::UnboundedReceiver<Due>,
    deliveries: mpsc::UnboundedReceiver<Outgoing>,
    shutdown: Shutdown,
) -> std::io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("workers".into()).spawn(move || {
        runtime.block_on(async {
            // Delivery goes on until evaluation hands on nothing more.
            let (evaluated, all_evaluated) = shutdown::channel();
            let evaluate = async {
                workers::evaluate::run(Arc::clone(&app), evaluations, shutdown.clone()).await;
                evaluated.begin();
            };
            tokio::join!(
                evaluate,
                workers::deliver::run(Arc::clone(&app), deliveries, all_evaluated),
                reload(Arc::clone(&app), shutdown.clone()),
            );
        });
    })
}

async fn reload(app: Arc<App>, mut shutdown: Shutdown) {
    let mut tick = interval(Duration::from_millis(RELOAD_MS));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = shutdown.begun() => return,
        }
        let reloaded = match app.reload_channels().await {
            Ok(()) => app.credentials.reload(&app.store).await,
            Err(error) => Err(error),
        };
        if let Err(error) = reloaded {
            tracing::error!(%error, "channels and credentials could not be read again");
        }
    }
}
