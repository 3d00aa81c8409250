//! The installation as a whole: its first start, its master key, its nodes.

pub mod first_start;
pub mod lost_key;
pub mod master_key;
pub mod nodes;
