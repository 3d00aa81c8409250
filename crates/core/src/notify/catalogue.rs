//! The catalog of event types: what each tells, as a sentence, a JSON Schema and an example.
//!
//! The schemas are open: a receiver must ignore members it does not know, so that later versions
//! can add some.

use serde_json::{Value, json};

use super::message::EventType;
use super::thin::{thin_data, thin_schema};

/// The dialect of the schemas.
const SCHEMA_DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// One event type, as `/event-types` answers it.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueEntry {
    pub event: EventType,
    /// When it is sent, and what for, in a sentence or two.
    pub description: &'static str,
    /// JSON Schema (2020-12) of the whole body.
    pub schema: Value,
    /// A whole body that validates against the schema.
    pub example: Value,
    /// JSON Schema (2020-12) of the whole body of a thin payload.
    pub thin_schema: Value,
    /// The example as a thin payload.
    pub thin_example: Value,
}

/// Every event type.
pub fn catalogue() -> Vec<CatalogueEntry> {
    EventType::ALL.into_iter().map(entry).collect()
}

/// One event type.
pub fn entry(event: EventType) -> CatalogueEntry {
    let (schema, example) = (schema(event), example(event));
    let mut thin_example = example.clone();
    thin_example["data"] = thin_data(event, &example["data"]);
    let thin_schema = thin_schema(event, &schema);
    CatalogueEntry { event, description: description(event), schema, example, thin_schema, thin_example }
}

/// The sequence in every example.
pub const EXAMPLE_SEQUENCE: u64 = 17;

/// Whom the example of an event tells of, if it tells of anybody.
pub fn example_identity(event: EventType) -> Option<String> {
    example_data(event)["identityId"].as_str().map(str::to_owned)
}

/// An example of the `data` of a message, for tests and for triggering one by hand.
pub fn example_data(event: EventType) -> Value {
    match event {
        EventType::IdentityScored => json!({
            "identityId": "user_12345",
            "cycleId": 4017,
            "scores": example_scores(),
            "previousScores": {"humanity": 64, "authenticity": 35, "uniqueness": 91, "behavior": 52},
            "badges": [example_badge()],
            "eventCount": 42,
            "deviceCount": 1,
            "agent": {"name": "ChatGPT-User", "operator": "OpenAI", "verified": true, "purpose": "ANSWER"}
        }),
        EventType::IdentityBadgesChanged => json!({
            "identityId": "user_12345",
            "added": [example_badge()],
            "removed": [],
            "badges": [example_badge()],
            "scores": example_scores()
        }),
        EventType::IdentityLabeled => json!({
            "identityId": "user_12345",
            "label": {
                "id": 5123,
                "outcome": "BAD",
                "kind": "DUPLICATE",
                "source": "ANALYST",
                "reason": "Second account of one person",
                "at": "2026-11-23T09:30:00.000Z"
            },
            "badges": [example_badge()],
            "scores": example_scores()
        }),
        EventType::EscalationOpened => {
            let mut data = example_escalation("OPEN");
            data["explanation"] = json!(
                "Humanity is 12, below 20; first seen more than 1 hour ago; it does not have the badge \"trusted\"."
            );
            data["eventId"] = Value::Null;
            data
        }
        EventType::EscalationClosed => example_escalation("CLOSED"),
        EventType::RuleRateJumped => json!({
            "rule": {"id": 9, "name": "Likely a bot", "type": "ESCALATION"},
            "from": "2026-11-22T09:00:00.000Z",
            "to": "2026-11-23T09:00:00.000Z",
            "count": 48,
            "expected": 3.2
        }),
        EventType::ChannelTest => json!({"message": "This is a test of the channel. Nothing happened."}),
        EventType::ChannelFailing => example_sickness(Some(50)),
        EventType::ChannelDisabled => example_sickness(None),
    }
}

