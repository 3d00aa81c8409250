//! Lists and searches.

pub mod event_lists;
pub mod roster;
pub mod search;
pub mod spelling;
pub mod tail;
