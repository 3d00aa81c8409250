//! For whom rules have put entries on lists. An entry that somebody has changed since has another revision, and is no
//! longer the rules'.

use super::{Result, Row, Tx, Value};
use crate::values;

/// What of a rule matched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The badge with this slug was given.
    Badge(String),
    /// The escalation with this id was opened.
    Escalation(i64),
}

/// One of those for whom an entry is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub id: i64,
    pub team_id: i64,
    pub list_id: i64,
    pub entry_id: i64,
    /// The entry's, when it was put in for this, or when a rule changed it last.
    pub revision: i64,
    /// The row of the identity.
    pub identity_id: i64,
    pub cause: Cause,
}

const COLUMNS: &str =
    "s.id, s.team_id, s.list_id, s.entry_id, s.revision, s.identity_id, s.badge, s.escalation_id";

fn read(row: &Row) -> Result<Source> {
    let badge: Option<String> = row.get(6)?;
    Ok(Source {
        id: row.get(0)?,
        team_id: row.get(1)?,
        list_id: row.get(2)?,
        entry_id: row.get(3)?,
        revision: row.get(4)?,
        identity_id: row.get(5)?,
        cause: match badge {
            Some(badge) => Cause::Badge(badge),
            None => Cause::Escalation(row.get::<Option<i64>>(7)?.unwrap_or_default()),
        },
    })
}

/// Adds sources, whatever their ids say.
pub fn insert(tx: &mut Tx, sources: &[Source]) -> Result<()> {
    let rows: Vec<[Value<'_>; 7]> = sources
        .iter()
        .map(|source| {
            let Source { team_id, list_id, entry_id, revision, identity_id, cause, .. } = source;
            let (badge, escalation) = match cause {
                Cause::Badge(slug) => (Some(slug.as_str()), None),
                Cause::Escalation(id) => (None, Some(*id)),
            };
            values![*team_id, *list_id, *entry_id, *revision, *identity_id, badge, escalation]
        })
        .collect();
    tx.execute_rows(
        "insert into list_entry_sources (team_id, list_id, entry_id, revision, identity_id, badge, escalation_id)
         values {rows}",
        &rows,
    )?;
    Ok(())
}

/// Those of an identity, in the order in which they came.
pub fn of_identity(tx: &mut Tx, team_id: i64, identity_id: i64) -> Result<Vec<Source>> {
    let sql = format!(
        "select {COLUMNS} from list_entry_sources s where s.identity_id = $1 and s.team_id = $2 order by s.id"
    );
    tx.query(&sql, &values![identity_id, team_id], read)
}

/// Those of entries that nobody has changed since.
pub fn of_entries(tx: &mut Tx, (team_id, list_id): (i64, i64), entries: &[i64]) -> Result<Vec<Source>> {
    let rows: Vec<_> = entries.iter().map(|entry| values![team_id, list_id, *entry]).collect();
    let sql = format!(
        "with v (team_id, list_id, id) as (values {{rows}})
         select {COLUMNS} from v
         join list_entries e on e.team_id = v.team_id and e.list_id = v.list_id and e.id = v.id
         join list_entry_sources s on s.team_id = v.team_id and s.list_id = v.list_id and s.entry_id = v.id
           and s.revision = e.revision"
    );
    tx.query_rows(&sql, &rows, read)
}

/// Notes that a rule has changed an entry, which had this revision before.
pub fn keep_up(
    tx: &mut Tx,
    (team_id, list_id): (i64, i64),
    entry_id: i64,
    (before, revision): (i64, i64),
) -> Result<()> {
    tx.execute(
        "update list_entry_sources set revision = $5
         where team_id = $1 and list_id = $2 and entry_id = $3 and revision = $4",
        &values![team_id, list_id, entry_id, before, revision],
    )?;
    Ok(())
}

/// Removes sources by their ids.
pub fn delete(tx: &mut Tx, ids: &[i64]) -> Result<()> {
    let rows: Vec<_> = ids.iter().map(|id| values![*id]).collect();
    tx.execute_rows(
        "with v (id) as (values {rows}) delete from list_entry_sources where id in (select id from v)",
        &rows,
    )?;
    Ok(())
}

/// Removes those of an entry that is gone.
pub fn delete_of_entry(tx: &mut Tx, (team_id, list_id): (i64, i64), entry_id: i64) -> Result<()> {
    let sql = "delete from list_entry_sources where team_id = $1 and list_id = $2 and entry_id = $3";
    tx.execute(sql, &values![team_id, list_id, entry_id])?;
    Ok(())
}
