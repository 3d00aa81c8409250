//! What lists find: the same as a look at everything.

use std::collections::BTreeSet;

use dregs_core::event::{Event, Limits, Origin, read};
use dregs_core::link::{KeyKind, LinkKey};
use dregs_core::shard;
use dregs_server::store::changes::{self, Touched};
use dregs_server::store::devices::{Device, SeenDevice};
use dregs_server::store::event_lists::{self, Filter};
use dregs_server::store::events::{self, NewEvent};
use dregs_server::store::groups::{Group, KnownGroup};
use dregs_server::store::links::{self, HashedKey};
use dregs_server::store::names::{self, Name, NameKind};
use dregs_server::store::rosters::{self, Entry, Kind};
use dregs_server::store::{audit_log, codec, devices, groups, identities, usage};

use super::{Ground, HASHER, at, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_filter_finds_what_a_look_at_every_event_finds,
    names_keep_their_numbers,
    the_change_log_tells_what_was_touched,
    groups_are_read_changed_and_left,
    devices_are_read_and_disregarded,
    rosters_have_what_lists_are_sorted_by,
    events_are_counted_by_the_hour,
    who_did_what_is_written_down,
);

/// Enough for every combination to match something.
const EVENTS: i64 = 400;

/// An event, and what its row says.
struct Row {
    id: i64,
    timestamp: i64,
    identity_id: Option<i64>,
    name_id: i64,
    device_id: i64,
    session: i64,
    groups: Vec<i64>,
}

fn key(kind: KeyKind, value: i64) -> HashedKey {
    HashedKey::new(&HASHER, 1, &LinkKey { kind, value: value.to_string() })
}

fn event(number: i64) -> Event {
    let body = format!(r#"{{"id": "e{number}", "type": "t", "device": {{"fingerprint": "f"}}}}"#);
    read(body.as_bytes(), &Origin::UNSEEN_BACKEND, at(0), Limits::default(), &mut String::new).unwrap().event
}

/// Events of two identities and of nobody, with names, devices, sessions and groups in every mixture.
async fn rows(ground: &Ground) -> Vec<Row> {
    let owners = ground.identities(&["ada", "bob"]).await;
    let mut rows: Vec<_> = (0..EVENTS)
        .map(|n| Row {
            id: 0,
            timestamp: (n * 7919) % 100,
            identity_id: [Some(owners[0]), Some(owners[1]), None][n as usize % 3],
            name_id: 1 + (n / 3) % 4,
            device_id: 1 + (n / 5) % 3,
            session: key(KeyKind::Session, (n / 7) % 3).hash,
            groups: [vec![], vec![21], vec![22, 23]][(n / 11) as usize % 3].clone(),
        })
        .collect();
    let new: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(n, row)| {
            let event = event(n as i64);
            NewEvent {
                shard: shard::of(row.identity_id.unwrap_or_default()),
                team_id: 1,
                identity_id: row.identity_id,
                external_id: codec::pack_id(&event.id),
                timestamp: at(row.timestamp),
                received_at: at(0),
                name_id: Some(row.name_id),
                device_id: Some(row.device_id),
                session: Some(row.session),
                detail: events::detail(&event).unwrap(),
            }
        })
        .collect();
    let keys: BTreeSet<_> = rows
        .iter()
        .filter_map(|row| Some((row.identity_id?, row.device_id, row.session)))
        .flat_map(|(owner, device, session)| {
            let session = HashedKey { hash: session, ..key(KeyKind::Session, 0) };
            [(key(KeyKind::Device, device), owner, at(0)), (session, owner, at(0))]
        })
        .collect();
    let (stored, keys) = (new, keys.into_iter().collect::<Vec<_>>());
    let ids = ground.write(move |tx| {
        links::insert(tx, &keys)?;
        events::insert(tx, &stored)
    });
    for (_, external_id, id) in ids.await {
        let number: usize = codec::unpack_id(&external_id)[1..].parse().unwrap();
        rows[number].id = id;
    }
    let listed: Vec<_> = rows
        .iter()
        .flat_map(|row| row.groups.iter().map(|group| (*group, at(row.timestamp), row.id, Some(row.name_id))))
        .collect();
    ground.write(move |tx| groups::insert_events(tx, &listed)).await;
    rows
}

