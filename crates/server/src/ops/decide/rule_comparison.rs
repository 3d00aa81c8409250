//! A rule beside another wording of it, on the same past: what each would have done, and what people say of whom it
//! concerned.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use dregs_core::label::Outcome;
use dregs_core::time::Timestamp;

use super::accuracy::Tally;
use super::rule_backtest::{Asked, Replay, newest_first, replayed};
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::lists::roster::Rosters;
use crate::ops::long_reads::LongReads;
use crate::store::identities::{self, Identity};
use crate::store::{Result, labels};

/// Identities of each part that are shown.
const SAMPLE_IDENTITIES: usize = 10;

/// What one of the two would have done.
pub struct Side {
    /// How often it would have matched, by day (UTC), those without left out.
    pub days: BTreeMap<String, u64>,
    pub concerned: Part,
}

/// Some identities, and what was decided of them.
pub struct Part {
    pub identities: usize,
    pub tally: Tally,
    /// The newest.
    pub sample: Vec<Identity>,
}

/// Both on the same past.
pub struct Comparison {
    pub from: Timestamp,
    pub to: Timestamp,
    pub cycles: u64,
    pub rule: Side,
    pub other: Side,
    /// Whom both concern, and one alone.
    pub both: Part,
    pub only_rule: Part,
    pub only_other: Part,
}

/// Replays both over the last 90 days. Disregarded identities are left out.
///
/// # Errors
/// Those of the store.
pub async fn compare<R>(
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    seen: Seen,
    team_id: i64,
    (rule, other): (R, R),
    now: Timestamp,
) -> Result<Comparison>
where
    Asked: From<R>,
{
    let (from, [rule, other]) =
        replayed(long_reads, lists, seen, (team_id, [Asked::from(rule), Asked::from(other)]), now).await?;
    let decided: HashMap<_, _> =
        long_reads.read(move |tx| labels::outcomes(tx, team_id)).await?.into_iter().collect();
    let part = async |ids: HashSet<i64>| {
        let shown: Vec<_> = newest_first(&ids).into_iter().take(SAMPLE_IDENTITIES).collect();
        let sample = long_reads.read(move |tx| identities::load(tx, &shown)).await?;
        Result::Ok(Part { identities: ids.len(), tally: tally(&ids, &decided), sample })
    };
    let side = async |replay: &Replay| {
        Result::Ok(Side { days: replay.days.clone(), concerned: part(replay.opened.clone()).await? })
    };
    let (a, b) = (&rule.opened, &other.opened);
    Ok(Comparison {
        from,
        to: now,
        cycles: rule.cycles,
        both: part(a & b).await?,
        only_rule: part(a - b).await?,
        only_other: part(b - a).await?,
        rule: side(&rule).await?,
        other: side(&other).await?,
    })
}

fn tally(ids: &HashSet<i64>, decided: &HashMap<i64, Outcome>) -> Tally {
    let mut tally = Tally::default();
    for id in ids {
        match decided.get(id) {
            Some(outcome) => tally.count(*outcome),
            None => tally.unlabelled += 1,
        }
    }
    tally
}
