//! What several analyzers derive from a snapshot before they judge it.

pub(super) mod acts;
pub(super) mod alike;
pub(super) mod company;
pub(super) mod crowd;
pub(super) mod guest;
pub(super) mod hand;
pub(super) mod moments;
pub(super) mod networks;
pub(super) mod trust;
