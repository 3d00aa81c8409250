//! Delivery: what a channel is told, how it is doing, and what was sent.

pub mod deliveries;
pub mod endpoints;
pub mod filters;
pub mod health;
pub mod log;
pub mod messages;
pub mod notices;
