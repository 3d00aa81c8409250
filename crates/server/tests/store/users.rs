use dregs_server::store::users::{self, Role, User};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(people_come_back_as_they_were_stored, a_session_is_its_persons_until_it_ends);

async fn person(ground: &Ground, team_id: i64, email: &'static str, role: Role) -> User {
    let id = ground.write(move |tx| users::insert(tx, team_id, email, "hash", role, at(5))).await;
    User { id, team_id, email: email.into(), password_hash: "hash".into(), role, created_at: at(5) }
}

async fn people_come_back_as_they_were_stored(engine: Engine) {
    let ground = Ground::new(engine);
    assert_eq!(
        (ground.read(users::is_first_start).await, ground.read(users::first_team).await),
        (true, None)
    );
    let team = ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    ground.write(|tx| users::insert_team(tx, "Other", at(1))).await;
    let after = (ground.read(users::is_first_start).await, ground.read(users::first_team).await);
    assert_eq!(after, (false, Some(team)));
    for (email, role) in
        [("ada@example.com", Role::Admin), ("bob@example.com", Role::Viewer), ("eve@example.com", Role::User)]
    {
        let stored = person(&ground, team, email, role).await;
        assert_eq!(ground.read(move |tx| users::find_by_email(tx, email)).await, Some(stored));
    }
    assert_eq!(ground.read(|tx| users::find_by_email(tx, "nobody@example.com")).await, None);
    let taken =
        ground.store.write(move |tx| users::insert(tx, team, "ada@example.com", "", Role::User, at(6))).await;
    assert_eq!(format!("{taken:?}"), "Err(Conflict)");
}

async fn a_session_is_its_persons_until_it_ends(engine: Engine) {
    let ground = Ground::new(engine);
    let team = ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    let ada = person(&ground, team, "ada@example.com", Role::Admin).await;
    let user_id = ada.id;
    for (token, made, ends) in [(b"short", 10, 20), (b"other", 10, 90), (b"third", 10, 90)] {
        ground.write(move |tx| users::insert_session(tx, token, user_id, at(made), at(ends))).await;
    }
    let whose =
        |token: &'static [u8], time| ground.read(move |tx| users::find_by_session(tx, token, at(time)));
    assert_eq!(whose(b"short", 19).await, Some(ada.clone()));
    assert_eq!(whose(b"short", 20).await, None);
    assert_eq!(whose(b"never", 10).await, None);
    // A new session sweeps those that have ended.
    ground.write(move |tx| users::insert_session(tx, b"fresh", user_id, at(50), at(90))).await;
    assert_eq!(whose(b"short", 19).await, None);
    ground.write(|tx| users::delete_session(tx, b"other")).await;
    assert_eq!(
        [whose(b"other", 60).await, whose(b"third", 60).await, whose(b"fresh", 60).await],
        [None, Some(ada.clone()), Some(ada)]
    );
}
