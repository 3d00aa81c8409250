//! One batch of cycles: read snapshots, score them, commit what they found and cause.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::badge;
use dregs_core::identity::Profile;
use dregs_core::link::{self, KeyHasher, KeyKind, LinkKey};
use dregs_core::notify::message::{EventType, Message};
use dregs_core::person;
use dregs_core::score::{self, Weights};
use dregs_core::snapshot::{OtherIdentity, SharedKey, Snapshot};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;

use crate::app::App;
use crate::clock::{Clock, monotonic};
use crate::failpoint;
use crate::ops::datasets::OfTeams;
use crate::ops::decisions::{self, Asked, Decided, Listeners};
use crate::ops::handoff::Outgoing;
use crate::ops::ingest::EVALUATION_LANE;
use crate::ops::mappings::Mappings;
use crate::ops::messages::EventIds;
use crate::ops::{common, refold, rules};
use crate::store::analyses::{self, Analysis, Detail};
use crate::store::attempts::Trigger;
use crate::store::changes::{self, Touched};
use crate::store::claims::{DELIVERY_LEASE_MS, Due, EVALUATION_LEASE_MS};
use crate::store::deliveries::{self, NewDelivery, Subject};
use crate::store::identities::{self, CycleEnd, CycleStart};
use crate::store::links::{self, Described, HashedKey};
use crate::store::{Result, StoreError, Tx, channels, codec};

/// A finished cycle, ready to be committed.
struct Cycle {
    team_id: i64,
    version: i64,
    analysis: Analysis,
    packed_detail: Vec<u8>,
    decided: Decided,
    message: Arc<Message>,
}

/// Scores the identities with these row ids and hands on what that causes.
///
/// # Errors
/// Those of the store; nothing is written then, and the identities stay due.
pub async fn run(app: &Arc<App>, identity_ids: &[i64]) -> Result<()> {
    let begun = monotonic();
    let ids = identity_ids.to_vec();
    let (hasher, event_ids, clock) = (app.key_hasher, app.event_ids, Arc::clone(&app.clock));
    let (disregarded, mappings) = (app.disregarded.keys(), app.mappings.current());
    let (datasets, weights) = (app.datasets.current(), Arc::clone(&app.weights));
    let common = app.common.current();
    let (rules, rules_seen) = (app.rules.current(), app.rules.current());
    let cycles = app
        .store
        .read(move |tx| {
            let seen = Seen {
                hasher: &hasher,
                disregarded: &disregarded,
                mappings: &mappings,
                datasets: &datasets,
                common: &common,
                rules: &rules,
                weights: &weights,
            };
            read_and_score(tx, &ids, &seen, event_ids, clock.as_ref())
        })
        .await?;
    failpoint::reach("evaluate.read");
    if cycles.is_empty() {
        return Ok(());
    }
    let count = cycles.len() as u64;
    commit(app, cycles, rules_seen).await?;
    metrics::counter!("dregs_cycles_total").increment(count);
    metrics::histogram!("dregs_evaluate_batch_seconds").record(begun.elapsed());
    Ok(())
}

fn read_and_score(
    tx: &mut Tx,
    ids: &[i64],
    seen: &Seen,
    event_ids: EventIds,
    clock: &dyn Clock,
) -> Result<Vec<Cycle>> {
    let started_at = clock.now();
    let mut subjects = Vec::with_capacity(ids.len());
    for start in identities::load_cycle_starts(tx, ids)? {
        subjects.push(Evaluee::read(tx, start, seen)?);
    }
    let others = Others::read(tx, &subjects, seen)?;
    subjects
        .into_iter()
        .map(|subject| {
            let shared = others.shared_with(&subject);
            subject.score(&shared, seen, event_ids, started_at, clock)
        })
        .collect()
}

/// What cycles go by beside the rows.
struct Seen<'a> {
    hasher: &'a KeyHasher,
    /// The keys of devices that are left out.
    disregarded: &'a HashSet<HashedKey>,
    mappings: &'a Mappings,
    datasets: &'a OfTeams,
    common: &'a common::OfTeams,
    rules: &'a rules::OfTeams,
    weights: &'a Weights,
}

