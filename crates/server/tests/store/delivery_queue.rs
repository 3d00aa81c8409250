//! What is to be sent, who does it, and what people do to it meanwhile.

use dregs_core::notify::message::EventType;
use dregs_core::shard;
use dregs_core::time::Timestamp;
use dregs_server::store::attempts::Trigger;
use dregs_server::store::deliveries::{self, Claimed, Delivery, Filter, NewDelivery, Status, Subject};
use dregs_server::store::waiting;
use dregs_server::store::{Result, Tx};
use dregs_server::trace::Context;

use super::deliveries::{Channels, lease, of_cycle};
use super::{MANY, at, set, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_claim_takes_what_is_due_longest_and_leases_it,
    a_lease_that_ran_out_makes_the_next_attempt_a_recovery,
    leases_that_end_within_a_span_can_be_ended,
    concurrent_claims_never_share_a_delivery,
    channels_are_due_when_something_of_theirs_is,
    what_was_taken_and_not_begun_is_given_back,
    what_waits_is_due_earlier_when_a_clock_was_put_back,
    what_cannot_be_sent_is_given_up,
    a_delivery_is_queued_again_unless_an_attempt_is_under_way,
    a_replay_takes_what_is_finished_piece_by_piece,
    what_waits_is_skipped,
    in_order_only_the_first_of_an_identity_is_taken,
    a_channel_is_emptied_piece_by_piece,
);

async fn claim(channels: &Channels, now: i64, limit: i64) -> Vec<Claimed> {
    let first = channels.first;
    channels.ground.write(move |tx| deliveries::claim(tx, first, lease(now, now + 1_000), limit)).await
}

pub fn ids(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|claimed| claimed.id).collect()
}

async fn a_claim_takes_what_is_due_longest_and_leases_it(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[30, 10, 99, 20]).await;
    channels.insert(vec![of_cycle(channels.second, 1, 10)]).await;
    let taken = |id: i64, sequence: i64| Claimed {
        id,
        channel_id: channels.first,
        event: EventType::IdentityScored,
        subject: Subject::Cycle { identity_id: 1, sequence },
        trigger: Trigger::Initial,
        failures: 0,
        trace: None,
    };
    let mut expected = vec![taken(due[1], 2), taken(due[3], 4)];
    expected.sort_by_key(|claimed| claimed.id);
    assert_eq!(claim(&channels, 50, 2).await, expected);
    assert_eq!(claim(&channels, 50, 2).await, [taken(due[0], 1)]);
    assert_eq!(claim(&channels, 50, 2).await, []);
    let leased = channels.find(due[0]).await;
    assert_eq!((leased.leased, leased.next_attempt_at), (true, Some(at(1_050))));
    let trace = Some(Context::root());
    channels.insert(vec![NewDelivery { trace, ..of_cycle(channels.first, 9, 60) }]).await;
    assert_eq!(claim(&channels, 60, 1).await[0].trace, trace, "what it follows from goes with it");
}

async fn a_lease_that_ran_out_makes_the_next_attempt_a_recovery(engine: Engine) {
    let channels = Channels::new(engine).await;
    let born_leased = NewDelivery { leased_to: Some(7), ..of_cycle(channels.first, 1, 100) };
    let retry = NewDelivery { trigger: Trigger::Retry, ..of_cycle(channels.first, 2, 100) };
    let due = channels.insert(vec![born_leased, retry]).await;
    let triggers = |claimed: Vec<Claimed>| set(claimed.iter().map(|c| (c.id, c.trigger.as_text())));
    assert_eq!(triggers(claim(&channels, 99, 9).await), set([]));
    assert_eq!(triggers(claim(&channels, 100, 9).await), set([(due[0], "RECOVERY"), (due[1], "RETRY")]));
    // The end of all leases at once, as at a start on a store that nobody else works on.
    assert_eq!(channels.ground.write(|tx| deliveries::release_leases(tx, at(200))).await, 2);
    assert_eq!(triggers(claim(&channels, 200, 9).await), set([(due[0], "RECOVERY"), (due[1], "RECOVERY")]));
    let waiting = of_cycle(channels.first, 3, 5_000);
    channels.insert(vec![waiting]).await;
    assert_eq!(channels.ground.write(|tx| deliveries::release_leases(tx, at(300))).await, 2);
}

async fn leases_that_end_within_a_span_can_be_ended(engine: Engine) {
    let channels = Channels::new(engine).await;
    let leased = |n, end| NewDelivery { leased_to: Some(7), ..of_cycle(channels.first, n, end) };
    let of_other = NewDelivery { leased_to: Some(7), ..of_cycle(channels.second, 5, 1_500) };
    let retry = of_cycle(channels.first, 4, 1_500);
    let ids =
        channels.insert(vec![leased(1, 1_000), leased(2, 2_000), leased(3, 2_001), retry, of_other]).await;
    let first = channels.first;
    let end = move |tx: &mut Tx| waiting::end_leases(tx, 7, &[first], (at(1_000), at(2_000)), at(900));
    assert_eq!((channels.ground.write(end).await, channels.ground.write(end).await), (2, 0));
    let mut due = Vec::new();
    for id in ids {
        due.push(channels.find(id).await.next_attempt_at);
    }
    assert_eq!(due, [900, 900, 2_001, 1_500, 1_500].map(|millis| Some(at(millis))));
}

