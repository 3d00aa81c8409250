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
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Assigned, Self::Acknowledged, Self::Closed, Self::Reopened, Self::Note];
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
    /// To whom it was assigned, why it was closed, or a note.
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
