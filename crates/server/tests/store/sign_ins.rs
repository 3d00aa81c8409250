use dregs_server::store::bounds::{self, Thing};
use dregs_server::store::oidc_subjects;
use dregs_server::store::passkeys::{self, Passkey};
use dregs_server::store::password_passes;
use dregs_server::store::second_factors::{self, SecondFactor};
use dregs_server::store::sessions::{self, Place, Session};
use dregs_server::store::sign_ins::{self, Failures};
use dregs_server::store::teams::{self, Invitation};
use dregs_server::store::users::{self, Role};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    failures_are_counted_in_a_window_and_forgotten,
    a_person_is_known_by_their_newest_marks,
    sessions_hold_until_they_end_and_the_oldest_give_way,
    the_sessions_of_a_person_are_listed_and_one_ends,
    a_second_factor_is_confirmed_and_no_code_is_accepted_twice,
    passkeys_are_kept_and_no_ceremony_is_completed_twice,
    a_subject_is_one_persons_and_a_person_one_subject_of_an_issuer,
    a_password_signs_in_for_a_while_where_passwords_are_off,
    what_people_make_is_counted,
);

const NOBODY: &[u8] = b"nobody";
const ADA: &[u8] = b"ada";

async fn failures_are_counted_in_a_window_and_forgotten(engine: Engine) {
    let ground = Ground::new(engine);
    let count = async |subject: &'static [u8], after, now| {
        ground.write(move |tx| sign_ins::count(tx, subject, at(after), at(now))).await
    };
    let found = async |after| ground.read(move |tx| sign_ins::failures(tx, ADA, at(after))).await;
    assert_eq!(found(0).await, None);
    assert_eq!(count(ADA, 0, 10).await, Failures { count: 1, since: at(10) });
    assert_eq!(count(ADA, 0, 20).await, Failures { count: 2, since: at(10) });
    assert_eq!(count(NOBODY, 0, 30).await, Failures { count: 1, since: at(30) });
    assert_eq!((found(9).await, found(10).await), (Some(Failures { count: 2, since: at(10) }), None));
    assert_eq!(count(ADA, 10, 40).await, Failures { count: 1, since: at(40) }, "the window is over");
    ground.write(|tx| sign_ins::take_back(tx, ADA)).await;
    ground.write(|tx| sign_ins::take_back(tx, ADA)).await;
    assert_eq!(found(0).await, Some(Failures { count: 0, since: at(40) }));
    ground.write(|tx| sign_ins::sweep(tx, at(30))).await;
    assert_eq!(count(NOBODY, 0, 50).await, Failures { count: 1, since: at(50) }, "it was swept");
    ground.write(|tx| sign_ins::forget(tx, ADA)).await;
    assert_eq!(found(0).await, None);
}

async fn a_person_is_known_by_their_newest_marks(engine: Engine) {
    let ground = Ground::new(engine);
    let (ada, bob) = ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let person = |tx: &mut _, email| users::insert(tx, team, email, "hash", Role::User, at(1));
            Ok((person(tx, "ada@example.com")?, person(tx, "bob@example.com")?))
        })
        .await;
    for (person, mark, seen_at) in
        [(ada, b"1", 10), (ada, b"2", 20), (ada, b"1", 30), (bob, b"1", 5), (ada, b"3", 40)]
    {
        ground.write(move |tx| sign_ins::mark(tx, person, mark, at(seen_at), 2)).await;
    }
    let known = async |person, mark: &'static [u8], after| {
        ground.read(move |tx| sign_ins::is_marked(tx, person, mark, at(after))).await
    };
    assert!(known(ada, b"1", 29).await && known(ada, b"3", 0).await && known(bob, b"1", 4).await);
    assert!(!known(ada, b"1", 30).await, "too long ago");
    assert!(!known(ada, b"2", 0).await, "two are kept");
    ground.write(move |tx| users::delete(tx, ada)).await;
    assert!(!known(ada, b"3", 0).await && known(bob, b"1", 4).await);
}

async fn sessions_hold_until_they_end_and_the_oldest_give_way(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let ada = users::insert(tx, team, "ada@example.com", "hash", Role::User, at(1))?;
            for (token, begun, ends) in [(b"1", 10, 100), (b"2", 20, 50), (b"3", 30, 100), (b"4", 40, 100)] {
                sessions::insert(tx, token, (team, ada), &Place::default(), at(begun), at(ends))?;
            }
            Ok(ada)
        })
        .await;
    let holding = async |now| {
        let asked: Vec<_> = [b"1", b"2", b"3", b"9"].map(|token| token.to_vec()).into();
        let found = ground.read(move |tx| sessions::holding(tx, &asked, at(now))).await;
        let mut found: Vec<_> = found.into_keys().flatten().collect();
        found.sort_unstable();
        String::from_utf8(found).unwrap()
    };
    assert_eq!((holding(49).await, holding(50).await), ("123".into(), "13".into()));
    ground.write(move |tx| sessions::keep_newest(tx, ada, 2)).await;
    assert_eq!(holding(49).await, "3");
}

