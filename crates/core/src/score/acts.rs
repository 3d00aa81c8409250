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
    let meant: Vec<_> = snapshot
        .state
        .names()
        .iter()
        .filter_map(|name| {
            let meaning = snapshot.mapping.event_type(&name.value)?;
            types.contains(&meaning).then_some((name.value.as_str(), meaning))
        })
        .collect();
    let meaning = |name: &str| meant.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning);
    let mut found: Vec<_> =
        snapshot.state.recent().filter_map(|event| Some((event, meaning(event.name?)?))).collect();
    found.sort_by_key(|(event, _)| event.at);
    found
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
