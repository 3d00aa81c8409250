//! The past, scored again after what its names or values mean has changed: a little at a time.

use std::sync::Arc;

use dregs_core::dataset;
use dregs_core::identity::Profile;
use dregs_core::link::{self, KeyHasher, KeyKind, LinkKey};
use dregs_core::list::{self, Change, List, ListType};
use dregs_core::notify::message::EventType;
use dregs_core::rules::{self, Standing};
use dregs_core::time::{SECOND_MS, Timestamp};
use dregs_core::words::snake;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::failpoint::{self, Failpoint};
use crate::ops::apart::apart;
use crate::ops::handoff::Evaluations;
use crate::ops::ingest::refold;
use crate::ops::lists::roster::Rosters;
use crate::ops::long_reads::LongReads;
use crate::ops::team::mappings::Directory;
use crate::store::changes::{self, Touched};
use crate::store::identities::{self, Renamed, Walked};
use crate::store::marks;
use crate::store::rosters::Kind;
use crate::store::{Result, Store, StoreError, Tx, channels, settings};

/// What work on the past is called in the settings.
const WORK_PREFIX: &str = "rescore:";
/// And the values of it, where it is about many.
const VALUES_PREFIX: &str = "rescored-values:";
/// Values in one piece of work on the past; of more, everybody is scored again.
const VALUES_MAX: usize = 10_000;
/// Within one piece of work only, where nobody can aim at it.
const HASHER: KeyHasher = KeyHasher::new([0; 16]);
/// Identities looked at in one transaction, so that no other waits long.
const CHUNK_IDENTITIES: i64 = 200;
/// Other nodes go by what was until they have read what is.
const WORK_DELAY_MS: i64 = 2 * SECOND_MS;

/// Of what the meaning has changed, which says whom that concerns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Concern {
    /// Those who have had an event with this name, in lower_snake_case.
    EventType,
    /// Those of whom this is known.
    IdentityField,
    /// Those whose e-mail address is at this domain, or under it.
    EmailDomain,
    /// Those who have come from this network.
    Network,
    /// Those who have shown a value that turned out to be common.
    Common(KeyKind),
    /// Those who show a value of this type that was put on a list of the team's, or taken off it.
    Listed(ListType),
    /// Everybody: rules are asked again, and nobody is scored.
    Rules,
    /// Everybody.
    Weights,
    /// Everybody: a rule asks about the newest event of each.
    NewestEvents,
    /// Those of whom this rule spoke before it was changed.
    Held(rules::Kind, i64),
}

/// Work on the past that is under way.
#[derive(Serialize, Deserialize)]
struct Work {
    team_id: i64,
    concern: Concern,
    value: String,
    /// Not before this.
    from: Timestamp,
    /// The last identity looked at.
    after: i64,
}

impl Work {
    fn put(&self, tx: &mut Tx) -> Result<()> {
        let name = format!("{WORK_PREFIX}{}:{:?}:{}", self.team_id, self.concern, self.value);
        settings::put(tx, &name, &serde_json::to_vec(self).map_err(broken)?)
    }

    /// Has the rules asked for the next few.
    fn ask_rules(&mut self, tx: &mut Tx, name: &str, now: Timestamp) -> Result<()> {
        match identities::ask_rules(tx, self.team_id, self.after, CHUNK_IDENTITIES, now)? {
            Some(last) => self.after = last,
            None => return settings::delete(tx, name),
        }
        self.put(tx)
    }

    /// Where the values are that it is about.
    fn values_name(&self) -> String {
        format!("{VALUES_PREFIX}{}:{}", self.team_id, self.value)
    }

    fn values(&self, tx: &mut Tx) -> Result<Vec<String>> {
        let name = self.values_name();
        // Other work may be called the same and a digit more.
        let kept = settings::with_prefix(tx, &name)?.into_iter().find(|(kept, _)| *kept == name);
        kept.map_or(Ok(Vec::new()), |(_, values)| serde_json::from_slice(&values)).map_err(broken)
    }

    /// The values that it is about, as a list.
    fn listed(&self, tx: &mut Tx) -> Result<Option<List>> {
        let Concern::Listed(list_type) = self.concern else { return Ok(None) };
        Ok(Some(list_of(list_type, self.values(tx)?)))
    }

