//! Signatures that were right, and of whose events: a header that was copied comes under many identities.
//!
//! What is signed can be sent again for as long as the signature holds, by whoever has seen it, in a log for example. That a
//! backend reports several events of one request is ordinary, and so is that they are of several identities: who was
//! anonymous, who they are once they have signed up, who invited them. So a signature counts for the first
//! [`IDENTITIES_MAX`] identities that come with it, as often as it comes. For others it is not known whether the agent sent
//! it: `None`, and never false, since agents that reuse a signature exist, and two requests of one second without a nonce
//! have the same.
//!
//! It is the bytes of a signature that are remembered, not its nonce. The nonce is under the signature: who copies a header
//! has both, and who has the same nonce under another signature has the key, and may do as they like.
//!
//! Nothing is stored: what is known is known to one node since its start, of the last signatures that were right. Only
//! whoever has a key can add to them.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

/// Identities for which a signature counts.
pub const IDENTITIES_MAX: usize = 3;
/// Signatures in a generation. There are two, and the older goes when the newer is full: about 1 MiB in all.
const GENERATION_MAX: usize = 8_192;

type Hash = [u8; 16];

#[derive(Debug, Default)]
pub struct Replays {
    newer: HashMap<Hash, Identities>,
    older: HashMap<Hash, Identities>,
}

type Identities = [Option<Hash>; IDENTITIES_MAX];

impl Replays {
    /// Whether a signature that is right counts for an identity, which is remembered.
    pub fn counts(&mut self, team_id: i64, signature: &[u8], identity: &str) -> bool {
        let key = hash(team_id, signature);
        let identity = hash(team_id, identity.as_bytes());
        let mut known = self.newer.get(&key).or_else(|| self.older.get(&key)).copied().unwrap_or_default();
        let counts = match known.iter_mut().find(|place| place.is_none_or(|known| known == identity)) {
            Some(place) => {
                *place = Some(identity);
                true
            }
            None => false,
        };
        if self.newer.len() >= GENERATION_MAX && !self.newer.contains_key(&key) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, known);
        counts
    }
}

fn hash(team_id: i64, bytes: &[u8]) -> Hash {
    let digest = Sha256::new().chain_update(team_id.to_be_bytes()).chain_update(bytes).finalize();
    std::array::from_fn(|place| digest[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_for_a_few_identities_as_often_as_it_comes() {
        let mut replays = Replays::default();
        let mut counts = |identity: &str| replays.counts(1, b"signature", identity);
        assert_eq!(["ada", "ada", "bob", "eve"].map(&mut counts), [true; 4]);
        assert_eq!(["mallory", "trudy", "mallory"].map(&mut counts), [false; 3]);
        assert_eq!(["ada", "bob", "eve"].map(&mut counts), [true; 3], "those that it counts for stay");
        assert!(replays.counts(1, b"another", "mallory"));
        assert!(replays.counts(2, b"signature", "mallory"), "another team's");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_goes_when_it_has_not_come_for_long() {
        let mut replays = Replays::default();
        let mut of_others = 0_u64;
        let mut others = |replays: &mut Replays, count: usize| {
            for _ in 0..count {
                of_others += 1;
                replays.counts(1, &of_others.to_be_bytes(), "other");
            }
            assert!(replays.newer.len() <= GENERATION_MAX && replays.older.len() <= GENERATION_MAX);
        };
        for identity in ["ada", "bob", "eve"] {
            assert!(replays.counts(1, b"signature", identity));
        }
        for _ in 0..3 {
            others(&mut replays, GENERATION_MAX);
            assert!(!replays.counts(1, b"signature", "mallory"), "it came a while ago");
        }
        others(&mut replays, 2 * GENERATION_MAX);
        assert!(replays.counts(1, b"signature", "mallory"), "it is forgotten");
    }
}
