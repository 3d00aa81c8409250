//! Saved views of lists.

use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// A list with these filters in this order, under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub id: i64,
    /// The list, such as `identities`.
    pub page: String,
    pub name: String,
    /// As in the address of the list's page.
    pub query: String,
    /// Who made it, by the name that the audit log has, too.
    pub created_by: String,
    pub created_at: Timestamp,
}

/// A team's views of one list, or of all, by name.
pub fn list(tx: &mut Tx, team_id: i64, page: Option<&str>) -> Result<Vec<View>> {
    tx.query(
        "select id, page, name, query, created_by, created_at from views
         where team_id = $1 and (cast($2 as text) is null or page = $2) order by page, name",
        &values![team_id, page],
        read,
    )
}

fn read(row: &Row) -> Result<View> {
    Ok(View {
        id: row.get(0)?,
        page: row.get(1)?,
        name: row.get(2)?,
        query: row.get(3)?,
        created_by: row.get(4)?,
        created_at: row.time(5)?,
    })
}

/// How many a team has.
pub fn count(tx: &mut Tx, team_id: i64) -> Result<i64> {
    tx.get("select count(*) from views where team_id = $1", &values![team_id], |row| row.get(0))
}

/// Adds a view and gives its id.
///
/// # Errors
/// [`super::StoreError::Conflict`] where its list has one of that name.
pub fn insert(tx: &mut Tx, team_id: i64, view: &View) -> Result<i64> {
    let View { id: _, page, name, query, created_by, created_at } = view;
    tx.get(
        "insert into views (team_id, page, name, query, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6) returning id",
        &values![team_id, page, name, query, created_by, *created_at],
        |row| row.get(0),
    )
}

/// Removes a view; as it was, if it was there.
pub fn delete(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<View>> {
    tx.find(
        "delete from views where team_id = $1 and id = $2
         returning id, page, name, query, created_by, created_at",
        &values![team_id, id],
        read,
    )
}
