//! Mappings: changed, and kept in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::mapping::{CanonicalType, Mapping, MappingKind};
use dregs_core::time::Timestamp;
use dregs_core::words::snake;
use serde_json::{Map, Value, json};

use crate::ops::apart::apart;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::directories::Directories;
use crate::ops::evaluate::rescore::{self, Concern, Concerned};
use crate::ops::lists::roster::{Filter, Rosters, Slice, Sort, Table};
use crate::ops::long_reads::LongReads;
use crate::store::mappings::{self, Entry};
use crate::store::names::NameKind;
use crate::store::rosters::Kind;
use crate::store::{Result, Store, event_lists, identities};

/// Identities whose data is looked through for keys.
const FIELDS_OF_IDENTITIES_MAX: usize = 1_000;
/// The column of [`crate::store::rosters::Entry`] by which the newest are found.
const CREATED_AT: usize = 0;

/// The mapping of every team that has entries of its own.
#[derive(Default)]
pub struct Directory(RwLock<Arc<Mappings>>);

/// The mappings as they were at one moment.
#[derive(Default)]
pub struct Mappings {
    of_teams: HashMap<i64, Mapping>,
    shipped: Mapping,
}

impl Mappings {
    fn of_entries(entries: Vec<Entry>) -> Self {
        let mut of_teams: HashMap<i64, Mapping> = HashMap::new();
        for entry in entries {
            let mapping = of_teams.entry(entry.team_id).or_default();
            if !mapping.insert(entry.kind, &entry.source, entry.target.as_deref()) {
                tracing::warn!(id = entry.id, "a mapping names a type that this version does not know");
            }
        }
        Self { of_teams, shipped: Mapping::default() }
    }

    pub fn of(&self, team_id: i64) -> &Mapping {
        self.of_teams.get(&team_id).unwrap_or(&self.shipped)
    }
}

impl Directory {
    pub fn current(&self) -> Arc<Mappings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the entries again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let entries = store.read(mappings::all).await?;
        let mappings = Arc::new(apart(move || Mappings::of_entries(entries)).await?);
        let before =
            std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), mappings);
        apart(move || drop(before)).await
    }
}

/// A name that was seen, and what it means.
pub struct Seen {
    pub name: String,
    pub meaning: Option<&'static str>,
}

/// The names that a team's events have had, or the keys of its newest identities' data; those that mean nothing
/// first.
///
/// # Errors
/// Those of the store.
pub async fn seen(
    long_reads: &LongReads,
    kept: &Directories,
    lists: &Arc<Rosters>,
    team_id: i64,
    kind: MappingKind,
) -> Result<Vec<Seen>> {
    let names: Vec<_> = match kind {
        MappingKind::EventType => {
            kept.names.select(team_id, NameKind::Event, |_| true).into_iter().map(|(name, _)| name).collect()
        }
        MappingKind::IdentityField => newest_fields(long_reads, lists, team_id).await?.into_iter().collect(),
    };
    let mappings = kept.mappings.current();
    let of_team = mappings.of(team_id);
    let meaning = |name: &str| match kind {
        MappingKind::EventType => of_team.event_type(name).map(CanonicalType::name),
        MappingKind::IdentityField => of_team.field(&snake(name)).map(|(field, _)| field.name()),
    };
    let mut found: Vec<_> = names.into_iter().map(|name| Seen { meaning: meaning(&name), name }).collect();
    found.sort_by_key(|seen| seen.meaning.is_some());
    Ok(found)
}

/// The keys of the data of those who came last.
async fn newest_fields(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    team_id: i64,
) -> Result<BTreeSet<String>> {
    let newest =
        Slice { sort: Sort::Time(CREATED_AT), ascending: false, offset: 0, limit: FIELDS_OF_IDENTITIES_MAX };
    let find = move |table: &Table| table.find(&Filter::default(), newest).1;
    let ids = lists.ask(team_id, Kind::Identities, find).await?;
    let identities = long_reads.read(move |tx| identities::load(tx, &ids)).await?;
    let keys = |data: &str| {
        let data: Map<String, Value> = serde_json::from_str(data).unwrap_or_default();
        data.into_iter().map(|(key, _)| key)
    };
    Ok(identities.iter().flat_map(|identity| keys(&identity.data)).collect())
}

