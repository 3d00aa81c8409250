//! The installation as a whole: its first start and its master key.

pub mod first_start;
pub mod lost_key;
pub mod master_key;
