//! Sending events.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dregs_core::event::{self, Accepted, FieldError, Origin};
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Anybody, Client, Sender};
use super::body::{Most, Received, Whose, by_size, note_refusal, receive};
use super::decisions::{Arrived, BatchParams, DecisionBody, SendParams};
use super::error::{ApiError, Code, ErrorBody, ErrorDetail, must, summary};
use super::params::Params;
use super::query_names::OF_LINKS;
use super::request_id;
use crate::app::App;
use crate::clock::unix_nanos;
use crate::ops::agent_keys::Signed;
use crate::ops::decide::awaited::Deadline;
use crate::ops::ingest::{Outcome, Prepared};
use crate::store::StoreError;
use crate::trace::{Begun, Context, Kind, Span};

/// Ignored fields that the answer names.
const IGNORED_SHOWN_MAX: usize = 10;
/// Of the name of a parameter that nothing reads, this much is told.
const UNREAD_MAX_CHARS: usize = 100;
/// Why a batch does not wait.
const ONE_AT_A_TIME: &str =
    "is for single events, at POST /api/events; after a batch, ask POST /api/identities/actions/decide";

/// A stored event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    #[schema(example = "success")]
    status: &'static str,
    /// The sender's id of the event, or the one it was given.
    id: String,
    /// The device, where the event had one.
    fingerprint: Option<String>,
    /// Where there are any: fields that were not read, since this version does not know them, this key may not say
    /// them, or they name nothing; and, with a `?` before it, what its address says that nothing reads. Ten at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!([]))]
    ignored_fields: Vec<String>,
    /// Where it was waited for: how the identity stands; null where the event is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<DecisionBody>)]
    decision: Option<Option<DecisionBody>>,
}

/// What became of one event of a batch.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchAnswer {
    Stored(EventAnswer),
    Refused {
        #[schema(example = "error")]
        status: &'static str,
        code: Code,
        message: String,
        #[schema(value_type = Vec<ErrorDetail>)]
        details: Vec<FieldError>,
    },
}

/// Send an event
///
/// Answers after the event is durably stored. Sending the same id again stores nothing and answers
/// the first event. Fields that this version does not know are ignored, and named in the answer. The header `traceparent`
/// (W3C Trace Context) is taken in, and goes on with the webhooks that follow. With `wait`, it answers how the identity stands
/// after the event; that no such decision was there in time is no error, for the event is stored.
#[utoipa::path(post, operation_id = "sendEvent", path = "/events",
    tag = "events", params(SendParams), request_body = super::schema::EventBody,
    responses((status = 200, body = EventAnswer),
        (status = 402, body = ErrorBody, description = "The team has sent as many events as it may in a month.")))]
pub async fn send(
    Arrived(arrived): Arrived,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sender: Result<Sender, ApiError>,
    params: Result<Params<SendParams>, ApiError>,
    request: Request,
) -> Response {
    let sent = async {
        let sender = sender?;
        let Params(SendParams { wait }) = params?;
        // Of the time that it takes to receive and to store the event as well.
        let deadline = wait.map(|millis| Deadline::after(arrived, millis));
        if wait.is_some() {
            may_wait(&sender)?;
        }
        sender.admit(&app)?;
        traced(&app, "POST /api/events", &headers, async |trace| {
            let unread = request.uri().query().map(unread).unwrap_or_default();
            let body = receive(request, &app, Most::of_body(&app.config), whose(&sender)).await?;
            let mut answer = send_one(&app, sender, body, (trace, deadline)).await?;
            answer.ignored_fields.extend(unread);
            answer.ignored_fields.truncate(IGNORED_SHOWN_MAX);
            Ok(Answer(answer))
        })
        .await
    };
    let sent = sent.await.map_err(ApiError::of_event);
    with_cors(&app, &headers, sent.into_response())
}

/// Parameters of the address that nothing reads: no event is lost for one that is misspelled or has no value, and its
/// sender is told.
fn unread(query: &str) -> Vec<String> {
    let written = form_urlencoded::parse(query.as_bytes());
    let unread = written.filter(
        |(name, value)| {
            if name == "wait" { value.is_empty() } else { !name.starts_with(OF_LINKS) }
        },
    );
    let told = unread.map(|(name, _)| name.chars().take(UNREAD_MAX_CHARS).collect::<String>());
    told.take(IGNORED_SHOWN_MAX).map(|name| format!("?{name}")).collect()
}

