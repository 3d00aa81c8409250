//! How heavily analyzers count, and what a team's labels say of that.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::calibrate::SEEN_MIN;
use dregs_core::score::{ANALYZERS, Weights};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Admin, Caller};
use super::error::{ApiError, Code, ErrorBody};
use super::params::Path;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::evaluate::calibration::{self as ops, Calibrated, VERSIONS_MAX};
use crate::store::StoreError;
use crate::store::weights::{self, Version};

/// An analyzer's weight.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightBody {
    #[schema(example = "behavior.pace")]
    analyzer: &'static str,
    label: &'static str,
    #[schema(example = "BEHAVIOR")]
    category: &'static str,
    shipped: f64,
    in_force: f64,
    /// Null where no version is in shadow.
    shadow: Option<f64>,
}

/// Examples.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ExamplesBody {
    bad: u64,
    good: u64,
}

/// A number with its 95% interval, from resamples.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EstimateBody {
    value: f64,
    low: f64,
    high: f64,
}

/// A figure with the weights in force, and with the new ones.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ComparedBody {
    before: f64,
    after: f64,
    /// Above 0 is better, whatever the figure.
    gain: EstimateBody,
}

/// A tenth of the examples that were measured, by what was predicted of them.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct BinBody {
    predicted: f64,
    observed: f64,
    /// Of what was observed: its 95% interval.
    low: f64,
    high: f64,
    count: u64,
}

/// How often it was right.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct RightBody {
    right: u64,
    of: u64,
}

/// What a calibration makes of an analyzer.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalibratedBody {
    #[schema(example = "behavior.pace")]
    id: String,
    before: f64,
    after: f64,
    standard_error: Option<f64>,
    /// Why its weight is as before: SHADOW, since it is 0; RARE, since it says something of fewer than 20 examples.
    kept: Option<String>,
    /// Examples in which it found something to look at.
    seen: u64,
    against: RightBody,
    in_favour: RightBody,
}

impl CalibratedBody {
    /// Of one that would hardly count any more, though hardly anybody labeled was bad in the way that it looks for.
    fn warning(&self) -> Option<String> {
        let is_untaught = self.against.right < SEEN_MIN as u64 && self.after * 2.0 < self.before;
        let label =
            ANALYZERS.iter().find(|analyzer| analyzer.id == self.id).map(|analyzer| analyzer.label)?;
        is_untaught.then(|| {
            let (after, before, right) = (self.after, self.before, self.against.right);
            format!(
                "\"{label}\" would weigh {after} instead of {before}. It spoke against {right} of those labeled bad: the \
                 labels may hold no such abuse, and then say nothing of it."
            )
        })
    }
}

/// What was fitted to the earlier 70% of the labels, and measured on the rest.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportBody {
    earlier: ExamplesBody,
    later: ExamplesBody,
    analyzers: Vec<CalibratedBody>,
    /// In nats for each label. Its gain decides: nothing is proposed where its interval holds 0.
    log_loss: ComparedBody,
    brier: ComparedBody,
    auc: ComparedBody,
    /// The part of the bad that is found where 1% of the good are taken for bad.
    recall: ComparedBody,
    reliability_before: Vec<BinBody>,
    reliability_after: Vec<BinBody>,
}

/// A version of the team's weights.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightsVersionBody {
    id: i64,
    /// PROPOSED, SHADOW, IN_FORCE or RETIRED.
    #[schema(example = "PROPOSED")]
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    created_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
    changed_by: Option<String>,
    /// The version that was in force before it.
    replaced_id: Option<i64>,
    /// What to think of before it is promoted, in words: labels teach only the abuse that they contain.
    warnings: Vec<String>,
    report: ReportBody,
}

impl WeightsVersionBody {
    fn new(version: Version) -> Result<Self, ApiError> {
        let report: ReportBody = serde_json::from_str(&version.report).map_err(broken)?;
        Ok(Self {
            warnings: report.analyzers.iter().filter_map(CalibratedBody::warning).collect(),
            id: version.id,
            state: version.state.name(),
            created_at: version.created_at,
            created_by: version.created_by,
            changed_at: version.changed_at,
            changed_by: version.changed_by,
            replaced_id: version.replaced_id,
            report,
        })
    }
}

/// The weights of the team.
#[derive(Serialize, ToSchema)]
pub struct WeightsBody {
    /// In the order of the manual.
    analyzers: Vec<WeightBody>,
    /// The newest first.
    versions: Vec<WeightsVersionBody>,
}

/// What came of a calibration.
#[derive(Serialize, ToSchema)]
pub struct CalibrationBody {
    /// Why nothing is proposed; null where something is.
    refusal: Option<String>,
    /// What is proposed.
    version: Option<WeightsVersionBody>,
    /// What was measured, though it is refused; null where too few are labeled.
    report: Option<ReportBody>,
}

/// Read the weights of analyzers
#[utoipa::path(get, operation_id = "readWeights", path = "/weights", tag = "weights",
    responses((status = 200, body = WeightsBody)))]
