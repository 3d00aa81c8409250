//! Links between identities, and the clusters they make.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use dregs_core::identity::Profile;
use dregs_core::link::OTHERS_MAX;
use dregs_core::link::{self, DELETED_NAME, KeyHasher, KeyKind, LinkKey, Shared, ShownLink};
use dregs_core::mapping::Mapping;
use dregs_core::person;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::ops::directories::Directories;
use crate::ops::ingest::refold;
use crate::ops::long_reads::LongReads;
use crate::store::identities::{self, Identity, Tracked};
use crate::store::links::{self, HashedKey};
use crate::store::{Result, StoreError, Tx, events};

/// Sessions of an identity that are looked at for links.
const SESSIONS_MAX: i64 = 50;
/// Links shown, the strongest.
const LINKS_MAX: usize = 100;
/// Members of a cluster that are looked for: with more, nobody sees anything in it.
pub const CLUSTER_MAX: usize = 50;
/// What a link's value times its confidence must be for it to hold a cluster together: one device that few
/// use, a session, a mailbox, a person in two spellings; not an address, a name or steps alone.
const CLUSTER_LINK_MIN: f64 = 0.4;

/// A link to another identity.
pub struct Link {
    /// Of the row, which may be gone.
    row_id: i64,
    /// `None` when it was deleted.
    pub id: Option<String>,
    pub name: Option<String>,
    pub shown: ShownLink,
    pub since: Timestamp,
}

impl Link {
    fn strength(&self) -> f64 {
        strength(&self.shown)
    }
}

fn strength(shown: &ShownLink) -> f64 {
    shown.value * shown.confidence
}

/// What an identity has in common with others, the strongest first; `None` when there is no such identity.
///
/// # Errors
/// Those of the store.
pub async fn links(
    long_reads: &LongReads,
    kept: &Directories,
    hasher: KeyHasher,
    team_id: i64,
    external_id: String,
) -> Result<Option<Vec<Link>>> {
    let seen = Seen::now(kept, hasher, team_id);
    long_reads
        .read(move |tx| {
            let tracked = identities::tracked(tx, team_id, &external_id)?;
            tracked.map(|tracked| seen.links_of(tx, &tracked)).transpose()
        })
        .await
}

/// Identities that strong links hold together.
pub struct Cluster {
    /// The one that was asked for first, then the nearest.
    pub members: Vec<Identity>,
    pub edges: Vec<Edge>,
    /// False where looking stopped at [`CLUSTER_MAX`] members.
    pub is_whole: bool,
}

/// A link between two members, by their places.
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub shown: ShownLink,
}

/// The cluster around an identity; `None` when there is no such identity.
///
/// # Errors
/// Those of the store.
pub async fn cluster(
    long_reads: &LongReads,
    kept: &Directories,
    hasher: KeyHasher,
    team_id: i64,
    external_id: String,
) -> Result<Option<Cluster>> {
    let seen = Seen::now(kept, hasher, team_id);
    long_reads.read(move |tx| seen.cluster(tx, &external_id)).await
}

/// What links are seen by, beside the rows.
pub(super) struct Seen {
    team_id: i64,
    hasher: KeyHasher,
    /// The keys of devices that are left out.
    disregarded: Arc<HashSet<HashedKey>>,
    /// The keys that most of the team's identities have: they tie nobody to anybody.
    common: HashSet<HashedKey>,
    mapping: Mapping,
}

impl Seen {
    pub(super) fn now(kept: &Directories, hasher: KeyHasher, team_id: i64) -> Self {
        let mapping = kept.mappings.current().of(team_id).clone();
        let common = kept.common.current();
        let common =
            common.values(team_id).map(|value| HashedKey::new(&hasher, team_id, &value.key)).collect();
        Self { team_id, hasher, disregarded: kept.disregarded.keys(), common, mapping }
    }

    fn links_of(&self, tx: &mut Tx, tracked: &Tracked) -> Result<Vec<Link>> {
        let data: Map<String, Value> = serde_json::from_str(&tracked.data).map_err(broken)?;
        let profile = Profile::from_data(&data, &self.mapping);
        let keys = self.keys(tx, &profile, tracked)?;
        let mut others: BTreeMap<(i64, i64), (Shared, Timestamp)> = BTreeMap::new();
        let mut counts: BTreeMap<HashedKey, usize> = BTreeMap::new();
        let holders = links::newest_holders(tx, &keys)?;
        let is_other = |holder: &&links::Holder| holder.identity_id != tracked.id;
        for holder in holders.iter().filter(is_other) {
            *counts.entry(holder.key).or_default() += 1;
        }
        for holder in holders.iter().filter(is_other) {
            let Some(kind) = KeyKind::from_code(holder.key.kind) else { continue };
            let count = counts[&holder.key].min(OTHERS_MAX);
            let new = (Shared { kind, keys: 0, others: count }, holder.first_seen_at);
            let (shared, since) = others.entry((holder.identity_id, holder.key.kind)).or_insert(new);
            shared.keys += 1;
            shared.others = shared.others.min(count);
            *since = (*since).min(holder.first_seen_at);
        }
        // Who has the same device has nearly the same one, too, which says nothing more.
        let same: BTreeSet<_> =
            others.keys().filter(|(_, kind)| *kind == KeyKind::Device as i64).copied().collect();
        others.retain(|(id, kind), _| {
            let is_near = KeyKind::from_code(*kind).is_some_and(|kind| kind.but().is_some());
            !is_near || !same.contains(&(*id, KeyKind::Device as i64))
        });
        self.show(tx, &profile, others)
    }

