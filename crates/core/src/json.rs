//! JSON as the outside world sends it: depth bounded, keys unique, text storable.
//!
//! What comes out can be stored and read back unchanged on every engine: no duplicate keys (of
//! which two readers would pick different ones), no NUL (PostgreSQL's text cannot hold it), no
//! number that a 64-bit integer or float would silently change the size of.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io;

use serde::Serialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Deserializer, Map, Number, Value};

/// One thing that is wrong with a request, at one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Path of the field, such as `identity.id` or `groups[1].data`; empty for the whole body.
    pub field: String,
    pub message: String,
}

/// How an error begins that is about nesting.
pub const TOO_DEEP: &str = "is nested deeper than";
/// How one begins that is about an array.
pub const TOO_MANY: &str = "has more than";

/// Numbers of this size and above are refused: integers that large do not fit 64 bits.
const NUMBER_END: f64 = 18_446_744_073_709_551_616.0;
/// Numbers below are refused: the smallest integer of 64 bits.
const NUMBER_MIN: f64 = -9_223_372_036_854_775_808.0;

/// Text without the byte order mark that some editors, shells and frameworks begin it with, and which says nothing
/// (RFC 8259, section 8.1).
pub fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Reads one JSON value, with up to `max_levels` of arrays and objects inside one another, and nothing
/// after it.
///
/// # Errors
/// The first thing wrong, with the path of the field it is in and, for text that is not JSON at
/// all, line and column.
pub fn read(body: &[u8], max_levels: usize) -> Result<Value, FieldError> {
    let body = unmarked(body);
    let text = std::str::from_utf8(body).map_err(|error| FieldError {
        field: String::new(),
        message: format!("is not UTF-8 text: the byte at offset {} is no character", error.valid_up_to()),
    })?;
    if text.trim_ascii().is_empty() {
        return Err(FieldError { field: String::new(), message: "is empty; expected JSON".to_owned() });
    }
    let trail = Trail::default();
    let mut source = Deserializer::from_str(text);
    let value = Strict { level: 1, max_levels, trail: &trail }
        .deserialize(&mut source)
        .and_then(|value| source.end().map(|()| value))
        .map_err(|error| trail.explain(&error))?;
    Ok(value)
}

/// Reads one JSON object, and nothing after it.
///
/// # Errors
/// As [`read`], and when the value is not an object.
pub fn read_object(body: &[u8], max_levels: usize) -> Result<Map<String, Value>, FieldError> {
    match read(body, max_levels)? {
        Value::Object(map) => Ok(map),
        other => Err(FieldError {
            field: String::new(),
            message: format!("must be a JSON object, not {}", kind(&other)),
        }),
    }
}

/// Cuts a JSON array into the texts of its elements, without looking further into them than
/// finding their ends takes: one element that cannot be accepted spoils none of the others.
///
/// # Errors
/// When `body` is not an array, has more than `max_elements`, or an element's end cannot be found.
pub fn split_array(body: &[u8], max_elements: usize) -> Result<Vec<&[u8]>, FieldError> {
    let whole = |message: String| FieldError { field: String::new(), message };
    let Some(mut rest) = unmarked(body).trim_ascii().strip_prefix(b"[") else {
        return Err(whole("must be a JSON array".to_owned()));
    };
    let mut elements = Vec::new();
    rest = rest.trim_ascii_start();
    let mut closed = rest.strip_prefix(b"]");
    while closed.is_none() {
        if elements.len() == max_elements {
            return Err(whole(format!("{TOO_MANY} {max_elements} elements")));
        }
        let mut values = Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(IgnoredAny)) => {}
            Some(Err(error)) => {
                let message = format!("is not JSON: {}", place_and_reason(&error));
                return Err(FieldError { field: format!("[{}]", elements.len()), message });
            }
            None => return Err(whole("is not JSON: the array is not closed".to_owned())),
        }
        let (element, after) = rest.split_at(values.byte_offset());
        elements.push(element.trim_ascii_start());
        rest = after.trim_ascii_start();
        closed = rest.strip_prefix(b"]");
        if closed.is_none() {
            let Some(next) = rest.strip_prefix(b",") else {
                return Err(whole(format!("is not JSON: no comma after element {}", elements.len() - 1)));
            };
            rest = next.trim_ascii_start();
        }
    }
    match closed {
        Some(after) if !after.is_empty() => Err(whole("is not JSON: something follows the array".to_owned())),
        _ => Ok(elements),
    }
}

