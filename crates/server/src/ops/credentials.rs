//! Credentials: made, listed, revoked, and recognised.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::store::credentials::{self, Credential, NewCredential};
use crate::store::{Result, Store};
use crate::vault::{new_token, token_hash};
use dregs_core::time::Timestamp;
use tokio::sync::Mutex;

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

/// Every enabled credential, in memory: recognising one must cost no query. Changes made through
/// this process show at once, others after a poll.
#[derive(Default)]
pub struct Directory {
    recognised: RwLock<Arc<Recognised>>,
    /// One reading at a time: a slow one must not put back what a later one saw revoked.
    reloading: Mutex<()>,
}

#[derive(Default)]
struct Recognised {
    by_secret: HashMap<Vec<u8>, Arc<Credential>>,
    by_public: HashMap<String, Arc<Credential>>,
}

impl Directory {
    /// The enabled credential that has this secret key.
    pub fn by_secret(&self, key: &str) -> Option<Arc<Credential>> {
        self.recognised().by_secret.get(&token_hash(key)).cloned()
    }

    /// The enabled credential that has this public key.
    pub fn by_public(&self, key: &str) -> Option<Arc<Credential>> {
        self.recognised().by_public.get(key).cloned()
    }

    /// Whether any credential lets pages of `origin` send events.
    pub fn any_allows(&self, origin: &str) -> bool {
        self.recognised().by_public.values().any(|credential| credential.allows(origin))
    }

    /// Reads the credentials again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let _turn = self.reloading.lock().await;
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

/// A new credential and its secret key, which nobody sees again.
///
/// # Errors
/// Those of the store.
pub async fn create(
    store: &Store,
    team_id: i64,
    name: String,
    allowed_origins: Vec<String>,
    now: Timestamp,
) -> Result<(Credential, String)> {
    let secret_key = new_token(SECRET_PREFIX);
    let new = NewCredential {
        name,
        public_key: new_token(PUBLIC_PREFIX),
        secret_hash: token_hash(&secret_key),
        allowed_origins,
    };
    let credential = store.write(move |tx| credentials::insert(tx, team_id, &new, now)).await?;
    Ok((credential, secret_key))
}
