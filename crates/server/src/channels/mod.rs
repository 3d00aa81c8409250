//! Channels: how a message leaves the house.
//!
//! A channel's kind makes a request ([`webhook`]), one client sends it ([`http`]) and says what
//! came of it ([`outcome`]). Every connection to a host that a customer names is opened in
//! [`egress`] and nowhere else.

pub mod egress;
pub mod http;
pub mod outcome;
pub mod webhook;
