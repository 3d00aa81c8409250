//! Agents of AI services, by the names that they give themselves.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde::{Deserialize, Serialize};

use super::names::is_whole;
use super::words::{is_phone, is_visitor};

/// What an agent visits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Purpose {
    /// To do something for a person: buy, book, fill in.
    Action,
    /// To write software with a person.
    Coding,
    /// To answer what a person asks.
    Answer,
    /// For an index, out of which questions are answered later.
    Search,
    /// For what models are trained on.
    Training,
    /// For whoever buys the data.
    Data,
}

impl Purpose {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "ACTION" => Self::Action,
            "CODING" => Self::Coding,
            "ANSWER" => Self::Answer,
            "SEARCH" => Self::Search,
            "TRAINING" => Self::Training,
            "DATA" => Self::Data,
            _ => return None,
        })
    }

    /// Whether it comes because a person has just asked for it.
    pub fn is_for_a_person(self) -> bool {
        self <= Self::Answer
    }
}

/// An agent that is known by name or by its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAgent {
    /// As it calls itself.
    pub name: Cow<'static, str>,
    /// Who runs it; `unknown` where nobody says so.
    pub operator: Cow<'static, str>,
    /// Whether its signature is by its operator's key; `None` where it is known by its own word.
    #[serde(default)]
    pub verified: Option<bool>,
    pub purpose: Purpose,
}

/// Where the names of agents are from, and its date. Operators and purposes are by the operators' own documentation.
pub const AGENTS_SOURCE: (&str, &str) = ("ai.robots.txt (MIT)", "2026-08-22");

/// Left out are names that people's own programs and devices have: Code, Cursor, LCC, OpenAI, Operator, Spider, Trae,
/// YaK; and what is no AI's.
static KNOWN: LazyLock<Vec<KnownAgent>> = LazyLock::new(|| {
    let known = |line: &'static str| {
        let mut columns = line.split('\t');
        let (name, operator) = (columns.next()?, columns.next()?);
        let purpose = Purpose::parse(columns.next()?)?;
        Some(KnownAgent { name: name.into(), operator: operator.into(), verified: None, purpose })
    };
    include_str!("../../data/ai-agents.tsv").lines().filter_map(known).collect()
});

/// Every browser is searched for these: the fastest kind pays.
static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let names = KNOWN.iter().map(|known| known.name.as_ref());
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).ascii_case_insensitive(true).build(names).ok()
});

/// All that are known by name.
pub fn agents() -> &'static [KnownAgent] {
    &KNOWN
}

/// The agent that calls itself so.
pub fn called(name: &str) -> Option<&'static KnownAgent> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Whether some agent may be called so, or its operator: those that are known, and the hosts of other signers.
pub fn is_known_as(text: &str) -> bool {
    let is_it = |known: &KnownAgent| {
        [&known.name, &known.operator].iter().any(|name| name.eq_ignore_ascii_case(text))
    };
    KNOWN.iter().any(is_it) || text.contains('.')
}

/// The agent that a user agent names, by the longest of the names in it.
pub fn named_in(agent: &str) -> Option<&'static KnownAgent> {
    let search = SEARCH.as_ref().filter(|search| search.is_match(agent))?;
    let system_end = agent.find(')').filter(|_| is_phone(agent)).unwrap_or(0);
    let found = search.find_overlapping_iter(agent);
    // What a phone calls itself may be anything.
    let found = found.filter(|found| found.start() >= system_end && is_whole(agent, found.range()));
    found.map(|found| &KNOWN[found.pattern()]).max_by_key(|known| known.name.len())
}

/// The same as far as it tells what is behind the user agent. People's apps and extensions, and a customer's own, have
/// names of any kind: one that accuses counts where it says that it visits.
pub fn telling(agent: &str) -> Option<&'static KnownAgent> {
    named_in(agent).filter(|known| {
        let says_so = || agent.contains("compatible; ") || agent.contains("://");
        known.purpose.is_for_a_person() || is_visitor(&known.name) || says_so()
    })
}