fn is_found(row: &Row, filter: &Filter) -> bool {
    filter.event.is_none_or(|id| row.id == id)
        && filter.names.as_ref().is_none_or(|names| names.contains(&row.name_id))
        && filter.identity_id.is_none_or(|id| row.identity_id == Some(id))
        && filter.device_id.is_none_or(|id| row.device_id == id)
        && filter.session.is_none_or(|session| row.session == session)
        && filter.groups.as_ref().is_none_or(|groups| groups.iter().any(|group| row.groups.contains(group)))
        && filter.from.is_none_or(|from| at(row.timestamp) >= from)
        && filter.to.is_none_or(|to| at(row.timestamp) < to)
}

async fn a_filter_finds_what_a_look_at_every_event_finds(engine: Engine) {
    let ground = Ground::new(engine);
    let rows = rows(&ground).await;
    let identity = rows[0].identity_id.unwrap();
    let mut found_something = 0;
    // Every mixture of six conditions, each there or not.
    for mixture in 0..64_u32 {
        let has = |condition: u32| mixture & (1 << condition) != 0;
        let names = if has(5) { vec![1] } else { vec![1, 3] };
        let filter = Filter {
            event: None,
            names: has(0).then_some(names),
            identity_id: has(1).then_some(identity),
            device_id: has(2).then_some(2),
            session: has(3).then(|| key(KeyKind::Session, 1).hash),
            groups: has(4).then(|| if has(5) { vec![22] } else { vec![21, 22, 23] }),
            from: has(5).then_some(at(20)),
            to: has(5).then_some(at(80)),
        };
        for ascending in [false, true] {
            let mut expected: Vec<_> = rows.iter().filter(|row| is_found(row, &filter)).collect();
            expected.sort_by_key(|row| (row.timestamp, row.id));
            if !ascending {
                expected.reverse();
            }
            let expected: Vec<_> = expected.iter().map(|row| row.id).collect();
            let asked = filter.clone();
            let (count, few, page, end) = ground
                .read(move |tx| {
                    Ok((
                        event_lists::count(tx, 1, &asked, 1_000)?,
                        event_lists::count(tx, 1, &asked, 2)?,
                        event_lists::page(tx, 1, &asked, ascending, 0, 1_000)?,
                        event_lists::page(tx, 1, &asked, ascending, 3, 4)?,
                    ))
                })
                .await;
            assert_eq!(page, expected, "{filter:?}");
            let length = expected.len() as i64;
            let slice: Vec<_> = expected.iter().skip(3).take(4).copied().collect();
            assert_eq!((count, few, end), (length, length.min(2), slice), "{filter:?}");
            found_something += usize::from(length > 0);
        }
    }
    assert!(found_something > 100, "only {found_something} mixtures found anything");
    let (first, last) = (rows[0].id, rows[9].id);
    let (id, loaded, other_team) = ground
        .read(move |tx| {
            let only = Filter { event: Some(first), ..Filter::default() };
            assert_eq!(event_lists::page(tx, 1, &only, true, 0, 9)?, [first]);
            Ok((
                event_lists::find(tx, 1, &codec::pack_id("e9"))?,
                event_lists::load(tx, &[last, 999_999, first])?,
                event_lists::find(tx, 2, &codec::pack_id("e9"))?,
            ))
        })
        .await;
    assert_eq!((id, other_team), (Some(last), None));
    let told: Vec<_> = loaded.iter().map(|l| (l.event.id.as_str(), l.identity_label.as_deref())).collect();
    assert_eq!(told, [("e9", Some("ada")), ("e0", Some("ada"))]);
}

async fn names_keep_their_numbers(engine: Engine) {
    let ground = Ground::new(engine);
    let words =
        [(1, NameKind::Event, "login"), (1, NameKind::GroupType, "login"), (2, NameKind::Event, "login")];
    let first = ground.write(move |tx| names::number(tx, &words)).await;
    let again = [(1, NameKind::Event, "logout"), words[0]];
    let second = ground.write(move |tx| names::number(tx, &again)).await;
    let named: BTreeSet<_> = first.iter().map(|name| (name.team_id, name.kind, name.name.as_str())).collect();
    assert_eq!(named, BTreeSet::from(words));
    assert!(second.iter().any(|name| first.contains(name)) && second.len() == 2);
    let all = ground.read(|tx| names::after(tx, 0)).await;
    assert_eq!(all.len(), 4);
    let last = all[2].id;
    let rest: Vec<Name> = ground.read(move |tx| names::after(tx, last)).await;
    assert_eq!(rest, all[3..]);
}