/// An identity under evaluation.
struct Evaluee {
    start: CycleStart,
    state: IdentityState,
    profile: Profile,
    keys: Vec<(HashedKey, LinkKey)>,
}

impl Evaluee {
    fn read(tx: &mut Tx, start: CycleStart, seen: &Seen) -> Result<Self> {
        let state = refold::decode(tx, start.id, &start.state)?;
        let data = serde_json::from_str(&start.data).map_err(broken)?;
        let profile = Profile::from_data(&data, seen.mappings.of(start.team_id));
        // Nobody living is found by their e-mail address, but those who were deleted.
        let email = profile.email.as_deref().and_then(person::mailbox);
        let email = email.map(|value| LinkKey { kind: KeyKind::Email, value });
        let left_out = |fingerprint: &str| {
            let key = LinkKey { kind: KeyKind::Device, value: fingerprint.to_owned() };
            seen.disregarded.contains(&HashedKey::new(seen.hasher, start.team_id, &key))
        };
        let common = seen.common.of(start.team_id);
        let keys = link::current_keys(&state, &profile, common, left_out)
            .into_iter()
            .chain(email)
            .map(|key| (HashedKey::new(seen.hasher, start.team_id, &key), key))
            .collect();
        Ok(Self { start, state, profile, keys })
    }

    fn score(
        self,
        shared: &[SharedKey],
        seen: &Seen,
        event_ids: EventIds,
        started_at: Timestamp,
        clock: &dyn Clock,
    ) -> Result<Cycle> {
        let now = self.state.last_event_at().unwrap_or(started_at);
        let team_id = self.start.team_id;
        let known = (seen.mappings.of(team_id), seen.datasets.of(team_id), seen.common.of(team_id));
        let snapshot = Snapshot::new(now, &self.profile, known, &self.state, shared);
        let found = score::analyze(&snapshot, seen.weights);
        let asked = Asked {
            start: &self.start,
            is_of_cycle: true,
            first_event_at: self.state.first_event_at(),
            scores: &found.scores,
            badges: badge::of_analyzers(&found.observations).collect(),
        };
        let decided = Decided::new(asked, seen.rules.of(self.start.team_id), started_at)?;
        let analysis = Analysis {
            identity_id: self.start.id,
            sequence: self.start.sequence + 1,
            started_at,
            finished_at: clock.now(),
            scores: found.scores,
            event_count: i64::try_from(self.state.event_count()).unwrap_or(i64::MAX),
            device_count: self.state.device_count().into(),
            detail: Detail {
                previous_scores: self.start.previous,
                observations: found.observations,
                badges: decided.decision.after.badges.clone(),
            },
        };
        Ok(Cycle {
            team_id: self.start.team_id,
            version: self.start.version,
            packed_detail: codec::pack(&analysis.detail)?,
            decided,
            message: Arc::new(event_ids.scored(&analysis, &self.start.external_id)?),
            analysis,
        })
    }
}

/// Who else has the keys of a batch of identities.
struct Others {
    holders: HashMap<HashedKey, Vec<links::Holder>>,
    described: HashMap<i64, Described>,
    /// Of those who came to a device together with many.
    states: HashMap<i64, IdentityState>,
}

