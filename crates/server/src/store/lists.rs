//! Lists of a team's own, and what is on them. Whoever changes a list takes its next revision, which locks it until the
//! transaction ends.

use std::collections::BTreeSet;

use dregs_core::list::{Change, ListType};
use dregs_core::time::Timestamp;

use super::list_sources;
use super::versions::{self, Kept};
use super::{Result, Row, StoreError, Tx, Value};
use crate::values;

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamList {
    pub id: i64,
    pub team_id: i64,
    pub slug: String,
    pub name: String,
    pub description: Option<String>,
    pub list_type: ListType,
    pub trusted: bool,
    /// Grows with each change of the list or of what is on it.
    pub revision: i64,
    /// What was taken out after this revision is known.
    pub removals_since: i64,
    pub entry_count: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

const COLUMNS: &str =
    "id, team_id, slug, name, description, type, trusted, revision, removals_since, entry_count,
    created_at, updated_at";

fn read(row: &Row) -> Result<TeamList> {
    let name: String = row.get(5)?;
    let unknown = || StoreError::Broken(format!("there is no list type {name}"));
    Ok(TeamList {
        id: row.get(0)?,
        team_id: row.get(1)?,
        slug: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        list_type: ListType::parse(&name).ok_or_else(unknown)?,
        trusted: row.flag(6)?,
        revision: row.get(7)?,
        removals_since: row.get(8)?,
        entry_count: row.get(9)?,
        created_at: row.time(10)?,
        updated_at: row.time(11)?,
    })
}

/// The lists of every team.
pub fn all(tx: &mut Tx) -> Result<Vec<TeamList>> {
    tx.query(&format!("select {COLUMNS} from lists where deleted_at is null order by id"), &[], read)
}

/// The lists of a team, by name.
pub fn of_team(tx: &mut Tx, team_id: i64) -> Result<Vec<TeamList>> {
    let sql =
        format!("select {COLUMNS} from lists where team_id = $1 and deleted_at is null order by name, id");
    tx.query(&sql, &values![team_id], read)
}

/// A list of a team.
pub fn get(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<TeamList>> {
    let sql = format!("select {COLUMNS} from lists where team_id = $1 and id = $2 and deleted_at is null");
    tx.find(&sql, &values![team_id, id], read)
}

/// The list of a team with this slug.
pub fn by_slug(tx: &mut Tx, team_id: i64, slug: &str) -> Result<Option<TeamList>> {
    let sql = format!("select {COLUMNS} from lists where team_id = $1 and slug = $2 and deleted_at is null");
    tx.find(&sql, &values![team_id, slug], read)
}

/// Keeps everybody else from changing these lists, by team and slug, and from having lists read again, until the
/// transaction ends: before anything else is locked, since whoever changes a list locks it first.
pub fn lock(tx: &mut Tx, of: &BTreeSet<(i64, &str)>) -> Result<()> {
    // SQLite has one writer.
    if of.is_empty() || tx.dialect("", "postgres").is_empty() {
        return Ok(());
    }
    for (team_id, slug) in of {
        let sql = "select id from lists where team_id = $1 and slug = $2 and deleted_at is null for update";
        tx.find(sql, &values![*team_id, *slug], |row| row.get::<i64>(0))?;
    }
    versions::lock(tx, Kept::Lists)
}

/// Stores a list with nothing on it; the answer is its id.
///
/// # Errors
/// [`StoreError::Conflict`] when the team has one with this slug.
pub fn insert(tx: &mut Tx, new: &TeamList) -> Result<i64> {
    let found = tx.find(
        "insert into lists (team_id, slug, name, description, type, trusted, revision, removals_since, entry_count,
           created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, 0, 0, $7, $7) on conflict do nothing returning id",
        &values![
            new.team_id,
            new.slug.as_str(),
            new.name.as_str(),
            &new.description,
            new.list_type.name(),
            new.trusted,
            new.created_at
        ],
        |row| row.get(0),
    )?;
    versions::grow(tx, Kept::Lists)?;
    found.ok_or(StoreError::Conflict)
}

/// Takes the next revision of a list, at the moment `now`; the answer is the list with it, and nobody else changes it
/// until the transaction ends. `None` where the team has no such list.
pub fn next_revision(tx: &mut Tx, team_id: i64, id: i64, now: Timestamp) -> Result<Option<TeamList>> {
    let sql = format!(
        "update lists set revision = revision + 1, updated_at = $3
         where team_id = $1 and id = $2 and deleted_at is null returning {COLUMNS}"
    );
    let found = tx.find(&sql, &values![team_id, id, now], read)?;
    versions::grow(tx, Kept::Lists)?;
    Ok(found)
}

/// Changes the name, the description and whether it is trusted, of a list whose next revision was taken.
pub fn update(tx: &mut Tx, list: &TeamList) -> Result<()> {
    let values = values![list.team_id, list.id, list.name.as_str(), &list.description, list.trusted];
    let sql = "update lists set name = $3, description = $4, trusted = $5 where team_id = $1 and id = $2";
    tx.execute(sql, &values)?;
    Ok(())
}

/// Takes a list away: nobody sees it any more, and what is on it goes by [`purge_some`].
pub fn delete(tx: &mut Tx, team_id: i64, id: i64, now: Timestamp) -> Result<()> {
    let sql = "update lists set deleted_at = $3 where team_id = $1 and id = $2";
    tx.execute(sql, &values![team_id, id, now])?;
    versions::grow(tx, Kept::Lists)
}

/// Removes about `limit` rows of lists that were taken away; 0 when none is left.
pub fn purge_some(tx: &mut Tx, limit: i64) -> Result<u64> {
    let sql = "select team_id, id from lists where deleted_at is not null order by id limit 1";
    let gone = tx.find(sql, &[], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    let Some((team_id, id)) = gone else { return Ok(0) };
    let mut removed = 0;
    for table in ["list_entries", "list_removals", "list_entry_sources"] {
        let piece = format!("select id from {table} where team_id = $1 and list_id = $2 limit $3");
        let sql = format!("delete from {table} where id in ({piece})");
        removed += tx.execute(&sql, &values![team_id, id, limit])?;
    }
    if removed == 0 {
        removed = tx.execute("delete from lists where team_id = $1 and id = $2", &values![team_id, id])?;
    }
    Ok(removed)
}

/// Forgets what was taken off a list up to a revision: who knows nothing newer reads all that is on it.
pub fn forget_removals(tx: &mut Tx, (team_id, list_id): (i64, i64), revision: i64) -> Result<()> {
    let key = values![team_id, list_id, revision];
    tx.execute("update lists set removals_since = $3 where team_id = $1 and id = $2", &key)?;
    tx.execute("delete from list_removals where team_id = $1 and list_id = $2 and revision <= $3", &key)?;
    Ok(())
}

/// What is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    /// As the list's type spells it.
    pub value: String,
    pub comment: Option<String>,
    pub author: String,
    pub created_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    /// The list's, when it was put in or changed last.
    pub revision: i64,
}

const ENTRY: &str = "e.id, e.value, e.comment, e.author, e.created_at, e.ends_at, e.revision";

fn read_entry(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        value: row.get(1)?,
        comment: row.get(2)?,
        author: row.get(3)?,
        created_at: row.time(4)?,
        ends_at: row.optional_time(5)?,
        revision: row.get(6)?,
    })
}

