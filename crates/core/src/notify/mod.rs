//! What an application is told, how it is signed, and when it is tried again.

pub mod catalogue;
pub mod message;
pub mod schedule;
pub mod signature;
pub mod verify;
