//! Sessions: begun, recognized, listed and ended.

use std::net::IpAddr;

use dregs_core::time::{HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::{Value, json};

use super::{Origin, SESSION_PREFIX, guard, record, record_change};
use crate::limit::{self, Limit};
use crate::ops::audit::{self, Act, Actor};
use crate::store::sessions::{self, Holder, Place};
use crate::store::users::{self, Method, User};
use crate::store::{Result, Store, Tx, members};
use crate::vault::{new_token, token_hash};

/// How long a session lasts: a working day and the evening after it.
const SESSION_MS: i64 = 16 * HOUR_MS;
/// Sessions of a person; the oldest gives way.
pub const SESSIONS_MAX: i64 = 100;
/// That a session is in use is noted when the last note is this old: not every request is to be a write.
const NOTED_EVERY_MS: i64 = MINUTE_MS;
/// Of a user agent this much is kept.
const USER_AGENT_MAX_BYTES: usize = 512;

/// A session that was begun.
pub struct Session {
    pub token: String,
    /// By which the browser is recognised at the next sign-in.
    pub browser: String,
    pub expires_at: Timestamp,
    pub user: User,
}

/// A new session of somebody who has shown who they are, in a browser that is known to be theirs or in another.
///
/// # Errors
/// Those of the store.
pub async fn open(store: &Store, user: User, from: Origin, now: Timestamp) -> Result<Session> {
    open_by(store, user, from, Method::Password, now).await
}

/// The same for somebody who has shown it in this way.
///
/// # Errors
/// Those of the store.
pub async fn open_by(
    store: &Store,
    user: User,
    mut from: Origin,
    method: Method,
    now: Timestamp,
) -> Result<Session> {
    let user = User { signed_in_by: method, ..user };
    let token = new_token(SESSION_PREFIX);
    let browser = from.browser.get_or_insert_with(|| new_token("br_")).clone();
    let hash = token_hash(&token);
    let (actor, expires_at) = (Actor::user(&user, from.address), now.plus_millis(SESSION_MS));
    let (team_id, user_id) = (user.team_id, user.id);
    let place = Place {
        user_agent: from.user_agent.take().map(shortened),
        address: from.address.map(|address| address.to_string()),
        method,
    };
    let ended = store
        .write(move |tx| {
            record(tx, &actor, "session.begin", now)?;
            guard::remember(tx, user_id, &from, now)?;
            members::choose(tx, team_id, user_id, now)?;
            sessions::insert(tx, &hash, (team_id, user_id), &place, now, expires_at)?;
            sessions::keep_newest(tx, user_id, SESSIONS_MAX)
        })
        .await?;
    if ended > 0 {
        limit::reached(Limit::Sessions);
    }
    Ok(Session { token, browser, expires_at, user })
}

fn shortened(mut user_agent: String) -> String {
    // The column of neither engine takes a NUL, and PostgreSQL's text has none.
    user_agent.retain(|char| char != '\0');
    user_agent.truncate(user_agent.floor_char_boundary(USER_AGENT_MAX_BYTES));
    user_agent
}

/// The person whose session token this is; notes that it was seen.
///
/// # Errors
/// Those of the store.
pub async fn recognise(store: &Store, token: &str, now: Timestamp) -> Result<Option<User>> {
    let hash = token_hash(token);
    let asked = hash.clone();
    let Some(Holder { user, last_seen_at }) = store.read(move |tx| sessions::holder(tx, &asked, now)).await?
    else {
        return Ok(None);
    };
    // They sign in again, by more than one factor, since their team has come to require that.
    if matches!(user.signed_in_by, Method::Oidc { .. }) && user.lacks_second_factor() {
        return Ok(None);
    }
    if now.millis_since(last_seen_at) >= NOTED_EVERY_MS {
        store.write(move |tx| sessions::touch(tx, &hash, now)).await?;
    }
    Ok(Some(user))
}

/// Goes on in another team of a person's, in the session with this token; the answer is the person there, `None` where they
/// are in no such team.
///
/// # Errors
/// Those of the store.
pub async fn choose_team(
    store: &Store,
    user: User,
    token: &str,
    team_id: i64,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<User>> {
    let hash = token_hash(token);
    let choose = move |tx: &mut Tx| {
        let Some(found) = users::find(tx, team_id, user.id)? else { return Ok(None) };
        sessions::choose(tx, &hash, team_id)?;
        members::choose(tx, team_id, user.id, now)?;
        record(tx, &Actor::user(&found, address), "session.choose-team", now)?;
        Ok(Some(User { signed_in_by: user.signed_in_by, ..found }))
    };
    store.write(choose).await
}

/// Ends a session.
///
/// # Errors
/// Those of the store.
pub async fn end(store: &Store, actor: Actor, token: &str, now: Timestamp) -> Result<()> {
    let hash = token_hash(token);
    store
        .write(move |tx| {
            record(tx, &actor, "session.end", now)?;
            sessions::delete(tx, &hash)
        })
        .await
}

/// What a session is called in the API: a hash of its token, by which nobody comes in.
pub fn id_of(token_hash: &[u8]) -> String {
    hex::encode(token_hash)
}

/// The sessions of a person, those that were seen last first.
///
/// # Errors
/// Those of the store.
pub async fn list(store: &Store, user_id: i64, now: Timestamp) -> Result<Vec<sessions::Session>> {
    store.read(move |tx| sessions::of_user(tx, user_id, now)).await
}

/// Ends a session of the person who asks; `false` where they have none of this id.
///
/// # Errors
/// Those of the store.
pub async fn end_one(store: &Store, actor: Actor, user_id: i64, id: &str, now: Timestamp) -> Result<bool> {
    let Ok(hash) = hex::decode(id) else { return Ok(false) };
    store
        .write(move |tx| {
            let Some(ended) = sessions::delete_own(tx, user_id, &hash)? else { return Ok(false) };
            record_change(tx, &actor, "session.revoke", (Some(told(&ended)), None), now)?;
            Ok(true)
        })
        .await
}

/// Ends all sessions of the person who asks but the one with this token.
///
/// # Errors
/// Those of the store.
pub async fn end_others(
    store: &Store,
    actor: Actor,
    user_id: i64,
    token: &str,
    now: Timestamp,
) -> Result<()> {
    let hash = token_hash(token);
    store
        .write(move |tx| {
            let ended = sessions::delete_others(tx, user_id, &hash)?;
            record_change(tx, &actor, "session.revoke-others", (Some(json!({"sessions": ended})), None), now)
        })
        .await
}

/// Ends all sessions in the actor's team of a member of it; `false` where there is no such member.
///
/// # Errors
/// Those of the store.
pub async fn end_all(store: &Store, actor: Actor, user_id: i64, now: Timestamp) -> Result<bool> {
    let end = move |tx: &mut Tx| {
        let Some(user) = users::find(tx, actor.team_id, user_id)? else { return Ok(false) };
        let ended = sessions::delete_in(tx, user.team_id, user.id)?;
        let act = Act {
            action: "member.end-sessions",
            target_type: "member",
            target_id: &user.id.to_string(),
            before: Some(json!({"email": user.email, "sessions": ended})),
            after: None,
        };
        audit::record(tx, &actor, &act, now)?;
        Ok(true)
    };
    store.write(end).await
}

fn told(session: &sessions::Session) -> Value {
    let device = session.place.user_agent.as_deref().and_then(dregs_core::agent::described);
    json!({"device": device, "address": session.place.address, "begunAt": session.created_at})
}
