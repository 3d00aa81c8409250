use dregs_server::store::members::{self, Membership};
use dregs_server::store::sessions::{self, Place};
use dregs_server::store::teams::{self, Summary};
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Location, Store, Tx, team_deletion};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::{Database, Engine, is_spread};

on_both_engines!(
    a_person_is_in_several_teams_and_comes_to_the_one_they_chose_last,
    a_team_goes_with_whoever_is_in_no_other,
    the_people_of_before_are_members_of_their_team,
);

async fn a_person_is_in_several_teams_and_comes_to_the_one_they_chose_last(engine: Engine) {
    let ground = Ground::new(engine);
    let (shop, test, ada) = ground
        .write(|tx| {
            let shop = users::insert_team(tx, "Shop", at(1))?;
            let test = users::insert_team(tx, "a test", at(2))?;
            let ada = users::insert(tx, shop, "ada@example.com", "hash", Role::Admin, at(3))?;
            members::insert(tx, test, ada, Role::Viewer, at(4))?;
            sessions::insert(tx, b"1", (shop, ada), &Place::default(), at(5), at(99))?;
            sessions::insert(tx, b"2", (shop, ada), &Place::default(), at(5), at(99))?;
            Ok((shop, test, ada))
        })
        .await;
    let again = ground.store.write(move |tx| members::insert(tx, test, ada, Role::User, at(5))).await;
    assert_eq!(format!("{again:?}"), "Err(Conflict)");
    let membership = |team_id, team: &str, role| Membership { team_id, team: team.into(), role };
    let teams = async || ground.read(move |tx| members::of_user(tx, ada)).await;
    assert_eq!(
        teams().await,
        [membership(test, "a test", Role::Viewer), membership(shop, "Shop", Role::Admin)]
    );
    let summary = |id, name: &str, created, members| Summary {
        id,
        name: name.into(),
        created_at: at(created),
        members,
    };
    assert_eq!(ground.read(teams::all).await, [summary(test, "a test", 2, 1), summary(shop, "Shop", 1, 1)]);

    // Who signs in comes to the first they joined, and then to the one they chose last.
    let found = async || {
        let user = ground.read(|tx| users::find_by_email(tx, "ada@example.com")).await.unwrap();
        let same = ground.read(move |tx| users::by_id(tx, ada)).await.unwrap();
        assert_eq!(user, same);
        (user.team_id, user.role, user.joined_at)
    };
    assert_eq!(found().await, (shop, Role::Admin, at(3)));
    ground
        .write(move |tx| {
            members::choose(tx, test, ada, at(6))?;
            sessions::choose(tx, b"2", test)
        })
        .await;
    assert_eq!(found().await, (test, Role::Viewer, at(4)));
    let holder = async |token: &'static [u8]| {
        let holder = ground.read(move |tx| sessions::holder(tx, token, at(9))).await;
        holder.map(|holder| (holder.user.team_id, holder.user.role))
    };
    assert_eq!(
        (holder(b"1").await, holder(b"2").await),
        (Some((shop, Role::Admin)), Some((test, Role::Viewer)))
    );
    ground.write(move |tx| members::set_role(tx, test, ada, Role::User)).await;
    assert_eq!(holder(b"2").await, Some((test, Role::User)), "in this team alone");
    assert_eq!(holder(b"1").await, Some((shop, Role::Admin)));
    assert_eq!(ground.write(move |tx| sessions::delete_in(tx, test, ada)).await, 1);
    assert_eq!((holder(b"1").await.is_some(), holder(b"2").await), (true, None));

    // Who owns the installation does whatever their team.
    assert_eq!(ground.read(users::count_owners).await, 0);
    ground.write(move |tx| users::set_owner(tx, ada, true)).await;
    let owner = ground.read(move |tx| users::find(tx, test, ada)).await.unwrap();
    assert_eq!((owner.is_owner, ground.read(users::count_owners).await), (true, 1));

    // Who leaves keeps the other teams, and the account as long as there is one.
    ground.write(move |tx| members::delete(tx, shop, ada)).await;
    assert_eq!((teams().await.len(), holder(b"1").await), (1, None));
    ground.write(move |tx| members::delete(tx, test, ada)).await;
    assert_eq!(ground.read(|tx| users::find_by_email(tx, "ada@example.com")).await, None);
    let left = ground.read(|tx| tx.get("select count(*) from users", &[], |row| row.get::<i64>(0))).await;
    assert_eq!(left, 0);
}

