use dregs_server::store::badges::{self, Carried};

use super::{Ground, MANY};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(carriers_are_those_who_were_given_a_badge_and_kept_it);

async fn carriers_are_those_who_were_given_a_badge_and_kept_it(engine: Engine) {
    let ground = Ground::new(engine);
    let of = |team, slug: &str, ids: std::ops::RangeInclusive<i64>| -> Vec<Carried> {
        ids.map(|id| (team, slug.to_owned(), id)).collect()
    };
    let many = MANY as i64;
    let added =
        [of(1, "bot", 1..=many), of(1, "bot", 1..=2), of(1, "trusted", 3..=3), of(2, "bot", 9..=9)].concat();
    ground.write(move |tx| badges::change(tx, &added, &[])).await;
    let (added, removed) = (of(1, "bot", 1..=1), of(1, "bot", 3..=many));
    ground.write(move |tx| badges::change(tx, &added, &removed)).await;
    let found = ground
        .read(|tx| {
            Ok([(1, "bot"), (1, "trusted"), (2, "bot"), (2, "trusted")]
                .map(|(team, slug)| badges::carriers(tx, team, slug).unwrap()))
        })
        .await;
    assert_eq!(found, [vec![1, 2], vec![3], vec![9], vec![]]);
    assert_eq!(ground.read(|tx| badges::newest_carriers(tx, 1, "bot", 1)).await, [2]);
    assert_eq!(ground.read(|tx| badges::count(tx, 1, "bot")).await, 2);
}
