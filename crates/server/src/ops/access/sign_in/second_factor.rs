//! The second factor: codes of an authenticator app (RFC 6238), and recovery codes for whoever has lost it.

use std::net::IpAddr;

use dregs_core::time::{SECOND_MS, Timestamp};
use serde_json::json;
use totp_rs::{Builder, Totp};

use super::guard::Attempt;
use super::{Refusal, SignIns, normalise_email, record};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::installation::master_key::Watch;
use crate::store::second_factors::{self, SecondFactor};
use crate::store::users::{self, User};
use crate::store::{self, Result, Store, StoreError, Tx, members};
use crate::vault::{Vault, token_hash};

/// As RFC 4226, 4, asks for: as long as what SHA-1 makes.
const SECRET_BYTES: usize = 20;
/// Of a code.
const DIGITS: usize = 6;
/// Codes that a person is given at once.
const RECOVERY_CODES: usize = 10;
/// Of a recovery code, five bits each: so many that a plain digest cannot be searched.
const RECOVERY_LETTERS: usize = 16;
/// Between dashes.
const RECOVERY_GROUP: usize = 4;
/// Without letters that look like another one or like a digit, as Crockford's base 32 has it.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Longer codes are none.
pub const CODE_MAX_BYTES: usize = 64;

/// What an authenticator app takes, shown once.
pub struct Enrollment {
    /// In base 32.
    pub secret: String,
    /// The same with a label, for a QR code.
    pub url: String,
}

/// What somebody shows who gives a second factor up.
pub enum Proof {
    Password(String),
    Code(String),
}

/// The second factor of a person, as they are told of it.
pub struct State {
    /// `None` where they have none.
    pub enabled_at: Option<Timestamp>,
    pub recovery_codes_left: i64,
}

/// A secret as it is stored: sealed for one person.
///
/// # Errors
/// Never in practice.
pub fn seal(vault: &Vault, user_id: i64, secret: &[u8]) -> Result<Vec<u8>> {
    vault.seal(&purpose(user_id), secret).map_err(StoreError::Broken)
}

fn open(vault: &Vault, factor: &SecondFactor) -> std::result::Result<Vec<u8>, String> {
    vault.open(&purpose(factor.user_id), &factor.secret)
}

fn purpose(user_id: i64) -> String {
    format!("second factor of {user_id}")
}

fn authenticator(secret: Vec<u8>) -> Builder {
    // As every app has it: SHA-1, 6 digits, 30 seconds. One step before and after counts as well (RFC 6238, 5.2).
    Builder::new().with_secret(secret)
}

/// The step of which a secret has this code now.
fn step_of(totp: &Totp, code: &str, now: Timestamp) -> Option<i64> {
    let seconds = u64::try_from(now.as_millis() / SECOND_MS).unwrap_or_default();
    totp.check(code, seconds).and_then(|step| i64::try_from(step).ok())
}

impl SignIns {
    /// A secret for somebody who knows their password; it is their second factor once they have confirmed it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn begin_second_factor(
        &self,
        key: &Watch,
        user: User,
        password: String,
        issuer: String,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<Enrollment, Refusal>> {
        if let Err(refusal) = self.prove_password(&user, password, address).await? {
            return Ok(Err(refusal));
        }
        let secret: [u8; SECRET_BYTES] = rand::random();
        // What stands between issuer and account may be in neither.
        let account = user.email.replace(':', "_");
        let totp = authenticator(secret.to_vec()).with_issuer(Some(issuer)).with_account_name(account);
        let totp = totp.build().map_err(|error| StoreError::Broken(error.to_string()))?;
        let url = totp.to_url().map_err(|error| StoreError::Broken(error.to_string()))?;
        let (held, sealed) = (key.held(), seal(key.vault()?, user.id, &secret)?);
        let now = self.clock.now();
        let begun = self
            .store
            .write(move |tx| {
                held.hold(tx)?;
                second_factors::begin(tx, user.id, &sealed, now)
            })
            .await?;
        let enrollment = Enrollment { secret: totp.secret().to_base32(), url };
        Ok(if begun { Ok(enrollment) } else { Err(Refusal::HasSecondFactor) })
    }

