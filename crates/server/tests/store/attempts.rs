use dregs_server::store::attempts::{self, Attempt, AttemptRecord, Detail, Sent, Trigger};
use dregs_server::store::channel_activity::{self, Activity, Sampled};
use dregs_server::store::codec;
use dregs_server::store::deliveries::{self, Delivery, Status};

use super::deliveries::{Channels, lease};
use super::{MANY, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_first_attempt_that_succeeds_is_kept_in_its_delivery,
    every_other_attempt_has_a_row,
    what_is_over_stays_so_whoever_says_late_that_it_failed,
    many_attempts_are_recorded_at_once,
    a_delivery_that_was_attempted_twice_meanwhile_has_both_attempts,
    who_is_done_with_is_known_since_it_was_asked_for_last,
    what_counts_as_no_retry_is_recorded_all_the_same,
    what_became_of_deliveries_is_told_of_an_interval,
);

fn detail(http_status: Option<u16>) -> Detail {
    Detail {
        http_status,
        response_headers: vec![("content-type".into(), "text/plain".into())],
        response_body: "Grüße".into(),
        custom_headers: vec!["x-key".into()],
        settled: Vec::new(),
        request: Some(Sent { headers: vec![("url".into(), "https://h.test".into())], body: "{}".into() }),
        traceparent: None,
    }
}

fn success(delivery_id: i64, trigger: Trigger, started: i64) -> AttemptRecord {
    AttemptRecord {
        delivery_id,
        channel_id: 1,
        trigger,
        started_at: at(started),
        duration_ms: 5,
        http_status: Some(204),
        payload_size: 321,
        error_class: None,
        error_message: None,
        remote_address: Some("192.0.2.1:443".into()),
        detail: codec::pack(codec::Kind::EventOrAttempt, &detail(Some(204))).unwrap(),
        delivery_status: Status::Delivered,
        next_attempt_at: None,
        completed_at: Some(at(started + 5)),
        is_repeated: false,
        was_held: false,
        sign: None,
    }
}

fn failure(delivery_id: i64, trigger: Trigger, started: i64) -> AttemptRecord {
    AttemptRecord {
        http_status: None,
        error_class: Some("timeout"),
        error_message: Some("it took too long".into()),
        remote_address: None,
        detail: codec::pack(codec::Kind::EventOrAttempt, &detail(None)).unwrap(),
        delivery_status: Status::Pending,
        next_attempt_at: Some(at(started + 1_000)),
        completed_at: None,
        ..success(delivery_id, trigger, started)
    }
}

/// The entry of the log that a record becomes.
fn entry(attempt: i64, record: &AttemptRecord) -> Attempt {
    let http_status = record.http_status.map(|status| u16::try_from(status).unwrap());
    Attempt {
        attempt,
        trigger: record.trigger,
        status: if record.is_success() { Status::Delivered } else { Status::Failed },
        started_at: record.started_at,
        duration_ms: record.duration_ms,
        http_status: record.http_status,
        payload_size: record.payload_size,
        error_class: record.error_class.map(str::to_owned),
        error_message: record.error_message.clone(),
        remote_address: record.remote_address.clone(),
        detail: detail(http_status),
    }
}

/// A delivery after its last attempt.
fn after(before: Delivery, attempt_count: i64, record: &AttemptRecord) -> Delivery {
    Delivery {
        status: record.delivery_status,
        trigger: Trigger::Retry,
        attempt_count,
        next_attempt_at: record.next_attempt_at,
        leased: false,
        completed_at: record.completed_at,
        http_status: record.http_status,
        error_class: record.error_class.map(str::to_owned),
        error_message: record.error_message.clone(),
        payload_size: Some(record.payload_size),
        ..before
    }
}

async fn record(channels: &Channels, records: Vec<AttemptRecord>) {
    channels.ground.write(move |tx| deliveries::record(tx, &records)).await;
}

async fn log(channels: &Channels, id: i64) -> Vec<Attempt> {
    channels.ground.read(move |tx| attempts::of_delivery(tx, id)).await
}

async fn rows(channels: &Channels) -> i64 {
    channels.ground.read(|tx| tx.get("select count(*) from attempts", &[], |row| row.get(0))).await
}

