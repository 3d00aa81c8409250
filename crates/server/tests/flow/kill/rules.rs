//! The places on the way of a changed rule to those it concerns: the process ends at each, and the rule takes
//! hold all the same, once.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use dregs_server::failpoint::Failpoint;
use dregs_server::store::Tx;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    ALL_EVENTS, QUIET_PATIENCE, SETTINGS, SIGABRT, call, create_channel, end_leases, quiet, traffic,
};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::process::Site;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, event};

on_both_engines!(a_changed_rule_takes_hold_though_the_server_is_killed_at_every_step);

/// Ends the lease of whoever claimed a decision, as half a minute would.
async fn end_decision_leases(site: &Site) {
    let end = |tx: &mut Tx| tx.batch("update identities set decide_at = 0 where decide_at is not null");
    site.open_store().write(end).await.unwrap();
}

async fn a_changed_rule_takes_hold_though_the_server_is_killed_at_every_step(engine: Engine) {
    let site = Site::new(engine);
    let receiver = Receiver::answering(traffic::OK).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    create_channel(&site, "App", &receiver, &ALL_EVENTS[2..]).await;
    call(site.address, Method::POST, "/events", event("e1", "ada")).await;
    let bad = call(site.address, Method::POST, "/lists", json!({"name": "Bad", "type": "IDENTITY"})).await;
    quiet(&site.open_store(), QUIET_PATIENCE).await;

    let names = [Failpoint::DecideClaimed, Failpoint::DecideCommitted].map(Failpoint::name);
    for (index, name) in names.into_iter().enumerate() {
        server.kill();
        end_decision_leases(&site).await;
        server = site.start(Some(&format!("{name}:1")), &SETTINGS);
        if index == 0 {
            assert!(server.is_ready().await);
            let low = json!({"type": "SCORE_LTE", "category": "ANY", "threshold": 100});
            let adds = json!([{"list": "bad", "what": "IDENTITY"}]);
            let rule = json!({"name": "Everybody", "severity": "INFO", "channels": ["app"], "conditions": [low],
                "addsToLists": adds});
            let url = format!("http://{}/api/escalation-rules", site.address);
            // The process may end before it answers.
            let _ = reqwest::Client::new().post(url).bearer_auth(SECRET_KEY).json(&rule).send().await;
        }
        let status = server.end(Duration::from_secs(20)).await;
        assert_eq!(status.and_then(|status| status.signal()), Some(SIGABRT), "{name} was not reached");
    }
    end_leases(&site, engine).await;
    let mut server = site.start(None, &SETTINGS);
    assert!(server.is_ready().await);
    let begun = Instant::now();
    while receiver.requests().is_empty() {
        assert!(begun.elapsed() < QUIET_PATIENCE, "nobody was told of the escalation");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    quiet(&site.open_store(), QUIET_PATIENCE).await;
    let told: Value = serde_json::from_slice(&receiver.requests()[0].body).unwrap();
    assert_eq!(
        (told["event"].as_str(), told["data"]["rule"]["name"].as_str()),
        (Some("ESCALATION_OPENED"), Some("Everybody"))
    );
    let open = call(site.address, Method::GET, "/escalations", Value::Null).await;
    assert_eq!(open["totalElements"], 1);
    let path = format!("/lists/{}/entries", bad["id"]);
    let listed = call(site.address, Method::GET, &path, Value::Null).await;
    let listed: Vec<_> = listed["content"].as_array().unwrap().iter().map(|entry| &entry["value"]).collect();
    assert_eq!(listed, ["ada"]);
}
