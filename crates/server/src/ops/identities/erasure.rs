//! Forgetting a person: everything that is kept of them goes, but for keyed hashes of their devices
//! and of their e-mail address, by which they are recognised should they come back.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::event::Event;
use dregs_core::identity::Profile;
use dregs_core::link::{self, KeyHasher, KeyKind, LinkKey};
use dregs_core::mapping::Mapping;
use dregs_core::person;
use dregs_core::time::Timestamp;

use crate::clock::Clock;
use crate::failpoint::{self, Failpoint};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::counters::{self, Seen};
use crate::ops::decide::rule_lists;
use crate::ops::directories::Directories;
use crate::ops::handoff::Evaluations;
use crate::ops::identities::edit::linked;
use crate::ops::identities::traces;
use crate::ops::ingest::names::{Known, Names};
use crate::ops::ingest::refold;
use crate::ops::long_reads::LongReads;
use crate::ops::team::mappings::Mappings;
use crate::store::changes::{self, Touched};
use crate::store::identities::{self, Identity};
use crate::store::links::{self, HashedKey};
use crate::store::marks;
use crate::store::names::NameKind;
use crate::store::{Result, Store, StoreError, Tx, audit_log, erasure, groups, retention};

/// Rows removed in one transaction, so that no other waits long.
const CHUNK_ROWS: i64 = 500;

/// What forgets people.
pub struct Eraser<'a> {
    pub store: &'a Store,
    pub long_reads: &'a LongReads,
    pub kept: &'a Directories,
    pub hasher: KeyHasher,
    pub evaluations: &'a Evaluations,
    /// It takes its time, and each step has its own.
    pub clock: &'a dyn Clock,
}

impl Eraser<'_> {
    /// Removes an identity with everything that is kept of it.
    ///
    /// # Errors
    /// Those of the store; what is left then is removed in the background.
    pub async fn erase(&self, actor: Actor, identity: Identity) -> Result<()> {
        let (now, hasher, team_id, id) = (self.clock.now(), self.hasher, actor.team_id, identity.row_id);
        let (mappings, min_cycle_ms) = (self.kept.mappings.current(), self.evaluations.min_cycle_ms);
        let (counters, seen) = (self.kept.counters.current(), Seen::now(self.kept, hasher));
        self.store
            .write(move |tx| {
                if rule_lists::forget(tx, team_id, id, now)? {
                    let sharing = sharing(tx, &hasher, &mappings, team_id, id)?;
                    marks::mark_dirty(tx, &sharing, now, min_cycle_ms)?;
                }
                remove_profile_keys(tx, &hasher, &mappings, team_id, &identity)?;
                let data = serde_json::from_str(&identity.data)
                    .map_err(|error| StoreError::Broken(error.to_string()))?;
                counters::forget(tx, team_id, (&identity.id, &data), counters.of(team_id), &seen)?;
                erasure::begin(tx, team_id, id, now)?;
                if let Some(value) = identity.display_email.as_deref().and_then(person::mailbox) {
                    let key = HashedKey::new(&hasher, team_id, &LinkKey { kind: KeyKind::Email, value });
                    links::insert(tx, &[(key, id, now)])?;
                }
                // The log of who did what names them no more, nor does this entry.
                let hash = LinkKey { kind: KeyKind::Email, value: identity.id.clone() };
                let name = format!("deleted-{:016x}", hasher.hash(&hash));
                audit_log::forget(tx, team_id, "identity", &identity.id, &name)?;
                let act = Act {
                    action: "identity.delete",
                    target_type: "identity",
                    target_id: &name,
                    before: None,
                    after: None,
                };
                audit::record(tx, &actor, &act, now)?;
                changes::insert(tx, &Touched::identity(id), now)
            })
            .await?;
        failpoint::reach(Failpoint::ErasureBegun);
        self.remove(team_id, id).await
    }

    /// Goes on with what was interrupted.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resume(&self) -> Result<()> {
        for (team_id, id) in self.store.read(erasure::unfinished).await? {
            self.remove(team_id, id).await?;
        }
        Ok(())
    }

    /// Removes what is left of an identity.
    async fn remove(&self, team_id: i64, id: i64) -> Result<()> {
        while self.store.write(move |tx| erasure::remove_told(tx, id, CHUNK_ROWS)).await? > 0 {}
        loop {
            let types = group_types(&self.kept.names, team_id);
            let (hasher, now) = (self.hasher, self.clock.now());
            let removed = self
                .store
                .write(move |tx| {
                    let events = erasure::events(tx, id, CHUNK_ROWS)?;
                    remove_events(tx, &hasher, &types, team_id, id, &events, now)?;
                    Ok(events.len())
                })
                .await?;
            if removed == 0 {
                break;
            }
        }
        traces::remove(self, team_id, id).await?;
        // A cycle or an attempt that was under way may have written once more.
        while self.store.write(move |tx| erasure::remove_told(tx, id, CHUNK_ROWS)).await? > 0 {}
        self.store.write(move |tx| retention::remove_folded(tx, id)).await?;
        while self.store.write(erasure::overwrite_some).await? {}
        self.store.write(move |tx| erasure::finish(tx, id)).await?;
        self.evaluations.spill();
        self.store.empty_log().await
    }
}