async fn a_first_attempt_that_succeeds_is_kept_in_its_delivery(engine: Engine) {
    let channels = Channels::new(engine).await;
    let id = channels.due_at(&[10]).await[0];
    let before = channels.find(id).await;
    assert_eq!(log(&channels, id).await, []);
    let first = success(id, Trigger::Initial, 50);
    record(&channels, vec![first.clone()]).await;
    assert_eq!(channels.find(id).await, after(before.clone(), 1, &first));
    assert_eq!((log(&channels, id).await, rows(&channels).await), (vec![entry(1, &first)], 0));

    // A later attempt has a row, and leaves the first as it was.
    let again = AttemptRecord { http_status: Some(200), ..success(id, Trigger::Resend, 90) };
    record(&channels, vec![again.clone()]).await;
    assert_eq!(channels.find(id).await, after(before, 2, &again));
    let second = Attempt { detail: detail(Some(204)), ..entry(2, &again) };
    assert_eq!((log(&channels, id).await, rows(&channels).await), (vec![entry(1, &first), second], 1));
}

async fn every_other_attempt_has_a_row(engine: Engine) {
    let channels = Channels::new(engine).await;
    let id = channels.due_at(&[10]).await[0];
    let before = channels.find(id).await;
    let made = [
        failure(id, Trigger::Initial, 50),
        failure(id, Trigger::Retry, 60),
        success(id, Trigger::Recovery, 70),
        success(id, Trigger::Replay, 80),
    ];
    let (first, mut failures) = (channels.first, Vec::new());
    for (number, attempt) in (1..).zip(&made) {
        record(&channels, vec![attempt.clone()]).await;
        assert_eq!(channels.find(id).await, after(before.clone(), number, attempt));
        let claim = channels.ground.write(move |tx| deliveries::claim(tx, first, lease(9_000, 9_999), 9));
        failures.push(claim.await.first().map(|claimed| (claimed.failures, claimed.trigger)));
    }
    assert_eq!(failures, [Some((1, Trigger::Retry)), Some((2, Trigger::Retry)), None, None]);
    let entries: Vec<_> = (1..).zip(&made).map(|(number, attempt)| entry(number, attempt)).collect();
    assert_eq!(log(&channels, id).await, entries);

    // Whoever asks again gets the whole schedule again.
    channels.ground.write(move |tx| deliveries::requeue(tx, id, Trigger::Resend, at(100))).await;
    let claimed = channels.ground.write(move |tx| deliveries::claim(tx, first, lease(100, 200), 9)).await;
    assert_eq!((claimed[0].failures, claimed[0].trigger), (0, Trigger::Resend));
}

async fn what_is_over_stays_so_whoever_says_late_that_it_failed(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ids = channels.due_at(&[10, 20]).await;
    let given_up = [ids[1]];
    channels.ground.write(move |tx| deliveries::give_up(tx, &given_up, "gone", at(40))).await;
    record(&channels, vec![success(ids[0], Trigger::Recovery, 50)]).await;
    // Of a node that stood still meanwhile.
    for id in ids {
        let before = channels.find(id).await;
        let late = failure(id, Trigger::Initial, 30);
        record(&channels, vec![late.clone()]).await;
        let count = before.attempt_count + 1;
        let (trigger, payload_size) = (Trigger::Retry, Some(late.payload_size));
        let expected = Delivery { attempt_count: count, trigger, payload_size, ..before };
        assert_eq!(channels.find(id).await, expected);
        assert_eq!(log(&channels, id).await.last(), Some(&entry(count, &late)), "it is in the log");
    }
}

async fn many_attempts_are_recorded_at_once(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ids = channels.due_at(&[5; MANY]).await;
    let made: Vec<_> = (50..)
        .zip(&ids)
        .map(|(time, id)| match id % 2 {
            0 => success(*id, Trigger::Initial, time),
            _ => failure(*id, Trigger::Initial, time),
        })
        // Its delivery has been removed meanwhile.
        .chain([failure(99_999, Trigger::Initial, 7)])
        .collect();
    record(&channels, made.clone()).await;
    for attempt in &made[..MANY] {
        assert_eq!(log(&channels, attempt.delivery_id).await, [entry(1, attempt)]);
    }
    let failed = made[..MANY].iter().filter(|attempt| !attempt.is_success()).count() as i64;
    assert_eq!(rows(&channels).await, failed);
}

