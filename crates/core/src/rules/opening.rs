//! What opens an escalation, as it is told to whoever works on it.

use serde::{Deserialize, Serialize};

/// Why an escalation rule opens an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    /// The rule's number.
    pub rule: i64,
    /// Its conditions with the values that meet them: see [`super::explain`].
    pub explanation: String,
    /// The sender's id of the event that meets them; `None` where the rule asks about no event, or where none was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, json};

    use super::super::{
        Condition, Decision, EscalationRule, Facts, Happened, Rules, Severity, Standing, Which, decide,
    };
    use super::*;
    use crate::common::Common;
    use crate::dataset::Datasets;
    use crate::event::Event;
    use crate::fact::{OfIdentity, OfTeam, Subject};
    use crate::identity::Profile;
    use crate::mapping::Mapping;
    use crate::score::Scores;
    use crate::state::IdentityState;
    use crate::time::Timestamp;

    const BEGIN: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn at(seconds: i64) -> Timestamp {
        BEGIN.plus_millis(seconds * 1_000)
    }

    fn rule(conditions: Vec<Condition>, open_after_seconds: u64) -> EscalationRule {
        EscalationRule {
            id: 7,
            revision: 1,
            name: "Large".to_owned(),
            severity: Severity::Info,
            channels: Vec::new(),
            conditions,
            open_after_seconds,
            close_after_seconds: 0,
            effective_at: None,
            adds_to_lists: Vec::new(),
        }
    }

    fn large() -> Vec<Condition> {
        let conditions = json!([
            {"type": "EVENT_IS", "events": ["PURCHASE"]},
            {"type": "FACT_GT", "fact": "event.data.amount", "value": 500},
        ]);
        serde_json::from_value(conditions).unwrap()
    }

    fn event(id: &str, name: &str, amount: u64) -> Event {
        let data = json!({"amount": amount});
        serde_json::from_value(json!({"id": id, "type": name, "timestamp": BEGIN, "data": data})).unwrap()
    }

    /// Decides at a second, a cycle with these events asking; or without one.
    fn decide_at(
        second: i64,
        standing: &mut Standing,
        rule: &EscalationRule,
        events: Option<&[Event]>,
    ) -> Decision {
        let (mapping, datasets, common) = (Mapping::default(), Datasets::default(), Common::default());
        let (data, profile, state) = (Map::new(), Profile::default(), IdentityState::default());
        let known = OfIdentity {
            id: Some("ada"),
            data: &data,
            profile: &profile,
            state: &state,
            first_seen_at: Some(BEGIN),
            email_since: None,
        };
        let team = OfTeam { mapping: &mapping, datasets: &datasets, common: &common };
        let happened = |event| Happened {
            subject: Subject::new(Some(event), known, team),
            received_at: at(second),
            counted: BTreeMap::new(),
        };
        let events: Option<Vec<_>> = events.map(|events| events.iter().map(happened).collect());
        let scores = Scores { humanity: Some(20), ..Scores::default() };
        let facts = Facts {
            scores: &scores,
            first_seen_at: BEGIN,
            disregarded: false,
            badges: Vec::new(),
            agent: None,
            events: events.as_deref(),
            lists: None,
            anew: &[],
            asked_before: false,
        };
        let rules = Rules { badges: Vec::new(), escalations: vec![rule.clone()] };
        let decision = decide(standing, &facts, &rules, at(second));
        *standing = Standing::decode(decision.after.encode().unwrap().as_deref()).unwrap();
        decision
    }

    fn opening(explanation: &str, event_id: Option<&str>) -> Vec<Opening> {
        let (explanation, event_id) = (explanation.to_owned(), event_id.map(str::to_owned));
        vec![Opening { rule: 7, explanation, event_id }]
    }

    #[test]
    fn a_rule_about_scores_says_which_opened_it() {
        let below = Condition::ScoreLt { category: Which::Humanity, threshold: 30 };
        let decision = decide_at(0, &mut Standing::default(), &rule(vec![below], 0), Some(&[]));
        assert_eq!(decision.openings, opening("Humanity is 20, below 30.", None));
        assert_eq!(decision.opened, [7]);
    }

    #[test]
    fn a_rule_about_events_says_which_event_opened_it_and_its_values() {
        let events = [event("e1", "login", 900), event("e2", "PURCHASE", 700), event("e3", "PURCHASE", 800)];
        let decision = decide_at(0, &mut Standing::default(), &rule(large(), 0), Some(&events));
        let words = "The event is PURCHASE; the event's \"amount\" is 700, above 500.";
        assert_eq!(decision.openings, opening(words, Some("e2")));
        assert_eq!(decision.after.waiting, []);
    }

    #[test]
    fn what_opens_after_a_delay_is_told_of_the_event_since_which_it_holds() {
        let (mut standing, rule) = (Standing::default(), rule(large(), 60));
        assert_eq!(decide_at(0, &mut standing, &rule, Some(&[event("e1", "PURCHASE", 900)])).openings, []);
        // It ceases to hold, and begins anew.
        assert_eq!(decide_at(10, &mut standing, &rule, Some(&[event("e2", "PURCHASE", 7)])).openings, []);
        assert_eq!(standing.waiting, []);
        assert_eq!(decide_at(20, &mut standing, &rule, Some(&[event("e3", "PURCHASE", 700)])).openings, []);
        // Another that meets it changes nothing; nor does a decision that is made again.
        for second in [20, 30] {
            let again = [event("e4", "PURCHASE", 800)];
            let events = (second > 20).then_some(&again[..]);
            assert_eq!(decide_at(second, &mut standing, &rule, events).openings, []);
        }
        let decision = decide_at(80, &mut standing, &rule, None);
        let words = "The event is PURCHASE; the event's \"amount\" is 700, above 500.";
        assert_eq!(decision.openings, opening(words, Some("e3")));
        assert_eq!(standing.waiting, []);
        assert_eq!(decide_at(90, &mut standing, &rule, None).openings, []);
    }

    /// Before version 18 of the tables nothing was kept for whoever waits.
    #[test]
    fn what_began_before_it_was_kept_is_told_without_values() {
        let (mut standing, rule) = (Standing::default(), rule(large(), 60));
        decide_at(0, &mut standing, &rule, Some(&[event("e1", "PURCHASE", 900)]));
        standing.waiting.clear();
        let decision = decide_at(60, &mut standing, &rule, None);
        let words = "The event is PURCHASE; the event's \"amount\" is above 500.";
        assert_eq!(decision.openings, opening(words, None));
    }
}
