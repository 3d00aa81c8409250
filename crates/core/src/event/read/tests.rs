use serde_json::json;

use super::*;
use crate::device::Stroke;

const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

fn browser() -> Origin {
    Origin::Browser { ip: "203.0.113.7".parse().ok(), user_agent: Some("Firefox".to_owned()) }
}

fn read_from(origin: &Origin, body: &str) -> Result<Accepted, Refused> {
    read(body.as_bytes(), origin, NOW, Limits::default(), &mut || "dregs-1".to_owned())
}

/// Reads a backend's event.
fn read_value(body: &Value) -> Result<Accepted, Refused> {
    read_from(&Origin::UNSEEN_BACKEND, &body.to_string())
}

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

/// A minimal good event with `fields` set over it.
fn with(fields: Value) -> Value {
    let mut event = map(json!({"type": "t", "identity": {"id": "u"}}));
    event.extend(map(fields));
    Value::Object(event)
}

fn minimal() -> Event {
    Event {
        id: "dregs-1".to_owned(),
        name: "t".to_owned(),
        timestamp: NOW,
        source: None,
        identity: Some(EventIdentity { id: "u".to_owned(), data: Map::new() }),
        groups: Vec::new(),
        data: Map::new(),
        fingerprint: None,
        components: None,
        interaction: None,
        session: None,
        url: None,
        ip: None,
        user_agent: None,
        place: None,
        of_backend: OfBackend::default(),
        signature: None,
    }
}

fn errors(fields: &[(&str, &str)]) -> Refused {
    let error = |(field, message): &(&str, &str)| FieldError {
        field: (*field).to_owned(),
        message: (*message).to_owned(),
    };
    fields.iter().map(error).collect()
}

#[test]
fn a_full_event_is_read_whole() {
    let body = json!({
        "id": "signup-991",
        "type": "user.signup",
        "timestamp": "2026-11-23T10:29:59.5+01:00",
        "source": "rust-sdk",
        "identity": {"id": "user_12345", "data": {"email": "ada@example.com", "password": "x"}},
        "groups": [{"id": "org_678"}, {"type": "ParentCompany", "id": "p", "data": {"plan": "pro"}}],
        "data": {"plan": "pro", "card": {"number": 4111}},
        "device": {
            "components": {"screen": "1x1"}, "fingerprint": "f",
            "interaction": {
                "clicks": 2,
                "strokes": [{"samples": 9, "x": -120, "y": 60, "bend": 4.5, "variation": 0.6}],
            },
        },
        "session": "s",
        "url": "https://example.com/",
        "ip": "::ffff:198.51.100.1",
        "userAgent": "curl/8",
    });
    let event = Event {
        id: "signup-991".to_owned(),
        name: "user.signup".to_owned(),
        timestamp: Timestamp::from_millis(NOW.as_millis() - 500),
        source: Some("rust-sdk".to_owned()),
        identity: Some(EventIdentity {
            id: "user_12345".to_owned(),
            data: map(json!({"email": "ada@example.com", "password": "[REDACTED]"})),
        }),
        groups: vec![
            EventGroup { group_type: "organization".to_owned(), id: "org_678".to_owned(), data: Map::new() },
            EventGroup {
                group_type: "parent_company".to_owned(),
                id: "p".to_owned(),
                data: map(json!({"plan": "pro"})),
            },
        ],
        data: map(json!({"plan": "pro", "card": {"number": "[REDACTED]"}})),
        fingerprint: Some("f".to_owned()),
        components: Some(map(json!({"screen": "1x1"}))),
        interaction: Some(Interaction {
            clicks: 2,
            strokes: vec![Stroke { samples: 9, x: -120.0, y: 60.0, bend: 4.5, variation: 0.6 }],
            ..Interaction::default()
        }),
        session: Some("s".to_owned()),
        url: Some("https://example.com/".to_owned()),
        ip: "198.51.100.1".parse().ok(),
        user_agent: Some("curl/8".to_owned()),
        place: None,
        of_backend: OfBackend::default(),
        signature: None,
    };
    assert_eq!(read_value(&body), Ok(Accepted { event, request: None, ignored_fields: Vec::new() }));
}

