//! What a counter would say now, told before it is made: the team's events of its window are counted as those of its past
//! are, in memory and page by page.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dregs_core::counter::{Counter, Function, State};
use dregs_core::event::AHEAD_MAX_MS;
use dregs_core::fact::{Fact, Value};
use dregs_core::time::Timestamp;

use super::Seen;
use super::build::{Carried, Counting, PAGE_EVENTS, PAGE_IDENTITIES};
use crate::ops::apart::apart;
use crate::ops::lists::roster::{Filter, Rosters, Slice, Sort};
use crate::ops::long_reads::LongReads;
use crate::store::counters::{self, Walked};
use crate::store::rosters::Kind;
use crate::store::{Result, Tx};

/// How much is looked at.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Identities, those who were active last.
    pub identities: usize,
    /// Events of identities, those before the window that say what one was like included; and events without an identity.
    pub events: i64,
    /// Events of one identity: its first ones.
    pub events_of_identity: i64,
    /// Values that are counted apart.
    pub values: usize,
}

/// So much takes some seconds.
pub const BOUNDS: Bounds =
    Bounds { identities: 20_000, events: 100_000, events_of_identity: 20_000, values: 20_000 };
/// Values that are shown.
pub const TOP_VALUES: usize = 20;
/// Thresholds are values that so many of a thousand do not go beyond.
const SHARES_OF_1000: [usize; 6] = [500, 750, 900, 950, 990, 999];
/// When an identity's last event was received, among the columns of time.
const LAST_TRACKED: usize = 2;

/// What a counter would say.
pub struct Preview {
    /// The window.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Values that it counts by and says a number of.
    pub values: usize,
    /// The first [`TOP_VALUES`] of them, the greatest number first; of [`Function::Min`] the least.
    pub top: Vec<(String, f64)>,
    /// Thresholds, and of how many values the number is above each; of [`Function::Min`] below.
    pub thresholds: Vec<(f64, usize)>,
    /// Events of the window that were looked at, and those of them that it counts.
    pub looked_at: u64,
    pub matching: u64,
    /// Whether all were looked at that there are.
    pub is_whole: bool,
}

/// Counts the events of a team in the window of a counter that ends at `now`; nothing is stored.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    seen: Seen,
    (team_id, counter): (i64, Counter),
    bounds: Bounds,
    now: Timestamp,
) -> Result<Preview> {
    // All that is stored counts, whenever it came.
    let counter = Counter { counts_from: Timestamp::from_millis(i64::MAX), ..counter };
    let window = counter.window(now);
    let since = window.start.plus_millis(-AHEAD_MAX_MS).as_millis();
    let filter =
        Filter { time: Some((LAST_TRACKED, since, i64::MAX)), disregarded: Some(false), ..Filter::default() };
    let slice =
        Slice { sort: Sort::Time(LAST_TRACKED), ascending: false, offset: 0, limit: bounds.identities };
    let (active, ids) = lists.ask(team_id, Kind::Identities, move |table| table.find(&filter, slice)).await?;
    let is_whole = active <= ids.len();
    let ground = Arc::new(Ground { seen, team_id, counter, bounds, now });
    let mut pass = Pass { ids: ids.into(), is_whole, ..Pass::new(&ground) };
    while pass.step != Step::Done {
        pass = long_reads.read(move |tx| pass.page(tx)).await?;
    }
    apart(move || pass.finished()).await
}

/// What is counted, and with what.
struct Ground {
    seen: Seen,
    team_id: i64,
    counter: Counter,
    bounds: Bounds,
    now: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Identities,
    Nobody,
    Done,
}

/// How far the events are counted.
struct Pass {
    ground: Arc<Ground>,
    step: Step,
    /// Identities to be read, and those that were.
    ids: VecDeque<i64>,
    walked: VecDeque<Walked>,
    /// Of the first of these, as it was with the last event that was counted, which one that is, and how many were read.
    carried: Option<Carried>,
    event: i64,
    events_of_identity: i64,
    /// The last event of nobody that was looked at.
    after: (Timestamp, i64),
    /// How many may still be read.
    left: i64,
    states: BTreeMap<i64, State>,
    names: BTreeMap<i64, Value>,
    looked_at: u64,
    matching: u64,
    is_whole: bool,
}

impl Pass {
    fn new(ground: &Arc<Ground>) -> Self {
        Self {
            step: Step::Identities,
            ids: VecDeque::new(),
            walked: VecDeque::new(),
            carried: None,
            event: 0,
            events_of_identity: 0,
            after: (ground.counter.window(ground.now).start, 0),
            left: ground.bounds.events,
            states: BTreeMap::new(),
            names: BTreeMap::new(),
            looked_at: 0,
            matching: 0,
            is_whole: true,
            ground: Arc::clone(ground),
        }
    }

    /// Counts the next page.
    fn page(mut self, tx: &mut Tx) -> Result<Self> {
        let ground = Arc::clone(&self.ground);
        let Ground { seen, team_id, counter, bounds, now } = ground.as_ref();
        let mut counting = Counting::new(seen, *team_id, counter, counter.window(*now));
        counting.named = Some(BTreeMap::new());
        let has_more = match self.step {
            Step::Identities => self.identities(tx, &mut counting)?,
            Step::Nobody => self.nobody(tx, &mut counting)?,
            Step::Done => false,
        };
        self.absorb(counting);
        if has_more && self.left > 0 {
            return Ok(self);
        }
        self.is_whole &= !has_more;
        (self.step, self.left) = match self.step {
            Step::Identities if may_be_of_nobody(&counter.per) => (Step::Nobody, bounds.events),
            _ => (Step::Done, 0),
        };
        Ok(self)
    }

