//! Building the state of an identity again from its stored events: when the state was written by
//! a version that kept it differently, or when the past is to be read with other eyes.

use dregs_core::state::IdentityState;

use crate::store::retention::{self, Folded};
use crate::store::{Result, StoreError, Tx, events};

/// Events read at a time.
const PAGE_EVENTS: i64 = 500;

/// The state stored as `bytes`, or folded again where this version cannot read it.
pub fn decode(tx: &mut Tx, identity_id: i64, bytes: &[u8]) -> Result<IdentityState> {
    match IdentityState::decode(bytes) {
        Some(state) => Ok(state),
        None => from_events(tx, identity_id),
    }
}

/// The fold over every event of an identity, in the order in which they arrived: those that are gone as they were
/// folded when they went, the others again.
pub fn from_events(tx: &mut Tx, identity_id: i64) -> Result<IdentityState> {
    let folded = retention::folded(tx, identity_id)?.unwrap_or_default();
    let mut state = state_of(identity_id, &folded);
    let mut after = folded.event_id;
    loop {
        let page = events::of_identity(tx, identity_id, after, PAGE_EVENTS)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, event) in &page {
            state.fold(event);
        }
    }
    // Events that went meanwhile are in neither part.
    let is_same = retention::folded(tx, identity_id)?.unwrap_or_default().event_id == folded.event_id;
    if is_same { Ok(state) } else { Err(StoreError::Retry) }
}

/// The state that events which are gone have left.
pub fn state_of(identity_id: i64, folded: &Folded) -> IdentityState {
    if folded.event_id == 0 {
        return IdentityState::default();
    }
    IdentityState::recall(&folded.state).unwrap_or_else(|| {
        tracing::error!(identity_id, "what forgotten events told cannot be read: the fold begins after them");
        IdentityState::default()
    })
}
