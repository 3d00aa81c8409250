//! Whether a person is behind it rather than a script.

pub(super) mod agent_signature;
pub(super) mod device;
pub(super) mod interaction;
pub(super) mod network;
pub(super) mod round_the_clock;
pub(super) mod timing;
pub(super) mod user_agent;
