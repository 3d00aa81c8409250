//! Identities as scoring sees them: read from the store, with who shares what with them, and scored. Nothing is
//! written, so that what a change would do can be told before it is made.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::badge;
use dregs_core::counter::{Counter, Counters};
use dregs_core::event::Event;
use dregs_core::fact::{Linked, OfIdentity, OfTeam, Subject};
use dregs_core::identity::Profile;
use dregs_core::label::Verdict;
use dregs_core::link::{self, KeyHasher, KeyKind, LinkKey};
use dregs_core::list::Trusted;
use dregs_core::notify::filter::ChannelFilter;
use dregs_core::person;
use dregs_core::rules::{Condition, Count, Happened, Kind, Standing, anew, is_asked};
use dregs_core::score;
use dregs_core::snapshot::{OtherIdentity, SharedKey, Snapshot};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::ops::counters;
use crate::ops::decide::decisions::{Asked, Decided};
use crate::ops::decide::labels;
use crate::ops::deliver::endpoints::Asking;
use crate::ops::directories::Directories;
use crate::ops::evaluate::events::{self, AskedEvents};
use crate::ops::ingest::common;
use crate::ops::ingest::refold;
use crate::ops::team::datasets::OfTeams;
use crate::ops::team::mappings::Mappings;
use crate::ops::team::{lists, rules, weights};
use crate::store::events::{self as store_events, Received};
use crate::store::identities::{self, CycleStart};
use crate::store::links::{self, Described, HashedKey};
use crate::store::versions::Versions;
use crate::store::{Result, StoreError, Tx};

/// What cycles go by beside the rows, as it is at one moment.
pub struct Seen {
    /// The numbers of all this. Before a cycle is committed they must be in force, or it goes by what no longer is.
    pub versions: Arc<Versions>,
    pub hasher: KeyHasher,
    /// The keys of devices that are left out.
    disregarded: Arc<HashSet<HashedKey>>,
    pub mappings: Arc<Mappings>,
    pub datasets: Arc<OfTeams>,
    pub common: Arc<common::OfTeams>,
    pub lists: Arc<lists::OfTeams>,
    pub rules: Arc<rules::OfTeams>,
    counters: Arc<counters::OfTeams>,
    channels: Arc<Asking>,
    weights: Arc<weights::OfTeams>,
    /// An identity that is looked at as if it had been changed.
    supposed: Option<Supposed>,
}

/// A change of one identity that has not been made.
#[derive(Clone, Copy)]
pub struct Supposed {
    pub identity_id: i64,
    pub change: Change,
}

/// What would be changed.
#[derive(Clone, Copy)]
pub enum Change {
    Disregarded(bool),
    Labelled(Verdict),
    /// Of a label, beside which this one counts, if any.
    Withdrawn {
        label: i64,
        verdict: Option<Verdict>,
    },
}

impl Seen {
    pub fn now(kept: &Directories, hasher: KeyHasher) -> Self {
        Self {
            versions: Arc::new(kept.versions()),
            hasher,
            disregarded: kept.disregarded.keys(),
            mappings: kept.mappings.current(),
            datasets: kept.datasets.current(),
            common: kept.common.current(),
            lists: kept.lists.current(),
            rules: kept.rules.current(),
            counters: kept.counters.current(),
            channels: kept.channels.asking(),
            weights: kept.weights.current(),
            supposed: None,
        }
    }

