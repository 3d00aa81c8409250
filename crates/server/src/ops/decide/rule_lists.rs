//! What rules put on lists: of whom a badge is given, or an escalation opened, in the transaction of the decision. Taken
//! off again with the last of those for whom it is there, once they turn out to be innocent, or are forgotten.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dregs_core::identity::Profile;
use dregs_core::link::{CURRENT_KEYS_MAX, LinkKey};
use dregs_core::list::{ListType, Trusted};
use dregs_core::person::folded_email;
use dregs_core::rules::{ADDED_VALUES_MAX, Addition, Condition, Owner, Rules, ShownValue, Standing};
use dregs_core::state::IdentityState;
use dregs_core::time::{SECOND_MS, Timestamp};

use crate::limit::{self, Limit};
use crate::ops::decide::decisions::Decided;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::evaluate::rescore;
use crate::ops::identities::holders::{self, By};
use crate::ops::ingest::refold;
use crate::ops::team::lists::{ENTRIES_OF_LIST_MAX, take_off};
use crate::ops::team::rules::OfTeams;
use crate::store::identities::{self, CycleStart};
use crate::store::links::{self, HashedKey};
use crate::store::list_sources::{self, Cause, Source};
use crate::store::lists::{self, Entry, TeamList};
use crate::store::{Result, StoreError, Tx, escalations};

/// Of so many identities of a team, those that are newest, a domain of e-mail addresses is no ordinary one …
const DOMAIN_IDENTITIES: i64 = 200;
/// … where this many of them have theirs there: fewer are an office, a class or a ring, as in `core/src/common/sample.rs`.
const DOMAIN_HOLDERS_MIN: usize = 25;

/// Identities that are looked at for one value: with itself more than make it nobody's own.
const HOLDERS_MAX: i64 = 50;

/// A rule that matched, and what it puts on lists.
struct Taken<'r> {
    rule: &'r str,
    adds: &'r [Addition],
    conditions: &'r [Condition],
    cause: Cause,
}

/// The lists to which decisions may add: by team and slug. None, and nothing is asked of the store, where no rule adds.
pub fn named<'r>(decided: impl Iterator<Item = &'r Decided>, rules: &'r OfTeams) -> BTreeSet<(i64, &'r str)> {
    let mut named = BTreeSet::new();
    for one in decided {
        let rules = rules.of(one.team_id);
        let slugs = one.decision.added.iter().map(|badge| badge.slug.as_str()).collect::<HashSet<_>>();
        let badges = rules.badges.iter().filter(|rule| slugs.contains(rule.slug.as_str()));
        let opened = rules.escalations.iter().filter(|rule| one.decision.opened.contains(&rule.id));
        let adds = badges.flat_map(|rule| &rule.adds_to_lists);
        let adds = adds.chain(opened.flat_map(|rule| &rule.adds_to_lists));
        named.extend(adds.map(|addition| (one.team_id, addition.list.as_str())));
    }
    named
}

/// Puts on lists what the rules of a decision that was written add: those whose badges it gives, and those whose
/// escalations it has `opened`, by rule and number.
///
/// # Errors
/// Those of the store.
pub fn add(tx: &mut Tx, seen: &Seen, decided: &Decided, opened: &[(i64, i64)], now: Timestamp) -> Result<()> {
    let rules = seen.rules.of(decided.team_id);
    let taken = taken(decided, rules, opened);
    if taken.is_empty() {
        return Ok(());
    }
    let Some(start) = identities::load_cycle_starts(tx, &[decided.identity_id])?.pop() else { return Ok(()) };
    if start.disregarded {
        return Ok(());
    }
    let known = Known::read(tx, seen, start, now)?;
    let mut put = BTreeSet::new();
    for taken in taken {
        let renews = !rules.may_follow_from_lists(taken.conditions);
        for addition in taken.adds {
            let Some(list) = lists::by_slug(tx, decided.team_id, &addition.list)? else { continue };
            // It may have become trusted after the rule was made.
            if list.trusted || list.list_type != addition.what {
                continue;
            }
            let mut values = known.values(tx, seen, addition.what, now)?;
            values.retain(|value| !put.contains(&(list.id, value.clone())));
            values.truncate(ADDED_VALUES_MAX.saturating_sub(put.len()));
            put.extend(values.iter().map(|value| (list.id, value.clone())));
            let ends_at = addition.for_seconds.map(|seconds| {
                now.plus_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_MS))
            });
            let (id, cause) = (decided.identity_id, taken.cause.clone());
            Putting { list, taken: &taken, values, ends_at, renews, source: (id, cause) }.put(tx, now)?;
        }
    }
    Ok(())
}

