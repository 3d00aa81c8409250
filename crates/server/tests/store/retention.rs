//! How long rows are kept, which have been kept long enough, and what remains of events that are gone.

use dregs_core::event::{Event, Limits, Origin, read};
use dregs_core::notify::message::EventType;
use dregs_core::shard;
use dregs_core::time::Timestamp;
use dregs_server::store::analyses::{self, Analysis, Detail};
use dregs_server::store::attempts::Trigger;
use dregs_server::store::deliveries::{self, NewDelivery, Status, Subject};
use dregs_server::store::devices::SeenDevice;
use dregs_server::store::escalations::{self, Mover, NewEscalation, Severity};
use dregs_server::store::events::{self, NewEvent};
use dregs_server::store::links::{self, HashedKey};
use dregs_server::store::retention::{self, Folded, Kind, Old};
use dregs_server::store::{audit_log, codec, devices, identities, notifications, users};
use dregs_server::values;

use super::deliveries::Channels;
use super::{Ground, HASHER, MANY, at, first_seen, scores};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    periods_are_kept_by_team_and_kind,
    events_are_found_in_the_order_of_their_arrival_and_folded,
    analyses_that_are_needed_stay,
    notifications_that_deliveries_tell_of_stay,
    finished_deliveries_are_found_and_pending_ones_are_not,
    old_entries_of_the_audit_log_are_found_and_removed,
    keys_and_devices_of_a_team_are_walked_in_order,
);

async fn periods_are_kept_by_team_and_kind(engine: Engine) {
    let ground = Ground::new(engine);
    let (one, two) = ground
        .write(|tx| Ok((users::insert_team(tx, "A", at(1))?, users::insert_team(tx, "B", at(1))?)))
        .await;
    ground
        .write(move |tx| {
            retention::set(tx, one, Kind::Events, Some(30))?;
            retention::set(tx, one, Kind::Events, None)?;
            retention::set(tx, one, Kind::AuditLog, Some(90))?;
            retention::forget_until(tx, Kind::Events, &[(one, at(50)), (two, at(10))])?;
            // What is gone does not come back.
            retention::forget_until(tx, Kind::Events, &[(one, at(40)), (two, at(20))])
        })
        .await;
    let found = ground.read(move |tx| {
        Ok((retention::periods(tx)?, retention::forgotten(tx, one)?, retention::forgotten(tx, two)?))
    });
    let (mut periods, of_one, of_two) = found.await;
    periods.sort_unstable();
    let expected = [(one, Some((Kind::Events, None))), (one, Some((Kind::AuditLog, Some(90)))), (two, None)];
    assert_eq!(periods, expected);
    assert_eq!((of_one, of_two), (vec![(Kind::Events, at(50))], vec![(Kind::Events, at(20))]));
}

fn event(id: &str) -> Event {
    let body = format!(
        r#"{{"id": "{id}", "type": "page.viewed", "timestamp": "2026-11-23T09:00:00.123Z", "identity": {{"id": "ada"}},
            "groups": [{{"type": "team", "id": "t1"}}]}}"#
    );
    let now = at(1_795_424_400_000);
    read(body.as_bytes(), &Origin::UNSEEN_BACKEND, now, Limits::default(), &mut String::new).unwrap().event
}

fn stored(team_id: i64, identity_id: Option<i64>, id: &str, received_at: Timestamp) -> NewEvent {
    let event = event(id);
    NewEvent {
        shard: shard::of(identity_id.unwrap_or_default()),
        team_id,
        identity_id,
        external_id: codec::pack_id(id),
        timestamp: event.timestamp,
        received_at,
        name_id: None,
        device_id: None,
        session: None,
        detail: events::detail(&event).unwrap(),
    }
}

