//! The first start on an empty store: one team, one admin, one credential.

use dregs_core::time::Timestamp;

use crate::config::Config;
use crate::ops::access::sign_in;
use crate::ops::team::credentials::{PUBLIC_PREFIX, SECRET_PREFIX};
use crate::ops::team::teams;
use crate::store::credentials::NewCredential;
use crate::store::users::{self, Role};
use crate::store::{Result, Store, StoreError};
use crate::vault::{new_token, token_hash};

/// Who the admin is, unless it is said.
pub const ADMIN_EMAIL: &str = "admin@localhost";
const TEAM_NAME: &str = "Default";

/// What was made, to be shown once. Secrets that the configuration gave are not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstStart {
    pub admin_email: String,
    pub admin_password: Option<String>,
    pub public_key: String,
    pub secret_key: Option<String>,
}

/// Fills an empty store; `None` where somebody has been here before.
///
/// # Errors
/// Those of the store.
pub async fn run(store: &Store, config: &Config, now: Timestamp) -> Result<Option<FirstStart>> {
    if !store.read(users::is_first_start).await? {
        return Ok(None);
    }
    let password = config.admin_password.clone().unwrap_or_else(|| new_token(""));
    let secret_key = config.secret_key.clone().unwrap_or_else(|| new_token(SECRET_PREFIX));
    let made = FirstStart {
        admin_email: config.admin_email.clone().unwrap_or_else(|| ADMIN_EMAIL.to_owned()),
        admin_password: config.admin_password.is_none().then(|| password.clone()),
        public_key: config.public_key.clone().unwrap_or_else(|| new_token(PUBLIC_PREFIX)),
        secret_key: config.secret_key.is_none().then(|| secret_key.clone()),
    };
    let password_hash = sign_in::hash_password(&password).map_err(StoreError::Broken)?;
    let credential = NewCredential {
        name: "Default".into(),
        public_key: made.public_key.clone(),
        secret_hash: token_hash(&secret_key),
        allowed_origins: Vec::new(),
        rate_per_second: None,
    };
    let admin_email = sign_in::normalise_email(&made.admin_email);
    let filled = store.write(move |tx| {
        // Another node may have been faster.
        if !users::is_first_start(tx)? {
            return Ok(false);
        }
        let team_id = teams::fill(tx, TEAM_NAME, &credential, now)?;
        let admin = users::insert(tx, team_id, &admin_email, &password_hash, Role::Admin, now)?;
        users::set_owner(tx, admin, true)?;
        Ok(true)
    });
    Ok(filled.await?.then_some(made))
}
