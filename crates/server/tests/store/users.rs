use std::slice::from_ref;

use dregs_core::label::Reasons;
use dregs_core::rules::DueMinutes;
use dregs_server::store::Tx;
use dregs_server::store::mcp_tokens::{self, McpToken};
use dregs_server::store::members;
use dregs_server::store::sessions::{self, Place};
use dregs_server::store::teams::{self, Invitation, Team};
use dregs_server::store::users::{self, Role, User};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    people_come_back_as_they_were_stored,
    a_session_is_its_persons_until_it_ends,
    a_person_changes_and_goes,
    an_invitation_is_taken_once,
);

async fn person(ground: &Ground, team_id: i64, email: &'static str, role: Role) -> User {
    let id = ground.write(move |tx| users::insert(tx, team_id, email, "hash", role, at(5))).await;
    User {
        id,
        team_id,
        email: email.into(),
        name: None,
        password_hash: "hash".into(),
        role,
        is_owner: false,
        created_at: at(5),
        joined_at: at(5),
        has_second_factor: false,
        needs_second_factor: false,
        has_passkey: false,
        is_bound: false,
        signed_in_by: users::Method::Password,
    }
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
        ground
            .write(move |tx| {
                sessions::insert(tx, token, (team, user_id), &Place::default(), at(made), at(ends))
            })
            .await;
    }
    let whose = |token: &'static [u8], time| {
        ground.read(move |tx| Ok(sessions::holder(tx, token, at(time))?.map(|holder| holder.user)))
    };
    assert_eq!(whose(b"short", 19).await, Some(ada.clone()));
    assert_eq!(whose(b"short", 20).await, None);
    assert_eq!(whose(b"never", 10).await, None);
    // A new session sweeps those that have ended.
    ground
        .write(move |tx| sessions::insert(tx, b"fresh", (team, user_id), &Place::default(), at(50), at(90)))
        .await;
    assert_eq!(whose(b"short", 19).await, None);
    ground.write(|tx| sessions::delete(tx, b"other")).await;
    assert_eq!(
        [whose(b"other", 60).await, whose(b"third", 60).await, whose(b"fresh", 60).await],
        [None, Some(ada.clone()), Some(ada)]
    );
}

async fn a_person_changes_and_goes(engine: Engine) {
    let ground = Ground::new(engine);
    let team = ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    let other = ground.write(|tx| users::insert_team(tx, "Other", at(1))).await;
    let ada = person(&ground, team, "ada@example.com", Role::Admin).await;
    let bob = person(&ground, team, "bob@example.com", Role::Viewer).await;
    person(&ground, other, "eve@example.com", Role::User).await;
    let everybody = ground.read(move |tx| users::of_team(tx, team)).await;
    assert_eq!(everybody, [ada.clone(), bob.clone()]);
    let id = ada.id;
    assert_eq!(ground.read(move |tx| users::find(tx, other, id)).await, None);
    ground
        .write(move |tx| {
            teams::lock(tx, team)?;
            users::set_name(tx, id, Some("Ada"))?;
            members::set_role(tx, team, id, Role::User)?;
            users::set_password(tx, id, "other")
        })
        .await;
    let changed =
        User { name: Some("Ada".into()), role: Role::User, password_hash: "other".into(), ..ada.clone() };
    assert_eq!(ground.read(move |tx| users::find(tx, team, id)).await, Some(changed.clone()));
    // Sessions: the others of one person; and, with the person, all, and the tokens.
    let bobs = bob.id;
    let (mine, token) = ground
        .write(move |tx| {
            for (token, user) in [(b"1", id), (b"2", id), (b"3", bobs)] {
                sessions::insert(tx, token, (team, user), &Place::default(), at(10), at(100))?;
            }
            sessions::delete_others(tx, id, b"2")?;
            let mine = mcp_tokens::insert(tx, team, id, "Assistant", b"m1", at(11))?;
            Ok((mine, mcp_tokens::insert(tx, team, bobs, "Other", b"m2", at(12))?))
        })
        .await;
    let holders = async |ground: &Ground| {
        ground
            .read(|tx| {
                let holder = |tx: &mut Tx, token: &[u8]| sessions::holder(tx, token, at(20));
                Ok([holder(tx, b"1")?, holder(tx, b"2")?, holder(tx, b"3")?]
                    .map(|holder| holder.map(|holder| holder.user.id)))
            })
            .await
    };
    assert_eq!(holders(&ground).await, [None, Some(id), Some(bobs)]);
    let expected = McpToken { id: mine, name: "Assistant".into(), created_at: at(11), last_used_at: None };
    assert_eq!(ground.read(move |tx| mcp_tokens::of_user(tx, team, id)).await, from_ref(&expected));
    let whose = async |hash: &'static [u8]| ground.read(move |tx| mcp_tokens::find(tx, hash)).await;
    ground.write(move |tx| mcp_tokens::touch(tx, mine, at(13))).await;
    let used = McpToken { last_used_at: Some(at(13)), ..expected };
    assert_eq!(whose(b"m1").await, Some((used, changed)));
    assert_eq!(whose(b"m3").await, None);
    assert_eq!(ground.write(move |tx| mcp_tokens::delete(tx, team, id, token)).await, None);
    assert_eq!(
        ground.write(move |tx| mcp_tokens::delete(tx, team, bobs, token)).await.as_deref(),
        Some("Other")
    );
    ground.write(move |tx| users::delete(tx, id)).await;
    assert_eq!(holders(&ground).await, [None, None, Some(bobs)]);
    assert_eq!(ground.read(move |tx| users::of_team(tx, team)).await, from_ref(&bob));
    let all = ground.read(users::all).await;
    let emails: Vec<_> = all.iter().map(|user| user.email.as_str()).collect();
    assert_eq!((emails, &all[0]), (vec!["bob@example.com", "eve@example.com"], &bob), "of every team");
    assert_eq!(ground.read(move |tx| mcp_tokens::of_user(tx, team, id)).await, []);
}

