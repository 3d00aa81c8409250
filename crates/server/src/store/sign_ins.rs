//! Failed sign-ins, counted for every node, and where people have signed in before.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// Failures of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    /// When the first of them was.
    pub since: Timestamp,
}

/// The failures of a subject since `after`.
pub fn failures(tx: &mut Tx, subject: &[u8], after: Timestamp) -> Result<Option<Failures>> {
    tx.find(
        "select failures, since from sign_in_failures where subject = $1 and since > $2",
        &values![subject, after],
        |row| Ok(Failures { count: row.get(0)?, since: row.time(1)? }),
    )
}

/// Counts one more failure of a subject; the first of them after `after` begins anew. The answer has this one too.
pub fn count(tx: &mut Tx, subject: &[u8], after: Timestamp, now: Timestamp) -> Result<Failures> {
    tx.get(
        "insert into sign_in_failures (subject, failures, since) values ($1, 1, $2)
         on conflict (subject) do update set
           failures = case when sign_in_failures.since > $3 then sign_in_failures.failures + 1 else 1 end,
           since = case when sign_in_failures.since > $3 then sign_in_failures.since else excluded.since end
         returning failures, since",
        &values![subject, now, after],
        |row| Ok(Failures { count: row.get(0)?, since: row.time(1)? }),
    )
}

/// Takes one failure of a subject back.
pub fn take_back(tx: &mut Tx, subject: &[u8]) -> Result<()> {
    tx.execute(
        "update sign_in_failures set failures = failures - 1 where subject = $1 and failures > 0",
        &values![subject],
    )?;
    Ok(())
}

/// Forgets the failures of a subject.
pub fn forget(tx: &mut Tx, subject: &[u8]) -> Result<()> {
    tx.execute("delete from sign_in_failures where subject = $1", &values![subject])?;
    Ok(())
}

/// Forgets what began at `until` or before.
pub fn sweep(tx: &mut Tx, until: Timestamp) -> Result<()> {
    tx.execute("delete from sign_in_failures where since <= $1", &values![until])?;
    Ok(())
}

/// Whether a person has signed in with this mark since `after`.
pub fn is_marked(tx: &mut Tx, user_id: i64, mark: &[u8], after: Timestamp) -> Result<bool> {
    let found = tx.find(
        "select user_id from sign_in_marks where user_id = $1 and mark = $2 and seen_at > $3",
        &values![user_id, mark, after],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// Notes that a person has signed in with this mark, and keeps the newest `kept` of theirs.
pub fn mark(tx: &mut Tx, user_id: i64, mark: &[u8], now: Timestamp, kept: i64) -> Result<()> {
    tx.execute(
        "insert into sign_in_marks (user_id, mark, seen_at) values ($1, $2, $3)
         on conflict (user_id, mark) do update set seen_at = excluded.seen_at",
        &values![user_id, mark, now],
    )?;
    tx.execute(
        "delete from sign_in_marks where user_id = $1 and mark not in
           (select mark from sign_in_marks where user_id = $1 order by seen_at desc, mark limit $2)",
        &values![user_id, kept],
    )?;
    Ok(())
}