async fn the_sessions_of_a_person_are_listed_and_one_ends(engine: Engine) {
    let ground = Ground::new(engine);
    let place = Place {
        user_agent: Some("curl/8".into()),
        address: Some("203.0.113.7".into()),
        method: users::Method::Passkey,
    };
    let strong = Place { method: users::Method::Oidc { is_multi_factor: true }, ..Place::default() };
    let weak = Place { method: users::Method::Oidc { is_multi_factor: false }, ..Place::default() };
    let (from, others) = (place.clone(), [strong.clone(), weak.clone()]);
    let (ada, bob) = ground
        .write(move |tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let ada = users::insert(tx, team, "ada@example.com", "hash", Role::User, at(1))?;
            let bob = users::insert(tx, team, "bob@example.com", "hash", Role::User, at(1))?;
            sessions::insert(tx, b"1", (team, ada), &from, at(10), at(100))?;
            sessions::insert(tx, b"2", (team, ada), &others[0], at(20), at(100))?;
            sessions::insert(tx, b"3", (team, ada), &others[1], at(20), at(50))?;
            sessions::insert(tx, b"4", (team, bob), &Place::default(), at(30), at(100))?;
            sessions::touch(tx, b"1", at(40))?;
            Ok((ada, bob))
        })
        .await;
    let session = |token: &[u8], place: &Place, begun, seen| Session {
        token_hash: token.to_vec(),
        place: place.clone(),
        created_at: at(begun),
        last_seen_at: at(seen),
        expires_at: at(100),
    };
    let first = session(b"1", &place, 10, 40);
    let second = session(b"2", &strong, 20, 20);
    for (token, place) in [(b"1", &place), (b"2", &strong), (b"3", &weak)] {
        let holder = ground.read(move |tx| sessions::holder(tx, token, at(45))).await.unwrap();
        assert_eq!(holder.user.signed_in_by, place.method);
    }
    let of = async |user| ground.read(move |tx| sessions::of_user(tx, user, at(50))).await;
    assert_eq!(of(ada).await, [first.clone(), second.clone()]);
    assert_eq!(ground.write(move |tx| sessions::delete_own(tx, bob, b"1")).await, None, "not theirs");
    assert_eq!(ground.write(move |tx| sessions::delete_own(tx, ada, b"1")).await, Some(first));
    assert_eq!((of(ada).await, of(bob).await.len()), (vec![second], 1));
    assert_eq!(ground.write(move |tx| sessions::delete_others(tx, ada, b"")).await, 2, "one has run out");
}

async fn a_subject_is_one_persons_and_a_person_one_subject_of_an_issuer(engine: Engine) {
    let ground = Ground::new(engine);
    let (ada, bob) = ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let person = |tx: &mut _, email| users::insert(tx, team, email, "hash", Role::User, at(1));
            Ok((person(tx, "ada@example.com")?, person(tx, "bob@example.com")?))
        })
        .await;
    let bind = async |issuer: &'static str, subject: &'static str, user| {
        let bound = ground.store.write(move |tx| oidc_subjects::bind(tx, issuer, subject, user, at(2))).await;
        bound.map_err(|error| format!("{error:?}"))
    };
    let is_bound = async |user| ground.read(move |tx| users::by_id(tx, user)).await.unwrap().is_bound;
    assert!(!is_bound(ada).await);
    let conflict = Err("Conflict".to_owned());
    assert_eq!(bind("one", "s", ada).await, Ok(()));
    assert_eq!(bind("one", "s", bob).await, conflict, "it is somebody's");
    assert_eq!(bind("one", "t", ada).await, conflict, "they have one");
    assert_eq!((bind("two", "t", ada).await, bind("two", "s", bob).await), (Ok(()), Ok(())));
    let holder = async |issuer: &'static str, subject: &'static str| {
        ground.read(move |tx| oidc_subjects::holder(tx, issuer, subject)).await
    };
    let found = (holder("one", "s").await, holder("two", "s").await, holder("one", "t").await);
    assert_eq!(found, (Some(ada), Some(bob), None));
    let of = async |issuer: &'static str, user| {
        ground.read(move |tx| oidc_subjects::of_user(tx, issuer, user)).await
    };
    assert_eq!((of("two", ada).await, of("one", bob).await), (Some("t".into()), None));
    ground.write(|tx| oidc_subjects::touch(tx, "one", "s", at(9))).await;
    let used = "select last_used_at from oidc_subjects where issuer = $1 and subject = $2";
    let used = async |subject: &'static str| {
        let issuer = if subject == "s" { "one" } else { "two" };
        ground
            .read(move |tx| tx.get(used, &dregs_server::values![issuer, subject], |row| row.get::<i64>(0)))
            .await
    };
    assert_eq!((used("s").await, used("t").await), (9, 2));
    assert!(is_bound(ada).await);
    ground.write(move |tx| users::delete(tx, ada)).await;
    assert_eq!((holder("one", "s").await, holder("two", "s").await), (None, Some(bob)));
}

