//! The events of the past, told again beside the cycles that saw them: what rules could ask about in each.
//!
//! What they mean is read with the mappings, lists and counters of now. Events that are forgotten are not known.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use dregs_core::counter::{Counters, Tally};
use dregs_core::fact::{EmailSince, Linked, OfIdentity, Subject};
use dregs_core::identity::{self, Profile};
use dregs_core::rules::{Count, Happened};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::ops::evaluate::evaluation::Seen;
use crate::ops::evaluate::events::{ASKED_MAX, EMAIL_EVENTS_MAX};
use crate::ops::long_reads::LongReads;
use crate::store::Result;
use crate::store::analyses::{Detail, Past};
use crate::store::events::{self, Arrived};

/// Events read at a time.
const PAGE_EVENTS: i64 = 2_000;

/// How far the past is told.
pub struct History {
    team_id: i64,
    seen: Arc<Seen>,
    /// The row up to which events were read, and whether there are more.
    read_until: i64,
    has_more: bool,
    /// Events that were read, and that no cycle has seen yet.
    waiting: VecDeque<Arrived>,
    people: HashMap<i64, Person>,
    /// What the counters that are asked for have counted.
    counters: Counters,
    tally: Tally,
}

/// An identity as its events have made it.
struct Person {
    created_at: Timestamp,
    id: String,
    data: Map<String, Value>,
    profile: Profile,
    state: IdentityState,
    email_since: EmailSince,
    /// Since its last cycle; the newest [`ASKED_MAX`].
    since: VecDeque<Arrived>,
    newest: Arrived,
}

impl History {
    /// One that these counters count in.
    pub fn new(team_id: i64, seen: Arc<Seen>, counters: Counters) -> Self {
        let (waiting, people, tally) = (VecDeque::new(), HashMap::new(), Tally::new(seen.hasher));
        Self { team_id, seen, read_until: 0, has_more: true, waiting, people, counters, tally }
    }

    /// Reads the events that these cycles may have seen.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read(&mut self, long_reads: &LongReads, cycles: &[(Past, Detail)]) -> Result<()> {
        let is_enough = |last: &Arrived| cycles.iter().all(|(cycle, detail)| !is_seen(last, cycle, detail));
        while self.has_more && !self.waiting.back().is_some_and(is_enough) {
            let (team_id, after) = (self.team_id, self.read_until);
            let page = long_reads.read(move |tx| events::arrived(tx, team_id, after, PAGE_EVENTS)).await?;
            self.has_more = page.len() as i64 == PAGE_EVENTS;
            self.read_until = page.last().map_or(after, |last| last.row);
            self.waiting.extend(page);
        }
        Ok(())
    }

    /// Tells all that a cycle has seen.
    pub fn tell(&mut self, cycle: &Past, detail: &Detail) {
        while self.waiting.front().is_some_and(|next| is_seen(next, cycle, detail)) {
            self.waiting.pop_front().into_iter().for_each(|next| self.take(next));
        }
    }

    fn take(&mut self, arrived: Arrived) {
        let event = &arrived.event;
        let mapping = self.seen.mappings.of(self.team_id);
        let (Some(identity_id), Some(named)) = (arrived.identity_id, &event.identity) else {
            let nobody = Person::new(String::new(), arrived);
            let known = OfIdentity { id: None, first_seen_at: None, ..nobody.known() };
            let subject = Subject::new(Some(&nobody.newest.event), known, self.seen.of_team(self.team_id));
            return self.tally.fold(&self.counters, &subject);
        };
        let person = self.people.entry(identity_id);
        let person = person.or_insert_with(|| Person::new(named.id.clone(), arrived.clone()));
        // It was small enough when it was stored.
        if let Ok(true) = identity::merge(&mut person.data, &named.data) {
            person.profile = Profile::from_data(&person.data, mapping);
            person.email_since.see(&person.profile, event.timestamp);
        }
        person.state.fold(event);
        let known = OfIdentity { first_seen_at: person.state.first_event_at(), ..person.known() };
        let subject = Subject::new(Some(event), known, self.seen.of_team(self.team_id));
        self.tally.fold(&self.counters, &subject);
        if person.since.len() == ASKED_MAX {
            person.since.pop_front();
        }
        person.since.push_back(arrived.clone());
        person.newest = arrived;
    }

    /// What rules are asked about in a cycle, and whether they were before: the events of its identity since the one before, or
    /// else the newest. Of who was known when rules began to be asked, those received since.
    pub fn asked<R>(
        &mut self,
        (identity_id, linked): (i64, Linked),
        since: Option<Timestamp>,
        ask: impl FnOnce(&[Happened], bool) -> R,
    ) -> R {
        let Some(person) = self.people.get_mut(&identity_id) else { return ask(&[], false) };
        let mut events: Vec<_> = std::mem::take(&mut person.since).into();
        events.retain(|event| since.is_none_or(|since| event.received_at >= since));
        let are_seen = events.is_empty();
        if are_seen {
            events = vec![person.newest.clone()];
        }
        let happened = events.iter().map(|Arrived { event, received_at, .. }| {
            let subject = Subject::new(Some(event), person.known(), self.seen.of_team(self.team_id));
            let subject = Subject { linked: Some(linked), ..subject };
            let counted = self.counters.iter().filter_map(|counter| {
                let value = self.tally.value(counter, &subject)?;
                Some((counter.slug.clone(), Count { name: counter.name.clone(), value }))
            });
            Happened { subject, received_at: *received_at, counted: counted.collect() }
        });
        ask(&happened.collect::<Vec<_>>(), are_seen)
    }
}

impl Person {
    fn new(id: String, first: Arrived) -> Self {
        Self {
            created_at: first.received_at,
            id,
            data: Map::new(),
            profile: Profile::default(),
            state: IdentityState::default(),
            email_since: EmailSince::default(),
            since: VecDeque::new(),
            newest: first,
        }
    }

    fn known(&self) -> OfIdentity<'_> {
        let first_event_at = self.state.first_event_at().unwrap_or(self.created_at);
        let first_seen_at = first_event_at.min(self.created_at);
        // As in a cycle, which does not look through more.
        let is_long = self.state.event_count() > EMAIL_EVENTS_MAX;
        let email_since = if is_long { Some(first_seen_at) } else { self.email_since.of(&self.profile) };
        OfIdentity {
            id: Some(&self.id),
            data: &self.data,
            profile: &self.profile,
            state: &self.state,
            first_seen_at: Some(first_seen_at),
            email_since,
        }
    }
}

/// Whether a cycle could see an event. Cycles of before rules asked about events say only when they began.
fn is_seen(event: &Arrived, cycle: &Past, detail: &Detail) -> bool {
    match detail.as_of {
        Some(as_of) => event.row <= as_of,
        None => event.received_at <= cycle.started_at,
    }
}
