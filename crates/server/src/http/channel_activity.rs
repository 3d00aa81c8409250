//! How a channel has done over time: how much of it arrived, and how long that took.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::channels::find as find_channel;
use super::error::ApiError;
use super::params::{Params, Path, time};
use crate::app::App;
use crate::store::channel_activity::{self, Activity, COUNTED_MAX};

/// Intervals of an answer: as many as a chart shows apart from each other.
const INTERVALS_MAX: i64 = 50;
/// Lengths of an interval.
const LENGTHS_MS: [i64; 12] = [
    MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    8 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    14 * DAY_MS,
];

/// How a channel has done, interval by interval.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivityBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    interval_seconds: i64,
    /// In order; the first may have begun before `from`.
    intervals: Vec<IntervalBody>,
}

/// What became of the deliveries that were created in an interval.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntervalBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    delivered: i64,
    /// Given up; those that were skipped or superseded are left out.
    failed: i64,
    /// Failed so far, and tried again.
    retrying: i64,
    /// Not tried so far, or asked for again since: due, paused, or held while the channel is failing.
    waiting: i64,
    /// False where counting stopped, at 20,000 of one kind.
    is_exact: bool,
    /// Of those that were attempted, how many in a hundred have arrived; null where none was.
    success_percent: Option<f64>,
    /// Of the newest 100 that were attempted, how many in a hundred arrived at the first attempt.
    first_attempt_percent: Option<f64>,
    /// Of the last attempts of the same: half of them took no longer than this.
    duration_millis_p50: Option<i64>,
    /// 95 in a hundred took no longer than this.
    duration_millis_p95: Option<i64>,
}

/// Which time.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityParams {
    /// By default a day before `to`; at most 600 days.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Up to, but not at, this time; by default now.
    #[param(format = DateTime)]
    to: Option<String>,
}

/// Read how a channel has done over time
///
/// By when deliveries were created. The time is cut into at most 50 intervals of one length, from a minute to 14 days.
#[utoipa::path(get, operation_id = "readChannelActivity", path = "/channels/{id}/activity",
    tag = "channels", params(("id" = i64, Path), ActivityParams),
    responses((status = 200, body = ActivityBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<ActivityParams>,
) -> Result<Answer<ActivityBody>, ApiError> {
    let channel_id = find_channel(&app, &caller, &id).await?.id;
    let to = time("to", params.to.as_deref())?.unwrap_or_else(|| app.clock.now());
    let from = time("from", params.from.as_deref())?.unwrap_or_else(|| to.plus_millis(-DAY_MS));
    let (begin, length_ms) = intervals(from, to)?;
    let read = move |tx: &mut crate::store::Tx| {
        let mut intervals = Vec::new();
        let mut begin = begin;
        while begin < to {
            let end = begin.plus_millis(length_ms);
            let activity = channel_activity::of_interval(tx, channel_id, begin.max(from), end.min(to))?;
            intervals.push(IntervalBody::new(begin, activity));
            begin = end;
        }
        Ok(intervals)
    };
    let intervals = app.long_reads.read(read).await?;
    Ok(Answer(ActivityBody { from, to, interval_seconds: length_ms / 1_000, intervals }))
}

/// When the first interval begins, and how long each is, in milliseconds: they begin at multiples of that.
fn intervals(from: Timestamp, to: Timestamp) -> Result<(Timestamp, i64), ApiError> {
    if from >= to {
        return Err(ApiError::field("to", "must be after from"));
    }
    let begin = |length: i64| from.as_millis().div_euclid(length) * length;
    let fits = |length: &&i64| to.as_millis() - begin(**length) <= **length * INTERVALS_MAX;
    let length = LENGTHS_MS.iter().find(fits);
    let length = *length.ok_or_else(|| ApiError::field("from", "must be at most 600 days before to"))?;
    Ok((Timestamp::from_millis(begin(length)), length))
}

impl IntervalBody {
    fn new(from: Timestamp, activity: Activity) -> Self {
        let Activity { delivered, failed, retrying, waiting, sample } = activity;
        let mut durations: Vec<_> = sample.iter().map(|one| one.duration_ms).collect();
        durations.sort_unstable();
        let at_once = sample.iter().filter(|one| one.at_once).count();
        Self {
            from,
            delivered,
            failed,
            retrying,
            waiting,
            is_exact: [delivered, failed, retrying, waiting].into_iter().all(|count| count < COUNTED_MAX),
            success_percent: percent(delivered, delivered + failed + retrying),
            first_attempt_percent: percent(at_once as i64, sample.len() as i64),
            duration_millis_p50: rank(&durations, 50),
            duration_millis_p95: rank(&durations, 95),
        }
    }
}

/// To a tenth, and rounded down, so that 100 is said of all alone.
fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part * 1_000 / whole) as f64 / 10.0)
}

/// The least of sorted values that `percent` of them do not exceed.
fn rank(sorted: &[i64], percent: usize) -> Option<i64> {
    sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_cut_into_few_intervals_that_begin_on_the_clock() {
        let at = |text| Timestamp::parse(text).unwrap();
        let cases = [
            ("2026-11-23T09:13:20Z", "2026-11-23T09:14:00Z", "2026-11-23T09:13:00Z", MINUTE_MS),
            ("2026-11-23T09:13:20Z", "2026-11-23T10:13:20Z", "2026-11-23T09:10:00Z", 5 * MINUTE_MS),
            ("2026-11-22T09:13:20Z", "2026-11-23T09:13:20Z", "2026-11-22T09:00:00Z", 30 * MINUTE_MS),
            ("2026-11-16T09:13:20Z", "2026-11-23T09:13:20Z", "2026-11-16T08:00:00Z", 4 * HOUR_MS),
            ("2026-10-24T09:13:20Z", "2026-11-23T09:13:20Z", "2026-10-24T00:00:00Z", DAY_MS),
        ];
        for (from, to, begin, length) in cases {
            let found = intervals(at(from), at(to)).map_err(|_| "refused");
            assert_eq!(found, Ok((at(begin), length)), "{from} to {to}");
        }
        assert!(intervals(at("2026-11-23T09:00:00Z"), at("2026-11-23T09:00:00Z")).is_err());
        assert!(intervals(at("2020-11-23T09:00:00Z"), at("2026-11-23T09:00:00Z")).is_err());
    }

    #[test]
    fn a_share_is_whole_only_where_nothing_is_missing() {
        assert_eq!(
            [percent(9_999, 10_000), percent(3, 3), percent(0, 2), percent(0, 0)],
            [Some(99.9), Some(100.0), Some(0.0), None]
        );
        assert_eq!(rank(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(rank(&[1, 2, 3, 4], 95), Some(4));
        assert_eq!(rank(&[], 50), None);
    }
}
