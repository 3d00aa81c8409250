//! Credentials: made, listed, revoked, and recognised.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::ops::access::refused_origins::{RefusedOrigin, RefusedOrigins};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::store::credentials::{self, Change, Credential, NewCredential};
use crate::store::{Result, Store, StoreError, Tx, users};
use crate::vault::{new_token, token_hash};
use dregs_core::time::Timestamp;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

pub const PUBLIC_PREFIX: &str = "pk_";
pub const SECRET_PREFIX: &str = "sk_";

const ORIGIN_MAX_BYTES: usize = 255;

/// Whether `text` can be an allowed origin: `*`, or a scheme, a host and perhaps a port. A star
/// inside one would match nothing: browsers name theirs in full.
pub fn is_origin(text: &str) -> bool {
    let is_one = |url: url::Url| url.origin().ascii_serialization().eq_ignore_ascii_case(text);
    text == "*"
        || (text.len() <= ORIGIN_MAX_BYTES && !text.contains('*') && url::Url::parse(text).is_ok_and(is_one))
}

/// For keys that nobody knows, the credentials are read again this often at most.
const LOOK_AGAIN_INTERVAL: Duration = Duration::from_millis(100);

/// Every enabled credential, in memory: recognising one must cost no query. Changes made through this process, and keys
/// that another has made, show at once, other changes after a poll.
#[derive(Default)]
pub struct Directory {
    recognised: RwLock<Arc<Recognised>>,
    /// When the last reading began. One at a time: a slow one must not put back what a later one saw revoked.
    read_at: Mutex<Option<Instant>>,
    pub refused: RefusedOrigins,
}

#[derive(Default)]
struct Recognised {
    by_secret: HashMap<Vec<u8>, Arc<Credential>>,
    by_public: HashMap<String, Arc<Credential>>,
}

impl Directory {
    /// The enabled credential that has this public or secret key.
    ///
    /// # Errors
    /// Those of the store, which is asked for a key that is not known yet.
    pub async fn find(&self, store: &Store, key: &str) -> Result<Option<Arc<Credential>>> {
        if let Some(known) = self.known(key) {
            return Ok(Some(known));
        }
        let asked_at = Instant::now();
        let mut read_at = self.read_at.lock().await;
        if read_at.is_none_or(|at| at <= asked_at) {
            if let Some(at) = *read_at {
                sleep_until(at + LOOK_AGAIN_INTERVAL).await;
            }
            self.read(store, &mut read_at).await?;
        }
        Ok(self.known(key))
    }

    fn known(&self, key: &str) -> Option<Arc<Credential>> {
        let recognised = self.recognised();
        recognised.by_public.get(key).or_else(|| recognised.by_secret.get(&token_hash(key))).cloned()
    }

    /// Whether the credential with this id is enabled.
    pub fn is_enabled(&self, id: i64) -> bool {
        self.recognised().by_public.values().any(|credential| credential.id == id)
    }

    /// Whether any credential lets pages of `origin` send events.
    pub fn any_allows(&self, origin: &str) -> bool {
        self.recognised().by_public.values().any(|credential| credential.allows(origin))
    }

    /// The origins of pages that were refused and would be again, as far as they concern a team. Where a browser asked
    /// before it sent a key, nobody knows whom it concerns: it is told where there is one team alone.
    pub fn refused(&self, team_id: i64, now: Timestamp) -> Vec<RefusedOrigin> {
        let recognised = self.recognised();
        let is_alone = recognised.by_public.values().all(|credential| credential.team_id == team_id);
        let is_refused = |refused: &RefusedOrigin| match refused.credential_id {
            None => is_alone && !recognised.by_public.values().any(|known| known.allows(&refused.origin)),
            Some(id) => recognised
                .by_public
                .values()
                .any(|own| own.id == id && own.team_id == team_id && !own.allows(&refused.origin)),
        };
        let mut refused = self.refused.list(now);
        refused.retain(is_refused);
        refused
    }

