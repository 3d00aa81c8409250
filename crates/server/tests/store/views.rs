use dregs_server::store::StoreError;
use dregs_server::store::views::{self, View};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(views_come_back_by_list_and_name_and_each_name_once);

fn view(page: &str, name: &str) -> View {
    let (page, name) = (page.to_owned(), name.to_owned());
    View {
        id: 0,
        page,
        name,
        query: "term=ada".into(),
        created_by: "ada@example.com".into(),
        created_at: at(7),
    }
}

async fn views_come_back_by_list_and_name_and_each_name_once(engine: Engine) {
    let ground = Ground::new(engine);
    let (team, other) = ground
        .write(|tx| {
            use dregs_server::store::users::insert_team;
            Ok((insert_team(tx, "Team", at(1))?, insert_team(tx, "Other", at(1))?))
        })
        .await;
    let insert = async |team: i64, page: &'static str, name: &'static str| {
        ground.store.write(move |tx| views::insert(tx, team, &view(page, name))).await
    };
    let b = insert(team, "identities", "b").await.unwrap();
    let a = insert(team, "identities", "a").await.unwrap();
    let events = insert(team, "events", "a").await.unwrap();
    insert(other, "identities", "a").await.unwrap();
    assert!(matches!(insert(team, "identities", "a").await, Err(StoreError::Conflict)));
    let stored = |id, page: &str, name: &str| View { id, ..view(page, name) };
    let expected =
        [stored(events, "events", "a"), stored(a, "identities", "a"), stored(b, "identities", "b")];
    assert_eq!(ground.read(move |tx| views::list(tx, team, None)).await, expected);
    assert_eq!(ground.read(move |tx| views::list(tx, team, Some("identities"))).await, expected[1..]);
    assert_eq!(ground.read(move |tx| views::count(tx, team)).await, 3);
    assert_eq!(ground.write(move |tx| views::delete(tx, other, a)).await, None);
    assert_eq!(ground.write(move |tx| views::delete(tx, team, a)).await.as_ref(), Some(&expected[1]));
    assert_eq!(ground.read(move |tx| views::count(tx, team)).await, 2);
}
