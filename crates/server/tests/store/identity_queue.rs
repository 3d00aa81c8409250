//! Who is to be scored, and who does it.

use dregs_server::store::claims::Due;
use dregs_server::store::identities::{self, CycleEnd, TrackedWrite};
use dregs_server::store::marks;
use dregs_server::store::{Result, Tx};

use super::{Ground, MANY, at, first_seen, keys, scores, set, sorted};
use crate::on_both_engines;
use crate::support::engine::{Engine, is_spread};

on_both_engines!(
    whoever_is_held_by_another_is_marked_later_and_nobody_waits,
    a_claim_takes_who_is_due_longest_and_leases_them,
    concurrent_claims_never_share_an_identity,
    leases_that_end_within_a_span_can_be_ended,
    who_is_given_back_is_due_as_before,
    who_waits_is_due_earlier_when_a_clock_was_put_back,
    who_is_marked_keeps_the_place_or_waits_for_the_least_time_between_cycles,
);

/// Stores identities that are due at these times; the answer is their row ids.
async fn due_at(ground: &Ground, times: &[i64]) -> Vec<i64> {
    let name = |index: usize| format!("user {index:04}");
    let writes: Vec<_> = (0..times.len())
        .map(|index| TrackedWrite { evaluate_at: at(times[index]), ..first_seen(1, &name(index)) })
        .collect();
    let mut inserted = ground.write(move |tx| identities::save_tracked(tx, &writes)).await;
    inserted.sort_by(|a, b| a.1.cmp(&b.1));
    inserted.into_iter().map(|(_, _, id)| id).collect()
}

async fn a_claim_takes_who_is_due_longest_and_leases_them(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = due_at(&ground, &[30, 10, 99, 20]).await;
    let claim =
        |now, until, limit| ground.write(move |tx| identities::claim_due(tx, at(now), at(until), limit));
    assert_eq!(ground.read(identities::waiting).await, (4, Some(at(10))));
    assert_eq!(set(claim(50, 1_000, 2).await), set([ids[1], ids[3]]));
    assert_eq!(claim(50, 1_000, 2).await, [ids[0]]);
    assert_eq!(claim(50, 1_000, 2).await, Vec::<i64>::new());
    assert_eq!(ground.read(identities::waiting).await, (4, Some(at(99))));
    // A lease ends by itself, or all of them at once.
    assert_eq!(claim(999, 2_000, 9).await, [ids[2]]);
    assert_eq!(set(claim(1_000, 2_000, 9).await), set([ids[0], ids[1], ids[3]]));
    assert_eq!(ground.write(|tx| identities::release_leases(tx, at(1_500))).await, 4);
    assert_eq!(sorted(claim(1_500, 2_000, 9).await), sorted(ids));
}

async fn leases_that_end_within_a_span_can_be_ended(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = due_at(&ground, &[10, 1_000, 1_500, 2_000, 2_001]).await;
    let end = |now| ground.write(move |tx| identities::end_leases(tx, (at(1_000), at(2_000)), at(now)));
    // What is due by then is due as it was.
    assert_eq!((end(1_000).await, end(1_000).await), (2, 0));
    let claimed = ground.write(|tx| identities::claim_due(tx, at(1_000), at(9_000), 9)).await;
    assert_eq!(set(claimed), set(ids[..4].to_vec()));
}

async fn who_waits_is_due_earlier_when_a_clock_was_put_back(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = due_at(&ground, &[10, 1_500, 3_000]).await;
    ground.write(|tx| identities::advance(tx, 1_000, at(1_000))).await;
    let claimed = |now| ground.write(move |tx| identities::claim_due(tx, at(now), at(9_000), 9));
    assert_eq!(set(claimed(1_000).await), set(ids[..2].to_vec()));
    assert_eq!((claimed(1_999).await, claimed(2_000).await), (vec![], vec![ids[2]]));
}

