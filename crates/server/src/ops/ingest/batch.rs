//! The one transaction that stores events, folds them into their identities and marks those as
//! changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::counter::Counters;
use dregs_core::event::Event;
use dregs_core::fact::OfTeam;
use dregs_core::identity;
use dregs_core::link::{self, KeyHasher, KeyKind};
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use super::identity::{Identity, Next, parse_object};
use super::{Outcome, Prepared, Request};
use crate::ops::counters::{self, Added};
use crate::ops::ingest::common::{OfTeams, Shown};
use crate::ops::ingest::names::{Known, Names};
use crate::ops::team::datasets;
use crate::ops::team::mappings::Mappings;
use crate::store::changes::{self, Touched};
use crate::store::claims::Due;
use crate::store::devices::SeenDevice;
use crate::store::events::NewEvent;
use crate::store::groups::KnownGroup;
use crate::store::identities::TrackedWrite;
use crate::store::links::HashedKey;
use crate::store::marks;
use crate::store::names::{Name, NameKind};
use crate::store::{Result, StoreError, Tx, devices, events, groups, identities, links, names, usage};

/// What the transaction needs to know beyond the events.
pub struct Context {
    pub hasher: KeyHasher,
    pub now: Timestamp,
    pub min_cycle_ms: i64,
    /// How many identities may be handed on in memory.
    pub granted: usize,
    pub names: Arc<Names>,
    pub mappings: Arc<Mappings>,
    pub common: Arc<OfTeams>,
    pub datasets: Arc<datasets::OfTeams>,
    pub counters: Arc<counters::OfTeams>,
}

/// Events of one or more teams, in the order in which they arrived.
pub struct Batch<'r> {
    events: Vec<(i64, &'r Prepared)>,
}

/// What the transaction did.
pub struct Stored {
    /// One an event, in order.
    pub outcomes: Vec<Outcome>,
    pub new_events: usize,
    /// Identities whose rows are leased to this process.
    pub handed_on: Vec<Due>,
    /// Whether other identities fell due as well.
    pub spilled: bool,
    /// Words that were given numbers.
    pub new_names: Vec<Name>,
    /// New events of each team.
    pub counts: Vec<(i64, i64)>,
    /// What they showed of their identities.
    pub shown: Vec<Shown>,
    /// The numbers of those events.
    pub numbers: Vec<i64>,
    /// The new events for whose cycle somebody waits.
    pub awaited: Vec<AwaitedEvent>,
}

/// An event for whose cycle somebody waits.
pub struct AwaitedEvent {
    /// Its place in the batch.
    pub index: usize,
    pub identity_id: i64,
    /// How many events its identity has, itself among them.
    pub event_count: i64,
}

/// Team and external id.
pub(super) type IdentityKey<'b> = (i64, &'b str);

impl<'r> Batch<'r> {
    pub fn of(requests: &'r [Request]) -> Self {
        let events =
            requests.iter().flat_map(|request| request.events.iter().map(|event| (request.team_id, event)));
        Self { events: events.collect() }
    }