/// The length of `map` as compact JSON text, in bytes.
pub fn size_bytes(map: &Map<String, Value>) -> usize {
    let mut counter = Counter(0);
    // Writing a value into a writer that never fails does not fail.
    let _ = serde_json::to_writer(&mut counter, map);
    counter.0
}

/// What sort of value this is, for messages: "a string", "an array", …
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Step {
    Key(String),
    Index(usize),
}

/// Where an error happened: the steps to it, innermost first, laid only on the way out of an
/// error, so that keeping the path costs nothing while all goes well.
#[derive(Default)]
struct Trail(RefCell<Vec<Step>>);

impl Trail {
    fn leave(&self, step: Step) {
        self.0.borrow_mut().push(step);
    }

    fn explain(&self, error: &serde_json::Error) -> FieldError {
        let mut field = String::new();
        for step in self.0.borrow().iter().rev() {
            // Writing to a string does not fail.
            let _ = match step {
                Step::Key(key) if field.is_empty() => write!(field, "{}", shortened(key)),
                Step::Key(key) => write!(field, ".{}", shortened(key)),
                Step::Index(index) => write!(field, "[{index}]"),
            };
        }
        let reason = reason(error);
        // To serde, a number beyond a float's range is a mistake in the text.
        let message = if error.is_data() || reason == NUMBER_MESSAGE {
            reason
        } else {
            format!("is not JSON: {}", place_and_reason(error))
        };
        FieldError { field, message }
    }
}

/// Enough of a key to recognise it: a message must not repeat a megabyte.
fn shortened(key: &str) -> &str {
    const KEY_SHOWN_MAX_BYTES: usize = 64;
    &key[..key.floor_char_boundary(KEY_SHOWN_MAX_BYTES)]
}

fn place_and_reason(error: &serde_json::Error) -> String {
    format!("line {}, column {}: {}", error.line(), error.column(), reason(error))
}

/// The error's own words, without the place that its `Display` appends.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    match reason {
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            "half of a surrogate pair is not a character".to_owned()
        }
        "number out of range" => NUMBER_MESSAGE.to_owned(),
        _ if error.is_eof() => "the text ends too early".to_owned(),
        _ => reason.to_owned(),
    }
}

const NUMBER_MESSAGE: &str = "is a number too large to keep exactly; send it as a string";
const NUL_MESSAGE: &str = "contains a NUL character, which cannot be stored";

/// Reads one value at its level of nesting.
#[derive(Clone, Copy)]
struct Strict<'t> {
    level: usize,
    max_levels: usize,
    trail: &'t Trail,
}

