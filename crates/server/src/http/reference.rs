//! Names of things in the answers about others: id, what people call it, and where to read it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

/// RFC 3986, 2.3: what needs no encoding in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A thing that another one names.
#[derive(Serialize, ToSchema)]
pub struct Reference {
    #[schema(example = "user_12345")]
    id: String,
    /// What people call it; its id if it has no name.
    label: String,
    /// Where it is, below `/api`.
    path: String,
}

impl Reference {
    pub fn identity(id: String, label: Option<String>) -> Self {
        Self::new("/identities/", id, label)
    }

    pub fn rule(id: i64, name: String) -> Self {
        Self::new("/escalation-rules/", id.to_string(), Some(name))
    }

    fn new(collection: &str, id: String, label: Option<String>) -> Self {
        let path = format!("{collection}{}", segment(&id));
        Self { label: label.unwrap_or_else(|| id.clone()), path, id }
    }
}

/// A group that an event names.
#[derive(Serialize, ToSchema)]
pub struct GroupReference {
    #[serde(rename = "type")]
    group_type: String,
    id: String,
    /// What people call it; its id if it has no name.
    label: String,
    /// Where it is, below `/api`.
    path: String,
}

impl GroupReference {
    pub fn new(group_type: String, id: String, label: Option<String>) -> Self {
        let path = format!("/groups/{}/{}", segment(&group_type), segment(&id));
        Self { label: label.unwrap_or_else(|| id.clone()), path, group_type, id }
    }
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}