const fn description(event: EventType) -> &'static str {
    match event {
        EventType::IdentityScored => {
            "A scoring cycle of an identity has finished. Carries the four scores, those of the cycle before \
             (null after the first), and the badges the identity has now."
        }
        EventType::IdentityBadgesChanged => {
            "An identity has gained or lost badges. Carries those added, those removed and all it has now."
        }
        EventType::IdentityLabeled => {
            "The label of an identity has changed: what a person, a chargeback or an appeal says it is, good or bad. \
             Carries the label that counts now, null when the only one was withdrawn, and the badges the identity has \
             by it."
        }
        EventType::EscalationOpened => {
            "An escalation (alert) has opened: all conditions of an escalation rule hold for an identity. \
             Sent to the channels that the rule names. Carries the rule, its severity and conditions, the scores at that \
             moment, and what opened it."
        }
        EventType::EscalationClosed => {
            "An escalation (alert) has closed, because its conditions no longer hold or a person closed it. \
             Sent to the channels that the rule names. Carries the rule, its severity and conditions, and the scores \
             at that moment."
        }
        EventType::RuleRateJumped => {
            "A rule has matched, within a day, at least three times as often as its own past and your traffic would \
             suggest. Carries which rule, how often, and how often was to be expected. At most once a day for a rule."
        }
        EventType::ChannelTest => "Somebody has asked for a test of this channel. Nothing else has happened.",
        EventType::ChannelFailing => {
            "Another channel has been failing for half, or for 80%, of the time after which it is disabled. Carries \
             which, since when, and the last error."
        }
        EventType::ChannelDisabled => {
            "Another channel has been disabled: it failed for too long, or its endpoint answered that it is \
             gone. Carries which, since when, and the last error. What waits is kept, paused."
        }
    }
}

/// A whole body as [`super::message::Message::body`] writes it.
fn example(event: EventType) -> Value {
    let mut body = json!({
        "id": "evt_01JD9GZ2M4T8Y6Q3N5X7C9B1VK",
        "event": event.name(),
        "timestamp": "2026-11-23T09:30:01.000Z",
        "occurredAt": "2026-11-23T09:30:00.007Z",
        "channelId": "2000042"
    });
    if event.has_identity() {
        body["identityId"] = json!("user_12345");
        body["sequence"] = json!(EXAMPLE_SEQUENCE);
    }
    body["data"] = example_data(event);
    body
}

fn example_scores() -> Value {
    json!({"humanity": 12, "authenticity": 35, "uniqueness": 91, "behavior": 40})
}

fn example_badge() -> Value {
    json!({
        "slug": "suspected-bot",
        "name": "Suspected bot",
        "type": "BAD",
        "explanation": "Humanity is 12, below 20.",
        "metadata": {}
    })
}

fn example_escalation(status: &str) -> Value {
    json!({
        "identityId": "user_12345",
        "escalationId": 311,
        "status": status,
        "severity": "CRITICAL",
        "rule": {"id": 9, "name": "Likely a bot"},
        "conditions": [
            {"type": "SCORE_LT", "category": "HUMANITY", "threshold": 20},
            {"type": "IDENTITY_AGE_GT", "seconds": 3600},
            {"type": "BADGE_NOT_EXISTS", "badge": "trusted"}
        ],
        "scores": example_scores(),
        "outcome": null
    })
}

fn example_sickness(percent: Option<u8>) -> Value {
    let mut data = json!({
        "channel": {"id": "2000017", "name": "Orders", "slug": "orders", "type": "WEBHOOK"},
        "failures": 214,
        "failingSince": "2026-11-23T03:30:00.007Z",
        "error": "the endpoint answered 503 Service Unavailable"
    });
    if let Some(percent) = percent {
        data["percent"] = percent.into();
    }
    data
}

