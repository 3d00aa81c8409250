//! What conditions are asked of, and whether they hold.

use std::collections::BTreeMap;

use super::{ANY_AGENT, Condition, Slugs, Which, ages};
use crate::agent::KnownAgent;
use crate::fact::{Fact, Subject, Value};
use crate::list::Lists;
use crate::score::Scores;
use crate::time::Timestamp;

/// An event that rules are asked about.
#[derive(Clone, Debug)]
pub struct Happened<'a> {
    /// Itself, and its identity as the cycle sees it.
    pub subject: Subject<'a>,
    pub received_at: Timestamp,
    /// What counters counted until then, by their slugs. One that is not ready, or that has no value, is missing.
    pub counted: BTreeMap<String, Count>,
}

/// What a counter counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// What the counter is called.
    pub name: String,
    pub value: f64,
}

impl Happened<'_> {
    /// Whether it happened, and was heard of, only after a time. A sender's clock may be ahead, and what it sends late.
    #[must_use]
    pub fn is_after(&self, at: Timestamp) -> bool {
        self.received_at > at && self.subject.event.is_some_and(|event| event.timestamp > at)
    }
}

/// All that conditions may be asked of.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    pub scores: &'a Scores,
    /// None where badge rules ask.
    pub carried: &'a Slugs<'a>,
    /// The agent of an AI service that was seen last.
    pub agent: Option<&'a KnownAgent>,
    pub event: Option<&'a Happened<'a>>,
    /// The team's lists, as they are at a moment.
    pub lists: Option<(&'a Lists, Timestamp)>,
}

impl Ground<'_> {
    /// Whether all of these hold; ages, which change with time alone, are [`ages`]' part.
    pub(crate) fn meets(&self, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| self.holds(condition))
    }

    pub(super) fn holds(&self, condition: &Condition) -> bool {
        let score = |category: Which, is_met: &dyn Fn(u8) -> bool| {
            category.of(self.scores).any(|(_, score)| is_met(score))
        };
        match condition {
            Condition::ScoreLt { category, threshold } => score(*category, &|score| score < *threshold),
            Condition::ScoreLte { category, threshold } => score(*category, &|score| score <= *threshold),
            Condition::ScoreGt { category, threshold } => score(*category, &|score| score > *threshold),
            Condition::ScoreGte { category, threshold } => score(*category, &|score| score >= *threshold),
            Condition::IdentityAgeGt { .. } | Condition::IdentityAgeLt { .. } => true,
            Condition::BadgeExists { badge } => self.carried.contains(badge.as_str()),
            Condition::BadgeNotExists { badge } => !self.carried.contains(badge.as_str()),
            Condition::AgentIs { agent: asked, verified } => self.agent.is_some_and(|agent| {
                let names = [ANY_AGENT, &agent.name, &agent.operator];
                names.iter().any(|name| name.eq_ignore_ascii_case(asked))
                    && verified.is_none_or(|verified| verified == (agent.verified == Some(true)))
            }),
            Condition::CounterGt { counter, value } => {
                self.count(counter).zip(value.number()).is_some_and(|(found, value)| found.value > value)
            }

            Condition::CounterLt { counter, value } => {
                self.count(counter).zip(value.number()).is_some_and(|(found, value)| found.value < value)
            }

            Condition::InList { fact, list } => self.is_listed(fact, list) == Some(true),
            Condition::NotInList { fact, list } => self.is_listed(fact, list) == Some(false),
            Condition::All { conditions } => self.meets(conditions),
            Condition::Any { conditions } => conditions.iter().any(|condition| self.holds(condition)),
            Condition::Not { condition } => !self.holds(condition),
            of_event => self.subject().is_some_and(|subject| of_event.holds_of(&subject)),
        }
    }

    pub(super) fn count(&self, counter: &str) -> Option<&Count> {
        self.event?.counted.get(counter)
    }

    /// Whether a value of a fact is on a list; `None` where it has none, or where the list is gone.
    fn is_listed(&self, fact: &Fact, list: &str) -> Option<bool> {
        let ((lists, at), values) = (self.lists?, self.subject()?.values(fact));
        lists.get(list)?;
        (!values.is_empty()).then(|| values.iter().any(|value| lists.has(list, &value.text(), at)))
    }

    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        let subject = &self.event?.subject;
        Some(Subject { scores: Some(self.scores), badges: Some(self.carried), ..*subject })
    }
}

