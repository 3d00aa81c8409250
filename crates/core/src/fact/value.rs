//! Values of facts, and how they are compared.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A text, a number or a flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Flag(bool),
    Number(f64),
    Text(String),
}

impl Value {
    /// What a JSON value is; `None` for null, arrays and objects.
    pub fn of_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Bool(flag) => Some(Self::Flag(*flag)),
            serde_json::Value::Number(number) => number.as_f64().map(Self::Number),
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }

    /// The number it is or spells; never one that is not finite.
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Flag(_) => return None,
        };
        number.is_finite().then_some(number)
    }

    /// As it is shown.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        }
    }

    /// Whether both are the same: as numbers where both are some, else as texts in which case does not count.
    pub fn is(&self, other: &Self) -> bool {
        match (self.number(), other.number()) {
            (Some(one), Some(other)) => one.total_cmp(&other) == Ordering::Equal || one == other,
            _ => self.folded() == other.folded(),
        }
    }

    /// In lower case, without space around it: two values are the same text when this is.
    pub fn folded(&self) -> String {
        self.text().trim().to_lowercase()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_as_people_mean_them() {
        let text = |text: &str| Value::from(text);
        assert!(text("DE").is(&text(" de ")));
        assert!(text("500").is(&Value::Number(500.0)) && text("1e3").is(&text("1000")));
        assert!(Value::Flag(true).is(&text("TRUE")) && !Value::Flag(true).is(&Value::Number(1.0)));
        assert!(!text("500 EUR").is(&Value::Number(500.0)) && !text("").is(&Value::Number(0.0)));
        assert!(Value::Number(0.0).is(&Value::Number(-0.0)));
        assert_eq!(text("nan").number(), None);
        assert_eq!(text("inf").number(), None);
    }
}