async fn send_one(
    app: &Arc<App>,
    sender: Sender,
    body: Received,
    (trace, deadline): (Option<Context>, Option<Deadline>),
) -> Result<EventAnswer, ApiError> {
    let (team_id, size, shared) = (sender.team_id(), body.bytes.len(), Arc::clone(app));
    let prepare = move || prepare_one(&shared, &sender, &body.bytes);
    let (prepared, ignored_fields) = by_size(size, prepare).await??;
    let has_identity = prepared.has_identity();
    let (outcome, waiter) = match deadline {
        None => (app.ingest.submit(team_id, vec![prepared], trace).await?.pop(), None),
        Some(_) => app.ingest.submit_awaited(team_id, prepared, trace).await?,
    };
    let mut answer = match outcome {
        Some(Outcome::Stored { id, fingerprint }) => stored(id, fingerprint, ignored_fields),
        Some(Outcome::Refused(errors)) => return Err(ApiError::fields(errors)),
        None => return Err(StoreError::Broken("an event has no outcome".into()).into()),
    };
    if let Some(deadline) = deadline {
        answer.decision = Some(match waiter {
            Some(waiter) => DecisionBody::awaited(waiter, deadline).await,
            // It was stored before, or nobody can wait.
            None if has_identity => DecisionBody::of_event(app, team_id, &answer.id, deadline).await,
            None => None,
        });
    }
    Ok(answer)
}

/// Whoever has the key of a page may be anybody, and must not read what is known of somebody.
fn may_wait(sender: &Sender) -> Result<(), ApiError> {
    let Sender::Browser { .. } = sender else { return Ok(()) };
    let message = "A public key may only send events, and not read what is known of anybody: `wait` needs the secret key. \
                   Send the event without it, or from the backend.";
    Err(ApiError::new(StatusCode::FORBIDDEN, Code::PublicKeyNotAllowed, message))
}

fn prepare_one(app: &App, sender: &Sender, body: &[u8]) -> Result<(Prepared, Vec<String>), ApiError> {
    let (now, limits) = (app.clock.now(), app.config.event_limits());
    let read = event::read(body, &origin(sender), now, limits, &mut new_event_id);
    let accepted = read.map_err(|errors| {
        note_refusal(&errors);
        ApiError::fields(errors)
    })?;
    prepare(app, sender.team_id(), accepted)
}

/// Send up to 1,000 events
///
/// Answers one result an event, in order, after the good ones are durably stored. A batch may have 4 MiB with a secret
/// key, and with a public one as much as one event, 256 KiB, unless the configuration says otherwise. The header `traceparent`
/// is taken in as with one event.
#[utoipa::path(post, operation_id = "sendEvents", path = "/events/batch",
    tag = "events", request_body = Vec<super::schema::EventBody>,
    responses((status = 200, body = Vec<BatchAnswer>),
        (status = 402, body = ErrorBody, description = "The team has sent as many events as it may in a month.")))]
pub async fn send_batch(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sender: Result<Sender, ApiError>,
    params: Result<Params<BatchParams>, ApiError>,
    request: Request,
) -> Response {
    let sent = async {
        let sender = sender?;
        let Params(BatchParams { wait }) = params?;
        must(wait.is_none(), "wait", ONE_AT_A_TIME)?;
        sender.admit(&app)?;
        // A page sends little at a time; whoever has its key may be anybody.
        let most = match &sender {
            Sender::Backend { .. } => Most::of_batch(&app.config),
            Sender::Browser { .. } => Most::of_batch(&app.config).or(Most::of_body(&app.config)),
        };
        traced(&app, "POST /api/events/batch", &headers, async |trace| {
            let body = receive(request, &app, most, whose(&sender)).await?;
            send_many(&app, sender, body, trace).await.map(Answer)
        })
        .await
    };
    with_cors(&app, &headers, sent.await.into_response())
}

async fn send_many(
    app: &Arc<App>,
    sender: Sender,
    body: Received,
    trace: Option<Context>,
) -> Result<Vec<BatchAnswer>, ApiError> {
    let (team_id, size, shared) = (sender.team_id(), body.bytes.len(), Arc::clone(app));
    let prepare = move || prepare_many(&shared, &sender, &body.bytes);
    let (answers, prepared) = by_size(size, prepare).await??;
    let mut outcomes = app.ingest.submit(team_id, prepared, trace).await?.into_iter();
    let answers = answers.into_iter().filter_map(|answer| match answer {
        Ok(ignored_fields) => outcomes.next().map(|outcome| answered(outcome, ignored_fields)),
        Err(refused) => Some(refused),
    });
    Ok(answers.collect())
}

/// For each event the fields that were ignored, or its refusal, in order; and what is to be stored.
type Many = (Vec<Result<Vec<String>, BatchAnswer>>, Vec<Prepared>);