    /// Stores what is new.
    ///
    /// # Errors
    /// [`StoreError::Retry`] when another transaction touched the same identities or event ids.
    pub fn store(&self, tx: &mut Tx, context: &Context) -> Result<Stored> {
        let mut outcomes = self.known_outcomes(tx, &context.hasher)?;
        let mut tracked = self.load(tx, &outcomes, context)?;
        let (accepted, shown, counted) = self.fold(&mut tracked, &mut outcomes, context);

        let mut granted = context.granted;
        let mut handed_on = Vec::new();
        let mut spilled = false;
        let mut writes = Vec::with_capacity(tracked.len());
        for (key, identity) in &tracked {
            let (evaluate_at, due) = identity.next_cycle(context, &mut granted);
            match due {
                Next::Waits => {}
                Next::HandedOn(at) => handed_on.push((*key, at)),
                Next::Spilled => spilled = true,
            }
            writes.push(identity.write(*key, context, evaluate_at)?);
        }
        let ids = self.save(tx, &tracked, &writes)?;

        let words = Words::number(tx, self.accepted(&accepted), &context.names)?;
        let devices = self.upsert_devices(tx, &accepted, context)?;
        let rows = self.insert_events(tx, &accepted, &ids, &devices, &words, context)?;
        let numbers = rows.values().copied().collect();
        let groups = self.join_groups(tx, &accepted, &ids, &rows, &words, context)?;
        let counts = self.counts(&accepted);
        usage::add(tx, &counts, context.now)?;
        let touched = Touched {
            identities: ids.values().copied().collect(),
            groups: groups.into_values().collect(),
            devices: devices.into_values().collect(),
        };
        changes::insert(tx, &touched, context.now)?;
        counters::add(tx, &counted, &context.counters)?;
        spilled |= link(tx, &tracked, &ids, context)?;

        let awaited = self.awaited(&accepted, &tracked, &ids);
        let handed_on =
            handed_on.into_iter().filter_map(|(key, at)| Some(Due { identity_id: *ids.get(&key)?, at }));
        Ok(Stored {
            handed_on: handed_on.collect(),
            new_events: accepted.len(),
            spilled,
            new_names: words.new,
            counts,
            shown,
            numbers,
            awaited,
            outcomes: outcomes.into_iter().flatten().collect(),
        })
    }

