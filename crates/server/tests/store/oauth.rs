use dregs_server::store::oauth_clients::{self, Client};
use dregs_server::store::oauth_codes::{self, Code};
use dregs_server::store::oauth_connections::{self, Connection, Tokens};
use dregs_server::store::users::{self, Role};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    clients_are_found_and_counted_and_the_idle_go,
    codes_are_redeemed_once,
    connections_are_found_by_their_tokens_and_rotate,
);

fn client(id: &str, created_at: i64) -> Client {
    let redirect_uris = vec!["https://a.example/cb".into(), "http://localhost/cb".into()];
    Client {
        id: id.into(),
        name: format!("Client {id}"),
        redirect_uris,
        created_at: at(created_at),
        used_at: None,
    }
}

/// A team of two people.
async fn people(ground: &Ground) -> (i64, i64, i64) {
    ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let person = |tx: &mut _, email| users::insert(tx, team, email, "hash", Role::User, at(1));
            Ok((team, person(tx, "ada@example.com")?, person(tx, "bob@example.com")?))
        })
        .await
}

fn tokens(name: &str, access_expires_at: i64, expires_at: i64) -> Tokens {
    Tokens {
        refresh_hash: format!("r{name}").into_bytes(),
        access_hash: format!("a{name}").into_bytes(),
        access_expires_at: at(access_expires_at),
        expires_at: at(expires_at),
    }
}

async fn clients_are_found_and_counted_and_the_idle_go(engine: Engine) {
    let ground = Ground::new(engine);
    let (team, ada, _) = people(&ground).await;
    for (id, created_at, network) in [("a", 10, b"1"), ("b", 20, b"1"), ("c", 30, b"2"), ("d", 40, b"1")] {
        ground.write(move |tx| oauth_clients::insert(tx, &client(id, created_at), network)).await;
    }
    assert_eq!(ground.read(|tx| oauth_clients::find(tx, "b")).await, Some(client("b", 20)));
    assert_eq!(ground.read(|tx| oauth_clients::find(tx, "none")).await, None);
    let registered =
        async |after| ground.read(move |tx| oauth_clients::registered(tx, b"1", at(after))).await;
    assert_eq!((registered(10).await, registered(40).await), ((2, Some(at(20))), (0, None)));
    ground
        .write(move |tx| {
            oauth_clients::touch(tx, "b", at(50))?;
            oauth_connections::insert(tx, (team, ada), "a", b"f", &tokens("1", 90, 100), at(11)).map(drop)
        })
        .await;
    let left = async || {
        let mut left = Vec::new();
        for id in ["a", "b", "c", "d"] {
            if ground.read(move |tx| oauth_clients::find(tx, id)).await.is_some() {
                left.push(id);
            }
        }
        left
    };
    ground.write(|tx| oauth_clients::keep_newest(tx, 2)).await;
    assert_eq!(left().await, ["a", "b", "d"], "a is connected, b was used, d is newer than c");
    ground.write(|tx| oauth_clients::sweep(tx, at(39), at(49))).await;
    assert_eq!(left().await, ["a", "b", "d"]);
    ground.write(|tx| oauth_clients::sweep(tx, at(40), at(49))).await;
    assert_eq!(left().await, ["a", "b"]);
    ground.write(|tx| oauth_clients::sweep(tx, at(40), at(50))).await;
    assert_eq!(left().await, ["a"]);
}

async fn codes_are_redeemed_once(engine: Engine) {
    let ground = Ground::new(engine);
    let (team_id, ada, bob) = people(&ground).await;
    let code = move |user_id, expires_at| Code {
        team_id,
        user_id,
        client_id: "a".into(),
        redirect_uri: "https://a.example/cb".into(),
        challenge: "challenge".into(),
        resource: "https://dregs.example/mcp".into(),
        expires_at: at(expires_at),
        connection_id: None,
    };
    ground
        .write(move |tx| {
            oauth_clients::insert(tx, &client("a", 1), b"1")?;
            let all = [(b"1", ada, 10), (b"2", ada, 20), (b"3", bob, 30), (b"4", bob, 40)];
            all.iter().try_for_each(|(hash, user, ends)| oauth_codes::insert(tx, *hash, &code(*user, *ends)))
        })
        .await;
    let find = async |hash: &'static [u8]| ground.read(move |tx| oauth_codes::find(tx, hash)).await;
    let redeem = async |id| ground.write(move |tx| oauth_codes::redeem(tx, b"3", id)).await;
    assert_eq!((redeem(7).await, redeem(8).await), (true, false));
    assert_eq!(find(b"3").await, Some(Code { connection_id: Some(7), ..code(bob, 30) }));
    ground.write(|tx| oauth_codes::sweep(tx, at(10))).await;
    assert_eq!((find(b"1").await, find(b"2").await), (None, Some(code(ada, 20))));
    ground.write(|tx| oauth_codes::delete(tx, b"4")).await;
    ground.write(move |tx| oauth_codes::delete_of(tx, (team_id, ada), "a")).await;
    assert_eq!((find(b"2").await, find(b"4").await, find(b"3").await.is_some()), (None, None, true));
    ground.write(move |tx| users::delete(tx, bob)).await;
    assert_eq!(find(b"3").await, None);
}