impl Strict<'_> {
    fn text<E: serde::de::Error>(text: String) -> Result<Value, E> {
        if text.as_bytes().contains(&0) { Err(E::custom(NUL_MESSAGE)) } else { Ok(Value::String(text)) }
    }

    /// The reader for what is inside a container at this level.
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.level > self.max_levels {
            return Err(E::custom(format_args!("{TOO_DEEP} {} levels", self.max_levels)));
        }
        Ok(Self { level: self.level + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if !(NUMBER_MIN..NUMBER_END).contains(&value) {
            return Err(E::custom(NUMBER_MESSAGE));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom(NUMBER_MESSAGE))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        Self::text(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        Self::text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut items = Vec::new();
        loop {
            match access.next_element_seed(inside) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Value::Array(items)),
                Err(error) => {
                    self.trail.leave(Step::Index(items.len()));
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if key.as_bytes().contains(&0) {
                return Err(A::Error::custom("has a key with a NUL character, which cannot be stored"));
            }
            let entry = match map.entry(key) {
                Entry::Vacant(entry) => entry,
                Entry::Occupied(entry) => {
                    self.trail.leave(Step::Key(entry.key().clone()));
                    return Err(A::Error::custom("is given twice in the same object"));
                }
            };
            match access.next_value_seed(inside) {
                Ok(value) => entry.insert(value),
                Err(error) => {
                    self.trail.leave(Step::Key(entry.key().clone()));
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: usize = 32;

    fn refusal(body: &[u8]) -> (String, String) {
        let error = read(body, LEVELS).expect_err(&String::from_utf8_lossy(body));
        (error.field, error.message)
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let texts = [
            r#"{"a":[1,-2,3.5,true,null,"x",{"b":{}}],"ü":"\u00e9\n"}"#,
            "18446744073709551615",
            "-9223372036854775808",
            "1.5e19",
            "-0.0",
            " \"text\" ",
        ];
        for text in texts {
            assert_eq!(read(text.as_bytes(), LEVELS), Ok(serde_json::from_str(text).unwrap()), "{text}");
        }
        assert!(read(nested(LEVELS).as_bytes(), LEVELS).is_ok());
    }

    #[test]
    fn says_where_and_why_it_refuses() {
        let number = "is a number too large to keep exactly; send it as a string";
        let cases: &[(&[u8], &str, &str)] = &[
            (b"", "", "is empty; expected JSON"),
            (b" \n", "", "is empty; expected JSON"),
            (b"\xff", "", "is not UTF-8 text: the byte at offset 0 is no character"),
            (b"{", "", "is not JSON: line 1, column 1: the text ends too early"),
            (b"{\"a\":\n tru}", "a", "is not JSON: line 2, column 5: expected ident"),
            (b"1 2", "", "is not JSON: line 1, column 3: trailing characters"),
            (b"[NaN]", "[0]", "is not JSON: line 1, column 2: expected value"),
            (br#"{"a":{"b":1,"b":2}}"#, "a.b", "is given twice in the same object"),
            (br#"{"a":[0,"\u0000"]}"#, "a[1]", "contains a NUL character, which cannot be stored"),
            (br#"{"a":{"\u0000":1}}"#, "a", "has a key with a NUL character, which cannot be stored"),
            (br#"{"a":18446744073709551616}"#, "a", number),
            (br#"{"a":-9223372036854775809999}"#, "a", number),
            (
                br#"{"a":"\ud800"}"#,
                "a",
                "is not JSON: line 1, column 13: half of a surrogate pair is not a character",
            ),
        ];
        for (body, field, message) in cases {
            assert_eq!(refusal(body), ((*field).to_owned(), (*message).to_owned()));
        }
        let (field, message) = refusal(nested(LEVELS + 1).as_bytes());
        assert_eq!(field, "[0]".repeat(LEVELS));
        assert_eq!(message, "is nested deeper than 32 levels");
        assert!(refusal(br#"{"a":1e999}"#).1.contains("too large"));
    }

    #[test]
    fn never_repeats_a_long_key() {
        let key = "ä".repeat(1_000_000);
        let (field, _) = refusal(format!("{{\"{key}\":1e30}}").as_bytes());
        assert_eq!(field, "ä".repeat(32));
    }

    #[test]
    fn splits_arrays_whose_elements_are_bad() {
        type Expected = Result<Vec<&'static str>, (&'static str, &'static str)>;
        let cases: [(&str, Expected); 11] = [
            ("[]", Ok(vec![])),
            (" [ 1 , {\"a\": [2]} ,\"]\"] ", Ok(vec!["1", "{\"a\": [2]}", "\"]\""])),
            (r#"["\ud800",1e999]"#, Ok(vec![r#""\ud800""#, "1e999"])),
            ("\u{feff}[1]", Ok(vec!["1"])),
            ("\u{feff}\u{feff}[1]", Err(("", "must be a JSON array"))),
            ("{}", Err(("", "must be a JSON array"))),
            ("[1,2,3,4]", Err(("", "has more than 3 elements"))),
            ("[1,]", Err(("[1]", "is not JSON: line 1, column 1: expected value"))),
            ("[1", Err(("", "is not JSON: no comma after element 0"))),
            ("[1,", Err(("", "is not JSON: the array is not closed"))),
            ("[1] 2", Err(("", "is not JSON: something follows the array"))),
        ];
        for (body, expected) in cases {
            let split = split_array(body.as_bytes(), 3)
                .map(|parts| parts.into_iter().map(|part| std::str::from_utf8(part).unwrap()).collect());
            let expected = expected.map_err(|(field, message)| FieldError {
                field: field.to_owned(),
                message: message.to_owned(),
            });
            assert_eq!(split, expected, "{body}");
        }
    }

    #[test]
    fn measures_compact_text() {
        for text in ["{}", r#"{"a":[1,2.5,"ü\n"],"b":null}"#] {
            let Value::Object(map) = read(text.as_bytes(), LEVELS).unwrap() else { panic!("an object") };
            assert_eq!(size_bytes(&map), text.len());
        }
    }
}
