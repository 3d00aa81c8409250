//! Bad input: refused with field and reason, and nothing of it is stored.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};

use super::{post_raw, refusal, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{SECRET_KEY, TestServer, answer, event};

on_both_engines!(
    bad_events_are_refused_and_leave_nothing,
    mangled_events_are_stored_whole_or_refused,
    an_id_that_is_taken_can_be_read_back_by_its_url,
);

/// As browsers' encodeURIComponent leaves them.
const COMPONENT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Ids that URLs, proxies and clients do odd things to.
const ODD_IDS: &[&str] = &[
    ".",
    "..",
    "...",
    " . ",
    "\t..",
    ".\n",
    "%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "..;",
    ";",
    "a/b",
    "/",
    "//",
    "./a",
    "../a",
    "a/..",
    "a/../b",
    "\\",
    "..\\",
    "a\\b",
    "%",
    "%25",
    "%00",
    "%zz",
    "?",
    "#",
    "a?b#c",
    "a b",
    "+",
    "&",
    "=",
    ":",
    "@",
    "~",
    "*",
    "batch",
    "actions",
    "identities",
    "csv",
    "a.csv",
    "\u{feff}a",
    "\u{200b}",
    "\u{2028}",
    "é",
    "e\u{301}",
    "\u{1f600}",
    "\u{202e}ba",
    "\r\n",
    "\0",
    "\u{7f}",
    "\u{1}",
];

async fn an_id_that_is_taken_can_be_read_back_by_its_url(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 3_600_000).await;
    let mut refused = Vec::new();
    for id in ODD_IDS {
        let component = percent_encoding::utf8_percent_encode(id, &COMPONENT).to_string();
        let identity = json!({"type": "t", "identity": {"id": id}});
        let group = json!({"type": "t", "identity": {"id": "ada"}, "groups": [{"type": "team", "id": id}]});
        let device = json!({"type": "t", "identity": {"id": "ada"}, "device": {"fingerprint": id}});
        let event = json!({"id": id, "type": "t", "identity": {"id": "ada"}});
        let cases = [
            ("identity", identity, format!("/api/identities/{component}"), "id"),
            ("group", group, format!("/api/groups/team/{component}"), "id"),
            ("device", device, format!("/api/devices/{component}"), "fingerprint"),
            ("event", event, format!("/api/events/{component}"), "id"),
        ];
        for (what, event, path, field) in cases {
            let (status, answer) = server.call(Method::POST, "/api/events", Some(event)).await;
            let is_taken = status == 200 && (what != "device" || answer["fingerprint"] == *id);
            if what == "group" {
                let made =
                    server.call(Method::POST, "/api/groups", Some(json!({"type": "team", "id": id}))).await;
                assert_eq!(made.0 == 200, is_taken, "{id:?}: made by hand as by an event: {}", made.1);
            }
            if !is_taken {
                refused.push((what, *id));
                continue;
            }
            let (status, body) = server.call(Method::GET, &path, None).await;
            assert_eq!((status.as_u16(), &body[field]), (200, &json!(id)), "{what} {id:?} at {path}: {body}");
        }
    }
    for (what, id) in
        [("identity", "."), ("identity", ".."), ("group", ".."), ("device", "."), ("event", "..")]
    {
        assert!(refused.contains(&(what, id)), "{what} {id}");
    }
    // Not more than has to be.
    let odd = |id: &str| refused.iter().filter(|(_, refused)| *refused == id).count();
    for id in ["...", "a/b", "%2e", "a b", "é", "\\", "~", "a.csv"] {
        assert_eq!(odd(id), 0, "{id:?}");
    }
}

/// Rows that an event may leave.
async fn rows(server: &TestServer) -> i64 {
    let count = "select (select count(*) from events) + (select count(*) from identities)
                      + (select count(*) from devices) + (select count(*) from groups)";
    server.app.store.read(move |tx| tx.get(count, &[], |row| row.get::<i64>(0))).await.unwrap()
}

