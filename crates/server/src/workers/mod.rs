//! The stages after ingest, each a loop that takes what is due until the server stops.

pub mod agent_keys;
pub mod bulk_changes;
pub mod counters;
pub mod decisions;
pub mod deliver;
pub mod evaluate;
pub mod jumps;
pub mod live;
pub mod nodes;
pub mod pace;
pub mod rescore;
pub mod retention;
pub mod review;
pub mod teams;
