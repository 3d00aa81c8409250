//! Identities: what a user's free-form data says about who they are.

use serde_json::{Map, Value};

use crate::event::{DATA_MAX_BYTES, stands_for_none, ties_nobody};
use crate::json::{self, FieldError};
use crate::mapping::{FIELDS, IdentityField, Mapping};
use crate::person::Record;
use crate::words::push_snake;

/// Longest value of a [`Profile`]: an e-mail address may have 254 bytes, so that a longer one can
/// still be seen to be none. What is longer is cut.
pub const PROFILE_VALUE_MAX_BYTES: usize = 320;

/// The parts of an identity's data that analyzers and people look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub email: Option<String>,
    /// The full name; first and last name joined where only those are given.
    pub name: Option<String>,
    pub username: Option<String>,
    pub phone: Option<String>,
    pub date_of_birth: Option<String>,
    /// On one line.
    pub address: Option<String>,
    pub country: Option<String>,
    pub timezone: Option<String>,
    pub language: Option<String>,
}

/// Merges `patch` into `data`, key by key: a value replaces the one before, null removes the key.
/// Returns whether anything changed.
///
/// # Errors
/// When the result would be larger than [`DATA_MAX_BYTES`]; `data` is unchanged then.
pub fn merge(data: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<bool, FieldError> {
    let changes = |(key, value): (&String, &Value)| match data.get(key) {
        Some(present) => present != value,
        None => !value.is_null(),
    };
    if !patch.iter().any(changes) {
        return Ok(false);
    }
    // Together they bound the result, so that only data near the limit is copied to be measured.
    if json::size_bytes(data) + json::size_bytes(patch) <= DATA_MAX_BYTES {
        apply(data, patch);
        return Ok(true);
    }
    let mut merged = data.clone();
    apply(&mut merged, patch);
    let size_bytes = json::size_bytes(&merged);
    // What shrinks is welcome even when it is still too large, which a lowered limit may cause.
    if size_bytes > DATA_MAX_BYTES && size_bytes >= json::size_bytes(data) {
        let message = format!("would grow to {size_bytes} bytes; at most {DATA_MAX_BYTES} are kept");
        return Err(FieldError { field: "data".to_owned(), message });
    }
    *data = merged;
    Ok(true)
}

fn apply(data: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            data.shift_remove(key);
        } else {
            data.insert(key.clone(), value.clone());
        }
    }
}

impl Profile {
    /// What `data` says, under keys that the mapping knows, in any case and separator style
    /// (`email`, `E-Mail`, `userEmail`, …). Empty values and those that are neither text nor number
    /// count as absent; of an address that is an object, its parts are joined.
    pub fn from_data(data: &Map<String, Value>, mapping: &Mapping) -> Self {
        let mut found: [Option<(usize, &Value)>; FIELDS.len()] = [None; FIELDS.len()];
        let mut key_in_snake = String::new();
        for (key, value) in data {
            key_in_snake.clear();
            push_snake(key, &mut key_in_snake);
            let Some((field, rank)) = mapping.field(&key_in_snake) else { continue };
            if !(is_usable(value) || field == IdentityField::Address && value.is_object()) {
                continue;
            }
            let found = &mut found[field as usize];
            if found.is_none_or(|(best, _)| rank < best) {
                *found = Some((rank, value));
            }
        }
        let text = |field: IdentityField| found[field as usize].map(|(_, value)| text_of(value));
        // A detail that stands for none is none; names are left to those who know them (Null is one).
        let detail = |field| text(field).filter(|value| !ties_nobody(value));
        // Of a name that is two words, both of which stand for none, nobody has said anything.
        let is_said = |name: &String| !name.contains(char::is_whitespace) || !stands_for_none(name);
        let joined = match (text(IdentityField::FirstName), text(IdentityField::LastName)) {
            (Some(first), Some(last)) => Some(cut(&format!("{first} {last}"))),
            (first, last) => first.or(last),
        };
        Self {
            email: detail(IdentityField::Email),
            name: text(IdentityField::FullName).or(joined).filter(is_said),
            username: detail(IdentityField::Username),
            phone: detail(IdentityField::Phone),
            date_of_birth: detail(IdentityField::DateOfBirth),
            address: detail(IdentityField::Address),
            country: detail(IdentityField::Country),
            timezone: detail(IdentityField::Timezone),
            language: detail(IdentityField::Language),
        }
    }

    /// What can be compared with what others say of themselves; `None` where that is no more than a name.
    pub fn record(&self) -> Option<Record> {
        Record::new(self.name.as_deref(), self.date_of_birth.as_deref(), self.address.as_deref())
    }
}