pub async fn read(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<WeightsBody>, ApiError> {
    let (team_id, kept) = (caller.team_id(), app.kept.weights.current());
    let versions = app.store.read(move |tx| weights::of_team(tx, team_id, VERSIONS_MAX)).await?;
    let shipped = Weights::default();
    let analyzers = ANALYZERS.iter().map(|analyzer| WeightBody {
        analyzer: analyzer.id,
        label: analyzer.label,
        category: analyzer.category.name(),
        shipped: shipped.of(analyzer),
        in_force: kept.of(team_id).of(analyzer),
        shadow: kept.shadow(team_id).map(|(_, weights)| weights.of(analyzer)),
    });
    Ok(Answer(WeightsBody {
        analyzers: analyzers.collect(),
        versions: versions.into_iter().map(WeightsVersionBody::new).collect::<Result<_, _>>()?,
    }))
}

/// Calibrate the weights by the team's labels
///
/// A logistic regression on what was observed of those who are labeled, fitted to the earlier 70% and measured on the
/// rest. It refuses below 50 BAD and 200 GOOD, and where the gain may be chance. What is proposed changes nothing.
#[utoipa::path(post, operation_id = "calibrateWeights", path = "/weights/actions/calibrate", tag = "weights",
    responses((status = 200, body = CalibrationBody)))]
pub async fn calibrate(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    actor: Actor,
) -> Result<Answer<CalibrationBody>, ApiError> {
    let in_force = app.kept.weights.current().of(user.team_id).clone();
    let calibrated = ops::propose(&app.store, &app.long_reads, in_force, actor, app.clock.now()).await?;
    Ok(Answer(match calibrated {
        Calibrated::Proposed(version) => {
            CalibrationBody { refusal: None, version: Some(WeightsVersionBody::new(version)?), report: None }
        }
        Calibrated::Refused(refusal, report) => {
            let value = report.map(|report| serde_json::to_value(*report)).transpose().map_err(broken)?;
            let report = value.map(serde_json::from_value).transpose().map_err(broken)?;
            CalibrationBody { refusal: Some(refusal.to_string()), version: None, report }
        }
    }))
}

/// Put a proposed version of the weights in shadow
///
/// What scores would be with it is shown beside those of now. One that was in shadow before is retired.
#[utoipa::path(post, operation_id = "shadowWeights", path = "/weights/{id}/actions/shadow", tag = "weights",
    params(("id" = i64, Path)), responses((status = 200, body = WeightsVersionBody), (status = 409, body = ErrorBody)))]
pub async fn shadow(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Answer<WeightsVersionBody>, ApiError> {
    let id = find(&app, user.team_id, &id).await?.id;
    if !ops::shadow(&app.store, actor, id, app.clock.now()).await? {
        return Err(conflict("This version is in force."));
    }
    finish(&app, user.team_id, id).await
}

/// Promote the weights in shadow
///
/// They are in force from then on, in the place of those that were: everybody is scored again in the background.
#[utoipa::path(post, operation_id = "promoteWeights", path = "/weights/{id}/actions/promote", tag = "weights",
    params(("id" = i64, Path)), responses((status = 200, body = WeightsVersionBody), (status = 409, body = ErrorBody)))]
pub async fn promote(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Answer<WeightsVersionBody>, ApiError> {
    let id = find(&app, user.team_id, &id).await?.id;
    if !ops::promote(&app.store, actor, id, app.clock.now()).await? {
        return Err(conflict("Only a version that is in shadow can be promoted: put it in shadow first."));
    }
    finish(&app, user.team_id, id).await
}

/// Roll the weights back
///
/// To those that were in force before: everybody is scored again in the background.
#[utoipa::path(post, operation_id = "rollBackWeights", path = "/weights/actions/roll-back", tag = "weights",
    responses((status = 204), (status = 409, body = ErrorBody)))]
pub async fn roll_back(
    State(app): State<Arc<App>>,
    Admin(_): Admin,
    actor: Actor,
) -> Result<StatusCode, ApiError> {
    let rolled = ops::roll_back(&app.store, actor, app.clock.now()).await?;
    rolled.ok_or_else(|| conflict("No calibrated weights are in force."))?;
    app.kept.reload_changed(app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(app: &App, team_id: i64, id: &str) -> Result<Version, ApiError> {
    let not_found = || ApiError::not_found(Code::WeightsNotFound, "version of the weights");
    let id = id.parse().map_err(|_| not_found())?;
    app.store.read(move |tx| weights::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

async fn finish(app: &App, team_id: i64, id: i64) -> Result<Answer<WeightsVersionBody>, ApiError> {
    app.kept.reload_changed(app.clock.now()).await?;
    WeightsVersionBody::new(find(app, team_id, &id.to_string()).await?).map(Answer)
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, Code::WrongState, message)
}

fn broken(error: serde_json::Error) -> ApiError {
    ApiError::from(StoreError::Broken(error.to_string()))
}
