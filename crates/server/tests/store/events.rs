use dregs_core::event::{Event, Limits, Origin, read};
use dregs_core::shard;
use dregs_server::store::events::{self, KnownEvent, NewEvent, Received};
use dregs_server::store::{StoreError, codec, devices, groups};
use dregs_server::values;

use super::{Ground, HASHER, MANY, at, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    events_come_back_in_the_order_they_were_stored,
    the_newest_events_say_since_when_their_identity_is_known,
    the_events_of_a_team_leave_out_the_disregarded,
    events_say_when_they_were_received_and_those_of_nobody_are_found_by_time,
    an_event_id_is_stored_once_a_team,
    devices_keep_what_is_newest_about_them,
    groups_keep_their_data_and_members,
);

/// An event with something in every field.
pub fn full_event(id: &str) -> Event {
    let body = format!(
        r#"{{"id": "{id}", "type": "order.placed", "timestamp": "2026-11-23T09:00:00.123Z", "source": "shop",
            "identity": {{"id": "ada", "data": {{"email": "ada@example.com"}}}},
            "groups": [{{"type": "team", "id": "t1", "data": {{"plan": "pro"}}}}],
            "data": {{"amount": 0.1, "big": 9007199254740993, "note": "Grüße 🦀", "none": null}},
            "device": {{"fingerprint": "fp-1"}}, "session": "s1", "url": "https://example.com/?q=1",
            "ip": "2001:db8::1", "userAgent": "Mozilla/5.0"}}"#
    );
    let now = at(1_795_424_400_000);
    read(body.as_bytes(), &Origin::UNSEEN_BACKEND, now, Limits::default(), &mut String::new).unwrap().event
}

pub fn new_event(team_id: i64, identity_id: Option<i64>, event: &Event) -> NewEvent {
    NewEvent {
        shard: shard::of(identity_id.unwrap_or_default()),
        team_id,
        identity_id,
        external_id: codec::pack_id(&event.id),
        timestamp: event.timestamp,
        received_at: at(7),
        name_id: None,
        device_id: None,
        session: None,
        detail: events::detail(event).unwrap(),
    }
}

async fn events_come_back_in_the_order_they_were_stored(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ["6f9619ff8b86d011b42d00c04fc964ff".to_owned(), "order 🦀".to_owned()];
    let ids = ids.into_iter().chain((0..MANY).rev().map(|n| format!("e{n}")));
    let stored: Vec<_> = ids.map(|id| full_event(&id)).collect();
    let rows: Vec<_> = stored.iter().map(|event| new_event(1, Some(5), event)).collect();
    ground.write(move |tx| events::insert(tx, &rows)).await;
    // Of somebody else, and of nobody.
    let others = [new_event(1, Some(6), &full_event("other")), new_event(1, None, &full_event("of-nobody"))];
    ground.write(move |tx| events::insert(tx, &others)).await;

    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let page = ground.read(move |tx| events::of_identity(tx, 5, after, 128)).await;
        let Some((last, _)) = page.last() else { break };
        assert!(page.len() <= 128 && *last > after);
        after = *last;
        found.extend(page.into_iter().map(|(_, event)| event));
    }
    assert_eq!(found, stored);
}

async fn the_events_of_a_team_leave_out_the_disregarded(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let (ada, bob) = (ids[0], ids[1]);
    let stored: Vec<_> = ["e1", "e2", "e3", "e4"].into_iter().map(full_event).collect();
    let owners = [Some(ada), Some(bob), None, Some(ada)];
    let rows: Vec<_> =
        owners.into_iter().zip(&stored).map(|(owner, event)| new_event(1, owner, event)).collect();
    ground.write(move |tx| events::insert(tx, &rows)).await;
    ground
        .write(move |tx| tx.execute("update identities set disregarded = 1 where id = $1", &values![bob]))
        .await;
    let all = ground.read(|tx| events::of_team(tx, 1, 0, 10)).await;
    let found: Vec<_> = all.iter().map(|(_, event)| event.clone()).collect();
    assert_eq!(found, [stored[0].clone(), stored[3].clone()]);
    let first = all[0].0;
    assert_eq!(ground.read(move |tx| events::of_team(tx, 1, first, 1)).await, all[1..]);
    assert_eq!(ground.read(|tx| events::of_team(tx, 2, 0, 10)).await, []);
    // As they arrived, those of nobody among them.
    let arrived = ground.read(|tx| events::arrived(tx, 1, 0, 10)).await;
    let found: Vec<_> = arrived.iter().map(|one| (one.identity_id, one.event.id.as_str())).collect();
    assert_eq!(found, [(Some(ada), "e1"), (None, "e3"), (Some(ada), "e4")]);
    assert!(arrived.iter().all(|one| one.received_at == at(7)));
    let (second, last) = (arrived[1].row, arrived[2].row);
    assert_eq!(ground.read(move |tx| events::arrived(tx, 1, second, 10)).await.len(), 1);
    assert_eq!(ground.read(events::last_number).await, last);
    let newest = ground.read(|tx| events::newest_of_team(tx, 1, 2)).await;
    assert_eq!(newest, [(last, stored[3].clone()), (second, stored[2].clone())]);
    // Of one name, by when they happened and not by when they came.
    let named = |(at, id, name): (i64, &str, i64)| NewEvent {
        timestamp: super::at(at),
        name_id: Some(name),
        ..new_event(1, None, &full_event(id))
    };
    let rows = [(30, "n1", 7), (10, "n2", 7), (20, "n3", 7), (40, "n4", 8)].map(named);
    ground.write(move |tx| events::insert(tx, &rows)).await;
    let latest = ground.read(|tx| events::latest_named(tx, 7, 2)).await;
    let latest: Vec<_> = latest.iter().map(|(_, event)| event.id.as_str()).collect();
    assert_eq!(latest, ["n1", "n3"]);
    let of_ada = ground.read(move |tx| events::newest_of_identity(tx, ada, 0, 1)).await;
    assert_eq!(of_ada, [Received { id: last, received_at: at(7), event: stored[3].clone() }]);
    assert_eq!(ground.read(move |tx| events::newest_of_identity(tx, ada, last, 1)).await, []);
}

