//! What a rule would have opened, or whom it would have given its badge: the cycles of the past, decided on one after
//! the other as the server would have, by this rule alone.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::agent::KnownAgent;
use dregs_core::badge::Badge;
use dregs_core::counter::Counters;
use dregs_core::list::Lists;
use dregs_core::rules::{BadgeRule, Condition, EscalationRule, Facts, Happened, Rules, Standing, decide};
use dregs_core::score::Scores;
use dregs_core::shard::SHARDS;
use dregs_core::time::{DAY_MS, Timestamp};

use super::history::History;
use crate::ops::apart::apart;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::lists::roster::Rosters;
use crate::ops::long_reads::LongReads;
use crate::ops::team::rules::good_carriers;
use crate::store::analyses::{self, Detail, Past};
use crate::store::identities::{self, Identity};
use crate::store::retention::{self, Kind};
use crate::store::rosters;
use crate::store::{Result, codec};

/// How far back.
const DAYS: i64 = 90;
/// Cycles looked at; where there were more, the period begins later.
const CYCLES_MAX: i64 = 1_000_000;
/// Cycles read at a time.
const PAGE_CYCLES: i64 = 5_000;
/// Identities that are shown.
const SAMPLE_IDENTITIES: usize = 10;

/// What the rule would have done.
pub struct Outcome {
    pub from: Timestamp,
    pub to: Timestamp,
    pub cycles: u64,
    /// Escalations, or badges given, by day (UTC), those without left out.
    pub days: BTreeMap<String, u64>,
    /// Identities that would have had one, or the badge.
    pub identities: usize,
    /// Of those, how many carry a GOOD badge now: they may be innocent.
    pub good: usize,
    /// The newest of all, and of those.
    pub sample: Vec<Identity>,
    pub good_sample: Vec<Identity>,
}

/// Tries a rule on the last 90 days. Disregarded identities have none.
///
/// # Errors
/// Those of the store.
pub async fn run(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    seen: Seen,
    (team_id, rule): (i64, Asked),
    now: Timestamp,
) -> Result<Outcome> {
    let (from, [replay]) = replayed(long_reads, lists, seen, (team_id, [rule]), now).await?;
    let good: HashSet<_> = long_reads.read(move |tx| good_carriers(tx, team_id)).await?;
    let ids = newest_first(&replay.opened);
    let good_ids: Vec<_> = ids.iter().copied().filter(|id| good.contains(id)).collect();
    let shown = |ids: &[i64]| ids.iter().copied().take(SAMPLE_IDENTITIES).collect::<Vec<_>>();
    let (sample, good_sample) = (shown(&ids), shown(&good_ids));
    let (sample, good_sample) = long_reads
        .read(move |tx| Ok((identities::load(tx, &sample)?, identities::load(tx, &good_sample)?)))
        .await?;
    Ok(Outcome {
        from,
        to: now,
        cycles: replay.cycles,
        days: replay.days,
        identities: ids.len(),
        good: good_ids.len(),
        sample,
        good_sample,
    })
}

pub(super) fn newest_first<'i>(ids: impl IntoIterator<Item = &'i i64>) -> Vec<i64> {
    let mut ids: Vec<_> = ids.into_iter().copied().collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids
}

/// Replays the last 90 days for each of these rules by itself; answers from when on, too.
pub(super) async fn replayed<const N: usize>(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    seen: Seen,
    (team_id, rules): (i64, [Asked; N]),
    now: Timestamp,
) -> Result<(Timestamp, [Replay; N])> {
    let first_seen = lists.ask(team_id, rosters::Kind::Identities, |table| {
        let seen = table.counted().map(|(id, _, first_seen_at)| (id, Timestamp::from_millis(first_seen_at)));
        seen.collect::<HashMap<_, _>>()
    });
    let first_seen = Arc::new(first_seen.await?);
    let (mut after, from) = begin(long_reads, team_id, now).await?;
    let asks_events = rules.iter().any(|Asked(rules)| rules.ask_events());
    let team_lists = Arc::clone(seen.lists.of(team_id));
    let mut history = asks_events.then(|| {
        // Each once, though two rules ask for it: else it would count twice.
        let conditions = rules.iter().flat_map(|Asked(rules)| rules.conditions());
        let counters = Counters::new(seen.counters_of(team_id, conditions).cloned().collect());
        History::new(team_id, Arc::new(seen), counters)
    });
    let mut replays =
        rules.map(|rule| Replay::new(rule, from, Arc::clone(&first_seen), Arc::clone(&team_lists)));
    loop {
        let page = long_reads.read(move |tx| analyses::past(tx, after, PAGE_CYCLES)).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        replays = match history.take() {
            None => {
                apart(move || -> Result<_> {
                    let mut steps = replays.iter_mut();
                    steps.try_for_each(|replay| page.iter().try_for_each(|cycle| replay.step(cycle)))?;
                    Ok(replays)
                })
                .await??
            }
            Some(mut told) => {
                let known = Arc::clone(&first_seen);
                let cycles = apart(move || unpacked(page, &known)).await??;
                told.read(long_reads, &cycles).await?;
                let (told, stepped) = apart(move || {
                    cycles
                        .iter()
                        .for_each(|(cycle, detail)| step_told(&mut told, &mut replays, cycle, detail));
                    (told, replays)
                })
                .await?;
                history = Some(told);
                stepped
            }
        };
    }
    let replays = apart(move || replays.map(|replay| replay.finished(now))).await?;
    Ok((from, replays))
}

