//! Escalation rules.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::badge::{self, BadgeType};
use dregs_core::notify::message::EventType;
use dregs_core::rules::{Addition, Condition, EscalationRule, Severity};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, ErrorBody, both, check_name, every};
use super::identities::IdentityBody;
use super::page::{Page, PageQuery};
use super::params::{Params, Path, time, word};
use super::rules::{
    AdditionBody, ConditionBody, Flaw, Known, ListParams, NAME_MAX_CHARS, additions, changed, check,
    check_seconds, conditions, find, paged,
};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::rule_preview::{Previewed, preview as preview_of};
use crate::ops::team::rules::{self as ops, Change};
use crate::store::rules::{self, Kept};
use crate::store::{Tx, channels};

/// A rule that opens an escalation when all its conditions hold.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EscalationRuleBody {
    id: i64,
    name: String,
    #[schema(value_type = String, example = "WARNING")]
    severity: Severity,
    /// Slugs of the channels to notify; without one, escalations are only listed.
    channels: Vec<String>,
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Vec<Condition>,
    open_after_seconds: u64,
    close_after_seconds: u64,
    /// Effective from: it opens nothing before.
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_at: Option<Timestamp>,
    #[schema(value_type = Vec<AdditionBody>)]
    adds_to_lists: Vec<Addition>,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Kept<EscalationRule>> for EscalationRuleBody {
    fn from(kept: Kept<EscalationRule>) -> Self {
        let Kept { enabled, rule, created_at, updated_at, .. } = kept;
        Self {
            id: rule.id,
            name: rule.name,
            severity: rule.severity,
            channels: rule.channels,
            conditions: rule.conditions,
            open_after_seconds: rule.open_after_seconds,
            close_after_seconds: rule.close_after_seconds,
            effective_at: rule.effective_at,
            adds_to_lists: rule.adds_to_lists,
            enabled,
            created_at,
            updated_at,
        }
    }
}

/// A new escalation rule, or all of one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEscalationRuleBody {
    #[schema(example = "Likely a bot", max_length = 100)]
    name: String,
    /// INFO, WARNING or CRITICAL.
    #[schema(example = "WARNING")]
    severity: String,
    #[serde(default)]
    channels: Vec<String>,
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    #[serde(default)]
    open_after_seconds: u64,
    #[serde(default)]
    close_after_seconds: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_at: Option<String>,
    /// When an escalation opens.
    #[serde(default)]
    #[schema(max_items = 10)]
    adds_to_lists: Vec<AdditionBody>,
    #[serde(default = "super::rules::yes")]
    enabled: bool,
}

impl NewEscalationRuleBody {
    pub(super) fn read(
        self,
        named: &Named,
        before: Option<&Kept<EscalationRule>>,
        now: Timestamp,
    ) -> Result<Kept<EscalationRule>, ApiError> {
        let name = check_name(&self.name, NAME_MAX_CHARS);
        let severity = Severity::parse(&word(&self.severity))
            .ok_or_else(|| ApiError::field("severity", "must be INFO, WARNING or CRITICAL"));
        let delays = check_delays(self.open_after_seconds, self.close_after_seconds);
        let effective_at = time("effectiveAt", self.effective_at.as_deref());
        let kept = before.map_or(&[][..], |before| &before.rule.conditions);
        let conditions = conditions(self.conditions, |condition| named.flaw(condition, kept));
        let times = both(delays, effective_at);
        let adding = before.map_or(&[][..], |before| &before.rule.adds_to_lists);
        let adds = additions(self.adds_to_lists, &named.known, adding);
        let rest = both(both(times, conditions), both(adds, named.check_channels(&self.channels)));
        let (((), severity), (((_, effective_at), conditions), (adds_to_lists, ()))) =
            both(both(name, severity), rest)?;
        let rule = EscalationRule {
            id: before.map_or(0, |before| before.rule.id),
            revision: 0,
            name: self.name.trim().to_owned(),
            severity,
            channels: self.channels,
            conditions,
            open_after_seconds: self.open_after_seconds,
            close_after_seconds: self.close_after_seconds,
            effective_at,
            adds_to_lists,
        };
        let created_at = before.map_or(now, |before| before.created_at);
        Ok(Kept {
            team_id: named.team_id,
            enabled: self.enabled,
            rule,
            created_at,
            updated_at: now,
            version: 0,
        })
    }
}

