//! What teams add to datasets, or take away from them.

use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// An entry of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub team_id: i64,
    /// The slug of a dataset.
    pub dataset: String,
    pub value: String,
    /// False takes a shipped value away.
    pub included: bool,
    pub note: Option<String>,
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, team_id, dataset, value, included, note, created_at";

fn read(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        team_id: row.get(1)?,
        dataset: row.get(2)?,
        value: row.get(3)?,
        included: row.flag(4)?,
        note: row.get(5)?,
        created_at: row.time(6)?,
    })
}

/// Every entry of every team.
pub fn all(tx: &mut Tx) -> Result<Vec<Entry>> {
    tx.query(&format!("select {COLUMNS} from dataset_entries order by id"), &[], read)
}

/// The entries of a team for a dataset, by value.
pub fn of_team(tx: &mut Tx, team_id: i64, dataset: &str) -> Result<Vec<Entry>> {
    let sql =
        format!("select {COLUMNS} from dataset_entries where team_id = $1 and dataset = $2 order by value");
    tx.query(&sql, &values![team_id, dataset], read)
}

/// How many entries a team has for each dataset; those without are absent.
pub fn counts(tx: &mut Tx, team_id: i64) -> Result<Vec<(String, i64)>> {
    tx.query(
        "select dataset, count(*) from dataset_entries where team_id = $1 group by dataset order by dataset",
        &values![team_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Stores an entry; the answer is its id.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has one for this value.
pub fn insert(tx: &mut Tx, new: &Entry) -> Result<i64> {
    let found = tx.find(
        "insert into dataset_entries (team_id, dataset, value, included, note, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id",
        &values![
            new.team_id,
            new.dataset.as_str(),
            new.value.as_str(),
            new.included,
            &new.note,
            new.created_at
        ],
        |row| row.get(0),
    )?;
    found.ok_or(StoreError::Conflict)
}

/// Removes an entry; what it was, if it was there.
pub fn delete(tx: &mut Tx, team_id: i64, dataset: &str, id: i64) -> Result<Option<Entry>> {
    let sql = format!(
        "delete from dataset_entries where team_id = $1 and dataset = $2 and id = $3 returning {COLUMNS}"
    );
    tx.find(&sql, &values![team_id, dataset, id], read)
}