    /// Makes the secret the person's second factor, by a first code of it; the answer is their recovery codes. Their other
    /// sessions, which were begun without it, end.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn confirm_second_factor(
        &self,
        key: &Watch,
        user: User,
        session: &str,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<Vec<String>, Refusal>> {
        let id = user.id;
        let factor = self.store.read(move |tx| second_factors::find(tx, id)).await?;
        let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_none()) else {
            return Ok(Err(Refusal::NoSecondFactor));
        };
        let secret = open(key.vault()?, &factor).map_err(StoreError::Broken)?;
        let now = self.clock.now();
        let totp = authenticator(secret).build_noncompliant();
        let Some(step) = step_of(&totp, &plain(code), now) else { return Ok(Err(Refusal::WrongCode)) };
        let (codes, hashes) = recovery_codes(user.id);
        let session = token_hash(session);
        let confirmed = self
            .store
            .write(move |tx| {
                if !second_factors::confirm(tx, user.id, step, now)? {
                    return Ok(false);
                }
                second_factors::put_recovery_codes(tx, user.id, &hashes)?;
                store::sessions::delete_others(tx, user.id, &session)?;
                record(tx, &Actor::user(&user, address), "second-factor.enable", now)?;
                Ok(true)
            })
            .await?;
        Ok(if confirmed { Ok(codes) } else { Err(Refusal::NoSecondFactor) })
    }

    /// Other recovery codes for somebody who knows their password.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn renew_recovery_codes(
        &self,
        user: User,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<Vec<String>, Refusal>> {
        if !user.has_second_factor {
            return Ok(Err(Refusal::NoSecondFactor));
        }
        if let Err(refusal) = self.prove_password(&user, password, address).await? {
            return Ok(Err(refusal));
        }
        let (codes, hashes) = recovery_codes(user.id);
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                second_factors::put_recovery_codes(tx, user.id, &hashes)?;
                record(tx, &Actor::user(&user, address), "second-factor.renew-recovery-codes", now)
            })
            .await?;
        Ok(Ok(codes))
    }

    /// Gives the second factor up.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn disable_second_factor(
        &self,
        key: &Watch,
        user: User,
        proof: Proof,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<(), Refusal>> {
        if !user.has_second_factor {
            return Ok(Err(Refusal::NoSecondFactor));
        }
        let proved = match proof {
            Proof::Password(password) => self.prove_password(&user, password, address).await?,
            Proof::Code(code) => self.prove_code(key, &user, &code, address).await?,
        };
        if let Err(refusal) = proved {
            return Ok(Err(refusal));
        }
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                second_factors::delete(tx, user.id)?;
                record(tx, &Actor::user(&user, address), "second-factor.disable", now)
            })
            .await?;
        Ok(Ok(()))
    }

    /// Whether this is a code of somebody who is signed in, counted as tries at their password are.
    async fn prove_code(
        &self,
        key: &Watch,
        user: &User,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<(), Refusal>> {
        let attempt = Attempt::of_session(&self.limits, user.id);
        let (begun, now) = (attempt.clone(), self.clock.now());
        if let Err(wait) = self.store.write(move |tx| begun.begin(tx, now)).await? {
            return Ok(Err(Refusal::Throttled(wait)));
        }
        if !self.accept_code(key, user, code, address).await? {
            return Ok(Err(Refusal::WrongCode));
        }
        self.store.write(move |tx| attempt.succeed(tx)).await?;
        Ok(Ok(()))
    }

    /// Whether this is a code of the person, or a recovery code; it is none from now on.
    pub(super) async fn accept_code(
        &self,
        key: &Watch,
        user: &User,
        code: &str,
        address: Option<IpAddr>,
    ) -> Result<bool> {
        let (code, user_id, now) = (plain(code), user.id, self.clock.now());
        if code.len() != DIGITS {
            let (hash, actor) = (recovery_hash(user_id, &code), Actor::user(user, address));
            let accept = move |tx: &mut Tx| {
                let accepted = second_factors::accept_recovery_code(tx, user_id, &hash)?;
                if accepted {
                    record(tx, &actor, "second-factor.use-recovery-code", now)?;
                }
                Ok(accepted)
            };
            return self.store.write(accept).await;
        }
        let Some(factor) = self.store.read(move |tx| second_factors::find(tx, user_id)).await? else {
            return Ok(false);
        };
        let secret = open(key.vault()?, &factor).map_err(StoreError::Broken)?;
        let totp = authenticator(secret).build_noncompliant();
        let Some(step) = step_of(&totp, &code, now) else { return Ok(false) };
        self.store.write(move |tx| second_factors::accept_step(tx, user_id, step)).await
    }
}

/// A code as it is compared: people type spaces and dashes, and letters that look like others.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(|char| !char.is_whitespace() && *char != '-');
    letters
        .map(|letter| match letter.to_ascii_lowercase() {
            'i' | 'l' => '1',
            'o' => '0',
            other => other,
        })
        .collect()
}

fn recovery_hash(user_id: i64, plain: &str) -> Vec<u8> {
    token_hash(&format!("recovery code {user_id} {plain}"))
}

/// New recovery codes, and what is stored of them.
fn recovery_codes(user_id: i64) -> (Vec<String>, Vec<Vec<u8>>) {
    let code = |()| {
        let random: [u8; RECOVERY_LETTERS] = rand::random();
        let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let groups: Vec<String> =
            letters.chunks(RECOVERY_GROUP).map(|group| group.iter().collect()).collect();
        groups.join("-")
    };
    let codes: Vec<String> = std::iter::repeat_n((), RECOVERY_CODES).map(code).collect();
    let hashes = codes.iter().map(|code| recovery_hash(user_id, &plain(code))).collect();
    (codes, hashes)
}

