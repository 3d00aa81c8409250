//! Examples as the regression reads them: in order of time, each with its evidence by analyzer.

use std::collections::HashMap;

use super::{EARLIER, Example};
use crate::score::{ANALYZERS, logit};
use crate::time::Timestamp;

/// An example.
pub(super) struct Row {
    pub at: Timestamp,
    pub is_bad: bool,
    pub weight: f64,
    /// By the analyzer's place in [`ANALYZERS`], ascending: confidence × logit(value), which is never 0.
    pub evidence: Vec<(usize, f64)>,
    /// Places of all analyzers that found something to look at.
    pub seen: Vec<usize>,
}

impl Row {
    fn of(example: &Example<'_>, places: &HashMap<&str, usize>) -> Self {
        let mut evidence: Vec<_> = example
            .observations
            .iter()
            .filter_map(|seen| {
                Some((*places.get(seen.analyzer)?, seen.confidence.clamp(0.0, 1.0) * logit(seen.value)))
            })
            .filter(|(_, evidence)| evidence.is_finite())
            .collect();
        evidence.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let seen = evidence.iter().map(|(place, _)| *place).collect();
        evidence.retain(|(_, evidence)| *evidence != 0.0);
        Self { at: example.at, is_bad: example.is_bad, weight: example.weight, evidence, seen }
    }

    /// What speaks for somebody, in log-odds, if analyzers have these weights.
    pub fn sum(&self, weights: &[f64]) -> f64 {
        self.evidence.iter().map(|(place, evidence)| weights[*place] * evidence).sum()
    }
}

/// All examples that are used.
pub(super) struct Examples {
    /// In order of time.
    pub rows: Vec<Row>,
    /// So many of `rows` are of the earlier part.
    split: usize,
    pub left_out: usize,
}

impl Examples {
    /// The newest `max` that have a weight.
    pub fn of(examples: &[Example<'_>], max: usize) -> Self {
        let places: HashMap<_, _> =
            ANALYZERS.iter().enumerate().map(|(place, analyzer)| (analyzer.id, place)).collect();
        let mut used: Vec<_> =
            examples.iter().filter(|example| example.weight.is_finite() && example.weight > 0.0).collect();
        used.sort_by_key(|example| example.at);
        let used = &used[used.len().saturating_sub(max)..];
        let rows: Vec<_> = used.iter().map(|example| Row::of(example, &places)).collect();
        let left_out = examples.len() - rows.len();
        let split = split(&rows);
        Self { rows, split, left_out }
    }

    pub fn earlier(&self) -> &[Row] {
        &self.rows[..self.split]
    }

    pub fn later(&self) -> &[Row] {
        &self.rows[self.split..]
    }
}

/// How many of `rows`, which are in order of time, are of the earlier part: as many as [`EARLIER`] says, and whoever
/// is of the same moment as the last of them.
pub(super) fn split(rows: &[Row]) -> usize {
    let wanted = (rows.len() as f64 * EARLIER) as usize;
    let Some(last) = wanted.checked_sub(1).and_then(|last| rows.get(last)) else { return 0 };
    rows.partition_point(|row| row.at <= last.at)
}