/// The cycles of these identities with their details, in the order in which they looked at the store.
fn unpacked(page: Vec<Past>, of: &HashMap<i64, Timestamp>) -> Result<Vec<(Past, Detail)>> {
    let cycles = page.into_iter().filter(|cycle| of.contains_key(&cycle.identity_id));
    let unpacked = cycles.map(|cycle| Ok((codec::unpack(&cycle.detail)?, cycle)));
    let unpacked = unpacked.map(|read: Result<(Detail, Past)>| read.map(|(detail, cycle)| (cycle, detail)));
    let mut cycles = unpacked.collect::<Result<Vec<_>>>()?;
    if cycles.iter().all(|(_, detail)| detail.as_of.is_some()) {
        cycles.sort_by_key(|(_, detail)| detail.as_of);
    }
    Ok(cycles)
}

/// Has each rule asked about what a cycle saw.
fn step_told(history: &mut History, replays: &mut [Replay], cycle: &Past, detail: &Detail) {
    history.tell(cycle, detail);
    let is_known = detail.previous_scores.is_some();
    let is_first = replays.iter().all(|replay| !replay.known.contains_key(&cycle.identity_id));
    let since = replays.first().map(|replay| replay.from).filter(|_| is_known && is_first);
    history.asked((cycle.identity_id, detail.linked), since, |events, are_seen| {
        replays.iter_mut().for_each(|replay| replay.step_with(cycle, Some(detail), Some((events, are_seen))));
    });
}

/// The row of the last cycle before the period, and when the period begins: not before what is forgotten ends.
/// Rows grow with time, by the number of shards each.
async fn begin(long_reads: &LongReads, team_id: i64, now: Timestamp) -> Result<(i64, Timestamp)> {
    let wanted = now.plus_millis(-DAYS * DAY_MS);
    let search = move |tx: &mut crate::store::Tx| {
        let forgotten =
            retention::forgotten(tx, team_id)?.into_iter().find(|(kind, _)| *kind == Kind::Analyses);
        let wanted = forgotten.map_or(wanted, |(_, until)| wanted.max(until));
        let last = analyses::last_number(tx)?;
        let least = (last - CYCLES_MAX * SHARDS).max(0);
        let (mut low, mut high) = (least, last);
        while low < high {
            let middle = low + (high - low) / 2;
            match analyses::past(tx, middle, 1)?.first() {
                Some(cycle) if cycle.finished_at < wanted => low = cycle.id,
                _ => high = middle,
            }
        }
        let is_cut = least > 0 && low == least;
        let from =
            if is_cut { analyses::past(tx, low, 1)?.first().map(|cycle| cycle.finished_at) } else { None };
        Ok((low, from.unwrap_or(wanted)))
    };
    long_reads.read(search).await
}

/// A rule that is asked about the past.
pub struct Asked(Rules);

impl From<EscalationRule> for Asked {
    fn from(rule: EscalationRule) -> Self {
        Self(Rules { badges: Vec::new(), escalations: vec![rule] })
    }
}

impl From<BadgeRule> for Asked {
    fn from(rule: BadgeRule) -> Self {
        Self(Rules { badges: vec![rule], escalations: Vec::new() })
    }
}