    /// The keys by which an identity may be linked.
    fn keys(&self, tx: &mut Tx, profile: &Profile, tracked: &Tracked) -> Result<Vec<HashedKey>> {
        let state = refold::decode(tx, tracked.id, &tracked.state)?;
        let hashed = |key: &LinkKey| HashedKey::new(&self.hasher, self.team_id, key);
        let devices = state.devices().iter().map(|seen| link::device_keys(&state, &seen.value));
        // The first of a device's keys is its own.
        let is_left_out = |own: &HashedKey| self.disregarded.contains(own) || self.common.contains(own);
        let counts = |keys: &Vec<HashedKey>| keys.first().is_some_and(|own| !is_left_out(own));
        let devices = devices.map(|keys| keys.map(|key| hashed(&key)).collect()).filter(counts).flatten();
        let addresses = state.addresses().iter().map(|seen| (KeyKind::Ip, link::ip_value(seen.value)));
        let email = (KeyKind::Email, profile.email.as_deref().and_then(person::mailbox));
        let mut keys: BTreeSet<_> = addresses
            .chain([email])
            .filter_map(|(kind, value)| Some(LinkKey { kind, value: value? }))
            .chain(link::profile_keys(profile))
            .chain(state.journey().map(link::journey_key))
            // Of events that are gone, the last session is known.
            .chain(state.session().map(|value| LinkKey { kind: KeyKind::Session, value: value.to_owned() }))
            .map(|key| hashed(&key))
            .chain(devices)
            .collect();
        let sessions = events::sessions(tx, tracked.id, SESSIONS_MAX)?;
        let session = |hash| HashedKey { team_id: self.team_id, kind: KeyKind::Session as i64, hash };
        keys.extend(sessions.into_iter().map(session));
        keys.retain(|key| !self.common.contains(key));
        Ok(keys.into_iter().collect())
    }

    fn show(
        &self,
        tx: &mut Tx,
        own: &Profile,
        others: BTreeMap<(i64, i64), (Shared, Timestamp)>,
    ) -> Result<Vec<Link>> {
        let ids: BTreeSet<_> = others.keys().map(|(id, _)| *id).collect();
        let known: HashMap<_, _> = identities::load(tx, &ids.into_iter().collect::<Vec<_>>())?
            .into_iter()
            .map(|identity| (identity.row_id, identity))
            .collect();
        let profile = |id: &i64| {
            let data = known.get(id).and_then(|known| serde_json::from_str(&known.data).ok());
            data.map_or_else(Profile::default, |data| Profile::from_data(&data, &self.mapping))
        };
        let mut found: Vec<_> = others
            .into_iter()
            .filter_map(|((id, _), (shared, since))| {
                Some((id, link::show(shared, own, &profile(&id))?, since))
            })
            .collect();
        found.sort_by(|(one, a, _), (other, b, _)| strength(b).total_cmp(&strength(a)).then(other.cmp(one)));
        found.truncate(LINKS_MAX);
        let shown = found.into_iter().map(|(row_id, shown, since)| {
            let known = known.get(&row_id);
            let name = match known {
                Some(known) => known.display_name.clone().or_else(|| known.display_email.clone()),
                None => Some(DELETED_NAME.to_owned()),
            };
            Link { row_id, id: known.map(|known| known.id.clone()), name, shown, since }
        });
        Ok(shown.collect())
    }

    /// Goes from link to link, the nearest first. The disregarded hold nobody together.
    pub(super) fn cluster(&self, tx: &mut Tx, external_id: &str) -> Result<Option<Cluster>> {
        let Some(first) = identities::find(tx, self.team_id, external_id)? else { return Ok(None) };
        let mut places = HashMap::from([(first.row_id, 0)]);
        let mut waiting = VecDeque::from([first.id.clone()]);
        let mut cluster = Cluster { members: vec![first], edges: Vec::new(), is_whole: true };
        let mut joined = HashSet::new();
        for from in 0.. {
            let Some(id) = waiting.pop_front() else { break };
            let Some(tracked) = identities::tracked(tx, self.team_id, &id)? else { continue };
            let links = self.links_of(tx, &tracked)?;
            for link in links.into_iter().filter(|link| link.strength() >= CLUSTER_LINK_MIN) {
                let known = places.get(&link.row_id).copied();
                let place = match (known, &link.id) {
                    (Some(place), _) => place,
                    (None, None) => continue,
                    (None, Some(_)) if cluster.members.len() == CLUSTER_MAX => {
                        cluster.is_whole = false;
                        continue;
                    }
                    (None, Some(id)) => {
                        let found = identities::find(tx, self.team_id, id)?;
                        let Some(other) = found.filter(|other| !other.disregarded) else { continue };
                        places.insert(other.row_id, cluster.members.len());
                        waiting.push_back(other.id.clone());
                        cluster.members.push(other);
                        cluster.members.len() - 1
                    }
                };
                if joined.insert((from.min(place), from.max(place), link.shown.link_type.name())) {
                    cluster.edges.push(Edge { from, to: place, shown: link.shown });
                }
            }
        }
        Ok(Some(cluster))
    }
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
