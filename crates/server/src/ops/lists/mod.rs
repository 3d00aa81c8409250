//! Lists and searches.

pub mod event_lists;
pub mod roster;
pub mod search;
pub mod tail;
