//! Why a rule applies, in words that can be read out to whom it is about.

use super::ground::{Count, Ground};
use super::{ANY_AGENT, Condition, Which};
use crate::fact::{Fact, Value};
use crate::score::phrase::counted;

/// Of a value this much is told.
const TOLD_MAX_CHARS: usize = 100;

impl Ground<'_> {
    /// A condition in words, with what meets it.
    fn words(&self, condition: &Condition) -> String {
        let score = |category: Which, lowest: bool, compared: &str, threshold: u8| {
            let met = category.of(self.scores);
            let met = if lowest { met.min_by_key(|met| met.1) } else { met.max_by_key(|met| met.1) };
            let (name, score) = met.map_or(("A score", 0), |(category, score)| (category.title(), score));
            format!("{name} is {score}, {compared} {threshold}")
        };
        let fact = |fact: &Fact, compared: String| match self.told(fact, |_| true) {
            Some(told) => format!("{} is {told}, {compared}", fact.words()),
            None => format!("{} is {compared}", fact.words()),
        };
        let listed = |fact: &Fact, slug: &str, is_in: bool| {
            let told = self.told(fact, |value| {
                !is_in || self.lists.is_some_and(|(lists, at)| lists.has(slug, &value.text(), at))
            });
            let told = told.map_or_else(String::new, |told| format!(" {told}"));
            let list = self.lists.and_then(|(lists, _)| lists.get(slug)).map_or(slug, |list| &list.name);
            format!("{}{told} is {}on the list \"{list}\"", fact.words(), if is_in { "" } else { "not " })
        };
        let counter = |slug: &str, compared: &str, value: &Value| match self.count(slug) {
            Some(Count { name, value: found }) => {
                format!("the counter \"{name}\" is {found}, {compared} {}", value.text())
            }
            None => format!("the counter \"{slug}\" is {compared} {}", value.text()),
        };
        match condition {
            Condition::ScoreLt { category, threshold } => score(*category, true, "below", *threshold),
            Condition::ScoreLte { category, threshold } => score(*category, true, "at most", *threshold),
            Condition::ScoreGt { category, threshold } => score(*category, false, "above", *threshold),
            Condition::ScoreGte { category, threshold } => score(*category, false, "at least", *threshold),
            Condition::IdentityAgeGt { seconds } => format!("first seen more than {} ago", age(*seconds)),
            Condition::IdentityAgeLt { seconds } => format!("first seen less than {} ago", age(*seconds)),
            Condition::BadgeExists { badge } => format!("it has the badge \"{badge}\""),
            Condition::BadgeNotExists { badge } => format!("it does not have the badge \"{badge}\""),
            Condition::AgentIs { agent, verified } => {
                let which = if agent.eq_ignore_ascii_case(ANY_AGENT) {
                    "an AI agent".to_owned()
                } else {
                    format!("the AI agent \"{agent}\"")
                };
                let how = match verified {
                    None => "",
                    Some(true) => ", as its signature shows",
                    Some(false) => ", without a signature that shows it",
                };
                format!("{which} acts for it{how}")
            }
            Condition::EventIs { events } => format!("the event is {}", events.join(" or ")),
            Condition::FactEq { fact, value } => format!("{} is \"{}\"", fact.words(), value.text()),
            Condition::FactNe { fact: of, value } => fact(of, format!("not \"{}\"", value.text())),
            Condition::FactIn { fact: of, values } => {
                let values: Vec<_> = values.iter().map(|value| format!("\"{}\"", value.text())).collect();
                fact(of, format!("one of {}", values.join(", ")))
            }
            Condition::FactGt { fact: of, value } => fact(of, format!("above {}", value.text())),
            Condition::FactLt { fact: of, value } => fact(of, format!("below {}", value.text())),
            Condition::FactContains { fact: of, value } => fact(of, format!("with \"{value}\" in it")),
            Condition::FactMatches { fact: of, pattern } => {
                fact(of, format!("which matches \"{}\"", pattern.as_str()))
            }
            Condition::InList { fact: of, list } => listed(of, list, true),
            Condition::NotInList { fact: of, list } => listed(of, list, false),
            Condition::CounterGt { counter: of, value } => counter(of, "above", value),
            Condition::CounterLt { counter: of, value } => counter(of, "below", value),
            Condition::All { conditions } => format!("({})", self.joined(conditions.iter(), "; ")),
            // Of several ways to meet it, those that are met.
            Condition::Any { conditions } => {
                let met: Vec<_> = conditions.iter().filter(|condition| self.holds(condition)).collect();
                if met.is_empty() {
                    self.joined(conditions.iter(), " or ")
                } else {
                    self.joined(met.into_iter(), ", and ")
                }
            }
            Condition::Not { condition } => format!("not: {}", self.words(condition)),
        }
    }

    fn joined<'c>(&self, conditions: impl Iterator<Item = &'c Condition>, with: &str) -> String {
        conditions.map(|condition| self.words(condition)).collect::<Vec<_>>().join(with)
    }

    /// Those values of a fact that are asked for, as they are told.
    fn told(&self, fact: &Fact, is_asked: impl Fn(&Value) -> bool) -> Option<String> {
        let values = self.subject()?.values(fact);
        let texts = values.iter().filter(|value| is_asked(value)).map(|value| match value {
            Value::Text(text) => format!("\"{}\"", text.chars().take(TOLD_MAX_CHARS).collect::<String>()),
            other => other.text().into_owned(),
        });
        Some(texts.take(3).collect::<Vec<_>>().join(", ")).filter(|told| !told.is_empty())
    }
}

/// In the largest unit of which it is a whole number.
pub(super) fn age(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = UNITS.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or_else(|| counted(seconds, "second"), |(unit, name)| counted(seconds / unit, name))
}

/// All conditions, to stand within a sentence.
pub fn conditions_in_words(conditions: &[Condition], ground: &Ground) -> String {
    ground.joined(conditions.iter(), "; ")
}

/// All conditions in one sentence.
pub fn explain(conditions: &[Condition], ground: &Ground) -> String {
    let words = conditions_in_words(conditions, ground);
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}
