//! How long a team keeps what it has: read by all, changed by admins, told before it is changed.

use std::sync::Arc;

use dregs_core::time::{DAY_MS, Timestamp};
use dregs_server::clock::ManualClock;
use dregs_server::store::retention::{self as table, Kind};
use dregs_server::store::users::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer, event};

const START_MS: i64 = 1_795_424_400_000;

fn periods(events: Value, audit_log: Value) -> Value {
    json!({"events": events, "analyses": 396, "deliveries": 396, "auditLog": audit_log})
}

#[tokio::test]
async fn periods_are_read_changed_and_audited() {
    let server = TestServer::start(Engine::Sqlite).await;
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let period = |days: Value, least: u64| json!({"days": days, "leastDays": least, "forgottenUntil": null});
    let told = |events: Value, audit_log: Value| {
        json!({
            "events": period(events, 30), "analyses": period(json!(396), 7),
            "deliveries": period(json!(396), 7), "auditLog": period(audit_log, 90),
        })
    };
    assert_eq!(server.get("/api/retention").await, told(json!(396), Value::Null));
    let put = |body: Value| server.request(Method::PUT, "/api/retention").bearer_auth(&admin).json(&body);
    let changed = answer(put(periods(Value::Null, json!(90)))).await;
    assert_eq!(changed, (StatusCode::OK, told(Value::Null, json!(90))));
    assert_eq!(server.get("/api/retention").await, changed.1);
    let log = server.request(Method::GET, "/api/audit-log?action=retention.change").bearer_auth(&admin);
    let (_, log) = answer(log).await;
    let entry = &log["content"][0];
    assert_eq!(
        (&entry["before"], &entry["after"]),
        (&periods(json!(396), Value::Null), &periods(Value::Null, json!(90)))
    );

    // What is read can be sent back, with other days or with the same.
    let mut read = changed.1.clone();
    read["events"]["days"] = json!(60);
    let sent_back = answer(put(read)).await;
    assert_eq!(sent_back, (StatusCode::OK, told(json!(60), json!(90))));
    let preview = server.request(Method::POST, "/api/retention/actions/preview").bearer_auth(&admin);
    assert_eq!(answer(preview.json(&changed.1)).await.0, StatusCode::OK);
    assert_eq!(answer(put(changed.1.clone())).await, changed);

    let mut without = periods(json!(30), Value::Null);
    without.as_object_mut().unwrap().remove("deliveries");
    let refused = [
        (periods(json!(29), Value::Null), "events: must be from 30 to 36500 days, or null forever"),
        (periods(json!(30), json!(89)), "auditLog: must be from 90 to 36500 days, or null forever"),
        (periods(json!(36_501), Value::Null), "events: must be from 30 to 36500 days, or null forever"),
        (without, "deliveries: is required"),
        (
            periods(json!("a year"), Value::Null),
            "events: must be a whole number of days, null, or an object with `days`",
        ),
        (
            periods(json!({"leastDays": 30}), Value::Null),
            "events: must be a whole number of days, null, or an object with `days`",
        ),
    ];
    for (body, message) in refused {
        assert_eq!(refusal(put(body)).await, format!("400 bad_request {message}"));
    }
    assert_eq!(server.get("/api/retention").await, changed.1, "nothing was changed");
}

#[tokio::test]
async fn a_preview_counts_what_would_go() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(START_MS)));
    let server = TestServer::start_at(Engine::Sqlite, &clock).await;
    for number in 0..7 {
        server.post("/api/events", event(&format!("e{number}"), &format!("user {number}"))).await;
        if number == 4 {
            clock.advance(35 * DAY_MS);
        }
    }
    clock.advance(10 * DAY_MS);
    let admin = session(&server.app, team(&server.app).await, Role::Admin).await;
    let preview = async |events: Value| {
        let request = server.request(Method::POST, "/api/retention/actions/preview").bearer_auth(&admin);
        let (status, body) = answer(request.json(&periods(events, json!(90)))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    };
    let count = |rows: u64| json!({"rows": rows, "isCut": false});
    let expected = |events: u64| json!({"events": count(events), "analyses": count(0), "deliveries": count(0), "auditLog": count(0)});
    assert_eq!(preview(json!(30)).await, expected(5));
    assert_eq!(preview(json!(46)).await, expected(0));
    assert_eq!(preview(Value::Null).await, expected(0));
    assert_eq!(server.get("/api/events").await["totalElements"], 7, "nothing has gone");

    let until = Timestamp::from_millis(START_MS);
    let team_id = team(&server.app).await;
    let forget =
        move |tx: &mut dregs_server::store::Tx| table::forget_until(tx, Kind::Events, &[(team_id, until)]);
    server.app.store.write(forget).await.unwrap();
    assert_eq!(server.get("/api/retention").await["events"]["forgottenUntil"], json!(until.to_string()));
}
