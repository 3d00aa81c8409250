//! What rules were, a draft beside one, and both on the same past.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::badge::BadgeType;
use dregs_core::rules::{BadgeRule, EscalationRule};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accuracy::TallyBody;
use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::backtests::BacktestedDay;
use super::badge_rules::{BadgeRuleBody, NewBadgeRuleBody};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code};
use super::escalation_rules::{EscalationRuleBody, Named, NewEscalationRuleBody};
use super::identities::IdentityBody;
use super::params::{Params, Path};
use super::rules::{Known, changed, find};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::decide::rule_backtest::Asked;
use crate::ops::decide::rule_comparison::{self, Part, Side};
use crate::ops::team::rule_versions::{self as ops, version};
use crate::ops::team::rules::{Change, Rule};
use crate::store::StoreError;
use crate::store::rule_versions::{self, Of, Version};
use crate::store::rules::Kept;

/// A rule as it was, or as somebody has drafted it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleVersionBody<R> {
    /// Null for a draft.
    revision: Option<i64>,
    rule: R,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The user's e-mail address, or the credential's name; null where that is not known.
    created_by: Option<String>,
}

/// What a rule was, revision by revision.
#[derive(Serialize, ToSchema)]
pub struct RuleVersionsBody<R> {
    /// Beside the rule; null where nobody has drafted a change.
    draft: Option<RuleVersionBody<R>>,
    /// The newest first, which is in force; of the last 100.
    versions: Vec<RuleVersionBody<R>>,
}

/// A revision of a rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevisionBody {
    revision: i64,
}

/// With what a rule is compared.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComparisonParams {
    /// With this revision of it; with its draft by default.
    revision: Option<i64>,
}

/// A rule and another wording of it, on the same past.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComparisonBody {
    /// 90 days ago, or when the last million cycles began.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Cycles on which both were tried.
    cycles: u64,
    /// The rule in force.
    rule: SideBody,
    /// Its draft, or its revision.
    other: SideBody,
    /// Whom both concern.
    both: PartBody,
    only_rule: PartBody,
    only_other: PartBody,
}

/// What one of the two would have done.
#[derive(Serialize, ToSchema)]
pub struct SideBody {
    /// How often it would have opened an escalation or given its badge, by day; days without are left out.
    days: Vec<BacktestedDay>,
    concerned: PartBody,
}

/// Some identities, and what was decided of them.
#[derive(Serialize, ToSchema)]
pub struct PartBody {
    identities: usize,
    /// Null for a NEUTRAL badge, which is never right or wrong.
    tally: Option<TallyBody>,
    /// Up to ten of them, the newest first.
    sample: Vec<IdentityBody>,
}

/// A kind of rule, as it is compared.
trait Compared: Rule + Sync
where
    Asked: From<Self>,
{
    fn tally(&self, part: &Part) -> Option<TallyBody>;
}

impl Compared for EscalationRule {
    fn tally(&self, part: &Part) -> Option<TallyBody> {
        Some(part.tally.into())
    }
}

impl Compared for BadgeRule {
    fn tally(&self, part: &Part) -> Option<TallyBody> {
        match self.badge_type {
            BadgeType::Bad => Some(part.tally.into()),
            BadgeType::Good => Some(part.tally.of_a_good_badge().into()),
            BadgeType::Neutral => None,
        }
    }
}

fn of<R: Rule>(team_id: i64, kept: &Kept<R>) -> Of {
    Of { team_id, kind: R::KIND, rule_id: kept.rule.id() }
}

fn as_told<R: Rule>(kept: &Kept<R>, version: &Version) -> Result<Kept<R>, ApiError> {
    let broken = |error: serde_json::Error| StoreError::Broken(error.to_string());
    let rule = R::as_told(kept, &version.definition).map_err(broken)?;
    Ok(Kept { updated_at: version.created_at, ..rule })
}

fn shown<R: Rule, B: From<Kept<R>>>(
    kept: &Kept<R>,
    version: Version,
) -> Result<RuleVersionBody<B>, ApiError> {
    let rule = as_told(kept, &version)?.into();
    let Version { revision, created_at, created_by, .. } = version;
    Ok(RuleVersionBody { revision, rule, created_at, created_by })
}

