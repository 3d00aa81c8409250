//! Leases: who works on a row, and until when.
//!
//! A row that the next stage has to look at carries the time it is due. Whoever takes it moves
//! that time to the end of a lease, so that nobody else takes it meanwhile; if the work is never
//! recorded, the row falls due by itself. A row is born leased when its maker hands it on in
//! memory, and born due when memory is full. The lease is an optimisation only: two workers on
//! one row do no harm, since what they write is guarded by versions and carries ids.

use dregs_core::time::Timestamp;

/// An identity that is to be scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Not before.
    pub at: Timestamp,
    pub identity_id: i64,
}

/// Longer than a cycle can take by orders of magnitude.
pub const EVALUATION_LEASE_MS: i64 = 30_000;
/// Longer than the longest deadline of an attempt (30 s), the wait for a free hand before it and
/// the commit after it.
pub const DELIVERY_LEASE_MS: i64 = 90_000;