fn taken<'r>(decided: &Decided, rules: &'r Rules, opened: &[(i64, i64)]) -> Vec<Taken<'r>> {
    let mut taken = Vec::new();
    for rule in rules.badges.iter().filter(|rule| !rule.adds_to_lists.is_empty()) {
        if decided.decision.added.iter().any(|badge| badge.slug == rule.slug) {
            let cause = Cause::Badge(rule.slug.clone());
            let (rule, adds, conditions) = (&rule.name, &rule.adds_to_lists, &rule.conditions);
            taken.push(Taken { rule, adds, conditions, cause });
        }
    }
    for rule in rules.escalations.iter().filter(|rule| !rule.adds_to_lists.is_empty()) {
        if let Some((_, id)) = opened.iter().find(|(opened, _)| *opened == rule.id) {
            let cause = Cause::Escalation(*id);
            let (rule, adds, conditions) = (&rule.name, &rule.adds_to_lists, &rule.conditions);
            taken.push(Taken { rule, adds, conditions, cause });
        }
    }
    taken
}

/// Somebody of whom something is to go on lists.
struct Known {
    start: CycleStart,
    state: IdentityState,
    profile: Profile,
    trusted: Trusted,
}

impl Known {
    fn read(tx: &mut Tx, seen: &Seen, start: CycleStart, now: Timestamp) -> Result<Self> {
        let state = refold::decode(tx, start.id, &start.state)?;
        let data = serde_json::from_str(&start.data).map_err(broken)?;
        let profile = Profile::from_data(&data, seen.mappings.of(start.team_id));
        let subject = (start.external_id.as_str(), &state, &profile);
        let trusted = Trusted::of(seen.lists.of(start.team_id), subject, now);
        Ok(Self { start, state, profile, trusted })
    }

    /// What of this type may go on a list: what is its own, the newest first.
    fn values(&self, tx: &mut Tx, seen: &Seen, what: ListType, now: Timestamp) -> Result<Vec<String>> {
        let team_id = self.start.team_id;
        let lists = seen.lists.of(team_id);
        let owner = Owner {
            id: &self.start.external_id,
            state: &self.state,
            profile: &self.profile,
            trusted: &self.trusted,
            lists,
            common: seen.common.of(team_id),
            datasets: seen.datasets.of(team_id),
            now,
        };
        let by = By { mapping: seen.mappings.of(team_id), lists, now };
        let shown = owner.values(what, |key| seen.leaves_out(team_id, &key.value));
        let mut own: Vec<String> = Vec::new();
        for ShownValue { text, key, .. } in shown.into_iter().filter(|value| value.not_own.is_none()) {
            let is_new = own.len() < CURRENT_KEYS_MAX && !own.contains(&text);
            if is_new && !self.is_of_others(tx, seen, (what, &text, key), by)? {
                own.push(text);
            }
        }
        Ok(own)
    }

    /// Whether a value is nobody's own, as others have it.
    fn is_of_others(
        &self,
        tx: &mut Tx,
        seen: &Seen,
        (what, value, key): (ListType, &str, Option<LinkKey>),
        by: By<'_>,
    ) -> Result<bool> {
        let team_id = self.start.team_id;
        if what == ListType::EmailDomain {
            return is_of_many(tx, seen, team_id, value);
        }
        let Some(key) = key else { return Ok(false) };
        let mut holders =
            links::holders_after(tx, HashedKey::new(&seen.hasher, team_id, &key), 0, HOLDERS_MAX)?;
        holders.retain(|id| *id != self.start.id);
        let others = holders::read(tx, &holders, by)?;
        let others: Vec<_> = others.values().filter(|other| other.has(what, value)).collect();
        Ok(holders::not_own(what, &others).is_some())
    }
}

/// Whether many of a team's newest identities have their e-mail address at a domain: its own, or that of a customer.
fn is_of_many(tx: &mut Tx, seen: &Seen, team_id: i64, domain: &str) -> Result<bool> {
    let mut holders = 0;
    for identity in identities::before(tx, team_id, i64::MAX, DOMAIN_IDENTITIES)? {
        let data = serde_json::from_str(&identity.data).map_err(broken)?;
        let email = Profile::from_data(&data, seen.mappings.of(team_id)).email;
        let folded = email.as_deref().map(folded_email);
        let of_email = folded.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        holders += usize::from(of_email == Some(domain));
    }
    Ok(holders >= DOMAIN_HOLDERS_MIN)
}

