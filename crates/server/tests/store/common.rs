use dregs_core::link::{KeyKind, LinkKey};
use dregs_server::store::common::{self, CommonValue};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(what_is_common_is_kept_as_it_was_learned_first);

fn value(kind: KeyKind, value: &str, learned: i64) -> CommonValue {
    let key = LinkKey { kind, value: value.to_owned() };
    CommonValue { team_id: 1, key, identities: 200, holders: 150 + learned, learned_at: at(learned) }
}

async fn what_is_common_is_kept_as_it_was_learned_first(engine: Engine) {
    let ground = Ground::new(engine);
    ground.write(|tx| dregs_server::store::users::insert_team(tx, "Team", at(1))).await;
    let insert = async |values: Vec<CommonValue>| ground.write(move |tx| common::insert(tx, &values)).await;
    let first = [value(KeyKind::Ip, "203.0.113.7", 9), value(KeyKind::Agent, "python-requests", 7)];
    insert(first.to_vec()).await;
    insert(vec![value(KeyKind::Ip, "203.0.113.7", 8), value(KeyKind::Ip, "2001:db8::/64", 10)]).await;
    let [ip, agent] = first;
    assert_eq!(ground.read(common::all).await, [agent, ip, value(KeyKind::Ip, "2001:db8::/64", 10)]);
}