async fn connections_are_found_by_their_tokens_and_rotate(engine: Engine) {
    let ground = Ground::new(engine);
    let (team_id, ada, bob) = people(&ground).await;
    let (first, second, third) = ground
        .write(move |tx| {
            for id in ["a", "b"] {
                oauth_clients::insert(tx, &client(id, 1), b"1")?;
            }
            let mut connect = |user, client, name: &str| {
                let family = format!("f{name}").into_bytes();
                oauth_connections::insert(
                    tx,
                    (team_id, user),
                    client,
                    &family,
                    &tokens(name, 50, 100),
                    at(10),
                )
            };
            Ok((connect(ada, "a", "1")?, connect(ada, "b", "2")?, connect(bob, "a", "3")?))
        })
        .await;
    let again = ground.store.write(move |tx| {
        oauth_connections::insert(tx, (team_id, ada), "a", b"f4", &tokens("4", 50, 100), at(10))
    });
    assert_eq!(format!("{:?}", again.await), "Err(Conflict)");
    let connection = |id, user_id, client: &str| Connection {
        id,
        team_id,
        user_id,
        client_id: client.into(),
        name: format!("Client {client}"),
        created_at: at(10),
        last_used_at: None,
        expires_at: at(100),
    };
    let (mine, other) = (connection(first, ada, "a"), connection(second, ada, "b"));
    let of_ada =
        async |now| ground.read(move |tx| oauth_connections::of_user(tx, (team_id, ada), at(now))).await;
    assert_eq!((of_ada(99).await, of_ada(100).await), (vec![other, mine.clone()], vec![]));
    let by_access = async |hash: &'static [u8], now| {
        ground.read(move |tx| oauth_connections::find_by_access(tx, hash, at(now))).await
    };
    let (found, person) = by_access(b"a1", 49).await.unwrap();
    assert_eq!((found, person.email.as_str()), (mine.clone(), "ada@example.com"));
    assert_eq!((by_access(b"a1", 50).await, by_access(b"r1", 49).await), (None, None));
    let by_family = async || ground.read(|tx| oauth_connections::find_by_family(tx, b"f1")).await;
    assert_eq!(by_family().await, Some((mine.clone(), b"r1".to_vec())));
    let between = ground.read(move |tx| oauth_connections::between(tx, (team_id, bob), "a")).await;
    assert_eq!(
        (between, ground.read(move |tx| oauth_connections::between(tx, (team_id, bob), "b")).await),
        (Some(connection(third, bob, "a")), None)
    );
    let rotate = async |from: &'static [u8]| {
        ground.write(move |tx| oauth_connections::rotate(tx, first, from, &tokens("9", 150, 200))).await
    };
    assert_eq!((rotate(b"other").await, rotate(b"r1").await, rotate(b"r1").await), (false, true, false));
    ground.write(move |tx| oauth_connections::touch(tx, first, at(60))).await;
    let now = Connection { last_used_at: Some(at(60)), expires_at: at(200), ..mine };
    assert_eq!(by_family().await, Some((now.clone(), b"r9".to_vec())));
    assert_eq!(
        (by_access(b"a1", 20).await, by_access(b"a9", 149).await.map(|found| found.0)),
        (None, Some(now))
    );
    ground.write(|tx| oauth_connections::sweep(tx, at(100))).await;
    let find = async |id| ground.read(move |tx| oauth_connections::find(tx, id)).await;
    assert_eq!((find(first).await.is_some(), find(second).await, find(third).await), (true, None, None));
    ground.write(move |tx| oauth_connections::delete(tx, first)).await;
    assert_eq!(find(first).await, None);
}
