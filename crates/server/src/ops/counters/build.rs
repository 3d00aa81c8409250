//! The past of a counter that is new, or that has changed: counted page by page, each page and how far it goes in one
//! commit, so that whoever goes on counts no event twice.
//!
//! Events received before [`Counter::counts_from`] are counted here, the others as they are stored. First those of
//! identities, one identity after the other, each with its data and its state as they were with the event; then those of
//! nobody.

use std::collections::BTreeMap;
use std::ops::Range;

use dregs_core::counter::{Counter, keyed};
use dregs_core::event::Event;
use dregs_core::fact;
use dregs_core::identity::{self, Profile};
use dregs_core::link::KeyHasher;
use dregs_core::state::IdentityState;
use dregs_core::time::{SECOND_MS, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::states::{self, Added};
use super::{Seen, changes};
use crate::failpoint::{self, Failpoint};
use crate::ops::directories::Directories;
use crate::ops::ingest::refold;
use crate::ops::long_reads::LongReads;
use crate::store::counters::{self, Walked};
use crate::store::events::{self, Received};
use crate::store::{Location, Result, Store, StoreError, Tx, retention, settings};

/// What the work is called in the settings.
const WORK_PREFIX: &str = "counter:";
/// Identities looked at, and events counted, in one page.
pub(super) const PAGE_IDENTITIES: i64 = 100;
pub(super) const PAGE_EVENTS: i64 = 500;
/// A new definition counts from so long after it was made: by then every server goes by it, since each looks for changes
/// once a second.
const COUNTS_AFTER_MS: i64 = 5 * SECOND_MS;
/// The same where there is one server, which made it.
const COUNTS_AFTER_ALONE_MS: i64 = SECOND_MS;

/// How long after a definition was made it counts what is stored, and how long after that its past is built.
pub(super) const fn delay_ms(store: &Store) -> i64 {
    match store.location() {
        Location::File(_) => COUNTS_AFTER_ALONE_MS,
        Location::Postgres(_) => COUNTS_AFTER_MS,
    }
}

/// How far a past has been built.
#[derive(Serialize, Deserialize)]
struct Work {
    team_id: i64,
    counter_id: i64,
    revision: i64,
    /// Not before this: what was received before the counter counts has been stored by then.
    from: Timestamp,
    walk: Walk,
}

#[derive(Serialize, Deserialize)]
enum Walk {
    /// Every identity up to this row, and of the next one every event up to that row.
    Identities { after: i64, event: i64 },
    /// The events of nobody up to this time and row.
    Nobody { after: (Timestamp, i64) },
}

impl Work {
    fn name(&self) -> String {
        format!("{WORK_PREFIX}{}", self.counter_id)
    }

    fn put(&self, tx: &mut Tx) -> Result<()> {
        settings::put(tx, &self.name(), &serde_json::to_vec(self).map_err(broken)?)
    }
}

/// Has the past of a counter built, so long after it counts what is stored.
pub(super) fn begin(tx: &mut Tx, team_id: i64, counter: &Counter, delay_ms: i64) -> Result<()> {
    let from = counter.counts_from.plus_millis(delay_ms);
    let walk = Walk::Identities { after: 0, event: 0 };
    Work { team_id, counter_id: counter.id, revision: counter.revision, from, walk }.put(tx)
}

/// Leaves the past of a counter as it is.
pub(super) fn end(tx: &mut Tx, counter_id: i64) -> Result<()> {
    settings::delete(tx, &format!("{WORK_PREFIX}{counter_id}"))
}

/// What pages are counted with.
pub struct Builder<'a> {
    pub store: &'a Store,
    pub long_reads: &'a LongReads,
    pub kept: &'a Directories,
    pub hasher: KeyHasher,
}

/// An identity in whose events a page has ended, as it was with the last of them.
pub struct Carried {
    counter: (i64, i64),
    identity_id: i64,
    event: i64,
    known: Known,
}

/// What an event finds of its identity.
struct Known {
    data: Map<String, Value>,
    state: IdentityState,
}

