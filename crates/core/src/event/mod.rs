//! Events as an application sends them: reading, validating, redacting.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::agent::{AgentSignature, KnownAgent, known_agent, may_be_a_backends, signed_agent};
use crate::device::Interaction;
use crate::key::ip_value;
use crate::place::Place;
use crate::time::Timestamp;

mod codes;
mod nothing;
mod read;
mod redact;
mod request;

pub use crate::json::FieldError;
pub use codes::codes;
pub use nothing::{
    is_nobodys_birth, is_nobodys_email, is_nobodys_name, is_nobodys_phone, stands_for_nobody,
    stands_for_none, ties_nobody,
};
pub use read::*;
pub use redact::{REDACTED, is_secret_parameter, redact, redact_url};
pub use request::{HEADER_MAX_BYTES, HEADERS, Request};

/// What an event may be like at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of its JSON.
    pub bytes: usize,
    /// Arrays and objects inside one another; the outermost is the first.
    pub nesting_levels: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 * 1024, nesting_levels: 32 }
    }
}

/// Largest free-form data of an event, an identity or a group, as compact JSON.
pub const DATA_MAX_BYTES: usize = 64 * 1024;

/// Events in one batch request.
pub const BATCH_MAX_EVENTS: usize = 1_000;

/// Who sends an event: decides what an event may say about its end user's connection.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The application's backend (secret key): may state the end user's `ip` and `userAgent`. What is given here is of
    /// its own connection.
    Backend { ip: Option<IpAddr>, user_agent: Option<String> },
    /// The browser script (public key): address and user agent are those of the connection.
    Browser { ip: Option<IpAddr>, user_agent: Option<String> },
}

impl Origin {
    /// A backend of whose connection nothing is known.
    pub const UNSEEN_BACKEND: Self = Self::Backend { ip: None, user_agent: None };
}

/// What of the connection that an event tells of is the backend's own, which sent it, and so nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfBackend {
    #[serde(default)]
    pub ip: bool,
    #[serde(default)]
    pub user_agent: bool,
}

impl OfBackend {
    /// What `event` says of a connection that is the one on which its backend sent it, from `ip` as `user_agent`. A
    /// browser's name is its user's even then; a program's at that address is the backend's. Where a proxy or a
    /// network inside hides from where the backend comes, its own name is what gives it away.
    pub fn of(event: &Event, ip: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let is_own_ip = event.ip.is_some() && event.ip == ip;
        let is_hidden = ip.is_some_and(|ip| ip_value(ip).is_none());
        let agent = event.user_agent.as_deref();
        let is_own_name = agent.is_some() && agent == user_agent;
        let is_programs = || agent.is_some_and(may_be_a_backends);
        let is_own_agent = match event.ip {
            None => is_own_name,
            Some(_) => (is_own_ip || is_hidden && is_own_name) && is_programs(),
        };
        Self { ip: is_own_ip, user_agent: is_own_agent }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A user as an event names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventIdentity {
    /// The application's own id of the user.
    pub id: String,
    /// Attributes to merge into the identity.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

/// A group as an event names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventGroup {
    /// Kind of group in lower_snake_case; `organization` when the sender gave none.
    #[serde(rename = "type")]
    pub group_type: String,
    pub id: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

/// An event that has been read, validated and redacted. This value, serialized, is what the
/// store keeps; the fold reads it, today and whenever the past is folded again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    /// The sender's name for what happened, such as `user.signup`.
    #[serde(rename = "type")]
    pub name: String,
    /// When it happened, by the sender's word; when it arrived, if the sender gave no time.
    pub timestamp: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<EventIdentity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<EventGroup>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What the tracker saw of the device; the fingerprint is derived from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Map<String, Value>>,
    /// How the page was operated since the event before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Where `ip` was when the event arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(default, skip_serializing_if = "OfBackend::is_nothing")]
    pub of_backend: OfBackend,
    /// The signature of the agent that made the request, as it was when the event arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<AgentSignature>,
}

impl Event {
    /// The address, where it may be the end user's.
    pub fn persons_ip(&self) -> Option<IpAddr> {
        self.ip.filter(|_| self.has_persons_address())
    }

    /// Where the address was, likewise.
    pub fn persons_place(&self) -> Option<Place> {
        self.place.filter(|_| self.has_persons_address())
    }

    /// The user agent, where it may be the end user's.
    pub fn persons_user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref().filter(|_| !self.of_backend.user_agent && !self.is_of_agent())
    }

    /// The agent of an AI service that made the request: by its signature, or by its own word.
    pub fn agent(&self) -> Option<KnownAgent> {
        let named = self.user_agent.as_deref().and_then(known_agent);
        let signed = self.signature.as_ref().map(|signature| signed_agent(signature, named));
        signed.or_else(|| named.cloned())
    }

    /// Whether the agent of a person made the request, as its operator's key confirms. The connection is the agent's
    /// then, and many people's.
    pub fn is_of_agent(&self) -> bool {
        let is_verified = self.signature.as_ref().is_some_and(|signature| signature.verified == Some(true));
        is_verified && self.agent().is_some_and(|agent| agent.purpose.is_for_a_person())
    }

    fn has_persons_address(&self) -> bool {
        !self.of_backend.ip && !self.is_of_agent()
    }
}

/// An accepted event, and the paths of its fields that were passed over: this version does not know them, the sender
/// may not say them, or they name nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    pub event: Event,
    /// What the backend tells of a signed request; it is not kept.
    pub request: Option<Request>,
    pub ignored_fields: Vec<String>,
}

/// What was wrong with an event; never empty.
pub type Refused = Vec<FieldError>;
