//! The fold, run again from the stored events, gives the stored state.

use dregs_core::state::IdentityState;
use dregs_server::ops::ingest::refold;
use dregs_server::store::identities;
use dregs_server::values;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::TestServer;

on_both_engines!(the_fold_from_zero_rebuilds_the_stored_state, a_state_that_cannot_be_read_is_folded_again,);

/// A lively past: devices, addresses, sessions, names and pauses of every length, some out of order.
fn event(number: i64, user: &str) -> Value {
    let day = 1 + number % 28;
    let hour = (number * 7) % 24;
    json!({
        "id": format!("{user}-{number}"),
        "type": format!("event.{}", number % 90),
        "timestamp": format!("2026-06-{day:02}T{hour:02}:00:00.{:03}Z", number % 1_000),
        "identity": {"id": user, "data": {"email": format!("{user}@example.com"), "visits": number}},
        "device": {"fingerprint": format!("device-{}", number % 40)},
        "session": format!("session-{}", number / 3),
        "ip": format!("198.51.100.{}", number % 200),
        "userAgent": format!("Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101", 100 + number % 30),
        "data": {"amount": number as f64 / 7.0},
    })
}

/// The stored state of a user, and the one that its events give.
async fn states(server: &TestServer, user: &'static str) -> (Option<IdentityState>, IdentityState) {
    let read = server.app.store.read(move |tx| {
        let row = identities::tracked(tx, 1, user)?.unwrap();
        Ok((IdentityState::decode(&row.state), refold::from_events(tx, row.id)?))
    });
    read.await.unwrap()
}

async fn the_fold_from_zero_rebuilds_the_stored_state(engine: Engine) {
    let server = TestServer::start(engine).await;
    // More than a page of the refold, in batches of several users and one by one, some repeated.
    for batch in 0..8 {
        let numbers = batch * 80..batch * 80 + 90;
        let events: Vec<_> = numbers.flat_map(|n| ["ada", "bob"].map(|user| event(n, user))).collect();
        server.post("/api/events/batch", json!(events)).await;
    }
    for number in 640..655 {
        server.post("/api/events", event(number, "ada")).await;
    }
    for (user, count) in [("ada", 655), ("bob", 650)] {
        let (stored, folded) = states(&server, user).await;
        assert_eq!(folded.event_count(), count);
        assert_eq!(stored, Some(folded.clone()));
        assert_eq!(IdentityState::decode(&folded.encode()), Some(folded));
    }
}

async fn a_state_that_cannot_be_read_is_folded_again(engine: Engine) {
    let server = TestServer::start(engine).await;
    for number in 0..3 {
        server.post("/api/events", event(number, "ada")).await;
    }
    let (_, before) = states(&server, "ada").await;
    let of_another_version = server.app.store.write(|tx| {
        let unreadable: &[u8] = b"\xff of another version";
        tx.execute("update identities set state = $1", &values![unreadable])
    });
    assert_eq!(of_another_version.await.unwrap(), 1);
    assert_eq!(states(&server, "ada").await, (None, before));

    server.post("/api/events", event(3, "ada")).await;
    let (stored, folded) = states(&server, "ada").await;
    assert_eq!((folded.event_count(), stored), (4, Some(folded)));
}
