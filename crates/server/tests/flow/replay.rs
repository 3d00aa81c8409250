//! A history replayed in memory leads to the scores that the server has given.

use dregs_core::event::{Limits, Origin, read};
use dregs_core::score::{Observation, Weights};
use dregs_core::time::Timestamp;
use dregs_core::world::World;
use dregs_server::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, eventually};

on_both_engines!(a_replayed_history_leads_to_the_same_scores);

/// 2026-10-01T08:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_790_841_600_000);

/// A family, a ring that signs up in minutes, namesakes, a changed name, a script; a class on one model of a
/// device, colleagues at one desk.
fn history() -> Vec<Value> {
    let at = |minute: i64| START.plus_millis(minute * 60_000).to_string();
    let mut events = Vec::new();
    for n in 0..6_i64 {
        events.push(json!({
            "type": "signup", "timestamp": at(100 + n * 3), "ip": "203.0.113.7", "session": "s-1",
            "identity": {"id": format!("ring-{n}"), "data": {"email": format!("jo.doe+{n}@gmail.com"), "name": "Jo Doe"}},
            "device": {"fingerprint": "ring"}, "userAgent": "python-requests/2.31",
        }));
        events.push(json!({
            "type": "signup", "timestamp": at(n * 3_000), "ip": "198.51.100.9",
            "identity": {"id": format!("family-{n}"), "data": {"email": format!("{}.weber@web.de", ["anna", "ben", "cleo", "dan", "eva", "finn"][n as usize])}},
            "device": {"fingerprint": "tablet"},
        }));
        events.push(json!({
            "type": "purchase", "timestamp": at(n * 3_000 + 200), "ip": format!("198.51.100.{n}"),
            "identity": {"id": format!("family-{n}"), "data": {"name": format!("Weber Nr. {n}")}},
        }));
    }
    for (n, (name, address)) in
        [("Rupert Maier", "12 Mill Lane, Bern 3012"), ("Maier, Rupprt", "Mill Ln 12, 3012 Bern")]
            .iter()
            .enumerate()
    {
        events.push(json!({
            "type": "signup", "timestamp": at(20_000 + n as i64 * 900), "ip": format!("192.0.2.{n}"),
            "identity": {"id": format!("twice-{n}"), "data": {"name": name, "dob": "1990-04-17", "address": address}},
        }));
    }
    for n in 0..10_i64 {
        for act in 0..6 {
            let at = START.plus_millis(30_000 * 60_000 + n * 20_000 + act * (61_000 + n * 700 + act * 3_000));
            events.push(json!({
                "type": if act == 0 { "signup" } else { "task.opened" }, "timestamp": at.to_string(),
                "ip": "203.0.113.80", "session": format!("class-{n}"), "device": {"fingerprint": "model"},
                "identity": {"id": format!("pupil-{n}"), "data": {"email": format!("pupil{}@posteo.de", ["abel", "bo", "cy", "dee", "eli", "fay", "gus", "hal", "ivy", "jan"][n as usize])}},
            }));
        }
    }
    for n in 0..4_i64 {
        let name = ["Anna Keller", "Ben Brandt", "Carla Novak", "David Fischer"][n as usize];
        let email = format!("{}@praxis-sommer.de", name.to_lowercase().replace(' ', "."));
        events.push(json!({
            "type": "signup", "timestamp": at(40_000 + n * 7), "ip": "203.0.113.90", "session": "desk",
            "identity": {"id": format!("desk-{n}"), "data": {"name": name, "email": email}},
            "device": {"fingerprint": "desk"},
        }));
    }
    events.sort_by_key(|event| event["timestamp"].to_string());
    for (n, event) in events.iter_mut().enumerate() {
        event["id"] = json!(format!("e{n}"));
    }
    events
}

async fn a_replayed_history_leads_to_the_same_scores(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 1).await;
    let mut world = World::default();
    let mut users = std::collections::BTreeSet::new();
    for body in history() {
        let text = body.to_string();
        let event = read(
            text.as_bytes(),
            &Origin::UNSEEN_BACKEND,
            SystemClock.now(),
            Limits::default(),
            &mut String::new,
        )
        .unwrap();
        world.take(&event.event);
        users.insert(body["identity"]["id"].as_str().unwrap().to_owned());
        server.post("/api/events", body).await;
    }
    // What came later says something of those who were scored before.
    for user in &users {
        let path = format!("/api/identities/{user}/actions/analyze");
        assert_eq!(server.call(reqwest::Method::POST, &path, None).await.0, 202);
    }
    for user in users {
        let mut expected = world.analyze(&user, &Weights::default()).unwrap().observations;
        expected.sort_by(|one, other| one.id.cmp(&other.id));
        eventually(&format!("{user} to be scored like {expected:#?}"), async || {
            let analysis = server.analysis(&user).await;
            let of_categories = analysis["scores"].as_array()?.iter();
            let mut found: Vec<Observation> = of_categories
                .flat_map(|score| score["observations"].as_array().unwrap())
                .map(|observation| serde_json::from_value(observation.clone()).unwrap())
                .collect();
            found.sort_by(|one, other| one.id.cmp(&other.id));
            (found == expected).then_some(())
        })
        .await;
    }
}