impl Others {
    fn read(tx: &mut Tx, subjects: &[Evaluee], seen: &Seen) -> Result<Self> {
        let keys: BTreeSet<_> =
            subjects.iter().flat_map(|s| s.keys.iter().map(|(hashed, _)| *hashed)).collect();
        let keys: Vec<_> = keys.into_iter().collect();
        let mut holders: HashMap<HashedKey, Vec<links::Holder>> = HashMap::new();
        for holder in links::newest_holders(tx, &keys)? {
            holders.entry(holder.key).or_default().push(holder);
        }
        // Alone with a key is who asks for it; but of an e-mail address only the deleted are holders.
        holders.retain(|key, holders| holders.len() > 1 || key.kind == KeyKind::Email as i64);
        let names = |key: &HashedKey| KeyKind::from_code(key.kind).is_some_and(KeyKind::names_others);
        let named = holders.iter().filter(|(key, _)| names(key)).flat_map(|(_, holders)| holders);
        let ids: BTreeSet<_> = named.map(|holder| holder.identity_id).collect();
        let described = links::describe(tx, &ids.into_iter().collect::<Vec<_>>())?;
        let described = described.into_iter().map(|described| (described.identity_id, described));
        let mut described: HashMap<_, _> = described.collect();
        for (id, profile) in Self::detailed(tx, subjects, &holders, seen)? {
            if let Some(described) = described.get_mut(&id) {
                (described.date_of_birth, described.address) = (profile.date_of_birth, profile.address);
            }
        }
        let mut others = Self { holders, described, states: HashMap::new() };
        let ids: Vec<_> = subjects.iter().flat_map(|subject| others.of_many(subject)).collect();
        let ids: BTreeSet<_> = ids.into_iter().collect();
        // A state that an older version wrote tells nothing until its identity is seen again.
        let states = identities::states(tx, &ids.into_iter().collect::<Vec<_>>())?.into_iter();
        others.states = states.filter_map(|(id, state)| Some((id, IdentityState::decode(&state)?))).collect();
        Ok(others)
    }

    /// Who came to one of the devices of `subject` together with so many that it matters who was at it when.
    fn of_many(&self, subject: &Evaluee) -> Vec<i64> {
        let of_many = subject.keys.iter().filter(|(hashed, key)| {
            let since = [link::held_since(&subject.state, key), subject.state.first_event_at()];
            let came_at = || self.on_key(subject, hashed, key).map(|(holder, _)| holder.first_seen_at);
            since.into_iter().flatten().any(|since| score::may_be_many(key.kind, came_at(), since))
        });
        of_many
            .flat_map(|(hashed, key)| self.on_key(subject, hashed, key))
            .map(|(holder, _)| holder.identity_id)
            .collect()
    }

    /// Who else has a key of `subject`, disregarded identities left out, and what is known of them.
    fn on_key<'a>(
        &'a self,
        subject: &'a Evaluee,
        hashed: &HashedKey,
        key: &'a LinkKey,
    ) -> impl Iterator<Item = (&'a links::Holder, Option<&'a Described>)> {
        let holders = self.holders.get(hashed).into_iter().flatten();
        holders
            .filter(|holder| holder.identity_id != subject.start.id)
            .map(|holder| (holder, self.described.get(&holder.identity_id)))
            .filter(|(_, described)| match described {
                Some(described) => !described.disregarded,
                None => !key.kind.names_others(),
            })
            .take(key.kind.others_max())
    }

    /// The profiles of those with whom somebody's date of birth or address is to be compared.
    fn detailed(
        tx: &mut Tx,
        subjects: &[Evaluee],
        holders: &HashMap<HashedKey, Vec<links::Holder>>,
        seen: &Seen,
    ) -> Result<Vec<(i64, Profile)>> {
        let compared = |kind| matches!(kind, KeyKind::Name | KeyKind::Birth | KeyKind::Home);
        let mut teams: BTreeMap<i64, i64> = BTreeMap::new();
        for subject in subjects.iter().filter(|subject| subject.profile.record().is_some()) {
            for (hashed, _) in subject.keys.iter().filter(|(_, key)| compared(key.kind)) {
                let holders = holders.get(hashed).into_iter().flatten();
                teams.extend(holders.map(|holder| (holder.identity_id, subject.start.team_id)));
            }
        }
        if teams.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = teams.keys().copied().collect();
        let found = identities::load(tx, &ids)?.into_iter().map(|identity| {
            let data = serde_json::from_str(&identity.data).map_err(broken)?;
            Ok((identity.row_id, Profile::from_data(&data, seen.mappings.of(teams[&identity.row_id]))))
        });
        found.collect()
    }

    /// The keys of `subject` that somebody else has too, disregarded identities left out.
    fn shared_with(&self, subject: &Evaluee) -> Vec<SharedKey> {
        let shared = subject.keys.iter().filter_map(|(hashed, key)| {
            let others: Vec<_> = self
                .on_key(subject, hashed, key)
                .map(|(holder, described)| {
                    let state = self.states.get(&holder.identity_id);
                    let mut other = OtherIdentity {
                        first_seen_at: holder.first_seen_at,
                        first_hour: state.and_then(|state| link::first_hour(state, key)),
                        ..OtherIdentity::default()
                    };
                    if let Some(described) = described {
                        (other.id, other.name, other.email) =
                            (described.id.clone(), described.name.clone(), described.email.clone());
                        (other.date_of_birth, other.address) =
                            (described.date_of_birth.clone(), described.address.clone());
                    }
                    other
                })
                .collect();
            let since = link::held_since(&subject.state, key)?;
            (!others.is_empty()).then(|| SharedKey { key: key.clone(), since, others })
        });
        shared.collect()
    }
}