async fn versions<R: Rule + Sync, B: From<Kept<R>>>(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<Answer<RuleVersionsBody<B>>, ApiError> {
    let kept = find::<R>(app, caller, id).await?;
    let of = of(caller.team_id(), &kept);
    let (drafts, mut versions): (Vec<_>, Vec<_>) = app
        .store
        .read(move |tx| rule_versions::all(tx, of))
        .await?
        .into_iter()
        .partition(|version| version.revision.is_none());
    // One of the starter set that nobody has changed.
    if versions.is_empty() {
        versions.push(version(&kept, None));
    }
    let draft = drafts.into_iter().next().map(|draft| shown(&kept, draft)).transpose()?;
    let versions = versions.into_iter().map(|version| shown(&kept, version)).collect::<Result<_, _>>()?;
    Ok(Answer(RuleVersionsBody { draft, versions }))
}

/// The draft of a rule, or a revision of it, as it would be in force now.
async fn wording<R: Rule + Sync>(
    app: &App,
    caller: &Caller,
    kept: &Kept<R>,
    revision: Option<i64>,
) -> Result<Kept<R>, ApiError> {
    // Of one of the starter set that nobody has changed no version is kept.
    if revision == Some(kept.version) {
        return Ok(kept.clone());
    }
    let of = of(caller.team_id(), kept);
    let found = app.store.read(move |tx| rule_versions::find(tx, of, revision)).await?;
    let found = found.ok_or_else(|| {
        ApiError::not_found(
            Code::VersionNotFound,
            if revision.is_some() { "revision of this rule" } else { "draft of this rule" },
        )
    })?;
    Ok(Kept { updated_at: app.clock.now(), ..as_told(kept, &found)? })
}

async fn discard<R: Rule + Sync>(
    app: &App,
    caller: &Caller,
    actor: Actor,
    id: &str,
) -> Result<StatusCode, ApiError> {
    let kept = find::<R>(app, caller, id).await?;
    if ops::end_draft::<R>(&app.store, actor, (kept.rule.id(), false), app.clock.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found(Code::VersionNotFound, "draft of this rule"))
}

/// Puts a wording in force; the draft, if it is that, is no draft any more.
async fn put_in_force<R: Rule + Sync, B: From<Kept<R>>>(
    app: &App,
    actor: Actor,
    before: Kept<R>,
    (after, is_draft): (Kept<R>, bool),
) -> Result<Answer<B>, ApiError> {
    let id = before.rule.id();
    if is_draft {
        let drafted = ops::drafted_at::<R>(&app.store, actor.team_id, id).await?;
        if drafted.is_some_and(|drafted_at| before.updated_at > drafted_at) {
            let message = "The rule was changed after this draft was made, and promoting it would undo that. Compare \
                           them, then save the draft once more, or discard it.";
            return Err(ApiError::new(StatusCode::CONFLICT, Code::WrongState, message));
        }
    }
    let kept = changed(app, actor.clone(), Change::Update { before, after }).await?;
    if is_draft {
        ops::end_draft::<R>(&app.store, actor, (id, true), app.clock.now()).await?;
    }
    Ok(Answer(kept.into()))
}

async fn compare<R: Compared>(
    app: &App,
    caller: &Caller,
    id: &str,
    params: &ComparisonParams,
) -> Result<Answer<ComparisonBody>, ApiError>
where
    Asked: From<R>,
{
    let kept = find::<R>(app, caller, id).await?;
    let other = wording(app, caller, &kept, params.revision).await?;
    let rules = (kept.rule.clone(), other.rule.clone());
    let found = rule_comparison::compare(
        &app.long_reads,
        &app.rosters,
        app.seen(),
        caller.team_id(),
        rules,
        app.clock.now(),
    )
    .await?;
    let part = async |rule: &R, part: Part| {
        let (identities, tally) = (part.identities, rule.tally(&part));
        Result::<_, ApiError>::Ok(PartBody {
            identities,
            tally,
            sample: IdentityBody::all(part.sample).await?,
        })
    };
    let side = async |rule: &R, side: Side| {
        let days = side.days.into_iter().map(|(date, opened)| BacktestedDay { date, opened }).collect();
        Result::<_, ApiError>::Ok(SideBody { days, concerned: part(rule, side.concerned).await? })
    };
    Ok(Answer(ComparisonBody {
        from: found.from,
        to: found.to,
        cycles: found.cycles,
        both: part(&kept.rule, found.both).await?,
        only_rule: part(&kept.rule, found.only_rule).await?,
        only_other: part(&other.rule, found.only_other).await?,
        rule: side(&kept.rule, found.rule).await?,
        other: side(&other.rule, found.other).await?,
    }))
}

/// List the versions of an escalation rule
///
/// With its draft, if there is one.
#[utoipa::path(get, operation_id = "listEscalationRuleVersions", path = "/escalation-rules/{id}/versions",
    tag = "rules", params(("id" = i64, Path)),
    responses((status = 200, body = RuleVersionsBody<EscalationRuleBody>)))]
