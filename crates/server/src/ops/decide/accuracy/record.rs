//! The record of one rule, badge or analyzer: week by week, and with which others it matches the same people.

use std::collections::{BTreeMap, BTreeSet};

use dregs_core::rules::{Kind, Standing};
use dregs_core::time::{DAY_MS, Timestamp};

use super::{Accuracy, Tally, newest, read, speaks_against};
use crate::store::labels::Found;
use crate::store::rule_rates::{self, Told};
use crate::store::{Result, StoreError, Tx, badges, escalations, identities, rules};

/// Weeks that are told, this one among them.
pub const WEEKS: i64 = 26;
const WEEK_MS: i64 = 7 * DAY_MS;
/// A Monday: 1970-01-05.
const MONDAY_MS: i64 = 4 * DAY_MS;
/// Identities of which others are looked for: the newest whom it concerned.
pub const LOOKED_AT_MAX: usize = 10_000;
/// Of them, read at a time.
const PAGE_IDENTITIES: usize = 500;

/// What matched somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An escalation rule.
    Rule(i64),
    /// By its slug.
    Badge(String),
    /// By its id.
    Analyzer(String),
}

/// A week, from Monday on (UTC).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    pub begin: Timestamp,
    /// Escalations that a rule opened; nobody counts that of others.
    pub opened: Option<u64>,
    /// What was decided in it; nobody is unlabelled here.
    pub tally: Tally,
}

/// Another one that matches the same people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    pub other: Subject,
    /// Identities, of those looked at, whom the other matched, too.
    pub both: u64,
    /// How many it matched in all.
    pub took_hold: u64,
}

/// What is known of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub tally: Tally,
    /// In order, each of the last [`WEEKS`].
    pub weeks: Vec<Week>,
    /// The widest first.
    pub overlaps: Vec<Overlap>,
    /// Identities among whom others were looked for; of an analyzer, those who are labelled alone.
    pub looked_at: usize,
    /// Whether those are all whom it concerned.
    pub is_whole: bool,
    /// When a rule matched far more often than it did, if that was told of in the last week.
    pub jumped: Option<Told>,
}

/// Reads the record of one.
///
/// # Errors
/// Those of the store.
pub fn record(tx: &mut Tx, team_id: i64, subject: &Subject, now: Timestamp) -> Result<Record> {
    let accuracy = read(tx, team_id)?;
    let begin = monday(now).plus_millis(-(WEEKS - 1) * WEEK_MS);
    let mut weeks: Vec<_> = (0..WEEKS)
        .map(|week| Week { begin: begin.plus_millis(week * WEEK_MS), opened: None, tally: Tally::default() })
        .collect();
    let mut found = Vec::new();
    for judged in newest(tx, team_id)? {
        if !took_hold(&judged.found).any(|one| one == *subject) {
            continue;
        }
        if let Some(week) = week_of(&mut weeks, begin, judged.decided_at) {
            week.tally.count(judged.verdict.outcome);
        }
        found.push(judged.found);
    }
    if let Subject::Rule(rule) = subject {
        weeks.iter_mut().for_each(|week| week.opened = Some(0));
        for (week, opened) in escalations::of_rule_by_span(tx, team_id, *rule, begin, WEEK_MS)? {
            if let Some(week) = usize::try_from(week).ok().and_then(|week| weeks.get_mut(week)) {
                week.opened = Some(opened.unsigned_abs());
            }
        }
    }
    let (all, looked_at, is_whole) = others(tx, team_id, subject, &found)?;
    let mut overlaps: Vec<_> = all
        .into_iter()
        .filter(|(other, _)| other != subject)
        .map(|(other, both)| Overlap {
            took_hold: tally(&accuracy, &other).took_hold().max(both),
            both,
            other,
        })
        .collect();
    overlaps.sort_by(|a, b| b.both.cmp(&a.both).then_with(|| a.other.cmp(&b.other)));
    let jumped = jumped(tx, team_id, subject)?.filter(|told| told.at > now.plus_millis(-WEEK_MS));
    Ok(Record { tally: tally(&accuracy, subject), weeks, overlaps, looked_at, is_whole, jumped })
}

