//! Properties that hold for any input: of reading, of redaction, of scores.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use dregs_core::common::Common;
use dregs_core::dataset::Datasets;
use dregs_core::event::{Accepted, Event, Limits, Origin, REDACTED, Refused, read, read_batch};
use dregs_core::identity::Profile;
use dregs_core::link::{KeyKind, LinkKey};
use dregs_core::mapping::Mapping;
use dregs_core::score::{Category, Observation, Weights, aggregate, analyze};
use dregs_core::snapshot::{OtherIdentity, SharedKey, Snapshot};
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[path = "support/told.rs"]
mod truth;

const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);
const MARKER: &str = "hunter2";

fn origins() -> [Origin; 2] {
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let browser = Origin::Browser { ip: "203.0.113.7".parse().ok(), user_agent: Some(agent.to_owned()) };
    [Origin::UNSEEN_BACKEND, browser]
}

fn read_from(origin: &Origin, body: &[u8]) -> Result<Accepted, Refused> {
    read(body, origin, NOW, Limits::default(), &mut || "dregs-1".to_owned())
}

/// Reads the body in every way there is; what is accepted must survive the store, and what is
/// refused must say why.
fn check(body: &[u8]) {
    for origin in origins() {
        let single = read_from(&origin, body);
        let batch = read_batch(body, &origin, NOW, Limits::default(), &mut || "dregs-1".to_owned());
        let results = batch.unwrap_or_else(|refused| vec![Err(refused)]);
        for result in results.into_iter().chain([single]) {
            match result {
                Ok(Accepted { event, .. }) => {
                    let stored = serde_json::to_string(&event).unwrap();
                    assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event);
                    assert!(!stored.contains("\\u0000"), "NUL in {stored}");
                }
                Err(errors) => {
                    assert!(!errors.is_empty() && errors.iter().all(|error| !error.message.is_empty()));
                }
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-11-23T09:30:00Z")),
        Just(json!("203.0.113.7")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof!["id|type|data|components|fingerprint", ".{0,6}"];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Something with the fields of an event, each of any type.
fn any_fields() -> impl Strategy<Value = Value> {
    const FIELDS: [&str; 13] = [
        "id",
        "type",
        "timestamp",
        "source",
        "identity",
        "groups",
        "data",
        "device",
        "session",
        "url",
        "ip",
        "userAgent",
        "new",
    ];
    vec((proptest::sample::select(&FIELDS[..]), any_json()), 0..8).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

fn full_event() -> Value {
    json!({
        "id": "e-1", "type": "user.signup", "timestamp": "2026-11-23T09:29:00.000Z", "source": "rust-sdk",
        "identity": {"id": "user_1", "data": {"email": "ada@example.com", "age": 36.5, "tags": ["a", null]}},
        "groups": [{"type": "team", "id": "t"}, {"id": "org_1", "data": {"name": "Acme \u{1f680}"}}],
        "data": {"plan": "pro", "steps": [[1, 2], {"deep": true}]},
        "device": {"components": {"screen": "1x1", "fonts": ["a", "b"]}},
        "session": "s", "url": "https://example.com/?q=1", "ip": "2001:db8::1", "userAgent": "curl/8.5.0",
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..400)) {
        check(&body);
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        check(value.to_string().as_bytes());
    }

    #[test]
    fn any_fields_are_read_or_refused(fields in any_fields(), complete in any::<bool>()) {
        let mut event = fields;
        if complete {
            event["type"] = json!("t");
            event["identity"] = json!({"id": "u", "data": event.get("data").filter(|data| data.is_object())});
        }
        check(event.to_string().as_bytes());
        check(json!([event, full_event()]).to_string().as_bytes());
    }

    #[test]
    fn any_damage_to_a_good_event_is_read_or_refused(
        edits in vec((any::<proptest::sample::Index>(), option::of(any::<u8>()), 0usize..3), 1..6),
    ) {
        let mut body = full_event().to_string().into_bytes();
        for (index, byte, length) in edits {
            let start = index.index(body.len());
            let end = (start + length).min(body.len());
            body.splice(start..end, byte);
            body.push(b' ');
        }
        check(&body);
    }

    #[test]
    fn what_is_sent_is_what_is_kept(data in any_json().prop_filter("an object", Value::is_object)) {
        let body = json!({"type": "t", "identity": {"id": "u"}, "data": data});
        // Keys that name secrets are another property.
        if let Ok(accepted) = read_from(&Origin::UNSEEN_BACKEND, body.to_string().as_bytes())
            && !serde_json::to_string(&accepted.event).unwrap().contains(REDACTED)
        {
            prop_assert_eq!(Value::Object(accepted.event.data), data);
        }
    }
}

fn secret_key() -> impl Strategy<Value = String> {
    let spelled = proptest::sample::select(vec![
        "password",
        "passwd",
        "secret",
        "token",
        "access_token",
        "card_number",
        "credit_card",
        "cvv",
        "cvc",
        "ssn",
        "authorization",
        "api_key",
        "private_key",
        "pin",
        "client_secret",
        "refresh_token",
        "cc_number",
    ]);
    (spelled, 0..4u8).prop_map(|(key, style)| match style {
        0 => key.to_owned(),
        1 => key.to_uppercase(),
        2 => key.replace('_', "-"),
        _ => {
            let mut words = key.split('_');
            let first = words.next().unwrap_or_default().to_owned();
            words.fold(first, |camel, word| camel + &word[..1].to_uppercase() + &word[1..])
        }
    })
}

/// Data with secrets, whose values contain the marker, anywhere in it.
fn data_with_secrets() -> impl Strategy<Value = Value> {
    let secret = || {
        let value = prop_oneof![
            Just(json!(MARKER)),
            Just(json!([MARKER, 1])),
            Just(json!({"value": {"of": MARKER}})),
        ];
        (secret_key(), value)
    };
    let leaf = prop_oneof![any::<bool>().prop_map(Value::from), "[a-g]{0,5}".prop_map(Value::from)];
    let inner = leaf.prop_recursive(4, 30, 4, move |inner| {
        let object =
            (vec(("[a-m]{3,6}", inner.clone()), 0..4), vec(secret(), 0..2)).prop_map(|(entries, secrets)| {
                Value::Object(entries.into_iter().chain(secrets).collect::<Map<_, _>>())
            });
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object]
    });
    (inner, secret()).prop_map(|(inner, (key, value))| json!({"inside": inner, key: value}))
}

proptest! {
    #[test]
    fn no_secret_survives(
        event_data in data_with_secrets(),
        identity_data in data_with_secrets(),
        group_data in data_with_secrets(),
        components in data_with_secrets(),
    ) {
        let body = json!({
            "type": "t",
            "data": event_data,
            "identity": {"id": "u", "data": identity_data},
            "groups": [{"id": "g", "data": group_data}],
            "device": {"components": components},
        });
        let event = read_from(&Origin::UNSEEN_BACKEND, body.to_string().as_bytes()).unwrap().event;
        let stored = serde_json::to_string(&event).unwrap();
        prop_assert!(!stored.contains(MARKER), "{}", stored);
        prop_assert!(stored.matches(REDACTED).count() >= 4);
    }

    #[test]
    fn every_score_follows_from_its_stored_observations(
        acts in vec((0usize..5, 0i64..200_000, any::<bool>(), 0u8..4), 0..70),
        email in option::of("[a-z0-9.+@ ]{0,20}"),
        name in option::of("\\PC{0,20}"),
        device_others in 0u32..100,
        ip_others in 0u32..100,
    ) {
        let names = ["user.signup", "order.placed", "page.viewed", "heartbeat", "message.sent"];
        let agents = ["curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"];
        let mut state = IdentityState::default();
        for (which, after_ms, is_script, device) in acts {
            let body = json!({
                "type": names[which], "identity": {"id": "u"}, "timestamp": NOW.plus_millis(after_ms),
                "device": {"components": {"n": device}}, "ip": format!("203.0.113.{device}"),
                "userAgent": agents[usize::from(is_script)],
            });
            state.fold(&read_from(&Origin::UNSEEN_BACKEND, body.to_string().as_bytes()).unwrap().event);
        }
        let profile = Profile { email, name, ..Profile::default() };
        let other = |n: u32| OtherIdentity {
            id: n.to_string(),
            first_seen_at: NOW.plus_millis(-i64::from(n) * 60_000),
            ..OtherIdentity::default()
        };
        let shared = |kind, others_count: u32| SharedKey {
            key: LinkKey { kind, value: "x".to_owned() },
            since: NOW,
            others: (0..others_count).map(other).collect(),
        };
        let shared = [shared(KeyKind::Device, device_others), shared(KeyKind::Ip, ip_others)];
        let (mapping, datasets) = (Mapping::default(), Datasets::default());
        let common = Common::default();
        let snapshot = Snapshot::new(NOW, &profile, (&mapping, &datasets, &common), &state, &shared);
        let analysis = analyze(&snapshot, &Weights::default());

        let stored = serde_json::to_string(&analysis.observations).unwrap();
        let observations: Vec<Observation> = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&observations, &analysis.observations);
        for category in Category::ALL {
            prop_assert_eq!(aggregate(category, &observations), analysis.scores.get(category));
        }
        for observation in observations {
            let in_range = |x: f64| (0.0..=1.0).contains(&x);
            prop_assert!(in_range(observation.value) && in_range(observation.confidence), "{:?}", observation);
            prop_assert!(observation.explanation.ends_with('.'), "{:?}", observation);
            let untold = truth::untold(&observation.explanation, &observation.metadata);
            prop_assert_eq!(untold, None, "{:?}", observation);
        }
        prop_assert_eq!(analyze(&snapshot, &Weights::default()), analysis);
    }
}
