//! What became of a channel's deliveries, interval by interval.

use dregs_core::time::Timestamp;

use super::deliveries::{self, Filter, Status};
use super::{Result, Tx};
use crate::values;

/// Deliveries of one state that are counted in an interval at most.
pub const COUNTED_MAX: i64 = 20_000;
/// The newest deliveries of an interval whose attempts are looked at.
const SAMPLED_MAX: i64 = 100;

/// What became of the deliveries that were created in an interval, each counted up to [`COUNTED_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    pub delivered: i64,
    /// Given up; those that somebody skipped are left out.
    pub failed: i64,
    /// Failed so far, and tried again.
    pub retrying: i64,
    /// Not tried so far, or asked for again since.
    pub waiting: i64,
    /// Of the newest that were attempted.
    pub sample: Vec<Sampled>,
}

/// A delivery that was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// How long the last attempt took.
    pub duration_ms: i64,
    /// Whether the first attempt arrived.
    pub at_once: bool,
}

/// What became of the deliveries of a channel created from `from` on and before `to`.
pub fn of_interval(tx: &mut Tx, channel_id: i64, from: Timestamp, to: Timestamp) -> Result<Activity> {
    let within = Filter { from: Some(from), to: Some(to), ..Filter::default() };
    let mut count = |filter| deliveries::count(tx, channel_id, &filter, COUNTED_MAX);
    let delivered = count(Filter { status: Some(Status::Delivered), ..within.clone() })?;
    let given_up = count(Filter { status: Some(Status::Failed), ..within.clone() })?;
    let skipped = match given_up {
        0 => 0,
        _ => count(Filter { error_class: Some("skipped".into()), ..within.clone() })?,
    };
    let pending = count(Filter { status: Some(Status::Pending), ..within.clone() })?;
    let retrying = if pending == 0 { 0 } else { count(Filter { retrying: true, ..within })? };
    let sample = match delivered + given_up + retrying {
        0 => Vec::new(),
        _ => sample(tx, channel_id, from, to)?,
    };
    Ok(Activity {
        delivered,
        failed: (given_up - skipped).max(0),
        retrying,
        waiting: (pending - retrying).max(0),
        sample,
    })
}

fn sample(tx: &mut Tx, channel_id: i64, from: Timestamp, to: Timestamp) -> Result<Vec<Sampled>> {
    // A first attempt that succeeded is kept with its delivery, and the columns stay when it is sent again.
    let found = tx.query(
        "with page as materialized
           (select id from deliveries where channel_id = $1 and created_at >= $2 and created_at < $3
            order by created_at desc, id desc limit $4)
         select a.duration, d.duration, d.started_at, d.attempt_count, d.status
         from page p join deliveries d on d.id = p.id
         left join attempts a on a.shard = d.shard and a.delivery_id = d.id and a.attempt = d.attempt_count
         where d.attempt_count > 0",
        &values![channel_id, from, to, SAMPLED_MAX],
        |row| {
            let is_folded = row.optional_time(2)?.is_some();
            let is_first = row.get::<i64>(3)? == 1 && row.get::<i64>(4)? == Status::Delivered as i64;
            let duration_ms = row.get::<Option<i64>>(0)?.or(row.get(1)?);
            Ok((duration_ms, is_folded || is_first))
        },
    )?;
    let sampled = found
        .into_iter()
        .filter_map(|(duration_ms, at_once)| Some(Sampled { duration_ms: duration_ms?, at_once }));
    Ok(sampled.collect())
}