    fn end(&self, tx: &mut Tx, name: &str) -> Result<()> {
        if matches!(self.concern, Concern::Listed(_)) {
            settings::delete(tx, &self.values_name())?;
        }
        settings::delete(tx, name)
    }
}

/// A list of these values.
fn list_of(list_type: ListType, values: Vec<String>) -> List {
    let mut list = List::new(String::new(), list_type, false);
    let change = |value| Change { value, is_in: true, ends_at: None };
    list.apply(&HASHER, values.into_iter().map(change));
    list
}

/// A change of what something means: what it is about, and its value.
struct About<'a> {
    concern: Concern,
    value: &'a str,
    listed: Option<&'a List>,
}

impl About<'_> {
    fn concerns(&self, tx: &mut Tx, identity: &Walked, known: &Known) -> Result<bool> {
        Ok(match self.concern {
            Concern::Listed(list_type) => {
                let state = refold::decode(tx, identity.id, &identity.state)?;
                let shown = list::shown(list_type, &identity.external_id, &state, &known.profile);
                let is_listed = |value: &String| {
                    self.listed.is_some_and(|list| list.find(&HASHER, value, Timestamp::default()).is_some())
                };
                shown.iter().any(is_listed)
            }
            Concern::Rules => false,
            Concern::Weights | Concern::NewestEvents => true,
            Concern::Held(kind, rule) => {
                let standing = identities::standings(tx, &[identity.id])?.pop();
                let standing = Standing::decode(standing.map(|(_, standing)| standing).as_deref());
                standing.map_err(broken)?.rules.iter().any(|held| (held.kind, held.rule) == (kind, rule))
            }
            Concern::IdentityField => known.data.keys().any(|key| snake(key) == self.value),
            Concern::EventType => {
                let state = refold::decode(tx, identity.id, &identity.state)?;
                state.names().iter().any(|name| snake(&name.value) == self.value)
            }
            Concern::Network => {
                let state = refold::decode(tx, identity.id, &identity.state)?;
                let addresses = state.addresses().iter().map(|seen| seen.value);
                let systems = state.places().iter().filter_map(|seen| seen.value.asn);
                dataset::is_within(addresses, systems, self.value)
            }
            Concern::Common(kind) => {
                let state = refold::decode(tx, identity.id, &identity.state)?;
                link::has_shown(&state, &known.profile, &LinkKey { kind, value: self.value.to_owned() })
            }
            Concern::EmailDomain => {
                known.profile.email.as_deref().is_some_and(|email| dataset::is_at(email, self.value))
            }
        })
    }
}

/// How many changes have not been carried through the past.
///
/// # Errors
/// Those of the store.
pub fn under_way(tx: &mut Tx) -> Result<usize> {
    Ok(settings::with_prefix(tx, WORK_PREFIX)?.len())
}

struct Known {
    data: Map<String, Value>,
    profile: Profile,
}

/// Has everybody whom a change concerns scored again, from a little after `now` on.
pub fn begin(tx: &mut Tx, team_id: i64, concern: Concern, value: &str, now: Timestamp) -> Result<()> {
    let from = now.plus_millis(WORK_DELAY_MS);
    Work { team_id, concern, value: value.to_owned(), from, after: 0 }.put(tx)
}

/// Has everybody scored again who shows one of these values, which were put on a list or taken off it, from a little
/// after `now` on; of many values everybody. `change` tells this change of the list from others.
pub fn begin_listed(
    tx: &mut Tx,
    (team_id, list_type): (i64, ListType),
    change: &str,
    values: &[String],
    now: Timestamp,
) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let is_many = values.len() > VALUES_MAX;
    let concern = if is_many { Concern::Weights } else { Concern::Listed(list_type) };
    let from = now.plus_millis(WORK_DELAY_MS);
    let work = Work { team_id, concern, value: format!("list-{change}"), from, after: 0 };
    if !is_many {
        settings::put(tx, &work.values_name(), &serde_json::to_vec(values).map_err(broken)?)?;
    }
    work.put(tx)
}

