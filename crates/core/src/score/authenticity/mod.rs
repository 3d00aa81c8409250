//! Whether the details are genuine rather than made up.

pub(super) mod agreement;
pub(super) mod email;
pub(super) mod name;
