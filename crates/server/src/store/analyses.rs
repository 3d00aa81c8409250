//! Analyses: what each cycle found, and why.

use dregs_core::agent::KnownAgent;
use dregs_core::badge::Badge;
use dregs_core::fact::Linked;
use dregs_core::score::{Observation, Scores};
use dregs_core::shard;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::sql::scores;
use super::{Result, Row, Tx, codec};
use crate::values;

/// A cycle and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub identity_id: i64,
    /// The cycle's place among the events of the identity.
    pub sequence: i64,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub scores: Scores,
    pub event_count: i64,
    pub device_count: i64,
    pub detail: Detail,
}

/// The compressed part of an analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_scores: Option<Scores>,
    pub observations: Vec<Observation>,
    /// Those the identity carries after the cycle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
    /// The agent of an AI service that was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<KnownAgent>,
    /// How many others shared something with it.
    #[serde(default, skip_serializing_if = "Linked::is_none")]
    pub linked: Linked,
    /// Where rules ask about events: the newest row of any that the cycle could see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
}

/// Stores analyses whose details are packed already.
pub fn insert(tx: &mut Tx, analyses: &[(&Analysis, &[u8])]) -> Result<()> {
    let rows: Vec<_> = analyses
        .iter()
        .map(|(a, detail)| {
            values![
                shard::of(a.identity_id),
                a.identity_id,
                a.sequence,
                a.started_at,
                a.finished_at,
                a.scores.humanity,
                a.scores.authenticity,
                a.scores.uniqueness,
                a.scores.behavior,
                a.event_count,
                a.device_count,
                *detail,
            ]
        })
        .collect();
    tx.execute_rows_later(
        "insert into analyses (id, shard, identity_id, sequence, started_at, finished_at, humanity, authenticity,
           uniqueness, behavior, event_count, device_count, detail) values {new rows}",
        &rows,
    )
}

const COLUMNS: &str = "a.identity_id, a.sequence, a.started_at, a.finished_at, a.humanity, a.authenticity,
    a.uniqueness, a.behavior, a.event_count, a.device_count, a.detail";

/// The analysis of an identity with this sequence.
pub fn find(tx: &mut Tx, identity_id: i64, sequence: i64) -> Result<Option<Analysis>> {
    tx.find(
        &format!(
            "select {COLUMNS} from analyses a where a.shard = $3 and a.identity_id = $1 and a.sequence = $2"
        ),
        &values![identity_id, sequence, shard::of(identity_id)],
        read,
    )
}

/// A cycle as far as the past is asked for, its detail still packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub id: i64,
    pub identity_id: i64,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub scores: Scores,
    /// A packed [`Detail`].
    pub detail: Vec<u8>,
}

/// Up to `limit` cycles of all identities after the row `after`, in order.
pub fn past(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Past>> {
    let sql = "select id, identity_id, finished_at, humanity, authenticity, uniqueness, behavior, detail, started_at
         from analyses where id > $1 order by id limit $2";
    tx.query(sql, &values![after, limit], |row| {
        let (id, identity_id, detail) = (row.get(0)?, row.get(1)?, row.get(7)?);
        let (started_at, finished_at) = (row.time(8)?, row.time(2)?);
        Ok(Past { id, identity_id, started_at, finished_at, scores: scores(row, 3)?, detail })
    })
}

/// The row of the newest cycle; 0 where there is none.
pub fn last_number(tx: &mut Tx) -> Result<i64> {
    let newest = tx.find("select id from analyses order by id desc limit 1", &[], |row| row.get(0))?;
    Ok(newest.unwrap_or(0))
}

/// The analysis of an identity that was the newest at this sequence of its events.
pub fn newest_at(tx: &mut Tx, identity_id: i64, sequence: i64) -> Result<Option<Analysis>> {
    let sql = format!(
        "select {COLUMNS} from analyses a where a.shard = $3 and a.identity_id = $1 and a.sequence <= $2
         order by a.sequence desc limit 1"
    );
    tx.find(&sql, &values![identity_id, sequence, shard::of(identity_id)], read)
}

/// The newest analyses of an identity, newest first.
pub fn newest(tx: &mut Tx, identity_id: i64, limit: i64) -> Result<Vec<Analysis>> {
    tx.query(
        &format!(
            "select {COLUMNS} from analyses a where a.shard = $3 and a.identity_id = $1
             order by a.sequence desc limit $2"
        ),
        &values![identity_id, limit, shard::of(identity_id)],
        read,
    )
}

/// Up to `limit` analyses of an identity after a cycle, in order.
pub fn after(tx: &mut Tx, identity_id: i64, sequence: i64, limit: i64) -> Result<Vec<Analysis>> {
    let sql = format!(
        "select {COLUMNS} from analyses a where a.shard = $4 and a.identity_id = $1 and a.sequence > $2
         order by a.sequence limit $3"
    );
    tx.query(&sql, &values![identity_id, sequence, limit, shard::of(identity_id)], read)
}

/// The analyses with these (identity, sequence), each with the identity's external id.
pub fn load(tx: &mut Tx, keys: &[(i64, i64)]) -> Result<Vec<(Analysis, String)>> {
    let rows: Vec<_> =
        keys.iter().map(|(identity, sequence)| values![shard::of(*identity), *identity, *sequence]).collect();
    tx.query_rows(
        &format!(
            "with v (shard, identity_id, sequence) as (values {{rows}})
             select {COLUMNS}, i.external_id
             from v join analyses a
               on a.shard = v.shard and a.identity_id = v.identity_id and a.sequence = v.sequence
             join identities i on i.shard = v.shard and i.id = v.identity_id"
        ),
        &rows,
        |row| Ok((read(row)?, row.get(11)?)),
    )
}

fn read(row: &Row) -> Result<Analysis> {
    Ok(Analysis {
        identity_id: row.get(0)?,
        sequence: row.get(1)?,
        started_at: row.time(2)?,
        finished_at: row.time(3)?,
        scores: scores(row, 4)?,
        event_count: row.get(8)?,
        device_count: row.get(9)?,
        detail: codec::unpack(&row.get::<Vec<u8>>(10)?)?,
    })
}
