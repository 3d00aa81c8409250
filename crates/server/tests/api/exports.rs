//! Exports of people who have much, and who does not wait for them.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dregs_server::store::users::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{session, team};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer};

const PATIENCE: Duration = Duration::from_secs(20);
/// More than two pages of either.
const DEVICES: usize = 1_100;
const GROUPS: usize = 1_050;

#[tokio::test]
async fn an_export_has_every_device_and_every_group() {
    let server = TestServer::start(Engine::Sqlite).await;
    let event = |n: usize| {
        let groups: Vec<_> =
            [n].into_iter().filter(|n| *n < GROUPS).map(|n| json!({"id": format!("g{n}")})).collect();
        json!({"type": "t", "identity": {"id": "ada"}, "device": {"fingerprint": format!("f{n}")}, "groups": groups})
    };
    for begin in [0, 1_000] {
        let end = DEVICES.min(begin + 1_000);
        server.post("/api/events/batch", json!((begin..end).map(event).collect::<Vec<_>>())).await;
    }
    let export = server.get("/api/identities/ada/export").await;
    let ids = |list: &str, field: &str| {
        let mut ids: Vec<_> = export[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[field].as_str().unwrap()[1..].parse::<usize>().unwrap())
            .collect();
        ids.sort_unstable();
        ids
    };
    assert!(ids("devices", "fingerprint").into_iter().eq(0..DEVICES));
    assert!(ids("groups", "id").into_iter().eq(0..GROUPS));
    assert_eq!(export["events"].as_array().map(Vec::len), Some(DEVICES));
    let page = server.get("/api/devices?identity=ada&pageSize=100&pageNumber=10").await;
    assert_eq!(
        (page["content"].as_array().map(Vec::len), &page["totalElements"]),
        (Some(100), &json!(DEVICES))
    );
}

#[tokio::test]
async fn nobody_waits_for_the_exports_of_others() {
    let server = TestServer::start(Engine::Sqlite).await;
    let viewer = session(&server.app, team(&server.app).await, Role::Viewer).await;
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let mut exports = Vec::new();
    for _ in 0..8 {
        let (app, held) = (Arc::clone(&server.app), Arc::clone(&held));
        // A page that takes as long as it is let.
        exports.push(tokio::spawn(async move {
            app.long_reads.read(move |_| Ok(held.lock().unwrap().recv().is_err())).await.unwrap()
        }));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for path in ["/api/auth/me", "/api/identities", "/api/devices", "/api/events"] {
        let asked = answer(server.request(Method::GET, path).bearer_auth(&viewer));
        let (status, said): (_, Value) =
            timeout(PATIENCE, asked).await.expect("an answer while exports wait");
        assert_eq!(status, 200, "{path}: {said}");
    }
    drop(release);
    for export in exports {
        assert!(timeout(PATIENCE, export).await.expect("the export goes on").unwrap());
    }
}
