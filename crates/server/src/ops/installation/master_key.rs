//! Whether the master key is the one that this database was filled with. With another one signing secrets and
//! credentials cannot be read, and nothing may be sent unsigned.

use dregs_core::time::Timestamp;

use crate::ops::deliver::endpoints;
use crate::store::{Result, Store, StoreError, Tx, channels, settings};
use crate::vault::Vault;

/// What is sealed in the settings, and under which name.
const CHECK: &str = "master_key_check";
const PURPOSE: &str = "master-key-check";
const TEXT: &[u8] = b"dregs";

/// Whether the key opens what the store holds; the first to ask seals a value for all who come later.
///
/// # Errors
/// Those of the store.
pub async fn fits(store: &Store, vault: &Vault, now: Timestamp) -> Result<bool> {
    if let Some(check) = store.read(known).await? {
        return Ok(opens(vault, &check));
    }
    // A new database, or one from before there was a check.
    let (rows, secrets) =
        store.read(move |tx| Ok((channels::all(tx)?, channels::current_secrets(tx, now)?))).await?;
    if rows.iter().any(|row| endpoints::config(vault, row).is_err())
        || secrets.iter().any(|secret| endpoints::open_secret(vault, secret).is_err())
    {
        return Ok(false);
    }
    let sealed = sealed(vault)?;
    // Another node may have been faster, with a key of its own.
    let check = store.write(move |tx| settings::get_or_insert(tx, CHECK, &sealed)).await?;
    Ok(opens(vault, &check))
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