impl Builder<'_> {
    /// Counts the next page of what there is to build, if any; `false` when there is nothing. `carried` is left from page
    /// to page, so that nothing is folded twice; without it, the page begins with the first event of its identity.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn work(&self, carried: &mut Option<Carried>, now: Timestamp) -> Result<bool> {
        for (name, value) in self.store.read(|tx| settings::with_prefix(tx, WORK_PREFIX)).await? {
            let work: Work = serde_json::from_slice(&value).map_err(broken)?;
            if work.from <= now {
                self.go_on(work, (name, value), carried, now).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn go_on(
        &self,
        work: Work,
        (name, value): (String, Vec<u8>),
        carried: &mut Option<Carried>,
        now: Timestamp,
    ) -> Result<()> {
        let team_id = work.team_id;
        let seen = Seen::now(self.kept, self.hasher);
        let (before, of_teams) = (carried.take(), self.kept.counters.current());
        let page = self.long_reads.read(move |tx| page(&seen, tx, &work, before)).await?;
        let (page, left) =
            page.map_or((None, None), |page| (Some((page.counter, page.added, page.next)), page.carried));
        let is_last = page.as_ref().is_none_or(|(_, _, next)| next.is_none());
        self.store
            .write(move |tx| {
                if !settings::lock(tx, &name, &value)? {
                    return Ok(());
                }
                let Some(((id, revision), added, next)) = &page else { return settings::delete(tx, &name) };
                states::add(tx, added, &of_teams)?;
                match next {
                    Some(next) => next.put(tx),
                    None => {
                        counters::set_ready(tx, *id, *revision)?;
                        changes::ask_again(tx, team_id, *id, now)?;
                        settings::delete(tx, &name)
                    }
                }
            })
            .await?;
        failpoint::reach(Failpoint::CounterStepped);
        *carried = left;
        if is_last { self.kept.counters.reload(self.store).await } else { Ok(()) }
    }
}

/// A page that was counted.
struct Page {
    counter: (i64, i64),
    added: Added,
    /// How far the past is built with it; none at its end.
    next: Option<Work>,
    carried: Option<Carried>,
}

/// Counts a page; `None` where the counter is gone, or counts something else by now.
fn page(seen: &Seen, tx: &mut Tx, work: &Work, carried: Option<Carried>) -> Result<Option<Page>> {
    let found = counters::find(tx, work.team_id, work.counter_id)?;
    let Some(counter) = found.map(|kept| kept.counter).filter(|counter| counter.revision == work.revision)
    else {
        return Ok(None);
    };
    let counter_id = (counter.id, counter.revision);
    // Events before this are in no window any more.
    let since = counter.begins_at(counter.begins_at(counter.counts_from));
    let mut page = Counting::new(seen, work.team_id, &counter, since..Timestamp::from_millis(i64::MAX));
    let walk = match work.walk {
        Walk::Identities { after, event } => {
            let carried = carried.filter(|one| one.counter == counter_id && one.event == event);
            match page.identities(tx, (after, event), carried)? {
                Some((after, event)) => Some(Walk::Identities { after, event }),
                None => Some(Walk::Nobody { after: (since, 0) }),
            }
        }
        Walk::Nobody { after } => page.nobody(tx, after)?.map(|after| Walk::Nobody { after }),
    };
    let (team_id, from) = (work.team_id, work.from);
    let next =
        walk.map(|walk| Work { team_id, counter_id: counter.id, revision: counter.revision, from, walk });
    Ok(Some(Page { counter: counter_id, added: page.added, next, carried: page.carried }))
}

/// A page that is being counted.
pub(super) struct Counting<'w> {
    seen: &'w Seen,
    team_id: i64,
    counter: &'w Counter,
    /// Events at other times are left out.
    during: Range<Timestamp>,
    pub added: Added,
    pub carried: Option<Carried>,
    /// Events that were looked at, and those that add something.
    pub looked_at: u64,
    pub matching: u64,
    /// The values it counts by, by their keys, where they are wanted.
    pub named: Option<BTreeMap<i64, fact::Value>>,
}

impl<'w> Counting<'w> {
    pub fn new(seen: &'w Seen, team_id: i64, counter: &'w Counter, during: Range<Timestamp>) -> Self {
        let (added, carried) = (Added::new(), None);
        Self { seen, team_id, counter, during, added, carried, looked_at: 0, matching: 0, named: None }
    }