/// List the escalation rules
#[utoipa::path(get, operation_id = "listEscalationRules", path = "/escalation-rules", tag = "rules",
    params(PageQuery, ListParams), responses((status = 200, body = Page<EscalationRuleBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<EscalationRuleBody>>, ApiError> {
    let all = app.store.read(rules::all_escalations).await?;
    paged(all, caller.team_id(), &query, &params)
}

/// Read an escalation rule
#[utoipa::path(get, operation_id = "readEscalationRule", path = "/escalation-rules/{id}", tag = "rules",
    params(("id" = i64, Path)), responses((status = 200, body = EscalationRuleBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<EscalationRuleBody>, ApiError> {
    Ok(Answer(find::<EscalationRule>(&app, &caller, &id).await?.into()))
}

/// Create an escalation rule
///
/// All identities are re-evaluated in the background; where the conditions name events, each at its next such event.
#[utoipa::path(post, operation_id = "createEscalationRule", path = "/escalation-rules", tag = "rules",
    request_body = NewEscalationRuleBody, responses((status = 201, body = EscalationRuleBody),
        (status = 409, body = ErrorBody, description = "There is a rule of this name.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewEscalationRuleBody>>,
) -> Result<(StatusCode, Answer<EscalationRuleBody>), ApiError> {
    let named = Named::of_team(&app, caller.team_id()).await?;
    let kept = new.check(|new| new.read(&named, None, app.clock.now()))?;
    Ok((StatusCode::CREATED, Answer(changed(&app, actor, Change::Create(kept)).await?.into())))
}

/// Replace an escalation rule
///
/// Running delays start anew.
#[utoipa::path(put, operation_id = "replaceEscalationRule", path = "/escalation-rules/{id}", tag = "rules",
    params(("id" = i64, Path)), request_body = NewEscalationRuleBody,
    responses((status = 200, body = EscalationRuleBody),
        (status = 409, body = ErrorBody, description = "There is another rule of this name.")))]
pub async fn replace(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(new): Json<Unchecked<NewEscalationRuleBody>>,
) -> Result<Answer<EscalationRuleBody>, ApiError> {
    let before = find::<EscalationRule>(&app, &caller, &id).await?;
    let named = Named::of_team(&app, caller.team_id()).await?;
    let after = new.check(|new| new.read(&named, Some(&before), app.clock.now()))?;
    Ok(Answer(changed(&app, actor, Change::Update { before, after }).await?.into()))
}

/// Remove an escalation rule
///
/// Its open escalations are closed.
#[utoipa::path(delete, operation_id = "removeEscalationRule", path = "/escalation-rules/{id}", tag = "rules",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let kept = find::<EscalationRule>(&app, &caller, &id).await?;
    ops::change(&app.store, &app.kept, actor, Change::Delete(kept), app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Conditions to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[serde(rename_all = "camelCase")]
pub struct PreviewBody {
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    /// GOOD, BAD or NEUTRAL, of a rule that gives a badge: labels settle BAD ones, and what opens escalations.
    #[schema(example = "BAD")]
    badge_type: Option<String>,
}

impl PreviewBody {
    /// The conditions, and whether a rule with them speaks against somebody.
    fn read(self) -> Result<(Vec<Condition>, bool), ApiError> {
        let badge_type = self.badge_type.as_deref().map(|text| {
            BadgeType::parse(&word(text))
                .ok_or_else(|| ApiError::field("badgeType", "must be GOOD, BAD or NEUTRAL"))
        });
        let (conditions, badge_type) = both(conditions(self.conditions, |_| None), badge_type.transpose())?;
        Ok((conditions, badge_type.is_none_or(|badge_type| badge_type == BadgeType::Bad)))
    }
}

/// Whom conditions match.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedBody {
    /// Those for whom it would do something.
    matching: usize,
    /// How many more meet its conditions, and are disregarded or have a label that settles what it asks: nothing is done
    /// for them.
    settled: usize,
    /// Of those, how many have a GOOD badge: they may be legitimate.
    good: usize,
    /// Up to ten of them, the newest first.
    sample: Vec<IdentityBody>,
    /// Identities that were looked at: all, or where the conditions ask about events the newest 20,000.
    looked_at: usize,
}

/// Preview a rule
///
/// Identities that its conditions match now, ignoring delays. Read-only.
#[utoipa::path(post, operation_id = "previewEscalationRule", path = "/escalation-rules/actions/preview",
    tag = "rules", request_body = PreviewBody, responses((status = 200, body = PreviewedBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Unchecked<PreviewBody>>,
) -> Result<Answer<PreviewedBody>, ApiError> {
    let (conditions, accuses) = body.check(PreviewBody::read)?;
    let found = preview_of(
        &app.long_reads,
        &app.rosters,
        app.seen(),
        Previewed { team_id: caller.team_id(), conditions, accuses },
        app.clock.now(),
    )
    .await?;
    let sample = IdentityBody::all(found.sample).await?;
    let (matching, settled, good, looked_at) = (found.matching, found.settled, found.good, found.looked_at);
    Ok(Answer(PreviewedBody { matching, settled, good, sample, looked_at }))
}

pub(super) fn check_delays(open_after_seconds: u64, close_after_seconds: u64) -> Result<(), ApiError> {
    let (open, close) = ("openAfterSeconds", "closeAfterSeconds");
    both(check_seconds(open, open_after_seconds), check_seconds(close, close_after_seconds)).map(|_| ())
}

/// What a team's rules may name.
pub(super) struct Named {
    team_id: i64,
    known: Known,
    /// Slugs of the badges that its rules give.
    badges: Vec<String>,
    /// Slugs of the channels that are told of escalations.
    channels: Vec<String>,
}

impl Named {
    pub(super) async fn of_team(app: &App, team_id: i64) -> Result<Self, ApiError> {
        let read = move |tx: &mut Tx| {
            let told = channels::subscribers(tx, team_id, EventType::EscalationOpened)?;
            Ok((rules::all_badges(tx)?, told))
        };
        let (badges, told) = app.store.read(read).await?;
        let own = badges.into_iter().filter(|kept| kept.team_id == team_id);
        Ok(Self {
            team_id,
            known: Known::of_team(app, team_id),
            badges: own.map(|kept| kept.rule.slug).collect(),
            channels: told.into_iter().map(|channel| channel.slug).collect(),
        })
    }

    /// Whether what a rule names is still there; `before` may name what it does.
    pub(super) fn check(&self, rule: &EscalationRule, before: &EscalationRule) -> Result<(), ApiError> {
        let conditions = rule.conditions.iter().enumerate().map(|(n, condition)| {
            check(&format!("conditions[{n}]"), condition, &|condition| {
                self.flaw(condition, &before.conditions)
            })
        });
        let adds = self.known.check_additions(&rule.adds_to_lists, &before.adds_to_lists);
        both(both(every(conditions), adds), self.check_channels(&rule.channels)).map(|_| ())
    }

    /// Whoever names a badge expects that somebody can have it; one that is gone since may stay in a rule.
    fn flaw(&self, condition: &Condition, before: &[Condition]) -> Flaw {
        self.known.flaw(condition, before).or_else(|| self.flaw_of_badge(condition, before))
    }

    fn flaw_of_badge(&self, condition: &Condition, before: &[Condition]) -> Flaw {
        let badge = condition
            .badge()
            .filter(|_| !before.iter().flat_map(Condition::walk).any(|known| known == condition))?;
        let is_known = badge::is_reserved(badge) || self.badges.iter().any(|slug| slug == badge);
        (!is_known).then(|| ("badge", format!("there is no badge `{badge}`")))
    }

    /// Whoever names a channel expects that it is told.
    fn check_channels(&self, slugs: &[String]) -> Result<(), ApiError> {
        slugs.iter().find(|slug| !self.channels.contains(slug)).map_or(Ok(()), |slug| {
            let message = format!("there is no channel `{slug}` that is subscribed to ESCALATION_OPENED");
            Err(ApiError::field("channels", message))
        })
    }
}
