use dregs_core::notify::breaker::Breaker;
use dregs_core::notify::filter::{ChannelFilter, Scored};
use dregs_core::notify::message::EventType;
use dregs_core::rules::{Condition, Which};
use dregs_server::store::Tx;
use dregs_server::store::channel_health::{self, Health};
use dregs_server::store::channels::{self, Channel, ChannelSecret};
use dregs_server::store::notifications::{self, Notification};

use super::{Ground, at, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    channels_come_back_as_they_were_stored_and_changed,
    a_filter_comes_back_and_what_it_leaves_out_adds_up,
    a_configuration_is_replaced_unless_it_has_changed,
    of_a_channel_that_fails_the_others_are_told,
    the_health_of_a_channel_is_kept_until_it_works,
    secrets_sign_from_their_making_to_their_end,
    notifications_come_back_as_they_were_stored,
);

async fn team(ground: &Ground, name: &'static str) -> i64 {
    ground.write(move |tx| dregs_server::store::users::insert_team(tx, name, at(1))).await
}

fn channel(team_id: i64, slug: &str, events: &[EventType]) -> Channel {
    Channel {
        id: 0,
        team_id,
        channel_type: "WEBHOOK".into(),
        name: format!("Channel {slug}"),
        slug: slug.into(),
        enabled: true,
        events: events.iter().copied().collect(),
        config: r#"{"url":"https://example.com"}"#.into(),
        by_identity: false,
        filter: ChannelFilter::default(),
        left_out: 0,
        disabled_reason: None,
        created_at: at(10),
        updated_at: at(10),
    }
}

fn subscriber(channel: &Channel) -> channels::Subscriber {
    channels::Subscriber {
        channel_id: channel.id,
        slug: channel.slug.clone(),
        enabled: channel.enabled,
        by_identity: channel.by_identity,
        filter: Some(channel.filter.clone()).filter(|filter| !filter.is_open()),
    }
}

async fn insert(ground: &Ground, channel: Channel) -> Channel {
    let stored = channel.clone();
    let id = ground.write(move |tx| channels::insert(tx, &stored)).await;
    Channel { id, ..channel }
}

async fn a_filter_comes_back_and_what_it_leaves_out_adds_up(engine: Engine) {
    let ground = Ground::new(engine);
    let team = team(&ground, "ours").await;
    let filter = ChannelFilter {
        conditions: vec![Condition::BadgeExists { badge: "vip".into() }],
        scored: Scored::Crossed { category: Which::Any, threshold: 50 },
    };
    let new = Channel { filter: filter.clone(), ..channel(team, "some", &[EventType::IdentityScored]) };
    let some = insert(&ground, new).await;
    let all = insert(&ground, channel(team, "all", &[EventType::IdentityScored])).await;
    let told = ground.read(move |tx| channels::subscribers(tx, team, EventType::IdentityScored)).await;
    assert_eq!(told, [subscriber(&some), subscriber(&all)]);
    let (id, other) = (some.id, all.id);
    for counts in [vec![(id, 3)], vec![], vec![(other, 1), (id, 2)]] {
        let counts = counts.into_iter().collect();
        ground.write(move |tx| channels::leave_out(tx, &counts)).await;
    }
    let left_out = ground.read(move |tx| channels::of_team(tx, team)).await;
    assert_eq!(left_out.iter().map(|one| (one.id, one.left_out)).collect::<Vec<_>>(), [(id, 5), (other, 1)]);
    assert_eq!(left_out[0], Channel { left_out: 5, ..some.clone() });
    // One that a newer version wrote, and this one does not know, lets everything through.
    let unknown = "update channels set filter = '{\"scored\":{\"when\":\"SOMETIMES\"}}'";
    ground.write(move |tx| tx.execute(unknown, &[])).await;
    let told = ground.read(move |tx| channels::subscribers(tx, team, EventType::IdentityScored)).await;
    assert!(told.iter().all(|to| to.filter.as_ref().is_some_and(ChannelFilter::is_open)));
    let open = Channel { filter: ChannelFilter::default(), ..some };
    ground.write(move |tx| channels::update(tx, &open)).await;
    let told = ground.read(move |tx| channels::subscribers(tx, team, EventType::IdentityScored)).await;
    assert_eq!(told[0].filter, None);
    ground.write(move |tx| channels::delete(tx, id)).await;
    let count = "select count(*) from channel_left_out";
    assert_eq!(ground.read(move |tx| tx.get(count, &[], |row| row.get::<i64>(0))).await, 1);
}

async fn a_configuration_is_replaced_unless_it_has_changed(engine: Engine) {
    let ground = Ground::new(engine);
    let team = team(&ground, "ours").await;
    let first = insert(&ground, channel(team, "first", &[])).await;
    let second = insert(&ground, channel(team, "second", &[])).await;
    let (id, before) = (first.id, first.config.clone());
    ground.write(move |tx| channels::replace_config(tx, id, "{}", "never")).await;
    ground.write(move |tx| channels::replace_config(tx, id, &before, "sealed")).await;
    let replaced = Channel { config: "sealed".into(), ..first };
    assert_eq!(ground.read(channels::all).await, [replaced, second]);
}