/// Commits the cycles and hands their deliveries on.
async fn commit(app: &Arc<App>, cycles: Vec<Cycle>, rules: Arc<rules::OfTeams>) -> Result<()> {
    let mut grants = Grants::reserve(app, &cycles);
    let context = Context {
        now: app.clock.now(),
        min_cycle_ms: app.min_cycle_ms(),
        granted: grants.left.clone(),
        rules,
        again: app.evaluations.reserve(EVALUATION_LANE, cycles.len()),
    };
    let again = context.again;
    let cycles = Arc::new(cycles);
    let written = Arc::clone(&cycles);
    let committed = app.store.write(move |tx| write(tx, &written, &context)).await;
    failpoint::reach("evaluate.committed");
    let committed = match committed {
        Ok(committed) => committed,
        Err(error) => {
            grants.release_all(app);
            app.evaluations.release(EVALUATION_LANE, again);
            return Err(error);
        }
    };
    app.evaluations.release(EVALUATION_LANE, again - committed.still_due.len());
    for due in committed.still_due {
        app.evaluations.send(due);
    }
    if committed.spilled {
        app.evaluations.spill(EVALUATION_LANE);
    }
    let messages: HashMap<_, _> = cycles.iter().map(|c| (c.subject(), &c.message)).collect();
    for (channel_id, subject, delivery_id, leased) in committed.deliveries {
        match messages.get(&subject) {
            Some(message) if leased => {
                grants.use_one(channel_id);
                app.deliveries.send(Outgoing {
                    delivery_id,
                    channel_id,
                    message: Arc::clone(message),
                    trigger: Trigger::Initial,
                    failures: 0,
                    due_at: None,
                    watcher: None,
                });
            }
            _ => app.deliveries.spill(channel_id),
        }
    }
    for channel_id in committed.told {
        app.deliveries.spill(channel_id);
    }
    grants.release_all(app);
    Ok(())
}

impl Cycle {
    fn subject(&self) -> Subject {
        Subject::Cycle { identity_id: self.analysis.identity_id, sequence: self.analysis.sequence }
    }
}

/// Places reserved for deliveries, by channel.
struct Grants {
    left: BTreeMap<i64, usize>,
}

impl Grants {
    fn reserve(app: &App, cycles: &[Cycle]) -> Self {
        let mut by_team: BTreeMap<i64, usize> = BTreeMap::new();
        for cycle in cycles {
            *by_team.entry(cycle.team_id).or_default() += 1;
        }
        let mut left = BTreeMap::new();
        for (team_id, count) in by_team {
            for channel_id in app.channels.handed_on(team_id, EventType::IdentityScored) {
                left.insert(channel_id, app.deliveries.reserve(channel_id, count));
            }
        }
        Self { left }
    }

    fn use_one(&mut self, channel_id: i64) {
        if let Some(places) = self.left.get_mut(&channel_id) {
            *places = places.saturating_sub(1);
        }
    }

    fn release_all(self, app: &App) {
        for (channel_id, places) in self.left {
            app.deliveries.release(channel_id, places);
        }
    }
}

struct Context {
    now: Timestamp,
    min_cycle_ms: i64,
    /// Places for deliveries, by channel.
    granted: BTreeMap<i64, usize>,
    rules: Arc<rules::OfTeams>,
    /// Places for identities that changed while they were scored.
    again: usize,
}

struct Committed {
    /// Channels that have something else to send.
    told: BTreeSet<i64>,
    /// (channel, subject, delivery, whether it is leased to this process)
    deliveries: Vec<(i64, Subject, i64, bool)>,
    still_due: Vec<Due>,
    spilled: bool,
}

