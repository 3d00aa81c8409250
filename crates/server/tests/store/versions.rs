//! What says that rows kept in memory have changed.

use std::collections::HashMap;

use dregs_core::link::KeyKind;
use dregs_server::store::devices::{self, SeenDevice};
use dregs_server::store::erasure;
use dregs_server::store::links::HashedKey;
use dregs_server::store::lists;
use dregs_server::store::users;
use dregs_server::store::versions::{self, Kept};

use super::{Ground, HASHER, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    each_change_of_rows_that_are_kept_in_memory_is_counted,
    devices_count_where_they_are_disregarded_and_when_such_a_one_goes,
    lists_count_with_each_change_of_them_and_of_what_is_on_them,
    what_scoring_goes_by_is_in_force_until_it_changes,
);

/// Every statement that changes a row which some server keeps in memory, and what it changes.
const CHANGES: &[(&str, Option<Kept>)] = &[
    ("insert into teams (name, created_at) values ('x', 0)", None),
    (
        "insert into channels (team_id, type, name, slug, enabled, events, config, by_identity, created_at, updated_at)
         values ((select max(id) from teams), 'WEBHOOK', 'x', 'x', 1, 1, '{}', 0, 0, 0)",
        Some(Kept::Channels),
    ),
    ("update channels set enabled = 0", Some(Kept::Channels)),
    ("insert into channel_secrets (channel_id, secret, created_at) values ((select max(id) from channels), $1, 0)", Some(Kept::Channels)),
    ("update channel_secrets set expires_at = 1", Some(Kept::Channels)),
    ("delete from channel_secrets", Some(Kept::Channels)),
    ("delete from channels", Some(Kept::Channels)),
    ("insert into names (team_id, kind, name) values ((select max(id) from teams), 1, 'login')", Some(Kept::Names)),
    (
        "insert into mappings (team_id, kind, source, target, created_at, updated_at) values ((select max(id) from teams), 'EVENT_TYPE', 'x', null, 0, 0)",
        Some(Kept::Mappings),
    ),
    ("update mappings set updated_at = 1", Some(Kept::Mappings)),
    ("delete from mappings", Some(Kept::Mappings)),
    (
        "insert into counters (team_id, revision, slug, name, function, per, conditions, window_seconds, counts_from, ready,
           created_at, updated_at)
         values ((select max(id) from teams), 1, 'x', 'x', 'COUNT', 'ip', '[]', 60, 0, 0, 0, 0)",
        Some(Kept::Counters),
    ),
    ("update counters set ready = 1", Some(Kept::Counters)),
    ("delete from counters", Some(Kept::Counters)),
    (
        "insert into dataset_entries (team_id, dataset, value, included, created_at) values ((select max(id) from teams), 'relay', 'x', 1, 0)",
        Some(Kept::Datasets),
    ),
    ("delete from dataset_entries", Some(Kept::Datasets)),
    (
        "insert into common_values (team_id, kind, value, identities, holders, learned_at) values ((select max(id) from teams), 1, 'x', 1, 1, 0)",
        Some(Kept::Common),
    ),
    (
        "insert into credentials (team_id, name, public_key, secret_hash, allowed_origins, enabled, created_at, updated_at)
         values ((select max(id) from teams), 'x', 'pk', $1, '[]', 1, 0, 0)",
        Some(Kept::Credentials),
    ),
    ("update credentials set name = 'y'", Some(Kept::Credentials)),
    ("delete from credentials", Some(Kept::Credentials)),
    ("update badge_rules set enabled = 0", None),
    ("insert into settings (name, value) values ('x', $1)", None),
];

async fn each_change_of_rows_that_are_kept_in_memory_is_counted(engine: Engine) {
    let ground = Ground::new(engine);
    let mut before: HashMap<_, _> = ground.read(versions::all).await;
    assert_eq!(before.len(), Kept::ALL.len(), "{before:?}");
    for (sql, changed) in CHANGES {
        ground
            .write(move |tx| {
                let value = [dregs_server::store::Value::from(b"x".as_slice())];
                tx.execute(sql, if sql.contains("$1") { &value } else { &[] })
            })
            .await;
        let after = ground.read(versions::all).await;
        let grown: Vec<_> = Kept::ALL.into_iter().filter(|kept| after[kept] != before[kept]).collect();
        // On PostgreSQL a statement counts even where it found no row.
        let expected = match (engine, *sql) {
            (Engine::Postgres, "update badge_rules set enabled = 0") => vec![Kept::Rules],
            _ => changed.iter().copied().collect(),
        };
        assert_eq!(grown, expected, "{sql}");
        before = after;
    }
}

async fn devices_count_where_they_are_disregarded_and_when_such_a_one_goes(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground.identities(&["ada"]).await[0];
    let seen = SeenDevice {
        shard: HASHER.shard(1, &["fp"]),
        team_id: 1,
        fingerprint: "fp".into(),
        first_at: at(1),
        last_at: at(1),
        ip: None,
        user_agent: None,
    };
    let device = ground.write(move |tx| devices::upsert(tx, std::slice::from_ref(&seen))).await[0].2;
    let version = async || ground.read(versions::all).await[&Kept::Devices];
    assert_eq!(version().await, 0, "seen");
    for (disregarded, expected) in [(false, 0), (true, 1), (true, 1), (false, 2), (true, 3)] {
        ground.write(move |tx| devices::disregard(tx, device, disregarded)).await;
        assert_eq!(version().await, expected, "{disregarded}");
    }
    let key = HashedKey { team_id: 1, kind: KeyKind::Device as i64, hash: 7 };
    let removed = ground.write(move |tx| erasure::remove_device(tx, key, "fp", ada)).await;
    assert_eq!((removed, version().await), (Some(device), 4));
}

async fn lists_count_with_each_change_of_them_and_of_what_is_on_them(engine: Engine) {
    let ground = Ground::new(engine);
    ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    let version = async || ground.read(versions::all).await[&Kept::Lists];
    assert_eq!(version().await, 0);
    let new = super::team_lists::new("a");
    let id = ground.write(move |tx| lists::insert(tx, &new)).await;
    assert_eq!(version().await, 1);
    ground.write(move |tx| lists::next_revision(tx, 1, id, at(2))).await;
    assert_eq!(version().await, 2);
    ground.write(move |tx| lists::delete(tx, 1, id, at(3))).await;
    assert_eq!(version().await, 3);
}

async fn what_scoring_goes_by_is_in_force_until_it_changes(engine: Engine) {
    let ground = Ground::new(engine);
    let seen = ground.read(versions::all).await;
    let is_in_force = async || {
        let seen = seen.clone();
        ground.write(move |tx| versions::hold(tx, &seen)).await
    };
    let change = async |name: &'static str| {
        let sql = format!("update versions set version = version + 1 where name = '{name}'");
        ground.write(move |tx| tx.execute(&sql, &[])).await
    };
    assert!(is_in_force().await);
    change("channels").await;
    assert!(is_in_force().await, "scores do not go by channels");
    change("rules").await;
    assert!(!is_in_force().await);
    let seen = ground.read(versions::all).await;
    change("lists").await;
    assert!(!ground.write(move |tx| versions::hold(tx, &seen)).await, "scores go by lists");
}
