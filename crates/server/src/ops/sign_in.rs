//! Signing in: passwords and sessions of people.

use std::net::IpAddr;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use dregs_core::time::Timestamp;

use crate::app::App;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::limits::{SignInLimits, Wait};
use crate::store::users::{self, User};
use crate::store::{Result, StoreError, Tx};
use crate::vault::{new_token, token_hash};

/// How long a session lasts: a working day and the evening after it.
const SESSION_MS: i64 = 16 * dregs_core::time::HOUR_MS;

/// What is stored of a password: Argon2id with the library's parameters, which are those that
/// OWASP's password storage cheat sheet asks for.
///
/// # Errors
/// Says why a password cannot be hashed.
pub fn hash_password(password: &str) -> std::result::Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

fn password_matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// E-mail addresses of people are compared without case.
pub fn normalise_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// How long a password has to be: NIST SP 800-63B, 3.1.1.2, asks for 8 where it stands alone or 15
/// where it is all there is; with failures limited, this is the least that OWASP's cheat sheets take.
pub const PASSWORD_MIN_CHARS: usize = 10;
/// Longer passwords only cost time.
pub const PASSWORD_MAX_BYTES: usize = 1_024;

/// Whether one may choose this password.
pub fn is_password(text: &str) -> bool {
    text.chars().count() >= PASSWORD_MIN_CHARS && text.len() <= PASSWORD_MAX_BYTES
}

/// Why nobody is signed in.
pub enum Refusal {
    /// Address and password do not go together.
    Wrong,
    /// There were too many wrong tries.
    Throttled(Wait),
}

/// A session that was begun.
pub struct Session {
    pub token: String,
    pub expires_at: Timestamp,
    pub user: User,
}

/// Begins a session. Takes as long for an e-mail address that nobody has.
///
/// # Errors
/// Those of the store.
pub async fn begin(
    app: &App,
    email: &str,
    password: String,
    address: Option<IpAddr>,
) -> Result<std::result::Result<Session, Refusal>> {
    let email = normalise_email(email);
    let wanted = email.clone();
    let user = app.store.read(move |tx| users::find_by_email(tx, &wanted)).await?;
    if let Err(refusal) = check_password(app, &email, user.as_ref(), password, address).await? {
        if let (Some(user), Refusal::Wrong) = (user, &refusal) {
            let now = app.clock.now();
            let actor = Actor::user(&user, address);
            app.store.write(move |tx| record(tx, &actor, "session.refuse", now)).await?;
        }
        return Ok(Err(refusal));
    }
    let Some(user) = user else { return Ok(Err(Refusal::Wrong)) };
    open(app, user, address).await.map(Ok)
}

/// A new session of somebody who has shown who they are.
///
/// # Errors
/// Those of the store.
pub async fn open(app: &App, user: User, address: Option<IpAddr>) -> Result<Session> {
    let token = new_token("st_");
    let (hash, now) = (token_hash(&token), app.clock.now());
    let (actor, expires_at) = (Actor::user(&user, address), now.plus_millis(SESSION_MS));
    let user_id = user.id;
    app.store
        .write(move |tx| {
            record(tx, &actor, "session.begin", now)?;
            users::insert_session(tx, &hash, user_id, now, expires_at)
        })
        .await?;
    Ok(Session { token, expires_at, user })
}

/// Whether this is the password of `user`, or of nobody, who is asked for as `email`.
async fn check_password(
    app: &App,
    email: &str,
    user: Option<&User>,
    password: String,
    address: Option<IpAddr>,
) -> Result<std::result::Result<(), Refusal>> {
    let limits = SignInLimits {
        per_account: app.config.login_failures_per_account,
        per_address: app.config.login_failures_per_address,
    };
    // Hashing takes long on purpose: one at a time, and not on the thread that serves requests. Those
    // that wait for their turn are refused then, if those before them have failed.
    let _turn = app.password_turns.acquire().await.map_err(|_| stopping())?;
    if let Err(wait) = app.sign_ins.check(email, address, limits, app.clock.now()) {
        return Ok(Err(Refusal::Throttled(wait)));
    }
    let hash = user.map_or_else(|| app.decoy_hash.clone(), |user| user.password_hash.clone());
    let matches = tokio::task::spawn_blocking(move || password_matches(&password, &hash))
        .await
        .map_err(|_| stopping())?;
    let is_right = matches && user.is_some();
    app.sign_ins.note(email, address, limits, is_right, app.clock.now());
    Ok(if is_right { Ok(()) } else { Err(Refusal::Wrong) })
}

/// Changes a person's password, and ends their sessions but the one that asks.
///
/// # Errors
/// Those of the store.
pub async fn change_password(
    app: &App,
    user: User,
    session: &str,
    current: String,
    new: String,
    address: Option<IpAddr>,
) -> Result<std::result::Result<(), Refusal>> {
    if let Err(refusal) = check_password(app, &user.email, Some(&user), current, address).await? {
        return Ok(Err(refusal));
    }
    let password_hash = hash_in_turn(app, new).await?;
    let (now, session) = (app.clock.now(), token_hash(session));
    app.store
        .write(move |tx| {
            users::set_password(tx, user.id, &password_hash)?;
            users::delete_other_sessions(tx, user.id, &session)?;
            record(tx, &Actor::user(&user, address), "password.change", now)
        })
        .await?;
    Ok(Ok(()))
}

/// What is stored of a password, made when it is its turn.
///
/// # Errors
/// When the server stops.
pub async fn hash_in_turn(app: &App, password: String) -> Result<String> {
    let _turn = app.password_turns.acquire().await.map_err(|_| stopping())?;
    tokio::task::spawn_blocking(move || hash_password(&password))
        .await
        .map_err(|_| stopping())?
        .map_err(StoreError::Broken)
}

/// An entry of the audit log about the person who acts.
fn record(tx: &mut Tx, actor: &Actor, action: &'static str, now: Timestamp) -> Result<()> {
    let id = actor.id.unwrap_or_default().to_string();
    audit::record(
        tx,
        actor,
        &Act { action, target_type: "user", target_id: &id, before: None, after: None },
        now,
    )
}

/// The person whose session token this is.
///
/// # Errors
/// Those of the store.
pub async fn recognise(app: &App, token: &str) -> Result<Option<User>> {
    let (hash, now) = (token_hash(token), app.clock.now());
    app.store.read(move |tx| users::find_by_session(tx, &hash, now)).await
}

/// Ends a session.
///
/// # Errors
/// Those of the store.
pub async fn end(app: &App, actor: Actor, token: &str) -> Result<()> {
    let (hash, now) = (token_hash(token), app.clock.now());
    app.store
        .write(move |tx| {
            record(tx, &actor, "session.end", now)?;
            users::delete_session(tx, &hash)
        })
        .await
}

fn stopping() -> StoreError {
    StoreError::Unavailable("the server is stopping".into())
}