async fn what_waits_is_due_earlier_when_a_clock_was_put_back(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[10, 1_500, 3_000]).await;
    channels.ground.write(|tx| waiting::advance(tx, 1_000, at(1_000))).await;
    let mut found = Vec::new();
    for id in due {
        found.push(channels.find(id).await.next_attempt_at);
    }
    assert_eq!(found, [10, 1_000, 2_000].map(|millis| Some(at(millis))));
}

async fn concurrent_claims_never_share_a_delivery(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[7; MANY]).await;
    let first = channels.first;
    let claimed = channels.ground.claim_at_once(move |tx: &mut Tx| {
        let claimed = ids(&deliveries::claim(tx, first, lease(10, 1_000), 25)?);
        assert!(claimed.len() <= 25, "{} were claimed", claimed.len());
        Ok(claimed)
    });
    assert_eq!(claimed.await, sorted(due));
}

async fn channels_are_due_when_something_of_theirs_is(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    channels.insert(vec![of_cycle(first, 1, 10), of_cycle(first, 2, 20), of_cycle(second, 1, 30)]).await;
    for (now, expected) in [(9, vec![]), (10, vec![first]), (29, vec![first]), (30, vec![first, second])] {
        let asked: Vec<_> = [first, second].into_iter().chain(9_000..9_000 + MANY as i64).collect();
        let due = channels.ground.read(move |tx| deliveries::due_channels(tx, &asked, at(now)));
        assert_eq!(sorted(due.await), expected, "at {now}");
    }
    let other = channels.ground.read(move |tx| deliveries::due_channels(tx, &[second], at(29)));
    assert_eq!(other.await, Vec::<i64>::new());
}

async fn what_was_taken_and_not_begun_is_given_back(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[10, 20]).await;
    let before = channels.find(due[0]).await;
    claim(&channels, 50, 9).await;
    let back = due[0];
    channels.ground.write(move |tx| deliveries::give_back(tx, &[back, 99_999], at(60))).await;
    assert_eq!(channels.find(back).await, Delivery { next_attempt_at: Some(at(60)), ..before });
    // No attempt was made, so that the next is no recovery.
    let again = claim(&channels, 60, 9).await;
    assert_eq!((ids(&again), again[0].trigger), (vec![back], Trigger::Initial));
}

async fn what_cannot_be_sent_is_given_up(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[10, 20]).await;
    let before = channels.find(due[0]).await;
    let lost = due[0];
    claim(&channels, 50, 9).await;
    channels.ground.write(move |tx| deliveries::give_up(tx, &[lost], "it is deleted", at(60))).await;
    let expected = Delivery {
        status: Status::Failed,
        next_attempt_at: None,
        completed_at: Some(at(60)),
        error_class: Some("gone".into()),
        error_message: Some("it is deleted".into()),
        ..before
    };
    assert_eq!(channels.find(lost).await, expected);
    assert_eq!(ids(&claim(&channels, 9_999, 9).await), [due[1]]);
}

async fn a_delivery_is_queued_again_unless_an_attempt_is_under_way(engine: Engine) {
    let channels = Channels::new(engine).await;
    let id = channels.due_at(&[10]).await[0];
    let before = channels.find(id).await;
    let requeue =
        |now| channels.ground.write(move |tx| deliveries::requeue(tx, id, Trigger::Resend, at(now)));
    claim(&channels, 10, 9).await;
    assert!(!requeue(20).await);
    channels.ground.write(move |tx| deliveries::give_up(tx, &[id], "it is deleted", at(30))).await;
    assert!(requeue(40).await);
    let expected = Delivery {
        trigger: Trigger::Resend,
        next_attempt_at: Some(at(40)),
        error_class: Some("gone".into()),
        error_message: Some("it is deleted".into()),
        ..before
    };
    assert_eq!(channels.find(id).await, expected);
    assert_eq!(claim(&channels, 40, 9).await[0].trigger, Trigger::Resend);
}

/// Replays up to `limit` finished deliveries after `after`: the last looked at, and how many were taken.
pub fn replay_some(
    tx: &mut Tx,
    channel: i64,
    filter: &Filter,
    after: (Timestamp, i64),
    now: Timestamp,
    limit: i64,
) -> Result<Option<((Timestamp, i64), u64)>> {
    let found = deliveries::finished_some(tx, channel, filter, after, limit)?;
    let ids: Vec<_> = found.iter().map(|one| one.id).collect();
    let taken = deliveries::replay(tx, &ids, now)?;
    Ok(found.last().map(|last| ((last.created_at, last.id), taken)))
}

