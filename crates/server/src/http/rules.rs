//! What badge rules and escalation rules have in common.

use axum::http::StatusCode;
use dregs_core::event::FieldError;
use dregs_core::rules::{CONDITIONS_MAX, Condition, SECONDS_MAX, Which};
use dregs_core::words::snake;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::body::read_part;
use super::error::{ApiError, Code};
use super::page::{Page, PageQuery, sort};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::team::rules::{self as ops, Change};
use crate::store::StoreError;
use crate::store::rules::Kept;

/// Longest name of a rule.
const NAME_MAX_CHARS: usize = 100;

/// What must hold: a score (`SCORE_LT`, `SCORE_LTE`, `SCORE_GT`, `SCORE_GTE` with category and threshold), an
/// age (`IDENTITY_AGE_GT`, and in escalation rules `IDENTITY_AGE_LT`, with seconds), an AI agent that acts for it
/// (`AGENT_IS` with its name, its operator or ANY, and whether that must be verified), or, in escalation rules, a badge
/// (`BADGE_EXISTS`, `BADGE_NOT_EXISTS` with its slug).
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ConditionBody {
    #[serde(rename = "type")]
    #[schema(example = "SCORE_LT")]
    condition_type: String,
    /// HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR or ANY.
    #[schema(example = "HUMANITY")]
    category: Option<String>,
    #[schema(example = 30, minimum = 0, maximum = 100)]
    threshold: Option<u8>,
    seconds: Option<u64>,
    badge: Option<String>,
    #[schema(example = "ChatGPT-User")]
    agent: Option<String>,
    verified: Option<bool>,
}

/// Which rules.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// `id`.
    sort: Option<String>,
}

pub(super) const fn yes() -> bool {
    true
}

pub(super) fn wrong(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

pub(super) fn slug_of(name: &str) -> String {
    snake(name).replace('_', "-")
}

pub(super) fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    if name.trim().is_empty() || name.chars().count() > NAME_MAX_CHARS {
        errors.push(wrong("name", format!("must have 1 to {NAME_MAX_CHARS} characters")));
    }
}

pub(super) fn check_seconds(field: &str, seconds: u64, errors: &mut Vec<FieldError>) {
    if seconds > SECONDS_MAX {
        errors.push(wrong(field, format!("must be from 0 to {SECONDS_MAX}")));
    }
}

pub(super) fn conditions(value: Value, of_escalations: bool, errors: &mut Vec<FieldError>) -> Vec<Condition> {
    let Value::Array(all) = value else {
        errors.push(wrong("conditions", "must be an array of conditions"));
        return Vec::new();
    };
    if all.is_empty() || all.len() > CONDITIONS_MAX {
        errors.push(wrong("conditions", format!("must have 1 to {CONDITIONS_MAX} conditions")));
        return Vec::new();
    }
    let mut read = Vec::new();
    for (n, one) in all.into_iter().enumerate() {
        let field = format!("conditions[{n}]");
        match condition(&field, one, of_escalations) {
            Ok(condition) => read.push(condition),
            Err(error) => errors.push(error),
        }
    }
    read
}

fn condition(field: &str, value: Value, of_escalations: bool) -> Result<Condition, FieldError> {
    if value.is_object() {
        read_part::<Parameters>(field, value.clone())?;
    }
    let condition: Condition = read_part(field, value)?;
    if !of_escalations && condition.is_of_escalations() {
        return Err(wrong(&format!("{field}.type"), "is for escalation rules only"));
    }
    match condition.flaw() {
        Some((parameter, flaw)) => Err(wrong(&format!("{field}.{parameter}"), flaw)),
        None => Ok(condition),
    }
}

/// What conditions of any type ask for, read before the type is known: the error of a tagged enum names no field.
#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "category")]
    _category: Option<Which>,
    #[serde(rename = "threshold")]
    _threshold: Option<Threshold>,
    #[serde(rename = "seconds")]
    _seconds: Option<u64>,
    #[serde(rename = "badge")]
    _badge: Option<String>,
    #[serde(rename = "agent")]
    _agent: Option<String>,
    #[serde(rename = "verified")]
    _verified: Option<bool>,
}

#[derive(Deserialize)]
#[serde(try_from = "i64")]
struct Threshold;

impl TryFrom<i64> for Threshold {
    type Error = &'static str;

    fn try_from(threshold: i64) -> Result<Self, Self::Error> {
        if (0..=100).contains(&threshold) { Ok(Self) } else { Err("must be from 0 to 100") }
    }
}

pub(super) fn paged<R: ops::Rule, B: From<Kept<R>>>(
    all: Vec<Kept<R>>,
    team_id: i64,
    query: &PageQuery,
    params: &ListParams,
) -> Result<Answer<Page<B>>, ApiError> {
    let page = query.page();
    sort(params.sort.as_deref(), &[("id", ())])?;
    let mut own: Vec<_> = all.into_iter().filter(|kept| kept.team_id == team_id).collect();
    if query.is_descending() {
        own.reverse();
    }
    let total = i64::try_from(own.len()).unwrap_or(i64::MAX);
    let content = own.into_iter().skip(page.start()).take(page.length()).map(B::from).collect();
    Ok(Answer(page.page(content, total)))
}

pub(super) async fn changed<R: ops::Rule + Sync>(
    app: &App,
    actor: Actor,
    change: Change<R>,
) -> Result<Kept<R>, ApiError> {
    match ops::change(&app.store, &app.kept, actor, change, app.clock.now()).await {
        Ok(Some(kept)) => Ok(kept),
        Ok(None) => Err(not_found()),
        Err(StoreError::Conflict) => Err(ApiError::new(
            StatusCode::CONFLICT,
            Code::RuleExists,
            "There is a rule of this name. Change that one.",
        )),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn find<R: ops::Rule + Sync>(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<Kept<R>, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| R::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

pub(super) fn not_found() -> ApiError {
    ApiError::not_found(Code::RuleNotFound, "rule")
}