    /// Those of the new events for whose cycle somebody waits.
    fn awaited<'b>(
        &'b self,
        accepted: &[usize],
        tracked: &BTreeMap<IdentityKey<'b>, Identity>,
        ids: &HashMap<IdentityKey<'b>, i64>,
    ) -> Vec<AwaitedEvent> {
        let awaited = accepted.iter().copied().filter(|index| self.events[*index].1.is_awaited);
        let found = awaited.filter_map(|index| {
            let (team, prepared) = &self.events[index];
            let key = (*team, prepared.event.identity.as_ref()?.id.as_str());
            let event_count = i64::try_from(tracked.get(&key)?.state.event_count()).unwrap_or(i64::MAX);
            Some(AwaitedEvent { index, identity_id: *ids.get(&key)?, event_count })
        });
        found.collect()
    }

    /// The outcomes of events whose ids are stored already or stand in this batch before; `None`
    /// for those that are new.
    fn known_outcomes(&self, tx: &mut Tx, hasher: &KeyHasher) -> Result<Vec<Option<Outcome>>> {
        let mut first: HashMap<(i64, &[u8]), Option<String>> = HashMap::new();
        let mut unique = Vec::with_capacity(self.events.len());
        for (team, prepared) in &self.events {
            let key = (*team, prepared.packed_id.as_slice());
            first.entry(key).or_insert_with(|| {
                unique.push((shard(hasher, *team, prepared), key.0, key.1));
                None
            });
        }
        let known = events::find_known(tx, &unique)?;
        let known: HashMap<_, _> =
            known.iter().map(|k| ((k.team_id, k.external_id.as_slice()), &k.fingerprint)).collect();
        let mut seen = HashMap::new();
        let outcomes = self.events.iter().map(|(team, prepared)| {
            let key = (*team, prepared.packed_id.as_slice());
            let stored = |fingerprint: &Option<String>| {
                Some(Outcome::Stored { id: prepared.event.id.clone(), fingerprint: fingerprint.clone() })
            };
            if let Some(fingerprint) = known.get(&key) {
                return stored(fingerprint);
            }
            match seen.get(&key) {
                Some(fingerprint) => stored(fingerprint),
                None => {
                    seen.insert(key, prepared.event.fingerprint.clone());
                    None
                }
            }
        });
        Ok(outcomes.collect())
    }

    /// The identities of the new events as they are stored, or fresh ones.
    fn load(
        &self,
        tx: &mut Tx,
        outcomes: &[Option<Outcome>],
        context: &Context,
    ) -> Result<BTreeMap<IdentityKey<'_>, Identity>> {
        let mut tracked: BTreeMap<IdentityKey, Identity> = BTreeMap::new();
        for ((team, prepared), outcome) in self.events.iter().zip(outcomes) {
            if let (Some(identity), None) = (&prepared.event.identity, outcome) {
                tracked.entry((*team, identity.id.as_str())).or_default();
            }
        }
        let keys: Vec<_> =
            tracked.keys().map(|(team, id)| (context.hasher.shard(*team, &[*id]), *team, *id)).collect();
        let mut rows = identities::load_tracked(tx, &keys)?;
        if tx.is_again() {
            // Whoever is written by every node at once would be changed meanwhile each time.
            marks::hold(tx, &rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
            rows = identities::load_tracked(tx, &keys)?;
        }
        let rows: HashMap<_, _> =
            rows.iter().map(|row| ((row.team_id, row.external_id.as_str()), row)).collect();
        for (key, identity) in &mut tracked {
            if let Some(row) = rows.get(key) {
                *identity = Identity::read(tx, row, &context.mappings)?;
            }
        }
        Ok(tracked)
    }

    /// Folds the new events into their identities; the answer is the positions of those accepted, what they showed, and
    /// what counters count of them.
    fn fold<'b>(
        &'b self,
        tracked: &mut BTreeMap<IdentityKey<'b>, Identity>,
        outcomes: &mut [Option<Outcome>],
        context: &Context,
    ) -> (Vec<usize>, Vec<Shown>, Added) {
        let mut counted = Added::new();
        let mut accepted = Vec::with_capacity(self.events.len());
        let mut shown = Vec::with_capacity(self.events.len());
        for (index, (team, prepared)) in self.events.iter().enumerate() {
            if outcomes[index].is_some() {
                continue;
            }
            let event = &prepared.event;
            let mut identity =
                event.identity.as_ref().and_then(|i| Some((i, tracked.get_mut(&(*team, i.id.as_str()))?)));
            let mapping = context.mappings.of(*team);
            let folded = identity.as_mut().map_or(Ok(()), |(named, identity)| {
                let first_seen_at = identity.state.first_event_at();
                let values = identity.fold(event, &named.data, mapping)?;
                if let Some(commit) = prepared.trace {
                    identity.follow(commit);
                }
                identity.is_awaited |= prepared.is_awaited;
                let (identity_id, times) = (named.id.clone(), (first_seen_at, event.timestamp));
                shown.push(Shown { team_id: *team, identity_id, times, values });
                Ok(())
            });
            outcomes[index] = Some(match folded {
                Ok(()) => {
                    accepted.push(index);
                    if let Some(counters) = context.counters.of(*team) {
                        let of = identity.as_ref().map(|(named, identity)| (named.id.as_str(), &**identity));
                        count(&mut counted, counters, (*team, event, of), context);
                    }
                    Outcome::Stored { id: event.id.clone(), fingerprint: event.fingerprint.clone() }
                }
                Err(error) => Outcome::Refused(vec![error]),
            });
        }
        // An identity all of whose events were refused is as it was before.
        tracked.retain(|_, identity| identity.events > 0);
        (accepted, shown, counted)
    }

    /// Writes the identities; the answer has the row id of each.
    fn save<'b>(
        &'b self,
        tx: &mut Tx,
        tracked: &BTreeMap<IdentityKey<'b>, Identity>,
        writes: &[TrackedWrite],
    ) -> Result<HashMap<IdentityKey<'b>, i64>> {
        let inserted = identities::save_tracked(tx, writes)?;
        let inserted: HashMap<_, _> =
            inserted.iter().map(|(team, external_id, id)| ((*team, external_id.as_str()), *id)).collect();
        tracked
            .iter()
            .map(|(key, identity)| {
                let id = identity.row.map(|(id, _)| id).or_else(|| inserted.get(key).copied());
                Ok((*key, id.ok_or(StoreError::Retry)?))
            })
            .collect()
    }

    fn insert_events(
        &self,
        tx: &mut Tx,
        accepted: &[usize],
        ids: &HashMap<IdentityKey<'_>, i64>,
        devices: &HashMap<(i64, String), i64>,
        words: &Words,
        context: &Context,
    ) -> Result<HashMap<(i64, Vec<u8>), i64>> {
        let rows: Vec<_> = accepted
            .iter()
            .map(|index| {
                let (team, prepared) = &self.events[*index];
                let event = &prepared.event;
                let device = event.fingerprint.as_ref().map(|print| (*team, print.clone()));
                NewEvent {
                    shard: shard(&context.hasher, *team, prepared),
                    team_id: *team,
                    identity_id: identity_row(ids, *team, event),
                    external_id: prepared.packed_id.clone(),
                    timestamp: event.timestamp,
                    received_at: context.now,
                    name_id: words.id(*team, NameKind::Event, &event.name),
                    device_id: device.and_then(|device| devices.get(&device).copied()),
                    session: event.session.as_deref().map(|value| context.hasher.session(value)),
                    detail: prepared.detail.clone(),
                }
            })
            .collect();
        let inserted = events::insert(tx, &rows)?;
        Ok(inserted.into_iter().map(|(team, external_id, id)| ((team, external_id), id)).collect())
    }

    /// How many events each team has sent.
    fn counts(&self, accepted: &[usize]) -> Vec<(i64, i64)> {
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for (team, _) in self.accepted(accepted) {
            *counts.entry(team).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    fn upsert_devices(
        &self,
        tx: &mut Tx,
        accepted: &[usize],
        context: &Context,
    ) -> Result<HashMap<(i64, String), i64>> {
        let mut seen = BTreeMap::<(i64, &str), SeenDevice>::new();
        for (team, event) in self.accepted(accepted) {
            if let Some(fingerprint) = &event.fingerprint {
                let before = seen.get(&(team, fingerprint.as_str()));
                let (first_at, last_at) = before.map_or((event.timestamp, event.timestamp), |before| {
                    (before.first_at.min(event.timestamp), before.last_at.max(event.timestamp))
                });
                let device = SeenDevice {
                    shard: context.hasher.shard(team, &[fingerprint]),
                    team_id: team,
                    fingerprint: fingerprint.clone(),
                    first_at,
                    last_at,
                    ip: event.persons_ip().map(|ip| ip.to_string()),
                    user_agent: event.persons_user_agent().map(str::to_owned),
                };
                seen.insert((team, fingerprint), device);
            }
        }
        let stored = devices::upsert(tx, &seen.into_values().collect::<Vec<_>>())?;
        Ok(stored.into_iter().map(|(team, fingerprint, id)| ((team, fingerprint), id)).collect())
    }

    /// Merges what the events say of groups, makes their identities members and puts the events into
    /// their lists. Answers the groups.
    fn join_groups(
        &self,
        tx: &mut Tx,
        accepted: &[usize],
        ids: &HashMap<IdentityKey<'_>, i64>,
        rows: &HashMap<(i64, Vec<u8>), i64>,
        words: &Words,
        context: &Context,
    ) -> Result<HashMap<(i64, String, String), i64>> {
        let mut merged: BTreeMap<(i64, &str, &str), Map<String, Value>> = BTreeMap::new();
        for (team, event) in self.accepted(accepted) {
            for group in &event.groups {
                merged.entry((team, &group.group_type, &group.id)).or_default();
            }
        }
        if merged.is_empty() {
            return Ok(HashMap::new());
        }
        let shard = |team: i64, kind: &str, id: &str| context.hasher.shard(team, &[kind, id]);
        let keys: Vec<_> =
            merged.keys().map(|(team, kind, id)| (shard(*team, kind, id), *team, *kind, *id)).collect();
        let known = groups::load(tx, &keys)?;
        let known: HashMap<_, _> = known
            .iter()
            .map(|group| {
                ((group.team_id, group.group_type.as_str(), group.external_id.as_str()), &group.data)
            })
            .collect();
        for (key, data) in &mut merged {
            if let Some(known) = known.get(key) {
                *data = parse_object(known)?;
            }
        }
        for (team, event) in self.accepted(accepted) {
            for group in &event.groups {
                if let Some(data) = merged.get_mut(&(team, group.group_type.as_str(), group.id.as_str())) {
                    // Data that would grow too large stays as it was; the event is kept whole.
                    let _ = identity::merge(data, &group.data);
                }
            }
        }
        let merged: Vec<_> = merged
            .into_iter()
            .map(|((team_id, group_type, external_id), data)| KnownGroup {
                shard: shard(team_id, group_type, external_id),
                team_id,
                group_type: group_type.to_owned(),
                external_id: external_id.to_owned(),
                display_name: identity::group_name(&data),
                data: Value::Object(data).to_string(),
            })
            .collect();
        let stored = groups::upsert(tx, &merged, context.now)?;
        let group_ids: HashMap<_, _> =
            stored.into_iter().map(|(team, kind, id, row)| ((team, kind, id), row)).collect();
        let (mut members, mut listed) = (BTreeSet::new(), Vec::new());
        for index in accepted {
            let (team, Prepared { event, packed_id, .. }) = self.events[*index];
            let row = rows.get(&(team, packed_id.clone())).copied();
            for group in &event.groups {
                let key = (team, group.group_type.clone(), group.id.clone());
                let Some(group_id) = group_ids.get(&key).copied() else { continue };
                members.extend(identity_row(ids, team, event).map(|identity| (group_id, identity)));
                let of_type = words.id(team, NameKind::GroupType, &group.group_type).map(|id| -id);
                let lists = of_type.into_iter().chain([group_id]);
                let name = words.id(team, NameKind::Event, &event.name);
                listed.extend(lists.filter_map(|list| Some((list, event.timestamp, row?, name))));
            }
        }
        listed.sort_unstable();
        groups::add_members(tx, &members.into_iter().collect::<Vec<_>>(), context.now)?;
        groups::insert_events(tx, &listed)?;
        Ok(group_ids)
    }

    fn accepted<'b>(&'b self, positions: &'b [usize]) -> impl Iterator<Item = (i64, &'b Event)> {
        positions.iter().map(|index| (self.events[*index].0, &self.events[*index].1.event))
    }
}