async fn the_newest_events_say_since_when_their_identity_is_known(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground.identities(&["ada"]).await[0];
    let created_at = ground
        .read(move |tx| {
            tx.get("select created_at from identities where id = $1", &values![ada], |row| row.time(0))
        })
        .await;
    let later = created_at.plus_millis(1);
    let row = |id: &str, owner, received_at| NewEvent { received_at, ..new_event(1, owner, &full_event(id)) };
    let rows = [
        row("e1", Some(ada), created_at),
        row("e2", Some(ada), created_at),
        row("e3", None, later),
        row("e4", Some(ada), later),
    ];
    ground.write(move |tx| events::insert(tx, &rows)).await;
    let newest = ground.read(|tx| events::newest(tx, 2)).await;
    let found: Vec<_> =
        newest.iter().map(|newest| (newest.event.id.as_str(), newest.team_id, newest.known_since)).collect();
    assert_eq!(found, [("e2", 1, None), ("e4", 1, Some(created_at))]);
}

async fn events_say_when_they_were_received_and_those_of_nobody_are_found_by_time(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground.identities(&["ada"]).await[0];
    let row = |id: &str, owner, timestamp: i64, received: i64| NewEvent {
        timestamp: at(timestamp),
        received_at: at(received),
        ..new_event(1, owner, &full_event(id))
    };
    let rows = [
        row("a1", Some(ada), 50, 7),
        row("a2", Some(ada), 20, 8),
        row("n1", None, 30, 9),
        row("n2", None, 10, 6),
    ];
    let stored = ground.write(move |tx| events::insert(tx, &rows)).await;
    let id = |name: &str| stored.iter().find(|(_, id, _)| *id == codec::pack_id(name)).unwrap().2;
    let told = |found: &[events::Received]| {
        let told = found.iter().map(|one| (one.id, one.event.id.clone(), one.received_at.as_millis()));
        told.collect::<Vec<_>>()
    };
    let all = ground.read(move |tx| events::received_of_identity(tx, ada, 0, 9)).await;
    assert_eq!(told(&all), [(id("a1"), "a1".into(), 7), (id("a2"), "a2".into(), 8)]);
    let (first, limit) = (id("a1"), 1);
    let all = ground.read(move |tx| events::received_of_identity(tx, ada, first, limit)).await;
    assert_eq!(told(&all), [(id("a2"), "a2".into(), 8)]);
    // By their times; pages end at events of others as well.
    let (found, last) = ground.read(|tx| events::of_nobody(tx, 1, (at(5), 0), 2)).await;
    assert_eq!((told(&found), last), (vec![(id("n2"), "n2".into(), 6)], Some((at(20), id("a2")))));
    let (found, last) = ground.read(move |tx| events::of_nobody(tx, 1, last.unwrap(), 9)).await;
    assert_eq!((told(&found), last), (vec![(id("n1"), "n1".into(), 9)], Some((at(50), id("a1")))));
    let (found, last) = ground.read(move |tx| events::of_nobody(tx, 1, last.unwrap(), 9)).await;
    assert_eq!((told(&found), last), (vec![], None));
}

