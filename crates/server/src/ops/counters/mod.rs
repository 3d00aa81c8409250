//! Counters of teams: kept in memory, counted as events are stored, and asked.

pub mod build;
pub mod changes;
pub mod preview;
mod states;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::counter::{Counter, Counters, KEYS_OF_EVENT_MAX, State, keys};
use dregs_core::event::Event;
use dregs_core::fact::{Fact, OfIdentity, OfTeam, Subject};
use dregs_core::identity::Profile;
use dregs_core::link::KeyHasher;
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

pub use states::{Added, add};

use crate::ops::directories::Directories;
use crate::ops::ingest::{common, refold};
use crate::ops::team::{datasets, mappings};
use crate::store::events::{self, Received};
use crate::store::{Result, Store, StoreError, Tx, counter_states, counters, identities};

/// The counters of every team that has some.
#[derive(Default)]
pub struct Directory(RwLock<Arc<OfTeams>>);

/// The counters as they were at one moment.
#[derive(Default)]
pub struct OfTeams(HashMap<i64, Counters>);

impl OfTeams {
    /// Those of a team; `None` where it has none.
    pub fn of(&self, team_id: i64) -> Option<&Counters> {
        self.0.get(&team_id)
    }
}

impl Directory {
    pub fn current(&self) -> Arc<OfTeams> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the counters again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let mut of_teams: HashMap<i64, Vec<Counter>> = HashMap::new();
        for kept in store.read(counters::all).await? {
            of_teams.entry(kept.team_id).or_default().push(kept.counter);
        }
        let of_teams = of_teams.into_iter().map(|(team, counters)| (team, Counters::new(counters))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(OfTeams(of_teams));
        Ok(())
    }
}

/// Counts an event of a team that is stored at `now`: what others have built of the past ends there.
pub fn count(
    added: &mut Added,
    team_id: i64,
    counters: &Counters,
    (subject, hasher): (&Subject, &KeyHasher),
    now: Timestamp,
) {
    let live = counters.iter().filter(|counter| counter.counts_from <= now);
    _ = states::note(added, team_id, live, subject, hasher);
}

/// What these counters of a team say of an event, at its time, in their order: see [`Counter::value`]. Of counters that
/// are not ready it is too little.
///
/// # Errors
/// Those of the store.
pub fn values<'c>(
    tx: &mut Tx,
    team_id: i64,
    counters: impl Iterator<Item = &'c Counter> + Clone,
    (subject, hasher): (&Subject, &KeyHasher),
) -> Result<Vec<Option<f64>>> {
    let per: BTreeSet<_> = counters.clone().map(|counter| &counter.per).collect();
    let wanted: BTreeSet<_> = per.into_iter().flat_map(|per| keys(per, subject, hasher)).collect();
    let wanted: Vec<_> = wanted.into_iter().map(|key| (team_id, key)).collect();
    let states: BTreeMap<i64, State> =
        if wanted.is_empty() { BTreeMap::new() } else { states::read(tx, &wanted)? };
    Ok(counters.map(|counter| counter.value(subject, hasher, |key| states.get(&key))).collect())
}

/// What counters go by.
pub struct Seen {
    hasher: KeyHasher,
    mappings: Arc<mappings::Mappings>,
    datasets: Arc<datasets::OfTeams>,
    common: Arc<common::OfTeams>,
}

impl Seen {
    /// What is in force now.
    pub fn now(kept: &Directories, hasher: KeyHasher) -> Self {
        let (mappings, datasets) = (kept.mappings.current(), kept.datasets.current());
        Self { hasher, mappings, datasets, common: kept.common.current() }
    }

    /// What is known of an event of a team.
    fn subject<'s>(
        &'s self,
        team_id: i64,
        (event, id): (Option<&'s Event>, Option<&'s str>),
        (data, profile, state): (&'s Map<String, Value>, &'s Profile, &'s IdentityState),
    ) -> Subject<'s> {
        let first_seen_at = state.first_event_at();
        let known = OfIdentity { id, data, profile, state, first_seen_at, email_since: None };
        let team = OfTeam {
            mapping: self.mappings.of(team_id),
            datasets: self.datasets.of(team_id),
            common: self.common.of(team_id),
        };
        Subject::new(event, known, team)
    }
}

/// What a counter says of somebody.
pub struct Said {
    pub value: Option<f64>,
    /// By what it counts, in words.
    pub keys: Vec<String>,
    /// The time of the newest event.
    pub at: Option<Timestamp>,
}

/// What a counter says of an identity's newest event; `None` where nobody is called so.
///
/// # Errors
/// Those of the store.
pub fn of_identity(
    tx: &mut Tx,
    team_id: i64,
    counter: &Counter,
    id: &str,
    seen: &Seen,
) -> Result<Option<Said>> {
    let Some(row) = identities::tracked(tx, team_id, id)? else { return Ok(None) };
    let data: Map<String, Value> =
        serde_json::from_str(&row.data).map_err(|error| StoreError::Broken(error.to_string()))?;
    let (profile, state) =
        (Profile::from_data(&data, seen.mappings.of(team_id)), refold::decode(tx, row.id, &row.state)?);
    let Some(Received { event, .. }) = events::newest_of_identity(tx, row.id, 0, 1)?.pop() else {
        return Ok(Some(Said { value: None, keys: Vec::new(), at: None }));
    };
    let subject = seen.subject(team_id, (Some(&event), Some(id)), (&data, &profile, &state));
    let value = values(tx, team_id, std::iter::once(counter), (&subject, &seen.hasher))?.pop().flatten();
    let told = |value: dregs_core::fact::Value| format!("{} is {}", counter.per.words(), value.text());
    let keys = subject.values(&counter.per).into_iter().take(KEYS_OF_EVENT_MAX).map(told).collect();
    Ok(Some(Said { value, keys, at: Some(event.timestamp) }))
}

/// Removes what was counted by what one person is called: the account, what it says of itself, its e-mail address and its
/// phone number. What was counted by what others can share goes with its window, and says no more of anybody than a keyed
/// hash.
///
/// # Errors
/// Those of the store.
pub fn forget(
    tx: &mut Tx,
    team_id: i64,
    (id, data): (&str, &Map<String, Value>),
    counters: Option<&Counters>,
    seen: &Seen,
) -> Result<()> {
    let (profile, state) = (Profile::from_data(data, seen.mappings.of(team_id)), IdentityState::default());
    let subject = seen.subject(team_id, (None, Some(id)), (data, &profile, &state));
    let own = counters.into_iter().flat_map(Counters::iter).map(|counter| counter.per.clone());
    let own = own.filter(|per| matches!(per, Fact::IdentityData(_)));
    let per: BTreeSet<_> = [Fact::Identity, Fact::Email, Fact::Phone].into_iter().chain(own).collect();
    let found: BTreeSet<_> = per.iter().flat_map(|per| keys(per, &subject, &seen.hasher)).collect();
    let found: Vec<_> = found.into_iter().map(|key| (team_id, key)).collect();
    counter_states::remove(tx, &found).map(drop)
}
