//! What is wrong with a field, said to who wrote the body: serde tells it to who wrote the types.

/// How serde begins to say that a field is missing, or one too many.
pub const MISSING: &str = "missing field `";
pub const UNKNOWN: &str = "unknown field `";
/// What is said of a field that is missing.
pub const REQUIRED: &str = "is required";

/// What serde says, in the words of the other messages: what it must be, and what it is.
pub fn plain(message: &str) -> String {
    if message.starts_with(MISSING) {
        return REQUIRED.to_owned();
    }
    if let Some((_, known)) = message.strip_prefix(UNKNOWN).and_then(|rest| rest.split_once('`')) {
        return match choice(known) {
            Some(known) => format!("is not known here; may be {known}"),
            None => "is not known here; nothing is".to_owned(),
        };
    }
    if let Some((found, known)) =
        message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once('`'))
    {
        return format!("must be {}, not \"{found}\"", choice(known).unwrap_or_default());
    }
    let of_value = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    match of_value.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => format!("must be {}, not {}", kind(expected), value(found)),
        None => message.to_owned(),
    }
}

/// The names in back ticks, as in "a, b or c"; `None` where there are none.
fn choice(known: &str) -> Option<String> {
    let names: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    let (last, others) = names.split_last()?;
    Some(if others.is_empty() { (*last).to_owned() } else { format!("{} or {last}", others.join(", ")) })
}

/// Types of Rust, in those of JSON.
fn kind(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        text if text.starts_with("struct ") || text.starts_with("internally tagged enum ") => "an object",
        text => text,
    }
}

/// A value as it stands in the body.
fn value(found: &str) -> String {
    match found {
        "sequence" => "an array".to_owned(),
        "map" => "an object".to_owned(),
        text => {
            let quoted = text.split_once('`').and_then(|(_, rest)| rest.strip_suffix('`'));
            quoted.or_else(|| text.strip_prefix("string ")).unwrap_or(text).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::plain;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct One {
        #[serde(rename = "a")]
        _a: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Three {
        #[serde(rename = "a")]
        _a: Option<i64>,
        #[serde(rename = "b")]
        _b: Option<bool>,
        #[serde(rename = "c")]
        _c: Option<f64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct None {}

    #[derive(Debug, Deserialize)]
    enum Choice {
        Send,
        Skip,
    }

    fn said<T: DeserializeOwned>(value: Value) -> Option<String> {
        serde_json::from_value::<T>(value).err().map(|error| plain(&error.to_string()))
    }

    #[test]
    fn says_what_must_be_and_what_is() {
        let cases = [
            (said::<One>(json!({})), "is required"),
            (said::<One>(json!({"b": 1})), "is not known here; may be a"),
            (said::<Three>(json!({"d": 1})), "is not known here; may be a, b or c"),
            (said::<None>(json!({"d": 1})), "is not known here; nothing is"),
            (said::<Choice>(json!("Wait")), "must be Send or Skip, not \"Wait\""),
            (said::<One>(json!({"a": -1})), "must be a whole number, 0 or more, not -1"),
            (said::<One>(json!({"a": 1.5})), "must be a whole number, 0 or more, not 1.5"),
            (said::<Three>(json!({"a": true})), "must be a whole number, not true"),
            (said::<Three>(json!({"b": "yes, expected"})), "must be a boolean, not \"yes, expected\""),
            (said::<Three>(json!({"b": null, "c": []})), "must be a number, not an array"),
            (said::<Vec<u8>>(json!("*")), "must be an array, not \"*\""),
            (said::<BTreeMap<String, u8>>(json!([1])), "must be an object, not an array"),
            (said::<String>(json!(null)), "must be a string, not null"),
            (said::<String>(json!({"a": 1})), "must be a string, not an object"),
        ];
        for (said, expected) in cases {
            assert_eq!(said.as_deref(), Some(expected));
        }
        assert_eq!(plain("a sentence of our own"), "a sentence of our own");
    }
}
