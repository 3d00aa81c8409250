//! One attempt: make what is sent, send it, and say what came of it.

use std::sync::Arc;

use dregs_core::notify::notice::Notice;
use dregs_core::time::{SECOND_MS, Timestamp};
use tracing::Instrument as _;

use super::record::{self, Done};
use crate::app::App;
use crate::channels::email::Letter;
use crate::channels::outcome::{ErrorClass, Outcome, SendError, Verdict};
use crate::channels::send::{Prepared, Sending, Shown, Telling};
use crate::channels::webhook::Attempt;
use crate::clock::{monotonic, unix_nanos};
use crate::failpoint::{self, Failpoint};
use crate::ops::deliver::endpoints::Endpoint;
use crate::ops::deliver::notices;
use crate::ops::handoff::Outgoing;
use crate::store::attempts::{self, AttemptRecord, Detail, Sent, Sign, Trigger};
use crate::store::deliveries::Status;
use crate::store::{StoreError, codec};
use crate::trace::{Context, Kind, Span};

/// Makes an attempt for one delivery, or for several at once, and has it recorded; the answer is the channel
/// and the deliveries.
pub async fn run(
    app: Arc<App>,
    endpoint: Arc<Endpoint>,
    outgoing: Vec<Outgoing>,
    records: record::Sender,
) -> (i64, Vec<i64>) {
    let ids = outgoing.iter().map(|one| one.delivery_id).collect();
    let mut outgoing = outgoing;
    let mut made = make_traced(&app, &endpoint, &mut outgoing, Connections::Any).await;
    failpoint::reach(Failpoint::DeliverSent);
    let mut before = Vec::new();
    if made.iter().any(|record| record.is_repeated) {
        before = std::mem::take(&mut made);
        for one in outgoing.iter_mut().filter(|one| one.trigger != Trigger::Test) {
            one.trigger = Trigger::Retry;
        }
        made = make_traced(&app, &endpoint, &mut outgoing, Connections::New).await;
    }
    let mut before = before.into_iter();
    for (record, outgoing) in made.into_iter().zip(outgoing) {
        records.send(Done { before: before.next(), record, watcher: outgoing.watcher });
    }
    (endpoint.channel_id, ids)
}

/// Which connections an attempt may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    Any,
    /// None that was kept.
    New,
}

/// Makes an attempt and tells of it in the trace of each delivery that has one.
async fn make_traced(
    app: &App,
    endpoint: &Endpoint,
    outgoing: &mut [Outgoing],
    connections: Connections,
) -> Vec<AttemptRecord> {
    let mut span = tracing::Span::none();
    for one in outgoing.iter_mut() {
        one.attempt = one.trace.map(Context::child);
        if let Some(attempt) = one.attempt.filter(|_| span.is_none()) {
            let (trace_id, span_id) = (attempt.shown_trace_id(), attempt.shown_span_id());
            span = tracing::info_span!("attempt", trace_id, span_id, delivery_id = one.delivery_id);
        }
    }
    if outgoing.iter().all(|one| one.attempt.is_none()) {
        return make(app, endpoint, outgoing, connections).await;
    }
    let began_at = unix_nanos();
    let made = async {
        let made = make(app, endpoint, outgoing, connections).await;
        let error_class = made.first().and_then(|record| record.error_class);
        tracing::debug!(error_class, "an attempt was made");
        made
    };
    let made = made.instrument(span).await;
    for (one, record) in outgoing.iter().zip(&made) {
        if let Some(attempt) = one.attempt {
            app.traces.record(|| told(one, record, attempt, began_at));
        }
    }
    made
}

/// An attempt as a span.
fn told(outgoing: &Outgoing, record: &AttemptRecord, attempt: Context, began_at: u64) -> Span {
    let span = Span::new("deliver", Kind::Client, attempt, outgoing.trace, began_at)
        .int("dregs.delivery", outgoing.delivery_id)
        .int("dregs.channel", outgoing.channel_id)
        .text("dregs.event", outgoing.message.event.name())
        .text("dregs.trigger", outgoing.trigger.as_text());
    let span = match record.http_status {
        Some(status) => span.int("http.response.status_code", status),
        None => span,
    };
    match record.error_class {
        // The message may hold what a mail server says of a recipient.
        Some(class) => span.text("error.type", class).failed(Some(class)),
        None => span,
    }
}

