//! The stages after ingest. Each exposes what one turn of it does, and a loop that turns.

pub mod deliver;
pub mod evaluate;
