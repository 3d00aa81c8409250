//! States of counters: added to, in the transaction that stores what is counted.

use std::collections::BTreeMap;

use dregs_core::counter::{Counter, State, additions};
use dregs_core::fact::Subject;
use dregs_core::link::KeyHasher;

use super::OfTeams;
use crate::store::counter_states::{self, Key, Stored};
use crate::store::{Result, Tx};

/// What is to be added to the states of keys.
pub type Added = BTreeMap<Key, State>;

/// Notes what an event of a team adds; the answer is whether it adds anything.
pub(super) fn note<'c>(
    added: &mut Added,
    team_id: i64,
    counters: impl Iterator<Item = &'c Counter>,
    subject: &Subject,
    hasher: &KeyHasher,
) -> bool {
    let additions = additions(counters, subject, hasher);
    for addition in &additions {
        added.entry((team_id, addition.key)).or_default().add(addition);
    }
    !additions.is_empty()
}

/// Adds to what is stored.
///
/// # Errors
/// [`crate::store::StoreError::Retry`] when another transaction has added to the same meanwhile.
pub fn add(tx: &mut Tx, added: &Added, counters: &OfTeams) -> Result<()> {
    if added.is_empty() {
        return Ok(());
    }
    let keys: Vec<_> = added.keys().copied().collect();
    let mut stored: BTreeMap<_, _> =
        counter_states::load_to_write(tx, &keys)?.into_iter().map(|stored| (stored.key, stored)).collect();
    let mut written = Vec::with_capacity(added.len());
    for (key, new) in added {
        let (version, mut state) = match stored.remove(key) {
            Some(stored) => (stored.version, decode(&stored)),
            None => (0, State::default()),
        };
        state.merge(new);
        if let Some(counters) = counters.of(key.0) {
            state.retain(counters);
        }
        let expires_at = state.expires_at();
        written.push(Stored { key: *key, version, expires_at, state: state.encode() });
    }
    counter_states::save(tx, &written)
}

/// The states of a team's keys, by key.
pub(super) fn read(tx: &mut Tx, keys: &[Key]) -> Result<BTreeMap<i64, State>> {
    let stored = counter_states::load(tx, keys)?;
    Ok(stored.iter().map(|stored| (stored.key.1, decode(stored))).collect())
}

fn decode(stored: &Stored) -> State {
    State::decode(&stored.state).unwrap_or_else(|| {
        tracing::error!(
            team_id = stored.key.0,
            "what counters have counted of one key cannot be read: it is counted anew"
        );
        State::default()
    })
}
