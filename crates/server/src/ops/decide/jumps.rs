//! Rules that match far more often than their own past lets expect: once an hour each is looked at, and channels are
//! told of those that do, of each once a day.

use std::collections::BTreeMap;

use dregs_core::notify::message::EventType;
use dregs_core::rules::{BadgeRule, EscalationRule, Jump, Kind, Taken, jump};
use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
use serde_json::json;

use crate::ops::deliver::deliveries::of_notification;
use crate::store::rule_rates::{self, Told};
use crate::store::rule_versions::Of;
use crate::store::rules::{self, Kept};
use crate::store::{Result, Tx, badges, channels, escalations, notifications, usage};

/// What is late, and how much of the past it is compared with.
const DAY_HOURS: i64 = 24;
const PAST_DAYS: i64 = 27;
/// Less of a past says nothing.
const PAST_MIN_DAYS: i64 = 7;

/// The events of a team in each hour.
struct Traffic {
    by_hour: BTreeMap<i64, i64>,
    first: i64,
}

impl Traffic {
    fn between(&self, from: i64, to: i64) -> u64 {
        self.by_hour.range(from..to.max(from)).map(|(_, events)| events.unsigned_abs()).sum()
    }

    /// How often a rule matched in the hours from `from` up to but not `to`.
    fn taken(&self, count: i64, from: i64, to: i64) -> Taken {
        let hours = u32::try_from(to - from).unwrap_or(0);
        Taken { count: count.max(0).unsigned_abs(), events: self.between(from, to), hours }
    }
}

/// A rule that jumps, and in which hours.
struct Found {
    of: Of,
    name: String,
    jump: Jump,
    hours: (i64, i64),
}

/// The rules of a team that are on.
type OfTeam = (Vec<Kept<BadgeRule>>, Vec<Kept<EscalationRule>>);

/// What was found, to be written down.
#[derive(Default)]
pub struct Look {
    found: Vec<Found>,
    /// How many carry the badge of a rule: (team, rule, carriers).
    carriers: Vec<(i64, i64, i64)>,
}

/// Looks at the rules of every team that are on.
///
/// # Errors
/// Those of the store.
pub fn look(tx: &mut Tx, now: Timestamp) -> Result<Look> {
    let mut look = Look::default();
    let mut of_teams: BTreeMap<i64, OfTeam> = BTreeMap::new();
    for kept in rules::all_badges(tx)?.into_iter().filter(|kept| kept.enabled) {
        of_teams.entry(kept.team_id).or_default().0.push(kept);
    }
    for kept in rules::all_escalations(tx)?.into_iter().filter(|kept| kept.enabled) {
        of_teams.entry(kept.team_id).or_default().1.push(kept);
    }
    let hour = usage::hour(now);
    for (team_id, (badge_rules, escalation_rules)) in of_teams {
        let Some(first) = usage::first_hour(tx, team_id)? else { continue };
        let past = usage::by_hour(tx, team_id, hour - (PAST_DAYS + 1) * DAY_HOURS, hour)?;
        let traffic = Traffic { by_hour: past.into_iter().collect(), first };
        for kept in escalation_rules {
            look.found.extend(opened(tx, &kept, &traffic, hour)?);
        }
        carried(tx, team_id, badge_rules, &traffic, hour, &mut look)?;
    }
    Ok(look)
}

/// Writes down what was found; answers which channels have something to send.
///
/// # Errors
/// Those of the store.
pub fn tell(tx: &mut Tx, look: &Look, now: Timestamp) -> Result<Vec<i64>> {
    let hour = usage::hour(now);
    for (team_id, rule_id, carriers) in &look.carriers {
        rule_rates::note_carriers(tx, *team_id, *rule_id, hour, *carriers)?;
        rule_rates::forget(tx, *team_id, hour - (PAST_DAYS + 2) * DAY_HOURS)?;
    }
    let mut told = Vec::new();
    for found in &look.found {
        told.extend(tell_of(tx, found, now)?);
    }
    Ok(told)
}