    /// What the facts of a team are read with.
    pub fn of_team(&self, team_id: i64) -> OfTeam<'_> {
        OfTeam {
            mapping: self.mappings.of(team_id),
            datasets: self.datasets.of(team_id),
            common: self.common.of(team_id),
        }
    }

    /// What channels of a team ask about events.
    fn channels_of(&self, team_id: i64) -> &[(i64, ChannelFilter)] {
        self.channels.get(&team_id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The conditions of a team's rules, and of its channels that ask about events.
    fn conditions_of(&self, team_id: i64) -> impl Iterator<Item = &Condition> {
        let of_channels = self.channels_of(team_id).iter().flat_map(|(_, filter)| &filter.conditions);
        self.rules.of(team_id).conditions().chain(of_channels)
    }

    /// The counters of a team that conditions ask for and that are ready, each once.
    pub fn counters_of<'c>(
        &self,
        team_id: i64,
        conditions: impl Iterator<Item = &'c Condition>,
    ) -> impl Iterator<Item = &Counter> {
        let slugs: BTreeSet<_> =
            conditions.flat_map(Condition::walk).filter_map(Condition::counter).collect();
        let slugs: Vec<_> = slugs.into_iter().map(str::to_owned).collect();
        let of_team = self.counters.of(team_id).into_iter().flat_map(Counters::iter);
        of_team.filter(move |counter| counter.is_ready && slugs.contains(&counter.slug))
    }

    /// What these counters say of an event.
    ///
    /// # Errors
    /// Those of the store.
    pub fn counted<'c>(
        &self,
        tx: &mut Tx,
        team_id: i64,
        of: impl Iterator<Item = &'c Counter> + Clone,
        subject: &Subject,
    ) -> Result<BTreeMap<String, Count>> {
        let said = counters::values(tx, team_id, of.clone(), (subject, &self.hasher))?;
        let count = |(counter, value): (&Counter, Option<f64>)| {
            Some((counter.slug.clone(), Count { name: counter.name.clone(), value: value? }))
        };
        Ok(of.zip(said).filter_map(count).collect())
    }

    /// Whether a device of a team is left out.
    pub fn leaves_out(&self, team_id: i64, fingerprint: &str) -> bool {
        let key = LinkKey { kind: KeyKind::Device, value: fingerprint.to_owned() };
        self.disregarded.contains(&HashedKey::new(&self.hasher, team_id, &key))
    }

    /// With a device that is left out, or is not.
    #[must_use]
    pub fn supposing_device(mut self, key: HashedKey, disregarded: bool) -> Self {
        let keys = Arc::make_mut(&mut self.disregarded);
        if disregarded {
            keys.insert(key)
        } else {
            keys.remove(&key)
        };
        self
    }

    #[must_use]
    pub fn supposing(self, supposed: Supposed) -> Self {
        Self { supposed: Some(supposed), ..self }
    }
}

/// An identity that has been scored and decided on.
pub struct Scored {
    pub start: CycleStart,
    pub started_at: Timestamp,
    pub found: score::Analysis,
    pub decided: Decided,
    pub event_count: u64,
    pub device_count: u32,
    pub linked: Linked,
    /// The newest row of any event, where rules ask about events.
    pub as_of: Option<i64>,
}

/// Scores the identities with these row ids; one that is gone is left out.
///
/// # Errors
/// Those of the store.
pub fn score(tx: &mut Tx, ids: &[i64], seen: &Seen, started_at: Timestamp) -> Result<Vec<Scored>> {
    let mut subjects = Vec::with_capacity(ids.len());
    for mut start in identities::load_cycle_starts(tx, ids)? {
        if let Some(supposed) = seen.supposed.filter(|supposed| supposed.identity_id == start.id) {
            match supposed.change {
                Change::Disregarded(disregarded) => start.disregarded = disregarded,
                Change::Labelled(verdict) => {
                    start.standing = labels::supposed(tx, &start, verdict, started_at)?
                }
                Change::Withdrawn { label, .. } => start.standing = labels::without(tx, &start, label)?,
            }
        }
        subjects.push(Evaluee::read(tx, start, seen, started_at)?);
    }
    let others = Others::read(tx, &subjects, seen)?;
    subjects
        .into_iter()
        .map(|subject| {
            let shared = others.shared_with(&subject);
            subject.score(&shared, seen, started_at)
        })
        .collect()
}

/// An identity under evaluation.
struct Evaluee {
    start: CycleStart,
    state: IdentityState,
    data: Map<String, Value>,
    profile: Profile,
    trusted: Trusted,
    keys: Vec<(HashedKey, LinkKey)>,
    asked: Option<AskedEvents>,
    /// When its e-mail address was first given, where rules ask.
    email_since: Option<Timestamp>,
    /// What counters said of each of those events.
    counted: Vec<BTreeMap<String, Count>>,
    anew: Vec<Anew>,
}

/// For a rule that asks anew, the newest event that it asks about, and what counters said of that.
struct Anew {
    rule: (Kind, i64),
    received: Received,
    counted: BTreeMap<String, Count>,
}

