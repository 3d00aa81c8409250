//! Whom a rule would match now, told before it is made.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::agent::KnownAgent;
use dregs_core::rules::{Condition, Ground, Happened, Slugs, Standing, hold};
use dregs_core::score::Scores;
use dregs_core::time::Timestamp;

use crate::ops::evaluate::evaluation::Seen;
use crate::ops::evaluate::events::ask_newest;
use crate::ops::lists::roster::{Rosters, Table};
use crate::ops::long_reads::LongReads;
use crate::ops::team::rules::good_carriers;
use crate::store::identities::{self, CycleStart, Identity};
use crate::store::rosters::Kind;
use crate::store::{Result, StoreError, Tx, badges};

/// Identities for whom agents act that are read at once.
const AGENTS_PAGE: i64 = 1_000;
/// Identities whose events are read at once.
const EVENTS_PAGE: usize = 200;
/// Identities whose events are looked at: the newest. It takes some seconds.
const LOOKED_AT_MAX: usize = 20_000;
/// Identities of a preview that are shown.
const SAMPLE_IDENTITIES: usize = 10;

/// Whom a rule would match.
pub struct Preview {
    pub matching: usize,
    /// Of those, how many carry a GOOD badge: they may be innocent.
    pub good: usize,
    /// The newest.
    pub sample: Vec<Identity>,
    /// How many were looked at: all, or where events are asked about the newest [`LOOKED_AT_MAX`].
    pub looked_at: usize,
}

/// What of somebody is known without their events: the row, the scores, and when they were first seen.
type Counted = (i64, Scores, Timestamp);

/// Whom these conditions match now, delays apart.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    seen: Seen,
    (team_id, conditions): (i64, Vec<Condition>),
    now: Timestamp,
) -> Result<Preview> {
    let all = || conditions.iter().flat_map(Condition::walk);
    let named: BTreeSet<_> = all().filter_map(Condition::badge).map(str::to_owned).collect();
    let of_agents = conditions.iter().any(Condition::is_of_agents);
    let of_events = conditions.iter().any(Condition::is_of_events);
    let agents = if of_agents { agents(long_reads, team_id).await? } else { HashMap::new() };
    let (carriers, good) = long_reads
        .read(move |tx| {
            let mut carriers = HashMap::new();
            for slug in named {
                let ids: HashSet<_> = badges::carriers(tx, team_id, &slug)?.into_iter().collect();
                carriers.insert(slug, ids);
            }
            Ok((carriers, good_carriers(tx, team_id)?))
        })
        .await?;
    let question = Arc::new(Question { team_id, conditions, seen, carriers, agents, now });
    let counted = move |table: &Table| -> Vec<Counted> {
        table
            .counted()
            .map(|(id, scores, first_seen_at)| (id, scores, Timestamp::from_millis(first_seen_at)))
            .rev()
            .take(if of_events { LOOKED_AT_MAX } else { usize::MAX })
            .collect()
    };
    let (ids, looked_at) = if of_events {
        let asked = lists.ask(team_id, Kind::Identities, counted).await?;
        let mut ids = Vec::new();
        for page in asked.chunks(EVENTS_PAGE) {
            let (page, question) = (page.to_vec(), Arc::clone(&question));
            ids.extend(long_reads.read(move |tx| question.of_events(tx, &page)).await?);
        }
        (ids, asked.len())
    } else {
        let question = Arc::clone(&question);
        let ask = move |table: &Table| {
            let all = counted(table);
            let ids: Vec<_> = all.iter().filter(|one| question.holds(one, None)).map(|one| one.0).collect();
            (ids, all.len())
        };
        lists.ask(team_id, Kind::Identities, ask).await?
    };
    let (matching, good) = (ids.len(), ids.iter().filter(|id| good.contains(id)).count());
    let shown: Vec<_> = ids.into_iter().take(SAMPLE_IDENTITIES).collect();
    let sample = long_reads.read(move |tx| identities::load(tx, &shown)).await?;
    Ok(Preview { matching, good, sample, looked_at })
}

/// Conditions, and what is needed to ask them.
struct Question {
    team_id: i64,
    conditions: Vec<Condition>,
    seen: Seen,
    /// By the badges that are named.
    carriers: HashMap<String, HashSet<i64>>,
    agents: HashMap<i64, KnownAgent>,
    now: Timestamp,
}

impl Question {
    fn holds(&self, (id, scores, first_seen_at): &Counted, event: Option<&Happened>) -> bool {
        let carried = self.carriers.iter().filter(|(_, ids)| ids.contains(id));
        let carried: Slugs = carried.map(|(slug, _)| slug.as_str()).collect();
        let lists = Some((self.seen.lists.of(self.team_id).as_ref(), self.now));
        let ground = Ground { scores, carried: &carried, agent: self.agents.get(id), event, lists };
        hold(&self.conditions, &ground, *first_seen_at, self.now)
    }

    /// Those of whom the conditions hold, by the newest event that these ask about.
    fn of_events(&self, tx: &mut Tx, page: &[Counted]) -> Result<Vec<i64>> {
        let ids: Vec<_> = page.iter().map(|(id, ..)| *id).collect();
        let starts: HashMap<_, _> =
            identities::load_cycle_starts(tx, &ids)?.into_iter().map(|start| (start.id, start)).collect();
        let mut found = Vec::new();
        for one in page {
            if let Some(start) = starts.get(&one.0)
                && self.holds_of_event(tx, one, start)?
            {
                found.push(one.0);
            }
        }
        Ok(found)
    }

    fn holds_of_event(&self, tx: &mut Tx, one: &Counted, start: &CycleStart) -> Result<bool> {
        let ask = |event: Option<&Happened>| event.is_some_and(|event| self.holds(one, Some(event)));
        ask_newest(tx, start, &self.seen, &self.conditions, ask)
    }
}

/// The agents that act for identities, by row id.
async fn agents(long_reads: &LongReads, team_id: i64) -> Result<HashMap<i64, KnownAgent>> {
    let (mut agents, mut after) = (HashMap::new(), 0);
    loop {
        let page = long_reads.read(move |tx| identities::with_agent(tx, team_id, after, AGENTS_PAGE)).await?;
        let Some((last, _)) = page.last() else { return Ok(agents) };
        after = *last;
        for (id, standing) in page {
            let standing =
                Standing::decode(Some(&standing)).map_err(|error| StoreError::Broken(error.to_string()))?;
            agents.extend(standing.agent.map(|agent| (id, agent)));
        }
    }
}
