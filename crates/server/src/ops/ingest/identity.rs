//! An identity while a batch is stored: its events are folded in, and it says what is to be written.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::common;
use dregs_core::event::{Event, FieldError};
use dregs_core::fact::{OfIdentity, OfTeam, Subject};
use dregs_core::identity::{self, Profile};
use dregs_core::link;
use dregs_core::mapping::Mapping;
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use super::batch::{Context, IdentityKey};
use crate::ops::ingest::refold;
use crate::ops::team::mappings::Mappings;
use crate::store::claims::EVALUATION_LEASE_MS;
use crate::store::identities::{Tracked, TrackedWrite};
use crate::store::{Result, StoreError, Tx};
use crate::trace;

/// An identity while events are folded into it.
#[derive(Default)]
pub(super) struct Identity {
    /// Row id and version; `None` for one seen for the first time.
    pub(super) row: Option<(i64, i64)>,
    last_scored_at: Option<Timestamp>,
    evaluate_at: Option<Timestamp>,
    pub(super) state: IdentityState,
    data: Map<String, Value>,
    profile: Profile,
    /// Events folded in by this batch.
    pub(super) events: usize,
    pub(super) disregarded: bool,
    /// The keys they brought, each with the time it was first seen.
    pub(super) keys: BTreeMap<link::LinkKey, Timestamp>,
    /// The keys that went with what it said of itself before.
    pub(super) dropped: BTreeSet<link::LinkKey>,
    /// The traced events that its next cycle follows from, the newest first.
    trace: trace::context::Causes,
    /// Whether somebody waits for the cycle that sees its events.
    pub(super) is_awaited: bool,
}

/// The least time between two cycles of an identity, where somebody waits for the second.
pub const AWAITED_CYCLE_MS: i64 = 100;

/// What becomes of an identity that has changed.
pub(super) enum Next {
    /// It waited for a cycle before, and still does.
    Waits,
    HandedOn(Timestamp),
    Spilled,
}

impl Identity {
    pub(super) fn read(tx: &mut Tx, row: &Tracked, mappings: &Mappings) -> Result<Self> {
        let data = parse_object(&row.data)?;
        Ok(Self {
            row: Some((row.id, row.version)),
            last_scored_at: row.last_scored_at,
            evaluate_at: row.evaluate_at,
            state: refold::decode(tx, row.id, &row.state)?,
            profile: Profile::from_data(&data, mappings.of(row.team_id)),
            data,
            events: 0,
            disregarded: row.disregarded,
            keys: BTreeMap::new(),
            dropped: BTreeSet::new(),
            trace: row.trace.clone(),
            is_awaited: false,
        })
    }

    /// Notes that its next cycle follows from an event that was folded in by this commit.
    pub(super) fn follow(&mut self, commit: trace::Context) {
        self.trace.add(commit);
    }

    /// Answers what the event shows that others may show as well.
    pub(super) fn fold(
        &mut self,
        event: &Event,
        data: &Map<String, Value>,
        mapping: &Mapping,
    ) -> std::result::Result<Vec<link::LinkKey>, FieldError> {
        let mut new = Vec::new();
        if identity::merge(&mut self.data, data)? {
            let profile = Profile::from_data(&self.data, mapping);
            let (before, after) = (link::profile_keys(&self.profile), link::profile_keys(&profile));
            let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.collect(), after.collect());
            for key in before.difference(&after) {
                self.keys.remove(key);
                self.dropped.insert(key.clone());
            }
            for key in after.difference(&before) {
                self.dropped.remove(key);
                self.keys.insert(key.clone(), event.timestamp);
                new.push(key.clone());
            }
            self.profile = profile;
        }
        for key in link::new_keys(event, &self.state) {
            self.keys.entry(key.clone()).or_insert(event.timestamp);
            new.push(key);
        }
        self.state.fold(event);
        self.events += 1;
        Ok(common::values(event, &new))
    }

    /// What is known of an event, and of the identity as it is with it.
    pub(super) fn subject<'s>(
        &'s self,
        event: &'s Event,
        id: Option<&'s str>,
        team: OfTeam<'s>,
    ) -> Subject<'s> {
        let known = OfIdentity {
            id,
            data: &self.data,
            profile: &self.profile,
            state: &self.state,
            first_seen_at: self.state.first_event_at(),
            email_since: None,
        };
        Subject::new(Some(event), known, team)
    }

    /// When its row is due, and who sees to it.
    pub(super) fn next_cycle(&self, context: &Context, granted: &mut usize) -> (Timestamp, Next) {
        if let Some(waiting) = self.evaluate_at.filter(|_| !self.is_awaited) {
            return (waiting, Next::Waits);
        }
        let awaited_ms = if self.is_awaited { AWAITED_CYCLE_MS } else { i64::MAX };
        let min_cycle_ms = context.min_cycle_ms.min(awaited_ms);
        // One that was scored later than now was scored before the clock was put back.
        let last = self.last_scored_at.filter(|last| *last <= context.now);
        let earliest = last.map(|last| last.plus_millis(min_cycle_ms));
        let at = earliest.map_or(context.now, |earliest| earliest.max(context.now));
        if *granted == 0 {
            // Who waits for a cycle anyway does not wait longer.
            let at = self.evaluate_at.map_or(at, |waiting| waiting.min(at));
            return (at, Next::Spilled);
        }
        *granted -= 1;
        (at.plus_millis(EVALUATION_LEASE_MS), Next::HandedOn(at))
    }

    pub(super) fn write(
        &self,
        (team_id, external_id): IdentityKey,
        context: &Context,
        evaluate_at: Timestamp,
    ) -> Result<TrackedWrite> {
        Ok(TrackedWrite {
            row: self.row,
            shard: context.hasher.shard(team_id, &[external_id]),
            team_id,
            external_id: external_id.to_owned(),
            tracked_at: context.now,
            first_seen_at: self.state.first_event_at().map_or(context.now, |first| first.min(context.now)),
            evaluate_at,
            display_name: self.profile.name.clone(),
            display_email: self.profile.email.clone(),
            display_username: self.profile.username.clone(),
            state: self.state.encode(),
            data: serde_json::to_string(&self.data).map_err(|error| StoreError::Broken(error.to_string()))?,
            trace: self.trace.clone(),
        })
    }
}

pub(super) fn parse_object(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| StoreError::Broken(error.to_string()))
}
