//! How long the team keeps its events, analyses, deliveries and audit log.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use dregs_core::event::FieldError;
use dregs_core::time::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::auth::{Admin, Caller};
use super::body::{Json, Unchecked};
use super::error::ApiError;
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::retention::{self as ops, Count, DAYS_MAX, Periods, least_days};
use crate::store::retention::Kind;

/// How long rows of a kind are kept.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeriodBody {
    /// Null keeps them forever.
    days: Option<i64>,
    /// The fewest days that can be set.
    least_days: i64,
    /// What was stored up to then is gone, but for what is still needed; null where nothing is.
    #[schema(value_type = Option<String>, format = DateTime)]
    forgotten_until: Option<Timestamp>,
}

/// How long the team keeps what it has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionBody {
    /// From their arrival on. What they told stays in the scores.
    events: PeriodBody,
    /// An identity's newest stays, those that deliveries are about, and those by which open escalations were opened.
    analyses: PeriodBody,
    /// With their attempts. Those that are pending stay.
    deliveries: PeriodBody,
    audit_log: PeriodBody,
}

/// The days to keep rows of each kind.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRetentionBody {
    /// At least 30 days; null keeps them forever.
    events: NewPeriodBody,
    /// At least 7 days.
    analyses: NewPeriodBody,
    /// At least 7 days.
    deliveries: NewPeriodBody,
    /// At least 90 days.
    audit_log: NewPeriodBody,
}

/// How long rows of a kind are to be kept: the days alone, or as they are read.
#[derive(Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be a whole number of days, null, or an object with `days`")]
pub enum NewPeriodBody {
    #[schema(example = 396)]
    Days(Option<i64>),
    Read(ReadPeriodBody),
}

/// A period as it is read, so that what was read can be sent back with other days.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadPeriodBody {
    #[serde(deserialize_with = "given")]
    #[schema(required, minimum = 7, maximum = 36500, example = 396)]
    days: Option<i64>,
    /// Ignored.
    #[serde(default, rename = "leastDays")]
    #[schema(value_type = Option<i64>)]
    _least_days: IgnoredAny,
    /// Ignored.
    #[serde(default, rename = "forgottenUntil")]
    #[schema(value_type = Option<String>)]
    _forgotten_until: IgnoredAny,
}

impl NewPeriodBody {
    const fn days(&self) -> Option<i64> {
        match self {
            Self::Days(days) | Self::Read(ReadPeriodBody { days, .. }) => *days,
        }
    }
}

/// A field that has to be there, though it may be null: what is left out must not be kept forever by mistake.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<i64>, D::Error> {
    Option::deserialize(field)
}

impl NewRetentionBody {
    fn periods(self) -> Result<Periods, ApiError> {
        let days = [
            (Kind::Events, self.events.days()),
            (Kind::Analyses, self.analyses.days()),
            (Kind::Deliveries, self.deliveries.days()),
            (Kind::AuditLog, self.audit_log.days()),
        ];
        Periods::new(days).map_err(|kinds| {
            let wrong = |kind: Kind| FieldError {
                field: kind.name().to_owned(),
                message: format!("must be from {} to {DAYS_MAX} days, or null forever", least_days(kind)),
            };
            ApiError::fields(kinds.into_iter().map(wrong).collect())
        })
    }
}

/// Read how long events, analyses, deliveries and the audit log are kept
#[utoipa::path(get, operation_id = "readRetention", path = "/retention", tag = "team",
    responses((status = 200, body = RetentionBody)))]
pub async fn get(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<RetentionBody>, ApiError> {
    read(&app, caller.team_id()).await.map(Answer)
}

async fn read(app: &App, team_id: i64) -> Result<RetentionBody, ApiError> {
    let (periods, forgotten) = app.store.read(move |tx| ops::of_team(tx, team_id)).await?;
    let body = |kind| PeriodBody {
        days: periods.days(kind),
        least_days: least_days(kind),
        forgotten_until: forgotten.get(&kind).copied(),
    };
    Ok(RetentionBody {
        events: body(Kind::Events),
        analyses: body(Kind::Analyses),
        deliveries: body(Kind::Deliveries),
        audit_log: body(Kind::AuditLog),
    })
}

/// Change how long events, analyses, deliveries and the audit log are kept
///
/// What has been kept longer goes within the hour, a little at a time, and does not come back. The id of an event is known as long as the event: sent again after that, it counts once more.
#[utoipa::path(put, operation_id = "changeRetention", path = "/retention", tag = "team",
    request_body = NewRetentionBody, responses((status = 200, body = RetentionBody)))]
pub async fn change(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    actor: Actor,
    Json(new): Json<Unchecked<NewRetentionBody>>,
) -> Result<Answer<RetentionBody>, ApiError> {
    let periods = new.check(NewRetentionBody::periods)?;
    ops::change(&app.store, actor, periods, app.clock.now()).await?;
    read(&app, user.team_id).await.map(Answer)
}

/// How many rows would go.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GoingBody {
    /// Up to 100,000.
    rows: u64,
    /// Whether there may be more.
    is_cut: bool,
}

/// What would go within the hour.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedRetentionBody {
    events: GoingBody,
    analyses: GoingBody,
    deliveries: GoingBody,
    audit_log: GoingBody,
}

/// Preview a change of how long things are kept
///
/// Counts the rows that would go within the hour. Read-only.
#[utoipa::path(post, operation_id = "previewRetention", path = "/retention/actions/preview", tag = "team",
    request_body = NewRetentionBody, responses((status = 200, body = PreviewedRetentionBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    Json(new): Json<Unchecked<NewRetentionBody>>,
) -> Result<Answer<PreviewedRetentionBody>, ApiError> {
    let (periods, now) = (new.check(NewRetentionBody::periods)?, app.clock.now());
    let counts: BTreeMap<_, _> = ops::preview(&app.long_reads, user.team_id, &periods, now).await?;
    let body = |kind| {
        let Count { rows, is_cut } = counts.get(&kind).copied().unwrap_or_default();
        GoingBody { rows, is_cut }
    };
    Ok(Answer(PreviewedRetentionBody {
        events: body(Kind::Events),
        analyses: body(Kind::Analyses),
        deliveries: body(Kind::Deliveries),
        audit_log: body(Kind::AuditLog),
    }))
}
