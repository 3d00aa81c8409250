//! Rules that match far more often than they did, and who is told.

use std::sync::Arc;

use dregs_core::rules::Severity;
use dregs_core::time::{HOUR_MS, Timestamp};
use dregs_server::clock::{Clock, ManualClock};
use dregs_server::store::escalations::{self, Mover, NewEscalation, Status};
use dregs_server::store::{Tx, badges, identities, rule_rates, usage};
use serde_json::{Value, json};

use super::delivery::{OK, arrived};
use super::rules::clear;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(a_rule_that_jumps_is_told_of_once_a_day_and_one_that_grows_with_its_traffic_is_not);

const DAY_MS: i64 = 24 * HOUR_MS;

/// `count` escalations of a rule in the day that begins then, closed by people.
fn open(
    tx: &mut Tx,
    (identity_id, rule_id): (i64, i64),
    count: i64,
    day: Timestamp,
) -> dregs_server::store::Result<()> {
    for n in 0..count {
        let new = NewEscalation {
            team_id: 1,
            identity_id,
            rule_id,
            rule_name: "Rule".into(),
            severity: Severity::Info,
            conditions: "[]".into(),
            channels: "[]".into(),
            scores: Default::default(),
            explanation: None,
            event_id: None,
            opened_at: day.plus_millis(n),
        };
        let id = escalations::insert(tx, &new)?.unwrap();
        escalations::set_status(tx, id, Status::Closed, Mover::default(), day.plus_millis(n))?;
    }
    Ok(())
}

async fn a_rule_that_jumps_is_told_of_once_a_day_and_one_that_grows_with_its_traffic_is_not(engine: Engine) {
    // Since long before: a rule has a past from when it was written on.
    let now = Timestamp::parse("2026-11-23T09:30:00Z").unwrap();
    let clock = Arc::new(ManualClock::at(now.plus_millis(-40 * DAY_MS)));
    let server = TestServer::start_at(engine, &clock).await;
    clear(&server).await;
    let never = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 0}]);
    let mut rules = Vec::new();
    for name in ["Steady", "Jumps"] {
        let rule = json!({"name": name, "severity": "INFO", "conditions": never});
        rules.push(server.post("/api/escalation-rules", rule).await["id"].as_i64().unwrap());
    }
    let badge = json!({"name": "Bot", "type": "BAD", "conditions": never});
    let badge = server.post("/api/badge-rules", badge).await["id"].as_i64().unwrap();
    let receiver = Receiver::answering(OK).await;
    let channel = json!({"type": "WEBHOOK", "name": "Ops", "events": ["rule.rate_jumped"], "config": {"url": receiver.url()}});
    server.post("/api/channels", channel).await;
    server.post("/api/events", event("e", "ada")).await;
    let (steady, jumps) = (rules[0], rules[1]);
    let hour = usage::hour(now);
    let fill = move |tx: &mut Tx| {
        let ada = identities::find(tx, 1, "ada")?.unwrap().row_id;
        for days in (1..=28).rev() {
            let day = Timestamp::from_millis((hour - days * 24) * HOUR_MS);
            // Today there is four times the traffic.
            let times = if days == 1 { 4 } else { 1 };
            usage::add(tx, &[(1, 1_000 * times)], day)?;
            open(tx, (ada, steady), 10 * times, day)?;
            open(tx, (ada, jumps), if days == 1 { 60 } else { 1 }, day)?;
            rule_rates::note_carriers(tx, 1, badge, hour - days * 24, 100 - days)?;
        }
        let carried: Vec<_> = (0..200).map(|id| (1, "bot".to_owned(), id)).collect();
        badges::change(tx, &carried, &[])
    };
    server.app.store.write(fill).await.unwrap();
    clock.advance(40 * DAY_MS);
    let told = arrived(&receiver, 2).await;
    let mut told: Vec<Value> = told.iter().map(|told| serde_json::from_slice(&told.body).unwrap()).collect();
    told.sort_by_key(|body| body["data"]["rule"]["type"].to_string());
    let [of_badge, of_rule] = [&told[0]["data"], &told[1]["data"]];
    let expected = json!({
        "rule": {"id": jumps, "name": "Jumps", "type": "ESCALATION"},
        "from": "2026-11-22T09:00:00.000Z", "to": "2026-11-23T09:00:00.000Z", "count": 60, "expected": 4.0,
    });
    assert_eq!(*of_rule, expected);
    // From 72 to 99 in 27 days, and to 200 in the last one.
    assert_eq!((&of_badge["rule"]["id"], &of_badge["count"]), (&json!(badge), &json!(101)), "{of_badge}");
    let record = server.get(&format!("/api/labels/accuracy/rules/{jumps}")).await;
    assert_eq!(record["jumped"], json!({"at": "2026-11-23T09:30:00.000Z", "count": 60, "expected": 4.0}));
    assert_eq!(server.get(&format!("/api/labels/accuracy/rules/{steady}")).await["jumped"], Value::Null);
    assert_eq!(server.get("/api/labels/accuracy/badges/bot").await["jumped"]["count"], 101);

    // An hour later it is no news; a day later it is, if it goes on.
    clock.advance(HOUR_MS);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(receiver.requests().len(), 2);
    let again = clock.now();
    let more = move |tx: &mut Tx| {
        let ada = identities::find(tx, 1, "ada")?.unwrap().row_id;
        let day = again.plus_millis(HOUR_MS);
        usage::add(tx, &[(1, 1_000)], day)?;
        open(tx, (ada, jumps), 400, day)
    };
    server.app.store.write(more).await.unwrap();
    clock.advance(DAY_MS);
    let told = arrived(&receiver, 3).await;
    let last: Value = serde_json::from_slice(&told[2].body).unwrap();
    assert_eq!(last["data"]["count"], 400, "{last}");
    let (status, _) =
        server.call(reqwest::Method::DELETE, &format!("/api/escalation-rules/{jumps}"), None).await;
    assert_eq!(status, 204);
    eventually("it to be forgotten", async || {
        let told = server
            .app
            .store
            .read(move |tx| rule_rates::told(tx, 1, dregs_core::rules::Kind::Escalation, jumps));
        told.await.unwrap().is_none().then_some(())
    })
    .await;
}
