//! Passkeys (WebAuthn): registered by whoever knows the password, and enough to sign in.
//!
//! What the server has to remember between the two halves of a ceremony goes to the browser and back, sealed: any node
//! completes what another has begun, and strangers who begin leave nothing behind.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dregs_core::time::{MINUTE_MS, Timestamp};
use serde_json::{Value, json};
use url::{Host, Url};
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle16, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::CredentialId;
use webauthn_rp::response::auth::ser_relaxed::AuthenticationRelaxed;
use webauthn_rp::response::register::ser_relaxed::RegistrationRelaxed;
use webauthn_rp::response::register::{DynamicState, StaticState};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthenticationServerState, DiscoverableCredentialRequestOptions,
    PublicKeyCredentialCreationOptions, RegistrationServerState,
};

use super::sessions::{Session, open_by};
use super::{Origin, Refusal, SignIns, record, record_change};
use crate::ops::audit::Actor;
use crate::ops::bounds;
use crate::ops::installation::master_key::Watch;
use crate::store::passkeys::{self, Passkey};
use crate::store::users::{self, Method, User};
use crate::store::{Result, Store, StoreError, Tx};
use crate::vault::token_hash;

/// How long a completed ceremony is remembered: longer than one may take, which is five minutes.
const COMPLETED_MS: i64 = 15 * MINUTE_MS;
const SIGN_IN: &str = "passkey sign-in";
/// Of what is sent back.
pub const CEREMONY_MAX_BYTES: usize = 1_024;

/// By which name browsers know this server.
pub struct RelyingParty {
    id: RpId,
    origin: String,
}

impl RelyingParty {
    /// Of the server at this URL; `None` where no browser makes passkeys: without TLS, unless it is the machine itself, and
    /// at an address of numbers.
    pub fn at(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let Some(Host::Domain(host)) = url.host() else { return None };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        if url.scheme() != "https" && !is_local {
            return None;
        }
        let id = RpId::Domain(AsciiDomain::try_from(host.to_owned()).ok()?);
        Some(Self { id, origin: url.origin().ascii_serialization() })
    }
}

/// The first half of a ceremony.
pub struct Begun {
    /// For the second half.
    pub ceremony: String,
    /// What the browser is asked, as WebAuthn has it in JSON.
    pub options: Value,
}

impl Begun {
    fn new(key: &Watch, purpose: &str, state: &[u8], options: impl serde::Serialize) -> Result<Self> {
        let sealed = key.vault()?.seal(purpose, state).map_err(StoreError::Broken)?;
        let mut options =
            serde_json::to_value(options).map_err(|error| StoreError::Broken(error.to_string()))?;
        if let Some(inner) = options.get_mut("publicKey") {
            options = inner.take();
        }
        Ok(Self { ceremony: URL_SAFE_NO_PAD.encode(sealed), options })
    }
}

/// What a first half has sealed; `None` where it is none of that purpose.
fn opened(key: &Watch, purpose: &str, ceremony: &str) -> Result<Option<Vec<u8>>> {
    let Ok(sealed) = URL_SAFE_NO_PAD.decode(ceremony) else { return Ok(None) };
    Ok(key.vault()?.open(purpose, &sealed).ok())
}

fn registration_of(user_id: i64) -> String {
    format!("passkey registration of {user_id}")
}

/// What passkeys know a person by: nothing that tells who it is.
fn handle(user: &User) -> Result<UserHandle16> {
    let digest = token_hash(&format!("passkeys of {} since {}", user.id, user.created_at));
    let bytes = digest.first_chunk::<16>().ok_or_else(|| StoreError::Broken("a digest is short".into()))?;
    UserHandle16::decode(*bytes).map_err(|_| StoreError::Broken("no handle of a person".into()))
}

fn broken(what: &str) -> impl Fn() -> StoreError {
    let what = what.to_owned();
    move || StoreError::Broken(what.clone())
}

