//! Figures over time, beside those of the time before.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use super::params::Params;
use crate::app::App;
use crate::ops::lists::roster;
use crate::store::rosters::Kind;
use crate::store::{Tx, escalations, usage};

/// The column of [`crate::store::rosters::Entry`] with when an identity was first seen.
const CREATED_AT: usize = 0;

/// A range and the length of its steps.
#[derive(Clone, Copy)]
struct Range {
    name: &'static str,
    step_ms: i64,
    steps: usize,
}

const RANGES: [Range; 3] = [
    Range { name: "24h", step_ms: HOUR_MS, steps: 24 },
    Range { name: "7d", step_ms: 6 * HOUR_MS, steps: 28 },
    Range { name: "30d", step_ms: DAY_MS, steps: 30 },
];

/// Which range.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TrendParams {
    /// 24h by default, by the hour; else 7d, by six hours, or 30d, by the day.
    #[param(example = "24h")]
    range: Option<String>,
}

/// What happened in a time.
#[derive(Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountsBody {
    /// Events that arrived.
    events: i64,
    /// Identities first seen.
    new_identities: i64,
    escalations_opened: i64,
    escalations_closed: i64,
}

/// What happened in a step.
#[derive(Serialize, ToSchema)]
pub struct TrendPointBody {
    /// When the step begins.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(flatten)]
    counts: CountsBody,
}

/// Figures over time. The last step has not ended yet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrendsBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    step_seconds: i64,
    /// In order; their sum is `total`.
    points: Vec<TrendPointBody>,
    total: CountsBody,
    /// Of as long a time just before `from`.
    previous: CountsBody,
}

/// Read figures over time
#[utoipa::path(get, operation_id = "readTrends", path = "/dashboard/trends", tag = "dashboard",
    params(TrendParams), responses((status = 200, body = TrendsBody)))]
pub async fn trends(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<TrendParams>,
) -> Result<Answer<TrendsBody>, ApiError> {
    let name = params.range.as_deref().unwrap_or(RANGES[0].name);
    let range = RANGES.into_iter().find(|range| range.name == name);
    let range = range.ok_or_else(|| ApiError::field("range", "must be 24h, 7d or 30d"))?;
    let (now, team_id) = (app.clock.now(), caller.team_id());
    // Whole steps, the last of which is under way.
    let to = Timestamp::from_millis((now.as_millis().div_euclid(range.step_ms) + 1) * range.step_ms);
    let length_ms = range.step_ms * range.steps as i64;
    let from = to.plus_millis(-length_ms);
    let begin = from.plus_millis(-length_ms);
    let spans = Spans { begin, step_ms: range.step_ms, count: 2 * range.steps };
    let counts = spans.count(&app, team_id).await?;
    let (before, points) = counts.split_at(range.steps);
    Ok(Answer(TrendsBody {
        from,
        to,
        step_seconds: range.step_ms / 1_000,
        total: sum(points),
        previous: sum(before),
        points: points
            .iter()
            .zip(0..)
            .map(|(counts, step)| TrendPointBody {
                at: from.plus_millis(step * range.step_ms),
                counts: *counts,
            })
            .collect(),
    }))
}

fn sum(counts: &[CountsBody]) -> CountsBody {
    counts.iter().fold(CountsBody::default(), |sum, one| CountsBody {
        events: sum.events + one.events,
        new_identities: sum.new_identities + one.new_identities,
        escalations_opened: sum.escalations_opened + one.escalations_opened,
        escalations_closed: sum.escalations_closed + one.escalations_closed,
    })
}

/// Equal spans of time.
#[derive(Clone, Copy)]
struct Spans {
    begin: Timestamp,
    step_ms: i64,
    count: usize,
}

impl Spans {
    async fn count(self, app: &App, team_id: i64) -> Result<Vec<CountsBody>, ApiError> {
        let Self { begin, step_ms, count } = self;
        let from = begin.as_millis();
        let seen = move |table: &roster::Table| table.by_span(CREATED_AT, from, step_ms, count);
        let seen = app.rosters.ask(team_id, Kind::Identities, seen).await?;
        let end = begin.plus_millis(step_ms * count as i64);
        let (hours, opened, closed) = app
            .store
            .read(move |tx: &mut Tx| {
                let hours = usage::by_hour(tx, team_id, usage::hour(begin), usage::hour(end))?;
                let spans = (begin, step_ms, end);
                let opened = escalations::by_span(tx, team_id, escalations::Moment::Opened, spans)?;
                Ok((hours, opened, escalations::by_span(tx, team_id, escalations::Moment::Closed, spans)?))
            })
            .await?;
        let mut counts = vec![CountsBody::default(); count];
        for (counts, seen) in counts.iter_mut().zip(seen) {
            counts.new_identities = seen;
        }
        let place = |span: i64| usize::try_from(span).unwrap_or(usize::MAX);
        for (hour, events) in hours {
            if let Some(counts) = counts.get_mut(place((hour * HOUR_MS - from).div_euclid(step_ms))) {
                counts.events += events;
            }
        }
        for (span, opened) in opened {
            if let Some(counts) = counts.get_mut(place(span)) {
                counts.escalations_opened = opened;
            }
        }
        for (span, closed) in closed {
            if let Some(counts) = counts.get_mut(place(span)) {
                counts.escalations_closed = closed;
            }
        }
        Ok(counts)
    }
}
