//! The egress guard: where requests may go, and the only way there.
//!
//! A URL is read once, into a [`Target`]; its name is resolved once, all its addresses are held
//! against the [`EgressPolicy`], and the connection is opened to one of exactly those addresses.
//! There is no second lookup that could give a different answer.

mod connect;
mod hosts;
mod policy;
mod reserved;
mod resolve;
mod stream;
mod target;

pub use policy::{Blocked, EGRESS_ALLOW, EgressPolicy};
pub use target::{Origin, Target, URL_MAX_BYTES, UrlError};

pub(super) use connect::{Dialer, is_closed};
pub(super) use stream::{Stream, TrafficBudget};