fn schema(event: EventType) -> Value {
    let mut properties = json!({
        "id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            "description": "The event id: the same on every attempt and every resend."
        },
        "event": {"const": event.name()},
        "timestamp": time_schema("When this attempt was sent."),
        "occurredAt": time_schema("When it happened."),
        "channelId": {"type": "string", "pattern": "^[0-9]{1,16}$"}
    });
    let mut required = vec!["id", "event", "timestamp", "occurredAt", "channelId", "data"];
    if event.has_identity() {
        properties["identityId"] = identity_id_schema();
        properties["sequence"] = json!({
            "type": "integer",
            "minimum": 1,
            "description": "Grows by one for each event of the identity: drop what arrives late."
        });
        required.extend(["identityId", "sequence"]);
    }
    properties["data"] = data_schema(event);
    json!({
        "$schema": SCHEMA_DIALECT,
        "title": event.name(),
        "description": description(event),
        "type": "object",
        "properties": properties,
        "required": required
    })
}

/// Of the agent of an AI service that was seen last.
fn agent_schema() -> Value {
    object_schema(json!({
        "name": {"type": "string"},
        "operator": {"type": "string"},
        "verified": {"type": ["boolean", "null"]},
        "purpose": {"enum": ["ACTION", "CODING", "ANSWER", "SEARCH", "TRAINING", "DATA"]}
    }))
}

fn data_schema(event: EventType) -> Value {
    match event {
        EventType::IdentityScored => object_schema(json!({
            "identityId": identity_id_schema(),
            "cycleId": {"type": "integer", "minimum": 1},
            "scores": scores_schema(),
            "previousScores": {"oneOf": [scores_schema(), {"type": "null"}]},
            "badges": badges_schema(),
            "eventCount": {"type": "integer", "minimum": 0},
            "deviceCount": {"type": "integer", "minimum": 0},
            "agent": {"oneOf": [agent_schema(), {"type": "null"}]}
        })),
        EventType::IdentityBadgesChanged => object_schema(json!({
            "identityId": identity_id_schema(),
            "added": badges_schema(),
            "removed": badges_schema(),
            "badges": badges_schema(),
            "scores": scores_schema()
        })),
        EventType::IdentityLabeled => object_schema(json!({
            "identityId": identity_id_schema(),
            "label": {"oneOf": [label_schema(), {"type": "null"}]},
            "badges": badges_schema(),
            "scores": scores_schema()
        })),
        EventType::EscalationOpened => opened_schema(),
        EventType::EscalationClosed => escalation_schema(json!({"const": "CLOSED"})),
        EventType::RuleRateJumped => object_schema(json!({
            "rule": object_schema(json!({
                "id": {"type": "integer", "minimum": 1},
                "name": {"type": "string"},
                "type": {"enum": ["ESCALATION", "BADGE"]}
            })),
            "from": time_schema("When the day began."),
            "to": time_schema("When it ended."),
            "count": {
                "type": "integer",
                "minimum": 1,
                "description": "Escalations that were opened; identities more that have the badge."
            },
            "expected": {"type": "number", "minimum": 0, "description": "By the four weeks before, for as many events."}
        })),
        EventType::ChannelTest => object_schema(json!({"message": {"type": "string"}})),
        EventType::ChannelFailing => sickness_schema(json!({"percent": {"enum": [50, 80]}})),
        EventType::ChannelDisabled => sickness_schema(json!({})),
    }
}

fn label_schema() -> Value {
    object_schema(json!({
        "id": {"type": "integer", "minimum": 1},
        "outcome": {"enum": ["GOOD", "BAD"]},
        "kind": {"enum": ["BOT", "FAKE", "DUPLICATE", "ABUSE", "TAKEOVER", null]},
        "source": {"enum": ["ANALYST", "CHARGEBACK", "APPEAL", "USER_REPORT", "IMPORT"]},
        "reason": {"type": ["string", "null"]},
        "at": time_schema("When it was decided.")
    }))
}

/// An object that has every one of `properties`.
fn object_schema(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().map(|map| map.keys().collect()).unwrap_or_default();
    json!({"type": "object", "required": required, "properties": properties})
}

fn time_schema(description: &str) -> Value {
    json!({
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        "description": description
    })
}

fn identity_id_schema() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 255, "description": "Your own id of the user."})
}