impl Condition {
    /// Whether it holds of an event and its identity; `false` of what those do not answer.
    pub fn holds_of(&self, subject: &Subject) -> bool {
        let any = |fact: &Fact, is_met: &dyn Fn(&Value) -> bool| subject.values(fact).iter().any(is_met);
        match self {
            Self::EventIs { events } => {
                let types = subject.values(&Fact::EventType);
                types.iter().any(|of| events.iter().any(|asked| of.is(&Value::from(asked.as_str()))))
            }
            Self::FactEq { fact, value } => any(fact, &|found| found.is(value)),
            Self::FactNe { fact, value } => {
                let found = subject.values(fact);
                !found.is_empty() && !found.iter().any(|found| found.is(value))
            }
            Self::FactIn { fact, values } => any(fact, &|found| values.iter().any(|value| found.is(value))),
            Self::FactGt { fact, value } => any(fact, &|found| {
                found.number().zip(value.number()).is_some_and(|(found, value)| found > value)
            }),

            Self::FactLt { fact, value } => any(fact, &|found| {
                found.number().zip(value.number()).is_some_and(|(found, value)| found < value)
            }),

            Self::FactContains { fact, value } => {
                let value = value.trim().to_lowercase();
                any(fact, &|found| found.folded().contains(&value))
            }
            Self::FactMatches { fact, pattern } => any(fact, &|found| pattern.is_in(&found.text())),
            Self::All { conditions } => conditions.iter().all(|condition| condition.holds_of(subject)),
            Self::Any { conditions } => conditions.iter().any(|condition| condition.holds_of(subject)),
            Self::Not { condition } => !condition.holds_of(subject),
            _ => false,
        }
    }
}

