//! Links: the keys by which one identity may turn out to be another.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

/// What kind of thing two identities can have in common. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    Device = 1,
    Ip = 2,
    Session = 3,
    Email = 4,
}

impl KeyKind {
    /// The kind stored as `code`.
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Device, Self::Ip, Self::Session, Self::Email].into_iter().find(|kind| *kind as i64 == code)
    }
}

/// One thing an identity can share with others, such as the device `a1b2…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    pub kind: KeyKind,
    /// The normalised value: a fingerprint, an address (IPv6 cut to its /64), a session, an
    /// e-mail address without tags and dots that its provider ignores.
    pub value: String,
}

/// Turns keys into 64-bit numbers for the index, with a secret of this installation, so that the
/// numbers say nothing to anybody else.
#[derive(Clone, Copy, Debug)]
pub struct KeyHasher([u8; 16]);

impl KeyHasher {
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// SipHash-2-4 of the kind and the value.
    pub fn hash(&self, key: &LinkKey) -> i64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(key.kind as u8);
        hasher.write(key.value.as_bytes());
        hasher.finish().cast_signed()
    }
}
