//! Badge rules.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::badge::{self, BadgeType};
use dregs_core::rules::{Addition, BadgeRule, Condition, EscalationRule};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both, check_name, must};
use super::page::{Page, PageQuery};
use super::params::{Params, Path, word};
use super::rules::{
    AdditionBody, ConditionBody, Flaw, Known, ListParams, NAME_MAX_CHARS, additions, changed, check_seconds,
    conditions, find, paged, slug_of,
};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::team::rules::{self as ops, Change};
use crate::store::rules::{self, Kept};

/// A rule that gives a badge while all its conditions hold.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BadgeRuleBody {
    id: i64,
    name: String,
    /// Of the badge.
    #[schema(example = "suspicious")]
    slug: String,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "BAD")]
    badge_type: BadgeType,
    /// Higher numbers come first.
    priority: i64,
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Vec<Condition>,
    apply_delay_seconds: u64,
    remove_delay_seconds: u64,
    #[schema(value_type = Vec<AdditionBody>)]
    adds_to_lists: Vec<Addition>,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Kept<BadgeRule>> for BadgeRuleBody {
    fn from(kept: Kept<BadgeRule>) -> Self {
        let Kept { enabled, rule, created_at, updated_at, .. } = kept;
        Self {
            id: rule.id,
            name: rule.name,
            slug: rule.slug,
            badge_type: rule.badge_type,
            priority: rule.priority,
            conditions: rule.conditions,
            apply_delay_seconds: rule.apply_delay_seconds,
            remove_delay_seconds: rule.remove_delay_seconds,
            adds_to_lists: rule.adds_to_lists,
            enabled,
            created_at,
            updated_at,
        }
    }
}

/// A new badge rule, or all of one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBadgeRuleBody {
    #[schema(example = "Suspicious", max_length = 100)]
    name: String,
    /// GOOD, BAD or NEUTRAL.
    #[serde(rename = "type")]
    #[schema(example = "BAD")]
    badge_type: String,
    #[serde(default)]
    priority: i32,
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    #[serde(default)]
    apply_delay_seconds: u64,
    #[serde(default)]
    remove_delay_seconds: u64,
    /// When the badge is given.
    #[serde(default)]
    #[schema(max_items = 10)]
    adds_to_lists: Vec<AdditionBody>,
    #[serde(default = "super::rules::yes")]
    enabled: bool,
}

impl NewBadgeRuleBody {
    /// The rule, over `before` if there is one.
    pub(super) fn read(
        self,
        known: &Known,
        before: Option<&Kept<BadgeRule>>,
        now: Timestamp,
    ) -> Result<Kept<BadgeRule>, ApiError> {
        let slug = before.map_or_else(|| slug_of(&self.name), |before| before.rule.slug.clone());
        let reserved = format!("analyzers give the badge `{slug}`: choose another name");
        let name = check_name(&self.name, NAME_MAX_CHARS)
            .and_then(|()| must(!badge::is_reserved(&slug), "name", reserved))
            .and_then(|()| must(!slug.is_empty(), "name", "must contain a letter or a digit"));
        let badge_type = BadgeType::parse(&word(&self.badge_type))
            .ok_or_else(|| ApiError::field("type", "must be GOOD, BAD or NEUTRAL"));
        let delays = check_delays(self.apply_delay_seconds, self.remove_delay_seconds);
        let conditions = conditions(self.conditions, |condition| {
            let kept = before.map_or(&[][..], |before| &before.rule.conditions);
            flaw_of_use(condition).or_else(|| known.flaw(condition, kept))
        });
        let kept = before.map_or(&[][..], |before| &before.rule.adds_to_lists);
        let rest = both(both(delays, conditions), additions(self.adds_to_lists, known, kept));
        let (((), badge_type), (((), conditions), adds_to_lists)) = both(both(name, badge_type), rest)?;
        let rule = BadgeRule {
            id: before.map_or(0, |before| before.rule.id),
            revision: 0,
            name: self.name.trim().to_owned(),
            slug,
            badge_type,
            priority: self.priority.into(),
            conditions,
            apply_delay_seconds: self.apply_delay_seconds,
            remove_delay_seconds: self.remove_delay_seconds,
            adds_to_lists,
        };
        let created_at = before.map_or(now, |before| before.created_at);
        Ok(Kept {
            team_id: known.team_id,
            enabled: self.enabled,
            rule,
            created_at,
            updated_at: now,
            version: 0,
        })
    }
}

