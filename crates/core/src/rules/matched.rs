//! Which rules speak of an identity now, delays apart.

use super::{Condition, Kind, Rules, Standing, hold};
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
/// snoozed. So are escalation rules that do not take hold yet.
pub fn matched(
    standing: &Standing,
    scores: &Scores,
    first_seen_at: Timestamp,
    rules: &Rules,
    now: Timestamp,
) -> Vec<Matched> {
    let carried = standing.badges.iter().map(|badge| badge.slug.as_str()).collect();
    let none = Default::default();
    let agent = standing.agent.as_ref();
    let is_settled =
        |conditions: &[Condition]| standing.label.as_ref().is_some_and(|label| label.settles(conditions));
    let badges = rules.badges.iter().filter(|rule| {
        hold(&rule.conditions, scores, first_seen_at, &none, agent, now)
            && !(rule.badge_type == BadgeType::Bad && is_settled(&rule.conditions))
            && !standing.dismissed.iter().any(|dismissal| dismissal.slug == rule.slug)
    });
    let escalations = rules.escalations.iter().filter(|rule| {
        hold(&rule.conditions, scores, first_seen_at, &carried, agent, now)
            && !is_settled(&rule.conditions)
            && !standing.snoozed.iter().any(|snooze| snooze.rule == rule.id && snooze.holds(now))
            && rule.effective_at.is_none_or(|at| at <= now)
    });
    let badges = badges.map(|rule| (Kind::Badge, rule.id, &rule.name));
    let escalations = escalations.map(|rule| (Kind::Escalation, rule.id, &rule.name));
    badges
        .chain(escalations)
        .map(|(kind, rule, name)| Matched { kind, rule, name: name.clone() })
        .collect()
}
