//! The keys of agents, and what they say of signed requests (Web Bot Auth).
//!
//! A request is judged before its event is stored, by the keys that are in memory: no event waits for a directory. What
//! came of it is kept with the event, so that scores follow from what is stored.

mod directory;
mod judgement;
mod key;
mod possession;
mod replays;
mod signature_base;
mod signed_request;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dregs_core::agent;
use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use directory::LIFETIME_MIN_MS;
pub use directory::{KEYS_MAX, Keys, lifetime_ms};
use judgement::Proven;
pub use judgement::Signed;
pub use key::{RSA_MAX_BITS, RSA_MIN_BITS};
pub use possession::Answer;
use replays::Replays;
pub use signed_request::authority_of;
use signed_request::origin;

use crate::text_file;

/// Where a signer has its keys (the draft on directories).
pub const DIRECTORY_PATH: &str = "/.well-known/http-message-signatures-directory";
/// Signers that a configuration may name, those that are known included.
pub const SIGNERS_MAX: usize = 64;
/// The largest directory.
pub const DIRECTORY_MAX_KIB: usize = 16;
/// For a directory, from DNS to the last byte.
pub const DIRECTORY_MAX_SECONDS: u64 = 5;
/// The word for those that are known.
const KNOWN: &str = "known";
/// Keys count for so long after they were fetched where fetching fails.
const KEPT_MAX_MS: i64 = 2 * DAY_MS;
/// A directory of which nobody has asked for so long is not fetched again.
const WANTED_MAX_MS: i64 = 7 * DAY_MS;
/// After a failure, and at most after many.
const RETRY_MIN_MS: i64 = 30_000;
const RETRY_MAX_MS: i64 = HOUR_MS;
/// The keys of all signers that count.
pub struct AgentKeys {
    state: Mutex<State>,
    /// Wakes whoever fetches directories.
    pub wanted: Notify,
}

struct State {
    /// No signer is added while the server runs.
    signers: BTreeMap<String, Held>,
    proven: Proven,
    replays: Replays,
}

/// What is known of the keys of a signer.
#[derive(Debug, Default)]
struct Held {
    /// They are the operator's word: nothing is fetched.
    is_pinned: bool,
    /// The operator has named it: it is wanted always.
    is_named: bool,
    keys: Option<Keys>,
    fetched_at: Timestamp,
    wanted_at: Option<Timestamp>,
    next_fetch_at: Timestamp,
    failures: u32,
}

impl Held {
    fn keys_at(&self, now: Timestamp) -> Option<&Keys> {
        let is_kept = self.is_pinned || now.millis_since(self.fetched_at) <= KEPT_MAX_MS;
        self.keys.as_ref().filter(|_| is_kept)
    }

    /// The keys by which it is known where a request names nobody: those that the customer has pinned, and those whose
    /// holder says that they are its own. Another's directory may have them, too.
    fn own_keys_at(&self, key_id: &str, now: Timestamp) -> Option<&Keys> {
        self.keys_at(now).filter(|keys| self.is_pinned || keys.is_proven(key_id))
    }

    /// Somebody has asked for its keys. One that is lacking may be new.
    fn want(&mut self, is_lacking: bool, now: Timestamp) {
        self.wanted_at = Some(now);
        if is_lacking && self.failures == 0 {
            self.next_fetch_at = self.next_fetch_at.min(self.fetched_at.plus_millis(LIFETIME_MIN_MS));
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let is_asked_for = self.wanted_at.is_some_and(|at| now.millis_since(at) <= WANTED_MAX_MS);
        let is_wanted = self.is_named || is_asked_for;
        !self.is_pinned && is_wanted && now >= self.next_fetch_at
    }
}

/// The signers that a setting names: origins separated by commas, and `known` for those that are known.
///
/// # Errors
/// A sentence that says which is none.
pub fn parse_signers(text: &str) -> Result<Vec<String>, String> {
    let mut signers = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match origin(word) {
            _ if word == KNOWN => signers.extend(agent::signers().map(str::to_owned)),
            Some(origin) if origin.starts_with("http") && origin == word.trim_end_matches('/') => {
                signers.push(origin);
            }
            _ => {
                return Err(format!(
                    "{word} is no origin, such as https://agents.example.com, nor the word known"
                ));
            }
        }
    }
    if signers.len() > SIGNERS_MAX {
        return Err(format!("there may be at most {SIGNERS_MAX} signers"));
    }
    Ok(signers)
}

impl AgentKeys {
    /// The signers of the settings. Those that it names by their origin are fetched at once, those that are known when
    /// the first of their requests comes, pinned ones never.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(signers: &str, pinned: Option<&Path>) -> Result<Self, String> {
        let known: HashSet<_> = agent::signers().collect();
        let mut held = BTreeMap::new();
        for signer in parse_signers(signers)? {
            let is_named = !known.contains(signer.as_str());
            held.insert(signer, Held { is_named, ..Held::default() });
        }
        for (signer, keys) in pinned.map(read_pinned).transpose()?.unwrap_or_default() {
            held.insert(signer, Held { is_pinned: true, keys: Some(keys), ..Held::default() });
        }
        let state = State { signers: held, proven: Proven::default(), replays: Replays::default() };
        Ok(Self { state: Mutex::new(state), wanted: Notify::new() })
    }

    /// A signer whose directory is to be fetched now.
    pub fn next_due(&self, now: Timestamp) -> Option<String> {
        let state = self.state();
        state.signers.iter().find(|(_, held)| held.is_due(now)).map(|(signer, _)| signer.clone())
    }

    /// Takes over what was fetched, which is good for so long; or notes that it could not be, and says whether that is
    /// new.
    pub fn learn(&self, signer: &str, fetched: Option<(Keys, i64)>, now: Timestamp) -> bool {
        let mut state = self.state();
        let Some(held) = state.signers.get_mut(signer) else { return false };
        match fetched {
            Some((keys, lifetime_ms)) => {
                held.keys = Some(keys);
                (held.fetched_at, held.failures) = (now, 0);
                held.next_fetch_at = now.plus_millis(lifetime_ms);
                false
            }
            None => {
                let pause_ms = RETRY_MIN_MS.saturating_mul(1 << held.failures.min(16)).min(RETRY_MAX_MS);
                held.failures = held.failures.saturating_add(1);
                held.next_fetch_at = now.plus_millis(pause_ms);
                held.failures == 1
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a file of key sets by the origins of their signers.
fn read_pinned(path: &Path) -> Result<Vec<(String, Keys)>, String> {
    let wrong = |error: String| format!("agent_keys_file {}: {error}", path.display());
    let text = text_file::read(path).map_err(|error| wrong(error.to_string()))?;
    let sets: Map<String, Value> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let read = |(signer, set): (String, Value)| {
        let signer = origin(&signer).ok_or_else(|| wrong(format!("{signer} is no origin")))?;
        let keys =
            Keys::pinned(set.to_string().as_bytes()).map_err(|error| wrong(format!("{signer}: {error}")))?;
        Ok((signer, keys))
    };
    sets.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