    /// The next identities; whether there are more.
    fn identities(&mut self, tx: &mut Tx, counting: &mut Counting) -> Result<bool> {
        if self.walked.is_empty() {
            let count = usize::try_from(PAGE_IDENTITIES).unwrap_or(1).min(self.ids.len());
            let ids: Vec<_> = self.ids.drain(..count).collect();
            self.walked =
                if ids.is_empty() { VecDeque::new() } else { counters::walk_among(tx, &ids)?.into() };
        }
        let (mut left, most) = (self.left.min(PAGE_EVENTS), self.ground.bounds.events_of_identity);
        while left > 0
            && let Some(identity) = self.walked.pop_front()
        {
            let room = left.min(most - self.events_of_identity);
            let mut unread = room;
            let stopped = counting.identity(tx, &identity, self.event, self.carried.take(), &mut unread)?;
            let read = room - unread;
            (left, self.left) = (left - read, self.left - read);
            self.events_of_identity += read;
            match stopped {
                Some(event) if self.events_of_identity < most => {
                    (self.event, self.carried) = (event, counting.carried.take());
                    self.walked.push_front(identity);
                }
                stopped => {
                    self.is_whole &= stopped.is_none();
                    (self.event, self.events_of_identity) = (0, 0);
                }
            }
        }
        Ok(!self.walked.is_empty() || !self.ids.is_empty())
    }

    /// The next events of nobody; whether there are more.
    fn nobody(&mut self, tx: &mut Tx, counting: &mut Counting) -> Result<bool> {
        self.left -= PAGE_EVENTS;
        let last = counting.nobody(tx, self.after)?;
        self.after = last.unwrap_or(self.after);
        Ok(last.is_some())
    }

    /// Adds what a page has counted to what those before have.
    fn absorb(&mut self, page: Counting) {
        self.looked_at += page.looked_at;
        self.matching += page.matching;
        for ((_, key), state) in page.added {
            if let Some(known) = self.states.get_mut(&key) {
                known.merge(&state);
            } else if self.states.len() < self.ground.bounds.values {
                self.states.insert(key, state);
            } else {
                self.is_whole = false;
            }
        }
        for (key, value) in page.named.into_iter().flatten() {
            if self.states.contains_key(&key) {
                self.names.entry(key).or_insert(value);
            }
        }
    }

    fn finished(self) -> Preview {
        let Ground { counter, now, .. } = self.ground.as_ref();
        let window = counter.window(*now);
        let named = |(key, value): (i64, f64)| Some((self.names.get(&key)?.text().into_owned(), value));
        let said = self.states.iter().filter_map(|(key, state)| Some((*key, state.value(counter, *now)?)));
        let mut all: Vec<_> = said.filter_map(named).collect();
        // The number by which rules ask for more than most have; of the least, for less.
        let is_least = matches!(counter.function, Function::Min(_));
        let rank = |number: f64| if is_least { number } else { -number };
        all.sort_by(|(one, first), (other, second)| {
            rank(*first).total_cmp(&rank(*second)).then_with(|| one.cmp(other))
        });
        let thresholds = thresholds(all.iter().map(|(_, number)| rank(*number)).collect());
        Preview {
            from: window.start,
            to: *now,
            values: all.len(),
            thresholds: thresholds.into_iter().map(|(threshold, beyond)| (rank(threshold), beyond)).collect(),
            top: all.into_iter().take(TOP_VALUES).collect(),
            looked_at: self.looked_at,
            matching: self.matching,
            is_whole: self.is_whole,
        }
    }
}

/// Whether an event of nobody can have a value of it.
const fn may_be_of_nobody(per: &Fact) -> bool {
    !matches!(per, Fact::Identity | Fact::Email | Fact::EmailDomain | Fact::Phone | Fact::IdentityData(_))
}

/// Of ranks, the least of which is the first: those that [`SHARES_OF_1000`] do not come before, each once, and how many do.
fn thresholds(ranks: Vec<f64>) -> Vec<(f64, usize)> {
    let mut found: Vec<(f64, usize)> = Vec::new();
    for share in SHARES_OF_1000 {
        let place = ranks.len() - (ranks.len() * share).div_ceil(1_000);
        let Some(threshold) = ranks.get(place) else { continue };
        let before = ranks.partition_point(|rank| rank < threshold);
        if found.last().is_none_or(|(last, _)| last != threshold) {
            found.push((*threshold, before));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_numbers_that_few_go_beyond() {
        let check = |numbers: &[f64], expected: &[(f64, usize)]| {
            let mut ranks: Vec<_> = numbers.iter().map(|number| -number).collect();
            ranks.sort_by(f64::total_cmp);
            let told: Vec<_> = thresholds(ranks).into_iter().map(|(rank, before)| (-rank, before)).collect();
            assert_eq!(told, expected);
        };
        check(&[], &[]);
        check(&[1.0, 1.0, 1.0], &[(1.0, 0)]);
        check(&[1.0, 2.0, 3.0, -4.0], &[(1.0, 2), (2.0, 1), (3.0, 0)]);
        let thousand: Vec<_> = (1..=1_000).map(f64::from).collect();
        let expected = [(500.0, 500), (750.0, 250), (900.0, 100), (950.0, 50), (990.0, 10), (999.0, 1)];
        check(&thousand, &expected);
    }
}
