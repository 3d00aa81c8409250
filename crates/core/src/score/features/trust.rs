//! What an analyzer says that looks at nothing, because the team trusts what would be looked at.

use crate::key::KeyKind;
use crate::score::contract::Finding;
use crate::snapshot::Snapshot;

/// By which entry of a trusted list the identity, or one of its keys of these kinds, is left out; `None` where none is.
/// It moves no score.
pub fn abstention(snapshot: &Snapshot, kinds: &[KeyKind]) -> Option<Finding> {
    let listed = snapshot.trusted.among(kinds)?;
    let explanation = format!("{} is on the trusted list \"{}\".", listed.value, listed.list);
    let finding = Finding::new(0.5, 0.0, explanation);
    Some(finding.with("trusted", listed.value.as_str()).with("list", listed.list.as_str()))
}
