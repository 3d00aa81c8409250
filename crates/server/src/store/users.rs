//! Teams, the people in them, and their sessions.

use std::collections::HashSet;

use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Admin,
    User,
    Viewer,
}

impl Role {
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::User => "USER",
            Self::Viewer => "VIEWER",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::User, Self::Viewer].into_iter().find(|role| role.as_text() == text)
    }
}

/// A person of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub team_id: i64,
    pub email: String,
    pub name: Option<String>,
    pub password_hash: String,
    pub role: Role,
    pub created_at: Timestamp,
}

const COLUMNS: &str = "u.id, u.team_id, u.email, u.password_hash, u.role, u.created_at, u.name";

/// Whether nobody has been here yet.
pub fn is_first_start(tx: &mut Tx) -> Result<bool> {
    Ok(first_team(tx)?.is_none())
}

/// The team that the first start made; `None` before.
pub fn first_team(tx: &mut Tx) -> Result<Option<i64>> {
    tx.find("select id from teams order by id limit 1", &[], |row| row.get(0))
}

pub fn insert_team(tx: &mut Tx, name: &str, now: Timestamp) -> Result<i64> {
    tx.get("insert into teams (name, created_at) values ($1, $2) returning id", &values![name, now], |row| {
        row.get(0)
    })
}

/// Has other transactions that hold the team wait for the end of this one: what is looked at in between stays as it is.
pub fn hold_team(tx: &mut Tx, team_id: i64) -> Result<()> {
    tx.execute("update teams set name = name where id = $1", &values![team_id]).map(drop)
}

/// # Errors
/// [`StoreError::Conflict`] when somebody has this e-mail address.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    email: &str,
    password_hash: &str,
    role: Role,
    now: Timestamp,
) -> Result<i64> {
    tx.get(
        "insert into users (team_id, email, password_hash, role, created_at) values ($1, $2, $3, $4, $5)
         returning id",
        &values![team_id, email, password_hash, role.as_text(), now],
        |row| row.get(0),
    )
}

/// The team's person with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<User>> {
    let sql = format!("select {COLUMNS} from users u where u.team_id = $1 and u.id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// The people of a team, in the order in which they joined.
pub fn of_team(tx: &mut Tx, team_id: i64) -> Result<Vec<User>> {
    tx.query(
        &format!("select {COLUMNS} from users u where u.team_id = $1 order by u.id"),
        &values![team_id],
        read,
    )
}

pub fn set_name(tx: &mut Tx, id: i64, name: Option<&str>) -> Result<()> {
    tx.execute("update users set name = $2 where id = $1", &values![id, name])?;
    Ok(())
}

pub fn set_role(tx: &mut Tx, id: i64, role: Role) -> Result<()> {
    tx.execute("update users set role = $2 where id = $1", &values![id, role.as_text()])?;
    Ok(())
}

pub fn set_password(tx: &mut Tx, id: i64, password_hash: &str) -> Result<()> {
    tx.execute("update users set password_hash = $2 where id = $1", &values![id, password_hash])?;
    Ok(())
}

/// Removes a person, their sessions, their tokens, and the clients that act for them.
pub fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    for owned in ["sessions", "mcp_tokens", "oauth_codes", "oauth_connections", "sign_in_marks"] {
        tx.execute(&format!("delete from {owned} where user_id = $1"), &values![id])?;
    }
    tx.execute("delete from users where id = $1", &values![id])?;
    Ok(())
}

/// Ends the sessions of a person but the one with this token.
pub fn delete_other_sessions(tx: &mut Tx, user_id: i64, token_hash: &[u8]) -> Result<()> {
    tx.execute(
        "delete from sessions where user_id = $1 and token_hash <> $2",
        &values![user_id, token_hash],
    )?;
    Ok(())
}

/// Everybody who signs in, by their addresses.
pub fn all(tx: &mut Tx) -> Result<Vec<User>> {
    tx.query(&format!("select {COLUMNS} from users u order by u.email"), &[], read)
}

pub fn find_by_email(tx: &mut Tx, email: &str) -> Result<Option<User>> {
    tx.find(&format!("select {COLUMNS} from users u where u.email = $1"), &values![email], read)
}

pub fn insert_session(
    tx: &mut Tx,
    token_hash: &[u8],
    user_id: i64,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    tx.execute("delete from sessions where expires_at <= $1", &values![now])?;
    tx.execute(
        "insert into sessions (token_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)",
        &values![token_hash, user_id, now, expires_at],
    )?;
    Ok(())
}

/// Ends the oldest sessions of a person beyond `kept`; the answer is how many.
pub fn keep_newest_sessions(tx: &mut Tx, user_id: i64, kept: i64) -> Result<u64> {
    tx.execute(
        "delete from sessions where user_id = $1 and token_hash not in
           (select token_hash from sessions where user_id = $1 order by created_at desc, token_hash limit $2)",
        &values![user_id, kept],
    )
}

/// The person whose session this is, if it has not ended.
pub fn find_by_session(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<Option<User>> {
    tx.find(
        &format!(
            "select {COLUMNS} from sessions s join users u on u.id = s.user_id
             where s.token_hash = $1 and s.expires_at > $2"
        ),
        &values![token_hash, now],
        read,
    )
}

/// Those of these sessions that have not ended.
pub fn holding_sessions(tx: &mut Tx, token_hashes: &[Vec<u8>], now: Timestamp) -> Result<HashSet<Vec<u8>>> {
    let rows: Vec<_> = token_hashes.iter().map(|hash| values![hash.as_slice(), now]).collect();
    let found = tx.query_rows(
        "with v (token_hash, at) as (values {rows})
         select s.token_hash from v join sessions s on s.token_hash = v.token_hash and s.expires_at > v.at",
        &rows,
        |row| row.get(0),
    )?;
    Ok(found.into_iter().collect())
}

pub fn delete_session(tx: &mut Tx, token_hash: &[u8]) -> Result<()> {
    tx.execute("delete from sessions where token_hash = $1", &values![token_hash])?;
    Ok(())
}

fn read(row: &Row) -> Result<User> {
    let role: String = row.get(4)?;
    Ok(User {
        id: row.get(0)?,
        team_id: row.get(1)?,
        email: row.get(2)?,
        password_hash: row.get(3)?,
        role: Role::parse(&role).ok_or_else(|| StoreError::Broken(format!("{role} is no role")))?,
        created_at: row.time(5)?,
        name: row.get(6)?,
    })
}