/// Notes what counters count of an event, and of its identity as it is with it. What the disregarded do is not counted.
fn count(
    counted: &mut Added,
    counters: &Counters,
    (team, event, of): (i64, &Event, Option<(&str, &Identity)>),
    context: &Context,
) {
    if of.is_some_and(|(_, identity)| identity.disregarded) {
        return;
    }
    let nobody = Identity::default();
    let identity = of.map_or(&nobody, |(_, identity)| identity);
    let (mapping, datasets) = (context.mappings.of(team), context.datasets.of(team));
    let of_team = OfTeam { mapping, datasets, common: context.common.of(team) };
    let subject = identity.subject(event, of.map(|(id, _)| id), of_team);
    counters::count(counted, team, counters, (&subject, &context.hasher), context.now);
}

/// The numbers of the words that events are found by.
struct Words {
    ids: HashMap<(i64, NameKind, String), i64>,
    /// Those that had none before.
    new: Vec<Name>,
}

impl Words {
    fn number<'e>(
        tx: &mut Tx,
        events: impl Iterator<Item = (i64, &'e Event)>,
        names: &Names,
    ) -> Result<Self> {
        let mut ids = HashMap::new();
        let mut new = BTreeSet::new();
        for (team, event) in events {
            let of_groups = event.groups.iter().map(|group| (NameKind::GroupType, group.group_type.as_str()));
            for (kind, word) in of_groups.chain([(NameKind::Event, event.name.as_str())]) {
                match names.find(team, kind, word) {
                    Known::Numbered(id) => _ = ids.insert((team, kind, word.to_owned()), id),
                    Known::New => _ = new.insert((team, kind, word)),
                    Known::TooMany => {}
                }
            }
        }
        let new =
            if new.is_empty() { vec![] } else { names::number(tx, &new.into_iter().collect::<Vec<_>>())? };
        ids.extend(new.iter().map(|name| ((name.team_id, name.kind, name.name.clone()), name.id)));
        Ok(Self { ids, new })
    }

