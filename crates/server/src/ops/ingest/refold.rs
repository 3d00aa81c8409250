//! Building the state of an identity again from its stored events: when the state was written by
//! a version that kept it differently, or when the past is to be read with other eyes.

use dregs_core::state::IdentityState;

use crate::store::{Result, Tx, events};

/// Events read at a time.
const PAGE_EVENTS: i64 = 500;

/// The state stored as `bytes`, or folded again where this version cannot read it.
pub fn decode(tx: &mut Tx, identity_id: i64, bytes: &[u8]) -> Result<IdentityState> {
    match IdentityState::decode(bytes) {
        Some(state) => Ok(state),
        None => from_events(tx, identity_id),
    }
}

/// The fold over every stored event of an identity, in the order in which they arrived.
pub fn from_events(tx: &mut Tx, identity_id: i64) -> Result<IdentityState> {
    let mut state = IdentityState::default();
    let mut after = 0;
    loop {
        let page = events::of_identity(tx, identity_id, after, PAGE_EVENTS)?;
        let Some((last, _)) = page.last() else { return Ok(state) };
        after = *last;
        for (_, event) in &page {
            state.fold(event);
        }
    }
}
