//! What an analyst does with somebody who was flagged: see what disregarding would change, dismiss a badge, restore it.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::badge;
use dregs_core::score::Scores;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, both, must};
use super::identities::{IdentityBody, find};
use super::labels::{self, verdict};
use super::params::Path;
use super::reference::Reference;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::evaluate::evaluation::Change;
use crate::ops::identities::preview::{self, Changed, Planned, Preview};
use crate::store::{self, Tx};

/// Longest reason that a person gives.
pub const REASON_MAX_CHARS: usize = 1_000;

/// A reason that a person gives; nothing where it is blank.
pub fn reason(text: Option<String>) -> Result<Option<String>, ApiError> {
    super::error::text("reason", text, REASON_MAX_CHARS)
}

/// A change of `disregarded` to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisregardBody {
    /// What it would be changed to.
    pub disregarded: bool,
}

/// The four scores; null where there is none.
#[derive(Serialize, ToSchema)]
pub struct FourScoresBody {
    humanity: Option<u8>,
    authenticity: Option<u8>,
    uniqueness: Option<u8>,
    behavior: Option<u8>,
}

impl From<Scores> for FourScoresBody {
    fn from(scores: Scores) -> Self {
        let Scores { humanity, authenticity, uniqueness, behavior } = scores;
        Self { humanity, authenticity, uniqueness, behavior }
    }
}

/// An identity that a change would alter.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlteredBody {
    identity: Reference,
    before: FourScoresBody,
    after: FourScoresBody,
    /// Names of badges.
    badges_added: Vec<String>,
    badges_removed: Vec<String>,
    escalations_opened: Vec<Reference>,
    escalations_closed: Vec<Reference>,
}

impl From<Changed> for AlteredBody {
    fn from(changed: Changed) -> Self {
        let rules = |rules: Vec<(i64, String)>| {
            rules.into_iter().map(|(id, name)| Reference::rule(id, name)).collect()
        };
        Self {
            identity: Reference::identity(changed.id, changed.name),
            before: changed.before.into(),
            after: changed.after.into(),
            badges_added: changed.badges_added,
            badges_removed: changed.badges_removed,
            escalations_opened: rules(changed.opened),
            escalations_closed: rules(changed.closed),
        }
    }
}

/// Deliveries that a change would cause.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedDeliveriesBody {
    channel_id: i64,
    /// The channel's slug.
    channel: String,
    /// Those of a disabled channel are paused.
    enabled: bool,
    #[schema(example = "IDENTITY_SCORED")]
    event: &'static str,
    count: usize,
    /// False where the channel leaves some of them out by its own conditions.
    count_is_exact: bool,
}

impl From<Planned> for PlannedDeliveriesBody {
    fn from(planned: Planned) -> Self {
        let Planned { channel_id, slug, enabled, event, count, is_exact } = planned;
        Self { channel_id, channel: slug, enabled, event: event.name(), count, count_is_exact: is_exact }
    }
}

/// What a change would do, by the scores and rules of now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePreviewBody {
    /// Identities with other scores, badges or escalations than now, the largest change first.
    identities: Vec<AlteredBody>,
    /// Identities that would be rescored, too, and stay as they are.
    unchanged: usize,
    /// Identities that would be rescored. Of a device with many users, the 200 that came last are looked at, and all else
    /// is said of those.
    total: usize,
    /// Whether that is all of them: counting stops at 10,000.
    total_is_exact: bool,
    deliveries: Vec<PlannedDeliveriesBody>,
}

impl From<Preview> for ChangePreviewBody {
    fn from(preview: Preview) -> Self {
        let Preview { changed, unchanged, total, total_is_exact, deliveries } = preview;
        Self {
            identities: changed.into_iter().map(AlteredBody::from).collect(),
            unchanged,
            total,
            total_is_exact,
            deliveries: deliveries.into_iter().map(PlannedDeliveriesBody::from).collect(),
        }
    }
}

/// Preview disregarding an identity
///
/// Whose scores, badges and escalations would change, and what would be sent. Read-only.
#[utoipa::path(post, operation_id = "previewDisregard", path = "/identities/{id}/actions/preview-disregard",
    tag = "identities", params(("id" = String, Path)), request_body = DisregardBody,
    responses((status = 200, body = ChangePreviewBody)))]
pub async fn preview_disregard(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<DisregardBody>,
) -> Result<Answer<ChangePreviewBody>, ApiError> {
    preview_change(&app, &caller, id, Change::Disregarded(body.disregarded)).await
}

