//! Agents whose requests are signed (Web Bot Auth): who they are, by whose keys they are told.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::known::{self, KnownAgent, Purpose};

/// Who has signed a request by its own word, and whether its key confirms it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSignature {
    /// The origin that has its keys, such as `https://chatgpt.com`.
    pub signer: String,
    /// `None` where that could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
}

/// Where the signers and their agents are from, and its date.
pub const SIGNERS_SOURCE: (&str, &str) =
    ("OpenAI's \"ChatGPT agent allowlisting\", Google's \"Allow Google-Agent traffic\"", "2026-11");

static SIGNERS: LazyLock<Vec<(&'static str, &'static KnownAgent)>> = LazyLock::new(|| {
    let signer = |line: &'static str| {
        let (origin, name) = line.split_once('\t')?;
        Some((origin, known::called(name)?))
    };
    include_str!("../../data/ai-agent-signers.tsv").lines().filter_map(signer).collect()
});

/// The origins of the signers that are known.
pub fn signers() -> impl Iterator<Item = &'static str> {
    SIGNERS.iter().map(|(origin, _)| *origin)
}

/// The agent of a signer, and whether it is verified. The key tells the operator; which of the operator's agents it is,
/// the name in the user agent may tell. Who is behind a signer of the customer's own is called by its host.
pub fn signed_agent(signature: &AgentSignature, named: Option<&KnownAgent>) -> KnownAgent {
    let AgentSignature { signer, verified } = signature;
    let agent = match (SIGNERS.iter().find(|(origin, _)| origin == signer), named) {
        (Some((_, known)), Some(named)) if named.operator == known.operator => named.clone(),
        (Some((_, known)), _) => (*known).clone(),
        (None, named) => {
            let host = signer.split_once("://").map_or(signer.as_str(), |(_, host)| host).to_owned();
            KnownAgent {
                name: named.map_or_else(|| host.clone().into(), |named| named.name.clone()),
                operator: host.into(),
                verified: None,
                purpose: named.map_or(Purpose::Action, |named| named.purpose),
            }
        }
    };
    KnownAgent { verified: *verified, ..agent }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::agent::known_agent;

    #[test]
    fn every_signer_has_an_agent_that_acts_for_a_person() {
        let lines = include_str!("../../data/ai-agent-signers.tsv").lines().count();
        assert_eq!(SIGNERS.len(), lines);
        assert!(SIGNERS.iter().all(|(_, agent)| agent.purpose.is_for_a_person()));
    }

    #[test]
    fn the_key_tells_the_operator_and_the_user_agent_which_of_its_agents() {
        let told = |signer: &str, user_agent: &str| {
            let signature = AgentSignature { signer: signer.to_owned(), verified: Some(true) };
            let agent = signed_agent(&signature, known_agent(user_agent));
            (agent.name, agent.operator, agent.purpose, agent.verified)
        };
        let expected = |name: &'static str, operator: &'static str, purpose| {
            (Cow::Borrowed(name), Cow::Borrowed(operator), purpose, Some(true))
        };
        let (openai, own) = ("https://chatgpt.com", "https://agents.example.com:8443");
        let cases = [
            (openai, "Chrome/138.0.0.0", expected("ChatGPT Agent", "OpenAI", Purpose::Action)),
            (openai, "ChatGPT-User/1.0", expected("ChatGPT-User", "OpenAI", Purpose::Answer)),
            (openai, "GPTBot/1.2", expected("GPTBot", "OpenAI", Purpose::Training)),
            (openai, "Claude-User/1.0", expected("ChatGPT Agent", "OpenAI", Purpose::Action)),
            (
                own,
                "Chrome/138",
                expected("agents.example.com:8443", "agents.example.com:8443", Purpose::Action),
            ),
            (own, "GPTBot/1.2", expected("GPTBot", "agents.example.com:8443", Purpose::Training)),
        ];
        for (signer, user_agent, expected) in cases {
            assert_eq!(told(signer, user_agent), expected, "{signer} {user_agent}");
        }
    }
}