#[test]
fn absent_null_and_empty_are_the_same() {
    let absent = Ok(Accepted { event: minimal(), request: None, ignored_fields: Vec::new() });
    assert_eq!(read_value(&with(json!({}))), absent);
    for key in ["id", "timestamp", "source", "groups", "data", "device", "session", "url", "ip", "userAgent"]
    {
        assert_eq!(read_value(&with(json!({ key: null }))), absent, "{key}: null");
    }
    for key in ["id", "timestamp", "source", "session", "url", "ip", "userAgent"] {
        assert_eq!(read_value(&with(json!({ key: "" }))), absent, "{key}: empty");
    }
    for device in [json!({}), json!({"components": {}}), json!({"components": null, "fingerprint": ""})] {
        assert_eq!(read_value(&with(json!({ "device": device }))), absent, "{device}");
    }
    assert_eq!(read_value(&json!({"type": "t", "identity": {"id": "u", "data": null}})), absent);
}

#[test]
fn unknown_fields_are_ignored_and_named() {
    let body = json!({
        "type": "t", "newField": null, "another": {"deep": 1},
        "identity": {"id": "u", "kind": "x"},
        "groups": [{"id": "g", "size": 3}],
        "device": {"model": "x"},
    });
    let groups =
        vec![EventGroup { group_type: "organization".to_owned(), id: "g".to_owned(), data: Map::new() }];
    let event = Event { groups, ..minimal() };
    let ignored = ["newField", "another", "identity.kind", "groups[0].size", "device.model"];
    assert_eq!(
        read_value(&body),
        Ok(Accepted { event, request: None, ignored_fields: ignored.map(str::to_owned).to_vec() })
    );
}

#[test]
fn a_session_or_device_that_stands_for_none_ties_nobody() {
    let body = with(json!({"session": "undefined", "device": {"fingerprint": "[object Object]"}}));
    let ignored = vec!["session".to_owned(), "device.fingerprint".to_owned()];
    assert_eq!(read_value(&body), Ok(Accepted { event: minimal(), request: None, ignored_fields: ignored }));
}

#[test]
fn a_browser_speaks_for_its_connection_only() {
    let body = with(json!({"ip": "198.51.100.1", "userAgent": "curl/8", "device": {"fingerprint": "f"}}));
    let event = Event { ip: "203.0.113.7".parse().ok(), user_agent: Some("Firefox".to_owned()), ..minimal() };
    assert_eq!(
        read_from(&browser(), &body.to_string()),
        Ok(Accepted {
            event,
            request: None,
            ignored_fields: ["ip", "userAgent", "device.fingerprint"].map(str::to_owned).to_vec()
        })
    );
    let long = Origin::Browser { ip: None, user_agent: Some("ä".repeat(1_000)) };
    let cut = read_from(&long, &with(json!({})).to_string()).unwrap().event.user_agent;
    assert_eq!(cut, Some("ä".repeat(USER_AGENT_MAX_BYTES / 2)));
    let silent = Origin::Browser { ip: None, user_agent: Some(String::new()) };
    assert_eq!(read_from(&silent, &with(json!({})).to_string()).unwrap().event, minimal());
}

#[test]
fn a_device_alone_is_enough() {
    let body = r#"{"type":"t","device":{"components":{"b":1,"a":2}}}"#;
    let event = read_from(&browser(), body).unwrap().event;
    assert_eq!(event.identity, None);
    assert_eq!(event.fingerprint, Some(device::fingerprint(&map(json!({"a": 2, "b": 1})))));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let body = json!({
        "id": 7, "type": ["t"], "timestamp": "noon", "session": {}, "ip": "localhost",
        "identity": {"id": "", "data": []},
        "groups": [{"type": "team", "id": "a"}, {"type": "Team", "id": "b"}, {"type": "--"}, 5],
    });
    let expected = errors(&[
        ("id", "must be a string, not a number"),
        ("type", "must be a string, not an array"),
        ("timestamp", "must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`"),
        ("session", "must be a string, not an object"),
        ("ip", "must be an IP address, such as `203.0.113.7` or `2001:db8::1`"),
        ("identity.data", "must be an object, not an array"),
        ("identity.id", "is required: your own id of the user"),
        ("groups[1].type", "is a second group of type `team`; send one of each"),
        ("groups[2].type", "must contain a letter or a digit"),
        ("groups[2].id", "is required: your own id of the group"),
        ("groups[3]", "must be an object, not a number"),
    ]);
    assert_eq!(read_value(&body), Err(expected));
}

