//! Recent events by what they mean.

use crate::mapping::CanonicalType;
use crate::snapshot::Snapshot;
use crate::state::RecentEvent;
use crate::time::Timestamp;

/// The recent events of some types, in order of time.
pub fn of_types<'a>(
    snapshot: &Snapshot<'a>,
    types: &[CanonicalType],
) -> Vec<(RecentEvent<'a>, CanonicalType)> {
    let of_type = snapshot.acts().iter().filter_map(|act| Some((act.event, act.meaning?)));
    of_type.filter(|(_, meaning)| types.contains(meaning)).collect()
}

/// The most of these moments, in order, within any stretch of so many milliseconds, and the first and the
/// last of those.
pub fn most_within(millis: i64, moments: &[Timestamp]) -> Option<(usize, Timestamp, Timestamp)> {
    let mut start = 0;
    let mut most = None;
    for (end, at) in moments.iter().enumerate() {
        while at.millis_since(moments[start]) >= millis {
            start += 1;
        }
        let count = end + 1 - start;
        if most.is_none_or(|(best, _, _)| count > best) {
            most = Some((count, moments[start], *at));
        }
    }
    most
}
