//! The authorization server for `/mcp`: OAuth 2.1 as the Model Context Protocol profiles it. Clients register themselves,
//! a person approves each, and it then acts as that person. Codes and tokens are random; only their hashes are kept.
//!
//! `oxide-auth` is the library that there is. Of what is here it has the checks of a redirect URI and of PKCE; it has no
//! registration, metadata, revocation or resource indicators, and its issuer would be ours for the rotation of refresh
//! tokens. Its stores are synchronous traits of one step each, where here a step is a transaction. So this is our own.

pub mod authorization;
pub mod clients;
pub mod connections;
mod pkce;
mod redirect;
pub mod refusal;

pub use redirect::{app_scheme, is_loopback};

use dregs_core::time::{DAY_MS, HOUR_MS, SECOND_MS, Timestamp};

use crate::store::{Result, Tx, oauth_clients, oauth_codes, oauth_connections};

/// How long a code can be redeemed.
pub const CODE_MS: i64 = 60 * SECOND_MS;
/// How long an access token holds.
pub const ACCESS_MS: i64 = HOUR_MS;
/// How long a refresh token holds. Each use gives another one.
pub const REFRESH_MS: i64 = 30 * DAY_MS;
/// How long a code is remembered after that, in case that it comes again.
const CODE_REMEMBERED_MS: i64 = HOUR_MS;
/// How long a client is kept that nobody approves.
const UNUSED_CLIENT_MS: i64 = DAY_MS;
/// How long one is kept that nobody is connected with any more: some ask again under the id that they remember.
const IDLE_CLIENT_MS: i64 = 90 * DAY_MS;

/// The one scope that there is: the tools, as far as the person's role allows them.
pub const SCOPE: &str = "mcp";

/// What access tokens begin with.
pub const ACCESS_PREFIX: &str = "oat_";
/// What refresh tokens begin with.
const REFRESH_PREFIX: &str = "ort_";
const CODE_PREFIX: &str = "oac_";
const CLIENT_PREFIX: &str = "oc_";

/// Removes what is over.
///
/// # Errors
/// Those of the store.
pub fn sweep(tx: &mut Tx, now: Timestamp) -> Result<()> {
    oauth_codes::sweep(tx, now.plus_millis(-CODE_REMEMBERED_MS))?;
    oauth_connections::sweep(tx, now)?;
    oauth_clients::sweep(tx, now.plus_millis(-UNUSED_CLIENT_MS), now.plus_millis(-IDLE_CLIENT_MS))
}