/// Whether all conditions hold now, delays apart, for somebody first seen then.
pub fn hold(conditions: &[Condition], ground: &Ground, first_seen_at: Timestamp, now: Timestamp) -> bool {
    let (from, until) = ages(conditions, first_seen_at);
    from.is_none_or(|from| from <= now) && until.is_none_or(|until| now < until) && ground.meets(conditions)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value as Json, json};

    use super::*;
    use crate::badge::BadgeType;
    use crate::common::Common;
    use crate::dataset::Datasets;
    use crate::event::{Event, OfBackend};
    use crate::fact::{OfIdentity, OfTeam};
    use crate::identity::Profile;
    use crate::key::KeyHasher;
    use crate::list::{Change, List, ListType};
    use crate::mapping::Mapping;
    use crate::rules::{BadgeRule, Facts, Rules, Standing, decide, explain};
    use crate::state::IdentityState;

    const AT: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn event(name: &str, data: Json) -> Event {
        Event {
            id: String::new(),
            name: name.to_owned(),
            timestamp: AT,
            source: None,
            identity: None,
            groups: Vec::new(),
            data: data.as_object().cloned().unwrap_or_default(),
            fingerprint: None,
            components: None,
            interaction: None,
            session: None,
            url: None,
            ip: "203.0.113.7".parse().ok(),
            user_agent: None,
            place: None,
            of_backend: OfBackend::default(),
            signature: None,
        }
    }

    fn condition(json: Json) -> Condition {
        serde_json::from_value(json).unwrap()
    }

    /// Asks with what is known of somebody; the answer is what `ask` makes of each of the events.
    fn asked<T>(events: &[Event], ask: impl FnOnce(&[Happened]) -> T) -> T {
        let (mapping, datasets, common) = (Mapping::default(), Datasets::default(), Common::default());
        let data: Map<_, _> =
            json!({"plan": "free", "email": "ada@mailinator.com"}).as_object().cloned().unwrap();
        let (profile, state) = (Profile::from_data(&data, &mapping), IdentityState::default());
        let happened = |event| Happened {
            subject: Subject::new(
                Some(event),
                OfIdentity {
                    id: Some("ada"),
                    data: &data,
                    profile: &profile,
                    state: &state,
                    first_seen_at: Some(AT.plus_millis(-90_500)),
                    email_since: Some(AT.plus_millis(-60_000)),
                },
                OfTeam { mapping: &mapping, datasets: &datasets, common: &common },
            ),
            received_at: AT,
            counted: BTreeMap::from([(
                "accounts-on-device".to_owned(),
                Count { name: "Accounts on device".to_owned(), value: 3.0 },
            )]),
        };
        ask(&events.iter().map(happened).collect::<Vec<_>>())
    }

    fn holds(asking: Json, event: &Event) -> bool {
        let scores = Scores { humanity: Some(20), ..Scores::default() };
        asked(std::slice::from_ref(event), |events| {
            let ground = Ground {
                scores: &scores,
                carried: &Slugs::new(),
                agent: None,
                event: events.first(),
                lists: None,
            };
            hold(&[condition(asking)], &ground, AT, AT)
        })
    }

    #[test]
    fn conditions_ask_for_facts_and_counters() {
        let bought =
            event("checkout.completed", json!({"amount": 700, "items": ["a", "B"], "coupon": "WELCOME-7"}));
        for (asking, holding) in [
            (json!({"type": "EVENT_IS", "events": ["login", "Checkout.Completed"]}), true),
            (json!({"type": "EVENT_IS", "events": ["PURCHASE"]}), true),
            (json!({"type": "EVENT_IS", "events": ["LOGIN"]}), false),
            (json!({"type": "FACT_GT", "fact": "event.data.amount", "value": 699.99}), true),
            (json!({"type": "FACT_GT", "fact": "event.data.amount", "value": 700}), false),
            (json!({"type": "FACT_LT", "fact": "event.data.amount", "value": 700.5}), true),
            (json!({"type": "FACT_EQ", "fact": "event.data.items", "value": "b"}), true),
            (json!({"type": "FACT_NE", "fact": "event.data.items", "value": "b"}), false),
            (json!({"type": "FACT_NE", "fact": "event.data.items", "value": "c"}), true),
            (json!({"type": "FACT_NE", "fact": "event.data.missing", "value": "c"}), false),
            (json!({"type": "FACT_IN", "fact": "identity.data.plan", "values": ["pro", "Free"]}), true),
            (json!({"type": "FACT_CONTAINS", "fact": "event.data.coupon", "value": "welcome"}), true),
            (json!({"type": "FACT_MATCHES", "fact": "event.data.coupon", "pattern": "^welcome-\\d$"}), true),
            (json!({"type": "FACT_MATCHES", "fact": "event.data.coupon", "pattern": "^\\d"}), false),
            (json!({"type": "FACT_EQ", "fact": "email.kind", "value": "DISPOSABLE"}), true),
            (json!({"type": "FACT_EQ", "fact": "email.domain", "value": "mailinator.com"}), true),
            (json!({"type": "FACT_EQ", "fact": "identity.ageSeconds", "value": 90}), true),
            (json!({"type": "FACT_EQ", "fact": "email.ageSeconds", "value": 60}), true),
            (json!({"type": "FACT_LT", "fact": "score.humanity", "value": 21}), true),
            (json!({"type": "FACT_EQ", "fact": "ip.network", "value": "203.0.113.0/24"}), true),
            (json!({"type": "COUNTER_GT", "counter": "accounts-on-device", "value": 2}), true),
            (json!({"type": "COUNTER_LT", "counter": "accounts-on-device", "value": 3}), false),
            // Of one that is not there nothing is known.
            (json!({"type": "COUNTER_LT", "counter": "missing", "value": 3}), false),
            (
                json!({"type": "ANY", "conditions": [
                    {"type": "SCORE_GT", "category": "HUMANITY", "threshold": 50},
                    {"type": "NOT", "condition": {"type": "FACT_EQ", "fact": "event.data.amount", "value": 1}},
                ]}),
                true,
            ),
            (
                json!({"type": "ALL", "conditions": [
                    {"type": "SCORE_LT", "category": "HUMANITY", "threshold": 50},
                    {"type": "FACT_EQ", "fact": "event.data.amount", "value": 1},
                ]}),
                false,
            ),
        ] {
            assert_eq!(condition(asking.clone()).flaw(), None, "{asking}");
            assert_eq!(holds(asking.clone(), &bought), holding, "{asking}");
        }
    }

    #[test]
    fn a_reason_is_read_out_by_names_and_says_what_was_met() {
        let hasher = KeyHasher::new([7; 16]);
        let mut list = List::new("Banned addresses".to_owned(), ListType::Ip, false);
        let value = ListType::Ip.value("203.0.113.7").unwrap();
        list.apply(&hasher, [Change { value, is_in: true, ends_at: None }].into_iter());
        let mut lists = Lists::new(hasher);
        lists.put("banned-ips".to_owned(), std::sync::Arc::new(list));
        let bought = event("purchase", json!({"amount": 700}));
        let in_list = json!({"type": "IN_LIST", "fact": "ip", "list": "banned-ips"});
        let of_data = json!({"type": "IN_LIST", "fact": "event.data.amount", "list": "banned-ips"});
        let above = json!({"type": "COUNTER_GT", "counter": "accounts-on-device", "value": 2});
        let small = json!({"type": "FACT_LT", "fact": "event.data.amount", "value": 1});
        for (asking, told) in [
            (in_list.clone(), "The IP address \"203.0.113.7\" is on the list \"Banned addresses\"."),
            (
                json!({"type": "NOT_IN_LIST", "fact": "event.data.amount", "list": "banned-ips"}),
                "The event's \"amount\" 700 is not on the list \"Banned addresses\".",
            ),
            (above.clone(), "The counter \"Accounts on device\" is 3, above 2."),
            (
                json!({"type": "ANY", "conditions": [in_list, small.clone(), of_data, above]}),
                "The IP address \"203.0.113.7\" is on the list \"Banned addresses\", and the counter \"Accounts on device\" is 3, above 2.",
            ),
            (json!({"type": "NOT", "condition": small}), "Not: the event's \"amount\" is 700, below 1."),
        ] {
            let said = asked(std::slice::from_ref(&bought), |events| {
                let (scores, carried) = (Scores::default(), Slugs::new());
                let ground = Ground {
                    scores: &scores,
                    carried: &carried,
                    agent: None,
                    event: events.first(),
                    lists: Some((&lists, AT)),
                };
                assert!(hold(&[condition(asking.clone())], &ground, AT, AT), "{asking}");
                explain(&[condition(asking.clone())], &ground)
            });
            assert_eq!(said, told);
        }
    }

    #[test]
    fn what_is_nobodys_is_no_fact_of_a_person() {
        let mut backend = event("purchase", json!({}));
        backend.of_backend.ip = true;
        let asking = json!({"type": "FACT_EQ", "fact": "ip", "value": "203.0.113.7"});
        assert!(holds(asking.clone(), &event("purchase", json!({}))));
        assert!(!holds(asking, &backend));
    }

    #[test]
    fn a_rule_that_names_an_event_is_asked_at_such_events_and_keeps_its_answer() {
        let rule = BadgeRule {
            id: 1,
            revision: 1,
            name: "Large purchase".to_owned(),
            slug: "large-purchase".to_owned(),
            badge_type: BadgeType::Neutral,
            priority: 0,
            conditions: vec![
                condition(json!({"type": "EVENT_IS", "events": ["PURCHASE"]})),
                condition(json!({"type": "FACT_GT", "fact": "event.data.amount", "value": 500})),
            ],
            apply_delay_seconds: 0,
            remove_delay_seconds: 0,
            adds_to_lists: Vec::new(),
        };
        let rules = Rules { badges: vec![rule], escalations: Vec::new() };
        let mut standing = Standing::default();
        let (scores, no_events) = (Scores::default(), []);
        let buys = |amount: u32| event("purchase", json!({"amount": amount}));
        let views = || event("page.view", json!({}));
        let mut told = |events: Option<&[Event]>, rules: &Rules| {
            let events_or_none = events.unwrap_or(&no_events);
            asked(events_or_none, |happened| {
                let facts = Facts {
                    scores: &scores,
                    first_seen_at: AT,
                    disregarded: false,
                    badges: Vec::new(),
                    agent: None,
                    events: events.map(|_| happened),
                    lists: None,
                    anew: &[],
                    asked_before: false,
                };
                let decision = decide(&standing, &facts, rules, AT);
                standing = decision.after;
                standing.badges.iter().map(|badge| badge.explanation.clone()).collect::<Vec<_>>()
            })
        };
        let why = ["The event is PURCHASE; the event's \"amount\" is 700, above 500."];
        assert_eq!(told(Some(&[views()]), &rules), [] as [&str; 0]);
        // One of several since the cycle before is enough.
        assert_eq!(told(Some(&[buys(700), buys(5), views()]), &rules), why);
        // It stays, and for the same reason, until it is asked again.
        assert_eq!(told(Some(&[views()]), &rules), why);
        assert_eq!(told(None, &rules), why);
        assert_eq!(told(Some(&[buys(500)]), &rules), [] as [&str; 0]);
        // Nor does a change of its conditions undo what they said, until they are asked.
        let why = told(Some(&[buys(900)]), &rules);
        assert_eq!(why.len(), 1);
        let mut changed = rules.clone();
        changed.badges[0].revision = 2;
        assert_eq!(told(Some(&[views()]), &changed), why);
        assert_eq!(told(None, &changed), why);
        assert_eq!(told(Some(&[buys(500)]), &changed), [] as [&str; 0]);
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let flaw = |json: Json| condition(json).flaw().map(|(field, _)| field);
        assert_eq!(flaw(json!({"type": "EVENT_IS", "events": []})), Some("events"));
        assert_eq!(flaw(json!({"type": "FACT_IN", "fact": "ip", "values": [""]})), Some("values"));
        assert_eq!(flaw(json!({"type": "FACT_CONTAINS", "fact": "ip", "value": " "})), Some("value"));
        assert_eq!(flaw(json!({"type": "ANY", "conditions": []})), Some("conditions"));
        let aged = json!({"type": "NOT", "condition": {"type": "IDENTITY_AGE_GT", "seconds": 5}});
        assert_eq!(flaw(aged), Some("condition"));
        let parsed = |json| serde_json::from_value::<Condition>(json).map_err(|error| error.to_string());
        let matches = |pattern: &str| json!({"type": "FACT_MATCHES", "fact": "ip", "pattern": pattern});
        for pattern in ["(", "", "(a{1000}){1000}", "(?=look)", r"(a)\1"] {
            assert!(parsed(matches(pattern)).is_err(), "{pattern}");
        }
        assert!(parsed(json!({"type": "FACT_EQ", "fact": "nonsense", "value": 1})).is_err());
    }
}
