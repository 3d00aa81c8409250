//! Identities, beside what events say of them: changed by people, linked to others.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::common::Common;
use dregs_core::event::FieldError;
use dregs_core::identity::{self, Profile};
use dregs_core::link::{self, KeyHasher};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::Editor;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::evaluate::evaluation;
use crate::ops::handoff::Evaluations;
use crate::ops::ingest::refold;
use crate::store::changes::{self, Touched};
use crate::store::identities::{self, Identity};
use crate::store::links::{self, HashedKey};
use crate::store::marks;
use crate::store::{Result, Store, StoreError, Tx};

/// Identities on one key that are scored again when one of them changes.
const RESCORED_MAX: usize = 20;

/// What to change.
pub struct Change {
    pub disregarded: Option<bool>,
    /// Merged into what is known.
    pub attributes: Option<Map<String, Value>>,
}

impl Editor<'_> {
    /// Changes an identity; it and those it is linked to are scored again. `None` when there is no such
    /// identity.
    ///
    /// # Errors
    /// The inner one when its data would grow too large.
    pub async fn change(
        &self,
        actor: Actor,
        external_id: String,
        change: Change,
        now: Timestamp,
    ) -> Result<Option<std::result::Result<Identity, FieldError>>> {
        let (min_cycle_ms, hasher) = (self.evaluations.min_cycle_ms, self.hasher);
        let mappings = self.kept.mappings.current();
        let changed = self
            .store
            .write(move |tx| {
                let team_id = actor.team_id;
                let Some(before) = identities::find(tx, team_id, &external_id)? else { return Ok(None) };
                let tracked = identities::tracked(tx, team_id, &external_id)?.ok_or(StoreError::Retry)?;
                let mut data: Map<String, Value> = serde_json::from_str(&tracked.data).map_err(broken)?;
                let old_profile = Profile::from_data(&data, mappings.of(team_id));
                if let Some(attributes) = &change.attributes
                    && let Err(error) = identity::merge(&mut data, attributes)
                {
                    return Ok(Some(Err(error)));
                }
                let disregarded = change.disregarded.unwrap_or(before.disregarded);
                let profile = Profile::from_data(&data, mappings.of(team_id));
                let names = [&profile.name, &profile.email, &profile.username];
                let text = Value::Object(data).to_string();
                identities::change(tx, tracked.id, tracked.version, disregarded, &text, names, now)?;
                let state = refold::decode(tx, tracked.id, &tracked.state)?;
                count_in_networks(tx, &hasher, &tracked, &state, !disregarded)?;
                rekey(tx, &hasher, team_id, tracked.id, &old_profile, &profile, &state)?;
                let mut marked = linked(tx, &hasher, team_id, tracked.id, &state, &profile)?;
                marked.insert(tracked.id);
                marks::mark_dirty(tx, &marked.into_iter().collect::<Vec<_>>(), now, min_cycle_ms)?;
                changes::insert(tx, &Touched::identity(tracked.id), now)?;
                // Of the attributes only the names: the values are the person's.
                let keys: Option<Vec<_>> = change.attributes.as_ref().map(|given| given.keys().collect());
                let mut after = json!({ "disregarded": disregarded });
                if let Some(keys) = keys {
                    after["attributes"] = json!(keys);
                }
                let act = Act {
                    action: "identity.change",
                    target_type: "identity",
                    target_id: &external_id,
                    before: Some(json!({ "disregarded": before.disregarded })),
                    after: Some(after),
                };
                audit::record(tx, &actor, &act, now)?;
                Ok(identities::find(tx, team_id, &external_id)?.map(Ok))
            })
            .await?;
        self.evaluations.spill();
        Ok(changed)
    }
}

/// Finds an identity by what it says of itself now, and no longer by what it said before.
fn rekey(
    tx: &mut Tx,
    hasher: &KeyHasher,
    team_id: i64,
    id: i64,
    before: &Profile,
    after: &Profile,
    state: &IdentityState,
) -> Result<()> {
    let keys = |profile| -> BTreeSet<_> {
        link::profile_keys(profile).map(|key| HashedKey::new(hasher, team_id, &key)).collect()
    };
    let (before, after) = (keys(before), keys(after));
    let since = state.first_event_at().unwrap_or_default();
    let dropped: Vec<_> = before.difference(&after).map(|key| (*key, id)).collect();
    let new: Vec<_> = after.difference(&before).map(|key| (*key, id, since)).collect();
    if !dropped.is_empty() {
        links::remove(tx, &dropped)?;
    }
    if !new.is_empty() {
        links::insert(tx, &new)?;
    }
    Ok(())
}

/// Counts an identity among those seen in its networks, or no longer.
fn count_in_networks(
    tx: &mut Tx,
    hasher: &KeyHasher,
    tracked: &identities::Tracked,
    state: &IdentityState,
    counted: bool,
) -> Result<()> {
    let networks = evaluation::networks(hasher, tracked.team_id, state);
    if counted {
        let rows: Vec<_> = networks.into_iter().map(|(key, first_at)| (key, tracked.id, first_at)).collect();
        links::insert(tx, &rows)?;
        return Ok(());
    }
    links::remove(tx, &networks.into_keys().map(|key| (key, tracked.id)).collect::<Vec<_>>())
}

/// The newest identities that have a key in common with this one: they are scored again when it changes.
pub fn linked(
    tx: &mut Tx,
    hasher: &KeyHasher,
    team_id: i64,
    id: i64,
    state: &IdentityState,
    profile: &Profile,
) -> Result<BTreeSet<i64>> {
    let keys = link::current_keys(state, profile, &Common::default(), |_| false);
    let keys: Vec<_> = keys.iter().map(|key| HashedKey::new(hasher, team_id, key)).collect();
    let mut by_key: BTreeMap<HashedKey, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for holder in links::newest_holders(tx, &keys)? {
        let count = by_key.entry(holder.key).or_default();
        *count += 1;
        if holder.identity_id != id && *count <= RESCORED_MAX {
            found.insert(holder.identity_id);
        }
    }
    Ok(found)
}

/// Has an identity scored again.
///
/// # Errors
/// Those of the store.
pub async fn analyze(
    store: &Store,
    evaluations: &Evaluations,
    actor: Actor,
    identity: &Identity,
    now: Timestamp,
) -> Result<()> {
    let min_cycle_ms = evaluations.min_cycle_ms;
    let (row_id, external_id) = (identity.row_id, identity.id.clone());
    store
        .write(move |tx| {
            let act = Act {
                action: "identity.analyze",
                target_type: "identity",
                target_id: &external_id,
                before: None,
                after: None,
            };
            audit::record(tx, &actor, &act, now)?;
            marks::mark_dirty(tx, &[row_id], now, min_cycle_ms)
        })
        .await?;
    evaluations.spill();
    Ok(())
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
