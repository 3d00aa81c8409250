//! How observations make a score: the formula is in the documentation of [`crate::score`].

use crate::score::contract::{Category, Observation};

/// Where every category starts. Most users of most applications are honest; at 0.70 an identity
/// of which nothing is known is neither trusted nor caught by the usual thresholds (below 50).
pub const PRIOR: f64 = 0.70;
/// Values below count as this, so that no single observation is beyond appeal: logit −3.89.
pub const VALUE_MIN: f64 = 0.02;
/// Values above count as this.
pub const VALUE_MAX: f64 = 0.98;

/// The score of `category` from these observations, 0 to 100, by the formula in the documentation of
/// [`crate::score`]; `None` when none of them is of that category and counts.
pub fn aggregate(category: Category, observations: &[Observation]) -> Option<u8> {
    let counts = |own: &&Observation| own.category == category && own.weight > 0.0;
    let mut own = observations.iter().filter(counts).peekable();
    own.peek()?;
    let moved: f64 = own.map(|own| own.weight * own.confidence * logit(own.value)).sum();
    let score = (100.0 * sigmoid(logit(PRIOR) + moved)).round();
    // Between 0 and 100 by construction; the cast would bring anything else into range.
    Some(score as u8)
}

/// How far evidence of this value moves a score, before weight and confidence: 0 at 0.5.
pub fn logit(value: f64) -> f64 {
    let value = value.clamp(VALUE_MIN, VALUE_MAX);
    (value / (1.0 - value)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Rounded to three decimals, as everything is that counts.
pub fn thousandths(x: f64) -> f64 {
    (x * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn observation(category: Category, value: f64, confidence: f64, weight: f64) -> Observation {
        Observation {
            category,
            id: "x".to_owned(),
            label: "X".to_owned(),
            explanation: String::new(),
            value,
            confidence,
            weight,
            metadata: Map::new(),
        }
    }

    #[test]
    fn evidence_adds_in_log_odds() {
        /// Value, confidence, weight.
        type Evidence = &'static [(f64, f64, f64)];
        let cases: [(Evidence, Option<u8>); 8] = [
            (&[], None),
            (&[(0.5, 1.0, 1.0)], Some(70)),
            (&[(0.1, 0.0, 1.0)], Some(70)),
            (&[(0.1, 0.8, 1.5)], Some(14)),
            (&[(0.9, 0.8, 1.5)], Some(97)),
            (&[(0.1, 0.8, 1.5), (0.9, 0.8, 1.5)], Some(70)),
            (&[(0.0, 1.0, 1.0)], Some(5)),
            (&[(1.0, 1.0, 10.0)], Some(100)),
        ];
        for (evidence, expected) in cases {
            let mut observations: Vec<_> =
                evidence.iter().map(|(v, c, w)| observation(Category::Humanity, *v, *c, *w)).collect();
            observations.push(observation(Category::Behavior, 0.0, 1.0, 5.0));
            assert_eq!(aggregate(Category::Humanity, &observations), expected, "{evidence:?}");
        }
    }
}
