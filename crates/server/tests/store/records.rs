//! What people do: reviews, escalations, mappings, and forgetting somebody.

use dregs_core::link::{KeyKind, LinkKey};
use dregs_core::mapping::MappingKind;
use dregs_core::notify::message::EventType;
use dregs_server::store::attempts::Trigger;
use dregs_server::store::deliveries::{self, NewDelivery, Subject};
use dregs_server::store::devices::SeenDevice;
use dregs_server::store::erasure;
use dregs_server::store::escalations::{
    self, Escalation, Filter, Moment, Mover, NewEscalation, RuleActivity, Severity, Sort, Status,
};
use dregs_server::store::groups::KnownGroup;
use dregs_server::store::identities::{self, Walked};
use dregs_server::store::links::{self, HashedKey};
use dregs_server::store::mappings::{self, Entry};
use dregs_server::store::reviews::{self, Status as ReviewStatus};
use dregs_server::store::{
    StoreError, Tx, analyses, audit_log, datasets, devices, events, groups, settings, usage, users,
};

use super::{Ground, HASHER, at, scores, sorted};
use crate::on_both_engines;
use crate::support::engine::{Engine, store};

on_both_engines!(
    escalations_are_found_and_moved,
    a_review_is_written_once,
    mappings_are_kept_by_source,
    settings_are_found_by_prefix,
    identities_are_changed_unless_they_moved,
    a_person_is_forgotten,
    the_audit_log_forgets_a_name,
    the_audit_log_is_searched,
    the_audit_log_knows_what_was_undone,
    entries_of_datasets_are_kept_by_value,
);

/// A person who moves escalations.
fn eve() -> Mover<'static> {
    Mover { by: Some("eve@example.com"), reason: Some("A shared till.") }
}

async fn escalations_are_found_and_moved(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let new = move |identity: usize, severity, rule_id| NewEscalation {
        team_id: 1,
        identity_id: ids[identity],
        rule_id,
        rule_name: "Low".into(),
        severity,
        conditions: "[]".into(),
        channels: "[]".into(),
        scores: scores(12),
        explanation: None,
        event_id: None,
        opened_at: at(10),
    };
    let opened = ground
        .write(move |tx| {
            let all =
                [new(0, Severity::Critical, 1), new(1, Severity::Info, 1), new(0, Severity::Warning, 2)];
            all.iter().map(|new| escalations::insert(tx, new)).collect::<Result<Option<Vec<_>>, _>>()
        })
        .await;
    let [first, second, third] = opened.unwrap()[..] else { panic!("three escalations") };
    ground
        .write(move |tx| {
            escalations::set_status(tx, first, Status::Acknowledged, eve(), at(20))?;
            escalations::set_status(tx, first, Status::Closed, eve(), at(30))?;
            escalations::set_status(tx, second, Status::Acknowledged, eve(), at(20))
        })
        .await;
    let (one, foreign, summary, few) = ground
        .read(move |tx| {
            Ok((
                escalations::find(tx, 1, first)?.unwrap(),
                escalations::find(tx, 2, first)?,
                escalations::summary(tx, 1, 9)?,
                escalations::count(tx, 1, &Filter::default(), 2)?,
            ))
        })
        .await;
    assert_eq!((foreign, summary, few), (None, [1, 1, 1], 2));
    let told = (one.status, one.severity, one.identity.as_str(), one.rule_id, one.scores);
    assert_eq!(told, (Status::Closed, Severity::Critical, "ada", 1, scores(12)));
    let times = (one.opened_at, one.acknowledged_at, one.closed_at);
    assert_eq!(times, (at(10), Some(at(20)), Some(at(30))));
    let moved =
        |one: &Escalation| (one.acknowledged_by.clone(), one.closed_by.clone(), one.close_reason.clone());
    let by = || Some("eve@example.com".to_owned());
    assert_eq!(moved(&one), (by(), by(), Some("A shared till.".to_owned())));
    let any = Filter::default;
    let cases = [
        (any(), Sort::OpenedAt, false, vec![third, second, first]),
        (any(), Sort::Severity, true, vec![second, third, first]),
        (Filter { status: Some(Status::Open), ..any() }, Sort::OpenedAt, true, vec![third]),
        (Filter { severity: Some(Severity::Info), ..any() }, Sort::OpenedAt, true, vec![second]),
        (Filter { rule_id: Some(1), ..any() }, Sort::OpenedAt, true, vec![first, second]),
        (Filter { identity_id: Some(-1), ..any() }, Sort::OpenedAt, true, vec![]),
    ];
    for (filter, sort, ascending, expected) in cases {
        let shown = format!("{filter:?}");
        let found = ground.read(move |tx| escalations::page(tx, 1, &filter, sort, ascending, 0, 9)).await;
        assert_eq!(found.iter().map(|escalation| escalation.id).collect::<Vec<_>>(), expected, "{shown}");
    }
    let activity =
        |rule_id, opened, closed| RuleActivity { rule_id, rule_name: "Low".into(), opened, closed };
    let by_rule = ground.read(|tx| escalations::by_rule(tx, 1, at(10), at(11))).await;
    assert_eq!(by_rule, [activity(1, 2, 1), activity(2, 1, 0)]);
    assert_eq!(ground.read(|tx| escalations::by_rule(tx, 1, at(9), at(10))).await, []);
    let by_span = async |moment, (begin, step, end)| {
        ground.read(move |tx| escalations::by_span(tx, 1, moment, (at(begin), step, at(end)))).await
    };
    assert_eq!(by_span(Moment::Opened, (0, 10, 20)).await, [(1, 3)]);
    assert_eq!(by_span(Moment::Opened, (0, 10, 10)).await, []);
    assert_eq!(by_span(Moment::Closed, (10, 7, 31)).await, [(2, 1)]);
    let reopened = ground
        .write(move |tx| {
            escalations::set_status(tx, first, Status::Open, eve(), at(40))?;
            Ok(escalations::find(tx, 1, first)?.unwrap())
        })
        .await;
    assert_eq!((reopened.status, reopened.acknowledged_at, reopened.closed_at), (Status::Open, None, None));
    assert_eq!(moved(&reopened), (None, None, None));
}

