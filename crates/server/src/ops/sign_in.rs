//! Signing in: passwords and sessions of people.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use dregs_core::time::Timestamp;

use crate::app::App;
use crate::store::users::{self, User};
use crate::store::{Result, StoreError};
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

/// A session that was begun.
pub struct Session {
    pub token: String,
    pub expires_at: Timestamp,
    pub user: User,
}

/// Begins a session; `None` when address and password do not go together. Takes as long for an
/// address that nobody has.
///
/// # Errors
/// Those of the store.
pub async fn begin(app: &App, email: &str, password: String) -> Result<Option<Session>> {
    let email = normalise_email(email);
    let user = app.store.read(move |tx| users::find_by_email(tx, &email)).await?;
    let hash = user.as_ref().map_or_else(|| app.decoy_hash.clone(), |user| user.password_hash.clone());
    // Hashing takes long on purpose: one at a time, and not on the thread that serves requests.
    let _turn = app.password_turns.acquire().await.map_err(|_| stopping())?;
    let matches = tokio::task::spawn_blocking(move || password_matches(&password, &hash))
        .await
        .map_err(|_| stopping())?;
    let Some(user) = user.filter(|_| matches) else { return Ok(None) };
    let token = new_token("st_");
    let (hash, now) = (token_hash(&token), app.clock.now());
    let (user_id, expires_at) = (user.id, now.plus_millis(SESSION_MS));
    app.store.write(move |tx| users::insert_session(tx, &hash, user_id, now, expires_at)).await?;
    Ok(Some(Session { token, expires_at, user }))
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
pub async fn end(app: &App, token: &str) -> Result<()> {
    let hash = token_hash(token);
    app.store.write(move |tx| users::delete_session(tx, &hash)).await
}

fn stopping() -> StoreError {
    StoreError::Unavailable("the server is stopping".into())
}
