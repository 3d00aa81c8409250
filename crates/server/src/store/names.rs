//! Words of a team that lists look for, each with a number.

use super::{Result, StoreError, Tx};
use crate::values;

/// What a word names. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    Event = 1,
    GroupType = 2,
}

impl NameKind {
    fn from_code(code: i64) -> Result<Self> {
        [Self::Event, Self::GroupType]
            .into_iter()
            .find(|kind| *kind as i64 == code)
            .ok_or_else(|| StoreError::Broken(format!("{code} is no kind of name")))
    }
}

/// A word and its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub team_id: i64,
    pub kind: NameKind,
    pub name: String,
    pub id: i64,
}

/// Makes sure that the words are there, and answers them with their numbers. Each must stand here
/// only once.
pub fn number(tx: &mut Tx, words: &[(i64, NameKind, &str)]) -> Result<Vec<Name>> {
    let rows: Vec<_> = words.iter().map(|(team, kind, name)| values![*team, *kind as i64, *name]).collect();
    tx.execute_rows("insert into names (team_id, kind, name) values {rows} on conflict do nothing", &rows)?;
    tx.query_rows(
        "with v (team_id, kind, name) as (values {rows})
         select n.team_id, n.kind, n.name, n.id from v join names n
         on n.team_id = v.team_id and n.kind = v.kind and n.name = v.name",
        &rows,
        read,
    )
}

/// The words after number `id`, in order.
pub fn after(tx: &mut Tx, id: i64) -> Result<Vec<Name>> {
    tx.query("select team_id, kind, name, id from names where id > $1 order by id", &values![id], read)
}

fn read(row: &super::Row) -> Result<Name> {
    Ok(Name {
        team_id: row.get(0)?,
        kind: NameKind::from_code(row.get(1)?)?,
        name: row.get(2)?,
        id: row.get(3)?,
    })
}