/// Who else has what an identity has.
fn sharing(tx: &mut Tx, hasher: &KeyHasher, mappings: &Mappings, team_id: i64, id: i64) -> Result<Vec<i64>> {
    let Some(start) = identities::load_cycle_starts(tx, &[id])?.pop() else { return Ok(Vec::new()) };
    let data = serde_json::from_str(&start.data).map_err(|error| StoreError::Broken(error.to_string()))?;
    let profile = Profile::from_data(&data, mappings.of(team_id));
    let state = refold::decode(tx, id, &start.state)?;
    Ok(linked(tx, hasher, team_id, id, &state, &profile)?.into_iter().collect())
}

/// Removes the keys of what an identity said of itself, by today's mapping and by the shipped one.
fn remove_profile_keys(
    tx: &mut Tx,
    hasher: &KeyHasher,
    mappings: &Mappings,
    team_id: i64,
    identity: &Identity,
) -> Result<()> {
    let data = serde_json::from_str(&identity.data).map_err(|error| StoreError::Broken(error.to_string()))?;
    let keys: BTreeSet<_> = [mappings.of(team_id), &Mapping::default()]
        .into_iter()
        .flat_map(|mapping| link::profile_keys(&Profile::from_data(&data, mapping)).collect::<Vec<_>>())
        .map(|key| (HashedKey::new(hasher, team_id, &key), identity.row_id))
        .collect();
    links::remove(tx, &keys.into_iter().collect::<Vec<_>>())
}

/// The numbers of the types of groups of a team.
pub fn group_types(names: &Names, team_id: i64) -> BTreeMap<String, i64> {
    let words = names.select(team_id, NameKind::GroupType, |word| {
        matches!(names.find(team_id, NameKind::GroupType, word), Known::Numbered(_))
    });
    words.into_iter().collect()
}

/// The places that events of a team have in the lists of groups: (list, time, event).
///
/// # Errors
/// Those of the store.
pub fn lists<'e>(
    tx: &mut Tx,
    types: &BTreeMap<String, i64>,
    team_id: i64,
    events: impl Iterator<Item = (i64, &'e Event)> + Clone,
) -> Result<Vec<(i64, Timestamp, i64)>> {
    let groups = |(_, event): (i64, &'e Event)| event.groups.iter();
    let named: BTreeSet<_> = events.clone().flat_map(groups).map(|g| (&*g.group_type, &*g.id)).collect();
    let group_ids = groups::ids(tx, team_id, &named.into_iter().collect::<Vec<_>>())?;
    let mut listed = BTreeSet::new();
    for (row, event) in events {
        for group in &event.groups {
            let is_it = |(kind, id, _): &&(String, String, i64)| *kind == group.group_type && *id == group.id;
            let own = group_ids.iter().find(is_it).map(|(_, _, id)| *id);
            let of_type = types.get(&group.group_type).map(|id| -id);
            listed.extend(own.into_iter().chain(of_type).map(|list| (list, event.timestamp, row)));
        }
    }
    Ok(listed.into_iter().collect())
}

fn remove_events(
    tx: &mut Tx,
    hasher: &KeyHasher,
    types: &BTreeMap<String, i64>,
    team_id: i64,
    id: i64,
    events: &[(i64, Event)],
    now: Timestamp,
) -> Result<()> {
    let key = |kind: KeyKind, value: &str| {
        HashedKey::new(hasher, team_id, &LinkKey { kind, value: value.to_owned() })
    };
    let listed = lists(tx, types, team_id, events.iter().map(|(row, event)| (*row, event)))?;
    let (mut keys, mut devices) = (BTreeSet::new(), BTreeSet::new());
    for (_, event) in events {
        keys.extend(event.ip.and_then(link::ip_value).map(|value| key(KeyKind::Ip, &value)));
        keys.extend(event.ip.and_then(link::network_value).map(|value| key(KeyKind::Network, &value)));
        keys.extend(event.session.as_deref().map(|session| key(KeyKind::Session, session)));
        devices.extend(event.fingerprint.as_deref());
    }
    let rows: Vec<_> = events.iter().map(|(row, _)| *row).collect();
    erasure::remove_events(tx, &rows, &listed)?;
    links::remove(tx, &keys.into_iter().map(|key| (key, id)).collect::<Vec<_>>())?;
    let mut touched = Touched::default();
    for fingerprint in devices {
        let key = key(KeyKind::Device, fingerprint);
        touched.devices.extend(erasure::remove_device(tx, key, fingerprint, id)?);
    }
    changes::insert(tx, &touched, now)
}
