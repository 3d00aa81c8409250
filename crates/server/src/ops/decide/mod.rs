//! Decisions: what rules make of the scores, and what people make of that.

pub mod accuracy;
pub mod assignment;
pub mod decisions;
pub mod dismissals;
pub mod escalations;
pub mod labels;
pub mod notes;
pub mod rule_backtest;
