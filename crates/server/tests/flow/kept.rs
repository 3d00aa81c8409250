//! What is kept in memory of the store: read again when it has changed, by whatever process, and not otherwise.

use std::sync::Arc;

use dregs_core::mapping::MappingKind;
use dregs_core::time::Timestamp;
use dregs_server::store::{Location, Store, datasets, mappings};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, eventually};

on_both_engines!(what_has_not_changed_is_not_read_again_and_what_has_is);

async fn what_has_not_changed_is_not_read_again_and_what_has_is(engine: Engine) {
    let server = TestServer::start(engine).await;
    let app = &server.app;
    let team =
        app.credentials.find(&app.store, crate::support::server::SECRET_KEY).await.unwrap().unwrap().team_id;
    // Another node; of SQLite, a command.
    let location: Location = app.store.location().clone();
    let other =
        tokio::task::spawn_blocking(move || Store::open(&location, Timestamp::from_millis(0)).unwrap());
    let other = other.await.unwrap();
    let now = Timestamp::from_millis(1);
    let entry = move |value: &str| datasets::Entry {
        id: 0,
        team_id: team,
        dataset: "relay".into(),
        value: value.into(),
        included: true,
        note: None,
        created_at: now,
    };
    let many: Vec<_> = (0..500).map(|n| entry(&format!("relay{n}.example"))).collect();
    let before = app.datasets.current();
    other.write(move |tx| many.iter().try_for_each(|one| datasets::insert(tx, one).map(drop))).await.unwrap();
    eventually("the entries", async || (!Arc::ptr_eq(&before, &app.datasets.current())).then_some(())).await;

    // Each of these is seen by a later look than the one before, and none of them reads the entries.
    let kept = app.datasets.current();
    let rules = app.rules.current();
    for n in 0..3 {
        let before = app.mappings.current();
        let source = format!("cart.{n}");
        let insert = move |tx: &mut dregs_server::store::Tx| {
            mappings::insert(tx, team, MappingKind::EventType, &source, Some("PURCHASE"), now)
        };
        other.write(insert).await.unwrap();
        eventually("a mapping", async || (!Arc::ptr_eq(&before, &app.mappings.current())).then_some(()))
            .await;
    }
    assert!(Arc::ptr_eq(&kept, &app.datasets.current()), "the entries were read again");
    assert!(Arc::ptr_eq(&rules, &app.rules.current()), "the rules were read again");
}