async fn a_review_is_written_once(engine: Engine) {
    let ground = Ground::new(engine);
    let new = ground.write(|tx| reviews::insert(tx, 1, 5, Some("why?"), at(10))).await;
    let other = ground.write(|tx| reviews::insert(tx, 1, 6, None, at(11))).await;
    assert_eq!((new.status, new.feedback.as_deref()), (ReviewStatus::Pending, Some("why?")));
    let claim = async |now| ground.write(move |tx| reviews::claim(tx, at(now), at(now + 100))).await;
    assert_eq!(claim(20).await.map(|review| review.id), Some(new.id));
    assert_eq!(claim(20).await.map(|review| review.id), Some(other.id));
    assert_eq!(claim(20).await, None, "both are leased");
    ground.write(move |tx| reviews::renew(tx, new.id, at(150))).await;
    assert_eq!(claim(130).await.map(|review| review.id), Some(other.id), "the other is held longer");
    let (first, second) = (new.id, other.id);
    ground
        .write(move |tx| {
            reviews::finish(tx, first, "built-in", Ok("all is well"), at(30))?;
            reviews::finish(tx, second, "some-model", Err("no answer"), at(31))
        })
        .await;
    assert_eq!(claim(500).await, None, "nothing is left");
    // Whoever comes back later changes nothing.
    ground
        .write(move |tx| {
            reviews::renew(tx, first, at(150))?;
            reviews::finish(tx, first, "some-model", Ok("all is lost"), at(32))
        })
        .await;
    assert_eq!(claim(500).await, None, "nothing is left");
    let (of_five, of_six, asked) = ground
        .read(|tx| {
            let asked = (reviews::count_by_models(tx, at(0))?, reviews::count_by_models(tx, at(12))?);
            Ok((reviews::of_identity(tx, 5, 9)?, reviews::of_identity(tx, 6, 9)?, asked))
        })
        .await;
    assert_eq!(asked, (1, 0));
    let told = (of_five[0].status, of_five[0].summary.as_deref(), of_five[0].completed_at);
    assert_eq!(told, (ReviewStatus::Finished, Some("all is well"), Some(at(30))));
    let told = (of_six[0].status, of_six[0].error_message.as_deref(), of_six[0].reviewer.as_deref());
    assert_eq!(told, (ReviewStatus::Failed, Some("no answer"), Some("some-model")));
    let newest = ground.write(|tx| reviews::insert(tx, 1, 5, None, at(40))).await;
    let kept = async |count| ground.write(move |tx| reviews::keep_newest(tx, 5, count)).await;
    assert_eq!((kept(2).await, kept(1).await), (0, 1));
    let left =
        ground.read(|tx| Ok((reviews::of_identity(tx, 5, 9)?, reviews::of_identity(tx, 6, 9)?.len()))).await;
    assert_eq!((left.0.iter().map(|review| review.id).collect::<Vec<_>>(), left.1), (vec![newest.id], 1));
}

