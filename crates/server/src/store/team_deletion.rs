//! Removing a team with everything that it has, a bounded number of rows at a time.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::sql::with_shards;
use super::versions::{self, Kept};
use super::{Result, Tx, badges, channels, counter_states, deliveries, erasure, links, members, retention};
use crate::values;

/// What a team has that carries no shard, and by which column pieces of it are told apart.
const OWNED: [(&str, &str); 21] = [
    ("badge_rules", "id"),
    ("escalation_rules", "id"),
    ("rule_versions", "id"),
    ("rule_jumps", "rule_id"),
    ("badge_counts", "hour"),
    ("draws", "week"),
    ("bulk_changes", "id"),
    ("counters", "id"),
    ("mappings", "id"),
    ("dataset_entries", "id"),
    ("list_entries", "id"),
    ("list_removals", "id"),
    ("list_entry_sources", "id"),
    ("lists", "id"),
    ("views", "id"),
    ("weights", "id"),
    ("common_values", "value"),
    ("usage", "hour"),
    ("retention", "kind"),
    ("forgotten", "kind"),
    ("audit_log", "id"),
];

/// Removes about so many rows of one kind that a team has; 0 when none is left.
type Step = fn(&mut Tx, i64, i64) -> Result<u64>;

/// Closes a team: its keys are gone, its channels send nothing, and nobody is in it any more. Whoever is in no other team
/// is gone as well.
pub fn begin(tx: &mut Tx, team_id: i64, now: Timestamp) -> Result<()> {
    tx.execute("update teams set deleted_at = $2 where id = $1", &values![team_id, now])?;
    tx.execute("update channels set enabled = 0, events = 0 where team_id = $1", &values![team_id])?;
    for table in ["credentials", "invitations", "sessions", "mcp_tokens", "oauth_codes", "oauth_connections"]
    {
        tx.execute(&format!("delete from {table} where team_id = $1"), &values![team_id])?;
    }
    let people = tx.query("select user_id from members where team_id = $1", &values![team_id], |row| {
        row.get::<i64>(0)
    })?;
    people.into_iter().try_for_each(|id| members::delete(tx, team_id, id))
}

/// The teams that were closed at `until` or before.
pub fn closed(tx: &mut Tx, until: Timestamp) -> Result<Vec<i64>> {
    tx.query("select id from teams where deleted_at <= $1 order by id", &values![until], |row| row.get(0))
}

/// Removes about `limit` rows of a team that was closed; 0 when none is left that this finds.
pub fn remove_some(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let steps: [Step; 9] = [of_channels, events, identities, groups, names, devices, keys, counted, others];
    for step in steps {
        let removed = step(tx, team_id, limit)?;
        if removed > 0 {
            return Ok(removed);
        }
    }
    Ok(0)
}

/// Removes a team of which nothing else is left.
pub fn finish(tx: &mut Tx, team_id: i64) -> Result<()> {
    versions::grow(tx, Kept::Devices)?;
    tx.execute("delete from teams where id = $1", &values![team_id])?;
    Ok(())
}

fn of_channels(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select id from channels where team_id = $1 order by id limit 1";
    let Some(id) = tx.find(sql, &values![team_id], |row| row.get::<i64>(0))? else { return Ok(0) };
    match deliveries::delete_some(tx, id, limit)? {
        0 => channels::delete(tx, id).map(|()| 1),
        removed => Ok(removed),
    }
}

fn events(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select id from events where team_id = $1 order by timestamp limit $2";
    let ids = tx.query(sql, &values![team_id, limit], |row| row.get::<i64>(0))?;
    erasure::remove_events(tx, &ids, &[])?;
    Ok(ids.len() as u64)
}