/// Values that one rule puts on one list.
struct Putting<'t> {
    list: TeamList,
    taken: &'t Taken<'t>,
    values: Vec<String>,
    ends_at: Option<Timestamp>,
    /// Whether it puts in again what has ended, and moves the end of what is there.
    renews: bool,
    source: (i64, Cause),
}

impl Putting<'_> {
    fn put(self, tx: &mut Tx, now: Timestamp) -> Result<()> {
        let key = (self.list.team_id, self.list.id);
        let there = lists::with_values(tx, key, &self.values)?;
        let mut of_rules: BTreeMap<i64, Vec<Source>> = BTreeMap::new();
        let ids: Vec<_> = there.iter().map(|entry| entry.id).collect();
        for source in list_sources::of_entries(tx, key, &ids)? {
            of_rules.entry(source.entry_id).or_default().push(source);
        }
        let mut new: Vec<_> = self.values.clone();
        new.retain(|value| there.iter().all(|entry| entry.value != *value));
        if self.list.entry_count + new.len() as i64 > ENTRIES_OF_LIST_MAX {
            limit::reached(Limit::EntriesOfList);
            new.clear();
        }
        let renewed: Vec<_> = there
            .iter()
            .filter(|entry| self.renews && of_rules.contains_key(&entry.id) && self.is_longer(entry))
            .collect();
        let revision = if new.is_empty() && renewed.is_empty() {
            self.list.revision
        } else {
            let Some(list) = lists::next_revision(tx, key.0, key.1, now)? else { return Ok(()) };
            let written = new.iter().chain(renewed.iter().map(|entry| &entry.value));
            let written: Vec<_> = written.map(|value| self.entry(value, list.revision, now)).collect();
            lists::put_entries(tx, key, &written)?;
            lists::count_entries(tx, key, new.len() as i64)?;
            for entry in &renewed {
                list_sources::keep_up(tx, key, entry.id, (entry.revision, list.revision))?;
            }
            let values: Vec<_> = written.into_iter().map(|entry| entry.value).collect();
            rescore::join_listed(tx, (list.team_id, list.list_type), (list.id, list.revision), &values, now)?;
            list.revision
        };
        let added = lists::with_values(tx, key, &new)?;
        let is_renewed = |entry: &Entry| renewed.iter().any(|other| other.id == entry.id);
        let there = there.iter().filter(|entry| of_rules.contains_key(&entry.id));
        let sources = added.iter().chain(there).map(|entry| Source {
            id: 0,
            team_id: key.0,
            list_id: key.1,
            entry_id: entry.id,
            revision: if is_renewed(entry) { revision } else { entry.revision },
            identity_id: self.source.0,
            cause: self.source.1.clone(),
        });
        list_sources::insert(tx, &sources.collect::<Vec<_>>())
    }

    /// Whether an entry of this rule would count longer than it does.
    fn is_longer(&self, entry: &Entry) -> bool {
        let never = Timestamp::from_millis(i64::MAX);
        entry.author == self.author() && entry.ends_at.unwrap_or(never) < self.ends_at.unwrap_or(never)
    }

    fn author(&self) -> String {
        format!("rule {}", self.taken.rule)
    }

    fn entry(&self, value: &str, revision: i64, now: Timestamp) -> Entry {
        let rule = self.taken.rule;
        let comment = match &self.taken.cause {
            Cause::Badge(slug) => format!("Badge {slug} of the rule “{rule}”"),
            Cause::Escalation(id) => format!("Escalation {id} of the rule “{rule}”"),
        };
        Entry {
            id: 0,
            value: value.to_owned(),
            comment: Some(comment),
            author: self.author(),
            created_at: now,
            ends_at: self.ends_at,
            revision,
        }
    }
}

/// Locks the lists on which rules have put something for an identity, before anything else of it is locked; the answer is
/// for what.
///
/// # Errors
/// Those of the store.
pub fn lock_added(tx: &mut Tx, team_id: i64, identity_id: i64) -> Result<Vec<Source>> {
    let sources = list_sources::of_identity(tx, team_id, identity_id)?;
    let ids: BTreeSet<_> = sources.iter().map(|source| source.list_id).collect();
    let lists: Vec<_> = ids.into_iter().map(|id| lists::get(tx, team_id, id)).collect::<Result<Vec<_>>>()?;
    let slugs = lists.iter().flatten().map(|list| (team_id, list.slug.as_str())).collect();
    lists::lock(tx, &slugs)?;
    Ok(sources)
}

