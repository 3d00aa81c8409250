//! Sessions of people, by the hashes of their tokens.

use std::collections::HashMap;

use dregs_core::time::Timestamp;

use super::users::{self, Method, User};
use super::{Result, Row, Tx};
use crate::values;

/// From where a session was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub user_agent: Option<String>,
    pub address: Option<String>,
    /// By what it was begun.
    pub method: Method,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub token_hash: Vec<u8>,
    pub place: Place,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
}

const COLUMNS: &str =
    "s.token_hash, s.user_agent, s.address, s.created_at, s.last_seen_at, s.expires_at, s.by_passkey,
    s.oidc_factors";

/// Begins a session of a person in one of their teams.
pub fn insert(
    tx: &mut Tx,
    token_hash: &[u8],
    (team_id, user_id): (i64, i64),
    from: &Place,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    tx.execute("delete from sessions where expires_at <= $1", &values![now])?;
    let factors = match from.method {
        Method::Oidc { is_multi_factor } => Some(if is_multi_factor { 2_i64 } else { 1 }),
        Method::Password | Method::Passkey => None,
    };
    tx.execute(
        "insert into sessions
            (token_hash, user_id, user_agent, address, created_at, last_seen_at, expires_at, by_passkey, oidc_factors,
             team_id)
         values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)",
        &values![
            token_hash,
            user_id,
            from.user_agent.as_deref(),
            from.address.as_deref(),
            now,
            expires_at,
            from.method == Method::Passkey,
            factors,
            team_id
        ],
    )?;
    Ok(())
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub user: User,
    pub last_seen_at: Timestamp,
}

/// Whose session this is, if it has not ended: the person, in the team that is chosen in it.
pub fn holder(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<Option<Holder>> {
    let sql = format!(
        "select {}, coalesce(s.last_seen_at, s.created_at), s.by_passkey, s.oidc_factors from sessions s
         join users u on u.id = s.user_id join members m on m.user_id = s.user_id and m.team_id = s.team_id
         where s.token_hash = $1 and s.expires_at > $2",
        users::COLUMNS
    );
    tx.find(&sql, &values![token_hash, now], |row| {
        let signed_in_by = method(row, users::COLUMNS_COUNT + 1)?;
        let user = User { signed_in_by, ..users::read(row)? };
        Ok(Holder { user, last_seen_at: row.time(users::COLUMNS_COUNT)? })
    })
}

/// Those of these sessions that have not ended, each with the team that is chosen in it.
pub fn holding(
    tx: &mut Tx,
    token_hashes: &[Vec<u8>],
    now: Timestamp,
) -> Result<HashMap<Vec<u8>, Option<i64>>> {
    let rows: Vec<_> = token_hashes.iter().map(|hash| values![hash.as_slice(), now]).collect();
    let found = tx.query_rows(
        "with v (token_hash, at) as (values {rows})
         select s.token_hash, s.team_id from v join sessions s on s.token_hash = v.token_hash and s.expires_at > v.at",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.into_iter().collect())
}

/// The sessions of a person that have not ended, those that were seen last first.
pub fn of_user(tx: &mut Tx, user_id: i64, now: Timestamp) -> Result<Vec<Session>> {
    let sql = format!(
        "select {COLUMNS} from sessions s where s.user_id = $1 and s.expires_at > $2
         order by coalesce(s.last_seen_at, s.created_at) desc, s.created_at desc, s.token_hash"
    );
    tx.query(&sql, &values![user_id, now], read)
}

/// Chooses another team in a session.
pub fn choose(tx: &mut Tx, token_hash: &[u8], team_id: i64) -> Result<()> {
    tx.execute("update sessions set team_id = $2 where token_hash = $1", &values![token_hash, team_id])?;
    Ok(())
}

/// Notes that a session was seen.
pub fn touch(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<()> {
    tx.execute("update sessions set last_seen_at = $2 where token_hash = $1", &values![token_hash, now])?;
    Ok(())
}

/// Ends a session.
pub fn delete(tx: &mut Tx, token_hash: &[u8]) -> Result<()> {
    tx.execute("delete from sessions where token_hash = $1", &values![token_hash])?;
    Ok(())
}

/// Ends a session of a person; what it was, if it was theirs.
pub fn delete_own(tx: &mut Tx, user_id: i64, token_hash: &[u8]) -> Result<Option<Session>> {
    let columns = COLUMNS.replace("s.", "");
    let sql = format!("delete from sessions where user_id = $1 and token_hash = $2 returning {columns}");
    tx.find(&sql, &values![user_id, token_hash], read)
}

/// Ends the sessions of a person but the one with this token; the answer is how many.
pub fn delete_others(tx: &mut Tx, user_id: i64, token_hash: &[u8]) -> Result<u64> {
    tx.execute("delete from sessions where user_id = $1 and token_hash <> $2", &values![user_id, token_hash])
}

/// Ends the sessions of a person in a team; the answer is how many.
pub fn delete_in(tx: &mut Tx, team_id: i64, user_id: i64) -> Result<u64> {
    tx.execute("delete from sessions where team_id = $1 and user_id = $2", &values![team_id, user_id])
}

/// Ends the oldest sessions of a person beyond `kept`; the answer is how many.
pub fn keep_newest(tx: &mut Tx, user_id: i64, kept: i64) -> Result<u64> {
    tx.execute(
        "delete from sessions where user_id = $1 and token_hash not in
           (select token_hash from sessions where user_id = $1 order by created_at desc, token_hash limit $2)",
        &values![user_id, kept],
    )
}

/// By what a session was begun, from the two columns that begin here.
fn method(row: &Row, column: usize) -> Result<Method> {
    let factors: Option<i64> = row.get(column + 1)?;
    Ok(match (row.flag(column)?, factors) {
        (_, Some(factors)) => Method::Oidc { is_multi_factor: factors > 1 },
        (true, None) => Method::Passkey,
        (false, None) => Method::Password,
    })
}

fn read(row: &Row) -> Result<Session> {
    let created_at = row.time(3)?;
    Ok(Session {
        token_hash: row.get(0)?,
        place: Place { user_agent: row.get(1)?, address: row.get(2)?, method: method(row, 6)? },
        created_at,
        // One that was begun by an earlier version was not noted.
        last_seen_at: row.optional_time(4)?.unwrap_or(created_at),
        expires_at: row.time(5)?,
    })
}
