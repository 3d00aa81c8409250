//! The agents by whose signature an identity's requests came.

use super::{IdentityState, Seen, see};
use crate::agent::{AgentSignature, KnownAgent, agent_called, known_agent, signed_agent};
use crate::event::Event;

/// Signed agents remembered; the one unseen for longest makes room for a new one.
pub const SIGNED_MAX: usize = 8;

/// An agent whose signature events had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAgent {
    pub signature: AgentSignature,
    /// The name in the user agent beside it.
    pub named: Option<String>,
}

impl SignedAgent {
    pub fn agent(&self) -> KnownAgent {
        signed_agent(&self.signature, self.named.as_deref().and_then(agent_called))
    }
}

impl IdentityState {
    pub(super) fn fold_signature(&mut self, event: &Event) {
        let Some(signature) = event.signature.clone() else { return };
        let named = event.user_agent.as_deref().and_then(known_agent).map(|known| known.name.to_string());
        let signed = SignedAgent { signature, named };
        see(&mut self.signed, SIGNED_MAX, event.timestamp, |known| *known == signed, || signed.clone());
    }

    /// Agents by whose signature its requests came, at most [`SIGNED_MAX`].
    pub fn signed(&self) -> &[Seen<SignedAgent>] {
        &self.signed
    }

    /// The agent of an AI service that was seen last, by its signature or by its name among [`Self::user_agents`].
    pub fn agent(&self) -> Option<KnownAgent> {
        let named = self
            .user_agents
            .iter()
            .filter_map(|seen| Some((known_agent(&seen.value)?.clone(), seen.last_at)));
        // Of an event that has both, what its signature says.
        let signed = self.signed.iter().map(|seen| (seen.value.agent(), seen.last_at));
        named.chain(signed).max_by_key(|(_, last_at)| *last_at).map(|(agent, _)| agent)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::Timestamp;

    const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";

    /// Signed by OpenAI's key, or not by it, or unverified, or not signed.
    fn seen(state: &mut IdentityState, second: i64, signature: Option<Option<bool>>, user_agent: &str) {
        let timestamp = Timestamp::from_millis(1_795_426_200_000 + second * 1_000);
        let event = json!({"id": "e", "type": "a", "timestamp": timestamp, "user_agent": user_agent});
        let mut event: Event = serde_json::from_value(event).unwrap();
        let signer = "https://chatgpt.com".to_owned();
        event.signature = signature.map(|verified| AgentSignature { signer, verified });
        state.fold(&event);
    }

    #[test]
    fn signed_agents_are_remembered_and_cost_nobody_else_a_byte() {
        let (mut unsigned, mut signed) = (IdentityState::default(), IdentityState::default());
        seen(&mut unsigned, 0, None, CHROME);
        seen(&mut signed, 0, Some(Some(true)), "ChatGPT-User/1.0");
        seen(&mut signed, 1, Some(Some(false)), CHROME);
        seen(&mut signed, 2, Some(None), CHROME);
        seen(&mut signed, 3, Some(None), CHROME);
        for state in [&unsigned, &signed] {
            assert_eq!(IdentityState::decode(&state.encode()).as_ref(), Some(state));
        }
        let counts: Vec<_> = signed.signed().iter().map(|seen| seen.count).collect();
        assert_eq!(counts, [1, 1, 2]);

        for second in 0..=i64::try_from(SIGNED_MAX).unwrap() {
            let mut event: Event = serde_json::from_value(
                json!({"id": "e", "type": "a", "timestamp": Timestamp::from_millis(second)}),
            )
            .unwrap();
            let signer = format!("https://a{second}.example");
            event.signature = Some(AgentSignature { signer, verified: None });
            signed.fold(&event);
        }
        assert_eq!(signed.signed().len(), SIGNED_MAX);
    }

    #[test]
    fn the_agent_seen_last_is_told_by_its_signature_before_its_name() {
        let mut state = IdentityState::default();
        let mut told = |second, signature, user_agent: &str| {
            seen(&mut state, second, signature, user_agent);
            state.agent().map(|agent| (agent.name.into_owned(), agent.verified))
        };
        let agent = |name: &str, verified| Some((name.to_owned(), verified));
        assert_eq!(told(0, None, "Claude-User/1.0"), agent("Claude-User", None));
        assert_eq!(told(1, Some(Some(true)), "ChatGPT-User/1.0"), agent("ChatGPT-User", Some(true)));
        assert_eq!(told(2, Some(Some(false)), "ChatGPT-User/1.0"), agent("ChatGPT-User", Some(false)));
        assert_eq!(told(3, None, CHROME), agent("ChatGPT-User", Some(false)), "a browser is no agent");
    }
}
