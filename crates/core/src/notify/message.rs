//! Messages: what happened, as the bytes that are POSTed.

use std::io::Write as _;

use crate::time::Timestamp;

/// The most bytes the `data` of a message may have. Whoever writes one leaves details out before
/// it grows beyond that. (Standard Webhooks 1.0.0 advises to stay below 20 kB; ours are mostly
/// below 2 kB, and the rest is room for long badge explanations.)
pub const DATA_MAX_BYTES: usize = 64 * 1024;

/// Room for everything in a body but the identity's id and `data`, so that it is written without
/// growing: names and punctuation 120, two times 48, event 24, numbers 40, event id 64.
const ENVELOPE_BYTES: usize = 320;

/// Everything a channel can be told. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    IdentityScored = 1,
    IdentityBadgesChanged = 2,
    EscalationOpened = 3,
    EscalationClosed = 4,
    ChannelTest = 5,
    ChannelFailing = 6,
    ChannelDisabled = 7,
    IdentityLabeled = 8,
    RuleRateJumped = 9,
}

impl EventType {
    pub const ALL: [Self; 9] = [
        Self::IdentityScored,
        Self::IdentityBadgesChanged,
        Self::IdentityLabeled,
        Self::EscalationOpened,
        Self::EscalationClosed,
        Self::RuleRateJumped,
        Self::ChannelTest,
        Self::ChannelFailing,
        Self::ChannelDisabled,
    ];

    /// The one name it goes by in payloads, headers and answers: `IDENTITY_SCORED`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IdentityScored => "IDENTITY_SCORED",
            Self::IdentityBadgesChanged => "IDENTITY_BADGES_CHANGED",
            Self::IdentityLabeled => "IDENTITY_LABELED",
            Self::EscalationOpened => "ESCALATION_OPENED",
            Self::EscalationClosed => "ESCALATION_CLOSED",
            Self::RuleRateJumped => "RULE_RATE_JUMPED",
            Self::ChannelTest => "CHANNEL_TEST",
            Self::ChannelFailing => "CHANNEL_FAILING",
            Self::ChannelDisabled => "CHANNEL_DISABLED",
        }
    }

    /// The dotted spelling: `identity.scored`.
    pub const fn dotted(self) -> &'static str {
        self.aliases()[0]
    }

    /// The other spellings a subscription may use, the dotted one first.
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::IdentityScored => &["identity.scored"],
            Self::IdentityBadgesChanged => &["identity.badges_changed"],
            Self::IdentityLabeled => &["identity.labeled"],
            Self::EscalationOpened => &["escalation.opened", "alert.opened"],
            Self::EscalationClosed => &["escalation.closed", "alert.closed"],
            Self::RuleRateJumped => &["rule.rate_jumped"],
            Self::ChannelTest => &["channel.test"],
            Self::ChannelFailing => &["channel.failing"],
            Self::ChannelDisabled => &["channel.disabled"],
        }
    }

    /// Reads the name or one of its aliases, exactly as written there.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == text || event.aliases().contains(&text))
    }

    /// Whether it tells of an identity, and not of a rule or a channel.
    pub const fn has_identity(self) -> bool {
        !matches!(
            self,
            Self::RuleRateJumped | Self::ChannelTest | Self::ChannelFailing | Self::ChannelDisabled
        )
    }

    /// The number it is stored under.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The event type stored under `code`.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.code() == code)
    }
}

/// Something that happened, to be told to one or more channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The event id a receiver recognizes a repeat by: the same for every attempt. It is signed
    /// as `id.timestamp.body`, so it holds no full stop.
    pub id: String,
    pub event: EventType,
    pub occurred_at: Timestamp,
    pub identity_id: Option<String>,
    /// Position among the events of the identity, from 1.
    pub sequence: Option<u64>,
    /// The `data` object, already JSON text.
    pub data: Box<str>,
}