/// A label to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewLabelBody {
    /// GOOD or BAD.
    #[schema(example = "GOOD")]
    outcome: String,
    /// Of BAD: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    kind: Option<String>,
}

/// Preview labeling an identity
///
/// Whose scores, badges and escalations would change, and what would be sent. Read-only.
#[utoipa::path(post, operation_id = "previewLabel", path = "/identities/{id}/actions/preview-label",
    tag = "labels", params(("id" = String, Path)), request_body = PreviewLabelBody,
    responses((status = 200, body = ChangePreviewBody)))]
pub async fn preview_label(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<PreviewLabelBody>>,
) -> Result<Answer<ChangePreviewBody>, ApiError> {
    let verdict = body.check(|body| verdict("", &body.outcome, body.kind.as_deref()))?;
    preview_change(&app, &caller, id, Change::Labelled(verdict)).await
}

/// Preview withdrawing a label
///
/// Whose scores, badges and escalations would change, and what would be sent. Read-only.
#[utoipa::path(post, operation_id = "previewWithdrawLabel", path = "/labels/{id}/actions/preview-withdraw",
    tag = "labels", params(("id" = i64, Path)), responses((status = 200, body = ChangePreviewBody)))]
pub async fn preview_withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<ChangePreviewBody>, ApiError> {
    let id = id.parse().map_err(|_| labels::not_found())?;
    let label = labels::find(&app, &caller, id).await?;
    let before = move |tx: &mut Tx| store::labels::in_force(tx, label.identity_row, Some(id));
    let verdict = app.store.read(before).await?.map(|(before, _)| before.verdict);
    preview_change(&app, &caller, label.identity, Change::Withdrawn { label: id, verdict }).await
}

async fn preview_change(
    app: &App,
    caller: &Caller,
    id: String,
    change: Change,
) -> Result<Answer<ChangePreviewBody>, ApiError> {
    let preview =
        preview::preview(&app.long_reads, app.seen(), caller.team_id(), (id, change), app.clock.now())
            .await?;
    let not_found = || ApiError::not_found(Code::IdentityNotFound, "identity");
    Ok(Answer(preview.ok_or_else(not_found)?.into()))
}

/// A badge to dismiss.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissBadgeBody {
    /// Its slug.
    #[schema(example = "registration-bombing")]
    badge: String,
    /// Why, for the audit log.
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// Dismiss a badge of an identity
///
/// It is removed now, and stays off until new or stronger evidence appears, or its rule is changed. Scores stay as they
/// are.
#[utoipa::path(post, operation_id = "dismissBadge", path = "/identities/{id}/actions/dismiss-badge",
    tag = "identities", params(("id" = String, Path)), request_body = DismissBadgeBody,
    responses((status = 200, body = IdentityBody)))]
pub async fn dismiss_badge(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<DismissBadgeBody>>,
) -> Result<Answer<IdentityBody>, ApiError> {
    let (reason, badge) = body.check(|body| {
        let is_dismissed = body.badge != badge::CONFIRMED_BAD;
        let message = "comes from a label: withdraw that, or label the identity as GOOD";
        both(reason(body.reason), must(is_dismissed, "badge", message).map(|()| body.badge))
    })?;
    let identity = find(&app, &caller, id).await?;
    let changed = app.dismissals().dismiss(actor, identity, badge, reason, app.clock.now()).await?;
    IdentityBody::new(changed.ok_or_else(|| no_badge("is not one of the identity's badges"))?).map(Answer)
}

/// A badge to restore.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreBadgeBody {
    /// Its slug.
    #[schema(example = "registration-bombing")]
    badge: String,
}

/// Restore a dismissed badge
///
/// The identity has it again if its conditions hold.
#[utoipa::path(post, operation_id = "restoreBadge", path = "/identities/{id}/actions/restore-badge",
    tag = "identities", params(("id" = String, Path)), request_body = RestoreBadgeBody,
    responses((status = 200, body = IdentityBody)))]
pub async fn restore_badge(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<RestoreBadgeBody>,
) -> Result<Answer<IdentityBody>, ApiError> {
    let identity = find(&app, &caller, id).await?;
    let changed = app.dismissals().restore(actor, identity, body.badge, app.clock.now()).await?;
    IdentityBody::new(changed.ok_or_else(|| no_badge("is not dismissed"))?).map(Answer)
}

fn no_badge(message: &str) -> ApiError {
    ApiError::field("badge", message)
}
