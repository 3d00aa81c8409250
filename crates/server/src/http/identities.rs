//! Reading identities: who they are, how they score, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::label::LabelKind;
use dregs_core::rules::{Dismissal, Label, Snooze, Standing};
use dregs_core::score::{Category, Scores, Weights, reweighed};
use dregs_core::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::elsewhere::elsewhere;
use super::error::{ApiError, Code};
use super::event_lists::AgentBody;
use super::params::Path;
use super::reference::Reference;
use super::schema::{BadgeBody, ObservationBody};
use crate::app::App;
use crate::store::analyses::Analysis;
use crate::store::{StoreError, analyses, identities};

/// A user of the application, with current scores.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityBody {
    /// The application's own id of the user.
    id: String,
    display_name: Option<String>,
    display_email: Option<String>,
    display_username: Option<String>,
    humanity_score: Option<u8>,
    authenticity_score: Option<u8>,
    uniqueness_score: Option<u8>,
    behavior_score: Option<u8>,
    /// When Dregs received its first event.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The time of its earliest event, or `createdAt` if that is earlier: events may be imported later.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When the server last received an event of it, whenever that happened.
    #[schema(value_type = String, format = DateTime)]
    last_tracked_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_scored_at: Option<Timestamp>,
    disregarded: bool,
    /// The agent of an AI service that was seen last; null where none was. Scores leave out what an
    /// agent did for a person.
    agent: Option<AgentBody>,
    badges: Vec<BadgeBody>,
    /// Badges that a person has dismissed: the identity does not have them, though their conditions may hold.
    dismissed_badges: Vec<DismissedBadgeBody>,
    /// Escalation rules that are snoozed for it: they open nothing until their time.
    snoozed_rules: Vec<SnoozedRuleBody>,
    /// What people have decided of it: the label that counts; null where there is none.
    label: Option<IdentityLabelBody>,
    data: Map<String, Value>,
}

impl IdentityBody {
    /// # Errors
    /// When what is stored cannot be read.
    pub fn new(identity: identities::Identity) -> Result<Self, ApiError> {
        let broken = |error: serde_json::Error| StoreError::Broken(error.to_string());
        let data = serde_json::from_str(&identity.data).map_err(broken)?;
        let Standing { badges, dismissed, snoozed, label, agent, .. } =
            Standing::decode(identity.standing.as_deref()).map_err(broken)?;
        Ok(Self {
            id: identity.id,
            display_name: identity.display_name,
            display_email: identity.display_email,
            display_username: identity.display_username,
            humanity_score: identity.scores.humanity,
            authenticity_score: identity.scores.authenticity,
            uniqueness_score: identity.scores.uniqueness,
            behavior_score: identity.scores.behavior,
            created_at: identity.created_at,
            first_seen_at: identity.first_seen_at,
            updated_at: identity.updated_at,
            last_tracked_at: identity.last_tracked_at,
            last_scored_at: identity.last_scored_at,
            disregarded: identity.disregarded,
            agent: agent.map(AgentBody::new),
            badges: badges.into_iter().map(BadgeBody::from).collect(),
            dismissed_badges: dismissed.into_iter().map(DismissedBadgeBody::from).collect(),
            snoozed_rules: snoozed.into_iter().map(SnoozedRuleBody::from).collect(),
            label: label.map(IdentityLabelBody::from),
            data,
        })
    }

    /// Of many, whose data is much to read.
    pub async fn all(identities: Vec<identities::Identity>) -> Result<Vec<Self>, ApiError> {
        elsewhere(move || identities.into_iter().map(Self::new).collect()).await?
    }
}

/// A badge that a person has taken off an identity.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DismissedBadgeBody {
    #[schema(example = "card-testing")]
    slug: String,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    dismissed_at: Timestamp,
    /// The user's e-mail address, or the credential's name.
    dismissed_by: String,
    reason: Option<String>,
}

impl From<Dismissal> for DismissedBadgeBody {
    fn from(dismissal: Dismissal) -> Self {
        let Dismissal { slug, name, at, by, reason, .. } = dismissal;
        Self { slug, name, dismissed_at: at, dismissed_by: by, reason }
    }
}

/// An escalation rule that opens no escalation of an identity until a time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnoozedRuleBody {
    escalation_rule: Reference,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    snoozed_at: Timestamp,
    /// The user's e-mail address, or the credential's name.
    snoozed_by: String,
    reason: Option<String>,
}

impl From<Snooze> for SnoozedRuleBody {
    fn from(snooze: Snooze) -> Self {
        let Snooze { rule, name, until, at, by, reason } = snooze;
        let escalation_rule = Reference::rule(rule, name);
        Self { escalation_rule, until, snoozed_at: at, snoozed_by: by, reason }
    }
}

/// The label of an identity that counts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityLabelBody {
    id: i64,
    /// GOOD or BAD.
    #[schema(example = "GOOD")]
    outcome: &'static str,
    /// Of BAD: BOT, FAKE, DUPLICATE, ABUSE or TAKEOVER.
    kind: Option<&'static str>,
    /// ANALYST, CHARGEBACK, APPEAL, USER_REPORT or IMPORT.
    #[schema(example = "ANALYST")]
    source: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The user's e-mail address, or the credential's name.
    author: String,
    reason: Option<String>,
    /// Of GOOD: the categories in which nothing new was found since, so that badges and rules which go by them do not take
    /// hold.
    #[schema(value_type = Vec<String>, example = json!(["UNIQUENESS", "BEHAVIOR"]))]
    settled: Vec<Category>,
}

