//! Who runs on a database, and what becomes of what a dead one had taken.

use dregs_core::shard;
use dregs_server::store::claims::{DELIVERY_LEASE_MS, Due};
use dregs_server::store::deliveries::{self, Lease, NewDelivery};
use dregs_server::store::nodes::{self, Node};
use dregs_server::store::{Tx, identities};

use super::deliveries::{Channels, of_cycle};
use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_node_lives_while_it_beats_and_is_removed_only_at_the_beat_that_was_seen,
    what_a_dead_node_had_taken_is_due_at_once_and_nothing_else,
);

async fn a_node_lives_while_it_beats_and_is_removed_only_at_the_beat_that_was_seen(engine: Engine) {
    let ground = Ground::new(engine);
    let register = |name: &'static str| {
        ground.write(move |tx| nodes::register(tx, name, "api,evaluate,deliver", "0.1.0", at(5)))
    };
    let (first, second) = (register("a:1").await, register("b:2").await);
    assert!(1 < first && first < second, "1 is nobody's");
    assert!(ground.write(move |tx| nodes::beat(tx, first, at(9))).await);
    let row = |id, name: &str, beat, seen_at| Node {
        id,
        name: name.to_owned(),
        roles: "api,evaluate,deliver".to_owned(),
        version: "0.1.0".to_owned(),
        started_at: at(5),
        beat,
        seen_at: at(seen_at),
    };
    let all = ground.read(nodes::all).await;
    assert_eq!(all, [row(first, "a:1", 1, 9), row(second, "b:2", 0, 5)]);

    let remove = |beat| ground.write(move |tx| nodes::remove(tx, first, beat));
    assert!(!remove(0).await, "it has beaten since");
    assert!(remove(1).await);
    assert!(!ground.write(move |tx| nodes::beat(tx, first, at(10))).await, "it is told so");
    assert!(register("c:3").await > second, "no id is given twice");
    assert_eq!(ground.write(nodes::clear).await, 2);
}

async fn what_a_dead_node_had_taken_is_due_at_once_and_nothing_else(engine: Engine) {
    const NOW: i64 = 1_000;
    let channels = Channels::new(engine).await;
    let ground = &channels.ground;
    let (first, second) = (channels.first, channels.second);
    let leased_to = |node, channel_id, sequence| NewDelivery {
        leased_to: Some(node),
        next_attempt_at: at(NOW + DELIVERY_LEASE_MS),
        ..of_cycle(channel_id, sequence, 10)
    };
    let retry = NewDelivery { next_attempt_at: at(NOW + 30_000), ..of_cycle(first, 3, 10) };
    let rows = vec![
        leased_to(7, first, 1),
        leased_to(8, first, 2),
        retry,
        leased_to(7, second, 4),
        leased_to(7, second, 5),
    ];
    let ids = channels.insert(rows).await;
    let people = ground.identities(&["ada", "bob", "eve"]).await;
    let due = [(people[0], NOW + 500), (people[1], NOW - 500), (people[2], NOW + 3_600_000)];
    let dues: Vec<_> = due.iter().map(|(id, due)| Due { at: at(*due), identity_id: *id }).collect();
    ground.write(move |tx| identities::give_back(tx, &dues)).await;

    let over = ground.write(move |tx| nodes::take_over(tx, 7, &[first, second], at(NOW))).await;
    assert_eq!(over, (1, 3), "who is to be scored in an hour is not scored now");
    let lease = Lease { node: 9, from: at(NOW), until: at(NOW + DELIVERY_LEASE_MS) };
    let claim = |channel_id| ground.write(move |tx: &mut Tx| deliveries::claim(tx, channel_id, lease, 9));
    let claimed = |claimed: Vec<deliveries::Claimed>| claimed.iter().map(|c| c.id).collect::<Vec<_>>();
    assert_eq!(claimed(claim(first).await), [ids[0]]);
    assert_eq!(claimed(claim(second).await), [ids[3], ids[4]]);
    let again = ground.write(move |tx| nodes::take_over(tx, 7, &[first, second], at(NOW))).await;
    assert_eq!(again, (0, 0), "they are another's");
    let of = move |tx: &mut Tx, id: i64| {
        tx.get(
            "select leased from deliveries where shard = $2 and id = $1",
            &dregs_server::values![id, shard::of(id)],
            |row| row.get::<i64>(0),
        )
    };
    let id = ids[0];
    assert_eq!(ground.read(move |tx| of(tx, id)).await, 9);
}
