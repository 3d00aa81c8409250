//! Lists of a team's own: changed, and kept in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::link::KeyHasher;
use dregs_core::list::{List, ListType, Lists};
use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use crate::limit::Limit;
use crate::ops::apart::apart;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::directories::Directories;
use crate::ops::evaluate::rescore::{self, Concerned};
use crate::ops::lists::roster::Rosters;
use crate::ops::long_reads::LongReads;
use crate::store::lists::{self, Ended, Entry, TeamList};
use crate::store::{Result, Store, StoreError, Tx};

/// What the audit log calls putting entries on a list, and importing a table of them.
pub const ADDED: &str = "list-entry.create";
pub const IMPORTED: &str = "list.import";
/// Entries on one list.
pub const ENTRIES_OF_LIST_MAX: i64 = 1_000_000;
/// Entries that are put on a list in one request, so that no other waits long for the writer.
pub const ENTRIES_AT_ONCE_MAX: usize = 1_000;
/// The same of a table, which has its turn alone.
pub const IMPORT_LINES_MAX: usize = 10_000;
/// Values that the audit log names, of types that are about no single person.
const TOLD_MAX: usize = 100;
/// Entries read in one go, and ended ones that are told of in one.
const CHUNK_ENTRIES: i64 = 10_000;
const ENDED_CHUNK: i64 = 500;
/// Of so many newer revisions what was taken off a list is remembered, for servers that were away.
const REMOVALS_REVISIONS: i64 = 10_000;

/// The lists of every team.
pub struct Directory(RwLock<Arc<OfTeams>>);

/// The lists as they were at one moment.
pub struct OfTeams {
    of_teams: HashMap<i64, Arc<Lists>>,
    /// By their ids, with the revisions up to which they were read.
    read: HashMap<i64, (i64, Arc<List>)>,
    none: Arc<Lists>,
}

impl OfTeams {
    /// Those of a team, which may be none.
    pub fn of(&self, team_id: i64) -> &Arc<Lists> {
        self.of_teams.get(&team_id).unwrap_or(&self.none)
    }
}

impl Directory {
    /// With nothing in it yet.
    pub fn new(hasher: KeyHasher) -> Self {
        let none = Arc::new(Lists::new(hasher));
        Self(RwLock::new(Arc::new(OfTeams { of_teams: HashMap::new(), read: HashMap::new(), none })))
    }

    pub fn current(&self) -> Arc<OfTeams> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what has changed of the lists since they were read.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store, hasher: &KeyHasher) -> Result<()> {
        let before = self.current();
        let (mut read, mut of_teams) = (HashMap::new(), HashMap::<i64, Lists>::new());
        for row in store.read(lists::all).await? {
            let known = before.read.get(&row.id);
            let list = match known {
                Some((revision, list)) if *revision == row.revision => Arc::clone(list),
                Some((revision, list)) if *revision >= row.removals_since => {
                    brought_up(store, *hasher, &row, (*revision, List::clone(list))).await?
                }
                _ => brought_up(store, *hasher, &row, (0, empty(&row))).await?,
            };
            let of_team = of_teams.entry(row.team_id).or_insert_with(|| Lists::new(*hasher));
            of_team.put(row.slug, Arc::clone(&list));
            read.insert(row.id, (row.revision, list));
        }
        let of_teams = of_teams.into_iter().map(|(team_id, lists)| (team_id, Arc::new(lists))).collect();
        let current = Arc::new(OfTeams { of_teams, read, none: Arc::clone(&before.none) });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = current;
        apart(move || drop(before)).await
    }
}

fn empty(row: &TeamList) -> List {
    List::new(row.name.clone(), row.list_type, row.trusted)
}

/// A list with all that has changed after a revision, of which a part may be read before it and a part after another
/// change: that one has a newer revision, and is read again the next time.
async fn brought_up(
    store: &Store,
    hasher: KeyHasher,
    row: &TeamList,
    (since, mut list): (i64, List),
) -> Result<Arc<List>> {
    let key = (row.team_id, row.id);
    (list.name, list.trusted) = (row.name.clone(), row.trusted);
    if since > 0 {
        let removed = store.read(move |tx| lists::removed_since(tx, key, since)).await?;
        // An undo takes many off at once.
        list = apart(move || {
            list.apply(&hasher, removed.into_iter());
            list
        })
        .await?;
    }
    let mut after = 0;
    loop {
        let chunk =
            store.read(move |tx| lists::changed_since(tx, key, (since, after), CHUNK_ENTRIES)).await?;
        let Some((last, _)) = chunk.last() else { return Ok(Arc::new(list)) };
        let is_last = (chunk.len() as i64) < CHUNK_ENTRIES;
        after = *last;
        list = apart(move || {
            list.apply(&hasher, chunk.into_iter().map(|(_, change)| change));
            list
        })
        .await?;
        if is_last {
            return Ok(Arc::new(list));
        }
    }
}

