//! Where addresses are, by databases that the operator supplies.

use std::path::Path;

use serde_json::json;

use crate::support::engine::Engine;
use crate::support::server::{TestServer, eventually};

#[tokio::test]
async fn a_journey_nobody_can_make_is_seen_with_the_operators_database() {
    let server = TestServer::start_with(Engine::Sqlite, |config| {
        let file = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        config.geo_databases = vec![file("city.mmdb"), file("asn.mmdb")];
    })
    .await;
    for (n, (hour, ip)) in
        [("08", "203.0.113.7"), ("09", "203.0.113.7"), ("10", "198.51.100.4")].iter().enumerate()
    {
        let login = json!({
            "id": format!("e{n}"), "type": "login", "timestamp": format!("2026-11-01T{hour}:00:00Z"), "ip": ip,
            "identity": {"id": "ada"}, "device": {"fingerprint": "f"},
        });
        server.post("/api/events", login).await;
    }
    let words = "It went 5204 km in 60.0 min; nobody travels that fast.";
    eventually(words, async || {
        let analysis = server.analysis("ada").await;
        analysis.to_string().contains(words).then_some(())
    })
    .await;
}