pub async fn escalation_versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<RuleVersionsBody<EscalationRuleBody>>, ApiError> {
    versions::<EscalationRule, _>(&app, &caller, &id).await
}

/// Draft a change of an escalation rule
///
/// The draft stands beside the rule, in the place of an earlier one. It is tried on the past, and opens nothing.
#[utoipa::path(put, operation_id = "draftEscalationRule", path = "/escalation-rules/{id}/draft", tag = "rules",
    params(("id" = i64, Path)), request_body = NewEscalationRuleBody,
    responses((status = 200, body = RuleVersionBody<EscalationRuleBody>)))]
pub async fn draft_escalation(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(new): Json<Unchecked<NewEscalationRuleBody>>,
) -> Result<Answer<RuleVersionBody<EscalationRuleBody>>, ApiError> {
    let before = find::<EscalationRule>(&app, &caller, &id).await?;
    let named = Named::of_team(&app, caller.team_id()).await?;
    let draft = new.check(|new| new.read(&named, Some(&before), app.clock.now()))?;
    let drafted = ops::put_draft(&app.store, actor, draft, app.clock.now()).await?;
    Ok(Answer(shown(&before, drafted)?))
}

/// Discard the draft of an escalation rule
#[utoipa::path(delete, operation_id = "discardEscalationRuleDraft", path = "/escalation-rules/{id}/draft",
    tag = "rules", params(("id" = i64, Path)), responses((status = 204)))]
pub async fn discard_escalation(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    discard::<EscalationRule>(&app, &caller, actor, &id).await
}

/// Put the draft of an escalation rule in force
#[utoipa::path(post, operation_id = "promoteEscalationRuleDraft", path = "/escalation-rules/{id}/actions/promote-draft",
    tag = "rules", params(("id" = i64, Path)), responses((status = 200, body = EscalationRuleBody)))]
pub async fn promote_escalation(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Answer<EscalationRuleBody>, ApiError> {
    let before = find::<EscalationRule>(&app, &caller, &id).await?;
    let after = wording(&app, &caller, &before, None).await?;
    Named::of_team(&app, caller.team_id()).await?.check(&after.rule, &before.rule)?;
    put_in_force(&app, actor, before, (after, true)).await
}

/// Put an earlier version of an escalation rule in force again
#[utoipa::path(post, operation_id = "restoreEscalationRule", path = "/escalation-rules/{id}/actions/restore",
    tag = "rules", params(("id" = i64, Path)), request_body = RevisionBody,
    responses((status = 200, body = EscalationRuleBody)))]
pub async fn restore_escalation(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<RevisionBody>,
) -> Result<Answer<EscalationRuleBody>, ApiError> {
    let before = find::<EscalationRule>(&app, &caller, &id).await?;
    let after = wording(&app, &caller, &before, Some(body.revision)).await?;
    Named::of_team(&app, caller.team_id()).await?.check(&after.rule, &before.rule)?;
    put_in_force(&app, actor, before, (after, false)).await
}

/// Compare an escalation rule with its draft or a version
///
/// What both would have opened in the last 90 days, and what was decided of whom it concerned. Read-only.
#[utoipa::path(get, operation_id = "compareEscalationRule", path = "/escalation-rules/{id}/comparison",
    tag = "rules", params(("id" = i64, Path), ComparisonParams),
    responses((status = 200, body = ComparisonBody)))]
