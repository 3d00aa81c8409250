//! What rules were, revision by revision, and the draft that somebody has put beside one.

use dregs_core::rules::Kind;
use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// A version of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `None` for the draft.
    pub revision: Option<i64>,
    /// As the API takes it: JSON.
    pub definition: String,
    pub created_at: Timestamp,
    /// As the audit log calls them; `None` for what was made before versions were kept.
    pub created_by: Option<String>,
}

fn read(row: &Row) -> Result<Version> {
    Ok(Version {
        revision: row.get(0)?,
        definition: row.get(1)?,
        created_at: row.time(2)?,
        created_by: row.get(3)?,
    })
}

/// Which rule of a team.
#[derive(Clone, Copy, Debug)]
pub struct Of {
    pub team_id: i64,
    pub kind: Kind,
    pub rule_id: i64,
}

/// Badge rules and escalation rules are numbered each for themselves.
pub(super) const fn code(kind: Kind) -> i64 {
    match kind {
        Kind::Badge => 0,
        Kind::Escalation => 1,
    }
}

/// Stores a version; one of a revision that is kept stays as it is.
pub fn insert(tx: &mut Tx, of: Of, version: &Version) -> Result<()> {
    tx.execute(
        "insert into rule_versions (team_id, kind, rule_id, revision, definition, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        &values![
            of.team_id,
            code(of.kind),
            of.rule_id,
            version.revision,
            &version.definition,
            version.created_at,
            version.created_by.as_deref(),
        ],
    )?;
    Ok(())
}

/// The versions of a rule, the draft first and then the newest first.
pub fn all(tx: &mut Tx, of: Of) -> Result<Vec<Version>> {
    tx.query(
        "select revision, definition, created_at, created_by from rule_versions
         where kind = $1 and rule_id = $2 and team_id = $3
         order by case when revision is null then 0 else 1 end, revision desc",
        &values![code(of.kind), of.rule_id, of.team_id],
        read,
    )
}

/// A revision of a rule; `None` asks for its draft.
pub fn find(tx: &mut Tx, of: Of, revision: Option<i64>) -> Result<Option<Version>> {
    Ok(all(tx, of)?.into_iter().find(|version| version.revision == revision))
}

/// Removes all but the newest `max` revisions of a rule; the answer is how many.
pub fn keep_newest(tx: &mut Tx, of: Of, max: i64) -> Result<u64> {
    tx.execute(
        "delete from rule_versions where kind = $1 and rule_id = $2 and revision <= (
           select max(revision) from rule_versions where kind = $1 and rule_id = $2) - $3",
        &values![code(of.kind), of.rule_id, max],
    )
}

/// Removes the draft of a rule; the answer is whether there was one.
pub fn delete_draft(tx: &mut Tx, of: Of) -> Result<bool> {
    let removed = tx.execute(
        "delete from rule_versions where kind = $1 and rule_id = $2 and team_id = $3 and revision is null",
        &values![code(of.kind), of.rule_id, of.team_id],
    )?;
    Ok(removed > 0)
}

/// Removes all versions of a rule.
pub fn delete(tx: &mut Tx, of: Of) -> Result<()> {
    tx.execute(
        "delete from rule_versions where kind = $1 and rule_id = $2 and team_id = $3",
        &values![code(of.kind), of.rule_id, of.team_id],
    )?;
    Ok(())
}
