use dregs_core::link::OTHERS_MAX;
use dregs_core::link::{KeyHasher, KeyKind, LinkKey};
use dregs_server::store::links::{self, HashedKey, Holder};

use super::{Ground, at, set};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(a_key_is_new_to_an_identity_once, the_newest_holders_are_found_for_each_key);

fn key(team_id: i64, value: &str) -> HashedKey {
    let key = LinkKey { kind: KeyKind::Device, value: value.into() };
    HashedKey::new(&KeyHasher::new([7; 16]), team_id, &key)
}

async fn a_key_is_new_to_an_identity_once(engine: Engine) {
    let ground = Ground::new(engine);
    let insert = |keys: Vec<_>| ground.write(move |tx| links::insert(tx, &keys));
    let (one, two) = (key(1, "one"), key(1, "two"));
    assert_eq!(set(insert(vec![(one, 5, at(10)), (two, 5, at(11))]).await), set([(one, 5), (two, 5)]));
    // Known, known to somebody else, twice at once, and of another team.
    let again = vec![
        (one, 5, at(20)),
        (one, 6, at(21)),
        (two, 7, at(22)),
        (two, 7, at(23)),
        (key(2, "one"), 8, at(24)),
    ];
    assert_eq!(set(insert(again).await), set([(one, 6), (two, 7), (key(2, "one"), 8)]));
    let holders = ground.read(move |tx| links::newest_holders(tx, &[one, key(1, "nobody's")])).await;
    let holder =
        |identity_id, first_seen: i64| Holder { key: one, identity_id, first_seen_at: at(first_seen) };
    assert_eq!(holders, [holder(6, 21), holder(5, 10)]);
}

async fn the_newest_holders_are_found_for_each_key(engine: Engine) {
    let ground = Ground::new(engine);
    let (busy, quiet) = (key(1, "busy"), key(1, "quiet"));
    let most = OTHERS_MAX as i64 + 1;
    let rows: Vec<_> = (1..=most + 50).map(|id| (busy, id, at(id))).chain([(quiet, 3, at(3))]).collect();
    ground.write(move |tx| links::insert(tx, &rows)).await;
    let holders = ground.read(move |tx| links::newest_holders(tx, &[quiet, busy])).await;
    let of = |key| holders.iter().filter(|h| h.key == key).map(|h| h.identity_id).collect::<Vec<_>>();
    assert_eq!(of(quiet), [3]);
    assert_eq!(of(busy), Vec::from_iter((51..=most + 50).rev()));

    let ids = ground.identities(&["ada", "bob"]).await;
    let bob = ids[1];
    ground
        .write(move |tx| {
            tx.execute("update identities set disregarded = 1 where id = $1", &dregs_server::values![bob])
        })
        .await;
    let asked = [ids[0], ids[1], 99_999];
    let described = ground.read(move |tx| links::describe(tx, &asked)).await;
    let found = described.into_iter().map(|found| (found.identity_id, found.id, found.disregarded));
    assert_eq!(set(found), set([(ids[0], "ada".into(), false), (bob, "bob".into(), true)]));
    ground.write(move |tx| links::remove(tx, &[(busy, 60), (quiet, 4)])).await;
    let holders = ground.read(move |tx| links::newest_holders(tx, &[quiet, busy])).await;
    assert!(!holders.iter().any(|holder| holder.identity_id == 60));
    assert!(holders.iter().any(|holder| holder.key == quiet));
}
