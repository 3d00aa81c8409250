//! What one does with an identity: change it, see what it is linked to, have it scored or reviewed,
//! and forget it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::event::redact;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager, Triager};
use super::body::{Json, OptionalJson, Unchecked};
use super::error::{ApiError, Code, must, must_have};
use super::identities::{IdentityBody, find};
use super::params::{Params, Path, whole_number};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::identities::edit::{self as ops, Change};
use crate::ops::identities::reviews;
use crate::store::analyses::{self, Analysis};
use crate::store::reviews::Review;
use crate::store::users::Role;

const HISTORY_DEFAULT: u32 = 100;
pub const HISTORY_MAX: u32 = 1_000;
/// Longest feedback to a review.
const FEEDBACK_MAX_CHARS: usize = 4_000;

/// What to change about an identity: at least one of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityPatchBody {
    /// True leaves it out of the analysis of others, of rules and of escalations, such as your own staff.
    disregarded: Option<bool>,
    /// Merged into the stored ones; null removes a key. Not for people with the role USER.
    attributes: Option<Map<String, Value>>,
}

/// Change an identity
///
/// Identities linked to it are rescored.
#[utoipa::path(patch, operation_id = "changeIdentity", path = "/identities/{id}", tag = "identities",
    params(("id" = String, Path)), request_body = IdentityPatchBody,
    responses((status = 200, body = IdentityBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<IdentityPatchBody>>,
) -> Result<Answer<IdentityBody>, ApiError> {
    let mut patch = patch.check(|patch| {
        let is_any = patch.disregarded.is_some() || patch.attributes.is_some();
        must(is_any, "", "must say disregarded, attributes, or both").map(|()| patch)
    })?;
    if let (Some(_), Caller::Person(user)) = (&patch.attributes, &caller)
        && user.role != Role::Admin
    {
        let message = "Only an admin or a secret key may change attributes.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, Code::Forbidden, message));
    }
    patch.attributes.iter_mut().for_each(redact);
    let change = Change { disregarded: patch.disregarded, attributes: patch.attributes };
    let changed = app.editor().change(actor, id, change, app.clock.now()).await?;
    let changed = changed.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))?;
    let identity = changed.map_err(|error| ApiError::field("attributes", error.message))?;
    IdentityBody::new(identity).map(Answer)
}

/// The scores of a past cycle.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntryBody {
    /// The cycle.
    id: i64,
    humanity_score: Option<u8>,
    authenticity_score: Option<u8>,
    uniqueness_score: Option<u8>,
    behavior_score: Option<u8>,
    event_count: i64,
    device_count: i64,
    #[schema(value_type = String, format = DateTime)]
    finished_at: Timestamp,
}

impl From<Analysis> for HistoryEntryBody {
    fn from(analysis: Analysis) -> Self {
        Self {
            id: analysis.sequence,
            humanity_score: analysis.scores.humanity,
            authenticity_score: analysis.scores.authenticity,
            uniqueness_score: analysis.scores.uniqueness,
            behavior_score: analysis.scores.behavior,
            event_count: analysis.event_count,
            device_count: analysis.device_count,
            finished_at: analysis.finished_at,
        }
    }
}

/// How much of the past.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryParams {
    /// Cycles.
    #[serde(default = "history_default", deserialize_with = "whole_number::<1, HISTORY_MAX, _>")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

fn history_default() -> u32 {
    HISTORY_DEFAULT
}

/// Read the score history of an identity, newest first
#[utoipa::path(get, operation_id = "readHistory", path = "/identities/{id}/history", tag = "identities",
    params(("id" = String, Path), HistoryParams), responses((status = 200, body = Vec<HistoryEntryBody>)))]
pub async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<HistoryParams>,
) -> Result<Answer<Vec<HistoryEntryBody>>, ApiError> {
    let identity = find(&app, &caller, id).await?;
    let limit = params.limit.into();
    let found = app.long_reads.read(move |tx| analyses::newest(tx, identity.row_id, limit)).await?;
    Ok(Answer(found.into_iter().map(HistoryEntryBody::from).collect()))
}

/// Rescore an identity
#[utoipa::path(post, operation_id = "analyzeIdentity", path = "/identities/{id}/actions/analyze",
    tag = "identities", params(("id" = String, Path)),
    responses((status = 202, description = "It is queued.")))]
pub async fn analyze(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let identity = find(&app, &caller, id).await?;
    ops::analyze(&app.store, &app.evaluations, actor, &identity, app.clock.now()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A review of an identity's analysis.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewBody {
    id: i64,
    identity_id: String,
    /// PENDING, FINISHED or FAILED.
    #[schema(example = "FINISHED")]
    status: &'static str,
    user_feedback: Option<String>,
    /// Who wrote it: `built-in`, or the name of a model. Null while it is PENDING.
    #[schema(example = "built-in")]
    reviewer: Option<String>,
    summary: Option<String>,
    error_message: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

impl ReviewBody {
    pub fn new(review: Review, identity_id: &str) -> Self {
        Self {
            id: review.id,
            identity_id: identity_id.to_owned(),
            status: review.status.name(),
            user_feedback: review.feedback,
            reviewer: review.reviewer,
            summary: review.summary,
            error_message: review.error_message,
            created_at: review.created_at,
            completed_at: review.completed_at,
        }
    }
}

/// Context for the reviewer.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReviewBody {
    /// Such as what the analysis seems to get wrong.
    #[schema(max_length = 4000)]
    feedback: Option<String>,
}

/// Request a review of an identity's analysis
///
/// It is written in the background; read it with `GET /identities/{id}/reviews`.
#[utoipa::path(post, operation_id = "reviewIdentity", path = "/identities/{id}/actions/review",
    tag = "identities", params(("id" = String, Path)), request_body = Option<NewReviewBody>,
    responses((status = 202, body = ReviewBody)))]
pub async fn review(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    OptionalJson(new): OptionalJson<Unchecked<NewReviewBody>>,
) -> Result<(StatusCode, Answer<ReviewBody>), ApiError> {
    let feedback = new.check(|new| {
        let feedback = new.feedback.filter(|feedback| !feedback.trim().is_empty());
        let chars = feedback.as_ref().map_or(0, |feedback| feedback.chars().count());
        must_have("feedback", chars, 0..=FEEDBACK_MAX_CHARS, "characters").map(|()| feedback)
    })?;
    let identity = find(&app, &caller, id).await?;
    let review =
        reviews::request(&app.store, &app.reviews, actor, &identity, feedback, app.clock.now()).await?;
    Ok((StatusCode::ACCEPTED, Answer(ReviewBody::new(review, &identity.id))))
}

/// List the reviews of an identity, newest first
#[utoipa::path(get, operation_id = "listReviews", path = "/identities/{id}/reviews", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = Vec<ReviewBody>)))]
pub async fn list_reviews(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Vec<ReviewBody>>, ApiError> {
    let identity = find(&app, &caller, id).await?;
    let row_id = identity.row_id;
    let found = app
        .store
        .read(move |tx| crate::store::reviews::of_identity(tx, row_id, reviews::REVIEWS_MAX))
        .await?;
    Ok(Answer(found.into_iter().map(|review| ReviewBody::new(review, &identity.id)).collect()))
}

/// Delete an identity with all its data
///
/// What stays are keyed hashes of its devices and of its e-mail address, so that somebody who was banned is
/// still recognized.
#[utoipa::path(delete, operation_id = "deleteIdentity", path = "/identities/{id}", tag = "identities",
    params(("id" = String, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let identity = find(&app, &caller, id).await?;
    app.eraser().erase(actor, identity).await?;
    Ok(StatusCode::NO_CONTENT)
}
