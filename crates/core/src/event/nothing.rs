//! Values that programs write where they have none.

/// What languages, libraries and people put in place of a value, in lower case.
const NOTHING: [&str; 24] = [
    "undefined",
    "null",
    "nil",
    "none",
    "nan",
    "(null)",
    "<null>",
    "(none)",
    "<nil>",
    "nullptr",
    "void",
    "true",
    "false",
    "infinity",
    "-infinity",
    "anonymous",
    "unknown",
    "n/a",
    "{}",
    "[]",
    "\"\"",
    "''",
    ".",
    "..",
];
/// Values that begin so were turned into text by accident, or never filled in: `[object Object]`, `{{user.id}}`,
/// `${userId}`, `<%= id %>`, `%(id)s`.
const BEGINNINGS: [&str; 6] = ["[object ", "{{", "${", "<%", "%(", "function ("];

/// Whether a value stands for none: for an id that would be many people, and for a detail it ties nobody to
/// anybody. Blanks and zeros do as well (`0`, `00000000-0000-0000-0000-000000000000`).
pub fn stands_for_none(value: &str) -> bool {
    let value = value.trim();
    let is_zero =
        value.contains('0') && value.chars().all(|char| matches!(char, '0' | '-' | '.' | ':' | ' '));
    // Nothing longer is among them.
    let lower = || value[..value.floor_char_boundary(16)].to_lowercase();
    value.is_empty()
        || is_zero
        || value.len() <= 16 && NOTHING.contains(&lower().as_str())
        || BEGINNINGS.iter().any(|beginning| lower().starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_stands_for_none() {
        let none = [
            "",
            "  ",
            "undefined",
            "UNDEFINED",
            " null ",
            "None",
            "NaN",
            "nil",
            "[object Object]",
            "[object Undefined]",
            "true",
            "False",
            "anonymous",
            "0",
            "000",
            "0.0",
            "00000000-0000-0000-0000-000000000000",
            "(null)",
            "{{user.id}}",
            "${userId}",
            "<%= id %>",
            ".",
            "..",
            "N/A",
            "\u{a0}",
        ];
        for value in none {
            assert!(stands_for_none(value), "{value:?}");
        }
        let some = [
            "user_1",
            "7",
            "10",
            "-1",
            "0x1",
            "nullable",
            "trueman",
            "anonymous-7",
            "ada@example.com",
            "...a",
            "None.7",
            "a.b",
            "unknown-soldier",
            "[object]",
            "ä",
            "00000000-0000-0000-0000-000000000001",
            "🦀",
        ];
        for value in some {
            assert!(!stands_for_none(value), "{value:?}");
        }
    }
}
