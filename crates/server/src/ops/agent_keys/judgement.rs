//! What the keys that are in memory say of a signed request.

use std::collections::HashSet;

use dregs_core::agent::AgentSignature;
use dregs_core::event::Request;
use dregs_core::time::Timestamp;

use super::key::PublicKey;
use super::signed_request::{Signature, claimed_signer, signatures};
use super::{AgentKeys, Held};

/// Ways to sign that have been seen to verify.
const PROVEN_MAX: usize = 4_096;

/// Where signatures have verified. One that fails is false only there: elsewhere a proxy may have changed what it covers, or
/// the backend may tell it otherwise than it came.
#[derive(Debug, Default)]
pub struct Proven(HashSet<Proof>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Proof {
    team_id: i64,
    signer: String,
    /// A key that is new may sign in another way than those before it.
    key_id: String,
    authority: String,
    covers: String,
}

impl Proven {
    fn insert(&mut self, proof: Proof) {
        if self.0.len() >= PROVEN_MAX {
            self.0.clear();
        }
        self.0.insert(proof);
    }
}

/// A request whose signatures are judged.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    pub team_id: i64,
    pub request: &'a Request,
    /// Of whom the event is.
    pub identity: Option<&'a str>,
    /// The time of the event, at which the signature counts.
    pub at: Timestamp,
    pub now: Timestamp,
}

impl AgentKeys {
    /// What the keys say of the request behind an event. `None` where no signer that counts has signed it.
    ///
    /// Of several signatures each is judged by itself, and the first that is right says who came. Where there are several,
    /// none is false: whoever has passed a request on may have changed what was signed before, and signs it anew.
    pub fn judge(&self, signed: Signed) -> Option<AgentSignature> {
        let signatures = signatures(signed.request);
        let is_passed_on = signatures.len() > 1;
        let judged = |of_each: &Vec<Signature>| {
            let AgentSignature { signer, verified } = self.judge_one(signed, of_each)?;
            Some(AgentSignature { signer, verified: verified.filter(|is_right| *is_right || !is_passed_on) })
        };
        let mut judged: Vec<_> = signatures.iter().filter_map(judged).collect();
        let right = judged.iter().position(|signature| signature.verified == Some(true)).unwrap_or_default();
        let found = if signatures.iter().all(Vec::is_empty) {
            self.claimed(signed.request)
        } else {
            (!judged.is_empty()).then(|| judged.swap_remove(right))
        };
        let outcome = match found.as_ref()?.verified {
            Some(true) => "verified",
            Some(false) => "false",
            None => "unknown",
        };
        metrics::counter!("dregs_agent_signatures_total", "outcome" => outcome).increment(1);
        found
    }

    /// The signer by the word of a request of which no more can be read.
    fn claimed(&self, request: &Request) -> Option<AgentSignature> {
        let signer = claimed_signer(request)?;
        let counts = self.state().signers.contains_key(&signer);
        counts.then_some(AgentSignature { signer, verified: None })
    }

    /// One signature, as it is read for each authority.
    fn judge_one(&self, signed: Signed, of_each: &[Signature]) -> Option<AgentSignature> {
        let (signer, key) = self.key_of(of_each.first()?, signed)?;
        let verified = key.and_then(|key| self.verify(signed, &signer, of_each, &key));
        Some(AgentSignature { signer, verified })
    }

    /// Whose signature it is, and the key that may tell. A signer whose key is not there is asked for it, if the
    /// signature holds.
    fn key_of(&self, signature: &Signature, signed: Signed) -> Option<(String, Option<PublicKey>)> {
        let Signed { at, now, .. } = signed;
        let mut state = self.state();
        let holds = signature.holds_at(at);
        let Some(signer) = signature.signer.clone() else {
            // Who signs without saying so is known by the key, if it is one signer's.
            let own = |(signer, held): (&String, &Held)| {
                let key = held.own_keys_at(&signature.key_id, now)?.get(&signature.key_id, at)?;
                Some((signer.clone(), Some(key).filter(|_| holds)))
            };
            let mut found = state.signers.iter().filter_map(own);
            return found.next().filter(|_| found.next().is_none());
        };
        let held = state.signers.get_mut(&signer)?;
        if !holds {
            return Some((signer, None));
        }
        let key = held.keys_at(now).and_then(|keys| keys.get(&signature.key_id, at));
        held.want(key.is_none(), now);
        if held.is_due(now) {
            self.wanted.notify_one();
        }
        Some((signer, key))
    }

    /// Whether one is right; one for each authority. `None` where the key cannot tell, or the signature has come under
    /// [many identities](super::replays).
    fn verify(&self, signed: Signed, signer: &str, of_each: &[Signature], key: &PublicKey) -> Option<bool> {
        let Signed { team_id, identity, .. } = signed;
        let proof = |signature: &Signature| Proof {
            team_id,
            signer: signer.to_owned(),
            key_id: signature.key_id.clone(),
            authority: signature.authority.clone(),
            covers: signature.covers.clone(),
        };
        if !of_each.first()?.is_for(key) {
            return None;
        }
        let right = of_each.iter().find(|signature| signature.is_by(key));
        let mut state = self.state();
        let Some(right) = right else {
            return of_each
                .iter()
                .any(|signature| state.proven.0.contains(&proof(signature)))
                .then_some(false);
        };
        state.proven.insert(proof(right));
        // It may be a copy, or the agent's own.
        identity.is_none_or(|identity| state.replays.counts(team_id, &right.bytes, identity)).then_some(true)
    }
}
