//! The events that rules are asked about in a cycle.

use dregs_core::event::Event;
use dregs_core::rules::Standing;

use crate::store::identities::CycleStart;
use crate::store::{Result, StoreError, Tx, events};

/// Of more events between two cycles of an identity, rules are asked about the newest.
pub const ASKED_MAX: usize = 200;

/// Those of an identity since the cycle before, or else the newest one.
pub struct AskedEvents {
    pub events: Vec<Event>,
    /// The row of the newest.
    pub newest: i64,
    /// The newest row of anybody's that the cycle can see.
    pub as_of: i64,
}

impl AskedEvents {
    /// # Errors
    /// Those of the store.
    pub fn read(tx: &mut Tx, start: &CycleStart) -> Result<Self> {
        let standing = Standing::decode(start.standing.as_deref());
        let asked = standing.map_err(|error| StoreError::Broken(error.to_string()))?.asked;
        // Who was scored before rules asked about events is asked about the newest, as somebody is who did nothing since.
        let is_new = asked > 0 || start.previous.is_none();
        let limit = i64::try_from(ASKED_MAX).unwrap_or(i64::MAX);
        let mut rows =
            if is_new { events::newest_of_identity(tx, start.id, asked, limit)? } else { Vec::new() };
        if rows.is_empty() {
            rows = events::newest_of_identity(tx, start.id, 0, 1)?;
        }
        let newest = rows.last().map_or(asked, |(row, _)| *row);
        let events = rows.into_iter().map(|(_, event)| event).collect();
        Ok(Self { events, newest, as_of: events::last_number(tx)? })
    }
}