/// What a rule makes of the past, as far as that was read.
pub(super) struct Replay {
    rules: Rules,
    /// Whether the rule asks for the badges that identities carried; for agents.
    asks_badges: bool,
    asks_agents: bool,
    from: Timestamp,
    first_seen: Arc<HashMap<i64, Timestamp>>,
    /// As they are now.
    lists: Arc<Lists>,
    known: HashMap<i64, Known>,
    pub cycles: u64,
    /// How often it matched, by day (UTC).
    pub days: BTreeMap<String, u64>,
    /// Of whom.
    pub opened: HashSet<i64>,
}

/// An identity on the way.
#[derive(Default)]
struct Known {
    standing: Standing,
    scores: Scores,
    badges: Vec<Badge>,
    agent: Option<KnownAgent>,
    next_at: Option<Timestamp>,
}

impl Replay {
    fn new(
        Asked(rules): Asked,
        from: Timestamp,
        first_seen: Arc<HashMap<i64, Timestamp>>,
        lists: Arc<Lists>,
    ) -> Self {
        let asks_badges = rules.conditions().any(Condition::is_of_badges);
        let asks_agents = rules.conditions().any(Condition::is_of_agents);
        Self {
            asks_badges,
            asks_agents,
            rules,
            from,
            first_seen,
            lists,
            known: HashMap::new(),
            cycles: 0,
            days: BTreeMap::new(),
            opened: HashSet::new(),
        }
    }

    fn step(&mut self, cycle: &Past) -> Result<()> {
        let id = cycle.identity_id;
        if self.first_seen.contains_key(&id) {
            let needs_detail = !self.known.contains_key(&id) || self.asks_badges || self.asks_agents;
            let detail: Option<Detail> =
                if needs_detail { Some(codec::unpack(&cycle.detail)?) } else { None };
            self.step_with(cycle, detail.as_ref(), None);
        }
        Ok(())
    }

    /// The same, where rules ask about events with those.
    fn step_with(&mut self, cycle: &Past, detail: Option<&Detail>, events: Option<(&[Happened], bool)>) {
        let id = cycle.identity_id;
        self.cycles += 1;
        if let Entry::Vacant(new) = self.known.entry(id) {
            // What held before the period was opened before it.
            let before = detail.and_then(|detail| detail.previous_scores);
            new.insert(Known { scores: before.unwrap_or_default(), ..Known::default() });
            if before.is_some() {
                self.decide(id, self.from, None, false);
            }
        }
        self.wait(id, cycle.finished_at);
        if let Some(known) = self.known.get_mut(&id) {
            known.scores = cycle.scores;
            if self.asks_badges {
                known.badges = detail.map(|detail| detail.badges.clone()).unwrap_or_default();
            }
            if self.asks_agents {
                known.agent = detail.and_then(|detail| detail.agent.clone());
            }
        }
        self.decide(id, cycle.finished_at, events, true);
    }

    /// Decides whatever time alone brings before `until`.
    fn wait(&mut self, id: i64, until: Timestamp) {
        while let Some(at) = self.known.get(&id).and_then(|known| known.next_at).filter(|at| *at < until) {
            self.decide(id, at, None, true);
        }
    }

    fn decide(&mut self, id: i64, at: Timestamp, events: Option<(&[Happened], bool)>, counts: bool) {
        let (Some(known), Some(first_seen_at)) = (self.known.get_mut(&id), self.first_seen.get(&id)) else {
            return;
        };
        let facts = Facts {
            scores: &known.scores,
            first_seen_at: *first_seen_at,
            disregarded: false,
            badges: known.badges.clone(),
            agent: known.agent.as_ref(),
            events: events.map(|(events, _)| events),
            lists: Some(&self.lists),
            anew: &[],
            asked_before: events.is_some_and(|(_, are_seen)| are_seen),
        };
        let decision = decide(&known.standing, &facts, &self.rules, at);
        (known.standing, known.next_at) = (decision.after, decision.next_at);
        // Whoever asks for badges opens an escalation: what it finds carried counts for nothing here.
        let takes_hold = match self.rules.escalations.is_empty() {
            true => !decision.added.is_empty(),
            false => !decision.opened.is_empty(),
        };
        if counts && takes_hold {
            *self.days.entry(at.to_string().chars().take(10).collect()).or_default() += 1;
            self.opened.insert(id);
        }
    }

    fn finished(mut self, now: Timestamp) -> Self {
        for id in self.known.keys().copied().collect::<Vec<_>>() {
            self.wait(id, now.plus_millis(1));
        }
        self
    }
}