/// All four, always.
fn scores_schema() -> Value {
    let score = json!({"type": ["integer", "null"], "minimum": 0, "maximum": 100});
    let mut schema = object_schema(
        json!({"humanity": score, "authenticity": score, "uniqueness": score, "behavior": score}),
    );
    schema["description"] = json!("From 0 (worst) to 100 (best); null where a category is not scored yet.");
    schema
}

fn badges_schema() -> Value {
    let badge = object_schema(json!({
        "slug": {"type": "string"},
        "name": {"type": "string"},
        "type": {"enum": ["GOOD", "BAD", "NEUTRAL"]},
        "explanation": {"type": "string"},
        "metadata": {"type": "object"}
    }));
    json!({"type": "array", "items": badge})
}

fn escalation_schema(status: Value) -> Value {
    object_schema(json!({
        "identityId": identity_id_schema(),
        "escalationId": {"type": "integer", "minimum": 1},
        "status": status,
        "severity": {"enum": ["INFO", "WARNING", "CRITICAL"]},
        "rule": object_schema(json!({"id": {"type": "integer", "minimum": 1}, "name": {"type": "string"}})),
        "conditions": {"type": "array", "minItems": 1, "items": condition_schema()},
        "scores": scores_schema(),
        "outcome": {"enum": ["GOOD", "BAD", null], "description": "What people have decided of the identity."}
    }))
}

/// What is said of one that opens: what opened it, too.
fn opened_schema() -> Value {
    let mut schema = escalation_schema(json!({"enum": ["OPEN", "ACKNOWLEDGED"]}));
    let more = json!({
        "explanation": {
            "type": ["string", "null"],
            "description": "The conditions with the values that met them; null where it was opened before that was kept."
        },
        "eventId": {
            "type": ["string", "null"],
            "description": "Your own id of the event that met them; null where they ask about no event."
        }
    });
    if let (Some(properties), Value::Object(more)) = (schema["properties"].as_object_mut(), more) {
        properties.extend(more);
    }
    object_schema(schema["properties"].take())
}

/// What is said of a channel that fails, and `more`.
fn sickness_schema(more: Value) -> Value {
    let mut properties = json!({
        "channel": object_schema(json!({
            "id": {"type": "string"},
            "name": {"type": "string"},
            "slug": {"type": "string"},
            "type": {"enum": ["WEBHOOK", "EMAIL", "SLACK"]}
        })),
        "failures": {"type": "integer", "minimum": 1, "description": "Attempts in a row."},
        "failingSince": time_schema("When the first of them failed."),
        "error": {"type": "string"}
    });
    if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
        properties.extend(more);
    }
    object_schema(properties)
}

