//! The events that rules are asked about in a cycle, and what only those before them say.

use dregs_core::event::Event;
use dregs_core::fact::{EmailSince, Fact};
use dregs_core::identity::{self, Profile};
use dregs_core::mapping::Mapping;
use dregs_core::rules::{Condition, Standing};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::Map;

use crate::store::identities::CycleStart;
use crate::store::{Result, StoreError, Tx, events};

/// Of more events between two cycles of an identity, rules are asked about the newest.
pub const ASKED_MAX: usize = 200;
/// Of an identity with more events, the e-mail address counts as old as the identity.
pub const EMAIL_EVENTS_MAX: u64 = 1_000;

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

/// Since when an identity has its e-mail address, where a condition asks how old that is. Where not all its events
/// are kept, or there are too many, that is when it was first seen: nobody is called new whose past is not known.
///
/// # Errors
/// Those of the store.
pub fn email_since<'c>(
    tx: &mut Tx,
    start: &CycleStart,
    (profile, state): (&Profile, &IdentityState),
    mapping: &Mapping,
    conditions: impl Iterator<Item = &'c Condition>,
) -> Result<Option<Timestamp>> {
    let mut facts = conditions.flat_map(Condition::walk).filter_map(Condition::fact);
    if profile.email.is_none() || !facts.any(|fact| *fact == Fact::EmailAge) {
        return Ok(None);
    }
    let count = state.event_count();
    if count > EMAIL_EVENTS_MAX {
        return Ok(Some(start.first_seen_at));
    }
    let events = events::of_identity(tx, start.id, 0, i64::try_from(EMAIL_EVENTS_MAX).unwrap_or(i64::MAX))?;
    let is_whole = events.len() as u64 == count;
    let (mut data, mut since) = (Map::new(), EmailSince::default());
    for (_, event) in events {
        let Some(named) = event.identity else { continue };
        if let Ok(true) = identity::merge(&mut data, &named.data) {
            since.see(&Profile::from_data(&data, mapping), event.timestamp);
        }
    }
    Ok(since.of(profile).filter(|_| is_whole).or(Some(start.first_seen_at)))
}
