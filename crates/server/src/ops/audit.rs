//! The audit log: who did what, when, from where. An entry is written in the transaction that makes
//! the change, so that there is never one without the other.

use std::net::IpAddr;

use dregs_core::time::Timestamp;
use serde_json::Value;

use crate::store::audit_log::{self, NewEntry};
use crate::store::credentials::Credential;
use crate::store::users::User;
use crate::store::{Result, Tx};

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub team_id: i64,
    /// `USER`, `CREDENTIAL` or `SYSTEM`.
    pub actor_type: &'static str,
    /// Of the user or the credential.
    pub id: Option<i64>,
    /// The user's e-mail address, or the credential's name.
    pub name: String,
    /// The name of the MCP token, or of the client, through which the user acts, if through one.
    pub mcp_token: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    pub fn user(user: &User, address: Option<IpAddr>) -> Self {
        let (id, name) = (Some(user.id), user.email.clone());
        Self { team_id: user.team_id, actor_type: "USER", id, name, mcp_token: None, address }
    }

    /// Whoever runs commands on the machine.
    pub fn command_line(team_id: i64) -> Self {
        Self {
            team_id,
            actor_type: "SYSTEM",
            id: None,
            name: "command line".to_owned(),
            mcp_token: None,
            address: None,
        }
    }

    /// The server itself.
    pub fn server(team_id: i64) -> Self {
        Self { name: "server".to_owned(), ..Self::command_line(team_id) }
    }

    pub fn credential(credential: &Credential, address: Option<IpAddr>) -> Self {
        let (id, name) = (Some(credential.id), credential.name.clone());
        Self { team_id: credential.team_id, actor_type: "CREDENTIAL", id, name, mcp_token: None, address }
    }
}

/// Something that was done to something.
pub struct Act<'a> {
    /// Noun and verb, such as `credential.create`.
    pub action: &'static str,
    /// The noun, such as `credential`.
    pub target_type: &'static str,
    pub target_id: &'a str,
    /// How it was and how it is, without secrets; `None` where it was not, or is no more.
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Writes an entry.
pub fn record(tx: &mut Tx, actor: &Actor, act: &Act, now: Timestamp) -> Result<()> {
    write(tx, actor, act, now).map(drop)
}

/// The same; the answer is the entry's id.
pub fn write(tx: &mut Tx, actor: &Actor, act: &Act, now: Timestamp) -> Result<i64> {
    audit_log::insert(
        tx,
        &NewEntry {
            team_id: actor.team_id,
            at: now,
            actor_type: actor.actor_type,
            actor_id: actor.id,
            actor: &actor.name,
            mcp_token: actor.mcp_token.as_deref(),
            address: actor.address.map(|address| address.to_string()),
            action: act.action,
            target_type: act.target_type,
            target_id: act.target_id,
            before: act.before.as_ref().map(Value::to_string),
            after: act.after.as_ref().map(Value::to_string),
        },
    )
}
