//! The ring of an identity: those whom strong links hold together with it, the values of theirs that a list can hold, and
//! whom a ban of each would hit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::event::Event;
use dregs_core::fact::{Fact, OfIdentity, OfTeam, Subject};
use dregs_core::identity::Profile;
use dregs_core::label::Outcome;
use dregs_core::link::{KeyHasher, LinkKey};
use dregs_core::list::{ListType, Lists, Trusted};
use dregs_core::rules::{Condition, Owner, ShownValue};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use super::holders::{self, By, Other};
use super::links::{CLUSTER_MAX, Seen};
use crate::ops::directories::Directories;
use crate::ops::ingest::{common, refold};
use crate::ops::long_reads::LongReads;
use crate::ops::team::{datasets, lists as team_lists, mappings, rules};
use crate::store::identities::{self, Identity};
use crate::store::links::{self, HashedKey};
use crate::store::lists;
use crate::store::{Result, StoreError, Tx, events};

/// Values of one type that are looked at: those that most of the ring have.
pub const VALUES_OF_TYPE_MAX: usize = 50;
/// Identities that are looked at for one value: more than a ring can have, so that somebody outside is always seen.
const HOLDERS_MAX: i64 = CLUSTER_MAX as i64 + 51;
/// Newest events of each member in which cards are looked for.
const EVENTS_MAX: i64 = 50;
/// Fields of events that stand for a card and never are its number; the first is that of the counter "Accounts with one
/// card", which teams are offered.
pub const CARD_FIELDS: [&str; 6] =
    ["cardHash", "card_hash", "cardFingerprint", "card_fingerprint", "card.hash", "card.fingerprint"];

/// A list on which values of a type are banned.
pub struct BanList {
    pub list_type: ListType,
    pub slug: &'static str,
    pub name: &'static str,
    /// The name of the fact by which rules ask for its values.
    fact: &'static str,
}

/// All of them.
pub static BAN_LISTS: [BanList; 6] = [
    list_of(ListType::Device, "banned-devices", "Banned devices", "device"),
    list_of(ListType::Ip, "banned-addresses", "Banned IP addresses", "ip"),
    list_of(ListType::Email, "banned-emails", "Banned e-mail addresses", "email"),
    list_of(ListType::Phone, "banned-phones", "Banned phone numbers", "phone"),
    list_of(ListType::Identity, "banned-identities", "Banned identities", "identity.id"),
    // Or by whichever of `CARD_FIELDS` the ring has.
    list_of(ListType::Text, "banned-cards", "Banned cards", "event.data.cardHash"),
];

const fn list_of(list_type: ListType, slug: &'static str, name: &'static str, fact: &'static str) -> BanList {
    BanList { list_type, slug, name, fact }
}

/// The list on which values of a type are banned, if they can be.
pub fn ban_list(list_type: ListType) -> Option<&'static BanList> {
    BAN_LISTS.iter().find(|list| list.list_type == list_type)
}

/// The ring of an identity.
pub struct Ring {
    /// The one that was asked for, then the nearest.
    pub members: Vec<Identity>,
    /// False where there are more.
    pub is_whole: bool,
    /// By type, then those that most of the ring have.
    pub keys: Vec<Key>,
    /// False where there are more values of a type than are looked at.
    pub keys_are_whole: bool,
    pub lists: Vec<OnList>,
}

/// A value that the ring has and a list can hold.
pub struct Key {
    pub list_type: ListType,
    /// As the list's type spells it.
    pub value: String,
    /// Members of the ring that have it.
    pub inside: usize,
    /// Others that have it, of an IPv6 address its /64; `None` where nobody knows.
    pub outside: Option<usize>,
    /// Whether there are no more of them than that.
    pub outside_is_exact: bool,
    /// Why it cannot be banned, if it cannot.
    pub held_back: Option<String>,
    /// Whether it is on the list of banned ones by now.
    pub is_banned: bool,
}

impl Key {
    /// Whether a ban hits nobody else, as far as is known.
    pub fn hits_nobody_else(&self) -> bool {
        self.held_back.is_none() && self.outside == Some(0) && self.outside_is_exact
    }
}