    fn id(&self, team_id: i64, kind: NameKind, name: &str) -> Option<i64> {
        self.ids.get(&(team_id, kind, name.to_owned())).copied()
    }
}

/// Stores the keys of the identities; those who share a key that is new to an identity are marked
/// as changed, which is how they come to be scored again. Answers whether there were any.
fn link(
    tx: &mut Tx,
    tracked: &BTreeMap<IdentityKey<'_>, Identity>,
    ids: &HashMap<IdentityKey<'_>, i64>,
    context: &Context,
) -> Result<bool> {
    let (mut rows, mut dropped, mut common) = (Vec::new(), Vec::new(), HashSet::new());
    for ((team, external_id), identity) in tracked {
        let Some(id) = ids.get(&(*team, *external_id)) else { continue };
        dropped.extend(identity.dropped.iter().map(|key| (HashedKey::new(&context.hasher, *team, key), *id)));
        // Where nobody asks who the others are, the disregarded do not count by not being there.
        let counts = |key: &link::LinkKey| !identity.disregarded || key.kind.names_others();
        for (key, seen_at) in identity.keys.iter().filter(|(key, _)| counts(key)) {
            let hashed = HashedKey::new(&context.hasher, *team, key);
            if context.common.of(*team).contains(key) {
                common.insert(hashed);
            }
            rows.push((hashed, *id, *seen_at));
        }
    }
    rows.sort();
    dropped.sort_unstable();
    if !dropped.is_empty() {
        links::remove(tx, &dropped)?;
    }
    let new = links::insert(tx, &rows)?;
    let kind_of = |key: &HashedKey| KeyKind::from_code(key.kind);
    let is_strong = |key: &HashedKey| kind_of(key).is_some_and(|kind| link::NEWS_KINDS.contains(&kind));
    let is_news = |key: &HashedKey| is_strong(key) && !common.contains(key);
    let keys: BTreeSet<_> = new.iter().map(|(key, _)| *key).filter(is_news).collect();
    let holders = links::newest_holders(tx, &keys.into_iter().collect::<Vec<_>>())?;

    let mut by_key: HashMap<HashedKey, Vec<i64>> = HashMap::new();
    for holder in holders {
        by_key.entry(holder.key).or_default().push(holder.identity_id);
    }
    let own: BTreeSet<i64> = ids.values().copied().collect();
    let told = |(key, holders): (&HashedKey, &Vec<i64>)| {
        kind_of(key).map(|kind| link::rescored(kind, holders, |id| own.contains(&id)))
    };
    let changed: BTreeSet<_> = by_key.iter().filter_map(told).flatten().collect();
    marks::mark_free(tx, &changed.iter().copied().collect::<Vec<_>>(), context.now, context.min_cycle_ms)?;
    Ok(!changed.is_empty())
}

/// Where an event is: with its identity, or else with its device.
fn shard(hasher: &KeyHasher, team_id: i64, prepared: &Prepared) -> i64 {
    let identity = prepared.event.identity.as_ref().map(|identity| identity.id.as_str());
    hasher.shard(team_id, &[identity.or(prepared.event.fingerprint.as_deref()).unwrap_or_default()])
}

fn identity_row(ids: &HashMap<IdentityKey<'_>, i64>, team: i64, event: &Event) -> Option<i64> {
    ids.get(&(team, event.identity.as_ref()?.id.as_str())).copied()
}