async fn a_team_goes_with_whoever_is_in_no_other(engine: Engine) {
    let ground = Ground::new(engine);
    let (shop, test) = ground
        .write(|tx| {
            let shop = users::insert_team(tx, "Shop", at(1))?;
            let test = users::insert_team(tx, "Test", at(2))?;
            for (email, role) in [("ada@example.com", Role::Admin), ("bob@example.com", Role::User)] {
                users::insert(tx, test, email, "hash", role, at(3))?;
            }
            let ada = users::find_by_email(tx, "ada@example.com")?.unwrap().id;
            members::insert(tx, shop, ada, Role::Admin, at(4))?;
            Ok((shop, test))
        })
        .await;
    ground.write(move |tx| team_deletion::begin(tx, test, at(10))).await;
    let names: Vec<_> = ground.read(teams::all).await.into_iter().map(|team| team.name).collect();
    assert_eq!((names, ground.read(users::first_team).await), (vec!["Shop".to_owned()], Some(shop)));
    let people: Vec<_> = ground.read(users::all).await.into_iter().map(|user| user.email).collect();
    assert_eq!(people, ["ada@example.com"]);
    let closed = async |until| ground.read(move |tx| team_deletion::closed(tx, at(until))).await;
    assert_eq!((closed(9).await, closed(10).await), (vec![], vec![test]));
    while ground.write(move |tx| team_deletion::remove_some(tx, test, 3)).await > 0 {}
    ground.write(move |tx| team_deletion::finish(tx, test)).await;
    assert_eq!(closed(10).await, Vec::<i64>::new());
}

/// The tables as they were before there was more than one team.
fn of_before(engine: Engine) -> String {
    let folder = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    let mut sql = "create table schema_migrations
        (version bigint primary key, name text not null, applied_at bigint not null);"
        .to_owned();
    for (version, file) in files.iter().take(9).enumerate() {
        sql += &std::fs::read_to_string(file).unwrap();
        sql += &format!("insert into schema_migrations values ({}, 'before', 0);", version + 1);
    }
    sql
}

async fn the_people_of_before_are_members_of_their_team(engine: Engine) {
    if is_spread(engine) {
        return;
    }
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::create(engine));
    let ids = match engine {
        Engine::Sqlite => "",
        Engine::Postgres => "overriding system value",
    };
    let token = match engine {
        Engine::Sqlite => "x'31'",
        Engine::Postgres => "'1'::bytea",
    };
    let rows = format!(
        "insert into teams (id, name, created_at) {ids} values (1, 'Shop', 1);
         insert into users (id, team_id, email, name, password_hash, role, created_at) {ids} values
           (1, 1, 'eve@example.com', null, 'h', 'VIEWER', 5), (2, 1, 'ada@example.com', 'Ada', 'h', 'ADMIN', 6),
           (3, 1, 'bob@example.com', null, 'h', 'ADMIN', 7);
         insert into sessions (token_hash, user_id, created_at, expires_at) values ({token}, 2, 8, 99);"
    );
    database.run(folder.path(), &(of_before(engine) + &rows));
    let location = match database.url() {
        Some(url) => Location::Postgres(url),
        None => Location::File(folder.path().join("dregs.db")),
    };
    let open = move || Store::open(&location, at(50)).unwrap();
    let store = tokio::task::spawn_blocking(open).await.unwrap();
    let read = |tx: &mut Tx| Ok((users::of_team(tx, 1)?, sessions::holder(tx, b"1", at(60))?));
    let (people, holder) = store.read(read).await.unwrap();
    let told: Vec<_> = people
        .iter()
        .map(|user| (user.email.as_str(), user.role, user.is_owner, user.created_at, user.joined_at))
        .collect();
    assert_eq!(
        told,
        [
            ("eve@example.com", Role::Viewer, false, at(5), at(5)),
            ("ada@example.com", Role::Admin, true, at(6), at(6)),
            ("bob@example.com", Role::Admin, false, at(7), at(7)),
        ],
        "the first admin owns the installation"
    );
    assert_eq!(holder.map(|holder| holder.user), people.into_iter().nth(1));
}
