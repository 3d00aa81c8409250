//! Clients that act for people by OAuth.

use dregs_core::time::Timestamp;

use super::users::{self, User};
use super::{Result, Row, Tx};
use crate::values;

/// A client that acts for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: i64,
    pub team_id: i64,
    pub user_id: i64,
    pub client_id: String,
    /// As the client calls itself.
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// Unless it is refreshed before.
    pub expires_at: Timestamp,
}

/// The tokens of a connection; only their hashes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub refresh_hash: Vec<u8>,
    pub access_hash: Vec<u8>,
    pub access_expires_at: Timestamp,
    /// Of the refresh token, and so of the connection.
    pub expires_at: Timestamp,
}

const COLUMNS: &str =
    "o.id, o.team_id, o.user_id, o.client_id, c.name, o.created_at, o.last_used_at, o.expires_at";
const FROM: &str = "from oauth_connections o join oauth_clients c on c.id = o.client_id";

fn read(row: &Row) -> Result<Connection> {
    Ok(Connection {
        id: row.get(0)?,
        team_id: row.get(1)?,
        user_id: row.get(2)?,
        client_id: row.get(3)?,
        name: row.get(4)?,
        created_at: row.time(5)?,
        last_used_at: row.optional_time(6)?,
        expires_at: row.time(7)?,
    })
}

/// Connects a client with a person, and gives the connection's id. `family_hash` is of what its refresh tokens begin
/// with.
///
/// # Errors
/// [`super::StoreError::Conflict`] where they are connected already.
pub fn insert(
    tx: &mut Tx,
    (team_id, user_id): (i64, i64),
    client_id: &str,
    family_hash: &[u8],
    tokens: &Tokens,
    now: Timestamp,
) -> Result<i64> {
    let Tokens { refresh_hash, access_hash, access_expires_at, expires_at } = tokens;
    tx.get(
        "insert into oauth_connections (team_id, user_id, client_id, family_hash, refresh_hash, access_hash,
           access_expires_at, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
        &values![
            team_id,
            user_id,
            client_id,
            family_hash,
            refresh_hash.as_slice(),
            access_hash.as_slice(),
            *access_expires_at,
            now,
            *expires_at
        ],
        |row| row.get(0),
    )
}

/// Those of a person in a team that have not expired, newest first.
pub fn of_user(tx: &mut Tx, (team_id, user_id): (i64, i64), now: Timestamp) -> Result<Vec<Connection>> {
    let sql = format!(
        "select {COLUMNS} {FROM} where o.team_id = $1 and o.user_id = $2 and o.expires_at > $3 order by o.id desc"
    );
    tx.query(&sql, &values![team_id, user_id, now], read)
}

/// The connection whose access token this is, and the person as they are now.
pub fn find_by_access(tx: &mut Tx, access_hash: &[u8], now: Timestamp) -> Result<Option<(Connection, User)>> {
    let sql = format!("select {COLUMNS} {FROM} where o.access_hash = $1 and o.access_expires_at > $2");
    let Some(found) = tx.find(&sql, &values![access_hash, now], read)? else { return Ok(None) };
    Ok(users::find(tx, found.team_id, found.user_id)?.map(|user| (found, user)))
}

/// The connection whose refresh tokens begin with this, and the hash of the one that holds.
pub fn find_by_family(tx: &mut Tx, family_hash: &[u8]) -> Result<Option<(Connection, Vec<u8>)>> {
    let sql = format!("select {COLUMNS}, o.refresh_hash {FROM} where o.family_hash = $1");
    tx.find(&sql, &values![family_hash], |row| Ok((read(row)?, row.get(8)?)))
}

/// The connection with this id.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Connection>> {
    tx.find(&format!("select {COLUMNS} {FROM} where o.id = $1"), &values![id], read)
}

/// The connection of a person in a team with a client.
pub fn between(tx: &mut Tx, (team_id, user_id): (i64, i64), client_id: &str) -> Result<Option<Connection>> {
    let sql = format!("select {COLUMNS} {FROM} where o.team_id = $1 and o.user_id = $2 and o.client_id = $3");
    tx.find(&sql, &values![team_id, user_id, client_id], read)
}

/// Replaces the tokens of a connection; `false` where `refresh_hash` is not of the one that holds.
pub fn rotate(tx: &mut Tx, id: i64, refresh_hash: &[u8], tokens: &Tokens) -> Result<bool> {
    let changed = tx.execute(
        "update oauth_connections set refresh_hash = $3, access_hash = $4, access_expires_at = $5, expires_at = $6
         where id = $1 and refresh_hash = $2",
        &values![
            id,
            refresh_hash,
            tokens.refresh_hash.as_slice(),
            tokens.access_hash.as_slice(),
            tokens.access_expires_at,
            tokens.expires_at
        ],
    )?;
    Ok(changed == 1)
}

/// Notes that a connection has been used.
pub fn touch(tx: &mut Tx, id: i64, now: Timestamp) -> Result<()> {
    tx.execute("update oauth_connections set last_used_at = $2 where id = $1", &values![id, now])?;
    Ok(())
}

pub fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("delete from oauth_connections where id = $1", &values![id])?;
    Ok(())
}

/// Removes what expired at `until` or before.
pub fn sweep(tx: &mut Tx, until: Timestamp) -> Result<()> {
    tx.execute("delete from oauth_connections where expires_at <= $1", &values![until])?;
    Ok(())
}