async fn channels_come_back_as_they_were_stored_and_changed(engine: Engine) {
    use EventType::{ChannelTest, EscalationOpened, IdentityScored};
    let ground = Ground::new(engine);
    let (ours, theirs) = (team(&ground, "ours").await, team(&ground, "theirs").await);
    let first = insert(&ground, channel(ours, "first", &[IdentityScored, EscalationOpened])).await;
    let second = insert(&ground, channel(ours, "second", &[ChannelTest])).await;
    // A slug is taken within its team only.
    let foreign = insert(&ground, channel(theirs, "first", &[IdentityScored])).await;
    let taken = channel(ours, "first", &[]);
    let taken = ground.store.write(move |tx| channels::insert(tx, &taken)).await;
    assert_eq!(format!("{taken:?}"), "Err(Conflict)");

    let (id, foreign_id) = (first.id, foreign.id);
    let lists = ground
        .read(move |tx| {
            Ok((
                [channels::find(tx, ours, id)?, channels::find(tx, ours, foreign_id)?],
                channels::of_team(tx, ours)?,
                channels::all(tx)?,
                channels::subscribers(tx, ours, IdentityScored)?,
                channels::subscribers(tx, ours, EventType::EscalationClosed)?,
                channels::subscribers_of_any(tx, ours, first.events)?,
            ))
        })
        .await;
    let both = vec![first.clone(), second.clone()];
    let all = vec![first.clone(), second.clone(), foreign.clone()];
    assert_eq!(
        lists,
        (
            [Some(first.clone()), None],
            both,
            all,
            vec![subscriber(&first)],
            vec![],
            vec![(first.events, subscriber(&first))]
        )
    );
    assert_eq!(Vec::from_iter(first.events.iter()), [IdentityScored, EscalationOpened]);

    let changed = Channel {
        name: "Renamed".into(),
        slug: "renamed".into(),
        enabled: false,
        events: [IdentityScored].into_iter().collect(),
        config: "{}".into(),
        by_identity: true,
        disabled_reason: Some("gone".into()),
        updated_at: at(20),
        ..second.clone()
    };
    let written = changed.clone();
    ground.write(move |tx| channels::update(tx, &written)).await;
    ground.write(move |tx| channels::insert_secret(tx, id, b"sealed", at(1))).await;
    ground.write(move |tx| channels::unsubscribe(tx, id)).await;
    assert_eq!(
        ground.read(move |tx| channels::subscribers(tx, ours, IdentityScored)).await,
        [subscriber(&changed)]
    );
    ground.write(move |tx| channels::delete(tx, id)).await;
    let left = ground
        .read(move |tx| {
            Ok((
                channels::of_team(tx, ours)?,
                channels::subscribers(tx, ours, IdentityScored)?,
                channels::secrets(tx, id)?,
            ))
        })
        .await;
    assert_eq!(left, (vec![changed.clone()], vec![subscriber(&changed)], vec![]));
}

async fn of_a_channel_that_fails_the_others_are_told(engine: Engine) {
    let ground = Ground::new(engine);
    let (ours, theirs) = (team(&ground, "ours").await, team(&ground, "theirs").await);
    let event = EventType::ChannelFailing;
    let of_type = |channel_type: &str, channel| Channel { channel_type: channel_type.into(), ..channel };
    let failing = insert(&ground, of_type("SLACK", channel(ours, "failing", &[event]))).await;
    let mail = insert(&ground, of_type("EMAIL", channel(ours, "mail", &[]))).await;
    let hook = insert(&ground, channel(ours, "hook", &[event])).await;
    insert(&ground, channel(ours, "deaf", &[EventType::ChannelDisabled])).await;
    insert(&ground, channel(theirs, "hook", &[event])).await;
    let (id, mail_id) = (failing.id, mail.id);
    let told = move |tx: &mut Tx| channels::told_of_failing(tx, ours, id, event);
    assert_eq!(ground.read(told).await, [subscriber(&mail), subscriber(&hook)]);

    let disabled = ground.write(move |tx| channels::disable(tx, mail_id, "it failed", at(30))).await;
    let again = ground.write(move |tx| channels::disable(tx, mail_id, "again", at(40))).await;
    assert_eq!((disabled, again), (true, false));
    let found = ground.read(move |tx| channels::find_any(tx, mail_id)).await;
    let reason = Some("it failed".to_owned());
    assert_eq!(found, Some(Channel { enabled: false, disabled_reason: reason, updated_at: at(30), ..mail }));
    assert_eq!(ground.read(told).await, [subscriber(&hook)]);
}