pub(super) fn check_delays(apply_delay_seconds: u64, remove_delay_seconds: u64) -> Result<(), ApiError> {
    let (apply, remove) = ("applyDelaySeconds", "removeDelaySeconds");
    both(check_seconds(apply, apply_delay_seconds), check_seconds(remove, remove_delay_seconds)).map(|_| ())
}

/// What is wrong with a condition in a rule that gives a badge, whatever the team has.
pub(super) fn flaw_of_use(condition: &Condition) -> Flaw {
    let is_refused = condition.inner().is_empty() && condition.is_of_escalations();
    is_refused.then(|| ("type", "is for escalation rules only".to_owned()))
}

/// List the badge rules
#[utoipa::path(get, operation_id = "listBadgeRules", path = "/badge-rules", tag = "rules",
    params(PageQuery, ListParams), responses((status = 200, body = Page<BadgeRuleBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<BadgeRuleBody>>, ApiError> {
    let all = app.store.read(rules::all_badges).await?;
    paged(all, caller.team_id(), &query, &params)
}

/// Read a badge rule
#[utoipa::path(get, operation_id = "readBadgeRule", path = "/badge-rules/{id}", tag = "rules",
    params(("id" = i64, Path)), responses((status = 200, body = BadgeRuleBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<BadgeRuleBody>, ApiError> {
    Ok(Answer(find::<BadgeRule>(&app, &caller, &id).await?.into()))
}

/// Create a badge rule
///
/// All identities are re-evaluated in the background; where the conditions name events, each at its next such event.
#[utoipa::path(post, operation_id = "createBadgeRule", path = "/badge-rules", tag = "rules",
    request_body = NewBadgeRuleBody, responses((status = 201, body = BadgeRuleBody),
        (status = 409, body = ErrorBody, description = "There is a badge with this slug.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewBadgeRuleBody>>,
) -> Result<(StatusCode, Answer<BadgeRuleBody>), ApiError> {
    let known = Known::of_team(&app, caller.team_id());
    let kept = new.check(|new| new.read(&known, None, app.clock.now()))?;
    Ok((StatusCode::CREATED, Answer(changed(&app, actor, Change::Create(kept)).await?.into())))
}

/// Replace a badge rule
///
/// Its slug stays. Running delays start anew.
#[utoipa::path(put, operation_id = "replaceBadgeRule", path = "/badge-rules/{id}", tag = "rules",
    params(("id" = i64, Path)), request_body = NewBadgeRuleBody,
    responses((status = 200, body = BadgeRuleBody)))]
pub async fn replace(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(new): Json<Unchecked<NewBadgeRuleBody>>,
) -> Result<Answer<BadgeRuleBody>, ApiError> {
    let before = find::<BadgeRule>(&app, &caller, &id).await?;
    let known = Known::of_team(&app, caller.team_id());
    let after = new.check(|new| new.read(&known, Some(&before), app.clock.now()))?;
    Ok(Answer(changed(&app, actor, Change::Update { before, after }).await?.into()))
}

/// How to remove.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteParams {
    /// Although escalation rules name its badge.
    #[serde(default)]
    force: bool,
}

/// Remove a badge rule
///
/// Its badge is removed from every identity.
#[utoipa::path(delete, operation_id = "removeBadgeRule", path = "/badge-rules/{id}", tag = "rules",
    params(("id" = i64, Path), DeleteParams), responses((status = 204),
        (status = 409, body = ErrorBody, description = "Escalation rules name its badge.")))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Params(params): Params<DeleteParams>,
) -> Result<StatusCode, ApiError> {
    let kept = find::<BadgeRule>(&app, &caller, &id).await?;
    let all = app.store.read(rules::all_escalations).await?;
    let names = |rule: &EscalationRule| {
        let mut all = rule.conditions.iter().flat_map(Condition::walk);
        all.any(|condition| condition.badge() == Some(kept.rule.slug.as_str()))
    };
    let naming: Vec<_> = all
        .iter()
        .filter(|other| other.team_id == kept.team_id && names(&other.rule))
        .map(|other| format!("\"{}\"", other.rule.name))
        .collect();
    if !naming.is_empty() && !params.force {
        let message = format!(
            "Escalation rules name this badge: {}. Change them, or remove it with `force=true`.",
            naming.join(", ")
        );
        return Err(ApiError::new(StatusCode::CONFLICT, Code::BadgeInUse, message));
    }
    ops::change(&app.store, &app.kept, actor, Change::Delete(kept), app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
