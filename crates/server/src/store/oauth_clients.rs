//! Clients that sign in by OAuth, as they have registered themselves.

use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx};
use crate::values;

/// A client. It has no secret: where it runs, none could be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    /// As it calls itself.
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub created_at: Timestamp,
    /// When it was last given a code or a token.
    pub used_at: Option<Timestamp>,
}

/// Who has no connection, and none that is being made.
const IDLE: &str = "not exists (select 1 from oauth_connections o where o.client_id = c.id)
    and not exists (select 1 from oauth_codes o where o.client_id = c.id)";
/// More than there ever are: `offset` needs a limit on SQLite.
const ALL: i64 = 1_000_000;

/// `network` is a hash of where it is registered from.
pub fn insert(tx: &mut Tx, client: &Client, network: &[u8]) -> Result<()> {
    let Client { id, name, redirect_uris, created_at, used_at } = client;
    let redirect_uris =
        serde_json::to_string(redirect_uris).map_err(|error| StoreError::Broken(error.to_string()))?;
    tx.execute(
        "insert into oauth_clients (id, name, redirect_uris, network, created_at, used_at)
         values ($1, $2, $3, $4, $5, $6)",
        &values![id, name, &redirect_uris, network, *created_at, *used_at],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx, id: &str) -> Result<Option<Client>> {
    tx.find(
        "select id, name, redirect_uris, created_at, used_at from oauth_clients where id = $1",
        &values![id],
        read,
    )
}

fn read(row: &Row) -> Result<Client> {
    let redirect_uris: String = row.get(2)?;
    Ok(Client {
        id: row.get(0)?,
        name: row.get(1)?,
        redirect_uris: serde_json::from_str(&redirect_uris)
            .map_err(|error| StoreError::Broken(error.to_string()))?,
        created_at: row.time(3)?,
        used_at: row.optional_time(4)?,
    })
}

/// Notes that a client was given a code or a token.
pub fn touch(tx: &mut Tx, id: &str, now: Timestamp) -> Result<()> {
    tx.execute("update oauth_clients set used_at = $2 where id = $1", &values![id, now])?;
    Ok(())
}

/// How many were registered from a network since `after`, and when the first of them was.
pub fn registered(tx: &mut Tx, network: &[u8], after: Timestamp) -> Result<(i64, Option<Timestamp>)> {
    tx.get(
        "select count(*), min(created_at) from oauth_clients where network = $1 and created_at > $2",
        &values![network, after],
        |row| Ok((row.get(0)?, row.optional_time(1)?)),
    )
}

/// Of the clients that nobody is connected with, leaves `kept`. Those that nobody ever approved go first, the oldest
/// before the others. The answer is how many did.
pub fn keep_newest(tx: &mut Tx, kept: i64) -> Result<u64> {
    tx.execute(
        &format!(
            "delete from oauth_clients where id in (select c.id from oauth_clients c where {IDLE}
               order by case when c.used_at is null then 1 else 0 end, c.created_at desc, c.id limit $2 offset $1)"
        ),
        &values![kept, ALL],
    )
}

/// Removes the clients that nobody is connected with, and that nobody approved until `unused`, or used until `idle`.
pub fn sweep(tx: &mut Tx, unused: Timestamp, idle: Timestamp) -> Result<()> {
    tx.execute(
        &format!(
            "delete from oauth_clients where id in (select c.id from oauth_clients c where {IDLE}
               and (c.used_at <= $2 or (c.used_at is null and c.created_at <= $1)))"
        ),
        &values![unused, idle],
    )?;
    Ok(())
}