#[test]
fn what_an_event_tells_of_its_backends_own_connection_is_marked() {
    let origin = Origin::Backend {
        ip: "::ffff:203.0.113.7".parse().ok(),
        user_agent: Some("python-requests/2.32.5".to_owned()),
    };
    let (program, other) = ("python-requests/2.32.5", "axios/1.12.2");
    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    for (ip, agent, expected) in [
        (json!("203.0.113.7"), json!(program), (true, true)),
        (json!("203.0.113.7"), json!(other), (true, true)),
        (json!("203.0.113.7"), json!(browser), (true, false)),
        (json!("203.0.113.7"), json!(null), (true, false)),
        (json!("198.51.100.1"), json!(program), (false, false)),
        (json!(null), json!(program), (false, true)),
        (json!(null), json!(other), (false, false)),
        (json!(null), json!(null), (false, false)),
    ] {
        let body = json!({"type": "a", "identity": {"id": "u"}, "ip": ip, "userAgent": agent}).to_string();
        let event = read_from(&origin, &body).unwrap().event;
        let of_backend = event.of_backend;
        assert_eq!((of_backend.ip, of_backend.user_agent), expected, "{body}");
        let unseen = read_from(&Origin::UNSEEN_BACKEND, &body).unwrap().event;
        assert_eq!(unseen, Event { of_backend: OfBackend::default(), ..event });
    }
    let hidden = Origin::Backend { ip: "10.0.0.7".parse().ok(), user_agent: Some(program.to_owned()) };
    for (ip, agent, expected) in [
        (json!("203.0.113.7"), json!(program), (false, true)),
        (json!("203.0.113.7"), json!(other), (false, false)),
        (json!("203.0.113.7"), json!(browser), (false, false)),
        (json!(null), json!(program), (false, true)),
    ] {
        let body = json!({"type": "a", "identity": {"id": "u"}, "ip": ip, "userAgent": agent}).to_string();
        let OfBackend { ip, user_agent } = read_from(&hidden, &body).unwrap().event.of_backend;
        assert_eq!((ip, user_agent), expected, "behind a proxy: {body}");
    }
}

