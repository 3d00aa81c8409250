//! Evaluation: identities read, scored, and scored again when something has changed what scores mean.

pub mod backtest;
pub mod calibration;
pub mod evaluation;
pub mod events;
pub mod rescore;
