//! Authorization codes of OAuth.

use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// What a person has approved; only the code's hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub team_id: i64,
    pub user_id: i64,
    pub client_id: String,
    pub redirect_uri: String,
    /// Of PKCE, by S256.
    pub challenge: String,
    pub resource: String,
    pub expires_at: Timestamp,
    /// The connection that it has become.
    pub connection_id: Option<i64>,
}

pub fn insert(tx: &mut Tx, code_hash: &[u8], code: &Code) -> Result<()> {
    let Code { team_id, user_id, client_id, redirect_uri, challenge, resource, expires_at, connection_id } =
        code;
    tx.execute(
        "insert into oauth_codes
           (code_hash, team_id, user_id, client_id, redirect_uri, challenge, resource, expires_at, connection_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &values![
            code_hash,
            *team_id,
            *user_id,
            client_id,
            redirect_uri,
            challenge,
            resource,
            *expires_at,
            *connection_id
        ],
    )?;
    Ok(())
}

/// The code with this hash, expired or not.
pub fn find(tx: &mut Tx, code_hash: &[u8]) -> Result<Option<Code>> {
    tx.find(
        "select team_id, user_id, client_id, redirect_uri, challenge, resource, expires_at, connection_id
         from oauth_codes where code_hash = $1",
        &values![code_hash],
        read,
    )
}

fn read(row: &Row) -> Result<Code> {
    Ok(Code {
        team_id: row.get(0)?,
        user_id: row.get(1)?,
        client_id: row.get(2)?,
        redirect_uri: row.get(3)?,
        challenge: row.get(4)?,
        resource: row.get(5)?,
        expires_at: row.time(6)?,
        connection_id: row.get(7)?,
    })
}

/// Notes what a code has become; `false` where another was faster.
pub fn redeem(tx: &mut Tx, code_hash: &[u8], connection_id: i64) -> Result<bool> {
    let changed = tx.execute(
        "update oauth_codes set connection_id = $2 where code_hash = $1 and connection_id is null",
        &values![code_hash, connection_id],
    )?;
    Ok(changed == 1)
}

pub fn delete(tx: &mut Tx, code_hash: &[u8]) -> Result<()> {
    tx.execute("delete from oauth_codes where code_hash = $1", &values![code_hash])?;
    Ok(())
}

/// Removes the codes that a person in a team has given a client.
pub fn delete_of(tx: &mut Tx, (team_id, user_id): (i64, i64), client_id: &str) -> Result<()> {
    tx.execute(
        "delete from oauth_codes where team_id = $1 and user_id = $2 and client_id = $3",
        &values![team_id, user_id, client_id],
    )?;
    Ok(())
}

/// Removes what expired at `until` or before.
pub fn sweep(tx: &mut Tx, until: Timestamp) -> Result<()> {
    tx.execute("delete from oauth_codes where expires_at <= $1", &values![until])?;
    Ok(())
}
