//! What is measured, one scenario a file. Each starts its own server on an empty store.

pub mod ack;
pub mod ceilings;
pub mod dashboard;
pub mod decisions;
pub mod disk;
pub mod e2e;
pub mod hot;
pub mod idle;
pub mod isolation;
pub mod lists;
pub mod memory;
pub mod mix;
pub mod nodes;
pub mod scale;
pub mod shards;
pub mod size;
pub mod steady;
