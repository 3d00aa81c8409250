//! The events of the past, told again beside the cycles that saw them: what rules could ask about in each.
//!
//! What they mean is read with the mappings, lists and counters of now. Events that are forgotten are not known.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use dregs_core::event::Event;
use dregs_core::fact::{Linked, Subject};
use dregs_core::identity::{self, Profile};
use dregs_core::rules::Happened;
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::ops::evaluate::evaluation::Seen;
use crate::ops::evaluate::events::ASKED_MAX;
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
}

/// An identity as its events have made it.
struct Person {
    created_at: Timestamp,
    id: String,
    data: Map<String, Value>,
    profile: Profile,
    state: IdentityState,
    /// Since its last cycle; the newest [`ASKED_MAX`].
    since: VecDeque<Event>,
    newest: Event,
}

impl History {
    pub fn new(team_id: i64, seen: Arc<Seen>) -> Self {
        let (waiting, people) = (VecDeque::new(), HashMap::new());
        Self { team_id, seen, read_until: 0, has_more: true, waiting, people }
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
        while let Some(next) = self.waiting.pop_front_if(|next| is_seen(next, cycle, detail)) {
            self.take(next);
        }
    }

    fn take(&mut self, Arrived { identity_id, received_at, event, .. }: Arrived) {
        let (Some(identity_id), Some(named)) = (identity_id, &event.identity) else { return };
        let mapping = self.seen.mappings.of(self.team_id);
        let person = self.people.entry(identity_id).or_insert_with(|| Person {
            created_at: received_at,
            id: named.id.clone(),
            data: Map::new(),
            profile: Profile::default(),
            state: IdentityState::default(),
            since: VecDeque::new(),
            newest: event.clone(),
        });
        // It was small enough when it was stored.
        if let Ok(true) = identity::merge(&mut person.data, &named.data) {
            person.profile = Profile::from_data(&person.data, mapping);
        }
        person.state.fold(&event);
        if person.since.len() == ASKED_MAX {
            person.since.pop_front();
        }
        person.since.push_back(event.clone());
        person.newest = event;
    }

    /// What rules are asked about in a cycle: the events of its identity since the one before, or else, and where
    /// `is_known` only now begins to be asked, the newest.
    pub fn asked<R>(
        &mut self,
        (identity_id, linked): (i64, Linked),
        is_known: bool,
        ask: impl FnOnce(&[Happened]) -> R,
    ) -> R {
        let Some(person) = self.people.get_mut(&identity_id) else { return ask(&[]) };
        let mut events: Vec<_> = std::mem::take(&mut person.since).into();
        if is_known || events.is_empty() {
            events = vec![person.newest.clone()];
        }
        let first_event_at = person.state.first_event_at().unwrap_or(person.created_at);
        let happened = |event| Happened {
            subject: Subject {
                event: Some(event),
                id: Some(&person.id),
                data: &person.data,
                profile: &person.profile,
                state: &person.state,
                first_seen_at: Some(first_event_at.min(person.created_at)),
                mapping: self.seen.mappings.of(self.team_id),
                datasets: self.seen.datasets.of(self.team_id),
                common: self.seen.common.of(self.team_id),
                scores: None,
                badges: None,
                linked: Some(linked),
            },
            counted: BTreeMap::new(),
        };
        ask(&events.iter().map(happened).collect::<Vec<_>>())
    }
}

/// Whether a cycle could see an event. Cycles of before rules asked about events say only when they began.
fn is_seen(event: &Arrived, cycle: &Past, detail: &Detail) -> bool {
    match detail.as_of {
        Some(as_of) => event.row <= as_of,
        None => event.received_at <= cycle.started_at,
    }
}
