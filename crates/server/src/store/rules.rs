//! Badge rules and escalation rules.

use dregs_core::badge::BadgeType;
use dregs_core::rules::{BadgeRule, EscalationRule, Severity};
use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// A rule of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<R> {
    pub team_id: i64,
    /// Another number after each change of anything.
    pub version: i64,
    pub enabled: bool,
    pub rule: R,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

const BADGE_COLUMNS: &str = "id, team_id, revision, enabled, name, slug, type, priority, conditions,
    apply_delay_seconds, remove_delay_seconds, created_at, updated_at, adds_to_lists,
    coalesce(conditions_revision, revision)";

fn read_badge(row: &Row) -> Result<Kept<BadgeRule>> {
    let badge_type: String = row.get(6)?;
    let rule = BadgeRule {
        id: row.get(0)?,
        revision: row.get(14)?,
        name: row.get(4)?,
        slug: row.get(5)?,
        badge_type: BadgeType::parse(&badge_type)
            .ok_or_else(|| StoreError::Broken(format!("{badge_type} is no type of badge")))?,
        priority: row.get(7)?,
        conditions: parse(&row.get::<String>(8)?)?,
        apply_delay_seconds: seconds(row, 9)?,
        remove_delay_seconds: seconds(row, 10)?,
        adds_to_lists: parse(&row.get::<String>(13)?)?,
    };
    Ok(Kept {
        team_id: row.get(1)?,
        version: row.get(2)?,
        enabled: row.flag(3)?,
        rule,
        created_at: row.time(11)?,
        updated_at: row.time(12)?,
    })
}

/// Every badge rule of every team, in order.
pub fn all_badges(tx: &mut Tx) -> Result<Vec<Kept<BadgeRule>>> {
    tx.query(&format!("select {BADGE_COLUMNS} from badge_rules order by id"), &[], read_badge)
}

/// The team's badge rule with this id.
pub fn find_badge(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Kept<BadgeRule>>> {
    let sql = format!("select {BADGE_COLUMNS} from badge_rules where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read_badge)
}

/// Stores a badge rule; the answer is its id, whatever `kept` says.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has one with this slug.
pub fn insert_badge(tx: &mut Tx, kept: &Kept<BadgeRule>) -> Result<i64> {
    let rule = &kept.rule;
    let found = tx.find(
        "insert into badge_rules (team_id, revision, enabled, name, slug, type, priority, conditions,
           apply_delay_seconds, remove_delay_seconds, created_at, updated_at, adds_to_lists, conditions_revision)
         values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) on conflict do nothing returning id",
        &values![
            kept.team_id,
            kept.enabled,
            &rule.name,
            &rule.slug,
            rule.badge_type.name(),
            rule.priority,
            &json(&rule.conditions)?,
            whole(rule.apply_delay_seconds),
            whole(rule.remove_delay_seconds),
            kept.created_at,
            kept.updated_at,
            &json(&rule.adds_to_lists)?,
        ],
        |row| row.get(0),
    )?;
    found.ok_or(StoreError::Conflict)
}

/// Changes a badge rule, which may be asked anew; its slug stays.
pub fn update_badge(tx: &mut Tx, kept: &Kept<BadgeRule>, asks_anew: bool) -> Result<()> {
    let rule = &kept.rule;
    tx.execute(
        "update badge_rules set revision = revision + 1, enabled = $2, name = $3, type = $4, priority = $5,
           conditions = $6, apply_delay_seconds = $7, remove_delay_seconds = $8, updated_at = $9,
           adds_to_lists = $10, conditions_revision = case when $11 = 1 then revision + 1
             else coalesce(conditions_revision, revision) end
         where id = $1",
        &values![
            rule.id,
            kept.enabled,
            &rule.name,
            rule.badge_type.name(),
            rule.priority,
            &json(&rule.conditions)?,
            whole(rule.apply_delay_seconds),
            whole(rule.remove_delay_seconds),
            kept.updated_at,
            &json(&rule.adds_to_lists)?,
            asks_anew,
        ],
    )?;
    Ok(())
}

pub fn delete_badge(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("delete from badge_rules where id = $1", &values![id])?;
    Ok(())
}

const ESCALATION_COLUMNS: &str = "id, team_id, revision, enabled, name, severity, channels, conditions,
    open_after_seconds, close_after_seconds, effective_at, created_at, updated_at, adds_to_lists,
    coalesce(conditions_revision, revision)";