/// Sends the message of a delivery, or a digest of several, once. The answer is a record for each.
async fn make(
    app: &App,
    endpoint: &Endpoint,
    outgoing: &[Outgoing],
    connections: Connections,
) -> Vec<AttemptRecord> {
    let started_at = app.clock.now();
    let begun = monotonic();
    let mut made = Made { started_at, ..Made::default() };
    let outcome = match prepare(app, endpoint, outgoing, &mut made).await {
        Ok(prepared) if connections == Connections::New => {
            prepared.on_new_connection().send(&app.clients).await
        }
        Ok(prepared) => prepared.send(&app.clients).await,
        Err(error) => Outcome::failed(error),
    };
    let elapsed = begun.elapsed();
    made.duration_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    for one in outgoing {
        observe(&outcome, &one.message.occurred_at, app.clock.now(), elapsed);
    }
    let records = outgoing.iter().enumerate().map(|(index, one)| {
        let mut record = made.record(app, one, made.sent.get(index).cloned(), &outcome);
        // Nothing is wrong with an endpoint that closes an idle connection, nor with a mail server that takes the
        // letter for some.
        let says_nothing = record.is_repeated || !outcome.settled.is_empty();
        record.sign = record.sign.filter(|_| index == 0 && !says_nothing);
        record
    });
    records.collect()
}

async fn prepare(
    app: &App,
    endpoint: &Endpoint,
    outgoing: &[Outgoing],
    made: &mut Made,
) -> Result<Prepared, SendError> {
    let broken = |error: String| SendError { class: ErrorClass::Protocol, message: error };
    let first = outgoing.first().ok_or_else(|| broken("nothing to send".to_owned()))?;
    let secrets = endpoint.secrets_at(made.started_at);
    let notices = if endpoint.sender.is_for_people() {
        let messages: Vec<_> = outgoing.iter().map(|one| Arc::clone(&one.message)).collect();
        let notices = notices::load(&app.store, &app.public_url, endpoint.team_id, &messages).await;
        notices.map_err(|error| broken(error.to_string()))?
    } else {
        Vec::new()
    };
    let settled = settled(app, outgoing).await.map_err(|error| broken(error.to_string()))?;
    let sending = if endpoint.sender.is_for_people() {
        Sending::Told(Telling {
            message: &first.message,
            notices: &notices,
            timestamp: made.started_at,
            deadline: app.deadline(),
            settled: &settled,
        })
    } else {
        let attempt = Attempt {
            message: &first.message,
            channel_id: first.channel_id,
            delivery_id: first.delivery_id,
            timestamp: made.started_at,
            default_deadline: app.deadline(),
            trace: first.attempt,
        };
        Sending::Signed(attempt, &secrets)
    };
    let prepared = endpoint.sender.prepare(&sending, &app.clients)?;
    made.payload_size = i64::try_from(prepared.payload_size()).unwrap_or(i64::MAX);
    made.is_letter = matches!(prepared, Prepared::Letter(..));
    made.custom_headers = endpoint.sender.custom_header_names();
    made.sent = sent(&prepared, &notices);
    // Not of a channel that sets the header itself.
    let sent_trace = prepared.traceparent();
    made.traceparent =
        first.attempt.map(|attempt| attempt.traceparent()).filter(|own| sent_trace.as_ref() == Some(own));
    Ok(prepared)
}