async fn mappings_are_kept_by_source(engine: Engine) {
    let ground = Ground::new(engine);
    let kind = MappingKind::EventType;
    let (id, again) = ground
        .write(move |tx| {
            let team = dregs_server::store::users::insert_team(tx, "T", at(0))?;
            let id = mappings::insert(tx, team, kind, "knock", Some("LOGIN"), at(10))?;
            let again = mappings::insert(tx, team, kind, "knock", None, at(11));
            mappings::insert(tx, team, MappingKind::IdentityField, "knock", None, at(12))?;
            Ok(((team, id), matches!(again, Err(StoreError::Conflict))))
        })
        .await;
    let (team_id, id) = id;
    assert!(again);
    ground.write(move |tx| mappings::update(tx, id, Some("LOGOUT"), at(20))).await;
    let (found, foreign, all) = ground
        .read(move |tx| {
            Ok((mappings::find(tx, team_id, id)?, mappings::find(tx, 99, id)?, mappings::all(tx)?))
        })
        .await;
    let expected = Entry {
        id,
        team_id,
        kind,
        source: "knock".into(),
        target: Some("LOGOUT".into()),
        created_at: at(10),
        updated_at: at(20),
    };
    assert_eq!((found, foreign, all.len(), &all[0]), (Some(expected.clone()), None, 2, &expected));
    ground.write(move |tx| mappings::delete(tx, id)).await;
    assert_eq!(ground.read(mappings::all).await.len(), 1);
}

async fn settings_are_found_by_prefix(engine: Engine) {
    let ground = Ground::new(engine);
    ground
        .write(|tx| {
            settings::put(tx, "remap:1", b"a")?;
            settings::put(tx, "remap:1", b"b")?;
            settings::put(tx, "remap:2", b"c")?;
            settings::put(tx, "remapped", b"d")?;
            settings::delete(tx, "remap:2")
        })
        .await;
    let free = ground
        .write(|tx| {
            let free = |tx: &mut Tx, value: &[u8]| settings::lock_free(tx, "remap:1", value);
            Ok((free(tx, b"a")?, free(tx, b"b")?))
        })
        .await;
    assert_eq!(free, (false, true), "it is another by now");
    let found = ground.read(|tx| settings::with_prefix(tx, "remap:")).await;
    assert_eq!(found, [("remap:1".to_owned(), b"b".to_vec())]);
    let kept = ground.write(|tx| settings::get_or_insert(tx, "remapped", b"e")).await;
    assert_eq!(kept, b"d");
    let mut locked = Vec::new();
    for (name, value) in [("remap:1", b"b"), ("remap:1", b"a"), ("remap:2", b"c")] {
        locked.push(ground.write(move |tx| settings::lock(tx, name, value)).await);
    }
    assert_eq!(locked, [true, false, false]);
}

/// What an agent is kept as, in a standing.
const AGENT: &str =
    r#"{"agent":{"name":"ChatGPT-User","operator":"OpenAI","verified":null,"purpose":"ANSWER"}}"#;

