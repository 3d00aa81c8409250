//! Tokens with which a person's AI agents act.

use dregs_core::time::Timestamp;

use super::{Result, Tx};
use crate::values;

/// A token; only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpToken {
    pub id: i64,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// The tokens of a person, newest first.
pub fn of_user(tx: &mut Tx, user_id: i64) -> Result<Vec<McpToken>> {
    tx.query(
        "select id, name, created_at, last_used_at from mcp_tokens where user_id = $1 order by id desc",
        &values![user_id],
        |row| {
            Ok(McpToken {
                id: row.get(0)?,
                name: row.get(1)?,
                created_at: row.time(2)?,
                last_used_at: row.optional_time(3)?,
            })
        },
    )
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

/// Removes a person's token; its name, if it was there.
pub fn delete(tx: &mut Tx, user_id: i64, id: i64) -> Result<Option<String>> {
    tx.find(
        "delete from mcp_tokens where user_id = $1 and id = $2 returning name",
        &values![user_id, id],
        |row| row.get(0),
    )
}
