//! What becomes of deliveries that wait.

use dregs_core::notify::message::EventType;
use dregs_server::store::Tx;
use dregs_server::store::attempts::Trigger;
use dregs_server::store::deliveries::{self, Delivery, Filter, NewDelivery, Status};
use dregs_server::store::waiting;

use super::at;
use super::deliveries::{Channels, lease, of_cycle};
use super::delivery_queue::{by_identity, ids, replay_some};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_newer_score_makes_those_that_wait_needless,
    the_newest_takes_the_place_of_the_first_it_replaces,
    one_score_of_an_identity_is_under_way_at_a_time,
    what_has_waited_too_long_is_given_up_and_can_be_asked_for_again,
    what_waits_for_its_time_is_let_go,
    a_replay_of_all_leaves_out_what_was_replaced,
);

async fn a_newer_score_makes_those_that_wait_needless(engine: Engine) {
    let channels = Channels::new(engine).await;
    let first = channels.first;
    let badges = NewDelivery { event: EventType::IdentityBadgesChanged, ..by_identity(first, 1, 2) };
    let resent = NewDelivery { trigger: Trigger::Resend, ..by_identity(first, 1, 3) };
    let plain = NewDelivery { by_identity: false, ..by_identity(first, 1, 4) };
    let rows =
        [by_identity(first, 1, 1), badges, resent, plain, by_identity(first, 1, 5), by_identity(first, 1, 6)];
    let due = channels.insert([&rows[..], &[by_identity(first, 2, 1)]].concat()).await;
    // It takes those that a switch of the channel finds waiting, too.
    channels.ground.write(move |tx| deliveries::follow_identities(tx, first)).await;
    assert_eq!(channels.ground.write(move |tx| waiting::supersede(tx, first, at(20))).await, 3);
    let mut statuses = Vec::new();
    for id in &due {
        statuses.push(channels.find(*id).await.status.name());
    }
    let expected = ["SUPERSEDED", "PENDING", "PENDING", "SUPERSEDED", "SUPERSEDED", "PENDING", "PENDING"];
    assert_eq!(statuses, expected);
    let needless = channels.find(due[0]).await;
    assert_eq!((needless.completed_at, needless.error_class.as_deref()), (Some(at(20)), Some("superseded")));
}

async fn the_newest_takes_the_place_of_the_first_it_replaces(engine: Engine) {
    let channels = Channels::new(engine).await;
    let first = channels.first;
    let due = |identity, sequence, time| NewDelivery {
        next_attempt_at: at(time),
        ..by_identity(first, identity, sequence)
    };
    // The second has failed once and is due later; it is left alone by what it was due at.
    let rows =
        vec![due(1, 1, 10), due(1, 2, 900), due(1, 3, 30), due(2, 1, 20), due(3, 1, 900), due(3, 2, 40)];
    let ids = channels.insert(rows).await;
    assert_eq!(channels.ground.write(move |tx| waiting::supersede(tx, first, at(50))).await, 3);
    let mut left = Vec::new();
    for id in ids {
        left.push(channels.find(id).await.next_attempt_at.map(|time| time.as_millis()));
    }
    assert_eq!(left, [None, None, Some(10), Some(20), None, Some(40)]);
}

async fn one_score_of_an_identity_is_under_way_at_a_time(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    let badges = NewDelivery { event: EventType::IdentityBadgesChanged, ..by_identity(first, 1, 2) };
    let rows = vec![by_identity(first, 1, 1), by_identity(first, 2, 1), by_identity(second, 1, 3)];
    let due = channels.insert(rows).await;
    let claim = |now: i64| {
        let claim = move |tx: &mut Tx| deliveries::claim_newest(tx, first, lease(now, now + 100), 9);
        channels.ground.write(claim)
    };
    assert_eq!(ids(&claim(20).await), due[..2]);
    let later = channels.insert(vec![badges, by_identity(first, 1, 4), by_identity(first, 3, 1)]).await;
    assert_eq!(ids(&claim(30).await), [later[0], later[2]]);
    let ended = due[0];
    channels.ground.write(move |tx| deliveries::give_up(tx, &[ended], "it is deleted", at(40))).await;
    assert_eq!(ids(&claim(50).await), [later[1]]);
    // A lease that has run out is nobody's.
    let next = channels.insert(vec![by_identity(first, 1, 5)]).await;
    assert_eq!(ids(&claim(60).await), Vec::<i64>::new());
    assert!(ids(&claim(151).await).contains(&next[0]));
}

