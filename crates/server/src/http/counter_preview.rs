//! What a counter would say now, told before it is made.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::counter::{Counter, Function};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::body::{Json, Unchecked};
use super::counters::Definition;
use super::error::ApiError;
use super::rules::ConditionBody;
use crate::app::App;
use crate::ops::counters::Seen;
use crate::ops::counters::preview::{BOUNDS, Preview, preview as preview_of};

/// A counter to try: as a new one, whatever it is called.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CounterPreviewBody {
    #[serde(default, rename = "name")]
    #[schema(example = "Accounts on one device in 1 h")]
    _name: Option<String>,
    /// COUNT, DISTINCT, SUM, MIN or MAX.
    #[schema(example = "DISTINCT")]
    function: String,
    /// The fact that it is of; null for COUNT, which is of events.
    #[schema(example = "identity.id")]
    of: Option<String>,
    /// The fact for each of whose values it counts apart.
    #[schema(example = "device")]
    per: String,
    /// Which events it counts: those that meet all. Without any, all events.
    #[serde(default)]
    #[schema(value_type = Vec<ConditionBody>)]
    conditions: Value,
    /// From 60 to 2592000, which is 30 days.
    #[schema(example = 3600, minimum = 60, maximum = 2_592_000)]
    window_seconds: u64,
}

impl CounterPreviewBody {
    fn read(self) -> Result<Counter, ApiError> {
        let Self { function, of, per, conditions, window_seconds, .. } = self;
        Definition { function: &function, of: of.as_deref(), per: &per, conditions, window_seconds }.read()
    }
}

/// What a counter would say now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CounterPreviewedBody {
    /// The window: from the begin of its first 24th until now.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Values of `per` that have a number.
    values: usize,
    /// HIGHEST, or for MIN LOWEST: which end `top` and `thresholds` show.
    #[schema(example = "HIGHEST")]
    order: &'static str,
    /// Up to 20 values with the highest numbers, or the lowest.
    top: Vec<CounterTopBody>,
    /// Numbers to compare with in a rule: up to six that 50, 75, 90, 95, 99 and 99.9 percent of the values do not go
    /// beyond.
    thresholds: Vec<CounterThresholdBody>,
    /// Events of the window that were looked at.
    looked_at: u64,
    /// Of those, how many it counts.
    matching: u64,
    /// Whether all events of the window were looked at. Else up to 100,000 of the 20,000 identities that were active last,
    /// 20,000 of one, those before the window included; and those without an identity among the window's first 100,000.
    is_whole: bool,
}

/// A value, and what the counter says of it.
#[derive(Serialize, ToSchema)]
pub struct CounterTopBody {
    /// A value of `per`.
    #[schema(example = "5f2c")]
    value: String,
    #[schema(example = 12.0)]
    counted: f64,
}

/// A number to compare with in a rule.
#[derive(Serialize, ToSchema)]
pub struct CounterThresholdBody {
    #[schema(example = 3.0)]
    threshold: f64,
    /// Values whose number is above it (`COUNTER_GT`), or in the order LOWEST below it (`COUNTER_LT`).
    #[schema(example = 7)]
    beyond: usize,
}

impl CounterPreviewedBody {
    fn of(found: Preview, order: &'static str) -> Self {
        let top = found.top.into_iter().map(|(value, counted)| CounterTopBody { value, counted });
        let thresholds = found.thresholds.into_iter();
        Self {
            from: found.from,
            to: found.to,
            values: found.values,
            order,
            top: top.collect(),
            thresholds: thresholds
                .map(|(threshold, beyond)| CounterThresholdBody { threshold, beyond })
                .collect(),
            looked_at: found.looked_at,
            matching: found.matching,
            is_whole: found.is_whole,
        }
    }
}

/// Preview a counter
///
/// What it would say now, in the window that ends now: the highest values, and numbers that a rule can compare with.
/// Nothing is stored.
#[utoipa::path(post, operation_id = "previewCounter", path = "/counters/actions/preview", tag = "counters",
    request_body = CounterPreviewBody, responses((status = 200, body = CounterPreviewedBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Unchecked<CounterPreviewBody>>,
) -> Result<Answer<CounterPreviewedBody>, ApiError> {
    let counter = body.check(CounterPreviewBody::read)?;
    let order = if matches!(counter.function, Function::Min(_)) { "LOWEST" } else { "HIGHEST" };
    let (seen, about) = (Seen::now(&app.kept, app.key_hasher), (caller.team_id(), counter));
    let found = preview_of(&app.long_reads, &app.rosters, seen, about, BOUNDS, app.clock.now()).await?;
    Ok(Answer(CounterPreviewedBody::of(found, order)))
}
