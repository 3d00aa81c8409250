//! The networks from which an identity comes.

use crate::dataset::Dataset;
use crate::snapshot::Snapshot;

/// The autonomous system of an address, by its place among the identity's: that of its newest event.
pub fn asn_of(snapshot: &Snapshot, address: usize) -> Option<u32> {
    let event = snapshot.acts().iter().rev().find(|act| act.event.address == Some(address))?;
    snapshot.state.places().get(event.event.place?)?.value.asn
}

/// Whether an address, by its place among the identity's, is one behind which people are elsewhere: an exit of Tor,
/// or in a network of servers, where VPNs have theirs.
pub fn hides_place(snapshot: &Snapshot, address: usize) -> bool {
    let Some(seen) = snapshot.state.addresses().get(address) else { return false };
    let asn = asn_of(snapshot, address);
    [Dataset::Tor, Dataset::Hosting]
        .into_iter()
        .any(|dataset| snapshot.datasets.network(dataset, seen.value, asn).is_some())
}