/// The same for values that a rule puts on a list, which come one by one: they join those whose work has not begun, so
/// that of one list no more than two walks are to be made, however many come.
pub fn join_listed(
    tx: &mut Tx,
    of: (i64, ListType),
    (list_id, revision): (i64, i64),
    values: &[String],
    now: Timestamp,
) -> Result<()> {
    let (team_id, list_type) = of;
    let concern = Concern::Listed(list_type);
    let prefix = format!("{WORK_PREFIX}{team_id}:{concern:?}:list-{list_id}-rules-");
    for (name, kept) in settings::with_prefix(tx, &prefix)? {
        let work: Work = serde_json::from_slice(&kept).map_err(broken)?;
        if work.after > 0 || !settings::lock_free(tx, &name, &kept)? {
            continue;
        }
        let mut all = work.values(tx)?;
        all.extend(values.iter().cloned());
        if all.len() <= VALUES_MAX {
            return settings::put(tx, &work.values_name(), &serde_json::to_vec(&all).map_err(broken)?);
        }
    }
    begin_listed(tx, of, &format!("{list_id}-rules-{revision}"), values, now)
}

/// Takes values that are to be forgotten out of what is to be done for a team.
pub fn forget_values(tx: &mut Tx, team_id: i64, values: &[String]) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    for (name, kept) in settings::with_prefix(tx, &format!("{VALUES_PREFIX}{team_id}:"))? {
        let mut all: Vec<String> = serde_json::from_slice(&kept).map_err(broken)?;
        let count = all.len();
        all.retain(|value| !values.contains(value));
        if all.len() < count {
            settings::put(tx, &name, &serde_json::to_vec(&all).map_err(broken)?)?;
        }
    }
    Ok(())
}

/// Identities that are looked at to count those whom a change concerns: the newest. It takes a second or so.
const COUNTED_MAX: u64 = 20_000;

/// A change that may come.
struct Asked {
    concern: Concern,
    value: String,
    listed: Option<List>,
}

/// Whom a change concerns.
struct Count {
    /// Of those looked at.
    identities: u64,
    /// The newest.
    looked_at: u64,
}

async fn count(
    long_reads: &LongReads,
    mappings: &Directory,
    team_id: i64,
    asked: &Arc<Asked>,
) -> Result<Count> {
    let mut count = Count { identities: 0, looked_at: 0 };
    let mut before = i64::MAX;
    while count.looked_at < COUNTED_MAX {
        let (mappings, asked) = (mappings.current(), Arc::clone(asked));
        let chunk = long_reads
            .read(move |tx| {
                let walked = identities::before(tx, team_id, before, CHUNK_IDENTITIES)?;
                let (last, looked_at) = (walked.last().map(|last| last.id), walked.len() as u64);
                let (value, listed) = (asked.value.as_str(), asked.listed.as_ref());
                let about = About { concern: asked.concern, value, listed };
                let mut concerned = 0;
                for identity in walked {
                    let data: Map<String, Value> = serde_json::from_str(&identity.data).map_err(broken)?;
                    let profile = Profile::from_data(&data, mappings.of(team_id));
                    concerned += u64::from(about.concerns(tx, &identity, &Known { data, profile })?);
                }
                Ok((last, looked_at, concerned))
            })
            .await?;
        let (Some(last), looked_at, concerned) = chunk else { break };
        count.identities += concerned;
        count.looked_at += looked_at;
        before = last;
    }
    Ok(count)
}

/// Whom a change would concern, and whom that is told.
pub struct Concerned {
    /// Identities that would be scored again, of those looked at.
    pub identities: u64,
    /// The newest.
    pub looked_at: u64,
    /// All there are.
    pub total: u64,
    /// Slugs of channels that would be sent a score of each of them.
    pub channels: Vec<String>,
}

/// Counts those whom a change would concern, beside all there are.
///
/// # Errors
/// Those of the store.
pub async fn concerned(
    long_reads: &LongReads,
    mappings: &Directory,
    lists: &Arc<Rosters>,
    team_id: i64,
    (concern, value): (Concern, String),
) -> Result<Concerned> {
    let asked = Asked { concern, value, listed: None };
    concerned_by(long_reads, mappings, lists, team_id, asked).await
}

