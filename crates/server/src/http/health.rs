//! Health, readiness and metrics, for whatever runs the server.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use tokio::time::timeout;

use crate::app::App;
use crate::store::{deliveries, identities};

/// A store that takes longer than this to count is not ready.
const READY_TIMEOUT_MS: u64 = 2_000;

/// Answers as soon as the server listens.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers 200 when the store does; it has been migrated before anything listens.
pub async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let asked = app.store.read(crate::store::ping);
    match timeout(Duration::from_millis(READY_TIMEOUT_MS), asked).await {
        Ok(Ok(())) if !app.is_stopping() => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

/// Prometheus metrics. Queues are counted when they are asked for.
pub async fn metrics(State(app): State<Arc<App>>) -> Result<String, StatusCode> {
    let counted = app.store.read(|tx| Ok((identities::waiting(tx)?, deliveries::waiting(tx)?))).await;
    let ((cycles, oldest_cycle), (waiting, oldest)) = counted.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let now = app.clock.now();
    let age =
        |since: Option<Timestamp>| since.map_or(0, |since| now.millis_since(since).max(0)) as f64 / 1_000.0;
    metrics::gauge!("dregs_evaluation_queue_depth").set(cycles as f64);
    metrics::gauge!("dregs_evaluation_queue_age_seconds").set(age(oldest_cycle));
    metrics::gauge!("dregs_delivery_queue_depth").set(waiting as f64);
    metrics::gauge!("dregs_delivery_queue_age_seconds").set(age(oldest));
    metrics::gauge!("dregs_evaluations_in_memory").set(app.evaluations.taken() as f64);
    metrics::gauge!("dregs_deliveries_in_memory").set(app.deliveries.taken() as f64);
    metrics::gauge!("dregs_store_writes_waiting").set(app.store.waiting_writes() as f64);
    Ok(app.metrics.render())
}
