//! Groups, beside what events say of them.

use std::collections::HashSet;
use std::sync::Arc;

use dregs_core::event::FieldError;
use dregs_core::identity;
use dregs_core::link::KeyHasher;
use dregs_core::time::Timestamp;
use dregs_core::words::snake;
use serde_json::{Map, Value};

use crate::ops::audit::{self, Act, Actor};
use crate::ops::ingest::names::Names;
use crate::ops::lists::roster::{Filter, Rosters};
use crate::store::changes::{self, Touched};
use crate::store::groups::{self, Group, KnownGroup};
use crate::store::names::{self, NameKind};
use crate::store::rosters::Kind;
use crate::store::{Result, Store, StoreError, Tx};

/// The type of a group in [`crate::store::rosters::Entry::texts`].
const TYPE_COLUMN: usize = 2;

/// The row ids of the groups with this id, of this type or of any.
///
/// # Errors
/// Those of the store.
pub async fn find_all(
    store: &Store,
    names: &Names,
    team_id: i64,
    id: String,
    group_type: Option<String>,
) -> Result<Vec<i64>> {
    let types = match group_type {
        Some(group_type) => vec![snake(&group_type)],
        None => types(names, team_id),
    };
    let find = move |tx: &mut Tx| {
        let found = types.iter().map(|group_type| groups::find(tx, team_id, group_type, &id));
        Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().map(|group| group.id).collect())
    };
    store.read(find).await
}

fn types(names: &Names, team_id: i64) -> Vec<String> {
    names.select(team_id, NameKind::GroupType, |_| true).into_iter().map(|(name, _)| name).collect()
}

/// The row ids of the groups with an id, of those of a type, or both.
///
/// # Errors
/// Those of the store.
pub async fn select(
    store: &Store,
    names: &Names,
    lists: &Arc<Rosters>,
    team_id: i64,
    named: (Option<String>, Option<String>),
) -> Result<HashSet<i64>> {
    match named {
        (Some(id), group_type) => {
            Ok(find_all(store, names, team_id, id, group_type).await?.into_iter().collect())
        }
        (None, Some(group_type)) => {
            let filter = Filter { text: Some((TYPE_COLUMN, snake(&group_type))), ..Filter::default() };
            lists.ask(team_id, Kind::Groups, move |table| table.select(&filter)).await
        }
        (None, None) => Ok(HashSet::new()),
    }
}

/// Stores a group, or merges `data` into the one that is there.
///
/// # Errors
/// The inner one when the data would grow too large.
pub async fn merge(
    store: &Store,
    hasher: KeyHasher,
    known: &Names,
    actor: Actor,
    (group_type, external_id): (String, String),
    data: Map<String, Value>,
    now: Timestamp,
) -> Result<std::result::Result<Group, FieldError>> {
    let (merged, names) = store
        .write(move |tx| {
            let before = groups::find(tx, actor.team_id, &group_type, &external_id)?;
            let mut merged = before.as_ref().map_or(Ok(Map::new()), |group| object(&group.data))?;
            if let Err(error) = identity::merge(&mut merged, &data) {
                return Ok((Err(error), Vec::new()));
            }
            let (display_name, text) = (identity::group_name(&merged), Value::Object(merged).to_string());
            if let Some(before) = &before {
                groups::change(tx, before.id, display_name.as_deref(), &text, now)?;
            } else {
                let new = KnownGroup {
                    shard: hasher.shard(actor.team_id, &[&group_type, &external_id]),
                    team_id: actor.team_id,
                    group_type: group_type.clone(),
                    external_id: external_id.clone(),
                    display_name,
                    data: text,
                };
                groups::upsert(tx, &[new], now)?;
            }
            let names = names::number(tx, &[(actor.team_id, NameKind::GroupType, &group_type)])?;
            let group = groups::find(tx, actor.team_id, &group_type, &external_id)?;
            let group = group.ok_or(StoreError::Retry)?;
            changes::insert(tx, &Touched { groups: [group.id].into(), ..Touched::default() }, now)?;
            let target_id = format!("{group_type}/{external_id}");
            let action = if before.is_some() { "group.change" } else { "group.create" };
            let data = |group: &Group| serde_json::from_str(&group.data).ok();
            let (before, after) = (before.as_ref().and_then(data), data(&group));
            let act = Act { action, target_type: "group", target_id: &target_id, before, after };
            audit::record(tx, &actor, &act, now)?;
            Ok((Ok(group), names))
        })
        .await?;
    known.learn(names);
    Ok(merged)
}

/// Makes an identity a member of a group, or takes it out.
///
/// # Errors
/// Those of the store.
pub async fn set_member(
    store: &Store,
    actor: Actor,
    group: Group,
    identity_id: i64,
    member: bool,
    now: Timestamp,
) -> Result<()> {
    store
        .write(move |tx| {
            let action = if member {
                groups::add_members(tx, &[(group.id, identity_id)], now)?;
                "group.add-member"
            } else {
                groups::remove_member(tx, group.id, identity_id)?;
                "group.remove-member"
            };
            changes::insert(tx, &Touched::identity(identity_id), now)?;
            // The identity is named by its number: its id is the customer's, and may have to be forgotten.
            let after = Some(serde_json::json!({ "identity": identity_id }));
            let target_id = format!("{}/{}", group.group_type, group.external_id);
            let act = Act { action, target_type: "group", target_id: &target_id, before: None, after };
            audit::record(tx, &actor, &act, now)
        })
        .await
}

fn object(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| StoreError::Broken(error.to_string()))
}
