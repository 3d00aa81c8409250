//! The events that rules are asked about in a cycle, and what only those before them say.

use std::collections::BTreeMap;

use dregs_core::fact::{EmailSince, Fact, Linked, OfIdentity, Subject};
use dregs_core::identity::{self, Profile};
use dregs_core::mapping::Mapping;
use dregs_core::rules::{Condition, Happened, asked, names_events};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::ops::evaluate::evaluation::Seen;
use crate::ops::ingest::refold;
use crate::store::events::{self, Received};
use crate::store::identities::CycleStart;
use crate::store::{Result, StoreError, Tx, analyses};

/// Of more events between two cycles of an identity, rules are asked about the newest.
pub const ASKED_MAX: usize = 200;
/// Of an identity with more events, the e-mail address counts as old as the identity.
pub const EMAIL_EVENTS_MAX: u64 = 1_000;

/// Those of an identity since the cycle before, or else the newest one.
pub struct AskedEvents {
    pub events: Vec<Received>,
    /// Whether a cycle has seen them before.
    pub are_seen: bool,
    /// The row of the newest.
    pub newest: i64,
    /// The newest row of anybody's that the cycle can see.
    pub as_of: i64,
}

impl AskedEvents {
    /// Of an identity with so many events that was asked about those up to the row `asked`; 0 where it never was.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(tx: &mut Tx, start: &CycleStart, asked: i64, event_count: u64) -> Result<Self> {
        let mut limit = i64::try_from(ASKED_MAX).unwrap_or(i64::MAX);
        // Of who was scored before rules asked about events, so many as have come since.
        if asked == 0 && start.previous.is_some() {
            let seen = analyses::newest(tx, start.id, 1)?.pop().map(|analysis| analysis.event_count);
            let count = i64::try_from(event_count).unwrap_or(i64::MAX);
            limit = limit.min(seen.map_or(0, |seen| (count - seen).max(0)));
        }
        let mut events = events::newest_of_identity(tx, start.id, asked, limit)?;
        let are_seen = events.is_empty();
        if are_seen {
            events = events::newest_of_identity(tx, start.id, 0, 1)?;
        }
        let newest = events.last().map_or(asked, |newest| newest.id);
        Ok(Self { events, are_seen, newest, as_of: events::last_number(tx)? })
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

/// Asks about an identity as it is now: with the newest event at which these conditions are asked, if there is one.
///
/// # Errors
/// Those of the store.
pub fn ask_newest<R>(
    tx: &mut Tx,
    start: &CycleStart,
    seen: &Seen,
    conditions: &[Condition],
    ask: impl FnOnce(Option<&Happened>) -> R,
) -> Result<R> {
    let limit = if names_events(conditions) { i64::try_from(ASKED_MAX).unwrap_or(i64::MAX) } else { 1 };
    let events = events::newest_of_identity(tx, start.id, 0, limit)?;
    let data: Map<String, Value> =
        serde_json::from_str(&start.data).map_err(|error| StoreError::Broken(error.to_string()))?;
    let team = seen.of_team(start.team_id);
    let (profile, state) =
        (Profile::from_data(&data, team.mapping), refold::decode(tx, start.id, &start.state)?);
    let mut facts = conditions.iter().flat_map(Condition::walk).filter_map(Condition::fact);
    let asks_links = facts.any(|fact| matches!(fact, Fact::Links | Fact::BadLinks));
    let newest = if asks_links { analyses::newest(tx, start.id, 1)?.pop() } else { None };
    let linked = newest.map_or(Linked::default(), |analysis| analysis.detail.linked);
    let known = OfIdentity {
        id: Some(&start.external_id),
        data: &data,
        profile: &profile,
        state: &state,
        first_seen_at: Some(start.first_seen_at),
        email_since: email_since(tx, start, (&profile, &state), team.mapping, conditions.iter())?,
    };
    let happened = events.iter().map(|Received { received_at, event, .. }| {
        let subject = Subject { linked: Some(linked), ..Subject::new(Some(event), known, team) };
        Happened { subject, received_at: *received_at, counted: BTreeMap::new() }
    });
    let happened: Vec<_> = happened.collect();
    let Some(newest) = asked(conditions, &happened).last() else { return Ok(ask(None)) };
    let counters: Vec<_> = seen.counters_of(start.team_id, conditions.iter()).collect();
    let counted = seen.counted(tx, start.team_id, counters.iter().copied(), &newest.subject)?;
    Ok(ask(Some(&Happened { counted, ..newest.clone() })))
}