async fn the_change_log_tells_what_was_touched(engine: Engine) {
    let ground = Ground::new(engine);
    assert_eq!(ground.read(|tx| Ok((changes::last(tx)?, changes::gone(tx)?))).await, (0, 0));
    let touched =
        |number: i64| Touched { groups: BTreeSet::from([number]), ..Touched::identity(number * 1_000) };
    ground
        .write(move |tx| {
            changes::insert(tx, &Touched::default(), at(0))?;
            (1..=5).try_for_each(|number| changes::insert(tx, &touched(number), at(number)))
        })
        .await;
    let all = ground.read(|tx| changes::after(tx, 0, 9)).await;
    assert_eq!(
        all.iter().map(|(_, change)| change.clone()).collect::<Vec<_>>(),
        (1..=5).map(touched).collect::<Vec<_>>()
    );
    let ids: Vec<_> = all.iter().map(|(id, _)| *id).collect();
    let (second, fourth) = (ids[1], ids[3]);
    let (some, known) = ground
        .read(move |tx| Ok((changes::after(tx, second, 2)?, changes::with_ids(tx, &[fourth, 999])?)))
        .await;
    assert_eq!((some, known), (all[2..4].to_vec(), vec![all[3].clone()]));
    assert_eq!(ground.write(|tx| changes::prune(tx, at(4), 2)).await, 2);
    assert_eq!(ground.write(|tx| changes::prune(tx, at(9), 100)).await, 2);
    let (last, gone) = ground.read(|tx| Ok((changes::last(tx)?, changes::gone(tx)?))).await;
    assert_eq!((last, gone), (ids[4], ids[4] - 1));
}

async fn groups_are_read_changed_and_left(engine: Engine) {
    let ground = Ground::new(engine);
    let group = |group_type: &str, external_id: &str| KnownGroup {
        shard: HASHER.shard(1, &[group_type, external_id]),
        team_id: 1,
        group_type: group_type.into(),
        external_id: external_id.into(),
        display_name: Some("Acme".into()),
        data: "{}".into(),
    };
    let new = [group("team", "a"), group("team", "b"), group("org", "a")];
    let stored = ground.write(move |tx| groups::upsert(tx, &new, at(10))).await;
    let id = |group_type: &str, external_id: &str| {
        stored.iter().find(|(_, kind, id, _)| kind == group_type && id == external_id).unwrap().3
    };
    let (team_a, team_b, org) = (id("team", "a"), id("team", "b"), id("org", "a"));
    let labels = ground.read(|tx| groups::labels(tx, 1, &[("org", "a"), ("org", "none")])).await;
    assert_eq!(labels, [("org".to_owned(), "a".to_owned(), "Acme".to_owned())]);
    let members = [(team_a, 5), (team_a, 6), (team_b, 6), (org, 7)];
    ground
        .write(move |tx| {
            groups::add_members(tx, &members, at(10))?;
            groups::remove_member(tx, team_a, 5)?;
            groups::change(tx, team_a, None, r#"{"a":1}"#, at(20))
        })
        .await;
    let changed = Group {
        id: team_a,
        group_type: "team".into(),
        external_id: "a".into(),
        display_name: None,
        created_at: at(10),
        updated_at: at(20),
        last_tracked_at: at(10),
        identity_count: 1,
        data: r#"{"a":1}"#.into(),
    };
    let (found, foreign, loaded, of_identity) = ground
        .read(move |tx| {
            Ok((
                groups::find(tx, 1, "team", "a")?,
                groups::find(tx, 2, "team", "a")?,
                groups::load_rows(tx, &[org, 999, team_a])?,
                groups::of_identity(tx, 6)?,
            ))
        })
        .await;
    assert_eq!((found, foreign), (Some(changed.clone()), None));
    assert_eq!(loaded.iter().map(|group| group.id).collect::<Vec<_>>(), [org, team_a]);
    assert_eq!(loaded[1], changed);
    assert_eq!(sorted(of_identity), sorted([team_a, team_b]));
}

async fn devices_are_read_and_disregarded(engine: Engine) {
    let ground = Ground::new(engine);
    let seen = |fingerprint: &str| SeenDevice {
        shard: HASHER.shard(1, &[fingerprint]),
        team_id: 1,
        fingerprint: fingerprint.into(),
        first_at: at(10),
        last_at: at(10),
        ip: Some("192.0.2.1".into()),
        user_agent: None,
    };
    let new = [seen("one"), seen("two")];
    let stored = ground.write(move |tx| devices::upsert(tx, &new)).await;
    let id = |print: &str| stored.iter().find(|(_, fingerprint, _)| fingerprint == print).unwrap().2;
    let (one, two) = (id("one"), id("two"));
    let rows = rows(&ground).await;
    let owner = rows[0].identity_id.unwrap();
    ground.write(move |tx| devices::disregard(tx, two, true)).await;
    let expected = Device {
        id: two,
        fingerprint: "two".into(),
        first_seen_at: at(10),
        last_seen_at: at(10),
        ip: Some("192.0.2.1".into()),
        user_agent: None,
        disregarded: true,
    };
    let device_key = key(KeyKind::Device, 2);
    let (found, foreign, loaded, disregarded, of_owner, holders, later) = ground
        .read(move |tx| {
            Ok((
                devices::find(tx, 1, "two")?,
                devices::find(tx, 2, "two")?,
                devices::load(tx, &[two, 999, one])?,
                devices::disregarded(tx)?,
                devices::of_identity(tx, owner)?,
                links::holders_after(tx, device_key, 0, 9)?,
                links::holders_after(tx, device_key, owner, 9)?,
            ))
        })
        .await;
    assert_eq!((found, foreign), (Some(expected), None));
    assert_eq!(loaded.iter().map(|device| device.id).collect::<Vec<_>>(), [two, one]);
    assert_eq!((disregarded, sorted(of_owner)), (vec![(1, "two".to_owned())], vec![1, 2, 3]));
    assert_eq!((holders.len(), holders[0], later.as_slice()), (2, owner, &holders[1..]));
}

async fn rosters_have_what_lists_are_sorted_by(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["Ada", "Bob", "Eve"]).await;
    let entry = |id: i64, name: &str| Entry {
        id,
        times: [Some(100), Some(100), Some(100), None, Some(100)],
        scores: [None; 4],
        disregarded: false,
        texts: [Some(name.into()), None, None, None],
        groups: Vec::new(),
    };
    let (first, last) = (ids[0], ids[2]);
    ground.write(move |tx| groups::add_members(tx, &[(8, last), (7, last), (7, first)], at(10))).await;
    let (page, some, foreign, loaded) = ground
        .read(move |tx| {
            Ok((
                rosters::after(tx, Kind::Identities, 1, first, 1)?,
                rosters::with_ids(tx, Kind::Identities, 1, &[last, 999])?,
                rosters::with_ids(tx, Kind::Identities, 2, &[last])?,
                identities::load(tx, &[last, 999, first])?,
            ))
        })
        .await;
    let eve = Entry { groups: vec![7, 8], ..entry(last, "Eve") };
    let all = ground.read(move |tx| rosters::after(tx, Kind::Identities, 1, 0, 9)).await;
    assert_eq!(all.last(), Some(&eve));
    assert_eq!((page, some, foreign), (vec![entry(ids[1], "Bob")], vec![eve.clone()], vec![]));
    assert_eq!(loaded.iter().map(|identity| identity.id.as_str()).collect::<Vec<_>>(), ["Eve", "Ada"]);
    // The other kinds have as many columns.
    for kind in [Kind::Groups, Kind::Devices] {
        assert_eq!(ground.read(move |tx| rosters::after(tx, kind, 1, 0, 1)).await, []);
    }
}