/// A list for values of the ring.
pub struct OnList {
    pub list: &'static BanList,
    /// `None` where the team has none with this slug yet.
    pub id: Option<i64>,
    /// By which rules ask for its values.
    pub facts: Vec<String>,
    /// The names of rules that are on and ask for it.
    pub rules: Vec<String>,
}

/// Reads the ring of an identity as it is at the moment `now`; `None` when there is no such identity.
///
/// # Errors
/// Those of the store.
pub async fn read(
    long_reads: &LongReads,
    kept: &Directories,
    hasher: KeyHasher,
    (team_id, external_id): (i64, String),
    now: Timestamp,
) -> Result<Option<Ring>> {
    let known = Known::now(kept, hasher, team_id, now);
    long_reads.read(move |tx| known.ring(tx, &external_id)).await
}

/// The names of rules that ask for the list with this slug.
pub fn asked_by(rules: &dregs_core::rules::Rules, slug: &str) -> Vec<String> {
    let asks = |conditions: &[Condition]| {
        conditions.iter().flat_map(Condition::walk).any(|condition| condition.list() == Some(slug))
    };
    let badges = rules.badges.iter().filter(|rule| asks(&rule.conditions)).map(|rule| rule.name.clone());
    let escalations = rules.escalations.iter().filter(|rule| asks(&rule.conditions));
    badges.chain(escalations.map(|rule| rule.name.clone())).collect()
}

/// What a ring is seen by, beside the rows.
struct Known {
    team_id: i64,
    hasher: KeyHasher,
    now: Timestamp,
    links: Seen,
    disregarded: Arc<HashSet<HashedKey>>,
    mappings: Arc<mappings::Mappings>,
    datasets: Arc<datasets::OfTeams>,
    common: Arc<common::OfTeams>,
    lists: Arc<team_lists::OfTeams>,
    rules: Arc<rules::OfTeams>,
}

/// A member of the ring, or somebody who has a key of it.
struct Member {
    row_id: i64,
    id: String,
    state: IdentityState,
    profile: Profile,
    trusted: Trusted,
    disregarded: bool,
    /// Whether people have found that nothing is wrong with it.
    is_good: bool,
}

impl Member {
    /// Why it cannot be banned itself, if it cannot.
    fn held_back(&self) -> Option<String> {
        let why = if self.disregarded { "It is disregarded." } else { "Somebody has labeled it good." };
        (self.disregarded || self.is_good).then(|| why.to_owned())
    }
}

/// A value, while it is looked at.
#[derive(Default)]
struct Candidate {
    /// Places of the members that have it.
    members: BTreeSet<usize>,
    keys: BTreeSet<LinkKey>,
    held_back: Option<String>,
}

/// What a value is, and how it is spelled.
type Spelled = (ListType, String);
type Candidates = BTreeMap<Spelled, Candidate>;

impl Known {
    fn now(kept: &Directories, hasher: KeyHasher, team_id: i64, now: Timestamp) -> Self {
        Self {
            team_id,
            hasher,
            now,
            links: Seen::now(kept, hasher, team_id),
            disregarded: kept.disregarded.keys(),
            mappings: kept.mappings.current(),
            datasets: kept.datasets.current(),
            common: kept.common.current(),
            lists: kept.lists.current(),
            rules: kept.rules.current(),
        }
    }

    fn lists(&self) -> &Lists {
        self.lists.of(self.team_id)
    }

