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
/// Identities whose labels are read at once.
const LABELS_PAGE: usize = 1_000;
/// How the label of an identity begins in its standing.
const LABEL: &str = "\"label\":{";
/// Identities of a preview that are shown.
const SAMPLE_IDENTITIES: usize = 10;

/// What a rule would say, and of whom that holds.
pub struct Previewed {
    pub team_id: i64,
    pub conditions: Vec<Condition>,
    /// Whether it speaks against somebody, as an escalation and a BAD badge do: then a GOOD label settles it.
    pub accuses: bool,
}

/// Whom a rule would match.
pub struct Preview {
    /// Those of whom it would speak.
    pub matching: usize,
    /// How many more meet its conditions, and are disregarded or have a label that settles them.
    pub settled: usize,
    /// Of those, how many carry a GOOD badge: they may be innocent.
    pub good: usize,
    /// The newest.
    pub sample: Vec<Identity>,
    /// How many were looked at: all, or where events are asked about the newest [`LOOKED_AT_MAX`].
    pub looked_at: usize,
}

/// What of somebody is known without their events: the row, the scores, when they were first seen, and whether they are
/// disregarded.
type Counted = (i64, Scores, Timestamp, bool);

/// Somebody who meets the conditions, and whether people have settled it.
type Met = (i64, bool);

/// Whom these conditions match now, delays apart.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    seen: Seen,
    previewed: Previewed,
    now: Timestamp,
) -> Result<Preview> {
    let Previewed { team_id, conditions, accuses } = previewed;
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
    let question = Arc::new(Question { team_id, conditions, accuses, seen, carriers, agents, now });
    let counted = move |table: &Table| -> Vec<Counted> {
        table
            .all()
            .map(|((id, scores, first_seen_at), is_disregarded)| {
                (id, scores, Timestamp::from_millis(first_seen_at), is_disregarded)
            })
            .rev()
            .take(if of_events { LOOKED_AT_MAX } else { usize::MAX })
            .collect()
    };
    let (met, looked_at) = if of_events {
        let asked = lists.ask(team_id, Kind::Identities, counted).await?;
        let mut met = Vec::new();
        for page in asked.chunks(EVENTS_PAGE) {
            let (page, question) = (page.to_vec(), Arc::clone(&question));
            met.extend(long_reads.read(move |tx| question.of_events(tx, &page)).await?);
        }
        (met, asked.len())
    } else {
        let asking = Arc::clone(&question);
        let ask = move |table: &Table| {
            let all = counted(table);
            let met = all.iter().filter(|one| asking.holds(one, None)).map(|one| (one.0, one.3));
            (met.collect::<Vec<_>>(), all.len())
        };
        let (mut met, looked_at) = lists.ask(team_id, Kind::Identities, ask).await?;
        for start in (0..met.len()).step_by(LABELS_PAGE) {
            let page = start..met.len().min(start + LABELS_PAGE);
            let (of_page, question) = (met[page.clone()].to_vec(), Arc::clone(&question));
            met.splice(page, long_reads.read(move |tx| question.settle(tx, of_page)).await?);
        }
        (met, looked_at)
    };
    let ids: Vec<_> = met.iter().filter(|(_, is_settled)| !is_settled).map(|(id, _)| *id).collect();
    let (matching, settled) = (ids.len(), met.len() - ids.len());
    let good = ids.iter().filter(|id| good.contains(id)).count();
    let shown: Vec<_> = ids.into_iter().take(SAMPLE_IDENTITIES).collect();
    let sample = long_reads.read(move |tx| identities::load(tx, &shown)).await?;
    Ok(Preview { matching, settled, good, sample, looked_at })
}

/// Conditions, and what is needed to ask them.
struct Question {
    team_id: i64,
    conditions: Vec<Condition>,
    accuses: bool,
    seen: Seen,
    /// By the badges that are named.
    carriers: HashMap<String, HashSet<i64>>,
    agents: HashMap<i64, KnownAgent>,
    now: Timestamp,
}

impl Question {
    fn holds(&self, (id, scores, first_seen_at, _): &Counted, event: Option<&Happened>) -> bool {
        let carried = self.carriers.iter().filter(|(_, ids)| ids.contains(id));
        let carried: Slugs = carried.map(|(slug, _)| slug.as_str()).collect();
        let lists = Some((self.seen.lists.of(self.team_id).as_ref(), self.now));
        let ground = Ground { scores, carried: &carried, agent: self.agents.get(id), event, lists };
        hold(&self.conditions, &ground, *first_seen_at, self.now)
    }

    /// Says of those who meet the conditions who has a label that settles them.
    fn settle(&self, tx: &mut Tx, mut met: Vec<Met>) -> Result<Vec<Met>> {
        if !self.accuses {
            return Ok(met);
        }
        let ids: Vec<_> = met.iter().filter(|(_, is_settled)| !is_settled).map(|(id, _)| *id).collect();
        let mut settled = HashSet::new();
        // Most have no label, and theirs need not be decoded.
        for (id, standing) in identities::standings(tx, &ids)? {
            if standing.contains(LABEL) && self.is_held_off(Some(&standing), None)? {
                settled.insert(id);
            }
        }
        met.iter_mut().for_each(|(id, is_settled)| *is_settled |= settled.contains(id));
        Ok(met)
    }

    /// Whether the label of an identity settles the conditions.
    fn is_held_off(&self, standing: Option<&str>, event: Option<&Happened>) -> Result<bool> {
        let label = decode(standing)?.label;
        Ok(self.accuses && label.is_some_and(|label| label.holds_off(&self.conditions, event)))
    }

    /// Those of whom the conditions hold, by the newest event that these ask about.
    fn of_events(&self, tx: &mut Tx, page: &[Counted]) -> Result<Vec<Met>> {
        let ids: Vec<_> = page.iter().map(|one| one.0).collect();
        let starts: HashMap<_, _> =
            identities::load_cycle_starts(tx, &ids)?.into_iter().map(|start| (start.id, start)).collect();
        let mut found = Vec::new();
        for one in page {
            if let Some(start) = starts.get(&one.0) {
                found.extend(self.at_event(tx, one, start)?.map(|is_settled| (one.0, is_settled)));
            }
        }
        Ok(found)
    }

    /// Whether people have settled it, of somebody who meets the conditions.
    fn at_event(&self, tx: &mut Tx, one: &Counted, start: &CycleStart) -> Result<Option<bool>> {
        let standing = start.standing.as_deref();
        let ask = |event: Option<&Happened>| match event.filter(|event| self.holds(one, Some(event))) {
            Some(_) if one.3 => Ok(Some(true)),
            Some(event) => self.is_held_off(standing, Some(event)).map(Some),
            None => Ok(None),
        };
        ask_newest(tx, start, &self.seen, &self.conditions, ask)?
    }
}

fn decode(standing: Option<&str>) -> Result<Standing> {
    Standing::decode(standing).map_err(|error| StoreError::Broken(error.to_string()))
}

/// The agents that act for identities, by row id.
async fn agents(long_reads: &LongReads, team_id: i64) -> Result<HashMap<i64, KnownAgent>> {
    let (mut agents, mut after) = (HashMap::new(), 0);
    loop {
        let page = long_reads.read(move |tx| identities::with_agent(tx, team_id, after, AGENTS_PAGE)).await?;
        let Some((last, _)) = page.last() else { return Ok(agents) };
        after = *last;
        for (id, standing) in page {
            agents.extend(decode(Some(&standing))?.agent.map(|agent| (id, agent)));
        }
    }
}
