//! Patterns of texts.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Longest pattern.
const PATTERN_MAX_BYTES: usize = 500;
/// Largest program that one may become: a pattern of nested repetitions is refused.
const PROGRAM_MAX_BYTES: usize = 64 * 1024;

/// A regular expression, in which case does not count. It takes time that grows with the text alone, whatever it asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, Self::Error> {
        if !(1..=PATTERN_MAX_BYTES).contains(&pattern.len()) {
            return Err(format!("must have 1 to {PATTERN_MAX_BYTES} bytes"));
        }
        let built = RegexBuilder::new(&pattern).case_insensitive(true).size_limit(PROGRAM_MAX_BYTES).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is too large: its repetitions are many or nested".to_owned(),
            other => {
                format!("is no regular expression: {}", other.to_string().lines().last().unwrap_or_default())
            }
        })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.as_str().to_owned()
    }
}