/// The one transaction of a batch.
fn write(tx: &mut Tx, cycles: &[Cycle], context: &Context) -> Result<Committed> {
    let next_at = context.now.plus_millis(context.min_cycle_ms);
    let leased_until = next_at.plus_millis(EVALUATION_LEASE_MS);
    // As many as there are places for are handed on in memory should they still be due.
    let places: BTreeSet<_> = cycles.iter().take(context.again).map(|c| c.analysis.identity_id).collect();
    let listeners = Listeners::read(tx, cycles.iter().map(|c| c.team_id).collect())?;
    let end = |c: &Cycle| {
        Ok(CycleEnd {
            id: c.analysis.identity_id,
            version: c.version,
            sequence: c.analysis.sequence - 1,
            scores: c.analysis.scores,
            finished_at: c.analysis.finished_at,
            events: c.decided.events(&listeners),
            standing: c.decided.standing()?,
            decide_at: c.decided.decision.next_at,
            next_at: if places.contains(&c.analysis.identity_id) { leased_until } else { next_at },
        })
    };
    let ends = cycles.iter().map(end).collect::<Result<Vec<_>>>()?;
    let taken: HashMap<i64, bool> = identities::save_cycles(tx, &ends)?.into_iter().collect();
    let due_again = taken.iter().filter(|(_, due)| **due).map(|(id, _)| *id);
    let (in_memory, in_store): (Vec<_>, Vec<_>) = due_again.partition(|id| places.contains(id));
    let still_due = in_memory.into_iter().map(|identity_id| Due { at: next_at, identity_id }).collect();
    let taken_cycles: Vec<_> =
        cycles.iter().filter(|c| taken.contains_key(&c.analysis.identity_id)).collect();
    let rows: Vec<_> = taken_cycles.iter().map(|c| (&c.analysis, c.packed_detail.as_slice())).collect();
    analyses::insert(tx, &rows)?;
    let touched = Touched { identities: taken.keys().copied().collect(), ..Touched::default() };
    changes::insert(tx, &touched, context.now)?;
    let deliveries = insert_deliveries(tx, &taken_cycles, context)?;
    let decided = taken_cycles.iter().map(|cycle| &cycle.decided);
    let told = decisions::write(tx, decided, &listeners, &context.rules, context.now)?;
    Ok(Committed { told, deliveries, still_due, spilled: !in_store.is_empty() })
}

fn insert_deliveries(
    tx: &mut Tx,
    cycles: &[&Cycle],
    context: &Context,
) -> Result<Vec<(i64, Subject, i64, bool)>> {
    let mut granted = context.granted.clone();
    let teams: BTreeSet<_> = cycles.iter().map(|c| c.team_id).collect();
    let mut rows = Vec::new();
    for team_id in teams {
        for to in channels::subscribers(tx, team_id, EventType::IdentityScored)? {
            for cycle in cycles.iter().filter(|c| c.team_id == team_id) {
                let place = granted.get_mut(&to.channel_id);
                let place = place.filter(|places| to.enabled && !to.by_identity && **places > 0);
                let leased = place.is_some();
                if let Some(places) = place {
                    *places -= 1;
                }
                let lease = if leased { DELIVERY_LEASE_MS } else { 0 };
                rows.push(NewDelivery {
                    channel_id: to.channel_id,
                    event: EventType::IdentityScored,
                    subject: cycle.subject(),
                    about: None,
                    trigger: Trigger::Initial,
                    created_at: cycle.analysis.finished_at,
                    next_attempt_at: context.now.plus_millis(lease),
                    leased,
                    by_identity: to.by_identity,
                });
            }
        }
    }
    let leased: HashMap<_, _> = rows.iter().map(|row| ((row.channel_id, row.subject), row.leased)).collect();
    let inserted = deliveries::insert(tx, &rows)?;
    let with_lease = inserted.into_iter().map(|(channel_id, subject, id)| {
        (channel_id, subject, id, leased.get(&(channel_id, subject)).copied().unwrap_or(false))
    });
    let mut with_lease: Vec<_> = with_lease.collect();
    with_lease.sort_unstable_by_key(|(_, _, id, _)| *id);
    Ok(with_lease)
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
