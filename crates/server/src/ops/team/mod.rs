//! What a team manages: its people, keys and channels, its rules, and what its names and values mean.

pub mod channels;
pub mod credentials;
pub mod datasets;
pub mod mappings;
pub mod mcp_tokens;
pub mod members;
pub mod rule_versions;
pub mod rules;
pub mod views;
pub mod weights;