impl Message {
    /// The body of one attempt at `timestamp` to the channel `channel_id`: the same bytes for the
    /// same values, keys always in this order. These are the bytes to sign and to send.
    pub fn body(&self, channel_id: i64, timestamp: Timestamp) -> Vec<u8> {
        let identity_bytes = self.identity_id.as_ref().map_or(0, String::len);
        let mut out = Vec::with_capacity(ENVELOPE_BYTES + identity_bytes + self.data.len());
        out.extend_from_slice(b"{\"id\":");
        write_string(&mut out, &self.id);
        out.extend_from_slice(b",\"event\":\"");
        out.extend_from_slice(self.event.name().as_bytes());
        // Writing into a vector cannot fail: here and below the results say nothing.
        let _ = write!(
            out,
            "\",\"timestamp\":\"{timestamp}\",\"occurredAt\":\"{}\",\"channelId\":\"{channel_id}\"",
            self.occurred_at
        );
        if let Some(identity_id) = &self.identity_id {
            out.extend_from_slice(b",\"identityId\":");
            write_string(&mut out, identity_id);
        }
        if let Some(sequence) = self.sequence {
            let _ = write!(out, ",\"sequence\":{sequence}");
        }
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(self.data.as_bytes());
        out.push(b'}');
        out
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_contract_is_read() {
        let cases = [
            ("IDENTITY_SCORED", Some(EventType::IdentityScored)),
            ("identity.scored", Some(EventType::IdentityScored)),
            ("IDENTITY_BADGES_CHANGED", Some(EventType::IdentityBadgesChanged)),
            ("identity.badges_changed", Some(EventType::IdentityBadgesChanged)),
            ("ESCALATION_OPENED", Some(EventType::EscalationOpened)),
            ("escalation.opened", Some(EventType::EscalationOpened)),
            ("alert.opened", Some(EventType::EscalationOpened)),
            ("ESCALATION_CLOSED", Some(EventType::EscalationClosed)),
            ("escalation.closed", Some(EventType::EscalationClosed)),
            ("alert.closed", Some(EventType::EscalationClosed)),
            ("CHANNEL_TEST", Some(EventType::ChannelTest)),
            ("channel.test", Some(EventType::ChannelTest)),
            ("channel.failing", Some(EventType::ChannelFailing)),
            ("CHANNEL_DISABLED", Some(EventType::ChannelDisabled)),
            ("Identity_Scored", None),
            ("ALERT_OPENED", None),
            (" identity.scored", None),
            ("", None),
        ];
        for (text, event) in cases {
            assert_eq!(EventType::parse(text), event, "{text:?}");
        }
    }

    #[test]
    fn stored_numbers_never_change() {
        let codes = EventType::ALL.map(|event| (event.code(), event.name(), event.dotted()));
        let expected = [
            (1, "IDENTITY_SCORED", "identity.scored"),
            (2, "IDENTITY_BADGES_CHANGED", "identity.badges_changed"),
            (8, "IDENTITY_LABELED", "identity.labeled"),
            (3, "ESCALATION_OPENED", "escalation.opened"),
            (4, "ESCALATION_CLOSED", "escalation.closed"),
            (9, "RULE_RATE_JUMPED", "rule.rate_jumped"),
            (5, "CHANNEL_TEST", "channel.test"),
            (6, "CHANNEL_FAILING", "channel.failing"),
            (7, "CHANNEL_DISABLED", "channel.disabled"),
        ];
        assert_eq!(codes, expected);
        assert_eq!(EventType::ALL.map(|event| EventType::from_code(event.code())), EventType::ALL.map(Some));
        assert_eq!([0, 10, -1].map(EventType::from_code), [None; 3]);
    }

    fn scored() -> Message {
        Message {
            id: "evt_1".into(),
            event: EventType::IdentityScored,
            occurred_at: Timestamp::from_millis(1_795_426_200_007),
            identity_id: Some("user_12345".into()),
            sequence: Some(17),
            data: r#"{"scores":{"humanity":12}}"#.into(),
        }
    }

    fn check(message: &Message, expected: &str) {
        let timestamp = Timestamp::from_millis(1_795_426_201_000);
        let body = message.body(2_000_042, timestamp);
        assert_eq!(String::from_utf8_lossy(&body), expected);
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "{expected}");
        assert_eq!(message.body(2_000_042, timestamp), body);
    }

    #[test]
    fn a_body_has_the_keys_of_the_contract_in_their_order() {
        check(
            &scored(),
            r#"{"id":"evt_1","event":"IDENTITY_SCORED","timestamp":"2026-11-23T09:30:01.000Z","occurredAt":"2026-11-23T09:30:00.007Z","channelId":"2000042","identityId":"user_12345","sequence":17,"data":{"scores":{"humanity":12}}}"#,
        );
    }

    #[test]
    fn without_an_identity_there_is_neither_identity_nor_sequence() {
        let message =
            Message { event: EventType::ChannelTest, identity_id: None, sequence: None, ..scored() };
        check(
            &message,
            r#"{"id":"evt_1","event":"CHANNEL_TEST","timestamp":"2026-11-23T09:30:01.000Z","occurredAt":"2026-11-23T09:30:00.007Z","channelId":"2000042","data":{"scores":{"humanity":12}}}"#,
        );
    }

    #[test]
    fn whatever_an_identity_is_called_the_body_is_json() {
        let odd = "a\"b\\c\n\u{1}\u{2028}Ω😀".to_owned();
        let message = Message { identity_id: Some(odd.clone()), ..scored() };
        let body = message.body(1, Timestamp::from_millis(0));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["identityId"], serde_json::Value::String(odd));
    }

    #[test]
    fn a_body_is_written_without_growing() {
        let data = "{}".into();
        let longest = EventType::IdentityBadgesChanged;
        let message =
            Message { id: "e".repeat(64), event: longest, sequence: Some(u64::MAX), data, ..scored() };
        let body = message.body(i64::MAX, Timestamp::from_millis(0));
        assert!(body.capacity() <= ENVELOPE_BYTES + 12, "grew to {} bytes", body.capacity());
    }
}
