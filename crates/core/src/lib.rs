//! What dregs knows and decides, as pure functions over values: events and how they are read,
//! the fold of an identity's past into a bounded state, scores and the observations behind them,
//! and the messages that tell an application about them.
//!
//! Deliberately absent: I/O, clocks, randomness, globals, async. Time and ids are arguments.

pub mod agent;
pub mod badge;
pub mod calibrate;
pub mod common;
pub mod counter;
mod curve;
pub mod dataset;
pub mod device;
pub mod event;
pub mod fact;
pub mod identity;
pub mod json;
mod key;
pub mod label;
mod letters;
pub mod link;
pub mod list;
pub mod mapping;
pub mod notify;
pub mod person;
pub mod place;
pub mod review;
pub mod rules;
pub mod score;
pub mod shard;
pub mod snapshot;
pub mod state;
pub mod time;
pub mod wave;
pub mod wilson;
pub mod words;
pub mod world;
