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
    let insert = async |value: &CommonValue| {
        let value = value.clone();
        ground.write(move |tx| common::insert(tx, &value)).await
    };
    let (ip, agent) = (value(KeyKind::Ip, "203.0.113.7", 9), value(KeyKind::Agent, "python-requests", 7));
    let network = value(KeyKind::Ip, "2001:db8::/64", 10);
    assert!(insert(&ip).await && insert(&agent).await && insert(&network).await);
    assert!(!insert(&value(KeyKind::Ip, "203.0.113.7", 8)).await);
    assert_eq!(ground.read(common::all).await, [agent, ip, network]);
}
