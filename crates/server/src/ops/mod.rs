//! Operations of several steps that more than one caller uses.

pub mod audit;
pub mod channels;
pub mod credentials;
pub mod deliveries;
pub mod first_start;
pub mod handoff;
pub mod ingest;
pub mod log;
pub mod messages;
pub mod refold;
pub mod sign_in;
