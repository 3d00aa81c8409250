//! Figures for a first look.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::score::Category;
use dregs_core::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::channels::health;
use super::error::ApiError;
use super::escalations::{EscalationSummaryBody, counted};
use super::params::{Params, times};
use super::reference::Reference;
use crate::app::App;
use crate::ops::access::usage;
use crate::ops::lists::roster::{self, Filter};
use crate::store::rosters::Kind;
use crate::store::{channels, escalations};

/// Columns of [`crate::store::rosters::Entry`].
const CREATED_AT: usize = 0;
const LAST_TRACKED_AT: usize = 2;
const LAST_SCORED_AT: usize = 3;
/// Parts of a distribution: 0 to 9, 10 to 19, … 90 to 100.
const BINS: usize = 10;

/// Which time.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TimeParams {
    /// 24 hours before `to` by default.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Up to, but not at, this time; now by default.
    #[param(format = DateTime)]
    to: Option<String>,
}

impl TimeParams {
    fn read(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
        let (from, to) = times(self.from.as_deref(), self.to.as_deref())?;
        let to = to.unwrap_or(now.plus_millis(1));
        Ok((from.unwrap_or(to.plus_millis(-DAY_MS)), to))
    }
}

fn within(column: usize, (from, to): (Timestamp, Timestamp)) -> Filter {
    Filter { time: Some((column, from.as_millis(), to.as_millis())), ..Filter::default() }
}

/// What is there, and what has happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatsBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// All there are.
    identities: u64,
    /// First seen in this time.
    new_identities: u64,
    /// Whose last event is of this time.
    active_identities: u64,
    /// Whose last cycle was in this time.
    scored_identities: u64,
    /// Stored in this time, by full hours.
    events: i64,
    /// All there are.
    escalations: EscalationSummaryBody,
    channels: ChannelSummaryBody,
}

/// How many channels are healthy, and how many need attention.
#[derive(Default, Serialize, ToSchema)]
pub struct ChannelSummaryBody {
    healthy: u64,
    failing: u64,
    /// By the server itself.
    disabled: u64,
}

async fn channel_summary(app: &App, team_id: i64) -> Result<ChannelSummaryBody, ApiError> {
    let mut summary = ChannelSummaryBody::default();
    for channel in app.store.read(move |tx| channels::of_team(tx, team_id)).await? {
        *match health(app, &channel).status {
            "DISABLED" => &mut summary.disabled,
            "FAILING" => &mut summary.failing,
            _ => &mut summary.healthy,
        } += 1;
    }
    Ok(summary)
}

/// Read the figures of the dashboard
#[utoipa::path(get, operation_id = "readStats", path = "/dashboard/stats", tag = "dashboard",
    params(TimeParams), responses((status = 200, body = StatsBody)))]
pub async fn stats(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<TimeParams>,
) -> Result<Answer<StatsBody>, ApiError> {
    let (time, team_id) = (params.read(app.clock.now())?, caller.team_id());
    let columns = [CREATED_AT, LAST_TRACKED_AT, LAST_SCORED_AT];
    let count = move |table: &roster::Table| {
        let counts = columns.map(|column| table.count(&within(column, time)) as u64);
        (table.len() as u64, counts)
    };
    let (identities, counts) = app.rosters.ask(team_id, Kind::Identities, count).await?;
    let [new_identities, active_identities, scored_identities] = counts;
    let (from, to) = time;
    let events =
        usage::by_day(&app.store, team_id, from, to).await?.into_iter().map(|(_, events)| events).sum();
    let escalations = counted(&app, &caller).await?;
    let channels = channel_summary(&app, team_id).await?;
    Ok(Answer(StatsBody {
        channels,
        from,
        to,
        identities,
        new_identities,
        active_identities,
        scored_identities,
        events,
        escalations,
    }))
}

/// How the scores of one category are spread.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DistributionBody {
    #[schema(example = "HUMANITY")]
    category: &'static str,
    /// Identities with a score from 0 to 9, from 10 to 19, and so on; the last is from 90 to 100.
    counts: Vec<u64>,
}

/// Which identities.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DistributionParams {
    /// Those whose last event is not before this; everybody by default.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Those whose last event is before this.
    #[param(format = DateTime)]
    to: Option<String>,
}

/// Read the score distribution
#[utoipa::path(get, operation_id = "readScoreDistribution", path = "/dashboard/score-distribution",
    tag = "dashboard", params(DistributionParams), responses((status = 200, body = Vec<DistributionBody>)))]
pub async fn score_distribution(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<DistributionParams>,
) -> Result<Answer<Vec<DistributionBody>>, ApiError> {
    let filter = match times(params.from.as_deref(), params.to.as_deref())? {
        (None, None) => Filter::default(),
        (from, to) => {
            let forever = Timestamp::from_millis(i64::MAX);
            within(LAST_TRACKED_AT, (from.unwrap_or_default(), to.unwrap_or(forever)))
        }
    };
    let count = move |table: &roster::Table| table.distribution(&filter, BINS);
    let counts = app.rosters.ask(caller.team_id(), Kind::Identities, count).await?;
    let named = Category::ALL.into_iter().zip(counts);
    Ok(Answer(
        named.map(|(category, counts)| DistributionBody { category: category.name(), counts }).collect(),
    ))
}

/// What a rule has done.
#[derive(Serialize, ToSchema)]
pub struct RuleActivityBody {
    rule: Reference,
    /// Escalations it opened in this time.
    opened: i64,
    /// Those of them that are closed by now.
    closed: i64,
}

/// Read the recent activity of escalation rules, the busiest first
#[utoipa::path(get, operation_id = "readRuleActivity", path = "/dashboard/rule-activity", tag = "dashboard",
    params(TimeParams), responses((status = 200, body = Vec<RuleActivityBody>)))]
pub async fn rule_activity(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<TimeParams>,
) -> Result<Answer<Vec<RuleActivityBody>>, ApiError> {
    let ((from, to), team_id) = (params.read(app.clock.now())?, caller.team_id());
    let rules = app.long_reads.read(move |tx| escalations::by_rule(tx, team_id, from, to)).await?;
    let body = |rule: escalations::RuleActivity| RuleActivityBody {
        rule: Reference::rule(rule.rule_id, rule.rule_name),
        opened: rule.opened,
        closed: rule.closed,
    };
    Ok(Answer(rules.into_iter().map(body).collect()))
}
