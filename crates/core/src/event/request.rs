//! What a backend tells of the request behind an event, so that the signature of an agent can be verified.

use std::collections::BTreeMap;

/// The headers that are read; others are ignored. Signatures of agents cover these and parts of the URL.
pub const HEADERS: [&str; 7] = [
    "content-digest",
    "content-type",
    "host",
    "signature",
    "signature-agent",
    "signature-input",
    "user-agent",
];

/// The longest value of a header. Signatures of agents have about 600 bytes in all.
pub const HEADER_MAX_BYTES: usize = 2_048;

/// A request as it reached the backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: Option<String>,
    /// As it was sent: what is kept of it is redacted.
    pub url: Option<String>,
    /// By their names in lower case, which are among [`HEADERS`].
    pub headers: BTreeMap<&'static str, String>,
}

impl Request {
    pub fn is_signed(&self) -> bool {
        self.headers.contains_key("signature") && self.headers.contains_key("signature-input")
    }
}
