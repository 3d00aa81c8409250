//! Weights that were calibrated for a team, version by version.

use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// How far a version has come. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was calibrated, and counts for nothing.
    Proposed = 0,
    /// What scores would be with it is shown.
    Shadow = 1,
    InForce = 2,
    /// It was in shadow or in force.
    Retired = 3,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Shadow, Self::InForce, Self::Retired];

    /// The name that the API shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Shadow => "SHADOW",
            Self::InForce => "IN_FORCE",
            Self::Retired => "RETIRED",
        }
    }
}

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub id: i64,
    pub team_id: i64,
    pub state: State,
    /// As [`dregs_core::score::Weights`] are written.
    pub weights: String,
    /// What was measured: JSON.
    pub report: String,
    pub created_at: Timestamp,
    /// As the audit log calls them.
    pub created_by: String,
    pub changed_at: Option<Timestamp>,
    pub changed_by: Option<String>,
    /// The version that was in force before it.
    pub replaced_id: Option<i64>,
}

const COLUMNS: &str =
    "id, team_id, state, weights, report, created_at, created_by, changed_at, changed_by, replaced_id";

fn read(row: &Row) -> Result<Version> {
    let state: i64 = row.get(2)?;
    let known = State::ALL.into_iter().find(|known| *known as i64 == state);
    Ok(Version {
        id: row.get(0)?,
        team_id: row.get(1)?,
        state: known.ok_or_else(|| StoreError::Broken(format!("{state} is no state of weights")))?,
        weights: row.get(3)?,
        report: row.get(4)?,
        created_at: row.time(5)?,
        created_by: row.get(6)?,
        changed_at: row.optional_time(7)?,
        changed_by: row.get(8)?,
        replaced_id: row.get(9)?,
    })
}

/// Stores a proposal; the answer is its id.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    (weights, report): (&str, &str),
    by: &str,
    now: Timestamp,
) -> Result<i64> {
    tx.get(
        "insert into weights (team_id, state, weights, report, created_at, created_by)
         values ($1, 0, $2, $3, $4, $5) returning id",
        &values![team_id, weights, report, now, by],
        |row| row.get(0),
    )
}

/// The versions of a team, the newest first.
pub fn of_team(tx: &mut Tx, team_id: i64, limit: i64) -> Result<Vec<Version>> {
    let sql = format!("select {COLUMNS} from weights where team_id = $1 order by id desc limit $2");
    tx.query(&sql, &values![team_id, limit], read)
}

/// The versions of all teams that are in shadow or in force.
pub fn in_use(tx: &mut Tx) -> Result<Vec<Version>> {
    tx.query(&format!("select {COLUMNS} from weights where state in (1, 2) order by id"), &[], read)
}

/// The team's version with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Version>> {
    let sql = format!("select {COLUMNS} from weights where team_id = $1 and id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// The team's version that is in this state, of which there is one at most.
pub fn in_state(tx: &mut Tx, team_id: i64, state: State) -> Result<Option<Version>> {
    let sql =
        format!("select {COLUMNS} from weights where team_id = $1 and state = $2 order by id desc limit 1");
    tx.find(&sql, &values![team_id, state as i64], read)
}

/// Moves a version on, or back.
pub fn set_state(
    tx: &mut Tx,
    id: i64,
    state: State,
    replaced_id: Option<i64>,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "update weights set state = $2, replaced_id = $3, changed_by = $4, changed_at = $5 where id = $1",
        &values![id, state as i64, replaced_id, by, now],
    )?;
    Ok(())
}

/// Removes the oldest retired and proposed versions of a team but the newest `count` of all.
pub fn keep_newest(tx: &mut Tx, team_id: i64, count: i64) -> Result<u64> {
    tx.execute(
        "delete from weights where team_id = $1 and state in (0, 3) and id <= (
           select id from weights where team_id = $1 order by id desc limit 1 offset $2)",
        &values![team_id, count],
    )
}
