use dregs_server::store::users::insert_team;
use dregs_server::store::versions;
use dregs_server::store::weights::{self, State};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(versions_of_weights_move_on_and_are_counted);

async fn versions_of_weights_move_on_and_are_counted(engine: Engine) {
    let ground = Ground::new(engine);
    let team = ground.write(|tx| insert_team(tx, "Team", at(1))).await;
    let insert = async |text: &'static str| {
        ground.write(move |tx| weights::insert(tx, team, (text, "{}"), "ada@example.com", at(5))).await
    };
    let (first, second) = (insert("behavior.pace=2").await, insert("behavior.pace=3").await);
    let counted = async || ground.read(versions::all).await[&versions::Kept::Rules];
    let before = counted().await;
    let moved = async |id, state, replaced| {
        ground.write(move |tx| weights::set_state(tx, id, state, replaced, "bob@example.com", at(9))).await;
    };
    moved(first, State::InForce, None).await;
    moved(second, State::Shadow, Some(first)).await;
    assert!(counted().await > before, "other servers read them again");
    let in_use = ground.read(weights::in_use).await;
    let told: Vec<_> = in_use.iter().map(|one| (one.id, one.state, one.replaced_id)).collect();
    assert_eq!(told, [(first, State::InForce, None), (second, State::Shadow, Some(first))]);
    let found = ground.read(move |tx| weights::in_state(tx, team, State::InForce)).await.unwrap();
    assert_eq!(
        (found.weights.as_str(), found.changed_by.as_deref()),
        ("behavior.pace=2", Some("bob@example.com"))
    );
    assert_eq!(ground.read(move |tx| weights::find(tx, team + 1, first)).await, None, "of another team");
    assert_eq!(ground.read(move |tx| weights::find(tx, team, second)).await.map(|one| one.id), Some(second));

    moved(second, State::Retired, None).await;
    assert_eq!(ground.write(move |tx| weights::keep_newest(tx, team, 1)).await, 0, "what is in force stays");
    insert("").await;
    assert_eq!(ground.write(move |tx| weights::keep_newest(tx, team, 1)).await, 1);
    let left: Vec<_> =
        ground.read(move |tx| weights::of_team(tx, team, 9)).await.iter().map(|one| one.state).collect();
    assert_eq!(left, [State::Proposed, State::InForce]);
}
