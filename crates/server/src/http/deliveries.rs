//! Deliveries: the log of what was sent, attempt by attempt, and sending it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::notify::breaker::Allowance;
use dregs_core::notify::catalogue;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::channels::{find as find_channel, parse_event, status_name};
use super::error::{ApiError, Code, ErrorBody, both, must_have};
use super::identities::find as find_identity;
use super::known_names;
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path, times, word};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::deliver::deliveries::{self as ops, Replayed, left_out_of_replay};
use crate::ops::deliver::log;
use crate::store::attempts::Trigger;
use crate::store::channels::Channel;
use crate::store::deliveries::{self, Delivery, Filter, Status, Subject};
use crate::store::identities;

/// One event on its way to one channel.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryBody {
    id: i64,
    channel_id: i64,
    /// The id by which a receiver recognizes a repeat.
    event_id: String,
    #[schema(example = "IDENTITY_SCORED")]
    event: &'static str,
    identity_id: Option<String>,
    /// Whether it is a test, about the identity in the example of its event type.
    identity_is_example: bool,
    /// PENDING, DELIVERED, FAILED, SUPERSEDED, or PAUSED while its channel is disabled.
    status: &'static str,
    /// What a PENDING delivery waits for, if not for its first attempt: SENDING, for the end of one that is under way, or
    /// is begun in a moment; RETRYING, for another attempt after one that
    /// failed; HELD, for its channel, whose endpoint is failing and is spared.
    waits_for: Option<&'static str>,
    attempt_count: i64,
    /// Of the last attempt.
    payload_size: Option<i64>,
    http_status: Option<i64>,
    error_class: Option<String>,
    error_message: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

impl DeliveryBody {
    /// With the status that its channel, enabled or not, gives it.
    pub fn new(app: &App, delivery: &Delivery) -> Self {
        let is_enabled = app.kept.channels.get(delivery.channel_id).is_some_and(|endpoint| endpoint.enabled);
        body(app, delivery, is_enabled)
    }
}

/// A delivery with every attempt.
#[derive(Serialize, ToSchema)]
pub struct DeliveryLogBody {
    #[serde(flatten)]
    delivery: DeliveryBody,
    /// In order; the last is the one that is due or under way, if there is one.
    attempts: Vec<AttemptBody>,
}

/// One time that a delivery was, or will be, sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptBody {
    pub attempt: i64,
    /// INITIAL, RETRY, RESEND, REPLAY, TEST, PROBE where a failing channel, whose deliveries are held, was tried, or RECOVERY where the server stopped during an
    /// attempt whose outcome is therefore not known.
    trigger: &'static str,
    /// PENDING, DELIVERED or FAILED.
    status: &'static str,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    duration_millis: Option<i64>,
    http_status: Option<i64>,
    payload_size: Option<i64>,
    error_class: Option<String>,
    error_message: Option<String>,
    /// The address connected to.
    remote_address: Option<String>,
    /// As sent; the values of custom headers are masked.
    request_headers: Option<BTreeMap<String, String>>,
    /// As sent, byte for byte.
    request_body: Option<String>,
    /// In their order, each as its name and its value.
    // Not as a tuple: few generators of clients know `prefixItems`.
    #[schema(value_type = Option<Vec<Vec<String>>>, example = json!([["content-type", "text/plain"]]))]
    response_headers: Option<Vec<(String, String)>>,
    /// The first 16 KiB.
    response_body: Option<String>,
}

/// Which deliveries of a channel.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only `createdAt`.
    sort: Option<String>,
    /// PENDING, DELIVERED, FAILED, PAUSED or SUPERSEDED. Of those that are PENDING: RETRYING, which have failed so far
    /// and are tried again; HELD, which wait since their channel's endpoint is failing.
    status: Option<String>,
    /// What the last attempt was answered with: a status such as `503`, or a class of them such as `5xx`.
    http_status: Option<String>,
    /// How the last attempt failed, such as `timeout`, or why there is none, such as `skipped`; the classes are those
    /// of `errorClass`.
    error_class: Option<String>,
    /// Part of the last attempt's error message, in any case.
    error: Option<String>,
    event: Option<String>,
    identity: Option<String>,
    /// Created at or after.
    from: Option<String>,
    /// Created before.
    to: Option<String>,
}