async fn an_invitation_is_taken_once(engine: Engine) {
    let ground = Ground::new(engine);
    let team = ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    assert_eq!(ground.read(move |tx| teams::get(tx, team)).await.label_reasons, Reasons::default());
    let own = Reasons { good: vec!["Our tester".into()], bad: vec![] };
    let due_minutes = DueMinutes { critical: Some(60), ..DueMinutes::default() };
    let shop = Team {
        id: team,
        name: "Shop".into(),
        label_reasons: own,
        second_factor_required: true,
        due_minutes,
        created_at: at(1),
    };
    let changed = shop.clone();
    ground.write(move |tx| teams::update(tx, &changed)).await;
    assert_eq!(ground.read(move |tx| teams::get(tx, team)).await, shop);
    assert_eq!(ground.read(move |tx| teams::due_minutes(tx, team)).await, due_minutes);
    let new = move |email: &str| Invitation {
        id: 0,
        team_id: team,
        email: email.into(),
        role: Role::User,
        invited_by: "ada@example.com".into(),
        created_at: at(10),
        expires_at: at(20),
    };
    let invite = async |email: &'static str, token: &'static [u8]| {
        let id = ground.write(move |tx| teams::invite(tx, &new(email), token)).await;
        Invitation { id, ..new(email) }
    };
    invite("bob@example.com", b"1").await;
    let bob = invite("bob@example.com", b"2").await;
    let eve = invite("eve@example.com", b"3").await;
    let found = ground.read(move |tx| teams::invitations(tx, team, at(19))).await;
    assert_eq!(found, [eve.clone(), bob.clone()]);
    assert_eq!(ground.read(move |tx| teams::invitations(tx, team, at(20))).await, []);
    let take =
        async |token: &'static [u8], now| ground.write(move |tx| teams::take(tx, token, at(now))).await;
    assert_eq!(take(b"1", 15).await, None, "the first one is over");
    assert_eq!(take(b"2", 20).await, None, "too late");
    let invited =
        async |token: &'static [u8], now| ground.read(move |tx| teams::invitation(tx, token, at(now))).await;
    assert_eq!(
        [invited(b"2", 19).await, invited(b"2", 20).await, invited(b"1", 19).await],
        [Some(bob.clone()), None, None]
    );
    let of = async |email: &'static str, now| ground.read(move |tx| teams::find_of(tx, email, at(now))).await;
    assert_eq!(of("bob@example.com", 19).await, Some(bob.clone()));
    assert_eq!((of("bob@example.com", 20).await, of("ada@example.com", 19).await), (None, None));
    assert_eq!(take(b"2", 19).await, Some(bob));
    assert_eq!(take(b"2", 19).await, None);
    let id = eve.id;
    assert_eq!(ground.write(move |tx| teams::withdraw(tx, team + 1, id)).await, None);
    assert_eq!(ground.write(move |tx| teams::withdraw(tx, team, id)).await, Some(eve));
    assert_eq!(take(b"3", 15).await, None);
}
