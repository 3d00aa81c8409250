//! Channels: how a message leaves the house.
//!
//! A channel's type makes of an event what goes over the wire: a signed request ([`webhook`]), a letter
//! ([`email`]) or a card ([`slack`]). [`send`] is the one way out for all, and [`outcome`] says what came
//! of it. Every connection to a host that a customer names is opened in [`egress`] and nowhere else; letters
//! go to the operator's mail server ([`smtp`]). [`fetch`] asks those that settings name.

mod certificates;
pub mod config;
pub mod egress;
pub mod email;
pub mod fetch;
pub mod http;
pub mod outcome;
pub mod send;
pub mod slack;
pub mod smtp;
pub mod webhook;