/// What a person is told of their second factor.
///
/// # Errors
/// Those of the store.
pub async fn state(store: &Store, user_id: i64) -> Result<State> {
    let read = move |tx: &mut Tx| {
        let factor = second_factors::find(tx, user_id)?;
        let recovery_codes_left = second_factors::recovery_codes_left(tx, user_id)?;
        Ok(State { enabled_at: factor.and_then(|factor| factor.confirmed_at), recovery_codes_left })
    };
    store.read(read).await
}

/// What became of the second factor of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    Done,
    NotFound,
    /// It guards other teams as well, or the installation: this is for an owner to do.
    NotTheTeams,
}

/// Removes the second factor and the passkeys of a member of the actor's team, and ends their sessions.
///
/// # Errors
/// Those of the store.
pub async fn reset_second_factor(
    store: &Store,
    actor: Actor,
    is_by_owner: bool,
    user_id: i64,
    now: Timestamp,
) -> Result<Reset> {
    let reset = move |tx: &mut Tx| {
        let Some(user) = users::find(tx, actor.team_id, user_id)? else { return Ok(Reset::NotFound) };
        if !is_by_owner && (user.is_owner || members::of_user(tx, user.id)?.len() > 1) {
            return Ok(Reset::NotTheTeams);
        }
        remove(tx, &actor, &user, now)?;
        Ok(Reset::Done)
    };
    store.write(reset).await
}

/// The same for whoever works on the store itself; `None` where nobody has this address, and whether they had anything
/// beside their password.
///
/// # Errors
/// Those of the store.
pub async fn reset_second_factor_of(store: &Store, email: &str, now: Timestamp) -> Result<Option<bool>> {
    let email = normalise_email(email);
    let reset = move |tx: &mut Tx| {
        let Some(user) = users::find_by_email(tx, &email)? else { return Ok(None) };
        remove(tx, &Actor::command_line(user.team_id), &user, now).map(Some)
    };
    store.write(reset).await
}

/// The answer is whether there was anything; if not, nothing is changed.
fn remove(tx: &mut Tx, actor: &Actor, user: &User, now: Timestamp) -> Result<bool> {
    let passkeys = store::passkeys::delete_all(tx, user.id)?;
    if passkeys == 0 && !user.has_second_factor {
        return Ok(false);
    }
    second_factors::delete(tx, user.id)?;
    store::sessions::delete_others(tx, user.id, &[])?;
    let act = Act {
        action: "member.reset-second-factor",
        target_type: "member",
        target_id: &user.id.to_string(),
        before: Some(
            json!({"email": user.email, "secondFactor": user.has_second_factor, "passkeys": passkeys}),
        ),
        after: None,
    };
    audit::record(tx, actor, &act, now)?;
    Ok(true)
}

/// Whose second factors a key does not open.
///
/// # Errors
/// Those of the store.
pub async fn unreadable(store: &Store, vault: &Vault) -> Result<Vec<User>> {
    let (everybody, factors) = store.read(|tx| Ok((users::all(tx)?, second_factors::all(tx)?))).await?;
    let lost = factors.iter().filter(|factor| open(vault, factor).is_err());
    let whose = |factor: &SecondFactor| everybody.iter().find(|user| user.id == factor.user_id).cloned();
    Ok(lost.filter_map(whose).collect())
}

/// Removes the second factors of these people, by the command line.
///
/// # Errors
/// Those of the store.
pub fn remove_all(tx: &mut Tx, people: &[User], now: Timestamp) -> Result<()> {
    people.iter().try_for_each(|user| remove(tx, &Actor::command_line(user.team_id), user, now).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_many_and_are_read_as_people_type_them() {
        let (codes, hashes) = recovery_codes(7);
        assert_eq!((codes.len(), hashes.len()), (10, 10));
        assert!(codes.iter().all(|code| code.len() == 19 && code.matches('-').count() == 3), "{codes:?}");
        let typed = codes[0].to_uppercase().replace('-', " ").replace('1', "l").replace('0', "O");
        assert_eq!(recovery_hash(7, &plain(&typed)), hashes[0]);
        assert_ne!(recovery_hash(8, &plain(&typed)), hashes[0], "of another person");
    }

    #[test]
    fn a_secret_is_sealed_for_one_person() {
        let vault = Vault::new([7; 32]);
        let of =
            |user_id, secret: &[u8]| SecondFactor { user_id, secret: secret.to_vec(), confirmed_at: None };
        let sealed = seal(&vault, 1, b"secret").expect("sealed");
        assert_eq!(open(&vault, &of(1, &sealed)).as_deref(), Ok(b"secret".as_slice()));
        assert!(open(&vault, &of(2, &sealed)).is_err());
    }
}