async fn bad_events_are_refused_and_leave_nothing(engine: Engine) {
    let server = TestServer::start(engine).await;
    let with = |rest: &str| format!(r#"{{"type":"t","identity":{{"id":"ada"}},{rest}}}"#).into_bytes();
    let number = "is a number too large to keep exactly; send it as a string";
    let cases: Vec<(Vec<u8>, String)> = vec![
        (b"".into(), "The body is empty; expected JSON".into()),
        (b"hello".into(), "The body is not JSON: line 1, column 1: expected value".into()),
        (br#"{"type":"t""#.into(), "The body is not JSON: line 1, column 11: the text ends too early".into()),
        (b"[]".into(), "The body must be a JSON object, not an array".into()),
        (b"null".into(), "The body must be a JSON object, not null".into()),
        (b"\"text\"".into(), "The body must be a JSON object, not a string".into()),
        (b"\xff\xfe".into(), "The body is not UTF-8 text: the byte at offset 0 is no character".into()),
        (
            b"{}".into(),
            "type: is required: your name for what happened, such as `user.signup`; \
             identity: is required: an event needs an identity or a device"
                .into(),
        ),
        (with(r#""type":"u""#), "type: is given twice in the same object".into()),
        (with(r#""data":{"a":{"b":1,"b":2}}"#), "data.a.b: is given twice in the same object".into()),
        (with(r#""data":[1]"#), "data: must be an object, not an array".into()),
        (
            with(r#""id":5,"session":true"#),
            "id: must be a string, not a number; session: must be a string, not a boolean".into(),
        ),
        (with(r#""groups":{"id":"acme"}"#), "groups: must be an array, not an object".into()),
        (with(r#""groups":[7]"#), "groups[0]: must be an object, not a number".into()),
        (with(r#""data":{"n":1e400}"#), format!("data.n: {number}")),
        (with(r#""data":{"n":123456789012345678901234567890}"#), format!("data.n: {number}")),
        (
            with(r#""data":{"n":"a\u0000b"}"#),
            "data.n: contains a NUL character, which cannot be stored".into(),
        ),
        (with(r#""session":"\u0000""#), "session: contains a NUL character, which cannot be stored".into()),
        (
            with(r#""data":{"s":"\ud83d"}"#),
            "data.s: is not JSON: line 1, column 56: half of a surrogate pair is not a character".into(),
        ),
        (
            with(&format!(r#""data":{{"n":{}{}}}"#, "[".repeat(31), "]".repeat(31))),
            format!("data.n{}: is nested deeper than 32 levels", "[0]".repeat(30)),
        ),
        (with(r#""timestamp":"1970-01-01T00:00:00Z""#), "timestamp: is more than 5 years back".into()),
        (
            with(r#""timestamp":"yesterday""#),
            "timestamp: must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`".into(),
        ),
        (
            with(r#""ip":"localhost""#),
            "ip: must be an IP address, such as `203.0.113.7` or `2001:db8::1`".into(),
        ),
        (with(r#""id":"dregs-1""#), "id: must not begin with `dregs-`: such ids are the server's own".into()),
        (with(&format!(r#""id":"{}""#, "x".repeat(65))), "id: must have at most 64 characters".into()),
        (with(&format!(r#""session":"{}""#, "x".repeat(256))), "session: must have at most 255 bytes".into()),
        (
            with(&format!(r#""data":{{"a":"{}"}}"#, "x".repeat(65_529))),
            "data: must have at most 65536 bytes of JSON".into(),
        ),
    ];
    for (body, expected) in cases {
        let sent = String::from_utf8_lossy(&body).into_owned();
        let said = refusal(post_raw(&server, "/api/events", body)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{sent}");
    }
    let ahead =
        refusal(post_raw(&server, "/api/events", with(r#""timestamp":"2500-01-01T00:00:00Z""#))).await;
    assert!(ahead.starts_with("400 bad_request timestamp: is more than 5 minutes ahead of"), "{ahead}");
    assert_eq!(rows(&server).await, 0);
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_by_size_whoever_reads_them() {
    let server = TestServer::start(Engine::Sqlite).await;
    let too_large = |kib: usize| {
        let setting = if kib == 4_096 { "batch_max_kib" } else { "body_max_kib" };
        format!("413 body_too_large The body is larger than {kib} KiB, the server's setting {setting}.")
    };
    let id_of_a_megabyte = json!({"type": "t", "identity": {"id": "x".repeat(1_000_000)}}).to_string();
    let just_too_large = |kib: usize| format!("[{}]", " ".repeat(kib * 1024 - 1));
    for path in ["/api/events", "/api/channels"] {
        for body in [&id_of_a_megabyte, &just_too_large(256)] {
            assert_eq!(refusal(post_raw(&server, path, body.clone())).await, too_large(256), "{path}");
        }
    }
    let batch = post_raw(&server, "/api/events/batch", just_too_large(4_096));
    assert_eq!(refusal(batch).await, too_large(4_096));
    let in_a_batch = answer(post_raw(&server, "/api/events/batch", format!("[{id_of_a_megabyte}]"))).await.1;
    assert_eq!(in_a_batch[0]["message"], "The event is larger than 256 KiB");
    let largest = format!("[{}]", " ".repeat(4_096 * 1024 - 2));
    assert_eq!(
        answer(post_raw(&server, "/api/events/batch", largest)).await,
        (200.try_into().unwrap(), json!([]))
    );
    // Nobody reads this one, and still its sender gets to see the answer.
    let unknown =
        server.request(Method::POST, "/api/events").bearer_auth("sk_unknown").body("x".repeat(4_000_000));
    assert_eq!(
        refusal(unknown).await,
        "401 unauthenticated The key is unknown or has been revoked. It is not as long as those that are made here: if it is one of them, copy it whole."
    );
    assert_eq!(rows(&server).await, 0);
}

#[tokio::test]
async fn a_batch_answers_each_event_in_order_and_stores_the_good_ones() {
    let server = TestServer::start(Engine::Sqlite).await;
    let mut with_secret = event("e3", "eve");
    with_secret["data"] = json!({"password": "hunter2"});
    let batch = json!([event("e1", "ada"), {"type": "t"}, 5, with_secret, event("e1", "bob")]);
    let success = |id: &str| json!({"status": "success", "id": id, "fingerprint": null});
    let refused = |message: &str, details: Value| json!({"status": "error", "code": "bad_request", "message": message, "details": details});
    let needs = "is required: an event needs an identity or a device";
    let answers = server.post("/api/events/batch", batch).await;
    let expected = json!([
        success("e1"),
        refused(&format!("identity: {needs}"), json!([{"field": "identity", "message": needs}])),
        refused(
            "The event must be a JSON object, not a number",
            json!([{"field": "", "message": "must be a JSON object, not a number"}])
        ),
        success("e3"),
        success("e1"),
    ]);
    assert_eq!(answers, expected);
    assert_eq!(rows(&server).await, 2 + 2, "two events of two identities");
}

#[tokio::test]
async fn a_batch_that_is_none_is_refused_whole() {
    let server = TestServer::start(Engine::Sqlite).await;
    let many = format!("[{}]", vec!["{}"; 1_001].join(","));
    let cases = [
        ("", "The body must be a JSON array"),
        ("{}", "The body must be a JSON array"),
        ("[", "The body is not JSON: the array is not closed"),
        (many.as_str(), "The body has more than 1000 elements"),
    ];
    for (body, expected) in cases {
        let said = refusal(post_raw(&server, "/api/events/batch", body.to_owned())).await;
        assert_eq!(said, format!("400 bad_request {expected}"));
    }
    let full = format!("[{}]", vec!["{}"; 1_000].join(","));
    let (status, answers) = answer(post_raw(&server, "/api/events/batch", full)).await;
    assert_eq!((status.as_u16(), answers.as_array().unwrap().len()), (200, 1_000));
    assert_eq!(rows(&server).await, 0);
}

#[tokio::test]
async fn management_routes_name_the_field_that_is_wrong() {
    let server = TestServer::start(Engine::Sqlite).await;
    let hook = json!({"url": "https://hooks.example.com/"});
    let channel = |rest: Value| {
        let mut body = json!({"type": "WEBHOOK", "name": "App", "events": ["channel.test"], "config": hook});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    let cases = [
        (json!(["WEBHOOK", "App", null, true, [], hook]), "The body must be a JSON object, not an array"),
        (json!({"name": "App"}), "type: is required; events: is required; config: is required"),
        (
            channel(json!({"colour": "red"})),
            "colour: is not known here; may be type, name, slug, enabled, events, config, conditions or scored",
        ),
        (channel(json!({"enabled": "yes"})), r#"enabled: must be a boolean, not "yes""#),
        (channel(json!({"events": []})), "events: must name at least one event type"),
        (channel(json!({"events": ["x", 5]})), "events[1]: must be a string, not 5"),
        (channel(json!({"config": ["https://h.test"]})), "config: must be an object, not an array"),
        (channel(json!({"config": {}})), "config.url: is required"),
        (
            channel(json!({"config": {"url": "https://h.test", "retries": 3}})),
            "config.retries: is not known here; may be url, headers, timeoutMs, maxConcurrency, ratePerSecond, \
             ordered, coalesce or payload",
        ),
        (
            channel(json!({"config": {"url": "https://h.test", "timeoutMs": -1}})),
            "config.timeoutMs: must be a whole number, 0 or more, not -1",
        ),
        (
            channel(json!({"config": {"url": "https://h.test", "headers": {"X-A": 1}}})),
            "config.headers.X-A: must be a string, not 1",
        ),
        (channel(json!({"name": "a\u{0}b"})), "name: contains a NUL character, which cannot be stored"),
    ];
    for (body, expected) in cases {
        let said = refusal(with_json(&server, Method::POST, "/api/channels", &body)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{body}");
    }
    let missing = with_json(&server, Method::POST, "/api/auth/login", &json!({"email": "a@b.c"}));
    assert_eq!(refusal(missing).await, "400 bad_request password: is required");
}

#[tokio::test]
async fn what_is_wrong_with_a_condition_is_said_in_the_words_of_the_api() {
    let server = TestServer::start(Engine::Sqlite).await;
    let low = json!({"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30});
    let cases = [
        (json!("low"), "conditions: must be an array of conditions"),
        (json!([]), "conditions: must have from 1 to 20 conditions"),
        (json!(vec![low.clone(); 21]), "conditions: must have from 1 to 20 conditions"),
        (json!([low, "low"]), "conditions[1]: must be an object, not \"low\""),
        (
            json!(["low", {"type": "SCORE_LT", "category": "ANY", "threshold": 101}]),
            "conditions[0]: must be an object, not \"low\"; conditions[1].threshold: must be from 0 to 100",
        ),
        (json!([{"category": "HUMANITY"}]), "conditions[0].type: is required"),
        (json!([{"type": "BADGE_EXISTS"}]), "conditions[0].badge: is required"),
        (
            json!([{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30, "for": 1}]),
            "conditions[0].for: is not known here; may be category or threshold",
        ),
        (
            json!([{"type": "SCORE_LT", "category": "MOOD", "threshold": 30}]),
            "conditions[0].category: must be HUMANITY, AUTHENTICITY, UNIQUENESS, BEHAVIOR or ANY, not \"MOOD\"",
        ),
        (
            json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 101}]),
            "conditions[0].threshold: must be from 0 to 100",
        ),
        (
            json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 300}]),
            "conditions[0].threshold: must be from 0 to 100",
        ),
        (
            json!([{"type": "IDENTITY_AGE_GT", "seconds": -1}]),
            "conditions[0].seconds: must be a whole number, 0 or more, not -1",
        ),
        (json!([{"type": "BADGE_EXISTS", "badge": ""}]), "conditions[0].badge: must be the slug of a badge"),
        (
            json!([{"type": "SCORE_LT", "category": "ANY", "threshold": "low"}]),
            "conditions[0].threshold: must be a whole number, not \"low\"",
        ),
    ];
    for (conditions, expected) in cases {
        let body = json!({"conditions": conditions});
        let preview = with_json(&server, Method::POST, "/api/escalation-rules/actions/preview", &body);
        assert_eq!(refusal(preview).await, format!("400 bad_request {expected}"), "{body}");
    }
}

#[tokio::test]
async fn a_rule_names_badges_that_there_are() {
    let server = TestServer::start(Engine::Sqlite).await;
    let rule = |kind: &str, badge: &str| {
        let conditions = json!([{"type": "IDENTITY_AGE_GT", "seconds": 60}, {"type": kind, "badge": badge}]);
        json!({"name": format!("{kind} {badge}"), "severity": "INFO", "conditions": conditions})
    };
    for kind in ["BADGE_EXISTS", "BADGE_NOT_EXISTS"] {
        let unknown = with_json(&server, Method::POST, "/api/escalation-rules", &rule(kind, "robot"));
        assert_eq!(
            refusal(unknown).await,
            "400 bad_request conditions[1].badge: there is no badge `robot`",
            "{kind}"
        );
        server.post("/api/escalation-rules", rule(kind, "card-testing")).await;
    }
    // What a rule asked for before its badge was gone may stay.
    let badge = json!({"name": "Robot", "type": "BAD", "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 5}]});
    let badge = server.post("/api/badge-rules", badge).await;
    let made = server.post("/api/escalation-rules", rule("BADGE_EXISTS", "robot")).await;
    let (gone, answer) =
        server.call(Method::DELETE, &format!("/api/badge-rules/{}?force=true", badge["id"]), None).await;
    assert_eq!(gone, 204, "{answer}");
    let path = format!("/api/escalation-rules/{}", made["id"]);
    let (status, _) = server.call(Method::PUT, &path, Some(rule("BADGE_EXISTS", "robot"))).await;
    assert_eq!(status, 200);
    let other = with_json(&server, Method::PUT, &path, &rule("BADGE_NOT_EXISTS", "robot"));
    assert_eq!(refusal(other).await, "400 bad_request conditions[1].badge: there is no badge `robot`");
}

#[tokio::test]
async fn addresses_of_requests_are_read_as_strictly() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (id, _) = server.channel("App", json!({"url": "https://hooks.example.com/"})).await;
    let size = "pageSize: must be a whole number from 1 to 100";
    let limit = "limit: must be a whole number from 1 to 1000";
    let list = format!("/api/channels/{id}/deliveries");
    let cases = [
        (
            format!("{list}?pageNumber=-1"),
            format!("pageNumber: must be a whole number from 0 to {}", u32::MAX),
        ),
        (format!("{list}?pageSize=x"), size.into()),
        (format!("{list}?pageSize=-1"), size.into()),
        (format!("{list}?pageSize=0"), size.into()),
        (format!("{list}?pageSize=101"), size.into()),
        (format!("{list}?pageSize=100000000000"), size.into()),
        (format!("{list}?order=up"), "order: must be ASC or DESC".into()),
        ("/api/identities/ada/history?limit=-1".into(), limit.into()),
        ("/api/identities/ada/history?limit=1001".into(), limit.into()),
        (
            format!("{list}?from=today"),
            "from: must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`".into(),
        ),
        (
            format!("{list}?status=GONE"),
            "status: must be PENDING, RETRYING, HELD, DELIVERED, FAILED, PAUSED or SUPERSEDED".into(),
        ),
        (
            format!("{list}?identity=a%00b"),
            "identity: contains a NUL character, which nothing stored does".into(),
        ),
        ("/api/identities/a%00b".into(), "path: contains a NUL character, which nothing stored does".into()),
        ("/api/identities/%FF".into(), "path: is not UTF-8 text, percent-encoded".into()),
        ("/api/identities/ada/analysis/first".into(), "cycleId: must be a number".into()),
    ];
    for (path, expected) in cases {
        let said = refusal(server.request(Method::GET, &path).bearer_auth(SECRET_KEY)).await;
        assert_eq!(said, format!("400 bad_request {expected}"), "{path}");
    }
}

#[tokio::test]
async fn words_of_a_closed_list_may_be_written_in_any_case() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (id, _) = server.channel("App", json!({"url": "https://hooks.example.com/"})).await;
    server.post("/api/events", event("e1", "ada")).await;
    let list = format!("/api/channels/{id}/deliveries");
    let asked = [
        "/api/escalations?status=open&severity=Critical&sort=openedat&order=asc".to_owned(),
        format!("{list}?status=delivered&event=identity_scored&errorClass=Timeout"),
        format!("{list}?event=Identity.Scored&order=Desc"),
        "/api/mappings?kind=event_type&scope=global".to_owned(),
        "/api/datasets/disposable-email-domains/entries?scope=customer".to_owned(),
        "/api/events?canonicalType=page_view".to_owned(),
    ];
    for path in asked {
        assert_eq!(server.call(Method::GET, &path, None).await.0, 200, "{path}");
    }
    let rule = json!({
        "name": "Low", "severity": "critical",
        "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}],
    });
    assert_eq!(server.post("/api/escalation-rules", rule).await["severity"], "CRITICAL");
    let badge = json!({
        "name": "Low", "type": "bad",
        "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 1}],
    });
    assert_eq!(server.post("/api/badge-rules", badge).await["type"], "BAD");
    let mapping = json!({"kind": "event_type", "source": "opened", "target": "login"});
    assert_eq!(server.post("/api/mappings", mapping).await["target"], "LOGIN");
    let hook = json!({"url": "https://hooks.example.com/"});
    let channel = json!({"type": "webhook", "name": "Any case", "events": ["channel.test"], "config": hook});
    assert_eq!(server.post("/api/channels", channel).await["type"], "WEBHOOK");

    // And what is none of them is answered with those that there are.
    let refused = [
        ("/api/escalations?status=gone", "status: must be OPEN, ACKNOWLEDGED, CLOSED or ACTIVE"),
        ("/api/escalations?severity=high", "severity: must be INFO, WARNING or CRITICAL"),
        ("/api/mappings?scope=mine", "scope: must be GLOBAL or CUSTOMER"),
        ("/api/events?canonicalType=LOGN", "canonicalType: must be one of REGISTRATION, LOGIN, "),
        ("/api/identities?sort=age", "sort: must be one of updatedAt, "),
        (
            "/api/events?sort=timestamp,asc",
            "sort: must be one of timestamp; its direction is `order`, ASC or DESC",
        ),
    ];
    for (path, start) in refused {
        let said = refusal(server.request(Method::GET, path).bearer_auth(SECRET_KEY)).await;
        assert!(said.starts_with(&format!("400 bad_request {start}")), "{path}: {said}");
    }
}

/// Events that somebody has cut, doubled or scribbled on.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let scribble = (any::<prop::sample::Index>(), 0..4_usize, prop::collection::vec(any::<u8>(), 0..4));
    let text = r#"{"id":"e1","type":"user.login","timestamp":"2026-01-01T00:00:00Z","identity":{"id":"ada","data":{"email":"a@b.c","n":1.5e3}},"groups":[{"type":"Team","id":"t1"}],"data":{"a":[1,-2,null,true,"\u00e9\ud83d\ude00"]},"device":{"components":{"x":1}},"session":"s","url":"https://h.test/","ip":"203.0.113.7","userAgent":"x"}"#;
    prop::collection::vec(scribble, 0..4).prop_map(move |scribbles| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, cut, put) in scribbles {
            let at = at.index(bytes.len() + 1);
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes
    })
}

async fn mangled_events_are_stored_whole_or_refused(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 3_600_000).await;
    let server = std::sync::Arc::new(server);
    let (sending, runtime) = (std::sync::Arc::clone(&server), tokio::runtime::Handle::current());
    let run = move || {
        let mut runner = TestRunner::new(ProptestConfig { cases: 200, ..ProptestConfig::default() });
        runner.run(&mangled(), |body| {
            runtime.block_on(async {
                let (status, answer) = answer(post_raw(&sending, "/api/events", body.clone())).await;
                if status != 200 {
                    let said = refusal(post_raw(&sending, "/api/events", body)).await;
                    prop_assert!(said.starts_with("400 bad_request "), "{said}");
                } else {
                    prop_assert_eq!(&answer["status"], "success");
                }
                Ok(())
            })
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let half = "select count(*) from identities i
                where not exists
                  (select 1 from events e where e.shard = i.shard and e.identity_id = i.id)";
    let half = server.app.store.read(move |tx| tx.get(half, &[], |row| row.get::<i64>(0))).await;
    assert_eq!(half.unwrap(), 0, "identities whose event is not there");
}
