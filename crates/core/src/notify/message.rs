//! Messages: what happened, as the bytes that are POSTed.

use crate::time::Timestamp;

/// Everything a channel can be told. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    IdentityScored = 1,
    IdentityBadgesChanged = 2,
    EscalationOpened = 3,
    EscalationClosed = 4,
    ChannelTest = 5,
}

/// Something that happened, to be told to one or more channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The event id a receiver recognises a repeat by: the same for every attempt.
    pub id: String,
    pub event: EventType,
    pub occurred_at: Timestamp,
    pub identity_id: Option<String>,
    /// Position among the events of the identity, from 1.
    pub sequence: Option<u64>,
    /// The `data` object, already JSON text.
    pub data: Box<str>,
}
