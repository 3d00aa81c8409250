//! Counters of teams, and what they have counted.

use dregs_core::counter::{Counter, Function};
use dregs_core::fact::Fact;
use dregs_core::shard;
use dregs_server::store::counter_states::{self, Stored};
use dregs_server::store::counters::{self, Kept};
use dregs_server::store::{StoreError, identities, team_deletion};
use dregs_server::values;

use super::{Ground, MANY, at, first_seen};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_counter_is_kept_as_it_is_said,
    states_are_written_over_what_was_read_and_nothing_else,
    states_go_when_their_time_is_over_and_with_their_team,
    who_is_walked_through_is_not_disregarded,
);

fn kept(team_id: i64, slug: &str) -> Kept {
    let counter = Counter {
        id: 0,
        revision: 1,
        slug: slug.into(),
        name: "Accounts on one device".into(),
        function: Function::Distinct(Fact::Identity),
        per: Fact::Device,
        conditions: serde_json::from_str(r#"[{"type": "EVENT_IS", "events": ["REGISTRATION"]}]"#).unwrap(),
        window_seconds: 3_600,
        counts_from: at(5_000),
        is_ready: false,
    };
    Kept { team_id, counter, created_at: at(1), updated_at: at(1) }
}

async fn a_counter_is_kept_as_it_is_said(engine: Engine) {
    let ground = Ground::new(engine);
    let mut first = kept(1, "one");
    let new = first.clone();
    first.counter.id = ground.write(move |tx| counters::insert(tx, &new)).await;
    let again = kept(1, "one");
    let taken = ground.store.write(move |tx| counters::insert(tx, &again)).await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    let mut other = kept(2, "one");
    other.counter.function = Function::Count;
    let new = other.clone();
    other.counter.id = ground.write(move |tx| counters::insert(tx, &new)).await;
    assert_eq!(ground.read(counters::all).await, [first.clone(), other.clone()]);

    let id = first.counter.id;
    ground
        .write(move |tx| {
            counters::set_ready(tx, id, 1)?;
            counters::rename(tx, id, "Farms", at(2))
        })
        .await;
    (first.counter.name, first.counter.is_ready, first.updated_at) = ("Farms".into(), true, at(2));
    assert_eq!(ground.read(move |tx| counters::find(tx, 1, id)).await, Some(first.clone()));
    assert_eq!(ground.read(move |tx| counters::find(tx, 2, id)).await, None);

    let mut changed = first.clone();
    (changed.counter.function, changed.counter.per) =
        (Function::Sum(Fact::EventData("a.b".into())), Fact::Ip);
    (changed.counter.conditions, changed.counter.window_seconds) = (Vec::new(), 60);
    (changed.counter.counts_from, changed.updated_at) = (at(9_000), at(3));
    let update = changed.clone();
    ground
        .write(move |tx| {
            counters::update(tx, &update)?;
            // What was built is the past of before.
            counters::set_ready(tx, id, 1)
        })
        .await;
    (changed.counter.revision, changed.counter.is_ready) = (2, false);
    assert_eq!(ground.read(move |tx| counters::find(tx, 1, id)).await, Some(changed));
    ground.write(move |tx| counters::delete(tx, id)).await;
    assert_eq!(ground.read(counters::all).await, [other]);
}

fn state(key: (i64, i64), version: i64, expires: i64, byte: u8) -> Stored {
    Stored { key, version, expires_at: at(expires), state: vec![byte; 3] }
}

async fn states_are_written_over_what_was_read_and_nothing_else(engine: Engine) {
    let ground = Ground::new(engine);
    let many = i64::try_from(MANY).unwrap();
    let all: Vec<_> = (0..many).map(|n| state((1, n - 7), 0, n, 1)).collect();
    let new = all.clone();
    ground.write(move |tx| counter_states::save(tx, &new)).await;
    let keys = [(1, 5), (2, 5), (1, many)];
    let found = ground.read(move |tx| counter_states::load(tx, &keys)).await;
    assert_eq!(found, [state((1, 5), 1, 12, 1)]);
    let found = ground.write(move |tx| counter_states::load_to_write(tx, &keys)).await;
    assert_eq!(found, [state((1, 5), 1, 12, 1)]);

    // Of two who have read the same, and of two who have found nothing, one writes.
    for (one, other) in [
        (state((1, 5), 1, 12, 2), state((1, 5), 1, 12, 3)),
        (state((2, 5), 0, 12, 2), state((2, 5), 0, 12, 3)),
    ] {
        let key = one.key;
        ground.write(move |tx| counter_states::save(tx, std::slice::from_ref(&one))).await;
        // It is run again for as long as it loses.
        let mut runs = 0;
        let lost = ground.store.write(move |tx| {
            runs += 1;
            if runs > 1 {
                Ok(false)
            } else {
                counter_states::save(tx, std::slice::from_ref(&other)).map(|()| true)
            }
        });
        assert!(!lost.await.unwrap_or(false), "{key:?}");
        let found = ground.read(move |tx| counter_states::load(tx, &[key])).await;
        assert_eq!(found[0].state, [2; 3]);
    }
}

async fn states_go_when_their_time_is_over_and_with_their_team(engine: Engine) {
    let ground = Ground::new(engine);
    let all =
        [state((1, -9), 0, 10, 1), state((1, 4), 0, 20, 1), state((2, 1), 0, 10, 1), state((3, 0), 0, 30, 1)];
    ground.write(move |tx| counter_states::save(tx, &all)).await;
    let page = |after, limit| ground.read(move |tx| counter_states::after(tx, after, limit));
    assert_eq!(page((i64::MIN, i64::MIN), 2).await, [((1, -9), at(10)), ((1, 4), at(20))]);
    assert_eq!(page((1, 4), 9).await, [((2, 1), at(10)), ((3, 0), at(30))]);
    // One of them has been written again since it was looked at.
    let keys = [(1, -9), (1, 4), (2, 1)];
    assert_eq!(ground.write(move |tx| counter_states::remove_expired(tx, &keys, at(10))).await, 2);
    assert_eq!(page((i64::MIN, i64::MIN), 9).await, [((1, 4), at(20)), ((3, 0), at(30))]);
    assert_eq!(ground.read(|tx| counter_states::of_team(tx, 1, 9)).await, [(1, 4)]);
    assert_eq!(ground.write(|tx| counter_states::remove(tx, &[(1, 4), (1, 5)])).await, 1);
    let new = kept(3, "gone");
    ground.write(move |tx| counters::insert(tx, &new)).await;
    while ground.write(|tx| team_deletion::remove_some(tx, 3, 100)).await > 0 {}
    assert_eq!(page((i64::MIN, i64::MIN), 9).await, []);
    assert_eq!(ground.read(counters::all).await, []);
}

async fn who_is_walked_through_is_not_disregarded(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob", "eve"]).await;
    let others = [first_seen(2, "ada")];
    ground.write(move |tx| identities::save_tracked(tx, &others)).await;
    let bob = ids[1];
    let disregard = "update identities set disregarded = 1 where shard = $2 and id = $1";
    ground.write(move |tx| tx.execute(disregard, &values![bob, shard::of(bob)])).await;
    let mut found = Vec::new();
    let mut after = 0;
    while let Some(one) = ground.read(move |tx| counters::walk(tx, 1, after, 1)).await.pop() {
        after = one.id;
        found.push((one.external_id, one.state, one.data));
    }
    found.sort();
    let of = |name: &str| (name.to_owned(), vec![1, 2, 3], "{}".to_owned());
    assert_eq!(found, [of("ada"), of("eve")]);
    let some = [ids[0], bob, -1];
    let among = ground.read(move |tx| counters::walk_among(tx, &some)).await;
    let among: Vec<_> = among.into_iter().map(|one| (one.id, one.external_id, one.state, one.data)).collect();
    assert_eq!(among, [(ids[0], "ada".to_owned(), vec![1, 2, 3], "{}".to_owned())]);
}