/// List the deliveries of a channel, newest first
#[utoipa::path(get, operation_id = "listDeliveries", path = "/channels/{id}/deliveries",
    tag = "deliveries",
    params(("id" = i64, Path), PageQuery, ListParams),
    responses((status = 200, body = Page<DeliveryBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<DeliveryBody>>, ApiError> {
    let page = query.page();
    sort(params.sort.as_deref(), &[("createdAt", ())])?;
    let channel = find_channel(&app, &caller, &id).await?;
    let Some(filter) = filter(&app, &caller, &channel, &params).await? else {
        return Ok(Answer(page.page(Vec::new(), 0)));
    };
    let channel_id = channel.id;
    let (total, rows) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| {
            let total = deliveries::count(tx, channel_id, &filter, page.count_limit())?;
            let ascending = query.ascending();
            Ok((total, deliveries::page(tx, channel_id, &filter, ascending, page.offset(), page.limit())?))
        })
        .await?;
    let content = rows.iter().map(|row| body(&app, row, channel.enabled)).collect();
    Ok(Answer(page.counted(content, total)))
}

/// List the deliveries about an identity, newest first
///
/// Of all channels.
#[utoipa::path(get, operation_id = "listIdentityDeliveries", path = "/identities/{id}/deliveries",
    tag = "identities",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<DeliveryBody>)))]
pub async fn of_identity(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Page<DeliveryBody>>, ApiError> {
    let page = query.page();
    let row_id = find_identity(&app, &caller, id).await?.row_id;
    let range = (page.offset(), page.limit(), page.count_limit());
    let (rows, total) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| deliveries::page_of_identity(tx, row_id, query.ascending(), range))
        .await?;
    Ok(Answer(page.counted(rows.iter().map(|row| DeliveryBody::new(&app, row)).collect(), total)))
}

/// What the parameters ask for; `None` where that is nothing.
async fn filter(
    app: &App,
    caller: &Caller,
    channel: &Channel,
    params: &ListParams,
) -> Result<Option<Filter>, ApiError> {
    let (from, to) = times(params.from.as_deref(), params.to.as_deref())?;
    let mut filter = Filter {
        from,
        to,
        event: params.event.as_deref().map(|text| parse_event("event", text)).transpose()?,
        http_status: params.http_status.as_deref().map(http_statuses).transpose()?,
        error_class: params
            .error_class
            .as_deref()
            .filter(|class| !class.is_empty())
            .map(known_names::error_class)
            .transpose()?,
        error: params.error.as_deref().filter(|part| !part.is_empty()).map(deliveries::containing),
        ..Filter::default()
    };
    match params.status.as_deref().map(word).as_deref() {
        None => {}
        Some("RETRYING" | "HELD") if !channel.enabled => return Ok(None),
        Some("RETRYING") => filter.retrying = true,
        Some("HELD") if !is_held(app, channel.id) => return Ok(None),
        Some("HELD") => filter.status = Some(Status::Pending),
        Some("DELIVERED") => filter.status = Some(Status::Delivered),
        Some("FAILED") => filter.status = Some(Status::Failed),
        Some("SUPERSEDED") => filter.status = Some(Status::Superseded),
        // A channel's waiting deliveries are all pending or all paused.
        Some(status @ ("PENDING" | "PAUSED")) => {
            if (status == "PENDING") != channel.enabled {
                return Ok(None);
            }
            filter.status = Some(Status::Pending);
        }
        Some(_) => {
            return Err(ApiError::field(
                "status",
                "must be PENDING, RETRYING, HELD, DELIVERED, FAILED, PAUSED or SUPERSEDED",
            ));
        }
    }
    if let Some(identity) = params.identity.clone() {
        let team_id = caller.team_id();
        match app.store.read(move |tx| identities::find(tx, team_id, &identity)).await? {
            Some(identity) => filter.identity_id = Some(identity.row_id),
            None => return Ok(None),
        }
    }
    Ok(Some(filter))
}

