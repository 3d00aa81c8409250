//! Health, readiness and metrics, for whatever runs the server.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use tokio::time::timeout;

use super::auth::{Monitor, Probe};
use super::connections::longest_poll;
use crate::app::App;
use crate::store::{deliveries, identities};

/// A store that takes longer than this to answer is not ready.
const READY_TIMEOUT_MS: u64 = 2_000;

/// Answers as soon as the server listens.
pub async fn healthz(_: Probe) -> &'static str {
    "ok\n"
}

/// Answers 200 when the store takes writes and its secrets can be read; it has been migrated before anything listens.
pub async fn readyz(_: Probe, State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let not_ready = |why| (StatusCode::SERVICE_UNAVAILABLE, why);
    if app.is_stopping() {
        return not_ready("not ready: the server is stopping\n");
    }
    if app.kept.key.is_replaced() {
        return not_ready(
            "not ready: the database was given another master key, and this server has to be started again with that \
             one; its log says more\n",
        );
    }
    match timeout(Duration::from_millis(READY_TIMEOUT_MS), app.store.check_ready()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(_)) => not_ready("not ready: the database takes no writes; the log of the server says why\n"),
        Err(_) => not_ready("not ready: the database does not answer\n"),
    }
}

/// Prometheus metrics. Queues are counted when they are asked for.
pub async fn metrics(_: Monitor, State(app): State<Arc<App>>) -> String {
    metrics::gauge!("dregs_poll_seconds_max").set(longest_poll().as_secs_f64());
    let state = |is_failing: bool| if is_failing { 0.0 } else { 1.0 };
    metrics::gauge!("dregs_store_available").set(state(app.store.is_failing()));
    for (role, count) in app.node.by_role() {
        metrics::gauge!("dregs_nodes", "role" => role).set(count as f64);
    }
    if let Some(log) = app.store.log_state() {
        let seconds = |lasted: Option<Duration>| lasted.unwrap_or_default().as_secs_f64();
        metrics::gauge!("dregs_store_log_bytes").set(log.bytes as f64);
        metrics::gauge!("dregs_store_log_blocked_seconds").set(seconds(log.blocked));
        metrics::gauge!("dregs_store_oldest_read_seconds").set(seconds(log.oldest_read));
    }
    let counted = app.store.read(|tx| Ok((identities::waiting(tx)?, deliveries::waiting(tx)?))).await;
    // What is known without the store is what is wanted when it cannot be had.
    let Ok(((cycles, oldest_cycle), (waiting, oldest))) = counted else { return app.metrics.render() };
    let now = app.clock.now();
    let age =
        |since: Option<Timestamp>| since.map_or(0, |since| now.millis_since(since).max(0)) as f64 / 1_000.0;
    metrics::gauge!("dregs_evaluation_queue_depth").set(cycles as f64);
    metrics::gauge!("dregs_evaluation_queue_age_seconds").set(age(oldest_cycle));
    metrics::gauge!("dregs_delivery_queue_depth").set(waiting as f64);
    metrics::gauge!("dregs_delivery_queue_age_seconds").set(age(oldest));
    metrics::gauge!("dregs_decisions_awaited").set(app.awaited.waiters() as f64);
    metrics::gauge!("dregs_evaluations_in_memory").set(app.evaluations.taken() as f64);
    metrics::gauge!("dregs_deliveries_in_memory").set(app.deliveries.taken() as f64);
    metrics::gauge!("dregs_store_writes_waiting").set(app.store.waiting_writes() as f64);
    app.metrics.render()
}