async fn who_is_given_back_is_due_as_before(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = due_at(&ground, &[10, 20]).await;
    ground.write(|tx| identities::claim_due(tx, at(50), at(1_000), 9)).await;
    let dues = [Due { at: at(20), identity_id: ids[1] }, Due { at: at(20), identity_id: 9_999 }];
    ground.write(move |tx| identities::give_back(tx, &dues)).await;
    assert_eq!(ground.write(|tx| identities::claim_due(tx, at(50), at(1_000), 9)).await, [ids[1]]);
}

async fn concurrent_claims_never_share_an_identity(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = due_at(&ground, &[7; MANY]).await;
    let claimed = ground.claim_at_once(|tx: &mut Tx| {
        let claimed = identities::claim_due(tx, at(10), at(1_000), 25)?;
        assert!(claimed.len() <= 25, "{} were claimed", claimed.len());
        Ok(claimed)
    });
    assert_eq!(claimed.await, sorted(ids));
}

async fn who_is_marked_keeps_the_place_or_waits_for_the_least_time_between_cycles(engine: Engine) {
    let ground = Ground::new(engine);
    let names = ["waiting", "scored lately", "scored long ago", "not marked"];
    let ids = ground.identities(&names).await;
    let end = |id, finished: i64| CycleEnd {
        id,
        version: 1,
        sequence: 0,
        scores: scores(1),
        finished_at: at(finished),
        standing: None,
        decide_at: None,
        events: 0,
        next_at: at(0),
        trace: Default::default(),
        decide_trace: None,
    };
    let ends = [end(ids[1], 4_500), end(ids[2], 2_000), end(ids[3], 4_500)];
    ground.write(move |tx| identities::save_cycles(tx, &ends)).await;
    let marked = ids[..3].to_vec();
    ground.write(move |tx| marks::mark_dirty(tx, &marked, at(5_000), 1_000)).await;
    let rows = ground.read(move |tx| identities::load_tracked(tx, &keys(&names))).await;
    let of = |name: &str| {
        let row = rows.iter().find(|row| row.external_id == name).unwrap();
        (row.version, row.evaluate_at)
    };
    let expected = [(2, Some(at(100))), (3, Some(at(5_500))), (3, Some(at(5_000))), (2, None)];
    assert_eq!(names.map(of), expected);
}

async fn whoever_is_held_by_another_is_marked_later_and_nobody_waits(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob", "eve"]).await;
    let version = move |tx: &mut Tx, id: i64| {
        let sql = "select version from identities where shard = $1 and id = $2";
        tx.get(sql, &dregs_server::values![dregs_core::shard::of(id), id], |row| row.get::<i64>(0))
    };
    let versions = async || {
        let ids = ids.clone();
        ground.read(move |tx| ids.iter().map(|id| version(tx, *id)).collect::<Result<Vec<_>>>()).await
    };
    let mark = || {
        let ids = ids.clone();
        ground.write(move |tx| marks::mark_free(tx, &ids, at(5_000), 1_000))
    };
    mark().await;
    assert_eq!(versions().await, [2, 2, 2]);
    assert_eq!(ground.write(|tx| marks::mark_later(tx, at(5_000), 1_000, 9)).await, 0);
    // SQLite has one writer.
    if engine == Engine::Sqlite || is_spread(engine) {
        return;
    }
    let (held, is_held) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (bob, mut held, released) = (ids[1], Some(held), std::sync::Mutex::new(released));
    let holding = ground.write(move |tx| {
        marks::mark_dirty(tx, &[bob], at(5_000), 1_000)?;
        if let Some(held) = held.take() {
            held.send(()).unwrap();
        }
        released.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let meanwhile = async {
        is_held.await.unwrap();
        mark().await;
        assert_eq!(versions().await, [3, 2, 3]);
        release.send(()).unwrap();
    };
    tokio::join!(holding, meanwhile);
    assert_eq!(versions().await, [3, 3, 3]);
    assert_eq!(ground.write(|tx| marks::mark_later(tx, at(5_000), 1_000, 9)).await, 1);
    assert_eq!(versions().await, [3, 4, 3]);
}
