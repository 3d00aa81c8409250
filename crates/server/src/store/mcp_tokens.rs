//! Tokens with which a person's AI agents act.

use dregs_core::time::Timestamp;

use super::users::{self, User};
use super::{Result, Row, Tx};
use crate::values;

/// A token; only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpToken {
    pub id: i64,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// The tokens of a person in a team, newest first.
pub fn of_user(tx: &mut Tx, team_id: i64, user_id: i64) -> Result<Vec<McpToken>> {
    tx.query(
        "select id, name, created_at, last_used_at from mcp_tokens where team_id = $1 and user_id = $2
         order by id desc",
        &values![team_id, user_id],
        read,
    )
}

fn read(row: &Row) -> Result<McpToken> {
    Ok(McpToken {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.time(2)?,
        last_used_at: row.optional_time(3)?,
    })
}

/// The token with this hash, and the person who made it.
pub fn find(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<(McpToken, User)>> {
    let found = tx.find(
        "select id, name, created_at, last_used_at, team_id, user_id from mcp_tokens where token_hash = $1",
        &values![token_hash],
        |row| Ok((read(row)?, row.get(4)?, row.get(5)?)),
    )?;
    let Some((token, team_id, user_id)) = found else { return Ok(None) };
    Ok(users::find(tx, team_id, user_id)?.map(|user| (token, user)))
}

/// Notes that a token has been used.
pub fn touch(tx: &mut Tx, id: i64, now: Timestamp) -> Result<()> {
    tx.execute("update mcp_tokens set last_used_at = $2 where id = $1", &values![id, now])?;
    Ok(())
}

pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    user_id: i64,
    name: &str,
    token_hash: &[u8],
    now: Timestamp,
) -> Result<i64> {
    tx.get(
        "insert into mcp_tokens (team_id, user_id, name, token_hash, created_at)
         values ($1, $2, $3, $4, $5) returning id",
        &values![team_id, user_id, name, token_hash, now],
        |row| row.get(0),
    )
}

/// Removes a person's token in a team; its name, if it was there.
pub fn delete(tx: &mut Tx, team_id: i64, user_id: i64, id: i64) -> Result<Option<String>> {
    tx.find(
        "delete from mcp_tokens where team_id = $1 and user_id = $2 and id = $3 returning name",
        &values![team_id, user_id, id],
        |row| row.get(0),
    )
}