async fn events_are_counted_by_the_hour(engine: Engine) {
    let ground = Ground::new(engine);
    let hour = 3_600_000;
    for (counts, time) in [(vec![(1, 3), (2, 1)], 0), (vec![(1, 4)], hour - 1), (vec![(1, 5)], 2 * hour)] {
        ground.write(move |tx| usage::add(tx, &counts, at(time))).await;
    }
    let (all, some) =
        ground.read(|tx| Ok((usage::by_hour(tx, 1, 0, 9)?, usage::by_hour(tx, 1, 1, 2)?))).await;
    assert_eq!((all, some), (vec![(0, 7), (2, 5)], vec![]));
    let first = ground.read(|tx| Ok((usage::first_hour(tx, 1)?, usage::first_hour(tx, 9)?))).await;
    assert_eq!(first, (Some(0), None));
}

async fn who_did_what_is_written_down(engine: Engine) {
    let ground = Ground::new(engine);
    let entry = |tx: &mut dregs_server::store::Tx| {
        let new = audit_log::NewEntry {
            team_id: 1,
            at: at(5),
            actor_type: "USER",
            actor_id: Some(3),
            actor: "ada@example.com",
            mcp_token: None,
            address: Some("192.0.2.1".into()),
            action: "group.create",
            target_type: "group",
            target_id: "team/a",
            before: None,
            after: Some("{}".into()),
        };
        audit_log::insert(tx, &new)
    };
    ground.write(entry).await;
    let sql = "select actor, action, target_id from audit_log where team_id = 1 and before is null";
    let found = ground.read(move |tx| tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))));
    let text = |text: &str| text.to_owned();
    assert_eq!(found.await, [(text("ada@example.com"), text("group.create"), text("team/a"))]);
}
