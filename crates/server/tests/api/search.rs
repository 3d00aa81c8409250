//! Finding somebody by what one has of them, and what a change of a mapping would do.

use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(
    anybody_is_found_by_what_support_is_told,
    anybody_is_found_in_any_spelling,
    a_preview_of_a_mapping_counts_whom_it_concerns,
    trends_count_by_step_and_beside_the_time_before,
);

fn person(id: &str, data: Value) -> Value {
    let mut event = event(id, id);
    event["identity"]["data"] = data;
    event
}

/// Ids, and what each was found by.
async fn found(server: &TestServer, term: &str) -> Vec<(String, String)> {
    let term: String = url::form_urlencoded::byte_serialize(term.as_bytes()).collect();
    let found = server.get(&format!("/api/search?term={term}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let hits = found["identities"].as_array().unwrap().iter();
    let mut hits: Vec<_> = hits.map(|hit| (text(&hit["identity"]["id"]), text(&hit["matchedBy"]))).collect();
    // The list of identities finds the same.
    let listed = server.get(&format!("/api/identities?term={term}")).await;
    let mut ids: Vec<_> = listed["content"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
    hits.sort();
    ids.sort();
    assert_eq!(hits.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids, "{term}");
    hits
}

async fn anybody_is_found_by_what_support_is_told(engine: Engine) {
    let server = TestServer::start(engine).await;
    let data = json!({
        "name": "Ada Byron", "email": "ada@example.org", "phone": "+49 (0)30 1234567", "dateOfBirth": "1990-12-31",
        "address": "Hauptstraße 5, 10115 Berlin",
    });
    let mut ada = person("u-1", data);
    ada["ip"] = json!("203.0.113.7");
    ada["device"] = json!({"fingerprint": "feedc0de"});
    ada["groups"] = json!([{"type": "organization", "id": "acme", "data": {"name": "Acme Works"}}]);
    server.post("/api/events", ada).await;
    let mut bob = person("u-2", json!({"name": "Bob Adamson", "address": "Hauptstraße 5, 20095 Hamburg"}));
    bob["ip"] = json!("203.0.113.8");
    server.post("/api/events", bob).await;
    let hit = |id: &str, by: &str| (id.to_owned(), by.to_owned());
    let cases = [
        ("Ada Byron", vec![hit("u-1", "TEXT")]),
        ("Byron Ada", vec![hit("u-1", "TEXT")]),
        ("byr ada", vec![hit("u-1", "TEXT")]),
        ("  Byron   Ada ", vec![hit("u-1", "TEXT")]),
        ("Byron example.org", vec![hit("u-1", "TEXT")]),
        ("Byron Bob", vec![]),
        ("damson", vec![hit("u-2", "TEXT")]),
        ("203.0.113.7", vec![hit("u-1", "IP")]),
        ("::ffff:203.0.113.7", vec![hit("u-1", "IP")]),
        ("203.0.113.0/24", vec![hit("u-1", "NETWORK"), hit("u-2", "NETWORK")]),
        ("203.0.113.9", vec![]),
        ("+49 30 1234567", vec![hit("u-1", "PHONE")]),
        ("0049301234567", vec![hit("u-1", "PHONE")]),
        ("+49 30 7654321", vec![]),
        ("Hauptstraße 5 Berlin", vec![hit("u-1", "ADDRESS")]),
        ("hauptstraße 5", vec![hit("u-1", "ADDRESS"), hit("u-2", "ADDRESS")]),
        ("1990-12-31", vec![hit("u-1", "DATE_OF_BIRTH")]),
        ("nobody", vec![]),
    ];
    for (term, expected) in cases {
        eventually(&format!("{term:?} to find {expected:?}"), async || {
            (found(&server, term).await == expected).then_some(())
        })
        .await;
    }
    let others = async |term: &str| {
        let found = server.get(&format!("/api/search?term={term}")).await;
        json!([found["devices"][0]["fingerprint"], found["groups"][0]["displayName"], found["identityCount"]])
    };
    assert_eq!(others("feedc0de").await, json!(["feedc0de", null, 0]));
    assert_eq!(others("works%20acme").await, json!([null, "Acme Works", 0]));
    for wrong in ["/api/search?term=%20", "/api/search", &format!("/api/search?term={}", "x".repeat(201))] {
        let refused = refusal(with_json(&server, Method::GET, wrong, &Value::Null)).await;
        assert!(refused.starts_with("400 bad_request term"), "{refused}");
    }
}

/// As it is copied from a mail, a chat, a ticket or a log, or typed by somebody with another keyboard.
async fn anybody_is_found_in_any_spelling(engine: Engine) {
    let server = TestServer::start(engine).await;
    let people = [
        (
            "zoe",
            json!({"name": "Zoë Müller", "email": "zoe@müller.de", "address": "Mu\u{308}llerweg 5, 10115 Berlin"}),
        ),
        ("ada", json!({"name": "Ada Byron", "email": "ada.byron@example.com", "phone": "0170 1234567"})),
        ("max", json!({"name": "Max Moritz", "email": "max@xn--bcher-kva.example"})),
        ("pat", json!({"name": "Pat O’Brien", "username": "pat"})),
        ("sam", json!({"name": "Sam OBrien"})),
        ("lee", json!({"name": "李 小龙"})),
        ("kim", json!({"name": "김 철수"})),
        ("ivo", json!({"name": "Ivo Łukasz-Groß", "username": "STRASSE9"})),
    ];
    for (n, (id, data)) in people.into_iter().enumerate() {
        let mut one = person(id, data);
        one["ip"] =
            json!(if id == "lee" { "2001:db8::1".to_owned() } else { format!("203.0.113.{}", n + 7) });
        one["device"] = json!({"fingerprint": format!("print-of-{id}")});
        server.post("/api/events", one).await;
    }
    let cases = [
        (
            "TEXT",
            "zoe",
            "Zoë Müller|Zoe Muller|ZOË MÜLLER|Zoe\u{308} Mu\u{308}ller|Müller, Zoë|muller zoe|Zo\u{ad}e Muller\u{200b}",
        ),
        (
            "TEXT",
            "zoe",
            "zoe@müller.de|zoe@xn--mller-kva.de|ZOE@XN--MLLER-KVA.DE|xn--mller-kva|Z. <zoe@xn--mller-kva.de>",
        ),
        ("ADDRESS", "zoe", "Müllerweg 5|Mu\u{308}llerweg 5, Berlin|müllerweg 5, 10115 berlin"),
        (
            "TEXT",
            "max",
            "max@bücher.example|max@bu\u{308}cher.example|max@xn--bcher-kva.example|bucher.example",
        ),
        (
            "TEXT",
            "ada",
            "Byron, Ada|\"Ada Byron\"|“Ada Byron”|(Ada Byron)|Ada\u{a0}Byron|Ａｄａ　Ｂｙｒｏｎ|Byron, \"Ada\"",
        ),
        (
            "TEXT",
            "ada",
            "Ada Byron <ada.byron@example.com>|\"A. Lovelace\" <ada.byron@example.com>|<ada.byron@example.com>,",
        ),
        (
            "TEXT",
            "ada",
            "mailto:ada.byron@example.com|MAILTO:ada.byron%40example.com?subject=Hello|<mailto:ada.byron@example.com>",
        ),
        ("PHONE", "ada", "tel:+491701234567|tel:+49-170-1234567;ext=2|+49 170 1234567|sms:01701234567"),
        ("IP", "ada", "203.0.113.8|203.0.113.8:443|(203.0.113.8)|203.0.113.8/32|[::ffff:203.0.113.8]:443"),
        ("IP", "lee", "[2001:db8::1]:443|2001:DB8:0::1|[2001:db8::1]|2001:db8::/64"),
        ("TEXT", "pat", "Pat O'Brien|Pat O’Brien|O´Brien, Pat|Brien Pat|Pat OBrien|pat o brien"),
        ("TEXT", "sam", "Sam O'Brien|OBrien, Sam"),
        ("TEXT", "pat sam", "O'Brien|obrien|O’Brien"),
        ("TEXT", "lee", "李小龙|李 小龙|小龙 李|李·小龙|小龙|李　小龙"),
        ("TEXT", "kim", "김철수|김 철수|철수 김"),
        ("TEXT", "ivo", "lukasz gross|Ivo Lukasz Groß|Łukasz-Gross|straße9|LUKASZ"),
        // What says nothing is nobody's.
        ("TEXT", "", "\u{0}|\u{301}|\u{200b}|\"\"|<>|mailto:|tel:|,|\"\" , \"\"|xn--mueller-kva"),
        ("TEXT", "", "zoe@mueller.example|Zoe Ada|Byron, Max|203.0.113.8:99999|小龙 김|O'Brian"),
    ];
    for (by, ids, terms) in cases {
        let expected: Vec<_> = ids.split_whitespace().map(|id| (id.to_owned(), by.to_owned())).collect();
        for term in terms.split('|') {
            if ids.is_empty() {
                assert_eq!(listed(&server, term).await, expected, "{term:?}");
                continue;
            }
            eventually(&format!("{term:?} to find {expected:?}"), async || {
                (found(&server, term).await == expected).then_some(())
            })
            .await;
        }
    }
    for term in ["203.0.113.8:443", "PRINT-OF-ADA", "\"print-of-ada\""] {
        let term: String = url::form_urlencoded::byte_serialize(term.as_bytes()).collect();
        let found = server.get(&format!("/api/search?term={term}")).await;
        assert_eq!(
            (&found["devices"][0]["fingerprint"], &found["deviceCount"]),
            (&json!("print-of-ada"), &json!(1))
        );
    }
}

/// Those that the list has by a term; the search finds the same, or says that it is none.
async fn listed(server: &TestServer, term: &str) -> Vec<(String, String)> {
    let encoded: String = url::form_urlencoded::byte_serialize(term.as_bytes()).collect();
    let (status, answer) = server.call(Method::GET, &format!("/api/search?term={encoded}"), None).await;
    assert!(status == 200 && answer["identityCount"] == 0 || status == 400, "{term:?}: {answer}");
    let (status, answer) = server.call(Method::GET, &format!("/api/identities?term={encoded}"), None).await;
    assert!(status == 200 && answer["totalElements"] == 0 || status == 400, "{term:?}: {answer}");
    Vec::new()
}

async fn a_preview_of_a_mapping_counts_whom_it_concerns(engine: Engine) {
    let server = TestServer::start(engine).await;
    for n in 0..5 {
        let mut opened = person(&format!("u-{n}"), json!({"kontakt": format!("u{n}@example.org")}));
        if n < 3 {
            opened["type"] = json!("Konto-Eroeffnet");
        }
        server.post("/api/events", opened).await;
    }
    let (channel, _) = server.channel("Ops", json!({"url": "http://127.0.0.1:9/"})).await;
    let preview = async |kind: &str, source: &str| {
        let preview =
            server.post("/api/mappings/actions/preview", json!({"kind": kind, "source": source})).await;
        let of = |names: [&str; 5]| Value::from(names.map(|name| preview[name].clone()).to_vec());
        of(["canonicalType", "identities", "lookedAt", "total", "eventCount"])
    };
    assert_eq!(preview("EVENT_TYPE", "kontoEroeffnet").await, json!([null, 3, 5, 5, 3]));
    assert_eq!(preview("EVENT_TYPE", "never seen").await, json!([null, 0, 5, 5, 0]));
    assert_eq!(preview("IDENTITY_FIELD", "Kontakt").await, json!([null, 5, 5, 5, null]));
    assert_eq!(preview("IDENTITY_FIELD", "email").await, json!(["EMAIL", 0, 5, 5, null]));
    for (target, identities) in [("FULL_NAME", 5), ("EMAIL", 5)] {
        let body = json!({"kind": "IDENTITY_FIELD", "source": "kontakt", "target": target});
        let preview = server.post("/api/mappings/actions/preview", body).await;
        assert_eq!(preview["identities"], identities, "{target}");
    }
    // It means that already.
    let registration = json!({"kind": "EVENT_TYPE", "source": "user.signup", "target": "registration"});
    assert_eq!(server.post("/api/mappings/actions/preview", registration).await["identities"], 0);
    let wrong = json!({"kind": "EVENT_TYPE", "source": "opened", "target": "SHOE"});
    let refused = refusal(with_json(&server, Method::POST, "/api/mappings/actions/preview", &wrong)).await;
    assert!(refused.starts_with("400 bad_request target: must be null or one of "), "{refused}");
    let body = json!({"kind": "EVENT_TYPE", "source": "konto-eroeffnet"});
    let slugs = async || server.post("/api/mappings/actions/preview", body.clone()).await["channels"].clone();
    assert_eq!(slugs().await, json!(["ops"]));
    server.patch(&format!("/api/channels/{channel}"), json!({"enabled": false})).await;
    assert_eq!(slugs().await, json!([]));
    assert_eq!(server.get("/api/mappings?scope=CUSTOMER").await["totalElements"], 0, "nothing was changed");
}

async fn trends_count_by_step_and_beside_the_time_before(engine: Engine) {
    use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
    use dregs_server::clock::ManualClock;
    use dregs_server::store::escalations::Severity;
    use std::sync::Arc;

    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:30:00Z").unwrap()));
    let server = TestServer::start_at(engine, &clock).await;
    let send = async |id: &str, user: &str| server.post("/api/events", event(id, user)).await;
    send("1", "ada").await;
    super::escalation(&server.app, "ada", Severity::Info).await;
    clock.advance(DAY_MS);
    send("2", "bob").await;
    send("3", "ada").await;
    clock.advance(2 * HOUR_MS);
    send("4", "eve").await;
    super::escalation(&server.app, "bob", Severity::Critical).await;
    let all = server.get("/api/escalations?identity=ada").await;
    let path = format!("/api/escalations/{}", all["content"][0]["id"]);
    server.patch(&path, json!({"status": "CLOSED"})).await;

    let counts = |one: &Value| {
        ["events", "newIdentities", "escalationsOpened", "escalationsClosed"]
            .map(|name| one[name].as_i64().unwrap())
    };
    let day = server.get("/api/dashboard/trends").await;
    let bounds = ["from", "to"].map(|name| day[name].as_str().unwrap());
    assert_eq!(bounds, ["2026-11-23T12:00:00.000Z", "2026-11-24T12:00:00.000Z"]);
    assert_eq!((counts(&day["total"]), counts(&day["previous"])), ([3, 2, 1, 1], [1, 1, 1, 0]));
    let points = day["points"].as_array().unwrap();
    let at = |hour: usize| (points[hour]["at"].as_str().unwrap(), counts(&points[hour]));
    assert_eq!(points.len(), 24);
    assert_eq!(at(21), ("2026-11-24T09:00:00.000Z", [2, 1, 0, 0]));
    assert_eq!(at(23), ("2026-11-24T11:00:00.000Z", [1, 1, 1, 1]));
    assert_eq!(at(22).1, [0; 4]);
    for (range, points, step) in [("7d", 28, 21_600), ("30d", 30, 86_400)] {
        let trends = server.get(&format!("/api/dashboard/trends?range={range}")).await;
        assert_eq!(trends["points"].as_array().unwrap().len(), points);
        assert_eq!(trends["stepSeconds"], step);
        assert_eq!(
            (counts(&trends["total"]), counts(&trends["previous"])),
            ([4, 3, 2, 1], [0; 4]),
            "{range}"
        );
    }
    let wrong = with_json(&server, Method::GET, "/api/dashboard/trends?range=1y", &Value::Null);
    assert_eq!(refusal(wrong).await, "400 bad_request range: must be 24h, 7d or 30d");
}