/// The recipients for whom nothing of this is left to do.
async fn settled(app: &App, outgoing: &[Outgoing]) -> Result<Vec<String>, StoreError> {
    // Most are sent for the first time.
    if outgoing.iter().any(|one| one.failures == 0) {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = outgoing.iter().map(|one| one.delivery_id).collect();
    app.store
        .read(move |tx| {
            let of_each = ids.iter().map(|id| attempts::settled(tx, *id)).collect::<Result<Vec<_>, _>>()?;
            let Some((first, others)) = of_each.split_first() else { return Ok(Vec::new()) };
            let is_settled = |one: &&String| others.iter().all(|other| other.contains(one));
            Ok(first.iter().filter(is_settled).cloned().collect())
        })
        .await
}

/// What the log keeps for each delivery. Of a digest, which tells of several people, each keeps what was said
/// of its own: it is erased with the person.
fn sent(prepared: &Prepared, notices: &[Notice]) -> Vec<Sent> {
    let Some(Shown { headers, body }) = prepared.shown() else { return Vec::new() };
    if let [_] = notices {
        return vec![Sent { headers, body }];
    }
    let own = |notice: &Notice| {
        let text = Letter::new(std::slice::from_ref(notice)).map(|letter| letter.text).unwrap_or_default();
        let body = format!("A digest of {} events. What it says of this one:\n\n{text}", notices.len());
        Sent { headers: headers.clone(), body }
    };
    notices.iter().map(own).collect()
}

/// An attempt as it was made.
#[derive(Default)]
struct Made {
    started_at: Timestamp,
    duration_ms: i64,
    payload_size: i64,
    custom_headers: Vec<String>,
    is_letter: bool,
    traceparent: Option<String>,
    /// For each delivery, where the log could not make it again.
    sent: Vec<Sent>,
}

impl Made {
    fn record(&self, app: &App, outgoing: &Outgoing, sent: Option<Sent>, outcome: &Outcome) -> AttemptRecord {
        let finished_at = self.started_at.plus_millis(self.duration_ms);
        let response = outcome.response.as_ref();
        // A mail server's reply has a number too, which is none of HTTP.
        let http_status = response.filter(|_| !self.is_letter).map(|response| response.status);
        let (delivery_status, next_attempt_at) = next(app, outgoing, outcome, self.started_at, finished_at);
        let detail = Detail {
            http_status,
            response_headers: response.map(|response| response.headers.clone()).unwrap_or_default(),
            response_body: response
                .map(|response| String::from_utf8_lossy(&response.body).into_owned())
                .unwrap_or_default(),
            custom_headers: self.custom_headers.clone(),
            settled: outcome.settled.clone(),
            request: sent,
            traceparent: self.traceparent.clone(),
        };
        let error = outcome.error.as_ref();
        AttemptRecord {
            delivery_id: outgoing.delivery_id,
            channel_id: outgoing.channel_id,
            trigger: outgoing.trigger,
            started_at: self.started_at,
            duration_ms: self.duration_ms,
            http_status: http_status.map(i64::from),
            payload_size: self.payload_size,
            error_class: error.map(|error| error.class.code()),
            error_message: error.map_or_else(|| outcome.note.clone(), |error| Some(error.message.clone())),
            remote_address: outcome.remote_address.map(|address| address.to_string()),
            // A detail that cannot be packed is no reason to forget the attempt.
            detail: codec::pack(codec::Kind::EventOrAttempt, &detail).unwrap_or_default(),
            delivery_status,
            completed_at: next_attempt_at.is_none().then_some(finished_at),
            next_attempt_at,
            is_repeated: outcome.again_at_once,
            was_held: was_held(app, outgoing, self.started_at),
            sign: Some(Sign {
                retry_after_ms: outcome
                    .retry_after_seconds
                    .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_MS)),
                is_gone: outcome.verdict == Verdict::Gone,
            }),
        }
    }
}

/// Whether a probe comes so late that the breaker has held it back: it then waits for the channel, not for itself, and
/// uses up no retry.
fn was_held(app: &App, outgoing: &Outgoing, started_at: Timestamp) -> bool {
    let late_ms = outgoing.due_at.map_or(0, |due_at| started_at.millis_since(due_at));
    outgoing.trigger == Trigger::Probe && !app.retries.is_in_time(outgoing.failures, late_ms)
}

/// What becomes of the delivery.
fn next(
    app: &App,
    outgoing: &Outgoing,
    outcome: &Outcome,
    started_at: Timestamp,
    finished_at: Timestamp,
) -> (Status, Option<Timestamp>) {
    let seed = outgoing.delivery_id.unsigned_abs();
    let failures = outgoing.failures + 1;
    let again = match (&outcome.error, outgoing.trigger, outcome.verdict) {
        (None, ..) => return (Status::Delivered, None),
        _ if outcome.again_at_once => Some(finished_at),
        _ if was_held(app, outgoing, started_at) => Some(finished_at),
        // Somebody waits for the outcome of a test and sees it; there is nothing to repeat.
        (_, Trigger::Test, _) | (_, _, Verdict::Refused | Verdict::Gone) => None,
        _ => app.retries.next_attempt_at(failures, finished_at, outcome.retry_after_seconds, seed),
    };
    (if again.is_some() { Status::Pending } else { Status::Failed }, again)
}

fn observe(outcome: &Outcome, occurred_at: &Timestamp, now: Timestamp, elapsed: std::time::Duration) {
    let result = outcome.error.as_ref().map_or("delivered", |error| error.class.code());
    metrics::counter!("dregs_attempts_total", "outcome" => result).increment(1);
    metrics::histogram!("dregs_attempt_seconds").record(elapsed);
    let since = u32::try_from(now.millis_since(*occurred_at).max(0)).unwrap_or(u32::MAX);
    metrics::histogram!("dregs_delivery_age_seconds").record(f64::from(since) / 1_000.0);
}