async fn events_are_found_in_the_order_of_their_arrival_and_folded(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground.identities(&["ada"]).await[0];
    let rows: Vec<_> = (0..MANY as i64).map(|n| stored(1, Some(ada), &format!("e{n}"), at(n))).collect();
    ground.write(move |tx| events::insert(tx, &rows)).await;
    ground.write(move |tx| events::insert(tx, &[stored(2, None, "of nobody", at(999))])).await;

    let first = ground.read(|tx| retention::events_after(tx, 0, 2)).await;
    let of_ada =
        |id, millis| Old { id, team_id: 1, at: at(millis), identity_id: Some(ada), is_needed: false };
    assert_eq!(first, [of_ada(first[0].id, 0), of_ada(first[1].id, 1)]);
    let last = first[1].id;
    let all = ground.read(move |tx| retention::events_after(tx, last, 10_000)).await;
    assert_eq!(
        (all.len(), all.last().map(|old| (old.team_id, old.identity_id))),
        (MANY - 1, Some((2, None)))
    );

    let ids: Vec<_> = all.iter().rev().map(|old| old.id).chain([123_456]).collect();
    let found = ground.read(move |tx| retention::events(tx, &ids)).await;
    let in_order: Vec<_> = found.iter().map(|one| (one.id, one.team_id, one.identity_id)).collect();
    assert_eq!(in_order, all.iter().map(|old| (old.id, old.team_id, old.identity_id)).collect::<Vec<_>>());
    let expected = Event { id: String::new(), ..event("e2") };
    assert_eq!(found[0].event, expected, "all but its id, which tells nothing");

    let folded = |event_id| Folded { event_id, state: vec![9, 8, 7] };
    let held = ground
        .write(move |tx| {
            let before = retention::hold_folded(tx, &[ada, 99])?;
            retention::put_folded(tx, &[(ada, folded(3))])?;
            retention::put_folded(tx, &[(ada, folded(5))])?;
            Ok((before, retention::hold_folded(tx, &[ada, 99])?, retention::folded(tx, ada)?))
        })
        .await;
    assert_eq!(held, (vec![(ada, Folded::default())], vec![(ada, folded(5))], Some(folded(5))));
    ground.write(move |tx| retention::remove_folded(tx, ada)).await;
    assert_eq!(ground.read(move |tx| retention::folded(tx, ada)).await, None);
}

fn analysis(identity_id: i64, sequence: i64) -> Analysis {
    Analysis {
        identity_id,
        sequence,
        started_at: at(sequence * 10),
        finished_at: at(sequence * 10),
        scores: scores(12),
        event_count: 1,
        device_count: 1,
        detail: Detail::default(),
    }
}

fn delivery(channel_id: i64, subject: Subject, created_at: Timestamp) -> NewDelivery {
    NewDelivery {
        channel_id,
        event: EventType::IdentityScored,
        subject,
        about: None,
        trigger: Trigger::Initial,
        created_at,
        next_attempt_at: created_at,
        leased_to: None,
        by_identity: false,
        trace: None,
    }
}

