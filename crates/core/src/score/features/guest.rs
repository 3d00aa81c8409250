//! Who was at a device once, to be shown round or served, and has had one of their own since.

use crate::key::KeyKind;
use crate::snapshot::{SharedKey, Snapshot};
use crate::time::{DAY_MS, Timestamp};

/// Of somebody's own, for so long since.
const MOVED_ON_MS: i64 = DAY_MS;
/// The part that is left of what the others on the device say of a guest.
pub const GUEST: f64 = 0.3;

/// Whether it has had a device that no other account has, for a while after it was at this one last.
pub fn has_moved_on(snapshot: &Snapshot, shared: &SharedKey) -> bool {
    let is_shared = |device: &str| snapshot.shared(KeyKind::Device).any(|other| other.key.value == device);
    let devices = || snapshot.state.devices().iter().filter(|seen| !snapshot.common.has_device(&seen.value));
    let Some(here) = devices().find(|seen| seen.value == shared.key.value) else { return false };
    let is_later = |at: Timestamp| at.millis_since(here.last_at) >= MOVED_ON_MS;
    devices().any(|seen| is_later(seen.last_at) && !is_shared(&seen.value))
}