#[test]
fn what_others_write_in_front_or_behind_is_left_aside() {
    let with_ip = |ip: &str| json!({"type": "a", "identity": {"id": "u"}, "ip": ip}).to_string();
    for (ip, expected) in [
        ("203.0.113.7:443", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("\"[2001:db8::1]:443\"", "2001:db8::1"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7:80", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:443", "fe80::1"),
    ] {
        let event = read_from(&Origin::UNSEEN_BACKEND, &format!("\u{feff}{}", with_ip(ip))).unwrap().event;
        assert_eq!(event.ip, expected.parse().ok(), "{ip}");
    }
    for ip in [
        "2001:db8::1:99999",
        "::ffff:203.0.113.7:",
        "%eth0",
        "203.0.113.7:",
        "203.0.113.7:99999",
        "2001:db8::1]:443",
        "[203.0.113.7]",
        "localhost:443",
    ] {
        assert!(read_from(&Origin::UNSEEN_BACKEND, &with_ip(ip)).is_err(), "{ip}");
    }
}

#[test]
fn a_bad_field_is_refused_with_its_reason() {
    let group = |n: usize| json!({"type": format!("t{n}"), "id": "g"});
    let cases = [
        (json!({"type": ""}), "type", "is required: your name for what happened, such as `user.signup`"),
        (json!({"type": "x".repeat(101)}), "type", "must have at most 100 characters"),
        (json!({"id": "x".repeat(65)}), "id", "must have at most 64 characters"),
        (json!({"id": "x".repeat(1_000_000)}), "", "is larger than 256 KiB"),
        (json!({"id": "dregs-1"}), "id", "must not begin with `dregs-`: such ids are the server's own"),
        (json!({"source": "x".repeat(101)}), "source", "must have at most 100 characters"),
        (json!({"session": "ä".repeat(128)}), "session", "must have at most 255 bytes"),
        (json!({"url": "x".repeat(2_049)}), "url", "must have at most 2048 bytes"),
        (json!({"userAgent": "x".repeat(1_025)}), "userAgent", "must have at most 1024 bytes"),
        (json!({"identity": null}), "identity", "is required: an event needs an identity or a device"),
        (json!({"identity": "u"}), "identity", "must be an object, not a string"),
        (json!({"identity": {}}), "identity.id", "is required: your own id of the user"),
        (json!({"identity": {"id": "x".repeat(256)}}), "identity.id", "must have at most 255 bytes"),
        (
            json!({"identity": {"id": "undefined"}}),
            "identity.id",
            "is `undefined`, which stands for no user: send your own id of the user",
        ),
        (
            json!({"groups": [{"id": ".."}]}),
            "groups[0].id",
            "is `..`, which stands for no group: send your own id of the group",
        ),
        (
            json!({"id": "null"}),
            "id",
            "is `null`, which stands for none: send an id of the event's own, or none",
        ),
        (json!({"id": "batch"}), "id", "must not be `batch`: a path of the API has that name"),
        (
            json!({"identity": null, "device": {"fingerprint": "NaN"}}),
            "identity",
            "is required: an event needs an identity or a device",
        ),
        (json!({"identity": null, "device": 1}), "device", "must be an object, not a number"),
        (json!({"device": {"components": 1}}), "device.components", "must be an object, not a number"),
        (json!({"groups": {}}), "groups", "must be an array, not an object"),
        (
            json!({"groups": (0..17).map(group).collect::<Vec<_>>()}),
            "groups",
            "must have at most 16 groups, not 17",
        ),
        (json!({"data": "x"}), "data", "must be an object, not a string"),
        (json!({"data": {"x": "x".repeat(65_529)}}), "data", "must have at most 65536 bytes of JSON"),
        (json!({"timestamp": 1_795_426_200}), "timestamp", "must be a string, not a number"),
        (json!({"timestamp": NOW.plus_millis(-BACK_MAX_MS - 1)}), "timestamp", "is more than 5 years back"),
        (
            json!({"timestamp": NOW.plus_millis(AHEAD_MAX_MS + 1)}),
            "timestamp",
            "is more than 5 minutes ahead of the server's time, 2026-11-23T09:30:00.000Z",
        ),
        (json!({"timestamp": "1970-01-01T00:00:00Z"}), "timestamp", "is more than 5 years back"),
        (
            json!({"timestamp": "2500-01-01T00:00:00Z"}),
            "timestamp",
            "is more than 5 minutes ahead of the server's time, 2026-11-23T09:30:00.000Z",
        ),
    ];
    for (fields, field, message) in cases {
        assert_eq!(read_value(&with(fields)), Err(errors(&[(field, message)])));
    }
}

#[test]
fn what_is_just_within_a_limit_is_accepted() {
    let group = |n: usize| json!({"type": format!("t{n}"), "id": "g"});
    let cases = [
        json!({"id": "ä".repeat(64)}),
        json!({"type": "ä".repeat(100)}),
        json!({"identity": {"id": "x".repeat(255)}}),
        json!({"groups": (0..16).map(group).collect::<Vec<_>>()}),
        json!({"data": {"x": "x".repeat(65_528)}}),
        json!({"timestamp": NOW.plus_millis(AHEAD_MAX_MS)}),
        json!({"timestamp": NOW.plus_millis(-BACK_MAX_MS)}),
        json!({"userAgent": "x".repeat(1_024), "url": "x".repeat(2_048)}),
    ];
    for fields in cases {
        let body = with(fields);
        assert!(read_value(&body).is_ok(), "{body:.100}");
    }
}

#[test]
fn numbers_written_short_are_measured_as_they_are_kept() {
    let items = "1e15,".repeat(8_000);
    let body = format!(r#"{{"type":"t","identity":{{"id":"u"}},"data":{{"x":[{items}0]}}}}"#);
    assert!(body.len() < DATA_MAX_BYTES);
    let expected = errors(&[("data", "must have at most 65536 bytes of JSON")]);
    assert_eq!(read_from(&Origin::UNSEEN_BACKEND, &body), Err(expected));
}

#[test]
fn what_is_no_faithful_json_is_refused_with_its_place() {
    let number = "is a number too large to keep exactly; send it as a string";
    let deep = format!(r#"{{"data":{}}}"#, "[".repeat(32) + &"]".repeat(32));
    let cases = [
        ("", "", "is empty; expected JSON"),
        ("null", "", "must be a JSON object, not null"),
        ("[]", "", "must be a JSON object, not an array"),
        ("{\"type\": t}", "type", "is not JSON: line 1, column 11: expected ident"),
        (r#"{"type":"t","type":"u"}"#, "type", "is given twice in the same object"),
        (r#"{"data":{"a":1,"a":1}}"#, "data.a", "is given twice in the same object"),
        (r#"{"data":{"a":1e20}}"#, "data.a", number),
        (r#"{"id":"\u0000"}"#, "id", "contains a NUL character, which cannot be stored"),
        (
            r#"{"id":"\udc00"}"#,
            "id",
            "is not JSON: line 1, column 13: half of a surrogate pair is not a character",
        ),
        (deep.as_str(), &format!("data{}", "[0]".repeat(31)), "is nested deeper than 32 levels"),
    ];
    for (body, field, message) in cases {
        assert_eq!(read_from(&Origin::UNSEEN_BACKEND, body), Err(errors(&[(field, message)])), "{body}");
    }
}

#[test]
fn a_batch_takes_the_good_and_tells_the_bad() {
    let body = r#"[{"type":"t","identity":{"id":"u"}}, {"type":"\ud800"}, 5, {"type":"t","type":"t"},
        {"type":"t","identity":{"id":"u"}}]"#;
    let mut ids = 0;
    let mut new_id = || {
        ids += 1;
        format!("dregs-{ids}")
    };
    let results =
        read_batch(body.as_bytes(), &Origin::UNSEEN_BACKEND, NOW, Limits::default(), &mut new_id).unwrap();
    let good = |id: &str| {
        Ok(Accepted {
            event: Event { id: id.to_owned(), ..minimal() },
            request: None,
            ignored_fields: Vec::new(),
        })
    };
    let expected = vec![
        good("dregs-1"),
        Err(errors(&[(
            "type",
            "is not JSON: line 1, column 16: half of a surrogate pair is not a character",
        )])),
        Err(errors(&[("", "must be a JSON object, not a number")])),
        Err(errors(&[("type", "is given twice in the same object")])),
        good("dregs-2"),
    ];
    assert_eq!(results, expected);
}

#[test]
fn a_batch_that_is_none_is_refused_whole() {
    let cases = [
        ("{}".to_owned(), "must be a JSON array"),
        (format!("[{}0]", "0,".repeat(BATCH_MAX_EVENTS)), "has more than 1000 elements"),
        ("[{}".to_owned(), "is not JSON: no comma after element 0"),
    ];
    for (body, message) in cases {
        let result = read_batch(
            body.as_bytes(),
            &Origin::UNSEEN_BACKEND,
            NOW,
            Limits::default(),
            &mut || unreachable!(),
        );
        assert_eq!(result, Err(errors(&[("", message)])));
    }
}

#[test]
fn limits_hold_for_each_event_of_a_batch() {
    let limits = Limits { bytes: 60, nesting_levels: 3 };
    let nested = |levels| format!(r#"{{"type":"t","identity":{{"id":"a"}},"data":{{"a":{levels}}}}}"#);
    let body = format!("[{},{},{}]", nested("[]"), nested("[[]]"), nested("[1,2,3,4,5,6,7,8,9,10,11]"));
    let results =
        read_batch(body.as_bytes(), &Origin::UNSEEN_BACKEND, NOW, limits, &mut || "e".into()).unwrap();
    let said: Vec<_> =
        results.iter().map(|result| result.as_ref().err().map(|errors| errors[0].message.clone())).collect();
    let expected =
        [None, Some("is nested deeper than 3 levels".to_owned()), Some("is larger than 0 KiB".to_owned())];
    assert_eq!(said, expected);
}

#[test]
fn a_header_that_is_too_long_is_ignored_and_named() {
    let read = |length: usize| {
        let headers =
            json!({"Signature": "x".repeat(length), "signature-input": "sig=()", "host": "a.example"});
        read_value(&with(json!({ "headers": headers }))).unwrap()
    };
    let (kept, ignored) = (read(crate::event::HEADER_MAX_BYTES), read(crate::event::HEADER_MAX_BYTES + 1));
    assert_eq!((kept.ignored_fields, kept.request.unwrap().is_signed()), (vec![], true));
    assert_eq!(ignored.ignored_fields, ["headers.Signature"]);
}