/// The entries of a list that have these values.
pub fn with_values(tx: &mut Tx, (team_id, list_id): (i64, i64), values: &[String]) -> Result<Vec<Entry>> {
    let rows: Vec<_> = values.iter().map(|value| values![team_id, list_id, value]).collect();
    let sql = format!(
        "with v (team_id, list_id, value) as (values {{rows}})
         select {ENTRY} from v join list_entries e on e.team_id = v.team_id and e.list_id = v.list_id and e.value = v.value"
    );
    tx.query_rows(&sql, &rows, read_entry)
}

/// Puts entries on a list, each value once, at its revision. Those with a value that is there take its place.
pub fn put_entries(tx: &mut Tx, (team_id, list_id): (i64, i64), entries: &[Entry]) -> Result<()> {
    let rows: Vec<[Value<'_>; 9]> = entries
        .iter()
        .map(|entry| {
            let Entry { value, comment, author, created_at, ends_at, revision, .. } = entry;
            values![team_id, list_id, value, comment, author, *created_at, *ends_at, false, *revision]
        })
        .collect();
    tx.execute_rows(
        "insert into list_entries (team_id, list_id, value, comment, author, created_at, ends_at, ended, revision)
         values {rows} on conflict (team_id, list_id, value) do update set comment = excluded.comment,
           author = excluded.author, created_at = excluded.created_at, ends_at = excluded.ends_at,
           ended = excluded.ended, revision = excluded.revision",
        &rows,
    )?;
    Ok(())
}

/// Notes how many entries a list has more, or, below zero, fewer.
pub fn count_entries(tx: &mut Tx, (team_id, list_id): (i64, i64), more: i64) -> Result<()> {
    let sql = "update lists set entry_count = entry_count + $3 where team_id = $1 and id = $2";
    tx.execute(sql, &values![team_id, list_id, more])?;
    Ok(())
}

/// Takes an entry off a list, at its revision; what it was, if it was there.
pub fn delete_entry(
    tx: &mut Tx,
    (team_id, list_id): (i64, i64),
    id: i64,
    revision: i64,
) -> Result<Option<Entry>> {
    let columns = ENTRY.replace("e.", "");
    let sql = format!(
        "delete from list_entries where team_id = $1 and list_id = $2 and id = $3 returning {columns}"
    );
    let found = tx.find(&sql, &values![team_id, list_id, id], read_entry)?;
    if let Some(entry) = &found {
        list_sources::delete_of_entry(tx, (team_id, list_id), id)?;
        tx.execute(
            "insert into list_removals (team_id, list_id, value, revision) values ($1, $2, $3, $4)",
            &values![team_id, list_id, entry.value.as_str(), revision],
        )?;
    }
    Ok(found)
}

/// The values of entries that were put on a list, or changed, at one revision, and not since.
pub fn put_at(tx: &mut Tx, (team_id, list_id): (i64, i64), put_at: i64) -> Result<Vec<String>> {
    let sql = "select value from list_entries where team_id = $1 and list_id = $2 and revision = $3";
    tx.query(sql, &values![team_id, list_id, put_at], |row| row.get(0))
}

/// Takes those entries off the list, at its revision; the answer is their values.
pub fn take_back(
    tx: &mut Tx,
    (team_id, list_id): (i64, i64),
    put_at: i64,
    revision: i64,
) -> Result<Vec<String>> {
    let sql =
        "delete from list_entries where team_id = $1 and list_id = $2 and revision = $3 returning value";
    let gone: Vec<String> = tx.query(sql, &values![team_id, list_id, put_at], |row| row.get(0))?;
    let rows: Vec<_> = gone.iter().map(|value| values![team_id, list_id, value, revision]).collect();
    tx.execute_rows("insert into list_removals (team_id, list_id, value, revision) values {rows}", &rows)?;
    Ok(gone)
}

/// Up to `limit` entries of a list after the value `after`, in the order of their values, of those that have `term`
/// in them.
pub fn page(
    tx: &mut Tx,
    (team_id, list_id): (i64, i64),
    term: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Entry>> {
    let escaped = term.map(|term| term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let like = format!("%{}%", escaped.unwrap_or_default());
    let sql = format!(
        "select {ENTRY} from list_entries e where team_id = $1 and list_id = $2 and value > $3
           and value like $4 escape '\\' order by value limit $5"
    );
    tx.query(&sql, &values![team_id, list_id, after, &like, limit], read_entry)
}

/// Up to `limit` entries of a list that were put in or changed after a revision, after the entry with the id `after`.
pub fn changed_since(
    tx: &mut Tx,
    (team_id, list_id): (i64, i64),
    (revision, after): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, Change)>> {
    // Of a list that is read from its beginning all have changed.
    let condition = if revision > 0 { "revision > $3" } else { "revision >= $3" };
    let sql = format!(
        "select id, value, ends_at from list_entries
         where team_id = $1 and list_id = $2 and {condition} and id > $4 order by id limit $5"
    );
    tx.query(&sql, &values![team_id, list_id, revision, after, limit], |row| {
        let ends_at = row.optional_time(2)?;
        Ok((row.get(0)?, Change { value: row.get(1)?, is_in: true, ends_at }))
    })
}

/// What was taken off a list after a revision.
pub fn removed_since(tx: &mut Tx, (team_id, list_id): (i64, i64), revision: i64) -> Result<Vec<Change>> {
    tx.query(
        "select value from list_removals where team_id = $1 and list_id = $2 and revision > $3 order by id",
        &values![team_id, list_id, revision],
        |row| Ok(Change { value: row.get(0)?, is_in: false, ends_at: None }),
    )
}

/// An entry of a list of a team.
pub struct Ended {
    pub team_id: i64,
    pub list_id: i64,
    pub id: i64,
    pub value: String,
}

/// Up to `limit` entries whose end has passed at `now` and of which nobody was told; the next time they are not among
/// them.
pub fn take_ended(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Ended>> {
    let sql = format!(
        "update list_entries set ended = 1 where id in (select id from list_entries
           where ended = 0 and ends_at is not null and ends_at <= $1 order by ends_at limit $2{})
         returning team_id, list_id, id, value",
        tx.skip_locked()
    );
    tx.query(&sql, &values![now, limit], |row| {
        Ok(Ended { team_id: row.get(0)?, list_id: row.get(1)?, id: row.get(2)?, value: row.get(3)? })
    })
}

/// Whether an entry has ended of which nobody was told, or something is left of a list that was taken away.
pub fn has_work(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let ended =
        "select id from list_entries where ended = 0 and ends_at is not null and ends_at <= $1 limit 1";
    let gone = "select id from lists where deleted_at is not null limit 1";
    let is_there = |row: &Row| row.get::<i64>(0).map(drop);
    Ok(tx.find(ended, &values![now], is_there)?.is_some() || tx.find(gone, &[], is_there)?.is_some())
}