/// An escalation rule whose escalations of the last 24 hours are far more than those of the days before.
fn opened(tx: &mut Tx, kept: &Kept<EscalationRule>, traffic: &Traffic, hour: i64) -> Result<Option<Found>> {
    // A rule that was changed has no past from before.
    let begin = hour - (PAST_DAYS + 1) * DAY_HOURS;
    let known_from = traffic.first.max(usage::hour(kept.updated_at) + 1);
    let unknown = (known_from - begin).max(0);
    let first_day = unknown / DAY_HOURS + i64::from(unknown % DAY_HOURS > 0);
    if first_day + PAST_MIN_DAYS > PAST_DAYS {
        return Ok(None);
    }
    let at = Timestamp::from_millis(begin * HOUR_MS);
    let days = escalations::of_rule_by_span(tx, kept.team_id, kept.rule.id, at, DAY_MS)?;
    let count =
        |of: &dyn Fn(i64) -> bool| days.iter().filter(|(day, _)| of(*day)).map(|(_, count)| count).sum();
    let (from, late_from) = (begin + first_day * DAY_HOURS, begin + PAST_DAYS * DAY_HOURS);
    let late = traffic.taken(count(&|day| day == PAST_DAYS), late_from, hour);
    let before = traffic.taken(count(&|day| (first_day..PAST_DAYS).contains(&day)), from, late_from);
    let of = Of { team_id: kept.team_id, kind: Kind::Escalation, rule_id: kept.rule.id };
    let hours = (late_from, hour);
    Ok(jump(late, before).map(|jump| Found { of, name: kept.rule.name.clone(), jump, hours }))
}

/// Badge rules whose badge far more identities have gained since a day ago, or somewhat longer, than before.
fn carried(
    tx: &mut Tx,
    team_id: i64,
    rules: Vec<Kept<BadgeRule>>,
    traffic: &Traffic,
    hour: i64,
    look: &mut Look,
) -> Result<()> {
    let oldest = hour - (PAST_DAYS + 1) * DAY_HOURS;
    let mut noted: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    for (rule, at, carriers) in rule_rates::carriers(tx, team_id, oldest)? {
        noted.entry(rule).or_default().push((at, carriers));
    }
    for kept in rules {
        let id = kept.rule.id;
        let now = badges::count(tx, team_id, &kept.rule.slug)?;
        let known_from = traffic.first.max(usage::hour(kept.updated_at) + 1);
        let of_rule = noted.remove(&id).unwrap_or_default();
        if of_rule.last().is_none_or(|(at, _)| at + DAY_HOURS <= hour) {
            look.carriers.push((team_id, id, now));
        }
        let mut usable = of_rule.iter().filter(|(at, _)| *at >= known_from);
        let (Some((from, first)), Some((late_from, then))) =
            (usable.next(), of_rule.iter().rev().find(|(at, _)| at + DAY_HOURS <= hour))
        else {
            continue;
        };
        if late_from - from < PAST_MIN_DAYS * DAY_HOURS {
            continue;
        }
        let late = traffic.taken(now - then, *late_from, hour);
        let before = traffic.taken(then - first, *from, *late_from);
        let of = Of { team_id, kind: Kind::Badge, rule_id: id };
        let hours = (*late_from, hour);
        look.found.extend(jump(late, before).map(|jump| Found { of, name: kept.rule.name, jump, hours }));
    }
    Ok(())
}

/// Tells the channels that want to know, unless they were within a day.
fn tell_of(tx: &mut Tx, found: &Found, now: Timestamp) -> Result<Vec<i64>> {
    let Found { of, name, jump, hours: (from, to) } = found;
    let count = i64::try_from(jump.count).unwrap_or(i64::MAX);
    // More digits would say no more.
    let expected_tenths = (jump.expected * 10.0).round() as i64;
    let expected = expected_tenths as f64 / 10.0;
    if !rule_rates::tell(tx, *of, Told { at: now, count, expected_tenths }, now.plus_millis(-DAY_MS))? {
        return Ok(Vec::new());
    }
    let kind = match of.kind {
        Kind::Badge => "BADGE",
        Kind::Escalation => "ESCALATION",
    };
    let at = |hour: i64| Timestamp::from_millis(hour * HOUR_MS);
    let data = json!({
        "rule": {"id": of.rule_id, "name": name, "type": kind},
        "from": at(*from),
        "to": at(*to),
        "count": count,
        "expected": expected,
    });
    let event = EventType::RuleRateJumped;
    let id = notifications::insert(tx, of.team_id, event, now, &data.to_string())?;
    let subscribers = channels::subscribers(tx, of.team_id, event)?;
    of_notification(tx, (event, id), None, &subscribers, None, now)?;
    tracing::info!(rule = of.rule_id, kind, count, expected, "a rule matches far more often than it did");
    Ok(subscribers.into_iter().map(|to| to.channel_id).collect())
}
