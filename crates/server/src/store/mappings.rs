//! Mappings: what teams say their own names mean, over the shipped table.

use dregs_core::mapping::MappingKind;
use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// An entry of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub team_id: i64,
    pub kind: MappingKind,
    /// In lower_snake_case.
    pub source: String,
    /// The name of a canonical type; `None` takes a shipped meaning away.
    pub target: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, team_id, kind, source, target, created_at, updated_at";

fn read(row: &Row) -> Result<Entry> {
    let kind: String = row.get(2)?;
    let broken = || StoreError::Broken(format!("{kind} is no kind of mapping"));
    Ok(Entry {
        id: row.get(0)?,
        team_id: row.get(1)?,
        kind: MappingKind::parse(&kind).ok_or_else(broken)?,
        source: row.get(3)?,
        target: row.get(4)?,
        created_at: row.time(5)?,
        updated_at: row.time(6)?,
    })
}

/// Every entry of every team.
pub fn all(tx: &mut Tx) -> Result<Vec<Entry>> {
    tx.query(&format!("select {COLUMNS} from mappings order by id"), &[], read)
}

/// The team's entry with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Entry>> {
    let sql = format!("select {COLUMNS} from mappings where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// Stores an entry; the answer is its id.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has one for this source.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    kind: MappingKind,
    source: &str,
    target: Option<&str>,
    now: Timestamp,
) -> Result<i64> {
    let found = tx.find(
        "insert into mappings (team_id, kind, source, target, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id",
        &values![team_id, kind.name(), source, target, now, now],
        |row| row.get(0),
    )?;
    found.ok_or(StoreError::Conflict)
}

/// Changes what an entry says.
pub fn update(tx: &mut Tx, id: i64, target: Option<&str>, now: Timestamp) -> Result<()> {
    tx.execute("update mappings set target = $2, updated_at = $3 where id = $1", &values![id, target, now])?;
    Ok(())
}

pub fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("delete from mappings where id = $1", &values![id])?;
    Ok(())
}
