//! What the server is and what it is busy with.

use reqwest::Method;
use serde_json::json;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::TestServer;

on_both_engines!(the_server_says_what_it_is_and_what_waits);

async fn the_server_says_what_it_is_and_what_waits(engine: Engine) {
    let server = TestServer::start_with(engine, |config| {
        config.reviewer_url = Some("https://model.test/".to_owned());
    })
    .await;
    let (status, system) = server.call(Method::GET, "/api/system", None).await;
    assert_eq!(status, 200, "{system}");
    let bytes = system["databaseBytes"].as_i64().unwrap();
    assert!((100_000..100_000_000).contains(&bytes), "{bytes}");
    let expected = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "startedAt": system["startedAt"],
        "engine": match engine {
            Engine::Sqlite => "SQLITE",
            Engine::Postgres => "POSTGRESQL",
        },
        "databaseBytes": bytes,
        "evaluation": {"waiting": 0, "oldestDueAt": null},
        "rescoring": 0,
        "delivery": {"waiting": 0, "oldestDueAt": null},
        "geoDatabases": [],
        "mailEnabled": false,
        "integration": [],
        "reviewModel": true,
        "defaults": {"timeoutMs": server.app.config.deadline_ms, "ratePerSecond": 0},
        "reachesItself": true,
        "publicUrl": server.app.public_url,
        "nodes": [{
            "id": server.app.node.id(),
            "name": system["nodes"][0]["name"],
            "roles": ["api", "evaluate", "deliver"],
            "version": env!("CARGO_PKG_VERSION"),
            "startedAt": system["startedAt"],
            "seenAt": system["nodes"][0]["seenAt"],
        }],
        "restored": null,
    });
    assert_eq!(system, expected);
}