/// Makes a list with nothing on it. The answer is its id.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has a list with this slug, [`StoreError::TooMany`] where there is no room.
pub async fn create(store: &Store, kept: &Directories, actor: Actor, new: TeamList) -> Result<i64> {
    let now = new.created_at;
    let id = store
        .write(move |tx| {
            bounds::LISTS.check_team(tx, new.team_id)?;
            let id = lists::insert(tx, &new)?;
            record(tx, &actor, ("list.create", id), (None, Some(told(&new))), now).map(|_| id)
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(id)
}

/// What is changed of a list; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub trusted: Option<bool>,
}

/// Changes a list; `None` where the team has none with this id. Whether it is trusted concerns all who are on it.
///
/// # Errors
/// Those of the store.
pub async fn update(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    (id, changed): (i64, Changed),
    now: Timestamp,
) -> Result<Option<TeamList>> {
    let updated = store
        .write(move |tx| {
            let Some(before) = lists::next_revision(tx, actor.team_id, id, now)? else { return Ok(None) };
            let mut list = before.clone();
            list.name = changed.name.clone().unwrap_or(list.name);
            list.description = changed.description.clone().unwrap_or(list.description);
            list.trusted = changed.trusted.unwrap_or(list.trusted);
            lists::update(tx, &list)?;
            let acts = (Some(told(&before)), Some(told(&list)));
            record(tx, &actor, ("list.change", id), acts, now)?;
            if list.trusted != before.trusted {
                concern_all(tx, &list, now)?;
            }
            Ok(Some(list))
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(updated)
}

/// Removes a list with all that is on it; `false` where the team has none with this id.
///
/// # Errors
/// Those of the store.
pub async fn delete(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    id: i64,
    now: Timestamp,
) -> Result<bool> {
    let deleted = store
        .write(move |tx| {
            let Some(list) = lists::next_revision(tx, actor.team_id, id, now)? else { return Ok(false) };
            concern_all(tx, &list, now)?;
            lists::delete(tx, actor.team_id, id, now)?;
            record(tx, &actor, ("list.delete", id), (Some(told(&list)), None), now)?;
            Ok(true)
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(deleted)
}

/// Has all scored again who are on a list.
fn concern_all(tx: &mut Tx, list: &TeamList, now: Timestamp) -> Result<()> {
    let values = first_values(tx, (list.team_id, list.id))?;
    concern(tx, list, &values, now)
}

/// What is on a list: all of it, or one more than are told apart.
fn first_values(tx: &mut Tx, key: (i64, i64)) -> Result<Vec<String>> {
    let entries = lists::changed_since(tx, key, (0, 0), CHUNK_ENTRIES + 1)?;
    Ok(entries.into_iter().map(|(_, change)| change.value).collect())
}

/// Whom it would concern if a list were trusted or not, or were removed: all who are on it. Of some values, whom it would
/// concern if they were put on the list, changed or taken off.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    kept: &Directories,
    rosters: &Arc<Rosters>,
    list: &TeamList,
    values: Option<Vec<String>>,
) -> Result<Concerned> {
    let key = (list.team_id, list.id);
    let values = match values {
        Some(values) => values,
        None => long_reads.read(move |tx| first_values(tx, key)).await?,
    };
    let of = (list.team_id, list.list_type);
    rescore::concerned_listed(long_reads, &kept.mappings, rosters, of, values).await
}

fn concern(tx: &mut Tx, list: &TeamList, values: &[String], now: Timestamp) -> Result<()> {
    let change = format!("{}-{}", list.id, list.revision);
    rescore::begin_listed(tx, (list.team_id, list.list_type), &change, values, now)
}

/// An entry to put on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// As [`ListType::value`] spells it.
    pub value: String,
    pub comment: Option<String>,
    pub ends_at: Option<Timestamp>,
}

impl NewEntry {
    fn has_ended(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }
}

/// What putting entries on a list does, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub list: TeamList,
    pub added: Vec<NewEntry>,
    /// With another comment or another end than before.
    pub changed: Vec<NewEntry>,
    pub unchanged: usize,
    /// Of values that come again later: the last counts.
    pub repeated: usize,
    /// Of those added or changed, such that have ended.
    pub ended: usize,
}

impl Put {
    /// Values that count, or did.
    pub fn values(&self, now: Timestamp) -> Vec<String> {
        let counts = self.added.iter().filter(|entry| !entry.has_ended(now));
        counts.chain(&self.changed).map(|entry| entry.value.clone()).collect()
    }

    /// The list's, at which entries were added and no others were changed; `None` where none were added.
    pub fn revision(&self) -> Option<i64> {
        (!self.added.is_empty()).then_some(self.list.revision)
    }
}

/// How many of these values are on a list.
///
/// # Errors
/// Those of the store.
pub async fn listed(long_reads: &LongReads, list: &TeamList, values: Vec<String>) -> Result<usize> {
    let key = (list.team_id, list.id);
    long_reads.read(move |tx| lists::with_values(tx, key, &values).map(|found| found.len())).await
}

/// What putting entries on a list would do; `None` where the team has none with this id.
///
/// # Errors
/// [`StoreError::TooMany`] where there is no room, and those of the store.
pub fn plan(tx: &mut Tx, list: TeamList, entries: &[NewEntry], now: Timestamp) -> Result<Put> {
    let given = entries.len();
    let entries: BTreeMap<_, _> = entries.iter().map(|entry| (&entry.value, entry)).collect();
    let values: Vec<_> = entries.keys().map(|value| (*value).clone()).collect();
    let there = lists::with_values(tx, (list.team_id, list.id), &values)?;
    let there: HashMap<_, _> = there.iter().map(|entry| (&entry.value, entry)).collect();
    let repeated = given - entries.len();
    let mut put = Put { list, added: Vec::new(), changed: Vec::new(), unchanged: 0, repeated, ended: 0 };
    for (value, entry) in entries {
        match there.get(value) {
            None => put.added.push(entry.clone()),
            Some(old) if (&old.comment, old.ends_at) == (&entry.comment, entry.ends_at) => put.unchanged += 1,
            Some(_) => put.changed.push(entry.clone()),
        }
    }
    put.ended = put.added.iter().chain(&put.changed).filter(|entry| entry.has_ended(now)).count();
    if put.list.entry_count + put.added.len() as i64 > ENTRIES_OF_LIST_MAX {
        return Err(StoreError::TooMany {
            owner: "list",
            what: "entries",
            max: ENTRIES_OF_LIST_MAX,
            limit: Limit::EntriesOfList,
        });
    }
    Ok(put)
}

/// Puts entries on a list, and has those scored again whom that concerns; `None` where the team has none with this id.
///
/// # Errors
/// [`StoreError::TooMany`] where there is no room, and those of the store.
pub fn put(
    tx: &mut Tx,
    actor: &Actor,
    (id, entries): (i64, &[NewEntry]),
    now: Timestamp,
) -> Result<Option<Put>> {
    let Some(list) = lists::next_revision(tx, actor.team_id, id, now)? else { return Ok(None) };
    let mut put = plan(tx, list, entries, now)?;
    let key = (put.list.team_id, put.list.id);
    write_entries(tx, actor, (&put.list, &put.changed), now)?;
    // Those that are new have a revision of their own, by which an undo finds them and no others.
    if !put.changed.is_empty() && !put.added.is_empty() {
        let Some(list) = lists::next_revision(tx, actor.team_id, id, now)? else { return Ok(None) };
        put.list = list;
    }
    write_entries(tx, actor, (&put.list, &put.added), now)?;
    lists::count_entries(tx, key, put.added.len() as i64)?;
    concern(tx, &put.list, &put.values(now), now)?;
    Ok(Some(put))
}

fn write_entries(
    tx: &mut Tx,
    actor: &Actor,
    (list, entries): (&TeamList, &[NewEntry]),
    now: Timestamp,
) -> Result<()> {
    let row = |entry: &NewEntry| Entry {
        id: 0,
        value: entry.value.clone(),
        comment: entry.comment.clone(),
        author: actor.name.clone(),
        created_at: now,
        ends_at: entry.ends_at,
        revision: list.revision,
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    lists::put_entries(tx, (list.team_id, list.id), &rows)
}

/// What was put on a list.
pub struct Added {
    pub put: Put,
    /// The entry of the audit log by which it can be undone; `None` where nothing was added.
    pub audit_id: Option<i64>,
}

/// The same, with an entry in the audit log.
///
/// # Errors
/// As [`put`].
pub async fn add(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    (action, id, entries): (&'static str, i64, Vec<NewEntry>),
    now: Timestamp,
) -> Result<Option<Added>> {
    let done = store
        .write(move |tx| {
            let Some(put) = put(tx, &actor, (id, &entries), now)? else { return Ok(None) };
            let values = put.added.iter().chain(&put.changed).map(|entry| &entry.value);
            let mut after = told_entries(&put.list, values);
            after["added"] = json!(put.added.len());
            after["changed"] = json!(put.changed.len());
            after["revision"] = json!(put.revision());
            // What was there before is no change.
            let acted = put.revision().map(|_| record(tx, &actor, (action, id), (None, Some(after)), now));
            let audit_id = acted.transpose()?;
            Ok(Some(Added { put, audit_id }))
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(done)
}

/// Takes an entry off a list, and has those scored again whom that concerns; `false` where it is not on it.
///
/// # Errors
/// Those of the store.
pub async fn remove(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    (list_id, id): (i64, i64),
    now: Timestamp,
) -> Result<bool> {
    let removed = store
        .write(move |tx| {
            let Some(list) = lists::get(tx, actor.team_id, list_id)? else { return Ok(false) };
            let Some(entry) = take_off(tx, &list, &[id], now)?.pop() else { return Ok(false) };
            let mut before = told_entries(&list, std::iter::once(&entry.value));
            before["entry"] = json!(entry.id);
            before["removed"] = json!(1);
            record(tx, &actor, ("list-entry.delete", list_id), (Some(before), None), now)?;
            Ok(true)
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(removed)
}

/// Takes entries off a list at its next revision; the answer is those that were on it.
///
/// # Errors
/// Those of the store.
pub fn take_off(tx: &mut Tx, list: &TeamList, ids: &[i64], now: Timestamp) -> Result<Vec<Entry>> {
    let Some(list) = lists::next_revision(tx, list.team_id, list.id, now)? else { return Ok(Vec::new()) };
    let mut gone = Vec::new();
    for id in ids {
        gone.extend(lists::delete_entry(tx, (list.team_id, list.id), *id, list.revision)?);
    }
    let values: Vec<_> = gone.iter().map(|entry: &Entry| entry.value.clone()).collect();
    taken_off(tx, &list, &values, now)?;
    Ok(gone)
}

/// Takes those entries off a list at its next revision that were put on it at another and were not changed since; the
/// answer is how many.
///
/// # Errors
/// Those of the store.
pub fn take_back(tx: &mut Tx, list: &TeamList, put_at: i64, now: Timestamp) -> Result<usize> {
    let Some(list) = lists::next_revision(tx, list.team_id, list.id, now)? else { return Ok(0) };
    let gone = lists::take_back(tx, (list.team_id, list.id), put_at, list.revision)?;
    taken_off(tx, &list, &gone, now)?;
    Ok(gone.len())
}

/// What follows when values were taken off a list at its revision.
fn taken_off(tx: &mut Tx, list: &TeamList, values: &[String], now: Timestamp) -> Result<()> {
    let key = (list.team_id, list.id);
    lists::count_entries(tx, key, -(values.len() as i64))?;
    if list.revision - list.removals_since > 2 * REMOVALS_REVISIONS {
        lists::forget_removals(tx, key, list.revision - REMOVALS_REVISIONS)?;
    }
    concern(tx, list, values, now)
}

/// Does a piece of what time brings: has those scored again who were on a list by an entry that has ended, and removes
/// what is left of lists that are gone; `false` when there is nothing to do.
///
/// # Errors
/// Those of the store.
pub async fn tend(store: &Store, now: Timestamp) -> Result<bool> {
    let is_idle = store.read(move |tx| Ok(!lists::has_work(tx, now)?)).await?;
    if is_idle {
        return Ok(false);
    }
    store
        .write(move |tx| {
            let mut ended: BTreeMap<(i64, i64), Vec<Ended>> = BTreeMap::new();
            for entry in lists::take_ended(tx, now, ENDED_CHUNK)? {
                ended.entry((entry.team_id, entry.list_id)).or_default().push(entry);
            }
            for ((team_id, list_id), entries) in ended {
                let Some(list) = lists::get(tx, team_id, list_id)? else { continue };
                let first = entries.iter().map(|entry| entry.id).min().unwrap_or_default();
                let change = format!("{list_id}-ended-{}-{first}", now.as_millis());
                let values: Vec<_> = entries.into_iter().map(|entry| entry.value).collect();
                rescore::begin_listed(tx, (team_id, list.list_type), &change, &values, now)?;
            }
            lists::purge_some(tx, ENDED_CHUNK).map(|_| true)
        })
        .await
}

fn told(list: &TeamList) -> Value {
    json!({
        "slug": list.slug,
        "name": list.name,
        "description": list.description,
        "type": list.list_type.name(),
        "trusted": list.trusted,
    })
}

/// What is told of entries. Values that are a person's are not, since that person may be forgotten one day.
fn told_entries<'v>(list: &TeamList, values: impl Iterator<Item = &'v String>) -> Value {
    let is_nobodys = matches!(
        list.list_type,
        ListType::EmailDomain | ListType::Network | ListType::Asn | ListType::Country
    );
    let values: Option<Vec<_>> = is_nobodys.then(|| values.take(TOLD_MAX).collect());
    json!({"list": list.slug, "name": list.name, "values": values})
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    (action, id): (&'static str, i64),
    (before, after): (Option<Value>, Option<Value>),
    now: Timestamp,
) -> Result<i64> {
    let act = Act { action, target_type: "list", target_id: &id.to_string(), before, after };
    audit::write(tx, actor, &act, now)
}
