//! Who else has a key of the identity.

use crate::key::LinkKey;
use crate::label::Verdict;
use crate::state::FirstHour;
use crate::time::Timestamp;

/// A key of the identity, and who else has it.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedKey {
    pub key: LinkKey,
    /// When the identity itself was first seen with it, in event time.
    pub since: Timestamp,
    /// The newest of them, disregarded ones left out; at most [`crate::key::KeyKind::others_max`].
    pub others: Vec<OtherIdentity>,
}

/// Another identity on the same key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtherIdentity {
    /// Empty where it does not matter, see [`crate::key::KeyKind::names_others`].
    pub id: String,
    /// When it was first seen with the key, in event time.
    pub first_seen_at: Timestamp,
    pub name: Option<String>,
    pub email: Option<String>,
    /// Given where this identity has one, or an address, to compare with.
    pub date_of_birth: Option<String>,
    pub address: Option<String>,
    /// What people have decided of it.
    pub verdict: Option<Verdict>,
    /// What happened in its first hour with the key: of devices to which many came at once, see
    /// [`crate::score::may_be_many`].
    pub first_hour: Option<FirstHour>,
}