/// Takes off what rules have put on lists for somebody who turned out to be innocent: for all that does not stand any
/// more, the badges that are gone and the escalations that are closed.
///
/// # Errors
/// Those of the store.
pub fn clear(
    tx: &mut Tx,
    team_id: i64,
    identity_id: i64,
    sources: Vec<Source>,
    now: Timestamp,
) -> Result<()> {
    if sources.is_empty() {
        return Ok(());
    }
    let standing = identities::load(tx, &[identity_id])?.pop().and_then(|identity| identity.standing);
    let badges = Standing::decode(standing.as_deref()).map_err(broken)?.badges;
    let open = escalations::active_of(tx, &[identity_id])?;
    let stands = |source: &Source| match &source.cause {
        Cause::Badge(slug) => badges.iter().any(|badge| badge.slug == *slug),
        Cause::Escalation(id) => open.iter().any(|one| one.id == *id),
    };
    take_off_those(tx, team_id, sources, |source| !stands(source), now)
}

/// Takes off what rules have put on lists for a badge that somebody has dismissed.
///
/// # Errors
/// Those of the store.
pub fn dismiss(tx: &mut Tx, team_id: i64, sources: Vec<Source>, slug: &str, now: Timestamp) -> Result<()> {
    let is_it = |source: &Source| matches!(&source.cause, Cause::Badge(badge) if badge == slug);
    take_off_those(tx, team_id, sources, is_it, now)
}

/// Takes off what is there for no other cause than these.
fn take_off_those(
    tx: &mut Tx,
    team_id: i64,
    mut sources: Vec<Source>,
    is_gone: impl Fn(&Source) -> bool,
    now: Timestamp,
) -> Result<()> {
    sources.retain(is_gone);
    for (list, off) in withdraw(tx, team_id, &sources)? {
        take_off(tx, &list, &off, now)?;
    }
    Ok(())
}

/// Takes off what rules have put on lists for somebody who is to be forgotten, so that no value is left; the answer is
/// whether there was anything, and those who share it are to be scored again.
///
/// # Errors
/// Those of the store.
pub fn forget(tx: &mut Tx, team_id: i64, identity_id: i64, now: Timestamp) -> Result<bool> {
    let sources = lock_added(tx, team_id, identity_id)?;
    let mut values = Vec::new();
    for (list, off) in withdraw(tx, team_id, &sources)? {
        let Some(list) = lists::next_revision(tx, team_id, list.id, now)? else { continue };
        let (key, count) = ((team_id, list.id), values.len());
        for id in off {
            values.extend(lists::delete_entry(tx, key, id, list.revision)?.map(|entry| entry.value));
        }
        lists::count_entries(tx, key, -((values.len() - count) as i64))?;
        // What was taken off is spelled out there.
        lists::forget_removals(tx, key, list.revision)?;
    }
    rescore::forget_values(tx, team_id, &values)?;
    Ok(!values.is_empty())
}

/// Removes sources; the answer is the entries that are there for nobody else, by list.
fn withdraw(tx: &mut Tx, team_id: i64, gone: &[Source]) -> Result<Vec<(TeamList, Vec<i64>)>> {
    let mut of_lists: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for source in gone {
        of_lists.entry(source.list_id).or_default().insert(source.entry_id);
    }
    let ids: HashSet<_> = gone.iter().map(|source| source.id).collect();
    let mut left = Vec::new();
    for (list_id, entries) in of_lists {
        let entries: Vec<_> = entries.into_iter().collect();
        // Those that somebody has changed since have none.
        let sources = list_sources::of_entries(tx, (team_id, list_id), &entries)?;
        let is_left = |entry: &i64| {
            let mut all = sources.iter().filter(|source| source.entry_id == *entry).peekable();
            all.peek().is_some() && all.all(|source| ids.contains(&source.id))
        };
        let off: Vec<_> = entries.into_iter().filter(is_left).collect();
        if let Some(list) = lists::get(tx, team_id, list_id)?.filter(|_| !off.is_empty()) {
            left.push((list, off));
        }
    }
    list_sources::delete(tx, &ids.into_iter().collect::<Vec<_>>())?;
    Ok(left)
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