impl SignIns {
    /// Begins to register a passkey of somebody who knows their password.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn begin_passkey(
        &self,
        key: &Watch,
        party: &RelyingParty,
        user: User,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<Begun, Refusal>> {
        if let Err(refusal) = self.prove_password(&user, password, address).await? {
            return Ok(Err(refusal));
        }
        let (id, team_id) = (user.id, user.team_id);
        // Whoever has as many as there may be is told before the browser makes one more.
        let look = move |tx: &mut Tx| {
            bounds::PASSKEYS.check(tx, team_id, id)?;
            passkeys::of_user(tx, id)
        };
        let known = self.store.write(look).await?;
        let descriptor = |passkey: Passkey| {
            let id = CredentialId::try_from(passkey.credential_id).ok()?;
            Some(PublicKeyCredentialDescriptor { id, transports: webauthn_rp::response::AuthTransports::ALL })
        };
        let known = known.into_iter().filter_map(descriptor).collect();
        let handle = handle(&user)?;
        let name = Username::try_from(user.email.as_str())
            .or_else(|_| Username::try_from("account"))
            .map_err(|_| broken("no name of a person")())?;
        let entity = PublicKeyCredentialUserEntity { name, id: &handle, display_name: None };
        let mut options = PublicKeyCredentialCreationOptions::passkey(&party.id, entity, known);
        // Of use where passkeys are found by their ids, which here none is; and not every authenticator knows it.
        options.extensions.cred_protect = CredProtect::None;
        let (state, client) =
            options.start_ceremony().map_err(|error| StoreError::Broken(format!("{error:?}")))?;
        let state = state.encode().map_err(|error| StoreError::Broken(error.to_string()))?;
        Begun::new(key, &registration_of(user.id), &state, client).map(Ok)
    }

    /// Registers a passkey, by what the browser says of it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn register_passkey(
        &self,
        key: &Watch,
        party: &RelyingParty,
        user: User,
        (name, ceremony, credential): (String, String, Value),
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<Passkey, Refusal>> {
        let now = self.clock.now();
        let Some(state) = opened(key, &registration_of(user.id), &ceremony)? else {
            return Ok(Err(Refusal::BadPasskey));
        };
        let Some(mut passkey) = verified(party, &state, credential) else {
            return Ok(Err(Refusal::BadPasskey));
        };
        (passkey.user_id, passkey.name, passkey.created_at) = (user.id, name, now);
        let hash = token_hash(&ceremony);
        let register = move |tx: &mut Tx| {
            bounds::PASSKEYS.check(tx, user.team_id, user.id)?;
            passkeys::complete(tx, &hash, now, now.plus_millis(-COMPLETED_MS))?;
            let id = passkeys::insert(tx, &passkey)?;
            let after = Some(json!({ "name": passkey.name }));
            record_change(tx, &Actor::user(&user, address), "passkey.create", (None, after), now)?;
            Ok(Passkey { id, ..passkey.clone() })
        };
        match self.store.write(register).await {
            Err(StoreError::Conflict) => Ok(Err(Refusal::BadPasskey)),
            other => other.map(Ok),
        }
    }

    /// Begins a session by what a passkey has signed; whose it is, it says itself.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn begin_by_passkey(
        &self,
        key: &Watch,
        party: &RelyingParty,
        (ceremony, credential): (String, Value),
        from: Origin,
    ) -> Result<std::result::Result<Session, Refusal>> {
        let now = self.clock.now();
        let Some(state) = opened(key, SIGN_IN, &ceremony)? else { return Ok(Err(Refusal::BadPasskey)) };
        let Ok(AuthenticationRelaxed::<16, true>(signed)) = serde_json::from_value(credential) else {
            return Ok(Err(Refusal::BadPasskey));
        };
        let id = signed.raw_id().into_inner().to_vec();
        let find = move |tx: &mut Tx| {
            let Some(passkey) = passkeys::find(tx, &id)? else { return Ok(None) };
            Ok(users::by_id(tx, passkey.user_id)?.map(|user| (passkey, user)))
        };
        let Some((passkey, user)) = self.store.read(find).await? else {
            return Ok(Err(Refusal::BadPasskey));
        };
        let handle = handle(&user)?;
        let state_then: [u8; 7] =
            passkey.state.as_slice().try_into().map_err(|_| broken("the state of a passkey is damaged")())?;
        let key_then =
            StaticState::decode(&passkey.public_key).map_err(|_| broken("a public key is damaged")())?;
        let state_then = DynamicState::decode(state_then).map_err(|_| broken("a passkey is damaged")())?;
        let mut known = AuthenticatedCredential::new(signed.raw_id(), &handle, key_then, state_then)
            .map_err(|_| broken("a passkey is damaged")())?;
        let Ok(begun) = DiscoverableAuthenticationServerState::decode(&state) else {
            return Ok(Err(Refusal::BadPasskey));
        };
        let origins = [party.origin.as_str()];
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            ..AuthenticationVerificationOptions::default()
        };
        if begun.verify(&party.id, &signed, &mut known, &options).is_err() {
            let actor = Actor::user(&user, from.address);
            self.store.write(move |tx| record(tx, &actor, "session.refuse", now)).await?;
            return Ok(Err(Refusal::BadPasskey));
        }
        let state = known.dynamic_state().encode().unwrap_or_default();
        let hash = token_hash(&ceremony);
        let completed = self.store.write(move |tx| {
            passkeys::complete(tx, &hash, now, now.plus_millis(-COMPLETED_MS))?;
            passkeys::touch(tx, passkey.id, &state, now)
        });
        match completed.await {
            Ok(()) => {}
            Err(StoreError::Conflict) => return Ok(Err(Refusal::BadPasskey)),
            Err(error) => return Err(error),
        }
        // A value of theirs that nobody was given here would be one that others may know.
        let from = Origin { browser: None, ..from };
        open_by(&self.store, user, from, Method::Passkey, now).await.map(Ok)
    }
}

