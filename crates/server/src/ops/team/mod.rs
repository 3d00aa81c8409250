//! What a team manages: its people, keys and channels, its rules, and what its names and values mean; and the teams
//! themselves.

pub mod channels;
pub mod credentials;
pub mod datasets;
pub mod facts;
pub mod list_undo;
pub mod lists;
pub mod mappings;
pub mod mcp_tokens;
pub mod members;
pub mod ring_bans;
pub mod rule_versions;
pub mod rules;
pub mod teams;
pub mod views;
pub mod weights;