    fn ring(&self, tx: &mut Tx, external_id: &str) -> Result<Option<Ring>> {
        let Some(cluster) = self.links.cluster(tx, external_id)? else { return Ok(None) };
        let rows: Vec<_> = cluster.members.iter().map(|member| member.row_id).collect();
        let members = self.members(tx, &rows)?;
        let mut candidates = self.candidates(&members);
        let facts = self.cards(tx, &members, &mut candidates)?;
        let (candidates, keys_are_whole) = cut(candidates);
        let keys = self.judged(tx, &members, candidates)?;
        let (team_id, rules) = (self.team_id, self.rules.of(self.team_id));
        let there = lists::of_team(tx, team_id)?;
        let on_list = |list: &'static BanList| OnList {
            list,
            id: there.iter().find(|row| row.slug == list.slug).map(|row| row.id),
            facts: match &facts[..] {
                found if list.list_type == ListType::Text && !found.is_empty() => found.to_vec(),
                _ => vec![list.fact.to_owned()],
            },
            rules: asked_by(rules, list.slug),
        };
        let lists = BAN_LISTS.iter().map(on_list).collect();
        Ok(Some(Ring { members: cluster.members, is_whole: cluster.is_whole, keys, keys_are_whole, lists }))
    }

    fn members(&self, tx: &mut Tx, rows: &[i64]) -> Result<Vec<Member>> {
        let described: HashMap<_, _> =
            links::describe(tx, rows)?.into_iter().map(|one| (one.identity_id, one)).collect();
        let mut members = Vec::with_capacity(rows.len());
        for start in identities::load_cycle_starts(tx, rows)? {
            let state = refold::decode(tx, start.id, &start.state)?;
            let data: Map<String, Value> = serde_json::from_str(&start.data).map_err(broken)?;
            let profile = Profile::from_data(&data, self.mappings.of(self.team_id));
            let trusted = Trusted::of(self.lists(), (&start.external_id, &state, &profile), self.now);
            let verdict = described.get(&start.id).and_then(|one| one.verdict);
            members.push(Member {
                row_id: start.id,
                id: start.external_id,
                state,
                profile,
                trusted,
                disregarded: start.disregarded,
                is_good: verdict.is_some_and(|verdict| verdict.outcome == Outcome::Good),
            });
        }
        Ok(members)
    }

    /// What the members show that a list can hold.
    fn candidates(&self, members: &[Member]) -> Candidates {
        let is_disregarded =
            |key: &LinkKey| self.disregarded.contains(&HashedKey::new(&self.hasher, self.team_id, key));
        let mut found = Candidates::new();
        for (place, member) in members.iter().enumerate() {
            let owner = Owner {
                id: &member.id,
                state: &member.state,
                profile: &member.profile,
                trusted: &member.trusted,
                lists: self.lists(),
                common: self.common.of(self.team_id),
                datasets: self.datasets.of(self.team_id),
                now: self.now,
            };
            for list_type in BAN_LISTS.iter().map(|list| list.list_type) {
                for ShownValue { text, key, not_own } in owner.values(list_type, is_disregarded) {
                    let candidate = found.entry((list_type, text)).or_default();
                    candidate.members.insert(place);
                    candidate.keys.extend(key);
                    let not_own = not_own.map(|why| why.to_string());
                    let not_own =
                        not_own.or_else(|| member.held_back().filter(|_| list_type == ListType::Identity));
                    candidate.held_back = candidate.held_back.take().or(not_own);
                }
            }
        }
        found
    }

    /// Adds the cards of the members' newest events; the answer is the facts whose values they are.
    fn cards(&self, tx: &mut Tx, members: &[Member], found: &mut Candidates) -> Result<Vec<String>> {
        let facts = CARD_FIELDS.map(|field| Fact::EventData(field.to_owned()));
        let mut asked = BTreeSet::new();
        for (place, member) in members.iter().enumerate() {
            for newest in events::newest_of_identity(tx, member.row_id, 0, EVENTS_MAX)? {
                for fact in &facts {
                    for text in self.values(member, &newest.event, fact) {
                        let Some(value) = ListType::Text.value(&text) else { continue };
                        asked.insert(fact.to_string());
                        found.entry((ListType::Text, value)).or_default().members.insert(place);
                    }
                }
            }
        }
        Ok(asked.into_iter().collect())
    }

    fn values(&self, member: &Member, event: &Event, fact: &Fact) -> Vec<String> {
        let known = OfIdentity {
            id: None,
            data: &Map::new(),
            profile: &member.profile,
            state: &member.state,
            first_seen_at: None,
            email_since: None,
        };
        let team = OfTeam {
            mapping: self.mappings.of(self.team_id),
            datasets: self.datasets.of(self.team_id),
            common: self.common.of(self.team_id),
        };
        let subject = Subject::new(Some(event), known, team);
        subject.values(fact).iter().map(|value| value.text().into_owned()).collect()
    }

    /// Counts who has each value, and holds back what is nobody's own.
    fn judged(
        &self,
        tx: &mut Tx,
        members: &[Member],
        candidates: Vec<(Spelled, Candidate)>,
    ) -> Result<Vec<Key>> {
        // Whoever people have found good is not of the ring.
        let ring: HashSet<_> =
            members.iter().filter(|member| !member.is_good).map(|member| member.row_id).collect();
        let mut holders = Vec::with_capacity(candidates.len());
        for (_, candidate) in &candidates {
            let mut of_key = Holders { outside: BTreeSet::new(), is_exact: true };
            for key in &candidate.keys {
                let key = HashedKey::new(&self.hasher, self.team_id, key);
                let found = links::holders_after(tx, key, 0, HOLDERS_MAX)?;
                of_key.is_exact &= (found.len() as i64) < HOLDERS_MAX;
                of_key.outside.extend(found.into_iter().filter(|id| !ring.contains(id)));
            }
            holders.push(of_key);
        }
        let outside: BTreeSet<_> = holders.iter().flat_map(|of_key| &of_key.outside).copied().collect();
        let by = By { mapping: self.mappings.of(self.team_id), lists: self.lists(), now: self.now };
        let others = holders::read(tx, &outside.into_iter().collect::<Vec<_>>(), by)?;
        let both = candidates.into_iter().zip(holders);
        Ok(both.map(|(candidate, of_key)| self.judge(members, candidate, of_key, &others)).collect())
    }

    fn judge(
        &self,
        members: &[Member],
        ((list_type, value), candidate): (Spelled, Candidate),
        Holders { outside, is_exact }: Holders,
        others: &HashMap<i64, Other>,
    ) -> Key {
        let outside: Vec<_> = outside.iter().filter_map(|id| others.get(id)).collect();
        let outside: Vec<_> = outside.into_iter().filter(|other| other.has(list_type, &value)).collect();
        let inside = candidate.members.iter().filter(|place| !members[**place].is_good).count();
        let by_others = || holders::not_own(list_type, &outside).map(|why| why.to_string());
        let held_back = candidate.held_back.or_else(by_others);
        let slug = ban_list(list_type).map_or("", |list| list.slug);
        // Who else has a card, no index says.
        let is_known = list_type != ListType::Text;
        Key {
            is_banned: self.lists().has(slug, &value, self.now),
            inside,
            outside: is_known.then_some(outside.len()),
            outside_is_exact: is_known && is_exact,
            list_type,
            value,
            held_back,
        }
    }
}