/// Begins a sign-in by passkey, of whoever it will be.
///
/// # Errors
/// Those of the store.
pub fn begin_sign_in(key: &Watch, party: &RelyingParty) -> Result<Begun> {
    let options = DiscoverableCredentialRequestOptions::passkey(&party.id);
    let (state, client) =
        options.start_ceremony().map_err(|error| StoreError::Broken(format!("{error:?}")))?;
    let state = state.encode().map_err(|error| StoreError::Broken(error.to_string()))?;
    Begun::new(key, SIGN_IN, &state, client)
}

/// What is kept of a new passkey, if all of it is right.
fn verified(party: &RelyingParty, state: &[u8], credential: Value) -> Option<Passkey> {
    let RegistrationRelaxed(registration) = serde_json::from_value(credential).ok()?;
    let begun = RegistrationServerState::<16>::decode(state).ok()?;
    let origins = [party.origin.as_str()];
    let options = RegistrationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        ..RegistrationVerificationOptions::default()
    };
    let registered = begun.verify(&party.id, &registration, &options).ok()?;
    Some(Passkey {
        id: 0,
        user_id: 0,
        name: String::new(),
        credential_id: registered.id().into_inner().to_vec(),
        public_key: registered.static_state().encode().ok()?,
        state: registered.dynamic_state().encode().ok()?.to_vec(),
        created_at: Timestamp::from_millis(0),
        last_used_at: None,
    })
}

/// The passkeys of a person, newest first.
///
/// # Errors
/// Those of the store.
pub async fn list(store: &Store, user_id: i64) -> Result<Vec<Passkey>> {
    store.read(move |tx| passkeys::of_user(tx, user_id)).await
}

/// Removes a passkey of the person who asks; `false` where they have none of this id.
///
/// # Errors
/// Those of the store.
pub async fn remove(
    store: &Store,
    user: User,
    id: i64,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<bool> {
    let remove = move |tx: &mut Tx| {
        let Some(name) = passkeys::delete(tx, user.id, id)? else { return Ok(false) };
        let before = Some(json!({ "name": name }));
        record_change(tx, &Actor::user(&user, address), "passkey.delete", (before, None), now)?;
        Ok(true)
    };
    store.write(remove).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_make_passkeys_for_names_and_by_tls_or_on_the_machine_itself() {
        let at = |url: &str| RelyingParty::at(url).map(|party| party.origin);
        assert_eq!(at("https://dregs.example.com/below").as_deref(), Some("https://dregs.example.com"));
        assert_eq!(at("https://dregs.example.com:8443").as_deref(), Some("https://dregs.example.com:8443"));
        assert_eq!(at("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        for url in
            ["http://dregs.example.com", "https://192.0.2.1", "http://127.0.0.1:8080", "https://[::1]", ""]
        {
            assert_eq!(at(url), None, "{url}");
        }
    }
}
