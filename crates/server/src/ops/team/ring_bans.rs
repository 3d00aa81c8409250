//! Bans of rings: what a ring has is put on the team's lists of banned devices, addresses and the like, all at once.

use std::collections::{BTreeMap, HashMap};

use dregs_core::list::ListType;
use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use super::lists::{self, NewEntry, Put};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::directories::Directories;
use crate::ops::identities::ring::{BanList, ban_list};
use crate::store::audit_log::RING_BANNED;
use crate::store::lists::{self as table, TeamList};
use crate::store::{Result, Store, Tx};

/// What is to be banned.
pub struct Ban {
    /// The identity whose ring it is.
    pub identity: String,
    /// How many are in it.
    pub members: usize,
    /// By type, as the type spells them.
    pub values: BTreeMap<ListType, Vec<String>>,
    pub comment: Option<String>,
    pub ends_at: Option<Timestamp>,
}

/// What was banned.
pub struct Banned {
    /// Of the entry in the audit log, by which it can be undone.
    pub audit_id: i64,
    pub lists: Vec<Put>,
}

/// Why nothing was banned.
#[derive(Debug)]
pub enum Refusal {
    /// The team has a list with the slug of banned ones that is of another type, or trusted.
    OtherList(&'static str),
}

/// Puts values on the lists of banned ones, which are made where the team has none, and has those scored again whom that
/// concerns. What is banned already, and for as long, stays as it is.
///
/// # Errors
/// [`crate::store::StoreError::TooMany`] where there is no room, and those of the store. Nothing is written then.
pub async fn ban(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    ban: Ban,
    now: Timestamp,
) -> Result<std::result::Result<Banned, Refusal>> {
    let done = store.write(move |tx| ban_in(tx, &actor, &ban, now)).await?;
    kept.reload_changed(now).await?;
    Ok(done)
}

fn ban_in(
    tx: &mut Tx,
    actor: &Actor,
    ban: &Ban,
    now: Timestamp,
) -> Result<std::result::Result<Banned, Refusal>> {
    let there = table::of_team(tx, actor.team_id)?;
    let wanted: Vec<_> = ban
        .values
        .iter()
        .filter_map(|(list_type, values)| Some((ban_list(*list_type)?, values)))
        .map(|(of_type, values)| (of_type, values, there.iter().find(|list| list.slug == of_type.slug)))
        .collect();
    let is_other = |of_type: &BanList, list: &TeamList| list.list_type != of_type.list_type || list.trusted;
    if let Some((of_type, ..)) =
        wanted.iter().find(|(of_type, _, list)| list.is_some_and(|list| is_other(of_type, list)))
    {
        return Ok(Err(Refusal::OtherList(of_type.slug)));
    }
    let mut puts = Vec::with_capacity(wanted.len());
    for (of_type, values, list) in wanted {
        let id = match list {
            Some(list) => list.id,
            None => make(tx, actor.team_id, of_type, now)?,
        };
        let (entries, kept) = entries(tx, (actor.team_id, id), (values, ban))?;
        // One that is gone meanwhile takes nothing; the transaction is tried anew then.
        if let Some(mut put) = lists::put(tx, actor, (id, &entries), now)? {
            put.unchanged += kept;
            puts.push(put);
        }
    }
    let after = told(&puts, ban.members);
    let act = Act {
        action: RING_BANNED,
        target_type: "identity",
        target_id: &ban.identity,
        before: None,
        after: Some(after),
    };
    let audit_id = audit::write(tx, actor, &act, now)?;
    Ok(Ok(Banned { audit_id, lists: puts }))
}

fn make(tx: &mut Tx, team_id: i64, list: &BanList, now: Timestamp) -> Result<i64> {
    bounds::LISTS.check_team(tx, team_id)?;
    let new = TeamList {
        id: 0,
        team_id,
        slug: list.slug.to_owned(),
        name: list.name.to_owned(),
        description: Some("Values of banned rings.".to_owned()),
        list_type: list.list_type,
        trusted: false,
        revision: 1,
        removals_since: 0,
        entry_count: 0,
        created_at: now,
        updated_at: now,
    };
    table::insert(tx, &new)
}

/// The entries to put on a list, without those whose values are on it for as long, of which the answer has the number.
fn entries(tx: &mut Tx, key: (i64, i64), (values, ban): (&[String], &Ban)) -> Result<(Vec<NewEntry>, usize)> {
    let there = table::with_values(tx, key, values)?;
    let there: HashMap<_, _> = there.iter().map(|entry| (&entry.value, entry.ends_at)).collect();
    let lasts = |ends_at: Option<Timestamp>| match (ends_at, ban.ends_at) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => old >= new,
    };
    let is_there = |value: &String| there.get(value).is_some_and(|ends_at| lasts(*ends_at));
    let new: Vec<_> = values.iter().filter(|value| !is_there(value)).collect();
    let kept = values.len() - new.len();
    let entry = |value: &String| NewEntry {
        value: value.clone(),
        comment: ban.comment.clone(),
        ends_at: ban.ends_at,
    };
    Ok((new.into_iter().map(entry).collect(), kept))
}

/// Lists and counts: neither values nor the comment, which may be about people who may be forgotten one day.
fn told(puts: &[Put], members: usize) -> Value {
    let of_list = |put: &Put| {
        json!({
            "id": put.list.id,
            "list": put.list.slug,
            "name": put.list.name,
            "added": put.added.len(),
            "changed": put.changed.len(),
            "unchanged": put.unchanged,
            "revision": put.revision(),
        })
    };
    json!({"identities": members, "lists": puts.iter().map(of_list).collect::<Vec<_>>()})
}