/// Who else has a value.
struct Holders {
    outside: BTreeSet<i64>,
    is_exact: bool,
}

/// Those of each type that most of the ring have, and whether that is all.
fn cut(candidates: Candidates) -> (Vec<(Spelled, Candidate)>, bool) {
    let mut all: Vec<_> = candidates.into_iter().collect();
    let count = all.len();
    // Stable, so that equal ones stand by value.
    all.sort_by_key(|((list_type, _), candidate)| {
        let place = BAN_LISTS.iter().position(|list| list.list_type == *list_type);
        (place, std::cmp::Reverse(candidate.members.len()))
    });
    let mut of_type: HashMap<ListType, usize> = HashMap::new();
    all.retain(|((list_type, _), _)| {
        let so_far = of_type.entry(*list_type).or_default();
        *so_far += 1;
        *so_far <= VALUES_OF_TYPE_MAX
    });
    let is_whole = all.len() == count;
    (all, is_whole)
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_type_those_are_looked_at_that_most_have() {
        let found = |count: usize| -> Candidates {
            let of_type = |list_type| {
                (0..count).map(move |n| {
                    let members = (0..=n).collect();
                    ((list_type, format!("{n:03}")), Candidate { members, ..Candidate::default() })
                })
            };
            of_type(ListType::Ip).chain(of_type(ListType::Device)).collect()
        };
        let shown = |count| {
            let (all, is_whole) = cut(found(count));
            let values: Vec<_> = all.into_iter().map(|(of, _)| of).collect();
            (values.len(), values[0].clone(), values[values.len() - 1].clone(), is_whole)
        };
        let of = |list_type, value: &str| (list_type, value.to_owned());
        let (device, ip) = (ListType::Device, ListType::Ip);
        assert_eq!(shown(50), (100, of(device, "049"), of(ip, "000"), true));
        assert_eq!(shown(52), (100, of(device, "051"), of(ip, "002"), false));
    }
}
