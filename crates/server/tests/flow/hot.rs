//! Somebody who has far more than a fair share: one identity, one address, one channel. Others do not pay for it.

use std::time::Duration;

use dregs_server::store::{Tx, tally};
use serde_json::json;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{TestServer, eventually};

on_both_engines!(
    however_many_events_an_identity_has_it_is_scored_once_in_a_while,
    a_newcomer_at_a_crowded_address_costs_what_one_at_a_less_crowded_costs,
    a_channel_whose_endpoint_is_slow_holds_up_no_other,
);

async fn scored(server: &TestServer) {
    let waits = |tx: &mut Tx| {
        tx.get("select count(*) from identities where evaluate_at is not null", &[], |row| row.get::<i64>(0))
    };
    eventually("everybody to be scored", async || {
        (server.app.store.read(waits).await.unwrap() == 0).then_some(())
    })
    .await;
}

async fn however_many_events_an_identity_has_it_is_scored_once_in_a_while(engine: Engine) {
    let server = TestServer::start_with(engine, |config| config.min_cycle_ms = 2_000).await;
    let begun = tokio::time::Instant::now();
    for n in 0..200 {
        server.track(&format!("hot-{n}"), "hot").await;
        if n % 10 == 0 {
            server.track(&format!("other-{n}"), &format!("other-{n}")).await;
        }
    }
    scored(&server).await;
    let turns = begun.elapsed().as_millis() / 2_000 + 2;
    let cycles = |tx: &mut Tx| {
        let sql = "select i.external_id, count(*) from analyses a
            join identities i on i.shard = a.shard and i.id = a.identity_id group by i.external_id";
        tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))
    };
    let cycles = server.app.store.read(cycles).await.unwrap();
    let of_hot = cycles.iter().find(|(name, _)| name == "hot").unwrap().1;
    assert!(u128::try_from(of_hot).unwrap() <= turns, "{of_hot} cycles in {:?}", begun.elapsed());
    assert_eq!(cycles.len(), 21, "all others are scored as well");
}

async fn a_newcomer_at_a_crowded_address_costs_what_one_at_a_less_crowded_costs(engine: Engine) {
    let server = TestServer::start(engine).await;
    tally::begin();
    let arrive = async |from: usize, to: usize| {
        for n in from..to {
            let identity =
                json!({"id": format!("user-{n}"), "data": {"email": format!("user.{n}@fastmail.com")}});
            server
                .post("/api/events", json!({"type": "user.login", "identity": identity, "ip": "203.0.113.7"}))
                .await;
        }
        scored(&server).await;
        // What an address has in common with others is looked for among keys.
        let counts = tally::take();
        let of_keys = counts.iter().filter(|(sql, _)| sql.contains("identity_keys"));
        of_keys.map(|(_, count)| count.rows).sum::<u64>()
    };
    arrive(0, 80).await;
    let of_fewer = arrive(80, 120).await;
    arrive(120, 360).await;
    let of_more = arrive(360, 400).await;
    assert!(of_fewer > 0);
    assert!(of_more * 10 <= of_fewer * 13, "{of_fewer} rows for forty after 80, {of_more} after 360");
}

async fn a_channel_whose_endpoint_is_slow_holds_up_no_other(engine: Engine) {
    let server = TestServer::start(engine).await;
    let slow = Receiver::start(|mut conversation| async move {
        while conversation.read_request().await.is_some() {
            tokio::time::sleep(Duration::from_secs(2)).await;
            conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let quick = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    server.channel("Slow", json!({"url": slow.url(), "maxConcurrency": 1})).await;
    let (quick_id, _) = server.channel("Quick", json!({"url": quick.url()})).await;
    let begun = tokio::time::Instant::now();
    for n in 0..60 {
        server.track(&format!("e{n}"), &format!("user-{n}")).await;
    }
    server.wait_for_deliveries(quick_id, "DELIVERED", 60).await;
    let turns = begun.elapsed().as_secs() / 2 + 1;
    assert!(slow.requests().len() as u64 <= turns, "one after the other");
    assert!(turns < 60, "{:?}", begun.elapsed());
}