async fn the_health_of_a_channel_is_kept_until_it_works(engine: Engine) {
    let ground = Ground::new(engine);
    assert_eq!(ground.write(|tx| channel_health::take(tx, 7)).await, Health::default());
    let breaker = Breaker {
        failures: 12,
        failing_since: Some(at(1)),
        open_until: Some(at(2)),
        pauses: 3,
        warned_percent: 80,
    };
    let health = Health { breaker, last_error: "timed out".into() };
    let written = health.clone();
    ground.write(move |tx| channel_health::save(tx, 7, &written)).await;
    assert_eq!(ground.write(|tx| channel_health::take(tx, 7)).await, health);
    assert_eq!(ground.read(channel_health::all).await, [(7, health.clone())]);
    // A clock was put back: what began before that time stays.
    let later = Breaker { failing_since: Some(at(1)), open_until: Some(at(1_002)), ..breaker };
    let written = Health { breaker: later, ..health.clone() };
    ground.write(move |tx| channel_health::save(tx, 7, &written)).await;
    ground.write(|tx| channel_health::advance(tx, 1_000, at(1))).await;
    assert_eq!(ground.read(channel_health::all).await, [(7, health.clone())]);
    // A pause that is over stays over.
    for (ended_at, open_until, pauses) in [(3, 2, 3), (1, 1, 2)] {
        ground.write(move |tx| channel_health::end_pause(tx, 7, at(ended_at))).await;
        let breaker = Breaker { open_until: Some(at(open_until)), pauses, ..breaker };
        let expected = Health { breaker, ..health.clone() };
        assert_eq!(ground.read(channel_health::all).await, [(7, expected)]);
    }
    ground.write(|tx| channel_health::clear(tx, 7)).await;
    assert_eq!(ground.read(channel_health::all).await, []);
}

async fn secrets_sign_from_their_making_to_their_end(engine: Engine) {
    let ground = Ground::new(engine);
    let team = team(&ground, "ours").await;
    let channel_id = insert(&ground, channel(team, "first", &[])).await.id;
    let other_id = insert(&ground, channel(team, "second", &[])).await.id;
    // Two rotations: the second ends the first's overlap early, and leaves what ended before.
    ground
        .write(move |tx| {
            channels::insert_secret(tx, channel_id, b"one", at(0))?;
            channels::insert_secret(tx, other_id, b"other", at(0))?;
            channels::expire_secrets(tx, channel_id, at(100))?;
            channels::insert_secret(tx, channel_id, b"two", at(10))?;
            channels::expire_secrets(tx, channel_id, at(200))?;
            channels::insert_secret(tx, channel_id, b"three", at(20))
        })
        .await;
    let secret = |secret: &[u8], created: i64, expires: Option<i64>| ChannelSecret {
        channel_id,
        secret: secret.to_vec(),
        created_at: at(created),
        expires_at: expires.map(at),
    };
    let all = vec![secret(b"three", 20, None), secret(b"two", 10, Some(200)), secret(b"one", 0, Some(100))];
    assert_eq!(ground.read(move |tx| channels::secrets(tx, channel_id)).await, all);

    let signing = |time: i64| {
        all.iter().filter(move |secret| secret.signs_at(at(time))).map(|secret| secret.created_at.as_millis())
    };
    for (time, expected) in
        [(0, vec![0]), (19, vec![10, 0]), (99, vec![20, 10, 0]), (100, vec![20, 10]), (200, vec![20])]
    {
        assert_eq!(Vec::from_iter(signing(time)), expected, "at {time}");
        let current = ground.read(move |tx| channels::current_secrets(tx, at(time))).await;
        let of_channel =
            current.into_iter().filter(|s| s.channel_id == channel_id && s.created_at <= at(time));
        assert_eq!(Vec::from_iter(of_channel.map(|s| s.created_at.as_millis())), expected, "at {time}");
    }
    let everything = ground.read(channels::all_secrets).await;
    let of_channel: Vec<_> = everything.iter().filter(|one| one.channel_id == channel_id).cloned().collect();
    assert_eq!((everything.len(), of_channel), (4, all));
    ground.write(move |tx| channels::delete_secrets(tx, channel_id)).await;
    let left = ground.read(channels::all_secrets).await;
    assert_eq!(left.iter().map(|one| one.channel_id).collect::<Vec<_>>(), [other_id]);
}

async fn notifications_come_back_as_they_were_stored(engine: Engine) {
    let ground = Ground::new(engine);
    let mut stored = Vec::new();
    for (time, event) in [(5, EventType::ChannelTest), (6, EventType::EscalationOpened)] {
        let id =
            ground.write(move |tx| notifications::insert(tx, 1, event, at(time), r#"{"test":true}"#)).await;
        let data = r#"{"test":true}"#.to_owned();
        stored.push(Notification {
            id,
            event,
            identity_id: None,
            sequence: None,
            occurred_at: at(time),
            data,
        });
    }
    let ids: Vec<_> = stored.iter().map(|notification| notification.id).chain([99_999]).collect();
    let mut loaded = ground.read(move |tx| notifications::load(tx, &ids)).await;
    loaded.sort_by_key(|notification| notification.id);
    assert_eq!(loaded, stored);
    assert_eq!(sorted(stored.iter().map(|n| n.id)).len(), 2);
}