/// What a group is called: its name, or else its title, by the usual keys; `None` without either.
pub fn group_name(data: &Map<String, Value>) -> Option<String> {
    Profile::from_data(data, &Mapping::default()).name.or_else(|| {
        let is_title = |key: &str| matches!(key.to_lowercase().as_str(), "title" | "label" | "company");
        data.iter().find(|(key, value)| is_title(key) && is_usable(value)).map(|(_, value)| text_of(value))
    })
}

fn is_usable(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Number(_) => true,
        _ => false,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text.trim()),
        Value::Object(parts) => {
            let parts: Vec<_> = parts.values().filter(|part| is_usable(part)).map(text_of).collect();
            cut(&parts.join(", "))
        }
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(PROFILE_VALUE_MAX_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("an object") };
        map
    }

    #[test]
    fn merges_key_by_key() {
        let cases = [
            (json!({}), json!({}), false, json!({})),
            (json!({"a": 1}), json!({"a": 1}), false, json!({"a": 1})),
            (json!({"a": 1}), json!({"b": null}), false, json!({"a": 1})),
            (json!({"a": 1}), json!({"a": null}), true, json!({})),
            (json!({"a": 1, "b": 2}), json!({"b": 3, "c": [4]}), true, json!({"a": 1, "b": 3, "c": [4]})),
            (json!({"a": {"x": 1}}), json!({"a": {"y": 2}}), true, json!({"a": {"y": 2}})),
        ];
        for (data, patch, changed, expected) in cases {
            let mut data = map(data);
            assert_eq!(merge(&mut data, &map(patch)), Ok(changed));
            assert_eq!(data, map(expected));
        }
    }

    #[test]
    fn keeps_the_data_when_it_would_grow_too_large() {
        let large = "x".repeat(DATA_MAX_BYTES - 100);
        let mut data = map(json!({ "a": large }));
        let before = data.clone();
        let error = merge(&mut data, &map(json!({"b": "y".repeat(200)}))).unwrap_err();
        assert_eq!(error.field, "data");
        assert_eq!(error.message, "would grow to 65651 bytes; at most 65536 are kept");
        assert_eq!(data, before);
        let replacement = map(json!({"a": "z".repeat(DATA_MAX_BYTES - 100)}));
        assert_eq!(merge(&mut data, &replacement), Ok(true));
        assert_eq!(data, replacement);
    }

    fn profile(email: &str, name: &str, username: &str, phone: &str) -> Profile {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Profile {
            email: some(email),
            name: some(name),
            username: some(username),
            phone: some(phone),
            ..Profile::default()
        }
    }

    #[test]
    fn recognises_the_usual_keys() {
        let cases = [
            (json!({}), profile("", "", "", "")),
            (
                json!({"email": " a@b.c ", "name": "Ada", "username": "ada", "phone": "+1"}),
                profile("a@b.c", "Ada", "ada", "+1"),
            ),
            (
                json!({"E-Mail": "a@b.c", "fullName": "Ada", "Login": "ada", "mobile-phone": 491}),
                profile("a@b.c", "Ada", "ada", "491"),
            ),
            (json!({"user_email": "u@b.c", "emailAddress": "e@b.c"}), profile("e@b.c", "", "", "")),
            (json!({"mail": "m@b.c", "email": "  "}), profile("m@b.c", "", "", "")),
            (json!({"lastName": "Lovelace", "first_name": "Ada"}), profile("", "Ada Lovelace", "", "")),
            (json!({"surname": "Lovelace"}), profile("", "Lovelace", "", "")),
            (json!({"displayName": "Countess", "first_name": "Ada"}), profile("", "Countess", "", "")),
            (json!({"email": ["a@b.c"], "name": {"first": "Ada"}, "tel": false}), profile("", "", "", "")),
            (
                json!({"email": "undefined", "phone": "000-000 000", "username": "[object Object]", "name": "Null"}),
                profile("", "Null", "", ""),
            ),
            (
                json!({"firstName": "undefined", "lastName": "undefined", "phone": "\u{200b}"}),
                profile("", "", "", ""),
            ),
            (
                json!({"firstName": "Christopher", "lastName": "Null"}),
                profile("", "Christopher Null", "", ""),
            ),
            (json!({"email_verified": "yes", "mailbox": "x", "namespace": "y"}), profile("", "", "", "")),
            (json!({"name": "ä".repeat(1_000)}), profile("", &"ä".repeat(160), "", "")),
        ];
        for (data, expected) in cases {
            assert_eq!(Profile::from_data(&map(data.clone()), &Mapping::default()), expected, "{data}");
        }
    }
}
