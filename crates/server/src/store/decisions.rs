//! How identities stand: what an application decides by.

use dregs_core::score::Scores;
use dregs_core::time::Timestamp;

use super::sql::{scores, with_shards};
use super::{Result, Row, Tx};
use crate::values;

/// An identity as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Row id.
    pub identity_id: i64,
    pub team_id: i64,
    pub external_id: String,
    pub first_seen_at: Timestamp,
    pub scores: Scores,
    pub disregarded: bool,
    /// The sequence of the newest cycle; `None` before the first.
    pub cycle: Option<i64>,
    /// How many of its events that cycle has seen.
    pub seen_events: i64,
    /// Whether a cycle is waited for, or under way.
    pub is_due: bool,
    /// As [`dregs_core::rules::Standing::encode`] wrote it.
    pub standing: Option<String>,
}

const COLUMNS: &str =
    "i.id, i.team_id, i.external_id, i.first_seen_at, i.humanity, i.authenticity, i.uniqueness,
    i.behavior, i.disregarded, i.cycle, a.event_count, i.evaluate_at, i.standing";

/// The newest cycle of an identity.
const CYCLE: &str =
    "left join analyses a on a.shard = i.shard and a.identity_id = i.id and a.sequence = i.cycle";

/// The identities with these row ids, in no order; one that is gone is left out.
pub fn load(tx: &mut Tx, row_ids: &[i64]) -> Result<Vec<Stands>> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select {COLUMNS} from v join identities i on i.shard = v.shard and i.id = v.id {CYCLE}"
    );
    tx.query_rows(&sql, &with_shards(row_ids), read)
}

/// The same of the identities with these (shard, team, external id).
pub fn find(tx: &mut Tx, keys: &[(i64, i64, &str)]) -> Result<Vec<Stands>> {
    let rows: Vec<_> = keys.iter().map(|(shard, team, id)| values![*shard, *team, *id]).collect();
    let sql = format!(
        "with v (shard, team_id, external_id) as (values {{rows}})
         select {COLUMNS} from v join identities i
           on i.team_id = v.team_id and i.external_id = v.external_id and i.shard = v.shard {CYCLE}"
    );
    tx.query_rows(&sql, &rows, read)
}

/// Whom an event of a team is about, by its packed id. The outer `None` where there is no such event, the inner one where
/// it is about nobody.
pub fn of_event(tx: &mut Tx, team_id: i64, packed_id: &[u8]) -> Result<Option<Option<i64>>> {
    let sql = "select identity_id from events where team_id = $1 and external_id = $2";
    tx.find(sql, &values![team_id, packed_id], |row| row.get(0))
}

fn read(row: &Row) -> Result<Stands> {
    Ok(Stands {
        identity_id: row.get(0)?,
        team_id: row.get(1)?,
        external_id: row.get(2)?,
        first_seen_at: row.time(3)?,
        scores: scores(row, 4)?,
        disregarded: row.flag(8)?,
        cycle: row.get(9)?,
        seen_events: row.get::<Option<i64>>(10)?.unwrap_or_default(),
        is_due: row.get::<Option<i64>>(11)?.is_some(),
        standing: row.get(12)?,
    })
}
