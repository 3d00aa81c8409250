//! Whether it is ordinary use rather than abuse.

pub(super) mod code_ring;
pub(super) mod confirmed_links;
pub(super) mod dormancy;
pub(super) mod failed_payments;
pub(super) mod failed_sign_ins;
pub(super) mod outreach;
pub(super) mod pace;
pub(super) mod repetition;
pub(super) mod sign_up_burst;
pub(super) mod takeover;
