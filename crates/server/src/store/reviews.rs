//! Reviews: accounts of an identity's analysis that somebody asked for.

use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::spread::{self, Rows};
use super::{Result, Row, StoreError, Tx};
use crate::values;

/// How far a review has come. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending = 0,
    Finished = 1,
    Failed = 2,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
        }
    }
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub id: i64,
    /// Row id of the identity.
    pub identity_id: i64,
    pub status: Status,
    pub feedback: Option<String>,
    /// Who wrote it: `built-in`, or the name of a model.
    pub reviewer: Option<String>,
    pub summary: Option<String>,
    pub error_message: Option<String>,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, identity_id, status, feedback, reviewer, summary, error_message, created_at, completed_at";

fn read(row: &Row) -> Result<Review> {
    let code: i64 = row.get(2)?;
    let status = [Status::Pending, Status::Finished, Status::Failed].into_iter().find(|s| *s as i64 == code);
    Ok(Review {
        id: row.get(0)?,
        identity_id: row.get(1)?,
        status: status.ok_or_else(|| StoreError::Broken(format!("{code} is no status of a review")))?,
        feedback: row.get(3)?,
        reviewer: row.get(4)?,
        summary: row.get(5)?,
        error_message: row.get(6)?,
        created_at: row.time(7)?,
        completed_at: row.optional_time(8)?,
    })
}

/// Stores a review that is to be written.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    identity_id: i64,
    feedback: Option<&str>,
    now: Timestamp,
) -> Result<Review> {
    let sql = format!(
        "insert into reviews (id, shard, team_id, identity_id, status, feedback, created_at, due_at)
         values {{new rows}} returning {COLUMNS}"
    );
    let shard = shard::of(identity_id);
    tx.get_new(&sql, values![shard, team_id, identity_id, Status::Pending as i64, feedback, now, now], read)
}

/// Removes the reviews of an identity but the newest so many.
pub fn keep_newest(tx: &mut Tx, identity_id: i64, count: i64) -> Result<u64> {
    tx.execute(
        "delete from reviews where shard = $3 and identity_id = $1 and id <= (
           select id from reviews where shard = $3 and identity_id = $1 order by id desc limit 1 offset $2)",
        &values![identity_id, count, shard::of(identity_id)],
    )
}

/// The reviews of an identity, newest first.
pub fn of_identity(tx: &mut Tx, identity_id: i64, limit: i64) -> Result<Vec<Review>> {
    let sql = format!(
        "select {COLUMNS} from reviews where shard = $3 and identity_id = $1 order by id desc limit $2"
    );
    tx.query(&sql, &values![identity_id, limit, shard::of(identity_id)], read)
}

/// Takes a review that is due and leases it.
pub fn claim(tx: &mut Tx, now: Timestamp, lease_until: Timestamp) -> Result<Option<Review>> {
    let due = Rows { table: "reviews", condition: "due_at <= $1".to_owned(), order: "due_at" };
    let claimed = spread::take(tx, &due, &values![now], 1, |tx, shard, limit| {
        let within = spread::within(shard, 4);
        let sql = format!(
            "update reviews set due_at = $2
             where id in (with due as materialized (select id from reviews where due_at <= $1{within}
                            order by due_at limit $3{}) select id from due){within}
             returning {COLUMNS}",
            tx.skip_locked(),
        );
        tx.query(&sql, &spread::with_shard(values![now, lease_until, limit], shard), read)
    })?;
    Ok(claimed.into_iter().next())
}

/// Holds a review that is being written until then.
pub fn renew(tx: &mut Tx, id: i64, lease_until: Timestamp) -> Result<()> {
    let sql = "update reviews set due_at = $2 where shard = $3 and id = $1 and due_at is not null";
    tx.execute(sql, &values![id, lease_until, shard::of(id)])?;
    Ok(())
}

/// Writes what became of a review: a summary, or why there is none. What was written of it before stays.
pub fn finish(
    tx: &mut Tx,
    id: i64,
    reviewer: &str,
    outcome: std::result::Result<&str, &str>,
    now: Timestamp,
) -> Result<()> {
    let status = if outcome.is_ok() { Status::Finished } else { Status::Failed };
    tx.execute(
        "update reviews set status = $2, reviewer = $3, summary = $4, error_message = $5, completed_at = $6,
           due_at = null
         where shard = $7 and id = $1 and due_at is not null",
        &values![id, status as i64, reviewer, outcome.ok(), outcome.err(), now, shard::of(id)],
    )?;
    Ok(())
}

/// Reviews of any team that a model was asked for since `from`.
pub fn count_by_models(tx: &mut Tx, from: Timestamp) -> Result<i64> {
    tx.get(
        "select count(*) from reviews where created_at >= $1 and reviewer <> 'built-in'",
        &values![from],
        |row| row.get(0),
    )
}
