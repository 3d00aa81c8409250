//! How much a team can make of everything that people make: one table, looked at in the transaction that makes one more.

use crate::limit::Limit;
use crate::store::bounds::{self, Thing};
use crate::store::{Result, StoreError, Tx, teams};

/// How many of a thing there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub thing: Thing,
    /// Whose they are, and what they are called.
    pub owner: &'static str,
    pub what: &'static str,
    pub max: i64,
    pub limit: Limit,
}

const fn of_team(thing: Thing, what: &'static str, max: i64, limit: Limit) -> Bound {
    Bound { thing, owner: "team", what, max, limit }
}

/// What each keeps in memory, and what hourly jobs do for each.
pub const TEAMS: Bound =
    Bound { thing: Thing::Team, owner: "server", what: "teams", max: 100, limit: Limit::Teams };
/// Each is kept in memory, and looked through where a browser asks whether it may send.
pub const CREDENTIALS: Bound = of_team(Thing::Credential, "credentials", 100, Limit::Credentials);
/// One for each assistant and machine that somebody has.
pub const MCP_TOKENS: Bound =
    Bound { thing: Thing::McpToken, owner: "person", what: "MCP tokens", max: 50, limit: Limit::McpTokens };
pub const CONNECTIONS: Bound = Bound {
    thing: Thing::Connection,
    owner: "person",
    what: "connected MCP clients",
    max: 50,
    limit: Limit::McpClients,
};
/// One for each device and security key that somebody has.
pub const PASSKEYS: Bound =
    Bound { thing: Thing::Passkey, owner: "person", what: "passkeys", max: 20, limit: Limit::Passkeys };
/// Those that hold; each can become a member.
pub const INVITATIONS: Bound = of_team(Thing::Invitation, "invitations", 200, Limit::Invitations);
pub const MEMBERS: Bound = of_team(Thing::Member, "members", 1_000, Limit::Members);
/// Each has a queue of its own in memory.
pub const CHANNELS: Bound = of_team(Thing::Channel, "channels", 1_000, Limit::Channels);
/// Every rule is asked at each scoring cycle.
pub const BADGE_RULES: Bound = of_team(Thing::BadgeRule, "badge rules", 1_000, Limit::BadgeRules);
pub const ESCALATION_RULES: Bound =
    of_team(Thing::EscalationRule, "escalation rules", 1_000, Limit::EscalationRules);
/// They are in memory, and looked up for each event.
pub const MAPPINGS: Bound = of_team(Thing::Mapping, "mappings", 5_000, Limit::Mappings);
/// They are in memory, and looked up at each scoring cycle.
pub const DATASET_ENTRIES: Bound =
    of_team(Thing::DatasetEntry, "entries in its datasets", 100_000, Limit::DatasetEntries);
/// Each is kept in memory, and rules ask for it at each scoring cycle.
pub const LISTS: Bound = of_team(Thing::List, "lists", 100, Limit::Lists);
pub const VIEWS: Bound = of_team(Thing::View, "views", 100, Limit::Views);
/// Nobody decides more often of one account; they are looked through for the one that counts.
pub const LABELS: Bound =
    Bound { thing: Thing::Label, owner: "single identity", what: "labels", max: 1_000, limit: Limit::Labels };
/// Each is looked at for each event, and takes bytes in the states of what it counts by.
pub const COUNTERS: Bound = of_team(Thing::Counter, "counters", 20, Limit::Counters);

/// All of them.
pub const ALL: [Bound; 16] = [
    TEAMS,
    CREDENTIALS,
    MCP_TOKENS,
    CONNECTIONS,
    PASSKEYS,
    INVITATIONS,
    MEMBERS,
    CHANNELS,
    BADGE_RULES,
    ESCALATION_RULES,
    MAPPINGS,
    DATASET_ENTRIES,
    LISTS,
    VIEWS,
    LABELS,
    COUNTERS,
];

impl Bound {
    /// Makes sure that there is room for one more of a team's, or of a person's in it. Nobody else makes one until the
    /// transaction has ended.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] when there is none.
    pub fn check(&self, tx: &mut Tx, team_id: i64, owner_id: i64) -> Result<()> {
        teams::lock(tx, team_id)?;
        if bounds::count(tx, self.thing, owner_id)? < self.max {
            return Ok(());
        }
        Err(StoreError::TooMany { owner: self.owner, what: self.what, max: self.max, limit: self.limit })
    }

    /// The same for what a team owns.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] when there is no room.
    pub fn check_team(&self, tx: &mut Tx, team_id: i64) -> Result<()> {
        self.check(tx, team_id, team_id)
    }
}