impl From<Label> for IdentityLabelBody {
    fn from(label: Label) -> Self {
        let Label { id, verdict, source, at, by, reason, settled, .. } = label;
        let kind = verdict.kind.map(LabelKind::name);
        let (outcome, source) = (verdict.outcome.name(), source.name());
        Self { id, outcome, kind, source, at, author: by, reason, settled }
    }
}

/// A score of one category.
#[derive(Serialize, ToSchema)]
pub struct ScoreBody {
    #[schema(value_type = String, example = "HUMANITY")]
    category: Category,
    /// From 0, worst, to 100, best.
    value: u8,
}

/// A score with what is behind it.
#[derive(Serialize, ToSchema)]
pub struct ExplainedScoreBody {
    #[schema(value_type = String, example = "HUMANITY")]
    category: Category,
    value: u8,
    observations: Vec<ObservationBody>,
}

/// Scores with weights that are tried.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShadowBody {
    /// The version.
    weights_id: i64,
    scores: Vec<ScoreBody>,
}

/// A scoring cycle and its outcome.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisBody {
    /// The cycle's place among the events of the identity.
    id: i64,
    identity_id: String,
    scores: Vec<ExplainedScoreBody>,
    /// What the scores would be with the weights in shadow; null where none are.
    shadow: Option<ShadowBody>,
    event_count: i64,
    device_count: i64,
    duration_millis: i64,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    finished_at: Timestamp,
}

impl AnalysisBody {
    /// With the weights in shadow, if some are, and which version they are.
    pub fn new(analysis: Analysis, identity_id: &str, shadow: Option<&(i64, Weights)>) -> Self {
        let mut observations = analysis.detail.observations;
        let shadow = shadow.map(|(id, weights)| {
            let found = reweighed(&observations, weights);
            let scores = scored(&found).map(|(category, value)| ScoreBody { category, value }).collect();
            ShadowBody { weights_id: *id, scores }
        });
        let scores = scored(&analysis.scores).map(|(category, value)| {
            let own = observations.extract_if(.., |observation| observation.category == category);
            ExplainedScoreBody { category, value, observations: own.map(ObservationBody::from).collect() }
        });
        Self {
            id: analysis.sequence,
            identity_id: identity_id.to_owned(),
            scores: scores.collect(),
            shadow,
            event_count: analysis.event_count,
            device_count: analysis.device_count,
            duration_millis: analysis.finished_at.millis_since(analysis.started_at),
            started_at: analysis.started_at,
            finished_at: analysis.finished_at,
        }
    }
}

/// Read an identity
#[utoipa::path(get, operation_id = "readIdentity", path = "/identities/{id}",
    tag = "identities", params(("id" = String, Path)),
    responses((status = 200, body = IdentityBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<IdentityBody>, ApiError> {
    IdentityBody::new(find(&app, &caller, id).await?).map(Answer)
}

/// Read the scores of an identity
///
/// A category that is not scored yet is absent.
#[utoipa::path(get, operation_id = "readScores", path = "/identities/{id}/scores",
    tag = "identities", params(("id" = String, Path)),
    responses((status = 200, body = Vec<ScoreBody>)))]
pub async fn scores(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Vec<ScoreBody>>, ApiError> {
    let identity = find(&app, &caller, id).await?;
    Ok(Answer(scored(&identity.scores).map(|(category, value)| ScoreBody { category, value }).collect()))
}

/// Read the newest analysis of an identity
#[utoipa::path(get, operation_id = "readAnalysis", path = "/identities/{id}/analysis",
    tag = "identities", params(("id" = String, Path)),
    responses((status = 200, body = AnalysisBody)))]
pub async fn analysis(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<AnalysisBody>, ApiError> {
    let identity = find(&app, &caller, id).await?;
    let Some(sequence) = identity.cycle else {
        let reason =
            "This identity is not scored yet: its first cycle runs about a second after its first event.";
        return Err(ApiError::new(StatusCode::NOT_FOUND, Code::AnalysisNotFound, reason));
    };
    explained(&app, caller.team_id(), identity, sequence).await
}

/// Read an earlier analysis of an identity
#[utoipa::path(get, operation_id = "readPastAnalysis", path = "/identities/{id}/analysis/{cycleId}",
    tag = "identities",
    params(("id" = String, Path), ("cycleId" = i64, Path)),
    responses((status = 200, body = AnalysisBody)))]
pub async fn past_analysis(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, cycle)): Path<(String, String)>,
) -> Result<Answer<AnalysisBody>, ApiError> {
    let cycle = cycle.parse().map_err(|_| ApiError::field("cycleId", "must be a number"))?;
    let identity = find(&app, &caller, id).await?;
    explained(&app, caller.team_id(), identity, cycle).await
}

pub async fn find(app: &App, caller: &Caller, id: String) -> Result<identities::Identity, ApiError> {
    let team_id = caller.team_id();
    let identity = app.store.read(move |tx| identities::find(tx, team_id, &id)).await?;
    identity.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))
}

async fn explained(
    app: &App,
    team_id: i64,
    identity: identities::Identity,
    cycle: i64,
) -> Result<Answer<AnalysisBody>, ApiError> {
    let row_id = identity.row_id;
    let analysis =
        app.store.read(move |tx| analyses::find(tx, row_id, cycle)).await?.ok_or_else(not_analyzed)?;
    let weights = app.kept.weights.current();
    Ok(Answer(AnalysisBody::new(analysis, &identity.id, weights.shadow(team_id))))
}

fn not_analyzed() -> ApiError {
    ApiError::not_found(Code::AnalysisNotFound, "cycle of this identity")
}

fn scored(scores: &Scores) -> impl Iterator<Item = (Category, u8)> {
    Category::ALL.into_iter().filter_map(|category| Some((category, scores.get(category)?)))
}
