//! The rules a new team begins with. The benchmark of detection goes by them too, so that what it calls an
//! accusation is what a team sees that has changed nothing.

use super::{BadgeRule, Condition, EscalationRule, Rules, Severity, Which};
use crate::badge::BadgeType;

/// A lesson whose laptops have one fingerprint looks like a ring for its first minutes: what others do counts against
/// nobody who has come since.
const ARRIVAL_SECONDS: u64 = 900;
const HOUR_SECONDS: u64 = 3_600;
const MONTH_SECONDS: u64 = 30 * 24 * HOUR_SECONDS;
/// Of a score in every category, from which on somebody known for a month is trusted.
const TRUSTED_MIN: u8 = 75;

/// All of them, numbered from 1; a store gives numbers of its own. They are shown on the dashboard, and no
/// channel is told.
pub fn starter_rules() -> Rules {
    let badges = (1..).zip(badges()).map(|(id, (name, slug, badge_type, conditions))| BadgeRule {
        id,
        revision: 1,
        name: String::from(name),
        slug: String::from(slug),
        badge_type,
        priority: id - 1,
        conditions,
        apply_delay_seconds: 0,
        remove_delay_seconds: 0,
        adds_to_lists: Vec::new(),
    });
    let escalations = (1..).zip(escalations()).map(|(id, (name, severity, conditions))| EscalationRule {
        id,
        revision: 1,
        name: String::from(name),
        severity,
        channels: Vec::new(),
        conditions,
        open_after_seconds: 0,
        close_after_seconds: HOUR_SECONDS,
        effective_at: None,
        adds_to_lists: Vec::new(),
    });
    Rules { badges: badges.collect(), escalations: escalations.collect() }
}

fn badges() -> [(&'static str, &'static str, BadgeType, Vec<Condition>); 5] {
    let good = |category| Condition::ScoreGte { category, threshold: TRUSTED_MIN };
    let every = [Which::Humanity, Which::Authenticity, Which::Uniqueness, Which::Behavior];
    let trusted = every.into_iter().map(good).chain([older_than(MONTH_SECONDS)]).collect();
    let arrived = || older_than(ARRIVAL_SECONDS);
    [
        ("Trusted", "trusted", BadgeType::Good, trusted),
        ("Suspicious", "suspicious", BadgeType::Bad, vec![below(Which::Any, 40), arrived()]),
        ("Bot", "bot", BadgeType::Bad, vec![below(Which::Humanity, 20)]),
        ("Duplicate", "duplicate", BadgeType::Bad, vec![below(Which::Uniqueness, 30), arrived()]),
        ("Throwaway", "throwaway", BadgeType::Bad, vec![below(Which::Authenticity, 25)]),
    ]
}

/// Each asks about another score: who is low in one has one escalation.
fn escalations() -> [(&'static str, Severity, Vec<Condition>); 4] {
    [
        ("Probably no human", Severity::Critical, vec![below(Which::Humanity, 20)]),
        (
            "Probably a duplicate",
            Severity::Warning,
            vec![below(Which::Uniqueness, 50), older_than(HOUR_SECONDS)],
        ),
        ("Probably a fake profile", Severity::Warning, vec![below(Which::Authenticity, 25)]),
        (
            "Very low behavior score",
            Severity::Critical,
            vec![below(Which::Behavior, 25), older_than(ARRIVAL_SECONDS)],
        ),
    ]
}

const fn below(category: Which, threshold: u8) -> Condition {
    Condition::ScoreLt { category, threshold }
}

const fn older_than(seconds: u64) -> Condition {
    Condition::IdentityAgeGt { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Facts, Standing, decide};
    use crate::score::{Category, Scores};
    use crate::time::{HOUR_MS, Timestamp};

    /// Slugs of badges and names of escalations, for somebody with these scores, known for so long.
    fn given(scores: Scores, known_ms: i64) -> (Vec<String>, Vec<String>) {
        let rules = starter_rules();
        let now = Timestamp::from_millis(1_795_426_200_000);
        let facts = Facts {
            scores: &scores,
            first_seen_at: now.plus_millis(-known_ms),
            disregarded: false,
            badges: Vec::new(),
            agent: None,
            events: None,
            lists: None,
            anew: &[],
            asked_before: false,
        };
        let decision = decide(&Standing::default(), &facts, &rules, now);
        let name =
            |id: &i64| rules.escalations.iter().find(|rule| rule.id == *id).map(|rule| rule.name.clone());
        let badges = decision.after.badges.into_iter().map(|badge| badge.slug).collect();
        (badges, decision.opened.iter().filter_map(name).collect())
    }

    #[test]
    fn who_is_low_is_accused_and_who_is_known_for_long_trusted() {
        let all = |score| Scores {
            humanity: Some(score),
            authenticity: Some(score),
            uniqueness: Some(score),
            behavior: Some(score),
        };
        let low = |category: Category, score| {
            let mut scores = all(80);
            match category {
                Category::Humanity => scores.humanity = Some(score),
                Category::Authenticity => scores.authenticity = Some(score),
                Category::Uniqueness => scores.uniqueness = Some(score),
                Category::Behavior => scores.behavior = Some(score),
            }
            scores
        };
        let cases: [(Scores, i64, &[&str], &[&str]); 12] = [
            (all(74), 31 * 24 * HOUR_MS, &[], &[]),
            (all(75), HOUR_MS, &[], &[]),
            (all(75), 31 * 24 * HOUR_MS, &["trusted"], &[]),
            (low(Category::Uniqueness, 49), HOUR_MS, &[], &[]),
            (low(Category::Uniqueness, 49), HOUR_MS + 1, &[], &["Probably a duplicate"]),
            (low(Category::Uniqueness, 2), HOUR_MS / 4, &[], &[]),
            (low(Category::Uniqueness, 2), HOUR_MS / 4 + 1, &["duplicate", "suspicious"], &[]),
            (
                low(Category::Uniqueness, 2),
                2 * HOUR_MS,
                &["duplicate", "suspicious"],
                &["Probably a duplicate"],
            ),
            (low(Category::Behavior, 24), HOUR_MS, &["suspicious"], &["Very low behavior score"]),
            (low(Category::Humanity, 19), 0, &["bot"], &["Probably no human"]),
            (low(Category::Authenticity, 24), 0, &["throwaway"], &["Probably a fake profile"]),
            (low(Category::Humanity, 19), 2 * HOUR_MS, &["bot", "suspicious"], &["Probably no human"]),
        ];
        for (scores, known_ms, badges, escalations) in cases {
            let (found_badges, found_escalations) = given(scores, known_ms);
            assert_eq!(found_badges, badges, "{scores:?} known for {known_ms} ms");
            assert_eq!(found_escalations, escalations, "{scores:?} known for {known_ms} ms");
        }
    }
}