/// The least and the greatest status of `503` or `5xx`.
fn http_statuses(text: &str) -> Result<(i64, i64), ApiError> {
    let wrong = || ApiError::field("httpStatus", "must be a status such as 503, or a class such as 5xx");
    let lower = text.to_ascii_lowercase();
    if let Some(class) = lower.strip_suffix("xx") {
        let class: i64 = class.parse().map_err(|_| wrong())?;
        return if (1..=5).contains(&class) { Ok((class * 100, class * 100 + 99)) } else { Err(wrong()) };
    }
    let status: i64 = lower.parse().map_err(|_| wrong())?;
    if (100..=599).contains(&status) { Ok((status, status)) } else { Err(wrong()) }
}

/// Whether a channel's endpoint is failing and is spared: at most one delivery at a time is tried.
fn is_held(app: &App, channel_id: i64) -> bool {
    app.health.allowance(channel_id, app.clock.now()) != Allowance::Everything
}

/// Read a delivery with every attempt
#[utoipa::path(get, operation_id = "readDelivery", path = "/deliveries/{id}",
    tag = "deliveries", params(("id" = i64, Path)),
    responses((status = 200, body = DeliveryLogBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<DeliveryLogBody>, ApiError> {
    let delivery = find(&app, &caller, &id).await?;
    let is_enabled = app.kept.channels.get(delivery.channel_id).is_some_and(|endpoint| endpoint.enabled);
    let mut attempts = attempts(&app, caller.team_id(), delivery.id).await?;
    if delivery.status == Status::Pending {
        attempts.push(AttemptBody::upcoming(&delivery));
    }
    Ok(Answer(DeliveryLogBody { delivery: body(&app, &delivery, is_enabled), attempts }))
}

/// The attempts that were made, as they were sent.
pub async fn attempts(app: &App, team_id: i64, delivery_id: i64) -> Result<Vec<AttemptBody>, ApiError> {
    let shown = app.delivery_log()?.attempts(team_id, delivery_id).await?;
    Ok(shown.into_iter().map(AttemptBody::from).collect())
}

impl AttemptBody {
    fn upcoming(delivery: &Delivery) -> Self {
        Self {
            attempt: delivery.attempt_count + 1,
            trigger: delivery.trigger.as_text(),
            status: "PENDING",
            started_at: None,
            duration_millis: None,
            http_status: None,
            payload_size: None,
            error_class: None,
            error_message: None,
            remote_address: None,
            request_headers: None,
            request_body: None,
            response_headers: None,
            response_body: None,
        }
    }
}

impl From<log::ShownAttempt> for AttemptBody {
    fn from(shown: log::ShownAttempt) -> Self {
        let attempt = shown.attempt;
        let answered = attempt.http_status.is_some() || !attempt.detail.response_body.is_empty();
        Self {
            attempt: attempt.attempt,
            trigger: attempt.trigger.as_text(),
            status: status_name(attempt.status, true),
            started_at: Some(attempt.started_at),
            duration_millis: Some(attempt.duration_ms),
            http_status: attempt.http_status,
            payload_size: Some(attempt.payload_size),
            error_class: attempt.error_class,
            error_message: attempt.error_message,
            remote_address: attempt.remote_address,
            request_headers: shown.request.as_ref().map(|request| request.headers.clone()),
            request_body: shown.request.map(|request| request.body),
            response_headers: answered.then_some(attempt.detail.response_headers),
            response_body: answered.then_some(attempt.detail.response_body),
        }
    }
}

/// Resend a delivery
///
/// With the same event id, a fresh timestamp and signature, and a fresh schedule of retries.
#[utoipa::path(post, operation_id = "resendDelivery", path = "/deliveries/{id}/actions/resend",
    tag = "deliveries", params(("id" = i64, Path)),
    responses((status = 202, body = DeliveryBody),
        (status = 409, body = ErrorBody, description = "An attempt of it is under way.")))]