async fn what_has_waited_too_long_is_given_up_and_can_be_asked_for_again(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    let leased = NewDelivery { leased_to: Some(7), ..of_cycle(first, 4, 10) };
    let retried = NewDelivery { next_attempt_at: at(500), ..of_cycle(first, 5, 10) };
    let rows = vec![of_cycle(first, 1, 10), of_cycle(first, 2, 20), of_cycle(first, 3, 40), leased, retried];
    let due = channels.insert(rows).await;
    let other = channels.insert(vec![of_cycle(second, 1, 10)]).await[0];
    let before = channels.find(due[0]).await;
    let longest = || channels.ground.read(move |tx| waiting::longest(tx, first));
    assert_eq!(channels.ground.read(move |tx| waiting::due_since(tx, second)).await, Some(at(10)));
    assert_eq!(channels.ground.read(|tx| waiting::due_since(tx, 9_999)).await, None);
    let give_up = |since: i64, limit: i64| {
        let give_up = move |tx: &mut Tx| waiting::give_up(tx, first, at(since), "down", at(100), limit);
        channels.ground.write(give_up)
    };
    assert_eq!(longest().await, Some(at(10)));
    assert_eq!([give_up(9, 9).await, give_up(30, 1).await, give_up(30, 9).await], [0, 1, 1]);
    let expected = Delivery {
        status: Status::Failed,
        next_attempt_at: None,
        completed_at: Some(at(100)),
        error_class: Some("held".into()),
        error_message: Some("down".into()),
        ..before
    };
    assert_eq!(channels.find(due[0]).await, expected);
    for id in [due[2], due[3], due[4], other] {
        assert_eq!(channels.find(id).await.status, Status::Pending, "{id}");
    }
    // Whoever asks for them again has them wait as long as new ones.
    let (one, failed) = (due[0], Filter { status: Some(Status::Failed), ..Filter::default() });
    channels.ground.write(move |tx| deliveries::requeue(tx, one, Trigger::Resend, at(200))).await;
    let replay = move |tx: &mut Tx| replay_some(tx, first, &failed, (at(0), 0), at(210), 9);
    assert_eq!(channels.ground.write(replay).await.unwrap().1, 1);
    let give_up = |since: i64| {
        channels.ground.write(move |tx| waiting::give_up(tx, first, at(since), "down", at(300), 9))
    };
    assert_eq!([give_up(199).await, give_up(205).await, give_up(210).await], [1, 1, 1]);
    assert_eq!(longest().await, Some(at(10)));
}

async fn what_waits_for_its_time_is_let_go(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    let leased = NewDelivery { leased_to: Some(7), ..of_cycle(first, 3, 900) };
    let due = channels.insert(vec![of_cycle(first, 1, 10), of_cycle(first, 2, 900), leased]).await;
    let other = channels.insert(vec![of_cycle(second, 1, 900)]).await[0];
    assert_eq!(channels.ground.write(move |tx| waiting::let_go(tx, first, at(50))).await, 1);
    let mut times = Vec::new();
    for id in [due[0], due[1], due[2], other] {
        times.push(channels.find(id).await.next_attempt_at.map(|time| time.as_millis()));
    }
    assert_eq!(times, [Some(10), Some(50), Some(900), Some(900)]);
}

async fn a_replay_of_all_leaves_out_what_was_replaced(engine: Engine) {
    let channels = Channels::new(engine).await;
    let first = channels.first;
    let due = channels.insert(vec![by_identity(first, 1, 1), by_identity(first, 1, 2)]).await;
    channels.ground.write(move |tx| waiting::supersede(tx, first, at(20))).await;
    let failed = due[1];
    channels.ground.write(move |tx| deliveries::give_up(tx, &[failed], "gone", at(30))).await;
    let replay = move |tx: &mut Tx| replay_some(tx, first, &Filter::default(), (at(0), 0), at(40), 9);
    assert_eq!(channels.ground.write(replay).await.unwrap().1, 1);
    assert_eq!(channels.find(due[0]).await.status, Status::Superseded);
}