fn identities(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select id from identities where team_id = $1 order by external_id limit $2";
    let ids = tx.query(sql, &values![team_id, limit], |row| row.get::<i64>(0))?;
    let mut removed = 0;
    for id in ids {
        // As many rows as make a turn, whatever they are.
        if removed >= limit.unsigned_abs() {
            break;
        }
        let told = erasure::remove_told(tx, id, limit)?;
        removed += told + 1;
        if told > 0 {
            continue;
        }
        erasure::begin(tx, team_id, id, Timestamp::default())?;
        retention::remove_folded(tx, id)?;
        // Nobody is left by whom it could be remembered.
        tx.execute(
            "delete from deleted_identities where shard = $2 and id = $1",
            &values![id, shard::of(id)],
        )?;
    }
    Ok(removed)
}

fn groups(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select id from groups where team_id = $1 order by type, external_id limit 1";
    let Some(id) = tx.find(sql, &values![team_id], |row| row.get::<i64>(0))? else { return Ok(0) };
    let removed = listed(tx, id, limit)?;
    if removed == 0 {
        let key = values![id, shard::of(id)];
        tx.execute("delete from group_members where shard = $2 and group_id = $1", &key)?;
        tx.execute("delete from groups where shard = $2 and id = $1", &key)?;
        return Ok(1);
    }
    Ok(removed)
}

/// Removes places in the list of a group, or of all groups of a type.
fn listed(tx: &mut Tx, list: i64, limit: i64) -> Result<u64> {
    let sql = "select timestamp, event_id from event_groups where group_id = $1 order by timestamp limit $2";
    let places = tx.query(sql, &values![list, limit], |row| Ok((list, row.time(0)?, row.get::<i64>(1)?)))?;
    erasure::remove_events(tx, &[], &places)?;
    Ok(places.len() as u64)
}

fn names(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select id from names where team_id = $1 order by kind, name limit $2";
    let mut removed = 0;
    for id in tx.query(sql, &values![team_id, limit], |row| row.get::<i64>(0))? {
        removed += listed(tx, -id, limit)?;
        if removed >= limit.unsigned_abs() {
            break;
        }
        tx.execute("delete from names where id = $1", &values![id])?;
        removed += 1;
    }
    Ok(removed)
}

fn devices(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select id from devices where team_id = $1 order by fingerprint limit $2";
    remove(tx, "devices", sql, (team_id, limit))
}

fn keys(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let found = links::after(tx, team_id, (i64::MIN, i64::MIN, 0), limit)?;
    links::remove(tx, &found)?;
    Ok(found.len() as u64)
}

fn counted(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let found = counter_states::of_team(tx, team_id, limit)?;
    counter_states::remove(tx, &found)?;
    Ok(found.len() as u64)
}

/// What is left of people who are gone, and what the team has set up.
fn others(tx: &mut Tx, team_id: i64, limit: i64) -> Result<u64> {
    let sql = "select slug, identity_id from badges where team_id = $1 order by slug, identity_id limit $2";
    let carried =
        tx.query(sql, &values![team_id, limit], |row| Ok((team_id, row.get::<String>(0)?, row.get(1)?)))?;
    badges::change(tx, &[], &carried)?;
    let mut removed = carried.len() as u64;
    for table in ["escalations", "labels", "deleted_identities"] {
        let sql = format!("select id from {table} where team_id = $1 order by id limit $2");
        removed += remove(tx, table, &sql, (team_id, limit))?;
    }
    for (table, column) in OWNED {
        let piece = format!("select {column} from {table} where team_id = $1 limit $2");
        let sql = format!("delete from {table} where team_id = $1 and {column} in ({piece})");
        removed += tx.execute(&sql, &values![team_id, limit])?;
    }
    Ok(removed)
}

/// Removes rows of a table that carries a shard: those that `select` finds.
fn remove(tx: &mut Tx, table: &str, select: &str, (team_id, limit): (i64, i64)) -> Result<u64> {
    let ids = tx.query(select, &values![team_id, limit], |row| row.get::<i64>(0))?;
    let sql = format!(
        "with v (shard, id) as (values {{rows}}) delete from {table} where (id, shard) in (select id, v.shard from v)"
    );
    tx.execute_rows(&sql, &with_shards(&ids))
}
