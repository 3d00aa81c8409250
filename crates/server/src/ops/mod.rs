//! Operations of several steps that more than one caller uses.

pub mod audit;
pub mod channels;
pub mod credentials;
pub mod deliveries;
pub mod devices;
pub mod erasure;
pub mod escalations;
pub mod event_lists;
pub mod first_start;
pub mod groups;
pub mod handoff;
pub mod identities;
pub mod ingest;
pub mod limits;
pub mod log;
pub mod mappings;
pub mod messages;
pub mod names;
pub mod refold;
pub mod reviews;
pub mod roster;
pub mod sign_in;
pub mod usage;
