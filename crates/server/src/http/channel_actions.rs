//! What people have a channel do.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::notify::message::EventType;
use dregs_core::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Manager;
use super::body::{OptionalJson, Unchecked};
use super::channels::{ChannelBody, body, find, one_with_due, parse_event};
use super::deliveries::AttemptBody;
use super::error::{ApiError, must};
use super::params::Path;
use crate::app::App;
use crate::channels::config::ChannelType;
use crate::ops::audit::Actor;
use crate::store::StoreError;

/// How long an old secret may go on signing.
const OVERLAP_MAX_SECONDS: u32 = 7 * (DAY_MS / 1_000) as u32;

/// What to test a channel with.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestBody {
    /// The event type to send an example of; by default `CHANNEL_TEST`.
    event: Option<String>,
}

/// What a test came to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestAnswer {
    delivery_id: i64,
    #[serde(flatten)]
    attempt: AttemptBody,
}

/// Test a channel
///
/// Sends a `CHANNEL_TEST` event, or the example of another type, now, and answers the attempt. It
/// is not retried. A disabled channel can be tested too. After a successful test of a failing
/// channel, what is held is sent at once.
#[utoipa::path(post, operation_id = "testChannel", path = "/channels/{id}/actions/test",
    tag = "channels", params(("id" = i64, Path)),
    request_body = Option<TestBody>,
    responses((status = 200, body = TestAnswer)))]
pub async fn test(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    OptionalJson(test): OptionalJson<Unchecked<TestBody>>,
) -> Result<Answer<TestAnswer>, ApiError> {
    let channel = find(&app, &caller, &id).await?;
    let event = test.check(|test| match test.event {
        Some(text) => parse_event("event", &text),
        None => Ok(EventType::ChannelTest),
    })?;
    let (delivery_id, record) =
        app.channels().test(app.event_ids, actor, &channel, event, app.clock.now()).await?;
    let attempts = super::deliveries::attempts(&app, caller.team_id(), delivery_id).await?;
    // The last: a request on a kept connection that was closed is made again at once.
    let attempt = attempts.into_iter().next_back();
    let attempt = attempt.ok_or_else(|| StoreError::Broken(format!("no record of {record:?}")))?;
    Ok(Answer(TestAnswer { delivery_id, attempt }))
}

/// How to rotate a secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RotateBody {
    /// How long the old secret signs beside the new one; at most seven days.
    #[serde(default)]
    overlap_seconds: u32,
}

/// The new secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotateAnswer {
    /// Store it: it is not shown again.
    signing_secret: String,
    /// When the old secret ends.
    #[schema(value_type = String, format = DateTime)]
    overlap_ends_at: Timestamp,
}

/// Give a channel a new signing secret
///
/// Until the overlap ends, `webhook-signature` has a signature by each secret, and
/// `X-Dregs-Signature` one by the new secret.
#[utoipa::path(post, operation_id = "rotateSecret", path = "/channels/{id}/actions/rotate-secret",
    tag = "channels",
    params(("id" = i64, Path)), request_body = Option<RotateBody>,
    responses((status = 200, body = RotateAnswer)))]
pub async fn rotate_secret(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    OptionalJson(rotate): OptionalJson<Unchecked<RotateBody>>,
) -> Result<Answer<RotateAnswer>, ApiError> {
    let channel = find(&app, &caller, &id).await?;
    if channel.channel_type != ChannelType::Webhook.name() {
        return Err(ApiError::refused("Only a webhook has a signing secret."));
    }
    let overlap_seconds = rotate.check(|RotateBody { overlap_seconds }| {
        let message = format!("must be from 0 to {OVERLAP_MAX_SECONDS}");
        must(overlap_seconds <= OVERLAP_MAX_SECONDS, "overlapSeconds", message).map(|()| overlap_seconds)
    })?;
    let overlap_ends_at = app.clock.now().plus_millis(i64::from(overlap_seconds) * 1_000);
    let secret = app.channels().rotate_secret(actor, channel.id, overlap_seconds, app.clock.now()).await?;
    Ok(Answer(RotateAnswer { signing_secret: secret.as_text().to_owned(), overlap_ends_at }))
}

/// Try a channel again now
///
/// What is pending is due at once, whatever its schedule. A failing channel, whose deliveries are held, makes one attempt now,
/// with the delivery that has been due longest; when it succeeds, the others follow.
#[utoipa::path(post, operation_id = "retryChannel", path = "/channels/{id}/actions/retry",
    tag = "channels", params(("id" = i64, Path)),
    responses((status = 200, body = ChannelBody)))]
pub async fn retry(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Answer<ChannelBody>, ApiError> {
    let channel = find(&app, &caller, &id).await?;
    if !channel.enabled {
        return Err(ApiError::refused("The channel is disabled: what waits is sent when it is enabled."));
    }
    app.channels().retry(actor, channel.id, app.clock.now()).await?;
    Ok(Answer(one_with_due(&app, body(&app, channel, None)?).await?))
}
