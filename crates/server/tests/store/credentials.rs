use dregs_server::store::credentials::{self, Change, Credential, NewCredential};
use dregs_server::store::users;

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(credentials_come_back_as_they_were_stored_and_changed);

fn new(key: &str, origins: &[&str]) -> NewCredential {
    NewCredential {
        name: format!("Key {key}"),
        public_key: format!("pk_{key}"),
        secret_hash: key.as_bytes().to_vec(),
        allowed_origins: origins.iter().copied().map(str::to_owned).collect(),
        rate_per_second: (key == "b").then_some(7),
    }
}

fn expected(id: i64, team_id: i64, new: &NewCredential) -> Credential {
    Credential {
        rate_per_second: new.rate_per_second,
        id,
        team_id,
        name: new.name.clone(),
        public_key: new.public_key.clone(),
        secret_hash: new.secret_hash.clone(),
        allowed_origins: new.allowed_origins.clone(),
        enabled: true,
        created_at: at(10),
        updated_at: at(10),
    }
}

async fn credentials_come_back_as_they_were_stored_and_changed(engine: Engine) {
    let ground = Ground::new(engine);
    let ours = ground.write(|tx| users::insert_team(tx, "ours", at(1))).await;
    let theirs = ground.write(|tx| users::insert_team(tx, "theirs", at(1))).await;
    ground.write(move |tx| users::hold_team(tx, ours)).await;
    let mut made = Vec::new();
    for (team, key, origins) in [
        (ours, "a", vec!["https://one.example", "https://two.example"]),
        (ours, "b", vec![]),
        (theirs, "c", vec!["*"]),
    ] {
        let stored = ground.write({
            let origins = origins.clone();
            move |tx| credentials::insert(tx, team, &new(key, &origins), at(10))
        });
        let stored = stored.await;
        assert_eq!(stored, expected(stored.id, team, &new(key, &origins)));
        made.push(stored);
    }
    let allowed = |origin: &str| made.iter().map(|c| c.allows(origin)).collect::<Vec<_>>();
    assert_eq!(allowed("https://TWO.example"), [true, false, true]);
    assert_eq!(allowed("https://three.example"), [false, false, true]);
    for key in ["a", "c"] {
        let taken = ground.store.write(move |tx| credentials::insert(tx, ours, &new(key, &[]), at(10))).await;
        assert_eq!(format!("{taken:?}"), "Err(Conflict)");
    }
    assert_eq!(ground.read(credentials::all).await, made);
    assert_eq!(ground.read(move |tx| credentials::of_team(tx, ours)).await, made[..2]);

    let (id, foreign_id) = (made[0].id, made[2].id);
    let unchanged =
        ground.write(move |tx| credentials::update(tx, ours, id, &Change::default(), at(20))).await;
    assert_eq!(unchanged, Some(Credential { updated_at: at(20), ..made[0].clone() }));
    let change = Change {
        rate_per_second: None,
        name: Some("Renamed".into()),
        allowed_origins: Some(vec!["https://three.example".into()]),
        enabled: Some(false),
    };
    let foreign = change.clone();
    let changed = ground.write(move |tx| credentials::update(tx, ours, id, &change, at(30))).await;
    let expected = Credential {
        name: "Renamed".into(),
        allowed_origins: vec!["https://three.example".into()],
        enabled: false,
        updated_at: at(30),
        ..made[0].clone()
    };
    assert_eq!(changed, Some(expected));
    let foreign = ground.write(move |tx| credentials::update(tx, ours, foreign_id, &foreign, at(30))).await;
    assert_eq!(foreign, None);
    let deleted = ground
        .write(move |tx| {
            let ids = [id, id, foreign_id];
            ids.into_iter().map(|id| credentials::delete(tx, ours, id)).collect::<Result<Vec<_>, _>>()
        })
        .await;
    assert_eq!(deleted, [true, false, false]);
    assert_eq!(ground.read(credentials::all).await, made[1..]);
}