async fn a_delivery_that_was_attempted_twice_meanwhile_has_both_attempts(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ids = channels.due_at(&[10, 20]).await;
    let before = channels.find(ids[0]).await;
    let made = [
        failure(ids[0], Trigger::Initial, 50),
        success(ids[1], Trigger::Initial, 51),
        success(ids[0], Trigger::Recovery, 52),
    ];
    record(&channels, made.to_vec()).await;
    assert_eq!(log(&channels, ids[0]).await, [entry(1, &made[0]), entry(2, &made[2])]);
    assert_eq!(log(&channels, ids[1]).await, [entry(1, &made[1])]);
    assert_eq!(channels.find(ids[0]).await, after(before, 2, &made[2]));
}

async fn who_is_done_with_is_known_since_it_was_asked_for_last(engine: Engine) {
    let channels = Channels::new(engine).await;
    let id = channels.due_at(&[10]).await[0];
    let settled = || channels.ground.read(move |tx| attempts::settled(tx, id));
    let with = |trigger, started, who: &[&str]| {
        let settled = who.iter().map(|who| (*who).to_owned()).collect();
        let detail = codec::pack(codec::Kind::EventOrAttempt, &Detail { settled, ..detail(None) }).unwrap();
        AttemptRecord { detail, ..failure(id, trigger, started) }
    };
    assert_eq!(settled().await, Vec::<String>::new());
    record(&channels, vec![with(Trigger::Initial, 50, &["a", "b"]), with(Trigger::Retry, 60, &["c"])]).await;
    assert_eq!(settled().await, ["c", "a", "b"]);
    record(&channels, vec![with(Trigger::Resend, 70, &[]), with(Trigger::Retry, 80, &["d"])]).await;
    assert_eq!(settled().await, ["d"]);
}

async fn what_counts_as_no_retry_is_recorded_all_the_same(engine: Engine) {
    let channels = Channels::new(engine).await;
    let id = channels.due_at(&[10]).await[0];
    let broken = AttemptRecord { is_repeated: true, ..failure(id, Trigger::Initial, 50) };
    let held = AttemptRecord { was_held: true, ..failure(id, Trigger::Probe, 60) };
    record(&channels, vec![broken.clone(), held.clone(), failure(id, Trigger::Retry, 70)]).await;
    assert_eq!(log(&channels, id).await[..2], [entry(1, &broken), entry(2, &held)]);
    let first = channels.first;
    let claim = move |tx: &mut dregs_server::store::Tx| deliveries::claim(tx, first, lease(9_000, 9_999), 1);
    assert_eq!(channels.ground.write(claim).await[0].failures, 1);
}

async fn what_became_of_deliveries_is_told_of_an_interval(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ids = channels.due_at(&[10, 11, 12, 13, 14, 90]).await;
    record(&channels, vec![success(ids[0], Trigger::Initial, 50), failure(ids[1], Trigger::Initial, 50)])
        .await;
    record(&channels, vec![failure(ids[2], Trigger::Initial, 50), success(ids[5], Trigger::Initial, 95)])
        .await;
    record(&channels, vec![success(ids[2], Trigger::Retry, 60)]).await;
    let (lost, first) = ([ids[3]], channels.first);
    channels.ground.write(move |tx| deliveries::give_up(tx, &lost, "gone", at(70))).await;
    let mut told =
        channels.ground.read(move |tx| channel_activity::of_interval(tx, first, at(10), at(90))).await;
    told.sample.sort_by_key(|sampled| sampled.at_once);
    let sampled = |at_once| Sampled { duration_ms: 5, at_once };
    let sample = vec![sampled(false), sampled(false), sampled(true)];
    assert_eq!(told, Activity { delivered: 2, failed: 1, retrying: 1, waiting: 1, sample });
    let before =
        channels.ground.read(move |tx| channel_activity::of_interval(tx, first, at(0), at(10))).await;
    assert_eq!(before, Activity::default());
}