async fn identities_are_changed_unless_they_moved(engine: Engine) {
    let ground = Ground::new(engine);
    let id = ground.identities(&["ada", "bob"]).await[0];
    let walked = ground.read(|tx| identities::after(tx, 1, 0, 1)).await;
    let version = walked[0].version;
    let (data, external_id) = ("{}".into(), "ada".into());
    assert_eq!(walked, [Walked { id, version, state: vec![1, 2, 3], data, external_id }]);
    let newest = ground.read(|tx| identities::before(tx, 1, i64::MAX, 9)).await;
    assert_eq!(newest.len(), 2);
    assert_eq!(ground.read(move |tx| identities::before(tx, 1, newest[0].id, 9)).await, walked);
    let decided =
        identities::Decided { id, sequence: 0, events: 0, standing: Some(AGENT.to_owned()), decide_at: None };
    let decided = std::sync::Arc::new([decided]);
    ground.write(move |tx| identities::save_decisions(tx, &*decided)).await;
    let with_agent = async |after| ground.read(move |tx| identities::with_agent(tx, 1, after, 9)).await;
    assert_eq!(with_agent(0).await, [(id, AGENT.to_owned())]);
    assert_eq!(with_agent(id).await, []);
    let name = Some("Ada".to_owned());
    let change = move |tx: &mut dregs_server::store::Tx, version| {
        let names = [&Some("Ada".to_owned()), &None, &None];
        identities::change(tx, id, version, true, r#"{"a":1}"#, names, at(50))
    };
    ground.write(move |tx| change(tx, version)).await;
    let moved = ground.store.write(move |tx| match change(tx, version + 1) {
        Err(StoreError::Retry) => Err::<(), _>(StoreError::Broken("moved".into())),
        other => other,
    });
    assert_eq!(format!("{:?}", moved.await), r#"Err(Broken("moved"))"#);
    let found = ground.read(|tx| identities::find(tx, 1, "ada")).await.unwrap();
    assert_eq!((found.disregarded, &found.display_name, found.data.as_str()), (true, &name, r#"{"a":1}"#));
    let renamed = |version, name: &str| {
        let (name, email) = (Some(name.to_owned()), Some("a@b.c".to_owned()));
        identities::Renamed { id, version, name, email, username: None }
    };
    let renamed = [renamed(version, "Ada L"), renamed(version + 1, "late")];
    ground.write(move |tx| identities::rename(tx, &renamed)).await;
    let found = ground.read(|tx| identities::find(tx, 1, "ada")).await.unwrap();
    assert_eq!(
        (found.display_name.as_deref(), found.display_email.as_deref()),
        (Some("Ada L"), Some("a@b.c"))
    );
}

fn key(kind: KeyKind, value: &str) -> HashedKey {
    HashedKey::new(&HASHER, 1, &LinkKey { kind, value: value.into() })
}

async fn a_person_is_forgotten(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let (ada, bob) = (ids[0], ids[1]);
    let (own, shared, ip) =
        (key(KeyKind::Device, "own"), key(KeyKind::Device, "shared"), key(KeyKind::Ip, "ip"));
    let seen = |fingerprint: &str| SeenDevice {
        shard: HASHER.shard(1, &[fingerprint]),
        team_id: 1,
        fingerprint: fingerprint.into(),
        first_at: at(1),
        last_at: at(1),
        ip: None,
        user_agent: None,
    };
    let prints = [seen("own"), seen("shared")];
    let delivery = NewDelivery {
        channel_id: 3,
        event: EventType::IdentityScored,
        subject: Subject::Cycle { identity_id: ada, sequence: 1 },
        about: None,
        trigger: Trigger::Initial,
        created_at: at(1),
        next_attempt_at: at(1),
        leased_to: None,
        by_identity: false,
        trace: None,
    };
    let group = KnownGroup {
        shard: HASHER.shard(1, &["team", "t"]),
        team_id: 1,
        group_type: "team".into(),
        external_id: "t".into(),
        display_name: None,
        data: "{}".into(),
    };
    ground
        .write(move |tx| {
            devices::upsert(tx, &prints)?;
            links::insert(
                tx,
                &[(own, ada, at(1)), (shared, ada, at(1)), (shared, bob, at(1)), (ip, ada, at(1))],
            )?;
            deliveries::insert(tx, std::slice::from_ref(&delivery))?;
            groups::upsert(tx, std::slice::from_ref(&group), at(1))?;
            reviews::insert(tx, 1, ada, None, at(1))?;
            erasure::begin(tx, 1, ada, at(2))?;
            erasure::begin(tx, 1, ada, at(3))
        })
        .await;
    let found = ground
        .read(move |tx| {
            Ok((
                identities::find(tx, 1, "ada")?,
                reviews::of_identity(tx, ada, 9)?,
                erasure::unfinished(tx)?,
                (erasure::is_deleted(tx, ada)?, erasure::is_deleted(tx, bob)?),
                deliveries::of_identity(tx, ada, 0, 9)?.len(),
                groups::ids(tx, 1, &[("team", "t"), ("team", "none")])?.len(),
            ))
        })
        .await;
    assert_eq!(found, (None, vec![], vec![(1, ada)], (true, false), 1, 1));
    let removed = ground
        .write(move |tx| {
            links::remove(tx, &[(ip, ada)])?;
            erasure::remove_events(tx, &[999], &[(1, at(1), 999)])?;
            Ok((
                erasure::remove_told(tx, ada, 9)?,
                erasure::remove_told(tx, ada, 9)?,
                erasure::remove_device(tx, own, "own", ada)?.is_some(),
                erasure::remove_device(tx, shared, "shared", ada)?.is_some(),
            ))
        })
        .await;
    assert_eq!(removed, (1, 0, true, false), "what somebody else uses stays");
    ground.write(move |tx| erasure::finish(tx, ada)).await;
    let (left, holders, described, events, analyses, sessions) = ground
        .read(move |tx| {
            Ok((
                erasure::unfinished(tx)?,
                links::newest_holders(tx, &[own, shared, ip])?,
                links::describe(tx, &[ada, bob])?,
                erasure::events(tx, ada, 9)?,
                analyses::after(tx, ada, 0, 9)?,
                events::sessions(tx, ada, 9)?,
            ))
        })
        .await;
    assert_eq!((left, events, analyses, sessions), (vec![], vec![], vec![], vec![]));
    let holders = holders.into_iter().map(|holder| (holder.key, holder.identity_id));
    assert_eq!(sorted(holders), sorted([(own, ada), (shared, ada), (shared, bob)]));
    let expected = [(ada, "a deleted identity".to_owned(), false), (bob, "bob".to_owned(), false)];
    let described = described.into_iter().map(|found| (found.identity_id, found.id, found.disregarded));
    assert_eq!(sorted(described), sorted(expected));
}

async fn the_audit_log_forgets_a_name(engine: Engine) {
    let ground = Ground::new(engine);
    let entry = |target_id: &'static str| audit_log::NewEntry {
        team_id: 1,
        at: at(5),
        actor_type: "USER",
        actor_id: None,
        actor: "ada@example.com",
        mcp_token: None,
        address: None,
        action: "identity.change",
        target_type: "identity",
        target_id,
        before: Some("{}".into()),
        after: Some("{}".into()),
    };
    ground
        .write(move |tx| {
            audit_log::insert(tx, &entry("bob"))?;
            audit_log::insert(tx, &entry("eve"))?;
            let ban = audit_log::NewEntry { action: audit_log::RING_BANNED, ..entry("bob") };
            audit_log::insert(tx, &ban)?;
            audit_log::forget(tx, 1, "identity", "bob", "deleted-1")?;
            usage::add(tx, &[(1, 2), (2, 3)], at(0))
        })
        .await;
    let (rows, months) = ground
        .read(|tx| {
            let rows =
                tx.query("select target_id, before, after from audit_log order by id", &[], |row| {
                    Ok((
                        row.get::<String>(0)?,
                        row.get::<Option<String>>(1)?.is_some(),
                        row.get::<Option<String>>(2)?.is_some(),
                    ))
                })?;
            Ok((rows, usage::by_team(tx, 0, i64::MAX)?))
        })
        .await;
    // What a ban put on lists stays known, by which it can be undone.
    let (deleted, eve) = ("deleted-1".to_owned(), "eve".to_owned());
    assert_eq!(rows, [(deleted.clone(), false, false), (eve, true, true), (deleted, false, true)]);
    assert_eq!(sorted(months), [(1, 2), (2, 3)]);
}

async fn the_audit_log_knows_what_was_undone(engine: Engine) {
    let ground = Ground::new(engine);
    let entry = |action: &'static str, target_type: &'static str, target_id: String| {
        move |tx: &mut Tx| {
            let target_id = &*target_id;
            let new = audit_log::NewEntry {
                team_id: 1,
                at: at(5),
                actor_type: "USER",
                actor_id: None,
                actor: "ada@example.com",
                mcp_token: None,
                address: None,
                action,
                target_type,
                target_id,
                before: None,
                after: None,
            };
            audit_log::insert(tx, &new)
        }
    };
    let one = ground.write(entry("list.import", "list", "7".into())).await;
    let other = ground.write(entry("list.import", "list", "7".into())).await;
    let undoing = ground.write(entry(audit_log::UNDONE, audit_log::ENTRY, other.to_string())).await;
    let ban = ground.write(entry(audit_log::RING_BANNED, "identity", "eve".into())).await;
    let bans = async |team_id, ms| {
        let found = ground.read(move |tx| audit_log::bans_at(tx, team_id, at(ms))).await;
        found.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!((bans(1, 5).await, bans(1, 4).await, bans(2, 5).await), (vec![ban], vec![], vec![]));
    let undone = async |team_id| {
        let found = ground.read(move |tx| audit_log::undoings(tx, team_id, &[one, other])).await;
        found.into_iter().map(|undoing| (undoing.id, undoing.target_id)).collect::<Vec<_>>()
    };
    assert_eq!((undone(1).await, undone(2).await), (vec![(undoing, other.to_string())], vec![]));
    let found = ground.read(move |tx| audit_log::get(tx, 1, one)).await.unwrap();
    assert_eq!((found.id, &*found.action, found.at), (one, "list.import", at(5)));
    assert_eq!(ground.write(move |tx| audit_log::lock(tx, 1, one)).await, Some(found));
    assert_eq!(ground.read(move |tx| audit_log::get(tx, 2, one)).await, None, "of another team");
    assert_eq!(ground.write(move |tx| audit_log::lock(tx, 2, one)).await, None);
}

async fn the_audit_log_is_searched(engine: Engine) {
    let ground = Ground::new(engine);
    let done = |team_id, when, actor: &'static str, action: &'static str, target_id: &'static str| {
        move |tx: &mut Tx| {
            let entry = audit_log::NewEntry {
                team_id,
                at: at(when),
                actor_type: "USER",
                actor_id: Some(1),
                actor,
                mcp_token: Some("Assistant"),
                address: Some("203.0.113.1".into()),
                action,
                target_type: "channel",
                target_id,
                before: None,
                after: Some("{}".into()),
            };
            audit_log::insert(tx, &entry)
        }
    };
    ground.write(done(1, 10, "ada", "channel.create", "1")).await;
    ground.write(done(1, 20, "bob", "channel.change", "1")).await;
    ground.write(done(1, 30, "ada", "channel.create", "2")).await;
    ground.write(done(2, 40, "eve", "channel.create", "3")).await;
    let text = |text: &str| Some(text.to_owned());
    let any = audit_log::Filter::default;
    let cases = [
        (any(), vec![10, 20, 30]),
        (audit_log::Filter { actor: text("ada"), ..any() }, vec![10, 30]),
        (audit_log::Filter { action: text("channel.change"), ..any() }, vec![20]),
        (audit_log::Filter { target_type: text("user"), ..any() }, vec![]),
        (audit_log::Filter { target_id: text("1"), ..any() }, vec![10, 20]),
        (audit_log::Filter { from: Some(at(20)), to: Some(at(30)), ..any() }, vec![20]),
    ];
    for (filter, expected) in cases {
        let said = format!("{filter:?}");
        let (count, found) = ground
            .read(move |tx| {
                Ok((audit_log::count(tx, 1, &filter, 100)?, audit_log::page(tx, 1, &filter, true, 0, 100)?))
            })
            .await;
        let times: Vec<_> = found.iter().map(|entry| entry.at.as_millis()).collect();
        let expected: Vec<_> = expected.into_iter().map(|when| at(when).as_millis()).collect();
        assert_eq!((count, times), (expected.len() as i64, expected), "{said}");
    }
    let second = ground.read(move |tx| audit_log::page(tx, 1, &any(), false, 1, 1)).await.remove(0);
    let expected = audit_log::Entry {
        id: second.id,
        at: at(20),
        actor_type: "USER".into(),
        actor_id: Some(1),
        actor: "bob".into(),
        mcp_token: Some("Assistant".into()),
        address: text("203.0.113.1"),
        action: "channel.change".into(),
        target_type: "channel".into(),
        target_id: "1".into(),
        before: None,
        after: text("{}"),
    };
    assert_eq!(second, expected);
}

async fn entries_of_datasets_are_kept_by_value(engine: Engine) {
    let ground = Ground::new(engine);
    let team = ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    let entry = move |dataset: &str, value: &str, included| datasets::Entry {
        id: 0,
        team_id: team,
        dataset: dataset.into(),
        value: value.into(),
        included,
        note: Some("why".into()),
        created_at: at(2),
    };
    let insert = async |new: datasets::Entry| {
        let stored = new.clone();
        let id = ground.write(move |tx| datasets::insert(tx, &new)).await;
        datasets::Entry { id, ..stored }
    };
    let second = insert(entry("relay", "b.c", false)).await;
    let first = insert(entry("relay", "a.c", true)).await;
    let other = insert(entry("disposable", "a.c", true)).await;
    let again = ground.store.write(move |tx| datasets::insert(tx, &entry("relay", "a.c", false))).await;
    assert_eq!(format!("{again:?}"), "Err(Conflict)");
    let found = ground.read(move |tx| datasets::of_team(tx, team, "relay")).await;
    assert_eq!(found, [first.clone(), second.clone()]);
    assert_eq!(ground.read(datasets::all).await, [second, first.clone(), other]);
    let counts = [("disposable".to_owned(), 1), ("relay".to_owned(), 2)];
    assert_eq!(ground.read(move |tx| datasets::counts(tx, team)).await, counts);
    let id = first.id;
    assert_eq!(ground.write(move |tx| datasets::delete(tx, team, "disposable", id)).await, None);
    assert_eq!(ground.write(move |tx| datasets::delete(tx, team + 1, "relay", id)).await, None);
    assert_eq!(ground.write(move |tx| datasets::delete(tx, team, "relay", id)).await, Some(first));
    assert_eq!(ground.read(datasets::all).await.len(), 2);
}

#[tokio::test]
async fn pages_that_nothing_uses_any_more_are_overwritten() {
    let (store, folder, _database) = store(Engine::Sqlite);
    let name = |n: i64| format!("marker-{n}");
    store
        .write(move |tx| {
            let value = b"a-secret-of-before ".repeat(160);
            (0..2_000).try_for_each(|n| settings::put(tx, &name(n), &value))
        })
        .await
        .unwrap();
    store.write(move |tx| (0..2_000).try_for_each(|n| settings::delete(tx, &name(n)))).await.unwrap();
    let traces = async || {
        store.empty_log().await.unwrap();
        let files =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()));
        files
            .map(|bytes| memchr::memmem::find_iter(&bytes.unwrap(), b"a-secret-of-before").count())
            .sum::<usize>()
    };
    assert!(traces().await > 1_000, "what is deleted is gone without this, too");
    while store.write(erasure::overwrite_some).await.unwrap() {}
    assert_eq!(traces().await, 0);
    let left = store.read(|tx| {
        tx.find("select name from sqlite_master where name = 'unused_pages'", &[], |row| row.get::<String>(0))
    });
    assert_eq!(left.await.unwrap(), None);
}
