//! Changes of many escalations at once: what was asked for, and of each escalation what became of it.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::escalations::Status;
use super::{Result, Row, StoreError, Tx};
use crate::values;

/// A change of many escalations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkChange {
    pub id: i64,
    pub team_id: i64,
    /// Who asked for it: JSON.
    pub actor: String,
    /// What is done to each: JSON.
    pub change: String,
    pub total: i64,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub undo_asked_at: Option<Timestamp>,
    /// Who asked for that: JSON.
    pub undone_by: Option<String>,
    pub undone_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, team_id, actor, change, total, created_at, finished_at, undo_asked_at, undone_by, undone_at";

fn read(row: &Row) -> Result<BulkChange> {
    Ok(BulkChange {
        id: row.get(0)?,
        team_id: row.get(1)?,
        actor: row.get(2)?,
        change: row.get(3)?,
        total: row.get(4)?,
        created_at: row.time(5)?,
        finished_at: row.optional_time(6)?,
        undo_asked_at: row.optional_time(7)?,
        undone_by: row.get(8)?,
        undone_at: row.optional_time(9)?,
    })
}

/// What became of one escalation. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Waiting = 0,
    Changed = 1,
    /// It was as it should be, or it is gone.
    Skipped = 2,
    Undone = 3,
    /// Somebody has changed it since, and it is left as it is.
    Kept = 4,
}

/// An escalation of a bulk change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub escalation_id: i64,
    /// What it was before; `None` where it was not changed.
    pub status: Option<Status>,
    pub assignee: Option<String>,
    /// The label that was given with it.
    pub label_id: Option<i64>,
}

/// Stores a change that waits, of escalations with the rows of their identities; the answer is its id.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    (actor, change): (&str, &str),
    escalations: &[(i64, i64)],
    now: Timestamp,
) -> Result<i64> {
    let total = i64::try_from(escalations.len()).unwrap_or(i64::MAX);
    let id = tx.get(
        "insert into bulk_changes (team_id, actor, change, total, created_at)
         values ($1, $2, $3, $4, $5) returning id",
        &values![team_id, actor, change, total, now],
        |row| row.get::<i64>(0),
    )?;
    let rows: Vec<_> = escalations
        .iter()
        .map(|(escalation, identity)| {
            values![id, shard::of(*escalation), *escalation, *identity, State::Waiting as i64]
        })
        .collect();
    tx.execute_rows(
        "insert into bulk_change_items (bulk_change_id, shard, escalation_id, identity_id, state) values {rows}",
        &rows,
    )?;
    Ok(id)
}

