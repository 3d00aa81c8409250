//! One attempt: sign, send, and say what came of it.

use std::sync::Arc;

use dregs_core::time::Timestamp;

use super::record::{self, Done};
use crate::app::App;
use crate::channels::outcome::Outcome;
use crate::channels::webhook::Attempt;
use crate::clock::monotonic;
use crate::failpoint;
use crate::ops::channels::Endpoint;
use crate::ops::handoff::Outgoing;
use crate::store::attempts::{AttemptRecord, Detail, Trigger};
use crate::store::codec;
use crate::store::deliveries::Status;

/// Makes an attempt and has it recorded; the answer is the channel and the delivery.
pub async fn run(
    app: Arc<App>,
    endpoint: Arc<Endpoint>,
    outgoing: Outgoing,
    records: record::Sender,
) -> (i64, i64) {
    let ids = (outgoing.channel_id, outgoing.delivery_id);
    let mut done = make(&app, &endpoint, &outgoing).await;
    failpoint::reach("deliver.sent");
    done.watcher = outgoing.watcher;
    records.send(done);
    ids
}

/// Sends the message of a delivery once.
pub async fn make(app: &App, endpoint: &Endpoint, outgoing: &Outgoing) -> Done {
    let started_at = app.clock.now();
    let begun = monotonic();
    let attempt = Attempt {
        message: &outgoing.message,
        channel_id: outgoing.channel_id,
        delivery_id: outgoing.delivery_id,
        timestamp: started_at,
        default_deadline: app.deadline(),
    };
    let request = endpoint.webhook.request(&attempt, &endpoint.secrets_at(started_at));
    let payload_size = request.body.len();
    let outcome = app.http.post(request).await;
    let elapsed = begun.elapsed();
    observe(&outcome, &outgoing.message.occurred_at, app.clock.now(), elapsed);
    let facts = Facts {
        started_at,
        duration_ms: i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX),
        payload_size: i64::try_from(payload_size).unwrap_or(i64::MAX),
        custom_headers: endpoint.webhook.custom_header_names(),
    };
    Done { record: facts.record(app, outgoing, outcome), watcher: None }
}

struct Facts {
    started_at: Timestamp,
    duration_ms: i64,
    payload_size: i64,
    custom_headers: Vec<String>,
}

impl Facts {
    fn record(self, app: &App, outgoing: &Outgoing, outcome: Outcome) -> AttemptRecord {
        let finished_at = self.started_at.plus_millis(self.duration_ms);
        let http_status = outcome.response.as_ref().map(|response| response.status);
        let (delivery_status, next_attempt_at) = match &outcome.error {
            None => (Status::Delivered, None),
            // Somebody waits for the outcome of a test and sees it; there is nothing to repeat.
            Some(_) if outgoing.trigger == Trigger::Test => (Status::Failed, None),
            Some(_) => {
                let seed = outgoing.delivery_id.unsigned_abs();
                let failures = outgoing.failures + 1;
                match app.retries.next_attempt_at(failures, finished_at, outcome.retry_after_seconds, seed) {
                    Some(next) => (Status::Pending, Some(next)),
                    None => (Status::Failed, None),
                }
            }
        };
        let (response_headers, response_body) = outcome
            .response
            .map(|response| (response.headers, String::from_utf8_lossy(&response.body).into_owned()))
            .unwrap_or_default();
        let detail =
            Detail { http_status, response_headers, response_body, custom_headers: self.custom_headers };
        let (error_class, error_message) =
            outcome.error.map(|error| (error.class.code(), error.message)).unzip();
        AttemptRecord {
            delivery_id: outgoing.delivery_id,
            trigger: outgoing.trigger,
            started_at: self.started_at,
            duration_ms: self.duration_ms,
            http_status: http_status.map(i64::from),
            payload_size: self.payload_size,
            error_class,
            error_message,
            remote_address: outcome.remote_address.map(|address| address.to_string()),
            // A detail that cannot be packed is no reason to forget the attempt.
            detail: codec::pack(&detail).unwrap_or_default(),
            delivery_status,
            completed_at: next_attempt_at.is_none().then_some(finished_at),
            next_attempt_at,
        }
    }
}

fn observe(outcome: &Outcome, occurred_at: &Timestamp, now: Timestamp, elapsed: std::time::Duration) {
    let result = outcome.error.as_ref().map_or("delivered", |error| error.class.code());
    metrics::counter!("dregs_attempts_total", "outcome" => result).increment(1);
    metrics::histogram!("dregs_attempt_seconds").record(elapsed);
    let since = u32::try_from(now.millis_since(*occurred_at).max(0)).unwrap_or(u32::MAX);
    metrics::histogram!("dregs_delivery_age_seconds").record(f64::from(since) / 1_000.0);
}
