use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dregs_core::score::Scores;
use dregs_server::store::StoreError;
use dregs_server::store::identities::{self, CycleEnd, CycleStart, Decided, Identity, Tracked, TrackedWrite};
use dregs_server::store::marks;
use dregs_server::trace::context::{Causes, Context};
use futures_util::future::join_all;

use super::{Ground, MANY, at, first_seen, keys, scores, set};
use crate::on_both_engines;
use crate::support::engine::Engine;

/// Writes that are asked for before the first has ended.
const AT_ONCE: usize = 40;

on_both_engines!(
    an_identity_comes_back_as_ingest_left_it,
    a_write_that_was_overtaken_is_refused,
    whoever_is_held_before_a_write_is_not_overtaken,
    a_cycle_writes_scores_unless_it_was_overtaken,
    what_is_traced_is_known_until_its_cycle_and_its_decision,
);

async fn an_identity_comes_back_as_ingest_left_it(engine: Engine) {
    let ground = Ground::new(engine);
    let named = TrackedWrite {
        display_name: Some("Ada".into()),
        display_email: Some("ada@example.com".into()),
        ..first_seen(1, "ada")
    };
    let writes: Vec<_> =
        (0..MANY).map(|n| first_seen(1, &format!("user {n}"))).chain([named, first_seen(2, "ada")]).collect();
    let inserted = ground.write(move |tx| identities::save_tracked(tx, &writes)).await;
    assert_eq!((inserted.len(), set(inserted.iter().map(|(_, _, id)| *id)).len()), (MANY + 2, MANY + 2));
    let id = inserted.iter().find(|(team, name, _)| (*team, name.as_str()) == (1, "ada")).unwrap().2;

    let tracked = Tracked {
        id,
        team_id: 1,
        external_id: "ada".into(),
        version: 1,
        last_scored_at: None,
        evaluate_at: Some(at(100)),
        state: vec![1, 2, 3],
        data: "{}".into(),
        disregarded: false,
        trace: Default::default(),
    };
    let load = |tx: &mut dregs_server::store::Tx| {
        identities::load_tracked(tx, &[keys(&["ada", "nobody"]), vec![(0, 3, "ada")]].concat())
    };
    assert_eq!(ground.read(load).await, std::slice::from_ref(&tracked));
    let states = ground.read(move |tx| identities::states(tx, &[id, 99_999])).await;
    assert_eq!(states, [(id, vec![1, 2, 3])]);
    let names: Vec<_> = (0..MANY).map(|n| format!("user {n}")).collect();
    let many = move |tx: &mut dregs_server::store::Tx| {
        identities::load_tracked(tx, &keys(&names.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    assert_eq!(ground.read(many).await.len(), MANY);
    let one = |name| ground.read(move |tx| identities::tracked(tx, 1, name));
    assert_eq!((one("ada").await, one("nobody").await), (Some(tracked.clone()), None));

    let changed = TrackedWrite {
        row: Some((id, 1)),
        tracked_at: at(200),
        first_seen_at: at(50),
        evaluate_at: at(250),
        display_username: Some("ada99".into()),
        state: vec![4],
        data: r#"{"a":1}"#.into(),
        ..first_seen(1, "ada")
    };
    assert_eq!(
        ground.write(move |tx| identities::save_tracked(tx, std::slice::from_ref(&changed))).await,
        []
    );
    let expected = Tracked {
        version: 2,
        evaluate_at: Some(at(250)),
        state: vec![4],
        data: r#"{"a":1}"#.into(),
        ..tracked
    };
    assert_eq!(ground.read(load).await, [expected]);
    let shown = Identity {
        row_id: id,
        id: "ada".into(),
        created_at: at(100),
        first_seen_at: at(50),
        updated_at: at(200),
        last_tracked_at: at(200),
        last_scored_at: None,
        display_name: None,
        display_email: None,
        display_username: Some("ada99".into()),
        scores: Scores::default(),
        disregarded: false,
        cycle: None,
        data: r#"{"a":1}"#.into(),
        standing: None,
    };
    assert_eq!(ground.read(|tx| identities::find(tx, 1, "ada")).await, Some(shown));
    assert_eq!(ground.read(|tx| identities::find(tx, 3, "ada")).await, None);
}

async fn a_write_that_was_overtaken_is_refused(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let (ada, bob) = (ids[0], ids[1]);
    let known = move |id, version, name| TrackedWrite {
        row: Some((id, version)),
        state: vec![9],
        ..first_seen(1, name)
    };
    let cases = [
        ("an older version", vec![known(ada, 0, "ada"), known(bob, 1, "bob")]),
        ("a newer version", vec![known(bob, 1, "bob"), known(ada, 2, "ada")]),
        ("an identity that is not new", vec![known(bob, 1, "bob"), first_seen(1, "ada")]),
        ("a new identity twice", vec![first_seen(1, "eve"), first_seen(1, "eve")]),
    ];
    for (what, writes) in cases {
        let refused = ground.store.write(move |tx| {
            let refused = matches!(identities::save_tracked(tx, &writes), Err(StoreError::Retry));
            Err::<(), _>(StoreError::Broken(format!("refused: {refused}")))
        });
        assert_eq!(format!("{:?}", refused.await), r#"Err(Broken("refused: true"))"#, "{what}");
    }
    let rows = ground.read(|tx| identities::load_tracked(tx, &keys(&["ada", "bob", "eve"]))).await;
    let states: Vec<_> = rows.iter().map(|row| (row.version, row.state.clone())).collect();
    assert_eq!(states, vec![(1, vec![1, 2, 3]); 2]);
}

async fn whoever_is_held_before_a_write_is_not_overtaken(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let write = |n: usize| {
        let (mut ids, runs) = (ids.clone(), Arc::clone(&runs));
        // Whatever order they are given in.
        ids.rotate_left(n % 2);
        ground.store.write(move |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            marks::hold(tx, &ids)?;
            let rows = identities::load_tracked(tx, &keys(&["ada", "bob"]))?;
            let again = |row: &Tracked| TrackedWrite {
                row: Some((row.id, row.version)),
                ..first_seen(1, &row.external_id)
            };
            identities::save_tracked(tx, &rows.iter().map(again).collect::<Vec<_>>())
        })
    };
    for written in join_all((0..AT_ONCE).map(write)).await {
        written.unwrap();
    }
    assert_eq!(runs.load(Ordering::Relaxed), AT_ONCE, "none was run again");
    let rows = ground.read(|tx| identities::load_tracked(tx, &keys(&["ada", "bob"]))).await;
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [1 + AT_ONCE as i64; 2]);
}

async fn a_cycle_writes_scores_unless_it_was_overtaken(engine: Engine) {
    let ground = Ground::new(engine);
    let names = ["done", "moved on", "overtaken"];
    let ids = ground.identities(&names).await;
    let moved_on = ids[1];
    let begin = ids.clone();
    let starts = ground.read(move |tx| identities::load_cycle_starts(tx, &begin)).await;
    let expected = ids.iter().zip(names).map(|(id, name)| CycleStart {
        id: *id,
        team_id: 1,
        external_id: name.into(),
        version: 1,
        sequence: 0,
        previous: None,
        disregarded: false,
        state: vec![1, 2, 3],
        data: "{}".into(),
        standing: None,
        first_seen_at: at(100),
        is_due: true,
        trace: Default::default(),
        decide_trace: None,
    });
    let mut starts = starts;
    starts.sort_by_key(|start| ids.iter().position(|id| *id == start.id));
    assert_eq!(starts, Vec::from_iter(expected));

    ground.write(move |tx| marks::mark_dirty(tx, &[moved_on], at(150), 0)).await;
    let end = |id, sequence, humanity| CycleEnd {
        id,
        version: 1,
        sequence,
        scores: scores(humanity),
        finished_at: at(200),
        standing: Some("{}".to_owned()),
        decide_at: None,
        events: 0,
        next_at: at(300),
        trace: Default::default(),
        decide_trace: None,
    };
    let (first, second) = ([end(ids[2], 0, 1)], [end(ids[0], 0, 50), end(ids[1], 0, 60), end(ids[2], 0, 70)]);
    assert_eq!(ground.write(move |tx| identities::save_cycles(tx, &first)).await, [(ids[2], false)]);
    let taken = ground.write(move |tx| identities::save_cycles(tx, &second)).await;
    assert_eq!(set(taken), set([(ids[0], false), (ids[1], true)]));

    let begin = ids.clone();
    let mut starts = ground.read(move |tx| identities::load_cycle_starts(tx, &begin)).await;
    starts.sort_by_key(|start| ids.iter().position(|id| *id == start.id));
    let seen: Vec<_> = starts.iter().map(|s| (s.version, s.sequence, s.previous)).collect();
    assert!(starts.iter().all(|start| start.standing.as_deref() == Some("{}")));
    assert_eq!(seen, [(1, 1, Some(scores(50))), (2, 1, Some(scores(60))), (1, 1, Some(scores(1)))]);
    let rows = ground.read(move |tx| identities::load_tracked(tx, &keys(&names))).await;
    let due = |name: &str| {
        let row = rows.iter().find(|row| row.external_id == name).unwrap();
        (row.last_scored_at, row.evaluate_at)
    };
    let scored = Some(at(200));
    assert_eq!(names.map(due), [(scored, None), (scored, Some(at(300))), (scored, None)]);
    let shown = ground.read(|tx| identities::find(tx, 1, "done")).await.unwrap();
    assert_eq!(
        (shown.scores, shown.cycle, shown.updated_at, shown.last_tracked_at, shown.standing.as_deref()),
        (scores(50), Some(1), at(200), at(100), Some("{}"))
    );
}

async fn what_is_traced_is_known_until_its_cycle_and_its_decision(engine: Engine) {
    let ground = Ground::new(engine);
    let [first, second, cycle] = [(); 3].map(|()| Context::root());
    let causes = |of: &[Context]| {
        let mut causes = Causes::default();
        of.iter().for_each(|cause| causes.add(*cause));
        causes
    };
    let traced = [TrackedWrite { trace: causes(&[first]), ..first_seen(1, "ada") }];
    let id = ground.write(move |tx| identities::save_tracked(tx, &traced)).await[0].2;
    let start = async || ground.read(move |tx| identities::load_cycle_starts(tx, &[id])).await.remove(0);
    let read = ground.read(|tx| identities::load_tracked(tx, &keys(&["ada"]))).await.remove(0);
    assert_eq!((read.trace, start().await.trace), (causes(&[first]), causes(&[first])));

    // An event that came during the cycle stays for the next one, and the cycle for what its rules wait for.
    let (row, trace) = (Some((id, 1)), causes(&[first, second]));
    let newer = [TrackedWrite { row, trace, ..first_seen(1, "ada") }];
    ground.write(move |tx| identities::save_tracked(tx, &newer)).await;
    let end = |sequence, seen: Causes, decide_at, decide_trace| CycleEnd {
        id,
        version: 1,
        sequence,
        scores: scores(1),
        finished_at: at(200),
        events: 0,
        standing: None,
        decide_at,
        next_at: at(300),
        trace: seen,
        decide_trace,
    };
    let saved = [end(0, causes(&[first]), Some(at(900)), Some(cycle))];
    ground.write(move |tx| identities::save_cycles(tx, &saved)).await;
    let after = start().await;
    assert_eq!((after.trace, after.decide_trace), (causes(&[first, second]), Some(cycle)));
    // One that is in no trace leaves the cycle of before to be followed from, as long as rules wait.
    let seen = causes(&[first, second]);
    let saved = [end(1, seen, Some(at(900)), None)];
    ground.write(move |tx| identities::save_cycles(tx, &saved)).await;
    let after = start().await;
    assert_eq!((after.trace, after.decide_trace), (Causes::default(), Some(cycle)));

    let decided = |sequence, decide_at| Decided { id, sequence, events: 1, standing: None, decide_at };
    let waits = [decided(2, Some(at(950)))];
    ground.write(move |tx| identities::save_decisions(tx, &waits)).await;
    assert_eq!(start().await.decide_trace, Some(cycle));
    let over = [decided(3, None)];
    ground.write(move |tx| identities::save_decisions(tx, &over)).await;
    assert_eq!(start().await.decide_trace, None);
}
