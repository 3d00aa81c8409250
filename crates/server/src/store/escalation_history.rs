//! What has become of an escalation, and what people have noted of it.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::escalations::Escalation;
use super::{Result, Row, StoreError, Tx};
use crate::values;

/// What has happened. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Assigned = 0,
    Acknowledged = 1,
    Closed = 2,
    Reopened = 3,
    Note = 4,
    Snoozed = 5,
    SnoozeEnded = 6,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Assigned,
        Self::Acknowledged,
        Self::Closed,
        Self::Reopened,
        Self::Note,
        Self::Snoozed,
        Self::SnoozeEnded,
    ];
}

/// An entry about to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    pub team_id: i64,
    /// Row id of the identity, and id of its escalation.
    pub of: (i64, i64),
    pub kind: Kind,
    /// `None` for a rule.
    pub actor: Option<&'a str>,
    /// To whom it was assigned, why it was closed, until when its rule is snoozed, or a note.
    pub text: Option<&'a str>,
    pub at: Timestamp,
}

/// Stores entries; the answer is their ids.
pub fn insert(tx: &mut Tx, new: &[NewEntry]) -> Result<Vec<i64>> {
    let rows: Vec<_> = new
        .iter()
        .map(|new| {
            let (identity_id, escalation_id) = new.of;
            values![
                shard::of(identity_id),
                new.team_id,
                identity_id,
                escalation_id,
                new.kind as i64,
                new.actor,
                new.text,
                new.at,
            ]
        })
        .collect();
    tx.query_rows(
        "insert into escalation_history (id, shard, team_id, identity_id, escalation_id, kind, actor, text, at)
         values {new rows} returning id",
        &rows,
        |row| row.get(0),
    )
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub escalation_id: i64,
    pub kind: Kind,
    pub actor: Option<String>,
    pub text: Option<String>,
    pub at: Timestamp,
}

const COLUMNS: &str = "id, escalation_id, kind, actor, text, at";

fn read(row: &Row) -> Result<Entry> {
    let kind: i64 = row.get(2)?;
    let known = Kind::ALL.into_iter().find(|known| *known as i64 == kind);
    Ok(Entry {
        id: row.get(0)?,
        escalation_id: row.get(1)?,
        kind: known
            .ok_or_else(|| StoreError::Broken(format!("{kind} is nothing that happens to escalations")))?,
        actor: row.get(3)?,
        text: row.get(4)?,
        at: row.time(5)?,
    })
}

/// Up to `limit` entries of an escalation, the newest first.
pub fn of_escalation(tx: &mut Tx, escalation_id: i64, limit: i64) -> Result<Vec<Entry>> {
    let sql = format!(
        "select {COLUMNS} from escalation_history where shard = $2 and escalation_id = $1 order by id desc limit $3"
    );
    tx.query(&sql, &values![escalation_id, shard::of(escalation_id), limit], read)
}

/// What an escalation's own row says of it and no entry does: what its rule has done, and what was done before there
/// were entries.
pub fn unwritten<'e>(
    escalation: &'e Escalation,
    entries: &[Entry],
) -> Vec<(Kind, Option<&'e str>, Option<&'e str>, Timestamp)> {
    let e = escalation;
    let moments = [
        e.acknowledged_at.map(|at| (Kind::Acknowledged, e.acknowledged_by.as_deref(), None, at)),
        e.closed_at.map(|at| (Kind::Closed, e.closed_by.as_deref(), e.close_reason.as_deref(), at)),
    ];
    let is_written = |kind: Kind, at| entries.iter().any(|entry| entry.kind == kind && entry.at == at);
    moments.into_iter().flatten().filter(|(kind, .., at)| !is_written(*kind, *at)).collect()
}

/// Up to `limit` entries of an identity's escalations, the oldest first.
pub fn of_identity(tx: &mut Tx, identity_id: i64, limit: i64) -> Result<Vec<Entry>> {
    let sql = format!(
        "select {COLUMNS} from escalation_history where shard = $2 and identity_id = $1 order by id limit $3"
    );
    tx.query(&sql, &values![identity_id, shard::of(identity_id), limit], read)
}

/// How many notes an escalation has.
pub fn count_notes(tx: &mut Tx, escalation_id: i64) -> Result<i64> {
    let sql = "select count(*) from escalation_history where shard = $2 and escalation_id = $1 and kind = $3";
    tx.get(sql, &values![escalation_id, shard::of(escalation_id), Kind::Note as i64], |row| row.get(0))
}

/// The note of an escalation with this id.
pub fn find_note(tx: &mut Tx, escalation_id: i64, id: i64) -> Result<Option<Entry>> {
    let sql = format!(
        "select {COLUMNS} from escalation_history where shard = $3 and escalation_id = $1 and id = $2 and kind = $4"
    );
    tx.find(&sql, &values![escalation_id, id, shard::of(escalation_id), Kind::Note as i64], read)
}

/// Takes a note away, and whom it mentions.
pub fn remove_note(tx: &mut Tx, id: i64) -> Result<()> {
    let key = values![id, shard::of(id)];
    tx.execute("delete from escalation_mentions where shard = $2 and note_id = $1", &key)?;
    tx.execute("delete from escalation_history where shard = $2 and id = $1", &key)?;
    Ok(())
}

/// Writes down that a note mentions a member; `of` is as in [`NewEntry`].
pub fn mention(tx: &mut Tx, team_id: i64, of: (i64, i64), note_id: i64, member: &str) -> Result<()> {
    tx.execute(
        "insert into escalation_mentions (note_id, shard, team_id, identity_id, escalation_id, member)
         values ($1, $2, $3, $4, $5, $6)",
        &values![note_id, shard::of(note_id), team_id, of.0, of.1, member],
    )?;
    Ok(())
}

/// Whom the notes of an escalation mention, each with the id of the note.
pub fn mentions(tx: &mut Tx, identity_id: i64, escalation_id: i64) -> Result<Vec<(i64, String)>> {
    let sql = "select note_id, member from escalation_mentions
         where shard = $3 and identity_id = $1 and escalation_id = $2 order by note_id, member";
    tx.query(sql, &values![identity_id, escalation_id, shard::of(identity_id)], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}