async fn a_replay_takes_what_is_finished_piece_by_piece(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[10, 20, 30, 40, 50]).await;
    channels.insert(vec![of_cycle(channels.second, 1, 10)]).await;
    let finished = due[..4].to_vec();
    channels.ground.write(move |tx| deliveries::give_up(tx, &finished, "gone", at(60))).await;
    let filter = Filter { from: Some(at(20)), ..Filter::default() };
    let (first, mut after, mut pieces) = (channels.first, (at(0), 0), Vec::new());
    loop {
        let filter = filter.clone();
        let piece = channels.ground.write(move |tx| replay_some(tx, first, &filter, after, at(70), 2));
        let Some((last, taken)) = piece.await else { break };
        after = last;
        pieces.push((last.1, taken));
    }
    assert_eq!(pieces, [(due[2], 2), (due[3], 1)]);
    let mut states = Vec::new();
    for id in due {
        let delivery = channels.find(id).await;
        states.push((delivery.status, delivery.trigger, delivery.next_attempt_at.map(|t| t.as_millis())));
    }
    let replayed = (Status::Pending, Trigger::Replay, Some(70));
    let untouched = [(Status::Failed, Trigger::Initial, None), (Status::Pending, Trigger::Initial, Some(50))];
    assert_eq!(states, [untouched[0], replayed, replayed, replayed, untouched[1]]);
}

async fn what_waits_is_skipped(engine: Engine) {
    let channels = Channels::new(engine).await;
    let due = channels.due_at(&[10, 20, 30]).await;
    let other = channels.insert(vec![of_cycle(channels.second, 1, 10)]).await[0];
    let before = channels.find(due[1]).await;
    let first = channels.first;
    let skip = || channels.ground.write(move |tx| deliveries::skip_some(tx, first, "skipped", at(60), 2));
    assert_eq!([skip().await, skip().await, skip().await], [2, 1, 0]);
    let expected = Delivery {
        status: Status::Failed,
        next_attempt_at: None,
        completed_at: Some(at(60)),
        error_class: Some("skipped".into()),
        error_message: Some("skipped".into()),
        ..before
    };
    assert_eq!(channels.find(due[1]).await, expected);
    assert_eq!(channels.find(other).await.status, Status::Pending);
    assert_eq!(channels.ground.read(deliveries::waiting).await, (1, Some(at(10))));
}

async fn a_channel_is_emptied_piece_by_piece(engine: Engine) {
    let channels = Channels::new(engine).await;
    // Rows of two channels in turn, so that a range of ids has both.
    let (first, second) = (channels.first, channels.second);
    let rows = (1..=3).flat_map(|n| [of_cycle(first, n, 10), of_cycle(second, n, 10)]).collect();
    let all = channels.insert(rows).await;
    channels
        .ground
        .write(move |tx| {
            for id in &all {
                let sql = "insert into attempts
                    (shard, delivery_id, attempt, trigger, status, started_at, duration, payload_size)
                    values ($2, $1, 1, 0, 2, 0, 0, 0)";
                tx.execute(sql, &dregs_server::values![*id, shard::of(*id)])?;
            }
            Ok(())
        })
        .await;
    let delete = || channels.ground.write(move |tx| deliveries::delete_some(tx, first, 2));
    assert_eq!([delete().await, delete().await, delete().await], [2, 1, 0]);
    let left = channels.ground.read(move |tx| {
        let attempts =
            "select count(*) from attempts a join deliveries d on d.shard = a.shard and d.id = a.delivery_id";
        Ok((
            deliveries::count(tx, first, &Filter::default(), 99)?,
            deliveries::count(tx, second, &Filter::default(), 99)?,
            tx.get("select count(*) from attempts", &[], |row| row.get::<i64>(0))?,
            tx.get(attempts, &[], |row| row.get::<i64>(0))?,
        ))
    });
    assert_eq!(left.await, (0, 3, 3, 3));
}

pub fn by_identity(channel_id: i64, identity_id: i64, sequence: i64) -> NewDelivery {
    let subject = Subject::Cycle { identity_id, sequence };
    NewDelivery { subject, by_identity: true, ..of_cycle(channel_id, sequence, 10) }
}

async fn in_order_only_the_first_of_an_identity_is_taken(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    // The second of identity 1 became due before its first, and another channel does not matter.
    let late = NewDelivery { next_attempt_at: at(40), ..by_identity(first, 1, 1) };
    let rows = vec![late, by_identity(first, 1, 2), by_identity(first, 2, 7), by_identity(second, 2, 6)];
    let due = channels.insert(rows).await;
    let claim = |now: i64| {
        let claim = move |tx: &mut Tx| deliveries::claim_in_order(tx, first, lease(now, now + 1_000), 9);
        channels.ground.write(claim)
    };
    assert_eq!(ids(&claim(20).await), [due[2]]);
    assert_eq!(ids(&claim(40).await), [due[0]]);
    assert_eq!(claim(41).await, []);
    let ended = due[0];
    channels.ground.write(move |tx| deliveries::give_up(tx, &[ended], "it is deleted", at(50))).await;
    assert_eq!(ids(&claim(51).await), [due[1]]);
}