fn prepare_many(app: &App, sender: &Sender, body: &[u8]) -> Result<Many, ApiError> {
    let (now, limits, origin) = (app.clock.now(), app.config.event_limits(), origin(sender));
    let events = event::split_batch(body).map_err(|errors| {
        note_refusal(&errors);
        ApiError::fields(errors)
    })?;
    sender.admit_batch(app, events.len())?;
    let (mut answers, mut prepared) = (Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
    for event in events {
        match event::read(event, &origin, now, limits, &mut new_event_id) {
            Ok(accepted) => {
                let (event, ignored_fields) = prepare(app, sender.team_id(), accepted)?;
                prepared.push(event);
                answers.push(Ok(ignored_fields));
            }
            Err(errors) => {
                note_refusal(&errors);
                answers.push(Err(refused(errors)));
            }
        }
    }
    Ok((answers, prepared))
}

/// Does what a request asks for, as a part of its trace where it has one. It begins when its sender has been let in: whoever
/// has no key fills nobody's traces.
async fn traced<T>(
    app: &App,
    name: &'static str,
    headers: &HeaderMap,
    work: impl AsyncFnOnce(Option<Context>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let Some(Begun { context, parent }) = app.traces.begin(headers) else { return work(None).await };
    let began_at = unix_nanos();
    let (trace_id, span_id) = (context.shown_trace_id(), context.shown_span_id());
    tracing::Span::current().record("trace_id", trace_id).record("span_id", span_id);
    let done = work(Some(context)).await;
    let status = done.as_ref().map_or_else(ApiError::status, |_| StatusCode::OK);
    tracing::debug!(status = status.as_u16(), "a traced request was answered");
    app.traces.record(|| {
        Span::new(name, Kind::Server, context, parent, began_at)
            .text("http.request.method", "POST")
            .text("http.route", name.trim_start_matches("POST "))
            .int("http.response.status_code", status.as_u16())
            .text("dregs.request_id", request_id::current())
            .failed(status.is_server_error().then_some("the server failed"))
    });
    done
}

fn whose(sender: &Sender) -> Whose {
    match sender {
        Sender::Backend { .. } => Whose::Known,
        Sender::Browser { ip, .. } => Whose::Anybodys(*ip),
    }
}

fn origin(sender: &Sender) -> Origin {
    match sender {
        Sender::Backend { ip, user_agent, .. } => Origin::Backend { ip: *ip, user_agent: user_agent.clone() },
        Sender::Browser { ip, user_agent, .. } => Origin::Browser { ip: *ip, user_agent: user_agent.clone() },
    }
}

/// Ids that we make start with what a sender's must not.
fn new_event_id() -> String {
    format!("dregs-{:032x}", rand::random::<u128>())
}

/// What can be done with an event outside of the transaction; and its fields that were ignored, for the answer.
fn prepare(app: &App, team_id: i64, mut accepted: Accepted) -> Result<(Prepared, Vec<String>), ApiError> {
    let mut ignored = accepted.ignored_fields;
    if !ignored.is_empty() {
        metrics::counter!("dregs_event_fields_ignored_total").increment(ignored.len() as u64);
    }
    ignored.truncate(IGNORED_SHOWN_MAX);
    accepted.event.place = accepted.event.ip.and_then(|ip| app.geo.place(ip));
    accepted.event.signature = accepted.request.as_ref().and_then(|request| {
        let (at, now) = (accepted.event.timestamp, app.clock.now());
        let identity = accepted.event.identity.as_ref().map(|identity| identity.id.as_str());
        app.agent_keys.judge(Signed { team_id, request, identity, at, now })
    });
    Ok((Prepared::new(accepted.event)?, ignored))
}

fn stored(id: String, fingerprint: Option<String>, ignored_fields: Vec<String>) -> EventAnswer {
    EventAnswer { status: "success", id, fingerprint, ignored_fields, decision: None }
}

fn answered(outcome: Outcome, ignored_fields: Vec<String>) -> BatchAnswer {
    match outcome {
        Outcome::Stored { id, fingerprint } => BatchAnswer::Stored(stored(id, fingerprint, ignored_fields)),
        Outcome::Refused(errors) => refused(errors),
    }
}

fn refused(details: Vec<FieldError>) -> BatchAnswer {
    BatchAnswer::Refused {
        status: "error",
        code: Code::BadRequest,
        message: summary("The event", &details),
        details,
    }
}

/// Lets the page that sent events read the answer, refusals included.
fn with_cors(app: &App, headers: &HeaderMap, mut response: Response) -> Response {
    if let Some(origin) = allowed_origin(app, headers) {
        let answer = response.headers_mut();
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, x-request-id"),
        );
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// The origin of the request, if some credential allows it.
fn allowed_origin(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    let is_allowed =
        |origin: &&HeaderValue| origin.to_str().is_ok_and(|text| app.kept.credentials.any_allows(text));
    headers.get(header::ORIGIN).filter(is_allowed).cloned()
}

/// A browser's question whether a page may send events. The key is not part of the question, so
/// any origin that some credential allows is answered yes; the events themselves are checked.
pub async fn preflight(
    _: Anybody,
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
) -> Response {
    let Some(origin) = allowed_origin(&app, &headers) else {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        app.kept.credentials.refused.note(origin, None, client.address, app.clock.now());
        return StatusCode::NO_CONTENT.into_response();
    };
    let allow = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, traceparent, tracestate"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
        (header::VARY, HeaderValue::from_static("Origin")),
    ];
    (StatusCode::NO_CONTENT, allow).into_response()
}