fn jumped(tx: &mut Tx, team_id: i64, subject: &Subject) -> Result<Option<Told>> {
    match subject {
        Subject::Rule(rule) => rule_rates::told(tx, team_id, Kind::Escalation, *rule),
        Subject::Badge(slug) => {
            let own = rules::all_badges(tx)?.into_iter();
            match own.into_iter().find(|kept| kept.team_id == team_id && kept.rule.slug == *slug) {
                Some(kept) => rule_rates::told(tx, team_id, Kind::Badge, kept.rule.id),
                None => Ok(None),
            }
        }
        Subject::Analyzer(_) => Ok(None),
    }
}

fn monday(at: Timestamp) -> Timestamp {
    at.plus_millis(-(at.as_millis() - MONDAY_MS).rem_euclid(WEEK_MS))
}

fn week_of(weeks: &mut [Week], begin: Timestamp, at: Timestamp) -> Option<&mut Week> {
    let week = (at.as_millis() - begin.as_millis()).div_euclid(WEEK_MS);
    weeks.get_mut(usize::try_from(week).ok()?)
}

fn tally(accuracy: &Accuracy, subject: &Subject) -> Tally {
    let found = match subject {
        Subject::Rule(id) => accuracy.rules.get(id),
        Subject::Badge(slug) => accuracy.badges.get(slug),
        Subject::Analyzer(id) => accuracy.analyzers.get(id),
    };
    found.copied().unwrap_or_default()
}

/// What had matched somebody who is labelled.
fn took_hold(found: &Found) -> impl Iterator<Item = Subject> {
    let rules = found.rules.iter().copied().map(Subject::Rule);
    let badges = found.badges.iter().cloned().map(Subject::Badge);
    let against = found.observations.iter().filter(|one| speaks_against(one));
    rules.chain(badges).chain(against.map(|one| Subject::Analyzer(one.id.clone())))
}

/// How many identities each matched among those whom `subject` concerned; of how many that is, and whether it is all.
fn others(
    tx: &mut Tx,
    team_id: i64,
    subject: &Subject,
    found: &[Found],
) -> Result<(BTreeMap<Subject, u64>, usize, bool)> {
    let mut all = BTreeMap::new();
    let mut count =
        |one: BTreeSet<Subject>| one.into_iter().for_each(|one| *all.entry(one).or_default() += 1);
    let mut ids = match subject {
        // What was observed of those who are not labelled is packed away with their cycles.
        Subject::Analyzer(_) => {
            let analyzers =
                |found: &Found| took_hold(found).filter(|one| matches!(one, Subject::Analyzer(_))).collect();
            found.iter().map(analyzers).for_each(&mut count);
            return Ok((all, found.len(), true));
        }
        Subject::Rule(rule) => escalations::identities_of(tx, team_id, *rule, LOOKED_AT_MAX + 1)?,
        Subject::Badge(slug) => badges::newest_carriers(tx, team_id, slug, LOOKED_AT_MAX + 1)?,
    };
    let is_whole = ids.len() <= LOOKED_AT_MAX;
    ids.truncate(LOOKED_AT_MAX);
    for page in ids.chunks(PAGE_IDENTITIES) {
        let mut of: BTreeMap<i64, BTreeSet<Subject>> = BTreeMap::new();
        for (id, rule) in escalations::rules_of_all(tx, page)? {
            of.entry(id).or_default().insert(Subject::Rule(rule));
        }
        for (id, standing) in identities::standings(tx, page)? {
            let standing =
                Standing::decode(Some(&standing)).map_err(|error| StoreError::Broken(error.to_string()))?;
            let carried = standing.badges.into_iter().map(|badge| Subject::Badge(badge.slug));
            of.entry(id).or_default().extend(carried);
        }
        of.into_values().for_each(&mut count);
    }
    Ok((all, ids.len(), is_whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        let of = |text: &str| monday(Timestamp::parse(text).unwrap()).to_string();
        assert_eq!(of("2026-11-29T23:59:59.999Z"), "2026-11-23T00:00:00.000Z", "a Sunday");
        assert_eq!(of("2026-11-30T00:00:00Z"), "2026-11-30T00:00:00.000Z");
        assert_eq!(of("1969-12-31T12:00:00Z"), "1969-12-29T00:00:00.000Z");
    }
}
