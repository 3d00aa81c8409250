//! A few identities a week, drawn at random for somebody to look at: those whom rules match say how often rules are
//! right, and nobody else would say what they miss. Drawn for teams that label at all.

use std::collections::HashMap;
use std::sync::Arc;

use dregs_core::label::Outcome;
use dregs_core::time::{DAY_MS, Timestamp};
use dregs_core::wilson::of_share;

use crate::ops::lists::roster::{Filter, Rosters};
use crate::ops::long_reads::LongReads;
use crate::store::escalations::{self, NewEscalation, Severity};
use crate::store::rosters::Kind;
use crate::store::{Result, Store, Tx, draws, identities, labels};

/// Stands in the place of a rule.
pub const DRAWN: i64 = 0;
pub const NAME: &str = "Drawn at random";

const WEEK_MS: i64 = 7 * DAY_MS;
/// 1970-01-05, a Monday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
/// A team that has labelled nobody for so long does not work with labels.
const LABELS_MAX_AGE_MS: i64 = 90 * DAY_MS;
/// Weeks of which is estimated what rules miss.
const ESTIMATED_WEEKS: i64 = 52;
/// The column of a list that says when somebody was last heard of.
const LAST_TRACKED: usize = 2;

fn week(at: Timestamp) -> i64 {
    (at.as_millis() - FIRST_MONDAY_MS).div_euclid(WEEK_MS)
}

/// Draws up to `count` of those who were active in the last seven days and are not labelled, for each team that has not
/// drawn in this week.
///
/// # Errors
/// Those of the store.
pub async fn draw(
    store: &Store,
    long_reads: &LongReads,
    lists: &Arc<Rosters>,
    count: u64,
    now: Timestamp,
) -> Result<()> {
    let this_week = week(now);
    let due = long_reads.read(move |tx| {
        let mut due = Vec::new();
        for (team_id, last_label) in draws::last_labels(tx)? {
            let labels = last_label > now.plus_millis(-LABELS_MAX_AGE_MS);
            if labels && !draws::is_made(tx, team_id, this_week)? {
                due.push((team_id, labels::outcomes(tx, team_id)?.into_iter().collect::<HashMap<_, _>>()));
            }
        }
        Ok(due)
    });
    for (team_id, labelled) in due.await? {
        let active = (LAST_TRACKED, now.plus_millis(-WEEK_MS).as_millis(), i64::MAX);
        let filter = Filter { time: Some(active), disregarded: Some(false), ..Filter::default() };
        let mut ids: Vec<i64> = lists
            .ask(team_id, Kind::Identities, move |table| {
                table.select(&filter).into_iter().filter(|id| !labelled.contains_key(id)).collect()
            })
            .await?;
        let all = ids.len();
        let drawn = usize::try_from(count).unwrap_or(usize::MAX).min(all);
        if drawn == 0 {
            continue;
        }
        for place in 0..drawn {
            ids.swap(place, rand::random_range(place..all));
        }
        ids.truncate(drawn);
        let weight = i64::try_from(1_000 * all / drawn).unwrap_or(i64::MAX);
        store.write(move |tx| put(tx, team_id, this_week, &ids, weight, now)).await?;
    }
    Ok(())
}

/// Opens an escalation for each, which tells nobody.
fn put(tx: &mut Tx, team_id: i64, week: i64, ids: &[i64], weight: i64, now: Timestamp) -> Result<()> {
    if draws::is_made(tx, team_id, week)? {
        return Ok(());
    }
    for identity in identities::load(tx, ids)? {
        draws::insert(tx, team_id, week, identity.row_id, weight)?;
        let new = NewEscalation {
            team_id,
            identity_id: identity.row_id,
            rule_id: DRAWN,
            rule_name: NAME.to_owned(),
            severity: Severity::Info,
            conditions: "[]".to_owned(),
            channels: "[]".to_owned(),
            scores: identity.scores,
            explanation: None,
            event_id: None,
            opened_at: now,
        };
        escalations::insert(tx, &new)?;
    }
    Ok(())
}

/// What those who were drawn say of those from whom they were: who is labelled already is not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    pub drawn: u64,
    pub labelled: u64,
    pub bad: u64,
    /// Of the bad, those whom no rule had matched.
    pub missed: u64,
    /// The part of those that is bad, and between which it is with 95% confidence; `None` where nobody is labelled.
    pub share: Option<(f64, f64, f64)>,
}

/// Reads it from the last year: each stands for as many as its chance was one in.
///
/// # Errors
/// Those of the store.
pub fn estimate(tx: &mut Tx, team_id: i64, now: Timestamp) -> Result<Estimate> {
    let drawn = draws::since(tx, team_id, week(now) - ESTIMATED_WEEKS)?;
    if drawn.is_empty() {
        return Ok(Estimate::default());
    }
    let outcomes: HashMap<_, _> = labels::outcomes(tx, team_id)?.into_iter().collect();
    let mut estimate = Estimate { drawn: drawn.len() as u64, ..Estimate::default() };
    let (mut sum, mut squares, mut bad_sum) = (0.0, 0.0, 0.0);
    let mut bad = Vec::new();
    for (id, weight) in drawn {
        let Some(outcome) = outcomes.get(&id) else { continue };
        let weight = weight as f64 / 1_000.0;
        estimate.labelled += 1;
        (sum, squares) = (sum + weight, squares + weight * weight);
        if *outcome == Outcome::Bad {
            bad_sum += weight;
            bad.push(id);
        }
    }
    estimate.bad = bad.len() as u64;
    let mut found: Vec<_> = escalations::rules_of_all(tx, &bad)?
        .into_iter()
        .filter(|(_, rule)| *rule != DRAWN)
        .map(|(id, _)| id)
        .collect();
    found.sort_unstable();
    found.dedup();
    estimate.missed = estimate.bad - found.len() as u64;
    if sum > 0.0 {
        // Weights that differ say less than as many that are alike (Kish, Survey Sampling, 1965, 11.7).
        let (low, high) = of_share(bad_sum / sum, sum * sum / squares);
        estimate.share = Some((bad_sum / sum, low, high));
    }
    Ok(estimate)
}