async fn an_event_id_is_stored_once_a_team(engine: Engine) {
    let ground = Ground::new(engine);
    let mut without_device = full_event("e2");
    without_device.fingerprint = None;
    let rows = [
        new_event(1, None, &full_event("e1")),
        new_event(1, None, &without_device),
        new_event(2, None, &full_event("e1")),
    ];
    ground.write(move |tx| events::insert(tx, &rows)).await;

    let known = ground
        .read(|tx| {
            let ids = ["e1", "e2", "e3"].map(codec::pack_id);
            let mut keys: Vec<(i64, i64, &[u8])> = ids.iter().map(|id| (0, 1, id.as_slice())).collect();
            // A key that stands here twice, and many that nobody has.
            keys.push(keys[0]);
            let unknown: Vec<_> = (0..MANY).map(|n| codec::pack_id(&format!("unknown {n}"))).collect();
            keys.extend(unknown.iter().map(|id| (0, 1, id.as_slice())));
            events::find_known(tx, &keys)
        })
        .await;
    let mut known: Vec<_> = known.into_iter().map(|k| (k.team_id, k.external_id, k.fingerprint)).collect();
    known.sort();
    known.dedup();
    let expected = [("e1", Some("fp-1")), ("e2", None)].map(|(id, fingerprint)| KnownEvent {
        team_id: 1,
        external_id: codec::pack_id(id),
        fingerprint: fingerprint.map(str::to_owned),
    });
    assert_eq!(known, sorted(expected.map(|k| (k.team_id, k.external_id, k.fingerprint))));

    // An id that another transaction stored meanwhile, and one that stands here twice.
    for ids in [["e3", "e1"], ["e4", "e4"]] {
        let refused = ground.store.write(move |tx| {
            let rows = ids.map(|id| new_event(1, None, &full_event(id)));
            let refused = matches!(events::insert(tx, &rows), Err(StoreError::Retry));
            Err::<(), _>(StoreError::Broken(format!("refused: {refused}")))
        });
        assert_eq!(format!("{:?}", refused.await), r#"Err(Broken("refused: true"))"#);
    }
    let count = ground.read(|tx| tx.get("select count(*) from events", &[], |row| row.get::<i64>(0))).await;
    assert_eq!(count, 3);
}

async fn devices_keep_what_is_newest_about_them(engine: Engine) {
    use devices::SeenDevice;
    let ground = Ground::new(engine);
    let seen = |time, fingerprint: &str, ip: Option<&str>, user_agent: Option<&str>| SeenDevice {
        shard: HASHER.shard(1, &[fingerprint]),
        team_id: 1,
        fingerprint: fingerprint.into(),
        first_at: at(time),
        last_at: at(time),
        ip: ip.map(str::to_owned),
        user_agent: user_agent.map(str::to_owned),
    };
    let first = [seen(10, "one", Some("192.0.2.1"), None), seen(10, "two", None, Some("Firefox"))];
    let later = [seen(20, "one", None, Some("Safari")), seen(20, "three", None, None)];
    ground.write(move |tx| devices::upsert(tx, &first)).await;
    ground.write(move |tx| devices::upsert(tx, &later)).await;
    // Of a past that is sent late.
    let past = [seen(5, "three", None, None)];
    ground.write(move |tx| devices::upsert(tx, &past)).await;
    let rows = ground
        .read(|tx| {
            tx.query(
                "select fingerprint, first_seen_at, last_seen_at, ip, user_agent from devices order by id",
                &[],
                |row| {
                    let times = (row.time(1)?.as_millis(), row.time(2)?.as_millis());
                    Ok((row.get(0)?, times, row.get(3)?, row.get(4)?))
                },
            )
        })
        .await;
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        ("one".to_owned(), (10, 20), text("192.0.2.1"), text("Safari")),
        ("two".to_owned(), (10, 10), None, text("Firefox")),
        ("three".to_owned(), (5, 20), None, None),
    ];
    assert_eq!(rows, expected);
}

async fn groups_keep_their_data_and_members(engine: Engine) {
    use groups::KnownGroup;
    let ground = Ground::new(engine);
    let group = |group_type: &str, data: &str| KnownGroup {
        shard: HASHER.shard(1, &[group_type, "acme"]),
        team_id: 1,
        group_type: group_type.into(),
        external_id: "acme".into(),
        display_name: None,
        data: data.into(),
    };
    let first = [group("organization", "{}"), group("team", r#"{"size":3}"#)];
    let stored = ground.write(move |tx| groups::upsert(tx, &first, at(10))).await;
    let later = [group("organization", r#"{"plan":"pro"}"#)];
    let again = ground.write(move |tx| groups::upsert(tx, &later, at(20))).await;
    let id = |kind: &str| stored.iter().find(|(_, k, _, _)| k == kind).unwrap().3;
    let (organization, team) = (id("organization"), id("team"));
    assert_eq!(again, [(1, "organization".into(), "acme".into(), organization)]);

    let keys = [(1, "organization", "acme"), (1, "team", "acme"), (1, "team", "none"), (2, "team", "acme")]
        .map(|(team, kind, id)| (HASHER.shard(team, &[kind, id]), team, kind, id));
    let mut loaded = ground.read(move |tx| groups::load(tx, &keys)).await;
    loaded.sort_by(|a, b| a.group_type.cmp(&b.group_type));
    assert_eq!(loaded, [group("organization", r#"{"plan":"pro"}"#), group("team", r#"{"size":3}"#)]);

    for (time, members) in
        [(30, vec![(organization, 5), (team, 5)]), (40, vec![(organization, 5), (organization, 6)])]
    {
        ground.write(move |tx| groups::add_members(tx, &members, at(time))).await;
    }
    let members = ground
        .read(|tx| {
            let sql = "select group_id, identity_id, created_at from group_members";
            tx.query(sql, &values![], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        })
        .await;
    let expected = [(organization, 5, 30), (organization, 6, 40), (team, 5, 30)];
    assert_eq!(sorted::<(i64, i64, i64)>(members), sorted(expected));
}
