//! Devices: the fingerprint that stands for what the tracker saw.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

mod interaction;
mod makeup;
mod signs;

pub use interaction::{Interaction, Interactions, Stroke, Tally};
pub use makeup::{Makeup, Part};
pub use signs::{Sign, SignCounts, Signs, signs};

/// Bytes of the digest that are kept: at 128 bits, a billion devices collide with a probability
/// below one in 10^20.
const FINGERPRINT_BYTES: usize = 16;

/// What the browser script reports that changes on one device: with an update, another window, another screen,
/// a journey, or with what drives the browser.
const PASSING: [&str; 12] = [
    "automation",
    "languages",
    "maxTouchPoints",
    "outerHeight",
    "outerWidth",
    "plugins",
    "screenHeight",
    "screenWidth",
    "tampered",
    "timezone",
    "userAgent",
    "webdriver",
];

/// The fingerprint of a device with these components: 32 hexadecimal digits, the same for the
/// same components in any order of keys. What passes is left out, unless there is nothing else.
pub fn fingerprint(components: &Map<String, Value>) -> String {
    let names = in_fingerprint(components);
    let mut lasting = components.clone();
    lasting.retain(|name, _| names.contains(&name.as_str()));
    let mut canonical = Vec::with_capacity(1_024);
    write_object(&lasting, &mut canonical);
    hex::encode(&Sha256::digest(&canonical)[..FINGERPRINT_BYTES])
}

/// The names of those of the components that make the fingerprint.
pub fn in_fingerprint(components: &Map<String, Value>) -> Vec<&str> {
    let lasting: Vec<_> =
        components.keys().map(String::as_str).filter(|name| !PASSING.contains(name)).collect();
    if lasting.is_empty() { components.keys().map(String::as_str).collect() } else { lasting }
}

/// Compact JSON with the keys of objects sorted.
fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => write_object(map, out),
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_object(map: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (key, value) in entries {
        write_scalar(key, out);
        out.push(b':');
        write(value, out);
        out.push(b',');
    }
    out.push(b'}');
}

fn write_scalar<T: serde::Serialize + ?Sized>(scalar: &T, out: &mut Vec<u8>) {
    // Writing a string or a number into a vector does not fail.
    let _ = serde_json::to_writer(out, scalar);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> String {
        fingerprint(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn is_the_truncated_digest_of_the_sorted_components() {
        assert_eq!(of("{}"), "44136fa355b3678a1146ad16f7e8649e");
        assert_eq!(of(r#"{"b":[1,{"d":2,"c":3}],"a":"x"}"#), of(r#"{"a":"x","b":[1,{"c":3,"d":2}]}"#));
    }

    #[test]
    fn is_the_same_whatever_passes() {
        let device = of(r#"{"canvas":"x","userAgent":"Chrome/148","webdriver":false}"#);
        assert_eq!(of(r#"{"canvas":"x","userAgent":"Chrome/149","webdriver":true}"#), device);
        assert_ne!(of(r#"{"canvas":"y","userAgent":"Chrome/148"}"#), device);
        assert_ne!(of(r#"{"userAgent":"Chrome/148"}"#), of(r#"{"userAgent":"Chrome/149"}"#));
    }

    #[test]
    fn is_made_of_what_it_says() {
        let names = |json: &str| {
            let components = serde_json::from_str(json).unwrap();
            in_fingerprint(&components).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(r#"{"audio":1,"canvas":"x","plugins":3,"userAgent":"a"}"#), ["audio", "canvas"]);
        assert_eq!(names(r#"{"plugins":3,"userAgent":"a"}"#), ["plugins", "userAgent"]);
    }

    #[test]
    fn differs_with_any_component() {
        let devices = [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":[12]}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":null}"#,
            r#"{"a":1,"b":1}"#,
        ];
        let distinct: std::collections::BTreeSet<_> = devices.iter().map(|json| of(json)).collect();
        assert_eq!(distinct.len(), devices.len());
    }
}
