//! Leases that run out while somebody still holds the work.

use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::Timestamp;
use dregs_server::clock::ManualClock;
use dregs_server::store::claims::DELIVERY_LEASE_MS;
use serde_json::json;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, eventually};

on_both_engines!(what_waits_for_a_slow_endpoint_longer_than_its_lease_is_sent_once);

async fn what_waits_for_a_slow_endpoint_longer_than_its_lease_is_sent_once(engine: Engine) {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let server = TestServer::start_at(engine, &clock).await;
    // One request at a time, each for longer than it takes to notice that a lease is over.
    let receiver = Receiver::start(|mut conversation| async move {
        while conversation.read_request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(400)).await;
            conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let (channel_id, _) = server.channel("Slow", json!({"url": receiver.url(), "maxConcurrency": 1})).await;
    for user in ["ada", "bob", "eve", "kim"] {
        server.track(user, user).await;
    }
    eventually("the first request", async || (!receiver.requests().is_empty()).then_some(())).await;
    clock.advance(DELIVERY_LEASE_MS + 1_000);

    server.wait_for_deliveries(channel_id, "DELIVERED", 4).await;
    // Whatever had been queued twice would arrive before this one.
    server.track("last", "last").await;
    server.wait_for_deliveries(channel_id, "DELIVERED", 5).await;
    let told: Vec<_> = receiver.requests().iter().map(|r| r.headers["webhook-id"].clone()).collect();
    assert_eq!(told.len(), 5, "{told:?}");
}