/// What a name is about, for those whom a change of its meaning concerns.
const fn concern_of(kind: MappingKind) -> Concern {
    match kind {
        MappingKind::EventType => Concern::EventType,
        MappingKind::IdentityField => Concern::IdentityField,
    }
}

/// What a change of a name's meaning would do.
pub struct Preview {
    /// What it means now.
    pub meaning: Option<&'static str>,
    pub concerned: Concerned,
    /// Events with the name, where it is one of events; counting stops behind [`EVENTS_MAX`].
    pub events: Option<i64>,
}

/// Events that are counted.
pub const EVENTS_MAX: i64 = 10_000;

/// Counts whom a change of a name's meaning would concern.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    kept: &Directories,
    lists: &Arc<Rosters>,
    team_id: i64,
    (kind, source): (MappingKind, String),
) -> Result<Preview> {
    let mappings = &kept.mappings;
    let current = mappings.current();
    let of_team = current.of(team_id);
    let meaning = match kind {
        MappingKind::EventType => of_team.event_type(&source).map(CanonicalType::name),
        MappingKind::IdentityField => of_team.field(&source).map(|(field, _)| field.name()),
    };
    let events = match kind {
        MappingKind::EventType => {
            let wanted = snake(&source);
            let found = kept.names.select(team_id, NameKind::Event, |name| snake(name) == wanted);
            let names = Some(found.into_iter().map(|(_, id)| id).collect());
            let filter = event_lists::Filter { names, ..event_lists::Filter::default() };
            Some(long_reads.read(move |tx| event_lists::count(tx, team_id, &filter, EVENTS_MAX + 1)).await?)
        }
        MappingKind::IdentityField => None,
    };
    let concern = (concern_of(kind), source);
    let concerned = rescore::concerned(long_reads, mappings, lists, team_id, concern).await?;
    Ok(Preview { meaning, concerned, events })
}

/// A change of an entry.
pub enum Change {
    Create { kind: MappingKind, source: String, target: Option<String> },
    Update { entry: Entry, target: Option<String> },
    Delete { entry: Entry },
}

/// Changes an entry, and has the past read with it. Answers the entry as it is then.
///
/// # Errors
/// [`StoreError::Conflict`] when there is an entry for the source.
pub async fn change(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    change: Change,
    now: Timestamp,
) -> Result<Option<Entry>> {
    let team_id = actor.team_id;
    let changed = store
        .write(move |tx| {
            let (action, id, before) = match &change {
                Change::Create { kind, source, target } => {
                    bounds::MAPPINGS.check_team(tx, team_id)?;
                    let id = mappings::insert(tx, team_id, *kind, source, target.as_deref(), now)?;
                    ("mapping.create", id, None)
                }
                Change::Update { entry, target } => {
                    mappings::update(tx, entry.id, target.as_deref(), now)?;
                    ("mapping.change", entry.id, Some(entry))
                }
                Change::Delete { entry } => {
                    mappings::delete(tx, entry.id)?;
                    ("mapping.delete", entry.id, Some(entry))
                }
            };
            let after = mappings::find(tx, team_id, id)?;
            let told = |entry: &Entry| {
                json!({"kind": entry.kind.name(), "source": entry.source, "target": entry.target})
            };
            let target_id = id.to_string();
            let act = Act {
                action,
                target_type: "mapping",
                target_id: &target_id,
                before: before.map(told),
                after: after.as_ref().map(told),
            };
            audit::record(tx, &actor, &act, now)?;
            if let Some(Entry { kind, source, .. }) = after.as_ref().or(before) {
                rescore::begin(tx, team_id, concern_of(*kind), source, now)?;
            }
            Ok(after)
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(changed)
}