async fn analyses_that_are_needed_stay(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (ground, team, channel) = (&channels.ground, channels.team, channels.first);
    let (ada, opened) = ground
        .write(move |tx| {
            let ada = identities::save_tracked(tx, &[first_seen(team, "ada")])?[0].2;
            for sequence in 1..=6 {
                let analysis = analysis(ada, sequence);
                analyses::insert(tx, &[(&analysis, &codec::pack(codec::Kind::Analysis, &analysis.detail)?)])?;
            }
            tx.execute("update identities set cycle = 5 where id = $1", &values![ada])?;
            let told = Subject::Cycle { identity_id: ada, sequence: 2 };
            deliveries::insert(tx, &[delivery(channel, told, at(20))])?;
            let new = NewEscalation {
                team_id: team,
                identity_id: ada,
                rule_id: 1,
                rule_name: "Low".into(),
                severity: Severity::Info,
                conditions: "[]".into(),
                channels: "[]".into(),
                scores: scores(12),
                explanation: None,
                event_id: None,
                opened_at: at(35),
            };
            Ok((ada, escalations::insert(tx, &new)?.unwrap()))
        })
        .await;
    let needed = async |young: i64| {
        let found = ground.read(move |tx| retention::analyses_after(tx, 0, 100, at(young))).await;
        assert!(found.iter().all(|old| (old.team_id, old.identity_id) == (team, Some(ada))));
        found.into_iter().filter(|old| old.is_needed).map(|old| old.at.as_millis() / 10).collect::<Vec<_>>()
    };
    // A delivery tells of the second, by the third an escalation was opened, the fifth is the newest.
    assert_eq!(needed(1_000).await, [2, 3, 5]);
    assert_eq!(needed(60).await, [2, 3, 5, 6], "what is young is");
    let close = move |tx: &mut dregs_server::store::Tx| {
        escalations::set_status(
            tx,
            opened,
            escalations::Status::Closed,
            Mover { by: None, reason: None },
            at(40),
        )
    };
    ground.write(close).await;
    assert_eq!(needed(1_000).await, [2, 5]);

    let removed = ground
        .write(|tx| {
            let ids: Vec<_> = retention::analyses_after(tx, 0, 100, at(1_000))?
                .into_iter()
                .filter(|old| !old.is_needed)
                .map(|old| old.id)
                .collect();
            retention::remove_analyses(tx, &ids)
        })
        .await;
    let left = ground.read(move |tx| analyses::newest(tx, ada, 10)).await;
    assert_eq!((removed, left), (4, vec![analysis(ada, 5), analysis(ada, 2)]));
}

async fn notifications_that_deliveries_tell_of_stay(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (ground, team, channel) = (&channels.ground, channels.team, channels.first);
    let (ada, told, untold) = ground
        .write(move |tx| {
            let ada = identities::save_tracked(tx, &[first_seen(team, "ada")])?[0].2;
            let about = |sequence| (ada, sequence);
            let event = EventType::IdentityBadgesChanged;
            let told = notifications::insert_about(tx, team, event, about(1), at(10), "{}")?;
            let untold = notifications::insert_about(tx, team, event, about(2), at(10), "{}")?;
            let new = delivery(channel, Subject::Notification { id: told }, at(10));
            deliveries::insert(tx, &[NewDelivery { about: Some(about(1)), ..new }])?;
            Ok((ada, told, untold))
        })
        .await;
    let found = ground.read(|tx| retention::notifications_after(tx, 0, 10, at(1_000))).await;
    let old = |id, is_needed| Old { id, team_id: team, at: at(10), identity_id: Some(ada), is_needed };
    assert_eq!(found, [old(told, true), old(untold, false)]);
    assert_eq!(ground.read(move |tx| retention::told_of_soon(tx, team)).await, [ada]);
    assert_eq!(ground.write(move |tx| retention::remove_notifications(tx, &[untold])).await, 1);
    assert_eq!(ground.read(move |tx| notifications::load(tx, &[told, untold])).await.len(), 1);
    ground.write(move |tx| deliveries::skip_some(tx, channel, "test", at(20), 10)).await;
    assert_eq!(ground.read(move |tx| retention::told_of_soon(tx, team)).await, Vec::<i64>::new());
}