fn read_escalation(row: &Row) -> Result<Kept<EscalationRule>> {
    let severity: i64 = row.get(5)?;
    let rule = EscalationRule {
        id: row.get(0)?,
        revision: row.get(14)?,
        name: row.get(4)?,
        severity: Severity::ALL
            .into_iter()
            .find(|known| *known as i64 == severity)
            .ok_or_else(|| StoreError::Broken(format!("{severity} is no severity")))?,
        channels: parse(&row.get::<String>(6)?)?,
        conditions: parse(&row.get::<String>(7)?)?,
        open_after_seconds: seconds(row, 8)?,
        close_after_seconds: seconds(row, 9)?,
        effective_at: row.optional_time(10)?,
        adds_to_lists: parse(&row.get::<String>(13)?)?,
    };
    Ok(Kept {
        team_id: row.get(1)?,
        version: row.get(2)?,
        enabled: row.flag(3)?,
        rule,
        created_at: row.time(11)?,
        updated_at: row.time(12)?,
    })
}

/// Every escalation rule of every team, in order.
pub fn all_escalations(tx: &mut Tx) -> Result<Vec<Kept<EscalationRule>>> {
    tx.query(&format!("select {ESCALATION_COLUMNS} from escalation_rules order by id"), &[], read_escalation)
}

/// The team's escalation rule with this id.
pub fn find_escalation(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Kept<EscalationRule>>> {
    let sql = format!("select {ESCALATION_COLUMNS} from escalation_rules where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read_escalation)
}

/// Stores an escalation rule; the answer is its id, whatever `kept` says.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has one of this name.
pub fn insert_escalation(tx: &mut Tx, kept: &Kept<EscalationRule>) -> Result<i64> {
    let rule = &kept.rule;
    let found = tx.find(
        "insert into escalation_rules (team_id, revision, enabled, name, severity, channels, conditions,
           open_after_seconds, close_after_seconds, effective_at, created_at, updated_at, adds_to_lists,
           conditions_revision)
         values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) on conflict do nothing returning id",
        &values![
            kept.team_id,
            kept.enabled,
            &rule.name,
            rule.severity as i64,
            &json(&rule.channels)?,
            &json(&rule.conditions)?,
            whole(rule.open_after_seconds),
            whole(rule.close_after_seconds),
            rule.effective_at,
            kept.created_at,
            kept.updated_at,
            &json(&rule.adds_to_lists)?,
        ],
        |row| row.get(0),
    )?;
    found.ok_or(StoreError::Conflict)
}

/// Changes an escalation rule, which may be asked anew.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has another one of this name.
pub fn update_escalation(tx: &mut Tx, kept: &Kept<EscalationRule>, asks_anew: bool) -> Result<()> {
    let rule = &kept.rule;
    let taken = tx.find(
        "select id from escalation_rules where team_id = $1 and name = $2 and id <> $3",
        &values![kept.team_id, &rule.name, rule.id],
        |row| row.get::<i64>(0),
    )?;
    if taken.is_some() {
        return Err(StoreError::Conflict);
    }
    tx.execute(
        "update escalation_rules set revision = revision + 1, enabled = $2, name = $3, severity = $4,
           channels = $5, conditions = $6, open_after_seconds = $7, close_after_seconds = $8,
           effective_at = $9, updated_at = $10, adds_to_lists = $11,
           conditions_revision = case when $12 = 1 then revision + 1
             else coalesce(conditions_revision, revision) end
         where id = $1",
        &values![
            rule.id,
            kept.enabled,
            &rule.name,
            rule.severity as i64,
            &json(&rule.channels)?,
            &json(&rule.conditions)?,
            whole(rule.open_after_seconds),
            whole(rule.close_after_seconds),
            rule.effective_at,
            kept.updated_at,
            &json(&rule.adds_to_lists)?,
            asks_anew,
        ],
    )?;
    Ok(())
}

pub fn delete_escalation(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("delete from escalation_rules where id = $1", &values![id])?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Broken(error.to_string()))
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Broken(error.to_string()))
}

fn seconds(row: &Row, column: usize) -> Result<u64> {
    Ok(u64::try_from(row.get::<i64>(column)?).unwrap_or(0))
}

fn whole(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
