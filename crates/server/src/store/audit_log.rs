//! The audit log: what people and keys have changed.

use dregs_core::time::Timestamp;

use super::sql::{Sql, direction};
use super::{Result, Row, Tx};
use crate::values;

/// An entry about to be written.
pub struct NewEntry<'a> {
    pub team_id: i64,
    pub at: Timestamp,
    pub actor_type: &'a str,
    pub actor_id: Option<i64>,
    pub actor: &'a str,
    /// The name of the MCP token, or of the client, through which it was done, if through one.
    pub mcp_token: Option<&'a str>,
    pub address: Option<String>,
    pub action: &'a str,
    pub target_type: &'a str,
    pub target_id: &'a str,
    /// JSON.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What is done to a ring: an entry names lists and counts, and nothing of a person.
pub const RING_BANNED: &str = "ring.ban";
/// The undoing of what another entry tells of, which is its target.
pub const UNDONE: &str = "audit-entry.undo";
pub const ENTRY: &str = "audit-entry";

/// Takes a thing out of the entries about it, which say `name` from now on. What a ban of a ring put on lists stays known,
/// so that it can be undone.
pub fn forget(tx: &mut Tx, team_id: i64, target_type: &str, target_id: &str, name: &str) -> Result<()> {
    tx.execute(
        "update audit_log set target_id = $4, before = null,
           after = case when action = 'ring.ban' then after else null end
         where team_id = $1 and target_type = $2 and target_id = $3",
        &values![team_id, target_type, target_id, name],
    )?;
    Ok(())
}

/// Stores an entry; the answer is its id.
pub fn insert(tx: &mut Tx, entry: &NewEntry) -> Result<i64> {
    tx.get(
        "insert into audit_log (team_id, at, actor_type, actor_id, actor, mcp_token, address, action,
           target_type, target_id, before, after)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id",
        &values![
            entry.team_id,
            entry.at,
            entry.actor_type,
            entry.actor_id,
            entry.actor,
            entry.mcp_token,
            &entry.address,
            entry.action,
            entry.target_type,
            entry.target_id,
            &entry.before,
            &entry.after,
        ],
        |row| row.get(0),
    )
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub at: Timestamp,
    pub actor_type: String,
    pub actor_id: Option<i64>,
    pub actor: String,
    pub mcp_token: Option<String>,
    pub address: Option<String>,
    pub action: String,
    pub target_type: String,
    pub target_id: String,
    /// JSON.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub id: Option<i64>,
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target_type: Option<String>,
    pub target_id: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Filter {
    fn matching(&self, select: &str, team_id: i64) -> Sql<'_> {
        let mut sql = Sql::new(select);
        sql.bind(" from audit_log where team_id = ", team_id);
        sql.bind_some(" and id = ", self.id);
        sql.bind_some(" and actor = ", self.actor.as_deref());
        sql.bind_some(" and action = ", self.action.as_deref());
        sql.bind_some(" and target_type = ", self.target_type.as_deref());
        sql.bind_some(" and target_id = ", self.target_id.as_deref());
        sql.bind_some(" and at >= ", self.from);
        sql.bind_some(" and at < ", self.to);
        sql
    }
}

/// How many match, counted up to `limit`.
pub fn count(tx: &mut Tx, team_id: i64, filter: &Filter, limit: i64) -> Result<i64> {
    let mut sql = filter.matching("select 1", team_id);
    sql.bind(" limit ", limit);
    tx.get(&format!("select count(*) from ({}) found", sql.text), &sql.values, |row| row.get(0))
}

/// A page of what matches, in the order in which it was done.
pub fn page(
    tx: &mut Tx,
    team_id: i64,
    filter: &Filter,
    ascending: bool,
    offset: i64,
    limit: i64,
) -> Result<Vec<Entry>> {
    let select = format!("select {COLUMNS}");
    let mut sql = filter.matching(&select, team_id);
    let order = format!(" order by id {}", direction(ascending));
    sql.push(&order).bind(" limit ", limit).bind(" offset ", offset);
    tx.query(&sql.text, &sql.values, read)
}

/// An entry of a team, which nobody else has with this function until the transaction ends.
pub fn lock(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Entry>> {
    let sql =
        format!("update audit_log set action = action where team_id = $1 and id = $2 returning {COLUMNS}");
    tx.find(&sql, &values![team_id, id], read)
}

/// An entry of a team.
pub fn get(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Entry>> {
    let sql = format!("select {COLUMNS} from audit_log where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// The bans of rings at a moment.
pub fn bans_at(tx: &mut Tx, team_id: i64, at: Timestamp) -> Result<Vec<Entry>> {
    let sql = format!(
        "select {COLUMNS} from audit_log where team_id = $1 and at = $2 and action = 'ring.ban' order by id"
    );
    tx.query(&sql, &values![team_id, at], read)
}

/// Where these entries of a team were undone: entries whose target each is.
pub fn undoings(tx: &mut Tx, team_id: i64, ids: &[i64]) -> Result<Vec<Entry>> {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    let rows: Vec<_> = ids.iter().map(|id| values![team_id, id]).collect();
    let columns =
        COLUMNS.split(',').map(|column| format!("a.{}", column.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "with v (team_id, target_id) as (values {{rows}})
         select {columns} from v join audit_log a on a.team_id = v.team_id and a.target_id = v.target_id
           and a.target_type = 'audit-entry' and a.action = 'audit-entry.undo'"
    );
    tx.query_rows(&sql, &rows, read)
}

const COLUMNS: &str =
    "id, at, actor_type, actor_id, actor, address, action, target_type, target_id, before, after,
    mcp_token";

fn read(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        at: row.time(1)?,
        actor_type: row.get(2)?,
        actor_id: row.get(3)?,
        actor: row.get(4)?,
        address: row.get(5)?,
        action: row.get(6)?,
        target_type: row.get(7)?,
        target_id: row.get(8)?,
        before: row.get(9)?,
        after: row.get(10)?,
        mcp_token: row.get(11)?,
    })
}