async fn a_password_signs_in_for_a_while_where_passwords_are_off(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            users::insert(tx, team, "ada@example.com", "hash", Role::User, at(1))
        })
        .await;
    let holds = async |now| ground.read(move |tx| password_passes::holds(tx, ada, at(now))).await;
    assert!(!holds(1).await);
    for (until, last) in [(10, 9), (20, 19)] {
        ground.write(move |tx| password_passes::give(tx, ada, at(until))).await;
        assert_eq!((holds(last).await, holds(until).await), (true, false));
    }
    ground.write(move |tx| users::shut_out(tx, ada)).await;
    assert!(holds(19).await, "that is no session");
    ground.write(move |tx| users::delete(tx, ada)).await;
    assert!(!holds(19).await);
}

async fn a_second_factor_is_confirmed_and_no_code_is_accepted_twice(engine: Engine) {
    let ground = Ground::new(engine);
    let (ada, bob) = ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let person = |tx: &mut _, email| users::insert(tx, team, email, "hash", Role::User, at(1));
            Ok((person(tx, "ada@example.com")?, person(tx, "bob@example.com")?))
        })
        .await;
    let begin = async |secret: &'static [u8]| {
        ground.write(move |tx| second_factors::begin(tx, ada, secret, at(2))).await
    };
    let confirm = async |step| ground.write(move |tx| second_factors::confirm(tx, ada, step, at(3))).await;
    let accept = async |step| ground.write(move |tx| second_factors::accept_step(tx, ada, step)).await;
    let has = async || {
        let user = ground.read(|tx| users::find_by_email(tx, "ada@example.com")).await.unwrap();
        (user.has_second_factor, user.lacks_second_factor())
    };
    assert_eq!((confirm(5).await, accept(5).await), (false, false), "there is none yet");
    assert!(begin(b"first").await && begin(b"second").await, "until it is confirmed, it is another one");
    assert_eq!((accept(6).await, has().await), (false, (false, false)));
    assert_eq!((confirm(5).await, confirm(6).await, begin(b"third").await), (true, false, false));
    assert_eq!(
        (accept(5).await, accept(4).await, accept(6).await, accept(6).await),
        (false, false, true, false)
    );
    let expected = SecondFactor { user_id: ada, secret: b"second".to_vec(), confirmed_at: Some(at(3)) };
    assert_eq!(ground.read(move |tx| second_factors::find(tx, ada)).await, Some(expected.clone()));
    assert_eq!(ground.read(second_factors::all).await, [expected]);
    assert_eq!(has().await, (true, false));

    let left = async |user| ground.read(move |tx| second_factors::recovery_codes_left(tx, user)).await;
    let put = async |user, codes: &'static [&'static str]| {
        let hashes: Vec<_> = codes.iter().map(|code| code.as_bytes().to_vec()).collect();
        ground.write(move |tx| second_factors::put_recovery_codes(tx, user, &hashes)).await;
    };
    let recover = async |user, code: &'static [u8]| {
        ground.write(move |tx| second_factors::accept_recovery_code(tx, user, code)).await
    };
    put(ada, &["old"]).await;
    put(ada, &["1", "2"]).await;
    put(bob, &["1"]).await;
    assert_eq!(
        (recover(ada, b"old").await, recover(ada, b"1").await, recover(ada, b"1").await),
        (false, true, false)
    );
    assert_eq!((left(ada).await, left(bob).await), (1, 1));
    let delete = async |user| ground.write(move |tx| second_factors::delete(tx, user)).await;
    assert_eq!((delete(ada).await, delete(ada).await, left(ada).await), (true, false, 0));
    assert_eq!(has().await, (false, false));
    begin(b"last").await;
    ground.write(move |tx| users::delete(tx, ada).and_then(|()| users::delete(tx, bob))).await;
    assert_eq!((ground.read(second_factors::all).await, left(bob).await), (vec![], 0));
}