pub async fn compare_escalation(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<ComparisonParams>,
) -> Result<Answer<ComparisonBody>, ApiError> {
    compare::<EscalationRule>(&app, &caller, &id, &params).await
}

/// List the versions of a badge rule
///
/// With its draft, if there is one.
#[utoipa::path(get, operation_id = "listBadgeRuleVersions", path = "/badge-rules/{id}/versions", tag = "rules",
    params(("id" = i64, Path)), responses((status = 200, body = RuleVersionsBody<BadgeRuleBody>)))]
pub async fn badge_versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<RuleVersionsBody<BadgeRuleBody>>, ApiError> {
    versions::<BadgeRule, _>(&app, &caller, &id).await
}

/// Draft a change of a badge rule
///
/// The draft stands beside the rule, in the place of an earlier one. It is tried on the past, and gives no badge.
#[utoipa::path(put, operation_id = "draftBadgeRule", path = "/badge-rules/{id}/draft", tag = "rules",
    params(("id" = i64, Path)), request_body = NewBadgeRuleBody,
    responses((status = 200, body = RuleVersionBody<BadgeRuleBody>)))]
pub async fn draft_badge(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(new): Json<Unchecked<NewBadgeRuleBody>>,
) -> Result<Answer<RuleVersionBody<BadgeRuleBody>>, ApiError> {
    let before = find::<BadgeRule>(&app, &caller, &id).await?;
    let known = Known::of_team(&app, caller.team_id());
    let draft = new.check(|new| new.read(&known, Some(&before), app.clock.now()))?;
    let drafted = ops::put_draft(&app.store, actor, draft, app.clock.now()).await?;
    Ok(Answer(shown(&before, drafted)?))
}

/// Discard the draft of a badge rule
#[utoipa::path(delete, operation_id = "discardBadgeRuleDraft", path = "/badge-rules/{id}/draft", tag = "rules",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn discard_badge(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    discard::<BadgeRule>(&app, &caller, actor, &id).await
}

/// Put the draft of a badge rule in force
#[utoipa::path(post, operation_id = "promoteBadgeRuleDraft", path = "/badge-rules/{id}/actions/promote-draft",
    tag = "rules", params(("id" = i64, Path)), responses((status = 200, body = BadgeRuleBody)))]
pub async fn promote_badge(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Answer<BadgeRuleBody>, ApiError> {
    let before = find::<BadgeRule>(&app, &caller, &id).await?;
    let after = wording(&app, &caller, &before, None).await?;
    let known = Known::of_team(&app, caller.team_id());
    known.check_additions(&after.rule.adds_to_lists, &before.rule.adds_to_lists)?;
    put_in_force(&app, actor, before, (after, true)).await
}

/// Put an earlier version of a badge rule in force again
#[utoipa::path(post, operation_id = "restoreBadgeRule", path = "/badge-rules/{id}/actions/restore", tag = "rules",
    params(("id" = i64, Path)), request_body = RevisionBody, responses((status = 200, body = BadgeRuleBody)))]
pub async fn restore_badge(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<RevisionBody>,
) -> Result<Answer<BadgeRuleBody>, ApiError> {
    let before = find::<BadgeRule>(&app, &caller, &id).await?;
    let after = wording(&app, &caller, &before, Some(body.revision)).await?;
    let known = Known::of_team(&app, caller.team_id());
    known.check_additions(&after.rule.adds_to_lists, &before.rule.adds_to_lists)?;
    put_in_force(&app, actor, before, (after, false)).await
}

/// Compare a badge rule with its draft or a version
///
/// Whom both would have given their badge in the last 90 days, and what was decided of them. Read-only.
#[utoipa::path(get, operation_id = "compareBadgeRule", path = "/badge-rules/{id}/comparison", tag = "rules",
    params(("id" = i64, Path), ComparisonParams), responses((status = 200, body = ComparisonBody)))]
pub async fn compare_badge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<ComparisonParams>,
) -> Result<Answer<ComparisonBody>, ApiError> {
    compare::<BadgeRule>(&app, &caller, &id, &params).await
}
