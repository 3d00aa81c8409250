//! How many there are of what people make.

use super::{Result, Tx};
use crate::values;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// Of the whole server.
    Team,
    Credential,
    McpToken,
    Connection,
    Passkey,
    Invitation,
    Member,
    Channel,
    BadgeRule,
    EscalationRule,
    Mapping,
    DatasetEntry,
    List,
    View,
    Label,
    Counter,
}

impl Thing {
    /// Where it is, and by which column it belongs to somebody.
    const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Team => ("teams", "id"),
            Self::Credential => ("credentials", "team_id"),
            Self::McpToken => ("mcp_tokens", "user_id"),
            Self::Connection => ("oauth_connections", "user_id"),
            Self::Passkey => ("passkeys", "user_id"),
            Self::Invitation => ("invitations", "team_id"),
            Self::Member => ("members", "team_id"),
            Self::Channel => ("channels", "team_id"),
            Self::BadgeRule => ("badge_rules", "team_id"),
            Self::EscalationRule => ("escalation_rules", "team_id"),
            Self::Mapping => ("mappings", "team_id"),
            Self::DatasetEntry => ("dataset_entries", "team_id"),
            Self::List => ("lists", "team_id"),
            Self::View => ("views", "team_id"),
            Self::Label => ("labels", "identity_id"),
            Self::Counter => ("counters", "team_id"),
        }
    }
}

/// How many of a thing somebody has: a team, of MCP tokens and connected clients a person, of labels an identity.
pub fn count(tx: &mut Tx, thing: Thing, owner_id: i64) -> Result<i64> {
    if thing == Thing::Team {
        return tx.get("select count(*) from teams where deleted_at is null", &[], |row| row.get(0));
    }
    let (table, column) = thing.place();
    tx.get(&format!("select count(*) from {table} where {column} = $1"), &values![owner_id], |row| row.get(0))
}
