//! The server is killed at each place that is not on the way of an event: what was asked for is done all the same, by
//! the next start or when it is asked for again, and what was told before stays told.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use dregs_server::failpoint::Failpoint;
use dregs_server::store::{Store, Tx, erasure, settings};
use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::retention::age;
use super::{
    ALL_EVENTS, QUIET_PATIENCE, SETTINGS, SIGABRT, call, create_channel, end_leases, outcome, quiet, traffic,
};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, event, eventually};

on_both_engines!(what_is_asked_for_is_done_though_the_server_is_killed_on_its_way);

/// What leads to a place.
struct Act {
    method: Method,
    path: String,
    body: Value,
    /// Whether the next start goes on with it; otherwise whoever has no answer asks again.
    goes_on: bool,
}

/// `None` where the server comes by itself.
fn act(failpoint: Failpoint, delivery: &Value) -> Option<Act> {
    let post = |path: &str, body: Value, goes_on: bool| {
        Some(Act { method: Method::POST, path: path.to_owned(), body, goes_on })
    };
    match failpoint {
        Failpoint::IngestCommitted
        | Failpoint::EvaluateClaimed
        | Failpoint::EvaluateRead
        | Failpoint::EvaluateCommitted
        | Failpoint::DeliverClaimed
        | Failpoint::DeliverSent
        | Failpoint::DeliverRecorded => unreachable!("on the way of an event"),
        Failpoint::DecideClaimed | Failpoint::DecideCommitted => {
            let everybody = json!([{"type": "SCORE_LTE", "category": "ANY", "threshold": 100}]);
            let rule = json!({"name": "Everybody", "type": "NEUTRAL", "conditions": everybody});
            post("/badge-rules", rule, true)
        }
        Failpoint::ErasureBegun => {
            let path = "/identities/ada".to_owned();
            Some(Act { method: Method::DELETE, path, body: Value::Null, goes_on: true })
        }
        Failpoint::BulkChanged => {
            post("/escalations/bulk-changes", json!({"filter": {}, "status": "CLOSED"}), true)
        }
        Failpoint::CounterStepped => post(
            "/counters",
            json!({"name": "Events", "function": "COUNT", "per": "identity.id", "windowSeconds": 2_592_000}),
            true,
        ),
        Failpoint::LabelGiven => post("/identities/ada/actions/label", json!({"outcome": "BAD"}), true),
        Failpoint::ReplayQueued => post(
            "/channels/1/actions/replay",
            json!({"from": "2026-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}),
            false,
        ),
        Failpoint::RescoreStepped => post(
            "/mappings",
            json!({"kind": "IDENTITY_FIELD", "source": "codename", "target": "FULL_NAME"}),
            true,
        ),
        Failpoint::ResendQueued => {
            post(&format!("/deliveries/{}/actions/resend", delivery["id"]), json!({}), true)
        }
        Failpoint::RetentionRemoved => None,
        Failpoint::ReviewClaimed | Failpoint::ReviewRequested => {
            post("/identities/ada/actions/review", json!({}), true)
        }
        Failpoint::SecretRotated => post("/channels/1/actions/rotate-secret", json!({}), true),
    }
}

/// Whether it is done.
async fn is_done(failpoint: Failpoint, site: &Site, store: &Store, receiver: &Receiver) -> bool {
    let get = async |path: &str| {
        let request = Client::new().get(format!("http://{}/api{path}", site.address)).bearer_auth(SECRET_KEY);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let badges = async || get("/identities/ada").await["badges"].to_string();
    match failpoint {
        Failpoint::DecideClaimed | Failpoint::DecideCommitted => badges().await.contains("everybody"),
        Failpoint::ErasureBegun => {
            let unfinished = store.read(erasure::unfinished).await.unwrap();
            unfinished.is_empty() && get("/identities/ada").await["code"] == "identity_not_found"
        }
        Failpoint::BulkChanged => {
            let change = get("/escalations/bulk-changes").await[0].clone();
            (&change["state"], &change["changed"]) == (&json!("FINISHED"), &json!(1))
        }
        Failpoint::CounterStepped => {
            let counter = get("/counters").await["content"][0].clone();
            let value = get(&format!("/counters/{}/value?identity=ada", counter["id"])).await;
            counter["status"] == "READY" && value["value"] == 1.0
        }
        Failpoint::LabelGiven => badges().await.contains("confirmed-bad"),
        Failpoint::ReplayQueued | Failpoint::ResendQueued => receiver.requests().len() > 1,
        Failpoint::RescoreStepped => get("/identities/ada").await["displayName"] == "The Countess",
        Failpoint::RetentionRemoved => get("/events/e1").await["code"] == "event_not_found",
        Failpoint::ReviewClaimed | Failpoint::ReviewRequested => {
            get("/identities/ada/reviews").await[0]["status"] == "FINISHED"
        }
        Failpoint::SecretRotated => {
            let secrets =
                |tx: &mut Tx| tx.get("select count(*) from channel_secrets", &[], |row| row.get::<i64>(0));
            store.read(secrets).await.unwrap() == 2
        }
        _ => unreachable!("on the way of an event"),
    }
}

/// Ends the leases of everything else than cycles and deliveries, as a minute would.
async fn end_other_leases(store: &Store) {
    let end = |tx: &mut Tx| {
        tx.batch(
            "update reviews set due_at = 0 where due_at is not null;
             update identities set decide_at = 0 where decide_at is not null",
        )
    };
    store.write(end).await.unwrap();
}

async fn what_is_asked_for_is_done_though_the_server_is_killed_on_its_way(engine: Engine) {
    let others = Failpoint::ALL.iter().filter(|failpoint| !Failpoint::PATH.contains(failpoint));
    join_all(others.map(|failpoint| is_done_though_killed(engine, *failpoint))).await;
}

async fn is_done_though_killed(engine: Engine, failpoint: Failpoint) {
    let name = failpoint.name();
    let site = Site::new(engine);
    let receiver = Receiver::answering(traffic::OK).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    let store = site.open_store();
    // Nothing is decided before it is asked for.
    for path in ["/badge-rules", "/escalation-rules"] {
        let rules = call(site.address, Method::GET, path, Value::Null).await;
        for rule in rules["content"].as_array().unwrap() {
            call(site.address, Method::DELETE, &format!("{path}/{}", rule["id"]), Value::Null).await;
        }
    }
    let channel = create_channel(&site, "App", &receiver, &ALL_EVENTS[..1]).await;
    let mut first = event("e1", "ada");
    first["identity"]["data"] = json!({"codename": "The Countess", "email": "ada@posteo.de"});
    call(site.address, Method::POST, "/events", first).await;
    quiet(&store, QUIET_PATIENCE).await;
    eventually("the rules to be gone for everybody", async || {
        let open = |tx: &mut Tx| {
            let sql = "select count(*) from identities where decide_at is not null";
            Ok(settings::with_prefix(tx, "rescore:")?.is_empty()
                && tx.get(sql, &[], |row| row.get::<i64>(0))? == 0)
        };
        store.read(open).await.unwrap().then_some(())
    })
    .await;
    if failpoint == Failpoint::BulkChanged {
        let everybody = json!([{"type": "SCORE_LTE", "category": "ANY", "threshold": 100}]);
        let rule = json!({"name": "Everybody", "severity": "INFO", "conditions": everybody});
        call(site.address, Method::POST, "/escalation-rules", rule).await;
        eventually("the escalation", async || {
            let open = call(site.address, Method::GET, "/escalations", Value::Null).await;
            (open["totalElements"] == 1).then_some(())
        })
        .await;
        quiet(&store, QUIET_PATIENCE).await;
    }
    let delivery =
        call(site.address, Method::GET, "/channels/1/deliveries", Value::Null).await["content"][0].clone();
    server.kill();
    let make_due = async || {
        if failpoint == Failpoint::RetentionRemoved {
            age(&site).await;
        }
    };
    make_due().await;

    let act = act(failpoint, &delivery);
    let ask = async |act: &Act| {
        let url = format!("http://{}/api{}", site.address, act.path);
        let request = Client::new().request(act.method.clone(), url).bearer_auth(SECRET_KEY).json(&act.body);
        // The process may end before it answers.
        request.send().await.map(|answer| answer.status())
    };
    let mut server = site.start(Some(&format!("{name}:1")), &SETTINGS);
    if let Some(act) = &act
        && server.is_ready().await
        && let Ok(status) = ask(act).await
    {
        assert!(status.is_success(), "{name}: {status}");
    }
    let status = server.end(Duration::from_secs(60)).await;
    assert_eq!(
        status.and_then(|status| status.signal()),
        Some(SIGABRT),
        "{name} was not reached: {}",
        server.log()
    );

    end_leases(&site, engine).await;
    end_other_leases(&store).await;
    make_due().await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    if let Some(act) = act.filter(|act| !act.goes_on) {
        assert!(ask(&act).await.unwrap().is_success(), "{name}, again");
    }
    eventually(&format!("what leads to {name} to be done"), async || {
        is_done(failpoint, &site, &store, &receiver).await.then_some(())
    })
    .await;
    quiet(&store, QUIET_PATIENCE).await;
    server.kill();
    // What was told of those who are gone is gone with them.
    if !matches!(failpoint, Failpoint::ErasureBegun | Failpoint::RetentionRemoved) {
        let found = outcome::read(&store, &[channel], &[&receiver]).await;
        assert_eq!(found.complaints(), Vec::<String>::new(), "{name}");
    }
}
