//! Signing in: passwords, second factors and sessions of people.

mod guard;
mod passkeys;
mod second_factor;
mod sessions;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use dregs_core::time::{DAY_MS, Timestamp};
use guard::{Attempt, Turns};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::ops::access::limits::Wait;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::installation::master_key::Watch;
use crate::store::users::{self, User};
use crate::store::{self, Result, Store, StoreError, Tx, password_passes};
use crate::vault::{new_token, token_hash};

/// What the token of a session begins with.
pub const SESSION_PREFIX: &str = "st_";

pub use guard::{Limits, MARK_MS, Origin, Standing, WAITING_MAX, WAITING_OF_ADDRESS_MAX, WINDOW_MS};
pub use passkeys::{
    Begun as PasskeyCeremony, CEREMONY_MAX_BYTES, RelyingParty, begin_sign_in as begin_passkey_sign_in,
    list as passkeys, remove as remove_passkey,
};
pub use second_factor::{
    CODE_MAX_BYTES, Enrollment, Proof, Reset, remove_all as remove_second_factors, reset_second_factor,
    reset_second_factor_of, seal as seal_second_factor, state as second_factor_state,
    unreadable as unreadable_second_factors,
};
pub use sessions::{
    SESSIONS_MAX, Session, choose_team, end, end_all, end_one, end_others, id_of, list, open, open_by,
    recognise,
};

/// A failed sign-in is answered at the next multiple of this after it began. How long hashing and writing took, a little
/// more for somebody who exists, is not to be told from that.
const FAILURE_EVERY: Duration = Duration::from_millis(200);

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
    /// The password is right, and a code of the second factor is needed besides.
    NeedsCode,
    /// The code is none of the person's, or was used before.
    WrongCode,
    /// There is a second factor already.
    HasSecondFactor,
    /// There is no second factor, or none to confirm.
    NoSecondFactor,
    /// What a passkey says is not right, or of nobody.
    BadPasskey,
    /// Passwords sign nobody in here.
    LocalOff,
    /// The person has no password.
    NoPassword,
}

/// How long a password that the command line has given signs in where passwords are switched off.
const PASS_MS: i64 = DAY_MS;

/// What people are signed in by.
pub struct SignIns {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    turns: Turns,
    /// Whether passwords sign in.
    is_local: bool,
    /// A hash that no password has, for sign-ins of people who do not exist.
    decoy_hash: String,
}

impl SignIns {
    /// # Errors
    /// Says why passwords cannot be hashed.
    pub fn new(
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        limits: Limits,
        is_local: bool,
    ) -> std::result::Result<Self, String> {
        let decoy_hash = hash_password(&new_token(""))?;
        Ok(Self { store, clock, limits, turns: Turns::default(), is_local, decoy_hash })
    }