    /// The next identities, and how far they went: up to which row, and of the next one up to which event. `None` at the end.
    fn identities(
        &mut self,
        tx: &mut Tx,
        (mut after, mut event): (i64, i64),
        mut carried: Option<Carried>,
    ) -> Result<Option<(i64, i64)>> {
        let walked = counters::walk(tx, self.team_id, after, PAGE_IDENTITIES)?;
        if walked.is_empty() {
            return Ok(None);
        }
        let mut left = PAGE_EVENTS;
        for identity in walked {
            let carried = carried.take().filter(|one| one.identity_id == identity.id);
            let stopped_at = self.identity(tx, &identity, event, carried, &mut left)?;
            if let Some(event) = stopped_at {
                return Ok(Some((after, event)));
            }
            (after, event) = (identity.id, 0);
            if left <= 0 {
                break;
            }
        }
        Ok(Some((after, event)))
    }

    /// Counts the events of an identity after the row `after`, and takes from `left` how many that were; the row of the
    /// last one counted, where some are left.
    pub fn identity(
        &mut self,
        tx: &mut Tx,
        identity: &Walked,
        after: i64,
        carried: Option<Carried>,
        left: &mut i64,
    ) -> Result<Option<i64>> {
        let is_old =
            |state: &IdentityState| state.last_event_at().is_some_and(|last| last < self.during.start);
        if IdentityState::decode(&identity.state).as_ref().is_some_and(is_old) {
            return Ok(None);
        }
        let (mut last, mut known) = match carried {
            Some(carried) => (carried.event, carried.known),
            None => Known::at_first(tx, identity)?,
        };
        loop {
            let events = events::received_of_identity(tx, identity.id, last, PAGE_EVENTS)?;
            if events.is_empty() {
                return Ok(None);
            }
            for received in &events {
                last = received.id;
                known.fold(&received.event);
                if received.id > after {
                    self.count(received, Some(&identity.external_id), &known);
                    *left -= 1;
                }
                if *left <= 0 {
                    let counter = (self.counter.id, self.counter.revision);
                    self.carried = Some(Carried { counter, identity_id: identity.id, event: last, known });
                    return Ok(Some(last));
                }
            }
        }
    }

    /// The next events of nobody, and up to which time and row they went. `None` at the end.
    pub fn nobody(&mut self, tx: &mut Tx, after: (Timestamp, i64)) -> Result<Option<(Timestamp, i64)>> {
        let (events, last) = events::of_nobody(tx, self.team_id, after, PAGE_EVENTS)?;
        let known = Known { data: Map::new(), state: IdentityState::default() };
        for received in &events {
            self.count(received, None, &known);
        }
        Ok(last)
    }

    fn count(&mut self, received: &Received, id: Option<&str>, known: &Known) {
        if received.received_at >= self.counter.counts_from
            || !self.during.contains(&received.event.timestamp)
        {
            return;
        }
        let profile = Profile::from_data(&known.data, self.seen.mappings.of(self.team_id));
        let of = (Some(&received.event), id);
        let subject = self.seen.subject(self.team_id, of, (&known.data, &profile, &known.state));
        let counter = std::iter::once(self.counter);
        let adds = states::note(&mut self.added, self.team_id, counter, &subject, &self.seen.hasher);
        self.looked_at += 1;
        self.matching += u64::from(adds);
        if let Some(named) = self.named.as_mut().filter(|_| adds) {
            named.extend(keyed(&self.counter.per, &subject, &self.seen.hasher));
        }
    }
}

impl Known {
    /// An identity before the first of its events that is left: of those that are gone, what they have left.
    fn at_first(tx: &mut Tx, identity: &Walked) -> Result<(i64, Self)> {
        let folded = retention::folded(tx, identity.id)?.unwrap_or_default();
        // What it said of itself in events that are gone is not known apart: it is taken as it is now.
        let data = if folded.event_id == 0 {
            Map::new()
        } else {
            serde_json::from_str(&identity.data).map_err(broken)?
        };
        Ok((folded.event_id, Self { data, state: refold::state_of(identity.id, &folded) }))
    }

    fn fold(&mut self, event: &Event) {
        if let Some(named) = &event.identity {
            // An event whose data would have made it too large was not accepted.
            let _ = identity::merge(&mut self.data, &named.data);
        }
        self.state.fold(event);
    }
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
