//! What applications and people are told, how it is signed, and when it is tried again.

pub mod breaker;
pub mod catalogue;
pub mod filter;
pub mod inert;
pub mod message;
pub mod notice;
pub mod schedule;
pub mod signature;
pub mod thin;
pub mod verify;