    /// Begins a session.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn begin(
        &self,
        key: &Watch,
        email: &str,
        password: String,
        code: Option<String>,
        from: Origin,
    ) -> Result<std::result::Result<Session, Refusal>> {
        match self.authenticate(key, email, password, code, from).await? {
            Ok((user, from)) => open(&self.store, user, from, self.clock.now()).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Who somebody is who says so, and from where a session of theirs is begun. Takes as long for an e-mail address that
    /// nobody has; whether somebody has a second factor is told to those alone who know their password.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn authenticate(
        &self,
        key: &Watch,
        email: &str,
        password: String,
        code: Option<String>,
        from: Origin,
    ) -> Result<std::result::Result<(User, Origin), Refusal>> {
        let (begun, email, now) = (Instant::now(), normalise_email(email), self.clock.now());
        let (limits, asked, is_local) = (self.limits, from.clone(), self.is_local);
        let find = move |tx: &mut Tx| {
            let user = users::find_by_email(tx, &email)?;
            let is_let_in = match &user {
                Some(user) if !is_local => password_passes::holds(tx, user.id, now)?,
                _ => is_local,
            };
            if !is_let_in {
                return Ok(None);
            }
            let attempt = Attempt::new(tx, &limits, &email, user.as_ref(), &asked, now)?;
            let may = attempt.look(tx, now)?;
            Ok(Some((user, attempt, may)))
        };
        let Some((user, attempt, may)) = self.store.read(find).await? else {
            return Ok(Err(Refusal::LocalOff));
        };
        if let Err(wait) = may {
            return Ok(Err(Refusal::Throttled(wait)));
        }
        let with_password = user.as_ref().filter(|user| user.has_password());
        let hash = with_password.map_or_else(|| self.decoy_hash.clone(), |user| user.password_hash.clone());
        let (address, exists) = (from.address, with_password.is_some());
        match self.check_password(&attempt, password, hash, exists, address).await? {
            Ok(()) => {}
            Err(Refusal::Wrong) => {
                self.fail(user, address, begun).await?;
                return Ok(Err(Refusal::Wrong));
            }
            Err(throttled) => return Ok(Err(throttled)),
        }
        let Some(user) = user else { return Ok(Err(Refusal::Wrong)) };
        let settled = attempt.clone();
        if user.has_second_factor {
            let Some(code) = code else {
                self.store.write(move |tx| settled.take_back(tx)).await?;
                return Ok(Err(Refusal::NeedsCode));
            };
            if !self.accept_code(key, &user, &code, address).await? {
                self.fail(Some(user), address, begun).await?;
                return Ok(Err(Refusal::WrongCode));
            }
        }
        self.store.write(move |tx| settled.succeed(tx)).await?;
        // A value of theirs that nobody was given here would be one that others may know.
        let is_known = attempt.standing == Standing::Browser;
        let from = Origin { browser: from.browser.filter(|_| is_known), ..from };
        Ok(Ok((user, from)))
    }

    /// Records a refusal, and answers no sooner than any other.
    async fn fail(&self, user: Option<User>, address: Option<IpAddr>, begun: Instant) -> Result<()> {
        let now = self.clock.now();
        let refuse = move |tx: &mut Tx| match &user {
            Some(user) => record(tx, &Actor::user(user, address), "session.refuse", now),
            None => guard::count_nobody(tx, now),
        };
        self.store.write(refuse).await?;
        let took = begun.elapsed().as_millis() / FAILURE_EVERY.as_millis() + 1;
        sleep_until(begun + FAILURE_EVERY * u32::try_from(took).unwrap_or(1)).await;
        Ok(())
    }

    /// Whether this is the password of somebody who is signed in.
    async fn prove_password(
        &self,
        user: &User,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<(), Refusal>> {
        if !user.has_password() {
            return Ok(Err(Refusal::NoPassword));
        }
        let attempt = Attempt::of_session(&self.limits, user.id);
        let hash = user.password_hash.clone();
        if let Err(refusal) = self.check_password(&attempt, password, hash, true, address).await? {
            return Ok(Err(refusal));
        }
        self.store.write(move |tx| attempt.succeed(tx)).await?;
        Ok(Ok(()))
    }

    /// Whether this is the password that belongs to `hash`, which is somebody's if they exist. The try counts as a failure
    /// until its caller has settled it.
    async fn check_password(
        &self,
        attempt: &Attempt,
        password: String,
        hash: String,
        exists: bool,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<(), Refusal>> {
        // Hashing takes long on purpose: in turn, and not on the thread that serves requests. Those that wait for their
        // turn are refused then, if those before them have failed.
        let _turn = match self.turns.take(attempt.standing, address).await? {
            Ok(turn) => turn,
            Err(wait) => return Ok(Err(Refusal::Throttled(wait))),
        };
        let (begun, now) = (attempt.clone(), self.clock.now());
        if let Err(wait) = self.store.write(move |tx| begun.begin(tx, now)).await? {
            return Ok(Err(Refusal::Throttled(wait)));
        }
        let matches = tokio::task::spawn_blocking(move || password_matches(&password, &hash))
            .await
            .map_err(|_| stopping())?;
        Ok(if matches && exists { Ok(()) } else { Err(Refusal::Wrong) })
    }

    /// Changes a person's password, and ends their sessions but the one that asks.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn change_password(
        &self,
        user: User,
        session: &str,
        current: String,
        new: String,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<(), Refusal>> {
        if let Err(refusal) = self.prove_password(&user, current, address).await? {
            return Ok(Err(refusal));
        }
        let password_hash = self.hash_in_turn(new).await?;
        let (now, session) = (self.clock.now(), token_hash(session));
        self.store
            .write(move |tx| {
                users::set_password(tx, user.id, &password_hash)?;
                store::sessions::delete_others(tx, user.id, &session)?;
                record(tx, &Actor::user(&user, address), "password.change", now)
            })
            .await?;
        Ok(Ok(()))
    }

    /// What is stored of a password of somebody who is known, made when it is its turn.
    ///
    /// # Errors
    /// When the server stops, or too many wait.
    pub async fn hash_in_turn(&self, password: String) -> Result<String> {
        let turn = self.turns.take(Standing::Browser, None).await?;
        let _turn =
            turn.map_err(|_| StoreError::Unavailable("too many passwords are being hashed".into()))?;
        tokio::task::spawn_blocking(move || hash_password(&password))
            .await
            .map_err(|_| stopping())?
            .map_err(StoreError::Broken)
    }
}

/// Gives a person another password, for whoever works on the store itself, and ends all their sessions. `false` where
/// nobody has this address.
///
/// # Errors
/// Those of the store.
pub async fn reset_password(store: &Store, email: &str, hash: String, now: Timestamp) -> Result<bool> {
    let email = normalise_email(email);
    store
        .write(move |tx| {
            let Some(user) = users::find_by_email(tx, &email)? else { return Ok(false) };
            users::set_password(tx, user.id, &hash)?;
            password_passes::give(tx, user.id, now.plus_millis(PASS_MS))?;
            store::sessions::delete_others(tx, user.id, &[])?;
            let id = user.id.to_string();
            let act = Act {
                action: "password.reset",
                target_type: "user",
                target_id: &id,
                before: None,
                after: None,
            };
            audit::record(tx, &Actor::command_line(user.team_id), &act, now)?;
            Ok(true)
        })
        .await
}

/// An entry of the audit log about the person who acts.
fn record(tx: &mut Tx, actor: &Actor, action: &'static str, now: Timestamp) -> Result<()> {
    record_change(tx, actor, action, (None, None), now)
}

/// The same, with how it was and how it is.
fn record_change(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    (before, after): (Option<Value>, Option<Value>),
    now: Timestamp,
) -> Result<()> {
    let id = actor.id.unwrap_or_default().to_string();
    audit::record(tx, actor, &Act { action, target_type: "user", target_id: &id, before, after }, now)
}

fn stopping() -> StoreError {
    StoreError::Unavailable("the server is stopping".into())
}
