//! The two halves of a sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dregs_core::time::{MINUTE_MS, Timestamp};
use serde::{Deserialize, Serialize};

use super::provider::Asked;
use super::{Oidc, Refusal};
use crate::ops::access::sign_in::{Origin, Session, open_by};
use crate::ops::installation::master_key::Watch;
use crate::store::users::Method;
use crate::store::{Result, Store, StoreError};

/// Where the provider sends browsers back to: a page of the dashboard.
const RETURN_PATH: &str = "/sign-in/oidc";
/// As long as somebody may take at the provider.
pub const CEREMONY_MINUTES: i64 = 15;
/// Of what is sent back.
pub const CEREMONY_MAX_BYTES: usize = 4_096;
/// Of a code, and of a state: providers put much into them.
pub const CODE_MAX_BYTES: usize = 4_096;
const PURPOSE: &str = "openid connect sign-in";

/// The first half.
pub struct Begun {
    /// For the second half.
    pub ceremony: String,
    /// Where the browser goes.
    pub url: String,
}

/// What a browser comes back with.
pub struct Callback {
    pub ceremony: String,
    pub code: String,
    pub state: String,
    /// Who says that it has sent the browser (RFC 9207).
    pub issuer: Option<String>,
}

/// What is remembered between the two halves.
#[derive(Deserialize, Serialize)]
struct Ceremony {
    state: String,
    nonce: String,
    verifier: String,
    redirect: String,
    until_ms: i64,
}

impl Oidc {
    /// Begins a sign-in of whoever it will be, for the server at this URL.
    ///
    /// # Errors
    /// Those of the master key.
    pub async fn begin(
        &self,
        key: &Watch,
        site: &str,
        now: Timestamp,
    ) -> Result<std::result::Result<Begun, Refusal>> {
        let redirect = format!("{site}{RETURN_PATH}");
        let Asked { url, state, nonce, verifier } = match self.provider.begin(&redirect, now).await {
            Ok(asked) => asked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let until_ms = now.plus_millis(CEREMONY_MINUTES * MINUTE_MS).as_millis();
        let kept = Ceremony { state, nonce, verifier, redirect, until_ms };
        let kept = serde_json::to_vec(&kept).map_err(|error| StoreError::Broken(error.to_string()))?;
        let sealed = key.vault()?.seal(PURPOSE, &kept).map_err(StoreError::Broken)?;
        Ok(Ok(Begun { ceremony: URL_SAFE_NO_PAD.encode(sealed), url }))
    }

    /// Signs in whoever comes back.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn complete(
        &self,
        store: &Store,
        key: &Watch,
        callback: Callback,
        from: Origin,
        now: Timestamp,
    ) -> Result<std::result::Result<Session, Refusal>> {
        let Callback { ceremony, code, state, issuer } = callback;
        let Some(begun) = opened(key, &ceremony)? else { return Ok(Err(Refusal::Stale)) };
        let is_ours = issuer.is_none_or(|issuer| issuer == self.issuer);
        if begun.state != state || !is_ours || begun.until_ms <= now.as_millis() {
            return Ok(Err(Refusal::Stale));
        }
        let kept = (begun.redirect.as_str(), begun.verifier, begun.nonce);
        let is_enough = |claims: &_| self.is_enough(claims);
        let claimed = match self.provider.complete(code, kept, is_enough, now).await {
            Ok(claimed) => claimed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let is_multi_factor = claimed.is_multi_factor(self.second_factor);
        let entered = self.enter(store, claimed, from.address, now).await?;
        let user = match entered {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // A value of theirs that nobody was given here would be one that others may know.
        let from = Origin { browser: None, ..from };
        open_by(store, user, from, Method::Oidc { is_multi_factor }, now).await.map(Ok)
    }
}

/// What the first half has sealed; `None` where it has not.
fn opened(key: &Watch, ceremony: &str) -> Result<Option<Ceremony>> {
    let Ok(sealed) = URL_SAFE_NO_PAD.decode(ceremony) else { return Ok(None) };
    let Ok(kept) = key.vault()?.open(PURPOSE, &sealed) else { return Ok(None) };
    Ok(serde_json::from_slice(&kept).ok())
}