impl Evaluee {
    fn read(tx: &mut Tx, start: CycleStart, seen: &Seen, now: Timestamp) -> Result<Self> {
        let state = refold::decode(tx, start.id, &start.state)?;
        let data: Map<_, _> = serde_json::from_str(&start.data).map_err(broken)?;
        let asks = seen.conditions_of(start.team_id).any(Condition::is_of_events);
        let before = if asks {
            Standing::decode(start.standing.as_deref()).map_err(broken)?
        } else {
            Standing::default()
        };
        let asked =
            if asks { Some(AskedEvents::read(tx, &start, before.asked, state.event_count())?) } else { None };
        let profile = Profile::from_data(&data, seen.mappings.of(start.team_id));
        // Nobody living is found by their e-mail address, but those who were deleted.
        let email = profile.email.as_deref().and_then(person::mailbox);
        let email = email.map(|value| LinkKey { kind: KeyKind::Email, value });
        let left_out = |fingerprint: &str| seen.leaves_out(start.team_id, fingerprint);
        let subject = (start.external_id.as_str(), &state, &profile);
        let trusted = Trusted::of(seen.lists.of(start.team_id), subject, now);
        let common = trusted.and_common(seen.common.of(start.team_id));
        let keys = link::current_keys(&state, &profile, &common, left_out)
            .into_iter()
            .chain(email.filter(|key| !trusted.has(key)))
            .filter(|_| !trusted.is_identity())
            .map(|key| (HashedKey::new(&seen.hasher, start.team_id, &key), key))
            .collect();
        let conditions = seen.conditions_of(start.team_id);
        let mapping = seen.mappings.of(start.team_id);
        let email_since = events::email_since(tx, &start, (&profile, &state), mapping, conditions)?;
        let (counted, anew) = (Vec::new(), Vec::new());
        let mut evaluee =
            Self { start, state, data, profile, trusted, keys, asked, email_since, counted, anew };
        evaluee.anew = evaluee.ask_anew(tx, &before, seen)?;
        evaluee.counted = match &evaluee.asked {
            Some(asked) => evaluee.ask_counters(tx, asked.events.iter(), seen)?,
            None => Vec::new(),
        };
        Ok(evaluee)
    }