fn condition_schema() -> Value {
    json!({
        "oneOf": [
            object_schema(json!({
                "type": {"enum": ["SCORE_LT", "SCORE_LTE", "SCORE_GT", "SCORE_GTE"]},
                "category": {"enum": ["HUMANITY", "AUTHENTICITY", "UNIQUENESS", "BEHAVIOR", "ANY"]},
                "threshold": {"type": "integer", "minimum": 0, "maximum": 100}
            })),
            object_schema(json!({
                "type": {"enum": ["IDENTITY_AGE_GT", "IDENTITY_AGE_LT"]},
                "seconds": {"type": "integer", "minimum": 0}
            })),
            object_schema(json!({
                "type": {"enum": ["BADGE_EXISTS", "BADGE_NOT_EXISTS"]},
                "badge": {"type": "string"}
            })),
            {
                "type": "object",
                "required": ["type", "agent"],
                "properties": {
                    "type": {"const": "AGENT_IS"},
                    "agent": {"type": "string"},
                    "verified": {"type": "boolean"}
                }
            }
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::{DATA_MAX_BYTES, Message};
    use crate::time::Timestamp;

    fn is_valid(schema: &Value, instance: &Value) -> bool {
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap();
        validator.is_valid(instance)
    }

    #[test]
    fn every_schema_is_one_and_its_example_validates() {
        for CatalogueEntry { event, schema, example, .. } in catalogue() {
            assert!(jsonschema::draft202012::meta::is_valid(&schema), "{event:?}");
            assert!(is_valid(&schema, &example), "{event:?}");
        }
    }

    #[test]
    fn the_examples_are_what_messages_write() {
        for CatalogueEntry { event, example, .. } in catalogue() {
            let message = Message {
                id: "evt_01JD9GZ2M4T8Y6Q3N5X7C9B1VK".into(),
                event,
                occurred_at: Timestamp::from_millis(1_795_426_200_007),
                identity_id: event.has_identity().then(|| "user_12345".into()),
                sequence: event.has_identity().then_some(EXAMPLE_SEQUENCE),
                data: example_data(event).to_string().into(),
            };
            let body = message.body(2_000_042, Timestamp::from_millis(1_795_426_201_000));
            assert_eq!(String::from_utf8_lossy(&body), example.to_string());
            assert!(message.data.len() < DATA_MAX_BYTES);
        }
    }

    #[test]
    fn no_example_passes_for_another_event() {
        for one in catalogue() {
            let accepted = catalogue().into_iter().filter(|other| is_valid(&one.schema, &other.example));
            assert_eq!(accepted.map(|other| other.event).collect::<Vec<_>>(), [one.event]);
        }
    }

    #[test]
    fn every_member_of_an_example_is_required() {
        for CatalogueEntry { event, schema, example, .. } in catalogue() {
            let outer = example.as_object().into_iter().flatten().map(|(key, _)| ("", key));
            let inner = example["data"].as_object().into_iter().flatten().map(|(key, _)| ("/data", key));
            for (parent, key) in outer.chain(inner) {
                let mut without = example.clone();
                without.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(key);
                assert!(!is_valid(&schema, &without), "{event:?} without {parent}/{key}");
            }
        }
    }

    #[test]
    fn a_broken_payload_does_not_validate() {
        let cases = [
            (EventType::IdentityScored, "/timestamp", json!("2026-11-23T09:30:01Z")),
            (EventType::IdentityScored, "/occurredAt", json!("2026-13-23T09:30:01.000Z")),
            (EventType::IdentityScored, "/channelId", json!(2_000_042)),
            (EventType::IdentityScored, "/sequence", json!(0)),
            (EventType::IdentityScored, "/identityId", json!("")),
            (EventType::IdentityScored, "/data/scores/humanity", json!(101)),
            (EventType::IdentityScored, "/data/previousScores", json!([])),
            (EventType::IdentityScored, "/data/badges/0/type", json!("UGLY")),
            (EventType::IdentityBadgesChanged, "/data/added", json!(null)),
            (EventType::EscalationOpened, "/data/status", json!("CLOSED")),
            (EventType::EscalationOpened, "/data/severity", json!("LOW")),
            (EventType::EscalationOpened, "/data/conditions/0/threshold", json!("20")),
            (EventType::EscalationOpened, "/data/conditions", json!([])),
            (EventType::ChannelTest, "/data/message", json!(7)),
        ];
        for (event, pointer, value) in cases {
            let CatalogueEntry { schema, mut example, .. } = entry(event);
            *example.pointer_mut(pointer).unwrap() = value;
            assert!(!is_valid(&schema, &example), "{event:?} {pointer}");
        }
        let CatalogueEntry { schema, mut example, .. } = entry(EventType::IdentityScored);
        example["data"]["previousScores"] = Value::Null;
        example["data"]["scores"] = serde_json::to_value(crate::score::Scores::default()).unwrap();
        assert!(is_valid(&schema, &example), "the first cycle, nothing scored");
        for key in ["humanity", "authenticity", "uniqueness", "behavior"] {
            let mut without = example.clone();
            without["data"]["scores"].as_object_mut().unwrap().remove(key).unwrap();
            assert!(!is_valid(&schema, &without), "without {key}");
        }
    }
}
