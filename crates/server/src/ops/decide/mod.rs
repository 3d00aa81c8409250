//! Decisions: what rules make of the scores, and what people make of that.

pub mod accuracy;
pub mod assignment;
pub mod awaited;
pub mod bulk_changes;
pub mod current;
pub mod decision_report;
pub mod decisions;
pub mod dismissals;
pub mod draws;
pub mod escalations;
mod history;
pub mod jumps;
pub mod labels;
pub mod notes;
pub mod rule_backtest;
pub mod rule_comparison;
pub mod rule_lists;
pub mod rule_preview;
pub mod snoozes;
pub mod waves;
