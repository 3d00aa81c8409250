//! What is kept in memory of the store: read again when it has changed, by whatever process, and not otherwise.

use std::sync::Arc;

use dregs_core::badge::BadgeType;
use dregs_core::mapping::MappingKind;
use dregs_core::rules::{BadgeRule, Condition, Which};
use dregs_core::time::Timestamp;
use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::rules::{self, Kept};
use dregs_server::store::{Location, Store, Tx, datasets, identities, mappings};
use reqwest::Method;

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{SECRET_KEY, TestServer, event, eventually};

on_both_engines!(
    what_has_not_changed_is_not_read_again_and_what_has_is,
    rules_that_another_node_has_changed_are_in_force_before_anybody_is_decided_on,
);

/// Another node; of SQLite, a command.
async fn another(server: &TestServer) -> (Store, i64) {
    let location: Location = server.app.store.location().clone();
    let open =
        tokio::task::spawn_blocking(move || Store::open(&location, Timestamp::from_millis(0)).unwrap());
    let key = server.app.kept.credentials.find(&server.app.store, SECRET_KEY).await.unwrap().unwrap();
    (open.await.unwrap(), key.team_id)
}

async fn rules_that_another_node_has_changed_are_in_force_before_anybody_is_decided_on(engine: Engine) {
    let server = TestServer::start(engine).await;
    let (other, team) = another(&server).await;
    server.post("/api/events", event("signup", "ada")).await;
    eventually("the scores", async || {
        let (_, ada) = server.call(Method::GET, "/api/identities/ada", None).await;
        ada["authenticityScore"].as_u64()
    })
    .await;
    // The rule is far older than what this node reads again once a second, and whoever it concerns is asked at once.
    for n in 0..5 {
        let rule = BadgeRule {
            id: 0,
            revision: 1,
            name: format!("Rule {n}"),
            slug: format!("rule-{n}"),
            badge_type: BadgeType::Neutral,
            priority: 0,
            conditions: vec![Condition::ScoreGte { category: Which::Authenticity, threshold: 1 }],
            apply_delay_seconds: 0,
            remove_delay_seconds: 0,
            adds_to_lists: Vec::new(),
        };
        let now = SystemClock.now();
        let add = move |tx: &mut Tx| {
            rules::insert_badge(
                tx,
                &Kept {
                    team_id: team,
                    version: 1,
                    enabled: true,
                    rule: rule.clone(),
                    created_at: now,
                    updated_at: now,
                },
            )?;
            identities::ask_rules(tx, team, 0, 10, now)
        };
        other.write(add).await.unwrap();
        eventually("the badge", async || {
            let ada = server.get("/api/identities/ada").await;
            ada["badges"].as_array()?.iter().any(|badge| badge["slug"] == format!("rule-{n}")).then_some(())
        })
        .await;
    }
}

async fn what_has_not_changed_is_not_read_again_and_what_has_is(engine: Engine) {
    let server = TestServer::start(engine).await;
    let app = &server.app;
    let (other, team) = another(&server).await;
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
    let before = app.kept.datasets.current();
    other.write(move |tx| many.iter().try_for_each(|one| datasets::insert(tx, one).map(drop))).await.unwrap();
    eventually("the entries", async || (!Arc::ptr_eq(&before, &app.kept.datasets.current())).then_some(()))
        .await;

    // Each of these is seen by a later look than the one before, and none of them reads the entries.
    let kept = app.kept.datasets.current();
    let rules = app.kept.rules.current();
    for n in 0..3 {
        let before = app.kept.mappings.current();
        let source = format!("cart.{n}");
        let insert = move |tx: &mut dregs_server::store::Tx| {
            mappings::insert(tx, team, MappingKind::EventType, &source, Some("PURCHASE"), now)
        };
        other.write(insert).await.unwrap();
        eventually("a mapping", async || (!Arc::ptr_eq(&before, &app.kept.mappings.current())).then_some(()))
            .await;
    }
    assert!(Arc::ptr_eq(&kept, &app.kept.datasets.current()), "the entries were read again");
    assert!(Arc::ptr_eq(&rules, &app.kept.rules.current()), "the rules were read again");
}