    /// Reads the credentials again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        self.read(store, &mut *self.read_at.lock().await).await
    }

    async fn read(&self, store: &Store, read_at: &mut Option<Instant>) -> Result<()> {
        *read_at = Some(Instant::now());
        let mut recognised = Recognised::default();
        for credential in store.read(credentials::all).await? {
            if credential.enabled {
                let credential = Arc::new(credential);
                recognised.by_secret.insert(credential.secret_hash.clone(), Arc::clone(&credential));
                recognised.by_public.insert(credential.public_key.clone(), credential);
            }
        }
        *self.recognised.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(recognised);
        Ok(())
    }

    fn recognised(&self) -> Arc<Recognised> {
        Arc::clone(&self.recognised.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether two names are one to people.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The audit log says by its name who has called: no other credential of the team than `own` may have it, nor get it
/// at the same time.
fn check_name(tx: &mut Tx, team_id: i64, own: Option<i64>, name: &str) -> Result<()> {
    users::hold_team(tx, team_id)?;
    let known = credentials::of_team(tx, team_id)?;
    let is_taken = known.iter().any(|known| Some(known.id) != own && is_same_name(&known.name, name));
    if is_taken { Err(StoreError::Conflict) } else { Ok(()) }
}

/// A new credential and its secret key, which nobody sees again.
///
/// # Errors
/// Those of the store; a conflict where another has the name.
pub async fn create(
    store: &Store,
    actor: Actor,
    (name, allowed_origins): (String, Vec<String>),
    rate_per_second: Option<i64>,
    now: Timestamp,
) -> Result<(Credential, String)> {
    let secret_key = new_token(SECRET_PREFIX);
    let new = NewCredential {
        name,
        public_key: new_token(PUBLIC_PREFIX),
        secret_hash: token_hash(&secret_key),
        allowed_origins,
        rate_per_second,
    };
    let credential = store
        .write(move |tx| {
            bounds::CREDENTIALS.check_team(tx, actor.team_id)?;
            check_name(tx, actor.team_id, None, &new.name)?;
            let credential = credentials::insert(tx, actor.team_id, &new, now)?;
            log(tx, &actor, "credential.create", None, Some(&credential), now)?;
            Ok(credential)
        })
        .await?;
    Ok((credential, secret_key))
}

/// Changes a credential; `None` where the team has none with this id.
///
/// # Errors
/// Those of the store; a conflict where another has the name.
pub async fn change(
    store: &Store,
    actor: Actor,
    id: i64,
    change: Change,
    now: Timestamp,
) -> Result<Option<Credential>> {
    store
        .write(move |tx| {
            let before = credentials::of_team(tx, actor.team_id)?.into_iter().find(|known| known.id == id);
            if let Some(name) = &change.name {
                check_name(tx, actor.team_id, Some(id), name)?;
            }
            let after = credentials::update(tx, actor.team_id, id, &change, now)?;
            if after.is_some() {
                log(tx, &actor, "credential.change", before.as_ref(), after.as_ref(), now)?;
            }
            Ok(after)
        })
        .await
}

/// Removes a credential; `false` where the team has none with this id.
///
/// # Errors
/// Those of the store.
pub async fn delete(
    store: &Store,
    directory: &Directory,
    actor: Actor,
    id: i64,
    now: Timestamp,
) -> Result<bool> {
    let deleted = store
        .write(move |tx| {
            let before = credentials::of_team(tx, actor.team_id)?.into_iter().find(|known| known.id == id);
            let deleted = credentials::delete(tx, actor.team_id, id)?;
            if deleted {
                log(tx, &actor, "credential.delete", before.as_ref(), None, now)?;
            }
            Ok(deleted)
        })
        .await?;
    directory.reload(store).await?;
    Ok(deleted)
}

fn log(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    before: Option<&Credential>,
    after: Option<&Credential>,
    now: Timestamp,
) -> Result<()> {
    let told = |credential: &Credential| {
        json!({
            "name": credential.name,
            "publicKey": credential.public_key,
            "allowedOrigins": credential.allowed_origins,
            "enabled": credential.enabled,
            "ratePerSecond": credential.rate_per_second,
        })
    };
    let id = before.or(after).map_or(0, |credential| credential.id).to_string();
    let (before, after) = (before.map(told), after.map(told));
    let act = Act { action, target_type: "credential", target_id: &id, before, after };
    audit::record(tx, actor, &act, now)
}
