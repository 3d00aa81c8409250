//! What those who watch are told of.

use std::collections::BTreeSet;

use dregs_core::notify::message::EventType;
use dregs_core::shard::SHARDS;
use dregs_server::store::audit_log::{self, NewEntry};
use dregs_server::store::groups::KnownGroup;
use dregs_server::store::live::{self, Added, Source};
use dregs_server::store::rosters::Kind;
use dregs_server::store::{Tx, deliveries, erasure, groups, notifications};

use super::deliveries::{Channels, of_cycle};
use super::{Ground, HASHER, at, set, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    what_is_added_is_found_by_source,
    what_was_touched_belongs_to_teams,
    what_waits_has_a_number
);

const NOBODY: Added = Added { number: 0, team_id: Some(1), identity_id: None, is_of_escalation: false };

async fn what_is_added_is_found_by_source(engine: Engine) {
    let ground = Ground::new(engine);
    let fill = |tx: &mut Tx| {
        for event in
            [EventType::EscalationOpened, EventType::IdentityBadgesChanged, EventType::EscalationClosed]
        {
            notifications::insert_about(tx, 1, event, (7, 1), at(5), "{}")?;
        }
        for target_type in ["escalation", "channel"] {
            let new = NewEntry {
                team_id: 1,
                at: at(5),
                actor_type: "SYSTEM",
                actor_id: None,
                actor: "server",
                mcp_token: None,
                address: None,
                action: "test",
                target_type,
                target_id: "1",
                before: None,
                after: None,
            };
            audit_log::insert(tx, &new)?;
        }
        Ok(())
    };
    ground.write(fill).await;
    let told = |number, is_of_escalation| Added { number, identity_id: Some(7), is_of_escalation, ..NOBODY };
    let source = Source::Notifications;
    let found = ground
        .read(move |tx| {
            let (first, rest) = (live::after(tx, source, 0, 1)?, live::after(tx, source, 1, 9)?);
            Ok((live::last(tx, source)?, first, rest, live::numbered(tx, source, &[2, 99])?))
        })
        .await;
    let expected = (3, vec![told(1, true)], vec![told(2, false), told(3, true)], vec![told(2, false)]);
    assert_eq!(found, expected);
    let entries = ground.read(|tx| live::after(tx, Source::AuditLog, 0, 9)).await;
    assert_eq!(
        entries,
        [Added { number: 1, is_of_escalation: true, ..NOBODY }, Added { number: 2, ..NOBODY }]
    );
    let empty =
        ground.read(|tx| Ok((live::last(tx, Source::Events)?, live::after(tx, Source::Events, 0, 9)?)));
    assert_eq!(empty.await, (0, Vec::new()));
}

async fn what_was_touched_belongs_to_teams(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let group = KnownGroup {
        shard: HASHER.shard(3, &["team", "t1"]),
        team_id: 3,
        group_type: "team".into(),
        external_id: "t1".into(),
        display_name: None,
        data: "{}".into(),
    };
    let bob = ids[1];
    let fill = move |tx: &mut Tx| {
        erasure::begin(tx, 1, bob, at(9))?;
        Ok(groups::upsert(tx, std::slice::from_ref(&group), at(10))?.remove(0).3)
    };
    let group = ground.write(fill).await;
    let found = ground
        .read(move |tx| {
            let teams = live::teams(tx, Kind::Groups, &BTreeSet::from([group, 99]))?;
            let devices = live::teams(tx, Kind::Devices, &BTreeSet::from([group]))?;
            Ok((live::identities(tx, &[ids[0], ids[1], 99])?, teams, devices))
        })
        .await;
    assert_eq!(sorted(found.0), [(1, None), (1, Some("ada".to_owned()))]);
    assert_eq!((found.1, found.2), (set([3]), set([])));
}

async fn what_waits_has_a_number(engine: Engine) {
    let Channels { ground, team, first, second } = Channels::new(engine).await;
    let rows = vec![of_cycle(first, 1, 10), of_cycle(first, 2, 30), of_cycle(second, 3, 50)];
    let stored = ground.write(move |tx| deliveries::insert(tx, &rows)).await;
    let id = stored.iter().map(|row| row.2).min().unwrap();
    let waiting = async |limit| ground.read(move |tx| live::waiting(tx, team, limit)).await;
    assert_eq!(waiting(9).await, [(first, 40), (second, 50)]);
    assert_eq!(waiting(1).await, [(first, 10), (second, 50)]);
    ground.write(move |tx| deliveries::give_up(tx, &[id], "gone", at(60))).await;
    assert_eq!(waiting(9).await, [(first, 30), (second, 50)]);
    let new = ground.read(|tx| live::after(tx, Source::Deliveries, 0, 1)).await;
    assert_eq!(new, [Added { number: id / SHARDS, team_id: Some(team), ..NOBODY }]);
    assert_eq!(ground.read(|tx| live::waiting(tx, 99, 9)).await, []);
}
