//! How many events the team has sent.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use super::params::{Params, times};
use crate::app::App;
use crate::ops::access::usage;

/// The longest time that can be asked for.
const DAYS_MAX: i64 = 366;

/// What a team has sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageBody {
    /// When this calendar month began, in UTC.
    #[schema(value_type = String, format = DateTime)]
    month_started_at: Timestamp,
    events_this_month: i64,
    /// Events that may be sent in a month; null where there is no limit.
    monthly_event_quota: Option<u64>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// The day (UTC) of the team's first event; null before there is any. An average over days begins here.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_day: Option<Timestamp>,
    /// Each day (UTC) of the time asked for on which events arrived.
    days: Vec<DayBody>,
}

/// A day.
#[derive(Serialize, ToSchema)]
pub struct DayBody {
    #[schema(value_type = String, format = DateTime)]
    day: Timestamp,
    events: i64,
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageParams {
    /// The beginning of this month by default.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Up to, but not at, this time; now by default.
    #[param(format = DateTime)]
    to: Option<String>,
}

/// Read the usage, day by day
#[utoipa::path(get, operation_id = "readUsage", path = "/usage", tag = "usage",
    params(UsageParams), responses((status = 200, body = UsageBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<UsageParams>,
) -> Result<Answer<UsageBody>, ApiError> {
    let now = app.clock.now();
    let (month_started_at, team_id) = (usage::month_start(now), caller.team_id());
    let (from, to) = times(params.from.as_deref(), params.to.as_deref())?;
    let (from, to) = (from.unwrap_or(month_started_at), to.unwrap_or(now));
    if to.millis_since(from) > DAYS_MAX * DAY_MS {
        return Err(ApiError::field("from", format!("must be at most {DAYS_MAX} days before \"to\"")));
    }
    let days = usage::by_day(&app.store, team_id, from, to).await?;
    let quota = app.config.monthly_event_quota;
    Ok(Answer(UsageBody {
        month_started_at,
        events_this_month: usage::this_month(&app.store, team_id, app.clock.now()).await?,
        monthly_event_quota: (quota > 0).then_some(quota),
        from,
        to,
        first_day: usage::first_day(&app.store, team_id).await?,
        days: days.into_iter().map(|(day, events)| DayBody { day, events }).collect(),
    }))
}
