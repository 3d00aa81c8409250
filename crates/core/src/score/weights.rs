//! How heavily each analyzer counts: as it ships, unless an installation says otherwise.

use std::collections::BTreeMap;

use crate::score::contract::Analyzer;
use crate::score::registry::ANALYZERS;

/// Heavier than this, one analyzer would drown all others.
pub(crate) const WEIGHT_MAX: f64 = 10.0;

/// Weights of an installation that differ from those that ship. An analyzer of weight 0 runs in shadow: what
/// it finds is shown and counts for nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(BTreeMap<&'static str, f64>);

impl Weights {
    /// Reads `humanity.timing=0.5,behavior.outreach=0`; nothing is every weight as it ships.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut weights = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, weight) =
                part.split_once('=').ok_or_else(|| format!("\"{part}\" is not like humanity.timing=0.5"))?;
            let analyzer = ANALYZERS.iter().find(|analyzer| analyzer.id == id.trim()).ok_or_else(|| {
                let known: Vec<_> = ANALYZERS.iter().map(|analyzer| analyzer.id).collect();
                format!("there is no analyzer \"{}\"; there are {}", id.trim(), known.join(", "))
            })?;
            let weight = weight.trim().parse().ok().filter(|weight| (0.0..=WEIGHT_MAX).contains(weight));
            weights.insert(
                analyzer.id,
                weight
                    .ok_or_else(|| format!("the weight of {} must be from 0 to {WEIGHT_MAX}", analyzer.id))?,
            );
        }
        Ok(Self(weights))
    }

    /// The same of what was written before: what is not known any more is left out.
    pub fn parse_known(text: &str) -> Self {
        Self(text.split(',').filter_map(|part| Self::parse(part).ok()).flat_map(|one| one.0).collect())
    }

    /// How heavily an analyzer counts.
    pub fn of(&self, analyzer: &Analyzer) -> f64 {
        self.0.get(analyzer.id).copied().unwrap_or(analyzer.weight)
    }

    /// Gives an analyzer a weight, from 0 to [`WEIGHT_MAX`]; one as it ships is not kept.
    pub(crate) fn set(&mut self, analyzer: &Analyzer, weight: f64) {
        if weight == analyzer.weight {
            self.0.remove(analyzer.id);
        } else {
            self.0.insert(analyzer.id, weight);
        }
    }
}

impl std::fmt::Display for Weights {
    /// As [`Weights::parse`] reads them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, (id, weight)) in self.0.iter().enumerate() {
            write!(f, "{}{id}={weight}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::Identity;
    use crate::score::{Category, analyze};

    #[test]
    fn reads_what_it_writes_and_says_what_is_wrong() {
        let weights = Weights::parse(" humanity.timing = 0 , behavior.pace=2.5").unwrap();
        assert_eq!(weights.to_string(), "behavior.pace=2.5,humanity.timing=0");
        assert_eq!(Weights::parse(""), Ok(Weights::default()));
        for (text, words) in [
            ("humanity.timing", "is not like humanity.timing=0.5"),
            (
                "humanity.rhythm=1",
                "there is no analyzer \"humanity.rhythm\"; there are humanity.user-agent, ",
            ),
            ("humanity.timing=-1", "the weight of humanity.timing must be from 0 to 10"),
            ("humanity.timing=NaN", "the weight of humanity.timing must be from 0 to 10"),
        ] {
            let error = Weights::parse(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn in_shadow_is_seen_and_does_not_count() {
        let clockwork = Identity::default().events("a", (0..30).map(|n| n * 10_000));
        let with = |text: &str| analyze(&clockwork.snapshot(), &Weights::parse(text).unwrap());
        let (counted, shadow) = (with(""), with("humanity.timing=0"));
        assert!(counted.scores.humanity.is_some_and(|score| score < 20));
        assert_eq!(shadow.scores.humanity, None, "nothing else was found to look at");
        let seen = |analysis: &crate::score::Analysis| {
            analysis.observations.iter().filter(|seen| seen.category == Category::Humanity).count()
        };
        assert_eq!(seen(&shadow), seen(&counted));
        assert_eq!(shadow.scores.behavior, counted.scores.behavior);
    }
}