    fn ask_counters<'e>(
        &self,
        tx: &mut Tx,
        events: impl Iterator<Item = &'e Received>,
        seen: &Seen,
    ) -> Result<Vec<BTreeMap<String, Count>>> {
        let team_id = self.start.team_id;
        let counters: Vec<_> = seen.counters_of(team_id, seen.conditions_of(team_id)).collect();
        // What is trusted is counted by for nobody: an office on its list may share what it likes.
        let common = self.trusted.and_common(seen.common.of(team_id));
        let ask = |received: &Received| {
            let subject = self.subject(&received.event, seen);
            let subject = Subject { team: OfTeam { common: &common, ..subject.team }, ..subject };
            seen.counted(tx, team_id, counters.iter().copied(), &subject)
        };
        events.map(ask).collect()
    }

    /// Reads what rules are asked about that ask anew, where that is none of the events that all are asked about.
    fn ask_anew(&self, tx: &mut Tx, before: &Standing, seen: &Seen) -> Result<Vec<Anew>> {
        let Some(asked) = &self.asked else { return Ok(Vec::new()) };
        let asks_about = |conditions: &[Condition], received: &Received| {
            is_asked(conditions, &self.subject(&received.event, seen))
        };
        let rules = anew(before, seen.rules.of(self.start.team_id));
        let rules =
            rules.filter(|(.., conditions)| !asked.events.iter().any(|event| asks_about(conditions, event)));
        let rules: Vec<_> = rules.collect();
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(events::ASKED_MAX).unwrap_or(i64::MAX);
        let known = store_events::newest_of_identity(tx, self.start.id, 0, limit)?;
        let newest = rules.into_iter().filter_map(|(kind, rule, conditions)| {
            Some(((kind, rule), known.iter().rev().find(|event| asks_about(conditions, event))?.clone()))
        });
        let newest: Vec<_> = newest.collect();
        let counted = self.ask_counters(tx, newest.iter().map(|(_, event)| event), seen)?;
        let newest = newest.into_iter().zip(counted);
        Ok(newest.map(|((rule, received), counted)| Anew { rule, received, counted }).collect())
    }

    fn subject<'s>(&'s self, event: &'s Event, seen: &'s Seen) -> Subject<'s> {
        let known = OfIdentity {
            id: Some(&self.start.external_id),
            data: &self.data,
            profile: &self.profile,
            state: &self.state,
            first_seen_at: Some(self.start.first_seen_at),
            email_since: self.email_since,
        };
        Subject::new(Some(event), known, seen.of_team(self.start.team_id))
    }

    fn happened<'s>(
        &'s self,
        received: &'s Received,
        counted: BTreeMap<String, Count>,
        linked: Linked,
        seen: &'s Seen,
    ) -> Happened<'s> {
        let subject = Subject { linked: Some(linked), ..self.subject(&received.event, seen) };
        Happened { subject, received_at: received.received_at, counted }
    }

    fn score(self, shared: &[SharedKey], seen: &Seen, started_at: Timestamp) -> Result<Scored> {
        let now = self.state.last_event_at().unwrap_or(started_at);
        let team_id = self.start.team_id;
        let known = (seen.mappings.of(team_id), seen.datasets.of(team_id), seen.common.of(team_id));
        let snapshot = Snapshot::new(now, &self.profile, known, &self.state, shared).trusting(&self.trusted);
        let found = score::analyze(&snapshot, seen.weights.of(team_id));
        let linked = Linked::of(shared);
        let happened =
            |received, counted: &BTreeMap<_, _>| self.happened(received, counted.clone(), linked, seen);
        let events: Option<Vec<_>> = self.asked.as_ref().map(|asked| {
            asked
                .events
                .iter()
                .zip(&self.counted)
                .map(|(received, counted)| happened(received, counted))
                .collect()
        });
        let anew =
            self.anew.iter().map(|one| (one.rule.0, one.rule.1, happened(&one.received, &one.counted)));
        let anew: Vec<_> = anew.collect();
        let newest = self.asked.as_ref().map_or(0, |asked| asked.newest);
        let asked = Asked {
            start: &self.start,
            is_of_cycle: true,
            scores: &found.scores,
            badges: badge::of_analyzers(&found.observations).collect(),
            agent: self.state.agent(),
            observations: Some(&found.observations),
            events: events.as_deref().map(|events| (events, seen.lists.of(team_id).as_ref(), newest)),
            asked_before: self.asked.as_ref().is_some_and(|asked| asked.are_seen),
            anew: &anew,
        };
        let mut decided = Decided::new(asked, seen.rules.of(team_id), started_at)?;
        let lists = Some((seen.lists.of(team_id).as_ref(), started_at));
        decided.have_heard(seen.channels_of(team_id), events.as_deref().unwrap_or_default(), lists);
        let (event_count, device_count) = (self.state.event_count(), self.state.device_count());
        let as_of = self.asked.map(|asked| asked.as_of);
        Ok(Scored { start: self.start, started_at, found, decided, event_count, device_count, linked, as_of })
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
        if let Some(Supposed { identity_id, change: Change::Disregarded(disregarded) }) = seen.supposed {
            Self::suppose(&mut holders, (identity_id, disregarded), subjects, &seen.hasher);
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
        if let Some(Supposed { identity_id, change }) = seen.supposed
            && let Some(described) = described.get_mut(&identity_id)
        {
            match change {
                Change::Disregarded(disregarded) => described.disregarded = disregarded,
                Change::Labelled(verdict) => described.verdict = Some(verdict),
                Change::Withdrawn { verdict, .. } => described.verdict = verdict,
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

    /// Networks count those who are not disregarded: the supposed one is counted, or not.
    fn suppose(
        holders: &mut HashMap<HashedKey, Vec<links::Holder>>,
        (identity_id, disregarded): (i64, bool),
        subjects: &[Evaluee],
        hasher: &KeyHasher,
    ) {
        for (_, holders) in holders.iter_mut().filter(|(key, _)| key.kind == KeyKind::Network as i64) {
            holders.retain(|holder| holder.identity_id != identity_id);
        }
        let Some(subject) = subjects.iter().find(|subject| subject.start.id == identity_id) else { return };
        if disregarded {
            return;
        }
        for (key, first_seen_at) in networks(hasher, subject.start.team_id, &subject.state) {
            let holders = holders.entry(key).or_default();
            let place = holders.partition_point(|holder| holder.identity_id > identity_id);
            holders.insert(place, links::Holder { key, identity_id, first_seen_at });
        }
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
                        other.verdict = described.verdict;
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

/// The networks an identity has come from, as keys, and since when.
pub fn networks(hasher: &KeyHasher, team_id: i64, state: &IdentityState) -> BTreeMap<HashedKey, Timestamp> {
    state
        .addresses()
        .iter()
        .rev()
        .filter_map(|seen| Some((link::network_value(seen.value)?, seen.first_at)))
        .map(|(value, first_at)| (LinkKey { kind: KeyKind::Network, value }, first_at))
        .map(|(key, first_at)| (HashedKey::new(hasher, team_id, &key), first_at))
        .collect()
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
