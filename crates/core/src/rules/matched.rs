//! Which rules speak of an identity now, delays apart.

use super::{Condition, Ground, Kind, Rules, Slugs, Standing, hold};
use crate::badge::BadgeType;
use crate::score::Scores;
use crate::time::Timestamp;

/// A rule whose conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    pub kind: Kind,
    pub rule: i64,
    pub name: String,
}

/// The rules whose conditions hold now, badge rules first, whether or not their delays have passed. What people have put
/// aside is left out, as it is when rules are asked: what a label has settled, badges that were dismissed and rules that are
/// snoozed. So are escalation rules that do not match yet.
pub fn matched(
    standing: &Standing,
    scores: &Scores,
    first_seen_at: Timestamp,
    rules: &Rules,
    now: Timestamp,
) -> Vec<Matched> {
    let carried = standing.badges.iter().map(|badge| badge.slug.as_str()).collect();
    let none = Slugs::new();
    let agent = standing.agent.as_ref();
    // Without an event at hand, what rules have said of events holds.
    let holds = |(kind, id): (Kind, i64), conditions: &[Condition], carried: &Slugs| {
        if conditions.iter().any(Condition::is_of_events) {
            let mut held = standing.rules.iter();
            held.any(|one| (one.kind, one.rule, one.holds) == (kind, id, true))
        } else {
            hold(conditions, &Ground { scores, carried, agent, event: None, lists: None }, first_seen_at, now)
        }
    };
    let is_settled =
        |conditions: &[Condition]| standing.label.as_ref().is_some_and(|label| label.settles(conditions));
    let badges = rules.badges.iter().filter(|rule| {
        holds((Kind::Badge, rule.id), &rule.conditions, &none)
            && !(rule.badge_type == BadgeType::Bad && is_settled(&rule.conditions))
            && !standing.dismissed.iter().any(|dismissal| dismissal.slug == rule.slug)
    });
    let escalations = rules.escalations.iter().filter(|rule| {
        holds((Kind::Escalation, rule.id), &rule.conditions, &carried)
            && !is_settled(&rule.conditions)
            && !standing.snoozed.iter().any(|snooze| snooze.rule == rule.id && snooze.holds(now))
            && rule.effective_at.is_none_or(|at| at <= now)
    });
    let badges = badges.map(|rule| (Kind::Badge, rule.id, &rule.name));
    let escalations = escalations.map(|rule| (Kind::Escalation, rule.id, &rule.name));
    badges.chain(escalations).map(|(kind, rule, name)| Matched { kind, rule, name: name.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{BadgeRule, Condition, EscalationRule, Severity, Snooze, Which};
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn badge(id: i64, slug: &str, conditions: Vec<Condition>) -> BadgeRule {
        BadgeRule {
            id,
            revision: 1,
            name: slug.to_uppercase(),
            slug: slug.to_owned(),
            badge_type: BadgeType::Bad,
            priority: 0,
            conditions,
            // Whether it has passed is not asked.
            apply_delay_seconds: 900,
            remove_delay_seconds: 0,
            adds_to_lists: Vec::new(),
        }
    }

    fn escalation(id: i64, conditions: Vec<Condition>, effective_at: Option<Timestamp>) -> EscalationRule {
        EscalationRule {
            id,
            revision: 1,
            name: format!("Rule {id}"),
            severity: Severity::Critical,
            channels: Vec::new(),
            conditions,
            open_after_seconds: 900,
            close_after_seconds: 0,
            effective_at,
            adds_to_lists: Vec::new(),
        }
    }

    #[test]
    fn rules_match_whose_conditions_hold_now_and_that_nobody_has_put_aside() {
        let below = |threshold| Condition::ScoreLt { category: Which::Humanity, threshold };
        let carried = |slug: &str| Condition::BadgeExists { badge: slug.to_owned() };
        let rules = Rules {
            badges: vec![
                badge(1, "holds", vec![below(30)]),
                badge(2, "too-low", vec![below(10)]),
                badge(3, "dismissed", vec![below(30)]),
                badge(4, "too-young", vec![below(30), Condition::IdentityAgeGt { seconds: 60 }]),
            ],
            escalations: vec![
                escalation(1, vec![below(30), Condition::IdentityAgeLt { seconds: 61 }], None),
                escalation(2, vec![below(30)], Some(NOW.plus_millis(1))),
                escalation(3, vec![below(30)], None),
                escalation(4, vec![carried("holds")], None),
                escalation(5, vec![carried("too-low")], None),
                escalation(6, vec![below(30)], None),
            ],
        };
        let given = |slug: &str| crate::badge::Badge {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            badge_type: BadgeType::Bad,
            explanation: String::new(),
            metadata: serde_json::Map::new(),
        };
        let snooze = |rule, until| Snooze {
            rule,
            name: String::new(),
            until,
            at: NOW,
            by: String::new(),
            reason: None,
        };
        let dismissal = super::super::Dismissal::new("dismissed", "", (NOW, "ada", None), &[], &rules);
        let standing = Standing {
            badges: vec![given("holds")],
            dismissed: vec![dismissal],
            snoozed: vec![snooze(3, NOW.plus_millis(1)), snooze(6, NOW)],
            ..Standing::default()
        };
        let scores = Scores { humanity: Some(20), ..Scores::default() };
        let first_seen_at = NOW.plus_millis(-60_000);
        let matched = matched(&standing, &scores, first_seen_at, &rules, NOW);
        let told: Vec<_> = matched.iter().map(|one| (one.kind, one.rule, one.name.as_str())).collect();
        let expected = [
            (Kind::Badge, 1, "HOLDS"),
            (Kind::Escalation, 1, "Rule 1"),
            (Kind::Escalation, 4, "Rule 4"),
            (Kind::Escalation, 6, "Rule 6"),
        ];
        assert_eq!(told, expected);
    }
}