pub async fn resend(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<(StatusCode, Answer<DeliveryBody>), ApiError> {
    let delivery = find(&app, &caller, &id).await?;
    if !app.resends().one(actor, delivery.channel_id, delivery.id, app.clock.now()).await? {
        let message = "An attempt of this delivery is under way.";
        return Err(ApiError::new(StatusCode::CONFLICT, Code::AttemptUnderWay, message));
    }
    let delivery = find(&app, &caller, &id).await?;
    let is_enabled = app.kept.channels.get(delivery.channel_id).is_some_and(|endpoint| endpoint.enabled);
    Ok((StatusCode::ACCEPTED, Answer(body(&app, &delivery, is_enabled))))
}

/// Deliveries that can be sent again at once: those of a page.
pub const RESENT_MAX: usize = 100;

/// Deliveries to resend.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendBody {
    /// From 1 to 100.
    ids: Vec<i64>,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResendAnswer {
    /// Those that are due again.
    queued: Vec<i64>,
    /// Those of which an attempt is under way.
    under_way: Vec<i64>,
    /// Those that there are not.
    unknown: Vec<i64>,
}

/// Send some deliveries again
///
/// Each as by itself: with the same event id, a fresh timestamp and signature, and a fresh schedule of retries.
#[utoipa::path(post, operation_id = "resendDeliveries", path = "/deliveries/actions/resend",
    tag = "deliveries", request_body = ResendBody,
    responses((status = 202, body = ResendAnswer)))]
pub async fn resend_some(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Json(body): Json<Unchecked<ResendBody>>,
) -> Result<(StatusCode, Answer<ResendAnswer>), ApiError> {
    let ids = body.check(|ResendBody { mut ids }| {
        ids.sort_unstable();
        ids.dedup();
        must_have("ids", ids.len(), 1..=RESENT_MAX, "deliveries").map(|()| ids)
    })?;
    let resent = app.resends().some(actor, caller.team_id(), ids, app.clock.now()).await?;
    let ops::Resent { queued, under_way, unknown } = resent;
    Ok((StatusCode::ACCEPTED, Answer(ResendAnswer { queued, under_way, unknown })))
}

/// Which deliveries to replay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReplayBody {
    /// Created at or after.
    #[schema(format = DateTime)]
    from: String,
    /// Created before.
    #[schema(format = DateTime)]
    to: String,
    /// DELIVERED or FAILED; both by default. Pending deliveries are sent anyway.
    status: Option<String>,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

/// What a replay found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayAnswer {
    /// Deliveries that match.
    matched: i64,
    /// Deliveries that are due again; 0 in a dry run.
    queued: u64,
    /// Of those that match, the ones that what the channel wants now leaves out.
    left_out: u64,
    dry_run: bool,
}

/// Replay the deliveries of a time range
///
/// What the channel would leave out now is left out of the replay, and counted in the answer.
#[utoipa::path(post, operation_id = "replayDeliveries", path = "/channels/{id}/actions/replay",
    tag = "deliveries", params(("id" = i64, Path)),
    request_body = ReplayBody,
    responses((status = 200, body = ReplayAnswer)))]
