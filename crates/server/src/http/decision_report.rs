//! How fast people decide on escalations, and how alike.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::{DAY_MS, SECOND_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use super::params::{Params, whole_number};
use crate::app::App;
use crate::ops::decide::decision_report::{self as ops, Agreement, Report, Times};

const DAYS_DEFAULT: u32 = 30;
const DAYS_MAX: u32 = 365;

/// Of which time.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DecisionsParams {
    /// The last so many days.
    #[serde(default = "days_default", deserialize_with = "whole_number::<1, DAYS_MAX, _>")]
    #[param(minimum = 1, maximum = 365, default = 30)]
    days: u32,
}

fn days_default() -> u32 {
    DAYS_DEFAULT
}

/// How long escalations were open that people, or keys, have closed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionTimesBody {
    closed: usize,
    /// The median of the time from opening to closing.
    median_seconds: Option<i64>,
    /// The 90th percentile of the same.
    ninth_decile_seconds: Option<i64>,
}

impl From<Times> for DecisionTimesBody {
    fn from(times: Times) -> Self {
        let seconds = |millis: Option<i64>| millis.map(|millis| millis / SECOND_MS);
        Self {
            closed: times.closed,
            median_seconds: seconds(times.median_ms),
            ninth_decile_seconds: seconds(times.ninth_decile_ms),
        }
    }
}

/// The same of a week.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionWeekBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[serde(flatten)]
    times: DecisionTimesBody,
}

/// The same of a person.
#[derive(Serialize, ToSchema)]
pub struct DecisionPersonBody {
    /// The user's e-mail address, or the credential's name.
    by: String,
    #[serde(flatten)]
    times: DecisionTimesBody,
}

/// How alike people decide, of identities that two or more have labeled.
#[derive(Serialize, ToSchema)]
pub struct AgreementBody {
    identities: u64,
    /// Of those, the ones of whom all said the same, each last.
    agreed: u64,
    /// Between which that part is with 95 % (Wilson's interval), from 0 to 1.
    low: f64,
    high: f64,
}

impl From<Agreement> for AgreementBody {
    fn from(Agreement { identities, agreed, low, high }: Agreement) -> Self {
        Self { identities, agreed, low, high }
    }
}

/// How fast and how alike people decide.
#[derive(Serialize, ToSchema)]
pub struct DecisionsBody {
    days: u32,
    #[serde(flatten)]
    times: DecisionTimesBody,
    /// Weeks that end now, seven days ago and so on, the oldest first; those without are left out.
    weeks: Vec<DecisionWeekBody>,
    /// The busiest first.
    people: Vec<DecisionPersonBody>,
    /// Null where no identity was labeled by two.
    agreement: Option<AgreementBody>,
}

/// Read how fast and how alike people decide on escalations
///
/// From opening to closing, of the newest 10,000 that people or keys have closed; and how often those agree who have
/// labeled the same identity.
#[utoipa::path(get, operation_id = "readDecisions", path = "/dashboard/decisions", tag = "dashboard",
    params(DecisionsParams), responses((status = 200, body = DecisionsBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(DecisionsParams { days }): Params<DecisionsParams>,
) -> Result<Answer<DecisionsBody>, ApiError> {
    let (team_id, now) = (caller.team_id(), app.clock.now());
    let from = now.plus_millis(-i64::from(days) * DAY_MS);
    let report = app.long_reads.read(move |tx| ops::read(tx, team_id, from, now)).await?;
    let Report { all, weeks, people, agreement } = report;
    Ok(Answer(DecisionsBody {
        days,
        times: all.into(),
        weeks: weeks
            .into_iter()
            .map(|(from, times)| DecisionWeekBody { from, times: times.into() })
            .collect(),
        people: people
            .into_iter()
            .map(|(by, times)| DecisionPersonBody { by, times: times.into() })
            .collect(),
        agreement: agreement.map(AgreementBody::from),
    }))
}