async fn passkeys_are_kept_and_no_ceremony_is_completed_twice(engine: Engine) {
    let ground = Ground::new(engine);
    let (ada, bob) = ground
        .write(|tx| {
            let team = users::insert_team(tx, "Team", at(1))?;
            let person = |tx: &mut _, email| users::insert(tx, team, email, "hash", Role::User, at(1));
            Ok((person(tx, "ada@example.com")?, person(tx, "bob@example.com")?))
        })
        .await;
    let new = |user_id, credential: &[u8]| Passkey {
        id: 0,
        user_id,
        name: "Laptop".into(),
        credential_id: credential.to_vec(),
        public_key: b"key".to_vec(),
        state: b"0".to_vec(),
        created_at: at(2),
        last_used_at: None,
    };
    let mut stored = Vec::new();
    for (user, credential) in [(ada, b"1"), (ada, b"2"), (bob, b"3")] {
        let passkey = new(user, credential);
        let inserted = passkey.clone();
        let id = ground.write(move |tx| passkeys::insert(tx, &inserted)).await;
        stored.push(Passkey { id, ..passkey });
    }
    let again = new(bob, b"1");
    let taken = ground.store.write(move |tx| passkeys::insert(tx, &again)).await;
    assert_eq!(format!("{taken:?}"), "Err(Conflict)");
    let of = async |user| ground.read(move |tx| passkeys::of_user(tx, user)).await;
    assert_eq!(of(ada).await, [stored[1].clone(), stored[0].clone()]);
    let found = ground.read(|tx| passkeys::find(tx, b"3")).await;
    assert_eq!(found.as_ref(), Some(&stored[2]));
    let id = stored[0].id;
    ground.write(move |tx| passkeys::touch(tx, id, b"1", at(9))).await;
    let used = Passkey { state: b"1".to_vec(), last_used_at: Some(at(9)), ..stored[0].clone() };
    assert_eq!(ground.read(|tx| passkeys::find(tx, b"1")).await, Some(used));
    let has = async |user| ground.read(move |tx| users::by_id(tx, user)).await.unwrap().has_passkey;
    assert!(has(ada).await);
    assert_eq!(ground.write(move |tx| passkeys::delete(tx, bob, id)).await, None, "not theirs");
    assert_eq!(ground.write(move |tx| passkeys::delete(tx, ada, id)).await.as_deref(), Some("Laptop"));
    assert_eq!(ground.write(move |tx| passkeys::delete_all(tx, ada)).await, 1);
    assert_eq!((has(ada).await, has(bob).await), (false, true));

    let complete = async |hash: &'static [u8], now, until| {
        ground.store.write(move |tx| passkeys::complete(tx, hash, at(now), at(until))).await.is_ok()
    };
    assert_eq!((complete(b"a", 10, 0).await, complete(b"a", 11, 9).await), (true, false));
    assert!(complete(b"a", 12, 10).await, "it is forgotten");
}

async fn what_people_make_is_counted(engine: Engine) {
    let ground = Ground::new(engine);
    let count = async |thing, owner| ground.read(move |tx| bounds::count(tx, thing, owner)).await;
    let team = ground.write(|tx| users::insert_team(tx, "Team", at(1))).await;
    let new = move |email: &str, created_at, expires_at| Invitation {
        id: 0,
        team_id: team,
        email: email.into(),
        role: Role::User,
        invited_by: "ada@example.com".into(),
        created_at: at(created_at),
        expires_at: at(expires_at),
    };
    for (email, token, expires_at) in
        [("bob@example.com", b"1", 30), ("eve@example.com", b"2", 31), ("kim@example.com", b"3", 90)]
    {
        ground.write(move |tx| teams::invite(tx, &new(email, 10, expires_at), token)).await;
    }
    assert_eq!((count(Thing::Invitation, team).await, count(Thing::Invitation, team + 1).await), (3, 0));
    ground.write(move |tx| teams::withdraw_earlier(tx, &new("kim@example.com", 30, 90))).await;
    assert_eq!(count(Thing::Invitation, team).await, 1, "neither hers nor what is over");
    assert_eq!(count(Thing::Team, 0).await, 1);
    for thing in [
        Thing::Credential,
        Thing::McpToken,
        Thing::Connection,
        Thing::Passkey,
        Thing::Member,
        Thing::Channel,
        Thing::BadgeRule,
        Thing::EscalationRule,
        Thing::Mapping,
        Thing::DatasetEntry,
        Thing::View,
    ] {
        assert_eq!(count(thing, team).await, 0, "{thing:?}");
    }
}
