//! The integration tests, in one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod api;
mod architecture;
mod cli;
mod flow;
mod hostile;
mod ledger;
mod manual;
mod readme;
mod store;
mod support;