async fn finished_deliveries_are_found_and_pending_ones_are_not(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (ground, team) = (&channels.ground, channels.team);
    let new =
        |channel, sequence, made| delivery(channel, Subject::Cycle { identity_id: 1, sequence }, at(made));
    let (one, two) = (channels.first, channels.second);
    let ids = channels.insert(vec![new(one, 1, 10), new(one, 2, 20), new(two, 1, 10), new(two, 3, 30)]).await;
    let found = move |before: i64, limit: i64| {
        move |tx: &mut dregs_server::store::Tx| {
            let mut found = retention::finished(tx, team, at(before), limit)?;
            found.sort_unstable();
            Ok((found, retention::count_finished(tx, team, at(before), limit)?))
        }
    };
    assert_eq!(ground.write(found(100, 10)).await, (vec![], 0), "all are pending");
    for (id, status) in
        ids.iter().zip([Status::Delivered, Status::Failed, Status::Pending, Status::Superseded])
    {
        let id = *id;
        let sql = "update deliveries set status = $2 where id = $1";
        ground.write(move |tx| tx.execute(sql, &values![id, status as i64])).await;
    }
    assert_eq!(
        ground.write(found(100, 10)).await,
        (vec![(ids[0], at(10)), (ids[1], at(20)), (ids[3], at(30))], 3)
    );
    assert_eq!(ground.write(found(20, 10)).await, (vec![(ids[0], at(10))], 1), "what was made then stays");
    let (few, counted) = ground.write(found(100, 2)).await;
    assert_eq!((few.len(), counted), (2, 2));
    let of_others = ground.write(move |tx| retention::finished(tx, team + 1, at(100), 10)).await;
    assert_eq!(of_others, []);
}

async fn old_entries_of_the_audit_log_are_found_and_removed(engine: Engine) {
    let ground = Ground::new(engine);
    ground
        .write(|tx| {
            for (team_id, millis) in [(1, 10), (2, 20), (1, 30)] {
                let entry = audit_log::NewEntry {
                    team_id,
                    at: at(millis),
                    actor_type: "SYSTEM",
                    actor_id: None,
                    actor: "server",
                    mcp_token: None,
                    address: None,
                    action: "team.change",
                    target_type: "team",
                    target_id: "1",
                    before: None,
                    after: None,
                };
                audit_log::insert(tx, &entry)?;
            }
            Ok(())
        })
        .await;
    let found = ground.read(|tx| retention::entries_after(tx, 0, 10)).await;
    let told: Vec<_> = found.iter().map(|old| (old.team_id, old.at, old.is_needed)).collect();
    assert_eq!(told, [(1, at(10), false), (2, at(20), false), (1, at(30), false)]);
    let (first, second) = (found[0].id, found[1]);
    assert_eq!(ground.read(move |tx| retention::entries_after(tx, first, 1)).await, [second]);
    assert_eq!(ground.write(move |tx| retention::remove_entries(tx, &[first, 999])).await, 1);
    assert_eq!(ground.read(|tx| retention::entries_after(tx, 0, 10)).await, found[1..]);
}

async fn keys_and_devices_of_a_team_are_walked_in_order(engine: Engine) {
    let ground = Ground::new(engine);
    let key = |team_id, kind, hash| HashedKey { team_id, kind, hash };
    let keys = [(key(1, 1, -5), 7), (key(1, 1, -5), 8), (key(1, 1, 3), 7), (key(1, 2, -9), 7)];
    ground
        .write(move |tx| {
            let rows: Vec<_> = keys.iter().rev().map(|(key, id)| (*key, *id, at(1))).collect();
            links::insert(tx, &rows)?;
            links::insert(tx, &[(key(2, 1, 0), 7, at(1))])?;
            let seen = |fingerprint: &str| SeenDevice {
                shard: HASHER.shard(1, &[fingerprint]),
                team_id: 1,
                fingerprint: fingerprint.into(),
                first_at: at(1),
                last_at: at(1),
                ip: None,
                user_agent: None,
            };
            devices::upsert(tx, &["b", "a", "c"].map(seen))
        })
        .await;
    let walked = ground.read(move |tx| {
        let first = links::after(tx, 1, (i64::MIN, i64::MIN, 0), 2)?;
        let (last, holder) = first[1];
        Ok((first, links::after(tx, 1, (last.kind, last.hash, holder), 9)?))
    });
    assert_eq!(walked.await, (keys[..2].to_vec(), keys[2..].to_vec()));
    let fingerprints = ground.read(|tx| Ok((devices::after(tx, 1, "", 2)?, devices::after(tx, 1, "b", 9)?)));
    assert_eq!(fingerprints.await, (vec!["a".into(), "b".into()], vec!["c".into()]));
}