/// Counts those who show one of these values, which would be put on a list or taken off it, beside all there are: those
/// whom [`begin_listed`] has scored again.
///
/// # Errors
/// Those of the store.
pub async fn concerned_listed(
    long_reads: &LongReads,
    mappings: &Directory,
    lists: &Arc<Rosters>,
    (team_id, list_type): (i64, ListType),
    values: Vec<String>,
) -> Result<Concerned> {
    let is_many = values.len() > VALUES_MAX;
    let concern = if is_many { Concern::Weights } else { Concern::Listed(list_type) };
    let listed = if is_many { None } else { Some(apart(move || list_of(list_type, values)).await?) };
    let asked = Asked { concern, value: String::new(), listed };
    concerned_by(long_reads, mappings, lists, team_id, asked).await
}

async fn concerned_by(
    long_reads: &LongReads,
    mappings: &Directory,
    lists: &Arc<Rosters>,
    team_id: i64,
    asked: Asked,
) -> Result<Concerned> {
    let Count { identities, looked_at } = count(long_reads, mappings, team_id, &Arc::new(asked)).await?;
    let total = lists.ask(team_id, Kind::Identities, |table| table.len() as u64).await?;
    let scored = move |tx: &mut Tx| channels::subscribers(tx, team_id, EventType::IdentityScored);
    let channels = long_reads.read(scored).await?.into_iter().filter(|channel| channel.enabled);
    let channels = channels.map(|channel| channel.slug).collect();
    Ok(Concerned { identities, looked_at, total: total.max(looked_at), channels })
}

/// Does a piece of what there is to do; `false` when there is nothing.
///
/// # Errors
/// Those of the store.
pub async fn work(
    store: &Store,
    mappings: &Directory,
    evaluations: &Evaluations,
    now: Timestamp,
) -> Result<bool> {
    for (name, value) in store.read(|tx| settings::with_prefix(tx, WORK_PREFIX)).await? {
        let work: Work = serde_json::from_slice(&value).map_err(broken)?;
        if work.from <= now {
            go_on(store, mappings, evaluations, (name, value), now).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Does the next piece of the work that was read as `value`. Nothing, where it has begun anew meanwhile or another
/// node has gone on with it.
///
/// # Errors
/// Those of the store.
pub async fn go_on(
    store: &Store,
    mappings: &Directory,
    evaluations: &Evaluations,
    (name, value): (String, Vec<u8>),
    now: Timestamp,
) -> Result<()> {
    let (min_cycle_ms, mappings) = (evaluations.min_cycle_ms, mappings.current());
    store
        .write(move |tx| {
            if !settings::lock(tx, &name, &value)? {
                return Ok(());
            }
            let mut work: Work = serde_json::from_slice(&value).map_err(broken)?;
            if matches!(work.concern, Concern::Rules) {
                return work.ask_rules(tx, &name, now);
            }
            let walked = identities::after(tx, work.team_id, work.after, CHUNK_IDENTITIES)?;
            let Some(last) = walked.last() else { return work.end(tx, &name) };
            work.after = last.id;
            let listed = work.listed(tx)?;
            let mut concerned = Vec::new();
            for identity in walked {
                let data: Map<String, Value> = serde_json::from_str(&identity.data).map_err(broken)?;
                let profile = Profile::from_data(&data, mappings.of(work.team_id));
                let known = Known { data, profile };
                let about = About { concern: work.concern, value: &work.value, listed: listed.as_ref() };
                if about.concerns(tx, &identity, &known)? {
                    let Profile { name, email, username, .. } = known.profile;
                    let (id, version) = (identity.id, identity.version);
                    concerned.push(Renamed { id, version, name, email, username });
                }
            }
            identities::rename(tx, &concerned)?;
            let ids: Vec<_> = concerned.iter().map(|identity| identity.id).collect();
            marks::mark_dirty(tx, &ids, now, min_cycle_ms)?;
            let touched = Touched { identities: ids.into_iter().collect(), ..Touched::default() };
            changes::insert(tx, &touched, now)?;
            work.put(tx)
        })
        .await?;
    failpoint::reach(Failpoint::RescoreStepped);
    evaluations.spill();
    Ok(())
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
