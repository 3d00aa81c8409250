//! Back-tests: what a rule would have done in the last 90 days, had there been it.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::badge::BadgeType;
use dregs_core::rules::{BadgeRule, EscalationRule, Severity};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::badge_rules;
use super::body::{Json, Unchecked};
use super::error::{ApiError, both};
use super::escalation_rules;
use super::identities::IdentityBody;
use super::rules::{ConditionBody, conditions};
use crate::app::App;
use crate::ops::decide::rule_backtest::{self, Asked};

/// An escalation rule to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BacktestBody {
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    #[serde(default)]
    open_after_seconds: u64,
    #[serde(default)]
    close_after_seconds: u64,
}

impl BacktestBody {
    fn read(self) -> Result<EscalationRule, ApiError> {
        let Self { conditions, open_after_seconds, close_after_seconds } = self;
        let delays = escalation_rules::check_delays(open_after_seconds, close_after_seconds);
        let (conditions, ()) = both(self::conditions(conditions, |_| None), delays)?;
        Ok(EscalationRule {
            id: 0,
            revision: 0,
            name: String::new(),
            severity: Severity::Info,
            channels: Vec::new(),
            conditions,
            open_after_seconds,
            close_after_seconds,
            effective_at: None,
            adds_to_lists: Vec::new(),
        })
    }
}

/// A badge rule to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BadgeBacktestBody {
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    #[serde(default)]
    apply_delay_seconds: u64,
    #[serde(default)]
    remove_delay_seconds: u64,
}

impl BadgeBacktestBody {
    fn read(self) -> Result<BadgeRule, ApiError> {
        let Self { conditions, apply_delay_seconds, remove_delay_seconds } = self;
        let delays = badge_rules::check_delays(apply_delay_seconds, remove_delay_seconds);
        let conditions = self::conditions(conditions, badge_rules::flaw_of_use);
        let (conditions, ()) = both(conditions, delays)?;
        Ok(BadgeRule {
            id: 0,
            revision: 0,
            name: String::new(),
            // Whoever has it is told apart by it from who has none.
            slug: String::from("tried"),
            badge_type: BadgeType::Neutral,
            priority: 0,
            conditions,
            apply_delay_seconds,
            remove_delay_seconds,
            adds_to_lists: Vec::new(),
        })
    }
}

/// What a rule would have done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BacktestedBody {
    /// 90 days ago, or when the last million cycles began.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Cycles that were evaluated.
    cycles: u64,
    /// Escalations it would have opened, or how often it would have given its badge.
    opened: u64,
    /// The same by day, in order; days without are left out.
    days: Vec<BacktestedDay>,
    /// Identities that would have had one, or the badge.
    identities: usize,
    /// Of those, how many have a GOOD badge now: they may be legitimate.
    good: usize,
    /// Up to ten of them, the newest first.
    sample: Vec<IdentityBody>,
    /// Up to ten of those that have a GOOD badge.
    good_sample: Vec<IdentityBody>,
}

/// A day of a back-test.
#[derive(Serialize, ToSchema)]
pub struct BacktestedDay {
    /// In UTC.
    #[schema(format = Date)]
    pub(super) date: String,
    pub(super) opened: u64,
}

/// Back-test an escalation rule
///
/// What it would have opened in the last 90 days. Read-only.
#[utoipa::path(post, operation_id = "backtestEscalationRule", path = "/escalation-rules/actions/backtest",
    tag = "rules", request_body = BacktestBody, responses((status = 200, body = BacktestedBody)))]
pub async fn of_escalation_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Unchecked<BacktestBody>>,
) -> Result<Answer<BacktestedBody>, ApiError> {
    run(&app, &caller, body.check(BacktestBody::read)?).await
}

/// Back-test a badge rule
///
/// To whom it would have given its badge in the last 90 days. Read-only.
#[utoipa::path(post, operation_id = "backtestBadgeRule", path = "/badge-rules/actions/backtest",
    tag = "rules", request_body = BadgeBacktestBody, responses((status = 200, body = BacktestedBody)))]
pub async fn of_badge_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Unchecked<BadgeBacktestBody>>,
) -> Result<Answer<BacktestedBody>, ApiError> {
    run(&app, &caller, body.check(BadgeBacktestBody::read)?).await
}

async fn run(app: &App, caller: &Caller, rule: impl Into<Asked>) -> Result<Answer<BacktestedBody>, ApiError> {
    let about = (caller.team_id(), rule.into());
    let found = rule_backtest::run(&app.long_reads, &app.rosters, app.seen(), about, app.clock.now()).await?;
    Ok(Answer(BacktestedBody {
        from: found.from,
        to: found.to,
        cycles: found.cycles,
        opened: found.days.values().sum(),
        days: found.days.into_iter().map(|(date, opened)| BacktestedDay { date, opened }).collect(),
        identities: found.identities,
        good: found.good,
        sample: IdentityBody::all(found.sample).await?,
        good_sample: IdentityBody::all(found.good_sample).await?,
    }))
}
