//! What is left of somebody whose events are gone: the keys and the devices that only those named. They are looked for
//! among all of the team's, which takes a second a million, and is rare.

use std::collections::HashSet;

use dregs_core::link::{KeyKind, LinkKey};

use crate::ops::identities::erasure::Eraser;
use crate::store::changes::{self, Touched};
use crate::store::links::{self, HashedKey};
use crate::store::{Result, devices, erasure, retention};

/// Rows looked at in one transaction that only reads.
const PAGE_ROWS: i64 = 10_000;
/// Rows removed in one transaction, so that no other waits long.
const CHUNK_ROWS: usize = 500;

/// Removes all that erasing the stored events of an identity did not find.
///
/// # Errors
/// Those of the store.
pub async fn remove(eraser: &Eraser<'_>, team_id: i64, id: i64) -> Result<()> {
    if eraser.store.read(move |tx| retention::folded(tx, id)).await?.is_none() {
        return Ok(());
    }
    let (mut keys, mut of_devices) = (Vec::new(), HashSet::new());
    let mut after = (i64::MIN, i64::MIN, 0);
    loop {
        let page = eraser.long_reads.read(move |tx| links::after(tx, team_id, after, PAGE_ROWS)).await?;
        let Some((last, holder)) = page.last() else { break };
        after = (last.kind, last.hash, *holder);
        for (key, _) in page.into_iter().filter(|(_, holder)| *holder == id) {
            match KeyKind::from_code(key.kind) {
                Some(KeyKind::Ip | KeyKind::Network | KeyKind::Session) => keys.push((key, id)),
                Some(KeyKind::Device) => _ = of_devices.insert(key),
                _ => {}
            }
        }
    }
    for chunk in keys.chunks(CHUNK_ROWS).map(<[_]>::to_vec) {
        eraser.store.write(move |tx| links::remove(tx, &chunk)).await?;
    }
    remove_devices(eraser, team_id, id, of_devices).await
}

/// Removes those of these devices that nobody else has used.
async fn remove_devices(eraser: &Eraser<'_>, team_id: i64, id: i64, keys: HashSet<HashedKey>) -> Result<()> {
    let (hasher, now) = (eraser.hasher, eraser.clock.now());
    let mut after = String::new();
    while !keys.is_empty() {
        let from = std::mem::take(&mut after);
        let page = eraser.long_reads.read(move |tx| devices::after(tx, team_id, &from, PAGE_ROWS)).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        let keyed = page.into_iter().map(|fingerprint| {
            let key = LinkKey { kind: KeyKind::Device, value: fingerprint.clone() };
            (HashedKey::new(&hasher, team_id, &key), fingerprint)
        });
        let own: Vec<_> = keyed.filter(|(key, _)| keys.contains(key)).collect();
        for chunk in own.chunks(CHUNK_ROWS).map(<[_]>::to_vec) {
            let remove = move |tx: &mut crate::store::Tx| {
                let mut touched = Touched::default();
                for (key, fingerprint) in &chunk {
                    touched.devices.extend(erasure::remove_device(tx, *key, fingerprint, id)?);
                }
                changes::insert(tx, &touched, now)
            };
            eraser.store.write(remove).await?;
        }
    }
    Ok(())
}
