//! Lists: every filter and every order against the same done by hand, page by page.

use std::collections::BTreeSet;
use std::time::Duration;

use dregs_server::store::rosters::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, team, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{SECRET_KEY, TestServer, event, eventually, settled};

on_both_engines!(
    identities_are_filtered_and_sorted,
    events_are_filtered_and_sorted,
    devices_say_how_many_use_them,
    a_list_is_whole_whoever_goes_away_meanwhile,
);

const COUNT: usize = 30;

async fn pages(server: &TestServer, path: &str, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for number in 0.. {
        let page = server.get(&format!("{path}?pageSize=7&pageNumber={number}&{query}")).await;
        let content = page["content"].as_array().unwrap();
        all.extend(content.iter().cloned());
        let (number, size) = (number as u64, content.len() as u64);
        assert_eq!((&page["pageNumber"], &page["pageSize"]), (&json!(number), &json!(7)));
        assert_eq!(page["first"], number == 0);
        if page["last"] == true {
            assert_eq!(page["totalElements"], number * 7 + size, "{query}");
            assert_eq!(page["totalPages"], page["totalElements"].as_u64().unwrap().div_ceil(7));
            return all;
        }
        assert_eq!(size, 7);
    }
    unreachable!()
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// Thirty people with all that can be told apart.
async fn people(server: &TestServer) {
    for n in 0..COUNT {
        let mut signup = event(&format!("e{n:02}"), &format!("user {n:02}"));
        signup["type"] = json!(["user.login", "order.placed", "page.viewed"][n % 3]);
        signup["timestamp"] = json!(format!("2026-11-01T00:{:02}:00Z", (n * 7) % COUNT));
        signup["session"] = json!(format!("s{}", n / 10));
        signup["device"] = json!({"fingerprint": format!("f{}", n % 4)});
        signup["groups"] =
            json!([{"type": if n % 2 == 0 { "team" } else { "company" }, "id": format!("g{}", n % 5)}]);
        if n % 3 > 0 {
            let email = if n % 7 == 0 {
                "x@mailinator.com".to_owned()
            } else {
                format!("Name{}@Posteo.de", (n * 11) % COUNT)
            };
            signup["identity"]["data"] =
                json!({"name": format!("Näme {}", (n * 13) % COUNT), "email": email});
        }
        server.post("/api/events", signup).await;
    }
    eventually("all to be scored", async || {
        let stats = server.get("/api/dashboard/stats?from=2020-01-01T00:00:00Z").await;
        (stats["scoredIdentities"] == COUNT).then_some(())
    })
    .await;
    // Who shares something with others is scored again, and would change places between two pages.
    settled(server).await;
}

async fn identities_are_filtered_and_sorted(engine: Engine) {
    let server = TestServer::start(engine).await;
    people(&server).await;
    let all = pages(&server, "/api/identities", "").await;
    assert_eq!(ids(&all).into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    let sorts = [
        "updatedAt",
        "createdAt",
        "lastTrackedAt",
        "lastScoredAt",
        "humanityScore",
        "authenticityScore",
        "uniquenessScore",
        "behaviorScore",
        "id",
        "displayName",
        "displayEmail",
        "displayUsername",
    ];
    for sort in sorts {
        for order in ["ASC", "DESC"] {
            let sorted = pages(&server, "/api/identities", &format!("sort={sort}&order={order}")).await;
            assert_eq!(sorted.len(), COUNT);
            let keys: Vec<_> = sorted.iter().map(|identity| &identity[sort]).collect();
            let given = keys.iter().take_while(|key| !key.is_null()).count();
            assert!(
                keys[given..].iter().all(|key| key.is_null()),
                "{sort} {order}: what has none comes last"
            );
            let in_order = |one: &&Value, other: &&Value| match (one, other) {
                (Value::String(one), Value::String(other)) => one.to_lowercase() <= other.to_lowercase(),
                (one, other) => one.as_i64() <= other.as_i64(),
            };
            let mut keys = keys[..given].to_vec();
            if order == "DESC" {
                keys.reverse();
            }
            assert!(keys.is_sorted_by(in_order), "{sort} {order}: {keys:?}");
        }
    }
    let number = |identity: &Value| identity["id"].as_str().unwrap()[5..].parse::<usize>().unwrap();
    let has = |identity: &Value, text: &str| {
        ["id", "displayName", "displayEmail"]
            .iter()
            .any(|field| identity[*field].as_str().is_some_and(|said| said.to_lowercase().contains(text)))
    };
    type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(&str, Wanted)> = vec![
        ("term=POSTEO", Box::new(|identity| has(identity, "posteo"))),
        (
            "term=N%C3%84ME%201",
            Box::new(|identity| {
                has(identity, "näme 1") || has(identity, "näme") && number(identity) / 10 == 1
            }),
        ),
        ("term=nothing", Box::new(|_| false)),
        ("group=g3", Box::new(|identity| number(identity) % 5 == 3)),
        ("groupType=team", Box::new(|identity| number(identity) % 2 == 0)),
        ("group=g3&groupType=team", Box::new(|identity| number(identity) % 10 == 8)),
        ("device=f1", Box::new(|identity| number(identity) % 4 == 1)),
        ("device=f1&term=user%200", Box::new(|identity| number(identity) % 4 == 1 && number(identity) < 10)),
        ("device=none", Box::new(|_| false)),
        ("badge=card-testing", Box::new(|_| false)),
        ("disregarded=true", Box::new(|_| false)),
        (
            "authenticityMax=40",
            Box::new(|identity| identity["authenticityScore"].as_u64().is_some_and(|score| score <= 40)),
        ),
        (
            "authenticityMin=41&authenticityMax=100",
            Box::new(|identity| identity["authenticityScore"].as_u64().is_some_and(|score| score > 40)),
        ),
        ("uniquenessMin=0", Box::new(|identity| identity["uniquenessScore"].is_u64())),
    ];
    for (query, is_wanted) in cases {
        let found = pages(&server, "/api/identities", &format!("sort=id&order=ASC&{query}")).await;
        let mut expected: Vec<_> = all.iter().filter(|identity| is_wanted(identity)).cloned().collect();
        expected.sort_by_key(|identity| identity["id"].as_str().unwrap().to_owned());
        assert_eq!(ids(&found), ids(&expected), "{query}");
    }
    // What is written is there for the next who asks.
    for n in 0..20 {
        server
            .patch("/api/identities/user%2003", json!({"attributes": {"name": format!("Changed {n}")}}))
            .await;
        let found = server.get(&format!("/api/identities?term=changed%20{n}&pageSize=1")).await;
        assert_eq!(found["content"][0]["id"], "user 03", "{n}");
    }
    let wrong = [
        ("sort=colour", "sort: must be one of "),
        ("pageSize=101", "pageSize: must be a whole number from 1 to 100"),
        ("humanityMax=101", "humanityMax: "),
        ("pageNumber=-1", "pageNumber: "),
    ];
    for (query, start) in wrong {
        let said =
            refusal(with_json(&server, Method::GET, &format!("/api/identities?{query}"), &Value::Null)).await;
        assert!(said.starts_with(&format!("400 bad_request {start}")), "{query}: {said}");
    }
}

async fn devices_say_how_many_use_them(engine: Engine) {
    let server = TestServer::start(engine).await;
    let on = |fingerprint: &str, user: String| json!({"type": "t", "timestamp": "2026-11-01T00:00:00Z", "identity": {"id": user}, "device": {"fingerprint": fingerprint}});
    let of = |fingerprint, count| (0..count).map(move |n| on(fingerprint, format!("{fingerprint} {n}")));
    let events: Vec<_> = of("own", 1).chain(of("pair", 2)).chain(of("hall", 101)).collect();
    server.post("/api/events/batch", json!(events)).await;
    let told = async || {
        let page = server.get("/api/devices?sort=fingerprint&order=ASC").await;
        let told = |device: &Value| {
            json!([device["fingerprint"], device["identityCount"], device["identityCountIsExact"]])
        };
        page["content"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(
        told().await,
        [json!(["hall", 100, false]), json!(["own", 1, true]), json!(["pair", 2, true])]
    );
    // As their list has them, without those who were deleted.
    server.call(Method::DELETE, "/api/identities/pair%200", None).await;
    assert_eq!(told().await[2], json!(["pair", 1, true]));
    assert_eq!(server.get("/api/devices/pair").await["identityCount"], 1);
    let identity = server.get("/api/identities/own%200").await;
    assert_eq!(identity["firstSeenAt"], "2026-11-01T00:00:00.000Z");
    assert_ne!(identity["createdAt"], identity["firstSeenAt"]);
}

async fn events_are_filtered_and_sorted(engine: Engine) {
    let server = TestServer::start(engine).await;
    people(&server).await;
    let all = pages(&server, "/api/events", "").await;
    assert_eq!(all.len(), COUNT);
    let times: Vec<_> = all.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "newest first: {times:?}");
    let number = |event: &Value| event["id"].as_str().unwrap()[1..].parse::<usize>().unwrap();
    let minute = |event: &Value| (number(event) * 7) % COUNT;
    type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(&str, Wanted)> = vec![
        ("identity=user%2007", Box::new(|event| number(event) == 7)),
        ("group=g3", Box::new(|event| number(event) % 5 == 3)),
        ("groupType=company", Box::new(|event| number(event) % 2 == 1)),
        ("group=g3&groupType=company", Box::new(|event| number(event) % 10 == 3)),
        ("device=f2", Box::new(|event| number(event) % 4 == 2)),
        ("session=s1", Box::new(|event| number(event) / 10 == 1)),
        ("device=f2&session=s1", Box::new(|event| number(event) % 4 == 2 && number(event) / 10 == 1)),
        ("term=order", Box::new(|event| number(event) % 3 == 1)),
        ("term=e07", Box::new(|event| number(event) == 7)),
        ("canonicalType=LOGIN", Box::new(|event| number(event) % 3 == 0)),
        ("canonicalType=LOGIN&group=g0", Box::new(|event| number(event) % 15 == 0)),
        ("canonicalType=REFUND", Box::new(|_| false)),
        (
            "from=2026-11-01T00:10:00Z&to=2026-11-01T00:20:00Z",
            Box::new(|event| (10..20).contains(&minute(event))),
        ),
        (
            "term=page&from=2026-11-01T00:10:00Z",
            Box::new(|event| number(event) % 3 == 2 && minute(event) >= 10),
        ),
        ("identity=nobody", Box::new(|_| false)),
    ];
    for (query, is_wanted) in cases {
        for order in ["ASC", "DESC"] {
            let found = pages(&server, "/api/events", &format!("{query}&sort=timestamp&order={order}")).await;
            let mut expected: Vec<_> = all.iter().filter(|event| is_wanted(event)).cloned().collect();
            if order == "ASC" {
                expected.reverse();
            }
            assert_eq!(ids(&found), ids(&expected), "{query} {order}");
        }
    }
}

#[tokio::test]
async fn identities_leave_as_a_table_in_which_nothing_is_a_formula() {
    let server = TestServer::start(Engine::Sqlite).await;
    let names = ["=HYPERLINK(\"https://evil.test\")", "Ada, \"Countess\"\nof Lovelace", "@sum", "Bob", "-1"];
    for (n, name) in names.into_iter().enumerate() {
        let mut signup = event(&format!("e{n}"), &format!("u{n}"));
        signup["identity"]["data"] = json!({"name": name});
        server.post("/api/events", signup).await;
    }
    eventually("all to be scored", async || {
        let page = server.get("/api/identities").await;
        let scored = page["content"].as_array()?.iter().filter(|one| !one["lastScoredAt"].is_null()).count();
        (scored == names.len()).then_some(())
    })
    .await;
    let ask = server.request(Method::GET, "/api/identities.csv?sort=id&order=ASC").bearer_auth(SECRET_KEY);
    let table = ask.send().await.unwrap();
    assert_eq!(table.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(table.headers()["content-disposition"], "attachment; filename=\"identities.csv\"");
    let text = table.text().await.unwrap();
    assert!(text.contains("\r\nu1,\"Ada, \"\"Countess\"\"\nof Lovelace\","), "{text}");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heading = "id,displayName,displayEmail,displayUsername,humanityScore,authenticityScore,uniquenessScore,\
                   behaviorScore,badges,createdAt,lastTrackedAt,lastScoredAt,disregarded";
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>().join(","), heading);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let shown: Vec<_> = rows.iter().map(|row| (&row[0], &row[1])).collect();
    let expected = [
        ("u0", "'=HYPERLINK(\"https://evil.test\")"),
        ("u1", names[1]),
        ("u2", "'@sum"),
        ("u3", "Bob"),
        ("u4", "'-1"),
    ];
    assert_eq!(shown, expected);
    let bob = server.get("/api/identities/u3").await;
    let of = |key: &str| bob[key].as_str().map_or_else(|| bob[key].to_string(), str::to_owned);
    let columns = ["authenticityScore", "createdAt", "lastTrackedAt", "lastScoredAt", "disregarded"];
    assert_eq!([5, 9, 10, 11, 12].map(|column| rows[3][column].to_owned()), columns.map(of));
    // The filters of the list hold.
    let ask = server.request(Method::GET, "/api/identities.csv?term=sum").bearer_auth(SECRET_KEY);
    assert_eq!(ask.send().await.unwrap().text().await.unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_time_that_ends_before_it_begins_is_refused() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (id, _) = server.channel("Ops", json!({"url": "http://127.0.0.1:9/"})).await;
    let range = "from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z";
    let deliveries = format!("channels/{id}/deliveries");
    let activity = format!("channels/{id}/activity");
    for path in ["events", "usage", "dashboard/stats", "dashboard/score-distribution", &deliveries, &activity]
    {
        let request = server.request(Method::GET, &format!("/api/{path}?{range}")).bearer_auth(SECRET_KEY);
        assert_eq!(refusal(request).await, "400 bad_request to: must be after from", "{path}");
    }
}

#[tokio::test]
async fn a_parameter_that_was_meant_for_another_is_refused_and_whatever_else_is_ignored() {
    let server = TestServer::start(Engine::Sqlite).await;
    for (query, meant) in [
        ("events?identityId=user_1", "identityId: is no parameter of this operation; did you mean identity?"),
        ("events?page_size=5", "page_size: is no parameter of this operation; did you mean pageSize?"),
        ("identities?email=a@b.test", "email: is no parameter of this operation; did you mean term?"),
        ("devices?user=user_1", "user: is no parameter of this operation; did you mean identity?"),
        ("events?since=2026-01-01", "since: is no parameter of this operation; did you mean from?"),
        (
            "identities.csv?IDENTITY=x&minHumanity=5",
            "IDENTITY: is no parameter of this operation; there are ",
        ),
        (
            "identities?severity=CRITICAL",
            "severity: is no parameter of this operation; there are authenticityMax, ",
        ),
        (
            "identities/user_1/deliveries?status=FAILED",
            "status: is no parameter of this operation; there are order, ",
        ),
        ("usage?form=2026-01-01", "form: is no parameter of this operation; did you mean from?"),
    ] {
        let told =
            refusal(server.request(Method::GET, &format!("/api/{query}")).bearer_auth(SECRET_KEY)).await;
        assert!(told.contains(meant), "{query}: {told}");
    }
    for query in
        ["_=1760000000", "utm_source=mail", "foo=bar", "unknown=1", "x", "=", "pretty=true", "api-version=2"]
    {
        for path in ["events", "identities", "identities.csv", "devices", "audit-log"] {
            let response = server
                .request(Method::GET, &format!("/api/{path}?{query}"))
                .bearer_auth(SECRET_KEY)
                .send()
                .await
                .unwrap();
            assert!(
                [200, 403].contains(&response.status().as_u16()),
                "{path}?{query}: {}",
                response.status()
            );
        }
    }
}

/// What was read of the change log is in the list, though whoever asked did not wait for it.
async fn a_list_is_whole_whoever_goes_away_meanwhile(engine: Engine) {
    let server = TestServer::start(engine).await;
    let (rosters, team_id) = (&server.app.rosters, team(&server.app).await);
    let count = || rosters.ask(team_id, Kind::Identities, |table| table.len());
    let mut left = 0;
    for n in 1..=60 {
        server.track(&format!("e{n}"), &format!("user {n}")).await;
        let patience = Duration::from_micros(n as u64 * 40);
        left += usize::from(tokio::time::timeout(patience, count()).await.is_err());
        assert_eq!(count().await.unwrap(), n, "after {patience:?}");
    }
    assert!(left > 0, "nobody went away");
}
