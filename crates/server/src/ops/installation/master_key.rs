//! Whether the master key is the one that this database was filled with. With another one signing secrets and
//! credentials cannot be read, and nothing may be sent unsigned.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dregs_core::time::Timestamp;

use crate::ops::deliver::endpoints;
use crate::store::{Result, Store, StoreError, Tx, channels, settings};
use crate::vault::Vault;

/// What is sealed in the settings, and under which name.
const CHECK: &str = "master_key_check";
const PURPOSE: &str = "master-key-check";
const TEXT: &[u8] = b"dregs";

/// The value that only the right key opens, where this one does; the first to ask seals it for all who come later. `None`
/// where the key does not open what the store holds.
///
/// # Errors
/// Those of the store.
pub async fn fits(store: &Store, vault: &Vault, now: Timestamp) -> Result<Option<Vec<u8>>> {
    let opened = |check: Vec<u8>| opens(vault, &check).then_some(check);
    if let Some(check) = store.read(known).await? {
        return Ok(opened(check));
    }
    // A new database, or one from before there was a check.
    let (rows, secrets) =
        store.read(move |tx| Ok((channels::all(tx)?, channels::current_secrets(tx, now)?))).await?;
    if rows.iter().any(|row| endpoints::config(vault, row).is_err())
        || secrets.iter().any(|secret| endpoints::open_secret(vault, secret).is_err())
    {
        return Ok(None);
    }
    let sealed = sealed(vault)?;
    // Another node may have been faster, with a key of its own.
    store.write(move |tx| settings::get_or_insert(tx, CHECK, &sealed)).await.map(opened)
}

/// The key of a running server, and whether it is still that of the database: `dregs keys reset-secrets` gives the
/// database another one, whatever nodes run.
pub struct Watch {
    vault: Arc<Vault>,
    /// The value that the key has opened last.
    check: Mutex<Vec<u8>>,
    is_replaced: AtomicBool,
}

impl Watch {
    /// With the value that the key has opened.
    pub fn new(vault: Arc<Vault>, check: Vec<u8>) -> Self {
        Self { vault, check: Mutex::new(check), is_replaced: AtomicBool::new(false) }
    }

    /// Looks at the value that is in the store now.
    pub fn look(&self, check: Option<Vec<u8>>) {
        let Some(check) = check.filter(|check| *check != *self.check()) else { return };
        let is_replaced = !opens(&self.vault, &check);
        if !is_replaced {
            *self.check() = check;
        }
        if !self.is_replaced.swap(is_replaced, Ordering::Relaxed) && is_replaced {
            tracing::error!(
                "the database was given another master key than this server has, by `dregs keys reset-secrets`: this \
                 server seals and sends nothing any more; start it again with that key, as DREGS_MASTER_KEY or \
                 master_key_file"
            );
        }
    }

    /// Whether the database has another key by now.
    pub fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Relaxed)
    }

    /// What opens and seals.
    ///
    /// # Errors
    /// [`StoreError::KeyReplaced`] where the database has another key by now.
    pub fn vault(&self) -> Result<&Arc<Vault>> {
        if self.is_replaced() { Err(StoreError::KeyReplaced) } else { Ok(&self.vault) }
    }

    /// What makes sure of the key in the transaction that stores what was sealed.
    pub fn held(&self) -> Held {
        Held(self.check().clone())
    }

    fn check(&self) -> MutexGuard<'_, Vec<u8>> {
        self.check.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value that the key has opened.
#[derive(Clone)]
pub struct Held(Vec<u8>);

impl Held {
    /// Keeps the database from being given another key until the transaction ends: what it stores is sealed with this one.
    ///
    /// # Errors
    /// [`StoreError::KeyReplaced`] where it has another by now.
    pub fn hold(&self, tx: &mut Tx) -> Result<()> {
        if settings::lock(tx, CHECK, &self.0)? { Ok(()) } else { Err(StoreError::KeyReplaced) }
    }
}

/// The value that only the right key opens, if there is one yet.
///
/// # Errors
/// Those of the store.
pub fn known(tx: &mut Tx) -> Result<Option<Vec<u8>>> {
    Ok(settings::with_prefix(tx, CHECK)?.pop().map(|(_, check)| check))
}

/// Whether a key opens that value.
pub fn opens(vault: &Vault, check: &[u8]) -> bool {
    vault.open(PURPOSE, check).as_deref() == Ok(TEXT)
}

/// Such a value for a key.
///
/// # Errors
/// Never in practice.
pub fn sealed(vault: &Vault) -> Result<Vec<u8>> {
    vault.seal(PURPOSE, TEXT).map_err(StoreError::Broken)
}

/// Makes the key that opens `check` the right one.
///
/// # Errors
/// Those of the store.
pub fn replace(tx: &mut Tx, check: &[u8]) -> Result<()> {
    settings::put(tx, CHECK, check)
}