/// The team's change with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<BulkChange>> {
    let sql = format!("select {COLUMNS} from bulk_changes where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// The newest changes of a team.
pub fn newest(tx: &mut Tx, team_id: i64, limit: i64) -> Result<Vec<BulkChange>> {
    let sql = format!("select {COLUMNS} from bulk_changes where team_id = $1 order by id desc limit $2");
    tx.query(&sql, &values![team_id, limit], read)
}

/// How many escalations of a change are in which state.
pub fn tally(tx: &mut Tx, id: i64) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "select state, count(*) from bulk_change_items where bulk_change_id = $1 group by state",
        &values![id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Has whoever works on changes take one back; `false` where that was asked for before, or it is not finished.
pub fn ask_undo(tx: &mut Tx, id: i64, by: &str, now: Timestamp) -> Result<bool> {
    let sql = "update bulk_changes set undo_asked_at = $2, undone_by = $3
         where id = $1 and finished_at is not null and undo_asked_at is null";
    Ok(tx.execute(sql, &values![id, now, by])? == 1)
}

/// The oldest change of which something is left to do, or to undo; one that another node works on is passed over.
pub fn unfinished(tx: &mut Tx) -> Result<Option<BulkChange>> {
    let sql = format!(
        "select {COLUMNS} from bulk_changes
         where finished_at is null or (undo_asked_at is not null and undone_at is null)
         order by id limit 1{}",
        tx.skip_locked()
    );
    tx.find(&sql, &[], read)
}

/// Up to `limit` escalations of a change that are in a state, in order; those by which a label was given come last.
pub fn items(tx: &mut Tx, id: i64, state: State, limit: i64) -> Result<Vec<Item>> {
    tx.query(
        "select escalation_id, status, assignee, label_id from bulk_change_items
         where bulk_change_id = $1 and state = $2
         order by case when label_id is null then 0 else 1 end, escalation_id limit $3",
        &values![id, state as i64, limit],
        |row| {
            let status = row.get::<Option<i64>>(1)?;
            let known = |code| Status::ALL.into_iter().find(|known| *known as i64 == code);
            Ok(Item {
                escalation_id: row.get(0)?,
                status: status.and_then(known),
                assignee: row.get(2)?,
                label_id: row.get(3)?,
            })
        },
    )
}

/// Whether a label was given to an identity by a change.
pub fn has_labeled(tx: &mut Tx, id: i64, identity_id: i64) -> Result<bool> {
    let sql = "select label_id from bulk_change_items
         where bulk_change_id = $1 and shard = $3 and identity_id = $2 and label_id is not null limit 1";
    let found = tx.find(sql, &values![id, identity_id, shard::of(identity_id)], |row| row.get::<i64>(0))?;
    Ok(found.is_some())
}

/// Notes escalations that have changed with others of their identities: each with the row of the identity and what it was.
pub fn note_changed(tx: &mut Tx, id: i64, changed: &[(i64, i64, Status, Option<String>)]) -> Result<()> {
    let rows: Vec<_> = changed
        .iter()
        .map(|(escalation, identity, status, assignee)| {
            let (shard, state) = (shard::of(*escalation), State::Changed as i64);
            values![id, shard, *escalation, *identity, state, *status as i64, assignee]
        })
        .collect();
    tx.execute_rows(
        "insert into bulk_change_items (bulk_change_id, shard, escalation_id, identity_id, state, status, assignee)
         values {rows}
         on conflict (bulk_change_id, escalation_id, shard) do update
           set state = excluded.state, status = excluded.status, assignee = excluded.assignee
           where bulk_change_items.state = 0",
        &rows,
    )?;
    Ok(())
}

/// Writes what became of an escalation that was in a state.
///
/// # Errors
/// [`StoreError::Retry`] where it is in that state no longer: somebody else works on it.
pub fn settle(tx: &mut Tx, id: i64, item: &Item, from: State, to: State) -> Result<()> {
    let changed = tx.execute(
        "update bulk_change_items set state = $4, status = $5, assignee = $6, label_id = $7
         where bulk_change_id = $1 and shard = $8 and escalation_id = $2 and state = $3",
        &values![
            id,
            item.escalation_id,
            from as i64,
            to as i64,
            item.status.map(|status| status as i64),
            item.assignee.as_deref(),
            item.label_id,
            shard::of(item.escalation_id),
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Retry) }
}

/// Notes that a change was carried out, or, if that was asked for, undone.
pub fn finish(tx: &mut Tx, change: &BulkChange, now: Timestamp) -> Result<()> {
    let sql = match change.finished_at {
        None => "update bulk_changes set finished_at = $2 where id = $1",
        Some(_) => "update bulk_changes set undone_at = $2 where id = $1",
    };
    tx.execute(sql, &values![change.id, now])?;
    Ok(())
}

/// Removes up to `limit` rows of a change that is done with and was made before `before`; `false` where there is none.
pub fn forget_some(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<bool> {
    let old = "select id from bulk_changes where created_at < $1 and finished_at is not null
         and (undo_asked_at is null or undone_at is not null) order by id limit 1";
    let Some(id) = tx.find(old, &values![before], |row| row.get::<i64>(0))? else { return Ok(false) };
    let last = tx.query(
        "select escalation_id from bulk_change_items where bulk_change_id = $1 order by escalation_id limit $2",
        &values![id, limit],
        |row| row.get::<i64>(0),
    )?;
    match last.last() {
        Some(last) => tx.execute(
            "delete from bulk_change_items where bulk_change_id = $1 and escalation_id <= $2",
            &values![id, *last],
        )?,
        None => tx.execute("delete from bulk_changes where id = $1", &values![id])?,
    };
    Ok(true)
}
