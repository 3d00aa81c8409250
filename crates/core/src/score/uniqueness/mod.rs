//! Whether it is one account rather than one of many of the same person.

pub(super) mod same_email;
pub(super) mod shared_device;
pub(super) mod shared_ip;
pub(super) mod shared_session;
pub(super) mod similar_behavior;
pub(super) mod similar_email;
pub(super) mod similar_profile;
