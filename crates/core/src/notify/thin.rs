//! Thin payloads: which event it is and what it is about, as ids, and nothing else.

use serde_json::{Map, Value, json};

use super::message::{EventType, Message};

/// The paths in `data` of the ids that a thin payload keeps.
const fn ids(event: EventType) -> &'static [&'static [&'static str]] {
    match event {
        EventType::IdentityScored => &[&["identityId"], &["cycleId"]],
        EventType::IdentityBadgesChanged => &[&["identityId"]],
        EventType::IdentityLabeled => &[&["identityId"], &["label", "id"]],
        EventType::EscalationOpened | EventType::EscalationClosed => {
            &[&["identityId"], &["escalationId"], &["rule", "id"]]
        }
        EventType::RuleRateJumped => &[&["rule", "id"]],
        EventType::ChannelTest => &[],
        EventType::ChannelFailing | EventType::ChannelDisabled => &[&["channel", "id"]],
    }
}

impl Message {
    /// The same message with a thin `data`: ids alone, where they are in a full one, so that a receiver of full
    /// payloads finds them too. What is `null` there is `null` here.
    #[must_use]
    pub fn thin(&self) -> Self {
        let data: Value = serde_json::from_str(&self.data).unwrap_or_default();
        Self { data: thin_data(self.event, &data).to_string().into(), ..self.clone() }
    }
}

/// The ids of what an event is about, out of its `data`.
pub fn thin_data(event: EventType, data: &Value) -> Value {
    let mut thin = Map::new();
    for path in ids(event) {
        match path {
            [name] => drop(thin.insert((*name).to_owned(), data[name].clone())),
            [outer, inner] if data[outer].is_object() => {
                drop(thin.insert((*outer).to_owned(), json!({ *inner: data[outer][inner] })));
            }
            [outer, ..] => drop(thin.insert((*outer).to_owned(), Value::Null)),
            [] => {}
        }
    }
    Value::Object(thin)
}

/// The JSON Schema of a thin payload, out of that of a full one.
pub fn thin_schema(event: EventType, full: &Value) -> Value {
    let mut schema = full.clone();
    let data = &full["properties"]["data"];
    schema["properties"]["data"] = thin_object(data, ids(event));
    schema
}

/// The schema of an object that has these paths and no other members.
fn thin_object(full: &Value, paths: &[&[&str]]) -> Value {
    let mut properties = Map::new();
    for path in paths {
        let (Some(name), rest) = (path.first(), path.get(1..).unwrap_or_default()) else { continue };
        let member = &full["properties"][name];
        let thin = match (rest, member["oneOf"].as_array()) {
            ([], _) => member.clone(),
            (_, None) => thin_object(member, &[rest]),
            // An object or null.
            (_, Some(either)) => {
                let either = either
                    .iter()
                    .map(|one| if one["type"] == "null" { one.clone() } else { thin_object(one, &[rest]) });
                json!({ "oneOf": either.collect::<Vec<_>>() })
            }
        };
        properties.insert((*name).to_owned(), thin);
    }
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::catalogue::{catalogue, entry};

    fn is_valid(schema: &Value, instance: &Value) -> bool {
        jsonschema::draft202012::options().build(schema).unwrap().is_valid(instance)
    }

    #[test]
    fn thin_payloads_are_of_their_schema_and_full_ones_are_not() {
        for one in catalogue() {
            assert!(jsonschema::draft202012::meta::is_valid(&one.thin_schema), "{:?}", one.event);
            assert!(is_valid(&one.thin_schema, &one.thin_example), "{:?}", one.event);
            assert!(!is_valid(&one.thin_schema, &one.example), "{:?} tells more than ids", one.event);
            for name in ["id", "event", "timestamp", "channelId", "identityId", "sequence"] {
                assert_eq!(one.thin_example[name], one.example[name], "{:?}", one.event);
            }
        }
    }

    #[test]
    fn ids_are_where_they_are_in_full_payloads() {
        let thin = |event| entry(event).thin_example["data"].clone();
        assert_eq!(thin(EventType::IdentityScored), json!({"identityId": "user_12345", "cycleId": 4017}));
        assert_eq!(
            thin(EventType::IdentityLabeled),
            json!({"identityId": "user_12345", "label": {"id": 5123}})
        );
        assert_eq!(
            thin(EventType::EscalationOpened),
            json!({"identityId": "user_12345", "escalationId": 311, "rule": {"id": 9}})
        );
        let withdrawn = json!({"identityId": "u", "label": null, "badges": []});
        let data = thin_data(EventType::IdentityLabeled, &withdrawn);
        assert_eq!(data, json!({"identityId": "u", "label": null}));
        let CataloguedThin { schema, mut example } = CataloguedThin::of(EventType::IdentityLabeled);
        example["data"] = data;
        assert!(is_valid(&schema, &example));
    }

    struct CataloguedThin {
        schema: Value,
        example: Value,
    }

    impl CataloguedThin {
        fn of(event: EventType) -> Self {
            let one = entry(event);
            Self { schema: one.thin_schema, example: one.thin_example }
        }
    }
}
