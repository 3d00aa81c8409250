//! Who people are at an OpenID provider.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// Whose subject of this issuer it is.
pub fn holder(tx: &mut Tx, issuer: &str, subject: &str) -> Result<Option<i64>> {
    let sql = "select user_id from oidc_subjects where issuer = $1 and subject = $2";
    tx.find(sql, &values![issuer, subject], |row| row.get(0))
}

/// Who a person is at this issuer.
pub fn of_user(tx: &mut Tx, issuer: &str, user_id: i64) -> Result<Option<String>> {
    let sql = "select subject from oidc_subjects where issuer = $1 and user_id = $2";
    tx.find(sql, &values![issuer, user_id], |row| row.get(0))
}

/// Binds a person to a subject.
///
/// # Errors
/// [`super::StoreError::Conflict`] when somebody is bound to it, or the person to another one of this issuer.
pub fn bind(tx: &mut Tx, issuer: &str, subject: &str, user_id: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "insert into oidc_subjects (issuer, subject, user_id, bound_at, last_used_at) values ($1, $2, $3, $4, $4)",
        &values![issuer, subject, user_id, now],
    )
    .map(drop)
}

/// Notes that somebody has signed in by this subject.
pub fn touch(tx: &mut Tx, issuer: &str, subject: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "update oidc_subjects set last_used_at = $3 where issuer = $1 and subject = $2",
        &values![issuer, subject, now],
    )
    .map(drop)
}
