//! Undoing what an act put on lists: a ban of a ring, entries that were added, a table that was imported.
//!
//! An act takes a revision of a list for what it adds, and the audit log has it. What is on the list with that revision is
//! as the act left it: what was there before, or was changed since, has another.

use dregs_core::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lists::{self, ADDED, IMPORTED};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::directories::Directories;
use crate::ops::long_reads::LongReads;
use crate::store::audit_log::{self, Entry, RING_BANNED};
use crate::store::lists::{self as table, TeamList};
use crate::store::{Result, Store, Tx};

/// What of an act was undone, or would be.
pub struct Undone {
    pub lists: Vec<OfList>,
}

/// The same of one list.
pub struct OfList {
    pub id: i64,
    pub slug: String,
    /// Its slug where it is deleted.
    pub name: String,
    /// Entries that are taken off.
    pub removed: usize,
    /// That the act had added, and that were changed or taken off since.
    pub changed_since: usize,
    /// That were there before the act, which changed them: they stay as they are.
    pub there_before: usize,
}

/// Why an act is not undone.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    /// It is none of those that can be.
    NotOfLists,
    /// It added nothing.
    Nothing,
    /// It was undone.
    Undone,
    /// It is about a trusted list, which is an admin's.
    Trusted,
}

/// Who undoes something.
pub struct Undoer {
    pub actor: Actor,
    /// Whether they may change trusted lists.
    pub may_manage: bool,
}

/// What an act put on one list, as the audit log tells it.
#[derive(Deserialize)]
struct Part {
    id: Option<i64>,
    list: String,
    added: usize,
    changed: usize,
    revision: Option<i64>,
}

#[derive(Deserialize)]
struct Parts {
    lists: Vec<Part>,
}

/// What an entry tells that was put on lists; `None` where it is about something else.
fn parts(entry: &Entry) -> Option<Vec<Part>> {
    let after = entry.after.as_deref()?;
    match entry.action.as_str() {
        RING_BANNED => serde_json::from_str::<Parts>(after).ok().map(|parts| parts.lists),
        ADDED | IMPORTED => {
            let part: Part = serde_json::from_str(after).ok()?;
            Some(vec![Part { id: entry.target_id.parse().ok(), ..part }])
        }
        _ => None,
    }
}

/// Whether an entry tells of something that can be undone, unless it was.
pub fn can_be_undone(entry: &Entry) -> bool {
    parts(entry).is_some_and(|parts| parts.iter().any(|part| part.revision.is_some()))
}

/// The ban of a ring that put an entry on a list, if one did, and nobody has undone it or changed the entry since.
///
/// # Errors
/// Those of the store.
pub fn ban_of(tx: &mut Tx, list: &TeamList, entry: &table::Entry) -> Result<Option<i64>> {
    let bans = audit_log::bans_at(tx, list.team_id, entry.created_at)?;
    let is_of = |part: &Part| part.id == Some(list.id) && part.revision == Some(entry.revision);
    let mut bans = bans.iter().filter(|ban| parts(ban).is_some_and(|parts| parts.iter().any(is_of)));
    let Some(ban) = bans.next() else { return Ok(None) };
    let is_undone = !audit_log::undoings(tx, list.team_id, &[ban.id])?.is_empty();
    Ok(Some(ban.id).filter(|_| !is_undone))
}

/// What undoing an act would do.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    undoer: Undoer,
    id: i64,
) -> Result<std::result::Result<Undone, Refusal>> {
    long_reads
        .read(move |tx| {
            let found = audit_log::get(tx, undoer.actor.team_id, id)?;
            let parts = match undoable(tx, &undoer, found)? {
                Ok(parts) => parts,
                Err(refusal) => return Ok(Err(refusal)),
            };
            each(tx, &undoer.actor, &parts, |tx, list, put_at| {
                table::put_at(tx, (list.team_id, list.id), put_at).map(|values| values.len())
            })
            .map(|lists| Ok(Undone { lists }))
        })
        .await
}

/// Takes off lists what an act put there and is there as it left it, and has those scored again whom that concerns.
///
/// # Errors
/// Those of the store.
pub async fn undo(
    store: &Store,
    kept: &Directories,
    undoer: Undoer,
    id: i64,
    now: Timestamp,
) -> Result<std::result::Result<Undone, Refusal>> {
    let done = store
        .write(move |tx| {
            // Of two at once the second sees what the first has done.
            let found = audit_log::lock(tx, undoer.actor.team_id, id)?;
            let undone = found.as_ref().map(|entry| entry.action.clone()).unwrap_or_default();
            let parts = match undoable(tx, &undoer, found)? {
                Ok(parts) => parts,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let lists =
                each(tx, &undoer.actor, &parts, |tx, list, put_at| lists::take_back(tx, list, put_at, now))?;
            record(tx, &undoer.actor, (id, &undone), &lists, now)?;
            Ok(Ok(Undone { lists }))
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(done)
}

fn undoable(
    tx: &mut Tx,
    undoer: &Undoer,
    found: Option<Entry>,
) -> Result<std::result::Result<Vec<Part>, Refusal>> {
    let Some(entry) = found else { return Ok(Err(Refusal::NotFound)) };
    let Some(parts) = parts(&entry) else { return Ok(Err(Refusal::NotOfLists)) };
    if !can_be_undone(&entry) {
        return Ok(Err(Refusal::Nothing));
    }
    let team_id = undoer.actor.team_id;
    if !audit_log::undoings(tx, team_id, &[entry.id])?.is_empty() {
        return Ok(Err(Refusal::Undone));
    }
    for id in parts.iter().filter_map(|part| part.id).filter(|_| !undoer.may_manage) {
        if table::get(tx, team_id, id)?.is_some_and(|list| list.trusted) {
            return Ok(Err(Refusal::Trusted));
        }
    }
    Ok(Ok(parts))
}

/// Does something to each list that is there; it answers how many entries it took off, or would.
fn each(
    tx: &mut Tx,
    actor: &Actor,
    parts: &[Part],
    take: impl Fn(&mut Tx, &TeamList, i64) -> Result<usize>,
) -> Result<Vec<OfList>> {
    let mut lists = Vec::with_capacity(parts.len());
    for Part { id, list, added, changed, revision } in parts {
        let found = id.map(|id| table::get(tx, actor.team_id, id)).transpose()?.flatten();
        let name = found.as_ref().map(|list| list.name.clone());
        let removed = match (found, revision) {
            (Some(found), Some(put_at)) => take(tx, &found, *put_at)?,
            _ => 0,
        };
        lists.push(OfList {
            id: id.unwrap_or_default(),
            name: name.unwrap_or_else(|| list.clone()),
            slug: list.clone(),
            removed,
            changed_since: added.saturating_sub(removed),
            there_before: *changed,
        });
    }
    Ok(lists)
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    (id, undone): (i64, &str),
    lists: &[OfList],
    now: Timestamp,
) -> Result<()> {
    let of_list = |one: &OfList| json!({"list": one.slug, "name": one.name, "removed": one.removed, "changedSince": one.changed_since});
    let after: Value = json!({"undone": undone, "lists": lists.iter().map(of_list).collect::<Vec<_>>()});
    let (target_type, target_id) = (audit_log::ENTRY, id.to_string());
    let act = Act {
        action: audit_log::UNDONE,
        target_type,
        target_id: &target_id,
        before: None,
        after: Some(after),
    };
    audit::record(tx, actor, &act, now)
}