pub async fn replay(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(replay): Json<Unchecked<ReplayBody>>,
) -> Result<Answer<ReplayAnswer>, ApiError> {
    let channel = find_channel(&app, &caller, &id).await?;
    let (filter, dry_run) = replay.check(|replay| {
        let status = match replay.status.as_deref().map(word).as_deref() {
            None => Ok(None),
            Some("DELIVERED") => Ok(Some(Status::Delivered)),
            Some("FAILED") => Ok(Some(Status::Failed)),
            Some(_) => Err(ApiError::field("status", "must be DELIVERED or FAILED")),
        };
        let (status, (from, to)) = both(status, times(Some(&replay.from), Some(&replay.to)))?;
        let filter = Filter { status, from, to, without_tests: true, ..Filter::default() };
        Ok((filter, replay.dry_run))
    })?;
    let matched = count_finished(&app, channel.id, &filter).await?;
    let Replayed { queued, left_out } = if dry_run {
        let left_out =
            left_out_of_replay(&app.long_reads, (&channel, filter), app.seen(), app.clock.now()).await?;
        Replayed { queued: 0, left_out }
    } else {
        app.resends().replay(actor, (&channel, filter), app.seen(), app.clock.now()).await?
    };
    Ok(Answer(ReplayAnswer { matched, queued, left_out, dry_run }))
}

/// The deliveries that match and do not wait.
async fn count_finished(app: &App, channel_id: i64, filter: &Filter) -> Result<i64, ApiError> {
    let statuses =
        filter.status.map_or_else(|| vec![Status::Delivered, Status::Failed], |status| vec![status]);
    let filters: Vec<_> =
        statuses.into_iter().map(|status| Filter { status: Some(status), ..filter.clone() }).collect();
    let count = move |tx: &mut crate::store::Tx| {
        filters.iter().map(|filter| deliveries::count(tx, channel_id, filter, i64::MAX)).sum()
    };
    Ok(app.long_reads.read(count).await?)
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Delivery, ApiError> {
    let not_found = || ApiError::not_found(Code::DeliveryNotFound, "delivery");
    let id: i64 = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| deliveries::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

fn body(app: &App, delivery: &Delivery, channel_enabled: bool) -> DeliveryBody {
    let waits = channel_enabled || delivery.trigger == Trigger::Test;
    let resumes_at = app.health.get(delivery.channel_id).breaker.open_until;
    // What tells of an identity that is none of the team's is an example: see `EventIds::notified`.
    let is_example =
        delivery.identity_id.is_none() && matches!(delivery.subject, Subject::Notification { .. });
    let example = is_example.then(|| catalogue::example_identity(delivery.event)).flatten();
    DeliveryBody {
        id: delivery.id,
        channel_id: delivery.channel_id,
        event_id: app.event_ids.id(delivery.subject),
        event: delivery.event.name(),
        identity_id: delivery.identity_id.clone().or_else(|| example.clone()),
        identity_is_example: example.is_some(),
        status: status_name(delivery.status, waits),
        waits_for: (delivery.status == Status::Pending && waits).then(|| waits_for(app, delivery)).flatten(),
        attempt_count: delivery.attempt_count,
        payload_size: delivery.payload_size,
        http_status: delivery.http_status,
        error_class: delivery.error_class.clone(),
        error_message: delivery.error_message.clone(),
        created_at: delivery.created_at,
        // None waits less than its channel. That of one under way is the end of its lease, and nobody waits for that.
        next_attempt_at: delivery
            .next_attempt_at
            .filter(|_| !is_under_way(app, delivery))
            .map(|at| resumes_at.map_or(at, |resumes_at| at.max(resumes_at))),
        completed_at: delivery.completed_at,
    }
}

/// Whether somebody has taken it on, whose lease runs.
fn is_under_way(app: &App, delivery: &Delivery) -> bool {
    delivery.leased && delivery.next_attempt_at.is_some_and(|until| until > app.clock.now())
}

fn waits_for(app: &App, delivery: &Delivery) -> Option<&'static str> {
    match delivery {
        _ if is_under_way(app, delivery) => Some("SENDING"),
        _ if delivery.trigger != Trigger::Test && is_held(app, delivery.channel_id) => Some("HELD"),
        Delivery { trigger: Trigger::Retry, attempt_count: 1.., .. } => Some("RETRYING"),
        _ => None,
    }
}
